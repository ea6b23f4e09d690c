#include "client/correlate.h"

#include "api/json.h"
#include "api/meta.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	MAX_KEYS = 4096,
	MAX_SIMILAR = 10, /* messages of one aggregate before they are combined */
	SIMILAR_WINDOW_S = 600,
	SPAM_BURST = 25,
	SPAM_REFILL_S = 300,
	SERIES_WINDOW_S = 360,
};

struct aggregate {
	struct strmap *messages;
	int64_t last_s;
};

struct seen {
	char *name;
	int32_t count;
};

struct bucket {
	double tokens;
	int64_t at_s;
};

struct running {
	char *name;
	int32_t count;
	int64_t last_s, sent_s;
};

struct correlator {
	const struct clock *clock;
	struct strmap *aggregates, *seen, *buckets, *running;
};

static void aggregate_free(void *p)
{
	struct aggregate *a = p;
	strmap_free(a->messages);
	free(a);
}

static void seen_free(void *p)
{
	struct seen *s = p;
	free(s->name);
	free(s);
}

static void running_free(void *p)
{
	struct running *r = p;
	free(r->name);
	free(r);
}

struct correlator *correlator_new(const struct clock *clock)
{
	struct correlator *c = mem_zalloc(sizeof(*c));
	*c = (struct correlator){
		clock, strmap_new(aggregate_free), strmap_new(seen_free), strmap_new(free), strmap_new(running_free)};
	return c;
}

void correlator_free(struct correlator *c)
{
	strmap_free(c->aggregates);
	strmap_free(c->seen);
	strmap_free(c->buckets);
	strmap_free(c->running);
	free(c);
}

static void bound(struct strmap *m)
{
	if (strmap_count(m) >= MAX_KEYS)
		strmap_clear(m);
}

static char *object_part(struct arena *arena, const CoreV1ObjectReference *ref)
{
	return arena_printf(arena, "%s\n%s\n%s\n%s\n%s", str_or_empty(ref->kind), str_or_empty(ref->namespace),
		str_or_empty(ref->name), str_or_empty(ref->uid), str_or_empty(ref->api_version));
}

/* Events that differ in nothing but the message. */
static char *aggregate_key(struct arena *arena, const CoreV1Event *e)
{
	return arena_printf(arena, "%s\n%s\n%s\n%s\n%s\n%s\n%s", str_or_empty(e->source->component),
		str_or_empty(e->source->host), object_part(arena, e->involved_object), str_or_empty(e->type),
		str_or_empty(e->reason), str_or_empty(e->reporting_component), str_or_empty(e->reporting_instance));
}

/* Whether this message is one too many of its kind. */
static bool is_similar_flood(struct correlator *c, const char *key, const char *message, int64_t now_s)
{
	struct aggregate *a = strmap_get(c->aggregates, key);
	if (!a) {
		bound(c->aggregates);
		a = mem_zalloc(sizeof(*a));
		a->messages = strmap_new(NULL);
		a->last_s = now_s;
		strmap_put(c->aggregates, key, a);
	}
	if (now_s - a->last_s > SIMILAR_WINDOW_S)
		strmap_clear(a->messages);
	a->last_s = now_s;
	strmap_put(a->messages, message, a);
	if (strmap_count(a->messages) < MAX_SIMILAR)
		return false;
	/* One is forgotten, so that the set stays as it is. */
	STRMAP_FOREACH (a->messages, it) {
		strmap_remove(a->messages, it.key);
		break;
	}
	return true;
}

static bool has_token(struct correlator *c, struct arena *arena, const CoreV1Event *e, int64_t now_s)
{
	char *key = arena_printf(arena, "%s\n%s\n%s", str_or_empty(e->source->component), str_or_empty(e->source->host),
		object_part(arena, e->involved_object));
	struct bucket *b = strmap_get(c->buckets, key);
	if (!b) {
		bound(c->buckets);
		b = mem_zalloc(sizeof(*b));
		*b = (struct bucket){SPAM_BURST, now_s};
		strmap_put(c->buckets, key, b);
	}
	b->tokens += (double)(now_s - b->at_s) / SPAM_REFILL_S;
	if (b->tokens > SPAM_BURST)
		b->tokens = SPAM_BURST;
	b->at_s = now_s;
	if (b->tokens < 1)
		return false;
	b->tokens -= 1;
	return true;
}

bool correlator_observe(struct correlator *c, struct arena *arena, const CoreV1Event *event, struct correlated *ret)
{
	int64_t now_s = clock_wall_s(c->clock);
	char *key = aggregate_key(arena, event);
	ret->message = event->message;
	if (is_similar_flood(c, key, event->message, now_s))
		ret->message = arena_printf(arena, "(combined from similar events): %s", event->message);
	else
		key = arena_printf(
			arena, "%s\n%s\n%s", key, str_or_empty(event->involved_object->field_path), event->message);
	const struct seen *seen = strmap_get(c->seen, key);
	ret->key = key;
	ret->count = seen ? seen->count + 1 : 1;
	ret->name = seen ? arena_strdup(arena, seen->name) : NULL;
	return has_token(c, arena, event, now_s);
}

void correlator_sent(struct correlator *c, const struct correlated *what, const char *name)
{
	struct seen *seen = strmap_get(c->seen, what->key);
	if (!seen) {
		bound(c->seen);
		seen = mem_zalloc(sizeof(*seen));
		strmap_put(c->seen, what->key, seen);
	}
	if (!str_eq(seen->name, name)) {
		free(seen->name);
		seen->name = mem_strdup(name);
	}
	seen->count = what->count;
}

bool correlator_observe_v1(struct correlator *c, struct arena *arena, const EventsV1Event *e, struct series *ret)
{
	int64_t now_s = clock_wall_s(c->clock);
	char *key = arena_printf(arena, "%s\n%s\n%s\n%s\n%s\n%s", str_or_empty(e->action), str_or_empty(e->reason),
		str_or_empty(e->reporting_controller), str_or_empty(e->type), object_part(arena, e->regarding),
		e->related ? object_part(arena, e->related) : "");
	struct running *r = strmap_get(c->running, key);
	if (r && now_s - r->last_s <= SERIES_WINDOW_S) {
		r->count++;
		r->last_s = now_s;
		/* The first repetition makes the series visible; later ones are told now and then. */
		if (r->count > 2 && now_s - r->sent_s < SERIES_WINDOW_S)
			return false;
	} else {
		bound(c->running);
		r = mem_zalloc(sizeof(*r));
		*r = (struct running){mem_strdup(e->metadata->name), 1, now_s, now_s};
		strmap_put(c->running, key, r);
	}
	r->sent_s = now_s;
	*ret = (struct series){arena_strdup(arena, r->name), r->count};
	return true;
}

const char *correlated_patch(struct arena *arena, const CoreV1Event *event, const struct correlated *c)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_printf(&out, "{\"count\":%d,\"lastTimestamp\":\"%s\",\"message\":", c->count,
		time_format(arena, event->last_timestamp->seconds));
	json_add_string(&out, c->message, strlen(c->message), false);
	strbuf_addc(&out, '}');
	return arena_strdup(arena, out.buf);
}

const char *series_patch(struct arena *arena, const EventsV1Event *event, const struct series *s)
{
	return arena_printf(arena, "{\"series\":{\"count\":%d,\"lastObservedTime\":\"%s\"}}", s->count,
		micro_time_format(arena, event->event_time->seconds, event->event_time->nanos));
}
