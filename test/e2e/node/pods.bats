# Pods on a node.
load ../../lib/e2e.bash

@test "node: a container killed with SIGKILL comes back" {
	shell_pod p 2>/dev/null || true
	k delete pod p --now --wait=true >/dev/null
	k run p --image=localhost/test:1
	k wait --for=condition=Ready pod/p --timeout=30s
	id=$(k get pod p -o 'jsonpath={.status.containerStatuses[0].containerID}')
	node=$(k get pod p -o 'jsonpath={.spec.nodeName}')
	in_node "${node#node}" ctr -n k8s.io task kill -s SIGKILL "${id#containerd://}"
	becomes 30 1 field pod/p '.status.containerStatuses[0].restartCount'
	k wait --for=condition=Ready pod/p --timeout=30s
	assert_equal 137 "$(k get pod p -o 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}')"
}

# bats test_tags=short
@test "node: init containers run in order, then the pod's own; what they write is seen" {
	k apply -f - <<T
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  restartPolicy: Never
  volumes: [{name: d, emptyDir: {}}]
  initContainers:
  - {name: a, image: "localhost/test:1", command: [sh, -c, "echo one > /d/f"], volumeMounts: [{name: d, mountPath: /d}]}
  - {name: b, image: "localhost/test:1", command: [sh, -c, "echo two >> /d/f"], volumeMounts: [{name: d, mountPath: /d}]}
  containers:
  - {name: c, image: "localhost/test:1", command: [cat, /d/f], volumeMounts: [{name: d, mountPath: /d}]}
T
	becomes 30 Succeeded field pod/p .status.phase
	assert_equal "one
two" "$(k logs p)"
}

# bats test_tags=short
@test "node: config maps, secrets and fields arrive as environment and files, and files follow changes" {
	k create configmap cm --from-literal=color=blue
	k create secret generic s --from-literal=word=hidden
	k apply -f - <<T
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {tier: x}}
spec:
  containers:
  - name: c
    image: localhost/test:1
    env:
    - {name: COLOR, valueFrom: {configMapKeyRef: {name: cm, key: color}}}
    - {name: WORD, valueFrom: {secretKeyRef: {name: s, key: word}}}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: BOTH, value: "\$(COLOR)-\$(WORD)"}
    volumeMounts: [{name: v, mountPath: /v}]
  volumes:
  - name: v
    projected:
      sources:
      - configMap: {name: cm}
      - secret: {name: s}
      - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
T
	k wait --for=condition=Ready pod/p --timeout=30s
	assert_equal blue-hidden "$(k exec p -- sh -c 'echo $BOTH')"
	assert_equal "$(k get pod p -o 'jsonpath={.status.podIP}')" "$(k exec p -- sh -c 'echo $IP')"
	assert_equal bluehidden "$(k exec p -- cat /v/color /v/word)"
	assert_equal 'tier="x"' "$(k exec p -- cat /v/labels)"
	assert_equal 3 "$(k exec p -- cat /v/token | tr . '\n' | wc -l | tr -d ' ')" || k exec p -- grep -q '\..*\.' /v/token
	k create configmap cm --from-literal=color=green --dry-run=client -o yaml | k apply -f -
	wait_until 100 equals green k exec p -- cat /v/color
}

# bats test_tags=short
@test "node: a liveness probe that fails restarts the container; readiness takes it out of the service" {
	deploy web 1
	pod=$(k get pods -l app=web -o 'jsonpath={.items[0].metadata.name}')
	ip=$(k get pod "$pod" -o 'jsonpath={.status.podIP}')
	fetch "http://$ip:8080/fail"
	becomes 20 False condition "pod/$pod" Ready
	becomes 10 "" field endpoints/web '.subsets[*].addresses[*].ip'
	fetch "http://$ip:8080/recover"
	becomes 20 "$ip" field endpoints/web '.subsets[*].addresses[*].ip'
	k patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"server","livenessProbe":{"httpGet":{"path":"/healthz","port":8080},"periodSeconds":1,"failureThreshold":2}}]}}}}'
	k rollout status deployment/web --timeout=60s
	becomes 30 1 count_pods -l app=web
	pod=$(k get pods -l app=web -o 'jsonpath={.items[0].metadata.name}')
	fetch "http://$(k get pod "$pod" -o 'jsonpath={.status.podIP}'):8080/fail"
	becomes 30 1 field "pod/$pod" '.status.containerStatuses[0].restartCount'
}

@test "node: a container that keeps failing is held back" {
	k run p --image=localhost/test:1 --command -- sh -c 'exit 3'
	becomes 60 CrashLoopBackOff field pod/p '.status.containerStatuses[0].state.waiting.reason'
	assert_equal 3 "$(k get pod p -o 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}')"
}

@test "node: a missing image is reported as such" {
	k run p --image=localhost/not-there:1 --image-pull-policy=Never
	becomes 20 ErrImageNeverPull field pod/p '.status.containerStatuses[0].state.waiting.reason'
}

