#include <inttypes.h>
#include "api/meta.h"
#include "api/tree.h"
#include "apiserver/authn/internal.h"
#include "apiserver/validation/meta.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	MAX_KEY_FILE = 1 << 20,
	MIN_EXPIRATION_S = 600,
	POD_TOKEN_S = 3607,	      /* what the kubelet's projected tokens ask for */
	EXTENDED_S = 365 * 24 * 3600, /* what they get, so that old clients that never reload go on working */
};

static struct status *add_keys(struct authn *authn, const char *path)
{
	CLEANUP_FREE char *pem = NULL;
	size_t size, n = 0;
	struct pki_key **keys = NULL;
	TRY(io_read_file(path, MAX_KEY_FILE, &pem, &size));
	TRY(status_wrap(pki_keys_parse(pem, size, &keys, &n), "%s", path));
	authn->public_keys = mem_realloc(authn->public_keys, (authn->n_public_keys + n) * sizeof(*keys));
	for (size_t i = 0; i < n; i++)
		authn->public_keys[authn->n_public_keys++] = keys[i];
	free(keys);
	return NULL;
}

static void make_documents(struct authn *authn)
{
	const struct authn_options *o = &authn->options;
	CLEANUP(strbuf_done) struct strbuf keys = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf algorithms = STRBUF_INIT;
	strbuf_adds(&keys, "{\"keys\":[");
	for (size_t i = 0; i < authn->n_public_keys; i++) {
		const char *algorithm = pki_key_jws_algorithm(authn->public_keys[i]);
		strbuf_printf(&keys, "%s%s", i ? "," : "", pki_key_jwk(authn->arena, authn->public_keys[i]));
		if (algorithm && !strstr(algorithms.buf, algorithm))
			strbuf_printf(&algorithms, "%s\"%s\"", algorithms.len ? "," : "", algorithm);
	}
	strbuf_adds(&keys, "]}");
	authn->jwks = arena_strdup(authn->arena, keys.buf);
	const char *issuer = o->service_account_issuer.n_items ? o->service_account_issuer.items[0] : "";
	const char *uri = o->service_account_jwks_uri;
	if (str_empty(uri))
		uri = arena_printf(authn->arena, "%s/openid/v1/jwks", issuer);
	authn->openid_configuration = arena_printf(authn->arena,
		"{\"issuer\":\"%s\",\"jwks_uri\":\"%s\",\"response_types_supported\":[\"id_token\"],"
		"\"subject_types_supported\":[\"public\"],\"id_token_signing_alg_values_supported\":[%s]}",
		issuer, uri, algorithms.buf);
}

struct status *authn_load_service_account_keys(struct authn *authn)
{
	const struct authn_options *o = &authn->options;
	for (size_t i = 0; i < o->service_account_key_file.n_items; i++)
		TRY(add_keys(authn, o->service_account_key_file.items[i]));
	if (!o->service_account_key_file.n_items && !str_empty(o->tls_private_key_file))
		TRY(add_keys(authn, o->tls_private_key_file));
	if (!str_empty(o->service_account_signing_key_file)) {
		CLEANUP_FREE char *pem = NULL;
		size_t size;
		TRY(io_read_file(o->service_account_signing_key_file, MAX_KEY_FILE, &pem, &size));
		TRY(status_wrap(
			pki_key_parse(pem, size, &authn->signing_key), "%s", o->service_account_signing_key_file));
		if (!pki_key_is_private(authn->signing_key))
			return status_bad_request("%s: holds no private key", o->service_account_signing_key_file);
	}
	if (authn->signing_key && o->service_account_issuer.n_items)
		make_documents(authn);
	return NULL;
}

/* What a token is bound to: names and UIDs for the claims. */
struct binding {
	const char *pod, *pod_uid;
	const char *secret, *secret_uid;
	const char *node, *node_uid;
};

