# What the daemons tell about themselves and the nodes.
load ../../lib/e2e.bash

proxied() { kall get --raw "/api/v1/nodes/$1/proxy/$2"; }

# bats test_tags=short, apiserver
@test "instrumentation: the API server counts its requests and their time" {
	k get configmaps >/dev/null
	api GET /metrics >"$BATS_TEST_TMPDIR/m"
	for name in apiserver_request_total apiserver_request_duration_seconds_bucket apiserver_current_inflight_requests process_resident_memory_bytes; do
		grep -q "^$name" "$BATS_TEST_TMPDIR/m" || {
			echo "no $name"
			return 1
		}
	done
	grep -q '^apiserver_request_total{.*code="200".*resource="configmaps".*verb="LIST"' "$BATS_TEST_TMPDIR/m"
	grep -q '^# TYPE apiserver_request_total counter' "$BATS_TEST_TMPDIR/m"
}

# bats test_tags=apiserver
@test "instrumentation: the API server counts what it stores" {
	k create configmap a
	stored() { api GET /metrics | grep -q '^apiserver_storage_objects{resource="configmaps"} [1-9]'; }
	wait_until 70 stored
}

@test "instrumentation: the controller manager counts the work of its queues" {
	need_nodes
	at_end kall delete clusterrolebinding,clusterrole "$NS"
	k create serviceaccount a
	kall create clusterrole "$NS" --verb=get --non-resource-url=/metrics
	kall create clusterrolebinding "$NS" --clusterrole="$NS" --serviceaccount="$NS:a"
	token=$(k create token a)
	counted() { in_node node1 curl -sk --max-time 5 -H "Authorization: Bearer $token" https://127.0.0.1:10257/metrics | grep -q '^workqueue_adds_total{name="deployment"} [0-9]'; }
	wait_until 30 counted
}

# bats test_tags=short
@test "instrumentation: the kubelet is reached through the API server" {
	for node in $(ready_nodes); do
		assert_equal ok "$(proxied "$node" healthz)"
		proxied "$node" metrics >"$BATS_TEST_TMPDIR/m"
		grep -q '^kubelet_running_pods' "$BATS_TEST_TMPDIR/m"
		grep -q '^kubelet_node_name{node="'"$node"'"} 1' "$BATS_TEST_TMPDIR/m"
		assert_contains "$(proxied "$node" metrics/cadvisor)" container_cpu_usage_seconds_total
		assert_equal /etc/kubernetes/manifests "$(proxied "$node" configz | jq -r .kubeletconfig.staticPodPath)"
		assert_equal PodList "$(proxied "$node" pods | jq -r .kind)"
	done
}

# bats test_tags=short
@test "instrumentation: the kubelet counts what it asks of the runtime and the API server, and how long pods take" {
	pod p "containers: [{name: p, image: '$IMAGE', command: [sleep, '3600']}]"
	node=$(field pod/p .spec.nodeName)
	counts() { proxied "$node" metrics | grep -qE "$1"; }
	for line in 'kubelet_runtime_operations_total\{operation_type="(run_podsandbox|start_container|list_containers)"\} [1-9]' \
		'kubelet_runtime_operations_duration_seconds_count\{operation_type="list_podsandbox"\} [1-9]' \
		'kubelet_pleg_relist_duration_seconds_count [1-9]' 'kubelet_pleg_relist_interval_seconds_count [1-9]' \
		'kubelet_pod_worker_duration_seconds_count\{operation_type="create"\} [1-9]' \
		'kubelet_running_containers\{container_state="running"\} [1-9]' \
		'kubelet_started_pods_total [1-9]' 'kubelet_started_containers_total\{container_type="container"\} [1-9]' \
		'kubelet_pod_status_sync_duration_seconds_count [1-9]' 'kubelet_desired_pods\{static=""\} [1-9]' \
		'rest_client_requests_total\{code="200",host="[^"]+",method="GET"\} [1-9]'; do
		wait_until 20 counts "^$line" || { echo "no $line"; return 1; }
	done
	wait_until 20 counts '^kubelet_pod_start_duration_seconds_count [1-9]'
}

# bats test_tags=short
@test "instrumentation: the kubelet's summary knows the node and its pods" {
	pod p "volumes: [{name: d, emptyDir: {}}], containers: [{name: p, image: '$IMAGE', command: [sh, -c, 'dd if=/dev/zero of=/d/f bs=1M count=3; dd if=/dev/zero of=/tmp/f bs=1M count=2; echo said; sleep 3600'], volumeMounts: [{name: d, mountPath: /d}]}]"
	node=$(field pod/p .spec.nodeName)
	of_pod() { proxied "$node" stats/summary | jq -r ".pods[] | select(.podRef.name == \"p\" and .podRef.namespace == \"$NS\") | $1"; }
	uses_memory() { [ "$(of_pod '.memory.workingSetBytes // 0')" -gt 0 ]; }
	wait_until 60 uses_memory
	assert_equal p "$(of_pod '.containers[0].name')"
	writes_disk() { [ "$(of_pod '.containers[0].rootfs.usedBytes // 0')" -ge 2000000 ]; }
	wait_until 60 writes_disk
	assert_equal "d true true true true" "$(of_pod '"\(.volume[0].name) \(.volume[0].usedBytes > 3000000) \(.containers[0].logs.usedBytes > 0) \(."ephemeral-storage".usedBytes > 5000000) \(.process_stats.process_count > 0)"')"
	assert_equal "$(field pod/p '.status.containerStatuses[0].state.running.startedAt')" "$(of_pod '.containers[0].startTime')"
	assert_equal "$node true true" "$(proxied "$node" stats/summary | jq -r '"\(.node.nodeName) \(.node.memory.availableBytes > 0) \(.node.fs.capacityBytes > 0)"')"
	assert_contains "$(proxied "$node" metrics/resource)" "container_start_time_seconds{container=\"p\",namespace=\"$NS\",pod=\"p\"} 1"
	assert_contains "$(proxied "$node" metrics/resource)" "pod_memory_working_set_bytes{namespace=\"$NS\",pod=\"p\"}"
}

@test "instrumentation: the kubelet refuses whom it does not know" {
	need_network
	address=$(node_address "$(ready_nodes | head -n 1)")
	assert_equal 401 "$(curl -sk --max-time 5 -o /dev/null -w '%{http_code}' "https://$address:10250/pods")"
	k create serviceaccount a
	assert_equal 403 "$(curl -sk --max-time 5 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(k create token a)" "https://$address:10250/pods")"
}

