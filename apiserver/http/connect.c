/*
 * The subresources that lead out of the server: log, exec, attach, portforward, and the proxies of nodes, pods and
 * services.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include "api/meta.h"
#include "apiserver/http/backend.h"
#include "apiserver/http/messages.h"
#include "apiserver/http/options.h"
#include "apiserver/http/verbs.h"
#include "apiserver/registry/private.h"
#include "apiserver/validation/field.h"
#include "base/encode.h"

/* --- pods --- */

static void add_names(struct strbuf *out, CoreV1Container *const *containers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, "%s%s", i ? " " : "", containers[i]->name);
}

static bool has_container(const CoreV1PodSpec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n_containers; i++)
		if (str_eq(spec->containers[i]->name, name))
			return true;
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (str_eq(spec->init_containers[i]->name, name))
			return true;
	for (size_t i = 0; i < spec->n_ephemeral_containers; i++)
		if (str_eq(spec->ephemeral_containers[i]->ephemeral_container_common->name, name))
			return true;
	return false;
}

static struct status *choose_container(const CoreV1Pod *pod, const char *asked, const char **ret_name)
{
	const CoreV1PodSpec *spec = pod->spec;
	const char *pod_name = pod->metadata->name;
	*ret_name = asked;
	if (!str_empty(asked)) {
		if (has_container(spec, asked))
			return NULL;
		return status_bad_request("container %s is not valid for pod %s", asked, pod_name);
	}
	if (spec->n_containers == 1) {
		*ret_name = spec->containers[0]->name;
		return NULL;
	}
	if (!spec->n_containers)
		return status_bad_request("a container name must be specified for pod %s", pod_name);
	CLEANUP(strbuf_done) struct strbuf names = STRBUF_INIT, inits = STRBUF_INIT;
	add_names(&names, spec->containers, spec->n_containers);
	add_names(&inits, spec->init_containers, spec->n_init_containers);
	if (inits.len)
		return status_bad_request(
			"a container name must be specified for pod %s, choose one of: [%s] or one of the init "
			"containers: [%s]",
			pod_name, names.buf, inits.buf);
	return status_bad_request(
		"a container name must be specified for pod %s, choose one of: [%s]", pod_name, names.buf);
}

static struct status *find_pod(struct request *request, const CoreV1Pod **ret_pod)
{
	const ProtobufCMessage *object;
	/* As in the original: memory may be a moment behind, and not know yet where the pod runs. */
	TRY(objects_get_live(
		request->objects, request->arena, &CoreV1Pod_schema, request->namespace, request->name, &object));
	*ret_pod = (const CoreV1Pod *)object;
	return (*ret_pod)->spec ? NULL : status_internal("pod %s has no spec", request->name);
}

/* Parameters that are passed on, in the names that the kubelet knows them by. */
struct parameter {
	const char *ours;
	const char *theirs;
	bool flag; /* passed as 1 when true */
};

static const struct parameter log_parameters[] = {{"follow", "follow", false}, {"previous", "previous", false},
	{"timestamps", "timestamps", false}, {"sinceSeconds", "sinceSeconds", false}, {"sinceTime", "sinceTime", false},
	{"tailLines", "tailLines", false}, {"limitBytes", "limitBytes", false}, {NULL}};
static const struct parameter stream_parameters[] = {{"stdin", "input", true}, {"stdout", "output", true},
	{"stderr", "error", true}, {"tty", "tty", true}, {"command", "command", false}, {NULL}};
static const struct parameter port_parameters[] = {{"ports", "port", false}, {NULL}};

static const char *query_for(struct exchange *exchange, const struct parameter *parameters)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (const struct parameter *p = parameters; p->ours; p++)
		for (size_t i = 0; i < exchange->n_query; i++) {
			bool on = true;
			if (strcmp(exchange->query[i].key, p->ours) != 0)
				continue;
			if (p->flag && (!str_to_bool(exchange->query[i].value, &on) || !on))
				continue;
			query_add(&out, p->theirs, p->flag ? "1" : exchange->query[i].value);
		}
	return arena_printf(exchange->arena, "%s%s", out.len ? "?" : "", out.buf);
}

