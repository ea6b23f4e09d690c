/*
 * The file that --encryption-provider-config names, its checks, and the rules that it makes
 * (apiserver/pkg/apis/apiserver/validation/validation_encryption.go, server/options/encryptionconfig/config.go).
 */
#include <stdlib.h>
#include "apiserver/config_file.h"
#include "apiserver/encryption/providers.h"
#include "apiserver/validation/field.h"
#include "base/encode.h"
#include "base/flags.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "cel/eval.h"
#include "pki/pki.h"

#define MAX_FILE_BYTES (1u << 20)
#define KMS_V1 "v1"
#define KMS_V2 "v2"
#define KMS_TIMEOUT_NS INT64_C(3000000000)
#define KMS_CACHE_SIZE 1000
#define NO_PROVIDER "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity"

static const struct config_form form = {.type = &ApiserverV1EncryptionConfiguration_schema,
	.strict = true,
	.names = {{"apiserver.config.k8s.io/v1", "EncryptionConfiguration"}}};

/* --- resources --- */

struct group_resource {
	const char *group, *resource;
};

/* "secrets", "deployments.apps", "*.apps", "*." of the core group. */
static struct group_resource split(struct arena *arena, const char *text)
{
	const char *dot = strchr(text, '.');
	return (struct group_resource){
		dot ? dot + 1 : "", dot ? arena_strndup(arena, text, (size_t)(dot - text)) : text};
}

static bool is_all(struct group_resource r)
{
	return str_eq(r.group, "*") && str_eq(r.resource, "*");
}

static bool is_same(struct group_resource a, struct group_resource b)
{
	return str_eq(a.group, b.group) && str_eq(a.resource, b.resource);
}

static bool overlaps(struct group_resource a, struct group_resource b)
{
	return is_all(a) || is_all(b) ||
	       (str_eq(a.group, b.group) && (str_eq(a.resource, "*") || str_eq(b.resource, "*")));
}

/* The pair of the same one is a pair of the same, and the first of them is no overlap. */
static void check_overlap(struct field_errors *errors, const struct field_path *path, char *const *resources, size_t n)
{
	bool repeated = false, overlapping = false;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			if (i == j)
				continue;
			const struct group_resource a = split(errors->arena, resources[i]),
						    b = split(errors->arena, resources[j]);
			if (is_same(a, b) && !repeated)
				repeated = true;
			else
				overlapping |= overlaps(a, b);
		}
	const char *all = strings_json(errors->arena, resources, n);
	if (repeated)
		field_invalid_json(errors, path, all, "the same resource cannot be specified multiple times");
	if (overlapping)
		field_invalid_json(errors, path, all,
			"using overlapping resources such as 'secrets' and '*.' in the same resource list is not "
			"allowed as they will be masked");
}

static const char *problem_of(struct arena *arena, const char *text)
{
	static const char *const unserved[] = {
		"apiserveripinfo", "serviceipallocations", "servicenodeportallocations", NULL};
	const struct group_resource r = split(arena, text);
	if (!str_eq(str_lower(arena, text), text))
		return "resource name should not contain capital letters";
	if (str_eq(text, "*"))
		return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
	if (str_in(text, unserved))
		return "resources which do not have REST API/s cannot be encrypted";
	if (str_eq(r.group, "events.k8s.io"))
		return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' "
		       "instead in the config file";
	if (str_eq(r.group, "extensions"))
		return "'extensions' group has been removed and cannot be used for encryption";
	if (str_eq(r.group, "*") && !str_eq(r.resource, "*"))
		return "encrypting the same resource across groups is not supported";
	return NULL;
}

/* --- providers --- */

/* The providers with keys of a provider's configuration. */
struct keyed {
	const struct cipher *cipher;
	ApiserverV1Key **keys;
	size_t n_keys;
};

static bool keyed_of(const ApiserverV1ProviderConfiguration *p, struct keyed *ret)
{
	if (p->aesgcm)
		*ret = (struct keyed){&cipher_aesgcm, p->aesgcm->keys, p->aesgcm->n_keys};
	else if (p->aescbc)
		*ret = (struct keyed){&cipher_aescbc, p->aescbc->keys, p->aescbc->n_keys};
	else if (p->secretbox)
		*ret = (struct keyed){&cipher_secretbox, p->secretbox->keys, p->secretbox->n_keys};
	else
		return false;
	return true;
}

