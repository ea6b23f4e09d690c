/* Objects for tests, in one line each. */
#ifndef TEST_CONTROLLER_MANAGER_MAKE_H
#define TEST_CONTROLLER_MANAGER_MAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/intstr.h"
#include "api/json.h"
#include "controller-manager/support/object.h"

/* A typed object out of JSON, complete. */
static inline void *make_json(struct arena *arena, const struct schema_type *type, const char *json)
{
	void *msg;
	struct status *s = json_decode(arena, type, json, strlen(json), &(struct json_options)JSON_LENIENT, &msg);
	if (s)
		fail_msg("%s: %s", json, s->message);
	object_complete(arena, msg);
	return msg;
}
#define MAKE(arena, T, json) ((T *)make_json((arena), &T##_schema, (json)))

#endif
