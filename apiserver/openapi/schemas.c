/* The types of a document, out of the schema. */
#include <stdlib.h>
#include "api/json.h"
#include "apiserver/openapi/document.h"

/* --- names --- */

static const struct {
	const char *ours;
	const char *theirs;
} packages[] = {
	{"meta.v1.", "io.k8s.apimachinery.pkg.apis.meta.v1."},
	{"resource.Quantity", "io.k8s.apimachinery.pkg.api.resource.Quantity"},
	{"intstr.", "io.k8s.apimachinery.pkg.util.intstr."},
	{"runtime.", "io.k8s.apimachinery.pkg.runtime."},
	{"version.", "io.k8s.apimachinery.pkg.version."},
	{"apiextensions.", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions."},
	{"apiregistration.", "io.k8s.kube-aggregator.pkg.apis.apiregistration."},
	{"", "io.k8s.api."},
};

static void type_name(struct strbuf *out, const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		if (!str_starts_with(type->name, packages[i].ours))
			continue;
		strbuf_adds(out, packages[i].theirs);
		strbuf_adds(out, type->name + strlen(packages[i].ours));
		return;
	}
}

void document_string(struct document *d, const char *s)
{
	json_add_string(d->out, str_or_empty(s), strlen(str_or_empty(s)), false);
}

void schema_reference(struct document *d, const struct schema_type *type)
{
	if (!strmap_has(d->wanted, type->name))
		strmap_put(d->wanted, type->name, (void *)(uintptr_t)type);
	strbuf_printf(d->out, "\"$ref\":\"#/%s/", d->version == OPENAPI_V3 ? "components/schemas" : "definitions");
	type_name(d->out, type);
	strbuf_addc(d->out, '"');
}

static void add_strings(struct document *d, const char *const *list)
{
	strbuf_addc(d->out, '[');
	for (size_t i = 0; list[i]; i++) {
		if (i)
			strbuf_addc(d->out, ',');
		document_string(d, list[i]);
	}
	strbuf_addc(d->out, ']');
}

/* --- values --- */

static const char *const scalar_forms[] = {
	[SCHEMA_BOOL] = "\"type\":\"boolean\"",
	[SCHEMA_INT32] = "\"type\":\"integer\",\"format\":\"int32\"",
	[SCHEMA_INT64] = "\"type\":\"integer\",\"format\":\"int64\"",
	[SCHEMA_UINT32] = "\"type\":\"integer\",\"format\":\"int64\"",
	[SCHEMA_UINT64] = "\"type\":\"integer\",\"format\":\"int64\"",
	[SCHEMA_FLOAT] = "\"type\":\"number\",\"format\":\"float\"",
	[SCHEMA_DOUBLE] = "\"type\":\"number\",\"format\":\"double\"",
	[SCHEMA_STRING] = "\"type\":\"string\"",
	[SCHEMA_BYTES] = "\"type\":\"string\",\"format\":\"byte\"",
};

/* The default of what Go always writes. */
static const char *zero_of(const struct schema_field *f)
{
	switch (f->kind) {
	case SCHEMA_BOOL:
		return "false";
	case SCHEMA_STRING:
		return "\"\"";
	case SCHEMA_BYTES:
		return NULL;
	case SCHEMA_MESSAGE:
		return f->type->form == SCHEMA_FORM_OBJECT ? "{}" : NULL;
	default:
		return "0";
	}
}

/* Version 2 tells no defaults. */
static void add_default(struct document *d, const char *json)
{
	if (json && d->version == OPENAPI_V3)
		strbuf_printf(d->out, ",\"default\":%s", json);
}

static void add_reference(struct document *d, const struct schema_type *type, bool with_more)
{
	/* What has a $ref may have nothing beside it in version 3. */
	bool wrapped = d->version == OPENAPI_V3 && with_more;
	strbuf_adds(d->out, wrapped ? "\"allOf\":[{" : "");
	schema_reference(d, type);
	strbuf_adds(d->out, wrapped ? "}]" : "");
}

static void add_enum(struct document *d, const struct schema_field *f)
{
	size_t n = 0;
	if (!f->values)
		return;
	while (f->values[n])
		n++;
	CLEANUP_FREE const char **sorted = malloc((n + 1) * sizeof(*sorted));
	if (!sorted)
		abort();
	memcpy(sorted, f->values, (n + 1) * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), str_cmp_qsort);
	strbuf_adds(d->out, ",\"enum\":");
	add_strings(d, sorted);
}

