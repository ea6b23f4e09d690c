/*
 * The JSON of a struct as the original prints it in an error: its internal types have no JSON names, so that a field is
 * called as in Go, none is left out, and what is absent is null. Types of meta/v1 and the scalars with a form of their
 * own (quantities, times) print as on the wire.
 */
#include "api/go_names.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/schema.h"
#include "apiserver/validation/field.h"
#include "base/encode.h"
#include "base/str.h"

/* Names that the internal type alone has, by the end of the type's. */
static const struct {
	const char *type, *json, *go;
} irregular_there[] = {
	{".AzureDiskVolumeSource", "diskURI", "DataDiskURI"},
	{".GlusterfsVolumeSource", "endpoints", "EndpointsName"},
	{".GlusterfsPersistentVolumeSource", "endpoints", "EndpointsName"},
	{".RBDVolumeSource", "monitors", "CephMonitors"},
	{".RBDVolumeSource", "image", "RBDImage"},
	{".RBDVolumeSource", "pool", "RBDPool"},
	{".RBDVolumeSource", "user", "RadosUser"},
	{".RBDPersistentVolumeSource", "monitors", "CephMonitors"},
	{".RBDPersistentVolumeSource", "image", "RBDImage"},
	{".RBDPersistentVolumeSource", "pool", "RBDPool"},
	{".RBDPersistentVolumeSource", "user", "RadosUser"},
	{".ProviderConfiguration", "aesgcm", "AESGCM"},
	{".ProviderConfiguration", "aescbc", "AESCBC"},
	{".ProviderConfiguration", "kms", "KMS"},
	{".DeviceAttribute", "int", "IntValue"},
	{".DeviceAttribute", "bool", "BoolValue"},
	{".DeviceAttribute", "string", "StringValue"},
	{".DeviceAttribute", "version", "VersionValue"},
};

static void add_name(struct strbuf *out, const struct schema_type *type, const char *name)
{
	strbuf_addc(out, '"');
	for (size_t i = 0; i < ARRAY_SIZE(irregular_there); i++)
		if (!strcmp(irregular_there[i].json, name) && str_ends_with(type->name, irregular_there[i].type)) {
			strbuf_printf(out, "%s\":", irregular_there[i].go);
			return;
		}
	go_add_field_name(out, name);
	strbuf_adds(out, "\":");
}

static void add_message(struct strbuf *out, const void *msg);

static void add_value(struct strbuf *out, const struct schema_field *f, const void *p)
{
	switch (f->kind) {
	case SCHEMA_BOOL:
		strbuf_adds(out, *(const protobuf_c_boolean *)p ? "true" : "false");
		break;
	case SCHEMA_INT32:
		strbuf_printf(out, "%d", *(const int32_t *)p);
		break;
	case SCHEMA_UINT32:
		strbuf_printf(out, "%u", *(const uint32_t *)p);
		break;
	case SCHEMA_INT64:
		strbuf_printf(out, "%lld", (long long)*(const int64_t *)p);
		break;
	case SCHEMA_UINT64:
		strbuf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)p);
		break;
	case SCHEMA_FLOAT:
		json_add_double(out, *(const float *)p);
		break;
	case SCHEMA_DOUBLE:
		json_add_double(out, *(const double *)p);
		break;
	case SCHEMA_STRING: {
		const char *s = str_or_empty(*(char *const *)p);
		json_add_string(out, s, strlen(s), true);
		break;
	}
	case SCHEMA_BYTES: {
		const ProtobufCBinaryData *data = p;
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		char *text = data->data ? base64_encode(arena, data->data, data->len) : NULL;
		strbuf_printf(out, text ? "\"%s\"" : "null", text);
		break;
	}
	case SCHEMA_MESSAGE:
		add_message(out, *(const void *const *)p);
		break;
	default:
		strbuf_adds(out, "null");
	}
}

static size_t element_size(const struct schema_field *f)
{
	switch (f->kind) {
	case SCHEMA_BOOL:
		return sizeof(protobuf_c_boolean);
	case SCHEMA_INT32:
	case SCHEMA_UINT32:
	case SCHEMA_FLOAT:
		return 4;
	case SCHEMA_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 8;
	}
}

static void add_map(struct strbuf *out, const struct schema_field *f, void *const *entries, size_t n)
{
	const struct schema_type *entry = f->type;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	void *const *sorted = map_sorted(arena, entries, n);
	strbuf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(out, ',');
		add_value(out, &entry->fields[0], (const char *)sorted[i] + entry->fields[0].offset);
		strbuf_addc(out, ':');
		add_value(out, &entry->fields[1], (const char *)sorted[i] + entry->fields[1].offset);
	}
	strbuf_addc(out, '}');
}

static void add_list(struct strbuf *out, const struct schema_field *f, const char *items, size_t n)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(out, ',');
		add_value(out, f, items + i * element_size(f));
	}
	strbuf_addc(out, ']');
}

