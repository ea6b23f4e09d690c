/*
 * What names a device or chooses it, and classes of devices.
 */
#include <ctype.h>
#include "api/copy.h"
#include "api/json.h"
#include "apiserver/validation/extension/expression.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/resource/resource_kinds.h"
#include "apiserver/validation/pod/resources.h"
#include "apiserver/validation/storage/storage_kinds.h"
#include "base/str.h"

enum { MAX_POOL_NAME = 253, MAX_IDENTIFIER = 32, MAX_SELECTORS = 32 };

#define IDENTIFIER_ERROR                                                                               \
	"a valid C identifier must start with alphabetic character or '_', followed by a string of "   \
	"alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for " \
	"validation is '[A-Za-z_][A-Za-z0-9_]*')"

bool name_seen(struct strmap *seen, const char *name)
{
	return !strmap_put(seen, str_or_empty(name), seen);
}

/* Names */

void validate_device_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	validate_text(errors, path, str_or_empty(name), check_dns_label(errors->arena, str_or_empty(name)));
}

void validate_pool_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	if (str_empty(name)) {
		field_required(errors, path, "");
		return;
	}
	if (strlen(name) > MAX_POOL_NAME)
		field_too_long(errors, path, MAX_POOL_NAME);
	for (const char *part = name; part;) {
		size_t len = strcspn(part, "/");
		const char *text = arena_strndup(errors->arena, part, len);
		validate_text(errors, path, text, check_dns_subdomain(errors->arena, text));
		part = part[len] ? part + len + 1 : NULL;
	}
}

static void check_identifier(struct field_errors *errors, const struct field_path *path, const char *id)
{
	bool good = *id && !isdigit((unsigned char)*id);
	for (const char *c = id; *c; c++)
		good &= (*c & 0x80) == 0 && (isalnum((unsigned char)*c) || *c == '_');
	if (strlen(id) > MAX_IDENTIFIER)
		field_too_long(errors, path, MAX_IDENTIFIER);
	if (!good)
		field_invalid(errors, path, id, IDENTIFIER_ERROR);
}

void validate_attribute_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	const char *slash = strchr(str_or_empty(name), '/');
	if (str_empty(name))
		field_required(errors, path, "name required");
	else if (!slash)
		check_identifier(errors, path, name);
	/* Of more than two parts, the original judges none. */
	if (!slash || strchr(slash + 1, '/'))
		return;
	if (slash == name)
		field_required(errors, path, "the domain must not be empty");
	else
		validate_csi_driver_name(errors, path, arena_strndup(errors->arena, name, (size_t)(slash - name)));
	if (!slash[1])
		field_required(errors, path, "the name must not be empty");
	else
		check_identifier(errors, path, slash + 1);
}

/* Selectors */

void validate_device_selectors(struct field_errors *errors, const struct field_path *path,
	ResourceV1DeviceSelector *const *selectors, size_t n, bool stored)
{
	for (size_t i = 0; i < n; i++) {
		const struct field_path *cel = FIELD(FIELD_INDEX(path, i), "cel");
		if (!selectors[i]->cel)
			field_required(errors, cel, "");
		else
			validate_device_expression(
				errors, FIELD(cel, "expression"), str_or_empty(selectors[i]->cel->expression), stored);
	}
	if (n > MAX_SELECTORS)
		field_too_many(errors, path, n, MAX_SELECTORS);
}

/* Configuration */

void validate_raw_object(
	struct field_errors *errors, const struct field_path *path, const RuntimeRawExtension *raw, bool stored)
{
	size_t size = raw ? raw->raw.len : 0;
	const char *text = raw ? (const char *)raw->raw.data : NULL;
	if (!size) {
		field_required(errors, path, "");
		return;
	}
	if (!stored && size > DEVICE_DATA_MAX_BYTES) {
		field_too_long(errors, path, DEVICE_DATA_MAX_BYTES);
		return;
	}
	/* It came within JSON, or out of the store, so that it is well formed. */
	struct json_reader reader;
	json_reader_init(&reader, errors->arena, text, size, 1);
	enum json_type type = json_peek(&reader);
	if (type == JSON_NULL)
		field_required(errors, path, "");
	else if (type != JSON_OBJECT)
		field_invalid(errors, path, "<value omitted>", "must be a valid JSON object");
}

void validate_device_configuration(struct field_errors *errors, const struct field_path *path,
	const ResourceV1DeviceConfiguration *config, bool stored)
{
	const struct field_path *at = FIELD(path, "opaque");
	if (!config || !config->opaque) {
		field_required(errors, at, "");
		return;
	}
	validate_csi_driver_name(errors, FIELD(at, "driver"), config->opaque->driver);
	validate_raw_object(errors, FIELD(at, "parameters"), config->opaque->parameters, stored);
}

/* DeviceClass */

static bool same_config(const ResourceV1DeviceClassSpec *a, const ResourceV1DeviceClassSpec *b)
{
	bool same = a->n_config == b->n_config;
	for (size_t i = 0; same && i < a->n_config; i++)
		same = api_equal(a->config[i], b->config[i]);
	return same;
}

static bool same_selectors(const ResourceV1DeviceClassSpec *a, const ResourceV1DeviceClassSpec *b)
{
	bool same = a->n_selectors == b->n_selectors;
	for (size_t i = 0; same && i < a->n_selectors; i++)
		same = api_equal(a->selectors[i], b->selectors[i]);
	return same;
}

static void check_class(
	struct field_errors *errors, const ResourceV1DeviceClassSpec *spec, const ResourceV1DeviceClassSpec *old)
{
	const struct field_path *path = FIELD(NULL, "spec"), *config = FIELD(path, "config");
	bool stored = old && same_config(spec, old);
	validate_device_selectors(
		errors, FIELD(path, "selectors"), spec->selectors, spec->n_selectors, old && same_selectors(spec, old));
	for (size_t i = 0; i < spec->n_config; i++)
		validate_device_configuration(
			errors, FIELD_INDEX(config, i), spec->config[i]->device_configuration, stored);
	if (spec->n_config > DEVICE_CONFIG_MAX)
		field_too_many(errors, config, spec->n_config, DEVICE_CONFIG_MAX);
	if (spec->extended_resource_name && !resource_is_extended(errors->arena, spec->extended_resource_name))
		field_invalid(errors, FIELD(path, "extendedResourceName"), spec->extended_resource_name,
			"must be a valid extended resource name");
}

void validate_device_class(struct field_errors *errors, const ResourceV1DeviceClass *class)
{
	check_class(errors, class->spec, NULL);
}

void validate_device_class_update(
	struct field_errors *errors, const ResourceV1DeviceClass *class, const ResourceV1DeviceClass *old)
{
	check_class(errors, class->spec, old->spec);
}
