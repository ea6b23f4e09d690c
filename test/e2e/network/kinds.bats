# Services of each kind, and pods on the host's network.
load ../../lib/e2e.bash

# A server pod and, for comparison by name, its Service's answer.
server() { # NAME [ARGS] [MORE-SPEC]
	make_pod "$1" "containers: [{name: c, image: '$IMAGE', args: [--echo-port=9000${2:+, $2}], readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}}]${3:+, $3}" "labels: {app: $1}"
	k wait --for=condition=Ready "pod/$1" --timeout=60s
}
service() { # NAME SPEC
	k apply -f - <<<"{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"$1\"}, \"spec\": {$2}}"
}
answers() { # ADDRESS PORT EXPECTED
	becomes 20 "$3" fetch "http://$1:$2/"
}

# bats test_tags=short
@test "network: several ports, named and numbered, lead to where they should" {
	need_network
	server a
	service s '"selector":{"app":"a"},"ports":[{"name":"web","port":80,"targetPort":8080},{"name":"echo","port":7,"targetPort":9000}]'
	answers "$(cluster_ip s)" 80 a
	becomes 20 hello k exec a -- server tcp "$(cluster_ip s)" 7 hello
	assert_equal "8080 9000" "$(k get endpointslices -l kubernetes.io/service-name=s -o 'jsonpath={.items[0].ports[*].port}' | tr ' ' '\n' | sort -n | xargs)"
	pod named "containers: [{name: c, image: '$IMAGE', ports: [{name: http, containerPort: 8080}]}]" "labels: {app: named}"
	service t '"selector":{"app":"named"},"ports":[{"port":80,"targetPort":"http"}]'
	answers "$(cluster_ip t)" 80 named
}

# bats test_tags=short
@test "network: datagrams reach a Service" {
	server a
	service s '"selector":{"app":"a"},"ports":[{"port":5353,"protocol":"UDP","targetPort":9000}]'
	becomes 30 hello k exec a -- server udp "$(cluster_ip s)" 5353 hello
	assert_equal a "$(k exec a -- server udp "$(cluster_ip s)" 5353 hostname)"
}

# bats test_tags=short
@test "network: a headless Service has no address, only its pods'" {
	server a
	service s '"clusterIP":"None","selector":{"app":"a"},"ports":[{"port":8080}]'
	assert_equal None "$(cluster_ip s)"
	becomes 20 "$(pod_ip a)" k get endpointslices -l kubernetes.io/service-name=s -o 'jsonpath={.items[*].endpoints[*].addresses[*]}'
	assert_equal "" "$(k get endpointslices -l kubernetes.io/service-name=s -o json | jq -r '.items[].metadata.labels["service.kubernetes.io/headless"] // "none"' | grep -v '^$')"
}

@test "network: an external name is a name only" {
	service s '"type":"ExternalName","externalName":"far.example"'
	assert_equal "far.example " "$(field service/s '.spec.externalName} {.spec.clusterIP')"
	assert_equal 0 "$(k get endpointslices -l kubernetes.io/service-name=s -o name | wc -l)"
	k patch service s -p '{"spec":{"type":"ClusterIP","externalName":null,"ports":[{"port":80}]}}'
	[ -n "$(cluster_ip s)" ]
}

# bats test_tags=short
@test "network: endpoints are those pods that are ready, unless others are wanted too" {
	make_pod a "containers: [{name: c, image: '$IMAGE', args: [--failing], readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}}]" "labels: {app: a}"
	service s '"selector":{"app":"a"},"ports":[{"port":80,"targetPort":8080}]'
	service all '"publishNotReadyAddresses":true,"selector":{"app":"a"},"ports":[{"port":80,"targetPort":8080}]'
	ready() { k get endpointslices -l "kubernetes.io/service-name=$1" -o 'jsonpath={.items[*].endpoints[*].conditions.ready}'; }
	becomes 40 false ready s
	becomes 20 true ready all
	wait_until 20 k exec a -- server get 127.0.0.1 8080 /recover
	becomes 20 true ready s
	becomes 20 "$(pod_ip a)" field endpoints/s '.subsets[*].addresses[*].ip'
	k delete pod a --now
	becomes 20 "" k get endpointslices -l kubernetes.io/service-name=s -o 'jsonpath={.items[*].endpoints[*].addresses[*]}'
}