@test "instrumentation: the node's log folder can be read through the kubelet" {
	node=$(ready_nodes | head -n 1)
	assert_contains "$(api GET "/api/v1/nodes/$node/proxy/logs/")" 'pods/">pods/</a>'
	assert_equal 404 "$(api_code GET "/api/v1/nodes/$node/proxy/logs/no-such-file")"
}

# bats test_tags=short
@test "instrumentation: scheduler, controller manager and proxy say that they are well, and what they did" {
	need_nodes
	for port in 10259 10257; do
		assert_equal ok "$(in_node node1 curl -sk --max-time 5 "https://127.0.0.1:$port/healthz")"
		assert_equal 403 "$(in_node node1 curl -sk --max-time 5 -o /dev/null -w '%{http_code}' "https://127.0.0.1:$port/metrics")"
	done
	at_end kall delete clusterrolebinding "$NS"
	k create serviceaccount a
	kall create clusterrole "$NS" --verb=get --non-resource-url=/metrics
	at_end kall delete clusterrole "$NS"
	kall create clusterrolebinding "$NS" --clusterrole="$NS" --serviceaccount="$NS:a"
	token=$(k create token a)
	metrics() { in_node node1 curl -sk --max-time 5 -H "Authorization: Bearer $token" "https://127.0.0.1:$1/metrics" >"$BATS_TEST_TMPDIR/m" && grep -q "^$2" "$BATS_TEST_TMPDIR/m"; }
	wait_until 30 metrics 10259 scheduler_schedule_attempts_total
	wait_until 30 metrics 10257 process_resident_memory_bytes
	in_node node1 curl -s --max-time 5 http://127.0.0.1:10249/metrics | grep -q '^kubeproxy_sync_proxy_rules_duration_seconds'
	in_node node1 curl -s --max-time 5 http://127.0.0.1:10256/healthz | grep -q lastUpdated
}

# bats test_tags=short
@test "instrumentation: the events of a pod's life are recorded, with who saw them" {
	shell_pod p
	wait_until 20 sh -c "[ \$($KUBECTL -n $NS get events --field-selector involvedObject.name=p -o name | wc -l) -ge 4 ]"
	assert_equal "Created Pulled Scheduled Started" "$(k get events --field-selector involvedObject.name=p -o 'jsonpath={range .items[*]}{.reason}{"\n"}{end}' | sort | xargs)"
	assert_equal "kubelet $(field pod/p .spec.nodeName) spec.containers{p}" "$(k get events --field-selector involvedObject.name=p,reason=Started -o 'jsonpath={.items[0].source.component} {.items[0].source.host} {.items[0].involvedObject.fieldPath}')"
	assert_equal "default-scheduler" "$(k get events --field-selector involvedObject.name=p,reason=Scheduled -o 'jsonpath={.items[0].reportingComponent}')"
}

# bats test_tags=short
@test "instrumentation: a node tells what it is and how it is" {
	for node in $(ready_nodes); do
		assert_equal "True False False False" "$(kall get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="MemoryPressure")].status} {.status.conditions[?(@.type=="DiskPressure")].status} {.status.conditions[?(@.type=="PIDPressure")].status}')"
		assert_equal "linux 10250 $node" "$(kall get node "$node" -o 'jsonpath={.status.nodeInfo.operatingSystem} {.status.daemonEndpoints.kubeletEndpoint.Port} {.metadata.labels.kubernetes\.io/hostname}')"
		assert_contains "$(kall get node "$node" -o 'jsonpath={.status.nodeInfo.containerRuntimeVersion}')" '://'
		for resource in cpu memory pods ephemeral-storage; do
			[ -n "$(kall get node "$node" -o "jsonpath={.status.allocatable.$resource}")" ]
		done
		renewed=$(kall -n kube-node-lease get lease "$node" -o 'jsonpath={.spec.renewTime}')
		wait_until 30 sh -c "[ \"\$($KUBECTL -n kube-node-lease get lease $node -o 'jsonpath={.spec.renewTime}')\" != $renewed ]"
	done
}