/* The number of that parameter. */
static struct status *log_number(struct exchange *exchange, const char *name, bool *ret_there, int64_t *ret_value)
{
	const char *text = exchange_query(exchange, name);
	*ret_there = text != NULL;
	if (text && !str_to_int64(text, INT64_MIN, INT64_MAX, ret_value))
		return status_bad_request("strconv.ParseInt: parsing \"%s\": invalid syntax", text);
	return NULL;
}

static struct status *check_log_options(struct exchange *exchange, const char *pod)
{
	struct field_errors errors = FIELD_ERRORS_INIT(exchange->arena);
	bool has_tail, has_limit, has_since;
	int64_t tail, limit, since;
	TRY(log_number(exchange, "tailLines", &has_tail, &tail));
	TRY(log_number(exchange, "sinceSeconds", &has_since, &since));
	TRY(log_number(exchange, "limitBytes", &has_limit, &limit));
	if (has_tail && tail < 0)
		field_invalid_int(&errors, FIELD(NULL, "tailLines"), tail, "must be greater than or equal to 0");
	if (has_limit && limit < 1)
		field_invalid_int(&errors, FIELD(NULL, "limitBytes"), limit, "must be greater than 0");
	if (has_since && exchange_query(exchange, "sinceTime"))
		field_forbidden(&errors, FIELD_KEY(NULL, ""), /* as the original prints no path */
			"at most one of `sinceTime` or `sinceSeconds` may be specified");
	else if (has_since && since < 1)
		field_invalid_int(&errors, FIELD(NULL, "sinceSeconds"), since, "must be greater than 0");
	/* To choose a stream is not served by default. */
	if (exchange_query(exchange, "stream"))
		field_forbidden(&errors, FIELD(NULL, "stream"), "may not be specified");
	return field_errors_status(&errors, "", "PodLogOptions", pod);
}

static struct status *pod_log(struct exchange *exchange, struct request *request)
{
	const CoreV1Pod *pod;
	const char *container;
	struct backend backend;
	struct app *app = exchange->data;
	bool unverified;
	query_flag(exchange, "insecureSkipTLSVerifyBackend", &unverified);
	atomic_fetch_add(unverified ? &app->logs.unverified : &app->logs.verified, 1);
	TRY(check_log_options(exchange, request->name));
	TRY(find_pod(request, &pod));
	TRY(choose_container(pod, exchange_query(exchange, "container"), &container));
	if (str_empty(pod->spec->node_name)) {
		reply_bytes(exchange, 204, NULL, "", 0);
		return NULL;
	}
	TRY(backend_kubelet(app, request, pod->spec->node_name, &backend));
	if (unverified)
		backend.tls = app->kubelet_tls_unverified;
	backend.target = arena_printf(request->arena, "/containerLogs/%s/%s/%s%s", pod->metadata->namespace,
		pod->metadata->name, container, query_for(exchange, log_parameters));
	backend.about = arena_printf(request->arena, "pods/log %s", request->name);
	backend.as_messages = messages_wanted(exchange);
	struct status *s = backend_forward(exchange, &backend, "GET");
	if (s && strstr(s->message, "x509:"))
		atomic_fetch_add(&app->logs.unverifiable, 1);
	return s;
}

