/* Results as one HTML page that stands on its own: no scripts, nothing fetched, light and dark. */
#include "base/cleanup.h"
#include "test/bench/report/report.h"

struct section {
	const char *part, *title, *about;
};
static const struct section sections[] = {
	{"start", "Starting and standing", "How soon the API server serves, and what it holds in memory."},
	{"read", "Reading",
		"GET and LIST of pods over TLS. Both sides hold the same bytes. A list's CPU is the server's for one "
		"list."},
	{"write", "Writing",
		"Requests a second by 16 clients; CPU is the server's for one request. Bare puts go to the same etcd."},
	{"watch", "Watching",
		"One pod changes; how late each watcher hears of it. CPU is the server's for one delivery."},
	{"schedule", "Scheduling",
		"Pods placed a second, on nodes that are objects only; CPU is the scheduler's for one pod."},
	{"control", "Controlling",
		"Deployments to pods and back, client limits raised to 1,000 a second on both sides."},
	{"proxy", "Proxying", "kube-proxy with nftables, in a network namespace of its own."},
	{"node", "Running", "Real nodes with a real container runtime; both kubelets are nodes of one cluster."},
};

static const char style[] =
	":root{color-scheme:light "
	"dark;--bg:#fbfaf8;--ink:#1d2329;--soft:#66707a;--line:#e3e0da;--card:#fff;--good:#147d74;"
	"--goodbar:#3aa79c;--bad:#b4521f;--badbar:#dc8a52;--goal:#1d2329;--grid:#ece9e3}"
	"@media(prefers-color-scheme:dark){:root{--bg:#14181c;--ink:#e6e9ec;--soft:#93a0ab;--line:#2b333a;--card:#"
	"1b2126;"
	"--good:#5fd0c3;--goodbar:#2f8f86;--bad:#f0a070;--badbar:#b4683a;--goal:#e6e9ec;--grid:#262e35}}"
	"*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.45 "
	"system-ui,sans-serif}"
	"main{max-width:1180px;margin:0 auto;padding:32px 20px 64px}h1{font-size:30px;margin:0 0 "
	"4px;letter-spacing:-.01em}"
	"h2{font-size:21px;margin:44px 0 2px}.soft{color:var(--soft)}.about{margin:0 0 12px;color:var(--soft)}"
	".facts{display:flex;flex-wrap:wrap;gap:6px 22px;margin:14px 0 0;padding:0;list-style:none;color:var(--soft)}"
	".facts b{color:var(--ink);font-weight:600}.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:24px 0 8px}"
	".tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px "
	"18px;min-width:150px}"
	".tile b{display:block;font-size:26px;line-height:1.2;font-variant-numeric:tabular-nums}"
	".warn{border-left:4px solid var(--badbar);background:var(--card);padding:8px 14px;margin:14px 0}"
	".card{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}"
	".row{display:grid;grid-template-columns:minmax(220px,1.15fr) minmax(330px,1.2fr) 360px;gap:4px "
	"20px;align-items:center;"
	"padding:11px 18px;border-top:1px solid var(--line)}.row:first-child{border-top:0}"
	".row.head{padding:6px 18px;color:var(--soft);font-size:12.5px}.name{font-weight:600}"
	"code{font:12px/1.4 ui-monospace,monospace;color:var(--soft);font-weight:400;overflow-wrap:anywhere}"
	"table{border-collapse:collapse;width:100%;table-layout:fixed;font-variant-numeric:tabular-nums;font-size:13."
	"5px}"
	"td,th{padding:1px 0 1px "
	"10px;text-align:right;font-weight:400;white-space:nowrap}th{color:var(--soft);text-align:left;padding-left:0;"
	"width:72px}"
	"td:first-of-type{font-weight:600}td small{color:var(--soft);font-weight:400}"
	"svg{display:block;width:100%;height:auto}svg text{font:11.5px system-ui,sans-serif;fill:var(--soft)}"
	"svg "
	".times{font-weight:700;font-size:13px}.chip{display:inline-block;font-size:12px;border-radius:99px;padding:0 "
	"9px;margin:2px 6px 0 0;"
	"border:1px solid currentColor}.MET{color:var(--good)}.MISSED{color:var(--bad)}.failed{color:var(--bad)}"
	"@media(max-width:900px){.row{grid-template-columns:1fr}}";

