#include "api/defaults/table.h"
#include "api/image_reference.h"

static const char *pull_policy(const char *image)
{
	return image_reference_is_latest(image) ? "Always" : "IfNotPresent";
}

static void set_container(struct arena *arena, void *msg)
{
	CoreV1Container *c = msg;
	DEFAULT_STRING(c, image_pull_policy, pull_policy(c->image));
	DEFAULT_STRING(c, termination_message_path, "/dev/termination-log");
	DEFAULT_STRING(c, termination_message_policy, "File");
}

static void set_ephemeral_container(struct arena *arena, void *msg)
{
	CoreV1EphemeralContainerCommon *c = msg;
	DEFAULT_STRING(c, image_pull_policy, pull_policy(c->image));
	DEFAULT_STRING(c, termination_message_path, "/dev/termination-log");
	DEFAULT_STRING(c, termination_message_policy, "File");
}

/* What it has in common is there even where it says nothing. */
static void set_ephemeral(struct arena *arena, void *msg)
{
	CoreV1EphemeralContainer *c = msg;
	DEFAULT_MESSAGE(arena, c, ephemeral_container_common, CoreV1EphemeralContainerCommon);
	set_ephemeral_container(arena, c->ephemeral_container_common);
}

static void set_container_port(struct arena *arena, void *msg)
{
	CoreV1ContainerPort *port = msg;
	DEFAULT_STRING(port, protocol, "TCP");
}

static void set_probe(struct arena *arena, void *msg)
{
	CoreV1Probe *probe = msg;
	DEFAULT_NUMBER(probe, timeout_seconds, 1);
	DEFAULT_NUMBER(probe, period_seconds, 10);
	DEFAULT_NUMBER(probe, success_threshold, 1);
	DEFAULT_NUMBER(probe, failure_threshold, 3);
}

static void set_http_get(struct arena *arena, void *msg)
{
	CoreV1HTTPGetAction *get = msg;
	DEFAULT_STRING(get, path, "/");
	DEFAULT_STRING(get, scheme, "HTTP");
}

static void set_grpc(struct arena *arena, void *msg)
{
	CoreV1GRPCAction *grpc = msg;
	DEFAULT_OPTIONAL_STRING(grpc, service, "");
}

static void set_field_selector(struct arena *arena, void *msg)
{
	CoreV1ObjectFieldSelector *selector = msg;
	DEFAULT_STRING(selector, api_version, "v1");
}

static void set_file_key(struct arena *arena, void *msg)
{
	CoreV1FileKeySelector *selector = msg;
	DEFAULT_SCALAR(selector, optional, false);
}

const struct defaulter defaults_container[] = {
	{&CoreV1Container_schema, set_container},
	{&CoreV1EphemeralContainer_schema, set_ephemeral},
	{&CoreV1EphemeralContainerCommon_schema, set_ephemeral_container},
	{&CoreV1ContainerPort_schema, set_container_port},
	{&CoreV1Probe_schema, set_probe},
	{&CoreV1HTTPGetAction_schema, set_http_get},
	{&CoreV1GRPCAction_schema, set_grpc},
	{&CoreV1ObjectFieldSelector_schema, set_field_selector},
	{&CoreV1FileKeySelector_schema, set_file_key},
	{NULL, NULL},
};
