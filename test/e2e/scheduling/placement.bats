# Where pods go.
load ../../lib/e2e.bash

placed() { # NAME SPEC [METADATA]: waits until the pod has a node
	make_pod "$@" >/dev/null
	k wait --for=jsonpath='{.spec.nodeName}' "pod/$1" --timeout=30s
}
unplaced() { # NAME PART: the pod cannot be placed, and that is why
	says 30 "$2" condition "pod/$1" PodScheduled .message || {
		field "pod/$1" .status.conditions
		return 1
	}
	assert_equal "Unschedulable Pending" "$(field "pod/$1" '.status.conditions[?(@.type=="PodScheduled")].reason} {.status.phase')"
}
node_of() { field "pod/$1" .spec.nodeName; }
c="containers: [{name: c, image: '$IMAGE'}]"

# bats test_tags=short
@test "scheduling: a node selector chooses the node, and waits for one that fits" {
	node=$(ready_nodes | tail -n 1)
	at_end kall label node "$node" "$NS-"
	make_pod p "$c, nodeSelector: {$NS: here}"
	unplaced p "didn't match Pod's node affinity/selector"
	assert_contains "$(k get events --field-selector involvedObject.name=p)" FailedScheduling
	kall label node "$node" "$NS=here"
	k wait --for=condition=Ready pod/p --timeout=40s
	assert_equal "$node" "$(node_of p)"
}

@test "scheduling: node affinity requires, and prefers" {
	need_two_nodes
	one=$(ready_nodes | head -n 1) two=$(ready_nodes | tail -n 1)
	placed a "$c, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: NotIn, values: [$one]}, {key: kubernetes.io/os, operator: Exists}]}]}}}"
	assert_lacks "$(node_of a)" "$one"
	placed b "$c, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [$two]}]}]}}}"
	assert_equal "$two" "$(node_of b)"
	placed c "$c, affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [$two]}]}}]}}"
	assert_equal "$two" "$(node_of c)"
	make_pod d "$c, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: e2e-none, operator: Gt, values: ['1']}]}]}}}"
	unplaced d "didn't match Pod's node affinity/selector"
}

# bats test_tags=short
@test "scheduling: pods attract each other, and keep away from each other" {
	need_two_nodes
	placed a "$c" "labels: {app: a}"
	placed near "$c, affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: a}}}]}}"
	assert_equal "$(node_of a)" "$(node_of near)"
	placed far "$c, affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: a}}}]}}"
	[ "$(node_of a)" != "$(node_of far)" ]
	make_pod lonely "$c, affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: nobody}}}]}}"
	unplaced lonely "didn't match pod affinity rules"
	k label pod a --overwrite app=nobody
	becomes 30 "$(node_of a)" field pod/lonely .spec.nodeName
}

@test "scheduling: pods of a deployment that exclude each other take a node each" {
	nodes=$(ready_nodes | wc -l)
	k apply -f - <<-Y
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: d}
		spec:
		  replicas: $((nodes + 1))
		  selector: {matchLabels: {app: d}}
		  template:
		    metadata: {labels: {app: d}}
		    spec: {terminationGracePeriodSeconds: 0, $c, affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: d}}}]}}}
	Y
	becomes 60 "$nodes" field deployment/d .status.readyReplicas
	assert_equal 1 "$(count_pods -l app=d --field-selector spec.nodeName=)"
	assert_equal "$nodes" "$(k get pods -l app=d --field-selector status.phase=Running -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | wc -l)"
}

# bats test_tags=short
@test "scheduling: spread constraints keep the counts level" {
	need_two_nodes
	for i in 1 2 3 4; do
		placed "p$i" "$c, topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: s}}}]" "labels: {app: s}"
	done
	counts=$(k get pods -l app=s -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort | uniq -c | awk '{print $1}' | sort -n)
	[ $(($(tail -n 1 <<<"$counts") - $(head -n 1 <<<"$counts"))) -le 1 ]
}

# bats test_tags=alone
@test "scheduling: a taint keeps pods away, and NoExecute drives them out" {
	need_two_nodes
	node=$(ready_nodes | tail -n 1)
	at_end kall taint node "$node" "$NS-"
	placed here "$c, nodeSelector: {kubernetes.io/hostname: $node}"
	placed stays "$c, nodeSelector: {kubernetes.io/hostname: $node}, tolerations: [{key: $NS, operator: Exists, effect: NoExecute}]"
	kall taint node "$node" "$NS=v:NoSchedule"
	make_pod kept-out "$c, nodeSelector: {kubernetes.io/hostname: $node}"
	unplaced kept-out "had untolerated taint"
	placed tolerant "$c, nodeSelector: {kubernetes.io/hostname: $node}, tolerations: [{key: $NS, value: v, effect: NoSchedule}]"
	k get pod here
	kall taint node "$node" "$NS=v:NoExecute"
	k wait --for=delete pod/here --timeout=60s
	assert_contains "$(k get events)" TaintManagerEviction
	assert_equal "" "$(field pod/stays .metadata.deletionTimestamp)"
}

