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
		"$CP_SERVER/api/v1/namespaces/kube-public/serviceaccounts?watch=1&resourceVersion=0" &
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

@test "how long access, admission and etcd took is told, and how long certificates last" {
	ask "$SECRETS" -H 'Content-Type: application/json' -d '{"metadata":{"name":"timed"}}'
	ask "$SECRETS/timed" -X DELETE
	ask /api/v1/namespaces/none/secrets -H 'Content-Type: application/json' -d '{"metadata":{"name":"refused"}}'
	curl -sk "$CP_SERVER$SECRETS" -H 'Authorization: Bearer none' -o /dev/null
	has 'authentication_duration_seconds_count{result="success"}' 'authentication_attempts{result="error"} 1' \
		'authorization_duration_seconds_bucket{result="allowed",le="0.001"}' 'authenticated_user_requests{username="admin"}' \
		'apiserver_client_certificate_expiration_seconds_bucket{le="86400"} 0' \
		'apiserver_client_certificate_expiration_seconds_bucket{le="172800"} ' \
		'apiserver_admission_controller_admission_duration_seconds_bucket{name="ServiceAccount",operation="CREATE",rejected="false",type="admit",le="0.005"}' \
		'apiserver_admission_controller_admission_duration_seconds_count{name="NamespaceLifecycle",operation="CREATE",rejected="true",type="admit"} 1' \
		'apiserver_admission_step_admission_duration_seconds_count{operation="CREATE",rejected="true",type="admit"} 1' \
		'apiserver_admission_step_admission_duration_seconds_count{operation="DELETE",rejected="false",type="validate"}' \
		'etcd_request_duration_seconds_bucket{group="",operation="create",resource="secrets",le="0.005"}' \
		'etcd_requests_total{group="",operation="delete",resource="secrets"}'
}

@test "changes from etcd, addresses of Services, API services and health checks are told" {
	ask "$SECRETS" -H 'Content-Type: application/json' -d '{"metadata":{"name":"seen"}}'
	cp_wait has 'apiserver_storage_events_received_total{group="",resource="secrets"}' \
		'apiserver_watch_cache_events_received_total{group="",resource="secrets"}'
	has 'apiserver_watch_cache_initializations_total{group="apps",resource="deployments"} 1' \
		'apiserver_resource_size_estimate_bytes{group="",resource="secrets"} ' \
		'apiserver_request_filter_duration_seconds_bucket{filter="authorization",le="0.0001"} ' \
		'apiserver_request_filter_duration_seconds_count{filter="authentication"} ' \
		'watch_cache_capacity{group="",resource="secrets"}' \
		'kube_apiserver_clusterip_allocator_allocated_ips{cidr="10.0.0.0/24"} ' \
		'kube_apiserver_clusterip_allocator_available_ips{cidr="10.0.0.0/24"} 25' \
		'aggregator_unavailable_apiservice{name="v1.apps"} 0' 'process_network_receive_bytes_total' 'apiserver_audit_event_total 0'
	ask /livez/etcd
	cp_curl /metrics/slis | grep -qF 'kubernetes_healthcheck{name="etcd",type="readyz"} 1'
	cp_curl /metrics/slis | grep -qE 'kubernetes_healthchecks_total\{name="etcd",status="success",type="readyz"\} [1-9]'
	cp_curl / | grep -qF '"/metrics/slis"'
}