@test "node: a deleted pod gets its grace and its hook" {
	k apply -f - <<T
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  terminationGracePeriodSeconds: 20
  volumes: [{name: d, hostPath: {path: /tmp/$NS, type: DirectoryOrCreate}}]
  containers:
  - name: c
    image: localhost/test:1
    command: [sh, -c, "trap 'echo term >> /d/f; exit 0' TERM; while :; do sleep 0.1; done"]
    lifecycle: {preStop: {exec: {command: [sh, -c, "echo hook >> /d/f"]}}}
    volumeMounts: [{name: d, mountPath: /d}]
T
	k wait --for=condition=Ready pod/p --timeout=30s
	node=$(k get pod p -o 'jsonpath={.spec.nodeName}')
	k delete pod p --timeout=30s
	assert_equal "hook term" "$(in_node "${node#node}" cat "/tmp/$NS/f" | xargs)"
}

# The original waits for what the pod waits for: for the first grace period, for the hook, for the pull.
# bats test_tags=ours
@test "node: a second deletion with less grace ends the pod sooner" {
	pod p "containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'trap : TERM; while :; do sleep 1; done']}]"
	k delete pod p --grace-period=600 --wait=false
	says 20 'Stopping container c' messages
	k delete pod p --grace-period=1 --wait=false
	k wait --for=delete pod/p --timeout=30s
}

# bats test_tags=ours
@test "node: a pod is deleted while its postStart hook still runs" {
	make_pod p "containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'sleep 600'],
		lifecycle: {postStart: {exec: {command: [sleep, '600']}}}}]"
	says 30 'Started container c' messages
	k delete pod p --wait=false
	k wait --for=delete pod/p --timeout=30s
}

# bats test_tags=ours
@test "node: a pod is deleted while its image is pulled" {
	local port=$((30000 + RANDOM % 2000)) node
	pod registry "hostNetwork: true, containers: [{name: c, image: '$IMAGE',
		command: [nc, -ll, -p, '$port', -e, sleep, '600']}]"
	node=$(field pod/registry .spec.nodeName)
	for p in p q; do make_pod $p "nodeName: $node, containers: [{name: c, image: 'localhost:$port/slow:1'}]"; done
	for p in p q; do says 20 'Pulling image' messages --field-selector "involvedObject.name=$p"; done
	k delete pod p q --wait=false
	k wait --for=delete pod/p --timeout=20s
	k wait --for=delete pod/q --timeout=20s
}

@test "node: requests and limits become cgroups and a QoS class" {
	k run p --image=localhost/test:1 --overrides='{"spec":{"containers":[{"name":"p","image":"localhost/test:1","resources":{"limits":{"cpu":"500m","memory":"64Mi"}}}]}}'
	k wait --for=condition=Ready pod/p --timeout=30s
	assert_equal Guaranteed "$(k get pod p -o 'jsonpath={.status.qosClass}')"
	assert_equal 67108864 "$(k exec p -- sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max')"
}

# bats test_tags=short
@test "node: the security context is applied" {
	k apply -f - <<T
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  restartPolicy: Never
  securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000}
  containers:
  - name: c
    image: localhost/test:1
    command: [sh, -c, "id -u; id -g; touch /x 2>/dev/null || echo read-only"]
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
T
	becomes 30 Succeeded field pod/p .status.phase
	assert_equal "1000 1000 read-only" "$(k logs p | xargs)"
}

@test "node: static pods are mirrored and come back when deleted" {
	in_node 1 sh -c "cat > /etc/kubernetes/manifests/st.yaml" <<T
apiVersion: v1
kind: Pod
metadata: {name: st, namespace: $NS}
spec:
  containers: [{name: c, image: "localhost/test:1"}]
T
	becomes 40 Running field pod/st-node1 .status.phase
	in_node 1 rm /etc/kubernetes/manifests/st.yaml
	becomes 40 0 count_pods
}

# bats test_tags=alone
@test "node: a critical pod is admitted in the place of others" {
	node=$(ready_nodes | head -1)
	free=$(free_cpu "$node")
	pod small "nodeName: $node, containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: 10m}}}]"
	pod large "nodeName: $node, containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: $((free * 3 / 4))m}}}]"
	make_pod plain "nodeName: $node, containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: $((free / 2))m}}}]"
	becomes 40 "Failed OutOfcpu" field pod/plain '.status.phase} {.status.reason'
	pod critical "nodeName: $node, priorityClassName: system-node-critical, containers: [{name: a, image: '$IMAGE', resources: {requests: {cpu: $((free / 2))m}}}]"
	becomes 40 "Failed Preempting Preempted in order to admit critical pod" field pod/large '.status.phase} {.status.reason} {.status.message'
	assert_equal "True TerminationByKubelet" "$(field pod/large '.status.conditions[?(@.type=="DisruptionTarget")].status} {.status.conditions[?(@.type=="DisruptionTarget")].reason')"
	assert_equal Running "$(field pod/small .status.phase)"
}