static struct status *bind_pod(struct authn *authn, struct arena *arena, const CoreV1ServiceAccount *account,
	const AuthenticationV1BoundObjectReference *ref, struct binding *ret)
{
	const ProtobufCMessage *object;
	const char *namespace = object_namespace(account);
	TRY(objects_get_live(authn->objects, arena, &CoreV1Pod_schema, namespace, ref->name, &object));
	const CoreV1Pod *pod = (const CoreV1Pod *)object;
	if (!pod->spec || !str_eq(object_name(account), pod->spec->service_account_name))
		return status_bad_request("cannot bind token for serviceaccount \"%s\" to pod running with different "
					  "serviceaccount name.",
			object_name(account));
	ret->pod = object_name(pod);
	ret->pod_uid = object_uid(pod);
	if (str_empty(pod->spec->node_name))
		return NULL;
	ret->node = pod->spec->node_name;
	const ProtobufCMessage *node = NULL;
	struct status *s = objects_get(authn->objects, arena, &CoreV1Node_schema, "", pod->spec->node_name, &node);
	if (s)
		status_drop(s, "a node that is gone is still named");
	else
		ret->node_uid = object_uid(node);
	return NULL;
}

static struct status *bind(struct authn *authn, struct arena *arena, const CoreV1ServiceAccount *account,
	const AuthenticationV1BoundObjectReference *ref, struct binding *ret)
{
	const ProtobufCMessage *object;
	const char *uid, *namespace = object_namespace(account);
	/* The group counts, whatever the version. */
	bool core = !strchr(ref->api_version, '/');
	if (core && str_in(ref->kind, (const char *const[]){"Pod", "Node", "Secret", NULL}))
		TRY(str_empty(ref->name) ? status_bad_request("Name parameter required.")
					 : check_name_parameter(arena, ref->name));
	if (core && str_eq(ref->kind, "Pod")) {
		TRY(bind_pod(authn, arena, account, ref, ret));
		uid = ret->pod_uid;
	} else if (core && str_eq(ref->kind, "Node")) {
		TRY(objects_get_live(authn->objects, arena, &CoreV1Node_schema, "", ref->name, &object));
		ret->node = object_name(object);
		uid = ret->node_uid = object_uid(object);
	} else if (core && str_eq(ref->kind, "Secret")) {
		TRY(objects_get_live(authn->objects, arena, &CoreV1Secret_schema, namespace, ref->name, &object));
		ret->secret = object_name(object);
		uid = ret->secret_uid = object_uid(object);
	} else {
		return status_bad_request("cannot bind token to object of type %s%s, Kind=%s", core ? "/" : "",
			ref->api_version, ref->kind);
	}
	if (!str_empty(ref->uid) && !str_eq(ref->uid, uid))
		return status_details(
			status_new(STATUS_CONFLICT,
				"Operation cannot be fulfilled on %s \"%s\": the UID in the bound object reference "
				"(%s) does not match "
				"the UID in record. The object might have been deleted and then recreated",
				ref->kind, ref->name, ref->uid),
			"", ref->kind, ref->name);
	return NULL;
}

static void add_ref(struct arena *arena, cJSON *claims, const char *member, const char *name, const char *uid)
{
	if (str_empty(name))
		return;
	cJSON *ref = tree_new_object(arena);
	tree_set_string(arena, ref, "name", name);
	if (!str_empty(uid))
		tree_set_string(arena, ref, "uid", uid);
	tree_set(arena, claims, member, ref);
}

/* Members in the order of their names, as the original's merged map is written. */
static char *make_claims(struct authn *authn, struct arena *arena, const CoreV1ServiceAccount *account,
	const AuthenticationV1TokenRequestSpec *spec, const struct binding *binding, int64_t now_s)
{
	int64_t expires_s = spec->expiration_seconds, warn_after_s = 0;
	bool own = true;
	for (size_t i = 0; i < spec->n_audiences; i++)
		own &= str_in_n(spec->audiences[i], authn->audiences, authn->n_audiences);
	if (authn->options.service_account_extend_token_expiration && binding->pod && expires_s == POD_TOKEN_S && own) {
		warn_after_s = expires_s;
		expires_s = EXTENDED_S;
	}
	const char *namespace = object_namespace(account), *name = object_name(account);
	cJSON *claims = tree_new_object(arena), *audiences = tree_new_array(arena), *k8s = tree_new_object(arena);
	for (size_t i = 0; i < spec->n_audiences; i++)
		tree_append(audiences, tree_new_string(arena, spec->audiences[i]));
	tree_set(arena, claims, "aud", audiences);
	tree_set(arena, claims, "exp", tree_new_int(arena, now_s + expires_s));
	tree_set(arena, claims, "iat", tree_new_int(arena, now_s));
	tree_set_string(arena, claims, "iss", authn->options.service_account_issuer.items[0]);
	char id[37];
	uuid_generate(id);
	tree_set_string(arena, claims, "jti", id);
	tree_set_string(arena, k8s, "namespace", namespace);
	add_ref(arena, k8s, "node", binding->node, binding->node_uid);
	add_ref(arena, k8s, "pod", binding->pod, binding->pod_uid);
	add_ref(arena, k8s, "secret", binding->secret, binding->secret_uid);
	add_ref(arena, k8s, "serviceaccount", name, object_uid(account));
	if (warn_after_s)
		tree_set(arena, k8s, "warnafter", tree_new_int(arena, now_s + warn_after_s));
	tree_set(arena, claims, "kubernetes.io", k8s);
	tree_set(arena, claims, "nbf", tree_new_int(arena, now_s));
	tree_set_string(arena, claims, "sub", service_account_user_name(arena, namespace, name));
	return tree_to_string(arena, claims, 0);
}

