/*
 * kubelet: runs the pods of one node.
 */
#include "base/log.h"
#include "base/str.h"
#include "kubelet/cert/cert.h"
#include "kubelet/config/settings.h"
#include "kubelet/start.h"
#include "serve/daemon.h"

struct program {
	struct settings settings;
	struct daemon_options options;
	struct kubelet *kubelet;
};

static struct status *configure(struct daemon *d, void *data)
{
	struct program *p = data;
	const KubeletV1beta1KubeletConfiguration *c;
	TRY(settings_load(&p->settings));
	c = p->settings.config;
	TRY(cert_bootstrap(&p->settings, clock_system()));
	p->options.kubeconfig = p->settings.kubeconfig;
	p->options.no_client = str_empty(p->settings.kubeconfig);
	p->options.qps = c->has_kube_apiqps ? c->kube_apiqps : 50;
	p->options.burst = c->kube_api_burst ? c->kube_api_burst : 100;
	if (p->settings.healthz_port)
		p->options.health_address = arena_printf(p->settings.arena, "%s:%d",
			str_or(c->healthz_bind_address, "127.0.0.1"), p->settings.healthz_port);
	return NULL;
}

static struct status *start(struct daemon *d, void *data)
{
	struct program *p = data;
	return kubelet_start(&(struct kubelet_parts){.settings = &p->settings,
				     .client = p->options.no_client ? NULL : daemon_client(d),
				     .recorder = p->options.no_client ? NULL : daemon_recorder(d),
				     .metrics = daemon_metrics(d),
				     .health = daemon_health(d),
				     .stopping = daemon_stopping(d)},
		&p->kubelet);
}

static void stop(struct daemon *d, void *data)
{
	struct program *p = data;
	if (p->kubelet)
		kubelet_stop(p->kubelet);
}

int main(int argc, char **argv)
{
	static struct program p;
	const struct flag *const flags[] = {settings_flags(&p.settings), NULL};
	const struct daemon_spec spec = {
		.name = "kubelet",
		.description = "The kubelet is the agent that runs the pods of one node.",
		.options = &p.options,
		.groups = DAEMON_CLIENT,
		.flags = flags,
		.configure = configure,
		.start = start,
		.stop = stop,
		.data = &p,
	};
	return daemon_main(&spec, argc, argv);
}
