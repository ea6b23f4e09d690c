#!/usr/bin/env bats
# Watches that come back late: what the server no longer remembers, or never did, is read out of etcd's history.

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_start
	maps=/api/v1/namespaces/default/configmaps
	cp_wait "$BIN/kubectl" create configmap old
	"$BIN/kubectl" create configmap kept >/dev/null
	before=$(version)
}
teardown() { cp_stop; }

k() { "$BIN/kubectl" "$@" >/dev/null; }
version() { cp_curl "$maps${1:+/$1}?limit=1" | jq -r .metadata.resourceVersion; } # of all, or of one
# wait_together N COMMAND…: while etcd says nothing; it goes on when N lines tell that so many watches wait.
wait_together() {
	local enough=$1 i
	kill -STOP "$CP_ETCD_PID"
	: >"$CP_DIR/began"
	"${@:2}"
	all_wait() { [ "$(wc -l <"$CP_DIR/began")" -ge "$enough" ]; }
	for i in {1..4}; do ! cp_wait all_wait || break; done
	kill -CONT "$CP_ETCD_PID"
	all_wait
}
late() { python3 "$BATS_TEST_DIRNAME/../lib/late.py" "$@"; }
restart() {
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
	cp_start_apiserver
}
change() {
	k label configmap old on=1
	k create configmap new
	k create secret generic other
	k label configmap new on=1
	middle=$(version new)
	k label configmap old on-
	k delete configmap kept
	k delete configmap new
	k create configmap new
	k create configmap last
}
# Of an object that the watches cannot foresee the age is left out.
ageless() { sed -E 's/"<?[a-z0-9]+>?"\],"object"/"AGE"],"object"/'; }
forms=("" "&labelSelector=on" "&labelSelector=!on" "&fieldSelector=metadata.name=old" "&labelSelector=on&fieldSelector=metadata.name!=old")
accepts=("application/json" "application/vnd.kubernetes.protobuf;stream=watch" "application/json;as=Table;v=v1;g=meta.k8s.io"
	"application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")
# watch_all FOLDER [curl flags]: each form in each shape, from before the changes.
watch_all() {
	local f a
	mkdir -p "$CP_DIR/$1"
	for f in "${!forms[@]}"; do
		for a in "${!accepts[@]}"; do
			cp_curl "$maps?watch=1&resourceVersion=$before&timeoutSeconds=3${forms[f]}" -g -H "Accept: ${accepts[a]}" |
				ageless >"$CP_DIR/$1/$f-$a" &
			pids+=($!)
		done
	done
	wait "${pids[@]}"
	pids=()
}

@test "after a restart a watch tells what it would have told before, in every shape and through every selector" {
	change
	watch_all there
	[ "$(jq -r '.type + ":" + .object.metadata.name' "$CP_DIR/there/0-0" | xargs)" = \
		"MODIFIED:old ADDED:new MODIFIED:new MODIFIED:old DELETED:kept DELETED:new ADDED:new ADDED:last" ]
	[ "$(jq -r '.type + ":" + .object.metadata.name' "$CP_DIR/there/1-0" | xargs)" = "ADDED:old ADDED:new DELETED:old DELETED:new" ]
	restart
	watch_all again
	diff -r "$CP_DIR/there" "$CP_DIR/again"
	# Now the window has events, before which others are laid.
	restart
	k create configmap newer
	watch_all thrice
	[ "$(head -n -1 "$CP_DIR/thrice/0-0")" = "$(<"$CP_DIR/there/0-0")" ]
	[ "$(tail -n 1 "$CP_DIR/thrice/0-0" | jq -r '.type + ":" + .object.metadata.name')" = ADDED:newer ]
	diff "$CP_DIR/there/1-0" "$CP_DIR/thrice/1-0"
}

@test "what is forgotten is told with 410, and only that" {
	local course
	change
	ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" compact "$middle" >/dev/null
	restart
	# One reading for both fails: for who asked for too much.
	ask() {
		late watch "$maps?watch=1&resourceVersion=$before" --until none --began "$CP_DIR/began" >"$CP_DIR/course" &
		pids+=($!)
		late watch "$maps?watch=1&resourceVersion=$middle" --until last --began "$CP_DIR/began" >"$CP_DIR/other" &
		pids+=($!)
	}
	wait_together 2 ask
	wait "${pids[@]}"
	[[ $(<"$CP_DIR/course") == "1 410 too old resource version: $before ("* ]]
	[ "$(sed -E 's/:[0-9]+//g' "$CP_DIR/other")" = "1 MODIFIED:old DELETED:kept DELETED:new ADDED:new ADDED:last" ]
}