@test "bodies, lists, addresses, ports and levels of security are counted" {
	local services=/api/v1/namespaces/kube-public/services json='Content-Type: application/json' before
	ask "$services?fieldValidation=Strict" -H "$json" -d '{"metadata":{"name":"np"},"spec":{"type":"NodePort","ports":[{"port":80}]}}'
	ask "$services" -H "$json" -d '{"metadata":{"name":"ip"},"spec":{"clusterIP":"10.0.0.77","ports":[{"port":80}]}}'
	ask "$services" -H "$json" -d '{"metadata":{"name":"again"},"spec":{"clusterIP":"10.0.0.77","ports":[{"port":80}]}}'
	ask "$services"
	ask "$services?resourceVersion=0"
	ask /api/v1/namespaces/kube-public/endpoints
	cp_curl /api/v1/namespaces/kube-public -X PATCH -H 'Content-Type: application/merge-patch+json' -o /dev/null \
		-d '{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline","pod-security.kubernetes.io/enforce-version":"v1.30"}}}'
	ask /api/v1/namespaces/kube-public/serviceaccounts -H "$json" -d '{"metadata":{"name":"default"}}'
	ask /api/v1/namespaces/kube-public/pods -H "$json" -d '{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
	ask /api/v1/namespaces/kube-public/pods -H "$json" -d '{"metadata":{"name":"q"},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"i"}]}}'
	local security='policy_level="baseline",policy_version="v1.30",request_operation="create",resource="pod",subresource=""'
	has 'apiserver_request_body_size_bytes_bucket{group="",resource="services",verb="create",le="50000"} ' \
		'apiserver_cache_list_total{group="",index="",resource="services"} ' \
		'apiserver_cache_list_returned_objects_total{group="",resource="services"} ' \
		'apiserver_watch_cache_consistent_read_total{fallback="false",group="",resource="services",success="true"} ' \
		'kube_apiserver_clusterip_allocator_allocation_total{cidr="10.0.0.0/24",scope="dynamic"} ' \
		'kube_apiserver_clusterip_allocator_allocation_errors_total{cidr="10.0.0.0/24",scope="static"} ' \
		'kube_apiserver_clusterip_allocator_allocation_duration_seconds_count{cidr="10.0.0.0/24"} ' \
		'kube_apiserver_nodeport_allocator_allocation_total{scope="dynamic"} ' \
		'kube_apiserver_nodeport_allocator_allocated_ports ' 'kube_apiserver_nodeport_allocator_available_ports ' \
		"pod_security_evaluations_total{decision=\"allow\",mode=\"enforce\",$security} 1" \
		"pod_security_evaluations_total{decision=\"deny\",mode=\"enforce\",$security} 1" \
		'field_validation_request_duration_seconds_count{field_validation="Strict"} ' \
		'apiserver_requested_deprecated_apis{group="",removed_release="",resource="endpoints",subresource="",version="v1"} 1' \
		'kubernetes_feature_enabled{name="APIServerIdentity",stage="BETA"} 1' \
		'kubernetes_feature_enabled{name="InPlacePodVerticalScalingExclusiveCPUs",stage="ALPHA"} 0' \
		'version_info{binary="1.34.' \
		'apiserver_admission_step_admission_duration_seconds_summary_count{operation="CREATE",rejected="false",type="admit"} '
}

