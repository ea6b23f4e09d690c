#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/meta.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/str.h"
#include "kubeadm.h"

enum { MAX_PEM_BYTES = 1 << 20, DAY = 86400, CA_SECONDS = 3650 * DAY, CERT_SECONDS = 365 * DAY };

/* Who a certificate is for: which names its SANs hold beside the fixed ones. */
enum names { NO_NAMES, API_SERVER_NAMES, ETCD_NAMES };

/* The files of the certificate folder, CAs before what they sign (kubeadm's own layout). */
static const struct cert {
	const char *name; /* NAME.crt and NAME.key */
	const char *ca;	  /* NULL: is a CA itself */
	const char *common_name;
	const char *organization;
	unsigned usages;
	enum names names;
} certs[] = {
	{"ca", NULL, "kubernetes"},
	{"apiserver", "ca", "kube-apiserver", NULL, PKI_SERVER_AUTH, API_SERVER_NAMES},
	{"apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", "kubeadm:cluster-admins", PKI_CLIENT_AUTH},
	{"front-proxy-ca", NULL, "front-proxy-ca"},
	{"front-proxy-client", "front-proxy-ca", "front-proxy-client", NULL, PKI_CLIENT_AUTH},
	{"etcd/ca", NULL, "etcd-ca"},
	{"etcd/server", "etcd/ca", NULL, NULL, PKI_SERVER_AUTH | PKI_CLIENT_AUTH, ETCD_NAMES},
	{"etcd/peer", "etcd/ca", NULL, NULL, PKI_SERVER_AUTH | PKI_CLIENT_AUTH, ETCD_NAMES},
	{"etcd/healthcheck-client", "etcd/ca", "kube-etcd-healthcheck-client", NULL, PKI_CLIENT_AUTH},
	{"apiserver-etcd-client", "etcd/ca", "kube-apiserver-etcd-client", NULL, PKI_CLIENT_AUTH},
};

static enum pki_algorithm algorithm_of(const struct kubeadm *k)
{
	return str_starts_with(k->cluster->encryption_algorithm, "ECDSA") ? PKI_ECDSA_P256 : PKI_RSA_2048;
}

static int64_t validity(const MetaV1Duration *configured, int64_t fallback_s)
{
	return configured && configured->duration > 0 ? configured->duration / 1000000000 : fallback_s;
}

static struct status *write_pair(
	struct kubeadm *k, const char *name, const struct pki_cert *cert, const struct pki_key *key)
{
	char *crt = arena_printf(k->arena, "%s.crt", cert_path(k, name)), *cert_pem = pki_cert_pem(k->arena, cert);
	char *path = arena_printf(k->arena, "%s.key", cert_path(k, name)), *key_pem = pki_key_pem(k->arena, key);
	char *dir = arena_strndup(k->arena, crt, (size_t)(strrchr(crt, '/') - crt));
	TRY(io_mkdirs(dir, 0755));
	TRY(io_write_file(path, key_pem, strlen(key_pem), 0600));
	return io_write_file(crt, cert_pem, strlen(cert_pem), 0644);
}

struct status *certs_load_cert(struct kubeadm *k, const char *path, struct pki_cert **ret_cert)
{
	CLEANUP_FREE char *pem = NULL;
	size_t size;
	TRY(io_read_file(path, MAX_PEM_BYTES, &pem, &size));
	return status_wrap(pki_cert_parse(pem, size, ret_cert), "%s", path);
}

struct status *certs_load(struct kubeadm *k, const char *name, struct pki_cert **ret_cert, struct pki_key **ret_key)
{
	CLEANUP_FREE char *pem = NULL;
	size_t size;
	char *path = arena_printf(k->arena, "%s.key", cert_path(k, name));
	TRY(io_read_file(path, MAX_PEM_BYTES, &pem, &size));
	TRY(status_wrap(pki_key_parse(pem, size, ret_key), "%s", path));
	struct status *s = certs_load_cert(k, arena_printf(k->arena, "%s.crt", cert_path(k, name)), ret_cert);
	if (s)
		pki_key_free(*ret_key);
	else if (!pki_cert_matches_key(*ret_cert, *ret_key))
		s = status_bad_request("%s does not belong to the certificate beside it", path);
	return s;
}

