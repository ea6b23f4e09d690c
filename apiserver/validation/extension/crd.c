#include "apiserver/validation/extension/crd.h"
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/validation/extension/extension.h"
#include "apiserver/validation/meta.h"
#include "base/encode.h"
#include "base/nameset.h"
#include "base/str.h"
#include "pki/pki.h"

typedef ApiextensionsV1CustomResourceDefinition Crd;
typedef ApiextensionsV1CustomResourceDefinitionSpec Spec;
typedef ApiextensionsV1CustomResourceDefinitionVersion Version;

#define APPROVED "api-approved.kubernetes.io"
static const char *const review_versions[] = {"v1", "v1beta1", NULL};
#define IMMUTABLE "field is immutable"

/* What is asked of a definition; what the stored one breaks is not asked of its update. */
struct asked {
	struct crd_schema_rules schema;
	bool has_schemas;		/* every version has to have one */
	bool review_version;		/* conversion has to know a version of reviews that we know */
	bool bundle;			/* certificates have to be some */
	struct nameset rules, messages; /* that were stored */
	const Crd *old;			/* NULL: none */
	bool old_shared;		/* all its versions have one schema, which a new version has had, too */
};
#define ASKED_OF_NEW                                                                                          \
	{                                                                                                     \
		.schema = {.structural = true, .pruned = true, .types = true, .atomic = true, .keyed = true}, \
		.has_schemas = true, .review_version = true                                                   \
	}

/*
 * What all versions say alike is checked, and named in errors, as if it were said once for all of them: shared has it,
 * and versions have it no more.
 */
struct form {
	Version shared;
	Version *versions;
	bool shared_schema;
	bool shared_subresources;
};

static bool columns_equal(const Version *a, const Version *b)
{
	if (a->n_additional_printer_columns != b->n_additional_printer_columns)
		return false;
	for (size_t i = 0; i < a->n_additional_printer_columns; i++)
		if (!api_equal(a->additional_printer_columns[i], b->additional_printer_columns[i]))
			return false;
	return true;
}

static bool selectable_equal(const Version *a, const Version *b)
{
	if (a->n_selectable_fields != b->n_selectable_fields)
		return false;
	for (size_t i = 0; i < a->n_selectable_fields; i++)
		if (!str_eq(a->selectable_fields[i]->json_path, b->selectable_fields[i]->json_path))
			return false;
	return true;
}

static void share(struct form *form, struct arena *arena, const Spec *spec)
{
	bool columns = true, selectable = true;
	form->shared = *spec->versions[0];
	form->shared_schema = form->shared_subresources = true;
	form->versions = arena_calloc(arena, spec->n_versions, sizeof(*form->versions));
	for (size_t i = 0; i < spec->n_versions; i++) {
		const Version *v = spec->versions[i], *first = spec->versions[0];
		form->versions[i] = *v;
		form->shared_schema &= api_equal(v->schema, first->schema);
		form->shared_subresources &= api_equal(v->subresources, first->subresources);
		columns &= columns_equal(v, first);
		selectable &= selectable_equal(v, first);
	}
	if (!form->shared_schema)
		form->shared.schema = NULL;
	if (!form->shared_subresources)
		form->shared.subresources = NULL;
	if (!columns)
		form->shared.n_additional_printer_columns = 0;
	if (!selectable)
		form->shared.n_selectable_fields = 0;
	for (size_t i = 0; i < spec->n_versions; i++) {
		Version *v = &form->versions[i];
		if (form->shared_schema)
			v->schema = NULL;
		if (form->shared_subresources)
			v->subresources = NULL;
		if (columns) {
			v->n_additional_printer_columns = 0;
			v->additional_printer_columns = NULL;
		}
		if (selectable) {
			v->n_selectable_fields = 0;
			v->selectable_fields = NULL;
		}
	}
}

void validate_crd_label(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *prefix, bool lower)
{
	struct arena *arena = errors->arena;
	char **parts;
	const char *text = str_or_empty(value);
	const size_t n =
		field_problems(arena, check_dns_1035_label(arena, lower ? str_lower(arena, text) : text), &parts);
	if (n > 0)
		field_invalid(errors, path, text, arena_printf(arena, "%s%s", prefix, str_join(arena, parts, n, ",")));
}

/* Versions */

