#include "controller-manager/garbagecollector/graph.h"

#include <pthread.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

struct owner {
	struct node *node;
	char *uid, *api_version, *kind, *name;
	bool controller, has_block, block;
};

struct node {
	char *uid, *namespace, *name;
	const char *api_version, *kind; /* interned: few differ */
	bool is_virtual, being_deleted, deleting_dependents;
	struct owner *owners;
	size_t n_owners;
	struct node **dependents;
	size_t n_dependents, cap_dependents;
};

struct graph {
	struct graph_sink sink;
	pthread_mutex_t lock;
	struct strmap *nodes;	/* by uid */
	struct strmap *strings; /* interned, the value is the text */
};

static const char *intern(struct graph *g, const char *s)
{
	char *text = strmap_get(g->strings, str_or_empty(s));
	if (!text) {
		text = mem_strdup(str_or_empty(s));
		strmap_put(g->strings, text, text);
	}
	return text;
}

static void owners_free(struct owner *owners, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(owners[i].uid);
		free(owners[i].name);
	}
	free(owners);
}

static void node_free(void *p)
{
	struct node *n = p;
	owners_free(n->owners, n->n_owners);
	free(n->uid);
	free(n->namespace);
	free(n->name);
	free(n->dependents);
	free(n);
}

struct graph *graph_new(const struct graph_sink *sink)
{
	struct graph *g = mem_zalloc(sizeof(*g));
	g->sink = *sink;
	pthread_mutex_init(&g->lock, NULL);
	g->nodes = strmap_new(node_free);
	g->strings = strmap_new(free);
	return g;
}

void graph_free(struct graph *g)
{
	strmap_free(g->nodes);
	strmap_free(g->strings);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

size_t graph_size(struct graph *g)
{
	pthread_mutex_lock(&g->lock);
	size_t n = strmap_count(g->nodes);
	pthread_mutex_unlock(&g->lock);
	return n;
}

static void ask_delete(struct graph *g, const struct node *n)
{
	g->sink.delete(g->sink.data, n->uid);
}

static struct node *node_new(struct graph *g, const struct identity *id, bool is_virtual)
{
	struct node *n = mem_zalloc(sizeof(*n));
	n->uid = mem_strdup(id->uid);
	n->namespace = mem_strdup(str_or_empty(id->namespace));
	n->name = mem_strdup(id->name);
	n->api_version = intern(g, id->api_version);
	n->kind = intern(g, id->kind);
	n->is_virtual = is_virtual;
	strmap_put(g->nodes, n->uid, n);
	return n;
}

static void add_dependent(struct node *owner, struct node *dependent)
{
	for (size_t i = 0; i < owner->n_dependents; i++)
		if (owner->dependents[i] == dependent)
			return;
	mem_grow(&owner->dependents, &owner->cap_dependents, owner->n_dependents + 1, sizeof(*owner->dependents));
	owner->dependents[owner->n_dependents++] = dependent;
}

static void drop_dependent(struct node *owner, const struct node *dependent)
{
	for (size_t i = 0; i < owner->n_dependents; i++)
		if (owner->dependents[i] == dependent) {
			owner->dependents[i] = owner->dependents[--owner->n_dependents];
			return;
		}
}

static struct owner *owners_copy(struct graph *g, const MetaV1ObjectMeta *meta)
{
	struct owner *owners = mem_calloc(meta->n_owner_references + 1, sizeof(*owners));
	for (size_t i = 0; i < meta->n_owner_references; i++) {
		const MetaV1OwnerReference *r = meta->owner_references[i];
		owners[i] = (struct owner){.uid = mem_strdup(r->uid),
			.name = mem_strdup(r->name),
			.api_version = (char *)(uintptr_t)intern(g, r->api_version),
			.kind = (char *)(uintptr_t)intern(g, r->kind),
			.controller = r->has_controller && r->controller,
			.has_block = r->has_block_owner_deletion,
			.block = r->has_block_owner_deletion && r->block_owner_deletion};
	}
	return owners;
}

static struct owner *find_owner(struct owner *owners, size_t n, const char *uid)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(owners[i].uid, uid))
			return &owners[i];
	return NULL;
}

/* Whether an owner that waits for its dependents need not wait for this one any more. */
static bool unblocked(const struct owner *before, const struct owner *now)
{
	return before->block && (!now || !now->block);
}

static bool is_called(const struct node *n, const struct owner *by)
{
	return str_eq(n->api_version, by->api_version) && str_eq(n->kind, by->kind) && str_eq(n->name, by->name);
}

