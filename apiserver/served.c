#include "apiserver/served.h"
#include <stdlib.h>
#include "apiserver/http/former_kinds.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

struct served {
	const struct schema_resource **off;
	size_t n_off, cap_off;
};

/* --- the entries --- */

struct entry {
	const char *key, *value;
	const char *group, *version, *resource; /* of what names none of the levels below; resource "": all */
	bool on;
};

struct config {
	struct arena *arena;
	struct entry *entries; /* of a key that comes twice, the last */
	size_t n_entries;
};

/* Versions by how settled they are; "" is any. In the order in which they count. */
static const struct {
	const char *key, *stage;
} levels[] = {{"api/all", ""}, {"api/ga", "ga"}, {"api/beta", "beta"}, {"api/alpha", "alpha"}};

static bool is_level(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (str_eq(levels[i].key, key))
			return true;
	return false;
}

static const struct entry *find(const struct config *config, const char *key)
{
	for (size_t i = 0; i < config->n_entries; i++)
		if (str_eq(config->entries[i].key, key))
			return &config->entries[i];
	return NULL;
}

/* The core group has several names, and one that means nothing. */
static const char *settled_key(const char *key)
{
	if (str_eq(key, "v1") || str_starts_with(key, "v1/") || str_eq(key, "api/v1") ||
		str_starts_with(key, "api/v1/"))
		return "/v1";
	return str_eq(key, "api/legacy") ? "" : key;
}

static void read_entry(struct config *config, const char *text)
{
	char *whole = str_trim(config->arena, text), *equals = strchr(whole, '=');
	if (equals)
		*equals = 0;
	const char *key = settled_key(str_trim(config->arena, whole));
	if (!*key)
		return;
	struct entry *entry = (struct entry *)(uintptr_t)find(config, key);
	if (!entry)
		entry = &ARENA_PUSH(config->arena, config->entries, config->n_entries);
	*entry = (struct entry){.key = key, .value = equals ? str_trim(config->arena, equals + 1) : ""};
}

/* --- whether they can be meant --- */

static bool group_is_registered(const char *group)
{
	return served_group(NULL, group) || former_version_known(group, NULL);
}

static struct status *split(struct config *config, struct entry *entry)
{
	char **parts;
	const size_t n = str_split(config->arena, entry->key, '/', &parts);
	if (n != 2 && n != 3)
		return status_bad_request("runtime-config invalid key %s", entry->key);
	entry->group = parts[0];
	entry->version = parts[1];
	entry->resource = n == 3 ? parts[2] : "";
	return NULL;
}

static struct status *check_groups(struct config *config)
{
	CLEANUP(strbuf_done) struct strbuf unknown = STRBUF_INIT;
	for (size_t i = 0; i < config->n_entries; i++) {
		struct entry *entry = &config->entries[i];
		if (is_level(entry->key))
			continue;
		TRY(split(config, entry));
		if (!group_is_registered(entry->group))
			strbuf_printf(&unknown, "%s%s", unknown.len ? "," : "", entry->group);
	}
	return unknown.len ? status_bad_request("unknown api groups %s", unknown.buf) : NULL;
}

static struct status *check_entry(struct entry *entry)
{
	if (!served_version(NULL, entry->group, entry->version) && !former_version_known(entry->group, entry->version))
		return status_bad_request("group version %s%s%s that has not been registered", entry->group,
			*entry->group ? "/" : "", entry->version);
	entry->on = !*entry->value;
	if (*entry->value && !str_to_bool(entry->value, &entry->on))
		return status_bad_request(
			"invalid value of %s: %s, err: strconv.ParseBool: parsing \"%s\": invalid syntax", entry->key,
			entry->value, entry->value);
	for (const char *p = entry->resource; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			return status_bad_request(
				"invalid key %s: group/version/resource and resource is always lowercase "
				"plural, not \"%s\"",
				entry->key, entry->resource);
	return NULL;
}

/* Priorities are told by objects of this version: without it there are none. */
static const char *conflict_with_fairness(const struct config *config)
{
	static const char *const keys[] = {"flowcontrol.apiserver.k8s.io/v1", "api/ga", "api/all"};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct entry *entry = find(config, keys[i]);
		if (entry && str_eq(entry->value, "false"))
			return keys[i];
		if (entry && str_eq(entry->value, "true"))
			return NULL;
	}
	return NULL;
}

