/* Every way to change an object, by as many clients as are asked for. All of it happens in the namespace "bench". */
#include "base/cleanup.h"
#include "test/bench/load/load.h"

#define PODS "/api/v1/namespaces/bench/pods"
#define POD PODS "/load-%N"
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/bench/leases"
#define TYPE(type) "Content-Type: application/" type "\r\n"

struct write {
	const char *name;
	struct status *(*op)(struct crowd_client *c, int64_t i);
	const char *method, *path;
	const char *headers;
	const char *body;
	size_t pod_size; /* the body is a pod of that size */
};

/* What a run's clients share. */
struct writing {
	const struct write *write;
	const char *body;
};

static struct status *ask(struct crowd_client *c, const char *method, const char *path_text, int64_t n,
	const char *body, size_t size, bool keep, struct answer *ret)
{
	const struct writing *w = c->data;
	CLEANUP(strbuf_done) struct strbuf path = STRBUF_INIT;
	body_fill(&path, path_text, n, 0);
	return wire_ask(c->wire, &c->load->target, method, path.buf, w->write->headers, body, size, keep, ret);
}

/* One request with a body; objects of the pool in turn. */
static struct status *send_one(struct crowd_client *c, int64_t i)
{
	const struct writing *w = c->data;
	struct answer answer;
	int64_t n = c->load->from + (w->write->pod_size ? i : i % c->load->n);
	body_fill(&c->scratch, w->body, n, now_us());
	return ask(c, w->write->method, w->write->path, n, c->scratch.buf, c->scratch.len, false, &answer);
}

static struct status *delete_one(struct crowd_client *c, int64_t i)
{
	static const char body[] = "{\"gracePeriodSeconds\":0}";
	struct answer answer;
	return ask(c, "DELETE", POD, c->load->from + i, body, sizeof body - 1, false, &answer);
}

/* What was answered last goes back with another stamp. */
static struct status *read_and_put(struct crowd_client *c, int64_t i)
{
	const struct writing *w = c->data;
	int64_t n = c->load->from + i % c->load->n;
	struct answer answer;
	TRY(ask(c, "GET", w->write->path, n, NULL, 0, true, &answer));
	strbuf_reset(&c->scratch);
	strbuf_add(&c->scratch, answer.body, answer.size);
	char *digits = body_find_stamp(c->scratch.buf, c->scratch.len);
	if (!digits)
		return status_internal("the answer has no annotation " STAMP_KEY);
	char stamp[STAMP_DIGITS + 1];
	snprintf(stamp, sizeof stamp, "%0*lld", STAMP_DIGITS, (long long)now_us());
	memcpy(digits, stamp, STAMP_DIGITS);
	return ask(c, "PUT", w->write->path, n, c->scratch.buf, c->scratch.len, false, &answer);
}

/* As a kubelet does: the lease as it was answered last, with the time moved on. */
static struct status *renew(struct crowd_client *c, int64_t i)
{
	static const char mark[] = "\"renewTime\":\"2026-01-01T00:00:00.";
	const struct writing *w = c->data;
	struct answer answer;
	int64_t n = c->load->from + c->index;
	if (!c->scratch.len) {
		CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
		body_fill(&body, w->body, n, 0);
		TRY(wire_send(c->wire, &c->load->target, "POST", LEASES, w->write->headers, body.buf, body.len));
		TRY(wire_receive(c->wire, false, &answer)); /* 409: it is there already */
		TRY(ask(c, "GET", w->write->path, n, NULL, 0, true, &answer));
		strbuf_add(&c->scratch, answer.body, answer.size);
	}
	char *at = strstr(c->scratch.buf, mark), digits[24];
	if (!at)
		return status_internal("the lease has no renewTime: %.200s", c->scratch.buf);
	snprintf(digits, sizeof digits, "%06lld", (long long)(now_us() % 1000000));
	memcpy(at + sizeof mark - 1, digits, 6);
	TRY(ask(c, "PUT", w->write->path, n, c->scratch.buf, c->scratch.len, true, &answer));
	strbuf_reset(&c->scratch);
	strbuf_add(&c->scratch, answer.body, answer.size);
	return NULL;
}

#define CONDITION(type, status)                                                                                      \
	"{\"type\":\"" type "\",\"status\":\"" status "\",\"lastHeartbeatTime\":\"%T\",\"reason\":\"KubeletHas" type \
	"\"}"