/* Whether a reference to an owner that is known says of it what is so; else the server is asked by what it says. */
static bool is_right(struct graph *g, const struct node *dependent, const struct owner *o)
{
	bool elsewhere = *o->node->namespace && !str_eq(o->node->namespace, dependent->namespace);
	if (elsewhere && !o->node->is_virtual && g->sink.misplaced) {
		const struct identity it = {
			dependent->uid, dependent->api_version, dependent->kind, dependent->namespace, dependent->name};
		const struct identity owner = {o->uid, o->api_version, o->kind, dependent->namespace, o->name};
		g->sink.misplaced(g->sink.data, &it, &owner);
	}
	return !elsewhere && is_called(o->node, o);
}

/* Takes the node's owners as they are now; true if one was added. One that is named wrongly has the node judged. */
static bool set_owners(struct graph *g, struct node *n, const MetaV1ObjectMeta *meta)
{
	struct owner *now = owners_copy(g, meta);
	size_t n_now = meta->n_owner_references;
	bool added = false;
	for (size_t i = 0; i < n->n_owners; i++) {
		struct owner *o = &n->owners[i], *same = find_owner(now, n_now, o->uid);
		if (unblocked(o, same) && o->node && o->node->deleting_dependents)
			ask_delete(g, o->node);
		if (same)
			same->node = o->node;
		else if (o->node)
			drop_dependent(o->node, n);
	}
	for (size_t i = 0; i < n_now; i++) {
		struct owner *o = &now[i];
		if (o->node)
			continue;
		added = true;
		o->node = strmap_get(g->nodes, o->uid);
		if (!o->node) {
			/* Whether it exists is asked of the server. A cluster-scoped owner shows itself when it is
			 * found. */
			const struct identity id = {o->uid, o->api_version, o->kind, n->namespace, o->name};
			o->node = node_new(g, &id, true);
			ask_delete(g, o->node);
		} else if (!is_right(g, n, o)) {
			ask_delete(g, n);
		}
		add_dependent(o->node, n);
	}
	owners_free(n->owners, n->n_owners);
	n->owners = now;
	n->n_owners = n_now;
	return added;
}

static void ask_dependents(struct graph *g, const struct node *n)
{
	for (size_t i = 0; i < n->n_dependents; i++)
		ask_delete(g, n->dependents[i]);
}

static bool wants_orphans(const MetaV1ObjectMeta *meta)
{
	return meta->deletion_timestamp && meta_has_finalizer(meta, FINALIZER_ORPHAN);
}

static bool waits_for_dependents(const MetaV1ObjectMeta *meta)
{
	return meta->deletion_timestamp && meta_has_finalizer(meta, FINALIZER_FOREGROUND);
}

/* Now that it is seen: those who call it otherwise are judged. */
static void judge_callers(struct graph *g, const struct node *n)
{
	for (size_t i = 0; i < n->n_dependents; i++) {
		struct node *d = n->dependents[i];
		const struct owner *o = find_owner(d->owners, d->n_owners, n->uid);
		if (o && !is_right(g, d, o))
			ask_delete(g, d);
	}
}

void graph_observe(struct graph *g, const struct identity *id, const MetaV1ObjectMeta *meta)
{
	pthread_mutex_lock(&g->lock);
	struct node *n = strmap_get(g->nodes, id->uid);
	bool known = n && !n->is_virtual;
	if (!n) {
		n = node_new(g, id, false);
	} else if (n->is_virtual) {
		/* The references may have named it wrongly: what was seen counts. */
		n->is_virtual = false;
		free(n->namespace);
		free(n->name);
		n->namespace = mem_strdup(str_or_empty(id->namespace));
		n->name = mem_strdup(id->name);
		n->api_version = intern(g, id->api_version);
		n->kind = intern(g, id->kind);
		judge_callers(g, n);
	}
	bool added = set_owners(g, n, meta);
	bool begins = meta->deletion_timestamp && !n->being_deleted;
	n->being_deleted = meta->deletion_timestamp != NULL;
	if (wants_orphans(meta))
		g->sink.orphan(g->sink.data, n->uid);
	if (waits_for_dependents(meta) && !n->deleting_dependents) {
		n->deleting_dependents = true;
		ask_dependents(g, n);
		ask_delete(g, n);
	}
	if (known && added && !begins)
		ask_delete(g, n);
	pthread_mutex_unlock(&g->lock);
}

static void remove_node(struct graph *g, struct node *n)
{
	for (size_t i = 0; i < n->n_owners; i++) {
		struct node *owner = n->owners[i].node;
		if (!owner)
			continue;
		for (size_t j = i + 1; j < n->n_owners; j++)
			if (n->owners[j].node == owner)
				n->owners[j].node = NULL; /* named twice */
		drop_dependent(owner, n);
		/* One less to wait for. */
		if (owner->deleting_dependents)
			ask_delete(g, owner);
		if (owner->is_virtual && !owner->n_dependents && owner != n)
			strmap_remove(g->nodes, owner->uid);
	}
	for (size_t i = 0; i < n->n_dependents; i++) {
		struct owner *o = find_owner(n->dependents[i]->owners, n->dependents[i]->n_owners, n->uid);
		if (o)
			o->node = NULL;
		ask_delete(g, n->dependents[i]);
	}
	strmap_remove(g->nodes, n->uid);
}

