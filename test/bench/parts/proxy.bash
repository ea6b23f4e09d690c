# Proxies in turn, each in a network namespace of its own, on one apiserver, ours.

netns=kbench$$ host_ip=198.19.77.1 node_ip=198.19.77.2

# A connection through a Service's address: its one endpoint is the apiserver. (Asking nft would read all rules each time.)
connects() { ip netns exec "$netns" timeout 0.2 bash -c "exec 3<> /dev/tcp/$1/80"; }
network_up() {
	ip netns add "$netns" && ip -n "$netns" link set lo up &&
		ip link add kbenchh type veth peer name eth0 netns "$netns" &&
		ip addr add $host_ip/30 dev kbenchh && ip link set kbenchh up &&
		ip -n "$netns" addr add $node_ip/30 dev eth0 && ip -n "$netns" link set eth0 up &&
		ip -n "$netns" route add default via $host_ip
}
network_down() {
	ip link del kbenchh 2> /dev/null
	ip netns del "$netns" 2> /dev/null
}
service_templates() {
	"$kubectl" create -f - > /dev/null <<- 'YAML'
		apiVersion: v1
		kind: Service
		metadata: {name: load-00000000}
		spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: load}}
		---
		apiVersion: discovery.k8s.io/v1
		kind: EndpointSlice
		metadata: {name: load-00000000, labels: {kubernetes.io/service-name: load-00000000}}
		addressType: IPv4
		ports: [{name: "", port: 8080}]
		endpoints: [{addresses: [10.100.0.1], conditions: {ready: true}}, {addresses: [10.101.0.1], conditions: {ready: true}}]
		---
		apiVersion: v1
		kind: Node
		metadata: {name: bench}
	YAML
	"$kubectl" patch node bench --subresource=status --type=merge -p '{"status":{"addresses":[{"type":"InternalIP","address":"'$node_ip'"}]}}' > /dev/null
}
services() { # N [FROM]
	fill default /registry/endpointslices/default/load-00000000 /registry/endpointslices/default "$1" "${2:-0}"
	fill default /registry/services/specs/default/load-00000000 /registry/services/specs/default "$1" "${2:-0}"
}
reachable_service() { # NAME
	"$kubectl" create -f - > /dev/null <<- YAML
		apiVersion: discovery.k8s.io/v1
		kind: EndpointSlice
		metadata: {name: $1, labels: {kubernetes.io/service-name: $1}}
		addressType: IPv4
		ports: [{name: "", port: $CP_PORT}]
		endpoints: [{addresses: [$host_ip], conditions: {ready: true}}]
		---
		apiVersion: v1
		kind: Service
		metadata: {name: $1}
		spec: {ports: [{port: 80, targetPort: $CP_PORT}]}
	YAML
	"$kubectl" get service "$1" -o 'jsonpath={.spec.clusterIP}'
}

proxy_once() {
	local pid begin cpu address
	network_up || {
		failed "no network namespace can be made here"
		network_down
		return
	}
	begin=$(now_ms)
	ip netns exec "$netns" env KUBE_PROXY_NFTABLES_SKIP_KERNEL_VERSION_CHECK=1 "${dirs[$side]}/kube-proxy" --kubeconfig "$CP_DIR/proxy.kubeconfig" \
		--hostname-override bench --cluster-cidr 10.244.0.0/16 --proxy-mode nftables --oom-score-adj 0 --conntrack-max-per-core 0 \
		> "$work/proxy.log" 2>&1 &
	pid=$!
	if until_ms 90 connects "$first" > /dev/null; then
		sample proxy-first ms $(($(now_ms) - begin)) - "$(cpu_ms $pid)" "$(peak_mib $pid)"
		rest 3 # the proxy's own pace between two syncs is not what is asked for
		cpu=$(cpu_ms $pid) begin=$(now_ms)
		address=$(reachable_service "reach-$side-$round")
		if until_ms 60 connects "$address" > /dev/null; then
			sample proxy-change ms $(($(now_ms) - begin)) - $(($(cpu_ms $pid) - cpu)) "$(peak_mib $pid)"
			sample proxy-memory MiB "$(resident_mib $pid)"
		else
			failed "the new service is not served: $(tail -1 "$work/proxy.log")"
		fi
	else
		failed "the first sync is not over: $(tail -1 "$work/proxy.log")"
	fi
	end_process $pid
	network_down
}

part_proxy() {
	local first
	on ours
	CP_FLAGS="--bind-address=0.0.0.0 --service-cluster-ip-range=10.96.0.0/12" start_side
	on ours
	cp_cert proxy /CN=system:kube-proxy "extendedKeyUsage=clientAuth\n"
	cp_kubeconfig proxy
	sed -i "s|server: \"https://127.0.0.1:|tls-server-name: localhost, server: \"https://$host_ip:|" "$CP_DIR/proxy.kubeconfig"
	service_templates
	source=""
	services "$(scaled 10000)"
	first=$(reachable_service reach)
	in_turn proxy_once
}
