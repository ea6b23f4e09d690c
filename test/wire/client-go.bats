#!/usr/bin/env bats
# Upstream's own Go client against our server (test/client-go): every handler event of informers in every form against what the writer
# was acknowledged, leader election, discovery; also while the server is killed. With REF_BIN every answer is compared
# with those of REF_BIN/kube-apiserver too. Needs Go and the modules of k8s.io/client-go, in the module cache or from a proxy.

setup_file() {
	command -v go > /dev/null || skip "Go is not installed"
	"$BATS_TEST_DIRNAME/../client-go/build" "$BATS_FILE_TMPDIR/client-go" > "$BATS_FILE_TMPDIR/build.log" 2>&1 ||
		skip "client-go's modules are not there: $(tail -1 "$BATS_FILE_TMPDIR/build.log")"
}

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
}
teardown() {
	[ ! -s "${CP_DIR:-/nonexistent}/pid" ] || CP_APISERVER_PID=$(cat "$CP_DIR/pid")
	cp_stop
}

# ask FLAG…: what the program says of our server, and the same of the reference's, on its own etcd, if there is one.
ask() {
	cp_start
	cp_wait cp_curl /api/v1/namespaces/default -f
	"$BATS_FILE_TMPDIR/client-go" "$@" > "$BATS_TEST_TMPDIR/ours"
	cp_stop
	[ -n "${REF_BIN:-}" ] || return 0
	[ ! -x "$REF_BIN/etcd" ] || local CP_ETCD_BINARY=$REF_BIN/etcd
	CP_APISERVER=$REF_BIN/kube-apiserver cp_start
	cp_wait cp_curl /api/v1/namespaces/default -f
	"$BATS_FILE_TMPDIR/client-go" "$@" > "$BATS_TEST_TMPDIR/theirs"
	cp_stop
	diff "$BATS_TEST_TMPDIR/ours" "$BATS_TEST_TMPDIR/theirs"
}

# killing FLAG…: the same while the server is killed and started again.
killing() {
	cp_start
	echo "$CP_APISERVER_PID" > "$CP_DIR/pid"
	export CP_ETCD CP_PORT
	cat > "$CP_DIR/restart" <<-SH
		source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
		kill -9 "\$(cat "$CP_DIR/pid")"
		cp_start_apiserver
		echo "\$CP_APISERVER_PID" > "$CP_DIR/pid"
	SH
	"$BATS_FILE_TMPDIR/client-go" -restart "bash $CP_DIR/restart" "$@"
}

@test "informers and their writers read and write JSON" {
	ask -seed 1
}

@test "informers and their writers read and write protobuf" {
	ask -seed 2 -protobuf
}

@test "informers that watch from the first object on" {
	KUBE_FEATURE_WatchListClient=true ask -seed 3
	KUBE_FEATURE_WatchListClient=true ask -seed 4 -protobuf
}

@test "informers lose nothing when the server is killed" {
	killing -seed 5
}

@test "informers that watch from the first object on lose nothing when the server is killed" {
	KUBE_FEATURE_WatchListClient=true killing -seed 6 -protobuf
}

@test "a lease is led by one at a time" {
	ask -election
}

@test "a leader stays one when the server is killed" {
	killing -election
}

@test "discovery and the RESTMapper" {
	ask -discovery
}