static void add_name(struct arena *arena, struct pki_subject *s, const char *name)
{
	bool is_ip = strchr(name, ':') || strspn(name, "0123456789.") == strlen(name);
	char *copy = arena_strdup(arena, name);
	if (is_ip && !str_in_n(name, s->ip_addresses, s->n_ip_addresses))
		ARENA_PUSH(arena, s->ip_addresses, s->n_ip_addresses) = copy;
	else if (!is_ip && !str_in_n(name, s->dns_names, s->n_dns_names))
		ARENA_PUSH(arena, s->dns_names, s->n_dns_names) = copy;
}

static struct status *add_api_server_names(struct kubeadm *k, struct pki_subject *s)
{
	char *service_ip;
	const KubeadmV1beta4APIServer *api = k->cluster->api_server;
	TRY(config_nth_address(k->arena, k->cluster->networking->service_subnet, 1, &service_ip));
	const char *const fixed[] = {k->init->node_registration->name, "kubernetes", "kubernetes.default",
		"kubernetes.default.svc",
		arena_printf(k->arena, "kubernetes.default.svc.%s", k->cluster->networking->dns_domain), service_ip,
		k->init->local_api_endpoint->advertise_address};
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		add_name(k->arena, s, fixed[i]);
	if (!str_empty(k->cluster->control_plane_endpoint)) {
		const char *e = k->cluster->control_plane_endpoint;
		add_name(k->arena, s, arena_strndup(k->arena, e, strcspn(e, ":")));
	}
	for (size_t i = 0; i < api->n_cert_sans; i++)
		add_name(k->arena, s, api->cert_sans[i]);
	return NULL;
}

static struct status *subject_of(struct kubeadm *k, const struct cert *c, struct pki_subject *ret)
{
	*ret = (struct pki_subject){
		.common_name = c->common_name,
		.usages = c->usages | PKI_DIGITAL_SIGNATURE | PKI_KEY_ENCIPHERMENT,
	};
	if (c->organization)
		ARENA_PUSH(k->arena, ret->organizations, ret->n_organizations) =
			arena_strdup(k->arena, c->organization);
	if (c->names == API_SERVER_NAMES)
		return add_api_server_names(k, ret);
	if (c->names == ETCD_NAMES) {
		const char *const names[] = {k->init->node_registration->name, "localhost",
			k->init->local_api_endpoint->advertise_address, "127.0.0.1", "::1"};
		ret->common_name = k->init->node_registration->name;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			add_name(k->arena, ret, names[i]);
	}
	return NULL;
}

static struct status *make_ca(struct kubeadm *k, const struct cert *c)
{
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	int64_t now = clock_wall_s(k->clock);
	TRY(pki_key_generate(algorithm_of(k), &key));
	TRY(pki_cert_self_signed_ca(key, c->common_name, now - 300,
		now + validity(k->cluster->ca_certificate_validity_period, CA_SECONDS), &cert));
	printf("[certs] Generating \"%s\" certificate and key\n", c->name);
	return write_pair(k, c->name, cert, key);
}

static struct status *make_leaf(struct kubeadm *k, const struct cert *c)
{
	CLEANUP(pki_key_freep) struct pki_key *key = NULL, *ca_key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL, *ca = NULL;
	struct pki_subject subject;
	int64_t now = clock_wall_s(k->clock);
	TRY(certs_load(k, c->ca, &ca, &ca_key));
	TRY(subject_of(k, c, &subject));
	TRY(pki_key_generate(algorithm_of(k), &key));
	TRY(pki_cert_sign(ca, ca_key, key, &subject, now - 300,
		now + validity(k->cluster->certificate_validity_period, CERT_SECONDS), &cert));
	printf("[certs] Generating \"%s\" certificate and key\n", c->name);
	return write_pair(k, c->name, cert, key);
}

