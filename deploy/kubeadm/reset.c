/* Undoes init and join: containers, mounts, files. What was never made is passed over, so that it can be repeated. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "base/io.h"
#include "base/str.h"
#include "cri/cri.h"
#include "kubeadm.h"
#include "rpc/rpc.h"

enum { CALL_MS = 120000 };

static char *cri_socket, *cert_dir, *config_path;
static bool force, cleanup_tmp, dry_run;
static struct flag_list ignore, skip;

static const struct flag flags[] = {
	{"config", 0, FLAG_STRING, &config_path, "", "a kubeadm configuration file"},
	{"cert-dir", 0, FLAG_STRING, &cert_dir, KUBERNETES_DIR "/pki", "folder of the certificates"},
	{"cleanup-tmp-dir", 0, FLAG_BOOL, &cleanup_tmp, "", "remove " KUBERNETES_DIR "/tmp too"},
	{"cri-socket", 0, FLAG_STRING, &cri_socket, "unix:///run/containerd/containerd.sock",
		"socket of the container runtime"},
	{"dry-run", 0, FLAG_BOOL, &dry_run, "", "only say what would be done"},
	{"force", 'f', FLAG_BOOL, &force, "", "do not ask"},
	{"ignore-preflight-errors", 0, FLAG_STRINGS, &ignore, "", "accepted"},
	{"skip-phases", 0, FLAG_STRINGS, &skip, "", "phases to leave out"},
	{NULL},
};

static bool confirmed(void)
{
	char line[16] = "";
	if (force || dry_run)
		return true;
	printf("[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted.\n"
	       "[reset] Are you sure you want to proceed? [y/N]: ");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static struct status *remove_sandboxes(struct kubeadm *k, struct rpc_channel *channel)
{
	CriListPodSandboxRequest *list = RPC_NEW(k->arena, CriListPodSandboxRequest);
	CriListPodSandboxResponse *found;
	TRY(rpc_call(channel, &cri_runtime_service, "ListPodSandbox", list, CALL_MS, k->arena, &found));
	for (size_t i = 0; i < found->n_items; i++) {
		CriStopPodSandboxRequest *stop = RPC_NEW(k->arena, CriStopPodSandboxRequest);
		CriRemovePodSandboxRequest *remove = RPC_NEW(k->arena, CriRemovePodSandboxRequest);
		CriStopPodSandboxResponse *stopped;
		CriRemovePodSandboxResponse *removed;
		stop->pod_sandbox_id = remove->pod_sandbox_id = found->items[i]->id;
		printf("[reset] Removing pod %s\n",
			found->items[i]->metadata ? found->items[i]->metadata->name : found->items[i]->id);
		if (dry_run)
			continue;
		TRY(rpc_call(channel, &cri_runtime_service, "StopPodSandbox", stop, CALL_MS, k->arena, &stopped));
		TRY(rpc_call(channel, &cri_runtime_service, "RemovePodSandbox", remove, CALL_MS, k->arena, &removed));
	}
	return NULL;
}

static struct status *remove_containers(struct kubeadm *k)
{
	const char *target = cri_socket[0] == '/' ? arena_printf(k->arena, "unix://%s", cri_socket) : cri_socket;
	CLEANUP(rpc_channel_freep) struct rpc_channel *channel = NULL;
	TRY(rpc_channel_new(&(struct rpc_options){.targets = &target, .n_targets = 1}, &channel));
	return remove_sandboxes(k, channel);
}

/* What the kernel writes as three octal digits: white space and backslashes. */
static void unescape(char *path)
{
	char *to = path;
	for (const char *p = path; *p; to++) {
		bool octal = p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
			     p[3] <= '7';
		*to = octal ? (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')) : *p;
		p += octal ? 4 : 1;
	}
	*to = '\0';
}

size_t mounts_below(struct arena *arena, const char *mounts, const char *dir, char ***ret_paths)
{
	char **lines, *prefix = arena_printf(arena, "%s/", dir);
	size_t n = 0;
	*ret_paths = NULL;
	str_split(arena, mounts, '\n', &lines);
	for (char **line = lines; *line; line++) {
		char **fields;
		if (str_split(arena, *line, ' ', &fields) < 2)
			continue;
		unescape(fields[1]);
		if (str_starts_with(fields[1], prefix))
			ARENA_PUSH(arena, *ret_paths, n) = fields[1];
	}
	if (n)
		qsort(*ret_paths, n, sizeof(**ret_paths), str_cmp_qsort);
	return n;
}

/* Unmounts what the kubelet mounted below its folder, the deepest first. */
static void unmount_below(struct kubeadm *k, const char *dir)
{
	CLEANUP_FREE char *mounts = NULL;
	char **paths;
	struct status *s = io_read_file("/proc/self/mounts", 16 << 20, &mounts, NULL);
	if (s) {
		status_drop(s, "no list of mounts");
		return;
	}
	size_t n = mounts_below(k->arena, mounts, dir, &paths);
	while (n--)
		if (dry_run || umount2(paths[n], MNT_DETACH))
			printf("[reset] %s %s\n", dry_run ? "Would unmount" : "WARNING: cannot unmount", paths[n]);
}

/* Removes what is in a folder but not the folder itself, which may be a mount. */
static struct status *empty_dir(struct kubeadm *k, const char *path)
{
	DIR *dir = opendir(path);
	struct status *s = NULL;
	if (!dir)
		return NULL;
	printf("[reset] Deleting contents of %s\n", path);
	for (struct dirent *e; !s && (e = readdir(dir));)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, "..") && !dry_run)
			s = io_remove_tree(arena_printf(k->arena, "%s/%s", path, e->d_name));
	closedir(dir);
	return s;
}

static struct status *remove_files(struct kubeadm *k)
{
	static const char *const files[] = {"admin.conf", "super-admin.conf", "kubelet.conf", "bootstrap-kubelet.conf",
		"controller-manager.conf", "scheduler.conf"};
	const char *const dirs[] = {MANIFESTS_DIR, KUBELET_DIR, cert_dir, "/var/lib/etcd", KUBERNETES_DIR "/tmp"};
	for (size_t i = 0; i < ARRAY_SIZE(dirs) - !cleanup_tmp; i++)
		TRY(empty_dir(k, dirs[i]));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!dry_run)
			TRY(io_remove_tree(arena_printf(k->arena, KUBERNETES_DIR "/%s", files[i])));
	return NULL;
}

struct status *run_reset(struct kubeadm *k, int argc, char **argv)
{
	struct flag_args args;
	setvbuf(stdout, NULL, _IOLBF, 0);
	TRY(flags_parse(flags, argc, argv, &args));
	TRY(config_read(k, config_path));
	k->skip_phases = skip;
	if (geteuid())
		return status_new(STATUS_FORBIDDEN, "user is not running as root");
	if (!confirmed())
		return status_bad_request("aborted reset operation");
	kubelet_stop(k);
	/* Without manifests the kubelet starts none of the pods again that are removed next. */
	TRY(empty_dir(k, MANIFESTS_DIR));
	if (!phase_skipped(k, "cleanup-node")) {
		struct status *s = remove_containers(k);
		if (s)
			printf("[reset] WARNING: containers are left: %s\n", s->message);
		status_free(s);
	}
	unmount_below(k, KUBELET_DIR);
	TRY(remove_files(k));
	printf("\nThe reset process does not remove CNI configuration or nftables rules: see the files in "
	       "/etc/cni/net.d,\n"
	       "and `kube-proxy --cleanup`.\n");
	return NULL;
}
