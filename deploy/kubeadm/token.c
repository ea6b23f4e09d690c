#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/meta.h"
#include "base/encode.h"
#include "base/str.h"
#include "client/kubeconfig.h"
#include "kubeadm.h"

enum { ID_LEN = 6, SECRET_LEN = 16, TOKEN_LEN = ID_LEN + 1 + SECRET_LEN, DEFAULT_TTL_S = 86400 };

#define SECRET_PREFIX "bootstrap-token-"
#define DEFAULT_GROUP "system:bootstrappers:kubeadm:default-node-token"

char *token_generate(struct arena *arena)
{
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char *token = arena_alloc(arena, TOKEN_LEN + 1);
	for (int i = 0; i < TOKEN_LEN; i++)
		token[i] = alphabet[random_below(sizeof(alphabet) - 1)];
	token[ID_LEN] = '.';
	token[TOKEN_LEN] = '\0';
	return token;
}

bool token_is_valid(const char *token)
{
	if (strlen(str_or_empty(token)) != TOKEN_LEN || token[ID_LEN] != '.')
		return false;
	for (int i = 0; i < TOKEN_LEN; i++)
		if (i != ID_LEN && !islower((unsigned char)token[i]) && !isdigit((unsigned char)token[i]))
			return false;
	return true;
}

static void put(struct kubeadm *k, CoreV1Secret *secret, const char *key, const char *value)
{
	MapBytesEntry *e = API_NEW(k->arena, MapBytesEntry);
	e->key = arena_strdup(k->arena, key);
	e->value = (ProtobufCBinaryData){.len = strlen(value), .data = arena_dup(k->arena, value, strlen(value))};
	ARENA_PUSH(k->arena, secret->data, secret->n_data) = e;
}

struct status *token_create(struct kubeadm *k, struct client *client, const char *token, int64_t ttl_seconds,
	const char *description, const struct flag_list *usages, const struct flag_list *groups)
{
	CoreV1Secret *secret = API_NEW(k->arena, CoreV1Secret);
	MetaV1ObjectMeta *meta = object_meta_ensure(k->arena, secret);
	char *id = arena_strndup(k->arena, token, ID_LEN);
	meta->name = arena_printf(k->arena, SECRET_PREFIX "%s", id);
	meta->namespace = "kube-system";
	secret->type = "bootstrap.kubernetes.io/token";
	put(k, secret, "token-id", id);
	put(k, secret, "token-secret", token + ID_LEN + 1);
	if (ttl_seconds)
		put(k, secret, "expiration", time_format(k->arena, clock_wall_s(k->clock) + ttl_seconds));
	if (!str_empty(description))
		put(k, secret, "description", description);
	for (size_t i = 0; i < usages->n_items; i++)
		put(k, secret, arena_printf(k->arena, "usage-bootstrap-%s", usages->items[i]), "true");
	put(k, secret, "auth-extra-groups", str_join(k->arena, groups->items, groups->n_items, ","));
	return client_create(client, k->arena, secret, NULL);
}

static char *value_of(struct kubeadm *k, const CoreV1Secret *secret, const char *key)
{
	for (size_t i = 0; i < secret->n_data; i++)
		if (str_eq(secret->data[i]->key, key))
			return arena_strndup(k->arena, (char *)secret->data[i]->value.data, secret->data[i]->value.len);
	return "";
}

struct status *token_join_command(
	struct kubeadm *k, const struct client *client, const char *kubeconfig, const char *token, char **ret_command)
{
	struct client_config config;
	CLEANUP(pki_cert_freep) struct pki_cert *ca = NULL;
	TRY(kubeconfig_load_file(k->arena, kubeconfig, NULL, &config));
	if (config.ca_data)
		TRY(pki_cert_parse(config.ca_data, config.ca_size, &ca));
	else
		TRY(certs_load_cert(k, str_or_empty(config.ca_file), &ca));
	const char *host = client_host(client);
	*ret_command = arena_printf(k->arena, "kubeadm join %s --token %s --discovery-token-ca-cert-hash %s",
		str_starts_with(host, "https://") ? host + strlen("https://") : host, token,
		pki_cert_public_key_hash(k->arena, ca));
	return NULL;
}

static struct flag_list usages, groups;
static char *kubeconfig_path, *description;
static int64_t ttl_ms;
static bool print_join_command;

