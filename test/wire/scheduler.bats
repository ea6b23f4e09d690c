# kube-scheduler against a real apiserver and etcd: where pods go, what is said of those that go nowhere, and what brings
# them back. Nodes are objects only; nothing runs on them.

setup_file() {
	: "${TOP:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}" "${BIN:=$TOP/build/bin}"
	export TOP BIN CP_APISERVER=$BIN/kube-apiserver
	source "$TOP/test/lib/control-plane.bash"
	cp_start
	cp_cert scheduler /CN=system:kube-scheduler "extendedKeyUsage=clientAuth\n"
	cp_kubeconfig scheduler
	export SCHEDULER_PORT
	SCHEDULER_PORT=$(cp_free_port)
	"$BIN/kube-scheduler" --kubeconfig "$CP_DIR/scheduler.kubeconfig" --bind-address 127.0.0.1 --secure-port "$SCHEDULER_PORT" \
		--authorization-always-allow-paths=/metrics -v 2 > "$CP_DIR/scheduler.log" 2>&1 3>&- &
	export SCHEDULER_PID=$! CP_APISERVER_PID CP_ETCD_PID
	node small 2
	node large 8
	kubectl create priorityclass high --value=1000 > /dev/null
}

teardown_file() {
	source "$TOP/test/lib/control-plane.bash"
	kill "$SCHEDULER_PID"
	wait_gone "$SCHEDULER_PID"
	cp_stop
}

setup() {
	NS=case-$BATS_TEST_NUMBER
	kubectl create namespace "$NS" > /dev/null
	kubectl -n "$NS" create serviceaccount default > /dev/null 2>&1 || true
}

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || { kubectl -n "$NS" get pods,events -o wide; tail -n 20 "$CP_DIR/scheduler.log"; } | sed 's/^/# /' >&3
	kubectl -n "$NS" delete pods --all --force --grace-period=0 > /dev/null 2>&1
}

wait_gone() {
	local i
	for ((i = 0; i < 100; i++)); do kill -0 "$1" 2> /dev/null || return 0; sleep 0.05; done
	return 1
}

node() { # NAME CPUS [TAINTS as JSON]
	kubectl create -f - > /dev/null <<-JSON
		{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "$1", "labels": {"kubernetes.io/hostname": "$1"}}, "spec": {}}
	JSON
	kubectl patch node "$1" --type=merge -p "{\"spec\":{\"taints\":${3:-[]}}}" > /dev/null
	kubectl patch node "$1" --subresource=status --type=merge -p '{"status":{"allocatable":{"cpu":"'"$2"'","memory":"8Gi","pods":"10"},
		"capacity":{"cpu":"'"$2"'","memory":"8Gi","pods":"10"},"conditions":[{"type":"Ready","status":"True"}]}}' > /dev/null
}

pod() { # NAME SPEC-MEMBERS-AS-JSON [CPU]
	kubectl -n "$NS" create -f - > /dev/null <<-JSON
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "$1", "labels": {"app": "$1"}}, "spec": {$2 ${2:+,}
		"containers": [{"name": "c", "image": "none", "resources": {"requests": {"cpu": "${3:-100m}"}}}]}}
	JSON
}

node_of() { kubectl -n "$NS" get pod "$1" -o jsonpath='{.spec.nodeName}'; }
message_of() { kubectl -n "$NS" get pod "$1" -o jsonpath='{.status.conditions[?(@.type=="PodScheduled")].message}'; }

is_on() { [ "$(node_of "$1")" = "$2" ]; }
says() { [[ "$(message_of "$1")" == "$2"* ]]; }

eventually() {
	local i
	for ((i = 0; i < 100; i++)); do "$@" && return 0; sleep 0.1; done
	echo "never: $*"
	return 1
}

@test "a pod goes where it fits, and an event says so" {
	pod web "" 4
	eventually is_on web large
	scheduled() { kubectl -n "$NS" get events -o jsonpath='{.items[?(@.reason=="Scheduled")].message}' | grep -q "Successfully assigned $NS/web to large"; }
	eventually scheduled
}

@test "a pod that fits nowhere says why on each node" {
	kubectl taint node large dedicated=gpu:NoSchedule > /dev/null
	pod web "" 4
	eventually says web "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s)."
	failed() { kubectl -n "$NS" get events -o jsonpath='{.items[*].reason}' | grep -q FailedScheduling; }
	eventually failed
	kubectl taint node large dedicated- > /dev/null
	eventually is_on web large
}

@test "a label that appears brings a waiting pod in" {
	pod web '"nodeSelector": {"disk": "ssd"}'
	eventually says web "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
	kubectl label node small disk=ssd > /dev/null
	eventually is_on web small
	kubectl label node small disk- > /dev/null
}

