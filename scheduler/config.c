#include "scheduler/config.h"
#include "api/yaml.h"
#include "base/io.h"
#include "base/str.h"

enum { MAX_CONFIG_BYTES = 1 << 20 };

struct status *scheduler_config_load(
	struct arena *arena, const char *path, KubeschedulerV1KubeSchedulerConfiguration **ret)
{
	CLEANUP_FREE char *data = NULL;
	size_t size = 0;
	char *version = NULL, *kind = NULL;
	TRY(io_read_file(path, MAX_CONFIG_BYTES, &data, &size));
	struct json_strict strict = {0};
	const struct json_options options = {.strict = &strict, .ret_api_version = &version, .ret_kind = &kind};
	struct status *failed =
		yaml_decode(arena, &KubeschedulerV1KubeSchedulerConfiguration_schema, data, size, &options, ret);
	if (failed)
		return status_wrap(failed, "%s", path);
	if (!str_eq(version, "kubescheduler.config.k8s.io/v1") || !str_eq(kind, "KubeSchedulerConfiguration"))
		return status_bad_request("%s: no kind \"%s\" is registered for version \"%s\"", path,
			str_or_empty(kind), str_or_empty(version));
	if (strict.n_errors)
		return status_bad_request(
			"%s: strict decoding error: %s", path, str_join(arena, strict.errors, strict.n_errors, ", "));
	if ((*ret)->n_extenders)
		return status_bad_request("%s: extenders: not supported by this scheduler", path);
	return NULL;
}
