#include "cel/environment.h"
#include "base/str.h"

enum { MAX_DOMAIN = 63, MAX_ID = 32, MAX_ATTRIBUTE = 64, MAX_DRIVER = 63, MAX_ATTRIBUTES = 32 };

#define FIELDS(...) (const struct cel_field[]){__VA_ARGS__}, ARRAY_SIZE(((const struct cel_field[]){__VA_ARGS__}))

static struct cel_type *object(struct arena *arena, const char *name, const struct cel_field *fields, size_t n)
{
	return cel_type_object(arena, name, arena_dup(arena, fields, n * sizeof(*fields)), n);
}

/* Admission */

static const struct cel_type *request_type(struct arena *arena)
{
	const struct cel_type *texts = cel_type_list(arena, &cel_string);
	const struct cel_type *kind = object(arena, "kubernetes.GroupVersionKind",
		FIELDS({"group", &cel_string}, {"version", &cel_string}, {"kind", &cel_string}));
	const struct cel_type *resource = object(arena, "kubernetes.GroupVersionResource",
		FIELDS({"group", &cel_string}, {"version", &cel_string}, {"resource", &cel_string}));
	const struct cel_type *user = object(arena, "kubernetes.UserInfo",
		FIELDS({"username", &cel_string}, {"uid", &cel_string}, {"groups", texts},
			{"extra", cel_type_map(arena, &cel_string, texts)}));
	return object(arena, "kubernetes.AdmissionRequest",
		FIELDS({"kind", kind}, {"resource", resource}, {"subResource", &cel_string}, {"requestKind", kind},
			{"requestResource", resource}, {"requestSubResource", &cel_string}, {"name", &cel_string},
			{"namespace", &cel_string}, {"operation", &cel_string}, {"userInfo", user},
			{"dryRun", &cel_bool}, {"options", &cel_dyn}));
}

static const struct cel_type *namespace_type(struct arena *arena)
{
	const struct cel_type *texts = cel_type_list(arena, &cel_string);
	const struct cel_type *map = cel_type_map(arena, &cel_string, &cel_string);
	const struct cel_type *spec = object(arena, "kubernetes.NamespaceSpec", FIELDS({"finalizers", texts}));
	const struct cel_type *condition = object(arena, "kubernetes.NamespaceCondition",
		FIELDS({"status", &cel_string}, {"type", &cel_string}, {"lastTransitionTime", &cel_timestamp},
			{"message", &cel_string}, {"reason", &cel_string}));
	const struct cel_type *status = object(arena, "kubernetes.NamespaceStatus",
		FIELDS({"conditions", cel_type_list(arena, condition)}, {"phase", &cel_string}));
	const struct cel_type *metadata = object(arena, "kubernetes.NamespaceMetadata",
		FIELDS({"name", &cel_string}, {"generateName", &cel_string}, {"namespace", &cel_string},
			{"labels", map}, {"annotations", map}, {"UID", &cel_string},
			{"creationTimestamp", &cel_timestamp}, {"deletionGracePeriodSeconds", &cel_int},
			{"deletionTimestamp", &cel_timestamp}, {"generation", &cel_int},
			{"resourceVersion", &cel_string}, {"finalizers", texts}));
	return object(
		arena, "kubernetes.Namespace", FIELDS({"metadata", metadata}, {"spec", spec}, {"status", status}));
}

struct cel_env *cel_env_admission(struct arena *arena, unsigned parts, const struct cel_type *variables)
{
	struct cel_env *env = cel_env_new(arena, parts & ADMISSION_STORED ? CEL_STORED : 0);
	cel_env_add(env, "object", &cel_dyn);
	cel_env_add(env, "oldObject", &cel_dyn);
	cel_env_add(env, "namespaceObject", namespace_type(arena));
	cel_env_add(env, "request", request_type(arena));
	if (parts & ADMISSION_PARAMS)
		cel_env_add(env, "params", &cel_dyn);
	if (parts & ADMISSION_AUTHORIZER) {
		cel_env_add(env, "authorizer", &cel_authorizer);
		cel_env_add(env, "authorizer.requestResource", &cel_resource_check);
	}
	if (variables)
		cel_env_add(env, "variables", variables);
	return env;
}

const struct cel_type *cel_variable_type(struct arena *arena, const struct cel_type *type)
{
	switch (type->kind) {
	case CEL_LIST:
		return cel_type_list(arena, cel_variable_type(arena, type->params[0]));
	case CEL_MAP:
		return cel_type_map(
			arena, cel_variable_type(arena, type->params[0]), cel_variable_type(arena, type->params[1]));
	case CEL_NULL:
	case CEL_BOOL:
	case CEL_INT:
	case CEL_UINT:
	case CEL_DOUBLE:
	case CEL_STRING:
	case CEL_BYTES:
	case CEL_TIMESTAMP:
	case CEL_DURATION:
		return type;
	default:
		return &cel_dyn;
	}
}

/* Devices */

static const struct cel_type *sized(struct arena *arena, const struct cel_type *type, uint64_t max_size)
{
	struct cel_type *t = arena_dup(arena, type, sizeof(*type));
	t->max_size = max_size;
	return t;
}

/* By domain and then by name, so many of each at most. */
static const struct cel_type *by_domain(struct arena *arena, const struct cel_type *value)
{
	const struct cel_type *domain = sized(arena, &cel_string, MAX_DOMAIN), *id = sized(arena, &cel_string, MAX_ID);
	const struct cel_type *inner = sized(arena, cel_type_map(arena, id, value), MAX_ATTRIBUTES);
	return sized(arena, cel_type_map(arena, domain, inner), MAX_ATTRIBUTES);
}

struct cel_env *cel_env_device(struct arena *arena, bool stored)
{
	struct cel_env *env = cel_env_new(arena, CEL_BINDINGS | CEL_KNOWN_FIELDS | (stored ? (unsigned)CEL_STORED : 0));
	const struct cel_type *attributes = by_domain(arena, sized(arena, &cel_any, MAX_ATTRIBUTE));
	const struct cel_type *device = object(arena, "kubernetes.DRADevice",
		FIELDS({"driver", sized(arena, &cel_string, MAX_DRIVER)}, {"attributes", attributes},
			{"capacity", by_domain(arena, &cel_quantity)}));
	cel_env_add_sized(env, "device", device);
	return env;
}
