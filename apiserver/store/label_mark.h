/*
 * Label marks: 64 bits for all labels of an object, so that a list with a selector passes over those that cannot match
 * without a look at their memory. What passes is looked at: marks may say yes where the labels say no, never the other
 * way.
 *
 *	if ((labels_mark(labels, n) & selector_mark(selector)) == selector_mark(selector)) ... may match
 */
#ifndef APISERVER_STORE_LABEL_MARK_H
#define APISERVER_STORE_LABEL_MARK_H

#include "api/selector.h"

/* The bits of all labels. */
uint64_t labels_mark(MapStringEntry *const *labels, size_t n_labels);
/* The bits that an object must have to match; 0 where none can be told (NULL, or no requirement of one value). */
uint64_t selector_mark(const struct label_selector *selector);

#endif
