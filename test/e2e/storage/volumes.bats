# Volumes of pods.
load ../../lib/e2e.bash

# bats test_tags=short
@test "storage: an empty directory is shared by a pod's containers, and survives their restart" {
	pod p "volumes: [{name: d, emptyDir: {}}], containers: [{name: a, image: '$IMAGE', volumeMounts: [{name: d, mountPath: /d}]}, {name: b, image: '$IMAGE', args: ['--port=8081'], volumeMounts: [{name: d, mountPath: /data}]}]"
	k exec p -c a -- sh -c 'echo kept >/d/f'
	assert_equal kept "$(k exec p -c b -- cat /data/f)"
	k exec p -c b -- server get 127.0.0.1 8080 '/exit?1'
	becomes 40 1 field pod/p '.status.containerStatuses[?(@.name=="a")].restartCount'
	k wait --for=condition=Ready pod/p --timeout=40s
	assert_equal kept "$(k exec p -c a -- cat /d/f)"
}

# bats test_tags=short
@test "storage: an empty directory in memory has the size that was asked for" {
	pod p "volumes: [{name: d, emptyDir: {medium: Memory, sizeLimit: 8Mi}}], containers: [{name: a, image: '$IMAGE', volumeMounts: [{name: d, mountPath: /d}]}]"
	assert_contains "$(k exec p -- grep ' /d ' /proc/mounts)" "tmpfs rw"
	assert_equal 8192 "$(k exec p -- df -k /d | awk 'END {print $2}')"
	refuses 'No space left' k exec p -- dd if=/dev/zero of=/d/f bs=1M count=9
}

@test "storage: a pod that outgrows its empty directory's limit is evicted" {
	pod p "restartPolicy: Never, volumes: [{name: d, emptyDir: {sizeLimit: 1Mi}}], containers: [{name: a, image: '$IMAGE', volumeMounts: [{name: d, mountPath: /d}]}]"
	k exec p -- dd if=/dev/zero of=/d/f bs=1M count=3
	becomes 100 "Failed Evicted" field pod/p '.status.phase} {.status.reason'
	assert_equal 'Usage of EmptyDir volume "d" exceeds the limit "1Mi". ' "$(field pod/p .status.message)"
}

@test "storage: a pod that writes more than its limit of ephemeral storage is evicted" {
	make_pod p "restartPolicy: Never, containers: [{name: a, image: '$IMAGE', command: [sh, -c, 'dd if=/dev/zero of=/tmp/f bs=1M count=4; sleep 3600'], resources: {limits: {ephemeral-storage: 2Mi}}}]"
	make_pod q "restartPolicy: Never, containers: [{name: a, image: '$IMAGE', command: [sh, -c, 'dd if=/dev/zero of=/tmp/f bs=1M count=4; sleep 3600'], resources: {limits: {ephemeral-storage: 2Mi}}}, {name: b, image: '$IMAGE', resources: {limits: {ephemeral-storage: 20Mi}}}]"
	make_pod logs "restartPolicy: Never, containers: [{name: a, image: '$IMAGE', command: [sh, -c, 'yes 0123456789 | head -c 4000000; sleep 3600'], resources: {limits: {ephemeral-storage: 2Mi}}}]"
	becomes 100 "Failed Evicted" field pod/p '.status.phase} {.status.reason'
	assert_equal 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ' "$(field pod/p .status.message)"
	becomes 100 "Failed Evicted" field pod/q '.status.phase} {.status.reason'
	assert_equal 'Container a exceeded its local ephemeral storage limit "2Mi". ' "$(field pod/q .status.message)"
	becomes 100 "Failed Evicted" field pod/logs '.status.phase} {.status.reason'
}

# bats test_tags=short
@test "storage: config maps and secrets become files with the modes and paths asked for" {
	k create configmap cm --from-literal=a=one --from-literal=b=two
	k create secret generic s --from-literal=key=hidden
	log=$(pod_log p "volumes: [{name: c, configMap: {name: cm, defaultMode: 0440, items: [{key: a, path: deep/er/a}, {key: b, path: b, mode: 0400}]}}, {name: s, secret: {secretName: s, defaultMode: 0600}}], containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'stat -L -c \"%a %n\" /c/deep/er/a /c/b /s/key; cat /c/deep/er/a /s/key; ls /c; grep -c \" /s tmpfs\" /proc/mounts'], volumeMounts: [{name: c, mountPath: /c}, {name: s, mountPath: /s, readOnly: true}]}]")
	assert_equal "440 /c/deep/er/a
400 /c/b
600 /s/key
onehiddenb
deep
1" "$log"
}

@test "storage: a missing config map holds the pod back, an optional one does not" {
	make_pod p "volumes: [{name: c, configMap: {name: late}}], containers: [{name: c, image: '$IMAGE', volumeMounts: [{name: c, mountPath: /c}]}]"
	says 60 'configmap "late" not found' messages
	assert_equal ContainerCreating "$(field pod/p '.status.containerStatuses[0].state.waiting.reason')"
	pod q "volumes: [{name: c, configMap: {name: never, optional: true}}], containers: [{name: c, image: '$IMAGE', volumeMounts: [{name: c, mountPath: /c}]}]"
	assert_equal "" "$(k exec q -- ls /c)"
	k create configmap late --from-literal=a=b
	k wait --for=condition=Ready pod/p --timeout=200s
}

