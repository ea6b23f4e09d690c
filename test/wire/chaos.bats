# The program of the chaos runs, as far as it goes without a cluster.

setup() {
	: "${TOP:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}" "${BIN:=$TOP/build/bin}"
}
teardown() {
	[ -z "${load:-}" ] || kill "$load" 2>/dev/null || true
	[ -z "${CP_DIR:-}" ] || cp_stop
}
plan() { "$BIN/chaos" plan --seed "$1" --seconds 300 --n-servers "$2" --binaries "$BIN"; }

@test "chaos: the faults of a run are a function of its seed" {
	[ "$(plan 7 1)" = "$(plan 7 1)" ]
	[ "$(plan 7 1)" != "$(plan 8 1)" ]
	[ "$(plan 7 1 | wc -l)" -gt 20 ]
}

@test "chaos: the second server is a target in runs of two only" {
	for seed in 1 2 3 4 5 6 7 8; do ! plan "$seed" 1 | grep -E -- '-b( |$)'; done
	for seed in 1 2 3 4 5 6 7 8; do plan "$seed" 2; done | grep -qE -- 'apiserver-b( |$)'
}

@test "chaos: the load ends when it is told to, although its server does not answer any more" {
	. "$TOP/test/lib/control-plane.bash"
	cp_start
	local out=$BATS_TEST_TMPDIR i
	"$BIN/chaos" load --kubeconfig "$KUBECONFIG" --out "$out" --patience 1 >"$out/log" 2>&1 3>&- &
	load=$!
	kubectl create namespace chaos
	cp_wait grep -q 'op=create.*finalizer.*result=ok' "$out/finalizer0.history"
	kill -STOP "$CP_APISERVER_PID"
	touch "$out/stop" "$out/finish"
	for ((i = 0; i < 400; i++)); do kill -0 "$load" 2>/dev/null && sleep 0.05 || break; done
	kill -CONT "$CP_APISERVER_PID"
	! kill -0 "$load" 2>/dev/null || { cat "$out/log"; false; }
	grep '^stopped: [1-9]' "$out/log"
}

@test "chaos: a release build has no failure points" {
	case $BIN in *fail-points* | */san-*) skip "these are test binaries" ;; esac
	[ -z "$("$BIN/chaos" points --binaries "$BIN")" ]
}

@test "chaos: check names what is wrong and fails" {
	printf 'change\trev=5\ttype=create\tkey=/registry/configmaps/chaos/a\tuid=1\n' >"$BATS_TEST_TMPDIR/truth"
	"$BIN/chaos" check "$BATS_TEST_TMPDIR/truth" | grep -q '^identity: 1 changes$'
	printf 'list\tid=l\tprefix=/registry/configmaps/\tmode=any\trev=5\n' >"$BATS_TEST_TMPDIR/list"
	run "$BIN/chaos" check "$BATS_TEST_TMPDIR/truth" "$BATS_TEST_TMPDIR/list"
	[ "$status" -ne 0 ]
	grep -q '^WRONG: lists: list l at revision 5 lacks /registry/configmaps/chaos/a$' <<<"$output"
}