static const char node_status[] = "{\"status\":{\"conditions\":[" CONDITION("MemoryPressure", "False") "," CONDITION(
	"DiskPressure", "False") "," CONDITION("PIDPressure", "False") "," CONDITION("Ready", "True") "]}}";
static const char pod_status[] =
	"{\"status\":{\"phase\":\"Running\",\"podIP\":\"10.1.2.3\",\"podIPs\":[{\"ip\":\"10.1.2.3\"}],\"conditions\":["
	"{\"type\":\"Ready\",\"status\":\"True\",\"message\":\"%S\"},{\"type\":\"ContainersReady\",\"status\":\"True\","
	"\"message\":\"%S\"}],"
	"\"containerStatuses\":[{\"name\":\"server\",\"ready\":true,\"restartCount\":0,\"image\":\"registry.example/"
	"shop/server:1.2.3\","
	"\"imageID\":\"sha256:1\",\"containerID\":\"containerd://"
	"%S\",\"state\":{\"running\":{\"startedAt\":\"2026-01-01T00:00:00Z\"}}}]}}";
static const char stamp_patch[] = "{\"metadata\":{\"annotations\":{\"" STAMP_KEY "\":\"%S\"}}}";
static const char json_patch[] =
	"[{\"op\":\"replace\",\"path\":\"/metadata/annotations/" STAMP_KEY "\",\"value\":\"%S\"}]";
static const char applied[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"load-%N\",\"annotations\":{"
	"\"example.com/applied\":\"%S\"},\"labels\":{\"example.com/applied\":\"yes\"}}}";
static const char lease[] =
	"{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"load-%N\"},"
	"\"spec\":{\"holderIdentity\":\"load-%N\",\"leaseDurationSeconds\":40,"
	"\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}}";

static const struct write writes[] = {
	{"create-3k", send_one, "POST", PODS, TYPE("json"), NULL, 3072},
	{"create-10k", send_one, "POST", PODS, TYPE("json"), NULL, 10240},
	{"update", read_and_put, NULL, POD, TYPE("json")},
	{"patch-strategic", send_one, "PATCH", POD, TYPE("strategic-merge-patch+json"), stamp_patch},
	{"patch-merge", send_one, "PATCH", POD, TYPE("merge-patch+json"), stamp_patch},
	{"patch-json", send_one, "PATCH", POD, TYPE("json-patch+json"), json_patch},
	{"apply", send_one, "PATCH", POD "?fieldManager=bench-apply&force=true", TYPE("apply-patch+yaml"), applied},
	{"status-patch", send_one, "PATCH", POD "/status", TYPE("strategic-merge-patch+json"), pod_status},
	{"lease", renew, NULL, LEASES "/load-%N", TYPE("json"), lease},
	{"node-status", send_one, "PATCH", "/api/v1/nodes/load-%N/status", TYPE("strategic-merge-patch+json"),
		node_status},
};

static struct status *delete_created(struct load *l, struct writing *w, int64_t n)
{
	struct load until_done = *l;
	until_done.seconds = 600;
	struct crowd crowd = {.load = &until_done, .op = delete_one, .data = w, .max = n};
	struct gauge gauge = gauge_start(l->server_pid);
	TRY(crowd_run(&crowd));
	crowd_figure(&crowd, w->write->pod_size > 3072 ? "delete-10k" : "delete", &gauge);
	samples_done(&crowd.ms);
	return NULL;
}

static struct status *run(struct load *l, const struct write *write)
{
	struct writing w = {
		.write = write, .body = write->pod_size ? body_pod(l->arena, "bench", write->pod_size) : write->body};
	struct crowd crowd = {.load = l, .op = write->op, .data = &w};
	struct gauge gauge = gauge_start(l->server_pid);
	TRY(crowd_run(&crowd));
	crowd_figure(&crowd, write->name, &gauge);
	samples_done(&crowd.ms);
	return write->pod_size ? delete_created(l, &w, crowd.done) : NULL;
}

struct status *load_write(struct load *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		if (str_eq(writes[i].name, l->what))
			return run(l, &writes[i]);
	}
	return status_bad_request("--what %s: no such kind of write", str_or_empty(l->what));
}
