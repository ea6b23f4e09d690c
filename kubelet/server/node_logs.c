#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/io.h"
#include "base/str.h"
#include "kubelet/server/server.h"

#define ROOT "/var/log"

/* The node's log folder as a file server shows it. Who may see it is asked as nodes/log. */

static void escape_html(struct strbuf *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&':
			strbuf_adds(out, "&amp;");
			break;
		case '<':
			strbuf_adds(out, "&lt;");
			break;
		case '>':
			strbuf_adds(out, "&gt;");
			break;
		case '"':
			strbuf_adds(out, "&#34;");
			break;
		case '\'':
			strbuf_adds(out, "&#39;");
			break;
		default:
			strbuf_addc(out, *text);
		}
}

static int visible(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static void serve_folder(struct http_request *request, const char *path)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct dirent **list = NULL;
	int n = scandir(path, &list, visible, alphasort);
	if (n < 0) {
		http_respondf(request, 500, "Error reading directory\n");
		return;
	}
	strbuf_adds(&out, "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n");
	for (int i = 0; i < n; i++) {
		const char *slash = list[i]->d_type == DT_DIR ? "/" : "";
		strbuf_adds(&out, "<a href=\"");
		escape_html(&out, list[i]->d_name);
		strbuf_printf(&out, "%s\">", slash);
		escape_html(&out, list[i]->d_name);
		strbuf_printf(&out, "%s</a>\n", slash);
		free(list[i]);
	}
	free(list);
	strbuf_adds(&out, "</pre>\n");
	http_respond(request, 200, "text/html; charset=utf-8", out.buf, out.len);
}

/* As much as the file holds now: one that grows meanwhile is not followed. */
static void serve_file(struct http_request *request, int fd, int64_t size)
{
	char buf[65536];
	http_begin(request, 200, "text/plain; charset=utf-8");
	while (size > 0) {
		ssize_t n = read(fd, buf, size < (int64_t)sizeof(buf) ? (size_t)size : sizeof(buf));
		if (n <= 0 || !http_write(request, buf, (size_t)n))
			return;
		size -= n;
	}
}

/* No step of the path leads upwards. */
static bool goes_up(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (p[0] == '.' && p[1] == '.' && (!p[2] || p[2] == '/'))
			return true;
	}
	return false;
}

void serve_node_logs(struct http_request *request)
{
	const char *rest = str_or_empty(http_capture(request, "path"));
	struct stat st;
	if (goes_up(rest)) {
		http_respondf(request, 400, "invalid URL path\n");
		return;
	}
	const char *path = arena_printf(request->arena, ROOT "/%s", rest);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		http_respondf(request, 404, "404 page not found\n");
	else if (S_ISDIR(st.st_mode))
		serve_folder(request, path);
	else
		serve_file(request, fd, st.st_size);
}
