#include "api/meta.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/network/networking.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"
enum { MAX_CONTROLLER = 250 };

/* What an update takes because the object was so before. */
struct leniency {
	bool secret_names, wildcard_rules;
	bool service_names; /* labels that begin with a digit */
};

/* A host of a rule or certificate: a subdomain, or "*." and one. */
static const char *check_host(struct arena *arena, const char *host)
{
	static const char wildcard[] =
		"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
		"consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character "
		"(e.g. '*.example.com', regex used for validation is "
		"'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
	if (!strchr(host, '*'))
		return check_dns_subdomain(arena, host);
	bool good = str_starts_with(host, "*.") && !check_dns_subdomain(arena, host + 2);
	bool long_ = strlen(host) > 253;
	if (long_)
		return good ? "must be no more than 253 characters"
			    : arena_printf(arena, "must be no more than 253 characters; %s", wildcard);
	return good ? NULL : wildcard;
}

/* group, kind and name of an object in the same namespace. */
static void check_reference(struct field_errors *errors, const struct field_path *path, const char *group,
	const char *kind, const char *name)
{
	if (group)
		validate_text(errors, FIELD(path, "apiGroup"), group, check_dns_subdomain(errors->arena, group));
	if (str_empty(kind))
		field_required(errors, FIELD(path, "kind"), "");
	else
		validate_text(errors, FIELD(path, "kind"), kind, name_is_path_segment(errors->arena, kind, false));
	if (str_empty(name))
		field_required(errors, FIELD(path, "name"), "");
	else
		validate_text(errors, FIELD(path, "name"), name, name_is_path_segment(errors->arena, name, false));
}

static void check_service(struct field_errors *errors, const struct field_path *path,
	const NetworkingV1IngressServiceBackend *service, const struct leniency *leniency)
{
	const struct field_path *at = FIELD(path, "service"), *port = FIELD(at, "port");
	const char *name = service->port ? str_or_empty(service->port->name) : "";
	int32_t number = service->port ? service->port->number : 0;
	if (str_empty(service->name))
		field_required(errors, FIELD(at, "name"), "");
	else
		validate_text(errors, FIELD(at, "name"), service->name,
			leniency->service_names ? check_dns_label(errors->arena, service->name)
						: check_dns_1035_label(errors->arena, service->name));
	if (*name && number)
		field_invalid(errors, path, "", "cannot set both port name & port number");
	else if (*name)
		validate_text(errors, FIELD(port, "name"), name, check_port_name(errors->arena, name));
	else if (!number)
		field_required(errors, path, "port name or number is required");
	else if (check_port_number(number))
		field_invalid_int(errors, FIELD(port, "number"), number, check_port_number(number));
}

static void check_backend(struct field_errors *errors, const struct field_path *path,
	const NetworkingV1IngressBackend *b, const struct leniency *leniency)
{
	const CoreV1TypedLocalObjectReference *resource = b ? b->resource : NULL;
	if (resource && b->service)
		field_invalid(errors, path, "", "cannot set both resource and service backends");
	else if (resource)
		check_reference(errors, FIELD(path, "resource"), resource->api_group, resource->kind, resource->name);
	else if (b && b->service)
		check_service(errors, path, b->service, leniency);
	else
		field_invalid(errors, path, "", "resource or service backend is required");
}

/* Paths that are compared piece by piece must have one spelling. */
static void check_exact_path(struct field_errors *errors, const struct field_path *path, const char *value)
{
	static const char *const within[] = {"//", "/./", "/../", "%2f", "%2F", NULL};
	static const char *const ends[] = {"/..", "/.", NULL};
	for (size_t i = 0; within[i]; i++)
		if (strstr(value, within[i]))
			field_invalid(
				errors, path, value, arena_printf(errors->arena, "must not contain '%s'", within[i]));
	for (size_t i = 0; ends[i]; i++)
		if (str_ends_with(value, ends[i]))
			field_invalid(
				errors, path, value, arena_printf(errors->arena, "cannot end with '%s'", ends[i]));
}

static void check_path(struct field_errors *errors, const struct field_path *path, const NetworkingV1HTTPIngressPath *p,
	const struct leniency *leniency)
{
	static const char *const types[] = {"Exact", "ImplementationSpecific", "Prefix", NULL};
	const char *value = str_or_empty(p->path);
	const struct field_path *at = FIELD(path, "path");
	bool exact = str_eq(p->path_type, "Exact") || str_eq(p->path_type, "Prefix");
	if (!p->path_type) {
		field_required(errors, FIELD(path, "pathType"), "pathType must be specified");
		return;
	}
	if (!str_in(p->path_type, types))
		field_unsupported(errors, FIELD(path, "pathType"), p->path_type, types);
	else if (*value != '/' && (exact || *value))
		field_invalid(errors, at, value, "must be an absolute path");
	if (exact)
		check_exact_path(errors, at, value);
	check_backend(errors, FIELD(path, "backend"), p->backend, leniency);
}