static struct status *check_spec(struct arena *arena, const AuthenticationV1TokenRequestSpec *spec)
{
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	const struct field_path *path = FIELD(NULL, "spec");
	if (spec->expiration_seconds < MIN_EXPIRATION_S)
		field_invalid_int(&errors, FIELD(path, "expirationSeconds"), spec->expiration_seconds,
			"may not specify a duration less than 10 minutes");
	if (spec->expiration_seconds > (INT64_C(1) << 32))
		field_invalid_int(&errors, FIELD(path, "expirationSeconds"), spec->expiration_seconds,
			"may not specify a duration larger than 2^32 seconds");
	return field_errors_status(&errors, "authentication.k8s.io", "TokenRequest", "");
}

static struct status *check_meta(struct arena *arena, const CoreV1ServiceAccount *account, MetaV1ObjectMeta *meta)
{
	if (!str_empty(meta->uid) && !str_eq(meta->uid, object_uid(account)))
		return status_details(status_new(STATUS_CONFLICT,
					      "Operation cannot be fulfilled on "
					      "TokenRequest.authentication.k8s.io \"%s\": the UID in the "
					      "token request "
					      "(%s) does not match the UID of the service account (%s)",
					      object_name(account), meta->uid, object_uid(account)),
			"authentication.k8s.io", "TokenRequest", object_name(account));
	meta->name = arena_strdup(arena, object_name(account));
	meta->namespace = arena_strdup(arena, object_namespace(account));
	meta->uid = arena_strdup(arena, object_uid(account));
	return NULL;
}

struct status *authn_issue_token(struct authn *authn, struct arena *arena, const CoreV1ServiceAccount *account,
	AuthenticationV1TokenRequest *request, const char **ret_warning)
{
	*ret_warning = NULL;
	if (!authn->signing_key || !authn->options.service_account_issuer.n_items)
		return status_new(STATUS_NOT_FOUND, "the server could not find the requested resource");
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, request);
	AuthenticationV1TokenRequestSpec *spec = ENSURE(arena, request->spec, AuthenticationV1TokenRequestSpec);
	TRY(check_meta(arena, account, meta));
	if (!spec->has_expiration_seconds) {
		spec->has_expiration_seconds = true;
		spec->expiration_seconds = 3600;
	}
	if (!spec->n_audiences) {
		spec->audiences = authn->audiences;
		spec->n_audiences = authn->n_audiences;
	}
	int64_t now_s = clock_wall_s(authn->clock);
	meta->creation_timestamp = time_new(arena, now_s);
	TRY(check_spec(arena, spec));
	struct binding binding = {0};
	if (spec->bound_object_ref)
		TRY(bind(authn, arena, account, spec->bound_object_ref, &binding));
	int64_t max_s = authn->options.service_account_max_token_expiration_ms / 1000;
	if (max_s > 0 && spec->expiration_seconds > max_s) {
		*ret_warning = arena_printf(arena,
			"requested expiration of %" PRId64 " seconds shortened to %" PRId64 " seconds",
			spec->expiration_seconds, max_s);
		spec->expiration_seconds = max_s;
	}
	request->status = API_NEW(arena, AuthenticationV1TokenRequestStatus);
	char *claims = make_claims(authn, arena, account, spec, &binding, now_s);
	TRY(jwt_sign(arena, authn->signing_key, claims, &request->status->token));
	request->status->expiration_timestamp = time_new(arena, now_s + spec->expiration_seconds);
	return NULL;
}
