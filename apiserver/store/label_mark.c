#include "apiserver/store/label_mark.h"
#include "base/encode.h"
#include "base/str.h"

#define BITS_OF_LABEL 3 /* of 64: with ten labels one object in twenty passes that should not */

/* The hash is keyed: nobody can choose labels that pass for all others. */
static uint64_t mark(const char *key, const char *value)
{
	uint64_t hash = hash_keyed(key, strlen(key)) * 31 + hash_keyed(value, strlen(value)), bits = 0;
	for (int i = 0; i < BITS_OF_LABEL; i++, hash >>= 6)
		bits |= UINT64_C(1) << (hash & 63);
	return bits;
}

uint64_t labels_mark(MapStringEntry *const *labels, size_t n_labels)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < n_labels; i++)
		bits |= mark(labels[i]->key, labels[i]->value);
	return bits;
}

uint64_t selector_mark(const struct label_selector *selector)
{
	uint64_t bits = 0;
	for (size_t i = 0; selector && i < selector->n_requirements; i++) {
		const struct selector_requirement *r = &selector->requirements[i];
		if ((r->op == SELECTOR_EQUALS || r->op == SELECTOR_IN) && r->n_values == 1)
			bits |= mark(r->key, r->values[0]);
	}
	return bits;
}
