/* What the release can do besides, and whether it does: kubernetes_feature_enabled. */
#ifndef SERVE_FEATURES_H
#define SERVE_FEATURES_H

#include "base/flags.h"
#include "base/status.h"
#include "base/str.h"

void features_write(struct strbuf *out);
/* Whether --feature-gates (entries "Name=true", "kube:Name=false") names features that there are, and may be set so. No
 * program changes by it: what it would change is warned of. Error: in the original's words. */
struct status *features_check(const struct flag_list *gates) MUST_USE;

#endif
