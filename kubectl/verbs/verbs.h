/*
 * The records of all verbs; verbs.c lists them in the order of the overview.
 */
#ifndef KUBECTL_VERBS_VERBS_H
#define KUBECTL_VERBS_VERBS_H

#include "kubectl/command.h"

extern const struct command get_command;

#endif
