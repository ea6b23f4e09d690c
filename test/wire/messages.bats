# Watches as the messages of a WebSocket, as browsers have them.
setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_start
	export CP_APISERVER_PID CP_ETCD_PID CP_SERVER
	cp_wait "$BIN/kubectl" create configmap first --from-literal=a=b
	"$BIN/kubectl" create configmap second >/dev/null
}
teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}
setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }
MAPS=/api/v1/namespaces/default/configmaps
socket() { timeout 30 python3 "$cp_root/test/lib/messages.py" "$@"; }
# The types and names of the events in text messages.
told() { sed -n 's/^1 //p' "$1" | jq -r '.type + " " + .object.metadata.name'; }

@test "each event is one text message, and the end is a close frame" {
	socket "$MAPS?watch=1&timeoutSeconds=3" >"$BATS_TEST_TMPDIR/out" &
	cp_wait grep -q second "$BATS_TEST_TMPDIR/out"
	"$BIN/kubectl" create configmap third >/dev/null
	"$BIN/kubectl" delete configmap third >/dev/null
	wait $!
	[ "$(told "$BATS_TEST_TMPDIR/out" | grep -v kube-root)" = "$(printf 'ADDED first\nADDED second\nADDED third\nDELETED third')" ]
	[ "$(tail -1 "$BATS_TEST_TMPDIR/out")" = "close 1000" ]
}

@test "thousands of events come to one who reads, each for itself" {
	local i
	for ((i = 0; i < 1500; i++)); do printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: s-%04d}\n' "$i"; done | "$BIN/kubectl" create -f - >/dev/null
	socket "/api/v1/namespaces/default/secrets?watch=1&timeoutSeconds=2" >"$BATS_TEST_TMPDIR/out"
	[ "$(told "$BATS_TEST_TMPDIR/out" | sort -u | grep -c 'ADDED s-')" = 1500 ]
	[ "$(tail -1 "$BATS_TEST_TMPDIR/out")" = "close 1000" ]
}

@test "protobuf comes in binary messages without a length, and a Table as text" {
	socket "$MAPS?watch=1&fieldSelector=metadata.name%3Dfirst&timeoutSeconds=1" --show 6 --header "Accept: application/vnd.kubernetes.protobuf" >"$BATS_TEST_TMPDIR/out"
	# WatchEvent: field 1, ADDED.
	[ "$(head -1 "$BATS_TEST_TMPDIR/out")" = "2 0a0541444445" ]
	socket "$MAPS?watch=1&fieldSelector=metadata.name%3Dfirst&timeoutSeconds=1" --header "Accept: application/json;as=Table;v=v1;g=meta.k8s.io" >"$BATS_TEST_TMPDIR/out"
	[ "$(sed -n '1s/^1 //p' "$BATS_TEST_TMPDIR/out" | jq -r '.object.kind + " " + .object.rows[0].cells[0]')" = "Table first" ]
}

@test "a client is answered to pings, and may close" {
	run socket "$MAPS?watch=1&fieldSelector=metadata.name%3Dfirst" --close-after 1 --header "Sec-WebSocket-Protocol: mine"
	[ "${lines[0]}" = "Sec-WebSocket-Protocol: mine" ]
	[ "${lines[2]}" = "pong still there?" ]
	[[ ${lines[3]} == "close 1000" ]]
}

@test "what is wrong with a watch is an answer, and a page has to say where it is from" {
	run socket "$MAPS?watch=1&fieldSelector=spec.x%3D1"
	[[ ${lines[0]} == "HTTP/1.1 400"* ]]
	run socket "$MAPS?watch=1" --no-origin
	[[ ${lines[0]} == "HTTP/1.1 403"* ]]
}

@test "a log comes as messages too, as bytes or in base64, and what the node refuses is an answer" {
	local port status
	mkfifo "$BATS_TEST_TMPDIR/end"
	exec 7<>"$BATS_TEST_TMPDIR/end"
	python3 "$cp_root/test/lib/log_node.py" "$CP_DIR/apiserver.crt" "$CP_DIR/apiserver.key" <&7 >"$BATS_TEST_TMPDIR/port" 3>&- &
	cp_wait test -s "$BATS_TEST_TMPDIR/port"
	port=$(cat "$BATS_TEST_TMPDIR/port")
	status='{"status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "daemonEndpoints": {"kubeletEndpoint": {"Port": '$port'}}}}'
	"$BIN/kubectl" create serviceaccount default >/dev/null
	cp_curl /api/v1/nodes -H 'Content-Type: application/json' -d '{"metadata": {"name": "near"}}' >/dev/null
	cp_curl /api/v1/nodes/near/status -X PATCH -H 'Content-Type: application/merge-patch+json' -d "$status" >/dev/null
	cp_curl /api/v1/namespaces/default/pods -H 'Content-Type: application/json' -d '{"metadata": {"name": "p"}, "spec": {"nodeName": "near", "containers": [
		{"name": "c", "image": "i"}, {"name": "other", "image": "i"}]}}' >/dev/null
	# An empty message comes first.
	socket "/api/v1/namespaces/default/pods/p/log?container=c" --no-origin >"$BATS_TEST_TMPDIR/out" &
	cp_wait eval '[ "$(sed -n "s/^2 //p" "$BATS_TEST_TMPDIR/out" | tr -d "\n")" = "$(printf "hello world" | xxd -p)" ]'
	echo >&7
	wait $!
	[ "$(grep -m 1 '^[0-9]' "$BATS_TEST_TMPDIR/out")" = "2 " ]
	[ "$(tail -1 "$BATS_TEST_TMPDIR/out")" = "close 1000" ]
	socket "/api/v1/namespaces/default/pods/p/log?container=c" --header "Sec-WebSocket-Protocol: base64.binary.k8s.io" >"$BATS_TEST_TMPDIR/out" &
	cp_wait eval '[ "$(sed -n "s/^1 //p" "$BATS_TEST_TMPDIR/out" | while read -r piece; do base64 -d <<<"$piece"; done)" = "hello world" ]'
	echo >&7
	wait $!
	[ "$(head -2 "$BATS_TEST_TMPDIR/out")" = "$(printf 'Sec-WebSocket-Protocol: base64.binary.k8s.io\n1 ')" ]
	run socket "/api/v1/namespaces/default/pods/p/log?container=other"
	[[ ${lines[0]} == "HTTP/1.1 400"* ]]
}
