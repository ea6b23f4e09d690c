#include "api/meta.h"
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

/* Whoever shows no token is nobody in particular, for whatever audience. */
static struct user *nobody(struct authn *authn, struct arena *arena, struct token_request *asked)
{
	if (!authn->options.anonymous_auth || authn->options.anonymous_paths.n_items)
		return NULL;
	struct user *user = user_new(arena, USER_ANONYMOUS, "");
	user_add_group(arena, user, GROUP_UNAUTHENTICATED);
	asked->ret_audiences = asked->n_audiences ? (char **)(uintptr_t)asked->audiences : authn->audiences;
	asked->ret_n_audiences = asked->n_audiences ? asked->n_audiences : authn->n_audiences;
	return user;
}

/* The token is read as the header of a request with it would be. */
static void find_user(struct authn *authn, struct arena *arena, AuthenticationV1TokenReview *review,
	struct token_request *asked, struct user **ret_user)
{
	static const char unknown[] = "invalid bearer token";
	asked->token = authn_bearer_of(arena, NULL, arena_printf(arena, "Bearer %s", review->spec->token));
	if (!asked->token) {
		*ret_user = nobody(authn, arena, asked);
		return;
	}
	CLEANUP_STATUS struct status *s = authn_token(authn, arena, asked, ret_user);
	/* The server's own token is compared first, which has its say. */
	if (s)
		review->status->error = str_eq(s->message, unknown)
						? arena_strdup(arena, unknown)
						: arena_printf(arena, "[%s, %s]", unknown, s->message);
}

struct status *authn_review_token(struct authn *authn, struct arena *arena, AuthenticationV1TokenReview *review)
{
	if (!review->spec || str_empty(review->spec->token))
		return status_bad_request("token is required for TokenReview in authentication");
	/* Of what its sender says of the user it keeps what nobody knows better. */
	ENSURE(arena, review->status, AuthenticationV1TokenReviewStatus)->authenticated = false;
	struct user *user = NULL;
	struct token_request asked = {.audiences = review->spec->audiences, .n_audiences = review->spec->n_audiences};
	find_user(authn, arena, review, &asked, &user);
	if (!user)
		return NULL;
	review->status->authenticated = true;
	authn_user_info(arena, user, &review->status->user);
	review->status->audiences = asked.ret_audiences;
	review->status->n_audiences = asked.ret_n_audiences;
	return NULL;
}
