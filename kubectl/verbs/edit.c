#include <fcntl.h>
#include <sys/wait.h>
#include "api/patch.h"
#include "api/yaml.h"
#include "base/io.h"
#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

struct edit_options {
	struct print_options print;
	struct filename_options files;
	char *field_manager, *validate, *subresource;
	bool output_patch, save_config, windows_line_endings;
};

#define E(...) OPT(struct edit_options, __VA_ARGS__)
static const struct option edit_flags[] = {
	OPT_GROUP(struct edit_options, print, print_flags),
	OPT_GROUP(struct edit_options, files, filename_flags),
	OPT_FIELD_MANAGER(struct edit_options, field_manager, "kubectl-edit"),
	E(output_patch, 0, "output-patch", FLAG_BOOL, "false", "Show the patch that was sent"),
	E(save_config, 0, "save-config", FLAG_BOOL, "false",
		"Keep the configuration in the annotation that apply uses"),
	E(subresource, 0, "subresource", FLAG_STRING, "", "Subresource to edit: status"),
	E(validate, 0, "validate", FLAG_STRING, "strict", "strict, warn or ignore what the schema does not know"),
	E(windows_line_endings, 0, "windows-line-endings", FLAG_BOOL, "false", "Accepted without effect"),
	OPT_END,
};

struct editor {
	struct kubectl *k;
	struct edit_options *o;
	struct infos infos;
	char *path;	    /* of the temporary file */
	const char *reason; /* why the last attempt was refused; NULL: none was */
};

static const char header[] =
	"# Change the object below and save it. Lines that begin with '#' are ignored, and a file without\n"
	"# content ends the edit. If the change is refused, this file is opened again with the reason.\n#\n";

static struct status *run_editor(struct editor *e)
{
	const char *editor = getenv("KUBE_EDITOR");
	if (str_empty(editor))
		editor = getenv("EDITOR");
	if (str_empty(editor))
		editor = "vi";
	char *line = arena_printf(e->k->arena, "%s '%s'", editor, e->path);
	pid_t pid = fork();
	if (pid < 0)
		return user_error("unable to launch the editor \"%s\": %m", editor);
	if (!pid) {
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	int status;
	while (waitpid(pid, &status, 0) < 0)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return NULL;
	return user_error("there was a problem with the editor \"%s\"", editor);
}

static void write_objects(struct editor *e, struct strbuf *out)
{
	strbuf_adds(out, header);
	if (e->reason) {
		char **lines;
		size_t n = str_split(e->k->arena, e->reason, '\n', &lines);
		for (size_t i = 0; i < n; i++)
			strbuf_printf(out, "# %s\n", lines[i]);
		strbuf_adds(out, "#\n");
	}
	if (e->infos.n_items == 1) {
		cJSON *copy = tree_copy(e->k->arena, e->infos.items[0].object);
		if (!e->o->print.show_managed_fields)
			obj_remove(copy, "metadata.managedFields");
		yaml_print_tree(out, copy);
		return;
	}
	cJSON *list = obj_new(e->k->arena, "v1", "List", NULL), *items = obj_array(e->k->arena, list, "items");
	for (size_t i = 0; i < e->infos.n_items; i++) {
		cJSON *copy = tree_copy(e->k->arena, e->infos.items[i].object);
		if (!e->o->print.show_managed_fields)
			obj_remove(copy, "metadata.managedFields");
		tree_append(items, copy);
	}
	yaml_print_tree(out, list);
}

/* The text without comment lines; "" if nothing is left. */
static char *strip_comments(struct arena *arena, const char *text)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	while (*text) {
		size_t size = strcspn(text, "\n");
		const char *start = text + strspn(text, " \t");
		if (*start != '#')
			strbuf_printf(&out, "%.*s\n", (int)size, text);
		text += size + (text[size] != 0);
	}
	return arena_strdup(arena, out.buf[strspn(out.buf, " \t\n")] ? out.buf : "");
}

static struct info *find_info(struct editor *e, const cJSON *object)
{
	for (size_t i = 0; i < e->infos.n_items; i++) {
		struct info *info = &e->infos.items[i];
		if (str_eq(obj_kind(info->object), obj_kind(object)) && str_eq(info->name, obj_name(object)) &&
			str_eq(info->namespace, obj_namespace(object)))
			return info;
	}
	return NULL;
}

