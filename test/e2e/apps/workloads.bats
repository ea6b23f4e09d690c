# Replica sets, stateful sets and daemon sets.
load ../../lib/e2e.bash

stateful() { # NAME REPLICAS [MORE-SPEC]
	k apply -f - <<-Y
		apiVersion: v1
		kind: Service
		metadata: {name: $1}
		spec: {clusterIP: None, selector: {app: $1}, ports: [{port: 8080}]}
		---
		apiVersion: apps/v1
		kind: StatefulSet
		metadata: {name: $1}
		spec:
		  serviceName: $1
		  replicas: $2
		  selector: {matchLabels: {app: $1}}
		  template:
		    metadata: {labels: {app: $1}}
		    spec:
		      terminationGracePeriodSeconds: 0
		      containers:
		      - {name: server, image: "$IMAGE", args: [--failing], readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}}
		  ${3:-}
	Y
}
recover() { # POD: makes it pass its probe
	wait_until 40 sh -c "$KUBECTL -n $NS exec $1 -- server get 127.0.0.1 8080 /recover"
	k wait --for=condition=Ready "pod/$1" --timeout=30s
}
pod_names() { k get pods -l "app=$1" -o 'jsonpath={.items[*].metadata.name}' | tr ' ' '\n' | sort | xargs; }

# bats test_tags=short
@test "apps: a replica set adopts what fits and lets go of what no longer does" {
	k create -f - <<<"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"stray\",\"labels\":{\"app\":\"r\"}},\"spec\":{\"schedulerName\":\"nobody\",\"terminationGracePeriodSeconds\":0,\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"
	k create -f - <<-Y
		apiVersion: apps/v1
		kind: ReplicaSet
		metadata: {name: r}
		spec:
		  replicas: 2
		  selector: {matchLabels: {app: r}}
		  template:
		    metadata: {labels: {app: r}}
		    spec: {schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{name: c, image: i}]}
	Y
	becomes 30 r field pod/stray '.metadata.ownerReferences[0].name'
	becomes 30 2 field replicaset/r .status.replicas
	assert_equal 2 "$(count_pods -l app=r)"
	k label pod stray --overwrite app=other
	becomes 30 "" field pod/stray .metadata.ownerReferences
	becomes 30 2 count_pods -l app=r
	k delete replicaset r
	becomes 30 stray k get pods -o 'jsonpath={.items[*].metadata.name}'
}

@test "apps: a replica set that may not create pods says why" {
	k create quota none --hard=pods=0
	becomes 20 0 field resourcequota/none .status.used.pods
	k create deployment d --image=i
	becomes 40 FailedCreate k get replicaset -o 'jsonpath={.items[0].status.conditions[?(@.type=="ReplicaFailure")].reason}'
	becomes 40 FailedCreate condition deployment/d ReplicaFailure .reason
	says 20 'exceeded quota: none' messages
}

# bats test_tags=short
@test "apps: a stateful set starts its pods one after the other and keeps their names" {
	stateful s 2
	becomes 30 s-0 pod_names s
	stays 2 s-0 pod_names s
	recover s-0
	becomes 30 "s-0 s-1" pod_names s
	recover s-1
	k rollout status statefulset/s --timeout=30s
	assert_equal "s-1 s s-1 1" "$(field pod/s-1 '.spec.hostname} {.spec.subdomain} {.metadata.labels.statefulset\.kubernetes\.io/pod-name} {.metadata.labels.apps\.kubernetes\.io/pod-index')"
	uid=$(field pod/s-0 .metadata.uid)
	k delete pod s-0 --now
	wait_until 30 sh -c "u=\$($KUBECTL -n $NS get pod s-0 -o 'jsonpath={.metadata.uid}') && [ \"\$u\" != $uid ]"
}

@test "apps: a stateful set in parallel waits for none, and scales down from the end" {
	stateful s 3 "podManagementPolicy: Parallel"
	becomes 40 "s-0 s-1 s-2" pod_names s
	k scale statefulset s --replicas=1
	becomes 40 s-0 pod_names s
}

