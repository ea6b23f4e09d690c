/* What the release can do besides, and whether it does: kubernetes_feature_enabled. */
#ifndef SERVE_FEATURES_H
#define SERVE_FEATURES_H

#include "base/str.h"

void features_write(struct strbuf *out);

#endif
