# Controller managers in turn on one apiserver, ours: Deployments to pods, and back. No nodes; nothing runs.

deployments() { # N REPLICAS
	jq -n --argjson n "$1" --argjson replicas "$2" '{apiVersion: "v1", kind: "List", items: [range($n) | {apiVersion: "apps/v1", kind: "Deployment",
		metadata: {name: "load-\(.)"}, spec: {replicas: $replicas, selector: {matchLabels: {app: "load-\(.)"}},
		template: {metadata: {labels: {app: "load-\(.)"}}, spec: {containers: [{name: "c", image: "registry.example/c:1"}]}}}}]}'
}
wait_pods() { # WHAT N
	"$BIN/bench-load" wait --what "$1" --namespace "$namespace" --n "$2" --seconds 120 --kubeconfig "$KUBECONFIG" --server-pid "$pid" \
		--figure "control-$3" > "$work/waited" 2> "$work/errors" &
	watcher=$!
	cp_wait grep -q watching "$work/waited"
}
control_once() {
	local pid watcher namespace=control-$side-$round n replicas
	n=$(scaled 100) replicas=50
	"$kubectl" create namespace "$namespace" > /dev/null
	"${dirs[$side]}/kube-controller-manager" --kubeconfig "$CP_DIR/controllers.kubeconfig" --leader-elect=false --secure-port 0 \
		--kube-api-qps 20000 --kube-api-burst 40000 > "$work/controllers.log" 2>&1 &
	pid=$!
	cp_wait "$kubectl" -n "$namespace" get serviceaccount default
	wait_pods made $((n * replicas)) create
	deployments "$n" "$replicas" | "$kubectl" -n "$namespace" create -f - > /dev/null
	wait $watcher || failed "$(cat "$work/errors"); the controller manager: $(tail -1 "$work/controllers.log")"
	take cat "$work/waited"
	sample control-memory MiB "$(resident_mib $pid)"
	wait_pods deleted $((n * replicas)) delete
	cp_curl "/apis/apps/v1/namespaces/$namespace/deployments?propagationPolicy=Background" -X DELETE > /dev/null
	wait $watcher || failed "$(cat "$work/errors"); the controller manager: $(tail -1 "$work/controllers.log")"
	take cat "$work/waited"
	end_process $pid
	"$kubectl" delete namespace "$namespace" --wait=false > /dev/null
}

part_control() {
	on ours
	start_side
	on ours
	cp_cert controllers /O=system:masters/CN=system:kube-controller-manager "extendedKeyUsage=clientAuth\n"
	cp_kubeconfig controllers
	in_turn control_once
}
