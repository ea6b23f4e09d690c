#include "api/quantity.h"
#include "kubectl/describe/describe.h"

static const char *optional_of(const cJSON *source)
{
	return obj_bool(source, "optional") ? "true" : "false";
}

static void host_path(struct desc *d, const cJSON *s)
{
	line(d, 2, "Type:\tHostPath (bare host directory volume)\n    Path:\t%s\n    HostPathType:\t%s\n",
		obj_string(s, "path"), text_of(d, s, "type", "<none>"));
}

static void empty_dir(struct desc *d, const cJSON *s)
{
	line(d, 2,
		"Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)\n    Medium:\t%s\n    "
		"SizeLimit:\t%s\n",
		obj_string(s, "medium"), text_of(d, s, "sizeLimit", "<unset>"));
}

static void secret(struct desc *d, const cJSON *s)
{
	line(d, 2, "Type:\tSecret (a volume populated by a Secret)\n    SecretName:\t%s\n    Optional:\t%s\n",
		obj_string(s, "secretName"), optional_of(s));
}

static void config_map(struct desc *d, const cJSON *s)
{
	line(d, 2, "Type:\tConfigMap (a volume populated by a ConfigMap)\n    Name:\t%s\n    Optional:\t%s\n",
		obj_string(s, "name"), optional_of(s));
}

static void claim(struct desc *d, const cJSON *s)
{
	line(d, 2,
		"Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)\n    "
		"ClaimName:\t%s\n"
		"    ReadOnly:\t%s\n",
		obj_string(s, "claimName"), obj_bool(s, "readOnly") ? "true" : "false");
}

static void downward(struct desc *d, const cJSON *s)
{
	line(d, 2, "Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:\n");
	TREE_FOREACH (item, tree_get(s, "items")) {
		if (obj_has(item, "fieldRef"))
			line(d, 3, "%s -> %s\n", obj_string(item, "fieldRef.fieldPath"), obj_string(item, "path"));
		if (obj_has(item, "resourceFieldRef"))
			line(d, 3, "%s -> %s\n", obj_string(item, "resourceFieldRef.resource"),
				obj_string(item, "path"));
	}
}

static void projected(struct desc *d, const cJSON *s)
{
	line(d, 2, "Type:\tProjected (a volume that contains injected data from multiple sources)\n");
	TREE_FOREACH (source, tree_get(s, "sources")) {
		const cJSON *part;
		if ((part = tree_get(source, "secret")))
			line(d, 2, "SecretName:\t%s\n    Optional:\t%s\n", obj_string(part, "name"), optional_of(part));
		else if (tree_get(source, "downwardAPI"))
			line(d, 2, "DownwardAPI:\ttrue\n");
		else if ((part = tree_get(source, "configMap")))
			line(d, 2, "ConfigMapName:\t%s\n    Optional:\t%s\n", obj_string(part, "name"),
				optional_of(part));
		else if ((part = tree_get(source, "serviceAccountToken")))
			line(d, 2, "TokenExpirationSeconds:\t%lld\n", (long long)obj_int(part, "expirationSeconds", 0));
	}
}

static void nfs(struct desc *d, const cJSON *s)
{
	line(d, 2,
		"Type:\tNFS (an NFS mount that lasts the lifetime of a pod)\n    Server:\t%s\n    Path:\t%s\n    "
		"ReadOnly:\t%s\n",
		obj_string(s, "server"), obj_string(s, "path"), obj_bool(s, "readOnly") ? "true" : "false");
}

static void csi(struct desc *d, const cJSON *s)
{
	line(d, 2,
		"Type:\tCSI (a Container Storage Interface (CSI) volume source)\n    Driver:\t%s\n    FSType:\t%s\n"
		"    ReadOnly:\t%s\n",
		obj_string(s, "driver"), obj_string(s, "fsType"), obj_bool(s, "readOnly") ? "true" : "false");
	describe_labels(d, "    VolumeAttributes", tree_get(s, "volumeAttributes"));
}

static void image(struct desc *d, const cJSON *s)
{
	line(d, 2, "Type:\tImage (a container image or OCI artifact)\n    Reference:\t%s\n    PullPolicy:\t%s\n",
		obj_string(s, "reference"), obj_string(s, "pullPolicy"));
}

static const struct {
	const char *name;
	void (*describe)(struct desc *d, const cJSON *source);
} sources[] = {{"hostPath", host_path}, {"emptyDir", empty_dir}, {"secret", secret}, {"configMap", config_map},
	{"persistentVolumeClaim", claim}, {"downwardAPI", downward}, {"projected", projected}, {"nfs", nfs},
	{"csi", csi}, {"image", image}};

void describe_volumes(struct desc *d, const cJSON *volumes, const char *space)
{
	if (!tree_size(volumes)) {
		line(d, 0, "%sVolumes:\t<none>\n", space);
		return;
	}
	line(d, 0, "%sVolumes:\n", space);
	TREE_FOREACH (volume, volumes) {
		size_t i = 0;
		line(d, 1, "%s%s:\n", *space ? " " : "", obj_string(volume, "name"));
		while (i < ARRAY_SIZE(sources) && !tree_get(volume, sources[i].name))
			i++;
		if (i < ARRAY_SIZE(sources))
			sources[i].describe(d, tree_get(volume, sources[i].name));
		else
			line(d, 1, "<unknown>\n");
	}
}