static struct status *pod_stream(struct exchange *exchange, struct request *request)
{
	const CoreV1Pod *pod;
	const char *container = "";
	struct backend backend;
	bool forward = str_eq(request->subresource, "portforward");
	TRY(find_pod(request, &pod));
	if (!forward)
		TRY(choose_container(pod, exchange_query(exchange, "container"), &container));
	if (str_empty(pod->spec->node_name))
		return status_bad_request("pod %s does not have a host assigned", request->name);
	TRY(backend_kubelet(exchange->data, request, pod->spec->node_name, &backend));
	const char *query = query_for(exchange, forward ? port_parameters : stream_parameters);
	if (forward)
		backend.target = arena_printf(
			request->arena, "/portForward/%s/%s%s", pod->metadata->namespace, pod->metadata->name, query);
	else
		backend.target = arena_printf(request->arena, "/%s/%s/%s/%s%s", request->subresource,
			pod->metadata->namespace, pod->metadata->name, container, query);
	if (!exchange_header(exchange, "Upgrade"))
		return status_bad_request("Upgrade request required");
	if (messages_wanted(exchange))
		return backend_translate(exchange, &backend, forward);
	return backend_tunnel(exchange, &backend);
}

/* --- proxies --- */

/* "https:name:port" → its parts; the scheme and the port may be missing. */
static struct status *split_target(
	struct request *request, const char **ret_scheme, const char **ret_name, const char **ret_port)
{
	static const char *const schemes[] = {"", "http", "https", NULL};
	char **p;
	size_t n = str_split(request->arena, request->name, ':', &p);
	*ret_scheme = n == 3 ? p[0] : "";
	*ret_name = n == 3 ? p[1] : n ? p[0] : "";
	*ret_port = n == 3 ? p[2] : n == 2 ? p[1] : "";
	if (n <= 3 && !str_empty(*ret_name) && str_in(*ret_scheme, schemes))
		return NULL;
	return status_bad_request(
		"invalid %.*s request \"%s\"", (int)strlen(request->resource) - 1, request->resource, request->name);
}

/* The path's two parts: …/NAME/proxy, and what stands behind it, with the query. */
static void split_path(struct exchange *exchange, const struct request *request, struct backend *b)
{
	/* /api/v1/[namespaces/NS/]RESOURCE/NAME/proxy: so many slashes stand before the rest. */
	int slashes = str_empty(request->namespace) ? 6 : 8;
	const char *p = exchange->raw_path;
	for (; *p; p++)
		if (*p == '/' && --slashes == 0)
			break;
	b->prefix = arena_strndup(exchange->arena, exchange->raw_path, (size_t)(p - exchange->raw_path));
	b->target = arena_printf(
		exchange->arena, "%s%s%s%s", *p ? "" : "/", p, *exchange->raw_query ? "?" : "", exchange->raw_query);
}

/* Relative links of a page at …/proxy would miss it: who reads it is sent to …/proxy/. */
static bool wants_slash(struct exchange *exchange, const struct backend *b)
{
	return str_eq(exchange->raw_path, b->prefix) &&
	       (str_eq(exchange->method, "GET") || str_eq(exchange->method, "HEAD"));
}
static void send_to_slash(struct exchange *exchange, const struct backend *b)
{
	reply_header(exchange, "Location",
		arena_printf(
			exchange->arena, "%s/%s%s", b->prefix, *exchange->raw_query ? "?" : "", exchange->raw_query));
	reply_bytes(exchange, 301, "text/plain", "", 0);
}

/* Whoever writes the status of a pod or a node must not lead us to our own machine, its neighbours, or many at once. */
static bool may_be_reached(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (str_empty(address))
		return false;
	if (inet_pton(AF_INET6, address, &v6) == 1)
		return !IN6_IS_ADDR_UNSPECIFIED(&v6) && !IN6_IS_ADDR_LOOPBACK(&v6) && !IN6_IS_ADDR_LINKLOCAL(&v6) &&
		       !IN6_IS_ADDR_MULTICAST(&v6) && !IN6_IS_ADDR_V4MAPPED(&v6);
	if (inet_pton(AF_INET, address, &v4) != 1)
		return false;
	uint32_t ip = ntohl(v4.s_addr);
	return ip && ip >> 24 != 127 && ip >> 16 != 0xa9fe && ip >> 28 != 0xe && ip != UINT32_MAX;
}

