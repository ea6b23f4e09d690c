/* A proxy's configuration file, any text or an object right by the schema: options within their bounds, or an error. */
#include "kube-proxy/options.h"
#include "test/fuzz/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct proxy_options o = {.arena = arena,
		.config_path = (char *)(uintptr_t)fuzz_config(
			arena, data, size, &KubeproxyV1alpha1KubeProxyConfiguration_schema)};

	if (!o.config_path)
		return 0;
	struct status *error = proxy_options_complete(&o);
	if (!error) {
		assert(o.masquerade_bit >= 0 && o.masquerade_bit < 32);
		for (int family = FAMILY_IPV4; family < N_FAMILIES; family++) {
			struct local_detector d = proxy_local_detector(&o, (enum family)family, "10.244.0.0/24");
			assert(!d.known || (*d.if_local && *d.if_not_local));
		}
	}
	status_free(error);
	return 0;
}