/* What exists is kept if it is sound; a certificate without its key is an error rather than a new CA. */
static struct status *ensure(struct kubeadm *k, const struct cert *c)
{
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	if (!io_exists(arena_printf(k->arena, "%s.crt", cert_path(k, c->name))))
		return c->ca ? make_leaf(k, c) : make_ca(k, c);
	printf("[certs] Using existing %s certificate and key\n", c->name);
	return certs_load(k, c->name, &cert, &key);
}

static struct status *ensure_service_account_key(struct kubeadm *k)
{
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	char *private_path = cert_path(k, "sa.key"), *public_path = cert_path(k, "sa.pub");
	if (io_exists(private_path) && io_exists(public_path)) {
		printf("[certs] Using the existing \"sa\" key\n");
		return NULL;
	}
	TRY(pki_key_generate(algorithm_of(k), &key));
	char *private = pki_key_pem(k->arena, key), *public = pki_key_public_pem(k->arena, key);
	printf("[certs] Generating \"sa\" key and public key\n");
	TRY(io_write_file(private_path, private, strlen(private), 0600));
	return io_write_file(public_path, public, strlen(public), 0600);
}

struct status *certs_create(struct kubeadm *k)
{
	printf("[certs] Using certificateDir folder \"%s\"\n", k->cluster->certificates_dir);
	for (size_t i = 0; i < ARRAY_SIZE(certs); i++)
		if (!(k->cluster->etcd->external && strstr(certs[i].name, "etcd")))
			TRY(status_wrap(ensure(k, &certs[i]), "[certs] %s", certs[i].name));
	return ensure_service_account_key(k);
}

struct status *certs_client(
	struct kubeadm *k, const char *common_name, const char *organization, char **ret_cert, char **ret_key)
{
	CLEANUP(pki_key_freep) struct pki_key *key = NULL, *ca_key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL, *ca = NULL;
	char *organizations[] = {(char *)organization};
	struct pki_subject subject = {
		.common_name = common_name,
		.organizations = organizations,
		.n_organizations = organization ? 1 : 0,
		.usages = PKI_CLIENT_AUTH | PKI_DIGITAL_SIGNATURE | PKI_KEY_ENCIPHERMENT,
	};
	int64_t now = clock_wall_s(k->clock);
	TRY(certs_load(k, "ca", &ca, &ca_key));
	TRY(pki_key_generate(algorithm_of(k), &key));
	TRY(pki_cert_sign(ca, ca_key, key, &subject, now - 300,
		now + validity(k->cluster->certificate_validity_period, CERT_SECONDS), &cert));
	*ret_cert = pki_cert_pem(k->arena, cert);
	*ret_key = pki_key_pem(k->arena, key);
	return NULL;
}

/* The renewed certificate keeps the subject and the names of the old one, with a new key. */
static struct status *renew(struct kubeadm *k, const struct cert *c)
{
	CLEANUP(pki_key_freep) struct pki_key *key = NULL, *ca_key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL, *ca = NULL, *old = NULL;
	struct pki_subject subject;
	int64_t now = clock_wall_s(k->clock);
	TRY(certs_load_cert(k, arena_printf(k->arena, "%s.crt", cert_path(k, c->name)), &old));
	TRY(certs_load(k, c->ca, &ca, &ca_key));
	pki_cert_subject(k->arena, old, &subject);
	TRY(pki_key_generate(algorithm_of(k), &key));
	TRY(pki_cert_sign(ca, ca_key, key, &subject, now - 300,
		now + validity(k->cluster->certificate_validity_period, CERT_SECONDS), &cert));
	TRY(write_pair(k, c->name, cert, key));
	printf("certificate %s renewed\n", c->name);
	return NULL;
}

