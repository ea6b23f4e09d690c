# Large answers, which leave by a way of their own: the same bytes whatever the connection is like.
setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_start
	export CP_APISERVER_PID
	cp_wait "$BIN/kubectl" create configmap first
	local i
	for ((i = 0; i < 60; i++)); do
		printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-%d}\ndata: {text: "%s"}\n' "$i" "$(seq -s ' ' "$i" $((i + 9000)))"
	done >"$CP_DIR/maps.yaml"
	"$BIN/kubectl" create -f "$CP_DIR/maps.yaml" >/dev/null
	export MAPS=/api/v1/namespaces/default/configmaps
	# Of one revision: its number is in the answer.
	MAPS+="?resourceVersionMatch=Exact&resourceVersion=$(cp_curl "$MAPS?limit=1" | jq -r .metadata.resourceVersion)"
	cp_curl "$MAPS" >"$CP_DIR/expected"
}
teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}
setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }

# same [curl flags...]
same() {
	cp_curl "$MAPS" "$@" -o "$BATS_TEST_TMPDIR/got"
	cmp "$CP_DIR/expected" "$BATS_TEST_TMPDIR/got"
}

@test "a large list is whole over every kind of connection" {
	jq -e '.items | length >= 60' "$CP_DIR/expected" >/dev/null
	[ "$(stat -c %s "$CP_DIR/expected")" -gt 2000000 ]
	same --tls-max 1.2
	same --tlsv1.3 --tls13-ciphers TLS_AES_256_GCM_SHA384
	same --tlsv1.3 --tls13-ciphers TLS_CHACHA20_POLY1305_SHA256
	same -H 'Connection: close'
	same --http1.0
	same --limit-rate 5M
}

@test "the connection goes on after a large list" {
	local dir=$BATS_TEST_TMPDIR url=$CP_SERVER$MAPS
	curl -s --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/admin.crt" --key "$CP_DIR/admin.key" -w '%{num_connects}\n' \
		-o "$dir/1" "$url" -o "$dir/2" "$url" -o "$dir/version" "$CP_SERVER/version" -o "$dir/3" "$url" >"$dir/connects"
	cmp "$CP_DIR/expected" "$dir/1"
	cmp "$CP_DIR/expected" "$dir/2"
	cmp "$CP_DIR/expected" "$dir/3"
	grep -q gitVersion "$dir/version"
	[ "$(paste -s -d ' ' "$dir/connects")" = "1 0 0 0" ]
}

@test "a client that leaves in the middle harms nobody" {
	local i
	for ((i = 0; i < 20; i++)); do
		cp_curl "$MAPS" | head -c $((i * 30000)) >/dev/null || true
	done
	same
	cp_curl "$MAPS" -I -X HEAD --max-time 10 -o /dev/null
	same
}

@test "a watch whose client is gone ends at once" {
	open_files() { find "/proc/$CP_APISERVER_PID/fd" -mindepth 1 | wc -l; }
	more() { [ "$(open_files)" -gt "$before" ]; }
	as_before() { [ "$(open_files)" -le "$before" ]; }
	local before pid
	before=$(open_files)
	curl -sN --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/admin.crt" --key "$CP_DIR/admin.key" \
		"$CP_SERVER/api/v1/namespaces/default/configmaps?watch=1" >/dev/null &
	pid=$!
	cp_wait more
	kill "$pid"
	cp_wait as_before
}

# What etcd takes only without the managed fields is stored without them, whoever it is that writes, but who applies.
@test "an object that its managed fields make too large is stored without them" {
	local path=/api/v1/namespaces/default/replicationcontrollers type='Content-Type: application/'
	python3 - > "$CP_DIR/large.json" <<-'PY'
		import json
		env = [{"name": "E%04d" % i} for i in range(3000)]
		print(json.dumps({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "large"}, "spec": {"replicas": 0,
			"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i" * 1480000, "env": env}]}}}}))
	PY
	answer() { jq -c '[.code, .message, .metadata.managedFields, .metadata.annotations]' "$CP_DIR/answer"; }
	cp_curl $path -H "${type}json" --data-binary "@$CP_DIR/large.json" > "$CP_DIR/answer"
	[ "$(answer)" = '[null,null,null,null]' ]
	jq -c '.metadata.annotations.a = "1"' "$CP_DIR/answer" > "$CP_DIR/changed.json"
	cp_curl $path/large -X PUT -H "${type}json" --data-binary "@$CP_DIR/changed.json" > "$CP_DIR/answer"
	[ "$(answer)" = '[null,null,null,{"a":"1"}]' ]
	cp_curl $path/large -X PATCH -H "${type}merge-patch+json" -d '{"metadata":{"annotations":{"a":"2"}}}' > "$CP_DIR/answer"
	[ "$(answer)" = '[null,null,null,{"a":"2"}]' ]
	cp_curl "$path/large?fieldManager=m&force=true" -X PATCH -H "${type}apply-patch+yaml" \
		-d '{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"large"},"spec":{"replicas":1}}' > "$CP_DIR/answer"
	[ "$(answer)" = '[500,"etcdserver: request is too large",null,null]' ]
	jq -c '.spec.template.spec.containers[0].image *= 2 | .metadata.name = "larger"' "$CP_DIR/large.json" > "$CP_DIR/larger.json"
	cp_curl $path -H "${type}json" --data-binary "@$CP_DIR/larger.json" > "$CP_DIR/answer"
	answer | grep -E '^\[500,"rpc error: code = ResourceExhausted desc = trying to send message larger than max \([0-9]+ vs. 2097152\)",null,null\]$'
}
