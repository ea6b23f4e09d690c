#!/usr/bin/env bats
# Managed fields and server-side apply, as Kubernetes itself keeps them: scenarios with its answers (test/data/managed).

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

play() {
	"$BATS_TEST_DIRNAME/../lib/scenarios" "$BATS_TEST_DIRNAME/../data/managed/$1"
}

@test "writes, applies and their conflicts leave the entries that Kubernetes leaves" {
	play apply.txt
}

@test "every kind keeps entries of every write" {
	play kinds.txt
}

@test "patches of every kind do, refuse and warn as Kubernetes does" {
	play patches.txt
}

@test "what is written in one version or group and changed in another has the entries that Kubernetes leaves" {
	play versions.txt
}