/* The command's name for a certificate: etcd/server is etcd-server. */
static bool is_named(const struct kubeadm *k, const struct cert *c, const char *name)
{
	char *dashed = arena_strdup(k->arena, c->name), *slash = strchr(dashed, '/');
	if (slash)
		*slash = '-';
	return str_eq(dashed, name);
}

struct status *certs_renew(struct kubeadm *k, const char *name)
{
	bool all = str_eq(name, "all"), found = false;
	for (size_t i = 0; i < ARRAY_SIZE(certs); i++) {
		if (!certs[i].ca || (!all && !is_named(k, &certs[i], name)))
			continue;
		found = true;
		if (!all || io_exists(arena_printf(k->arena, "%s.crt", cert_path(k, certs[i].name))))
			TRY(renew(k, &certs[i]));
	}
	for (const char *const *f = kubeconfig_files; *f; f++) {
		if (!all && !str_eq(*f, name))
			continue;
		found = true;
		if (io_exists(arena_printf(k->arena, KUBERNETES_DIR "/%s", *f)))
			TRY(kubeconfigs_renew(k, *f));
	}
	return found ? NULL : status_bad_request("there is no certificate named \"%s\"", name);
}

static void print_row(struct kubeadm *k, const char *name, const struct pki_cert *cert)
{
	int64_t until = pki_cert_not_after_s(cert), left = until - clock_wall_s(k->clock);
	char *when = time_format(k->arena, until);
	printf("%-28s %-24s %-18s %s\n", name, when, duration_human(k->arena, left > 0 ? left : 0),
		left > 0 ? pki_cert_issuer(k->arena, cert) : "expired");
}

struct status *certs_print_expiration(struct kubeadm *k)
{
	printf("%-28s %-24s %-18s %s\n", "CERTIFICATE", "EXPIRES", "RESIDUAL TIME", "CERTIFICATE AUTHORITY");
	for (size_t i = 0; i < ARRAY_SIZE(certs); i++) {
		CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
		char *path = arena_printf(k->arena, "%s.crt", cert_path(k, certs[i].name));
		if (!io_exists(path))
			continue;
		TRY(certs_load_cert(k, path, &cert));
		print_row(k, certs[i].name, cert);
	}
	return NULL;
}

struct status *run_certs_check(struct kubeadm *k, int argc, char **argv)
{
	static char *path, *dir;
	const struct flag flags[] = {{"config", 0, FLAG_STRING, &path, "", "configuration file"},
		{"cert-dir", 0, FLAG_STRING, &dir, "", "folder of the certificates"}, {NULL}};
	struct flag_args args;
	TRY(flags_parse(flags, argc, argv, &args));
	TRY(config_read(k, path));
	TRY(config_complete(k));
	if (!str_empty(dir))
		k->cluster->certificates_dir = dir;
	return certs_print_expiration(k);
}

struct status *run_certs_renew(struct kubeadm *k, int argc, char **argv)
{
	static char *path, *dir;
	const struct flag flags[] = {{"config", 0, FLAG_STRING, &path, "", "configuration file"},
		{"cert-dir", 0, FLAG_STRING, &dir, "", "folder of the certificates"}, {NULL}};
	struct flag_args args;
	TRY(flags_parse(flags, argc, argv, &args));
	if (args.n_items != 1)
		return status_bad_request("certs renew takes the name of one certificate, or all");
	TRY(config_read(k, path));
	TRY(config_complete(k));
	if (!str_empty(dir))
		k->cluster->certificates_dir = dir;
	TRY(certs_renew(k, args.items[0]));
	puts("Restart kube-apiserver, kube-controller-manager, kube-scheduler and etcd, so that they use the new "
	     "certificates.");
	return NULL;
}

struct status *run_certs_key(struct kubeadm *k, int argc, char **argv)
{
	uint8_t key[32];
	random_bytes(key, sizeof(key));
	puts(hex_encode(k->arena, key, sizeof(key)));
	return NULL;
}