static void hide_keys(struct arena *arena, ApiserverV1Key ***keys, size_t n)
{
	ApiserverV1Key **hidden = ARENA_ARRAY(arena, ApiserverV1Key *, n + 1);
	for (size_t i = 0; i < n; i++) {
		hidden[i] = arena_dup(arena, (*keys)[i], sizeof(**hidden));
		hidden[i]->secret = (char *)(uintptr_t) "REDACTED";
	}
	*keys = hidden;
}

/* As it is told of, without what is secret. */
static const ApiserverV1ProviderConfiguration *redacted(
	struct arena *arena, const ApiserverV1ProviderConfiguration *provider)
{
	ApiserverV1ProviderConfiguration *p = arena_dup(arena, provider, sizeof(*p));
	ApiserverV1AESConfiguration **aes[] = {&p->aesgcm, &p->aescbc};
	for (size_t i = 0; i < ARRAY_SIZE(aes); i++)
		if (*aes[i]) {
			*aes[i] = arena_dup(arena, *aes[i], sizeof(**aes[i]));
			hide_keys(arena, &(*aes[i])->keys, (*aes[i])->n_keys);
		}
	if (p->secretbox) {
		p->secretbox = arena_dup(arena, p->secretbox, sizeof(*p->secretbox));
		hide_keys(arena, &p->secretbox->keys, p->secretbox->n_keys);
	}
	return p;
}

static void check_single(
	struct field_errors *errors, const struct field_path *path, const ApiserverV1ProviderConfiguration *p)
{
	const int n = !!p->kms + !!p->aesgcm + !!p->aescbc + !!p->secretbox + !!p->identity;
	if (n != 1)
		field_invalid_internal(errors, path, redacted(errors->arena, p),
			n ? "more than one provider specified in a single element, should split into different list "
			    "elements"
			  : NO_PROVIDER);
}

static const char *sizes_text(struct arena *arena, const size_t *sizes)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; sizes[i]; i++)
		strbuf_printf(&out, "%s%zu", i ? " " : "", sizes[i]);
	return arena_strdup(arena, out.buf);
}

static void check_secret(
	struct field_errors *errors, const struct field_path *path, const char *secret, const struct cipher *cipher)
{
	uint8_t *bytes;
	size_t size;
	if (str_empty(secret)) {
		field_required(errors, path, "secret is a mandatory field for a key");
		return;
	}
	if (!base64_decode(errors->arena, secret, strlen(secret), &bytes, &size)) {
		field_invalid(errors, path, "REDACTED", "secrets must be base64 encoded");
		return;
	}
	bool fits = false;
	for (size_t i = 0; cipher->key_sizes[i]; i++)
		fits |= cipher->key_sizes[i] == size;
	if (!fits)
		field_invalid(errors, path, "REDACTED",
			arena_printf(errors->arena,
				"secret is not of the expected length, got %zu, expected one of [%s]", size,
				sizes_text(errors->arena, cipher->key_sizes)));
}

static void check_keys(struct field_errors *errors, const struct field_path *path, const struct keyed *keyed)
{
	const struct field_path *all = FIELD(FIELD(path, keyed->cipher->field), "keys");
	if (!keyed->n_keys)
		field_required(errors, all, "at least one keys is required");
	for (size_t i = 0; i < keyed->n_keys; i++) {
		const struct field_path *one = FIELD_INDEX(all, i);
		if (str_empty(keyed->keys[i]->name))
			field_required(errors, FIELD(one, "name"), "name is a mandatory field for a key");
		check_secret(errors, FIELD(one, "secret"), keyed->keys[i]->secret, keyed->cipher);
	}
}

/* --- KMS --- */

