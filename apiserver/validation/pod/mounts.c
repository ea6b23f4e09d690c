/*
 * Where a container mounts the pod's volumes, and which it sees as devices.
 */
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/volume.h"
#include "base/mem.h"
#include "base/str.h"

static bool is_device(const CoreV1Container *c, const char *name)
{
	for (size_t i = 0; i < c->n_volume_devices; i++)
		if (str_eq(c->volume_devices[i]->name, name))
			return true;
	return false;
}

static bool is_device_path(const CoreV1Container *c, const char *value)
{
	for (size_t i = 0; i < c->n_volume_devices; i++)
		if (str_eq(c->volume_devices[i]->device_path, value))
			return true;
	return false;
}

static bool is_mount(const CoreV1Container *c, const char *name)
{
	for (size_t i = 0; i < c->n_volume_mounts; i++)
		if (str_eq(c->volume_mounts[i]->name, name))
			return true;
	return false;
}

/* Of mounts of one name, the last counts, as in the original's map. */
static bool is_mount_path(const CoreV1Container *c, const char *value)
{
	for (size_t i = 0; i < c->n_volume_mounts; i++) {
		bool last = true;
		for (size_t k = i + 1; k < c->n_volume_mounts; k++)
			last &= !str_eq(c->volume_mounts[k]->name, c->volume_mounts[i]->name);
		if (last && str_eq(c->volume_mounts[i]->mount_path, value))
			return true;
	}
	return false;
}

static void check_propagation(
	struct field_errors *errors, const struct field_path *path, const CoreV1Container *c, const char *propagation)
{
	static const char *const modes[] = {"Bidirectional", "HostToContainer", "None", NULL};
	const CoreV1SecurityContext *s = c->security_context;
	bool privileged = s && s->has_privileged && s->privileged;
	if (!str_in(propagation, modes))
		field_unsupported(errors, path, propagation, modes);
	if (str_eq(propagation, "Bidirectional") && !privileged)
		field_forbidden(
			errors, path, "Bidirectional mount propagation is available only to privileged containers");
}

static void check_recursion(struct field_errors *errors, const struct field_path *path, const CoreV1VolumeMount *m)
{
	static const char *const modes[] = {"Disabled", "Enabled", "IfPossible", NULL};
	if (!m->recursive_read_only || str_eq(m->recursive_read_only, "Disabled"))
		return;
	if (!str_in(m->recursive_read_only, modes)) {
		field_unsupported(errors, path, m->recursive_read_only, modes);
		return;
	}
	if (!m->read_only)
		field_forbidden(errors, path, "may only be specified when readOnly is true");
	if (m->mount_propagation && !str_eq(m->mount_propagation, "None"))
		field_forbidden(errors, path, "may only be specified when mountPropagation is None or not specified");
}

static void check_sub_paths(struct field_errors *errors, const struct field_path *path, const struct field_path *at,
	const CoreV1VolumeMount *m)
{
	if (!str_empty(m->sub_path))
		check_descending_path(errors, FIELD(path, "subPath"), m->sub_path);
	if (str_empty(m->sub_path_expr))
		return;
	if (!str_empty(m->sub_path))
		field_invalid(errors, FIELD(at, "subPathExpr"), m->sub_path_expr,
			"subPathExpr and subPath are mutually exclusive");
	check_descending_path(errors, FIELD(path, "subPathExpr"), m->sub_path_expr);
}

static void check_mounts(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c,
	const struct pod_volumes *volumes)
{
	for (size_t i = 0; i < c->n_volume_mounts; i++) {
		const CoreV1VolumeMount *m = c->volume_mounts[i];
		const struct field_path *at = FIELD_INDEX(path, i), *name = FIELD(at, "name");
		const struct field_path *mount_path = FIELD(at, "mountPath");
		bool repeated = false;
		for (size_t k = 0; k < i; k++)
			repeated |= str_eq(c->volume_mounts[k]->mount_path, m->mount_path);
		if (str_empty(m->name))
			field_required(errors, name, "");
		if (!pod_volume(volumes, m->name))
			field_not_found(errors, name, m->name);
		if (str_empty(m->mount_path))
			field_required(errors, mount_path, "");
		if (repeated)
			field_invalid(errors, mount_path, m->mount_path, "must be unique");
		if (is_device(c, m->name))
			field_invalid(errors, name, m->name, "must not already exist in volumeDevices");
		if (is_device_path(c, m->mount_path))
			field_invalid(
				errors, mount_path, m->mount_path, "must not already exist as a path in volumeDevices");
		check_sub_paths(errors, path, at, m);
		if (m->mount_propagation)
			check_propagation(errors, FIELD(path, "mountPropagation"), c, m->mount_propagation);
		check_recursion(errors, FIELD(path, "recursiveReadOnly"), m);
	}
}

static bool steps_back(struct arena *arena, const char *value)
{
	struct field_errors scratch = FIELD_ERRORS_INIT(arena);
	check_no_backsteps(&scratch, FIELD(NULL, "devicePath"), value);
	return scratch.n_items > 0;
}

static void check_device_path(
	struct field_errors *errors, const struct field_path *path, const CoreV1Container *c, size_t i)
{
	const char *value = str_or_empty(c->volume_devices[i]->device_path);
	bool repeated = false;
	for (size_t k = 0; k < i; k++)
		repeated |= str_eq(c->volume_devices[k]->device_path, value) && !steps_back(errors->arena, value);
	if (!*value)
		field_required(errors, path, "");
	if (repeated)
		field_invalid(errors, path, value, "must be unique");
	if (*value && steps_back(errors->arena, value))
		field_invalid(errors, path, value, "can not contain backsteps ('..')");
}

static void check_devices(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c,
	const struct pod_volumes *volumes)
{
	for (size_t i = 0; i < c->n_volume_devices; i++) {
		const CoreV1VolumeDevice *d = c->volume_devices[i];
		const CoreV1Volume *v = pod_volume(volumes, d->name);
		const struct field_path *at = FIELD_INDEX(path, i), *name = FIELD(at, "name");
		bool repeated = false;
		for (size_t k = 0; k < i; k++)
			repeated |= !str_empty(d->name) && str_eq(c->volume_devices[k]->name, d->name);
		if (str_empty(d->name))
			field_required(errors, name, "");
		if (repeated)
			field_invalid(errors, name, d->name, "must be unique");
		if (v && !v->volume_source->persistent_volume_claim && !v->volume_source->ephemeral)
			field_invalid(errors, name, d->name,
				"can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
		if (!v)
			field_not_found(errors, name, d->name);
		check_device_path(errors, FIELD(at, "devicePath"), c, i);
		if (is_mount(c, d->name))
			field_invalid(errors, name, d->name, "must not already exist in volumeMounts");
		if (is_mount_path(c, d->device_path))
			field_invalid(errors, FIELD(at, "devicePath"), d->device_path,
				"must not already exist as a path in volumeMounts");
	}
}

void validate_mounts(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c,
	const struct pod_volumes *volumes)
{
	check_mounts(errors, FIELD(path, "volumeMounts"), c, volumes);
	check_devices(errors, FIELD(path, "volumeDevices"), c, volumes);
}
