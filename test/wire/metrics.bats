#!/usr/bin/env bats
# What /metrics says after known requests; CP_APISERVER=/path/to/kube-apiserver asks another server the same.

setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	export CP_APISERVER=${CP_APISERVER:-${BIN:-$cp_root/build/bin}/kube-apiserver}
	cp_start
	export CP_APISERVER_PID CP_ETCD_PID
}
teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}
setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }

SECRETS=/api/v1/namespaces/kube-public/secrets

ask() { cp_curl "$@" -o /dev/null; }

# has LINE…: each is among the metrics, up to its value.
has() {
	local line metrics
	metrics=$(cp_curl /metrics)
	for line; do
		grep -qF -- "$line" <<< "$metrics" || {
			printf 'expected: %s\n' "$line"
			grep -F "${line%%\{*}" <<< "$metrics" | head -20
			return 1
		}
	done
}

requests() { # CODE SCOPE VERB [DRY-RUN]
	echo "apiserver_request_total{code=\"$1\",component=\"apiserver\",dry_run=\"${4:-}\",group=\"\",resource=\"secrets\",scope=\"$2\",subresource=\"\",verb=\"$3\",version=\"v1\"}"
}

@test "requests are counted by method, scope and code" {
	ask "$SECRETS" -H 'Content-Type: application/json' -d '{"metadata":{"name":"a"}}'
	ask "$SECRETS/a" -X PUT -H 'Content-Type: application/json' -d '{"metadata":{"name":"a"}}'
	ask "$SECRETS/a" -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{"data":{"a":"YQ=="}}'
	ask "$SECRETS/b?fieldManager=m" -X PATCH -H 'Content-Type: application/apply-patch+yaml' \
		-d '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"b"}}'
	ask "$SECRETS/a"
	ask "$SECRETS/none"
	ask "$SECRETS"
	ask "$SECRETS?watch=1&timeoutSeconds=1"
	ask "$SECRETS/a?dryRun=All" -X DELETE
	ask "$SECRETS/a" -X DELETE
	ask "$SECRETS" -X DELETE
	curl -sk "$CP_SERVER$SECRETS" -o /dev/null
	has "$(requests 201 resource POST) 1" "$(requests 200 resource PUT) 1" "$(requests 200 resource PATCH) 1" \
		"$(requests 201 resource APPLY) 1" "$(requests 200 resource GET) 1" "$(requests 404 resource GET) 1" \
		"$(requests 200 namespace LIST) " "$(requests 200 namespace WATCH) 1" \
		"$(requests 200 resource DELETE All) 1" "$(requests 200 resource DELETE) 1" "$(requests 200 namespace DELETE) 1" \
		'apiserver_request_duration_seconds_count{component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="POST",version="v1"} 1' \
		'apiserver_request_sli_duration_seconds_count{component="apiserver",group="",resource="secrets",scope="resource",subresource="",verb="PUT",version="v1"} 1' \
		'apiserver_response_sizes_count{component="apiserver",group="",resource="secrets",scope="namespace",subresource="",verb="WATCH",version="v1"} 1' \
		'apiserver_watch_events_total{group="",resource="secrets",version="v1"} '
}

@test "what lasts is counted while it does" {
	local lasting='apiserver_longrunning_requests{component="apiserver",group="",resource="serviceaccounts",scope="namespace",subresource="",verb="WATCH",version="v1"}'
	curl -sN --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/admin.crt" --key "$CP_DIR/admin.key" -o /dev/null \
		"$CP_SERVER/api/v1/namespaces/kube-public/serviceaccounts?watch=1" &
	cp_wait has "$lasting 1"
	kill $!
	cp_wait has "$lasting 0"
}

@test "who asks, what is stored and what was built are told" {
	has 'authentication_attempts{result="success"}' 'authorization_attempts_total{result="allowed"}' \
		'apiserver_current_inflight_requests{request_kind="readOnly"}' 'apiserver_storage_objects{resource="secrets"}' \
		'apiserver_storage_objects{resource="flowschemas.flowcontrol.apiserver.k8s.io"}' \
		'apiserver_resource_objects{group="apps",resource="deployments"}' 'apiserver_storage_size_bytes{' \
		'kubernetes_build_info{build_date=' 'process_open_fds' 'process_virtual_memory_bytes' \
		'apiserver_request_total{code="200",component="",dry_run="",group="",resource="",scope="",subresource="/readyz",verb="GET",version=""}'
}