static void check_rule_value(struct field_errors *errors, const struct field_path *path,
	const NetworkingV1IngressRule *rule, const struct leniency *leniency)
{
	const NetworkingV1HTTPIngressRuleValue *http = rule->ingress_rule_value ? rule->ingress_rule_value->http : NULL;
	const struct field_path *at = FIELD(FIELD(path, "http"), "paths");
	if (!http)
		return;
	if (!http->n_paths)
		field_required(errors, at, "");
	for (size_t i = 0; i < http->n_paths; i++)
		check_path(errors, FIELD_INDEX(at, i), http->paths[i], leniency);
}

static void check_rule(struct field_errors *errors, const struct field_path *path, const NetworkingV1IngressRule *rule,
	const struct leniency *leniency)
{
	const char *host = str_or_empty(rule->host);
	if (*host && !check_ip(errors->arena, host))
		field_invalid(errors, FIELD(path, "host"), host, "must be a DNS name, not an IP address");
	if (*host)
		validate_text(errors, FIELD(path, "host"), host, check_host(errors->arena, host));
	if (!strchr(host, '*') || !leniency->wildcard_rules)
		check_rule_value(errors, path, rule, leniency);
}

static void check_tls(struct field_errors *errors, const struct field_path *path, const NetworkingV1IngressTLS *tls,
	const struct leniency *leniency)
{
	for (size_t i = 0; i < tls->n_hosts; i++)
		validate_text(errors, FIELD_INDEX(FIELD(path, "hosts"), i), tls->hosts[i],
			check_host(errors->arena, tls->hosts[i]));
	if (!leniency->secret_names && !str_empty(tls->secret_name))
		validate_text(errors, FIELD(path, "secretName"), tls->secret_name,
			check_dns_subdomain(errors->arena, tls->secret_name));
}

static void check_spec(
	struct field_errors *errors, const NetworkingV1IngressSpec *spec, const struct leniency *leniency)
{
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec->n_rules && !spec->default_backend)
		field_invalid_json(errors, path, "null", "either `defaultBackend` or `rules` must be specified");
	if (spec->default_backend)
		check_backend(errors, FIELD(path, "defaultBackend"), spec->default_backend, leniency);
	for (size_t i = 0; i < spec->n_rules; i++)
		check_rule(errors, FIELD_INDEX(FIELD(path, "rules"), i), spec->rules[i], leniency);
	for (size_t i = 0; i < spec->n_tls; i++)
		check_tls(errors, FIELD_INDEX(FIELD(path, "tls"), i), spec->tls[i], leniency);
	if (spec->ingress_class_name)
		validate_text(errors, FIELD(path, "ingressClassName"), spec->ingress_class_name,
			check_dns_subdomain(errors->arena, spec->ingress_class_name));
}

void validate_ingress(struct field_errors *errors, const NetworkingV1Ingress *ingress)
{
	const char *named = meta_annotation(ingress->metadata, CLASS_ANNOTATION);
	check_spec(errors, ingress->spec, &(struct leniency){.secret_names = false});
	if (named && ingress->spec->ingress_class_name && !str_eq(named, ingress->spec->ingress_class_name))
		field_invalid(errors, FIELD(FIELD(NULL, "annotations"), CLASS_ANNOTATION), named,
			"must match `ingressClassName` when both are specified");
}

static bool has_service_by_digit(struct arena *arena, const NetworkingV1IngressRule *rule)
{
	const NetworkingV1HTTPIngressRuleValue *http = rule->ingress_rule_value ? rule->ingress_rule_value->http : NULL;
	for (size_t i = 0; http && i < http->n_paths; i++) {
		const NetworkingV1IngressBackend *b = http->paths[i]->backend;
		const char *name = b && b->service ? str_or_empty(b->service->name) : "";
		if (*name && check_dns_1035_label(arena, name) && !check_dns_label(arena, name))
			return true;
	}
	return false;
}

