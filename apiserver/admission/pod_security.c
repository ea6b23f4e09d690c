#include <stdatomic.h>
#include <stdlib.h>
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/pod_standards.h"
#include "apiserver/config_file.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/validation/field.h"
#include "apiserver/validation/meta.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"
#include "serve/metrics.h"

/*
 * A namespace's labels say which of the Pod Security Standards its pods must keep, which they are warned by, and which
 * is noted in the audit. What makes pods is only warned of: it is the pods that are refused.
 */

enum mode { ENFORCE, AUDIT, WARN, N_MODES };
static const char *const mode_names[] = {"enforce", "audit", "warn"};

struct policy {
	struct pod_standard modes[N_MODES];
};

#define LABEL_PREFIX "pod-security.kubernetes.io/"
static const char *const level_labels[] = {LABEL_PREFIX "enforce", LABEL_PREFIX "audit", LABEL_PREFIX "warn"};
static const char *const version_labels[] = {
	LABEL_PREFIX "enforce-version", LABEL_PREFIX "audit-version", LABEL_PREFIX "warn-version"};

#define BAD_LEVEL "must be one of privileged, baseline, restricted"
#define BAD_VERSION "must be \"latest\" or \"v1.x\""

/* Verdicts by whether they refused, level, version of the standards, mode, operation, what of and subresource. */
enum { OF_POD, OF_CONTROLLER, N_OF };
enum { OF_ALL, OF_EPHEMERAL, OF_RESIZE, N_PARTS };
static const char *const of_names[] = {"pod", "controller"}, *const part_names[] = {
								     "", "ephemeralcontainers", "resize"};
enum { RELEASE = 34, FUTURE, LATEST, N_VERSIONS };

struct pod_security {
	PodsecurityV1PodSecurityConfiguration *config;
	struct policy defaults;
	atomic_uint_least64_t counts[2][3][N_VERSIONS][N_MODES][2][N_OF][N_PARTS];
	atomic_uint_least64_t exempted[2][N_OF][N_PARTS];
	atomic_uint_least64_t errors[2][N_OF][N_PARTS]; /* labels that could not be read; none ends a request */
};

/* --- policies --- */

/* What is no level is held to be the strictest. */
static bool read_level(const char *text, enum pod_level *ret)
{
	for (*ret = POD_PRIVILEGED; *ret < POD_RESTRICTED; (*ret)++)
		if (str_eq(text, pod_level_name(*ret)))
			return true;
	return str_eq(text, pod_level_name(POD_RESTRICTED));
}

static bool read_version(const char *text, int *ret)
{
	int64_t minor;
	*ret = POD_LATEST;
	if (str_eq(text, "latest"))
		return true;
	if (!str_starts_with(text, "v1.") || text[3 + strspn(text + 3, "0123456789")] || (text[3] == '0' && text[4]) ||
		!str_to_int64(text + 3, 0, INT64_MAX, &minor))
		return false;
	*ret = minor < POD_LATEST ? (int)minor : POD_LATEST - 1;
	return true;
}

static void bad_label(struct field_errors *errors, const char *label, const char *value, const char *problem)
{
	field_invalid(errors, FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "labels"), label), value, problem);
}

/* Labels that cannot be read are told, and make the policy strict where it refuses, and lax where it does not. */
static struct policy policy_of(const struct policy *defaults, const MetaV1ObjectMeta *meta, struct field_errors *errors)
{
	struct policy p = *defaults;
	bool enforces = false;
	for (int mode = ENFORCE; mode < N_MODES; mode++) {
		const char *level = meta_label(meta, level_labels[mode]);
		const char *version = meta_label(meta, version_labels[mode]);
		const bool known = level && read_level(level, &p.modes[mode].level);
		if (level && !known)
			bad_label(errors, level_labels[mode], level, BAD_LEVEL);
		if (level && !known && mode != ENFORCE)
			p.modes[mode].level = POD_PRIVILEGED;
		if (version && !read_version(version, &p.modes[mode].version))
			bad_label(errors, version_labels[mode], version, BAD_VERSION);
		enforces |= mode == ENFORCE && known;
	}
	/* Who refuses more than he warns of warns of that too. */
	if (!meta_label(meta, level_labels[WARN]) && enforces && p.modes[ENFORCE].level > p.modes[WARN].level) {
		p.modes[WARN].level = p.modes[ENFORCE].level;
		if (!meta_label(meta, version_labels[WARN]))
			p.modes[WARN].version = p.modes[ENFORCE].version;
	}
	return p;
}

