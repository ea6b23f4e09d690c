#include "apiserver/alloc/service_ips.h"
#include <string.h>
#include "api/meta.h"
#include "api/types.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tally.h"
#include "serve/metrics.h"

#define MISMATCH "the provided network does not match the current range"

/* What was taken of a configured range: addresses that were asked for, and any. */
struct taken {
	atomic_uint_least64_t certain, any, failed_certain, failed_any;
	struct tally_slot seconds;
};

static const double seconds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static const struct tally_bounds bounds = {seconds, ARRAY_SIZE(seconds)};

struct service_ips {
	struct objects *objects;
	struct ip_range ranges[2];
	struct taken taken[2];
	size_t n_ranges;
};

struct service_ips *service_ips_new(struct objects *objects, const struct ip_range *ranges, size_t n_ranges)
{
	struct service_ips *ips = mem_zalloc(sizeof(*ips));
	ips->objects = objects;
	ips->n_ranges = n_ranges < ARRAY_SIZE(ips->ranges) ? n_ranges : ARRAY_SIZE(ips->ranges);
	memcpy(ips->ranges, ranges, ips->n_ranges * sizeof(*ranges));
	return ips;
}

size_t service_ips_n_ranges(const struct service_ips *ips)
{
	return ips->n_ranges;
}

const struct ip_range *service_ips_range(const struct service_ips *ips, size_t i)
{
	return &ips->ranges[i];
}

bool service_ips_has_family(const struct service_ips *ips, const char *family)
{
	for (size_t i = 0; i < ips->n_ranges; i++)
		if (str_eq(ip_range_family(&ips->ranges[i]), family))
			return true;
	return false;
}

/* --- the ranges of the ServiceCIDR objects --- */

struct ranges {
	struct ip_range *items;
	size_t n_items;
};

static bool is_ready(const NetworkingV1ServiceCIDR *cidr)
{
	const MetaV1Condition *ready = cidr->status ? CONDITION(cidr->status, "Ready") : NULL;
	return ready && str_eq(ready->status, "True") && !meta_is_deleting(object_meta(cidr));
}

static struct status *read_ranges(
	struct service_ips *ips, struct arena *arena, bool ready_only, struct ranges *ret_ranges)
{
	struct object_list list;
	*ret_ranges = (struct ranges){0};
	TRY(objects_list(ips->objects, arena, &NetworkingV1ServiceCIDR_schema, NULL, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const NetworkingV1ServiceCIDR *cidr = (const NetworkingV1ServiceCIDR *)list.items[i];
		for (size_t k = 0; cidr->spec && k < cidr->spec->n_cidrs && (!ready_only || is_ready(cidr)); k++) {
			struct ip_range range;
			struct status *s = ip_range_parse(cidr->spec->cidrs[k], &range);
			if (s)
				status_drop(s, "a range that Services cannot use is none");
			else
				ARENA_PUSH(arena, ret_ranges->items, ret_ranges->n_items) = range;
		}
	}
	return NULL;
}

/* Its own address and the one of all its hosts are not of a range. */
static const struct ip_range *covering(
	const struct ranges *ranges, const char *text, bool *ret_is_ipv6, ip_number *ret_ip)
{
	if (!ip_number_read(text, ret_is_ipv6, ret_ip))
		return NULL;
	for (size_t i = 0; i < ranges->n_items; i++)
		if (ranges->items[i].is_ipv6 == *ret_is_ipv6 && *ret_ip >= ranges->items[i].first &&
			*ret_ip <= ranges->items[i].last)
			return &ranges->items[i];
	return NULL;
}

bool service_ips_in_any_range(struct service_ips *ips, struct arena *arena, const char *ip)
{
	struct ranges ranges;
	bool is_ipv6;
	ip_number number;
	struct status *s = read_ranges(ips, arena, false, &ranges);
	status_drop(s, "no ranges, nothing in them");
	return covering(&ranges, ip, &is_ipv6, &number);
}

/* --- taking --- */

struct status *service_ips_create_object(
	struct service_ips *ips, struct arena *arena, const char *ip, const char *namespace, const char *name)
{
	NetworkingV1IPAddress *address = API_NEW(arena, NetworkingV1IPAddress);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, address);
	meta->name = arena_strdup(arena, ip);
	meta_set_label(arena, meta, SERVICE_IPS_LABEL_FAMILY, strchr(ip, ':') ? "IPv6" : "IPv4");
	meta_set_label(arena, meta, SERVICE_IPS_LABEL_MANAGED_BY, SERVICE_IPS_MANAGER);
	address->spec = API_NEW(arena, NetworkingV1IPAddressSpec);
	address->spec->parent_ref = API_NEW(arena, NetworkingV1ParentReference);
	address->spec->parent_ref->resource = (char *)"services";
	address->spec->parent_ref->namespace = arena_strdup(arena, namespace);
	address->spec->parent_ref->name = arena_strdup(arena, name);
	return objects_create(ips->objects, arena, &address->base, NULL);
}

