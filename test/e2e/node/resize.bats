# Pods whose CPU and memory change while they run.
load ../../lib/e2e.bash

resize() { # POD CONTAINER RESOURCES
	k patch pod "$1" --subresource=resize -p "{\"spec\":{\"containers\":[{\"name\":\"$2\",\"resources\":$3}]}}"
}
cpu_quota() { k exec "$1" -- sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d" " -f1 /sys/fs/cgroup/cpu.max'; }
memory_limit() { k exec "$1" -- sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'; }

# bats test_tags=short
@test "node: CPU of a running container changes in place" {
	pod p "containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: 100m, memory: 32Mi}, limits: {cpu: 200m, memory: 64Mi}}}]"
	id=$(state p a .containerID)
	resize p a '{"requests": {"cpu": "150m"}, "limits": {"cpu": "400m"}}'
	becomes 60 "400m 150m 150m" state p a '.resources.limits.cpu} {.status.containerStatuses[0].resources.requests.cpu} {.status.containerStatuses[0].allocatedResources.cpu'
	becomes 20 40000 cpu_quota p
	assert_equal "$id 0" "$(state p a '.containerID} {.status.containerStatuses[0].restartCount')"
	says 20 '?' messages --field-selector involvedObject.name=p,reason=ResizeCompleted
	becomes 20 "" condition pod/p PodResizeInProgress
	resize p a '{"requests": {"cpu": "50m"}, "limits": {"cpu": "100m"}}'
	becomes 60 "100m 50m" state p a '.resources.limits.cpu} {.status.containerStatuses[0].resources.requests.cpu'
	becomes 20 10000 cpu_quota p
	assert_equal "$(field pod/p .metadata.generation)" "$(field pod/p .status.observedGeneration)"
}

@test "node: memory changes by a restart of the container where its policy says so" {
	pod p "containers: [{name: a, image: '$IMAGE', resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}], resources: {requests: {memory: 32Mi}, limits: {memory: 64Mi}}}, {name: b, image: '$IMAGE', args: ['--port=8081'], resources: {requests: {memory: 16Mi}, limits: {memory: 32Mi}}}]"
	resize p a '{"limits": {"memory": "96Mi"}}'
	becomes 60 "96Mi 1" state p a '.resources.limits.memory} {.status.containerStatuses[?(@.name=="a")].restartCount'
	k wait --for=condition=Ready pod/p --timeout=40s
	assert_equal 100663296 "$(memory_limit p)"
	assert_equal 0 "$(state p b .restartCount)"
	assert_contains "$(k get events)" "Container a resize requires restart"
	becomes 20 "" condition pod/p PodResizeInProgress
}

@test "node: a memory limit is not set below what is in use" {
	pod p "containers: [{name: a, image: '$IMAGE', resources: {requests: {memory: 16Mi}, limits: {memory: 128Mi}}}]"
	k exec p -- server get 127.0.0.1 8080 '/allocate?48'
	resize p a '{"limits": {"memory": "32Mi"}}'
	becomes 60 "True Error" condition pod/p PodResizeInProgress '.status} {.status.conditions[?(@.type=="PodResizeInProgress")].reason'
	assert_contains "$(condition pod/p PodResizeInProgress .message)" 'attempting to set container "a" memory limit (33554432) below current usage'
	assert_equal 128Mi "$(state p a .resources.limits.memory)"
	assert_equal 134217728 "$(memory_limit p)"
	resize p a '{"limits": {"memory": "160Mi"}}'
	becomes 60 160Mi state p a .resources.limits.memory
	becomes 20 "" condition pod/p PodResizeInProgress
	assert_equal 0 "$(state p a .restartCount)"
}

@test "node: a resize that the node could never grant is refused" {
	pod p "containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: 10m}}}]"
	resize p a '{"requests": {"cpu": "1000"}}'
	becomes 30 "True Infeasible" condition pod/p PodResizePending '.status} {.status.conditions[?(@.type=="PodResizePending")].reason'
	assert_contains "$(condition pod/p PodResizePending .message)" "Node didn't have enough capacity: cpu, requested: 1000000, capacity: "
	assert_equal "$(field pod/p .metadata.generation)" "$(condition pod/p PodResizePending .observedGeneration)"
	assert_equal "10m 10m" "$(state p a '.resources.requests.cpu} {.status.containerStatuses[0].allocatedResources.cpu')"
	resize p a '{"requests": {"cpu": "20m"}}'
	becomes 30 20m state p a .resources.requests.cpu
	becomes 20 "" condition pod/p PodResizePending
}

# bats test_tags=alone
@test "node: a resize waits until there is room, even across a restart of the kubelet" {
	need_nodes
	node=$(ready_nodes | head -1)
	free=$(free_cpu "$node")
	pod filler "nodeName: $node, containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: $((free / 2))m}}}]"
	pod p "nodeName: $node, containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: 10m}, limits: {cpu: 4}}}]"
	resize p a "{\"requests\": {\"cpu\": \"$((free * 3 / 4))m\"}}"
	becomes 30 "True Deferred" condition pod/p PodResizePending '.status} {.status.conditions[?(@.type=="PodResizePending")].reason'
	assert_contains "$(condition pod/p PodResizePending .message)" "Node didn't have enough resource: cpu, requested: $((free * 3 / 4)), used: "
	assert_equal 10m "$(state p a .allocatedResources.cpu)"
	kill_component "$node" kubelet
	wait_until 30 in_node "$node" pgrep -x kubelet
	stays 5 "Deferred 10m" condition pod/p PodResizePending '.reason} {.status.containerStatuses[0].allocatedResources.cpu'
	k delete pod filler --timeout=60s
	becomes 60 "$((free * 3 / 4))m" state p a .resources.requests.cpu
	becomes 20 "" condition pod/p PodResizePending
	assert_equal 0 "$(state p a .restartCount)"
}

# bats test_tags=alone
@test "node: a kubelet that is killed carries on with a resize" {
	need_nodes
	pod p "containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}}]"
	node=$(field pod/p .spec.nodeName)
	id=$(state p a .containerID)
	in_node "$node" sh -c 'kill -STOP $(pgrep -x kubelet)'
	resize p a '{"limits": {"cpu": "300m"}}'
	in_node "$node" sh -c 'kill -CONT $(pgrep -x kubelet); kill -KILL $(pgrep -x kubelet)'
	becomes 60 300m state p a .resources.limits.cpu
	becomes 20 30000 cpu_quota p
	assert_equal "$id 0" "$(state p a '.containerID} {.status.containerStatuses[0].restartCount')"
}