static void add_strings_type(struct document *d)
{
	strbuf_adds(d->out, "\"type\":\"array\",\"items\":{\"type\":\"string\"");
	add_default(d, "\"\"");
	strbuf_addc(d->out, '}');
}

/* An element of a list or a map; values are those of an enum. */
static void add_element(struct document *d, const struct schema_field *f, const struct schema_field *values)
{
	const char *zero = zero_of(f);
	if (f->kind != SCHEMA_MESSAGE)
		strbuf_adds(d->out, scalar_forms[f->kind]);
	else if (f->type->form == SCHEMA_FORM_LIST)
		add_strings_type(d);
	else
		add_reference(d, f->type, zero != NULL);
	add_default(d, zero);
	add_enum(d, values);
}

static void add_single(struct document *d, const struct schema_field *f)
{
	const char *preset = f->default_json;
	bool always = f->kind == SCHEMA_MESSAGE ? (f->flags & SCHEMA_BY_VALUE)
						: (f->flags & SCHEMA_KEEP_EMPTY) && !(f->flags & SCHEMA_PRESENCE);
	if (!preset && always)
		preset = zero_of(f);
	if (f->kind != SCHEMA_MESSAGE)
		strbuf_adds(d->out, scalar_forms[f->kind]);
	else if (f->type->form == SCHEMA_FORM_LIST)
		add_strings_type(d);
	else
		add_reference(d, f->type, preset || !str_empty(f->doc));
	add_default(d, preset);
	add_enum(d, f);
}

static void add_value(struct document *d, const struct schema_field *f)
{
	switch (f->shape) {
	case SCHEMA_LIST:
		strbuf_adds(d->out, "\"type\":\"array\",\"items\":{");
		add_element(d, f, f);
		strbuf_addc(d->out, '}');
		add_default(d, f->default_json);
		break;
	case SCHEMA_MAP:
		strbuf_adds(d->out, "\"type\":\"object\",\"additionalProperties\":{");
		add_element(d, schema_map_value(f), f);
		strbuf_addc(d->out, '}');
		break;
	default:
		add_single(d, f);
	}
}

/* --- extensions --- */

static void add_strategy(struct document *d, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {{SCHEMA_PATCH_MERGE, "merge"}, {SCHEMA_PATCH_REPLACE, "replace"},
		{SCHEMA_PATCH_RETAIN_KEYS, "retainKeys"}};
	const char *separator = ",\"x-kubernetes-patch-strategy\":\"";
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & names[i].flag))
			continue;
		strbuf_printf(d->out, "%s%s", separator, names[i].name);
		separator = ",";
		any = true;
	}
	if (any)
		strbuf_addc(d->out, '"');
}

static void add_extensions(struct document *d, const struct schema_field *f)
{
	static const char *const types[] = {[SCHEMA_LIST_ATOMIC] = "atomic",
		[SCHEMA_LIST_SET] = "set",
		[SCHEMA_LIST_MAP] = "map",
		[SCHEMA_LIST_GRANULAR] = "granular"};
	/* That a struct is replaced as a whole stands with its type. */
	bool of_map = f->shape == SCHEMA_MAP || f->map_type == SCHEMA_LIST_GRANULAR;
	if (types[f->list_type])
		strbuf_printf(d->out, ",\"x-kubernetes-list-type\":\"%s\"", types[f->list_type]);
	if (f->list_keys && f->list_keys[0]) {
		strbuf_adds(d->out, ",\"x-kubernetes-list-map-keys\":");
		add_strings(d, f->list_keys);
	}
	if (of_map && types[f->map_type])
		strbuf_printf(d->out, ",\"x-kubernetes-map-type\":\"%s\"", types[f->map_type]);
	if (!str_empty(f->merge_key))
		strbuf_printf(d->out, ",\"x-kubernetes-patch-merge-key\":\"%s\"", f->merge_key);
	add_strategy(d, f->flags);
}

/* Which field of a struct tells which of the others is meant. */
static const struct {
	const char *type;
	const char *discriminator;
	const char *fields; /* as JSON */
} unions[] = {
	{"core.v1.AppArmorProfile", "type", "{\"localhostProfile\":\"LocalhostProfile\"}"},
	{"core.v1.SeccompProfile", "type", "{\"localhostProfile\":\"LocalhostProfile\"}"},
	{"flowcontrol.v1.LimitResponse", "type", "{\"queuing\":\"Queuing\"}"},
	{"flowcontrol.v1.PriorityLevelConfigurationSpec", "type", "{\"exempt\":\"Exempt\",\"limited\":\"Limited\"}"},
	{"flowcontrol.v1.Subject", "kind",
		"{\"group\":\"Group\",\"serviceAccount\":\"ServiceAccount\",\"user\":\"User\"}"},
};

