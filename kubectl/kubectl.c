#include "kubectl/kubectl.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/flags.h"
#include "net/url.h"

#define G(field, short_, name_, type_, def_, usage_) \
	OPT(struct global_options, field, short_, name_, type_, def_, usage_)

const struct option global_flags[] = {
	G(kubeconfig, 0, "kubeconfig", FLAG_STRING, "", "Path of the kubeconfig file to use"),
	G(context, 0, "context", FLAG_STRING, "", "Name of the kubeconfig context to use"),
	G(cluster, 0, "cluster", FLAG_STRING, "", "Name of the kubeconfig cluster to use"),
	G(user, 0, "user", FLAG_STRING, "", "Name of the kubeconfig user to use"),
	G(namespace, 'n', "namespace", FLAG_STRING, "", "Namespace to work in"),
	G(server, 's', "server", FLAG_STRING, "", "Address and port of the API server"),
	G(tls_server_name, 0, "tls-server-name", FLAG_STRING, "", "Name to expect in the server's certificate"),
	G(certificate_authority, 0, "certificate-authority", FLAG_STRING, "", "File with the authority's certificate"),
	G(client_certificate, 0, "client-certificate", FLAG_STRING, "", "File with a client certificate"),
	G(client_key, 0, "client-key", FLAG_STRING, "", "File with the client certificate's key"),
	G(token, 0, "token", FLAG_STRING, "", "Bearer token to authenticate with"),
	G(username, 0, "username", FLAG_STRING, "", "User name for basic authentication"),
	G(password, 0, "password", FLAG_STRING, "", "Password for basic authentication"),
	G(as, 0, "as", FLAG_STRING, "", "User to impersonate"),
	G(as_uid, 0, "as-uid", FLAG_STRING, "", "UID to impersonate"),
	G(as_group, 0, "as-group", FLAG_STRING_ARRAY, "", "Group to impersonate; may be repeated"),
	G(ignored, 0, "as-user-extra", FLAG_STRING, "", "Extra attribute to impersonate as key=value"),
	G(cache_dir, 0, "cache-dir", FLAG_STRING, "", "Directory for cached discovery"),
	G(request_timeout, 0, "request-timeout", FLAG_STRING, "0", "How long to wait for one request; 0 is for ever"),
	G(insecure, 0, "insecure-skip-tls-verify", FLAG_BOOL, "false", "Do not verify the server's certificate"),
	G(disable_compression, 0, "disable-compression", FLAG_BOOL, "false", "Do not ask for compressed answers"),
	G(match_server_version, 0, "match-server-version", FLAG_BOOL, "false",
		"Require the server's version to be ours"),
	G(warnings_as_errors, 0, "warnings-as-errors", FLAG_BOOL, "false", "Fail if the server sends a warning"),
	G(verbosity, 'v', "v", FLAG_INT, "0", "Verbosity of the log"),
	G(ignored, 0, "vmodule", FLAG_STRING, "", "Accepted without effect"),
	G(ignored, 0, "log-flush-frequency", FLAG_STRING, "5s", "Accepted without effect"),
	G(ignored, 0, "profile", FLAG_STRING, "none", "Accepted without effect"),
	G(ignored, 0, "profile-output", FLAG_STRING, "profile.pprof", "Accepted without effect"),
	G(ignored, 0, "kuberc", FLAG_STRING, "", "Accepted without effect"),
	OPT_END,
};

static struct status *parse_timeout(const char *text, int *ret_ms)
{
	int64_t number, ns;
	*ret_ms = 0;
	if (str_to_int64(text, 0, INT32_MAX / 1000, &number)) {
		*ret_ms = (int)number * 1000;
		return NULL;
	}
	if (!duration_parse(text, &ns))
		return user_error(
			"Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by "
			"a corresponding time unit (e.g. 1s | 2m | 3h)");
	*ret_ms = (int)(ns / 1000000);
	return NULL;
}

