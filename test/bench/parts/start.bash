# How soon an apiserver serves, and what it holds, with nothing and with much in etcd.

restart() { # sets begin
	stop_apiserver
	begin=$(now_ms)
	cp_start_apiserver 2> /dev/null || failed "it is not ready within the time"
	keep
}
start_once() { # FIGURE
	local begin
	restart
	sample "$1" ms $(($(now_ms) - begin)) - "$(cpu_ms "$CP_APISERVER_PID")" "$(peak_mib "$CP_APISERVER_PID")"
}
# Start, then a list of all, answered out of the cache.
cold_fill() {
	local begin
	restart
	"$BIN/bench-load" list --what json --namespace '*' --n 1 --clients 1 --kubeconfig "$KUBECONFIG" > "$work/list" 2> "$work/errors" ||
		failed "$(cat "$work/errors")"
	sample cold-fill ms $(($(now_ms) - begin)) - "$(cpu_ms "$CP_APISERVER_PID")" "$(peak_mib "$CP_APISERVER_PID")"
}
memory() { sample "$1" MiB "$(resident_mib "$CP_APISERVER_PID")"; }
per_object() { # N
	local empty full
	empty=$(resident_of memory-empty) full=$(resident_of memory-many)
	sample memory-object KiB "$(awk -v a="$empty" -v b="$full" -v n="$1" 'BEGIN {printf "%.2f", (b - a) * 1024 / n}')"
}
resident_of() { awk -F'\t' -v s="$side" -v f="$1" '$2 == s && $4 == f {v = $6} END {print v}' "$OUT/samples.tsv"; }

part_start() {
	local ten thirty
	ten=$(scaled 10000) thirty=$(scaled 30000)
	sides_start
	rounds start_once ready-empty
	rest 6 # what a start leaves behind is given back by then
	each_side memory memory-empty
	template
	each_side pods_of many "$ten"
	rounds start_once ready-objects
	rest 6
	each_side memory memory-10k
	each_side pods_of watched $((thirty - ten)) "$ten"
	rounds cold_fill
	each_side restart
	each_side settle
	rest 6
	each_side memory memory-many
	each_side per_object "$thirty"
}
