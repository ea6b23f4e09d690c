# What Services are given: addresses and node ports, by two servers that share one etcd.
setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	export CP_FLAGS="--service-cluster-ip-range=10.0.0.0/24"
	cp_start
	export FIRST_PID=$CP_APISERVER_PID FIRST_SERVER=$CP_SERVER FIRST_PORT=$CP_PORT ETCD_PID=$CP_ETCD_PID
	cp_wait "$BIN/kubectl" get service kubernetes
	mv "$CP_DIR/apiserver.log" "$CP_DIR/first.log"
	CP_PORT="" CP_FLAGS="$CP_FLAGS --advertise-address=192.0.2.2" cp_start_apiserver
	sed "s#$FIRST_SERVER#$CP_SERVER#" "$KUBECONFIG" >"$CP_DIR/second.kubeconfig"
	export SECOND=$CP_DIR/second.kubeconfig SECOND_PID=$CP_APISERVER_PID
}
teardown_file() {
	kill ${FIRST_PID:-} ${SECOND_PID:-} ${ETCD_PID:-} || true
	rm -rf "$CP_DIR"
}
first() { "$BIN/kubectl" "$@"; }
second() { KUBECONFIG=$SECOND "$BIN/kubectl" "$@"; }
setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }
teardown() { first delete services -l "!component" >/dev/null; }
values() { first get services -o "jsonpath={range .items[*]}{$1}{\"\\n\"}{end}"; }
raw() { curl -s --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/admin.crt" --key "$CP_DIR/admin.key" "$@"; }

@test "two servers never give out an address or a node port twice" {
	local i pids=() spec
	for ((i = 0; i < 40; i++)); do
		first create service nodeport "a$i" --tcp=80 >/dev/null &
		pids+=($!)
		second create service nodeport "b$i" --tcp=80 >/dev/null &
		pids+=($!)
		((i % 8 < 7)) || wait "${pids[@]}"
	done
	wait "${pids[@]}"
	[ "$(values .spec.clusterIP | wc -l)" -ge 80 ]
	[ -z "$(values .spec.clusterIP | sort | uniq -d)" ]
	[ -z "$(values '.spec.ports[0].nodePort' | grep . | sort | uniq -d)" ]
	# Each address is an object that names its Service.
	for spec in $(values '.metadata.name}={.spec.clusterIP'); do
		[ "$(second get ipaddress "${spec#*=}" -o 'jsonpath={.spec.parentRef.resource}/{.spec.parentRef.name}')" = "services/${spec%=*}" ]
	done
}

@test "of two servers asked for the same address or port at once, one refuses" {
	local i ok
	for ((i = 0; i < 10; i++)); do
		first create service clusterip "x$i" --tcp=80 --clusterip="10.0.0.$((100 + i))" >/dev/null 2>"$BATS_TEST_TMPDIR/x" &
		second create service clusterip "y$i" --tcp=80 --clusterip="10.0.0.$((100 + i))" >/dev/null 2>"$BATS_TEST_TMPDIR/y" || true
		wait $! || true
		ok=$(values .spec.clusterIP | grep -cx "10.0.0.$((100 + i))")
		[ "$ok" = 1 ]
		cat "$BATS_TEST_TMPDIR/x" "$BATS_TEST_TMPDIR/y" | grep -q "failed to allocate IP 10.0.0.$((100 + i)): provided IP is already allocated"
	done
}

@test "what one server's Service gives back, the other gives out at once" {
	local i
	for ((i = 0; i < 5; i++)); do
		first create service nodeport again --tcp=80 --node-port=30123 >/dev/null
		first patch service again -p '{"spec":{"type":"ClusterIP"}}' >/dev/null
		second create service nodeport other --tcp=80 --node-port=30123 >/dev/null
		second delete service other >/dev/null
		first delete service again >/dev/null
		second create service clusterip fixed --tcp=80 --clusterip=10.0.0.77 >/dev/null
		second delete service fixed >/dev/null
		first create service clusterip fixed --tcp=80 --clusterip=10.0.0.77 >/dev/null
		first delete service fixed >/dev/null
	done
}

@test "a dry run takes nothing" {
	[ "$(first create service nodeport dry --tcp=80 --node-port=30200 --dry-run=server -o 'jsonpath={.spec.ports[0].nodePort}')" = 30200 ]
	first create service nodeport real --tcp=80 --node-port=30200
	run first create service nodeport dry --tcp=80 --node-port=30200 --dry-run=server
	[ "$status" -ne 0 ]
	[[ $output == *"provided port is already allocated"* ]]
	[ "$(first get ipaddresses -o name | wc -l)" = 2 ]
}

@test "a refused Service leaves nothing taken" {
	first create service nodeport holder --tcp=80 --node-port=30300
	run first create -f - <<-'YAML'
		apiVersion: v1
		kind: Service
		metadata: {name: refused}
		spec:
		  type: NodePort
		  clusterIP: 10.0.0.88
		  ports: [{name: a, port: 1, nodePort: 30301}, {name: b, port: 2, nodePort: 30300}]
	YAML
	[ "$status" -ne 0 ]
	[[ $output == *'spec.ports[1].nodePort: Invalid value: 30300: provided port is already allocated'* ]]
	second create service nodeport free --tcp=80 --node-port=30301
	second create service clusterip fixed --tcp=80 --clusterip=10.0.0.88
}

@test "addresses come from every ServiceCIDR that is ready" {
	first create -f - <<-'YAML'
		apiVersion: networking.k8s.io/v1
		kind: ServiceCIDR
		metadata: {name: more}
		spec: {cidrs: [10.7.0.0/24]}
	YAML
	run first create service clusterip early --tcp=80 --clusterip=10.7.0.9
	[[ $output == *"the provided network does not match the current range"* ]]
	first patch servicecidr more --subresource=status --type=merge -p '{"status":{"conditions":[
		{"type":"Ready","status":"True","reason":"","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}'
	cp_wait second create service clusterip late --tcp=80 --clusterip=10.7.0.9
	first delete service late
	first delete servicecidr more --wait=false
}

@test "a ServiceCIDR becomes ready, and goes only when no address is left without a range" {
	"$BIN/kube-controller-manager" --kubeconfig="$KUBECONFIG" --controllers=service-cidr-controller --leader-elect=false \
		--secure-port=0 >"$BATS_TEST_TMPDIR/manager.log" 2>&1 &
	local manager=$!
	ready() { [ "$(first get servicecidr "$1" -o 'jsonpath={.status.conditions[0].status}{.status.conditions[0].reason}')" = "$2" ]; }
	gone() { ! first get servicecidr "$1"; }
	first create -f - <<-'YAML'
		{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: extra}, spec: {cidrs: [10.8.0.0/24]}}
	YAML
	cp_wait ready extra True
	cp_wait second create service clusterip inside --tcp=80 --clusterip=10.8.0.9
	first delete servicecidr extra --wait=false
	cp_wait ready extra FalseTerminating
	run second create service clusterip late --tcp=80 --clusterip=10.8.0.10
	[ "$status" -ne 0 ]
	second delete service inside
	cp_wait gone extra
	kill "$manager"
	wait "$manager" || true
}

@test "both servers are endpoints of the kubernetes Service; one that stops leaves it" {
	both() { [ "$(first get endpointslice kubernetes -o 'jsonpath={.endpoints[*].addresses[0]}')" = "$1" ]; }
	cp_wait both "192.0.2.1 192.0.2.2"
	kill "$SECOND_PID"
	wait "$SECOND_PID" 2>/dev/null || true
	cp_wait both 192.0.2.1
	CP_PORT="" CP_FLAGS="$CP_FLAGS --advertise-address=192.0.2.2" cp_start_apiserver
	cp_wait both "192.0.2.1 192.0.2.2"
	kill "$CP_APISERVER_PID"
}

@test "a LoadBalancer that is to do without node ports gives back those that an update leaves out" {
	local kept
	raw -H 'Content-Type: application/json' "$FIRST_SERVER/api/v1/namespaces/default/services" -d '{"metadata": {"name": "balanced"}, "spec": {
		"type": "LoadBalancer", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}}' >"$BATS_TEST_TMPDIR/made"
	[ "$(jq '[.spec.ports[].nodePort | select(. > 0)] | length' "$BATS_TEST_TMPDIR/made")" = 2 ]
	kept=$(jq '.spec.ports[1].nodePort' "$BATS_TEST_TMPDIR/made")
	# Left out, they are kept as long as node ports are wanted.
	jq 'del(.spec.ports[].nodePort, .metadata.resourceVersion)' "$BATS_TEST_TMPDIR/made" | raw -X PUT -H 'Content-Type: application/json' -d @- \
		"$FIRST_SERVER/api/v1/namespaces/default/services/balanced" >/dev/null
	[ "$(first get service balanced -o 'jsonpath={.spec.ports[*].nodePort}')" = "$(jq -r '[.spec.ports[].nodePort | tostring] | join(" ")' "$BATS_TEST_TMPDIR/made")" ]
	jq 'del(.spec.ports[0].nodePort, .metadata.resourceVersion) | .spec.allocateLoadBalancerNodePorts = false' "$BATS_TEST_TMPDIR/made" |
		raw -X PUT -H 'Content-Type: application/json' -d @- "$FIRST_SERVER/api/v1/namespaces/default/services/balanced" >/dev/null
	[ "$(first get service balanced -o 'jsonpath={.spec.ports[*].nodePort}')" = "$kept" ]
}

@test "the range of the flags comes back when its ServiceCIDR is gone" {
	local uid
	uid=$(first get servicecidr kubernetes -o 'jsonpath={.metadata.uid}')
	# Nobody is there to take a finalizer away.
	first patch servicecidr kubernetes --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
	first delete servicecidr kubernetes >/dev/null
	cp_wait first wait --for=condition=Ready servicecidr/kubernetes --timeout=1s
	[ "$(first get servicecidr kubernetes -o 'jsonpath={.metadata.uid}')" != "$uid" ]
	[ "$(first get servicecidr kubernetes -o 'jsonpath={.spec.cidrs[*]}')" = 10.0.0.0/24 ]
}

@test "a server of another family of addresses takes over the endpoints" {
	local CP_FLAGS="--service-cluster-ip-range=10.2.0.0/29 --etcd-prefix=/family --advertise-address=192.0.2.4" CP_PORT="" CP_SERVER other=$CP_DIR/family.kubeconfig
	slice() { "$BIN/kubectl" --kubeconfig "$other" get endpointslice kubernetes -o 'jsonpath={.addressType}:{.endpoints[*].addresses[*]}'; }
	cp_start_apiserver
	sed "s#$FIRST_SERVER#$CP_SERVER#" "$KUBECONFIG" >"$other"
	cp_wait slice
	[ "$(slice)" = "IPv4:192.0.2.4" ]
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
	CP_FLAGS="--service-cluster-ip-range=2001:db8:1::/125 --etcd-prefix=/family --advertise-address=2001:db8::7"
	cp_start_apiserver
	cp_wait eval '[ "$(slice)" = "IPv6:2001:db8::7" ]'
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
}

@test "the last address can be had again as soon as its Service is gone" {
	local i CP_FLAGS="--service-cluster-ip-range=10.1.0.0/29 --etcd-prefix=/small --advertise-address=192.0.2.3" CP_PORT="" CP_SERVER pid small
	cp_start_apiserver
	pid=$CP_APISERVER_PID small=$CP_DIR/small.kubeconfig
	sed "s#$FIRST_SERVER#$CP_SERVER#" "$KUBECONFIG" >"$small"
	cp_wait "$BIN/kubectl" --kubeconfig "$small" get service kubernetes
	for i in 1 2 3 4 5; do "$BIN/kubectl" --kubeconfig "$small" create service clusterip "s$i" --tcp=80 >/dev/null; done
	run "$BIN/kubectl" --kubeconfig "$small" create service clusterip more --tcp=80
	[[ $output == *"range is full"* ]]
	for i in 1 2 3 4 5 1 2 3 4 5 1 2 3 4 5; do
		"$BIN/kubectl" --kubeconfig "$small" delete service "s$i" >/dev/null
		"$BIN/kubectl" --kubeconfig "$small" create service clusterip "s$i" --tcp=80 >/dev/null
	done
	kill "$pid"
	wait "$pid" || true
}

# Keys and values that hands have put into etcd (test/data/service-faults.tsv), and what is told of each.
@test "faults of addresses and ports that lie in etcd are mended and told" {
	local key value CP_FLAGS="--service-cluster-ip-range=10.0.0.0/24 --etcd-prefix=/faults --advertise-address=192.0.2.5" CP_PORT="" CP_SERVER faulty=$CP_DIR/faulty.kubeconfig
	while IFS=$'\t' read -r key value; do
		ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" put "/faults/$key" "$value" >/dev/null
	done <"$BATS_TEST_DIRNAME/../data/service-faults.tsv"
	cp_start_apiserver
	sed "s#$FIRST_SERVER#$CP_SERVER#" "$KUBECONFIG" >"$faulty"
	told() {
		"$BIN/kubectl" --kubeconfig "$faulty" get --raw /apis/events.k8s.io/v1/events | jq -r --arg host "$(hostname)" '
			.items[] | select(.reportingInstance == .reportingController + "-" + $host and .type == "Warning") |
			"\(.regarding.kind) \(.regarding.name): \(.action): \(.reason): \(.note)"' | LC_ALL=C sort
	}
	cp_wait eval '[ "$(told | wc -l)" = "$(wc -l <"$BATS_TEST_DIRNAME/../data/service-faults.expect")" ]' || true
	diff <(told) "$BATS_TEST_DIRNAME/../data/service-faults.expect"
	"$BIN/kubectl" --kubeconfig "$faulty" get ipaddresses -o json | jq -r '.items[] | "\(.metadata.name) \(.spec.parentRef.name) \(.metadata.labels | length)"' |
		diff - <(printf '%s\n' "10.0.0.1 kubernetes 2" "10.0.0.10 right 2" "10.0.0.11 missing 2" "10.0.0.12 nobodys 2" "10.0.0.13 foreign 2" \
			"10.0.0.14 first 2" "10.0.0.15 unlabelled 2" "10.0.0.19 gone 0" "10.0.0.30 ports 2" "10.0.0.31 ports-again 2" \
			"10.0.0.32 ports-outside 2" "10.0.0.33 health 2" "10.0.0.34 health-udp 2")
	"$BIN/kubectl" --kubeconfig "$faulty" get --raw /metrics | grep ^apiserver_nodeport_repair_port_errors_total | LC_ALL=C sort |
		diff - <(printf 'apiserver_nodeport_repair_port_errors_total{type="%s"} %d\n' duplicate 2 outOfRange 1 repair 5)
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
}
