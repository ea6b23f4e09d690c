/*
 * What the scheduler knows of a pod, worked out once: requests, ports, affinity, importance.
 *
 *	struct pod_info *pod = pod_info_new(names, object, object_unref, object);
 *
 * Ownership: reference counted; holds the API object through the release function it was given.
 * Threads: the scheduler's own thread; the API object itself is immutable and may be read by any.
 */
#ifndef SCHEDULER_POD_H
#define SCHEDULER_POD_H

#include "api/types.h"
#include "scheduler/resources.h"

struct host_port {
	const char *ip; /* "0.0.0.0" stands for all */
	const char *protocol;
	int32_t port;
};

/* A pod (anti-)affinity term, with its selectors as they stand in the pod. */
struct affinity_term {
	const MetaV1LabelSelector *selector;	       /* NULL selects nothing */
	const MetaV1LabelSelector *namespace_selector; /* NULL selects nothing, empty everything */
	char **namespaces;
	size_t n_namespaces;
	const char *topology_key;
	int32_t weight; /* of a preferred term */
};

struct affinity_terms {
	struct affinity_term *items;
	size_t n_items;
};

struct pod_info {
	const CoreV1Pod *pod;
	const char *uid, *name, *namespace_;
	int32_t priority;
	struct resource_list requests; /* what the fit check of this pod asks for */
	struct resource_list held;     /* what it takes from its node (larger than requests while being resized) */
	int64_t non_zero_cpu, non_zero_memory;
	struct host_port *ports;
	size_t n_ports;
	struct affinity_terms required_affinity, required_anti, preferred_affinity, preferred_anti;
	uint32_t label_set; /* id of namespace and labels, given by the node table; INTERN_NONE: not on a node yet */
	bool has_affinity;  /* names pod affinity or anti-affinity at all */
	/* private */
	int refs;
	struct arena *arena;
	void (*release)(void *data);
	void *release_data;
};

/* names is the intern table of resources. release(data) is called when the last reference goes; it may be NULL. */
struct pod_info *pod_info_new(struct intern *names, const CoreV1Pod *pod, void (*release)(void *data), void *data);
struct pod_info *pod_info_ref(struct pod_info *info);
void pod_info_unref(struct pod_info *info);
DEFINE_CLEANUP(struct pod_info *, pod_info_unref)

static inline const char *pod_node_name(const struct pod_info *info)
{
	return info->pod->spec && info->pod->spec->node_name ? info->pod->spec->node_name : "";
}
static inline const char *pod_nominated_node(const struct pod_info *info)
{
	return info->pod->status && info->pod->status->nominated_node_name ? info->pod->status->nominated_node_name
									   : "";
}
static inline bool pod_is_terminating(const struct pod_info *info)
{
	return info->pod->metadata && info->pod->metadata->deletion_timestamp;
}
/* Whether two sets of host ports cannot live on one node. */
bool host_port_conflict(const struct host_port *a, const struct host_port *b);
/* "namespace/name" into the arena. */
char *pod_key(struct arena *arena, const struct pod_info *info);
/* Whether a term of one pod selects another; ns_labels are the labels of the other's namespace. */
bool affinity_term_matches(const struct affinity_term *term, const struct pod_info *other,
	MapStringEntry *const *ns_labels, size_t n_ns_labels);

#endif