static struct status *save_one(struct editor *e, cJSON *edited)
{
	struct info *info = find_info(e, edited);
	struct send_options send = {
		.field_manager = e->o->field_manager, .validate = e->o->validate, .subresource = e->o->subresource};
	enum client_patch_type type;
	char *patch;
	if (!info)
		return user_error("At least one of apiVersion, kind and name was changed");
	cJSON *before = tree_copy(e->k->arena, info->object);
	if (!e->o->print.show_managed_fields)
		obj_remove(before, "metadata.managedFields");
	if (e->o->save_config)
		set_last_applied(e->k->arena, edited);
	TRY(difference(e->k, info->mapping, before, edited, &type, &patch));
	if (str_eq(patch, "{}"))
		return print_result(e->k, &e->o->print, "skipped", DRY_RUN_NONE, info->object);
	if (e->o->output_patch)
		printf("Patch: %s\n", patch);
	TRY(send_patch(e->k, info, type, patch, &send, &info->object));
	return print_result(e->k, &e->o->print, "edited", DRY_RUN_NONE, info->object);
}

static struct status *save(struct editor *e, const char *text)
{
	cJSON **documents = NULL;
	size_t n = 0;
	TRY(parse_documents(e->k->arena, text, strlen(text), "edited-file", &documents, &n));
	for (size_t i = 0; i < n; i++) {
		if (!obj_is_list(documents[i])) {
			TRY(save_one(e, documents[i]));
			continue;
		}
		TREE_FOREACH (item, tree_get(documents[i], "items"))
			TRY(save_one(e, item));
	}
	return NULL;
}

static struct status *edit_loop(struct editor *e)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	char *last = NULL;
	for (;;) {
		char *data;
		size_t size;
		strbuf_reset(&text);
		if (last) { /* what the user wrote, below the reason it was refused for */
			struct infos none = {0}, kept = e->infos;
			e->infos = none;
			strbuf_adds(&text, header);
			strbuf_printf(&text, "# %s\n#\n%s", e->reason, last);
			e->infos = kept;
		} else {
			write_objects(e, &text);
		}
		TRY(io_write_file(e->path, text.buf, text.len, 0600));
		TRY(run_editor(e));
		TRY(io_read_file(e->path, 64u << 20, &data, &size));
		char *before = strip_comments(e->k->arena, text.buf), *after = strip_comments(e->k->arena, data);
		free(data);
		if (str_eq(before, after) || !*after) {
			unlink(e->path);
			if (last)
				return user_error("%s", "Edit cancelled, no valid changes were saved.");
			fputs(*after ? "Edit cancelled, no changes made.\n" : "Edit cancelled, saved file was empty.\n",
				stderr);
			return NULL;
		}
		struct status *s = save(e, after);
		if (!s) {
			unlink(e->path);
			return NULL;
		}
		fprintf(stderr, "error: %s\n", s->message);
		e->reason = arena_strdup(e->k->arena, s->message);
		for (char *c = (char *)(uintptr_t)e->reason; *c; c++)
			*c = *c == '\n' ? ' ' : *c;
		status_free(s);
		last = after;
	}
}

static struct status *edit_run(struct kubectl *k, struct call *call)
{
	struct edit_options *o = call->options;
	struct editor e = {.k = k, .o = o};
	const char *dir = getenv("TMPDIR");
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.list_without_selector = true,
		.flatten = true,
		.latest = true,
		.subresource = o->subresource};
	TRY(select_objects(k, &sel, &e.infos));
	if (!e.infos.n_items)
		return user_error("edit cancelled, no objects found");
	e.path = arena_printf(k->arena, "%s/kubectl-edit-XXXXXX", str_or(dir, "/tmp"));
	int fd = mkstemp(e.path);
	if (fd < 0)
		return user_error("cannot create a temporary file %s: %m", e.path);
	close(fd);
	return edit_loop(&e);
}

const struct command edit_command = {
	.name = "edit",
	.section = "Basic Commands (Intermediate):",
	.summary = "Edit a resource on the server",
	.usage = "(RESOURCE/NAME | -f FILENAME)",
	.flags = edit_flags,
	.options_size = sizeof(struct edit_options),
	.run = edit_run,
};
