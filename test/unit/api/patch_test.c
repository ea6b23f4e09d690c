#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/copy.h"
#include "api/json.h"
#include "api/patch.h"
#include "api/types.h"

enum operation { STRATEGIC, TWOWAY, THREEWAY, THREEWAYMERGE, MERGE, JSONPATCH };

#define BASE                                                                                                       \
	"{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\",\"env\":[{\"name\":\"E\",\"value\":\"1\"}]},{" \
	"\"name\":\"b\",\"image\":\"y\"}],\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]},\"metadata\":{\"name\":" \
	"\"n\",\"labels\":{\"a\":\"b\"},\"finalizers\":[\"f\",\"g\"]}}"
#define POD                                                                                                        \
	"{\"metadata\":{\"name\":\"p\",\"labels\":{\"a\":\"1\",\"b\":\"2\"}},\"spec\":{\"containers\":[{\"name\":" \
	"\"c\",\"image\":\"x\",\"env\":[{\"name\":\"A\",\"value\":\"1\"}]},{\"name\":\"d\",\"image\":\"y\"}],"     \
	"\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}}"
#define POD_2                                                                                                         \
	"{\"metadata\":{\"name\":\"p\",\"labels\":{\"a\":\"1\",\"c\":\"3\"}},\"spec\":{\"containers\":[{\"name\":"    \
	"\"d\",\"image\":\"y\"},{\"name\":\"c\",\"image\":\"z\",\"env\":[{\"name\":\"B\",\"value\":\"2\"},{\"name\":" \
	"\"A\",\"value\":\"1\"}]}],\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/x\"}}]}}"
#define POD_LIVE                                                                                                       \
	"{\"metadata\":{\"name\":\"p\",\"labels\":{\"a\":\"1\",\"b\":\"2\",\"live\":\"yes\"},\"uid\":\"u\"},\"spec\":" \
	"{\"nodeName\":\"n\",\"containers\":[{\"name\":\"c\",\"image\":\"x\",\"env\":[{\"name\":\"A\",\"value\":"      \
	"\"1\"}],\"imagePullPolicy\":\"Always\"},{\"name\":\"d\",\"image\":\"y\"},{\"name\":\"injected\",\"image\":"   \
	"\"i\"}],\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}},{\"name\":\"token\",\"projected\":{}}]}}"
#define EXTRA(members_) "{\"spec\":{\"extra\":{" members_ "}}}"
#define DOC "{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"x/y\":1,\"t~u\":2}"

