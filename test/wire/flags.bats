#!/usr/bin/env bats
# Flags that change what is told, and those that have no effect here; CP_APISERVER=/path/to/kube-apiserver asks another server
# what the tests of metrics ask.

setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }
teardown() { cp_stop; }

# refused FLAG WORDS
refused() {
	run timeout 20 "${CP_APISERVER:-$BIN/kube-apiserver}" --etcd-servers=http://127.0.0.1:1 --authorization-mode=RBAC "$1" \
		--service-account-issuer=https://x --service-account-key-file="$CP_DIR/sa.pub" \
		--service-account-signing-key-file="$CP_DIR/sa.key" --cert-dir="$CP_DIR"
	[ "$status" = 1 ]
	[[ $output == *"$2"* ]]
}

@test "metrics are disabled, and values of labels that are not allowed are one" {
	CP_FLAGS="--disabled-metrics=apiserver_storage_size_bytes,apiserver_response_sizes --show-hidden-metrics-for-version=1.33
		--allow-metric-labels=apiserver_request_total,verb=GET,LIST" cp_start
	cp_wait cp_curl /api/v1/namespaces/default -f
	cp_curl /api/v1/namespaces/default/secrets/none -o "$CP_DIR/answer"
	cp_curl /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' -d '{"metadata":{"name":"a"}}' -o "$CP_DIR/answer"
	cp_curl /metrics > "$CP_DIR/metrics"
	! grep -q '^apiserver_storage_size_bytes\|^# [A-Z]* apiserver_storage_size_bytes\|^apiserver_response_sizes' "$CP_DIR/metrics"
	grep -q '^apiserver_request_total{code="404",.*resource="secrets",.*verb="GET",version="v1"} 1$' "$CP_DIR/metrics"
	grep -q '^apiserver_request_total{code="201",.*verb="unexpected",' "$CP_DIR/metrics"
	! grep -q '^apiserver_request_total.*verb="\(POST\|PUT\|PATCH\)"' "$CP_DIR/metrics"
	grep -q '^apiserver_request_duration_seconds_count.*verb="POST"' "$CP_DIR/metrics"
	[ "$(sort "$CP_DIR/metrics" | grep -c '^apiserver_request_total{')" = "$(grep '^apiserver_request_total{' "$CP_DIR/metrics" | sed 's/ .*//' | sort -u | wc -l)" ]
	grep -q '^disabled_metrics_total 2$' "$CP_DIR/metrics"
	grep -q '^cardinality_enforcement_unexpected_categorizations_total [1-9]' "$CP_DIR/metrics"
	refused --show-hidden-metrics-for-version=1.30 "--show-hidden-metrics-for-version must be omitted or have the value '1.33'"
	refused --allow-metric-labels=a "must be formatted as key=value"
}

@test "a flag that has no effect is taken, and told of with the reason; one that cannot be kept ends the start" {
	[ -z "${CP_APISERVER:-}" ] || skip "these are ours"
	CP_FLAGS="--audit-log-path=- --watch-cache=false --goaway-chance 0" cp_start
	for flag in "audit-log-path has no effect: there is no audit yet" "watch-cache has no effect: all objects are held in memory" \
		"goaway-chance has no effect: there is no HTTP/2"; do
		[ "$(grep -c -- "--$flag\$" "$CP_DIR/apiserver.log")" = 1 ]
	done
	[ "$(grep -c 'has no effect' "$CP_DIR/apiserver.log")" = 3 ]
	refused '--etcd-servers-overrides=/events#http://127.0.0.1:1' '--etcd-servers-overrides: this server keeps all objects in one etcd'
}