static void check_version(struct field_errors *errors, const struct field_path *path, const Version *version,
	const struct crd_schema_rules *rules)
{
	const ApiextensionsV1JSONSchemaProps *schema = version->schema ? version->schema->open_apiv3_schema : NULL;
	validate_crd_label(errors, FIELD(path, "name"), version->name, "", false);
	validate_crd_deprecation(errors, FIELD(path, "deprecationWarning"), version);
	if (schema)
		validate_crd_schema(errors, FIELD(FIELD(path, "schema"), "openAPIV3Schema"), schema, rules);
	validate_crd_subresources(errors, FIELD(path, "subresources"), version->subresources);
	for (size_t i = 0; i < version->n_additional_printer_columns; i++)
		validate_crd_column(errors, FIELD_INDEX(FIELD(path, "additionalPrinterColumns"), i),
			version->additional_printer_columns[i]);
	if (version->n_selectable_fields > 0 && !schema)
		field_invalid(errors, FIELD(path, "selectableFields"), "",
			"may only be set when `version.schema.openAPIV3Schema` is not included");
	else
		validate_crd_selectable(errors, FIELD(path, "selectableFields"), version, schema);
}

static bool has_status(const ApiextensionsV1CustomResourceSubresources *subresources)
{
	return subresources && subresources->status;
}

static const ApiextensionsV1JSONSchemaProps *version_schema(const Version *version)
{
	return version->schema ? version->schema->open_apiv3_schema : NULL;
}

/* Whether the schema of a version is as it was stored. */
static bool is_unchanged(const struct asked *asked, const Version *version)
{
	for (size_t i = 0; asked->old && i < asked->old->spec->n_versions; i++)
		if (asked->old_shared || str_eq(asked->old->spec->versions[i]->name, version->name))
			return api_equal(version_schema(asked->old->spec->versions[i]), version_schema(version));
	return false;
}

static void require_schemas(
	struct field_errors *errors, const struct field_path *path, const Spec *spec, const struct asked *asked)
{
	for (size_t i = 0; i < spec->n_versions; i++) {
		const struct field_path *at = FIELD(FIELD(FIELD_INDEX(path, i), "schema"), "openAPIV3Schema");
		if (version_schema(spec->versions[i]))
			continue;
		if (asked->has_schemas)
			field_required(errors, at, "");
		else if (spec->versions[i]->served && !spec->preserve_unknown_fields)
			field_required(errors, at, "because otherwise all fields are pruned");
	}
}

static void check_versions(struct field_errors *errors, const struct field_path *path, const Spec *spec,
	const struct form *form, const struct asked *asked)
{
	size_t n_storage = 0;
	bool unique = true;
	struct nameset seen = {.arena = errors->arena};
	Version **all = arena_calloc(errors->arena, spec->n_versions, sizeof(Version *));
	for (size_t i = 0; i < spec->n_versions; i++) {
		struct crd_schema_rules rules = asked->schema;
		rules.has_status = has_status(spec->versions[i]->subresources);
		rules.unchanged = is_unchanged(asked, spec->versions[i]);
		all[i] = &form->versions[i];
		n_storage += spec->versions[i]->storage;
		unique &= nameset_add(&seen, spec->versions[i]->name);
		check_version(errors, FIELD_INDEX(path, i), all[i], &rules);
	}
	const char *json = internal_json_list(errors->arena, spec->versions ? all : NULL, spec->n_versions);
	if (!unique)
		field_invalid_json(errors, path, json, "must contain unique version names");
	if (n_storage != 1)
		field_invalid_json(errors, path, json, "must have exactly one version marked as storage version");
	if (spec->n_versions > 0 && !str_empty(spec->versions[0]->name))
		validate_crd_label(errors, FIELD(path->parent, "version"), spec->versions[0]->name, "", false);
}