@test "a cordoned node takes nothing" {
	kubectl cordon large > /dev/null
	pod web "" 3
	eventually says web "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable."
	kubectl uncordon large > /dev/null
	eventually is_on web large
}

@test "room that becomes free is used" {
	pod first "" 7
	eventually is_on first large
	pod second "" 7
	eventually says second "0/2 nodes are available: 2 Insufficient cpu."
	kubectl -n "$NS" delete pod first --force --grace-period=0 > /dev/null 2>&1
	eventually is_on second large
}

@test "an important pod takes the place of lesser ones" {
	pod lesser "" 7
	eventually is_on lesser large
	pod vip '"priorityClassName": "high"' 7
	ending() { [ -n "$(kubectl -n "$NS" get pod lesser -o jsonpath='{.metadata.deletionTimestamp}')" ]; }
	eventually ending
	nominated() { [ "$(kubectl -n "$NS" get pod vip -o jsonpath='{.status.nominatedNodeName}')" = large ]; }
	eventually nominated
	kubectl -n "$NS" delete pod lesser --force --grace-period=0 > /dev/null 2>&1
	eventually is_on vip large
}

@test "a gated pod waits until its gates are gone" {
	pod web '"schedulingGates": [{"name": "example.com/wait"}]'
	sleep 0.5
	is_on web ""
	kubectl -n "$NS" patch pod web --type=json -p '[{"op":"remove","path":"/spec/schedulingGates"}]' > /dev/null
	waits_no_more() { [ -n "$(node_of web)" ]; }
	eventually waits_no_more
}

@test "pods of another scheduler are left alone" {
	pod web '"schedulerName": "other"'
	pod ours ""
	placed() { [ -n "$(node_of ours)" ]; }
	eventually placed
	is_on web ""
}

@test "a pod without its volume claim waits for it" {
	pod web '"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]'
	eventually says web '0/2 nodes are available: persistentvolumeclaim "data" not found.'
}

@test "a hundred pods are placed within seconds, none twice" {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do node "extra-$i" 64; done
	for i in $(seq 100); do
		cat <<-JSON
			{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p$i"}, "spec": {"containers": [{"name": "c", "image": "none"}]}}
		JSON
	done | kubectl -n "$NS" create -f - > /dev/null
	all_placed() { [ "$(kubectl -n "$NS" get pods -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}' | grep -c .)" = 100 ]; }
	eventually all_placed
	for i in $(kubectl -n "$NS" get pods -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort | uniq -c | awk '{print $1}'); do
		[ "$i" -le 10 ]
	done
	kubectl delete nodes extra-{1,2,3,4,5,6,7,8,9,10} > /dev/null
}

@test "bad configuration is refused by name" {
	printf 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofilez: []\n' > "$BATS_TEST_TMPDIR/c.yaml"
	run "$BIN/kube-scheduler" --config "$BATS_TEST_TMPDIR/c.yaml" --kubeconfig "$CP_DIR/scheduler.kubeconfig"
	[ "$status" -eq 1 ]
	[[ "$output" == *'unknown field "profilez"'* ]]
	printf 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles: [{plugins: {score: {enabled: [{name: Nope}]}}}]\n' > "$BATS_TEST_TMPDIR/c.yaml"
	run "$BIN/kube-scheduler" --config "$BATS_TEST_TMPDIR/c.yaml" --kubeconfig "$CP_DIR/scheduler.kubeconfig"
	[ "$status" -eq 1 ]
	[[ "$output" == *'Nope'* ]]
	run "$BIN/kube-scheduler" --no-such-flag
	[ "$status" -eq 1 ]
	[[ "$output" == *'unknown flag: --no-such-flag'* ]]
}

scheduler_says() { curl -sk "https://127.0.0.1:$SCHEDULER_PORT/metrics" | grep -qE "$1"; }

@test "nodes, pods, how long pods took and preemptions tried are counted" {
	pod fits ""
	eventually is_on fits large
	pod never "" 100
	eventually says never "0/2 nodes are available"
	eventually scheduler_says '^scheduler_cache_size\{type="nodes"\} 2$'
	eventually scheduler_says '^scheduler_cache_size\{type="pods"\} [1-9]'
	eventually scheduler_says '^scheduler_pod_scheduling_sli_duration_seconds_count\{attempts="1"\} [1-9]'
	eventually scheduler_says '^scheduler_preemption_attempts_total [1-9]'
	scheduler_says '^scheduler_schedule_attempts_total\{profile="default-scheduler",result="unschedulable"\} [1-9]'
	scheduler_says '^kubernetes_feature_enabled\{name="SchedulerQueueingHints",stage=""\} 1$'
}
