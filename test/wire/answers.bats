#!/usr/bin/env bats
# Thousands of questions to the API server, right and wrong ones, answered as Kubernetes answers them.

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	[ -x "${BIN:-$top/build/bin}/kube-apiserver" ] || skip "kube-apiserver is not built"
	command -v etcd > /dev/null || skip "etcd is not installed"
}

@test "every question of test/api-cases gets the answer that is recorded" {
	run "$top/test/api-cases/run"
	echo "$output"
	[ "$status" = 0 ]
}