static void check_shared(struct field_errors *errors, const struct field_path *path, const Spec *spec,
	const struct form *form, const struct asked *asked)
{
	const Version *shared = &form->shared;
	const ApiextensionsV1JSONSchemaProps *schema = version_schema(shared);
	struct crd_schema_rules rules = asked->schema;
	rules.unchanged = spec->n_versions > 0 && is_unchanged(asked, spec->versions[0]);
	for (size_t i = 0; i < spec->n_versions; i++)
		rules.has_status |= has_status(spec->versions[i]->subresources);
	if (schema)
		validate_crd_schema(errors, FIELD(FIELD(path, "validation"), "openAPIV3Schema"), schema, &rules);
	validate_crd_subresources(errors, FIELD(path, "subresources"), shared->subresources);
	for (size_t i = 0; i < shared->n_additional_printer_columns; i++)
		validate_crd_column(errors, FIELD_INDEX(FIELD(path, "additionalPrinterColumns"), i),
			shared->additional_printer_columns[i]);
	if (shared->n_selectable_fields > 0 && !shared->schema)
		field_invalid(errors, FIELD(path, "selectableFields"), "",
			"may only be set when validations.schema is included");
	else
		validate_crd_selectable(errors, FIELD(path, "selectableFields"), shared, schema);
}

/* Names */

static void check_names(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceDefinitionNames *names)
{
	static const char mixed[] = "may have mixed case, but should otherwise match: ";
	if (!str_empty(names->plural))
		validate_crd_label(errors, FIELD(path, "plural"), names->plural, "", false);
	if (!str_empty(names->singular))
		validate_crd_label(errors, FIELD(path, "singular"), names->singular, "", false);
	if (!str_empty(names->kind))
		validate_crd_label(errors, FIELD(path, "kind"), names->kind, mixed, true);
	if (!str_empty(names->list_kind))
		validate_crd_label(errors, FIELD(path, "listKind"), names->list_kind, mixed, true);
	for (size_t i = 0; i < names->n_short_names; i++)
		validate_crd_label(errors, FIELD_INDEX(FIELD(path, "shortNames"), i), names->short_names[i], "", false);
	if (!str_empty(names->kind) && str_eq(names->kind, names->list_kind))
		field_invalid(
			errors, FIELD(path, "listKind"), names->list_kind, "kind and listKind may not be the same");
	for (size_t i = 0; i < names->n_categories; i++)
		validate_crd_label(errors, FIELD_INDEX(FIELD(path, "categories"), i), names->categories[i], "", false);
}

static void require_names(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceDefinitionNames *names)
{
	if (!names || str_empty(names->plural))
		field_required(errors, FIELD(path, "plural"), "");
	if (!names || str_empty(names->singular))
		field_required(errors, FIELD(path, "singular"), "");
	if (!names || str_empty(names->kind))
		field_required(errors, FIELD(path, "kind"), "");
	if (!names || str_empty(names->list_kind))
		field_required(errors, FIELD(path, "listKind"), "");
	if (names)
		check_names(errors, path, names);
}

/* Conversion */

static void check_review_versions(
	struct field_errors *errors, const struct field_path *path, char *const *versions, size_t n, bool known)
{
	bool accepted = false;
	if (n == 0) {
		field_required(errors, path, "");
		return;
	}
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < n; i++) {
		if (!nameset_add(&seen, versions[i])) {
			field_invalid(errors, FIELD_INDEX(path, i), versions[i], "duplicate version");
			continue;
		}
		field_invalid_each(
			errors, FIELD_INDEX(path, i), versions[i], check_dns_1035_label(errors->arena, versions[i]));
		accepted |= str_in(versions[i], review_versions);
	}
	if (known && !accepted)
		field_invalid_json(errors, path, strings_json(errors->arena, versions, n),
			"must include at least one of v1, v1beta1");
}

/* Why a client cannot trust anybody by its certificates; NULL: it can, or it has none. */
static const char *bundle_problem(const ApiextensionsV1WebhookClientConfig *client)
{
	return client->ca_bundle.len ? pki_roots_problem((const char *)client->ca_bundle.data, client->ca_bundle.len)
				     : NULL;
}

static void check_client(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1WebhookClientConfig *client, bool bundle)
{
	if (!client) {
		field_required(errors, path, "required when strategy is set to Webhook");
		return;
	}
	if (!client->url == !client->service)
		field_required(errors, path, "exactly one of url or service is required");
	else if (client->url)
		validate_webhook_url(errors, FIELD(path, "url"), client->url);
	else
		validate_webhook_service(errors, FIELD(path, "service"), client->service->namespace,
			client->service->name, client->service->path, client->service->port);
	const char *problem = bundle ? bundle_problem(client) : NULL;
	if (problem)
		field_invalid_json(errors, FIELD(path, "caBundle"),
			arena_printf(errors->arena, "\"%s\"",
				base64_encode(errors->arena, client->ca_bundle.data, client->ca_bundle.len)),
			arena_printf(errors->arena, "unable to load root certificates: %s", problem));
}

