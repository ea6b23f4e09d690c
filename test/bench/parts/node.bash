# Real nodes. In one cluster, ours, the third node's kubelet is the other side's; a second cluster is the other side's wholly.
# Both are development clusters (docs/dev-cluster.md); what sets them up (kubeadm, kubectl, pause) stays ours.

DAEMONS="kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy"
clusters_up=""

# cluster ours|theirs COMMAND…
cluster() {
	local dir net bins=$BIN bridge
	case $1 in
	ours) dir=${CLUSTER_DIR:-/var/lib/kubec-bench} net=${CLUSTER_NET:-10.177.0} bridge=${BRIDGE:-kbench}a ;;
	theirs) dir=${CLUSTER_DIR:-/var/lib/kubec-bench}-ref net=${CLUSTER_NET:-10.177.0} bridge=${BRIDGE:-kbench}b ;;
	esac
	[ "$1" = ours ] || net=${net%.*}.$((${net##*.} + 1))
	[ -z "${mixed:-}" ] || bins=$mixed
	CLUSTER_DIR=$dir CLUSTER_NET=$net BRIDGE=$bridge BIN=$bins POD_CIDR=$(half "${POD_CIDR:-10.178.0.0/16}" "$1") \
		SERVICE_CIDR=$(half "${SERVICE_CIDR:-10.179.0.0/16}" "$1") "$BENCH_TOP/deploy/dev/cluster" "${@:2}"
}
# The two clusters share a /16: the lower half is ours, the upper theirs.
half() { # A.B.0.0/16 SIDE
	local base=${1%.0.0/16}
	if [ "$2" = ours ]; then echo "$base.0.0/17"; else echo "$base.128.0/17"; fi
}
cluster_dir() { [ "$1" = ours ] && echo "${CLUSTER_DIR:-/var/lib/kubec-bench}" || echo "${CLUSTER_DIR:-/var/lib/kubec-bench}-ref"; }
in_cluster() { KUBECONFIG=$(cluster_dir "$1")/admin.conf "$kubectl" "${@:2}"; } # SIDE kubectl arguments
mix() { # NAME...: a folder of our binaries with these of the reference
	local name
	mixed=$work/mixed
	rm -rf "$mixed"
	mkdir "$mixed"
	cp "$BIN"/* "$mixed"
	for name; do cp "$REF_BIN/$name" "$mixed/"; done
}
clusters_down() {
	local side
	for side in $clusters_up; do cluster "$side" down > /dev/null 2>&1; done
	clusters_up=""
}
cluster_start() { # SIDE
	local begin
	clusters_up="$clusters_up $1"
	begin=$(now_ms)
	cluster "$1" up > "$work/cluster.log" 2>&1 || {
		failed "the cluster does not come up: $(tail -2 "$work/cluster.log")"
		return 1
	}
	side=$1 sample cluster-up ms $(($(now_ms) - begin))
	"$BENCH_TOP/test/images/build" "$work/images" > /dev/null && cluster "$1" load "$work"/images/test1.tar > /dev/null
}
# The process of a node as this machine sees it: SIDE NODE NAME
pid_on() {
	local pid space
	space=$(cluster "$1" shell "$2" readlink /proc/self/ns/pid)
	for pid in $(pgrep -x "${3:0:15}"); do
		[ "$(readlink "/proc/$pid/ns/pid")" != "$space" ] || echo "$pid"
	done | head -1
}

# --- the kubelets: two nodes of one cluster, beside the one that the control plane runs on ---
kubelet_node() { [ "$side" = ours ] && echo 2 || echo 3; }
pods_on() { # NAME N
	jq -n --arg name "$1" --arg node "node$(kubelet_node)" --argjson n "$2" '{apiVersion: "v1", kind: "List", items: [range($n) | {apiVersion: "v1", kind: "Pod",
		metadata: {name: "\($name)-\(.)", labels: {app: $name}}, spec: {nodeName: $node, terminationGracePeriodSeconds: 0,
		containers: [{name: "c", image: "localhost/pause:3.10.1", imagePullPolicy: "IfNotPresent"}]}}]}'
}
pods_ready() { # FIGURE NAME N
	local begin cpu
	cpu=$(cpu_ms "$kubelet")
	begin=$(now_ms)
	pods_on "$2" "$3" | in_cluster ours create -f - > /dev/null
	if in_cluster ours wait --for=condition=Ready pod -l "app=$2" --timeout=90s > /dev/null 2> "$work/errors"; then
		sample "$1" ms $(($(now_ms) - begin)) - $(($(cpu_ms "$kubelet") - cpu)) "$(peak_mib "$kubelet")"
	else
		failed "$(tail -1 "$work/errors")"
	fi
}
kubelet_once() {
	local kubelet many cpu
	many=$(scaled 30)
	kubelet=$(pid_on ours "$(kubelet_node)" kubelet)
	[ -n "$kubelet" ] || {
		failed "there is no kubelet"
		return
	}
	pods_ready kubelet-one "one-$side-$round" 1
	pods_ready kubelet-30 "many-$side-$round" "$many"
	rest 5
	cpu=$(cpu_ms "$kubelet")
	rest 10
	sample kubelet-idle ms "$(awk -v ms=$(($(cpu_ms "$kubelet") - cpu)) 'BEGIN {print ms / 10}')"
	sample kubelet-memory MiB "$(resident_mib "$kubelet")"
	in_cluster ours delete pod -l "app in (one-$side-$round, many-$side-$round)" --timeout=60s > /dev/null
}

# --- whole clusters ---
manifest() { # NAME
	cat <<- YAML
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: $1}
		spec:
		  selector: {matchLabels: {app: $1}}
		  template:
		    metadata: {labels: {app: $1}}
		    spec: {terminationGracePeriodSeconds: 0, nodeSelector: {kubernetes.io/hostname: node1}, containers: [{name: c, image: "localhost/test:1", imagePullPolicy: IfNotPresent}]}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: $1}
		spec: {selector: {app: $1}, ports: [{port: 80, targetPort: 8080}]}
	YAML
}
reachable_once() {
	local begin name=reach-$round ip ms
	begin=$(now_ms)
	manifest "$name" | in_cluster "$side" apply -f - > /dev/null
	ip=$(in_cluster "$side" get service "$name" -o 'jsonpath={.spec.clusterIP}')
	if until_ms 60 cluster "$side" shell 1 curl -fs -m 1 "http://$ip/" > /dev/null; then
		sample reachable ms $(($(now_ms) - begin))
	else
		failed "http://$ip/ does not answer"
	fi
	in_cluster "$side" delete deployment,service "$name" > /dev/null
}
# Four of the five run in containers, with process numbers of their own; the node sees them all.
cluster_memory() {
	local total
	# shellcheck disable=SC2016,SC2086 # the node's shell expands it; one word each
	total=$(cluster "$side" shell 1 bash -c 'set -e
		for name; do awk "/^VmRSS/ {print \$2}" "/proc/$(pgrep -o -x "${name:0:15}")/status"; done' - $DAEMONS 2> "$work/errors") &&
		sample cluster-memory MiB "$(awk '{kib += $1} END {printf "%.1f", kib / 1024}' <<< "$total")" ||
		failed "not all of $DAEMONS run: $(tail -1 "$work/errors")"
}

part_node() {
	local mixed=""
	side=ours
	[ "$(id -u)" = 0 ] || {
		failed "it must run as root (it makes namespaces and containers)"
		return
	}
	cluster ours down > /dev/null 2>&1
	cluster_start ours || return
	NODES=2 cluster ours up > "$work/cluster.log" 2>&1 || failed "no second node: $(tail -2 "$work/cluster.log")"
	if [ -n "$REF_BIN" ]; then
		mix kubelet
		NODES=3 cluster ours up > "$work/cluster.log" 2>&1 || side=theirs failed "no third node: $(tail -2 "$work/cluster.log")"
		mixed=""
	fi
	in_turn kubelet_once
	if [ -n "$REF_BIN" ]; then
		# shellcheck disable=SC2086
		mix $DAEMONS
		cluster theirs down > /dev/null 2>&1
		side=theirs cluster_start theirs || return
		mixed=""
	fi
	ROUNDS=$((ROUNDS + 1)) in_turn reachable_once
	for side in $SIDES; do cluster_memory; done
	clusters_down
}
