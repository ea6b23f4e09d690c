#include "apiserver/http/paths.h"

bool openapi_respond(struct app *app, struct exchange *exchange)
{
	return false;
}
