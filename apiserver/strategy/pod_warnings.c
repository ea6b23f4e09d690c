/*
 * What is accepted of pods, and of the pods within other kinds, though it is hardly what its writer meant.
 */
#include "api/copy.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "api/selector.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/resources.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

#define APP_ARMOR "container.apparmor.security.beta.kubernetes.io/"
#define SECCOMP "container.seccomp.security.alpha.kubernetes.io/"
#define SECCOMP_POD "seccomp.security.alpha.kubernetes.io/pod"
#define USE_SECCOMP "non-functional in v1.27+; use the \"seccompProfile\" field instead"

void request_warn_at(struct request *request, const struct field_path *path, const char *text)
{
	request_warn(request, "%s: %s", field_path_string(request->arena, path), text);
}

static void say(void *request, const char *text)
{
	request_warn(request, "%s", text);
}

void address_warn(struct request *request, const struct field_path *path, const char *value)
{
	ip_warn(request->arena, path, str_or_empty(value), say, request);
}

void node_term_warn(
	struct request *request, const struct field_path *path, const CoreV1NodeSelectorTerm *term, bool values)
{
	for (size_t i = 0; term && i < term->n_match_expressions; i++) {
		const CoreV1NodeSelectorRequirement *r = term->match_expressions[i];
		const struct field_path *at = FIELD_INDEX(FIELD(path, "matchExpressions"), i);
		const char *text = deprecated_node_label(r->key);
		if (text)
			request_warn_at(
				request, FIELD(at, "key"), arena_printf(request->arena, "%s is %s", r->key, text));
		for (size_t k = 0; values && k < r->n_values; k++) {
			const char *problem = label_value_problems(request->arena, r->values[k], "\n");
			char **lines;
			size_t n = problem ? str_split(request->arena, problem, '\n', &lines) : 0;
			for (size_t l = 0; l < n; l++)
				request_warn_at(request, FIELD_INDEX(FIELD(at, "values"), k),
					arena_printf(request->arena, "%s is invalid, %s", r->values[k], lines[l]));
		}
	}
}

static void warn_nodes(struct request *request, const struct field_path *path, const CoreV1PodSpec *spec)
{
	const CoreV1NodeAffinity *a = spec->affinity ? spec->affinity->node_affinity : NULL;
	const struct field_path *at = FIELD(FIELD(path, "affinity"), "nodeAffinity");
	for (size_t i = 0; i < spec->n_node_selector; i++) {
		const char *key = spec->node_selector[i]->key, *text = deprecated_node_label(key);
		if (text)
			request_warn_at(request, FIELD_KEY(FIELD(path, "nodeSelector"), key), text);
	}
	const CoreV1NodeSelector *required = a ? a->required_during_scheduling_ignored_during_execution : NULL;
	const struct field_path *terms =
		FIELD(FIELD(at, "requiredDuringSchedulingIgnoredDuringExecution"), "nodeSelectorTerms");
	for (size_t i = 0; required && i < required->n_node_selector_terms; i++)
		node_term_warn(request, FIELD_INDEX(terms, i), required->node_selector_terms[i], false);
	for (size_t i = 0; a && i < a->n_preferred_during_scheduling_ignored_during_execution; i++)
		node_term_warn(request,
			FIELD(FIELD_INDEX(FIELD(at, "preferredDuringSchedulingIgnoredDuringExecution"), i),
				"preference"),
			a->preferred_during_scheduling_ignored_during_execution[i]->preference, true);
	for (size_t i = 0; i < spec->n_topology_spread_constraints; i++) {
		const CoreV1TopologySpreadConstraint *c = spec->topology_spread_constraints[i];
		const struct field_path *one = FIELD_INDEX(FIELD(path, "topologySpreadConstraints"), i);
		const char *text = deprecated_node_label(c->topology_key);
		if (text)
			request_warn_at(request, FIELD(one, "topologyKey"),
				arena_printf(request->arena, "%s is %s", c->topology_key, text));
		if (!c->label_selector)
			request_warn_at(request, FIELD(one, "labelSelector"),
				"a null labelSelector results in matching no pod");
	}
}

