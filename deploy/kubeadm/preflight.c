#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/io.h"
#include "base/str.h"
#include "kubeadm.h"

struct findings {
	struct kubeadm *k;
	char *const *ignore;
	size_t n_ignore;
	struct strbuf errors;
	bool failed;
};

static void fail(struct findings *f, const char *check, const char *format, ...) PRINTF(3, 4);

static void fail(struct findings *f, const char *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(f->k->arena, format, args);
	va_end(args);
	bool ignored = str_in_n("all", f->ignore, f->n_ignore);
	for (size_t i = 0; i < f->n_ignore; i++)
		ignored |= str_eq_nocase(f->ignore[i], check);
	if (ignored) {
		printf("\t[WARNING %s]: %s\n", check, text);
		return;
	}
	strbuf_printf(&f->errors, "\n\t[ERROR %s]: %s", check, text);
	f->failed = true;
}

static void check_port(struct findings *f, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;
	CLEANUP_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == EADDRINUSE)
		fail(f, arena_printf(f->k->arena, "Port-%d", port), "Port %d is in use", port);
}

static void check_absent(struct findings *f, const char *path)
{
	char *check = arena_strdup(f->k->arena, path);
	for (char *p = check; *p; p++)
		if (*p == '/')
			*p = '-';
	if (io_exists(path))
		fail(f, arena_printf(f->k->arena, "FileAvailable-%s", check), "%s already exists", path);
}

static void check_runtime(struct findings *f, const char *socket_url)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = str_starts_with(socket_url, "unix://") ? socket_url + strlen("unix://") : socket_url;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail(f, "CRI", "container runtime is not running: %s: %s", path, strerrordesc_np(errno));
}

static void check_machine(struct findings *f)
{
	char swaps[512] = "";
	if (geteuid())
		fail(f, "IsPrivilegedUser", "user is not running as root");
	CLEANUP_FREE char *forward = NULL;
	struct status *s = io_read_file("/proc/sys/net/ipv4/ip_forward", 64, &forward, NULL);
	if (s || forward[0] != '1')
		fail(f, "FileContent--proc-sys-net-ipv4-ip_forward",
			"/proc/sys/net/ipv4/ip_forward contents are not set to 1");
	status_free(s);
	FILE *file = fopen("/proc/swaps", "re");
	int lines = 0;
	while (file && fgets(swaps, sizeof(swaps), file))
		lines++;
	if (file)
		fclose(file);
	if (lines > 1)
		printf("\t[WARNING Swap]: swap is supported for cgroup v2 only; the kubelet must tolerate it "
		       "(failSwapOn: false)\n");
}

static const int control_plane_ports[] = {10259, 10257};
static const char *const manifests[] = {MANIFESTS_DIR "/kube-apiserver.yaml",
	MANIFESTS_DIR "/kube-controller-manager.yaml", MANIFESTS_DIR "/kube-scheduler.yaml",
	MANIFESTS_DIR "/etcd.yaml"};

struct status *preflight(struct kubeadm *k, bool joining, char *const *ignore, size_t n_ignore)
{
	struct findings f = {.k = k, .ignore = ignore, .n_ignore = n_ignore, .errors = STRBUF_INIT};
	printf("[preflight] Running pre-flight checks\n");
	check_machine(&f);
	check_port(&f, 10250);
	if (joining) {
		check_absent(&f, KUBERNETES_DIR "/kubelet.conf");
		check_runtime(&f, k->join->node_registration->cri_socket);
	} else {
		check_port(&f, k->init->local_api_endpoint->bind_port);
		for (size_t i = 0; i < ARRAY_SIZE(control_plane_ports); i++)
			check_port(&f, control_plane_ports[i]);
		for (size_t i = 0; i < ARRAY_SIZE(manifests); i++)
			check_absent(&f, manifests[i]);
		check_runtime(&f, k->init->node_registration->cri_socket);
	}
	struct status *s = f.failed ? status_new(STATUS_CONFLICT,
					      "[preflight] Some fatal errors occurred:%s\n[preflight] If you know what "
					      "you are doing, you can "
					      "make a check non-fatal with `--ignore-preflight-errors=...`",
					      f.errors.buf)
				    : NULL;
	strbuf_done(&f.errors);
	return s;
}