static void add_union(struct document *d, const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(unions); i++)
		if (str_eq(unions[i].type, type->name))
			strbuf_printf(d->out,
				",\"x-kubernetes-unions\":[{\"discriminator\":\"%s\",\"fields-to-discriminateBy\":%s}]",
				unions[i].discriminator, unions[i].fields);
}

void document_kind(struct document *d, const char *group, const char *version, const char *kind)
{
	strbuf_printf(d->out, "{\"group\":\"%s\",\"kind\":\"%s\",\"version\":\"%s\"}", group, kind, version);
}

/* The groups of types that belong to every group, those whose versions are no longer or not yet served included. */
static const struct {
	const char *group;
	const char *versions[5];
} every_group[] = {
	{"", {"v1"}},
	{"admission.k8s.io", {"v1", "v1beta1"}},
	{"admissionregistration.k8s.io", {"v1", "v1alpha1", "v1beta1"}},
	{"apiextensions.k8s.io", {"v1", "v1beta1"}},
	{"apiregistration.k8s.io", {"v1", "v1beta1"}},
	{"apps", {"v1", "v1beta1", "v1beta2"}},
	{"authentication.k8s.io", {"v1", "v1alpha1", "v1beta1"}},
	{"authorization.k8s.io", {"v1", "v1beta1"}},
	{"autoscaling", {"v1", "v2", "v2beta1", "v2beta2"}},
	{"batch", {"v1", "v1beta1"}},
	{"certificates.k8s.io", {"v1", "v1alpha1", "v1beta1"}},
	{"coordination.k8s.io", {"v1", "v1alpha2", "v1beta1"}},
	{"discovery.k8s.io", {"v1", "v1beta1"}},
	{"events.k8s.io", {"v1", "v1beta1"}},
	{"extensions", {"v1beta1"}},
	{"flowcontrol.apiserver.k8s.io", {"v1", "v1beta1", "v1beta2", "v1beta3"}},
	{"imagepolicy.k8s.io", {"v1alpha1"}},
	{"internal.apiserver.k8s.io", {"v1alpha1"}},
	{"networking.k8s.io", {"v1", "v1beta1"}},
	{"node.k8s.io", {"v1", "v1alpha1", "v1beta1"}},
	{"policy", {"v1", "v1beta1"}},
	{"rbac.authorization.k8s.io", {"v1", "v1alpha1", "v1beta1"}},
	{"resource.k8s.io", {"v1", "v1alpha3", "v1beta1", "v1beta2"}},
	{"scheduling.k8s.io", {"v1", "v1alpha1", "v1beta1"}},
	{"storage.k8s.io", {"v1", "v1alpha1", "v1beta1"}},
	{"storagemigration.k8s.io", {"v1alpha1"}},
};

static void add_kinds_of_every_group(struct document *d, const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(every_group); i++)
		for (size_t v = 0; every_group[i].versions[v]; v++) {
			if (i || v)
				strbuf_addc(d->out, ',');
			document_kind(d, every_group[i].group, every_group[i].versions[v], kind);
		}
}

static void add_kinds(struct document *d, const struct schema_type *type)
{
	bool everywhere = str_eq(type->name, "meta.v1.DeleteOptions") || str_eq(type->name, "meta.v1.WatchEvent");
	if (!type->root && !everywhere)
		return;
	strbuf_adds(d->out, ",\"x-kubernetes-group-version-kind\":[");
	if (everywhere)
		add_kinds_of_every_group(d, type->kind);
	else
		document_kind(d, str_eq(type->group, "meta.k8s.io") ? "" : type->group, type->version, type->kind);
	strbuf_addc(d->out, ']');
}

/* The schema says of fields that the struct in them is replaced as a whole; here it stands with the struct. */
static bool is_atomic(const struct schema_type *type)
{
	SCHEMA_FOREACH_TYPE(t)
	for (size_t i = 0; i < t->n_fields; i++) {
		const struct schema_field *f = &t->fields[i];
		if (f->type == type && f->shape != SCHEMA_MAP && f->map_type == SCHEMA_LIST_ATOMIC)
			return true;
	}
	return false;
}

/* --- types --- */

static int by_json_name(const void *a, const void *b)
{
	return strcmp(((const struct schema_name *)a)->json_name, ((const struct schema_name *)b)->json_name);
}