/* The wanted results are those of the original's libraries; NULL: an error. */
static const struct {
	enum operation operation;
	const struct schema_type *type;
	const char *a, *b, *c, *want;
} cases[] = {
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"}]}}",
		NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"spec\":{\"containers\":[{\"$patch\":\"replace\"},{\"name\":\"z\",\"image\":\"q\"}]}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"image\":\"q\",\"name\":\"z\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"$patch\":\"replace\",\"containers\":[{\"name\":\"z\"}]}}",
		NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"name\":\"z\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"$patch\":\"delete\"}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"containers\":[{\"image\":\"nokey\"}]}}", NULL, NULL},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"spec\":{\"volumes\":[{\"name\":\"v\",\"$retainKeys\":[\"name\",\"hostPath\"],\"hostPath\":{"
		"\"path\":\"/x\"}}]}}",
		NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"hostPath\":{\"path\":\"/x\"},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"f\"]}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"metadata\":{\"finalizers\":[\"h\"]}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"h\",\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"metadata\":{\"finalizers\":[\"h\",\"f\"],\"$setElementOrder/finalizers\":[\"h\",\"f\",\"g\"]}}",
		NULL,
		"{\"metadata\":{\"finalizers\":[\"h\",\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"image\":\"y\",\"name\":\"b\"},{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],"
		"\"image\":\"x\",\"name\":\"a\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"spec\":{\"$setElementOrder/"
		"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}],\"containers\":[{\"name\":\"a\",\"image\":\"new\"}]}"
		"}",
		NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"image\":\"y\",\"name\":\"b\"},{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],"
		"\"image\":\"new\",\"name\":\"a\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"spec\":{\"$setElementOrder/"
		"containers\":[{\"name\":\"b\"}],\"containers\":[{\"name\":\"a\",\"image\":\"new\"}]}}",
		NULL, NULL},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"metadata\":{\"labels\":null}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"name\":\"n\"},\"spec\":{\"containers\":[{\"env\":[{"
		"\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{\"image\":\"y\",\"name\":\"b\"}],"
		"\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"metadata\":{\"labels\":{\"a\":null,\"c\":\"d\",\"e\":null}}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"c\":\"d\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"nope\":{\"a\":1}}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"nope\":{\"a\":1},\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":null}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"containers\":null}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"containers\":[]}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"containers\":\"x\"}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":\"x\",\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"E\",\"$patch\":\"delete\"},{\"name\":"
		"\"F\",\"value\":\"2\"}]}]}}",
		NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"F\",\"value\":\"2\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"$patch\":\"replace\",\"metadata\":{\"name\":\"q\"}}", NULL,
		"{\"metadata\":{\"name\":\"q\"}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"$patch\":\"delete\"}", NULL, "{}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"$patch\":\"foo\"}", NULL, NULL},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"containers\":[{\"name\":\"a\",\"$patch\":\"foo\"}]}}", NULL,
		NULL},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"containers\":[{\"name\":\"c\",\"$patch\":\"merge\"}]}}",
		NULL, NULL},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"securityContext\":{\"runAsUser\":1,\"x\":null}}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"securityContext\":{\"runAsUser\":1},\"volumes\":[{\"emptyDir\":{},"
		"\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"metadata\":{\"$deleteFromPrimitiveList\":[\"f\"]}}", NULL, NULL},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"metadata\":{\"annotations\":{\"k\":null,\"l\":\"m\"}}}", NULL,
		"{\"metadata\":{\"annotations\":{\"l\":\"m\"},\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},"
		"\"name\":\"n\"},\"spec\":{\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\","
		"\"name\":\"a\"},{\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"containers\":[1]}}", NULL, NULL},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"spec\":{\"volumes\":[{\"name\":\"v\",\"$retainKeys\":[\"name\"],\"hostPath\":{\"path\":\"/x\"}}]}}",
		NULL, NULL},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"hostAliases\":[{\"ip\":\"1\",\"hostnames\":[\"a\"]}]}}",
		NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"hostAliases\":[{\"hostnames\":[\"a\"],\"ip\":\"1\"}],\"volumes\":[{"
		"\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"nodeSelector\":{\"$patch\":\"replace\",\"z\":\"1\"}}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"spec\":{\"tolerations\":[{\"key\":\"a\"}]}}", NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},{"
		"\"image\":\"y\",\"name\":\"b\"}],\"tolerations\":[{\"key\":\"a\"}],\"volumes\":[{\"emptyDir\":{},"
		"\"name\":\"v\"}]}}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE, "{\"kind\":\"X\",\"spec\":{\"hostNetwork\":true}}", NULL,
		"{\"kind\":\"X\",\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},"
		"\"spec\":{\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\"},"
		"{\"image\":\"y\",\"name\":\"b\"}],\"hostNetwork\":true,\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}"
		"}"},
	{STRATEGIC, &CoreV1Pod_schema, BASE,
		"{\"spec\":{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80},{\"containerPort\":80,"
		"\"protocol\":\"UDP\"}]}]}}",
		NULL,
		"{\"metadata\":{\"finalizers\":[\"f\",\"g\"],\"labels\":{\"a\":\"b\"},\"name\":\"n\"},\"spec\":{"
		"\"containers\":[{\"env\":[{\"name\":\"E\",\"value\":\"1\"}],\"image\":\"x\",\"name\":\"a\",\"ports\":["
		"{\"containerPort\":80},{\"containerPort\":80,\"protocol\":\"UDP\"}]},{\"image\":\"y\",\"name\":\"b\"}]"
		",\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]}}"},
	{TWOWAY, &CoreV1Pod_schema, "{\"spec\":{\"containers\":[{\"image\":\"x\"}]}}",
		"{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}", NULL, NULL},
	{TWOWAY, &CoreV1Pod_schema, "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
		"{\"spec\":{\"containers\":[{\"image\":\"x\"}]}}", NULL, NULL},
	{TWOWAY, &CoreV1Pod_schema, POD, POD_2, NULL,
		"{\"metadata\":{\"labels\":{\"b\":null,\"c\":\"3\"}},\"spec\":{\"$setElementOrder/"
		"containers\":[{\"name\":\"d\"},{\"name\":\"c\"}],\"$setElementOrder/"
		"volumes\":[{\"name\":\"v\"}],\"containers\":[{\"$setElementOrder/"
		"env\":[{\"name\":\"B\"},{\"name\":\"A\"}],\"env\":[{\"name\":\"B\",\"value\":\"2\"}],\"image\":\"z\","
		"\"name\":\"c\"}],\"volumes\":[{\"$retainKeys\":[\"hostPath\",\"name\"],\"emptyDir\":null,\"hostPath\":"
		"{\"path\":\"/x\"},\"name\":\"v\"}]}}"},
	{TWOWAY, &CoreV1Pod_schema, POD_2, POD, NULL,
		"{\"metadata\":{\"labels\":{\"b\":\"2\",\"c\":null}},\"spec\":{\"$setElementOrder/"
		"containers\":[{\"name\":\"c\"},{\"name\":\"d\"}],\"$setElementOrder/"
		"volumes\":[{\"name\":\"v\"}],\"containers\":[{\"$setElementOrder/"
		"env\":[{\"name\":\"A\"}],\"env\":[{\"$patch\":\"delete\",\"name\":\"B\"}],\"image\":\"x\",\"name\":"
		"\"c\"}],\"volumes\":[{\"$retainKeys\":[\"emptyDir\",\"name\"],\"emptyDir\":{},\"hostPath\":null,"
		"\"name\":\"v\"}]}}"},
	{TWOWAY, &CoreV1Pod_schema, POD, POD, NULL, "{}"},
	{THREEWAY, &CoreV1Pod_schema, POD, POD_2, POD_LIVE,
		"{\"metadata\":{\"labels\":{\"b\":null,\"c\":\"3\"}},\"spec\":{\"$setElementOrder/"
		"containers\":[{\"name\":\"d\"},{\"name\":\"c\"}],\"$setElementOrder/"
		"volumes\":[{\"name\":\"v\"}],\"containers\":[{\"$setElementOrder/"
		"env\":[{\"name\":\"B\"},{\"name\":\"A\"}],\"env\":[{\"name\":\"B\",\"value\":\"2\"}],\"image\":\"z\","
		"\"name\":\"c\"}],\"volumes\":[{\"$retainKeys\":[\"hostPath\",\"name\"],\"emptyDir\":null,\"hostPath\":"
		"{\"path\":\"/x\"},\"name\":\"v\"}]}}"},
	{THREEWAY, &CoreV1Pod_schema, POD, POD, POD_LIVE,
		"{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"c\"},{\"name\":\"d\"}],\"$setElementOrder/"
		"volumes\":[{\"name\":\"v\"}]}}"},
	{THREEWAYMERGE, NULL, POD, POD_2, POD_LIVE,
		"{\"metadata\":{\"labels\":{\"b\":null,\"c\":\"3\"}},\"spec\":{\"containers\":[{\"image\":\"y\","
		"\"name\":\"d\"},{\"env\":[{\"name\":\"B\",\"value\":\"2\"},{\"name\":\"A\",\"value\":\"1\"}],"
		"\"image\":\"z\",\"name\":\"c\"}],\"volumes\":[{\"hostPath\":{\"path\":\"/x\"},\"name\":\"v\"}]}}"},
	{TWOWAY, &AppsV1Deployment_schema,
		"{\"spec\":{\"replicas\":1,\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":1}}"
		"}}",
		"{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}", NULL,
		"{\"spec\":{\"replicas\":null,\"strategy\":{\"$retainKeys\":[\"type\"],\"rollingUpdate\":null,\"type\":"
		"\"Recreate\"}}}"},
	{THREEWAY, &AppsV1Deployment_schema,
		"{\"spec\":{\"replicas\":1,\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":1}}"
		"}}",
		"{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}",
		"{\"spec\":{\"replicas\":1,\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":1}}"
		"}}",
		"{\"spec\":{\"replicas\":null,\"strategy\":{\"$retainKeys\":[\"type\"],\"rollingUpdate\":null,\"type\":"
		"\"Recreate\"}}}"},
	{STRATEGIC, &AppsV1Deployment_schema,
		"{\"spec\":{\"replicas\":1,\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":1}}"
		"}}",
		"{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\"}}}", NULL,
		"{\"spec\":{\"replicas\":1,\"strategy\":{\"type\":\"Recreate\"}}}"},
	{TWOWAY, &CoreV1Pod_schema, "{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"]}}",
		"{\"metadata\":{\"finalizers\":[\"c\",\"d\"]}}", NULL,
		"{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\",\"b\"],\"$setElementOrder/"
		"finalizers\":[\"c\",\"d\"],\"finalizers\":[\"d\"]}}"},
	{THREEWAY, &CoreV1Pod_schema, "{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"]}}",
		"{\"metadata\":{\"finalizers\":[\"c\",\"d\"]}}", "{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"]}}",
		"{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\",\"b\"],\"$setElementOrder/"
		"finalizers\":[\"c\",\"d\"],\"finalizers\":[\"d\"]}}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"z\":1}}]", NULL,
		"{\"a\":{\"z\":1},\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":9}]", NULL,
		"{\"a\":9,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"remove\",\"path\":\"/a\"}]", NULL,
		"{\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b/0\"}]", NULL,
		"{\"b\":[1,1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a\"}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"add\",\"path\":\"/b/0\",\"value\":{\"z\":1}}]", NULL,
		"{\"a\":1,\"b\":[{\"z\":1},1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"replace\",\"path\":\"/b/0\",\"value\":9}]", NULL,
		"{\"a\":1,\"b\":[9,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"remove\",\"path\":\"/b/0\"}]", NULL,
		"{\"a\":1,\"b\":[2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/b/0\",\"value\":1}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/b/0\",\"value\":null}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"copy\",\"from\":\"/b/0\",\"path\":\"/new\"}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"new\":1,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/b/0\",\"path\":\"/b/0\"}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b/0\"}]", NULL,
		"{\"a\":1,\"b\":[1,1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"add\",\"path\":\"/b/-\",\"value\":{\"z\":1}}]", NULL,
		"{\"a\":1,\"b\":[1,2,3,{\"z\":1}],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"replace\",\"path\":\"/b/-\",\"value\":9}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"remove\",\"path\":\"/b/-\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/b/-\",\"value\":1}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/b/-\",\"value\":null}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/b/-\",\"path\":\"/b/0\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b/-\"}]", NULL,
		"{\"a\":1,\"b\":[1,2,3,1],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/b/3\",\"path\":\"/b/0\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"add\",\"path\":\"/b/4\",\"value\":{\"z\":1}}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"replace\",\"path\":\"/b/4\",\"value\":9}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"remove\",\"path\":\"/b/4\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/b/4\",\"value\":1}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/b/4\",\"value\":null}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/b/4\",\"path\":\"/b/0\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b/4\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/b/-1\",\"path\":\"/b/0\"}]", NULL,
		"{\"a\":1,\"b\":[3,1,2],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/b/-3\",\"path\":\"/b/0\"}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/b/-4\",\"path\":\"/b/0\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/c/d\",\"path\":\"/b/0\"}]", NULL,
		"{\"a\":1,\"b\":[\"e\",1,2,3],\"c\":{},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"add\",\"path\":\"/c/new\",\"value\":{\"z\":1}}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\",\"new\":{\"z\":1}},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"replace\",\"path\":\"/c/new\",\"value\":9}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\",\"new\":9},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"remove\",\"path\":\"/c/new\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/c/new\",\"value\":1}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/c/new\",\"value\":null}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\"},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"move\",\"from\":\"/c/new\",\"path\":\"/b/0\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c/new\"}]", NULL,
		"{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":\"e\",\"new\":1},\"f\":null,\"t~u\":2,\"x/y\":1}"},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"add\",\"path\":\"/n/x\",\"value\":{\"z\":1}}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"replace\",\"path\":\"/n/x\",\"value\":9}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"remove\",\"path\":\"/n/x\"}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/n/x\",\"value\":1}]", NULL, NULL},
	{JSONPATCH, NULL, DOC, "[{\"op\":\"test\",\"path\":\"/n/x\",\"value\":null}]", NULL, NULL},
	{MERGE, NULL, "{\"a\":1,\"b\":{\"c\":2}}", "{\"a\":null}", NULL, "{\"b\":{\"c\":2}}"},
	{MERGE, NULL, "{\"a\":1,\"b\":{\"c\":2}}", "{\"b\":{\"c\":null}}", NULL, "{\"a\":1,\"b\":{}}"},
	{MERGE, NULL, "{\"a\":1,\"b\":{\"c\":2}}", "{\"b\":null,\"d\":{\"e\":null,\"f\":1}}", NULL,
		"{\"a\":1,\"d\":{\"f\":1}}"},
	{MERGE, NULL, "{\"a\":1,\"b\":{\"c\":2}}", "{\"b\":[1,null]}", NULL, "{\"a\":1,\"b\":[1,null]}"},
	{MERGE, NULL, "{\"a\":1,\"b\":{\"c\":2}}", "{\"a\":{\"x\":{\"y\":null}}}", NULL,
		"{\"a\":{\"x\":{}},\"b\":{\"c\":2}}"},
	{MERGE, NULL, "{\"a\":1}", "{\"b\":[{\"c\":null,\"d\":[{\"e\":null}]},null]}", NULL,
		"{\"a\":1,\"b\":[{\"d\":[{}]},null]}"},
	{MERGE, NULL, "{\"b\":{\"c\":2}}", "{\"b\":[{\"c\":null}]}", NULL, "{\"b\":[{\"c\":null}]}"},
	{MERGE, NULL, "{\"a\":1,\"b\":{\"c\":2}}", "[1,2]", NULL, "[1,2]"},
	{MERGE, NULL, "{\"a\":1,\"b\":{\"c\":2}}", "{}", NULL, "{\"a\":1,\"b\":{\"c\":2}}"},
	{MERGE, NULL, "[1]", "{\"a\":null}", NULL, "{}"},
	{MERGE, NULL, "[1]", "{\"b\":{\"c\":null}}", NULL, "{\"b\":{}}"},
	{MERGE, NULL, "[1]", "{\"b\":null,\"d\":{\"e\":null,\"f\":1}}", NULL, "{\"d\":{\"f\":1}}"},
	{MERGE, NULL, "[1]", "{\"b\":[1,null]}", NULL, "{\"b\":[1,null]}"},
	{MERGE, NULL, "[1]", "{\"a\":{\"x\":{\"y\":null}}}", NULL, "{\"a\":{\"x\":{}}}"},
	{MERGE, NULL, "[1]", "[1,2]", NULL, "[1,2]"},
	{MERGE, NULL, "[1]", "{}", NULL, "{}"},
	{MERGE, NULL, "1", "{\"a\":null}", NULL, "{}"},
	{MERGE, NULL, "1", "{\"b\":{\"c\":null}}", NULL, "{\"b\":{}}"},
	{MERGE, NULL, "1", "{\"b\":null,\"d\":{\"e\":null,\"f\":1}}", NULL, "{\"d\":{\"f\":1}}"},
	{MERGE, NULL, "1", "{\"b\":[1,null]}", NULL, "{\"b\":[1,null]}"},
	{MERGE, NULL, "1", "{\"a\":{\"x\":{\"y\":null}}}", NULL, "{\"a\":{\"x\":{}}}"},
	{MERGE, NULL, "1", "[1,2]", NULL, "[1,2]"},
	/* What stands in a map is replaced whole or not at all. */
	{TWOWAY, &CertificatesV1CertificateSigningRequest_schema, EXTRA("\"m\":[\"a\",\"b\"],\"s\":[\"x\"]"),
		EXTRA("\"m\":[\"a\"],\"s\":[\"x\"]"), NULL,
		"merging an object in json but data type is not struct, instead is: map"},
	{TWOWAY, &CertificatesV1CertificateSigningRequest_schema, EXTRA("\"s\":[\"x\"]"),
		EXTRA("\"m\":[\"a\"],\"s\":[\"x\"]"), NULL, EXTRA("\"m\":[\"a\"]")},
};

