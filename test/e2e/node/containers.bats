# What a pod's containers are given, and how they begin and end.
load ../../lib/e2e.bash

# bats test_tags=short
@test "node: restart policies decide what happens after the end" {
	make_pod never "restartPolicy: Never, containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'exit 5']}]"
	make_pod ok "restartPolicy: OnFailure, containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'exit 0']}]"
	make_pod again "restartPolicy: OnFailure, volumes: [{name: d, emptyDir: {}}], containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'test -e /d/once || { touch /d/once; exit 1; }'], volumeMounts: [{name: d, mountPath: /d}]}]"
	becomes 60 Failed field pod/never .status.phase
	becomes 60 Succeeded field pod/ok .status.phase
	becomes 60 Succeeded field pod/again .status.phase
	assert_equal "5 Error 0" "$(state never c '.state.terminated.exitCode} {.status.containerStatuses[0].state.terminated.reason} {.status.containerStatuses[0].restartCount')"
	assert_equal "Completed 1" "$(state again c '.state.terminated.reason} {.status.containerStatuses[0].restartCount')"
}

# bats test_tags=short
@test "node: the termination message is the file's, or the log's end when asked" {
	make_pod file "restartPolicy: Never, containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'echo -n said >/dev/termination-log; exit 1']}]"
	make_pod log "restartPolicy: Never, containers: [{name: c, image: '$IMAGE', terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, 'echo last words; exit 1']}]"
	make_pod path "restartPolicy: Never, containers: [{name: c, image: '$IMAGE', terminationMessagePath: /tmp/m, command: [sh, -c, 'echo -n elsewhere >/tmp/m']}]"
	becomes 60 "Failed Failed Succeeded" sh -c "for p in file log path; do $KUBECTL -n $NS get pod \$p -o 'jsonpath={.status.phase} '; done | xargs"
	assert_equal said "$(state file c .state.terminated.message)"
	assert_equal "last words" "$(state log c .state.terminated.message)"
	assert_equal elsewhere "$(state path c .state.terminated.message)"
}

# bats test_tags=short
@test "node: logs by tail, time stamp, container and of all" {
	make_pod p "restartPolicy: Never, containers: [{name: a, image: '$IMAGE', command: [sh, -c, 'for i in 1 2 3; do echo a\$i; done; echo err >&2']}, {name: b, image: '$IMAGE', command: [sh, -c, 'echo b; exit 0']}]"
	becomes 60 Succeeded field pod/p .status.phase
	assert_equal "a1 a2 a3 err" "$(k logs p -c a | sort | xargs)"
	assert_equal 2 "$(k logs p -c a --tail=2 | wc -l)"
	assert_equal 3 "$(k logs p -c a --limit-bytes=3 | wc -c)"
	[[ $(k logs p -c b --timestamps) =~ ^20[0-9-]+T[0-9:.]+Z\ b$ ]]
	assert_equal b "$(k logs p --all-containers --prefix | sed -n 's/^\[pod\/p\/b\] //p')"
	assert_equal "" "$(k logs p -c a --since-time=2100-01-01T00:00:00Z)"
	assert_equal 4 "$(k logs p -c a --since=1h | wc -l)"
	refuses 'container x is not valid for pod p' k logs p -c x
	refuses 'previous terminated container "a" in pod "p" not found' k logs p -c a --previous
}

@test "node: an init container that fails holds the pod back" {
	make_pod p "restartPolicy: Never, initContainers: [{name: i, image: '$IMAGE', command: [sh, -c, 'exit 1']}], containers: [{name: c, image: '$IMAGE'}]"
	becomes 60 Failed field pod/p .status.phase
	assert_equal "1 PodInitializing" "$(field pod/p '.status.initContainerStatuses[0].state.terminated.exitCode} {.status.containerStatuses[0].state.waiting.reason')"
	assert_contains "$(k get pod p)" "Init:Error"
	make_pod q "initContainers: [{name: i, image: '$IMAGE', command: [sh, -c, 'exit 1']}], containers: [{name: c, image: '$IMAGE'}]"
	becomes 90 "Init:CrashLoopBackOff" sh -c "$KUBECTL -n $NS get pod q --no-headers | awk '{print \$3}'"
}

