/* Stands in until the server's own controllers are there. */
#include "apiserver/boot/boot.h"

struct boot *boot_new(const struct boot_options *options)
{
	return NULL;
}

void boot_start(struct boot *boot)
{
}

bool boot_rbac_ready(const struct boot *boot)
{
	return true;
}

void boot_stop(struct boot *boot)
{
}
