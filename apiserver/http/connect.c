#include "apiserver/http/verbs.h"

struct status *verb_connect(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	return status_new(STATUS_INTERNAL, "not yet");
}
