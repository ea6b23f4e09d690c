/*
 * Checks of nodes.
 */
#ifndef APISERVER_VALIDATION_NODE_H
#define APISERVER_VALIDATION_NODE_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_node(struct field_errors *errors, const CoreV1Node *node);
void validate_node_update(struct field_errors *errors, const CoreV1Node *node, const CoreV1Node *old);

#endif
