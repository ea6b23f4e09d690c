# What the parts of the benchmark share: two sides (ours, theirs), each a control plane of its own, and samples taken of both in turn.
#
#   sides_start            etcd and apiserver of every side
#   on SIDE                makes it the current one: CP_… and KUBECONFIG are its own, $dir its binaries
#   each_side COMMAND…     for every side in turn, $side set
#   rounds COMMAND…        ROUNDS times for every side in turn: ours, theirs, ours, theirs …
#   load COMMAND…          bench-load against the current side's apiserver; its figures become samples
#   sample FIGURE UNIT VALUE [P99 CPU PEAK]    one more sample
#   scaled N, span S, rest S   sizes and times at this scale
# A command that fails makes a line in failures.tsv; the report names the figures that are missing because of it.

export CP_ROOT=$BENCH_TOP
. "$BENCH_TOP/test/lib/control-plane.bash"
declare -A saved=() dirs=()
CP_STATE="CP_DIR CP_SERVER CP_PORT CP_ETCD CP_ETCD_PORT CP_ETCD_PID CP_APISERVER_PID KUBECONFIG CP_APISERVER"
side="" round=1 part=""

say() { printf '%s\n' "$*" >&2; }
failed() { # REASON
	local reason
	reason=$(tr '\n\t' '  ' <<< "$1" | cut -c 1-300)
	printf '%s\t%s\t%s\n' "$part" "$side" "$reason" >> "$OUT/failures.tsv"
	say "   $part: $side: failed: $reason"
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# Seconds of load, and of quiet before memory is looked at; a trial at a hundredth of the size has no time to lose.
span() { [ "$SCALE" -lt 100 ] && echo "$1" || echo 0.2; }
rest() { sleep "$(span "$1")"; }
scaled() { echo $((($1 + SCALE - 1) / SCALE)); }
# The page says on what kind of machine and with what versions, in general terms.
describe() {
	printf 'processors\t%s\n' "$(nproc)"
	printf 'memory\t%s GiB\n' "$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo)"
	printf 'kernel\t%s\n' "$(uname -r | grep -o '^[0-9]*\.[0-9]*')"
	printf 'etcd\t%s\n' "$("$CP_ETCD_BINARY" --version | awk '/^etcd Version/ {print $3}')"
	printf 'date\t%s\n' "$(date -u +%Y-%m-%d)"
	printf 'ours\t%s\n' "$("$BIN/kube-apiserver" --version | awk '{print $NF}')"
	[ -z "$REF_BIN" ] || printf 'theirs\t%s\n' "$("$REF_BIN/kube-apiserver" --version | awk '{print $NF}')"
	printf 'rounds\t%s\n' "$ROUNDS"
}

bench_begin() {
	ulimit -n 20000 2> /dev/null || ulimit -n "$(ulimit -Hn)"
	mkdir -p "$OUT"
	work=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
	export TMPDIR=$work
	: > "$OUT/samples.tsv"
	: > "$OUT/failures.tsv"
	SIDES=ours
	dirs[ours]=$BIN
	[ -z "$REF_BIN" ] || {
		SIDES="ours theirs"
		dirs[theirs]=$REF_BIN
	}
	CP_ETCD_BINARY=${ETCD:-$REF_BIN/etcd}
	[ -x "$CP_ETCD_BINARY" ] || CP_ETCD_BINARY=$(command -v etcd)
	kubectl=$BIN/kubectl
	describe > "$OUT/machine.tsv"
}
bench_end() {
	clusters_down
	network_down
	sides_stop
	rm -rf "$work"
}

# Finer than control-plane.bash's own: how soon a server is ready is a figure.
cp_wait() { until_ms 60 "$@" > /dev/null; }

# --- sides ---

keep() {
	local name
	for name in $CP_STATE; do saved[$side.$name]=${!name:-}; done
}
on() { # SIDE
	local name
	side=$1
	dir=${dirs[$side]}
	for name in $CP_STATE; do printf -v "$name" '%s' "${saved[$side.$name]:-}"; done
	export CP_DIR CP_SERVER CP_ETCD KUBECONFIG
}
each_side() {
	local s
	for s in $SIDES; do
		on "$s"
		"$@"
	done
}
rounds() {
	for ((round = 1; round <= ROUNDS; round++)); do each_side "$@"; done
	round=1
}
start_side() {
	CP_APISERVER=$dir/kube-apiserver
	cp_start > "$work/start" 2>&1 || failed "the apiserver does not start: $(tail -3 "$CP_DIR/apiserver.log")"
	keep
}
sides_start() { each_side start_side; }
stop_side() {
	[ -n "${CP_DIR:-}" ] && [ -d "$CP_DIR" ] || return 0
	cp_stop 2> /dev/null
	CP_DIR="" KUBECONFIG=""
	keep
}
sides_stop() { each_side stop_side; }
stop_apiserver() {
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" 2> /dev/null
}
# Namespaces with what pods in them need; no controller makes it here.
namespaces() {
	local n
	for n; do
		[ "$n" = default ] || "$kubectl" create namespace "$n" > /dev/null
		"$kubectl" -n "$n" create serviceaccount default > /dev/null
	done
}
# Copies of one stored object, the same bytes for every side: NAMESPACE KEY PREFIX N [FROM]
fill() {
	"$BIN/bench-load" etcd-fill --etcd "$CP_ETCD" --source "${source:-$CP_ETCD}" --namespace "$1" --key "$2" --prefix "$3" --n "$4" \
		--from "${5:-0}" 2> "$work/errors" || failed "$(cat "$work/errors")"
}
# The template of pods: as the reference stores it where there is one, with its status, so that both sides hold the same bytes.
template() {
	each_side namespaces bench watched many
	on "${SIDES##* }"
	"$BIN/bench-load" body --namespace bench --n 3072 | "$kubectl" create -f - > /dev/null
	"$BIN/bench-load" write --what status-patch --clients 1 --seconds 0.3 --n 1 --kubeconfig "$KUBECONFIG" > /dev/null \
		2> "$work/errors" || failed "$(cat "$work/errors")"
	source=$CP_ETCD
}
pods_of() { # NAMESPACE N [FROM]: copies of the template
	fill "$1" /registry/pods/bench/load-00000000 "/registry/pods/$1" "$2" "${3:-0}"
}
# The cache has what was put into etcd behind its back: a list that asks for now waits for it.
settle() { "$kubectl" get --raw '/api/v1/pods?limit=1' > /dev/null; }

# --- samples ---

sample() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$part" "$side" "$round" "$1" "$2" "$3" "${4:--}" "${5:--}" "${6:--}" >> "$OUT/samples.tsv"
	printf '   %-28s %-7s %12s %s\n' "$1" "$side" "$3" "$2" >&2
}
take() { # COMMAND...: its lines become samples
	local figure unit value p99 cpu peak out
	out=$(${LOCK:+flock "$LOCK"} "$@" 2> "$work/errors") || failed "$(grep -v '^#' "$work/errors")"
	while IFS=$'\t' read -r figure unit value p99 cpu peak; do
		case $figure in '' | \#*) continue ;; esac
		sample "$figure" "$unit" "$value" "$p99" "$cpu" "$peak"
	done <<< "$out"
}
load() { take "$BIN/bench-load" "$1" --kubeconfig "$KUBECONFIG" --server-pid "${pid:-$CP_APISERVER_PID}" "${@:2}"; }

