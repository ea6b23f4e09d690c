# The benchmark itself: that its driver takes every figure, that the report computes what it says, and that the page is a page. At a
# five hundredth of the sizes; nothing here looks at how fast anything was.

setup() {
	: "${TOP:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}" "${BIN:=$TOP/build/bin}"
	export TOP BIN OUT=$BATS_TEST_TMPDIR/out
	mkdir -p "$OUT"
}

# well_formed FILE: every tag that opens is closed, in order.
well_formed() {
	awk 'BEGIN {RS = "<"} NR > 1 {
		tag = $0; sub(/>.*/, "", tag); name = tag; sub(/[ \n].*/, "", name)
		if (tag ~ /^!/ || tag ~ /\/$/) next
		if (tag ~ /^\//) {if (stack[n--] != substr(name, 2)) {print "closes nothing: " tag; bad = 1; exit}}
		else stack[++n] = name
	} END {if (!bad && n) print "not closed: " stack[n]; exit bad || n}' "$1"
}

report() {
	"$BIN/bench-report" --figures "$OUT/figures.tsv" --samples "$OUT/samples.tsv" --failures "$OUT/failures.tsv" \
		--machine "$OUT/machine.tsv" --parts read --results "$OUT/results.tsv" --page "$OUT/index.html"
}
figures() { # a latency with a goal for CPU, and a rate
	printf 'read\tslow\tA latency\tlower\tcpu ratio <= 1/8; value is <= 5\tcommand <a> & b\nread\tfast\tA rate\thigher\tvalue ratio >= 3\tcommand\n' > "$OUT/figures.tsv"
	printf 'processors\t2\ntheirs\tv1\n' > "$OUT/machine.tsv"
	: > "$OUT/failures.tsv"
}
samples() { # ours and theirs, three rounds; the ratios of CPU are 1/10, 1/4, 1/20
	local round=0 line
	: > "$OUT/samples.tsv"
	for line in "4 1 10" "6 2 8" "2 1 20"; do
		round=$((round + 1))
		set -- $line
		printf 'read\tours\t%s\tslow\tms\t%s\t-\t%s\t-\nread\ttheirs\t%s\tslow\tms\t40\t-\t%s\t7\n' $round "$1" "$2" $round "$3" >> "$OUT/samples.tsv"
	done
}

@test "every figure is taken of both sides, and the page is well formed" {
	SCALE=500 ROUNDS=1 REF_BIN=$BIN run "$TOP/test/bench/run" start read write watch
	[ "$status" = 0 ] || { echo "$output"; false; }
	for side in ours theirs; do
		missing=$(comm -23 <(awk -F'\t' '!/^#/ && $1 ~ /^(start|read|write|watch)$/ {print $1, $2}' "$TOP/test/bench/figures.tsv" | sort) \
			<(awk -F'\t' -v s=$side '!/^#/ && $4 == s {print $1, $2}' "$OUT/results.tsv" | sort))
		[ -z "$missing" ] || { echo "$side: $missing"; false; }
	done
	[[ $output == *"Sizes are divided by 500"* ]]
	well_formed "$OUT/index.html"
}

@test "a ratio is the median of the pairs of one round each" {
	figures
	samples
	printf 'read\tours\t1\tfast\t1/s\t300\t-\t-\t-\nread\ttheirs\t1\tfast\t1/s\t200\t-\t-\t-\n' >> "$OUT/samples.tsv"
	run report
	[ "$status" = 0 ]
	[ "$(awk -F'\t' '$2 == "slow" && $4 == "ratio" {print $7, $10, $11}' "$OUT/results.tsv")" = "0.1 0.05 0.25" ]
	[ "$(awk -F'\t' '$2 == "slow" && $4 == "ours" {print $5, $9}' "$OUT/results.tsv")" = "4 3" ]
	[[ $output == *"goal CPU ≤ 1/8 of theirs: met"* ]]
	[[ $output == *"goal ≤ 5: met"* ]]
	[[ $output == *"goal ≥ 3 of theirs: missed"* ]]
	well_formed "$OUT/index.html"
	grep -q 'command &lt;a> &amp; b' "$OUT/index.html"
}

@test "a figure that was not taken is named with the reason, and fails the run" {
	figures
	samples
	printf 'read\tours\t1\tfast\t1/s\t300\t-\t-\t-\n' >> "$OUT/samples.tsv"
	printf 'read\ttheirs\tthe server <died>\n' > "$OUT/failures.tsv"
	run report
	[ "$status" = 1 ]
	[[ $output == *"FAILED: theirs: the server <died>"* ]]
	well_formed "$OUT/index.html"
}

@test "a part or a folder that is none is refused" {
	run "$TOP/test/bench/run" nonsense
	[ "$status" = 2 ]
	[[ $output == *"no part begins with 'nonsense'"* ]]
	REF_BIN=$BATS_TEST_TMPDIR run "$TOP/test/bench/run"
	[ "$status" = 2 ]
	[[ $output == *"no kube-apiserver in there"* ]]
}