static bool same_standard(const struct pod_standard *a, const struct pod_standard *b)
{
	return a->level == b->level && a->version == b->version;
}

/* --- what the configuration says --- */

static const struct config_form form = {.type = &PodsecurityV1PodSecurityConfiguration_schema,
	.strict = true,
	.names = {{"pod-security.admission.config.k8s.io/v1", "PodSecurityConfiguration"},
		{"pod-security.admission.config.k8s.io/v1beta1", "PodSecurityConfiguration"},
		{"pod-security.admission.config.k8s.io/v1alpha1", "PodSecurityConfiguration"}}};

static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	PodsecurityV1PodSecurityConfiguration *config = API_NEW(start->arena, PodsecurityV1PodSecurityConfiguration);
	if (start->config)
		TRY(config_decode(start->arena, start->config, start->config_size, &form, &config));
	ENSURE(start->arena, config->defaults, PodsecurityV1PodSecurityDefaults);
	ENSURE(start->arena, config->exemptions, PodsecurityV1PodSecurityExemptions);
	struct pod_security *own = mem_zalloc(sizeof(*own));
	own->config = config;
	context->own = own;
	return NULL;
}

static struct status *read_defaults(struct arena *arena, struct pod_security *own)
{
	const PodsecurityV1PodSecurityDefaults *d = own->config->defaults;
	const char *const levels[] = {d->enforce, d->audit, d->warn};
	const char *const versions[] = {d->enforce_version, d->audit_version, d->warn_version};
	char **wrong = NULL;
	size_t n = 0;
	for (int mode = ENFORCE; mode < N_MODES; mode++) {
		struct pod_standard *standard = &own->defaults.modes[mode];
		if (!read_level(str_or(levels[mode], "privileged"), &standard->level))
			ARENA_PUSH(arena, wrong, n) = arena_printf(arena, "%s: " BAD_LEVEL, mode_names[mode]);
		if (!read_version(str_or(versions[mode], "latest"), &standard->version))
			ARENA_PUSH(arena, wrong, n) = arena_printf(arena, "%s-version: " BAD_VERSION, mode_names[mode]);
	}
	if (!n)
		return NULL;
	return status_bad_request(
		n > 1 ? "PodSecurity configuration error: [%s]" : "PodSecurity configuration error: %s",
		str_join(arena, wrong, n, ", "));
}

static const char *any_user_name(struct arena *arena, const char *name, bool prefix)
{
	return *name ? NULL : "username must not be empty";
}

static void check_exemptions(struct field_errors *errors, const char *field, char *const *items, size_t n,
	const char *(*problem_of)(struct arena *, const char *, bool))
{
	const struct field_path *path = FIELD(FIELD(NULL, "exemptions"), field);
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < n; i++) {
		const char *problem = problem_of(errors->arena, items[i], false);
		if (problem)
			field_invalid(errors, FIELD_INDEX(path, i), items[i], problem);
		else if (!nameset_add(&seen, items[i]))
			field_duplicate(errors, FIELD_INDEX(path, i), items[i]);
	}
}

static struct status *ready(const struct admission_context *context)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct pod_security *own = context->own;
	const PodsecurityV1PodSecurityExemptions *x = own->config->exemptions;
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	TRY(read_defaults(arena, own));
	check_exemptions(&errors, "namespaces", x->namespaces, x->n_namespaces, name_is_dns_label);
	check_exemptions(&errors, "runtimeClasses", x->runtime_classes, x->n_runtime_classes, name_is_dns_subdomain);
	check_exemptions(&errors, "usernames", x->usernames, x->n_usernames, any_user_name);
	return status_wrap(config_errors(&errors), "PodSecurity invalid");
}

