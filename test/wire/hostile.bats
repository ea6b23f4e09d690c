#!/usr/bin/env bats
# What a client can get wrong, and what one does who means harm: each gets its answer, and the server stays as it was.
# The codes are the original's: CP_APISERVER=/path/to/another/kube-apiserver runs the same against that.

setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	export CP_APISERVER=${CP_APISERVER:-${BIN:-$cp_root/build/bin}/kube-apiserver}
	[ -x "$CP_APISERVER" ] || skip "kube-apiserver is not built"
	command -v etcd > /dev/null || skip "etcd is not installed"
	cp_start
	export CP_APISERVER_PID CP_ETCD_PID CP_PORT CP_ETCD_PORT
	peak > "$CP_DIR/peak"
	# Its answer takes minutes: the others run meanwhile.
	hostile watch-stalled > "$CP_DIR/stalled" 2>&1 3>&- &
	echo $! > "$CP_DIR/stalled.pid"
}

teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}

hostile() {
	timeout 400 python3 "$BATS_TEST_DIRNAME/../lib/hostile.py" "$@"
}

# peak: the most memory that the server has used, in KiB.
peak() {
	awk '/^VmHWM/ {print $2}' "/proc/$CP_APISERVER_PID/status"
}

# answers CASE CODE REASON ...: sends them all; what differs is the failure.
answers() {
	local wanted=() names=()
	while [ $# -gt 0 ]; do
		names+=("$1") wanted+=("$1 $2 $3")
		shift 3
	done
	diff <(printf '%s\n' "${wanted[@]}") <(hostile request "${names[@]}" | sed 's/ *$//')
}

@test "bodies that are too large, too deep or broken are refused with a Status" {
	answers alias-bomb 400 BadRequest \
		deep-json 400 BadRequest \
		deep-json-known-field 400 BadRequest \
		deep-yaml 400 BadRequest \
		too-large 413 RequestEntityTooLarge \
		million-labels 413 RequestEntityTooLarge \
		utf8-json 201 ConfigMap \
		utf8-name 422 Invalid \
		utf8-yaml 400 BadRequest \
		protobuf-broken 400 BadRequest \
		protobuf-no-magic 400 BadRequest \
		cbor 415 UnsupportedMediaType \
		no-body 400 BadRequest \
		json-and-more 400 BadRequest \
		length-bad 400 -
}

# Up to two megabytes each. Work or memory that grows with the square of a list takes longer than the client waits, or all memory.
@test "an object with a very long list is judged in the time of any other of its size" {
	answers long-volumes 201 DaemonSet \
		long-pull-secrets 201 DaemonSet \
		long-environment 201 DaemonSet \
		long-claims 422 Invalid \
		long-claim-volumes 201 Pod \
		long-limits 201 Pod \
		sidecars 201 Pod \
		mounts-of-each 201 Pod \
		long-conditions 200 Pod \
		long-addresses 422 Invalid \
		long-binary-data 201 ConfigMap \
		deletes-among-kept 200 ConfigMap \
		properties-required 201 CustomResourceDefinition \
		properties-restricted 201 CustomResourceDefinition \
		service-ports 200 Service \
		applied-map 200 PersistentVolumeClaim \
		review-extra 201 SubjectAccessReview \
		review-values 201 SubjectAccessReview \
		claims-of-each 201 Pod \
		long-same-ports 201 DaemonSet \
		long-files 201 DaemonSet \
		long-repeated-ports 422 Invalid \
		long-string-data 201 Secret \
		long-review-versions 201 ValidatingWebhookConfiguration \
		long-map-keys 422 Invalid \
		long-topologies 422 Invalid \
		long-namespaces 201 FlowSchema \
		many-keys-merged 200 ConfigMap \
		many-keys-strategic 200 ConfigMap \
		changed-selector 422 Invalid \
		many-wrong-json 422 Invalid \
		many-wrong-merged 422 Invalid \
		many-wrong-strategic 422 Invalid
}

# The original compares them all, one by one: it runs out of memory.
@test "a role of more rights than can be compared is refused" {
	answers many-rights 403 Forbidden
}

# The original makes them all, and tells them all.
@test "the amounts of a LimitRange for each of many containers are not all made" {
	answers defaults-of-each 403 Forbidden \
		bounds-of-each 403 Forbidden
}

# Ten times as many are more than the original can tell in the time of a request: it answers 504 after 34 seconds.
@test "thousands of mistakes in one object are all told, in one pass" {
	answers bad-labels 422 Invalid
	[[ "$(hostile request many-bad-labels)" = "many-bad-labels "@("422 Invalid"|"504 Timeout")* ]]
}

@test "patches are bounded in operations, in depth and in what they copy" {
	answers deep-patch 400 BadRequest \
		patch-operations 413 RequestEntityTooLarge \
		patch-most-operations 200 ConfigMap \
		patch-copies 422 Invalid \
		patch-no-json 400 BadRequest \
		patch-unknown-type 415 UnsupportedMediaType
}

@test "paths with dots, escapes and empty segments lead nowhere else" {
	answers path-dots 404 NotFound \
		path-escaped-name 404 NotFound \
		path-escaped-slash 404 NotFound \
		path-bad-escape 400 - \
		path-nul 404 NotFound \
		path-utf8 404 NotFound
	[[ "$(hostile request path-escaped-dots)" = "path-escaped-dots 500 "* ]]
	[[ "$(hostile request path-double-slash)" = "path-double-slash 404 "* ]]
	[[ "$(hostile request path-long)" = "path-long 404 "* ]]
}

@test "paths of the wrong scope are not found" {
	answers scope-missing-namespace 404 NotFound \
		scope-node-in-namespace 404 NotFound \
		scope-post-without-namespace 405 MethodNotAllowed \
		scope-namespace-mismatch 400 BadRequest \
		name-mismatch 400 BadRequest \
		unknown-subresource 404 NotFound \
		unknown-method 405 MethodNotAllowed
}

@test "options that mean nothing are refused" {
	answers bad-selector 400 BadRequest \
		bad-field-selector 400 BadRequest \
		bad-continue 400 BadRequest \
		bad-version 400 BadRequest \
		bad-limit 400 BadRequest \
		bad-dry-run 422 Invalid \
		bad-accept 406 NotAcceptable
}

@test "headers are read up to their limit, and refused above it" {
	answers token-large 200 ConfigMapList \
		header-too-large 431 -
}

# What two servers in a row could read in two ways is refused, as all that is no HTTP.
@test "requests as nobody should write them are answered as the original answers them" {
	local name told wanted wrong=0
	timeout 300 python3 "$BATS_TEST_DIRNAME/../lib/raw.py" > "$CP_DIR/raw"
	while IFS= read -r wanted; do
		[[ "$wanted" != "#"* ]] || continue
		name=${wanted%%:*}
		told=$(grep "^$name: " "$CP_DIR/raw") || true
		# shellcheck disable=SC2053
		[[ "$told" == $wanted ]] || { echo "not $wanted, but $told"; wrong=1; }
	done < "$BATS_TEST_DIRNAME/../data/raw-answers"
	[ "$wrong" = 0 ]
}

@test "who writes all of a body that is a little too large before he reads is answered" {
	run python3 -B - "$BATS_TEST_DIRNAME/../lib" <<- 'PY'
		import sys
		sys.path.insert(0, sys.argv[1])
		import raw
		connection = raw.connect()
		connection.sendall(raw.sized("x" * ((3 << 20) + 200000)))
		print(connection.recv(12).decode())
	PY
	[ "$output" = "HTTP/1.1 413" ]
}

@test "a body that never ends is not read for ever" {
	run hostile endless
	[[ "$output" = *"after less than 64 MiB" ]]
}

# The original reads nothing of a client before the node has answered, and fails this case.
@test "malformed frames end a session with the code that says why, and cost no memory" {
	timeout 200 python3 -B "$BATS_TEST_DIRNAME/../lib/frames.py" > "$CP_DIR/frames"
	diff - "$CP_DIR/frames" <<- 'END'
		good: open
		unmasked: 1002
		length-2^63: 1009
		length-2^64: 1009
		length-1g: 1009
		control-long: 1002
		control-in-parts: 1002
		reserved-bits: 1002
		unknown: 1002
		continues-nothing: 1002
		new-within-parts: 1002
		parts-for-ever: 1009
		empty-parts: open
		empty: open
		channel-unknown: open
		size-junk: open
		close-half: 1002
		close-zero: 1002
		close-twice: 1000
		junk: 1002
		then: 200
	END
}

@test "a thousand watchers beside one that does not read hear of everything" {
	local n=1000
	[[ "$CP_APISERVER" != */san-* ]] || n=200
	late() { timeout 250 python3 "$BATS_TEST_DIRNAME/../lib/late.py" "$@"; }
	late watch "/api/v1/namespaces/default/configmaps?watch=1&fieldSelector=metadata.name=crowd" --until crowd --n "$n" \
		--began "$CP_DIR/began" > "$CP_DIR/crowd" &
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	all_watch() { [ "$(wc -l < "$CP_DIR/began")" = "$n" ]; }
	cp_wait all_watch || cp_wait all_watch
	cp_curl /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' -d '{"metadata":{"name":"crowd"}}' > /dev/null
	wait $!
	[[ "$(< "$CP_DIR/crowd")" = "$n ADDED:crowd:"* ]]
}

@test "a watcher that stops reading keeps nobody waiting" {
	run hostile watch-unread
	[ "$output" = "reader saw all" ]
}

@test "thousands of connections that say nothing keep nobody waiting" {
	local n=4000
	[[ "$CP_APISERVER" != */san-* ]] || n=1000 # each handshake costs many times as much
	run hostile idle "$n"
	[ "$output" = "200 soon with $n held" ]
}

# The original holds on to it, and fails this case.
@test "a watcher that never reads is let go" {
	tail --pid="$(cat "$CP_DIR/stalled.pid")" -f /dev/null
	grep '^let go after' "$CP_DIR/stalled"
}

@test "handshakes that stop in the middle cost nothing" {
	run hostile half 50
	awk -v share="${lines[0]}" 'BEGIN {exit !(share < 0.05)}'
	[ "${lines[1]}" = 200 ]
}

@test "after all of it the server is alive and has not used memory without bound" {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	[ "$(cp_curl /readyz)" = ok ]
	local before after most=768
	[[ "$CP_APISERVER" != */san-* ]] || most=1280 # a sanitizer keeps 256 MiB of what was freed, and has a shadow of it all
	before=$(cat "$CP_DIR/peak") after=$(peak)
	echo "peak memory: $before KiB before, $after KiB after"
	[ "$after" -lt $((before + most * 1024)) ]
}
