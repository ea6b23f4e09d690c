/*
 * The kinds that kubectl create knows.
 */
#ifndef KUBECTL_VERBS_CREATE_KINDS_H
#define KUBECTL_VERBS_CREATE_KINDS_H

#include "base/mem.h"
#include "kubectl/verbs/create/generator.h"

extern const struct command create_clusterrole_command;
extern const struct command create_clusterrolebinding_command;
extern const struct command create_configmap_command;
extern const struct command create_cronjob_command;
extern const struct command create_deployment_command;
extern const struct command create_ingress_command;
extern const struct command create_job_command;
extern const struct command create_namespace_command;
extern const struct command create_poddisruptionbudget_command;
extern const struct command create_priorityclass_command;
extern const struct command create_quota_command;
extern const struct command create_role_command;
extern const struct command create_rolebinding_command;
extern const struct command create_secret_command;
extern const struct command create_service_command;
extern const struct command create_serviceaccount_command;
extern const struct command create_token_command;

#endif