static struct status *check_config(struct config *config, bool fairness)
{
	const struct entry *all = find(config, "api/all");
	const char *conflict = fairness ? conflict_with_fairness(config) : NULL;
	const bool nothing = config->n_entries == 1 && all && str_eq(all->value, "false");
	if (conflict)
		return status_bad_request(
			"%s--runtime-config=%s=false conflicts with --enable-priority-and-fairness=true%s",
			nothing ? "[" : "", conflict, nothing ? ", invalid key with only api/all=false]" : "");
	if (nothing)
		return status_bad_request("invalid key with only api/all=false");
	TRY(check_groups(config));
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		const struct entry *entry = find(config, levels[i].key);
		if (entry && !str_eq(entry->value, "true") && !str_eq(entry->value, "false"))
			return status_bad_request("invalid value %s=%s", entry->key, entry->value);
	}
	for (size_t i = 0; i < config->n_entries; i++)
		if (!is_level(config->entries[i].key))
			TRY(check_entry(&config->entries[i]));
	return NULL;
}

/* --- what they mean --- */

static const char *stage_of(const char *version)
{
	return strstr(version, "alpha") ? "alpha" : strstr(version, "beta") ? "beta" : "ga";
}

/* What names a resource counts above what names its version, and that above the levels. */
static bool is_on(const struct config *config, const struct schema_resource *r)
{
	bool on = true;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		const struct entry *entry = find(config, levels[i].key);
		if (entry && (!*levels[i].stage || str_eq(levels[i].stage, stage_of(r->type->version))))
			on = str_eq(entry->value, "true");
	}
	for (size_t named = 0; named < 2; named++)
		for (size_t i = 0; i < config->n_entries; i++) {
			const struct entry *entry = &config->entries[i];
			if (entry->group && str_eq(entry->group, r->type->group) &&
				str_eq(entry->version, r->type->version) &&
				str_eq(entry->resource, named ? r->plural : ""))
				on = entry->on;
		}
	return on;
}

static void warn_of_others(const struct config *config)
{
	for (size_t i = 0; i < config->n_entries; i++) {
		const struct entry *entry = &config->entries[i];
		if (entry->on && !served_version(NULL, entry->group, entry->version))
			log_warn("--runtime-config: %s is not served by this release", entry->key);
	}
}

static struct status *apply(struct served *served, const struct config *config)
{
	SCHEMA_FOREACH_RESOURCE(r)
	if (!is_on(config, r)) {
		mem_grow(&served->off, &served->cap_off, served->n_off + 1, sizeof(*served->off));
		served->off[served->n_off++] = r;
	}
	warn_of_others(config);
	if (!served_find(served, "", "v1", "namespaces"))
		return status_bad_request("--runtime-config: there is no server without the core group's v1");
	return NULL;
}

struct status *served_new(const struct flag_list *list, bool fairness, struct served **ret_served)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct config config = {.arena = arena};
	struct served *served = mem_zalloc(sizeof(*served));
	for (size_t i = 0; i < list->n_items; i++)
		read_entry(&config, list->items[i]);
	struct status *s = check_config(&config, fairness);
	if (!s)
		s = apply(served, &config);
	if (s) {
		served_free(served);
		return s;
	}
	*ret_served = served;
	return NULL;
}

void served_free(struct served *served)
{
	if (!served)
		return;
	free(served->off);
	free(served);
}

/* --- what is asked --- */

bool served_has(const struct served *served, const struct schema_resource *resource)
{
	for (size_t i = 0; served && i < served->n_off; i++)
		if (served->off[i] == resource)
			return false;
	return true;
}

bool served_group(const struct served *served, const char *group)
{
	SERVED_FOREACH(served, r)
	if (str_eq(r->type->group, group))
		return true;
	return false;
}

bool served_version(const struct served *served, const char *group, const char *version)
{
	SERVED_FOREACH(served, r)
	if (str_eq(r->type->group, group) && str_eq(r->type->version, version))
		return true;
	return false;
}

const struct schema_resource *served_find(
	const struct served *served, const char *group, const char *version, const char *plural)
{
	const struct schema_resource *r = schema_find_resource(group, version, plural);
	return r && served_has(served, r) ? r : NULL;
}
