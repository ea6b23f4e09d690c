#include "apiserver/validation/data.h"
#include "api/json.h"
#include "api/meta.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

enum { MAX_BYTES = 1024 * 1024 };

static size_t text_size(MapStringEntry *const *data, size_t n)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += strlen(str_or_empty(data[i]->value));
	return total;
}

static size_t bytes_size(MapBytesEntry *const *data, size_t n)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += data[i]->value.len;
	return total;
}

void validate_config_map(struct field_errors *errors, const CoreV1ConfigMap *map)
{
	void *const *binary = MAP_SORTED(errors->arena, map->binary_data, map->n_binary_data);
	for (size_t i = 0; i < map->n_data; i++) {
		const char *key = map->data[i]->key;
		const struct field_path *at = FIELD_KEY(FIELD(NULL, "data"), key);
		validate_text(errors, at, key, check_config_key(errors->arena, key));
		if (map_search(binary, map->n_binary_data, key))
			field_invalid(errors, at, key, "duplicate of key present in binaryData");
	}
	for (size_t i = 0; i < map->n_binary_data; i++)
		validate_text(errors, FIELD_KEY(FIELD(NULL, "binaryData"), map->binary_data[i]->key),
			map->binary_data[i]->key, check_config_key(errors->arena, map->binary_data[i]->key));
	if (text_size(map->data, map->n_data) + bytes_size(map->binary_data, map->n_binary_data) > MAX_BYTES)
		field_too_long(errors, FIELD_KEY(NULL, ""), MAX_BYTES);
}

/* An empty map is not the same as none. */
static bool same_bytes(struct arena *arena, MapBytesEntry *const *a, size_t n_a, MapBytesEntry *const *b, size_t n_b)
{
	void *const *sorted = MAP_SORTED(arena, b, n_b);
	bool same = n_a == n_b && (n_a || !a == !b);
	for (size_t i = 0; same && i < n_a; i++) {
		const MapBytesEntry *other = map_search(sorted, n_b, a[i]->key);
		same = other && other->value.len == a[i]->value.len &&
		       (!other->value.len || !memcmp(other->value.data, a[i]->value.data, other->value.len));
	}
	return same;
}

#define UNSETTABLE "field is immutable when `immutable` is set"

void validate_config_map_update(struct field_errors *errors, const CoreV1ConfigMap *map, const CoreV1ConfigMap *old)
{
	if (old->has_immutable && old->immutable) {
		if (!map->has_immutable || !map->immutable)
			field_forbidden(errors, FIELD(NULL, "immutable"), UNSETTABLE);
		if (!map_equal(map->data, map->n_data, old->data, old->n_data))
			field_forbidden(errors, FIELD(NULL, "data"), UNSETTABLE);
		if (!same_bytes(
			    errors->arena, map->binary_data, map->n_binary_data, old->binary_data, old->n_binary_data))
			field_forbidden(errors, FIELD(NULL, "binaryData"), UNSETTABLE);
	}
}

static const MapBytesEntry *find_bytes(MapBytesEntry *const *data, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(data[i]->key, key))
			return data[i];
	return NULL;
}

static void require_key(struct field_errors *errors, const CoreV1Secret *secret, const char *key)
{
	if (!find_bytes(secret->data, secret->n_data, key))
		field_required(errors, FIELD_KEY(FIELD(NULL, "data"), key), "");
}

static void require_json(struct field_errors *errors, const CoreV1Secret *secret, const char *key)
{
	const MapBytesEntry *entry = find_bytes(secret->data, secret->n_data, key);
	const char *problem =
		entry ? json_problem(errors->arena, (const char *)entry->value.data, entry->value.len) : NULL;
	require_key(errors, secret, key);
	if (problem)
		field_invalid(errors, FIELD_KEY(FIELD(NULL, "data"), key), "<secret contents redacted>", problem);
}

static void check_secret_type(struct field_errors *errors, const CoreV1Secret *secret)
{
	const char *type = str_or_empty(secret->type);
	if (!strcmp(type, "kubernetes.io/service-account-token")) {
		if (str_empty(meta_annotation(secret->metadata, "kubernetes.io/service-account.name")))
			field_required(errors,
				FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "annotations"),
					"kubernetes.io/service-account.name"),
				"");
	} else if (!strcmp(type, "kubernetes.io/dockercfg")) {
		require_json(errors, secret, ".dockercfg");
	} else if (!strcmp(type, "kubernetes.io/dockerconfigjson")) {
		require_json(errors, secret, ".dockerconfigjson");
	} else if (!strcmp(type, "kubernetes.io/basic-auth")) {
		if (!find_bytes(secret->data, secret->n_data, "username") &&
			!find_bytes(secret->data, secret->n_data, "password")) {
			require_key(errors, secret, "username");
			require_key(errors, secret, "password");
		}
	} else if (!strcmp(type, "kubernetes.io/ssh-auth")) {
		const MapBytesEntry *key = find_bytes(secret->data, secret->n_data, "ssh-privatekey");
		if (!key || !key->value.len)
			field_required(errors, FIELD_KEY(FIELD(NULL, "data"), "ssh-privatekey"), "");
	} else if (!strcmp(type, "kubernetes.io/tls")) {
		require_key(errors, secret, "tls.crt");
		require_key(errors, secret, "tls.key");
	}
}

void validate_secret(struct field_errors *errors, const CoreV1Secret *secret)
{
	for (size_t i = 0; i < secret->n_data; i++)
		validate_text(errors, FIELD_KEY(FIELD(NULL, "data"), secret->data[i]->key), secret->data[i]->key,
			check_config_key(errors->arena, secret->data[i]->key));
	if (bytes_size(secret->data, secret->n_data) > MAX_BYTES)
		field_too_long(errors, FIELD(NULL, "data"), MAX_BYTES);
	check_secret_type(errors, secret);
}

void validate_secret_update(struct field_errors *errors, const CoreV1Secret *secret, const CoreV1Secret *old)
{
	if (!str_eq(secret->type, old->type))
		field_invalid(errors, FIELD(NULL, "type"), secret->type, "field is immutable");
	if (old->has_immutable && old->immutable) {
		if (!secret->has_immutable || !secret->immutable)
			field_forbidden(errors, FIELD(NULL, "immutable"), UNSETTABLE);
		if (!same_bytes(errors->arena, secret->data, secret->n_data, old->data, old->n_data))
			field_forbidden(errors, FIELD(NULL, "data"), UNSETTABLE);
	}
}