static cJSON *parse(struct arena *arena, const char *text)
{
	cJSON *tree = NULL;

	if (text)
		assert_null(tree_parse(arena, text, strlen(text), NULL, &tree));
	return tree;
}

static void patches_do_what_the_original_does(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		cJSON *a = parse(arena, cases[i].a), *b = parse(arena, cases[i].b), *c = parse(arena, cases[i].c),
		      *got = NULL;
		struct status *status = NULL;
		switch (cases[i].operation) {
		case STRATEGIC:
			status = patch_strategic(arena, cases[i].type, a, b, &got);
			break;
		case TWOWAY:
			status = patch_create_strategic(arena, cases[i].type, a, b, &got);
			break;
		case THREEWAY:
			status = patch_create_three_way(arena, cases[i].type, a, b, c, &got);
			break;
		case THREEWAYMERGE:
			status = patch_create_three_way_merge(arena, a, b, c, &got);
			break;
		case MERGE:
			status = patch_merge(arena, a, b, &got);
			break;
		case JSONPATCH:
			status = patch_json(arena, a, b, &got);
			break;
		}
		if (!cases[i].want && !status)
			fail_msg("%s: an error is expected", cases[i].b);
		if (cases[i].want)
			assert_string_equal(
				status ? status->message : tree_to_string(arena, got, TREE_SORTED), cases[i].want);
		status_free(status);
	}
}

