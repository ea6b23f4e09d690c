/*
 * The Lease by which a server tells who it is, named for the host, and an end to those that nobody renews. A server
 * that ends leaves its own: the next one on the host goes on with it.
 */
#include <openssl/sha.h>
#include <string.h>
#include <unistd.h>
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/encode.h"
#include "base/str.h"

enum { IDENTITY_SECONDS = 3600, HASH_BYTES = 16 };

#define LEASE_LABEL "apiserver.kubernetes.io/identity"
#define HOST_LABEL "kubernetes.io/hostname"
#define SERVER "kube-apiserver"
#define NAMESPACE "kube-system"

/* RFC 4648, in lower case and without padding. */
static char *base32(struct arena *arena, const uint8_t *data, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	char *text = arena_alloc(arena, size * 2 + 1), *out = text;
	unsigned bits = 0, n = 0;
	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | data[i];
		for (n += 8; n >= 5; n -= 5)
			*out++ = letters[bits >> (n - 5) & 31];
	}
	if (n)
		*out++ = letters[bits << (5 - n) & 31];
	*out = '\0';
	return text;
}

static void add_text(struct strbuf *out, const char *text)
{
	size_t size = strlen(text);
	strbuf_addc(out, (char)(size >> 8));
	strbuf_addc(out, (char)size);
	strbuf_add(out, text, size);
}

static const char *host_name(struct arena *arena)
{
	char host[256] = "";
	gethostname(host, sizeof(host) - 1);
	return arena_strdup(arena, host);
}

/* A hash of the host and of what it serves: either server of a host, ours or the original's, has the same. */
char *boot_server_name(struct arena *arena)
{
	CLEANUP(strbuf_done) struct strbuf hashed = STRBUF_INIT;
	uint8_t hash[SHA256_DIGEST_LENGTH];
	add_text(&hashed, host_name(arena));
	add_text(&hashed, SERVER);
	SHA256((const uint8_t *)hashed.buf, hashed.len, hash);
	return arena_printf(arena, "apiserver-%s", base32(arena, hash, HASH_BYTES));
}

static struct status *touch(void *data, struct arena *arena, ProtobufCMessage *object)
{
	const struct boot_options *options = data;
	CoordinationV1Lease *lease = (CoordinationV1Lease *)object;
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, lease);
	CoordinationV1LeaseSpec *spec = ENSURE(arena, lease->spec, CoordinationV1LeaseSpec);
	int64_t now = clock_wall_ns(options->clock);
	meta_set_label(arena, meta, LEASE_LABEL, SERVER);
	meta_set_label(arena, meta, HOST_LABEL, host_name(arena));
	spec->has_lease_duration_seconds = true;
	spec->lease_duration_seconds = IDENTITY_SECONDS;
	spec->renew_time = API_NEW(arena, MetaV1MicroTime);
	spec->renew_time->seconds = now / 1000000000;
	spec->renew_time->nanos = (int32_t)(now % 1000000000);
	return NULL;
}

struct status *boot_identity(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoordinationV1Lease *lease = API_NEW(arena, CoordinationV1Lease);
	char *name = boot_server_name(arena), uuid[37];
	struct status *s = objects_modify(options->objects, arena, &CoordinationV1Lease_schema, "", NAMESPACE, name,
		touch, (void *)(uintptr_t)options, NULL);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_free(s);
	object_meta_ensure(arena, lease)->name = name;
	object_meta(lease)->namespace = (char *)NAMESPACE;
	uuid_generate(uuid);
	ENSURE(arena, lease->spec, CoordinationV1LeaseSpec)->holder_identity = arena_printf(arena, "%s_%s", name, uuid);
	TRY(touch((void *)(uintptr_t)options, arena, &lease->base));
	return boot_ensure(options, arena, lease);
}

static bool is_expired(const struct boot_options *options, const ProtobufCMessage *object)
{
	const CoordinationV1LeaseSpec *spec = ((const CoordinationV1Lease *)object)->spec;
	return !spec || !spec->renew_time || !spec->has_lease_duration_seconds ||
	       spec->renew_time->seconds + spec->lease_duration_seconds < clock_wall_s(options->clock);
}

static struct status *remove_expired(
	const struct boot_options *options, struct arena *arena, const ProtobufCMessage *lease)
{
	const ProtobufCMessage *now;
	const char *name = object_name(lease);
	struct status *s =
		objects_get_live(options->objects, arena, &CoordinationV1Lease_schema, NAMESPACE, name, &now);
	if (!s && is_expired(options, now))
		s = objects_delete(options->objects, arena, &CoordinationV1Lease_schema, NAMESPACE, name);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_drop(s, "another server was faster");
	return NULL;
}

struct status *boot_identities(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct object_list list;
	TRY(objects_list(options->objects, arena, &CoordinationV1Lease_schema, NAMESPACE, &list));
	for (size_t i = 0; i < list.n_items; i++)
		if (str_eq(meta_label(object_meta(list.items[i]), LEASE_LABEL), SERVER) &&
			is_expired(options, list.items[i]))
			TRY(remove_expired(options, arena, list.items[i]));
	return NULL;
}