static void add_property(struct document *d, const struct schema_field *f)
{
	document_string(d, f->json_name);
	strbuf_adds(d->out, ":{");
	if (!str_empty(f->doc)) {
		strbuf_adds(d->out, "\"description\":");
		document_string(d, f->doc);
		strbuf_addc(d->out, ',');
	}
	add_value(d, f);
	add_extensions(d, f);
	strbuf_addc(d->out, '}');
}

static void add_properties(struct document *d, const struct schema_type *type)
{
	CLEANUP_FREE struct schema_name *names = malloc((type->n_names + 1u) * sizeof(*names));
	const char *separator = "";
	if (!names)
		abort();
	memcpy(names, type->names, type->n_names * sizeof(*names));
	qsort(names, type->n_names, sizeof(*names), by_json_name);
	strbuf_adds(d->out, ",\"properties\":{");
	if (type->root) {
		strbuf_adds(d->out,
			"\"apiVersion\":{\"description\":\"Group and version of the schema that this object is written "
			"in.\",\"type\":\"string\"},"
			"\"kind\":{\"description\":\"What the object is.\",\"type\":\"string\"}");
		separator = ",";
	}
	for (size_t i = 0; i < type->n_names; i++) {
		strbuf_adds(d->out, separator);
		separator = ",";
		add_property(d, names[i].field);
	}
	strbuf_addc(d->out, '}');
}

static void add_required(struct document *d, const struct schema_type *type, const char **separator)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		if (f->flags & SCHEMA_INLINE) {
			add_required(d, f->type, separator);
		} else if (f->flags & SCHEMA_REQUIRED) {
			strbuf_adds(d->out, *separator);
			*separator = ",";
			document_string(d, f->json_name);
		}
	}
}

static void add_object(struct document *d, const struct schema_type *type)
{
	const char *separator = ",\"required\":[";
	strbuf_adds(d->out, ",\"type\":\"object\"");
	add_required(d, type, &separator);
	if (str_eq(separator, ","))
		strbuf_addc(d->out, ']');
	if (type->n_names || type->root)
		add_properties(d, type);
	add_kinds(d, type);
	if (is_atomic(type))
		strbuf_adds(d->out, ",\"x-kubernetes-map-type\":\"atomic\"");
	add_union(d, type);
}

/* What a message is when it is no object of its fields. */
static const char *form_of(const struct schema_type *type, enum openapi_version version)
{
	bool v3 = version == OPENAPI_V3;
	switch (type->form) {
	case SCHEMA_FORM_TIME:
	case SCHEMA_FORM_MICRO_TIME:
		return ",\"type\":\"string\",\"format\":\"date-time\"";
	case SCHEMA_FORM_DURATION:
		return ",\"type\":\"string\"";
	case SCHEMA_FORM_QUANTITY:
		return v3 ? ",\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]" : ",\"type\":\"string\"";
	case SCHEMA_FORM_INT_OR_STRING:
		return v3 ? ",\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]"
			  : ",\"type\":\"string\",\"format\":\"int-or-string\"";
	case SCHEMA_FORM_RAW:
		return str_eq(type->name, "apiextensions.v1.JSON") ? "" : ",\"type\":\"object\"";
	case SCHEMA_FORM_SCHEMA_OR_BOOL:
	case SCHEMA_FORM_SCHEMA_OR_ARRAY:
	case SCHEMA_FORM_SCHEMA_OR_STRING_ARRAY:
		return "";
	default:
		return NULL;
	}
}

static void add_type(struct document *d, const struct schema_type *type)
{
	const char *form = form_of(type, d->version);
	strbuf_addc(d->out, '"');
	type_name(d->out, type);
	strbuf_adds(d->out, "\":{\"description\":");
	document_string(d, type->doc);
	if (form)
		strbuf_adds(d->out, form);
	else
		add_object(d, type);
	strbuf_addc(d->out, '}');
}

/* Writing a type may want others; the map is walked until it brings nothing new. */
void schemas_write(struct document *d)
{
	CLEANUP(strmap_freep) struct strmap *done = strmap_new(NULL);
	bool more = true, first = true;
	while (more) {
		size_t n;
		CLEANUP_FREE const char **names = strmap_sorted_keys(d->wanted, &n);
		/* The map may move its keys when it grows. */
		for (size_t i = 0; i < n; i++)
			names[i] = arena_strdup(d->arena, names[i]);
		more = false;
		for (size_t i = 0; i < n; i++) {
			if (!strmap_put(done, names[i], done))
				continue;
			if (!first)
				strbuf_addc(d->out, ',');
			first = false;
			add_type(d, strmap_get(d->wanted, names[i]));
			more = true;
		}
	}
}
