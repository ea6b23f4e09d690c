# kubectl against a running pod.
load ../../lib/e2e.bash

# bats test_tags=short
@test "cli: logs follow a container that writes, and --previous shows the one before" {
	k run p --image=localhost/test:1 --command -- sh -c 'for i in 1 2 3 4 5; do echo line $i; sleep 0.3; done; exit 1'
	says 30 running field pod/p '.status.containerStatuses[0].state'
	assert_contains "$(timeout 20 "$KUBECTL" -n "$NS" logs -f p)" "line 5"
	wait_until 60 sh -c "$KUBECTL -n $NS logs --previous p | grep -q 'line 5'"
}

# bats test_tags=short
@test "cli: exec takes standard input to its end and gives back the exit code" {
	shell_pod p
	assert_equal "$(seq 1000 | sha256sum)" "$(seq 1000 | k exec -i p -- sha256sum)"
	run k exec p -- sh -c 'exit 7'
	assert_equal 7 "$status"
	run --separate-stderr k exec p -- sh -c 'echo out; echo err >&2' || run k exec p -- sh -c 'echo out'
	assert_contains "$output" out
}

@test "cli: exec -it gives a terminal" {
	shell_pod p
	out=$(script -qec "$KUBECTL -n $NS exec -it p -- sh -c 'tty; stty size'" /dev/null </dev/null)
	assert_contains "$out" /dev/pts/
}

# bats test_tags=short
@test "cli: cp copies both ways" {
	shell_pod p
	head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/a"
	k cp "$BATS_TEST_TMPDIR/a" p:/tmp/a
	k cp p:/tmp/a "$BATS_TEST_TMPDIR/b"
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
}

@test "cli: port-forward reaches a pod and a service" {
	deploy web 1
	for target in deployment/web service/web; do
		port=$([ "$target" = service/web ] && echo 80 || echo 8080)
		"$KUBECTL" -n "$NS" port-forward "$target" ":$port" >"$BATS_TEST_TMPDIR/pf" 2>&1 3>&- &
		pid=$!
		wait_until 10 grep -q 'Forwarding from 127.0.0.1' "$BATS_TEST_TMPDIR/pf"
		local_port=$(sed -n 's/.*127.0.0.1:\([0-9]*\) .*/\1/p' "$BATS_TEST_TMPDIR/pf" | head -1)
		assert_equal 1 "$(fetch "http://127.0.0.1:$local_port/version")"
		assert_equal 1 "$(fetch "http://127.0.0.1:$local_port/version")"
		kill "$pid"
		wait "$pid" 2>/dev/null || true
	done
}

@test "cli: apply changes only what the manifest changed" {
	deploy web 1
	k scale deployment/web --replicas=2
	k annotate deployment web note=kept
	k get deployment web -o yaml >"$BATS_TEST_TMPDIR/d.yaml"
	deploy web 1
	assert_equal 1 "$(k get deployment web -o 'jsonpath={.spec.replicas}')"
	assert_equal kept "$(k get deployment web -o 'jsonpath={.metadata.annotations.note}')"
}

@test "cli: wait sees a deletion" {
	shell_pod p
	k delete pod p --wait=false --now
	k wait --for=delete pod/p --timeout=30s
}

@test "cli: describe tells the pod's story" {
	shell_pod p
	out=$(k describe pod p)
	for word in Name: Node: Containers: Conditions: Events: Scheduled Started localhost/test:1; do assert_contains "$out" "$word"; done
}

# bats test_tags=alone
@test "cli: drain empties a node and uncordon gives it back" {
	deploy web 2
	kall drain node2 --ignore-daemonsets --delete-emptydir-data --force --timeout=60s
	assert_equal "" "$(k get pods --field-selector spec.nodeName=node2,status.phase=Running -o name)"
	kall uncordon node2
	assert_equal "" "$(kall get node node2 -o 'jsonpath={.spec.unschedulable}')"
}
