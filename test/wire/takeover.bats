#!/usr/bin/env bats
# Two API servers on one etcd, ours and the one that REF_BIN/kube-apiserver is: each reads, watches and changes what the
# other has stored, one object of every kind of test/api-cases. Without REF_BIN two of ours, which is less of a test.

FLAGS="--allow-privileged=true --service-cluster-ip-range=10.0.0.0/24,fd00::/112"

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	ours=${BIN:-$cp_root/build/bin}/kube-apiserver
	reference=${REF_BIN:+$REF_BIN/kube-apiserver}
	reference=${reference:-$ours}
	CP_FLAGS=$FLAGS
}
teardown() {
	[ -z "${first:-}" ] || kill "$first"
	cp_stop
}

# compare FILE…: stored by the first server, compared with the second.
compare() {
	local paths
	"${BIN:-$cp_root/build/bin}/api-cases" --keep --server "$writer" --ca "$CP_DIR/ca.crt" --cert "$CP_DIR/admin.crt" \
		--key "$CP_DIR/admin.key" "$@" > "$CP_DIR/paths"
	mapfile -t paths < "$CP_DIR/paths"
	python3 "$cp_root/test/lib/takeover.py" "$writer" "$CP_SERVER" "${paths[@]}"
}

# takes_over WRITER READER. What limits or judges other objects comes after them.
takes_over() {
	local writer all=("$cp_root"/test/api-cases/*/*.yaml) plain=() limits=() file
	for file in "${all[@]}"; do
		case $file in
		*/admissionregistration/*) ;;
		*/core/misc.yaml | */core/limit*) limits+=("$file") ;;
		*) plain+=("$file") ;;
		esac
	done
	CP_APISERVER=$1 cp_start
	first=$CP_APISERVER_PID writer=$CP_SERVER
	cp_wait cp_curl /api/v1/namespaces/default -f
	cp_curl /api/v1/namespaces/default/serviceaccounts -H 'Content-Type: application/json' -d '{"metadata":{"name":"default"}}' -o /dev/null
	CP_PORT="" CP_FLAGS="$FLAGS --advertise-address=192.0.2.2" CP_APISERVER=$2 cp_start_apiserver
	compare "${plain[@]}"
	compare "${limits[@]}"
	compare "$cp_root"/test/api-cases/admissionregistration/*.yaml
}

@test "what we store the other server takes over" {
	takes_over "$ours" "$reference"
}

@test "what the other server has stored we take over" {
	takes_over "$reference" "$ours"
}
