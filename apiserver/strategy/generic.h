/*
 * What most kinds with a spec and a status share: the status belongs to its subresource, and a changed spec raises the
 * generation.
 */
#ifndef APISERVER_STRATEGY_GENERIC_H
#define APISERVER_STRATEGY_GENERIC_H

#include "apiserver/strategy/strategy.h"

/* Empties the status; generation 1. */
void generic_prepare_create(struct request *request, ProtobufCMessage *object);
void generic_reset_status(struct request *request, ProtobufCMessage *object);
void generic_first_generation(struct request *request, ProtobufCMessage *object);
/* One more when anything but metadata and status differs. */
void generic_next_generation(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old);

/* Of a write of the status that may not touch the metadata either: labels, annotations, finalizers, owners are old. */
void generic_keep_meta(ProtobufCMessage *object, const ProtobufCMessage *old);

/* Of a kind whose name those of pods and hosts are made from: that it had better be a DNS label. */
void generic_warn_of_name(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old);

/* Field by its proto name, copied shallowly from old. */
void generic_keep_field(ProtobufCMessage *object, const ProtobufCMessage *old, const char *name);
bool generic_is_status(const struct request *request);

#endif