@test "storage: files of config maps change all at once" {
	k create configmap cm --from-literal=a=1 --from-literal=b=1
	pod p "volumes: [{name: c, configMap: {name: cm}}], containers: [{name: c, image: '$IMAGE', volumeMounts: [{name: c, mountPath: /c}]}]"
	assert_equal 11 "$(k exec p -- cat /c/a /c/b)"
	before=$(k exec p -- readlink /c/..data)
	k patch configmap cm -p '{"data":{"a":"2","b":null,"c":"2"}}'
	becomes 120 22 k exec p -- cat /c/a /c/c
	[ "$before" != "$(k exec p -- readlink /c/..data)" ]
	assert_equal "a c" "$(k exec p -- ls /c | xargs)"
}

# bats test_tags=short
@test "storage: sub-paths mount a part, by a variable's value too" {
	k create configmap cm --from-literal=conf=text
	log=$(pod_log p "volumes: [{name: d, emptyDir: {}}, {name: c, configMap: {name: cm}}], containers: [{name: c, image: '$IMAGE', env: [{name: ME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], command: [sh, -c, 'touch /one/f /me/g; find /all -type f | sort; cat /etc/conf; ls /etc | grep -c passwd'], volumeMounts: [{name: d, mountPath: /all}, {name: d, mountPath: /one, subPath: a/b}, {name: d, mountPath: /me, subPathExpr: \$(ME)}, {name: c, mountPath: /etc/conf, subPath: conf}]}]")
	assert_equal "/all/a/b/f
/all/p/g
text1" "$log"
	refuses 'must not contain' make_pod bad "volumes: [{name: d, emptyDir: {}}], containers: [{name: c, image: '$IMAGE', volumeMounts: [{name: d, mountPath: /d, subPath: ../x}]}]"
}

@test "storage: host paths are checked for what they should be" {
	need_nodes
	node=$(ready_nodes | head -n 1)
	in_node "$node" sh -c "mkdir -p /tmp/$NS && echo there >/tmp/$NS/f"
	at_end in_node "$node" rm -rf "/tmp/$NS"
	assert_equal there "$(pod_log p "nodeName: $node, volumes: [{name: h, hostPath: {path: /tmp/$NS, type: Directory}}], containers: [{name: c, image: '$IMAGE', command: [cat, /h/f], volumeMounts: [{name: h, mountPath: /h, readOnly: true}]}]")"
	make_pod q "nodeName: $node, volumes: [{name: h, hostPath: {path: /tmp/$NS, type: File}}], containers: [{name: c, image: '$IMAGE', volumeMounts: [{name: h, mountPath: /h}]}]"
	says 40 "hostPath type check failed: /tmp/$NS is not a file" messages
	log=$(pod_log r "nodeName: $node, volumes: [{name: h, hostPath: {path: /tmp/$NS/new, type: DirectoryOrCreate}}], containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'touch /h/made && ls /h'], volumeMounts: [{name: h, mountPath: /h}]}]")
	assert_equal made "$log"
	in_node "$node" test -e "/tmp/$NS/new/made"
}

# bats test_tags=short
@test "storage: volumes belong to the pod's group, and read-only mounts cannot be written" {
	log=$(pod_log p "securityContext: {runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000}, volumes: [{name: d, emptyDir: {}}], containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'id -G; touch /d/f && stat -c \"%u %g\" /d/f; touch /ro/g 2>&1 | grep -o Read-only'], volumeMounts: [{name: d, mountPath: /d}, {name: d, mountPath: /ro, readOnly: true}]}]")
	assert_equal "3000 2000
1000 2000
Read-only" "$log"
}

@test "storage: a projected volume gathers its sources, and its token is renewed by its own rules" {
	k create configmap cm --from-literal=a=1
	pod p "serviceAccountName: default, volumes: [{name: v, projected: {defaultMode: 0444, sources: [{configMap: {name: cm, items: [{key: a, path: conf/a}]}}, {downwardAPI: {items: [{path: meta/name, fieldRef: {fieldPath: metadata.name}}, {path: meta/cpu, resourceFieldRef: {containerName: c, resource: limits.cpu, divisor: 1m}}]}}, {serviceAccountToken: {audience: vault, expirationSeconds: 600, path: token}}]}}], containers: [{name: c, image: '$IMAGE', resources: {limits: {cpu: 250m}}, volumeMounts: [{name: v, mountPath: /v}]}]"
	assert_equal 1p250 "$(k exec p -- cat /v/conf/a /v/meta/name /v/meta/cpu)"
	assert_equal "vault p" "$(k exec p -- cat /v/token | cut -d. -f2 | tr '_-' '/+' | sed 's/$/===/' | base64 -d 2>/dev/null | jq -r '"\(.aud[0]) \(."kubernetes.io".pod.name)"')"
	k label pod p new=label
}
