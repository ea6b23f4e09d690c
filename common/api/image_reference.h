/*
 * References to images as container registries read them: [host[:port]/]path[:tag][@digest], with docker.io and
 * library/ where a host and a folder are left out.
 */
#ifndef API_IMAGE_REFERENCE_H
#define API_IMAGE_REFERENCE_H

#include <stdbool.h>

/* Whether the text is a reference at all. */
bool image_reference_is_valid(const char *image);
/* Whether it means the tag "latest": says so, or says neither tag nor digest. What is no reference means nothing. */
bool image_reference_is_latest(const char *image);

#endif
