#include "base/clock.h"
#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

struct certificate_options {
	struct print_options print;
	struct filename_options files;
	bool force;
};

static const struct option certificate_flags[] = {
	OPT_GROUP(struct certificate_options, print, print_flags),
	OPT_GROUP(struct certificate_options, files, filename_flags),
	OPT(struct certificate_options, force, 0, "force", FLAG_BOOL, "false",
		"Even if the request was decided before"),
	OPT_END,
};

static bool has_condition(const cJSON *csr, const char *type)
{
	TREE_FOREACH (condition, obj_at(csr, "status.conditions"))
		if (str_eq(obj_string(condition, "type"), type))
			return true;
	return false;
}

static void add_condition(struct arena *arena, cJSON *csr, bool approve)
{
	char *now = rfc3339_format(arena, clock_wall_s(clock_system()));
	cJSON *condition = tree_new_object(arena);
	tree_set_string(arena, condition, "type", approve ? "Approved" : "Denied");
	tree_set_string(arena, condition, "status", "True");
	tree_set_string(arena, condition, "reason", approve ? "KubectlApprove" : "KubectlDeny");
	tree_set_string(arena, condition, "message",
		approve ? "This CSR was approved by kubectl certificate approve."
			: "This CSR was denied by kubectl certificate deny.");
	tree_set_string(arena, condition, "lastUpdateTime", now);
	tree_append(obj_array(arena, csr, "status.conditions"), condition);
}

static struct status *decide(struct kubectl *k, struct certificate_options *o, struct info *info, bool approve)
{
	struct send_options send = {.subresource = "approval"};
	for (int i = 0;; i++) {
		bool done = has_condition(info->object, approve ? "Approved" : "Denied");
		if (!str_eq(obj_kind(info->object), "CertificateSigningRequest"))
			return user_error("can only handle certificates.k8s.io/v1 certificate signing requests");
		if (done && !o->force)
			break;
		if (!done)
			add_condition(k->arena, info->object, approve);
		struct status *s = send_replace(k, info, info->object, &send, &info->object);
		if (!status_is(s, STATUS_CONFLICT) || i >= 10) {
			TRY(s);
			break;
		}
		status_drop(s, "another writer came first");
		TRY(info_fetch(k, info));
	}
	return print_result(k, &o->print, approve ? "approved" : "denied", DRY_RUN_NONE, info->object);
}

static struct status *run(struct kubectl *k, struct call *call, bool approve)
{
	struct certificate_options *o = call->options;
	struct infos infos;
	if (!call->n_args && !has_files(&o->files))
		return user_error("one or more CSRs must be specified as <name> or -f <filename>");
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.default_type = "certificatesigningrequests",
		.flatten = true,
		.latest = true};
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, decide(k, o, &infos.items[i], approve));
	return errors;
}

static struct status *approve_run(struct kubectl *k, struct call *call)
{
	return run(k, call, true);
}

static struct status *deny_run(struct kubectl *k, struct call *call)
{
	return run(k, call, false);
}

static const struct command approve_command = {
	.name = "approve",
	.usage = "(-f FILENAME | NAME)",
	.summary = "Approve a certificate signing request",
	.flags = certificate_flags,
	.options_size = sizeof(struct certificate_options),
	.run = approve_run,
};
static const struct command deny_command = {
	.name = "deny",
	.usage = "(-f FILENAME | NAME)",
	.summary = "Deny a certificate signing request",
	.flags = certificate_flags,
	.options_size = sizeof(struct certificate_options),
	.run = deny_run,
};
static const struct command *const children[] = {&approve_command, &deny_command, NULL};
const struct command certificate_command = {
	.name = "certificate",
	.section = "Cluster Management Commands:",
	.summary = "Modify certificate resources",
	.usage = "SUBCOMMAND",
	.children = children,
};