static ProtobufCMessage *typed(struct arena *arena, const cJSON *tree)
{
	ProtobufCMessage *object;
	CLEANUP_STATUS struct status *status = tree_to_typed(arena, tree, &CoreV1Pod_schema, NULL, &object);
	if (status)
		fail_msg("%s", status->message);
	return object;
}

static ProtobufCMessage *patched(
	struct arena *arena, const ProtobufCMessage *object, const cJSON *patch, enum operation operation)
{
	cJSON *tree = NULL;
	const cJSON *before = tree_from_typed(arena, object);
	assert_null(operation == MERGE ? patch_merge(arena, before, patch, &tree)
				       : patch_strategic(arena, &CoreV1Pod_schema, before, patch, &tree));
	return typed(arena, tree);
}

/* What a patch does not name comes back as it was, whatever it does to the rest. */
static void a_part_is_patched_as_the_whole_is(void **state)
{
	static const char *const objects[] = {BASE, POD, POD_2, POD_LIVE, "{}"};
	static const char *const patches[] = {"{}", "{\"metadata\":{\"labels\":{\"a\":null,\"z\":\"1\"}}}",
		"{\"metadata\":{\"labels\":null}}",
		"{\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		"{\"spec\":{\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"B\",\"value\":\"3\"}]}]}}",
		"{\"spec\":{\"securityContext\":{\"runAsUser\":5},\"terminationGracePeriodSeconds\":0}}",
		"{\"metadata\":{\"annotations\":{\"x\":\"y\"}},\"spec\":{\"nodeName\":\"other\"}}", "{\"spec\":null}",
		"{\"status\":null,\"metadata\":{\"uid\":null}}",
		"{\"spec\":{\"volumes\":[{\"name\":\"v\",\"$patch\":\"delete\"}]}}",
		"{\"spec\":{\"$patch\":\"replace\",\"containers\":[{\"name\":\"z\"}]}}",
		"{\"spec\":{\"affinity\":{\"nodeAffinity\":{}},\"dnsConfig\":{\"options\":[{\"name\":\"o\"}]}}}"};
	size_t n_parts = 0;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		for (size_t k = 0; k < ARRAY_SIZE(patches); k++)
			for (int merge = 0; merge < 2; merge++) {
				CLEANUP(arena_freep) struct arena *arena = arena_new();
				enum operation operation = merge ? MERGE : STRATEGIC;
				const cJSON *patch = parse(arena, patches[k]);
				const ProtobufCMessage *object = typed(arena, parse(arena, objects[i]));
				const ProtobufCMessage *part = patch_part(arena, object, patch);
				char *before = json_to_string(arena, object, 0);
				if (!part)
					continue;
				ProtobufCMessage *made = patched(arena, part, patch, operation);
				patch_join(arena, made, object, patch);
				assert_string_equal(json_to_string(arena, made, 0),
					json_to_string(arena, patched(arena, object, patch, operation), 0));
				assert_string_equal(json_to_string(arena, object, 0), before);
				n_parts++;
			}
	assert_true(n_parts > 2 * ARRAY_SIZE(patches));
}

/* What is merged straight into an object is what it becomes by way of trees. */
static void a_merge_by_types_is_that_by_trees(void **state)
{
	static const char *const patches[] = {"{}",
		"{\"metadata\":{\"labels\":{\"a\":\"2\",\"0\":\"first\",\"z\":\"last\"}}}",
		"{\"metadata\":{\"annotations\":{\"x\":\"y\"}},\"spec\":{\"nodeName\":\"other\",\"hostNetwork\":true}}",
		"{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"other\",\"args\":[\"x\",\"y\"]}]}}",
		"{\"spec\":{\"$setElementOrder/"
		"containers\":[{\"name\":\"c\"}],\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
		"{\"spec\":{\"$setElementOrder/"
		"containers\":[{\"name\":\"d\"},{\"name\":\"c\"}],\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
		"{\"spec\":{\"containers\":[{\"name\":\"d\",\"image\":\"1\"},{\"name\":\"c\",\"image\":\"2\"}]}}",
		"{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"limits\":{\"cpu\":\"1\"}}}]}}",
		"{\"spec\":{\"containers\":[{\"name\":\"c\",\"$patch\":\"delete\"}]}}",
		"{\"spec\":{\"securityContext\":{\"runAsUser\":5,\"supplementalGroups\":[1,2]},"
		"\"terminationGracePeriodSeconds\":0}}",
		"{\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-01-01T00:00:00Z\",\"podIPs\":[{\"ip\":\"10.0."
		"0.1\"}],\"containerStatuses\":"
		"[{\"name\":\"c\",\"ready\":true,\"state\":{\"running\":{\"startedAt\":\"2026-01-01T00:00:00Z\"}}}]}}",
		"{\"spec\":{\"tolerations\":[{\"key\":\"k\"}],\"schedulerName\":null}}",
		"{\"spec\":{\"nodeSelector\":{}}}", "{\"spec\":{\"containers\":[]}}",
		"{\"metadata\":{\"creationTimestamp\":\"yesterday\"}}", "{\"spec\":{\"nodeName\":5}}",
		"{\"spec\":{\"nowhere\":1}}"};
	static const char *const objects[] = {BASE, POD, POD_2, POD_LIVE, "{}",
		"{\"metadata\":{\"labels\":{\"a\":\"1\",\"m\":\"n\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
		"\"image\":\"x\"},{\"name\":\"d\"}]},"
		"\"status\":{\"podIPs\":[{\"ip\":\"10.0.0.1\"}],\"startTime\":\"2025-01-01T00:00:00Z\"}}"};
	size_t n_typed = 0;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		for (size_t k = 0; k < ARRAY_SIZE(patches); k++)
			for (int merge = 0; merge < 2; merge++) {
				CLEANUP(arena_freep) struct arena *arena = arena_new();
				const cJSON *patch = parse(arena, patches[k]);
				const ProtobufCMessage *object = typed(arena, parse(arena, objects[i]));
				char *before = json_to_string(arena, object, 0),
				     *said = tree_to_string(arena, patch, 0);
				ProtobufCMessage *made;
				if (patch_merge_typed(arena, object, patch, !merge, &made)) {
					const ProtobufCMessage *wanted =
						patched(arena, object, patch, merge ? MERGE : STRATEGIC);
					assert_string_equal(
						json_to_string(arena, made, 0), json_to_string(arena, wanted, 0));
					assert_true(api_equal(made, wanted));
					n_typed++;
				}
				assert_string_equal(json_to_string(arena, object, 0), before);
				assert_string_equal(tree_to_string(arena, patch, 0), said);
			}
	assert_true(n_typed > 4 * ARRAY_SIZE(patches));
}

static bool merges_by_types(const char *object, const char *patch, bool strategic)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *made;
	return patch_merge_typed(arena, typed(arena, parse(arena, object)), parse(arena, patch), strategic, &made);
}