/* A name is as good as the worst of its addresses. */
static struct status *check_host(const char *host)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *all = NULL;
	char address[INET6_ADDRSTRLEN];
	if (getaddrinfo(host, NULL, &hints, &all) != 0)
		return status_bad_request("lookup %s: no such host", host);
	bool may = true;
	for (const struct addrinfo *a = all; a && may; a = a->ai_next)
		may = getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST) == 0 &&
		      may_be_reached(address);
	freeaddrinfo(all);
	return may ? NULL : status_bad_request("address not allowed");
}

/* Certificates of pods and services are nobody's that we know. */
static struct status *any_tls(struct exchange *exchange, struct backend *b)
{
	const struct tls_config config = {.insecure = true};
	TRY(tls_context_new(&config, TLS_CLIENT, &b->tls));
	arena_defer(exchange->arena, (void (*)(void *))tls_context_unref, b->tls);
	return NULL;
}

/* The kubelet is told who we are; another port of the node is none of our business (node/strategy.go). */
static struct status *node_backend(struct exchange *exchange, struct request *request, const char *scheme,
	const char *name, const char *port, struct backend *b)
{
	int64_t number;
	TRY(backend_kubelet(exchange->data, request, name, b));
	TRY(check_host(b->host));
	if (!str_to_int64(port, 1, 65535, &number) || number == b->port)
		return NULL;
	b->port = (uint16_t)number;
	b->tls = NULL;
	return str_eq(scheme, "https") ? any_tls(exchange, b) : NULL;
}

static struct status *pod_backend(struct request *request, const char *name, const char *port, struct backend *b)
{
	const CoreV1Pod *pod;
	request->name = name;
	TRY(find_pod(request, &pod));
	int64_t number = 0;
	if (str_empty(port)) {
		for (size_t i = 0; !number && i < pod->spec->n_containers; i++)
			if (pod->spec->containers[i]->n_ports)
				number = pod->spec->containers[i]->ports[0]->container_port;
	} else if (!str_to_int64(port, 1, 65535, &number)) {
		return status_bad_request("invalid port %s", port);
	}
	if (!pod->status || !may_be_reached(pod->status->pod_ip))
		return status_bad_request("address not allowed");
	b->host = pod->status->pod_ip;
	b->port = (uint16_t)(number ? number : 80);
	return NULL;
}

/* Requests go to pods only: an address that somebody wrote by hand may be anything. */
static bool is_pod(struct request *request, const CoreV1EndpointAddress *address)
{
	const ProtobufCMessage *object;
	const CoreV1ObjectReference *target = address->target_ref;
	if (!target || !str_eq(target->namespace, request->namespace))
		return false;
	struct status *status = objects_get(request->objects, request->arena, &CoreV1Pod_schema, target->namespace,
		str_or_empty(target->name), &object);
	if (status) {
		status_drop(status, "then another address answers");
		return false;
	}
	const CoreV1PodStatus *pod = ((const CoreV1Pod *)object)->status;
	for (size_t i = 0; pod && i < pod->n_pod_ips; i++)
		if (str_eq(pod->pod_ips[i]->ip, address->ip))
			return true;
	return false;
}

/* The name of the Service's port; a number that the Service has not is an error. */
static struct status *service_port_name(
	struct request *request, const char *name, const char *port, const char **ret_name)
{
	const ProtobufCMessage *object;
	int64_t number;
	*ret_name = port;
	if (!str_to_int64(port, INT64_MIN, INT64_MAX, &number))
		return NULL;
	TRY(objects_get_live(
		request->objects, request->arena, &CoreV1Service_schema, request->namespace, name, &object));
	const CoreV1ServiceSpec *spec = ((const CoreV1Service *)object)->spec;
	for (size_t i = 0; spec && i < spec->n_ports; i++)
		if (spec->ports[i]->port == number) {
			*ret_name = str_or_empty(spec->ports[i]->name);
			return NULL;
		}
	return status_new(STATUS_UNAVAILABLE, "no service port %lld found for service \"%s\"", (long long)number, name);
}

