/*
 * Where a container mounts the pod's volumes, and which it sees as devices.
 */
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/volume.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

/* The names and paths that the mounts, or the devices, of a container have. */
struct places {
	struct nameset names, paths;
};

static struct places device_places(struct arena *arena, const CoreV1Container *c)
{
	struct places p = {{.arena = arena}, {.arena = arena}};
	for (size_t i = 0; i < c->n_volume_devices; i++) {
		nameset_add(&p.names, c->volume_devices[i]->name);
		nameset_add(&p.paths, c->volume_devices[i]->device_path);
	}
	return p;
}

/* Of mounts of one name, the path of the last counts, as in the original's map. */
static struct places mount_places(struct arena *arena, const CoreV1Container *c)
{
	struct places p = {{.arena = arena}, {.arena = arena}};
	for (size_t i = c->n_volume_mounts; i-- > 0;)
		if (nameset_add(&p.names, c->volume_mounts[i]->name))
			nameset_add(&p.paths, c->volume_mounts[i]->mount_path);
	return p;
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
	struct places devices = device_places(errors->arena, c);
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < c->n_volume_mounts; i++) {
		const CoreV1VolumeMount *m = c->volume_mounts[i];
		const struct field_path *at = FIELD_INDEX(path, i), *name = FIELD(at, "name");
		const struct field_path *mount_path = FIELD(at, "mountPath");
		bool repeated = !nameset_add(&seen, m->mount_path);
		if (str_empty(m->name))
			field_required(errors, name, "");
		if (!pod_volume(volumes, m->name))
			field_not_found(errors, name, m->name);
		if (str_empty(m->mount_path))
			field_required(errors, mount_path, "");
		if (repeated)
			field_invalid(errors, mount_path, m->mount_path, "must be unique");
		if (nameset_has(&devices.names, m->name))
			field_invalid(errors, name, m->name, "must not already exist in volumeDevices");
		if (nameset_has(&devices.paths, m->mount_path))
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
	struct field_errors *errors, const struct field_path *path, const char *value, struct nameset *seen)
{
	bool wrong = steps_back(errors->arena, value);
	if (!*value)
		field_required(errors, path, "");
	if (!nameset_add(seen, value) && !wrong)
		field_invalid(errors, path, value, "must be unique");
	if (*value && wrong)
		field_invalid(errors, path, value, "can not contain backsteps ('..')");
}

static void check_devices(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c,
	const struct pod_volumes *volumes)
{
	struct places mounts = mount_places(errors->arena, c);
	struct places seen = {{.arena = errors->arena}, {.arena = errors->arena}};
	for (size_t i = 0; i < c->n_volume_devices; i++) {
		const CoreV1VolumeDevice *d = c->volume_devices[i];
		const CoreV1Volume *v = pod_volume(volumes, d->name);
		const struct field_path *at = FIELD_INDEX(path, i), *name = FIELD(at, "name");
		bool repeated = !str_empty(d->name) && !nameset_add(&seen.names, d->name);
		if (str_empty(d->name))
			field_required(errors, name, "");
		if (repeated)
			field_invalid(errors, name, d->name, "must be unique");
		if (v && !v->volume_source->persistent_volume_claim && !v->volume_source->ephemeral)
			field_invalid(errors, name, d->name,
				"can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
		if (!v)
			field_not_found(errors, name, d->name);
		check_device_path(errors, FIELD(at, "devicePath"), str_or_empty(d->device_path), &seen.paths);
		if (nameset_has(&mounts.names, d->name))
			field_invalid(errors, name, d->name, "must not already exist in volumeMounts");
		if (nameset_has(&mounts.paths, d->device_path))
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
