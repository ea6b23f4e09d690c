#!/usr/bin/env bats
# What clients see of a server that is asked to end. CP_APISERVER=/path/to/kube-apiserver asks another the same: the original holds on to
# watches for a minute unless it is given a time for them.

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
}
teardown() { cp_stop; }

# clients FLAGS CLIENT…: a server with the flags, and what its clients are told.
clients() {
	CP_FLAGS=$1 cp_start
	export CP_APISERVER_PID CP_ETCD_PID
	timeout 150 python3 "$BATS_TEST_DIRNAME/../lib/ending.py" "${@:2}" >"$CP_DIR/told" 2>&1
	status=0
	wait "$CP_APISERVER_PID" || status=$?
	CP_APISERVER_PID=""
	cat "$CP_DIR/told"
	unanswered=$(sed -n 's/^W.* \([0-9]*\) requests were not answered in time$/\1/p' "$CP_DIR/apiserver.log")
}
told() { sed -n "s/^$1: //p" "$CP_DIR/told"; }
gone_after() { sed -n 's/^gone after //p' "$CP_DIR/told"; }

@test "what is in progress is answered, and who comes later is not let in" {
	clients "" slow-list slow-post watch new
	[ "$status" = 0 ]
	[ "$(told slow-post)" = "201, Connection: close" ]
	[ "$(told slow-list)" = "200, 40 objects" ]
	[ "$(told watch)" = "200, ended in order" ]
	[[ "$(told new)" = refused:* ]]
}

@test "a write that waits for etcd is answered" {
	clients --shutdown-delay-duration=2s stopped-post
	[ "$status" = 0 ]
	[ "$(told stopped-post)" = "201, Connection: close" ]
}

@test "who is there and asks again is sent elsewhere" {
	clients "" slow-post idle
	[ "$(told slow-post)" = "201, Connection: close" ]
	# The original closes such connections.
	[[ "$(told idle)" = @("503, Connection: close, Retry-After: 1, apiserver is shutting down"|"no answer: RemoteDisconnected") ]]
}

@test "sessions and logs that go on and on are cut, and waited for by nobody" {
	clients "" slow-post exec log
	[ "$status" = 0 ]
	[ "$(told slow-post)" = "201, Connection: close" ]
	[ "$(told exec)" = "16 bytes after the signal, closed" ]
	[ "$(told log)" = "200, cut: IncompleteRead" ]
}

@test "before it ends it says that it is not ready, and serves on for as long as it was told" {
	clients --shutdown-delay-duration=2s slow-post watch idle new ready
	[ "$status" = 0 ]
	[ "$(told slow-post)" = 201 ]
	[ "$(told idle)" = 200 ]
	[ "$(told new)" = 200 ]
	[[ "$(told ready)" = 500* ]]
	grep -F "[-]shutdown failed" "$CP_DIR/told"
	[ "$(gone_after)" -ge 2 ]
}

@test "who comes later is told to come again, and watches end within their time, where that was asked for" {
	clients "--shutdown-send-retry-after=true --shutdown-watch-termination-grace-period=3s" slow-post watch idle new ready
	[ "$status" = 0 ]
	[ "$(head -n 1 "$CP_DIR/told")" = "watch: 200, ended in order" ]
	[ "$(told slow-post)" = 201 ]
	[ "$(told idle)" = "429, Connection: close, Retry-After: 5, The apiserver is shutting down, please try again later." ]
	[ "$(told new)" = "$(told idle)" ]
	[[ "$(told ready)" = 500* ]]
}

@test "it waits for no request longer than a request may take" {
	clients --request-timeout=2s half-post
	[ "$status" = 0 ]
	[ -n "${CP_APISERVER:-}" ] || [ "$unanswered" = 1 ]
	[ "$(gone_after)" -ge 2 ]
	[ "$(gone_after)" -lt 10 ]
}

@test "a second signal ends it at once" {
	clients "" --twice half-post
	[ "$status" = 1 ]
	[ "$(gone_after)" -lt 10 ]
}
