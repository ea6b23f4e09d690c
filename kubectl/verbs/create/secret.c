#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "base/encode.h"
#include "base/io.h"
#include "kubectl/verbs/create/kinds.h"

struct secret_options {
	struct generator_options common;
	struct data_sources sources;
	bool append_hash;
	char *type, *cert, *key;
	char *docker_server, *docker_username, *docker_password, *docker_email;
};

#define S(...) OPT(struct secret_options, __VA_ARGS__)
static const struct option generic_flags[] = {
	OPT_GROUP(struct secret_options, common, generator_flags),
	OPT_GROUP(struct secret_options, sources, data_flags),
	S(append_hash, 0, "append-hash", FLAG_BOOL, "false", "Add a hash of the content to the name"),
	S(type, 0, "type", FLAG_STRING, "", "Type of the secret"),
	OPT_END,
};
static const struct option tls_flags[] = {
	OPT_GROUP(struct secret_options, common, generator_flags),
	S(append_hash, 0, "append-hash", FLAG_BOOL, "false", "Add a hash of the content to the name"),
	S(cert, 0, "cert", FLAG_STRING, "", "PEM file with the certificate"),
	S(key, 0, "key", FLAG_STRING, "", "PEM file with the certificate's key"),
	OPT_END,
};
static const struct option docker_flags[] = {
	OPT_GROUP(struct secret_options, common, generator_flags),
	S(append_hash, 0, "append-hash", FLAG_BOOL, "false", "Add a hash of the content to the name"),
	S(docker_server, 0, "docker-server", FLAG_STRING, "https://index.docker.io/v1/", "Registry"),
	S(docker_username, 0, "docker-username", FLAG_STRING, "", "User at the registry"),
	S(docker_password, 0, "docker-password", FLAG_STRING, "", "Password at the registry"),
	S(docker_email, 0, "docker-email", FLAG_STRING, "", "E-mail address at the registry"),
	S(sources.files, 0, "from-file", FLAG_STRING_ARRAY, "", "Existing .dockerconfigjson to use"),
	OPT_END,
};

static struct status *add_entry(struct kubectl *k, void *data, const char *key, const char *value, size_t size)
{
	cJSON *entries = obj_object(k->arena, data, "data");
	if (tree_get(entries, key))
		return user_error("cannot add key %s, another key by that name already exists", key);
	for (const char *c = key; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", *c))
			return user_error(
				"\"%s\" is not valid key name for a Secret a valid config key must consist of "
				"alphanumeric "
				"characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
				"regex used for "
				"validation is '[-._a-zA-Z0-9]+')",
				key);
	tree_set_string(k->arena, entries, key, base64_encode(k->arena, value, size));
	return NULL;
}

static void append_hash(struct arena *arena, cJSON *object)
{
	cJSON *hashed = tree_new_object(arena), *data = tree_get(object, "data");
	tree_set_string(arena, hashed, "kind", "Secret");
	tree_set_string(arena, hashed, "type", obj_string(object, "type"));
	tree_set_string(arena, hashed, "name", obj_name(object));
	tree_set(arena, hashed, "data", data ? tree_copy(arena, data) : tree_new_string(arena, ""));
	char *hash = config_hash(arena, tree_to_string(arena, hashed, TREE_SORTED));
	obj_set_string(arena, object, "metadata.name", arena_printf(arena, "%s-%s", obj_name(object), hash));
}

static struct status *generic_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct secret_options *o = call->options;
	*ret_object = obj_new(k->arena, "v1", "Secret", name);
	struct data_sink sink = {add_entry, *ret_object};
	TRY(read_data_sources(k, &o->sources, &sink));
	if (!str_empty(o->type))
		tree_set_string(k->arena, *ret_object, "type", o->type);
	if (o->append_hash)
		append_hash(k->arena, *ret_object);
	return NULL;
}
GENERATOR_RUN(generic)