# bats test_tags=short
@test "node: a sidecar starts before the others, and ends after them" {
	make_pod p "restartPolicy: Never, volumes: [{name: d, emptyDir: {}}], initContainers: [{name: side, image: '$IMAGE', restartPolicy: Always, command: [sh, -c, 'echo side >>/d/f; trap \"exit 0\" TERM; while :; do sleep 0.1; done'], startupProbe: {exec: {command: [test, -e, /d/f]}, periodSeconds: 1}, volumeMounts: [{name: d, mountPath: /d}]}, {name: i, image: '$IMAGE', command: [sh, -c, 'echo init >>/d/f'], volumeMounts: [{name: d, mountPath: /d}]}], containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'echo main >>/d/f; cat /d/f'], volumeMounts: [{name: d, mountPath: /d}]}]"
	becomes 60 Succeeded field pod/p .status.phase
	assert_equal "side init main" "$(k logs p -c c | xargs)"
	assert_equal 0 "$(field pod/p '.status.initContainerStatuses[0].state.terminated.exitCode')"
}

# bats test_tags=short
@test "node: hooks after the start and before the stop" {
	pod p "volumes: [{name: d, emptyDir: {}}], containers: [{name: c, image: '$IMAGE', lifecycle: {postStart: {exec: {command: [sh, -c, 'echo started >/d/f']}}}, volumeMounts: [{name: d, mountPath: /d}]}]"
	assert_equal started "$(k exec p -- cat /d/f)"
	make_pod q "restartPolicy: Never, containers: [{name: c, image: '$IMAGE', lifecycle: {postStart: {exec: {command: [sh, -c, 'exit 9']}}}}]"
	becomes 60 Failed field pod/q .status.phase
	assert_contains "$(k get events --field-selector involvedObject.name=q)" FailedPostStartHook
}

@test "node: a startup probe keeps the others waiting, and gives up in the end" {
	pod p "containers: [{name: c, image: '$IMAGE', args: [--failing], startupProbe: {httpGet: {path: /version, port: 8080}, periodSeconds: 1}, livenessProbe: {exec: {command: ['true']}, periodSeconds: 1}}]"
	assert_equal true "$(state p c .started)"
	make_pod q "containers: [{name: c, image: '$IMAGE', args: [--failing], startupProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 2}}]"
	says 60 '[1-9]' state q c .restartCount
	assert_equal "false" "$(state q c .started)"
	assert_contains "$(k get events --field-selector involvedObject.name=q)" "Startup probe failed: HTTP probe failed with statuscode: 503"
}

@test "node: probes by command and by connection" {
	pod p "containers: [{name: c, image: '$IMAGE', readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}, livenessProbe: {exec: {command: [sh, -c, 'test ! -e /tmp/sick']}, periodSeconds: 1, failureThreshold: 1}}]"
	k exec p -- touch /tmp/sick
	becomes 60 1 state p c .restartCount
	becomes 30 true state p c .ready
	make_pod q "containers: [{name: c, image: '$IMAGE', readinessProbe: {tcpSocket: {port: 9999}, periodSeconds: 1}}]"
	becomes 40 "true false" field pod/q '.status.containerStatuses[0].started} {.status.containerStatuses[0].ready'
	says 30 'Readiness probe failed: dial tcp *:9999: connect: connection refused' messages
}

# bats test_tags=short
@test "node: the downward API tells the pod of itself" {
	log=$(pod_log p "containers: [{name: c, image: '$IMAGE', resources: {requests: {cpu: 100m, memory: 32Mi}, limits: {memory: 64Mi}}, env: [{name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: NSP, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}, {name: SA, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}, {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}, {name: CPU, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}, {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory}}}], command: [sh, -c, 'echo \$NAME \$NSP \$NODE \$SA \$HOST_IP \$CPU \$MEM']}]")
	node=$(field pod/p .spec.nodeName)
	assert_equal "p $NS $node default $(node_address "$node") 100 67108864" "$log"
}