static struct status *out_of_range(struct arena *arena, const char *ip, const struct ip_range *range)
{
	bool is_ipv6;
	ip_number number;
	if (ip_number_read(ip, &is_ipv6, &number))
		ip = ip_number_print(arena, is_ipv6, number);
	return status_bad_request("the provided IP (%s) is not in the valid range. The range of valid IPs is %s", ip,
		ip_range_text(arena, range));
}

static struct status *check(struct service_ips *ips, struct arena *arena, const char *ip, char **ret_canonical)
{
	struct ranges ranges;
	bool is_ipv6;
	ip_number number;
	TRY(read_ranges(ips, arena, true, &ranges));
	if (!covering(&ranges, ip, &is_ipv6, &number))
		return status_bad_request(MISMATCH);
	*ret_canonical = ip_number_print(arena, is_ipv6, number);
	return NULL;
}

/* Of the range of that family; what a ServiceCIDR added later is not told apart. */
static struct status *counted(
	struct service_ips *ips, bool is_ipv6, bool certain, int64_t begin_ns, struct status *status)
{
	for (size_t i = 0; i < ips->n_ranges; i++) {
		struct taken *t = &ips->taken[i];
		if (ips->ranges[i].is_ipv6 != is_ipv6)
			continue;
		atomic_uint_least64_t *count =
			certain ? (status ? &t->failed_certain : &t->certain) : (status ? &t->failed_any : &t->any);
		atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
		tally_observe(&t->seconds, &bounds, (double)(clock_mono_ns(clock_system()) - begin_ns) / 1e9);
		break;
	}
	return status;
}

static struct status *already_taken(void)
{
	return status_new(STATUS_CONFLICT, "provided IP is already allocated");
}

static struct status *take(
	struct service_ips *ips, struct arena *arena, const char *ip, const char *namespace, const char *name)
{
	char *canonical;
	TRY(check(ips, arena, ip, &canonical));
	struct status *s = service_ips_create_object(ips, arena, canonical, namespace, name);
	if (!status_is(s, STATUS_ALREADY_EXISTS))
		return s;
	status_free(s);
	return already_taken();
}

struct status *service_ips_take(
	struct service_ips *ips, struct arena *arena, const char *ip, const char *namespace, const char *name)
{
	int64_t begin_ns = clock_mono_ns(clock_system());
	return counted(ips, strchr(ip, ':') != NULL, true, begin_ns, take(ips, arena, ip, namespace, name));
}

static bool is_known(struct service_ips *ips, const char *ip)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	const ProtobufCMessage *found;
	struct status *s = objects_get(ips->objects, scratch, &NetworkingV1IPAddress_schema, "", ip, &found);
	bool known = !s;
	status_drop(s, "only asked");
	return known;
}

/* Who was faster is no error: the next address is tried. Everything else is. */
static struct status *take_from(struct service_ips *ips, struct arena *arena, const struct ip_range *range,
	const char *namespace, const char *name, char **ret_ip)
{
	struct ip_walk walk = ip_walk(range);
	ip_number number;
	while (ip_walk_next(&walk, &number)) {
		char *ip = ip_number_print(arena, range->is_ipv6, number);
		if (is_known(ips, ip))
			continue;
		struct status *s = service_ips_create_object(ips, arena, ip, namespace, name);
		if (!s) {
			*ret_ip = ip;
			return NULL;
		}
		if (!status_is(s, STATUS_ALREADY_EXISTS))
			return s;
		status_drop(s, "taken since");
	}
	*ret_ip = NULL;
	return NULL;
}

static struct status *full(void)
{
	return status_internal("failed to allocate a serviceIP: range is full");
}

/* *ret_ip: NULL when all are taken. */
static struct status *take_known_free(struct service_ips *ips, struct arena *arena, const char *family,
	const char *namespace, const char *name, char **ret_ip)
{
	struct ranges ranges;
	*ret_ip = NULL;
	TRY(read_ranges(ips, arena, true, &ranges));
	for (size_t i = 0; i < ranges.n_items && !*ret_ip; i++)
		if (str_eq(ip_range_family(&ranges.items[i]), family))
			TRY(take_from(ips, arena, &ranges.items[i], namespace, name, ret_ip));
	return NULL;
}

/* What was given back a moment ago may still be remembered as taken. */
static struct status *take_any(struct service_ips *ips, struct arena *arena, const char *family, const char *namespace,
	const char *name, char **ret_ip)
{
	TRY(take_known_free(ips, arena, family, namespace, name, ret_ip));
	if (!*ret_ip) {
		TRY(objects_fresh(ips->objects));
		TRY(take_known_free(ips, arena, family, namespace, name, ret_ip));
	}
	return *ret_ip ? NULL : full();
}

struct status *service_ips_take_any(struct service_ips *ips, struct arena *arena, const char *family,
	const char *namespace, const char *name, char **ret_ip)
{
	int64_t begin_ns = clock_mono_ns(clock_system());
	return counted(
		ips, str_eq(family, "IPv6"), false, begin_ns, take_any(ips, arena, family, namespace, name, ret_ip));
}