static void check_conversion(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceConversion *conversion, const struct asked *asked)
{
	static const char *const strategies[] = {"None", "Webhook", NULL};
	static const char misplaced[] = "should not be set when strategy is not set to Webhook";
	if (!conversion)
		return;
	const ApiextensionsV1WebhookConversion *webhook = conversion->webhook;
	const struct field_path *client = FIELD(path, "webhookClientConfig");
	const struct field_path *versions = FIELD(path, "conversionReviewVersions");
	if (str_empty(conversion->strategy))
		field_required(errors, FIELD(path, "strategy"), "");
	else if (!str_in(conversion->strategy, strategies))
		field_unsupported_json(
			errors, FIELD(path, "strategy"), field_quote(errors->arena, conversion->strategy), strategies);
	if (str_eq(conversion->strategy, "Webhook")) {
		check_client(errors, client, webhook ? webhook->client_config : NULL, asked->bundle);
		check_review_versions(errors, versions, webhook ? webhook->conversion_review_versions : NULL,
			webhook ? webhook->n_conversion_review_versions : 0, asked->review_version);
		return;
	}
	if (webhook && webhook->client_config)
		field_forbidden(errors, client, misplaced);
	if (webhook && webhook->n_conversion_review_versions > 0)
		field_forbidden(errors, versions, misplaced);
}

/* The whole */

static void check_group(struct field_errors *errors, const struct field_path *path, const char *group)
{
	char **parts;
	if (str_empty(group)) {
		field_required(errors, path, "");
		return;
	}
	const size_t n = field_problems(errors->arena, check_dns_subdomain(errors->arena, group), &parts);
	if (n > 0)
		field_invalid(errors, path, group, str_join(errors->arena, parts, n, ","));
	else if (!strchr(group, '.'))
		field_invalid(errors, path, group, "should be a domain with at least one dot");
}

struct content {
	bool defaults, extensions;
};

static void note_content(const ApiextensionsV1JSONSchemaProps *schema, void *data)
{
	struct content *content = data;
	content->defaults |= schema->default_ != NULL;
	content->extensions |= schema->x_kubernetes_embedded_resource ||
			       schema->has_x_kubernetes_preserve_unknown_fields || schema->x_kubernetes_int_or_string ||
			       schema->n_x_kubernetes_list_map_keys || schema->x_kubernetes_list_type ||
			       schema->n_x_kubernetes_validations;
}

static void check_spec(struct field_errors *errors, const Spec *spec, struct asked *asked)
{
	static const char *const scopes[] = {"Cluster", "Namespaced", NULL};
	const struct field_path *path = FIELD(NULL, "spec");
	struct form form = {0};
	struct content content = {0};
	if (spec->n_versions > 0)
		share(&form, errors->arena, spec);
	check_group(errors, FIELD(path, "group"), spec->group);
	if (str_empty(spec->scope))
		field_required(errors, FIELD(path, "scope"), "");
	else if (!str_in(spec->scope, scopes))
		field_unsupported_json(errors, FIELD(path, "scope"), field_quote(errors->arena, spec->scope), scopes);
	require_schemas(errors, FIELD(path, "versions"), spec, asked);
	for (size_t i = 0; i < spec->n_versions; i++)
		schema_each(version_schema(spec->versions[i]), note_content, &content);
	asked->schema.structural |= !spec->preserve_unknown_fields || content.defaults || content.extensions;
	if (content.defaults && spec->preserve_unknown_fields)
		field_invalid_bool(errors, FIELD(path, "preserveUnknownFields"), true,
			"must be false in order to use defaults in the schema");
	check_versions(errors, FIELD(path, "versions"), spec, &form, asked);
	require_names(errors, FIELD(path, "names"), spec->names);
	check_shared(errors, path, spec, &form, asked);
	if (spec->conversion && !str_eq(spec->conversion->strategy, "None") && spec->preserve_unknown_fields)
		field_invalid_json(errors, FIELD(FIELD(path, "conversion"), "strategy"),
			field_json(errors->arena, spec->conversion->strategy),
			"must be None if spec.preserveUnknownFields is true");
	check_conversion(errors, FIELD(path, "conversion"), spec->conversion, asked);
}

