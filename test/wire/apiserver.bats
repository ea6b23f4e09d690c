#!/usr/bin/env bats
# kube-apiserver on the wire: the real binary, a real etcd, curl as the client.

setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_APISERVER=${BIN:-$cp_root/build/bin}/kube-apiserver
	[ -x "$CP_APISERVER" ] || skip "kube-apiserver is not built"
	command -v etcd > /dev/null || skip "etcd is not installed"
	export CP_APISERVER
	cp_start
	export CP_APISERVER_PID CP_ETCD_PID CP_PORT CP_ETCD_PORT
}

teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	ns=t$BATS_TEST_NUMBER
	send POST /api/v1/namespaces "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"$ns\"}}"
	maps=/api/v1/namespaces/$ns/configmaps
}

teardown() {
	[ -z "${site:-}" ] || kill "$site"
}

# send METHOD PATH [BODY [TYPE]]: $code and $body.
send() {
	local type=${4:-application/json}
	body=$(cp_curl "$2" -X "$1" -A test -H "Content-Type: $type" ${3:+--data-binary "$3"} -w '\n%{http_code}')
	code=${body##*$'\n'}
	body=${body%$'\n'*}
}

config_map() {
	printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s","labels":{"n":"%s"}},"data":{"a":"1"}}' "$1" "$1"
}

field() {
	python3 -c 'import json,sys
v=json.loads(sys.argv[1])
for k in sys.argv[2].split("."):
    v=v[int(k)] if isinstance(v,list) else v[k]
print(v)' "$body" "$1"
}

@test "an object is created, read, changed by every kind of patch, and deleted" {
	send POST $maps "$(config_map x)"
	[ "$code" = 201 ]
	send POST $maps "$(config_map x)"
	[ "$code" = 409 ] && [ "$(field reason)" = AlreadyExists ]
	[ "$(field message)" = 'configmaps "x" already exists' ]
	send PATCH $maps/x '{"data":{"b":"2"}}' application/merge-patch+json
	[ "$code" = 200 ] && [ "$(field data.b)" = 2 ]
	send PATCH $maps/x '[{"op":"replace","path":"/data/a","value":"3"}]' application/json-patch+json
	[ "$code" = 200 ] && [ "$(field data.a)" = 3 ]
	send PATCH $maps/x '{"metadata":{"labels":{"n":null,"m":"y"}}}' application/strategic-merge-patch+json
	[ "$code" = 200 ] && [ "$(field metadata.labels)" = "{'m': 'y'}" ]
	send GET $maps/x
	[ "$code" = 200 ] && [ "$(field data.a)" = 3 ]
	send DELETE $maps/x
	[ "$code" = 200 ] && [ "$(field status)" = Success ]
	send GET $maps/x
	[ "$code" = 404 ] && [ "$(field message)" = 'configmaps "x" not found' ]
}

@test "a write with an old resource version is a conflict, and a patch that changes nothing writes nothing" {
	send POST $maps "$(config_map x)"
	old=$(field metadata.resourceVersion)
	send PATCH $maps/x '{"data":{"a":"2"}}' application/merge-patch+json
	now=$(field metadata.resourceVersion)
	[ "$old" != "$now" ]
	send PUT $maps/x "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"$old\"}}"
	[ "$code" = 409 ] && [ "$(field reason)" = Conflict ]
	send PATCH $maps/x '{"data":{"a":"2"}}' application/merge-patch+json
	[ "$(field metadata.resourceVersion)" = "$now" ]
}

@test "values in etcd are the original's: place, envelope, no resource version" {
	send POST $maps "$(config_map x)"
	run env ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" get --print-value-only /registry/configmaps/$ns/x
	[ "${output:0:3}" = k8s ]
	[[ $output != *resourceVersion* ]]
	send POST /api/v1/nodes '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n'$ns'"}}'
	run env ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" get --keys-only /registry/minions/n$ns
	[[ $output == *minions/n$ns* ]]
}

@test "what is written into etcd by others is served" {
	printf '%s' '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"e","namespace":"'$ns'","uid":"u"},"data":{"k":"v"}}' |
		ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" put /registry/configmaps/$ns/e
	send GET $maps/e
	[ "$code" = 200 ] && [ "$(field data.k)" = v ]
}

@test "lists come in pages that belong together" {
	for i in a b c d e; do send POST $maps "$(config_map $i)"; done
	send GET "$maps?limit=2"
	[ "$(field items.1.metadata.name)" = b ] && [ "$(field metadata.remainingItemCount)" = 3 ]
	version=$(field metadata.resourceVersion)
	token=$(field metadata.continue)
	send DELETE $maps/d
	send GET "$maps?limit=2&continue=$token"
	[ "$(field items.1.metadata.name)" = d ] && [ "$(field metadata.resourceVersion)" = "$version" ]
	send GET "$maps?limit=2&continue=bad"
	[ "$code" = 400 ]
	send GET "$maps?resourceVersion=$version&resourceVersionMatch=Exact"
	[ "$(field items.3.metadata.name)" = d ]
	send GET "$maps?labelSelector=n+in+(a,e)&resourceVersion=0"
	[ "$(field items.0.metadata.name)$(field items.1.metadata.name)" = ae ]
	send GET "$maps?fieldSelector=metadata.name%3Db"
	[ "$(field items.0.metadata.name)" = b ]
}

@test "a watch begins where it is told and says what happens" {
	send POST $maps "$(config_map a)"
	send GET $maps
	version=$(field metadata.resourceVersion)
	cp_curl "$maps?watch=1&resourceVersion=$version&timeoutSeconds=3" > "$BATS_TEST_TMPDIR/events" &
	sleep 0.3
	send POST $maps "$(config_map b)"
	send PATCH $maps/a '{"data":{"z":"z"}}' application/merge-patch+json
	send DELETE $maps/b
	wait $!
	run python3 -c 'import json,sys
print(" ".join(e["type"]+":"+e["object"]["metadata"]["name"] for e in map(json.loads, open(sys.argv[1]))))' "$BATS_TEST_TMPDIR/events"
	[ "$output" = "ADDED:b MODIFIED:a DELETED:b" ]
}

@test "a watch through a selector sees objects come and go" {
	send POST $maps "$(config_map a)"
	version=$(field metadata.resourceVersion)
	cp_curl "$maps?watch=1&resourceVersion=$version&labelSelector=on&timeoutSeconds=2" > "$BATS_TEST_TMPDIR/events" &
	sleep 0.3
	send PATCH $maps/a '{"metadata":{"labels":{"on":"1"}}}' application/merge-patch+json
	send PATCH $maps/a '{"metadata":{"labels":{"on":null}}}' application/merge-patch+json
	wait $!
	run python3 -c 'import json,sys
print(" ".join(e["type"] for e in map(json.loads, open(sys.argv[1]))))' "$BATS_TEST_TMPDIR/events"
	[ "$output" = "ADDED DELETED" ]
}

@test "a streamed list ends with its bookmark" {
	send POST $maps "$(config_map a)"
	run cp_curl "$maps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"
	[[ ${lines[0]} == *ADDED* ]]
	[[ ${lines[1]} == *BOOKMARK*initial-events-end* ]] || [[ ${lines[2]} == *BOOKMARK*initial-events-end* ]]
}

@test "a watch that is short has no last bookmark; what a bookmark shows beside its revision is the kind's own" {
	local watch='watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=2'
	cp_curl "/apis/apps/v1/statefulsets?$watch" -N > "$CP_DIR/answer"
	[ "$(grep -c BOOKMARK "$CP_DIR/answer")" = 1 ]
	[ "$(jq -c '.object.spec.replicas' "$CP_DIR/answer")" = 0 ]
	cp_curl "/api/v1/replicationcontrollers?$watch" -N | jq -e '.object.spec == {}' > "$CP_DIR/answer"
}

@test "a version that is not there yet is a timeout" {
	send GET "$maps?resourceVersion=999999999"
	[ "$code" = 504 ] && [[ $(field message) == "Timeout: Too large resource version: 999999999"* ]]
}

@test "finalizers and grace keep what is deleted" {
	send POST $maps '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"f","finalizers":["example.com/x"]}}'
	send DELETE $maps/f
	[ "$code" = 200 ] && [ -n "$(field metadata.deletionTimestamp)" ]
	send GET $maps/f
	[ "$code" = 200 ]
	send PATCH $maps/f '{"metadata":{"finalizers":null}}' application/merge-patch+json
	[ "$code" = 200 ]
	send GET $maps/f
	[ "$code" = 404 ]
	send DELETE $maps '{"kind":"DeleteOptions","apiVersion":"v1"}'
	[ "$code" = 200 ]
}

@test "server-side apply: owners, conflicts, forcing, and what is no longer named goes" {
	local apply=application/apply-patch+yaml head='apiVersion: v1
kind: ConfigMap
metadata: {name: s}
'
	send PATCH "$maps/s?fieldManager=one" "${head}data: {a: '1', b: '1'}" $apply
	[ "$code" = 201 ] && [ "$(field metadata.managedFields.0.manager)" = one ]
	send PATCH "$maps/s?fieldManager=two" "${head}data: {a: '2'}" $apply
	[ "$code" = 409 ] && [ "$(field message)" = 'Apply failed with 1 conflict: conflict with "one": .data.a' ]
	send PATCH "$maps/s?fieldManager=two&force=true" "${head}data: {a: '2'}" $apply
	[ "$code" = 200 ] && [ "$(field data)" = "{'a': '2', 'b': '1'}" ]
	send PATCH "$maps/s?fieldManager=one" "${head}data: {}" $apply
	[ "$code" = 200 ] && [ "$(field data)" = "{'a': '2'}" ]
	send PATCH "$maps/s" "${head}" $apply
	[ "$code" = 422 ]
}

@test "a dry run leaves nothing behind" {
	send POST "$maps?dryRun=All" "$(config_map x)"
	[ "$code" = 201 ]
	send GET $maps/x
	[ "$code" = 404 ]
}

@test "dry runs and repeated deletions know what was written a moment before" {
	wants() { # CODE FIELD VALUE
		[ "$code" = "$1" ] && [ "$(field "$2")" = "$3" ] || echo "wanted $*: $code $body" >> "$BATS_TEST_TMPDIR/wrong"
	}
	(
		unset CP_PORT CP_ETCD_PORT
		cp_start_failing "cache.before-watch delay:8000 1" # when it follows etcd for the second time
		maps=/api/v1/namespaces/default/configmaps
		send POST $maps '{"metadata":{"name":"held","finalizers":["a.b/c"]}}'
		send POST $maps "$(config_map gone)"
		send DELETE $maps/held
		send GET $maps/held # its memory is as new as this
		kill "$CP_ETCD_PID"
		wait "$CP_ETCD_PID" || true
		cp_start_etcd
		created() {
			send POST $maps "$(config_map a)"
			[ "$code" = 201 ]
		}
		cp_wait created
		send POST "$maps?dryRun=All" "$(config_map a)"
		wants 409 reason AlreadyExists
		send PATCH "$maps/a?dryRun=All" '{"data":{"b":"2"}}' application/merge-patch+json
		wants 200 data.a 1
		send DELETE "$maps/a?dryRun=All"
		wants 200 status Success
		send DELETE $maps/a
		send DELETE "$maps/a?dryRun=All"
		wants 404 reason NotFound
		send DELETE $maps/gone
		send POST "$maps?dryRun=All" "$(config_map gone)"
		wants 201 data.a 1
		for policy in Orphan Background; do send DELETE "$maps/held?propagationPolicy=$policy"; done
		send DELETE "$maps/held?dryRun=All"
		wants 200 metadata.finalizers "['a.b/c']"
		cp_stop
	)
	[ ! -e "$BATS_TEST_TMPDIR/wrong" ] || { cat "$BATS_TEST_TMPDIR/wrong"; false; }
}

@test "short answers on one connection are sent at once" {
	# What TCP holds back comes 200 ms later, forty times.
	begin=${EPOCHREALTIME/./}
	cp_curl "/api/v1/namespaces/default/pods/none-[1-40]" --output /dev/null
	took_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	[ "$took_ms" -lt 4000 ] || {
		echo "40 answers took $took_ms ms"
		false
	}
}

@test "bad input gets one clear answer each" {
	send POST $maps '{"kind":'
	[ "$code" = 400 ] && [ "$(field reason)" = BadRequest ]
	send POST $maps "$(python3 -c 'print("[" * 10000)')"
	[ "$code" = 400 ]
	send POST $maps '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"Bad_Name"}}'
	[ "$code" = 422 ] && [ "$(field details.causes.0.field)" = metadata.name ]
	send POST "$maps?fieldValidation=Strict" '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"nope":1}'
	[ "$code" = 400 ] && [[ $(field message) == *'unknown field "nope"'* ]]
	send POST $maps '{}' text/plain
	[ "$code" = 415 ]
	head -c 3200000 /dev/zero > "$BATS_TEST_TMPDIR/big"
	run cp_curl $maps -X POST -H 'Content-Type: application/json' --data-binary @"$BATS_TEST_TMPDIR/big" -o /dev/null -w '%{http_code}'
	[ "$output" = 413 ]
	send GET /api/v1/foos
	[ "$code" = 404 ]
	send DELETE /api/v1/configmaps
	[ "$code" = 405 ]
	send GET "$maps?fieldSelector=no.such%3D1"
	[ "$code" = 400 ]
	run cp_curl $maps -H 'Accept: text/html' -o /dev/null -w '%{http_code}'
	[ "$output" = 406 ]
}

@test "a watch from before what etcd remembers is told so inside the stream" {
	(
		unset CP_PORT CP_ETCD_PORT
		cp_start
		maps=/api/v1/namespaces/default/configmaps
		for i in a b; do send POST $maps "$(config_map $i)"; done
		version=$(field metadata.resourceVersion)
		ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" compact "$version" >/dev/null
		kill "$CP_APISERVER_PID"
		wait "$CP_APISERVER_PID"
		cp_start_apiserver
		body=$(cp_curl "$maps?watch=1&resourceVersion=$((version - 2))" -m 10)
		[ "$(field type)" = ERROR ] && [ "$(field object.code)" = 410 ] && [ "$(field object.reason)" = Expired ] ||
			echo "$body" > "$BATS_TEST_TMPDIR/wrong"
		cp_curl "$maps?watch=1&resourceVersion=$((version - 2))" -m 10 -H 'Accept: application/vnd.kubernetes.protobuf;stream=watch' |
			tr -c '[:print:]' _ | grep -q 'ERROR.*too old resource version' || echo protobuf >> "$BATS_TEST_TMPDIR/wrong"
		cp_stop
	)
	[ ! -e "$BATS_TEST_TMPDIR/wrong" ] || { cat "$BATS_TEST_TMPDIR/wrong"; false; }
}

@test "who was about to remove what another removed is told that it is gone" {
	(
		unset CP_PORT CP_ETCD_PORT
		cp_start_failing "remove.before-commit delay:3000"
		pods=/api/v1/namespaces/default/pods now='{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}'
		send POST /api/v1/namespaces/default/serviceaccounts '{"metadata":{"name":"default"}}'
		send POST $pods '{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
		marked() {
			send GET $pods/p
			[ -n "$(field metadata.deletionTimestamp)" ]
		}
		(send DELETE $pods/p "$now" && echo "$code $(field kind) $(field metadata.name)" > "$BATS_TEST_TMPDIR/first") &
		cp_wait marked
		send DELETE $pods/p "$now"
		[ "$code" = 200 ] || echo "$body" > "$BATS_TEST_TMPDIR/wrong"
		cp_wait test -s "$BATS_TEST_TMPDIR/first"
		cp_stop
	)
	[ ! -e "$BATS_TEST_TMPDIR/wrong" ]
	[ "$(cat "$BATS_TEST_TMPDIR/first")" = "200 Pod p" ]
}

@test "a list whose history is gone goes on with what is there" {
	(
		unset CP_PORT CP_ETCD_PORT
		CP_FLAGS=--etcd-compaction-interval=1s
		cp_start
		maps=/api/v1/namespaces/default/configmaps
		for i in a b c d; do send POST $maps "$(config_map $i)"; done
		send GET "$maps?limit=2"
		token=$(field metadata.continue)
		expired() {
			send GET "$maps?limit=2&continue=$token"
			[ "$code" = 410 ]
		}
		cp_wait expired
		[ "$(field reason)" = Expired ] && [[ $(field message) == *"use the continue token in this response"* ]]
		token=$(field metadata.continue)
		send DELETE $maps/c
		send GET "$maps?limit=2&continue=$token"
		[ "$code" = 200 ] && [ "$(field items.0.metadata.name)" = d ] || echo "$body" > "$BATS_TEST_TMPDIR/wrong"
		cp_stop
	)
	[ ! -e "$BATS_TEST_TMPDIR/wrong" ]
}

@test "a watch that names no time lasts as long as the server says at least, and twice as long at most" {
	(
		unset CP_PORT CP_ETCD_PORT
		CP_FLAGS=--min-request-timeout=1
		cp_start
		for query in "watch=1" "watch=1&timeoutSeconds=0"; do
			cp_curl "/api/v1/namespaces/default/configmaps?$query" -m 30 -o /dev/null -w '%{http_code} %{time_total}\n'
		done > "$BATS_TEST_TMPDIR/took"
		cp_stop
	)
	awk '$1 != 200 || $2 < 1 || $2 >= 3 {wrong = 1} END {exit wrong || NR != 2}' "$BATS_TEST_TMPDIR/took"
}

@test "the log of a kubelet that cannot be verified is for who does not ask who it is" {
	(
		unset CP_PORT CP_ETCD_PORT
		CP_FLAGS="" cp_start
		kill "$CP_APISERVER_PID"
		wait "$CP_APISERVER_PID" || true
		openssl req -x509 -newkey rsa:2048 -nodes -keyout "$CP_DIR/stranger.key" -subj /CN=stranger -days 2 -out "$CP_DIR/stranger.crt" 2> /dev/null
		CP_FLAGS=--kubelet-certificate-authority=$CP_DIR/stranger.crt cp_start_apiserver
		port=$(cp_free_port)
		mkdir -p "$CP_DIR/containerLogs/default/p"
		printf fake-log > "$CP_DIR/containerLogs/default/p/c"
		cd "$CP_DIR"
		openssl s_server -accept "$port" -cert apiserver.crt -key apiserver.key -WWW < /dev/null > /dev/null 2>&1 3>&- &
		kubelet=$!
		cp_wait cp_curl /api/v1/namespaces/default -f
		send POST /api/v1/nodes '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}'
		send PATCH /api/v1/nodes/n/status '{"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":'"$port"'}}}}' \
			application/merge-patch+json
		send POST /api/v1/namespaces/default/serviceaccounts '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}'
		send POST /api/v1/namespaces/default/pods '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}}'
		cp_wait curl -fsk "https://127.0.0.1:$port/containerLogs/default/p/c"
		for insecure in true false; do
			send GET "/api/v1/namespaces/default/pods/p/log?insecureSkipTLSVerifyBackend=$insecure"
			printf '%s\n' "$code $body" >> "$BATS_TEST_TMPDIR/told"
		done
		kill "$kubelet"
		cp_stop
	)
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/told")" = "200 fake-log" ]
	[[ $(tail -n +2 "$BATS_TEST_TMPDIR/told") == 500*"x509: certificate signed by unknown authority"* ]]
}

@test "browsers are told of TLS with every answer, where the server is" {
	(
		unset CP_PORT CP_ETCD_PORT
		CP_FLAGS=--strict-transport-security-directives=max-age=31536000,includeSubDomains
		cp_start
		for path in /healthz /nope "/api/v1/namespaces?watch=1&timeoutSeconds=1"; do cp_curl "$path" -D - -o /dev/null; done > "$BATS_TEST_TMPDIR/headers"
		curl -s --cacert "$CP_DIR/ca.crt" -u a:b "$CP_SERVER/api" -D - -o /dev/null >> "$BATS_TEST_TMPDIR/headers"
		cp_stop
	)
	[ "$(grep -ci '^strict-transport-security: max-age=31536000; includeSubDomains' "$BATS_TEST_TMPDIR/headers")" = 4 ]
}

@test "what the controller manager asks for before it removes old tokens is there" {
	tracking=/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking
	since() {
		send GET $tracking
		[ "$code" = 200 ]
	}
	cp_wait since
	[[ $(field data.since) =~ ^20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]$ ]]
}