/* A pod among the addresses of a subset that has the port, from a random one on. */
static bool subset_backend(
	struct request *request, const CoreV1EndpointSubset *subset, const char *port, struct backend *b)
{
	const CoreV1EndpointPort *found = NULL;
	for (size_t i = 0; !found && i < subset->n_ports; i++)
		if (str_eq(str_or_empty(subset->ports[i]->name), port))
			found = subset->ports[i];
	const size_t n = found ? subset->n_addresses : 0, first = n ? random_below((uint32_t)n) : 0;
	for (size_t i = 0; i < n; i++) {
		const CoreV1EndpointAddress *address = subset->addresses[(first + i) % n];
		if (!is_pod(request, address))
			continue;
		b->host = address->ip;
		b->port = (uint16_t)found->port;
		return true;
	}
	return false;
}

/* Any ready pod behind the Service's port, by its Endpoints (core/service/storage, ResourceLocation). */
static struct status *service_backend(struct request *request, const char *name, const char *port, struct backend *b)
{
	const ProtobufCMessage *object;
	TRY(service_port_name(request, name, port, &port));
	TRY(request_needs(request, &CoreV1Endpoints_schema, request->namespace, name, &object));
	const CoreV1Endpoints *endpoints = (const CoreV1Endpoints *)object;
	const size_t n = endpoints->n_subsets, first = n ? random_below((uint32_t)n) : 0;
	for (size_t i = 0; i < n; i++)
		if (subset_backend(request, endpoints->subsets[(first + i) % n], port, b))
			return NULL;
	/* Where there are some, the whole of what was asked for is named: "https:web:443". */
	return status_new(STATUS_UNAVAILABLE, "no endpoints available for service \"%s\"", n ? request->name : name);
}

static struct status *proxy(struct exchange *exchange, struct request *request)
{
	struct backend b = {0};
	const char *scheme, *name, *port;
	TRY(split_target(request, &scheme, &name, &port));
	if (str_eq(request->resource, "nodes")) {
		TRY(node_backend(exchange, request, scheme, name, port, &b));
	} else {
		bool pod = str_eq(request->resource, "pods");
		TRY(pod ? pod_backend(request, name, port, &b) : service_backend(request, name, port, &b));
		if (str_eq(scheme, "https"))
			TRY(any_tls(exchange, &b));
	}
	split_path(exchange, request, &b);
	if (exchange_header(exchange, "Upgrade"))
		return backend_tunnel(exchange, &b);
	if (wants_slash(exchange, &b)) {
		send_to_slash(exchange, &b);
		return NULL;
	}
	return backend_forward(exchange, &b, NULL);
}

static bool takes_method(const struct request *request)
{
	static const char *const proxied[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};
	if (str_eq(request->subresource, "proxy"))
		return str_in(request->method, proxied);
	if (str_eq(request->method, "GET"))
		return true;
	return str_eq(request->method, "POST") && !str_eq(request->subresource, "log");
}

struct status *verb_connect(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	const bool proxies = str_eq(request->subresource, "proxy");
	if (!proxies && strcmp(request->resource, "pods") != 0)
		return status_unknown_path();
	if (!takes_method(request))
		return status_not_allowed();
	if (str_eq(request->subresource, "log"))
		return pod_log(exchange, request);
	/* Whatever is behind it would not only try. */
	if (exchange_query(exchange, "dryRun"))
		return status_bad_request("dryRun is not supported");
	TRY(admit(request, ADMISSION_CONNECT, NULL, NULL, NULL, false));
	TRY(admit(request, ADMISSION_CONNECT, NULL, NULL, NULL, true));
	if (proxies)
		return proxy(exchange, request);
	return pod_stream(exchange, request);
}