static void set_defaults(struct arena *arena, ApiserverV1KMSConfiguration *kms)
{
	if (!kms->timeout) {
		kms->timeout = API_NEW(arena, MetaV1Duration);
		kms->timeout->duration = KMS_TIMEOUT_NS;
	}
	if (str_empty(kms->api_version))
		kms->api_version = (char *)(uintptr_t)KMS_V1;
	if (!kms->has_cachesize && str_eq(kms->api_version, KMS_V1)) {
		kms->has_cachesize = true;
		kms->cachesize = KMS_CACHE_SIZE;
	}
}

static void check_kms_name(struct field_errors *errors, const struct field_path *path,
	const ApiserverV1KMSConfiguration *kms, bool reloads, struct nameset *names)
{
	struct arena *arena = errors->arena;
	const bool is_v1 = str_eq(kms->api_version, KMS_V1), is_new = nameset_add(names, kms->name);
	if (str_empty(kms->name))
		field_required(errors, path, "name is a mandatory field for a provider");
	if (!is_v1 && strchr(str_or_empty(kms->name), ':'))
		field_invalid(errors, path, kms->name,
			arena_printf(arena, "invalid KMS provider name %s, must not contain ':'", kms->name));
	if ((reloads || !is_v1) && !is_new)
		field_invalid(errors, path, str_or_empty(kms->name),
			arena_printf(arena, "duplicate KMS provider name %s, names must be unique",
				str_or_empty(kms->name)));
}

static void check_kms_endpoint(struct field_errors *errors, const struct field_path *path, const char *endpoint)
{
	struct arena *arena = errors->arena;
	if (str_empty(endpoint)) {
		field_invalid(errors, path, "", "endpoint is a mandatory field for a kms");
		return;
	}
	const char *problem = cel_url_problem(arena, endpoint);
	if (problem) {
		field_invalid(errors, path, endpoint,
			arena_printf(arena, "invalid endpoint for kms provider, error: %s", problem));
		return;
	}
	const char *colon = strchr(endpoint, ':');
	const char *scheme = str_lower(arena, arena_strndup(arena, endpoint, colon ? (size_t)(colon - endpoint) : 0));
	if (!str_eq(scheme, "unix"))
		field_invalid(errors, path, endpoint,
			arena_printf(arena, "unsupported scheme %s for KMS provider, only unix is supported",
				field_quote(arena, scheme)));
}

static void check_kms(struct field_errors *errors, const struct field_path *path,
	const ApiserverV1KMSConfiguration *kms, bool reloads, struct nameset *names)
{
	const bool is_v1 = str_eq(kms->api_version, KMS_V1);
	char text[40];
	check_kms_name(errors, FIELD(path, "name"), kms, reloads, names);
	if (kms->timeout->duration <= 0)
		field_invalid(errors, FIELD(path, "timeout"), duration_format(kms->timeout->duration, text),
			"timeout should be a positive value");
	check_kms_endpoint(errors, FIELD(path, "endpoint"), kms->endpoint);
	if (!is_v1 && kms->has_cachesize)
		field_invalid_int(errors, FIELD(path, "cachesize"), kms->cachesize, "cachesize is not supported in v2");
	if (is_v1 && !kms->cachesize)
		field_invalid_int(errors, FIELD(path, "cachesize"), kms->cachesize,
			"cachesize should be a positive value, or negative to disable");
	if (!is_v1 && !str_eq(kms->api_version, KMS_V2))
		field_invalid(errors, FIELD(path, "apiVersion"), kms->api_version,
			"unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported");
}

/* --- the whole --- */

static void check_resources(struct field_errors *errors, const struct field_path *path,
	const ApiserverV1ResourceConfiguration *c, bool reloads, struct nameset *names)
{
	const struct field_path *resources = FIELD(path, "resources"), *providers = FIELD(path, "providers");
	struct keyed keyed;
	if (!c->n_resources)
		field_required(errors, resources,
			arena_printf(errors->arena, "at least one %s is required",
				field_path_string(errors->arena, resources)));
	check_overlap(errors, resources, c->resources, c->n_resources);
	for (size_t i = 0; i < c->n_resources; i++) {
		const char *problem = problem_of(errors->arena, c->resources[i]);
		if (problem)
			field_invalid(errors, FIELD_INDEX(resources, i), c->resources[i], problem);
	}
	if (!c->n_providers)
		field_required(errors, providers,
			arena_printf(errors->arena, "at least one %s is required",
				field_path_string(errors->arena, providers)));
	for (size_t i = 0; i < c->n_providers; i++) {
		const struct field_path *one = FIELD_INDEX(providers, i);
		check_single(errors, one, c->providers[i]);
		if (c->providers[i]->kms)
			check_kms(errors, FIELD(one, "kms"), c->providers[i]->kms, reloads, names);
		else if (keyed_of(c->providers[i], &keyed))
			check_keys(errors, one, &keyed);
	}
}