static void write_taken(const struct service_ips *ips, struct strbuf *out, const char *name, const char *help,
	size_t certain, size_t any)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const size_t offsets[] = {any, certain};
	static const char *const scopes[] = {"dynamic", "static"};
	metrics_write_head(out, name, "counter", help);
	for (size_t i = 0; i < ips->n_ranges; i++)
		for (size_t k = 0; k < ARRAY_SIZE(offsets); k++) {
			CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
			const char *at = (const char *)&ips->taken[i] + offsets[k];
			uint64_t n = atomic_load((const atomic_uint_least64_t *)(const void *)at);
			metrics_add_label(&labels, "cidr", ip_range_text(arena, &ips->ranges[i]));
			metrics_add_label(&labels, "scope", scopes[k]);
			if (n)
				metrics_write_sample(out, name, labels.buf, (double)n);
		}
}

void service_ips_write_metrics(const struct service_ips *ips, struct strbuf *out)
{
	static const char duration[] = "kube_apiserver_clusterip_allocator_allocation_duration_seconds";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	write_taken(ips, out, "kube_apiserver_clusterip_allocator_allocation_total", "Addresses of Services taken.",
		offsetof(struct taken, certain), offsetof(struct taken, any));
	write_taken(ips, out, "kube_apiserver_clusterip_allocator_allocation_errors_total",
		"Addresses of Services that could not be taken.", offsetof(struct taken, failed_certain),
		offsetof(struct taken, failed_any));
	metrics_write_head(out, duration, "histogram", "How long it took to take an address.");
	for (size_t i = 0; i < ips->n_ranges; i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "cidr", ip_range_text(arena, &ips->ranges[i]));
		metrics_write_tally(out, duration, labels.buf, &ips->taken[i].seconds, &bounds);
	}
}

struct status *service_ips_pretend_any(struct service_ips *ips, struct arena *arena, const char *family, char **ret_ip)
{
	struct ranges ranges;
	TRY(read_ranges(ips, arena, true, &ranges));
	for (size_t i = 0; i < ranges.n_items; i++)
		if (str_eq(ip_range_family(&ranges.items[i]), family)) {
			*ret_ip = ip_number_print(arena, ranges.items[i].is_ipv6, ranges.items[i].network);
			return NULL;
		}
	return full();
}

struct status *service_ips_probe(struct service_ips *ips, struct arena *arena, const char *ip)
{
	char *canonical = NULL;
	TRY(check(ips, arena, ip, &canonical));
	return is_known(ips, canonical) ? already_taken() : NULL;
}

struct status *service_ips_pretend(struct service_ips *ips, struct arena *arena, const char *ip)
{
	char *canonical;
	struct status *s = check(ips, arena, ip, &canonical);
	for (size_t i = 0; s && !strcmp(s->message, MISMATCH) && i < ips->n_ranges; i++)
		if (ips->ranges[i].is_ipv6 == (strchr(ip, ':') != NULL)) {
			status_free(s);
			s = out_of_range(arena, ip, &ips->ranges[i]);
		}
	return s;
}

/* --- giving back --- */

static bool belongs(const ProtobufCMessage *object, const char *namespace, const char *name)
{
	const NetworkingV1IPAddressSpec *spec = ((const NetworkingV1IPAddress *)object)->spec;
	const NetworkingV1ParentReference *ref = spec ? spec->parent_ref : NULL;
	return ref && str_eq(ref->resource, "services") && str_empty(ref->group) && str_eq(ref->namespace, namespace) &&
	       str_eq(ref->name, name);
}

static struct status *release(
	struct service_ips *ips, struct arena *arena, const char *ip, const char *namespace, const char *name)
{
	const ProtobufCMessage *address;
	struct status *s = objects_get(ips->objects, arena, &NetworkingV1IPAddress_schema, "", ip, &address);
	if (s || !belongs(address, namespace, name)) {
		/* The copy in memory may be old. */
		status_drop(s, "asked again");
		s = objects_get_live(ips->objects, arena, &NetworkingV1IPAddress_schema, "", ip, &address);
		if (s || !belongs(address, namespace, name))
			return s;
	}
	return objects_delete_exact(
		ips->objects, arena, &NetworkingV1IPAddress_schema, "", ip, object_meta(address)->uid);
}

void service_ips_release(
	struct service_ips *ips, struct arena *arena, const char *ip, const char *namespace, const char *name)
{
	bool is_ipv6;
	ip_number number;
	if (!ip_number_read(ip, &is_ipv6, &number))
		return;
	struct status *s = release(ips, arena, ip_number_print(arena, is_ipv6, number), namespace, name);
	/* Not there, or somebody else's by now: then there is nothing to give back. */
	if (status_is(s, STATUS_NOT_FOUND) || status_is(s, STATUS_CONFLICT))
		status_free(s);
	else
		log_status(s, "give back the address %s of service %s/%s", ip, namespace, name);
}