static void escape(struct strbuf *out, const char *text)
{
	for (; text && *text; text++) {
		if (*text == '<')
			strbuf_adds(out, "&lt;");
		else if (*text == '&')
			strbuf_adds(out, "&amp;");
		else if (*text == '"')
			strbuf_adds(out, "&quot;");
		else
			strbuf_addc(out, *text);
	}
}

/* --- the bar: how many times better, on a log scale from a tenth to a thousand --- */
#define PLOT_W 360.0
#define PLOT_LEFT 8.0
#define DECADES 4.0 /* 0.1 to 1000 */
static double x_of(double times)
{
	double clamped = times < 0.1 ? 0.1 : times > 1000 ? 1000 : times;
	return PLOT_LEFT + (log10(clamped) + 1) / DECADES * (PLOT_W - 2 * PLOT_LEFT);
}

static void grid(struct strbuf *out, int height)
{
	static const double marks[] = {0.1, 1, 10, 100, 1000};
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		strbuf_printf(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\" stroke=\"var(--%s)\"/>",
			x_of(marks[i]), x_of(marks[i]), height, marks[i] == 1.0 ? "soft" : "grid");
}

static void axis(struct strbuf *out)
{
	static const struct {
		double at;
		const char *text, *anchor;
	} labels[] = {{0.1, "÷10", "start"}, {1, "equal", "middle"}, {10, "×10", "middle"}, {100, "×100", "middle"},
		{1000, "×1000", "end"}};
	strbuf_adds(out, "<svg viewBox=\"0 0 360 16\" aria-hidden=\"true\">");
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		strbuf_printf(out, "<text x=\"%.1f\" y=\"12\" text-anchor=\"%s\">%s</text>",
			labels[i].anchor[0] == 'm' ? x_of(labels[i].at)
			: labels[i].at < 1	   ? 2.0
						   : PLOT_W - 2,
			labels[i].anchor, labels[i].text);
	strbuf_adds(out, "</svg>");
}

static void goal_marks(struct strbuf *out, const struct figure *f)
{
	for (size_t i = 0; i < f->n_goals; i++) {
		const struct goal *goal = &f->goals[i];
		if (!goal->ratio || goal->column != figure_column(f))
			continue;
		double x = x_of(figure_better(f, goal->column, goal->bound));
		strbuf_printf(out,
			"<path d=\"M%.1f 4v26m-4 -26h8\" stroke=\"var(--goal)\" stroke-width=\"2\" fill=\"none\">"
			"<title>goal: %s</title></path>",
			x, goal->text);
	}
}

