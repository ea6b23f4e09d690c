/* Builds the model out of a FileDescriptorSet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "google/protobuf/descriptor.pb-c.h"
#include "schemac/model.h"

typedef Google__Protobuf__FileDescriptorProto PbFile;
typedef Google__Protobuf__DescriptorProto PbMessage;
typedef Google__Protobuf__FieldDescriptorProto PbField;
typedef Google__Protobuf__SourceCodeInfo__Location PbLocation;

#define PB_TYPE(x) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##x

/* The tags of our options, as in proto/api/options.proto. */
enum { FILE_GROUP = 50001, FILE_VERSION = 50002, MESSAGE_ROOT = 50001, MESSAGE_FORM = 50002, MESSAGE_RESOURCE = 50003 };
enum {
	FIELD_INLINE = 50001,
	FIELD_KEEP_EMPTY,
	FIELD_BY_VALUE,
	FIELD_OMIT_ZERO,
	FIELD_REQUIRED,
	FIELD_PATCH_STRATEGY,
	FIELD_MERGE_KEY,
	FIELD_LIST_TYPE,
	FIELD_LIST_KEYS,
	FIELD_MAP_TYPE,
	FIELD_DEFAULT_JSON,
	FIELD_VALUES,
	FIELD_FORMAT,
};

/* One option: an extension that protobuf-c hands over undecoded. */
struct option {
	uint32_t tag;
	uint64_t number;
	const uint8_t *data; /* of a length-delimited one, behind its length */
	size_t size;
};

static size_t varint(const uint8_t *p, size_t size, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size && i < 10; i++) {
		value |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (!(p[i] & 0x80)) {
			*ret_value = value;
			return i + 1;
		}
	}
	die("an option holds a broken number");
}

static struct option option_at(const ProtobufCMessage *options, unsigned i)
{
	const ProtobufCMessageUnknownField *f = &options->unknown_fields[i];
	struct option o = {.tag = f->tag};
	size_t used = varint(f->data, f->len, &o.number);

	if (f->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
		o.data = f->data + used;
		o.size = f->len - used;
	}
	return o;
}

static char *option_text(const struct option *o)
{
	return format("%.*s", (int)o->size, (const char *)o->data);
}

