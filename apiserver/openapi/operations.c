/* The operations of resources, by their verbs: the same paths and names as the original's installer gives them. */
#include <ctype.h>
#include "api/types.h"
#include "apiserver/http/route.h"
#include "apiserver/openapi/document.h"
#include "apiserver/registry/private.h"

#define ANY_MEDIA "*/*"
#define MEDIA "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"

static const char *const any[] = {ANY_MEDIA, NULL};
static const char *const media[] = {MEDIA, NULL};
static const char *const watch_media[] = {
	MEDIA, "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch", NULL};
static const char *const log_media[] = {"text/plain", MEDIA, NULL};
static const char *const patch_media[] = {"application/json-patch+json", "application/merge-patch+json",
	"application/strategic-merge-patch+json", "application/apply-patch+yaml", NULL};
/* What a delete of a collection does not take of a list's options. */
static const char *const of_watches[] = {"watch", "allowWatchBookmarks", NULL};

/* What is connected to: by any of the methods, and what lies below it where it forwards paths. */
static const char *const stream_methods[] = {"get", "post", NULL};
static const char *const proxy_methods[] = {"get", "put", "post", "delete", "options", "head", "patch", NULL};
static const struct {
	const char *part;
	const char *const *methods;
	bool below;
} connections[] = {
	{"attach", stream_methods, false},
	{"exec", stream_methods, false},
	{"portforward", stream_methods, false},
	{"proxy", proxy_methods, true},
};

/* One way to a resource or a part of it. */
struct place {
	struct oa_paths *paths;
	struct oa_path *path;
	const struct schema_resource *resource;
	const struct schema_subresource *part; /* NULL: the resource itself */
	const struct schema_type *type;	       /* of bodies and answers */
	bool in_namespace, item, below, all_namespaces;
};

static const char *part_name(const struct place *p)
{
	if (!p->part)
		return "";
	char *name = arena_strdup(p->paths->arena, p->part->name);
	*name = (char)toupper((unsigned char)*name);
	return name;
}

/* readCoreV1NamespacedPodStatus */
static const char *operation_id(const struct place *p, const char *verb, const char *before, const char *after)
{
	const struct schema_type *type = p->resource->type;
	struct arena *arena = p->paths->arena;
	return arena_printf(arena, "%s%s%s%s%s%s%s%s%s", verb, oa_id_part(arena, type->group, type->version), before,
		p->in_namespace ? "Namespaced" : "", type->kind, part_name(p), after, p->below ? "WithPath" : "",
		p->all_namespaces ? "ForAllNamespaces" : "");
}

static void add_path_parameters(const struct place *p, struct oa_operation *o)
{
	struct arena *arena = p->paths->arena;
	if (p->in_namespace)
		oa_parameter_add(p->paths, o,
			&(struct oa_parameter){"namespace", "string", "Namespace that the object is in.", true});
	if (p->item)
		oa_parameter_add(p->paths, o,
			&(struct oa_parameter){
				"name", "string", arena_printf(arena, "Name of the %s.", p->type->kind), true});
	if (p->below)
		oa_parameter_add(
			p->paths, o, &(struct oa_parameter){"path", "string", "Path within what answers.", true});
}

static struct oa_operation *add(const struct place *p, const char *method, const char *action, const char *doc)
{
	const struct schema_type *type = p->resource->type;
	struct arena *arena = p->paths->arena;
	struct oa_operation *o = oa_operation_add(p->paths, p->path, method);
	const char *what = p->part ? arena_printf(arena, "%s of a %s", p->part->name, type->kind) : type->kind;
	o->action = action;
	o->doc = arena_printf(arena, "%s %s.", doc, what);
	o->tag = oa_tag(arena, type->group, type->version);
	o->kind = o->answer = p->type;
	o->consumes = any;
	o->produces = media;
	add_path_parameters(p, o);
	return o;
}

