#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/volume.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

enum { MAX_SYSCTL = 253, MAX_PROFILE_PATH = 4095 };

void validate_user_or_group(struct field_errors *errors, const struct field_path *path, int64_t id)
{
	if (id < 0 || id > INT32_MAX)
		field_invalid_int(errors, path, id, "must be between 0 and 2147483647, inclusive");
}

static void check_id(struct field_errors *errors, const struct field_path *path, bool has, int64_t id)
{
	if (has)
		validate_user_or_group(errors, path, id);
}

static void check_seccomp(struct field_errors *errors, const struct field_path *path, const CoreV1SeccompProfile *p)
{
	static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};
	if (!p)
		return;
	if (str_empty(p->type))
		field_required(errors, FIELD(path, "type"), "type is required when seccompProfile is set");
	else if (!str_in(p->type, types))
		field_unsupported(errors, FIELD(path, "type"), p->type, types);
	const struct field_path *at = FIELD(path, "localhostProfile");
	if (!str_eq(p->type, "Localhost")) {
		if (p->localhost_profile)
			field_invalid_internal(errors, at, p, "can only be set when seccomp type is Localhost");
	} else if (!p->localhost_profile) {
		field_required(errors, at, "must be set when seccomp type is Localhost");
	} else {
		check_descending_path(errors, at, p->localhost_profile);
	}
}

static void check_app_armor(struct field_errors *errors, const struct field_path *path, const CoreV1AppArmorProfile *p)
{
	static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};
	if (!p)
		return;
	const struct field_path *at = FIELD(path, "localhostProfile");
	if (str_empty(p->type)) {
		field_required(errors, FIELD(path, "type"), "type is required when appArmorProfile is set");
	} else if (!str_in(p->type, types)) {
		field_unsupported(errors, FIELD(path, "type"), p->type, types);
	} else if (!str_eq(p->type, "Localhost")) {
		if (p->localhost_profile)
			field_invalid(
				errors, at, p->localhost_profile, "can only be set when AppArmor type is Localhost");
	} else if (str_empty(p->localhost_profile)) {
		field_required(errors, at, "must be set when AppArmor type is Localhost");
	} else {
		if (!str_eq(str_trim(errors->arena, p->localhost_profile), p->localhost_profile))
			field_invalid(errors, at, p->localhost_profile, "must not be padded with whitespace");
		if (strlen(p->localhost_profile) > MAX_PROFILE_PATH)
			field_too_long(errors, at, MAX_PROFILE_PATH);
	}
}

