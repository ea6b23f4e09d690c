/* Rows of RBAC bindings, certificate requests, leases and priority classes. */
#include "api/print/internal.h"

static void cell_subjects(struct printer *p, RbacV1Subject *const *subjects, size_t n, const char *kind)
{
	char **names = NULL;
	size_t n_names = 0;

	for (size_t i = 0; i < n; i++) {
		if (!str_eq(subjects[i]->kind, kind))
			continue;
		ARENA_PUSH(p->arena, names, n_names) =
			str_eq(kind, "ServiceAccount")
				? arena_printf(
					  p->arena, "%s/%s", str_or_empty(subjects[i]->namespace), subjects[i]->name)
				: subjects[i]->name;
	}
	cell_text(p, join(p, names, n_names, ", "));
}

static void print_binding(
	struct printer *p, const void *msg, const RbacV1RoleRef *role, RbacV1Subject *const *subjects, size_t n)
{
	cell_name(p, msg);
	cell_printf(p, "%s/%s", role ? str_or_empty(role->kind) : "", role ? str_or_empty(role->name) : "");
	cell_age(p, msg);
	cell_subjects(p, subjects, n, "User");
	cell_subjects(p, subjects, n, "Group");
	cell_subjects(p, subjects, n, "ServiceAccount");
}

static void print_role_binding(struct printer *p, const void *msg)
{
	const RbacV1RoleBinding *b = msg;

	print_binding(p, msg, b->role_ref, b->subjects, b->n_subjects);
}

static void print_cluster_role_binding(struct printer *p, const void *msg)
{
	const RbacV1ClusterRoleBinding *b = msg;

	print_binding(p, msg, b->role_ref, b->subjects, b->n_subjects);
}

static bool csr_has(const CertificatesV1CertificateSigningRequestStatus *status, const char *type)
{
	return status && condition_find((void *const *)status->conditions, status->n_conditions, type);
}

static void print_certificate_signing_request(struct printer *p, const void *msg)
{
	const CertificatesV1CertificateSigningRequest *csr = msg;
	const CertificatesV1CertificateSigningRequestSpec *spec =
		csr->spec ? csr->spec : CertificatesV1CertificateSigningRequestSpec_schema.zero;
	const CertificatesV1CertificateSigningRequestStatus *status = csr->status;

	cell_name(p, msg);
	cell_age(p, msg);
	cell_or_none(p, spec->signer_name);
	cell_text(p, spec->username);
	cell_text(p, spec->has_expiration_seconds ? duration_human(p->arena, spec->expiration_seconds) : "<none>");
	cell_printf(p, "%s%s%s",
		csr_has(status, "Denied")     ? "Denied"
		: csr_has(status, "Approved") ? "Approved"
					      : "Pending",
		csr_has(status, "Failed") ? ",Failed" : "", status && status->certificate.len ? ",Issued" : "");
}

static void print_lease(struct printer *p, const void *msg)
{
	const CoordinationV1Lease *lease = msg;

	cell_name(p, msg);
	cell_text(p, lease->spec ? lease->spec->holder_identity : "");
	cell_age(p, msg);
}

static void print_priority_class(struct printer *p, const void *msg)
{
	const SchedulingV1PriorityClass *class = msg;

	cell_name(p, msg);
	cell_number(p, class->value);
	cell_bool(p, class->global_default);
	cell_age(p, msg);
	cell_text(p, class->preemption_policy);
}

const struct kind_printer print_access_kinds[] = {
	{&RbacV1RoleBinding_schema, print_role_binding},
	{&RbacV1ClusterRoleBinding_schema, print_cluster_role_binding},
	{&CertificatesV1CertificateSigningRequest_schema, print_certificate_signing_request},
	{&CoordinationV1Lease_schema, print_lease},
	{&SchedulingV1PriorityClass_schema, print_priority_class},
	{0},
};