# derive FIGURE UNIT A B COLUMN FACTOR: A's figure over B's, of the same side and round. COLUMN 6: the value, 8: CPU.
derive() {
	local now=$side value
	while IFS=$'\t' read -r side round value; do
		sample "$1" "$2" "$value"
	done < <(awk -F'\t' -v part="$part" -v a="$3" -v b="$4" -v c="$5" -v factor="$6" '
		$1 == part && $4 == a {top[$2 "\t" $3] = $c}
		$1 == part && $4 == b {bottom[$2 "\t" $3] = $c}
		END {for (k in top) if (bottom[k] > 0) printf "%s\t%.4f\n", k, top[k] * factor / bottom[k]}' "$OUT/samples.tsv" | sort)
	side=$now round=1
}

# --- processes ---

cpu_ms() { # PID: CPU time so far
	awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); printf "%.0f", ($12 + $13) * 1000 / hz}' "/proc/$1/stat" 2> /dev/null
}
resident_mib() { awk '/^VmRSS/ {printf "%.1f", $2 / 1024}' "/proc/$1/status" 2> /dev/null; }
peak_mib() { awk '/^VmHWM/ {printf "%.1f", $2 / 1024}' "/proc/$1/status" 2> /dev/null; }
# What a side's API server holds now, into the caller's before; and how much more that is later.
note_memory() { before[$side]=$(resident_mib "$CP_APISERVER_PID"); }
grown() { # FIGURE
	sample "$1" % "$(awk -v a="${before[$side]}" -v b="$(resident_mib "$CP_APISERVER_PID")" 'BEGIN {printf "%.1f", (b / a - 1) * 100}')"
}
forget_peak() { echo 5 > "/proc/$1/clear_refs" 2> /dev/null; }
end_process() { # PID
	kill "$1" 2> /dev/null
	wait "$1" 2> /dev/null
}
until_ms() { # SECONDS COMMAND...: milliseconds until it succeeds; fails when it does not within the time
	local begin limit=$(($1 * 1000))
	begin=$(now_ms)
	shift
	until "$@" > /dev/null 2>&1; do
		[ $(($(now_ms) - begin)) -lt $limit ] || return 1
		sleep 0.005
	done
	echo $(($(now_ms) - begin))
}