@test "a watcher that does not read for a while misses nothing, however much happens meanwhile" {
	lists() { cp_curl /metrics | awk '/^apiserver_cache_list_total.*"configmaps"/ {n += $2} END {print n + 0}'; }
	has_left_the_window() {
		local n
		n=$(lists)
		cp_curl "$maps?resourceVersion=$((before + 1))&resourceVersionMatch=Exact" >/dev/null
		[ "$(lists)" = "$n" ]
	}
	late watch "$maps?watch=1&resourceVersion=$before" --until end --hold "$CP_DIR/read" >"$CP_DIR/course" &
	late write big 400 100000 >"$CP_DIR/written"
	k create configmap end
	cp_wait has_left_the_window
	touch "$CP_DIR/read"
	wait "$!"
	[ "$(wc -l <"$CP_DIR/written")" = 400 ]
	diff "$CP_DIR/written" <(tr ' ' '\n' <"$CP_DIR/course" | sed -n 's/.*:big://p')
}

@test "a thousand who come back at once are told everything, and etcd is read once or twice" {
	local n=1000 reads
	[[ ${CP_APISERVER:-$BIN} != */san-* ]] || n=200
	watches() { curl -s "$CP_ETCD/metrics" | awk '/^grpc_server_started_total.*"Watch".*etcdserverpb/ {print $2}'; }
	change
	late watch "$maps?watch=1&resourceVersion=$before" --until last >"$CP_DIR/there"
	restart
	reads=$(watches)
	ask() {
		late watch "$maps?watch=1&resourceVersion=$before" --until last --n "$n" --began "$CP_DIR/began" >"$CP_DIR/courses" &
		pids+=($!)
	}
	wait_together $((n / 5)) ask
	cp_wait late watch "$maps?watch=1&resourceVersion=$before" --until last
	[ "$(cp_curl "$maps/last" -o /dev/null -w '%{http_code}')" = 200 ]
	wait "${pids[@]}"
	[ "$(<"$CP_DIR/courses")" = "$n $(cut -d ' ' -f 2- "$CP_DIR/there")" ]
	[ $(($(watches) - reads)) -le 5 ] # what had to begin again is among them
}

@test "an etcd that is slow to tell keeps nobody but the late waiting" {
	change
	restart
	kill -STOP "$CP_ETCD_PID"
	late watch "$maps?watch=1&resourceVersion=$before" --until last --began "$CP_DIR/waits" >"$CP_DIR/course" &
	pids+=($!)
	cp_wait test -e "$CP_DIR/waits"
	# Nothing else waits with it: who lists what is there, and who watches from now on, on many connections.
	local code others soon=1.5
	[[ ${CP_APISERVER:-$BIN} != */san-* ]] || soon=10
	for _ in {1..40}; do
		code+=$(cp_curl "$maps?resourceVersion=0" -m "$soon" -o /dev/null -w '%{http_code} ')
	done
	others=$(timeout 20 python3 "$BATS_TEST_DIRNAME/../lib/late.py" watch "$maps?watch=1&resourceVersion=0" --until last --n 5) || others="waits, too"
	# It ends when it was to end, and not before, however long etcd does not answer: longer than a connection is waited for.
	local ends=0
	cp_curl "$maps?watch=1&resourceVersion=$before&timeoutSeconds=5" -m 20 >"$CP_DIR/ends" || ends=$?
	[ ! -s "$CP_DIR/course" ] && [ ! -s "$CP_DIR/ends" ]
	kill -0 "${pids[0]}"
	kill -CONT "$CP_ETCD_PID"
	wait "${pids[@]}"
	[ "$(sort -u <<<"${code// /$'\n'}" | xargs)" = 200 ]
	[ "$ends" = 0 ]
	[[ "$others" = "5 ADDED:last:"* ]]
	[ "$(wc -w <"$CP_DIR/course")" = 9 ]
}
