/*
 * What pods of one operating system cannot have, and the options of the other.
 */
#include <ctype.h>
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_SPEC_BYTES = 64 * 1024, MAX_DOMAIN = 256, MAX_USER = 104 };

static bool has_control(const char *s)
{
	for (; *s; s++)
		if (iscntrl((unsigned char)*s))
			return true;
	return false;
}

static bool is_net_bios(const char *domain)
{
	size_t len = strlen(domain);
	return len && len <= 15 && *domain != '.' && !strpbrk(domain, "\\/:*?\"<>|");
}

/* What these options are is told as JSON. */
static void invalid(struct field_errors *errors, const struct field_path *path, const char *value, const char *why)
{
	field_invalid_json(errors, path, field_json(errors->arena, value), why);
}

/* Of labels as DNS has them, in either case, however long it is. */
static bool is_dns_domain(struct arena *arena, const char *domain)
{
	char **labels;
	size_t n = str_split(arena, str_lower(arena, domain), '.', &labels);
	for (size_t i = 0; i < n; i++)
		if (check_dns_label(arena, labels[i]))
			return false;
	return n > 0;
}

static void check_user(struct field_errors *errors, const struct field_path *path, const char *value, const char *user)
{
	size_t len = strlen(user);
	if (!len)
		invalid(errors, path, value, "runAsUserName's User cannot be empty");
	else if (len > MAX_USER)
		invalid(errors, path, value,
			arena_printf(errors->arena, "runAsUserName's User length must not be longer than %d characters",
				MAX_USER));
	if (len && strspn(user, ". ") == len)
		invalid(errors, path, value, "runAsUserName's User cannot contain only periods or spaces");
	if (strpbrk(user, "\"/\\:;|=,+*?<>@[]"))
		invalid(errors, path, value,
			"runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
}

static void check_user_name(struct field_errors *errors, const struct field_path *path, const char *value)
{
	char **parts;
	size_t n = str_split(errors->arena, value, '\\', &parts);
	if (!*value) {
		invalid(errors, path, value, "runAsUserName cannot be an empty string");
	} else if (has_control(value)) {
		invalid(errors, path, value, "runAsUserName cannot contain control characters");
	} else if (n > 2) {
		invalid(errors, path, value, "runAsUserName cannot contain more than one backslash");
	} else {
		const char *domain = n == 2 ? parts[0] : "";
		if (strlen(domain) >= MAX_DOMAIN)
			invalid(errors, path, value,
				arena_printf(errors->arena, "runAsUserName's Domain length must be under %d characters",
					MAX_DOMAIN));
		if (n == 2 && !is_net_bios(domain) && !is_dns_domain(errors->arena, domain))
			invalid(errors, path, value,
				"runAsUserName's Domain doesn't match the NetBios nor the DNS format");
		check_user(errors, path, value, parts[n - 1]);
	}
}

void validate_windows_options(
	struct field_errors *errors, const struct field_path *path, const CoreV1WindowsSecurityContextOptions *o)
{
	if (!o)
		return;
	if (o->gmsa_credential_spec_name)
		field_invalid_json_each(errors, FIELD(path, "gmsaCredentialSpecName"),
			field_json(errors->arena, o->gmsa_credential_spec_name),
			check_dns_subdomain(errors->arena, o->gmsa_credential_spec_name));
	const char *spec = o->gmsa_credential_spec;
	if (spec && !*spec)
		field_invalid(errors, FIELD(path, "gmsaCredentialSpec"), spec,
			"gmsaCredentialSpec cannot be an empty string");
	else if (spec && strlen(spec) > MAX_SPEC_BYTES)
		invalid(errors, FIELD(path, "gmsaCredentialSpec"), spec,
			"gmsaCredentialSpec size must be under 64 KiB");
	if (o->run_as_user_name)
		check_user_name(errors, FIELD(path, "runAsUserName"), o->run_as_user_name);
}

/* -1 unset, 0 false, 1 true */
static int host_process(const CoreV1WindowsSecurityContextOptions *o)
{
	return o && o->has_host_process ? o->host_process : -1;
}

void validate_host_processes(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	struct pod_container *all;
	size_t n = pod_containers(errors->arena, spec, &all), n_host = 0;
	int of_pod = spec->security_context ? host_process(spec->security_context->windows_options) : -1;
	for (size_t i = 0; i < n; i++) {
		const CoreV1SecurityContext *s = all[i].container->security_context;
		int own = s ? host_process(s->windows_options) : -1;
		const struct field_path *at = POD_CONTAINER_PATH(path, &all[i]);
		if (of_pod >= 0 && own >= 0 && of_pod != own)
			field_invalid_bool(errors,
				FIELD(FIELD(FIELD(at, "securityContext"), "windowsOptions"), "hostProcess"), own,
				arena_printf(errors->arena,
					"pod hostProcess value must be identical if both are specified, was %s",
					of_pod ? "true" : "false"));
		n_host += own == 1 || (own < 0 && of_pod == 1);
	}
	if (!n_host)
		return;
	if (n_host != n)
		field_invalid(errors, path, "",
			"If pod contains any hostProcess containers then all containers must be HostProcess "
			"containers");
	if (!spec->host_network)
		field_invalid_bool(errors, FIELD(path, "hostNetwork"), false,
			"hostNetwork must be true if pod contains any hostProcess containers");
	if (errors->unprivileged)
		field_forbidden(errors, path, "hostProcess containers are disallowed by cluster policy");
}

struct forbidden {
	const char *name;
	bool set;
};

static void forbid(struct field_errors *errors, const struct field_path *path, const struct forbidden *fields, size_t n,
	const char *why)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i].set)
			field_forbidden(errors, FIELD(path, fields[i].name), why);
}