/* --- figures --- */

static size_t version_index(const struct pod_standard *standard)
{
	if (standard->version == POD_LATEST || standard->level == POD_PRIVILEGED)
		return LATEST;
	return standard->version > RELEASE ? FUTURE : (size_t)standard->version;
}

static size_t part_of(const struct admission_attributes *a)
{
	size_t part = OF_ALL;
	while (part < OF_RESIZE && !str_eq(a->subresource, part_names[part]))
		part++;
	return part;
}

static size_t of_what(const struct admission_attributes *a)
{
	return API_IS(a->object, CoreV1Pod) ? OF_POD : OF_CONTROLLER;
}

static void count(const struct admission_context *context, const struct admission_attributes *a, enum mode mode,
	const struct pod_standard *standard, bool denied)
{
	struct pod_security *own = context->own;
	atomic_fetch_add_explicit(&own->counts[denied][standard->level][version_index(standard)][mode]
					      [a->operation == ADMISSION_UPDATE][of_what(a)][part_of(a)],
		1, memory_order_relaxed);
}

static void add_what(struct strbuf *labels, size_t update, size_t of, size_t part)
{
	metrics_add_label(labels, "request_operation", update ? "update" : "create");
	metrics_add_label(labels, "resource", of_names[of]);
	metrics_add_label(labels, "subresource", part_names[part]);
}

static void write_verdicts(const struct pod_security *own, struct strbuf *out, const char *name, size_t denied,
	size_t level, size_t version)
{
	char number[16];
	snprintf(number, sizeof(number), "v1.%zu", version);
	const char *const text = version == LATEST ? "latest" : version == FUTURE ? "future" : number;
	for (size_t i = 0; i < (size_t)N_MODES * 2 * N_OF * N_PARTS; i++) {
		const size_t mode = i / (2 * N_OF * N_PARTS), update = i / (N_OF * N_PARTS) % 2,
			     of = i / N_PARTS % N_OF, part = i % N_PARTS;
		const uint64_t n = atomic_load(&own->counts[denied][level][version][mode][update][of][part]);
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		if (!n)
			continue;
		metrics_add_label(&labels, "decision", denied ? "deny" : "allow");
		metrics_add_label(&labels, "mode", mode_names[mode]);
		metrics_add_label(&labels, "policy_level", pod_level_name((enum pod_level)level));
		metrics_add_label(&labels, "policy_version", text);
		add_what(&labels, update, of, part);
		metrics_write_sample(out, name, labels.buf, (double)n);
	}
}

/* fatal: the label of that name, or NULL. What is of the whole object is written even when it is 0 unless it is of
 * errors. */
static void write_requests(
	const atomic_uint_least64_t (*counts)[N_OF][N_PARTS], struct strbuf *out, const char *name, const char *fatal)
{
	for (size_t update = 0; update < 2; update++)
		for (size_t of = 0; of < N_OF; of++)
			for (size_t part = 0; part < N_PARTS; part++) {
				const uint64_t n = atomic_load(&counts[update][of][part]);
				CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
				if (!n && (fatal || part != OF_ALL))
					continue;
				if (fatal)
					metrics_add_label(&labels, "fatal", fatal);
				add_what(&labels, update, of, part);
				metrics_write_sample(out, name, labels.buf, (double)n);
			}
}

static void write_metrics(const void *data, struct strbuf *out)
{
	static const char verdicts[] = "pod_security_evaluations_total", exempted[] = "pod_security_exemptions_total",
			  errors[] = "pod_security_errors_total";
	const struct pod_security *own = data;
	metrics_write_head(out, verdicts, "counter", "Pods held against the level of their namespace.");
	for (size_t denied = 0; denied < 2; denied++)
		for (size_t level = 0; level < 3; level++)
			for (size_t version = 0; version < N_VERSIONS; version++)
				write_verdicts(own, out, verdicts, denied, level, version);
	metrics_write_head(out, exempted, "counter", "Pods that are exempt from it.");
	write_requests(own->exempted, out, exempted, NULL);
	metrics_write_head(out, errors, "counter", "Labels of namespaces that could not be read.");
	write_requests(own->errors, out, errors, "false");
}

