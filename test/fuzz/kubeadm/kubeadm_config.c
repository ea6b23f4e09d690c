/* A file of kubeadm's configuration, any text or one document right by the schema: what init and join go by is there,
 * or an error. */
#include "deploy/kubeadm/kubeadm.h"
#include "test/fuzz/config.h"

static const struct schema_type *const types[] = {&KubeadmV1beta4InitConfiguration_schema,
	&KubeadmV1beta4ClusterConfiguration_schema, &KubeadmV1beta4JoinConfiguration_schema,
	&KubeletV1beta1KubeletConfiguration_schema, &KubeproxyV1alpha1KubeProxyConfiguration_schema};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct kubeadm k = {.arena = arena, .clock = clock_system()};
	const char *path = fuzz_config(arena, data, size, types[size > 1 ? data[1] % ARRAY_SIZE(types) : 0]);

	if (!path)
		return 0;
	struct status *error = config_read(&k, path);
	if (!error)
		error = config_complete(&k);
	if (!error) {
		assert(*config_server(&k) && *config_image(&k, "etcd") && *config_image(&k, "pause"));
		assert(k.kubelet && k.proxy && *k.init->node_registration->cri_socket);
	}
	status_free(error);
	return 0;
}