/* A leading comment as one line. */
static char *comment_text(const char *raw)
{
	char *text = format("%s", raw), *to = text;
	bool space = true;

	for (const char *from = raw; *from; from++) {
		bool blank = *from == ' ' || *from == '\n' || *from == '\t';
		if (!blank)
			*to++ = *from;
		else if (!space)
			*to++ = ' ';
		space = blank;
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
	return text;
}

static const char *doc_at(const PbFile *pb, const int32_t *path, size_t n_path)
{
	if (!pb->source_code_info)
		return NULL;
	for (size_t i = 0; i < pb->source_code_info->n_location; i++) {
		const PbLocation *at = pb->source_code_info->location[i];
		if (at->n_path != n_path || memcmp(at->path, path, n_path * sizeof(*path)))
			continue;
		if (at->leading_comments)
			return comment_text(at->leading_comments);
		if (at->trailing_comments)
			return comment_text(at->trailing_comments);
	}
	return NULL;
}

static void field_option(struct field *field, const struct option *o)
{
	switch (o->tag) {
	case FIELD_INLINE:
		field->inline_ = o->number;
		break;
	case FIELD_KEEP_EMPTY:
		field->keep_empty = o->number;
		break;
	case FIELD_BY_VALUE:
		field->by_value = o->number;
		break;
	case FIELD_OMIT_ZERO:
		field->omit_zero = o->number;
		break;
	case FIELD_REQUIRED:
		field->required = o->number;
		break;
	case FIELD_PATCH_STRATEGY:
		field->patch_strategy = option_text(o);
		break;
	case FIELD_MERGE_KEY:
		field->merge_key = option_text(o);
		break;
	case FIELD_LIST_TYPE:
		field->list_type = (int)o->number;
		break;
	case FIELD_LIST_KEYS:
		field->list_keys = option_text(o);
		break;
	case FIELD_MAP_TYPE:
		field->map_type = (int)o->number;
		break;
	case FIELD_DEFAULT_JSON:
		field->default_json = option_text(o);
		break;
	case FIELD_VALUES:
		field->values = option_text(o);
		break;
	case FIELD_FORMAT:
		field->format = option_text(o);
		break;
	default:
		die("field %s has an option %u that schemac does not know", field->name, o->tag);
	}
}

static enum kind field_kind(const PbField *pb)
{
	switch (pb->type) {
	case PB_TYPE(BOOL):
		return K_BOOL;
	case PB_TYPE(INT32):
		return K_INT32;
	case PB_TYPE(INT64):
		return K_INT64;
	case PB_TYPE(UINT32):
		return K_UINT32;
	case PB_TYPE(UINT64):
		return K_UINT64;
	case PB_TYPE(FLOAT):
		return K_FLOAT;
	case PB_TYPE(DOUBLE):
		return K_DOUBLE;
	case PB_TYPE(STRING):
		return K_STRING;
	case PB_TYPE(BYTES):
		return K_BYTES;
	case PB_TYPE(MESSAGE):
		return K_MESSAGE;
	default:
		die("field %s has a type that the API does not use (%d)", pb->name, pb->type);
	}
}

static void load_field(struct field *field, const PbField *pb)
{
	field->name = pb->name;
	field->c_name = c_field_name(pb->name);
	field->json_name = pb->json_name ? pb->json_name : pb->name;
	field->number = (uint32_t)pb->number;
	field->kind = field_kind(pb);
	field->shape = pb->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED ? LIST_OF : SINGLE;
	field->presence = pb->proto3_optional;
	if (pb->has_oneof_index && !pb->proto3_optional)
		die("field %s stands in a oneof, which the API does not use", pb->name);
	if (pb->type_name)
		field->type_name = pb->type_name + (pb->type_name[0] == '.');
	for (unsigned i = 0; pb->options && i < pb->options->base.n_unknown_fields; i++) {
		struct option o = option_at(&pb->options->base, i);
		field_option(field, &o);
	}
}

static void message_option(struct type *type, const struct option *o)
{
	if (o->tag == MESSAGE_ROOT)
		type->root = o->number;
	else if (o->tag == MESSAGE_FORM)
		type->form = (int)o->number;
	else if (o->tag == MESSAGE_RESOURCE)
		type->resource = kubec__resource__unpack(NULL, o->size, o->data);
	else
		die("message %s has an option %u that schemac does not know", type->full_name, o->tag);
	if (o->tag == MESSAGE_RESOURCE && !type->resource)
		die("message %s has a broken resource option", type->full_name);
}

static void load_message(
	struct file *file, const PbFile *pb_file, const PbMessage *pb, const char *outer, int32_t *path, size_t n_path)
{
	struct type *type = grow(NULL, 0, sizeof(*type));
	char *dotted = *outer ? format("%s.%s", outer, pb->name) : format("%s", pb->name);

	type->file = file;
	type->full_name = format("%s.%s", file->package, dotted);
	type->c_name = c_type_name(file->package, dotted);
	type->kind = pb->name;
	type->doc = doc_at(pb_file, path, n_path);
	type->map_entry = pb->options && pb->options->map_entry;
	for (unsigned i = 0; pb->options && i < pb->options->base.n_unknown_fields; i++) {
		struct option o = option_at(&pb->options->base, i);
		message_option(type, &o);
	}
	for (size_t i = 0; i < pb->n_field; i++) {
		type->fields = grow(type->fields, type->n_fields, sizeof(*type->fields));
		path[n_path] = 2;
		path[n_path + 1] = (int32_t)i;
		type->fields[type->n_fields].doc = doc_at(pb_file, path, n_path + 2);
		load_field(&type->fields[type->n_fields++], pb->field[i]);
	}
	file->types = grow(file->types, file->n_types, sizeof(*file->types));
	file->types[file->n_types++] = type;
	if (pb->n_nested_type && n_path > 8)
		die("%s: messages nest too deep", type->full_name);
	for (size_t i = 0; i < pb->n_nested_type; i++) {
		path[n_path] = 3;
		path[n_path + 1] = (int32_t)i;
		load_message(file, pb_file, pb->nested_type[i], dotted, path, n_path + 2);
	}
}

/* api/core_v1.proto gives core_v1. */
static char *file_base(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;

	return format("%.*s", (int)strcspn(base, "."), base);
}

static struct file *load_file(const PbFile *pb)
{
	struct file *file = grow(NULL, 0, sizeof(*file));
	int32_t path[16] = {4};

	file->base = file_base(pb->name);
	file->package = pb->package ? pb->package : "";
	file->group = file->version = "";
	for (unsigned i = 0; pb->options && i < pb->options->base.n_unknown_fields; i++) {
		struct option o = option_at(&pb->options->base, i);
		if (o.tag == FILE_GROUP)
			file->group = option_text(&o);
		else if (o.tag == FILE_VERSION)
			file->version = option_text(&o);
	}
	for (size_t i = 0; i < pb->n_dependency; i++) {
		char *base = file_base(pb->dependency[i]);
		if (!strcmp(base, "options"))
			continue;
		file->imports = grow(file->imports, file->n_imports, sizeof(*file->imports));
		file->imports[file->n_imports++] = base;
	}
	for (size_t i = 0; i < pb->n_message_type; i++) {
		path[1] = (int32_t)i;
		load_message(file, pb, pb->message_type[i], "", path, 2);
	}
	return file;
}

static int by_full_name(const void *a, const void *b)
{
	return strcmp((*(struct type *const *)a)->full_name, (*(struct type *const *)b)->full_name);
}

static void collect_types(struct model *model)
{
	model->types = NULL;
	model->n_types = 0;
	for (size_t f = 0; f < model->n_files; f++) {
		for (size_t i = 0; i < model->files[f]->n_types; i++) {
			model->types = grow(model->types, model->n_types, sizeof(*model->types));
			model->types[model->n_types++] = model->files[f]->types[i];
		}
	}
	qsort(model->types, model->n_types, sizeof(*model->types), by_full_name);
}

static struct type *find_type(const struct model *model, const char *full_name)
{
	struct type key = {.full_name = (char *)full_name}, *key_p = &key;
	struct type **found = bsearch(&key_p, model->types, model->n_types, sizeof(*model->types), by_full_name);

	if (!found)
		die("no message is called %s", full_name);
	return *found;
}

static void resolve(struct model *model)
{
	for (size_t i = 0; i < model->n_types; i++) {
		struct type *type = model->types[i];
		for (size_t j = 0; j < type->n_fields; j++) {
			struct field *field = &type->fields[j];
			if (field->kind != K_MESSAGE)
				continue;
			field->type = find_type(model, field->type_name);
			if (field->type->map_entry)
				field->shape = MAP_OF;
			if (field->inline_ && field->shape != SINGLE)
				die("%s.%s: only a single message can be inlined", type->full_name, field->name);
		}
	}
}

/* The name that all maps with this value type share; NULL where the entry stays its parent's own. */
static const char *shared_entry_name(const struct type *entry)
{
	const struct field *value = &entry->fields[1];

	if (value->kind == K_STRING)
		return "MapStringEntry";
	if (value->kind == K_BYTES)
		return "MapBytesEntry";
	if (value->kind == K_MESSAGE && !strcmp(value->type->full_name, "resource.Quantity"))
		return "MapQuantityEntry";
	return NULL;
}

static struct type *shared_entry(struct file *map, struct type *entry, const char *name)
{
	for (size_t i = 0; i < map->n_types; i++)
		if (!strcmp(map->types[i]->c_name, name))
			return map->types[i];
	struct type *shared = grow(NULL, 0, sizeof(*shared));
	*shared = *entry;
	shared->file = map;
	shared->full_name = format("map.%s", name);
	shared->c_name = format("%s", name);
	shared->kind = name;
	map->types = grow(map->types, map->n_types, sizeof(*map->types));
	map->types[map->n_types++] = shared;
	return shared;
}

/* Takes the entries of one file that are shared out of it. */
static void share_entries(struct model *model, struct file *map)
{
	for (size_t i = 0; i < model->n_types; i++) {
		struct type *type = model->types[i];
		for (size_t j = 0; j < type->n_fields; j++) {
			struct field *field = &type->fields[j];
			const char *name = field->shape == MAP_OF ? shared_entry_name(field->type) : NULL;
			if (name)
				field->type = shared_entry(map, field->type, name);
		}
	}
	for (size_t f = 0; f < model->n_files; f++) {
		struct file *file = model->files[f];
		size_t kept = 0;
		for (size_t i = 0; file != map && i < file->n_types; i++)
			if (!file->types[i]->map_entry || !shared_entry_name(file->types[i]))
				file->types[kept++] = file->types[i];
		if (file != map)
			file->n_types = kept;
	}
}

static bool reaches(struct type *from, const struct type *target, int mark)
{
	if (from->mark == mark)
		return false;
	from->mark = mark;
	for (size_t i = 0; i < from->n_fields; i++) {
		struct type *next = from->fields[i].type;
		if (next && (next == target || reaches(next, target, mark)))
			return true;
	}
	return false;
}

static bool shows_empty(const struct type *type)
{
	bool shows = type->form == KUBEC__FORM__LIST;
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *f = &type->fields[i];
		shows |= (f->shape != SINGLE && f->keep_empty) || (f->type && f->type->shows_empty);
	}
	return shows;
}

/* Types refer to each other: what one shows spreads until nothing changes. */
static void spread_shown(const struct model *model)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < model->n_types; i++) {
			struct type *type = model->types[i];
			const bool before = type->shows_empty;
			type->shows_empty = shows_empty(type);
			changed |= type->shows_empty != before;
		}
	}
}

struct model *model_load(const uint8_t *data, size_t size)
{
	Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(NULL, size, data);
	struct model *model = grow(NULL, 0, sizeof(*model));
	struct file *map = grow(NULL, 0, sizeof(*map));

	if (!set)
		die("the input is no descriptor set");
	map->base = format("map");
	map->package = map->group = map->version = "";
	for (size_t i = 0; i < set->n_file; i++) {
		model->files = grow(model->files, model->n_files, sizeof(*model->files));
		model->files[model->n_files++] = load_file(set->file[i]);
	}
	model->files = grow(model->files, model->n_files, sizeof(*model->files));
	model->files[model->n_files++] = map;
	collect_types(model);
	resolve(model);
	share_entries(model, map);
	collect_types(model);
	for (size_t i = 0; i < model->n_types; i++)
		model->types[i]->recursive = reaches(model->types[i], model->types[i], (int)i + 1);
	spread_shown(model);
	return model;
}