struct kubeconfig_overrides kubectl_overrides(struct kubectl *k)
{
	const struct global_options *g = &k->global;
	return (struct kubeconfig_overrides){.path = g->kubeconfig,
		.context = g->context,
		.cluster = g->cluster,
		.user = g->user,
		.namespace = g->namespace,
		.server = g->server,
		.tls_server_name = g->tls_server_name,
		.certificate_authority = g->certificate_authority,
		.client_certificate = g->client_certificate,
		.client_key = g->client_key,
		.token = g->token,
		.username = g->username,
		.password = g->password,
		.as = g->as,
		.as_uid = g->as_uid,
		.as_groups = (const char *const *)g->as_group.items,
		.n_as_groups = g->as_group.n_items,
		.insecure_skip_tls_verify = g->insecure,
		.disable_compression = g->disable_compression};
}

int64_t kubectl_watch_seconds(const struct kubectl *k)
{
	return (k->config.timeout_ms + 999) / 1000;
}

static struct status *load_config(struct kubectl *k)
{
	if (k->has_config)
		return NULL;
	struct kubeconfig_overrides overrides = kubectl_overrides(k);
	TRY(parse_timeout(k->global.request_timeout, &overrides.timeout_ms));
	struct status *s = kubeconfig_load(k->arena, &overrides, &k->config, &k->namespace);
	if (s && str_empty(k->global.server)) {
		if (!strstr(s->message, "no configuration has been provided")) {
			bool context = str_starts_with(s->message, "context ") && !str_empty(k->global.context);
			struct status *named =
				status_with_code(context ? status_new(STATUS_UNKNOWN,
								   "Error in configuration: context was not found for "
								   "specified context: %s",
								   k->global.context)
							 : status_new(STATUS_UNKNOWN, "error: %s", s->message),
					SEVERAL_CODE);
			status_free(s);
			return named;
		}
		status_free(s);
		/* The original's defaults: what users see then is that nobody listens there. */
		overrides.server = "http://localhost:8080";
		s = kubeconfig_load(k->arena, &overrides, &k->config, &k->namespace);
	}
	if (s)
		return status_with_code(s, 1);
	k->config.user_agent = "kubectl/" KUBEC_VERSION " (linux/amd64)";
	k->config.json = true;
	k->config.qps = 50;
	k->config.burst = 300;
	k->has_config = true;
	return NULL;
}

struct status *kubectl_client(struct kubectl *k, struct client **ret)
{
	if (!k->client) {
		TRY(load_config(k));
		struct status *s = client_new(&k->config, clock_system(), &k->client);
		if (s)
			return status_with_code(s, 1);
	}
	*ret = k->client;
	return NULL;
}

/* The directory of one server's discovery: its host and port with everything unusual replaced. */
static char *discovery_dir(struct kubectl *k)
{
	const char *home = getenv("HOME"), *root = k->global.cache_dir;
	if (str_empty(root)) {
		root = getenv("KUBECACHEDIR");
		if (str_empty(root) && str_empty(home))
			return NULL;
		if (str_empty(root))
			root = arena_printf(k->arena, "%s/.kube/cache", home);
	}
	const char *host = strstr(k->config.host, "://");
	char *name = arena_strdup(k->arena, host ? host + 3 : k->config.host);
	for (char *c = name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-)/", *c))
			*c = '_';
	return arena_printf(k->arena, "%s/discovery/%s", root, name);
}

struct status *kubectl_discovery(struct kubectl *k, struct discovery **ret)
{
	if (!k->discovery) {
		struct client *client;
		TRY(kubectl_client(k, &client));
		TRY(discovery_new(client, discovery_dir(k), &k->discovery));
	}
	*ret = k->discovery;
	return NULL;
}