/* An operation that may indent its answer. */
static struct oa_operation *add_pretty(const struct place *p, const char *method, const char *action, const char *doc)
{
	struct oa_operation *o = add(p, method, action, doc);
	oa_parameter_add(p->paths, o,
		&(struct oa_parameter){"pretty", "string",
			"\"true\" indents the answer; browsers, curl and wget get it indented unless it is \"false\".",
			false});
	return o;
}

/* --- the verbs --- */

static void add_get(const struct place *p)
{
	bool log = p->part && str_eq(p->part->name, "log");
	struct oa_operation *o = add_pretty(p, "get", "get", "Reads one");
	o->id = operation_id(p, "read", "", "");
	if (!log)
		return;
	o->answer = NULL;
	o->produces = log_media;
	oa_parameters_of(p->paths, o, &CoreV1PodLogOptions_schema, NULL);
}

static void add_update(const struct place *p)
{
	struct oa_operation *o = add_pretty(p, "put", "put", "Replaces one");
	o->id = operation_id(p, "replace", "", "");
	o->body = p->type;
	o->body_required = true;
	o->answers = OA_CREATED;
	oa_parameters_of(p->paths, o, &MetaV1UpdateOptions_schema, NULL);
}

static void add_create(const struct place *p)
{
	struct oa_operation *o = add_pretty(p, "post", "post", "Creates one");
	o->id = operation_id(p, "create", "", "");
	o->body = p->type;
	o->body_required = true;
	o->answers = OA_CREATED | OA_ACCEPTED;
	oa_parameters_of(p->paths, o, &MetaV1CreateOptions_schema, NULL);
}

static void add_delete(const struct place *p)
{
	struct oa_operation *o = add_pretty(p, "delete", "delete", "Deletes one");
	o->id = operation_id(p, "delete", "", "");
	o->body = &MetaV1DeleteOptions_schema;
	o->answers = OA_ACCEPTED;
	if (!delete_returns_object(p->resource->plural))
		o->answer = &MetaV1Status_schema;
	oa_parameters_of(p->paths, o, &MetaV1DeleteOptions_schema, NULL);
}

static void add_patch(const struct place *p)
{
	struct oa_operation *o = add_pretty(p, "patch", "patch", "Changes fields of one");
	o->id = operation_id(p, "patch", "", "");
	o->body = &MetaV1Patch_schema;
	o->body_required = true;
	o->consumes = patch_media;
	o->answers = OA_CREATED;
	oa_parameters_of(p->paths, o, &MetaV1PatchOptions_schema, NULL);
}

static void add_list(const struct place *p)
{
	struct oa_operation *o = add_pretty(p, "get", "list", "Lists, or with watch follows, objects of kind");
	o->id = operation_id(p, "list", "", "");
	o->answer = schema_list_of(p->type);
	o->produces = watch_media;
	oa_parameters_of(p->paths, o, &MetaV1ListOptions_schema, NULL);
}

static void add_delete_collection(const struct place *p)
{
	struct oa_operation *o = add_pretty(p, "delete", "deletecollection", "Deletes all objects of kind");
	o->id = operation_id(p, "delete", "Collection", "");
	o->body = &MetaV1DeleteOptions_schema;
	o->answer = &MetaV1Status_schema;
	oa_parameters_of(p->paths, o, &MetaV1DeleteOptions_schema, NULL);
	oa_parameters_of(p->paths, o, &MetaV1ListOptions_schema, of_watches);
}

/* The watches of before a list could watch. */
static void add_watch(const struct place *p)
{
	struct oa_operation *o = add_pretty(p, "get", p->item ? "watch" : "watchlist",
		"Deprecated, a list with watch=true does the same: follows objects of kind");
	o->id = operation_id(p, "watch", "", p->item ? "" : "List");
	o->answer = &MetaV1WatchEvent_schema;
	o->produces = watch_media;
	oa_parameters_of(p->paths, o, &MetaV1ListOptions_schema, NULL);
}