@test "node: environment from whole config maps and secrets, in order, and for services" {
	k create configmap cm --from-literal=ONE=1 --from-literal=TWO=2
	k create secret generic s --from-literal=TWO=zwei
	k create service clusterip early --tcp=80
	log=$(pod_log p "containers: [{name: c, image: '$IMAGE', envFrom: [{configMapRef: {name: cm}}, {secretRef: {name: s}}, {prefix: X_, configMapRef: {name: cm}}, {configMapRef: {name: none, optional: true}}], env: [{name: THREE, value: '\$(ONE)-\$(TWO)-\$(NONE)-\$\$(ONE)'}], command: [sh, -c, 'echo \$ONE \$TWO \$X_ONE \"\$THREE\" \$EARLY_SERVICE_HOST \$EARLY_SERVICE_PORT']}]")
	assert_equal "1 zwei 1 1-zwei-\$(NONE)-\$(ONE) $(cluster_ip early) 80" "$log"
	make_pod q "containers: [{name: c, image: '$IMAGE', env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: none}}}]}]"
	becomes 40 CreateContainerConfigError state q c .state.waiting.reason
	assert_contains "$(state q c .state.waiting.message)" "couldn't find key none in ConfigMap $NS/cm"
}

@test "node: a pod past its deadline fails with all its containers" {
	make_pod p "activeDeadlineSeconds: 3, containers: [{name: c, image: '$IMAGE'}]"
	becomes 60 "Failed DeadlineExceeded" field pod/p '.status.phase} {.status.reason'
	assert_equal "Pod was active on the node longer than the specified deadline" "$(field pod/p .status.message)"
}

# bats test_tags=short
@test "node: memory beyond the limit ends the container" {
	# Only when it runs: the runtime begins to watch a container's memory after it has started it.
	pod p "restartPolicy: Never, containers: [{name: c, image: '$IMAGE', resources: {limits: {memory: 32Mi}}}]"
	k exec p -- server get 127.0.0.1 8080 '/allocate?300' || :
	becomes 60 Failed field pod/p .status.phase
	assert_equal "OOMKilled 137" "$(state p c '.state.terminated.reason} {.status.containerStatuses[0].state.terminated.exitCode')"
}

@test "node: processor time is shared as asked" {
	pod p "containers: [{name: c, image: '$IMAGE', resources: {requests: {cpu: 250m}, limits: {cpu: 500m}}}]"
	assert_equal "256 50000 100000" "$(k exec p -- sh -c 'cd /sys/fs/cgroup; cat cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us 2>/dev/null || { echo 256; cat cpu.max; }' | xargs)"
	assert_equal Burstable "$(field pod/p .status.qosClass)"
	assert_equal "250m 500m" "$(state p c '.resources.requests.cpu} {.status.containerStatuses[0].resources.limits.cpu')"
}

# bats test_tags=short
@test "node: the security context chooses user, groups, rights and what can be written" {
	log=$(pod_log p "securityContext: {runAsUser: 1000, runAsGroup: 1000, supplementalGroups: [4000]}, containers: [{name: c, image: '$IMAGE', securityContext: {runAsUser: 1001, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}, command: [sh, -c, 'id -u; id -g; id -G; grep -E \"^(CapBnd|NoNewPrivs|Seccomp):\" /proc/self/status; touch /x 2>&1 | grep -o Read-only']}]")
	assert_equal "1001 1000 1000 4000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 Read-only" "$(xargs <<<"$log")"
	log=$(pod_log q "containers: [{name: c, image: '$IMAGE', securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}, command: [sh, -c, 'grep -E \"^CapBnd:\" /proc/self/status']}]")
	assert_equal "CapBnd: 0000000000000400" "$(xargs <<<"$log")"
	make_pod r "containers: [{name: c, image: '$IMAGE', securityContext: {runAsNonRoot: true}}]"
	becomes 40 CreateContainerConfigError state r c .state.waiting.reason
	assert_contains "$(state r c .state.waiting.message)" "container has runAsNonRoot and image will run as root"
}