@test "a review has no table" {
	reviews=/apis/authorization.k8s.io/v1/selfsubjectaccessreviews
	review='{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}}'
	table='application/json;as=Table;v=v1;g=meta.k8s.io'
	body=$(cp_curl $reviews -H "Accept: $table" -H 'Content-Type: application/json' -d "$review")
	[ "$(field code)" = 406 ] && [[ $(field message) == "only the following media types are accepted: application/json, "* ]]
	body=$(cp_curl $reviews -H "Accept: $table,application/json" -H 'Content-Type: application/json' -d "$review")
	[ "$(field kind)" = SelfSubjectAccessReview ]
	body=$(cp_curl $maps -H "Accept: $table")
	[ "$(field kind)" = Table ]
}

@test "a Table made of kept pieces says what one made whole says" {
	send POST "/api/v1/namespaces/$ns/serviceaccounts" '{"metadata":{"name":"default"}}'
	for name in one two; do
		send POST "/api/v1/namespaces/$ns/pods" '{"metadata":{"name":"'$name'","annotations":{"a":"}\"\\{[\\"}},"spec":{"containers":[{"name":"c","image":"i"}]}}'
		[ "$code" = 201 ]
	done
	send PATCH "/api/v1/namespaces/$ns/pods/two/status" '{"status":{"phase":"Succeeded"}}' application/merge-patch+json
	table() { cp_curl "$1" -A test -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' | jq -cS '.metadata.resourceVersion = "" | (.metadata.continue | values) = "more" | .rows[].cells |= map(tostring | sub("^[0-9]+[smh].*"; "age"))'; }
	for path in "/api/v1/namespaces/$ns/pods?" "/api/v1/namespaces/$ns/pods?limit=1&" "/api/v1/namespaces/$ns/secrets?" '/apis/rbac.authorization.k8s.io/v1/clusterroles?'; do
		kept=$(table "$path")
		whole=$(table "${path}pretty=1")
		[ "$kept" = "$whole" ] || { diff <(jq . <<< "$kept") <(jq . <<< "$whole"); false; }
	done
	[ "$(table "/api/v1/namespaces/$ns/pods?" | jq -r '.rows[1].conditions[0].type, .rows[0].object.metadata.annotations.a')" = $'Completed\n}"\\{[\\' ]
}

@test "a node that is ourselves is not proxied to, and a log that cannot be had names what was asked" {
	local node=/api/v1/nodes/near
	send POST /api/v1/nodes '{"apiVersion":"v1","kind":"Node","metadata":{"name":"near"}}'
	send PATCH $node/status '{"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":4}}}}' \
		application/merge-patch+json
	for path in near near:80 https:near:4; do
		send GET "/api/v1/nodes/$path/proxy/healthz"
		[ "$code" = 400 ] && [ "$(field message)" = "address not allowed" ]
	done
	send POST /api/v1/namespaces/$ns/serviceaccounts '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}'
	send POST /api/v1/namespaces/$ns/pods '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"quiet"},"spec":{"nodeName":"near","containers":[{"name":"c","image":"i"}]}}'
	send GET "/api/v1/namespaces/$ns/pods/quiet/log?tailLines=3"
	[ "$code" = 500 ]
	[ "$(field message)" = "Get \"https://127.0.0.1:4/containerLogs/$ns/quiet/c?tailLines=3\": dial tcp 127.0.0.1:4: connect: connection refused" ]
	# What is at another port of a node is not shown the certificate that is for kubelets: plain HTTP comes there.
	address=$(hostname -I | cut -d' ' -f1)
	port=$(cp_free_port)
	printf plain > "$BATS_TEST_TMPDIR/a.txt"
	busybox httpd -f -p "$port" -h "$BATS_TEST_TMPDIR" 3>&- &
	site=$!
	send PATCH $node/status "{\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"$address\"}]}}" application/merge-patch+json
	cp_wait cp_curl "/api/v1/nodes/near:$port/proxy/a.txt" -f -o /dev/null
	send GET "/api/v1/nodes/near:$port/proxy/a.txt"
	[ "$body" = plain ]
}

@test "pages seen through the proxy lead through the proxy" {
	address=$(hostname -I | cut -d' ' -f1)
	port=$(cp_free_port)
	mkdir "$BATS_TEST_TMPDIR/site"
	printf '<a href="/next">next</a><a href="near">near</a>' > "$BATS_TEST_TMPDIR/site/index.html"
	busybox httpd -f -p "$port" -h "$BATS_TEST_TMPDIR/site" 3>&- &
	site=$!
	send POST /api/v1/namespaces/$ns/serviceaccounts '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}'
	send POST /api/v1/namespaces/$ns/pods '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"page"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
	[ "$code" = 201 ]
	pod=/api/v1/namespaces/$ns/pods/page
	send PATCH $pod/status '{"status":{"podIP":"127.0.0.1","podIPs":[{"ip":"127.0.0.1"}]}}' application/merge-patch+json
	send GET "$pod:$port/proxy/"
	[ "$code" = 400 ] && [ "$(field message)" = "address not allowed" ]
	send PATCH $pod/status "{\"status\":{\"podIP\":\"$address\",\"podIPs\":[{\"ip\":\"$address\"}]}}" application/merge-patch+json
	cp_wait cp_curl "/api/v1/namespaces/$ns/pods/page:$port/proxy/" -f -o /dev/null
	send GET "/api/v1/namespaces/$ns/pods/page:$port/proxy/"
	[ "$body" = "<a href=\"/api/v1/namespaces/$ns/pods/page:$port/proxy/next\">next</a><a href=\"near\">near</a>" ]
	run cp_curl "/api/v1/namespaces/$ns/pods/page:$port/proxy?a=b" -o /dev/null -w '%{http_code} %header{location}'
	[ "$output" = "301 /api/v1/namespaces/$ns/pods/page:$port/proxy/?a=b" ]
	send GET "/api/v1/namespaces/$ns/pods/ftp:page:$port/proxy/"
	[ "$code" = 400 ] && [ "$(field message)" = "invalid pod request \"ftp:page:$port\"" ]
}

@test "a claim of devices on its way out loses consumers and gains none" {
	local claims=/apis/resource.k8s.io/v1/namespaces/$ns/resourceclaims patch=application/merge-patch+json
	local one='{"resource":"pods","name":"a","uid":"1"}' two='{"resource":"pods","name":"b","uid":"2"}'
	send POST "$claims" '{"apiVersion":"resource.k8s.io/v1","kind":"ResourceClaim","metadata":{"name":"c","finalizers":["example.com/hold"]},
		"spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"gpu"}}]}}}'
	[ "$code" = 201 ]
	[[ $body == *'"allocationMode":"ExactCount","count":1'* ]]
	send PATCH "$claims/c/status" "{\"status\":{\"allocation\":{\"devices\":{\"results\":[
		{\"request\":\"r\",\"driver\":\"d.example.com\",\"pool\":\"p\",\"device\":\"d\"}]}},\"reservedFor\":[$one]}}" $patch
	[ "$code" = 200 ]
	send DELETE "$claims/c"
	[ "$code" = 200 ]
	send PATCH "$claims/c/status" "{\"status\":{\"reservedFor\":[$one,$two]}}" $patch
	echo "$body"
	[ "$code" = 422 ]
	[[ $body == *'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'* ]]
	send PATCH "$claims/c/status" '{"status":{"reservedFor":null}}' $patch
	[ "$code" = 200 ]
	[[ $body == *'"allocation":'* ]]
	send PATCH "$claims/c" '{"metadata":{"finalizers":null}}' $patch
	[ "$code" = 200 ]
	send GET "$claims/c"
	[ "$code" = 404 ]
}

@test "strangers are refused" {
	run curl -s --cacert "$CP_DIR/ca.crt" -o /dev/null -w '%{http_code}' "$CP_SERVER$maps"
	[ "$output" = 403 ]
	run curl -s --cacert "$CP_DIR/ca.crt" -H 'Authorization: Bearer wrong' -o /dev/null -w '%{http_code}' "$CP_SERVER$maps"
	[ "$output" = 401 ]
	run curl -s --cacert "$CP_DIR/ca.crt" "$CP_SERVER/livez"
	[ "$output" = ok ]
}

@test "every answer names its request, as the sender says or anew; a refusal is not to be taken for a page" {
	local uuid='^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' path
	header() { tr -d '\r' | sed -n "s/^$1: //Ip"; }
	for path in $maps $maps/none /nope /livez "$maps?watch=1&timeoutSeconds=1"; do
		cp_curl "$path" -D - -o /dev/null | header audit-id | grep -qE "$uuid"
		[ "$(cp_curl "$path" -H 'Audit-ID: mine' -D - -o /dev/null | header audit-id)" = mine ]
	done
	[ "$(cp_curl $maps -D - -o /dev/null | header audit-id)" != "$(cp_curl $maps -D - -o /dev/null | header audit-id)" ]
	[ "$(curl -sk "$CP_SERVER$maps" -D - -o /dev/null | header x-content-type-options)" = nosniff ]
	[ "$(cp_curl $maps -H 'Impersonate-User: eve' -D - -o /dev/null | header x-content-type-options)" = nosniff ]
	[ -z "$(cp_curl $maps/none -D - -o /dev/null | header x-content-type-options)" ]
	curl -sk "$CP_SERVER$maps" -H 'Authorization: Bearer x' -D - -o /dev/null | header audit-id | grep -qE "$uuid"
}

@test "discovery, OpenAPI, version and health" {
	send GET /apis/apps/v1
	[ "$(field groupVersion)" = apps/v1 ]
	body=$(cp_curl /apis -H 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
	[ "$(field kind)" = APIGroupDiscoveryList ]
	send GET /openapi/v3/apis/apps/v1
	[ "$(field components.schemas)" != "" ] && [ "$(field openapi)" = 3.0.0 ]
	send GET /openapi/v2
	[[ $body == '{"swagger":"2.0"'* ]]
	send GET /version
	[ "$(field minor)" = 34 ]
	send GET "/readyz?verbose"
	[[ $body == *"[+]etcd ok"* ]]
	send GET /metrics
	[[ $body == *apiserver_request_total* ]]
}

@test "one node's pods are told to its watcher alone, in protobuf as in JSON" {
	run cp_curl "/api/v1/pods?fieldSelector=spec.nodeName%3Dnowhere" -H 'Accept: application/vnd.kubernetes.protobuf' -o "$BATS_TEST_TMPDIR/list" -w '%{content_type}'
	[ "$output" = application/vnd.kubernetes.protobuf ]
	[ "$(head -c 3 "$BATS_TEST_TMPDIR/list")" = k8s ]
}

@test "a start that cannot succeed says why" {
	run "$CP_APISERVER" --no-such-flag
	[ "$status" = 1 ] && [[ $output == *"unknown flag: --no-such-flag"* ]]
	run "$CP_APISERVER" --secure-port=1
	[ "$status" = 1 ] && [[ $output == *--etcd-servers* ]]
	run timeout 10 "$CP_APISERVER" --etcd-servers="$CP_ETCD" --secure-port="$CP_PORT" --bind-address=127.0.0.1 \
		--tls-cert-file="$CP_DIR/apiserver.crt" --tls-private-key-file="$CP_DIR/apiserver.key" \
		--service-account-issuer=x --service-account-key-file="$CP_DIR/sa.pub" --service-account-signing-key-file="$CP_DIR/sa.key"
	[ "$status" = 1 ] && [[ $output == *"127.0.0.1:$CP_PORT"* ]]
	run timeout 10 "$CP_APISERVER" --etcd-servers="$CP_ETCD" --secure-port=0 --tls-cert-file=/nonexistent --tls-private-key-file="$CP_DIR/apiserver.key" \
		--service-account-issuer=x --service-account-key-file="$CP_DIR/sa.pub" --service-account-signing-key-file="$CP_DIR/sa.key"
	[ "$status" = 1 ] && [[ $output == *"/nonexistent"* ]]
}

@test "a definition of custom resources that is deleted is kept by a finalizer until its objects are gone" {
	local crds=/apis/apiextensions.k8s.io/v1/customresourcedefinitions version
	send POST $crds '{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"foos.kk.example.com"},
		"spec":{"group":"kk.example.com","names":{"kind":"Foo","listKind":"FooList","plural":"foos","singular":"foo"},"scope":"Namespaced",
		"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}'
	[ "$code" = 201 ]
	version=$(jq -r .metadata.resourceVersion <<< "$body")
	cp_curl "$crds?watch=1&resourceVersion=$version" -N 3>&- | jq --unbuffered -r 'select(.object.metadata.deletionTimestamp) |
		"\(.type) \(.object.metadata.finalizers) \(.object.status.conditions[] | select(.type == "Terminating") | .reason)",
		if .type == "DELETED" then halt else empty end' > "$BATS_TEST_TMPDIR/seen" &
	site=$!
	send DELETE $crds/foos.kk.example.com
	[ "$code" = 200 ]
	jq -e '.kind == "CustomResourceDefinition" and .metadata.generation == 1 and (.metadata | has("deletionGracePeriodSeconds") | not)' <<< "$body"
	cp_wait grep -q DELETED "$BATS_TEST_TMPDIR/seen"
	diff "$BATS_TEST_TMPDIR/seen" - <<-'SEEN'
		MODIFIED ["customresourcecleanup.apiextensions.k8s.io"] InstanceDeletionPending
		MODIFIED ["customresourcecleanup.apiextensions.k8s.io"] InstanceDeletionInProgress
		DELETED ["customresourcecleanup.apiextensions.k8s.io"] InstanceDeletionInProgress
	SEEN
	send GET $crds/foos.kk.example.com
	[ "$code" = 404 ]
}

@test "an update of nothing writes a value anew that has another form than it would be given" {
	local key=/registry/configmaps/$ns/old version written
	stored() { ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" get --print-value-only "$key"; }
	send POST $maps "$(config_map old)"
	jq -c '.metadata.resourceVersion = ""' <<< "$body" | ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" put "$key"
	cp_wait eval '[ "$(cp_curl $maps/old | jq -r .metadata.resourceVersion)" != '"$(jq .metadata.resourceVersion <<< "$body")"' ]'
	version=$(cp_curl "$maps/old" | jq -r .metadata.resourceVersion)
	send PATCH $maps/old '{}' application/merge-patch+json
	written=$(field metadata.resourceVersion)
	[ "$code" = 200 ] && [ "$written" -gt "$version" ]
	[[ $(stored | head -c 3) = k8s ]]
	send PATCH $maps/old '{}' application/merge-patch+json
	[ "$(field metadata.resourceVersion)" = "$written" ]
}