static void add_connect(const struct place *p, const char *method)
{
	struct arena *arena = p->paths->arena;
	char *title = arena_strdup(arena, method);
	struct oa_operation *o = add(p, method, "connect", "Connects to the");
	*title = (char)toupper((unsigned char)*title);
	o->id = operation_id(p, "connect", title, "");
	o->answer = NULL;
	o->produces = any;
	oa_parameters_of(p->paths, o, p->type, NULL);
}

/* --- the places --- */

static void begin(struct place *p, const char *before, const char *after)
{
	const struct schema_type *type = p->resource->type;
	struct arena *arena = p->paths->arena;
	const char *version = *type->group ? arena_printf(arena, "/apis/%s/%s", type->group, type->version)
					   : arena_printf(arena, "/api/%s", type->version);
	p->path = oa_path_add(p->paths,
		arena_printf(arena, "%s%s%s/%s%s%s", version, before, p->in_namespace ? "/namespaces/{namespace}" : "",
			p->resource->plural, p->item ? "/{name}" : "", after));
}

static void add_collection(struct place p)
{
	const char *const *verbs = p.resource->verbs;
	bool list = str_in("list", verbs), create = str_in("create", verbs) && !p.all_namespaces;
	if (list || create)
		begin(&p, "", "");
	if (list)
		add_list(&p);
	if (create)
		add_create(&p);
	if (str_in("deletecollection", verbs) && !p.all_namespaces)
		add_delete_collection(&p);
	if (list && str_in("watch", verbs)) {
		begin(&p, "/watch", "");
		add_watch(&p);
	}
}

static void add_verbs(const struct place *p, const char *const *verbs)
{
	static const struct {
		const char *verb;
		void (*add)(const struct place *p);
	} known[] = {{"get", add_get}, {"update", add_update}, {"create", add_create}, {"delete", add_delete},
		{"patch", add_patch}};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_in(known[i].verb, verbs) && (p->part || known[i].add != add_create))
			known[i].add(p);
}

static void add_item(struct place p)
{
	const char *const *verbs = p.resource->verbs;
	p.item = true;
	if (str_in("get", verbs)) {
		begin(&p, "", "");
		add_verbs(&p, verbs);
	}
	if (str_in("watch", verbs)) {
		begin(&p, "/watch", "");
		add_watch(&p);
	}
}

static void add_connections(struct place p, const char *const *methods, bool below)
{
	begin(&p, "", arena_printf(p.paths->arena, "/%s", p.part->name));
	for (size_t i = 0; methods[i]; i++)
		add_connect(&p, methods[i]);
	if (!below)
		return;
	p.below = true;
	begin(&p, "", arena_printf(p.paths->arena, "/%s/{path}", p.part->name));
	for (size_t i = 0; methods[i]; i++)
		add_connect(&p, methods[i]);
}

static void add_part(struct place p, const struct schema_subresource *part)
{
	p.part = part;
	p.item = true;
	p.type = subresource_type(p.resource, part);
	for (size_t i = 0; i < ARRAY_SIZE(connections); i++)
		if (str_eq(connections[i].part, part->name)) {
			add_connections(p, connections[i].methods, connections[i].below);
			return;
		}
	begin(&p, "", arena_printf(p.paths->arena, "/%s", part->name));
	add_verbs(&p, part->verbs);
}

void resource_operations(struct oa_paths *paths, const struct schema_resource *r)
{
	struct place p = {.paths = paths, .resource = r, .type = r->type, .in_namespace = r->namespaced};
	add_collection(p);
	add_item(p);
	for (size_t i = 0; i < r->n_subresources; i++)
		add_part(p, &r->subresources[i]);
	if (r->namespaced) {
		p.in_namespace = false;
		p.all_namespaces = true;
		if (str_in("list", r->verbs))
			add_collection(p);
	}
}
