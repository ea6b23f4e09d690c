# The runner of the cases itself.

setup() { : "${TOP:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"; }
# Another bats within this one: nothing of this one's environment is its.
run_cases() { # FOLDER
	run env -i PATH="${PATH//*libexec\/bats-core:/}" HOME="$HOME" LEFT_SECONDS=1 timeout 60 "$TOP/test/run-bats" "$1"
}

@test "run-bats: a process that a case leaves behind fails its file, which ends all the same" {
	local cases=$BATS_TEST_TMPDIR/left
	mkdir "$cases"
	printf '@test "one" { sleep 1234.5 & }\n@test "two" { true; }\n' >"$cases/a.bats"
	printf '@test "three" { sleep 0.1 & wait; }\n' >"$cases/b.bats"
	run_cases "$cases"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"left behind and ended: sleep 1234.5"* ]]
	[ "${lines[-1]}" = "left: 3 passed, 1 failed, 0 skipped" ]
	! pgrep -f '^sleep 1234.5' || false
}
