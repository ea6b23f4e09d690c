/*
 * --admission-control-config-file, any text or one that is right by the schema: read, or refused in words, and so is
 * what it says to each plugin; a plugin that starts also stops. Files that it names are not opened.
 */
#include "apiserver/admission/config.h"
#include "apiserver/admission/plugins.h"
#include "test/fuzz/config.h"

static void start(struct arena *arena, const struct admission_plugin *plugin, const char *text, size_t size)
{
	const struct admission_options options = {0};
	struct admission_context context = {.clock = clock_system()};
	const struct admission_start start = {.arena = arena, .options = &options, .config = text, .config_size = size};
	struct status *s = plugin->start(&context, &start);
	if (!s && plugin->ready)
		s = plugin->ready(&context);
	assert(!s || *s->message);
	status_free(s);
	if (plugin->stop && context.own)
		plugin->stop(context.own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Those that open no file of their own. */
	static const char *const names[] = {
		"EventRateLimit", "PodNodeSelector", "PodSecurity", "PodTolerationRestriction", "ResourceQuota", NULL};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ApiserverV1AdmissionConfiguration *all;
	const char *path = fuzz_config(arena, data, size, &ApiserverV1AdmissionConfiguration_schema);
	if (!path)
		return 0;
	struct status *s = admission_config_read(arena, path, &all);
	assert(!s || *s->message);
	for (size_t i = 0; !s && i < all->n_plugins; i++)
		all->plugins[i]->path = NULL;
	for (size_t i = 0; admission_plugins[i]; i++) {
		const char *text = NULL;
		size_t text_size = 0;
		if (!str_in(admission_plugins[i]->name, names))
			continue;
		if (!s)
			fuzz_ok("config",
				admission_config_of(arena, all, admission_plugins[i]->name, &text, &text_size));
		start(arena, admission_plugins[i], text, text_size);
		start(arena, admission_plugins[i], arena_strndup(arena, (const char *)data, size), size);
	}
	status_free(s);
	return 0;
}
