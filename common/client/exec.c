/* Credential plugins: a command that prints an ExecCredential (client.authentication.k8s.io). */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include "api/json.h"
#include "api/types.h"
#include "base/io.h"
#include "base/mem.h"
#include "client/internal.h"
#include "client/kubeconfig.h"

extern char **environ;

enum { MAX_OUTPUT_BYTES = 1 << 20 };

static char **build_env(struct arena *arena, const struct client_exec *exec, const char *info)
{
	char **env = NULL;
	size_t n = 0;
	for (char **e = environ; *e; e++) {
		bool replaced = str_starts_with(*e, "KUBERNETES_EXEC_INFO=");
		for (size_t i = 0; i < exec->n_env && !replaced; i++) {
			size_t len = strlen(exec->env_names[i]);
			replaced = !strncmp(*e, exec->env_names[i], len) && (*e)[len] == '=';
		}
		if (!replaced)
			ARENA_PUSH(arena, env, n) = *e;
	}
	for (size_t i = 0; i < exec->n_env; i++)
		ARENA_PUSH(arena, env, n) = arena_printf(arena, "%s=%s", exec->env_names[i], exec->env_values[i]);
	ARENA_PUSH(arena, env, n) = arena_printf(arena, "KUBERNETES_EXEC_INFO=%s", info);
	ARENA_PUSH(arena, env, n) = NULL;
	return env;
}

static char *exec_info(struct arena *arena, const struct client_exec *exec, bool interactive)
{
	return arena_printf(arena,
		"{\"kind\":\"ExecCredential\",\"apiVersion\":\"%s\",\"spec\":{%s%s%s\"interactive\":%s}}",
		str_or(exec->api_version, "client.authentication.k8s.io/v1"),
		exec->cluster_info_json ? "\"cluster\":" : "", str_or_empty(exec->cluster_info_json),
		exec->cluster_info_json ? "," : "", interactive ? "true" : "false");
}

static struct status *not_started(const struct client_exec *exec, int error)
{
	if (error != ENOENT)
		return status_errno(error, "exec: executable %s", exec->command);
	if (str_empty(exec->install_hint))
		return status_new(STATUS_UNAUTHORIZED, "exec: executable %s not found", exec->command);
	return status_new(
		STATUS_UNAUTHORIZED, "exec: executable %s not found\n\n%s", exec->command, exec->install_hint);
}

static struct status *run(struct arena *arena, const struct client_exec *exec, char **ret_text, size_t *ret_size)
{
	int out[2];
	bool interactive = !str_eq(exec->interactive_mode, "Never") && isatty(0);
	if (str_eq(exec->interactive_mode, "Always") && !interactive)
		return status_new(STATUS_UNAUTHORIZED,
			"exec plugin cannot support interactive mode: standard input is not a terminal");
	if (pipe2(out, O_CLOEXEC) < 0)
		return status_errno(errno, "pipe");
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	if (!interactive)
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	const char *command = exec->command;
	if (strchr(command, '/') && command[0] != '/' && !str_empty(exec->base_dir))
		command = arena_printf(arena, "%s/%s", exec->base_dir, command);
	char **argv = ARENA_ARRAY(arena, char *, exec->n_args + 2);
	argv[0] = arena_strdup(arena, command);
	for (size_t i = 0; i < exec->n_args; i++)
		argv[i + 1] = exec->args[i];
	pid_t pid;
	int error = posix_spawnp(
		&pid, command, &actions, NULL, argv, build_env(arena, exec, exec_info(arena, exec, interactive)));
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	if (error) {
		close(out[0]);
		return not_started(exec, error);
	}
	struct status *status = io_read_all(out[0], MAX_OUTPUT_BYTES, ret_text, ret_size);
	close(out[0]);
	int code = 0;
	while (waitpid(pid, &code, 0) < 0 && errno == EINTR)
		;
	if (!status && (!WIFEXITED(code) || WEXITSTATUS(code))) {
		free(*ret_text);
		status = status_new(STATUS_UNAUTHORIZED, "exec: executable %s failed with exit code %d", exec->command,
			WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code));
	}
	return status;
}

static struct status *check(const struct client_exec *exec, const ClientauthenticationV1ExecCredential *credential,
	const char *api_version, const char *kind)
{
	const ClientauthenticationV1ExecCredentialStatus *status = credential->status;
	if (!str_eq(kind, "ExecCredential"))
		return status_new(
			STATUS_UNAUTHORIZED, "exec plugin: invalid apiVersion/kind \"%s, Kind=%s\"", api_version, kind);
	if (!str_empty(exec->api_version) && !str_eq(api_version, exec->api_version))
		return status_new(STATUS_UNAUTHORIZED,
			"exec plugin is configured to use API version %s, plugin returned version %s",
			exec->api_version, api_version);
	if (!status)
		return status_new(STATUS_UNAUTHORIZED, "exec plugin didn't return a status field");
	if (str_empty(status->token) && str_empty(status->client_certificate_data) &&
		str_empty(status->client_key_data))
		return status_new(STATUS_UNAUTHORIZED, "exec plugin didn't return a token or cert/key pair");
	if (str_empty(status->client_certificate_data) != str_empty(status->client_key_data))
		return status_new(STATUS_UNAUTHORIZED, "exec plugin returned only certificate or key, not both");
	return NULL;
}

struct status *client_exec_run(const struct client_exec *exec, struct exec_credential *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *text = NULL, *api_version = NULL, *kind = NULL;
	size_t size = 0;
	TRY(status_wrap(run(arena, exec, &text, &size), "getting credentials"));
	ClientauthenticationV1ExecCredential *credential = NULL;
	struct json_options options = {.ret_api_version = &api_version, .ret_kind = &kind};
	struct status *error =
		json_decode(arena, &ClientauthenticationV1ExecCredential_schema, text, size, &options, &credential);
	mem_cleanse_free(text, size);
	if (error)
		return status_wrap(error, "getting credentials: decoding stdout");
	TRY(status_wrap(check(exec, credential, api_version, kind), "getting credentials"));
	const ClientauthenticationV1ExecCredentialStatus *status = credential->status;
	*ret = (struct exec_credential){
		.token = str_empty(status->token) ? NULL : mem_strdup(status->token),
		.cert = str_empty(status->client_certificate_data) ? NULL : mem_strdup(status->client_certificate_data),
		.key = str_empty(status->client_key_data) ? NULL : mem_strdup(status->client_key_data),
		.expires_s = status->expiration_timestamp ? status->expiration_timestamp->seconds : 0,
	};
	return NULL;
}
