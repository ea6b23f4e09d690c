/* JSON within definitions, in the form in which the original has it after a conversion: numbers as Go's, members in the
 * order of their names. */
#include <string.h>
#include "api/tree.h"
#include "api/types.h"
#include "apiserver/strategy/records.h"

/* What is no integer of 64 bits is a float64. */
static void settle_numbers(struct arena *arena, cJSON *tree)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	int64_t whole;
	TREE_FOREACH (child, tree)
		settle_numbers(arena, child);
	if (!cJSON_IsNumber(tree))
		return;
	if (tree_int(tree, &whole))
		strbuf_printf(&text, "%lld", (long long)whole);
	else if (tree->valuedouble == 0) /* without a sign */
		strbuf_addc(&text, '0');
	else
		json_add_double(&text, tree->valuedouble);
	tree->valuestring = arena_strndup(arena, text.buf, text.len);
}

static struct status *settle(struct arena *arena, ProtobufCBinaryData *raw)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	const struct json_options options = {.no_place = true};
	cJSON *tree;
	if (!raw->len)
		return NULL;
	TRY(tree_parse(arena, (const char *)raw->data, raw->len, &options, &tree));
	settle_numbers(arena, tree);
	tree_print(&text, tree, TREE_SORTED);
	if (text.len != raw->len || memcmp(text.buf, raw->data, raw->len) != 0)
		*raw = (ProtobufCBinaryData){text.len, (uint8_t *)arena_strndup(arena, text.buf, text.len)};
	return NULL;
}

struct status *crd_settle_json(struct arena *arena, ProtobufCMessage *msg)
{
	if (API_IS(msg, ApiextensionsV1JSON))
		return settle(arena, &((ApiextensionsV1JSON *)msg)->raw);
	for (size_t i = 0; i < msg->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &msg->descriptor->fields[i];
		char *at = (char *)msg + f->offset;
		const bool many = f->label == PROTOBUF_C_LABEL_REPEATED;
		ProtobufCMessage **items = many ? *(ProtobufCMessage ***)(void *)at : (ProtobufCMessage **)(void *)at;
		const size_t n = many ? *(size_t *)(void *)((char *)msg + f->quantifier_offset) : 1;
		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		for (size_t k = 0; k < n; k++)
			if (items[k])
				TRY(crd_settle_json(arena, items[k]));
	}
	return NULL;
}