static const struct flag create_flags[] = {
	{"kubeconfig", 0, FLAG_STRING, &kubeconfig_path, ADMIN_CONF, "kubeconfig of an administrator"},
	{"ttl", 0, FLAG_DURATION, &ttl_ms, "24h0m0s", "how long the token is valid; 0: for ever"},
	{"description", 0, FLAG_STRING, &description, "", "what it is for"},
	{"usages", 0, FLAG_STRINGS, &usages, "signing,authentication", "what it may be used for"},
	{"groups", 0, FLAG_STRINGS, &groups, DEFAULT_GROUP, "the groups it authenticates as"},
	{"print-join-command", 0, FLAG_BOOL, &print_join_command, "",
		"print the whole join command instead of the token"},
	{NULL},
};

struct status *run_token_create(struct kubeadm *k, int argc, char **argv)
{
	struct flag_args args;
	TRY(flags_parse(create_flags, argc, argv, &args));
	const char *token = args.n_items ? args.items[0] : token_generate(k->arena);
	if (!token_is_valid(token))
		return status_bad_request(
			"the bootstrap token \"%s\" is not of the form \"[a-z0-9]{6}.[a-z0-9]{16}\"", token);
	CLEANUP(client_freep) struct client *client = NULL;
	TRY(client_for(k, kubeconfig_path, &client));
	TRY(token_create(k, client, token, ttl_ms / 1000, description, &usages, &groups));
	if (!print_join_command) {
		puts(token);
		return NULL;
	}
	char *command;
	TRY(token_join_command(k, client, kubeconfig_path, token, &command));
	puts(command);
	return NULL;
}

struct status *run_token_generate(struct kubeadm *k, int argc, char **argv)
{
	puts(token_generate(k->arena));
	return NULL;
}

static void print_token(struct kubeadm *k, const CoreV1Secret *secret)
{
	char **used = NULL;
	size_t n_used = 0;
	const char *expires = value_of(k, secret, "expiration"), *left = "<forever>";
	int64_t until;
	int32_t nanos;
	if (!str_empty(expires) && time_parse(expires, strlen(expires), &until, &nanos))
		left = until > clock_wall_s(k->clock) ? duration_human(k->arena, until - clock_wall_s(k->clock))
						      : "<invalid>";
	static const char *const all[] = {"authentication", "signing"};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (str_eq(value_of(k, secret, arena_printf(k->arena, "usage-bootstrap-%s", all[i])), "true"))
			ARENA_PUSH(k->arena, used, n_used) = (char *)all[i];
	printf("%s.%s   %-11s %-22s %-24s %-12s %s\n", value_of(k, secret, "token-id"),
		value_of(k, secret, "token-secret"), left, str_or(expires, "<never>"),
		n_used ? str_join(k->arena, used, n_used, ",") : "<none>",
		str_or(value_of(k, secret, "description"), "<none>"), value_of(k, secret, "auth-extra-groups"));
}

static const struct flag admin_flags[] = {
	{"kubeconfig", 0, FLAG_STRING, &kubeconfig_path, ADMIN_CONF, "kubeconfig of an administrator"}, {NULL}};

struct status *run_token_list(struct kubeadm *k, int argc, char **argv)
{
	struct flag_args args;
	struct client_list list;
	CLEANUP(client_freep) struct client *client = NULL;
	TRY(flags_parse(admin_flags, argc, argv, &args));
	TRY(client_for(k, kubeconfig_path, &client));
	TRY(client_list(client, k->arena, &CoreV1Secret_schema, "kube-system",
		&(struct client_list_options){.field_selector = "type=bootstrap.kubernetes.io/token"}, &list));
	if (list.n_items)
		printf("%-25s %-11s %-22s %-24s %-12s %s\n", "TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION",
			"EXTRA GROUPS");
	for (size_t i = 0; i < list.n_items; i++)
		print_token(k, list.items[i]);
	return NULL;
}

struct status *run_token_delete(struct kubeadm *k, int argc, char **argv)
{
	struct flag_args args;
	CLEANUP(client_freep) struct client *client = NULL;
	TRY(flags_parse(admin_flags, argc, argv, &args));
	if (!args.n_items)
		return status_bad_request("token delete takes tokens or token ids");
	TRY(client_for(k, kubeconfig_path, &client));
	for (size_t i = 0; i < args.n_items; i++) {
		char *id = arena_strndup(k->arena, args.items[i], strnlen(args.items[i], ID_LEN));
		if (strlen(id) != ID_LEN || (args.items[i][ID_LEN] && !token_is_valid(args.items[i])))
			return status_bad_request("\"%s\" is neither a token nor a token id", args.items[i]);
		TRY(client_delete(client, k->arena, &CoreV1Secret_schema, "kube-system",
			arena_printf(k->arena, SECRET_PREFIX "%s", id), NULL));
		printf("bootstrap token \"%s\" deleted\n", id);
	}
	return NULL;
}