static struct status *check(struct arena *arena, const ApiserverV1EncryptionConfiguration *config, bool reloads)
{
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	struct nameset names = {.arena = arena};
	const struct field_path *all = FIELD(NULL, "resources");
	if (!config->n_resources)
		field_required(&errors, all, "at least one resources is required");
	for (size_t i = 0; i < config->n_resources; i++) {
		ApiserverV1ResourceConfiguration *c = config->resources[i];
		for (size_t k = 0; k < c->n_providers; k++)
			if (c->providers[k]->kms)
				set_defaults(arena, c->providers[k]->kms);
		check_resources(&errors, FIELD_INDEX(all, i), c, reloads, &names);
	}
	return config_errors(&errors);
}

/* --- rules --- */

static struct status *make_kms(const ApiserverV1KMSConfiguration *kms)
{
	if (str_eq(kms->api_version, KMS_V1))
		return status_bad_request(
			"KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  "
			"Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.");
	return status_bad_request(
		"could not configure KMS plugin \"%s\": this server does not speak to plugins", kms->name);
}

static void make_key(struct arena *arena, const ApiserverV1Key *from, struct encryption_key *ret_key)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	base64_decode(arena, from->secret, strlen(from->secret), &bytes, &size);
	*ret_key = (struct encryption_key){
		arena_strdup(arena, from->name), arena_printf(arena, "%s:", from->name), {0}, size};
	memcpy(ret_key->bytes, bytes, size);
	explicit_bzero(bytes, size);
}

static struct status *make_provider(
	struct encryption_rules *rules, const ApiserverV1ProviderConfiguration *from, struct provider **ret_provider)
{
	struct provider *p = ARENA_NEW(rules->arena, struct provider);
	struct keyed keyed = {0};
	if (from->kms)
		return make_kms(from->kms);
	keyed_of(from, &keyed);
	p->cipher = keyed.cipher;
	p->n_keys = keyed.n_keys;
	p->keys = ARENA_ARRAY(rules->arena, struct encryption_key, p->n_keys);
	for (size_t i = 0; i < p->n_keys; i++)
		make_key(rules->arena, keyed.keys[i], &p->keys[i]);
	ARENA_PUSH(rules->arena, rules->providers, rules->n_providers) = p;
	*ret_provider = p;
	return NULL;
}

static struct encryption_rule *find(const struct encryption_rules *rules, const char *group, const char *resource)
{
	for (size_t i = 0; i < rules->n_items; i++)
		if (str_eq(rules->items[i].group, group) && str_eq(rules->items[i].resource, resource))
			return &rules->items[i];
	return NULL;
}

static struct status *masked(struct group_resource r, const char *by)
{
	const bool has_dot = str_eq(r.resource, "*") || *r.group;
	return status_bad_request(
		"resource \"%s%s%s\" is masked by earlier rule \"%s\"", r.resource, has_dot ? "." : "", r.group, by);
}

/* A resource that comes again gets the providers behind those that it has. */
static struct status *add_resource(
	struct encryption_rules *rules, const char *text, struct provider *const *providers, size_t n)
{
	const struct group_resource r = split(rules->arena, arena_strdup(rules->arena, text));
	if (find(rules, r.group, "*"))
		return masked(r, arena_printf(rules->arena, "*.%s", r.group));
	if (find(rules, "*", "*"))
		return masked(r, "*.*");
	struct encryption_rule *rule = find(rules, r.group, r.resource);
	if (!rule) {
		rule = &ARENA_PUSH(rules->arena, rules->items, rules->n_items);
		*rule = (struct encryption_rule){.group = r.group, .resource = r.resource};
	}
	for (size_t i = 0; i < n; i++)
		ARENA_PUSH(rules->arena, rule->providers, rule->n_providers) = providers[i];
	return NULL;
}