static struct leniency leniency_of(struct arena *arena, const NetworkingV1IngressSpec *old)
{
	struct leniency l = {.secret_names = false}, strict = l;
	for (size_t i = 0; old && i < old->n_tls; i++)
		l.secret_names |=
			!str_empty(old->tls[i]->secret_name) && check_dns_subdomain(arena, old->tls[i]->secret_name);
	for (size_t i = 0; old && i < old->n_rules; i++) {
		struct field_errors found = FIELD_ERRORS_INIT(arena);
		l.service_names |= has_service_by_digit(arena, old->rules[i]);
		if (!strchr(str_or_empty(old->rules[i]->host), '*'))
			continue;
		check_rule_value(&found, NULL, old->rules[i], &strict);
		l.wildcard_rules |= found.n_items > 0;
	}
	return l;
}

void validate_ingress_update(
	struct field_errors *errors, const NetworkingV1Ingress *ingress, const NetworkingV1Ingress *old)
{
	struct leniency leniency = leniency_of(errors->arena, old->spec);
	check_spec(errors, ingress->spec, &leniency);
}

void validate_ingress_status(
	struct field_errors *errors, const NetworkingV1Ingress *ingress, const NetworkingV1Ingress *old)
{
	const NetworkingV1IngressLoadBalancerStatus *now = ingress->status ? ingress->status->load_balancer : NULL,
						    *was = old->status ? old->status->load_balancer : NULL;
	struct nameset known = {.arena = errors->arena};
	for (size_t k = 0; was && k < was->n_ingress; k++)
		nameset_add(&known, was->ingress[k]->ip);
	for (size_t i = 0; now && i < now->n_ingress; i++) {
		const NetworkingV1IngressLoadBalancerIngress *point = now->ingress[i];
		const struct field_path *at =
			FIELD_INDEX(FIELD(FIELD(FIELD(NULL, "status"), "loadBalancer"), "ingress"), i);
		if (!str_empty(point->ip) && !nameset_has(&known, point->ip))
			validate_text(errors, FIELD(at, "ip"), point->ip, check_ip(errors->arena, point->ip));
		if (str_empty(point->hostname))
			continue;
		validate_text(errors, FIELD(at, "hostname"), point->hostname,
			check_dns_subdomain(errors->arena, point->hostname));
		if (!check_ip(errors->arena, point->hostname))
			field_invalid(errors, FIELD(at, "hostname"), point->hostname,
				"must be a DNS name, not an IP address");
	}
}

void validate_domain_prefixed_path(struct field_errors *errors, const struct field_path *path, const char *name)
{
	const char *slash = strchr(name, '/');
	if (!*name) {
		field_required(errors, path, "");
		return;
	}
	if (!slash || slash == name || !slash[1]) {
		field_invalid(errors, path, name, "must be a domain-prefixed path (such as \"acme.io/foo\")");
		return;
	}
	char *host = arena_strndup(errors->arena, name, (size_t)(slash - name));
	validate_text(errors, path, host, check_dns_subdomain(errors->arena, host));
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~%!$&'()*+,;=:";
	if (slash[1 + strspn(slash + 1, allowed)])
		field_invalid(errors, path, slash + 1,
			"Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
}

void validate_ingress_class(struct field_errors *errors, const NetworkingV1IngressClass *class)
{
	static const char *const scopes[] = {"Cluster", "Namespace", NULL};
	const NetworkingV1IngressClassParametersReference *p = class->spec->parameters;
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "parameters"), *at = FIELD(path, "namespace");
	const struct field_path *controller = FIELD(FIELD(NULL, "spec"), "controller");
	if (strlen(str_or_empty(class->spec->controller)) > MAX_CONTROLLER)
		field_too_long(errors, controller, MAX_CONTROLLER);
	validate_domain_prefixed_path(errors, controller, str_or_empty(class->spec->controller));
	if (!p)
		return;
	check_reference(errors, path, p->api_group, p->kind, p->name);
	if (!p->scope)
		field_required(errors, FIELD(path, "scope"), "");
	else if (!str_in(p->scope, scopes))
		field_unsupported_json(errors, FIELD(path, "scope"), field_quote(errors->arena, p->scope), scopes);
	else if (str_eq(p->scope, "Cluster") && p->namespace)
		field_forbidden(errors, at, "`parameters.scope` is set to 'Cluster'");
	else if (str_eq(p->scope, "Namespace") && !p->namespace)
		field_required(errors, at, "`parameters.scope` is set to 'Namespace'");
	else if (str_eq(p->scope, "Namespace"))
		validate_text(errors, at, p->namespace, check_dns_label(errors->arena, p->namespace));
}

void validate_ingress_class_update(
	struct field_errors *errors, const NetworkingV1IngressClass *class, const NetworkingV1IngressClass *old)
{
	if (!str_eq(class->spec->controller, old->spec ? old->spec->controller : ""))
		field_invalid(errors, FIELD(FIELD(NULL, "spec"), "controller"), class->spec->controller,
			"field is immutable");
}
