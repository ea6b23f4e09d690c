#include "apiserver/authn/internal.h"
#include "base/str.h"

static void fill_user(struct arena *arena, const struct user *user, AuthenticationV1UserInfo *info)
{
	info->username = arena_strdup(arena, user->name);
	info->uid = arena_strdup(arena, user->uid);
	info->groups = user->groups;
	info->n_groups = user->n_groups;
	for (size_t i = 0; i < user->n_extra; i++) {
		AuthenticationV1UserInfoExtraEntry *entry = API_NEW(arena, AuthenticationV1UserInfoExtraEntry);
		entry->key = arena_strdup(arena, user->extra[i].key);
		entry->value = API_NEW(arena, AuthenticationV1ExtraValue);
		entry->value->items = user->extra[i].values;
		entry->value->n_items = user->extra[i].n_values;
		ARENA_PUSH(arena, info->extra, info->n_extra) = entry;
	}
}

void authn_user_info(struct arena *arena, const struct user *user, AuthenticationV1UserInfo **ret_info)
{
	*ret_info = API_NEW(arena, AuthenticationV1UserInfo);
	fill_user(arena, user, *ret_info);
}

struct status *authn_review_token(struct authn *authn, struct arena *arena, AuthenticationV1TokenReview *review)
{
	if (!review->spec || str_empty(review->spec->token))
		return status_bad_request("token is required for TokenReview in authentication");
	review->status = API_NEW(arena, AuthenticationV1TokenReviewStatus);
	struct user *user = NULL;
	char **audiences = NULL;
	size_t n_audiences = 0;
	CLEANUP_STATUS struct status *s = authn_token(authn, arena, review->spec->token, review->spec->audiences,
		review->spec->n_audiences, &user, &audiences, &n_audiences);
	if (!s && !user)
		s = status_new(STATUS_UNAUTHORIZED, "invalid bearer token");
	if (s) {
		review->status->error = arena_strdup(arena, s->message);
		return NULL;
	}
	review->status->authenticated = true;
	authn_user_info(arena, user, &review->status->user);
	review->status->audiences = audiences;
	review->status->n_audiences = n_audiences;
	return NULL;
}
