# What happens is sent to many watchers in one call to the kernel, where it offers one; where it does not, each is sent by itself. A watcher
# sees no difference.

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
}
teardown() {
	[ -z "${watchers:-}" ] || kill $watchers 2>/dev/null || true
	cp_stop
}

has_io_uring() { find "/proc/$1/fd" -lname '*io_uring*' | grep -q .; }
all_told() { # LAST
	for i in $(seq 40); do grep -q "\"name\":\"$1\"" "$CP_DIR/told-$i" || return 1; done
}
watchers_are_told_all() {
	local maps=/api/v1/namespaces/default/configmaps from i
	cp_wait kubectl get namespace default
	from=$(cp_curl "$maps" | jq -r .metadata.resourceVersion)
	for i in $(seq 40); do
		cp_curl "$maps?watch=1&resourceVersion=$from" -N >"$CP_DIR/told-$i" 3>&- &
		watchers+=" $!"
	done
	for i in $(seq 50); do
		printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m%d}\ndata: {text: "%s"}\n' "$i" "$(seq -s ' ' $((i * 20)))"
	done | kubectl create -f - >/dev/null
	cp_wait all_told m50
	cp_curl "$maps" | jq -rc '.items[] | select(.metadata.name | test("^m[0-9]")) | [.metadata.resourceVersion, .metadata.name, .data.text]' |
		sort -t'"' -n -k2 >"$CP_DIR/expected"
	[ "$(wc -l <"$CP_DIR/expected")" = 50 ]
	for i in $(seq 40); do
		jq -rc 'select(.object.metadata.name | test("^m[0-9]")) | .object | [.metadata.resourceVersion, .metadata.name, .data.text]' \
			"$CP_DIR/told-$i" | cmp - "$CP_DIR/expected"
	done
}

@test "many watchers are each told everything, in order" {
	cp_start
	watchers_are_told_all
}

@test "many watchers are each told everything, in order, by a server that the kernel refuses io_uring" {
	printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$BATS_TEST_DIRNAME/../lib/without-io-uring" "${CP_APISERVER:-$BIN/kube-apiserver}" >"$BATS_TEST_TMPDIR/server"
	chmod +x "$BATS_TEST_TMPDIR/server"
	CP_APISERVER=$BATS_TEST_TMPDIR/server cp_start
	! has_io_uring "$CP_APISERVER_PID" || false
	watchers_are_told_all
}
