/* kube-controller-manager: all the loops that bring a cluster from what is to what is wanted. */
#include "base/cleanup.h"
#include "controller-manager/manager.h"
#include "controller-manager/options.h"
#include "serve/daemon.h"

struct controller_manager {
	struct options options;
	struct daemon_options daemon;
};

static struct status *configure(struct daemon *d, void *data)
{
	struct controller_manager *cm = data;
	return options_check(&cm->options);
}

static struct status *lead(struct daemon *d, void *data)
{
	struct controller_manager *cm = data;
	const struct manager_config config = {.options = &cm->options,
		.client = daemon_client(d),
		.client_config = daemon_client_config(d),
		.clock = clock_system(),
		.stopping = daemon_stopping(d),
		.metrics = daemon_metrics(d)};
	struct manager *manager;
	TRY(manager_start(&config, &manager));
	daemon_wait(d);
	manager_free(manager);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct controller_manager cm = {.daemon = {.secure_port = 10257, .leader_elect = true}};
	cm.daemon.leader_name = "kube-controller-manager";
	CLEANUP_FREE struct flag *own = options_flags(&cm.options);
	const struct flag *const flags[] = {own, NULL};
	const struct daemon_spec spec = {
		.name = "kube-controller-manager",
		.description = "Runs the control loops that bring the state of the cluster to what is wanted.",
		.options = &cm.daemon,
		.groups = DAEMON_CLIENT | DAEMON_SERVING | DAEMON_DELEGATED | DAEMON_LEADER | DAEMON_DEBUG,
		.flags = flags,
		.configure = configure,
		.lead = lead,
		.data = &cm,
	};
	return daemon_main(&spec, argc, argv);
}
