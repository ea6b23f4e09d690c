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
	late watch "$maps?watch=1&resourceVersion=$before" --until none >"$CP_DIR/course" &
	late watch "$maps?watch=1&resourceVersion=$middle" --until last >"$CP_DIR/other"
	wait $!
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
	late watch "$maps?watch=1&resourceVersion=$before" --until last --n "$n" >"$CP_DIR/courses" &
	cp_wait late watch "$maps?watch=1&resourceVersion=$before" --until last
	[ "$(cp_curl "$maps/last" -o /dev/null -w '%{http_code}')" = 200 ]
	wait $!
	[ "$(<"$CP_DIR/courses")" = "$n $(cut -d ' ' -f 2- "$CP_DIR/there")" ]
	[ $(($(watches) - reads)) -le 3 ]
}

@test "an etcd that is slow to tell keeps nobody but the late waiting" {
	change
	restart
	kill -STOP "$CP_ETCD_PID"
	late watch "$maps?watch=1&resourceVersion=$before" --until last >"$CP_DIR/course" &
	local code
	code=$(cp_curl "$maps?resourceVersion=0" -o /dev/null -w '%{http_code}')
	kill -CONT "$CP_ETCD_PID"
	wait $!
	[ "$code" = 200 ]
	[ "$(wc -w <"$CP_DIR/course")" = 9 ]
}
