#include "apiserver/registry/registry.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/data.h"
#include "base/str.h"
#include "pki/pki.h"

static void secret_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_secret(errors, (const CoreV1Secret *)object);
}

static void secret_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	validate_secret_update(errors, (const CoreV1Secret *)object, (const CoreV1Secret *)old);
}

static ProtobufCBinaryData data_of(const CoreV1Secret *secret, const char *key)
{
	for (size_t i = 0; i < secret->n_data; i++)
		if (str_eq(secret->data[i]->key, key))
			return secret->data[i]->value;
	return (ProtobufCBinaryData){0};
}

static void secret_warn(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const CoreV1Secret *secret = (const CoreV1Secret *)object;
	if (!str_eq(secret->type, "kubernetes.io/tls"))
		return;
	const ProtobufCBinaryData certs = data_of(secret, "tls.crt"), key = data_of(secret, "tls.key");
	const char *problem =
		pki_pair_problem(request->arena, (const char *)certs.data, certs.len, (const char *)key.data, key.len);
	if (problem)
		request_warn(request, "tls: %s", problem);
}

/* An empty type in a PUT means the type it has. */
static void secret_prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	CoreV1Secret *secret = (CoreV1Secret *)object;
	if (!secret->type || !*secret->type)
		secret->type = ((const CoreV1Secret *)old)->type;
}

const struct strategy secret_strategy = {
	.group = "",
	.resource = "secrets",
	.update_checks = {CHECK_META_CHANGE, CHECK_CHANGE, CHECK_META, CHECK_NEW},
	.validate_create = secret_create,
	.warn = secret_warn,
	.prepare_update = secret_prepare_update,
	.validate_update = secret_update,
};

static void config_map_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_config_map(errors, (const CoreV1ConfigMap *)object);
}

static void config_map_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	validate_config_map_update(errors, (const CoreV1ConfigMap *)object, (const CoreV1ConfigMap *)old);
}

const struct strategy config_map_strategy = {
	.group = "",
	.resource = "configmaps",
	.update_checks = {CHECK_META_CHANGE, CHECK_CHANGE, CHECK_META, CHECK_NEW},
	.validate_create = config_map_create,
	.validate_update = config_map_update,
};