@test "node: a privileged container may do what others may not" {
	log=$(pod_log p "containers: [{name: a, image: '$IMAGE', securityContext: {privileged: true}, command: [sh, -c, 'mount -t tmpfs t /mnt 2>/dev/null || { mkdir /mnt; mount -t tmpfs t /mnt; } && echo mounted']}]")
	assert_equal mounted "$log"
	log=$(pod_log q "containers: [{name: a, image: '$IMAGE', command: [sh, -c, 'mkdir -p /mnt; mount -t tmpfs t /mnt 2>&1 | grep -c -i denied']}]")
	assert_equal 1 "$log"
}

@test "node: safe sysctls are set, others refused" {
	assert_equal 1 "$(pod_log p "securityContext: {sysctls: [{name: kernel.shm_rmid_forced, value: '1'}]}, containers: [{name: c, image: '$IMAGE', command: [cat, /proc/sys/kernel/shm_rmid_forced]}]")"
	make_pod q "securityContext: {sysctls: [{name: kernel.msgmax, value: '10000'}]}, containers: [{name: c, image: '$IMAGE'}]"
	becomes 40 "Failed SysctlForbidden" field pod/q '.status.phase} {.status.reason'
}

@test "node: containers of a pod share the network, and a process namespace when asked" {
	pod p "shareProcessNamespace: true, containers: [{name: a, image: '$IMAGE'}, {name: b, image: '$IMAGE', command: [sleep, '3600']}]"
	assert_equal 1 "$(k exec p -c b -- server get 127.0.0.1 8080 /version)"
	assert_contains "$(k exec p -c b -- ps)" "/bin/server"
	pod q "hostname: own, subdomain: sub, hostAliases: [{ip: 192.0.2.7, hostnames: [far.example]}], containers: [{name: a, image: '$IMAGE'}]"
	assert_equal own "$(k exec q -- hostname)"
	assert_contains "$(k exec q -- cat /etc/hosts)" far.example
	assert_contains "$(k exec q -- cat /etc/hosts)" "$(pod_ip q)"
}

@test "node: a pod's own name servers" {
	pod p "dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.53], searches: [my.example], options: [{name: ndots, value: '2'}, {name: edns0}]}, containers: [{name: c, image: '$IMAGE'}]"
	assert_equal "nameserver 192.0.2.53 options ndots:2 edns0 search my.example" "$(k exec p -- cat /etc/resolv.conf | sort | xargs)"
	pod q "containers: [{name: c, image: '$IMAGE'}]"
	assert_contains "$(k exec q -- cat /etc/resolv.conf)" "search $NS.svc.cluster.local svc.cluster.local cluster.local"
	assert_contains "$(k exec q -- cat /etc/resolv.conf)" "options ndots:5"
}

@test "node: an image is named by what went wrong with it" {
	make_pod q "containers: [{name: a, image: 'localhost/not-there:1'}, {name: b, image: 'localhost/UPPER:1'}, {name: c, image: '$IMAGE', imagePullPolicy: Never}]"
	becomes 60 "InvalidImageName" state q b .state.waiting.reason
	says 60 ImagePull field pod/q '.status.containerStatuses[0].state.waiting.reason' # ErrImagePull, ImagePullBackOff
	says 60 'Back-off pulling image "localhost/not-there:1"' messages
	becomes 30 true state q c .started
	assert_equal Pending "$(field pod/q .status.phase)"
}

@test "node: an ephemeral container joins a running pod" {
	pod p "containers: [{name: a, image: '$IMAGE'}]"
	k patch pod p --subresource=ephemeralcontainers -p "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"look\",\"image\":\"$IMAGE\",\"targetContainerName\":\"a\",\"command\":[\"sh\",\"-c\",\"ps; server get 127.0.0.1 8080 /version\"]}]}}"
	becomes 60 0 field pod/p '.status.ephemeralContainerStatuses[0].state.terminated.exitCode'
	assert_contains "$(k logs p -c look)" "/bin/server"
}

@test "node: a pod that ignores the signal is killed when its grace is over" {
	pod p "containers: [{name: a, image: '$IMAGE', command: [sleep, '3600']}]"
	start=$(date +%s)
	k delete pod p --grace-period=3 --timeout=60s
	took=$(($(date +%s) - start))
	[ "$took" -ge 2 ] && [ "$took" -le 40 ]
}