@test "network: a Service without a selector goes where its endpoints say" {
	need_network
	server a
	service s '"ports":[{"port":80,"targetPort":8080}]'
	k apply -f - <<<"{\"apiVersion\":\"discovery.k8s.io/v1\",\"kind\":\"EndpointSlice\",\"metadata\":{\"name\":\"mine\",\"labels\":{\"kubernetes.io/service-name\":\"s\"}},\"addressType\":\"IPv4\",\"ports\":[{\"name\":\"\",\"port\":8080,\"protocol\":\"TCP\"}],\"endpoints\":[{\"addresses\":[\"$(pod_ip a)\"]}]}"
	answers "$(cluster_ip s)" 80 a
	# Older Endpoints are mirrored.
	service old '"ports":[{"port":80,"targetPort":8080}]'
	k apply -f - <<<"{\"apiVersion\":\"v1\",\"kind\":\"Endpoints\",\"metadata\":{\"name\":\"old\"},\"subsets\":[{\"addresses\":[{\"ip\":\"$(pod_ip a)\"}],\"ports\":[{\"port\":8080}]}]}"
	answers "$(cluster_ip old)" 80 a
}

@test "network: with a local traffic policy a node serves its own pods only, and sees the client" {
	need_network
	need_two_nodes
	one=$(ready_nodes | head -n 1) two=$(ready_nodes | tail -n 1)
	server a "" "nodeName: $two"
	service s '"type":"NodePort","externalTrafficPolicy":"Local","selector":{"app":"a"},"ports":[{"port":80,"targetPort":8080}]'
	answers "$(node_address "$two")" "$(node_port s)" a
	assert_equal "$(ip route get "$(node_address "$two")" | sed -n 's/.* src \([0-9.]*\).*/\1/p')" "$(fetch "http://$(node_address "$two"):$(node_port s)/client")"
	closed() { ! curl -s --max-time 2 "http://$(node_address "$one"):$(node_port s)/"; }
	wait_until 10 closed
	k patch service s -p '{"spec":{"externalTrafficPolicy":"Cluster"}}'
	answers "$(node_address "$one")" "$(node_port s)" a
}

@test "network: an external address of a Service is served" {
	need_nodes
	server a
	service s '"externalIPs":["198.51.100.77"],"selector":{"app":"a"},"ports":[{"port":80,"targetPort":8080}]'
	becomes 20 a k exec a -- server get 198.51.100.77 80 /
}

# bats test_tags=short
@test "network: a pod on the host's network has the host's address and ports" {
	node=$(ready_nodes | tail -n 1) port=$((21000 + RANDOM % 8000))
	make_pod h "hostNetwork: true, nodeName: $node, containers: [{name: c, image: '$IMAGE', args: [--port=$port], ports: [{containerPort: $port}]}]"
	k wait --for=condition=Ready pod/h --timeout=60s
	assert_equal "$(node_address "$node")" "$(pod_ip h)"
	shell_pod p
	assert_equal "$(k exec h -- hostname)" "$(fetch_from p "$(node_address "$node")" "$port" /)"
}

@test "network: a host port leads to the pod" {
	node=$(ready_nodes | tail -n 1) port=$((21000 + RANDOM % 8000))
	make_pod h "nodeName: $node, containers: [{name: c, image: '$IMAGE', ports: [{containerPort: 8080, hostPort: $port}]}]"
	k wait --for=condition=Ready pod/h --timeout=60s
	shell_pod p
	becomes 20 h fetch_from p "$(node_address "$node")" "$port" /
}

@test "network: a Service prefers what is near when told to" {
	need_two_nodes
	service s '"trafficDistribution":"PreferClose","selector":{"app":"a"},"ports":[{"port":80,"targetPort":8080}]'
	server a
	becomes 20 true sh -c "$KUBECTL -n $NS get endpointslices -l kubernetes.io/service-name=s -o json | jq '.items[0].endpoints[0].nodeName != null'"
	refuses 'spec.trafficDistribution: Unsupported value' k patch service s -p '{"spec":{"trafficDistribution":"Anywhere"}}'
}