static void check_windows_pod(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	static const char why[] = "cannot be set for a windows pod";
	const CoreV1PodSecurityContext *s = spec->security_context;
	s = s ? s : API_NEW(errors->arena, CoreV1PodSecurityContext);
	const struct field_path *security = FIELD(path, "securityContext");
	const struct forbidden first[] = {
		{"appArmorProfile", s->app_armor_profile}, {"seLinuxOptions", s->se_linux_options}};
	const struct forbidden host[] = {
		{"hostUsers", spec->has_host_users}, {"hostPID", spec->host_pid}, {"hostIPC", spec->host_ipc}};
	const struct forbidden second[] = {{"seccompProfile", s->seccomp_profile}, {"fsGroup", s->has_fs_group},
		{"fsGroupChangePolicy", s->fs_group_change_policy}, {"sysctls", s->n_sysctls}};
	const struct forbidden share[] = {{"shareProcessNamespace", spec->has_share_process_namespace}};
	const struct forbidden third[] = {{"runAsUser", s->has_run_as_user}, {"runAsGroup", s->has_run_as_group},
		{"supplementalGroups", s->n_supplemental_groups},
		{"supplementalGroupsPolicy", s->supplemental_groups_policy},
		{"seLinuxChangePolicy", s->se_linux_change_policy}};
	forbid(errors, security, first, ARRAY_SIZE(first), why);
	forbid(errors, path, host, ARRAY_SIZE(host), why);
	forbid(errors, security, second, ARRAY_SIZE(second), why);
	forbid(errors, path, share, ARRAY_SIZE(share), why);
	forbid(errors, security, third, ARRAY_SIZE(third), why);
}

static void check_windows_container(
	struct field_errors *errors, const struct field_path *path, const CoreV1SecurityContext *s)
{
	const struct forbidden fields[] = {{"appArmorProfile", s->app_armor_profile},
		{"seLinuxOptions", s->se_linux_options}, {"seccompProfile", s->seccomp_profile},
		{"capabilities", s->capabilities}, {"readOnlyRootFilesystem", s->has_read_only_root_filesystem},
		{"privileged", s->has_privileged}, {"allowPrivilegeEscalation", s->has_allow_privilege_escalation},
		{"procMount", s->proc_mount}, {"runAsUser", s->has_run_as_user}, {"runAsGroup", s->has_run_as_group}};
	forbid(errors, FIELD(path, "securityContext"), fields, ARRAY_SIZE(fields), "cannot be set for a windows pod");
}

static void check_linux(
	struct field_errors *errors, const struct field_path *path, const CoreV1WindowsSecurityContextOptions *o)
{
	if (o)
		field_forbidden(errors, FIELD(FIELD(path, "securityContext"), "windowsOptions"),
			"windows options cannot be set for a linux pod");
}

void validate_os(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	static const char *const systems[] = {"linux", "windows", NULL};
	if (!spec->os)
		return;
	if (str_empty(spec->os->name)) {
		field_required(errors, FIELD(FIELD(path, "os"), "name"), "");
		return;
	}
	if (!str_in(spec->os->name, systems)) {
		field_unsupported(errors, FIELD(path, "os"), spec->os->name, systems);
		return;
	}
	bool windows = str_eq(spec->os->name, "windows");
	if (windows)
		check_windows_pod(errors, path, spec);
	else if (spec->security_context)
		check_linux(errors, path, spec->security_context->windows_options);
	struct pod_container *all;
	size_t n = pod_containers(errors->arena, spec, &all);
	for (size_t i = 0; i < n; i++) {
		const CoreV1SecurityContext *s = all[i].container->security_context;
		if (s && windows)
			check_windows_container(errors, POD_CONTAINER_PATH(path, &all[i]), s);
		else if (s)
			check_linux(errors, POD_CONTAINER_PATH(path, &all[i]), s->windows_options);
	}
}