bool graph_remove(struct graph *g, const char *uid)
{
	pthread_mutex_lock(&g->lock);
	struct node *n = strmap_get(g->nodes, uid);
	bool had_dependents = n && n->n_dependents;
	if (n)
		remove_node(g, n);
	pthread_mutex_unlock(&g->lock);
	return had_dependents;
}

/* Lets go of the dependents that call the virtual node as it is called now; they are judged without it. */
static void lose_dependents(struct graph *g, struct node *n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n->n_dependents; i++) {
		struct node *d = n->dependents[i];
		struct owner *o = find_owner(d->owners, d->n_owners, n->uid);
		if (o && (!is_called(n, o) || !str_eq(d->namespace, n->namespace))) {
			n->dependents[kept++] = d;
			continue;
		}
		if (o)
			o->node = NULL;
		ask_delete(g, d);
	}
	n->n_dependents = kept;
}

static void rename_node(struct node *n, const struct node *dependent)
{
	const struct owner *o = find_owner(dependent->owners, dependent->n_owners, n->uid);
	free(n->namespace);
	free(n->name);
	n->namespace = mem_strdup(dependent->namespace);
	n->name = mem_strdup(o->name);
	n->api_version = o->api_version;
	n->kind = o->kind;
}

void graph_remove_virtual(struct graph *g, const char *uid)
{
	pthread_mutex_lock(&g->lock);
	struct node *n = strmap_get(g->nodes, uid);
	if (n && n->is_virtual) {
		lose_dependents(g, n);
		if (n->n_dependents) {
			rename_node(n, n->dependents[0]);
			ask_delete(g, n);
		} else {
			remove_node(g, n);
		}
	}
	pthread_mutex_unlock(&g->lock);
}

bool graph_has_alive(struct graph *g, const struct identity *id)
{
	pthread_mutex_lock(&g->lock);
	const struct node *n = strmap_get(g->nodes, id->uid);
	bool alive = n && !n->is_virtual && !n->being_deleted && str_eq(n->api_version, id->api_version) &&
		     str_eq(n->kind, id->kind) && str_eq(n->name, id->name) &&
		     str_eq(n->namespace, str_or_empty(id->namespace));
	pthread_mutex_unlock(&g->lock);
	return alive;
}

static struct identity copy_identity(struct arena *arena, const struct node *n)
{
	return (struct identity){arena_strdup(arena, n->uid), arena_strdup(arena, n->api_version),
		arena_strdup(arena, n->kind), arena_strdup(arena, n->namespace), arena_strdup(arena, n->name)};
}

static MetaV1OwnerReference *copy_owner(struct arena *arena, const struct owner *o)
{
	MetaV1OwnerReference *r = API_NEW(arena, MetaV1OwnerReference);
	r->uid = arena_strdup(arena, o->uid);
	r->name = arena_strdup(arena, o->name);
	r->api_version = arena_strdup(arena, o->api_version);
	r->kind = arena_strdup(arena, o->kind);
	r->has_controller = r->controller = o->controller;
	r->has_block_owner_deletion = o->has_block;
	r->block_owner_deletion = o->block;
	return r;
}

struct graph_node *graph_get(struct graph *g, struct arena *arena, const char *uid)
{
	struct graph_node *copy = NULL;
	pthread_mutex_lock(&g->lock);
	const struct node *n = strmap_get(g->nodes, uid);
	if (n) {
		copy = ARENA_NEW(arena, struct graph_node);
		*copy = (struct graph_node){.id = copy_identity(arena, n),
			.is_virtual = n->is_virtual,
			.being_deleted = n->being_deleted,
			.deleting_dependents = n->deleting_dependents};
		for (size_t i = 0; i < n->n_owners; i++)
			ARENA_PUSH(arena, copy->owners, copy->n_owners) = copy_owner(arena, &n->owners[i]);
		copy->dependents = ARENA_ARRAY(arena, struct graph_dependent, n->n_dependents + 1);
		for (size_t i = 0; i < n->n_dependents; i++) {
			struct node *d = n->dependents[i];
			const struct owner *o = find_owner(d->owners, d->n_owners, n->uid);
			copy->dependents[copy->n_dependents++] = (struct graph_dependent){
				copy_identity(arena, d), d->deleting_dependents, o && o->block};
		}
	}
	pthread_mutex_unlock(&g->lock);
	return copy;
}