/* --- pods, and what they are made of --- */

static bool is_exempt(
	const struct admission_context *context, const struct admission_attributes *a, const CoreV1PodSpec *spec)
{
	struct pod_security *own = context->own;
	const PodsecurityV1PodSecurityExemptions *x = own->config->exemptions;
	const bool exempt =
		spec ? !str_empty(spec->runtime_class_name) &&
				str_in_n(spec->runtime_class_name, x->runtime_classes, x->n_runtime_classes)
		     : (!str_empty(a->namespace) && str_in_n(a->namespace, x->namespaces, x->n_namespaces)) ||
				(a->user && str_in_n(a->user->name, x->usernames, x->n_usernames));
	if (exempt)
		atomic_fetch_add(&own->exempted[a->operation == ADMISSION_UPDATE][of_what(a)][part_of(a)], 1);
	return exempt;
}

/* The standards that one request is held against are often the same. */
struct verdicts {
	struct arena *arena;
	const MetaV1ObjectMeta *meta;
	const CoreV1PodSpec *spec;
	struct pod_standard standards[N_MODES];
	struct pod_findings found[N_MODES];
	size_t n;
};

static const struct pod_findings *verdict(struct verdicts *v, const struct pod_standard *standard)
{
	size_t i = 0;
	while (i < v->n && !same_standard(&v->standards[i], standard))
		i++;
	if (i == v->n) {
		v->standards[v->n++] = *standard;
		pod_standard_check(v->arena, standard, v->meta, v->spec, &v->found[i]);
	}
	return &v->found[i];
}

static struct status *evaluate(const struct admission_context *context, const struct admission_attributes *a,
	const struct policy *policy, const MetaV1ObjectMeta *meta, const CoreV1PodSpec *spec, bool enforce)
{
	struct verdicts v = {.arena = a->arena, .meta = meta, .spec = spec};
	struct status *refused = NULL;
	if (is_exempt(context, a, spec))
		return NULL;
	for (int mode = ENFORCE; mode < N_MODES; mode++) {
		const struct pod_standard *standard = &policy->modes[mode];
		if ((mode == ENFORCE && !enforce) || (mode == WARN && refused))
			continue;
		const struct pod_findings *found = verdict(&v, standard);
		if (found->n || mode == ENFORCE)
			count(context, a, mode, standard, found->n > 0);
		if (!found->n)
			continue;
		const char *violates =
			arena_printf(a->arena, "violate%s PodSecurity \"%s\": %s", mode == ENFORCE ? "s" : "",
				pod_standard_text(a->arena, standard), pod_findings_text(a->arena, found, true));
		if (mode == ENFORCE)
			refused = admission_forbidden(a, "%s", violates);
		else if (mode == WARN)
			admission_warn(a, "would %s", violates);
	}
	return refused;
}

static bool image_changed(CoreV1Container *const *now, CoreV1Container *const *old, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!str_eq(now[i]->image, old[i]->image))
			return true;
	return false;
}

static bool ephemeral_changed(struct arena *arena, const CoreV1PodSpec *now, const CoreV1PodSpec *old)
{
	struct nameset before = {.arena = arena};
	for (size_t i = 0; i < old->n_ephemeral_containers; i++)
		nameset_add(&before, old->ephemeral_containers[i]->ephemeral_container_common->name);
	for (size_t i = 0; i < now->n_ephemeral_containers; i++) {
		const CoreV1EphemeralContainerCommon *c = now->ephemeral_containers[i]->ephemeral_container_common;
		const size_t at = nameset_find(&before, c->name);
		if (at == SIZE_MAX ||
			!str_eq(c->image, old->ephemeral_containers[at]->ephemeral_container_common->image))
			return true;
	}
	return false;
}