static void what_is_reported_all_day_needs_no_tree(void **state)
{
	static const char pod[] = "{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}";
	assert_true(merges_by_types(pod,
		"{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\",\"lastProbeTime\":\"2026-01-"
		"01T00:00:00Z\"}]}}",
		true));
	assert_true(merges_by_types(pod, "{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}", false));
	/* A list that is not replaced by a merge patch, a condition that is new, one that goes. */
	assert_true(merges_by_types(
		pod, "{\"status\":{\"conditions\":[{\"type\":\"Other\",\"status\":\"True\"}]}}", false));
	assert_false(
		merges_by_types(pod, "{\"status\":{\"conditions\":[{\"type\":\"Other\",\"status\":\"True\"}]}}", true));
	assert_false(merges_by_types(pod, "{\"status\":{\"conditions\":null}}", true));
	/* Members of JSON that is kept as it is are merged, too. */
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	AppsV1ControllerRevision *revision = API_NEW(arena, AppsV1ControllerRevision);
	ProtobufCMessage *made;
	assert_false(patch_merge_typed(arena, &revision->base, parse(arena, "{\"data\":{\"b\":2}}"), false, &made));
	assert_true(patch_merge_typed(arena, &revision->base, parse(arena, "{\"data\":[1]}"), false, &made));
}

