# Deployments as users drive them.
load ../../lib/e2e.bash

@test "apps: three replicas answer behind a ClusterIP and a NodePort" {
	deploy web 3
	assert_equal 3 "$(k get deployment web -o 'jsonpath={.status.readyReplicas}')"
	names=$(for i in $(seq 40); do fetch "http://$(cluster_ip web)/"; echo; done | sort -u)
	assert_equal "$(k get pods -l app=web -o name | sed 's|pod/||' | sort)" "$names"
	for n in 1 2; do
		assert_contains "$names" "$(fetch "http://$CLUSTER_NET.$n:$(node_port web)/")"
	done
}

# bats test_tags=short
@test "apps: a rolling update loses no request" {
	deploy web 3
	url=http://$(cluster_ip web)/version
	(
		i=0 lost=0
		while [ ! -e "$BATS_TEST_TMPDIR/stop" ]; do
			i=$((i + 1))
			fetch "$url" >>"$BATS_TEST_TMPDIR/versions" || lost=$((lost + 1))
			echo >>"$BATS_TEST_TMPDIR/versions"
			sleep 0.01
		done
		echo "$i $lost" >"$BATS_TEST_TMPDIR/result"
	) &
	load=$!
	wait_until 10 grep -q 1 "$BATS_TEST_TMPDIR/versions"
	k set image deployment/web server=localhost/test:2
	k rollout status deployment/web --timeout=90s
	wait_until 10 grep -q 2 "$BATS_TEST_TMPDIR/versions"
	touch "$BATS_TEST_TMPDIR/stop"
	wait "$load"
	read -r requests lost <"$BATS_TEST_TMPDIR/result"
	echo "# $requests requests, $lost lost" >&3
	assert_equal 0 "$lost"
}

@test "apps: scaling up and down reaches the count" {
	deploy web 1
	k scale deployment/web --replicas=4
	becomes 30 4 field deployment/web .status.readyReplicas
	k scale deployment/web --replicas=1
	becomes 30 1 count_pods -l app=web
}

# bats test_tags=short
@test "apps: a rollback brings the earlier template back" {
	deploy web 2
	k set image deployment/web server=localhost/test:2
	k rollout status deployment/web --timeout=60s
	assert_equal localhost/test:2 "$(k get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}')"
	k rollout undo deployment/web
	k rollout status deployment/web --timeout=60s
	assert_equal localhost/test:1 "$(k get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}')"
	assert_equal 3 "$(k get deployment web -o 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')"
}

@test "apps: a paused deployment does not roll until it is resumed" {
	deploy web 1
	k rollout pause deployment/web
	k set image deployment/web server=localhost/test:2
	becomes 10 "$(k get deployment web -o 'jsonpath={.metadata.generation}')" field deployment/web .status.observedGeneration
	assert_equal 1 "$(k get replicasets -o name | wc -l)"
	k rollout resume deployment/web
	k rollout status deployment/web --timeout=60s
	assert_equal 2 "$(k get replicasets -o name | wc -l)"
}

@test "apps: a deployment that cannot progress says so" {
	k create deployment bad --image=localhost/not-there:1
	k patch deployment bad -p '{"spec":{"progressDeadlineSeconds":2}}'
	becomes 30 ProgressDeadlineExceeded condition deployment/bad Progressing .reason
	run k rollout status deployment/bad
	[ "$status" -eq 1 ]
	assert_contains "$output" 'exceeded its progress deadline'
}

@test "apps: deleting a deployment deletes its pods, and orphaning keeps them" {
	deploy web 2
	k delete deployment web
	becomes 40 0 count_pods
	deploy kept 1
	k delete deployment kept --cascade=orphan
	k delete replicaset -l app=kept --cascade=orphan
	sleep_until_quiet=$(k get pods -l app=kept -o 'jsonpath={.items[0].metadata.uid}')
	[ -n "$sleep_until_quiet" ]
	wait_until 20 equals "" k get pods -l app=kept -o 'jsonpath={.items[0].metadata.ownerReferences}'
	assert_equal "$sleep_until_quiet" "$(k get pods -l app=kept -o 'jsonpath={.items[0].metadata.uid}')"
}

# bats test_tags=short
@test "apps: a daemon set runs on every node" {
	k apply -f - <<T
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: c, image: "localhost/test:1"}]
T
	becomes 40 "$(kall get nodes -o name | wc -l)" field daemonset/agent .status.numberReady
	assert_equal "$(kall get nodes -o 'jsonpath={.items[*].metadata.name}')" \
		"$(k get pods -l app=agent -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort | xargs)"
}
