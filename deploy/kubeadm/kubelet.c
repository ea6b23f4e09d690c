#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "api/yaml.h"
#include "base/io.h"
#include "base/str.h"
#include "kubeadm.h"

/* Sets a member unless the user has. */
static void preset(struct kubeadm *k, cJSON *object, const char *name, cJSON *value)
{
	if (!tree_get(object, name))
		tree_set(k->arena, object, name, value);
}

static cJSON *object_at(struct kubeadm *k, cJSON *parent, const char *name)
{
	preset(k, parent, name, tree_new_object(k->arena));
	return tree_get(parent, name);
}

char *kubelet_config_yaml(struct kubeadm *k)
{
	struct arena *arena = k->arena;
	cJSON *c = k->kubelet;
	char *dns = "";
	status_drop(config_nth_address(arena, k->cluster->networking->service_subnet, 10, &dns),
		"checked with the configuration");
	preset(k, c, "apiVersion", tree_new_string(arena, "kubelet.config.k8s.io/v1beta1"));
	preset(k, c, "kind", tree_new_string(arena, "KubeletConfiguration"));
	cJSON *authentication = object_at(k, c, "authentication");
	preset(k, object_at(k, authentication, "anonymous"), "enabled", tree_new_bool(arena, false));
	preset(k, object_at(k, authentication, "webhook"), "enabled", tree_new_bool(arena, true));
	preset(k, object_at(k, authentication, "x509"), "clientCAFile", tree_new_string(arena, cert_path(k, "ca.crt")));
	preset(k, object_at(k, c, "authorization"), "mode", tree_new_string(arena, "Webhook"));
	if (!tree_get(c, "clusterDNS")) {
		cJSON *list = tree_new_array(arena);
		tree_append(list, tree_new_string(arena, dns));
		tree_set(arena, c, "clusterDNS", list);
	}
	preset(k, c, "clusterDomain", tree_new_string(arena, k->cluster->networking->dns_domain));
	preset(k, c, "cgroupDriver", tree_new_string(arena, "systemd"));
	preset(k, c, "healthzBindAddress", tree_new_string(arena, "127.0.0.1"));
	preset(k, c, "healthzPort", tree_new_int(arena, 10248));
	tree_set(arena, c, "rotateCertificates", tree_new_bool(arena, true));
	preset(k, c, "staticPodPath", tree_new_string(arena, MANIFESTS_DIR));
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	yaml_print_tree(&out, c);
	return arena_strdup(arena, out.buf);
}

static const KubeadmV1beta4NodeRegistrationOptions *node_of(const struct kubeadm *k)
{
	return k->join ? k->join->node_registration : k->init->node_registration;
}

static char *taints_text(struct kubeadm *k, const KubeadmV1beta4NodeRegistrationOptions *node)
{
	char **parts = NULL;
	size_t n = 0;
	for (size_t i = 0; i < node->n_taints; i++)
		ARENA_PUSH(k->arena, parts, n) = arena_printf(k->arena, "%s=%s:%s", node->taints[i]->key,
			str_or_empty(node->taints[i]->value), node->taints[i]->effect);
	return str_join(k->arena, parts, n, ",");
}

static char *flags_text(struct kubeadm *k)
{
	const KubeadmV1beta4NodeRegistrationOptions *node = node_of(k);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	char host[256] = "";
	gethostname(host, sizeof(host) - 1);
	strbuf_printf(&out, "--container-runtime-endpoint=%s", node->cri_socket);
	if (!str_eq_nocase(host, node->name))
		strbuf_printf(&out, " --hostname-override=%s", node->name);
	if (k->join && node->n_taints)
		strbuf_printf(&out, " --register-with-taints=%s", taints_text(k, node));
	for (size_t i = 0; i < node->n_kubelet_extra_args; i++)
		strbuf_printf(&out, " --%s=%s", node->kubelet_extra_args[i]->name, node->kubelet_extra_args[i]->value);
	return arena_printf(k->arena, "KUBELET_KUBEADM_ARGS=\"%s\"\n", out.buf);
}

struct status *kubelet_write_config(struct kubeadm *k, const char *config_yaml)
{
	char *flags = flags_text(k);
	TRY(io_mkdirs(KUBELET_DIR, 0700));
	printf("[kubelet-start] Writing kubelet environment file with flags to file \"" KUBELET_DIR
	       "/kubeadm-flags.env\"\n");
	TRY(io_write_file(KUBELET_DIR "/kubeadm-flags.env", flags, strlen(flags), 0644));
	printf("[kubelet-start] Writing kubelet configuration to file \"" KUBELET_DIR "/config.yaml\"\n");
	return io_write_file(KUBELET_DIR "/config.yaml", config_yaml, strlen(config_yaml), 0644);
}

static bool run(char *const argv[])
{
	pid_t pid;
	int status;
	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ))
		return false;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* systemd is the init system where its folder is (sd_booted(3)). */
static bool has_systemd(void)
{
	return io_exists("/run/systemd/system");
}

void kubelet_start(struct kubeadm *k)
{
	if (!has_systemd()) {
		printf("[kubelet-start] No systemd here: whatever starts the kubelet on this machine must (re)start it "
		       "now\n");
		return;
	}
	printf("[kubelet-start] Starting the kubelet\n");
	char *const reload[] = {"systemctl", "daemon-reload", NULL}, *const restart[] = {
									     "systemctl", "restart", "kubelet", NULL};
	if (!run(reload) || !run(restart))
		printf("[kubelet-start] WARNING: unable to start the kubelet service\n");
}

void kubelet_stop(struct kubeadm *k)
{
	char *const stop[] = {"systemctl", "stop", "kubelet", NULL};
	if (has_systemd() && !run(stop))
		printf("[reset] WARNING: unable to stop the kubelet service\n");
}