/* Whether the update can make a pod do more than it could: what else may change does not. */
static bool is_significant(const struct admission_attributes *a, const CoreV1PodSpec *now)
{
	const CoreV1PodSpec *old = API_IS(a->old, CoreV1Pod) ? ((const CoreV1Pod *)a->old)->spec : NULL;
	return !old || now->n_containers != old->n_containers || now->n_init_containers != old->n_init_containers ||
	       image_changed(now->containers, old->containers, now->n_containers) ||
	       image_changed(now->init_containers, old->init_containers, now->n_init_containers) ||
	       ephemeral_changed(a->arena, now, old);
}

static struct status *no_namespace(const struct admission_attributes *a, struct status *why)
{
	const char *text = arena_printf(a->arena, "failed to lookup namespace \"%s\"", a->namespace);
	struct status *s = status_internal("Internal error occurred: %s", text);
	status_add_cause(s, "", "", "%s", text);
	status_drop(why, "told in other words");
	return s;
}

static struct status *on_pod(
	const struct admission_context *context, const struct admission_attributes *a, const CoreV1Pod *pod)
{
	static const struct pod_standard none = {POD_PRIVILEGED, POD_LATEST};
	struct pod_security *own = context->own;
	struct field_errors errors = FIELD_ERRORS_INIT(a->arena);
	const CoreV1Namespace *ns;
	if (!pod->spec || is_exempt(context, a, NULL))
		return NULL;
	struct status *unknown = admission_namespace(context, a, &ns);
	if (unknown)
		return no_namespace(a, unknown);
	const struct policy policy = policy_of(&own->defaults, ns->metadata, &errors);
	bool lax = !errors.n_items;
	for (int mode = ENFORCE; mode < N_MODES; mode++)
		lax &= policy.modes[mode].level == POD_PRIVILEGED;
	if (lax) {
		count(context, a, ENFORCE, &none, false);
		return NULL;
	}
	if (a->operation == ADMISSION_UPDATE && !is_significant(a, pod->spec))
		return NULL;
	if (errors.n_items)
		atomic_fetch_add(&own->errors[a->operation == ADMISSION_UPDATE][OF_POD][part_of(a)], 1);
	return evaluate(context, a, &policy, pod->metadata, pod->spec, true);
}

static struct status *on_controller(const struct admission_context *context, const struct admission_attributes *a)
{
	struct pod_security *own = context->own;
	struct field_errors errors = FIELD_ERRORS_INIT(a->arena);
	const CoreV1PodTemplateSpec *template = object_pod_template(a->object);
	const CoreV1Namespace *ns;
	if (is_exempt(context, a, NULL))
		return NULL;
	struct status *unknown = admission_namespace(context, a, &ns);
	if (unknown) {
		status_drop(unknown, "the pods will be held against it");
		return NULL;
	}
	const struct policy policy = policy_of(&own->defaults, ns->metadata, &errors);
	if (!errors.n_items && policy.modes[WARN].level == POD_PRIVILEGED &&
		policy.modes[AUDIT].level == POD_PRIVILEGED)
		return NULL;
	if (!template || !template->spec)
		return NULL;
	if (errors.n_items)
		atomic_fetch_add(&own->errors[a->operation == ADMISSION_UPDATE][OF_CONTROLLER][OF_ALL], 1);
	return evaluate(context, a, &policy, template->metadata, template->spec, false);
}

/* --- namespaces --- */

#define MAX_PODS 3000
#define MAX_MS 1000

/* One pod of each controller comes first, the others of it last. */
static const CoreV1Pod **in_order(
	struct arena *arena, const struct object_list *pods, const PodsecurityV1PodSecurityExemptions *x, size_t *ret_n)
{
	const CoreV1Pod **all = ARENA_ARRAY(arena, const CoreV1Pod *, pods->n_items + 1);
	const CoreV1Pod **more = ARENA_ARRAY(arena, const CoreV1Pod *, pods->n_items + 1);
	struct nameset controllers = {.arena = arena};
	size_t n_more = 0;
	*ret_n = 0;
	for (size_t i = 0; i < pods->n_items; i++) {
		const CoreV1Pod *pod = (const CoreV1Pod *)pods->items[i];
		const MetaV1OwnerReference *owner = meta_controller_of(pod->metadata);
		if (!pod->spec ||
			(!str_empty(pod->spec->runtime_class_name) &&
				str_in_n(pod->spec->runtime_class_name, x->runtime_classes, x->n_runtime_classes)))
			continue;
		if (owner && !nameset_add(&controllers, owner->uid))
			more[n_more++] = pod;
		else
			all[(*ret_n)++] = pod;
	}
	for (size_t i = 0; i < n_more; i++)
		all[(*ret_n)++] = more[i];
	return all;
}

