#include "apiserver/authn/internal.h"
#include "base/str.h"

/* The first value of the first header of the list that is there. */
static const char *header_value(const struct authn_request *request, const struct flag_list *names)
{
	for (size_t i = 0; i < names->n_items; i++) {
		const char *value = request->header(request->data, names->items[i], 0);
		if (!str_empty(value))
			return value;
	}
	return NULL;
}

struct extra_scan {
	struct arena *arena;
	struct user *user;
	const struct flag_list *prefixes;
};

static void scan_extra(void *data, const char *name, const char *value)
{
	struct extra_scan *scan = data;
	for (size_t i = 0; i < scan->prefixes->n_items; i++) {
		size_t len = strlen(scan->prefixes->items[i]);
		if (strncasecmp(name, scan->prefixes->items[i], len))
			continue;
		user_add_extra(scan->arena, scan->user, user_extra_key(scan->arena, name + len), value);
	}
}

struct status *authn_front_proxy(
	struct authn *authn, struct arena *arena, const struct authn_request *request, struct user **ret_user)
{
	*ret_user = NULL;
	const struct authn_options *o = &authn->options;
	const char *name = header_value(request, &o->requestheader_username_headers);
	if (!authn->requestheader_ca || !request->n_chain || !name)
		return NULL;
	struct pki_subject subject = {0};
	char *fingerprint;
	int64_t not_after_s;
	TRY(authn_verify_chain(authn, arena, authn_bundle_pool(authn->requestheader_ca), request, &subject,
		&fingerprint, &not_after_s));
	const struct flag_list *allowed = &o->requestheader_allowed_names;
	if (allowed->n_items && !str_in_n(str_or_empty(subject.common_name), allowed->items, allowed->n_items))
		return status_new(STATUS_UNAUTHORIZED, "x509: subject with cn=%s is not in the allowed list",
			str_or_empty(subject.common_name));
	struct user *user = user_new(arena, name, header_value(request, &o->requestheader_uid_headers));
	for (size_t i = 0; i < o->requestheader_group_headers.n_items; i++) {
		const char *group;
		for (size_t k = 0; (group = request->header(request->data, o->requestheader_group_headers.items[i], k));
			k++)
			if (*group)
				user_add_group(arena, user, group);
	}
	struct extra_scan scan = {arena, user, &o->requestheader_extra_headers_prefix};
	if (request->each_header)
		request->each_header(request->data, scan_extra, &scan);
	*ret_user = user;
	return NULL;
}