static void check_stored(struct field_errors *errors, const Crd *crd)
{
	const struct field_path *path = FIELD(FIELD(NULL, "status"), "storedVersions");
	const ApiextensionsV1CustomResourceDefinitionStatus *status = crd->status;
	if (!status || status->n_stored_versions == 0) {
		field_invalid_json(errors, path, "null", "must have at least one stored version");
		return;
	}
	struct nameset seen = {.arena = errors->arena}, stored = {.arena = errors->arena};
	for (size_t i = 0; i < status->n_stored_versions; i++)
		nameset_add(&stored, status->stored_versions[i]);
	for (size_t i = 0; i < crd->spec->n_versions; i++) {
		const char *name = crd->spec->versions[i]->name;
		/* Of versions of one name only the first is found. */
		bool found = nameset_add(&seen, name) && nameset_has(&stored, name);
		if (crd->spec->versions[i]->storage && !found)
			field_invalid_json(errors, path,
				strings_json(errors->arena, status->stored_versions, status->n_stored_versions),
				arena_printf(errors->arena, "must have the storage version %s", str_or_empty(name)));
	}
	for (size_t i = 0; i < status->n_stored_versions; i++) {
		const char *v = status->stored_versions[i];
		if (!nameset_has(&seen, v))
			field_invalid(errors, FIELD_INDEX(path, i), v,
				arena_printf(errors->arena,
					"missing from spec.versions; %s was previously a storage version, and must "
					"remain in spec.versions until a storage migration ensures no data remains "
					"persisted in %s and removes %s from status.storedVersions",
					v, v, v));
	}
}

static const char *approval(const Crd *crd)
{
	const MetaV1ObjectMeta *meta = crd->metadata;
	return meta ? str_or_empty(map_get(meta->annotations, meta->n_annotations, APPROVED)) : "";
}

/* 0: none, 1: one that nobody can read, 2: approved, 3: said not to be. */
static int approval_state(const char *text)
{
	const char *colon = strstr(text, "://");
	if (!*text)
		return 0;
	if (str_starts_with(text, "unapproved"))
		return 3;
	return colon && colon > text && colon[3] && colon[3] != '/' ? 2 : 1;
}

/* Groups of the project ask for a word of its approval. */
static void check_approval(struct field_errors *errors, const Crd *crd, const Crd *old)
{
	const char *group = str_or_empty(crd->spec->group);
	const struct field_path *path = FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "annotations"), APPROVED);
	int state = approval_state(approval(crd));
	if (!str_eq(group, "k8s.io") && !str_ends_with(group, ".k8s.io") && !str_eq(group, "kubernetes.io") &&
		!str_ends_with(group, ".kubernetes.io"))
		return;
	if (old && approval_state(approval(old)) == state)
		return;
	if (state == 0)
		field_required(errors, path,
			"protected groups must have approval annotation \"" APPROVED
			"\", see https://github.com/kubernetes/enhancements/pull/1111");
	if (state == 1)
		field_invalid(errors, path, approval(crd),
			"protected groups must have approval annotation \"" APPROVED
			"\" with either a URL or a reason starting with \"unapproved\", see "
			"https://github.com/kubernetes/enhancements/pull/1111");
}

static void check_rest(struct field_errors *errors, const Crd *crd, const Crd *old)
{
	if (crd->status && crd->status->accepted_names)
		check_names(errors, FIELD(FIELD(NULL, "status"), "acceptedNames"), crd->status->accepted_names);
	check_stored(errors, crd);
	check_approval(errors, crd, old);
	if (crd->spec->preserve_unknown_fields && !(old && old->spec->preserve_unknown_fields))
		field_invalid_bool(errors, FIELD(FIELD(NULL, "spec"), "preserveUnknownFields"), true,
			"cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
			"spec.versions[*].schema instead");
}

const char *crd_name_problem(struct arena *arena, const Crd *crd, const char *name, bool prefix)
{
	static const char rule[] = "must be spec.names.plural+\".\"+spec.group";
	const char *form = name_is_dns_subdomain(arena, name, prefix);
	const char *plural = crd->spec->names ? crd->spec->names->plural : NULL;
	const char *wanted = arena_printf(arena, "%s.%s", str_or_empty(plural), str_or_empty(crd->spec->group));
	if (str_eq(name, wanted))
		return form;
	return name_problems(arena, form, rule);
}

