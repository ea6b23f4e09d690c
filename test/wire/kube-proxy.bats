# kube-proxy with real traffic: a node, two pods and an outside client, each a network namespace; rules in the node's.

setup_file() {
	: "${TOP:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}" "${BIN:=$TOP/build/bin}"
	export TOP BIN CP_APISERVER=$BIN/kube-apiserver
	ip netns add "kubec-probe-$$" 2> /dev/null && ip netns del "kubec-probe-$$" || skip "no network namespaces here"
	source "$TOP/test/lib/control-plane.bash"
	export ID=$((RANDOM % 200)) CP_FLAGS="--bind-address=0.0.0.0 --service-cluster-ip-range=10.96.0.0/16"
	export NODE=kpn$ID POD1=kpa$ID POD2=kpb$ID CLIENT=kpc$ID HOST_IP=198.18.$ID.1
	cp_start
	export CP_APISERVER_PID CP_ETCD_PID
	make_network
	make_proxy_kubeconfig
	start_proxy
	serve "$POD1" one
	serve "$POD2" two
}

teardown_file() {
	source "$TOP/test/lib/control-plane.bash"
	local n
	kill "$(cat "$CP_DIR/proxy.pid")" $(cat "$CP_DIR"/server-*.pid)
	cp_stop
	ip link del "kph$ID"
	for n in "$NODE" "$POD1" "$POD2" "$CLIENT"; do ip netns del "$n"; done
}

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || { kubectl get services,endpointslices; tail -n 20 "$CP_DIR/proxy.log"; } | sed 's/^/# /' >&3
	kubectl delete services,endpointslices -l test > /dev/null
}

make_pod() { # NETNS ADDRESS
	ip -n "$NODE" link add "v$1" type veth peer name eth0 netns "$1"
	ip -n "$NODE" link set "v$1" up
	ip -n "$NODE" addr add 10.244.1.1/32 dev "v$1"
	ip -n "$NODE" route add "$2" dev "v$1"
	ip -n "$1" addr add "$2/32" dev eth0
	ip -n "$1" link set eth0 up
	ip -n "$1" route add 10.244.1.1 dev eth0
	ip -n "$1" route add default via 10.244.1.1
}

make_network() {
	local n
	for n in "$NODE" "$POD1" "$POD2" "$CLIENT"; do
		ip netns add "$n"
		ip -n "$n" link set lo up
	done
	ip link add "kph$ID" type veth peer name up0 netns "$NODE"
	ip addr add "$HOST_IP/30" dev "kph$ID"
	ip link set "kph$ID" up
	ip -n "$NODE" addr add "198.18.$ID.2/30" dev up0
	ip -n "$NODE" link set up0 up
	ip -n "$NODE" route add default via "$HOST_IP"
	make_pod "$POD1" 10.244.1.2
	make_pod "$POD2" 10.244.1.3
	ip -n "$NODE" link add vc type veth peer name eth0 netns "$CLIENT"
	ip -n "$NODE" link set vc up
	ip -n "$NODE" addr add 192.168.77.1/24 dev vc
	ip -n "$CLIENT" addr add 192.168.77.2/24 dev eth0
	ip -n "$CLIENT" link set eth0 up
	ip -n "$CLIENT" route add default via 192.168.77.1
	ip -n "$CLIENT" route add 192.168.77.100 via 192.168.77.1
	ip netns exec "$NODE" sysctl -qw net.ipv4.ip_forward=1
}

make_proxy_kubeconfig() {
	cp_cert proxy /CN=system:kube-proxy "extendedKeyUsage=clientAuth\n"
	cp_kubeconfig proxy
	sed -i "s|server: \"https://127.0.0.1:|tls-server-name: localhost, server: \"https://$HOST_IP:|" "$CP_DIR/proxy.kubeconfig"
}

start_proxy() {
	ip netns exec "$NODE" "$BIN/kube-proxy" --kubeconfig "$CP_DIR/proxy.kubeconfig" --hostname-override here \
		--cluster-cidr 10.244.0.0/16 --oom-score-adj 0 --conntrack-max-per-core 0 -v 2 > "$CP_DIR/proxy.log" 2>&1 3>&- &
	echo $! > "$CP_DIR/proxy.pid"
}

# A server on TCP 8080 and UDP 8081 that says its name and who asked.
serve() { # NETNS NAME
	ip netns exec "$1" python3 - "$2" 3>&- > /dev/null 2>&1 <<-'PY' &
		import socket, sys, threading
		name = sys.argv[1]
		def tcp():
		    s = socket.socket()
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    s.bind(("0.0.0.0", 8080))
		    s.listen(50)
		    while True:
		        c, a = s.accept()
		        c.sendall(f"{name} {a[0]}\n".encode())
		        c.close()
		threading.Thread(target=tcp, daemon=True).start()
		u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		u.bind(("0.0.0.0", 8081))
		while True:
		    d, a = u.recvfrom(2000)
		    u.sendto(f"{name} {a[0]}\n".encode(), a)
	PY
	echo $! > "$CP_DIR/server-$2.pid"
}

