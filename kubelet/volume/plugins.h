/* The volume plugins there are. Order: the first that handles a source has it. */
#ifndef KUBELET_VOLUME_PLUGINS_H
#define KUBELET_VOLUME_PLUGINS_H

#include "kubelet/volume/volume.h"

extern const struct volume_plugin volume_empty_dir;
extern const struct volume_plugin volume_host_path;
extern const struct volume_plugin volume_config_map;
extern const struct volume_plugin volume_secret;
extern const struct volume_plugin volume_projected;
extern const struct volume_plugin volume_downward_api;

#endif