# bats test_tags=short
@test "scheduling: a pod that asks for more than any node has waits" {
	make_pod p "containers: [{name: c, image: '$IMAGE', resources: {requests: {cpu: '1000'}}}]"
	unplaced p "Insufficient cpu"
	make_pod q "containers: [{name: c, image: '$IMAGE', resources: {requests: {example.com/thing: '1'}, limits: {example.com/thing: '1'}}}]"
	unplaced q "Insufficient example.com/thing"
	assert_contains "$(condition pod/p PodScheduled .message)" "0/$(kall get nodes -o name | wc -l) nodes are available"
}

# bats test_tags=alone
@test "scheduling: the more important pod takes the place of the less important" {
	node=$(ready_nodes | tail -n 1)
	kall patch node "$node" --subresource=status --type=json -p '[{"op":"add","path":"/status/capacity/example.com~1e2e","value":"1"}]'
	at_end kall patch node "$node" --subresource=status --type=json -p '[{"op":"remove","path":"/status/capacity/example.com~1e2e"}]'
	at_end kall delete priorityclass "$NS-low" "$NS-high"
	kall create priorityclass "$NS-low" --value=100
	kall create priorityclass "$NS-high" --value=1000
	becomes 30 1 field "node/$node" '.status.allocatable.example\.com/e2e' || kall patch node "$node" --subresource=status --type=json -p '[{"op":"add","path":"/status/allocatable/example.com~1e2e","value":"1"}]'
	thing="containers: [{name: c, image: '$IMAGE', resources: {requests: {example.com/e2e: '1'}, limits: {example.com/e2e: '1'}}}]"
	placed low "$thing, priorityClassName: $NS-low"
	make_pod same "$thing, priorityClassName: $NS-low"
	unplaced same "Insufficient example.com/e2e"
	make_pod high "$thing, priorityClassName: $NS-high"
	k wait --for=jsonpath='{.spec.nodeName}' pod/high --timeout=60s
	k wait --for=delete pod/low --timeout=30s
	assert_contains "$(k get events)" Preempted
	assert_equal "" "$(node_of same)"
}

# bats test_tags=short
@test "scheduling: a gate holds a pod back until it is lifted" {
	make_pod p "$c, schedulingGates: [{name: example.com/wait}, {name: example.com/more}]"
	becomes 20 "SchedulingGated" condition pod/p PodScheduled .reason
	assert_contains "$(k get pod p)" SchedulingGated
	k patch pod p --type=json -p '[{"op":"remove","path":"/spec/schedulingGates/0"}]'
	refuses 'only deletion is allowed' k patch pod p -p '{"spec":{"schedulingGates":[{"name":"example.com/late"}]}}'
	stays 1 "" node_of p
	k patch pod p --type=json -p '[{"op":"remove","path":"/spec/schedulingGates"}]'
	k wait --for=condition=Ready pod/p --timeout=30s
}

# bats test_tags=short
@test "scheduling: a host port is taken once a node, for each protocol and address" {
	node=$(ready_nodes | head -n 1) port=$((20000 + RANDOM % 10000))
	on="nodeSelector: {kubernetes.io/hostname: $node}, containers: [{name: c, image: '$IMAGE', ports: [{containerPort: 8080, hostPort: $port"
	placed a "$on}]}]"
	make_pod b "$on}]}]"
	unplaced b "didn't have free ports for the requested pod ports"
	placed udp "$on, protocol: UDP}]}]"
	k delete pod a --now
	k wait --for=jsonpath='{.spec.nodeName}' pod/b --timeout=30s
}

# bats test_tags=alone
@test "scheduling: a cordoned node takes no new pods and keeps its own" {
	node=$(ready_nodes | tail -n 1)
	placed before "$c, nodeSelector: {kubernetes.io/hostname: $node}"
	at_end kall uncordon "$node"
	kall cordon "$node"
	assert_contains "$(kall get node "$node")" SchedulingDisabled
	make_pod after "$c, nodeSelector: {kubernetes.io/hostname: $node}"
	unplaced after "were unschedulable"
	kall uncordon "$node"
	k wait --for=condition=Ready pod/after --timeout=40s
	k get pod before
}

@test "scheduling: a pod of another scheduler is left alone, and one with a node needs none" {
	make_pod other "$c, schedulerName: somebody"
	pod direct "$c, nodeName: $(ready_nodes | head -n 1)"
	assert_equal "" "$(node_of other)$(field pod/other .status.conditions)"
}