service() { # NAME SPEC-MEMBERS-AS-JSON
	kubectl create -f - > /dev/null <<-JSON
		{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "$1", "labels": {"test": "x"}}, "spec": {$2}}
	JSON
}

endpoint() { # ADDRESS NODE
	echo "{\"addresses\":[\"$1\"],\"nodeName\":\"$2\",\"conditions\":{\"ready\":true}}"
}

slice() { # SERVICE ENDPOINTS-AS-JSON
	kubectl apply -f - > /dev/null <<-JSON
		{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "$1-x", "labels":
		{"test": "x", "kubernetes.io/service-name": "$1"}}, "addressType": "IPv4", "ports": [{"name": "t", "port": 8080,
		"protocol": "TCP"}, {"name": "u", "port": 8081, "protocol": "UDP"}], "endpoints": [$2]}
	JSON
}

both() { echo "$(endpoint 10.244.1.2 here),$(endpoint 10.244.1.3 there)"; }

TCP='{"name": "t", "port": 80, "targetPort": 8080}'
UDP='{"name": "u", "port": 81, "targetPort": 8081, "protocol": "UDP"}'

ask() { # NETNS ADDRESS PORT
	ip netns exec "$1" timeout 2 bash -c "exec 3<>/dev/tcp/$2/$3; cat <&3" 2>&1
}

ask_udp() { # NETNS ADDRESS PORT [SOURCE-PORT]
	ip netns exec "$1" python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.bind(('', ${4:-0}))
s.sendto(b'x', ('$2', $3))
print(s.recvfrom(99)[0].decode().strip())" 2>&1
}

many() { local i; for ((i = 0; i < 16; i++)); do "$@"; done | sort | uniq -c | awk '{print $2, $3}'; }

eventually() {
	local i
	for ((i = 0; i < 60; i++)); do "$@" && return 0; sleep 0.2; done
	echo "never: $*"
	return 1
}

answers() {
	local got
	got=$(ask "$@")
	[[ "$got" == one* || "$got" == two* ]]
}

cluster_ip() { kubectl get service "$1" -o jsonpath='{.spec.clusterIP}'; }

@test "a cluster IP leads to all endpoints, from pods, the node and outside" {
	service web "\"ports\": [$TCP]"
	slice web "$(both)"
	local ip
	ip=$(cluster_ip web)
	eventually answers "$NODE" "$ip" 80
	[ "$(many ask "$NODE" "$ip" 80 | cut -d' ' -f1 | xargs)" = "one two" ]
	# a pod reaches others under its own address, itself under the node's
	[ "$(many ask "$POD1" "$ip" 80 | xargs)" = "one 10.244.1.1 two 10.244.1.2" ]
	[ "$(many ask "$CLIENT" "$ip" 80 | xargs)" = "one 10.244.1.1 two 10.244.1.1" ]
}

@test "node ports and external IPs lead there too" {
	service web "\"type\": \"NodePort\", \"externalIPs\": [\"192.168.77.100\"], \"ports\": [{\"name\": \"t\", \"port\": 80, \"nodePort\": 30080}]"
	slice web "$(both)"
	eventually answers "$CLIENT" 192.168.77.1 30080
	eventually answers "$CLIENT" 192.168.77.100 80
	answers "$NODE" 192.168.77.1 30080
}

@test "the local policy keeps the client's address and stays on the node" {
	service web "\"type\": \"NodePort\", \"externalTrafficPolicy\": \"Local\", \"ports\": [{\"name\": \"t\", \"port\": 80, \"nodePort\": 30081}]"
	slice web "$(both)"
	eventually answers "$CLIENT" 192.168.77.1 30081
	[ "$(many ask "$CLIENT" 192.168.77.1 30081)" = "one 192.168.77.2" ]
	slice web "$(endpoint 10.244.1.3 there)"
	silent() { ! answers "$CLIENT" 192.168.77.1 30081; }
	eventually silent
	answers "$NODE" 192.168.77.1 30081
}

@test "a service without endpoints refuses, as does a port that is none" {
	service web "\"ports\": [$TCP]"
	service empty "\"type\": \"NodePort\", \"ports\": [{\"name\": \"t\", \"port\": 80, \"nodePort\": 30082}]"
	refused() { [[ "$(ask "$@")" == *"Connection refused"* ]]; }
	eventually refused "$NODE" "$(cluster_ip empty)" 80
	eventually refused "$POD1" "$(cluster_ip empty)" 80
	eventually refused "$CLIENT" 192.168.77.1 30082
	slice web "$(both)"
	eventually answers "$POD1" "$(cluster_ip web)" 80
	eventually refused "$POD1" "$(cluster_ip web)" 99
}