/* The pods that do the same beyond the standard. */
struct alike {
	const char *first; /* of their names */
	size_t n;
};

static void add_pod(struct arena *arena, struct strmap *all, const char *reasons, const char *name)
{
	struct alike *alike = strmap_get(all, reasons);
	if (!alike) {
		alike = ARENA_NEW(arena, struct alike);
		strmap_put(all, reasons, alike);
	}
	if (!alike->n++ || strcmp(name, alike->first) < 0)
		alike->first = name;
}

static void warn_of_pods(const struct admission_attributes *a, struct strmap *all)
{
	char **warnings = NULL;
	size_t n = 0;
	STRMAP_FOREACH (all, it) {
		const struct alike *alike = it.value;
		const char *others = alike->n == 1   ? ""
				     : alike->n == 2 ? " (and 1 other pod)"
						     : arena_printf(a->arena, " (and %zu other pods)", alike->n - 1);
		ARENA_PUSH(a->arena, warnings, n) = arena_printf(a->arena, "%s%s: %s", alike->first, others, it.key);
	}
	qsort(warnings, n, sizeof(*warnings), str_cmp_qsort);
	for (size_t i = 0; i < n; i++)
		admission_warn(a, "%s", warnings[i]);
}

/* What there is already is not refused, but told of. */
static struct status *look_at_pods(const struct admission_context *context, const struct admission_attributes *a,
	const char *namespace, const struct pod_standard *standard)
{
	const struct pod_security *own = context->own;
	CLEANUP(strmap_freep) struct strmap *alike = strmap_new(NULL);
	const int64_t until_ms = clock_mono_ms(context->clock) + MAX_MS;
	struct object_list list;
	size_t n, i = 0;
	TRY(objects_list(context->objects, a->arena, &CoreV1Pod_schema, namespace, &list));
	const CoreV1Pod **pods = in_order(a->arena, &list, own->config->exemptions, &n);
	while (i < n && i < MAX_PODS && (!i || clock_mono_ms(context->clock) < until_ms)) {
		struct pod_findings found;
		pod_standard_check(a->arena, standard, pods[i]->metadata, pods[i]->spec, &found);
		if (found.n)
			add_pod(a->arena, alike, pod_findings_text(a->arena, &found, false), object_name(pods[i]));
		i++;
	}
	if (i < n)
		admission_warn(a,
			"new PodSecurity enforce level only checked against the first %zu of %zu existing pods", i, n);
	if (!strmap_count(alike))
		return NULL;
	admission_warn(a, "existing pods in namespace \"%s\" violate the new PodSecurity enforce level \"%s\"",
		namespace, pod_standard_text(a->arena, standard));
	warn_of_pods(a, alike);
	return NULL;
}

static bool is_equivalent(const struct policy *a, const struct policy *b)
{
	for (int mode = ENFORCE; mode < N_MODES; mode++)
		if (!same_standard(&a->modes[mode], &b->modes[mode]) &&
			(a->modes[mode].level != POD_PRIVILEGED || b->modes[mode].level != POD_PRIVILEGED))
			return false;
	return true;
}