void validate_security(
	struct field_errors *errors, const struct field_path *path, const CoreV1SecurityContext *s, bool host_users)
{
	static const char *const proc_mounts[] = {"Default", "Unmasked", NULL};
	if (!s)
		return;
	if (s->has_privileged && s->privileged && errors->unprivileged)
		field_forbidden(errors, FIELD(path, "privileged"), "disallowed by cluster policy");
	check_id(errors, FIELD(path, "runAsUser"), s->has_run_as_user, s->run_as_user);
	check_id(errors, FIELD(path, "runAsGroup"), s->has_run_as_group, s->run_as_group);
	if (s->proc_mount && !str_in(s->proc_mount, proc_mounts))
		field_unsupported(errors, FIELD(path, "procMount"), s->proc_mount, proc_mounts);
	else if (host_users && str_eq(s->proc_mount, "Unmasked"))
		field_invalid(
			errors, FIELD(path, "procMount"), s->proc_mount, "`hostUsers` must be false to use `Unmasked`");
	check_seccomp(errors, FIELD(path, "seccompProfile"), s->seccomp_profile);
	if (s->has_allow_privilege_escalation && !s->allow_privilege_escalation) {
		if (s->has_privileged && s->privileged)
			field_invalid_internal(errors, path, s,
				"cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
		for (size_t i = 0; s->capabilities && i < s->capabilities->n_add; i++)
			if (str_eq(s->capabilities->add[i], "CAP_SYS_ADMIN"))
				field_invalid_internal(errors, path, s,
					"cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
					"CAP_SYS_ADMIN");
	}
	validate_windows_options(errors, FIELD(path, "windowsOptions"), s->windows_options);
	check_app_armor(errors, FIELD(path, "appArmorProfile"), s->app_armor_profile);
}

static bool is_low_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Segments of letters, digits, - and _, joined by dots or slashes; each begins and ends with a letter or digit. */
static bool is_sysctl_name(const char *name)
{
	if (strlen(name) > MAX_SYSCTL)
		return false;
	for (const char *part = name;; part++) {
		size_t len = strcspn(part, "./");
		if (!len || !is_low_alnum(part[0]) || !is_low_alnum(part[len - 1]))
			return false;
		for (size_t i = 0; i < len; i++)
			if (!is_low_alnum(part[i]) && part[i] != '-' && part[i] != '_')
				return false;
		part += len;
		if (!*part)
			return true;
	}
}

/* A sysctl of a namespace that the pod shares with the host would change the host. */
static void check_host_sysctl(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec, const char *name)
{
	static const char *const ipc[] = {"kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
		"kernel.shm_rmid_forced", "kernel.shm", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.msg",
		NULL};
	char *dotted = arena_strdup(errors->arena, name);
	for (char *p = dotted; *p; p++)
		if (*p == '/')
			*p = '.';
	if (spec->host_network && str_starts_with(dotted, "net."))
		field_invalid(errors, path, name, "may not be specified when 'hostNetwork' is true");
	if (spec->host_ipc && (str_in(dotted, ipc) || str_starts_with(dotted, "fs.mqueue.")))
		field_invalid(errors, path, name, "may not be specified when 'hostIPC' is true");
}

static void check_sysctls(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	CoreV1Sysctl *const *sysctls = spec->security_context->sysctls;
	struct nameset names = {.arena = errors->arena};
	for (size_t i = 0; i < spec->security_context->n_sysctls; i++) {
		const char *name = str_or_empty(sysctls[i]->name);
		const struct field_path *at = FIELD(FIELD_INDEX(path, i), "name");
		bool seen = !nameset_add(&names, name);
		if (!*name)
			field_required(errors, at, "");
		else if (!is_sysctl_name(name))
			field_invalid(errors, at, name,
				"must have at most 253 characters and match regex "
				"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
		else if (seen)
			field_duplicate(errors, at, name);
		size_t n = errors->n_items;
		check_host_sysctl(errors, at, spec, name);
		field_keep(errors, n, KEPT_HOST_SYSCTLS);
	}
}

void validate_pod_security(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	static const char *const fs_policies[] = {"Always", "OnRootMismatch", NULL};
	static const char *const enabled[] = {"Recursive", NULL}, *const all[] = {"MountOption", "Recursive", NULL};
	const char *const *label_policies = errors->kept & KEPT_LABEL_POLICY ? all : enabled;
	static const char *const group_policies[] = {"Merge", "Strict", NULL};
	const CoreV1PodSecurityContext *s = spec->security_context;
	if (!s)
		return;
	check_id(errors, FIELD(path, "fsGroup"), s->has_fs_group, s->fs_group);
	check_id(errors, FIELD(path, "runAsUser"), s->has_run_as_user, s->run_as_user);
	check_id(errors, FIELD(path, "runAsGroup"), s->has_run_as_group, s->run_as_group);
	for (size_t i = 0; i < s->n_supplemental_groups; i++)
		check_id(errors, FIELD_INDEX(FIELD(path, "supplementalGroups"), i), true, s->supplemental_groups[i]);
	if (spec->has_share_process_namespace && spec->share_process_namespace && spec->host_pid)
		field_invalid_bool(errors, FIELD(path, "shareProcessNamespace"), true,
			"ShareProcessNamespace and HostPID cannot both be enabled");
	check_sysctls(errors, FIELD(path, "sysctls"), spec);
	if (s->fs_group_change_policy && !str_in(s->fs_group_change_policy, fs_policies))
		field_unsupported(errors, FIELD(path, "fsGroupChangePolicy"), s->fs_group_change_policy, fs_policies);
	check_seccomp(errors, FIELD(path, "seccompProfile"), s->seccomp_profile);
	validate_windows_options(errors, FIELD(path, "windowsOptions"), s->windows_options);
	check_app_armor(errors, FIELD(path, "appArmorProfile"), s->app_armor_profile);
	if (s->supplemental_groups_policy && !str_in(s->supplemental_groups_policy, group_policies))
		field_unsupported(
			errors, FIELD(path, "supplementalGroupsPolicy"), s->supplemental_groups_policy, group_policies);
	errors->found |= s->se_linux_change_policy ? KEPT_LABEL_POLICY : 0;
	if (s->se_linux_change_policy && !str_in(s->se_linux_change_policy, label_policies))
		field_unsupported(
			errors, FIELD(path, "seLinuxChangePolicy"), s->se_linux_change_policy, label_policies);
}
