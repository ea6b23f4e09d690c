#include <stdio.h>
#include "api/yaml.h"
#include "base/str.h"
#include "kubeadm.h"

const struct kubeadm_command kubeadm_commands[] = {
	{"init", NULL, "make this machine the first node of a new cluster", run_init},
	{"join", NULL, "join this machine to a cluster", run_join},
	{"reset", NULL, "undo what init or join did to this machine", run_reset},
	{"token", "create", "create a bootstrap token", run_token_create},
	{"token", "list", "list the bootstrap tokens", run_token_list},
	{"token", "delete", "delete bootstrap tokens", run_token_delete},
	{"token", "generate", "print a random token without creating it", run_token_generate},
	{"certs", "check-expiration", "say when the certificates expire", run_certs_check},
	{"certs", "renew", "renew certificates by name, or all", run_certs_renew},
	{"certs", "certificate-key", "print a random key for sharing certificates", run_certs_key},
	{"config", "print", "print the configuration that init would use", run_config_print},
	{"version", NULL, "print the version", run_version},
	{NULL},
};

struct status *run_version(struct kubeadm *k, int argc, char **argv)
{
	static char *output;
	const struct flag flags[] = {{"output", 'o', FLAG_STRING, &output, "", "short, or nothing"}, {NULL}};
	struct flag_args args;
	TRY(flags_parse(flags, argc, argv, &args));
	if (str_eq(output, "short"))
		puts(KUBEC_VERSION);
	else
		printf("kubeadm version: %s\n", KUBEC_VERSION);
	return NULL;
}

struct status *run_config_print(struct kubeadm *k, int argc, char **argv)
{
	static char *path;
	const struct flag flags[] = {{"config", 0, FLAG_STRING, &path, "", "configuration file"}, {NULL}};
	struct flag_args args;
	TRY(flags_parse(flags, argc, argv, &args));
	TRY(config_read(k, path));
	TRY(config_complete(k));
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	yaml_encode(&out, k->init);
	strbuf_adds(&out, "---\n");
	yaml_encode(&out, k->cluster);
	strbuf_printf(&out, "---\n%s---\n", kubelet_config_yaml(k));
	yaml_print_tree(&out, k->proxy);
	fputs(out.buf, stdout);
	return NULL;
}