/* Labels of a namespace that the configuration exempts say nothing; whether it is one. */
static bool warn_if_exempt(const struct pod_security *own, const struct admission_attributes *a,
	const CoreV1Namespace *ns, const struct policy *p)
{
	static const struct policy lax = {
		{{POD_PRIVILEGED, POD_LATEST}, {POD_PRIVILEGED, POD_LATEST}, {POD_PRIVILEGED, POD_LATEST}}};
	const PodsecurityV1PodSecurityExemptions *x = own->config->exemptions;
	CLEANUP(strbuf_done) struct strbuf said = STRBUF_INIT;
	if (!str_in_n(object_name(ns), x->namespaces, x->n_namespaces))
		return false;
	if (is_equivalent(p, &lax) || is_equivalent(p, &own->defaults))
		return true;
	for (int mode = ENFORCE; mode < N_MODES; mode++)
		if (p->modes[mode].level != POD_PRIVILEGED && (meta_label(ns->metadata, level_labels[mode]) ||
								      meta_label(ns->metadata, version_labels[mode])))
			strbuf_printf(&said, "%s%s=%s", said.len ? ", " : "", mode_names[mode],
				pod_standard_text(a->arena, &p->modes[mode]));
	admission_warn(a, "namespace \"%s\" is exempt from Pod Security, and the policy (%s) will be ignored",
		object_name(ns), said.buf);
	return true;
}

static bool same_errors(const struct field_errors *a, const struct field_errors *b)
{
	if (a->n_items != b->n_items)
		return false;
	for (size_t i = 0; i < a->n_items; i++)
		if (!str_eq(a->items[i].field, b->items[i].field) || !str_eq(a->items[i].body, b->items[i].body))
			return false;
	return true;
}

static struct status *on_namespace(const struct admission_context *context, const struct admission_attributes *a)
{
	const struct pod_security *own = context->own;
	struct field_errors errors = FIELD_ERRORS_INIT(a->arena), before = FIELD_ERRORS_INIT(a->arena);
	const CoreV1Namespace *ns = (const CoreV1Namespace *)a->object;
	const struct policy now = policy_of(&own->defaults, ns->metadata, &errors);
	if (a->operation == ADMISSION_CREATE) {
		TRY(field_errors_status(&errors, "", "Namespace", a->name));
		warn_if_exempt(own, a, ns, &now);
		return NULL;
	}
	if (!API_IS(a->old, CoreV1Namespace))
		return NULL;
	const struct policy old = policy_of(&own->defaults, ((const CoreV1Namespace *)a->old)->metadata, &before);
	if (!same_errors(&errors, &before))
		TRY(field_errors_status(&errors, "", "Namespace", a->name));
	const struct pod_standard *is = &now.modes[ENFORCE], *was = &old.modes[ENFORCE];
	if (is->level == POD_PRIVILEGED || (is->version == was->version && is->level <= was->level))
		return NULL;
	return warn_if_exempt(own, a, ns, &now) ? NULL : look_at_pods(context, a, object_name(ns), is);
}

/* --- the plugin --- */

static bool makes_pods(const struct admission_attributes *a)
{
	static const char *const core[] = {"replicationcontrollers", "podtemplates", NULL};
	static const char *const apps[] = {"replicasets", "deployments", "statefulsets", "daemonsets", NULL};
	static const char *const batch[] = {"jobs", "cronjobs", NULL};
	const char *const *resources = str_empty(a->group)	   ? core
				       : str_eq(a->group, "apps")  ? apps
				       : str_eq(a->group, "batch") ? batch
								   : NULL;
	return resources && str_in(a->resource, resources);
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (admission_is(a, "", "namespaces", "") && API_IS(a->object, CoreV1Namespace))
		return on_namespace(context, a);
	if (str_empty(a->group) && str_eq(a->resource, "pods"))
		return API_IS(a->object, CoreV1Pod) && !str_eq(a->subresource, "status")
			       ? on_pod(context, a, (const CoreV1Pod *)a->object)
			       : NULL;
	return str_empty(a->subresource) && a->object && makes_pods(a) ? on_controller(context, a) : NULL;
}

const struct admission_plugin pod_security_plugin = {
	.name = "PodSecurity",
	.on_by_default = true,
	.operations = ON_CREATE | ON_UPDATE,
	.validate = validate,
	.start = start,
	.ready = ready,
	.stop = free,
	.write_metrics = write_metrics,
};
