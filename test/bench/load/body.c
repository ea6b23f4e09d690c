/* Bodies of requests: made once as text, numbers filled in for each. */
#include "test/bench/load/load.h"

static void add_time(struct strbuf *out, int64_t seconds)
{
	struct tm tm;
	char text[32];
	gmtime_r(&(time_t){1767225600 + seconds}, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	strbuf_adds(out, text);
}

void body_fill(struct strbuf *out, const char *text, int64_t n, int64_t stamp)
{
	strbuf_reset(out);
	for (const char *mark; (mark = strchr(text, '%')); text = mark + 2) {
		strbuf_add(out, text, (size_t)(mark - text));
		if (mark[1] == 'N')
			strbuf_printf(out, "%08lld", (long long)n);
		else if (mark[1] == 'T')
			add_time(out, stamp / 1000000);
		else
			strbuf_printf(out, "%0*lld", STAMP_DIGITS, (long long)stamp);
	}
	strbuf_adds(out, text);
}

static const char pod_head[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"load-%%N\",\"namespace\":\"%s\","
	"\"labels\":{\"app\":\"load\",\"app.kubernetes.io/name\":\"server\",\"app.kubernetes.io/"
	"part-of\":\"shop\",\"tier\":\"backend\","
	"\"pod-template-hash\":\"6d4f8b9c7f\"},\"annotations\":{\"" STAMP_KEY
	"\":\"%%S\",\"example.com/owner\":\"team-a\"}},"
	"\"spec\":{\"serviceAccountName\":\"default\",\"terminationGracePeriodSeconds\":30,\"securityContext\":{"
	"\"runAsUser\":1000,\"fsGroup\":1000},"
	"\"volumes\":[{\"name\":\"config\",\"configMap\":{\"name\":\"server-config\"}},{\"name\":\"scratch\","
	"\"emptyDir\":{}}],"
	"\"tolerations\":[{\"key\":\"dedicated\",\"operator\":\"Equal\",\"value\":\"load\",\"effect\":\"NoSchedule\"}],"
	"\"containers\":[{\"name\":\"server\",\"image\":\"registry.example/shop/"
	"server:1.2.3\",\"args\":[\"--listen=:8080\",\"--verbose\"],"
	"\"ports\":[{\"name\":\"http\",\"containerPort\":8080},{\"name\":\"metrics\",\"containerPort\":9090}],"
	"\"resources\":{\"requests\":{\"cpu\":\"10m\",\"memory\":\"16Mi\"},\"limits\":{\"cpu\":\"1\",\"memory\":"
	"\"256Mi\"}},"
	"\"readinessProbe\":{\"httpGet\":{\"path\":\"/healthz\",\"port\":\"http\"},\"periodSeconds\":5},"
	"\"livenessProbe\":{\"httpGet\":{\"path\":\"/livez\",\"port\":\"http\"},\"initialDelaySeconds\":10},"
	"\"volumeMounts\":[{\"name\":\"config\",\"mountPath\":\"/etc/"
	"server\",\"readOnly\":true},{\"name\":\"scratch\",\"mountPath\":\"/var/tmp\"}],"
	"\"env\":[{\"name\":\"POD_NAME\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}}";
static const char pod_tail[] = "]}]}}";

char *body_pod(struct arena *arena, const char *namespace, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_printf(&out, pod_head, namespace);
	for (int i = 0; out.len + sizeof pod_tail < size; i++)
		strbuf_printf(&out,
			",{\"name\":\"SETTING_%02d\",\"value\":\"https://peer-%02d.shop.svc.cluster.local:8443/v1\"}",
			i, i);
	strbuf_adds(&out, pod_tail);
	return arena_strdup(arena, out.buf);
}

char *body_find_stamp(const char *text, size_t size)
{
	static const char mark[] = "\"" STAMP_KEY "\":\"";
	char *at = memmem(text, size, mark, sizeof mark - 1);
	if (!at || (size_t)(at - text) + sizeof mark - 1 + STAMP_DIGITS > size)
		return NULL;
	return at + sizeof mark - 1;
}

struct status *load_body(struct load *l)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	body_fill(&out, body_pod(l->arena, l->namespace, (size_t)l->n), l->from, 0);
	puts(out.buf);
	return NULL;
}
