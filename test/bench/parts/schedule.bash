# Schedulers in turn on one apiserver, ours. Nodes are objects only; pods lie ready when a scheduler starts. Both sides' limits of
# requests a second are raised: the defaults (50 a second) would be all that is seen.

# The bodies: what sets one mix apart is in the pod's spec. A template is kept in etcd outside the registry.
mix_spec() { # MIX
	case $1 in
	plain) echo '{}' ;;
	spread) echo '{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"mix":"spread"}}}]}' ;;
	affinity) echo '{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"topology.kubernetes.io/zone","labelSelector":{"matchLabels":{"mix":"affinity"}}}]}}}' ;;
	anti) echo '{"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"mix":"anti"}}}]}}}' ;;
	preempt) echo '{"priorityClassName":"high","containers":[{"name":"c","image":"registry.example/c:1","resources":{"requests":{"cpu":"60"}}}]}' ;;
	victim) echo '{"nodeName":"load-00000000","terminationGracePeriodSeconds":0,"containers":[{"name":"c","image":"registry.example/c:1","resources":{"requests":{"cpu":"60"}}}]}' ;;
	esac
}
mix_template() { # MIX
	namespaces "$1"
	jq -n --arg mix "$1" --argjson spec "$(mix_spec "$1")" '{apiVersion: "v1", kind: "Pod", metadata: {name: "load-00000000", namespace: $mix, labels: {mix: $mix}},
		spec: ({containers: [{name: "c", image: "registry.example/c:1", resources: {requests: {cpu: "10m", memory: "10Mi"}}}]} + $spec)}' |
		"$kubectl" create -f - > /dev/null
	fill "$1" "/registry/pods/$1/load-00000000" "/bench/$1" 1
	remove_pods "$1"
}
remove_pods() { cp_curl "/api/v1/namespaces/$1/pods?gracePeriodSeconds=0" -X DELETE > /dev/null; }
pods_of_mix() { # MIX N
	fill "$1" "/bench/$1/load-00000000" "/registry/pods/$1" "$2"
}
node_template() {
	"$kubectl" create -f - > /dev/null <<< '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "load-00000000"}}'
	"$kubectl" patch node load-00000000 --subresource=status --type=merge -p '{"status":{"allocatable":{"cpu":"64","memory":"256Gi","pods":"250"},
		"capacity":{"cpu":"64","memory":"256Gi","pods":"250"},"conditions":[{"type":"Ready","status":"True"}]}}' > /dev/null
	"$kubectl" patch node load-00000000 --type=merge -p '{"spec":{"taints":null}}' > /dev/null
}
nodes() { # N [FROM]
	fill "" /registry/minions/load-00000000 /registry/minions "$1" "${2:-0}"
	settle
}

# A scheduler of the current side on the apiserver of ours: place FIGURE MIX N
place() {
	local pid watcher
	[ "$2" != preempt ] || pods_of_mix victim "$(scaled 1000)"
	pods_of_mix "$2" "$3"
	"$BIN/bench-load" wait --what placed --namespace "$2" --n "$3" --seconds 90 --kubeconfig "$KUBECONFIG" > "$work/placed" 2> "$work/errors" &
	watcher=$!
	cp_wait grep -q watching "$work/placed"
	"${dirs[$side]}/kube-scheduler" --kubeconfig "$CP_DIR/scheduler.kubeconfig" --leader-elect=false --secure-port 0 \
		--kube-api-qps 10000 --kube-api-burst 10000 > "$work/scheduler.log" 2>&1 &
	pid=$!
	wait $watcher || failed "$(cat "$work/errors"); the scheduler: $(tail -1 "$work/scheduler.log")"
	sample_placed "$1" "$3" $pid
	[ "$1" != schedule-spread-5k ] || sample schedule-memory MiB "$(resident_mib $pid)"
	end_process $pid
	remove_pods "$2"
	[ "$2" != preempt ] || remove_pods victim
}
sample_placed() { # FIGURE N PID
	local rate
	rate=$(awk -F'\t' '!/^#/ {print $3}' "$work/placed")
	[ -z "$rate" ] || sample "$1" 1/s "$rate" - "$(awk -v ms="$(cpu_ms "$3")" -v n="$2" 'BEGIN {printf "%.3f", ms / n}')" "$(peak_mib "$3")"
}
# Every round on the one control plane, whichever side's scheduler is meant.
in_turn() {
	local s
	for ((round = 1; round <= (ROUNDS > 2 ? 2 : ROUNDS); round++)); do
		for s in $SIDES; do
			side=$s
			"$@"
		done
	done
	side=ours round=1
}

part_schedule() {
	local mix
	on ours
	start_side
	on ours
	cp_cert scheduler /CN=system:kube-scheduler "extendedKeyUsage=clientAuth\n"
	cp_kubeconfig scheduler
	"$kubectl" create priorityclass high --value=1000 > /dev/null
	source="" # all templates are its own
	for mix in plain spread affinity anti preempt victim; do mix_template "$mix"; done
	node_template
	nodes "$(scaled 1000)"
	in_turn place schedule-plain plain "$(scaled 2000)"
	in_turn place schedule-spread spread "$(scaled 1000)"
	in_turn place schedule-affinity affinity "$(scaled 500)"
	in_turn place schedule-anti anti "$(scaled 500)"
	in_turn place schedule-preempt preempt "$(scaled 200)"
	nodes $(($(scaled 5000) - $(scaled 1000))) "$(scaled 1000)"
	in_turn place schedule-plain-5k plain "$(scaled 2000)"
	in_turn place schedule-spread-5k spread "$(scaled 500)"
}