/* Only what is named is in the part. */
static void a_part_holds_what_is_named(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const ProtobufCMessage *pod = typed(arena, parse(arena, POD_LIVE));
	const ProtobufCMessage *part =
		patch_part(arena, pod, parse(arena, "{\"metadata\":{\"labels\":{\"x\":\"y\"}}}"));
	assert_string_equal(json_to_string(arena, part, JSON_NO_TYPE),
		"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\",\"live\":\"yes\"}},\"spec\":{\"containers\":null},"
		"\"status\":{}}");
	assert_null(patch_part(arena, pod, parse(arena, "{\"$patch\":\"replace\"}")));
	assert_null(patch_part(arena, pod, parse(arena, "[]")));
}

static void hostile_patches_are_refused(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	cJSON *got, *doc = parse(arena, "{\"a\":{}}");

	strbuf_adds(&text, "[");
	for (int i = 0; i < 10001; i++)
		strbuf_printf(&text, "%s{\"op\":\"test\",\"path\":\"/a\",\"value\":{}}", i ? "," : "");
	strbuf_adds(&text, "]");
	struct status *status = patch_json(arena, doc, parse(arena, text.buf), &got);
	assert_int_equal(status->reason, STATUS_TOO_LARGE);
	status_free(status);

	/* Each copy doubles the document: bounded, not eaten. */
	strbuf_reset(&text);
	strbuf_adds(&text, "[");
	for (int i = 0; i < 64; i++)
		strbuf_printf(&text, "%s{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/k%d\"}", i ? "," : "", i);
	strbuf_adds(&text, "]");
	status = patch_json(arena, doc, parse(arena, text.buf), &got);
	assert_int_equal(status->reason, STATUS_INVALID);
	assert_non_null(strstr(status->message, "exceeding the limit 3145728"));
	status_free(status);
	/* So is one large text that is copied again and again. */
	char *large = arena_alloc(arena, 1000001);
	memset(large, 'x', 1000000);
	large[1000000] = 0;
	tree_set_string(arena, doc, "a", large);
	status = patch_json(arena, doc,
		parse(arena, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
			     "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"},"
			     "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/d\"},"
			     "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/e\"}]"),
		&got);
	assert_int_equal(status->reason, STATUS_INVALID);
	status_free(status);
}

