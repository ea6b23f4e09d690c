/* Versions that are not served, which the original can still read. */
#ifndef APISERVER_HTTP_FORMER_KINDS_H
#define APISERVER_HTTP_FORMER_KINDS_H

#include <stdbool.h>

/* Whether that is a kind of such a version, and not served. */
bool kind_is_former(const char *api_version, const char *kind);
/* Whether there is such a version at all; version NULL: any of that group. */
bool former_version_known(const char *group, const char *version);

#endif
