#include "apiserver/strategy/generic.h"
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/validation/meta.h"
#include "base/str.h"

static size_t field_size(const struct schema_field *f)
{
	switch (f->kind) {
	case SCHEMA_BOOL:
		return sizeof(protobuf_c_boolean);
	case SCHEMA_INT32:
	case SCHEMA_UINT32:
	case SCHEMA_FLOAT:
		return 4;
	case SCHEMA_INT64:
	case SCHEMA_UINT64:
	case SCHEMA_DOUBLE:
		return 8;
	case SCHEMA_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return sizeof(void *);
	}
}

static void copy_field(ProtobufCMessage *object, const ProtobufCMessage *old, const struct schema_field *f)
{
	bool list = f->shape != SCHEMA_SINGLE;
	memcpy((char *)object + f->offset, (const char *)old + f->offset, list ? sizeof(void *) : field_size(f));
	if (list)
		memcpy((char *)object + f->quantifier_offset, (const char *)old + f->quantifier_offset, sizeof(size_t));
	else if ((f->flags & SCHEMA_PRESENCE) && f->quantifier_offset && f->quantifier_offset != f->offset &&
		 f->kind != SCHEMA_STRING && f->kind != SCHEMA_MESSAGE)
		memcpy((char *)object + f->quantifier_offset, (const char *)old + f->quantifier_offset,
			sizeof(protobuf_c_boolean));
}

void generic_keep_field(ProtobufCMessage *object, const ProtobufCMessage *old, const char *name)
{
	const struct schema_field *f = schema_field_by_name(schema_of(object), name);
	if (f)
		copy_field(object, old, f);
}

bool generic_is_status(const struct request *request)
{
	return !strcmp(request->subresource, "status");
}

void generic_reset_status(struct request *request, ProtobufCMessage *object)
{
	const struct schema_field *f = schema_field_by_name(schema_of(object), "status");
	if (f && f->kind == SCHEMA_MESSAGE && f->shape == SCHEMA_SINGLE)
		*(void **)((char *)object + f->offset) = NULL;
}

void generic_first_generation(struct request *request, ProtobufCMessage *object)
{
	object_meta_ensure(request->arena, object)->generation = 1;
}

void generic_prepare_create(struct request *request, ProtobufCMessage *object)
{
	generic_reset_status(request, object);
	generic_first_generation(request, object);
}

static bool is_part(const struct schema_field *f, const char *name)
{
	return !strcmp(f->name, name);
}

void generic_keep_meta(ProtobufCMessage *object, const ProtobufCMessage *old)
{
	static const char *const names[] = {
		"deletion_timestamp", "labels", "annotations", "finalizers", "owner_references"};
	MetaV1ObjectMeta *meta = object_meta(object);
	const MetaV1ObjectMeta *was = object_meta(old);
	for (size_t i = 0; meta && was && i < ARRAY_SIZE(names); i++)
		generic_keep_field(&meta->base, &was->base, names[i]);
}

/* Whether anything beside metadata and status differs. */
static bool has_changed(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const struct schema_type *type = schema_of(object);
	ProtobufCMessage *a = arena_dup(request->arena, object, type->base.sizeof_message);
	ProtobufCMessage *b = arena_dup(request->arena, old, type->base.sizeof_message);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		if (is_part(f, "metadata") || is_part(f, "status"))
			copy_field(b, a, f);
	}
	return !api_equal(a, b);
}

void generic_next_generation(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const MetaV1ObjectMeta *before = object_meta(old);
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	meta->generation = (before ? before->generation : 0) + has_changed(request, object, old);
}

void generic_warn_of_name(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const char *problem = old ? NULL : check_dns_label(request->arena, object_name(object));
	if (!problem)
		return;
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	for (const char *p = problem; *p; p++)
		if (*p != ';')
			strbuf_addc(&text, *p);
	request_warn(request,
		"metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a "
		"DNS label is recommended: [%s]",
		text.buf);
}