static struct status *make_rules(struct encryption_rules *rules, const ApiserverV1EncryptionConfiguration *config)
{
	for (size_t i = 0; i < config->n_resources; i++) {
		const ApiserverV1ResourceConfiguration *c = config->resources[i];
		struct provider **providers = ARENA_ARRAY(rules->arena, struct provider *, c->n_providers);
		for (size_t k = 0; k < c->n_providers; k++)
			TRY(make_provider(rules, c->providers[k], &providers[k]));
		for (size_t k = 0; k < c->n_resources; k++)
			TRY(add_resource(rules, c->resources[k], providers, c->n_providers));
	}
	return NULL;
}

/* --- the file --- */

struct file {
	char *text; /* secret */
	size_t size;
};

static void file_done(struct file *file)
{
	mem_cleanse_free(file->text, file->size);
}

static struct status *file_read(struct file *file, const char *path, char ret_hash[static sizeof("sha256:") + 64])
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	uint8_t digest[32];
	const char *quoted = field_quote(arena, path);
	TRY(status_wrap(io_read_file(path, MAX_FILE_BYTES, &file->text, &file->size),
		"error reading encryption provider configuration file %s", quoted));
	if (!file->size)
		return status_bad_request("encryption provider configuration file %s is empty", quoted);
	pki_sha256(file->text, file->size, digest);
	stpcpy(stpcpy(ret_hash, "sha256:"), hex_encode(arena, digest, sizeof(digest)));
	return NULL;
}

static struct status *parse(struct arena *arena, const char *path, bool reloads,
	char ret_hash[static sizeof("sha256:") + 64], ApiserverV1EncryptionConfiguration **ret_config)
{
	CLEANUP(file_done) struct file file = {0};
	TRY(status_wrap(file_read(&file, path, ret_hash), "error while loading file"));
	TRY(status_wrap(config_decode(arena, file.text, file.size, &form, ret_config),
		"error decoding encryption provider configuration file %s", field_quote(arena, path)));
	return check(arena, *ret_config, reloads);
}

static void forget_secrets(const ApiserverV1EncryptionConfiguration *config)
{
	struct keyed keyed;
	for (size_t i = 0; i < config->n_resources; i++)
		for (size_t k = 0; k < config->resources[i]->n_providers; k++)
			if (keyed_of(config->resources[i]->providers[k], &keyed))
				for (size_t n = 0; n < keyed.n_keys; n++)
					explicit_bzero(keyed.keys[n]->secret, strlen(keyed.keys[n]->secret));
}

struct status *encryption_rules_read(const char *path, bool reloads, struct encryption_rules **ret_rules)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(encryption_rules_freep) struct encryption_rules *rules = mem_zalloc(sizeof(*rules));
	ApiserverV1EncryptionConfiguration *config;
	rules->arena = arena_new();
	TRY(status_wrap(parse(arena, path, reloads, rules->hash, &config), "error while parsing file"));
	struct status *wrong = make_rules(rules, config);
	forget_secrets(config);
	TRY(status_wrap(wrong, "error while building transformers"));
	*ret_rules = STEAL(rules);
	return NULL;
}

void encryption_rules_free(struct encryption_rules *rules)
{
	if (!rules)
		return;
	for (size_t i = 0; i < rules->n_providers; i++)
		for (size_t k = 0; k < rules->providers[i]->n_keys; k++)
			explicit_bzero(&rules->providers[i]->keys[k], sizeof(rules->providers[i]->keys[k]));
	arena_free(rules->arena);
	free(rules);
}

const struct encryption_rule *encryption_rule_of(
	const struct encryption_rules *rules, const struct schema_resource *resource)
{
	const struct encryption_rule *rule = find(rules, resource->type->group, resource->plural);
	if (!rule)
		rule = find(rules, resource->type->group, "*");
	return rule ? rule : find(rules, "*", "*");
}
