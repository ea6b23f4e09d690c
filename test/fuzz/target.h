/* What the fuzz targets share: the name of their entry, which the corpus test gives another one. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/status.h"
#include "base/str.h"

#define FUZZ_MAX_SIZE (64u << 10)

#endif
#ifndef FUZZ_TARGET
#define FUZZ_TARGET LLVMFuzzerTestOneInput
#endif
int FUZZ_TARGET(const uint8_t *data, size_t size);
