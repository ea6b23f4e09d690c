/*
 * Records of kinds in one line each: the adapters between a strategy and the checks of a kind, which know its type.
 *
 *	CHECKED(csi_node, StorageV1CSINode, validate_csi_node, validate_csi_node_update)
 *	const struct strategy csi_node_strategy = {.group = …, .resource = …, CHECKS(csi_node)};
 */
#ifndef APISERVER_STRATEGY_KIND_H
#define APISERVER_STRATEGY_KIND_H

#include "apiserver/strategy/generic.h"

/* check sees a new object, check_update what takes the place of old; writes of the status are not asked. */
#define CHECKED(name, T, check, check_update)                                                         \
	static void name##_create(                                                                    \
		struct request *request, const ProtobufCMessage *object, struct field_errors *errors) \
	{                                                                                             \
		if (API_IS(object, T))                                                                \
			check(errors, (const T *)object);                                             \
	}                                                                                             \
	static void name##_update(struct request *request, const ProtobufCMessage *object,            \
		const ProtobufCMessage *old, struct field_errors *errors)                             \
	{                                                                                             \
		if (API_IS(object, T) && !generic_is_status(request))                                 \
			check_update(errors, (const T *)object, (const T *)old);                      \
	}

/* The same for a kind whose status has checks of its own. */
#define CHECKED_STATUS(name, T, check, check_update, check_status)                                    \
	static void name##_create(                                                                    \
		struct request *request, const ProtobufCMessage *object, struct field_errors *errors) \
	{                                                                                             \
		check(errors, (const T *)object);                                                     \
	}                                                                                             \
	static void name##_update(struct request *request, const ProtobufCMessage *object,            \
		const ProtobufCMessage *old, struct field_errors *errors)                             \
	{                                                                                             \
		if (generic_is_status(request))                                                       \
			check_status(errors, (const T *)object, (const T *)old);                      \
		else                                                                                  \
			check_update(errors, (const T *)object, (const T *)old);                      \
	}

#define CHECKS(name) .validate_create = name##_create, .validate_update = name##_update

/* A status and a generation; a generation alone. */
#define SPEC_AND_STATUS .prepare_create = generic_prepare_create, .prepare_update = generic_next_generation
#define GENERATION_ONLY .prepare_create = generic_first_generation, .prepare_update = generic_next_generation

#endif