static bool is_absent(const struct schema_field *f, const void *msg)
{
	const void *p = (const char *)msg + f->offset;
	if (f->kind == SCHEMA_MESSAGE)
		return !*(const void *const *)p && !(f->flags & SCHEMA_BY_VALUE);
	if (!(f->flags & SCHEMA_PRESENCE))
		return false;
	if (f->kind == SCHEMA_STRING)
		return !*(char *const *)p;
	return !*(const protobuf_c_boolean *)((const char *)msg + f->quantifier_offset);
}

static void add_fields(struct strbuf *out, const struct schema_type *type, const void *msg, bool *first);

/* Metadata is embedded: its fields, under their wire names, stand beside those of the object. */
static void add_meta(struct strbuf *out, const void *meta, bool *first)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	json_encode(&text, meta ? meta : MetaV1ObjectMeta_schema.zero, 0);
	if (text.len <= 2)
		return;
	strbuf_adds(out, *first ? "" : ",");
	strbuf_add(out, text.buf + 1, text.len - 2);
	*first = false;
}

/* Whether what is not there prints as what says nothing, not as null. */
static bool has_zero(const struct schema_type *type)
{
	return type->form == SCHEMA_FORM_OBJECT || type->form == SCHEMA_FORM_INT_OR_STRING;
}

static void add_field(struct strbuf *out, const struct schema_field *f, const void *msg, bool *first)
{
	const void *p = (const char *)msg + f->offset;
	if (f->type == &MetaV1ObjectMeta_schema && !strcmp(f->name, "metadata")) {
		add_meta(out, *(const void *const *)p, first);
		return;
	}
	if (f->flags & SCHEMA_INLINE) {
		const void *part = *(const void *const *)p;
		add_fields(out, f->type, part ? part : f->type->zero, first);
		return;
	}
	if (!*first)
		strbuf_addc(out, ',');
	*first = false;
	add_name(out, schema_of(msg), f->json_name);
	if (f->shape == SCHEMA_SINGLE) {
		if (is_absent(f, msg))
			strbuf_adds(out, "null");
		else if (f->kind == SCHEMA_MESSAGE && !*(const void *const *)p)
			add_message(out, has_zero(f->type) ? f->type->zero : NULL);
		else
			add_value(out, f, p);
		return;
	}
	size_t n = *(const size_t *)((const char *)msg + f->quantifier_offset);
	const char *items = *(const char *const *)p;
	if (!n)
		strbuf_adds(out, !items ? "null" : f->shape == SCHEMA_MAP ? "{}" : "[]");
	else if (f->shape == SCHEMA_MAP)
		add_map(out, f, (void *const *)items, n);
	else
		add_list(out, f, items, n);
}

/* Types whose internal twin has its fields in another order, or more or fewer of them; NULL-terminated. */
static const char *const pod_order[] = {"volumes", "initContainers", "containers", "ephemeralContainers",
	"restartPolicy", "terminationGracePeriodSeconds", "activeDeadlineSeconds", "dnsPolicy", "nodeSelector",
	"serviceAccountName", "automountServiceAccountToken", "nodeName", "securityContext", "imagePullSecrets",
	"hostname", "subdomain", "setHostnameAsFQDN", "affinity", "schedulerName", "tolerations", "hostAliases",
	"priorityClassName", "priority", "preemptionPolicy", "dnsConfig", "readinessGates", "runtimeClassName",
	"overhead", "enableServiceLinks", "topologySpreadConstraints", "os", "schedulingGates", "resourceClaims",
	"resources", "hostnameOverride", NULL};
static const char *const host_order[] = {
	"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers", NULL};
static const char *const security_order[] = {"seLinuxOptions", "windowsOptions", "runAsUser", "runAsGroup",
	"runAsNonRoot", "supplementalGroups", "supplementalGroupsPolicy", "fsGroup", "fsGroupChangePolicy", "sysctls",
	"seccompProfile", "appArmorProfile", "seLinuxChangePolicy", NULL};
static const char *const volume_order[] = {"hostPath", "emptyDir", "gcePersistentDisk", "awsElasticBlockStore",
	"gitRepo", "secret", "nfs", "iscsi", "glusterfs", "persistentVolumeClaim", "rbd", "quobyte", "flexVolume",
	"cinder", "cephfs", "flocker", "downwardAPI", "fc", "azureFile", "configMap", "vsphereVolume", "azureDisk",
	"photonPersistentDisk", "projected", "portworxVolume", "scaleIO", "storageos", "csi", "ephemeral", "image",
	NULL};
static const char *const source_order[] = {"gcePersistentDisk", "awsElasticBlockStore", "hostPath", "glusterfs", "nfs",
	"rbd", "quobyte", "iscsi", "flexVolume", "cinder", "cephfs", "fc", "flocker", "azureFile", "vsphereVolume",
	"azureDisk", "photonPersistentDisk", "portworxVolume", "scaleIO", "local", "storageos", "csi", NULL};

