# Services and pods across nodes.
load ../../lib/e2e.bash

# bats test_tags=short
@test "network: pods of different nodes reach each other by address" {
	for n in 1 2; do
		k run "p$n" --image=localhost/test:1 --overrides="{\"spec\":{\"nodeName\":\"node$n\"}}"
	done
	k wait --for=condition=Ready pod/p1 pod/p2 --timeout=40s
	for pair in "p1 p2" "p2 p1"; do
		set -- $pair
		assert_equal "$2" "$(k exec "$1" -- server get "$(k get pod "$2" -o 'jsonpath={.status.podIP}')" 8080 /)"
	done
}

@test "network: a pod reaches services, its own through a hairpin too" {
	deploy web 1
	pod=$(k get pods -l app=web -o 'jsonpath={.items[0].metadata.name}')
	assert_equal "$pod" "$(k exec "$pod" -- server get "$(cluster_ip web)" 80 /)"
}

@test "network: a pod reaches the API server with its token" {
	shell_pod p
	run k exec p -- sh -c 'cd /var/run/secrets/kubernetes.io/serviceaccount && cat namespace && [ -s token ] && [ -s ca.crt ]'
	assert_equal 0 "$status"
	assert_contains "$output" "$NS"
	run k exec p -- sh -c 'nc -w 5 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT </dev/null'
	assert_equal 0 "$status"
}

# bats test_tags=short
@test "network: session affinity keeps a client with one pod" {
	deploy web 3
	k patch service web -p '{"spec":{"sessionAffinity":"ClientIP"}}'
	same() { [ "$(for i in $(seq 10); do fetch "http://$(cluster_ip web)/"; echo; done | sort -u | wc -l)" = 1 ]; }
	wait_until 20 same
}

# bats test_tags=short
@test "network: a service without endpoints refuses at once" {
	k create service clusterip none --tcp=80:8080
	ip=$(cluster_ip none)
	refused() { curl -s --max-time 3 "http://$ip/"; [ $? -eq 7 ]; }
	wait_until 15 refused
}

@test "network: a deleted service's address is free again and no longer answers" {
	deploy web 1
	ip=$(cluster_ip web)
	fetch "http://$ip/"
	k delete service web
	silent() { ! curl -s --max-time 1 "http://$ip/"; }
	wait_until 15 silent
	k create service clusterip again --clusterip="$ip" --tcp=80:8080
}