struct status *kubectl_namespace(struct kubectl *k, const char **ret)
{
	if (!str_empty(k->global.namespace)) {
		*ret = k->global.namespace;
		return NULL;
	}
	TRY(load_config(k));
	*ret = str_or(k->namespace, "default");
	return NULL;
}

struct status *status_from_server(struct status *s)
{
	if (s && s->code < SERVER_CODE)
		s->code += SERVER_CODE;
	return s;
}

static void print_invalid(const struct status *s)
{
	if (!str_empty(s->kind) || !str_empty(s->name))
		fprintf(stderr, "The %s \"%s\" is invalid", str_or_empty(s->kind), str_or_empty(s->name));
	else
		fputs("The request is invalid", stderr);
	if (!s->n_causes) {
		bool named = !str_empty(s->kind) || !str_empty(s->name);
		fprintf(stderr, "%s%s\n", named ? "" : ": ", named ? "" : s->message);
		return;
	}
	if (s->n_causes > 1)
		fputs(": \n", stderr);
	for (size_t i = 0; i < s->n_causes; i++) {
		bool seen = false;
		for (size_t j = 0; j < i; j++)
			seen |= str_eq(s->causes[i].field, s->causes[j].field) &&
				str_eq(s->causes[i].message, s->causes[j].message);
		if (!seen)
			fprintf(stderr, "%s%s: %s\n", s->n_causes > 1 ? "* " : ": ", str_or_empty(s->causes[i].field),
				s->causes[i].message);
	}
}

static void print_unreachable(struct kubectl *k, const struct status *s)
{
	if (strcasestr(s->message, "refused")) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct url url;
		CLEANUP_STATUS struct status *bad = url_parse(arena, str_or_empty(k->config.host), &url);
		fprintf(stderr,
			"The connection to the server %s was refused - did you specify the right host or port?\n",
			bad	   ? k->config.host
			: url.port ? url_host_port(arena, url.host, url.port)
				   : url.host);
		return;
	}
	fprintf(stderr, "Unable to connect to the server: %s\n", s->message);
}

void report_error(struct kubectl *k, const struct status *s)
{
	const char *reason = status_reason_name(s->reason);
	if (!*s->message && !status_is_servers(s))
		return;
	if (s->code == SEVERAL_CODE) {
		fprintf(stderr, "%s\n", s->message);
	} else if (s->reason == STATUS_INVALID && status_is_servers(s)) {
		print_invalid(s);
	} else if (s->reason == STATUS_UNAUTHORIZED) {
		fprintf(stderr, "error: You must be logged in to the server (%s)\n", s->message);
	} else if (status_is_servers(s) || s->reason == STATUS_FORBIDDEN) {
		fprintf(stderr, *reason ? "Error from server (%s): %s\n" : "Error from server%s: %s\n", reason,
			s->message);
	} else if (s->reason == STATUS_UNAVAILABLE) {
		print_unreachable(k, s);
	} else {
		fprintf(stderr, "%s%s\n", str_starts_with(s->message, "error: ") ? "" : "error: ", s->message);
	}
}

static const char *standard_message(struct strbuf *out, const struct status *s)
{
	const char *reason = status_reason_name(s->reason);
	strbuf_reset(out);
	if (status_is_servers(s))
		strbuf_printf(
			out, *reason ? "Error from server (%s): %s" : "Error from server%s: %s", reason, s->message);
	else
		strbuf_adds(out, s->message);
	return out->buf;
}

void errors_add(struct status **into, struct status *s)
{
	if (!s)
		return;
	if (!*into) {
		*into = s;
		return;
	}
	CLEANUP(strbuf_done) struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	standard_message(&a, *into);
	standard_message(&b, s);
	struct status *both = status_with_code(status_new(STATUS_UNKNOWN, "%s\n%s", a.buf, b.buf), SEVERAL_CODE);
	status_free(*into);
	status_free(s);
	*into = both;
}

int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

void sleep_ms(int64_t ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&t, &t) && errno == EINTR)
		;
}