/* Objects that are validated are the request's own. */
static void sort_schemas(struct arena *arena, const Crd *crd)
{
	for (size_t i = 0; i < crd->spec->n_versions; i++)
		if (crd->spec->versions[i]->schema)
			schema_sort(arena, crd->spec->versions[i]->schema->open_apiv3_schema);
}

void validate_crd(struct field_errors *errors, const Crd *crd)
{
	sort_schemas(errors->arena, crd);
	struct asked asked = ASKED_OF_NEW;
	check_spec(errors, crd->spec, &asked);
	check_rest(errors, crd, NULL);
}

static bool is_established(const Crd *crd)
{
	if (crd->status)
		for (size_t i = 0; i < crd->status->n_conditions; i++)
			if (str_eq(crd->status->conditions[i]->type, "Established") &&
				str_eq(crd->status->conditions[i]->status, "True"))
				return true;
	return false;
}

static void note_expressions(const ApiextensionsV1JSONSchemaProps *schema, void *data)
{
	struct asked *asked = data;
	for (size_t i = 0; i < schema->n_x_kubernetes_validations; i++) {
		nameset_add(&asked->rules, str_or_empty(schema->x_kubernetes_validations[i]->rule));
		nameset_add(&asked->messages, str_or_empty(schema->x_kubernetes_validations[i]->message_expression));
	}
}

static bool knows_reviews(const ApiextensionsV1WebhookConversion *webhook)
{
	bool known = !webhook || webhook->n_conversion_review_versions == 0;
	for (size_t i = 0; webhook && i < webhook->n_conversion_review_versions; i++)
		known |= str_in(webhook->conversion_review_versions[i], review_versions);
	return known;
}

/* What is asked of an update. */
static void ask_after(struct asked *asked, struct arena *arena, const Crd *old)
{
	const ApiextensionsV1WebhookConversion *webhook = old->spec->conversion ? old->spec->conversion->webhook : NULL;
	asked->old = old;
	asked->old_shared = true;
	asked->rules.arena = asked->messages.arena = arena;
	asked->schema.stored_rules = &asked->rules;
	asked->schema.stored_messages = &asked->messages;
	for (size_t i = 0; i < old->spec->n_versions; i++) {
		const ApiextensionsV1JSONSchemaProps *schema = version_schema(old->spec->versions[i]);
		crd_rules_after(arena, schema, &asked->schema);
		schema_each(schema, note_expressions, asked);
		asked->has_schemas &= schema != NULL;
		asked->old_shared &= api_equal(schema, version_schema(old->spec->versions[0]));
	}
	asked->review_version = knows_reviews(webhook);
	asked->bundle =
		is_established(old) && !(webhook && webhook->client_config && bundle_problem(webhook->client_config));
}

static void check_same(struct field_errors *errors, const struct field_path *path, const char *now, const char *was)
{
	if (!str_eq(str_or_empty(now), str_or_empty(was)))
		field_invalid(errors, path, str_or_empty(now), IMMUTABLE);
}

void validate_crd_update(struct field_errors *errors, const Crd *crd, const Crd *old)
{
	static const ApiextensionsV1CustomResourceDefinitionNames none;
	const struct field_path *path = FIELD(NULL, "spec");
	const ApiextensionsV1CustomResourceDefinitionNames *now = crd->spec->names ? crd->spec->names : &none;
	const ApiextensionsV1CustomResourceDefinitionNames *was = old->spec->names ? old->spec->names : &none;
	struct asked asked = ASKED_OF_NEW;
	sort_schemas(errors->arena, crd);
	sort_schemas(errors->arena, old);
	ask_after(&asked, errors->arena, old);
	check_spec(errors, crd->spec, &asked);
	if (is_established(old)) {
		check_same(errors, FIELD(path, "scope"), crd->spec->scope, old->spec->scope);
		check_same(errors, FIELD(FIELD(path, "names"), "kind"), now->kind, was->kind);
	}
	check_same(errors, FIELD(path, "group"), crd->spec->group, old->spec->group);
	check_same(errors, FIELD(FIELD(path, "names"), "plural"), now->plural, was->plural);
	check_rest(errors, crd, old);
}

void validate_crd_status(struct field_errors *errors, const Crd *crd, const Crd *old)
{
	if (crd->status && crd->status->accepted_names)
		check_names(errors, FIELD(FIELD(NULL, "status"), "acceptedNames"), crd->status->accepted_names);
}