@test "apps: a stateful set updates from the highest down to its partition" {
	stateful s 3 "podManagementPolicy: Parallel"
	becomes 40 "s-0 s-1 s-2" pod_names s
	for i in 0 1 2; do recover "s-$i"; done
	k patch statefulset s -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}},"template":{"metadata":{"annotations":{"round":"2"}}}}}'
	becomes 40 "2" field pod/s-2 .metadata.annotations.round
	recover s-2
	becomes 30 "1 2" field statefulset/s '.status.updatedReplicas} {.status.currentReplicas'
	stays 2 "" field pod/s-1 .metadata.annotations.round
	k patch statefulset s -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'
	becomes 40 2 field pod/s-1 .metadata.annotations.round
	assert_equal "" "$(field pod/s-0 '.metadata.annotations.round')"
	recover s-1
	becomes 40 2 field pod/s-0 .metadata.annotations.round
	recover s-0
	becomes 30 true sh -c "$KUBECTL -n $NS get statefulset s -o json | jq '.status.currentRevision == .status.updateRevision'"
}

@test "apps: with OnDelete only pods that are deleted become new" {
	stateful s 1 "updateStrategy: {type: OnDelete}"
	becomes 30 s-0 pod_names s
	recover s-0
	k patch statefulset s -p '{"spec":{"template":{"metadata":{"annotations":{"round":"2"}}}}}'
	becomes 20 true sh -c "$KUBECTL -n $NS get statefulset s -o json | jq '.status.observedGeneration == .metadata.generation'"
	assert_equal "" "$(field pod/s-0 '.metadata.annotations.round')"
	k delete pod s-0 --now
	becomes 30 2 field pod/s-0 .metadata.annotations.round
}

daemon() { # [MORE-POD-SPEC]
	k apply -f - <<-Y
		apiVersion: apps/v1
		kind: DaemonSet
		metadata: {name: d}
		spec:
		  selector: {matchLabels: {app: d}}
		  template:
		    metadata: {labels: {app: d}}
		    spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "${image:-$IMAGE}"}]${1:+, $1}}
	Y
}

@test "apps: a daemon set follows its node selector" {
	node=$(ready_nodes | head -n 1)
	at_end kall label node "$node" "$NS-"
	daemon "nodeSelector: {$NS: 'yes'}"
	becomes 20 "0 0" field daemonset/d '.status.desiredNumberScheduled} {.status.currentNumberScheduled'
	kall label node "$node" "$NS=yes"
	becomes 40 "1 1" field daemonset/d '.status.desiredNumberScheduled} {.status.numberReady'
	assert_equal "$node" "$(k get pods -l app=d -o 'jsonpath={.items[*].spec.nodeName}')"
	kall label node "$node" "$NS-"
	becomes 40 0 count_pods -l app=d
}

@test "apps: a daemon set rolls to a new template, and back" {
	daemon
	k rollout status daemonset/d --timeout=60s
	k set image daemonset/d c=localhost/test:2
	k rollout status daemonset/d --timeout=60s
	assert_equal localhost/test:2 "$(k get pods -l app=d -o 'jsonpath={.items[*].spec.containers[0].image}' | tr ' ' '\n' | sort -u)"
	assert_contains "$(k rollout history daemonset/d)" 2
	k rollout undo daemonset/d
	k rollout status daemonset/d --timeout=60s
	assert_equal localhost/test:1 "$(k get pods -l app=d -o 'jsonpath={.items[*].spec.containers[0].image}' | tr ' ' '\n' | sort -u)"
}

# bats test_tags=alone
@test "apps: a daemon set goes where nobody else may: a node that is cordoned" {
	node=$(ready_nodes | tail -n 1)
	at_end kall uncordon "$node"
	kall cordon "$node"
	daemon
	becomes 40 "$(kall get nodes -o name | wc -l)" field daemonset/d .status.numberReady
}
