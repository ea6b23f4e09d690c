#include "serve/client_metrics.h"

static void write_codes(struct strbuf *out, const char *host, const struct client_method *m, const char *method)
{
	for (size_t i = 0; i < CLIENT_CODES; i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		int code = atomic_load(&m->codes[i].code);
		if (!code)
			break;
		if (code < 0)
			strbuf_adds(&labels, "code=\"<error>\"");
		else
			strbuf_printf(&labels, "code=\"%d\"", code);
		metrics_add_label(&labels, "host", host);
		metrics_add_label(&labels, "method", method);
		metrics_write_sample(
			out, "rest_client_requests_total", labels.buf, (double)atomic_load(&m->codes[i].n));
	}
}

void metrics_write_clients(struct strbuf *out, const struct client_figures *figures)
{
	const char *host = str_or_empty(atomic_load(&figures->host));
	metrics_write_head(out, "rest_client_request_duration_seconds", "histogram",
		"How long answers of the API server took, by method.");
	for (size_t i = 0; i < CLIENT_METHODS; i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "host", host);
		metrics_add_label(&labels, "verb", client_method_name(i));
		metrics_write_tally(out, "rest_client_request_duration_seconds", labels.buf,
			&figures->methods[i].seconds, client_seconds());
	}
	metrics_write_head(
		out, "rest_client_requests_total", "counter", "Requests to the API server, by method and code.");
	for (size_t i = 0; i < CLIENT_METHODS; i++)
		write_codes(out, host, &figures->methods[i], client_method_name(i));
}
