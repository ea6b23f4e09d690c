/* Stands in until the library speaks SPDY. */
#include "apiserver/http/backend.h"

struct status *backend_translate(struct exchange *exchange, const struct backend *backend, bool port_forward)
{
	return status_bad_request("WebSocket is not spoken yet");
}
