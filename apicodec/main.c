/*
 * apicodec: one object from standard input to standard output in another form, so that people can look into etcd.
 *	etcdctl get --print-value-only /registry/pods/default/web | apicodec --from protobuf --to yaml
 */
#include <stdio.h>
#include "api/json.h"
#include "api/protobuf.h"
#include "api/tree.h"
#include "api/yaml.h"
#include "base/flags.h"
#include "base/io.h"

#define MAX_OBJECT (64u << 20)

static char *flag_from, *flag_to;
static bool flag_strict, flag_help;

static const struct flag flags[] = {
	{.name = "from",
		.type = FLAG_STRING,
		.ptr = &flag_from,
		.def = "json",
		.usage = "form of the input: json, yaml or protobuf"},
	{.name = "to",
		.type = FLAG_STRING,
		.ptr = &flag_to,
		.def = "yaml",
		.usage = "form of the output: json, yaml or protobuf"},
	{.name = "strict", .type = FLAG_BOOL, .ptr = &flag_strict, .usage = "unknown and duplicate fields are errors"},
	{.name = "help", .short_name = 'h', .type = FLAG_BOOL, .ptr = &flag_help, .usage = "show these flags"},
	{0},
};

static struct status *decode(struct arena *arena, const char *data, size_t size, void **ret_msg)
{
	struct json_strict strict = {0};
	struct json_options options = {.strict = flag_strict ? &strict : NULL};
	struct status *status;

	if (str_eq(flag_from, "json"))
		status = json_decode_any(arena, data, size, &options, ret_msg);
	else if (str_eq(flag_from, "yaml"))
		status = yaml_decode(arena, NULL, data, size, &options, ret_msg);
	else if (str_eq(flag_from, "protobuf"))
		status = protobuf_decode(arena, NULL, data, size, ret_msg);
	else
		status = status_bad_request("--from: \"%s\" is none of json, yaml, protobuf", flag_from);
	if (!status && strict.n_errors)
		status = status_bad_request(
			"strict decoding error: %s", str_join(arena, strict.errors, strict.n_errors, ", "));
	return status;
}

static struct status *encode(struct strbuf *out, const void *msg)
{
	if (str_eq(flag_to, "json"))
		json_encode(out, msg, JSON_PRETTY | JSON_NEWLINE);
	else if (str_eq(flag_to, "yaml"))
		yaml_encode(out, msg);
	else if (str_eq(flag_to, "protobuf"))
		protobuf_encode(out, msg);
	else
		return status_bad_request("--to: \"%s\" is none of json, yaml, protobuf", flag_to);
	return NULL;
}

static struct status *run(int argc, char **argv)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CLEANUP_FREE char *data = NULL;
	struct flag_args args;
	size_t size = 0;
	void *msg = NULL;

	TRY(flags_parse(flags, argc, argv, &args));
	if (flag_help) {
		puts("Usage: apicodec --from json|yaml|protobuf --to json|yaml|protobuf < object");
		flags_print(flags, stdout);
		return NULL;
	}
	if (args.n_items)
		return status_bad_request(
			"unexpected argument \"%s\": the object is read from standard input", args.items[0]);
	TRY(io_read_all(STDIN_FILENO, MAX_OBJECT, &data, &size));
	TRY(decode(arena, data, size, &msg));
	TRY(encode(&out, msg));
	return io_write_all(STDOUT_FILENO, out.buf, out.len);
}

int main(int argc, char **argv)
{
	CLEANUP_STATUS struct status *status = run(argc, argv);

	if (status)
		fprintf(stderr, "apicodec: %s\n", status->message);
	return status ? 1 : 0;
}