@test "a client stays with its endpoint under session affinity" {
	service web "\"sessionAffinity\": \"ClientIP\", \"ports\": [$TCP]"
	slice web "$(both)"
	local ip
	ip=$(cluster_ip web)
	eventually answers "$CLIENT" "$ip" 80
	[ "$(many ask "$CLIENT" "$ip" 80 | wc -l)" = 1 ]
	[ "$(many ask "$NODE" "$ip" 80 | wc -l)" = 1 ]
}

@test "UDP follows its endpoints: tracked flows to gone ones end" {
	service web "\"ports\": [$UDP]"
	slice web "$(endpoint 10.244.1.2 here)"
	local ip
	ip=$(cluster_ip web)
	goes_to() { [[ "$(ask_udp "$POD2" "$ip" 81 5555)" == "$1"* ]]; }
	eventually goes_to one
	slice web "$(endpoint 10.244.1.3 there)"
	eventually goes_to two
}

@test "endpoints that come and go lose no connection" {
	service web "\"ports\": [$TCP]"
	slice web "$(both)"
	local ip i
	ip=$(cluster_ip web)
	eventually answers "$POD1" "$ip" 80
	for ((i = 0; i < 200; i++)); do answers "$POD1" "$ip" 80 || echo lost; done > "$BATS_TEST_TMPDIR/lost" 3>&- &
	for ((i = 0; i < 5; i++)); do
		slice web "$(endpoint 10.244.1.2 here)"
		sleep 0.3
		slice web "$(both)"
		sleep 0.3
	done
	wait $!
	[ ! -s "$BATS_TEST_TMPDIR/lost" ]
}

@test "a restarted proxy takes over without losing a connection or a client's endpoint" {
	service web "\"sessionAffinity\": \"ClientIP\", \"ports\": [$TCP]"
	slice web "$(both)"
	local ip i before
	ip=$(cluster_ip web)
	eventually answers "$CLIENT" "$ip" 80
	before=$(ask "$CLIENT" "$ip" 80)
	for ((i = 0; i < 200; i++)); do answers "$POD1" "$ip" 80 || echo lost; done > "$BATS_TEST_TMPDIR/lost" 3>&- &
	local load=$!
	kill -9 "$(cat "$CP_DIR/proxy.pid")"
	ask "$POD1" "$ip" 80
	start_proxy
	wait "$load"
	[ ! -s "$BATS_TEST_TMPDIR/lost" ]
	[ "$(many ask "$CLIENT" "$ip" 80)" = "$before" ]
}

@test "a health check port tells load balancers of local endpoints" {
	service web "\"type\": \"LoadBalancer\", \"externalTrafficPolicy\": \"Local\", \"ports\": [$TCP]"
	slice web "$(both)"
	local port
	port=$(kubectl get service web -o jsonpath='{.spec.healthCheckNodePort}')
	[ -n "$port" ]
	health() { [ "$(ip netns exec "$CLIENT" curl -s -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' "http://192.168.77.1:$port/")" = "$1" ]; }
	eventually health 200
	grep -q '"localEndpoints": 1' "$BATS_TEST_TMPDIR/body"
	slice web "$(endpoint 10.244.1.3 there)"
	eventually health 503
}

@test "what changed is written, not everything" {
	service web "\"ports\": [$TCP]"
	slice web "$(both)"
	eventually answers "$POD1" "$(cluster_ip web)" 80
	sleep 2.5
	slice web "$(endpoint 10.244.1.2 here)"
	small() { tail -n 2 "$CP_DIR/proxy.log" | grep -Eq 'changes=[1-4] full=0'; }
	eventually small
}

@test "health, metrics and mode are served; --cleanup removes every rule" {
	ip netns exec "$NODE" curl -s http://127.0.0.1:10256/healthz | grep -q '"nodeEligible"'
	ip netns exec "$NODE" curl -s http://127.0.0.1:10249/metrics | grep -q kubeproxy_sync_proxy_rules_duration_seconds_count
	[ "$(ip netns exec "$NODE" curl -s http://127.0.0.1:10249/proxyMode)" = nftables ]
	ip netns exec "$NODE" "$BIN/kube-proxy" --cleanup
	[ -z "$(ip netns exec "$NODE" nft list tables)" ]
}

@test "bad flags and files are refused by name" {
	run "$BIN/kube-proxy" --no-such-flag
	[ "$status" -eq 1 ]
	[[ "$output" == *"unknown flag: --no-such-flag"* ]]
	run "$BIN/kube-proxy" --cluster-cidr 10.0.0.0/99
	[ "$status" -eq 1 ]
	[[ "$output" == *'"10.0.0.0/99"'* ]]
	printf 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: Other\n' > "$BATS_TEST_TMPDIR/c.yaml"
	run "$BIN/kube-proxy" --config "$BATS_TEST_TMPDIR/c.yaml"
	[ "$status" -eq 1 ]
	[[ "$output" == *'no kind "Other"'* ]]
}