static void bar(struct strbuf *out, const struct figure *f)
{
	enum column c = figure_column(f);
	const struct result *ratio = &f->side[RATIO];
	double times = figure_better(f, c, ratio->column[c]);
	if (!ratio->present || isnan(times))
		return;
	double a = x_of(figure_better(f, c, ratio->low)), b = x_of(figure_better(f, c, ratio->high));
	double one = x_of(1), x = x_of(times), p99 = figure_better(f, P99, ratio->column[P99]);
	bool good = times >= 1;
	char number[NUMBER_BYTES];
	strbuf_printf(out, "<svg viewBox=\"0 0 360 34\" role=\"img\" aria-label=\"%s times better\">",
		number_text(times, number));
	grid(out, 34);
	strbuf_printf(out, "<rect x=\"%.1f\" y=\"9\" width=\"%.1f\" height=\"16\" rx=\"2\" fill=\"var(--%sbar)\"/>",
		x < one ? x : one, fabs(x - one) < 1.5 ? 1.5 : fabs(x - one), good ? "good" : "bad");
	strbuf_printf(out, "<path d=\"M%.1f 17H%.1fM%.1f 13v8M%.1f 13v8\" stroke=\"var(--ink)\" opacity=\".65\"/>", a,
		b, a, b);
	if (!isnan(p99))
		strbuf_printf(out,
			"<circle cx=\"%.1f\" cy=\"17\" r=\"4\" fill=\"var(--card)\" stroke=\"var(--ink)\" "
			"stroke-width=\"1.5\">"
			"<title>p99: %.2f times better</title></circle>",
			x_of(p99), p99);
	goal_marks(out, f);
	double right = fmax(fmax(x, isnan(p99) ? x : x_of(p99)), fmax(a, b)), left = fmin(x, fmin(a, b));
	for (size_t i = 0; i < f->n_goals; i++) {
		double goal = f->goals[i].ratio ? x_of(figure_better(f, f->goals[i].column, f->goals[i].bound)) : 0;
		if (f->goals[i].column == c && goal > right && goal < right + 60)
			right = goal;
	}
	bool outside = right < PLOT_W - 70;
	strbuf_printf(out,
		"<text class=\"times\" x=\"%.1f\" y=\"21.5\" text-anchor=\"%s\" "
		"style=\"fill:var(--%s)\">×%s</text></svg>",
		outside ? right + 9 : left - 9, outside ? "start" : "end", good ? "good" : "bad",
		number_text(times, number));
}

/* --- numbers --- */
static void cell(struct strbuf *out, double value, const char *unit)
{
	char number[NUMBER_BYTES];
	strbuf_adds(out, "<td>");
	if (!isnan(value)) {
		strbuf_printf(out, "%s <small>", number_text(value, number));
		escape(out, unit);
		strbuf_adds(out, "</small>");
	}
	strbuf_adds(out, "</td>");
}

static void numbers(struct strbuf *out, const struct figure *f)
{
	strbuf_adds(out, "<table>");
	for (enum side side = OURS; side <= THEIRS; side++) {
		const struct result *r = &f->side[side];
		if (!r->present)
			continue;
		strbuf_printf(out, "<tr><th>%s</th>", side == OURS ? "kubec" : "reference");
		cell(out, r->column[VALUE], str_eq(f->unit, "1/s") ? "/s" : f->unit);
		cell(out, r->column[P99], "ms");
		cell(out, r->column[CPU], "ms");
		cell(out, r->column[PEAK], "MiB");
		strbuf_adds(out, "</tr>");
	}
	strbuf_adds(out, "</table>");
}

static void chips(struct strbuf *out, const struct figure *f)
{
	static const char *const classes[] = {"", "MET", "MISSED"}, *const signs[] = {"", "✓", "✗"};
	const char *const units[N_COLUMNS] = {f->unit, "ms", "ms", "MiB"};
	for (size_t i = 0; i < f->n_goals; i++) {
		enum verdict verdict = goal_verdict(f, &f->goals[i]);
		const struct goal *goal = &f->goals[i];
		strbuf_printf(out, "<span class=\"chip %s\">%s goal: %s %s</span>", classes[verdict], signs[verdict],
			goal->text, goal->ratio ? "" : units[goal->column]);
	}
}

static void row(const struct report *r, struct strbuf *out, const struct figure *f)
{
	static const char *const compared[] = {"", "p99", "CPU", "peak memory"};
	const char *reason;
	strbuf_adds(out, "<div class=\"row\"><div><div class=\"name\">");
	escape(out, f->title);
	strbuf_adds(out, "</div><code>");
	escape(out, f->command);
	strbuf_adds(out, "</code></div><div>");
	if (figure_failed(r, f, &reason)) {
		strbuf_adds(out, "<span class=\"failed\">not taken: ");
		escape(out, reason);
		strbuf_adds(out, "</span>");
	}
	numbers(out, f);
	strbuf_adds(out, "</div><div>");
	bar(out, f);
	if (f->side[RATIO].present && figure_column(f) != VALUE)
		strbuf_printf(out, "<small class=\"soft\">compared in %s </small>", compared[figure_column(f)]);
	chips(out, f);
	strbuf_adds(out, "</div></div>\n");
}

