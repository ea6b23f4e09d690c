#include "apiserver/authz/authz.h"
#include "api/go_text.h"
#include "apiserver/authn/authn.h"
#include "apiserver/authz/internal.h"
#include "base/mem.h"
#include "base/str.h"
#include "serve/metrics.h"

struct flag *authz_flags(struct authz_options *o)
{
	const struct flag flags[] = {
		{"authorization-mode", 0, FLAG_STRINGS, &o->modes, "",
			"authorizers in order: Node, RBAC, ABAC, AlwaysAllow, AlwaysDeny", .changed = &o->modes_given},
		{"authorization-policy-file", 0, FLAG_STRING, &o->policy_file, "",
			"file of policies, one a line, for the mode ABAC"},
		{"authorization-config", 0, FLAG_STRING, &o->config_file, "",
			"file with the authorizers (AuthorizationConfiguration), instead of --authorization-mode"},
		{NULL},
	};
	return mem_dup(flags, sizeof(flags));
}

static const char *const mode_names[] = {
	[AUTHZ_MODE_NODE] = "Node",
	[AUTHZ_MODE_RBAC] = "RBAC",
	[AUTHZ_MODE_ALWAYS_ALLOW] = "AlwaysAllow",
	[AUTHZ_MODE_ALWAYS_DENY] = "AlwaysDeny",
	[AUTHZ_MODE_ABAC] = "ABAC",
};

static struct status *add_mode(struct authz *authz, const char *name, struct objects *objects)
{
	for (size_t i = 0; i < ARRAY_SIZE(mode_names); i++) {
		if (!str_eq(mode_names[i], name))
			continue;
		if (authz->n_modes == ARRAY_SIZE(authz->modes))
			return status_bad_request("authorization-mode: too many modes");
		authz->modes[authz->n_modes++] = (enum authz_mode)i;
		if (i == AUTHZ_MODE_NODE && !authz->nodes)
			authz->nodes = node_graph_new(objects);
		if (i == AUTHZ_MODE_ABAC)
			return abac_new(str_or_empty(authz->options.policy_file), &authz->abac);
		return NULL;
	}
	return status_bad_request("authorization-mode \"%s\" is not a valid mode", name);
}

struct status *authz_new(const struct authz_options *options, struct objects *objects, struct authz **ret)
{
	struct authz *authz = mem_zalloc(sizeof(*authz));
	authz->options = *options;
	/* Kept even without the mode: escalation checks and rules reviews ask it. */
	authz->rbac = rbac_new(objects);
	struct status *s = NULL;
	for (size_t i = 0; !s && i < options->modes.n_items; i++)
		s = add_mode(authz, options->modes.items[i], objects);
	if (!s && !authz->n_modes)
		s = add_mode(authz, "AlwaysAllow", objects);
	if (s) {
		authz_free(authz);
		return s;
	}
	*ret = authz;
	return NULL;
}

void authz_free(struct authz *authz)
{
	if (!authz)
		return;
	rbac_free(authz->rbac);
	node_graph_free(authz->nodes);
	abac_free(authz->abac);
	free(authz);
}

enum authz_decision authz_authorize(
	struct authz *authz, struct arena *arena, const struct authz_attributes *a, const char **ret_reason)
{
	CLEANUP(strbuf_done) struct strbuf reasons = STRBUF_INIT;
	*ret_reason = "";
	if (user_in_group(a->user, GROUP_MASTERS))
		return AUTHZ_ALLOW;
	for (size_t i = 0; i < authz->n_modes; i++) {
		const char *reason = "";
		enum authz_decision decision = AUTHZ_NO_OPINION;
		if (authz->modes[i] == AUTHZ_MODE_ALWAYS_ALLOW)
			decision = AUTHZ_ALLOW;
		else if (authz->modes[i] == AUTHZ_MODE_ALWAYS_DENY)
			reason = "Everything is forbidden.";
		else if (authz->modes[i] == AUTHZ_MODE_NODE)
			decision = node_authorize(authz->nodes, arena, a, &reason);
		else if (authz->modes[i] == AUTHZ_MODE_ABAC)
			decision = abac_authorize(authz->abac, a, &reason);
		else
			decision = rbac_authorize(authz->rbac, arena, a, &reason);
		if (decision != AUTHZ_NO_OPINION) {
			atomic_fetch_add_explicit(
				&(decision == AUTHZ_ALLOW ? authz->n_allowed : authz->n_denied)[authz->modes[i]], 1,
				memory_order_relaxed);
			*ret_reason = reason;
			return decision;
		}
		if (*reason)
			strbuf_printf(&reasons, "%s%s", reasons.len ? "\n" : "", reason);
	}
	*ret_reason = arena_strdup(arena, reasons.buf);
	return AUTHZ_NO_OPINION;
}

static void write_decisions(struct strbuf *out, enum authz_mode mode, const char *decision, uint64_t n)
{
	static const char name[] = "apiserver_authorization_decisions_total";
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	metrics_add_label(&labels, "decision", decision);
	metrics_add_label(&labels, "name", str_lower(arena, mode_names[mode]));
	metrics_add_label(&labels, "type", mode_names[mode]);
	if (n)
		metrics_write_sample(out, name, labels.buf, (double)n);
}

void authz_write_metrics(const struct authz *authz, struct strbuf *out)
{
	metrics_write_head(out, "apiserver_authorization_decisions_total", "counter",
		"Decisions that were the last word, by who made them.");
	for (enum authz_mode mode = 0; mode < AUTHZ_MODES; mode++) {
		write_decisions(out, mode, "allowed", atomic_load(&authz->n_allowed[mode]));
		write_decisions(out, mode, "denied", atomic_load(&authz->n_denied[mode]));
	}
}

/* Whose right to do what is missing, as a sentence without the reason. */
static char *describe(struct arena *arena, const struct authz_attributes *a)
{
	const char *who = go_quote(arena, a->user->name);
	if (!a->resource_request)
		return arena_printf(arena, "User %s cannot %s path %s", who, a->verb, go_quote(arena, a->path));
	const char *what = a->resource;
	if (!str_empty(a->subresource))
		what = arena_printf(arena, "%s/%s", a->resource, a->subresource);
	const char *where = str_empty(a->namespace)
				    ? " at the cluster scope"
				    : arena_printf(arena, " in the namespace %s", go_quote(arena, a->namespace));
	return arena_printf(arena, "User %s cannot %s resource %s in API group %s%s", who, a->verb,
		go_quote(arena, what), go_quote(arena, str_or_empty(a->group)), where);
}

struct status *authz_forbidden(const struct authz_attributes *a, const char *reason)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(1024);
	const char *what = "";
	if (a->resource_request && !str_empty(a->resource))
		what = arena_printf(arena, "%s%s%s %s%sis ", a->resource, str_empty(a->group) ? "" : ".",
			str_or_empty(a->group), str_empty(a->name) ? "" : go_quote(arena, a->name),
			str_empty(a->name) ? "" : " ");
	return status_details(status_new(STATUS_FORBIDDEN, "%sforbidden: %s%s%s", what, describe(arena, a),
				      str_empty(reason) ? "" : ": ", str_or_empty(reason)),
		a->group, a->resource, a->name);
}
