# Processes killed under load: the cluster returns by itself, nothing acknowledged is lost, no container restarts.
# bats file_tags=alone
load ../../lib/e2e.bash

# Writes numbered config maps until told to stop, and keeps a list of what was acknowledged.
start_writer() {
	: >"$BATS_TEST_TMPDIR/acknowledged"
	(
		i=0
		while [ ! -e "$BATS_TEST_TMPDIR/stop" ]; do
			i=$((i + 1))
			k create configmap "w$i" --from-literal=n=$i >/dev/null 2>&1 && echo "w$i" >>"$BATS_TEST_TMPDIR/acknowledged"
			sleep 0.02
		done
	) 3>&- &
	writer=$!
}
stop_writer() {
	touch "$BATS_TEST_TMPDIR/stop"
	wait "$writer"
}
all_acknowledged_are_there() {
	k get configmaps -o name | sed 's|configmap/||' | sort >"$BATS_TEST_TMPDIR/present"
	lost=$(sort "$BATS_TEST_TMPDIR/acknowledged" | comm -23 - "$BATS_TEST_TMPDIR/present")
	echo "# $(wc -l <"$BATS_TEST_TMPDIR/acknowledged") writes acknowledged" >&3
	assert_equal "" "$lost"
}
restarts_of_web() { k get pods -l app=web -o 'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\n"}{end}' | sort; }

survives_kill_of() { # NODE PROCESS
	need_nodes
	need_network
	deploy web 2
	before=$(restarts_of_web)
	old=$(component_pid "$1" "$2")
	start_writer
	wait_until 10 test -s "$BATS_TEST_TMPDIR/acknowledged"
	kill_component "$1" "$2"
	back() { new=$(component_pid "$1" "$2") && [ -n "$new" ] && [ "$new" != "$old" ]; }
	wait_until 90 back "$1" "$2"
	wait_until 60 kall get --raw /readyz
	stop_writer
	all_acknowledged_are_there
	# It does its work again: a rollout needs every one of them.
	k scale deployment/web --replicas=3
	becomes 60 3 field deployment/web .status.readyReplicas
	wait_until 30 fetch "http://$(cluster_ip web)/"
	after=$(restarts_of_web)
	assert_equal "$before" "$(grep -F "$(echo "$before" | cut -d' ' -f1)" <<<"$after")"
}

@test "faults: kube-apiserver killed" { survives_kill_of 1 kube-apiserver; }
@test "faults: etcd killed" { survives_kill_of 1 etcd; }
@test "faults: kube-controller-manager killed" { survives_kill_of 1 kube-controller; }
@test "faults: kube-scheduler killed" { survives_kill_of 1 kube-scheduler; }
@test "faults: kubelet killed" { survives_kill_of 1 kubelet; }
@test "faults: kube-proxy killed" { survives_kill_of 1 kube-proxy; }
@test "faults: kubelet of the second node killed" { survives_kill_of 2 kubelet; }