static struct status *check_pair(const char *cert, size_t cert_size, const char *key, size_t key_size)
{
	BIO *c = BIO_new_mem_buf(cert, (int)cert_size), *p = BIO_new_mem_buf(key, (int)key_size);
	X509 *x509 = PEM_read_bio_X509(c, NULL, NULL, NULL);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(p, NULL, NULL, NULL);
	struct status *s = NULL;
	if (!x509)
		s = user_error("tls: failed to find any PEM data in certificate input");
	else if (!pkey)
		s = user_error("tls: failed to find any PEM data in key input");
	else if (X509_check_private_key(x509, pkey) != 1)
		s = user_error("tls: private key does not match public key");
	X509_free(x509);
	EVP_PKEY_free(pkey);
	BIO_free(c);
	BIO_free(p);
	return s;
}

static struct status *tls_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct secret_options *o = call->options;
	char *cert, *key;
	size_t cert_size, key_size;
	if (str_empty(o->key))
		return user_error("key must be specified");
	if (str_empty(o->cert))
		return user_error("certificate must be specified");
	TRY(read_input(k, o->cert, &cert, &cert_size));
	TRY(read_input(k, o->key, &key, &key_size));
	TRY(check_pair(cert, cert_size, key, key_size));
	*ret_object = obj_new(k->arena, "v1", "Secret", name);
	TRY(add_entry(k, *ret_object, "tls.crt", cert, cert_size));
	TRY(add_entry(k, *ret_object, "tls.key", key, key_size));
	mem_cleanse_free(key, key_size);
	free(cert);
	tree_set_string(k->arena, *ret_object, "type", "kubernetes.io/tls");
	if (o->append_hash)
		append_hash(k->arena, *ret_object);
	return NULL;
}
GENERATOR_RUN(tls)

static struct status *docker_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct secret_options *o = call->options;
	struct arena *arena = k->arena;
	*ret_object = obj_new(arena, "v1", "Secret", name);
	tree_set_string(arena, *ret_object, "type", "kubernetes.io/dockerconfigjson");
	if (o->sources.files.n_items) {
		struct data_sink sink = {add_entry, *ret_object};
		return read_data_sources(k, &o->sources, &sink);
	}
	if (str_empty(o->docker_username) || str_empty(o->docker_password) || str_empty(o->docker_server))
		return user_error("either --from-file or the combination of --docker-username, --docker-password and "
				  "--docker-server "
				  "is required");
	char *both = arena_printf(arena, "%s:%s", o->docker_username, o->docker_password);
	cJSON *root = tree_new_object(arena), *auths = obj_object(arena, root, "auths"),
	      *entry = tree_new_object(arena);
	tree_set_string(arena, entry, "username", o->docker_username);
	tree_set_string(arena, entry, "password", o->docker_password);
	if (!str_empty(o->docker_email))
		tree_set_string(arena, entry, "email", o->docker_email);
	tree_set_string(arena, entry, "auth", base64_encode(arena, both, strlen(both)));
	tree_set(arena, auths, o->docker_server, entry);
	char *text = tree_to_string(arena, root, 0);
	TRY(add_entry(k, *ret_object, ".dockerconfigjson", text, strlen(text)));
	if (o->append_hash)
		append_hash(arena, *ret_object);
	return NULL;
}
GENERATOR_RUN(docker)

static const struct command generic_command = {
	.name = "generic",
	.usage = "NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1]",
	.summary = "Create a secret from files, directories or literal values",
	.flags = generic_flags,
	.options_size = sizeof(struct secret_options),
	.run = generic_run,
};
static const struct command tls_command = {
	.name = "tls",
	.usage = "NAME --cert=path/to/cert/file --key=path/to/key/file",
	.summary = "Create a TLS secret from a certificate and its key",
	.flags = tls_flags,
	.options_size = sizeof(struct secret_options),
	.run = tls_run,
};
static const struct command docker_command = {
	.name = "docker-registry",
	.usage = "NAME --docker-username=user --docker-password=password [--docker-server=string]",
	.summary = "Create a secret for an image registry",
	.flags = docker_flags,
	.options_size = sizeof(struct secret_options),
	.run = docker_run,
};
static const struct command *const children[] = {&docker_command, &generic_command, &tls_command, NULL};
const struct command create_secret_command = {
	.name = "secret",
	.usage = "(docker-registry | generic | tls)",
	.summary = "Create a secret of one of several kinds",
	.children = children,
};
