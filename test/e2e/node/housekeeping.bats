# What the kubelet looks after without being asked.
load ../../lib/e2e.bash
# Images are looked at every five minutes; a kubelet of the original misses its first turn, because it does not know its disk yet.
setup_file() { export BATS_TEST_TIMEOUT=480; }

# Field of the spec of the pod that etcd is in.
etcd_pod() { kall get pods -n kube-system -l component=etcd -o json | jq -er ".items[0].spec$1"; }

# bats test_tags=short
@test "node: gRPC probes ask the health service" {
	need_nodes
	wait_until 20 etcd_pod .nodeName # it comes when the node is registered, not only at the next sync
	image=$(etcd_pod '.containers[0].image') node=$(etcd_pod .nodeName)
	make_pod p "nodeName: $node, containers: [{name: etcd, image: '$image', command: [etcd, --data-dir=/tmp/d, --listen-client-urls=http://0.0.0.0:2379, --advertise-client-urls=http://127.0.0.1:2379, --listen-peer-urls=http://127.0.0.1:2380], startupProbe: {grpc: {port: 2379}, periodSeconds: 1}, livenessProbe: {grpc: {port: 2379}, periodSeconds: 1}, readinessProbe: {grpc: {port: 2379}, periodSeconds: 1}}, {name: other, image: '$IMAGE', readinessProbe: {grpc: {port: 2379, service: other}, periodSeconds: 1}}, {name: closed, image: '$IMAGE', args: ['--port=8081'], readinessProbe: {grpc: {port: 9}, periodSeconds: 1}}]"
	becomes 60 "true true" state p etcd '.ready} {.status.containerStatuses[?(@.name=="etcd")].started'
	says 20 'Readiness probe failed: error: health rpc probe failed: rpc error: code = NotFound desc = unknown service' messages
	says 20 'Readiness probe failed: timeout: failed to connect service *:9? within 1s: context deadline exceeded' messages
	assert_equal "false false 0" "$(state p other '.ready} {.status.containerStatuses[?(@.name=="closed")].ready} {.status.containerStatuses[?(@.name=="etcd")].restartCount')"
}

@test "node: a log that grows begins anew, and its past is compressed" {
	need_nodes
	pod p "containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'n=0; while :; do if [ -e /tmp/go ]; then rm /tmp/go; n=\$((n + 1)); echo begin \$n; yes 0123456789012345678901234567890123456789 | head -c 6000000; echo end \$n; fi; sleep 0.2; done']}]"
	node=$(field pod/p .spec.nodeName)
	dir=/var/log/pods/${NS}_p_$(field pod/p .metadata.uid)/c
	k exec p -- touch /tmp/go
	becomes 60 1 in_node "$node" sh -c "ls $dir | grep -c '^0.log.20'"
	k exec p -- touch /tmp/go
	becomes 60 1 in_node "$node" sh -c "ls $dir | grep -c '^0.log.20.*gz\$'"
	in_node "$node" sh -c "zcat $dir/0.log.*.gz | grep -q 'end 1\$'"
	k exec p -- touch /tmp/go
	wait_until 30 sh -c "$KUBECTL -n $NS logs p --tail=1 | grep -q 'end 3'"
	assert_equal 0 "$(state p c .restartCount)"
}

# bats test_tags=alone
@test "node: images that nobody uses go when the disk is too full" {
	need_nodes
	local config=/var/lib/kubelet/config.yaml
	mkdir "$BATS_TEST_TMPDIR/layer" && echo unused >"$BATS_TEST_TMPDIR/layer/file"
	"$TOP/deploy/images/mkimage" "$BATS_TEST_TMPDIR/unused.tar" localhost/unused:1 '["/file"]' "$BATS_TEST_TMPDIR/layer"
	BIN=$BIN CLUSTER_DIR=$CLUSTER_DIR "$TOP/deploy/dev/cluster" load "$BATS_TEST_TMPDIR/unused.tar"
	# What other cases need is in use meanwhile.
	pod one "nodeName: node1, containers: [{name: c, image: 'localhost/test:1'}]"
	pod two "nodeName: node1, containers: [{name: c, image: 'localhost/test:2'}]"
	in_node 1 cp $config $config.saved
	at_end in_node 1 sh -c "mv $config.saved $config; kill \$(pgrep -x kubelet)"
	in_node 1 sh -c "sed -i '/^imageGCHighThresholdPercent:/d' $config; printf 'imageGCHighThresholdPercent: 2\nimageGCLowThresholdPercent: 1\n' >>$config; kill \$(pgrep -x kubelet)"
	wait_until 400 sh -c "! BIN=$BIN CLUSTER_DIR=$CLUSTER_DIR $TOP/deploy/dev/cluster shell 1 ctr -n k8s.io images ls -q | grep localhost/unused"
	assert_contains "$(in_node 1 ctr -n k8s.io images ls -q)" localhost/test:2
	assert_equal Running "$(field pod/two .status.phase)"
}

# bats test_tags=alone
@test "node: a node that runs short of processes says so, takes no pods, and ends the greediest" {
	need_nodes
	local config=/var/lib/kubelet/config.yaml free
	pod calm "nodeName: node1, containers: [{name: c, image: '$IMAGE'}]"
	free=$(in_node 1 sh -c 'max=$(cat /proc/sys/kernel/pid_max); all=$(cat /proc/sys/kernel/threads-max); [ $all -ge $max ] || max=$all; echo $((max - $(sed "s/.*\/\([0-9]*\) .*/\1/" /proc/loadavg)))')
	in_node 1 cp $config $config.saved
	at_end in_node 1 sh -c "mv $config.saved $config; kill \$(pgrep -x kubelet)"
	in_node 1 sh -c "sed -i 's/^evictionHard:/evictionPressureTransitionPeriod: 5s\nevictionHard:\n  pid.available: \"$((free - 1000))\"/' $config; kill \$(pgrep -x kubelet)"
	make_pod greedy "nodeName: node1, containers: [{name: c, image: '$IMAGE', command: [sh, -c, 'i=0; while [ \$i -lt 2000 ]; do sleep 3600 & i=\$((i + 1)); done; wait']}]"
	becomes 60 True condition node/node1 PIDPressure
	make_pod late "nodeName: node1, containers: [{name: c, image: '$IMAGE'}]"
	becomes 60 "Failed Evicted" field pod/greedy '.status.phase} {.status.reason'
	assert_contains "$(field pod/greedy .status.message)" "The node was low on resource: pids. Threshold quantity: "
	assert_equal TerminationByKubelet "$(condition pod/greedy DisruptionTarget .reason)"
	becomes 30 "Failed Pod was rejected: The node had condition: [PIDPressure]. " field pod/late '.status.phase} {.status.message'
	becomes 60 False condition node/node1 PIDPressure
	assert_equal Running "$(field pod/calm .status.phase)"
}