static void section(const struct report *r, struct strbuf *out, const struct section *s)
{
	if (!str_in_n(s->part, r->parts, r->n_parts))
		return;
	strbuf_printf(out, "<h2>%s</h2>\n<p class=\"about\">%s</p>\n<div class=\"card\">\n", s->title, s->about);
	strbuf_adds(out,
		"<div class=\"row head\"><div></div><div><table><tr><th></th><td>median</td><td>p99</td><td>CPU</td>"
		"<td>peak</td></tr></table></div><div>");
	if (r->compared)
		axis(out);
	strbuf_adds(out, "</div></div>\n");
	for (size_t i = 0; i < r->n_figures; i++) {
		if (str_eq(r->figures[i].part, s->part))
			row(r, out, &r->figures[i]);
	}
	strbuf_adds(out, "</div>\n");
}

/* --- the top --- */
struct count {
	size_t figures, failed, goals[3];
};

static struct count count(const struct report *r)
{
	struct count n = {0};
	const char *reason;
	for (size_t i = 0; i < r->n_figures; i++) {
		const struct figure *f = &r->figures[i];
		if (!str_in_n(f->part, r->parts, r->n_parts))
			continue;
		n.figures++;
		n.failed += figure_failed(r, f, &reason);
		for (size_t g = 0; g < f->n_goals; g++)
			n.goals[goal_verdict(f, &f->goals[g])]++;
	}
	return n;
}

static void top(const struct report *r, struct strbuf *out)
{
	struct count n = count(r);
	strbuf_adds(out, "<h1>kubec in figures</h1>\n<p class=\"soft\">Taken over loopback with TLS, as users have it");
	if (r->compared)
		strbuf_adds(out, "; ours and the reference in turn, in one run. A bar says how many times better ours "
				 "is, the median "
				 "of the rounds' pairs, with the lowest and the highest pair; ○ is the same of the "
				 "p99, ┬ the goal");
	strbuf_adds(out, ".</p>\n<ul class=\"facts\">");
	for (size_t i = 0; i < r->n_machine; i++) {
		strbuf_adds(out, "<li>");
		escape(out, r->machine[i][0]);
		strbuf_adds(out, " <b>");
		escape(out, r->machine[i][1]);
		strbuf_adds(out, "</b></li>");
	}
	strbuf_printf(out, "</ul>\n<div class=\"tiles\"><div class=\"tile\"><b>%zu</b>figures</div>", n.figures);
	strbuf_printf(out, "<div class=\"tile\"><b class=\"MET\">%zu</b>goals met</div>", n.goals[MET]);
	strbuf_printf(out, "<div class=\"tile\"><b class=\"MISSED\">%zu</b>goals missed</div>", n.goals[MISSED]);
	if (n.failed)
		strbuf_printf(out, "<div class=\"tile\"><b class=\"failed\">%zu</b>not taken</div>", n.failed);
	strbuf_adds(out, "</div>\n");
	if (r->scale > 1)
		strbuf_printf(out,
			"<p class=\"warn\">Sizes are divided by %lld: a quick look, no figures to quote.</p>\n",
			(long long)r->scale);
}

void page_write(const struct report *r, struct strbuf *out)
{
	strbuf_printf(out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>kubec in "
		"figures</title>\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\"/>\n<style>%s</style>\n</head>\n"
		"<body>\n<main>\n",
		style);
	top(r, out);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		section(r, out, &sections[i]);
	strbuf_adds(out, "</main>\n</body>\n</html>\n");
}