static void add_named(
	struct strbuf *out, const struct schema_type *type, const void *msg, const char *const *names, bool *first)
{
	for (; *names; names++) {
		const struct schema_name *name = schema_find_field(type, *names, strlen(*names));
		if (name)
			add_field(out, name->field, msg, first);
	}
}

/* What the pod shares with its host stands in the security context there. */
static void add_pod(struct strbuf *out, const CoreV1PodSpec *spec, bool *first)
{
	const CoreV1PodSecurityContext *s = spec->security_context;
	for (const char *const *name = pod_order; *name; name++) {
		if (strcmp(*name, "securityContext") != 0) {
			add_named(out, schema_of(spec), spec, (const char *const[]){*name, NULL}, first);
			continue;
		}
		bool inner = true;
		strbuf_adds(out, ",\"SecurityContext\":{");
		add_named(out, schema_of(spec), spec, host_order, &inner);
		add_named(out, &CoreV1PodSecurityContext_schema, s ? s : CoreV1PodSecurityContext_schema.zero,
			security_order, &inner);
		strbuf_addc(out, '}');
	}
}

/* Whether a value may be null stands beside the type in schemas. */
static void add_schema(struct strbuf *out, const struct schema_type *type, const void *msg, bool *first)
{
	const struct schema_field *moved = schema_field_by_name(type, "nullable");
	for (size_t i = 0; i < type->n_fields; i++) {
		if (&type->fields[i] == moved)
			continue;
		add_field(out, &type->fields[i], msg, first);
		if (!strcmp(type->fields[i].name, "type"))
			add_field(out, moved, msg, first);
	}
}

static void add_fields(struct strbuf *out, const struct schema_type *type, const void *msg, bool *first)
{
	if (type == &CoreV1PodSpec_schema)
		add_pod(out, msg, first);
	else if (type == &CoreV1VolumeSource_schema)
		add_named(out, type, msg, volume_order, first);
	else if (type == &CoreV1PersistentVolumeSource_schema)
		add_named(out, type, msg, source_order, first);
	else if (type == &ApiextensionsV1JSONSchemaProps_schema)
		add_schema(out, type, msg, first);
	else
		for (size_t i = 0; i < type->n_fields; i++)
			add_field(out, &type->fields[i], msg, first);
}

static void add_message(struct strbuf *out, const void *msg)
{
	bool first = true;
	if (!msg) {
		strbuf_adds(out, "null");
		return;
	}
	const struct schema_type *type = schema_of(msg);
	bool choice = type == &ApiextensionsV1JSONSchemaPropsOrArray_schema ||
		      type == &ApiextensionsV1JSONSchemaPropsOrBool_schema;
	if ((type->form != SCHEMA_FORM_OBJECT && !choice) || str_starts_with(type->name, "meta.")) {
		json_encode(out, msg, 0);
		return;
	}
	strbuf_addc(out, '{');
	add_fields(out, type, msg, &first);
	strbuf_addc(out, '}');
}

char *internal_json(struct arena *arena, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	add_message(&out, msg);
	return arena_strdup(arena, out.buf);
}

char *internal_json_list(struct arena *arena, const void *items, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		strbuf_addc(&out, i ? ',' : '[');
		add_message(&out, ((const void *const *)items)[i]);
	}
	strbuf_adds(&out, n ? "]" : items ? "[]" : "null");
	return arena_strdup(arena, out.buf);
}

char *strings_json(struct arena *arena, char *const *items, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		strbuf_addc(&out, i ? ',' : '[');
		json_add_string(&out, str_or_empty(items[i]), strlen(str_or_empty(items[i])), true);
	}
	strbuf_adds(&out, n ? "]" : items ? "[]" : "null");
	return arena_strdup(arena, out.buf);
}

char *strings_map_json(struct arena *arena, MapStringEntry *const *entries, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (!n)
		return arena_strdup(arena, entries ? "{}" : "null");
	void *const *sorted = map_sorted(arena, (void *const *)entries, n);
	for (size_t i = 0; i < n; i++) {
		const MapStringEntry *entry = sorted[i];
		strbuf_addc(&out, i ? ',' : '{');
		json_add_string(&out, str_or_empty(entry->key), strlen(str_or_empty(entry->key)), true);
		strbuf_addc(&out, ':');
		json_add_string(&out, str_or_empty(entry->value), strlen(str_or_empty(entry->value)), true);
	}
	strbuf_addc(&out, '}');
	return arena_strdup(arena, out.buf);
}

void field_invalid_internal(
	struct field_errors *errors, const struct field_path *path, const void *msg, const char *detail)
{
	field_invalid_json(errors, path, internal_json(errors->arena, msg), detail);
}