static void warn_annotations(struct request *request, const struct field_path *path, const MetaV1ObjectMeta *meta)
{
	static const char *const old[][2] = {
		{"scheduler.alpha.kubernetes.io/critical-pod",
			"non-functional in v1.16+; use the \"priorityClassName\" field instead"},
		{"security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
		{"security.alpha.kubernetes.io/unsafe-sysctls",
			"non-functional in v1.11+; use the \"sysctls\" field instead"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		if (meta_annotation(meta, old[i][0]))
			request_warn_at(request, FIELD_KEY(path, old[i][0]), old[i][1]);
}

static void warn_fraction(struct request *request, const struct field_path *path, MapQuantityEntry *const *list,
	size_t n, const char *name)
{
	const MapQuantityEntry *e = resource_entry(list, n, name);
	struct quantity q = quantity_of(e ? e->value : NULL);
	if (e && !quantity_is_whole(&q))
		request_warn_at(request, FIELD_KEY(path, name),
			arena_printf(request->arena, "fractional byte value \"%s\" is invalid, must be an integer",
				quantity_format(request->arena, &q)));
}

void claim_warn(struct request *request, const struct field_path *path, const CoreV1PersistentVolumeClaimSpec *spec)
{
	const CoreV1VolumeResourceRequirements *r = spec ? spec->resources : NULL;
	const struct field_path *at = FIELD(path, "resources");
	if (!r)
		return;
	warn_fraction(request, FIELD(at, "requests"), r->requests, r->n_requests, "storage");
	warn_fraction(request, FIELD(at, "limits"), r->limits, r->n_limits, "storage");
}

static void warn_volumes(struct request *request, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_volumes; i++) {
		const CoreV1VolumeSource *s = spec->volumes[i]->volume_source;
		const struct field_path *at = FIELD_INDEX(FIELD(path, "volumes"), i);
		if (!s)
			continue;
		const struct {
			const char *name;
			bool used;
			const char *text;
		} old[] = {
			{"photonPersistentDisk", s->photon_persistent_disk,
				"deprecated in v1.11, non-functional in v1.16+"},
			{"gitRepo", s->git_repo, "deprecated in v1.11, and disabled by default in v1.33+"},
			{"scaleIO", s->scale_io, "deprecated in v1.16, non-functional in v1.22+"},
			{"flocker", s->flocker, "deprecated in v1.22, non-functional in v1.25+"},
			{"storageOS", s->storageos, "deprecated in v1.22, non-functional in v1.25+"},
			{"quobyte", s->quobyte, "deprecated in v1.22, non-functional in v1.25+"},
			{"glusterfs", s->glusterfs, "deprecated in v1.25, non-functional in v1.26+"},
			{"ephemeral", false, NULL},
			{"cephfs", s->cephfs, "deprecated in v1.28, non-functional in v1.31+"},
			{"rbd", s->rbd, "deprecated in v1.28, non-functional in v1.31+"},
		};
		for (size_t k = 0; k < ARRAY_SIZE(old); k++) {
			if (old[k].used)
				request_warn_at(request, FIELD(at, old[k].name), old[k].text);
			if (!old[k].text && s->ephemeral && s->ephemeral->volume_claim_template)
				claim_warn(request, FIELD(FIELD(FIELD(at, "ephemeral"), "volumeClaimTemplate"), "spec"),
					s->ephemeral->volume_claim_template->spec);
		}
	}
}

static void warn_lists(struct request *request, const struct field_path *path, const CoreV1PodSpec *spec)
{
	struct nameset ips = {.arena = request->arena}, names = {.arena = request->arena};
	for (size_t i = 0; i < spec->n_host_aliases; i++)
		if (!nameset_add(&ips, spec->host_aliases[i]->ip))
			request_warn_at(request, FIELD(FIELD_INDEX(FIELD(path, "hostAliases"), i), "ip"),
				arena_printf(request->arena, "duplicate ip %s",
					field_quote(request->arena, spec->host_aliases[i]->ip)));
	const struct field_path *secrets = FIELD(path, "imagePullSecrets");
	for (size_t i = 0; i < spec->n_image_pull_secrets; i++)
		if (!nameset_add(&names, spec->image_pull_secrets[i]->name))
			request_warn_at(request, FIELD(FIELD_INDEX(secrets, i), "name"),
				arena_printf(request->arena, "duplicate name %s",
					field_quote(request->arena, spec->image_pull_secrets[i]->name)));
	for (size_t i = 0; i < spec->n_image_pull_secrets; i++)
		if (str_empty(spec->image_pull_secrets[i]->name))
			request_warn_at(request, FIELD(FIELD_INDEX(secrets, i), "name"), "invalid empty name \"\"");
}

static void warn_env(struct request *request, const struct field_path *path, const CoreV1Container *c)
{
	struct nameset names = {.arena = request->arena};
	for (size_t i = 0; i < c->n_env; i++) {
		const CoreV1EnvVar *env = c->env[i];
		if (nameset_add(&names, env->name))
			continue;
		const char *ref = arena_printf(request->arena, "$(%s)", str_or_empty(env->name));
		const char *value = str_or_empty(env->value);
		if (env->value_from || str_eq(value, ref) || !strstr(value, ref))
			request_warn_at(request, FIELD_INDEX(FIELD(path, "env"), i),
				arena_printf(request->arena,
					"hides previous definition of %s, which may be dropped when using apply",
					field_quote(request->arena, env->name)));
	}
}

/* Profiles that annotations name for a container. */
static void warn_profiles(struct request *request, const struct field_path *path, const struct map_index *annotations,
	const CoreV1Container *c, const CoreV1PodSpec *spec, bool is_template)
{
	const CoreV1SecurityContext *s = c->security_context;
	const CoreV1PodSecurityContext *pod = spec->security_context;
	const char *name = str_or_empty(c->name);
	const char *seccomp = arena_printf(request->arena, SECCOMP "%s", name);
	const char *armor = arena_printf(request->arena, APP_ARMOR "%s", name);
	if ((!s || !s->seccomp_profile) && map_index_get(annotations, seccomp))
		request_warn_at(request, FIELD_KEY(path, seccomp), USE_SECCOMP);
	if (is_template && (!s || !s->app_armor_profile) && (!pod || !pod->app_armor_profile) &&
		map_index_get(annotations, armor))
		request_warn_at(request, FIELD_KEY(path, armor),
			"deprecated since v1.30; use the \"appArmorProfile\" field instead");
}

static void warn_container(struct request *request, const struct field_path *path, const CoreV1Container *c)
{
	const CoreV1ResourceRequirements *r = c->resources;
	static const char *const bytes[] = {"memory", "ephemeral-storage"};
	for (size_t i = 0; r && i < ARRAY_SIZE(bytes); i++) {
		const struct field_path *at = FIELD(path, "resources");
		warn_fraction(request, FIELD(at, "limits"), r->limits, r->n_limits, bytes[i]);
		warn_fraction(request, FIELD(at, "requests"), r->requests, r->n_requests, bytes[i]);
	}
	warn_env(request, path, c);
}

/* One port of one container. */
struct port {
	const CoreV1ContainerPort *port;
	struct field_path container, ports, at;
	struct port *next; /* with the same number and protocol */
};

static void compare_ports(struct request *request, const struct port *new, const struct port *old)
{
	const CoreV1ContainerPort *a = new->port, *b = old->port;
	const char *what = NULL;
	if (str_eq(a->host_ip, b->host_ip) && a->host_port == b->host_port)
		what = "duplicate";
	else if (!a->host_port || !b->host_port)
		what = "overlapping";
	else if (a->host_port == b->host_port && str_empty(a->host_ip) != str_empty(b->host_ip))
		what = "dangerously ambiguous";
	if (what)
		request_warn_at(request, &new->at,
			arena_printf(request->arena, "%s port definition with %s", what,
				field_path_string(request->arena, &old->at)));
}

static size_t all_ports(
	struct arena *arena, const struct field_path *path, const CoreV1PodSpec *spec, struct port **ret_all)
{
	struct pod_container *containers;
	size_t n = 0, most = 0, n_containers = pod_containers(arena, spec, &containers);
	for (size_t i = 0; i < n_containers; i++)
		most += containers[i].container->n_ports;
	struct port *all = ARENA_ARRAY(arena, struct port, most + 1);
	for (size_t i = 0; i < n_containers; i++) {
		struct field_path *list = ARENA_NEW(arena, struct field_path);
		*list = (struct field_path){.parent = path, .name = containers[i].list};
		for (size_t k = 0; k < containers[i].container->n_ports; k++) {
			struct port *p = &all[n++];
			p->port = containers[i].container->ports[k];
			p->container = (struct field_path){.parent = list, .index = containers[i].index};
			p->ports = (struct field_path){.parent = &p->container, .name = "ports"};
			p->at = (struct field_path){.parent = &p->ports, .index = k};
		}
	}
	*ret_all = all;
	return n;
}

static void warn_ports(struct request *request, const struct field_path *path, const CoreV1PodSpec *spec)
{
	struct port *all;
	size_t n = all_ports(request->arena, path, spec, &all);
	struct nameset numbers = {.arena = request->arena}, names = {.arena = request->arena};
	struct port **last = ARENA_ARRAY(request->arena, struct port *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const CoreV1ContainerPort *p = all[i].port;
		if (!str_empty(p->host_ip) && !p->host_port)
			request_warn_at(request, &all[i].at,
				arena_printf(request->arena,
					"hostIP set without hostPort: {Name:%s HostPort:0 ContainerPort:%d Protocol:%s "
					"HostIP:%s}",
					str_or_empty(p->name), p->container_port, str_or_empty(p->protocol),
					p->host_ip));
		nameset_add_pair(&numbers, p->protocol, p->container_port);
		size_t first = nameset_find_pair(&numbers, p->protocol, p->container_port);
		for (struct port *other = last[first] ? &all[first] : NULL; other && request_may_warn(request);
			other = other->next)
			compare_ports(request, &all[i], other);
		if (last[first])
			last[first]->next = &all[i];
		last[first] = &all[i];
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = str_or_empty(all[i].port->name);
		if (nameset_add(&names, name) || !*name)
			continue;
		const char *other = field_path_string(request->arena, &all[nameset_find(&names, name)].at);
		request_warn_at(request, &all[i].at,
			arena_printf(request->arena,
				"duplicate port name %s with %s, services and probes that select ports by name "
				"will use %s",
				field_quote(request->arena, name), other, other));
	}
}

static void warn_terms(struct request *request, const struct field_path *path, CoreV1PodAffinityTerm *const *required,
	size_t n_required, CoreV1WeightedPodAffinityTerm *const *preferred, size_t n_preferred)
{
	static const char text[] = "a null labelSelector results in matching no pod";
	for (size_t i = 0; i < n_required; i++)
		if (!required[i]->label_selector)
			request_warn_at(request,
				FIELD(FIELD_INDEX(FIELD(path, "requiredDuringSchedulingIgnoredDuringExecution"), i),
					"labelSelector"),
				text);
	for (size_t i = 0; i < n_preferred; i++)
		if (!preferred[i]->pod_affinity_term || !preferred[i]->pod_affinity_term->label_selector)
			request_warn_at(request,
				FIELD(FIELD(FIELD_INDEX(
						    FIELD(path, "preferredDuringSchedulingIgnoredDuringExecution"), i),
					      "podAffinityTerm"),
					"labelSelector"),
				text);
}

static void warn_affinity(struct request *request, const struct field_path *path, const CoreV1Affinity *a)
{
	const CoreV1PodAffinity *with = a ? a->pod_affinity : NULL;
	const CoreV1PodAntiAffinity *without = a ? a->pod_anti_affinity : NULL;
	if (with)
		warn_terms(request, FIELD(path, "podAffinity"),
			with->required_during_scheduling_ignored_during_execution,
			with->n_required_during_scheduling_ignored_during_execution,
			with->preferred_during_scheduling_ignored_during_execution,
			with->n_preferred_during_scheduling_ignored_during_execution);
	if (without)
		warn_terms(request, FIELD(path, "podAntiAffinity"),
			without->required_during_scheduling_ignored_during_execution,
			without->n_required_during_scheduling_ignored_during_execution,
			without->preferred_during_scheduling_ignored_during_execution,
			without->n_preferred_during_scheduling_ignored_during_execution);
}

static void warn_addresses(struct request *request, const struct field_path *path, const CoreV1PodSpec *spec)
{
	const CoreV1PodDNSConfig *dns = spec->dns_config;
	for (size_t i = 0; dns && i < dns->n_nameservers; i++)
		address_warn(
			request, FIELD_INDEX(FIELD(FIELD(path, "dnsConfig"), "nameservers"), i), dns->nameservers[i]);
	for (size_t i = 0; i < spec->n_host_aliases; i++)
		address_warn(
			request, FIELD(FIELD_INDEX(FIELD(path, "hostAliases"), i), "ip"), spec->host_aliases[i]->ip);
}

void pod_warn(
	struct request *request, const struct field_path *path, const CoreV1PodSpec *spec, const MetaV1ObjectMeta *meta)
{
	const struct field_path *at = FIELD(path, "spec"), *annotations = FIELD(FIELD(path, "metadata"), "annotations");
	struct pod_container *all;
	size_t n = pod_containers(request->arena, spec, &all);
	warn_nodes(request, at, spec);
	warn_annotations(request, annotations, meta);
	warn_volumes(request, at, spec);
	pod_warn_paths(request, spec);
	warn_lists(request, at, spec);
	warn_fraction(request, FIELD(at, "overhead"), spec->overhead, spec->n_overhead, "memory");
	warn_fraction(request, FIELD(at, "overhead"), spec->overhead, spec->n_overhead, "ephemeral-storage");
	if ((!spec->security_context || !spec->security_context->seccomp_profile) && meta_annotation(meta, SECCOMP_POD))
		request_warn_at(request, FIELD_KEY(annotations, SECCOMP_POD), USE_SECCOMP);
	const struct map_index by_key = map_index_of(request->arena, meta->annotations, meta->n_annotations);
	for (size_t i = 0; i < n; i++) {
		if (by_key.n)
			warn_profiles(request, annotations, &by_key, all[i].container, spec, path);
		warn_container(request, POD_CONTAINER_PATH(at, &all[i]), all[i].container);
	}
	warn_ports(request, at, spec);
	if (spec->has_termination_grace_period_seconds && spec->termination_grace_period_seconds < 0)
		request_warn_at(request, FIELD(at, "terminationGracePeriodSeconds"),
			"must be >= 0; negative values are invalid and will be treated as 1");
	warn_affinity(request, FIELD(at, "affinity"), spec->affinity);
	warn_addresses(request, at, spec);
}

void pod_template_warn(struct request *request, const struct field_path *path, const CoreV1PodTemplateSpec *template)
{
	if (template)
		pod_warn(request, path, template->spec ? template->spec : CoreV1PodSpec_schema.zero,
			template->metadata ? template->metadata : MetaV1ObjectMeta_schema.zero);
}