static void large_maps_and_lists_are_merged(void **state)
{
	enum { N = 60000 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf map = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf none = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf list = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf back = STRBUF_INIT;
	cJSON *got[4];

	for (int i = 0; i < N; i++) {
		strbuf_printf(&map, "%s\"k%d\":\"v\"", i ? "," : "{\"metadata\":{\"labels\":{", i);
		strbuf_printf(&none, "%s\"k%d\":null", i ? "," : "{\"metadata\":{\"labels\":{", N - i);
		strbuf_printf(&list, "%s\"f%d\"", i ? "," : "{\"metadata\":{\"finalizers\":[", i);
		strbuf_printf(&back, "%s\"f%d\"", i ? "," : "{\"metadata\":{\"finalizers\":[", N - 1 - i);
	}
	strbuf_adds(&map, "}}}");
	strbuf_adds(&none, "}}}");
	strbuf_adds(&list, "]}}");
	strbuf_adds(&back, "]}}");
	cJSON *maps = parse(arena, map.buf), *nulls = parse(arena, none.buf), *lists = parse(arena, list.buf),
	      *reversed = parse(arena, back.buf);
	cJSON *small = parse(arena, "{\"metadata\":{\"labels\":{\"k1\":\"old\",\"other\":\"w\"}}}");
	assert_null(patch_merge(arena, small, maps, &got[0]));
	assert_null(patch_strategic(arena, &CoreV1Pod_schema, small, maps, &got[1]));
	/* All but k0, from the last to the first. */
	assert_null(patch_merge(arena, maps, nulls, &got[2]));
	assert_null(patch_strategic(arena, &CoreV1Pod_schema, maps, nulls, &got[3]));
	for (size_t i = 0; i < ARRAY_SIZE(got); i++) {
		const cJSON *labels = tree_get_path(got[i], "metadata", "labels", NULL);
		assert_int_equal(tree_size(labels), i < 2 ? N + 1 : 1);
		assert_string_equal(tree_string(tree_get(labels, i < 2 ? "k1" : "k0")), "v");
		assert_int_equal(tree_get(labels, "other") != NULL, i < 2);
		assert_int_equal(tree_get(labels, "k7") != NULL, i < 2);
	}

	assert_null(patch_strategic(arena, &CoreV1Pod_schema, lists, reversed, &got[0]));
	const cJSON *finalizers = tree_get_path(got[0], "metadata", "finalizers", NULL);
	assert_int_equal(tree_size(finalizers), N);
	assert_string_equal(tree_string(finalizers->child), arena_printf(arena, "f%d", N - 1));
	assert_string_equal(tree_string(finalizers->child->prev), "f0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patches_do_what_the_original_does),
		cmocka_unit_test(a_part_is_patched_as_the_whole_is),
		cmocka_unit_test(a_part_holds_what_is_named),
		cmocka_unit_test(a_merge_by_types_is_that_by_trees),
		cmocka_unit_test(what_is_reported_all_day_needs_no_tree),
		cmocka_unit_test(hostile_patches_are_refused),
		cmocka_unit_test(large_maps_and_lists_are_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