@test "events share a lease of etcd, a little longer than they last; connections that end in their handshake are counted" {
	local lease name
	for name in a b; do
		[ "$(cp_curl /api/v1/namespaces/kube-public/events -H 'Content-Type: application/json' -o /dev/null -w '%{http_code}' \
			-d '{"metadata":{"name":"'$name'"},"involvedObject":{"namespace":"kube-public"}}')" = 201 ]
	done
	has 'etcd_lease_object_counts_bucket{le="10"} ' 'etcd_lease_object_counts_count ' 'apiserver_nodeport_repair_reconcile_errors_total 0'
	lease=$(ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" lease list | grep -E '^[0-9a-f]+$')
	while read -r lease; do
		ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" lease timetolive "$lease" --keys
	done <<< "$lease" > "$CP_DIR/leases"
	cat "$CP_DIR/leases"
	grep -F "granted with TTL(3660s)" "$CP_DIR/leases" | grep -F /registry/events/kube-public/a | grep -qF /registry/events/kube-public/b
	has 'apiserver_tls_handshake_errors_total 0'
	curl -s --cacert /dev/null "$CP_SERVER/livez" && false
	cp_wait has 'apiserver_tls_handshake_errors_total 1'
}

# Of another resource than the others count, as nobody else asks for it.
templates() { # CODE SCOPE VERB
	echo "apiserver_request_total{code=\"$1\",component=\"apiserver\",dry_run=\"\",group=\"\",resource=\"podtemplates\",scope=\"$2\",subresource=\"\",verb=\"$3\",version=\"v1\"}"
}

@test "what finds no route is not counted, a list of one name is among those of many, deletions have bodies" {
	local templates=/api/v1/namespaces/kube-public/podtemplates metrics
	ask "$templates" -X ODD
	ask "$templates" -I
	ask "$templates" -H 'Accept: text/html'
	ask "$templates/a" -X PATCH -H 'Content-Type: text/plain' -d '{}'
	metrics=$(cp_curl /metrics)
	! grep -E '^apiserver_request_total\{code="4.*podtemplates' <<< "$metrics"
	ask "$templates?fieldSelector=metadata.name%3Da"
	ask "$templates/a" -X DELETE
	ask "$templates" -X DELETE
	ask "$templates?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"
	has "$(templates 200 namespace LIST) 1" "$(templates 404 resource DELETE) 1" \
		'apiserver_request_body_size_bytes_count{group="",resource="podtemplates",verb="delete"} 1' \
		'apiserver_request_body_size_bytes_count{group="",resource="podtemplates",verb="delete_collection"} 1' \
		'apiserver_watch_list_duration_seconds_count{group="",resource="podtemplates",scope="namespace",version="v1"} 1'
}

@test "who had the last word on a request is counted" {
	cp_cert nobody /CN=nobody "extendedKeyUsage=clientAuth\n"
	curl -s --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/nobody.crt" --key "$CP_DIR/nobody.key" "$CP_SERVER/version" -o /dev/null
	has 'apiserver_authorization_decisions_total{decision="allowed",name="rbac",type="RBAC"} '
}

@test "the log of a pod that has no node yet is no content" {
	local pods=/api/v1/namespaces/default/pods
	cp_wait cp_curl /api/v1/namespaces/default -f
	ask /api/v1/namespaces/default/serviceaccounts -H 'Content-Type: application/json' -d '{"metadata":{"name":"default"}}'
	ask "$pods" -H 'Content-Type: application/json' -d '{"metadata":{"name":"early"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
	[ "$(cp_curl "$pods/early/log" -o /dev/null -w '%{http_code}')" = 204 ]
	has 'apiserver_longrunning_requests{component="apiserver",group="",resource="pods",scope="resource",subresource="log",verb="CONNECT",version="v1"} 0'
}

@test "calls to etcd, what watches were told of at their beginning, and who is verified for logs are counted" {
	local maps=/api/v1/namespaces/kube-public/limitranges service type
	ask "$maps" -H 'Content-Type: application/json' -d '{"metadata":{"name":"a"},"spec":{"limits":[{"type":"Pod"}]}}'
	ask "$maps?watch=1&timeoutSeconds=1&resourceVersion=0"
	ask "/api/v1/namespaces/default/pods/none/log"
	ask "/api/v1/namespaces/default/pods/none/log?insecureSkipTLSVerifyBackend=true"
	for method in KV/Range KV/Txn Maintenance/Status; do
		service="grpc_method=\"${method#*/}\",grpc_service=\"etcdserverpb.${method%/*}\",grpc_type=\"unary\""
		has "grpc_client_started_total{$service} " "grpc_client_msg_sent_total{$service} " "grpc_client_handled_total{grpc_code=\"OK\",$service} "
	done
	service='grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"'
	has "grpc_client_started_total{$service} " "grpc_client_msg_sent_total{$service} " "grpc_client_msg_received_total{$service} " \
		'apiserver_init_events_total{group="",resource="limitranges"} 1' \
		'kube_apiserver_pod_logs_insecure_backend_total{usage="enforce_tls"} ' \
		'kube_apiserver_pod_logs_insecure_backend_total{usage="skip_tls_allowed"} 1' \
		'kube_apiserver_pod_logs_backend_tls_failure_total 0' \
		'apiserver_webhooks_x509_missing_san_total 0'
}
