# GET and LIST. The pods are the same bytes on both sides, as the reference stores them.

gets() {
	local kind
	for kind in current cached; do
		load read --what "$kind" --namespace many --n "$ten" --seconds "$(span 1.5)"
	done
}
list() { # FIGURE FORM [flags]
	load list --figure "$1" --what "$2" --namespace many --clients 1 --n 3 "${@:3}"
}
lists() {
	local bytes
	list list-json json
	bytes=$(sed -n 's/^# \([0-9]*\) bytes/\1/p' "$work/errors")
	take "$BIN/bench-load" tls --key "$CP_DIR/apiserver" --n "${bytes:-1}" --figure list-floor
	list list-protobuf protobuf
	list list-table table
	list list-gzip gzip
	list list-pages pages
	list list-current current
	list list-label json --selector bench/percent=7 --n 20
	list list-1k json --namespace bench --n 20
	list list-at-once json --n 8 --clients 8
}
lists_of_all() {
	list list-30k json --namespace '*' --n 1
	list list-30k-protobuf protobuf --namespace '*' --n 1
	list list-storm json --namespace '*' --n 10 --clients 10
}
warm() {
	settle
	"$BIN/bench-load" list --what json --namespace '*' --n 2 --clients 1 --kubeconfig "$KUBECONFIG" > /dev/null 2>&1
}

part_read() {
	local ten one
	local -A before=()
	ten=$(scaled 10000) one=$(scaled 1000)
	sides_start
	template
	each_side pods_of bench "$one"
	each_side pods_of many "$ten"
	each_side warm
	rounds gets
	rounds lists
	derive list-over-floor times list-json list-floor 8 1
	each_side pods_of watched "$(scaled 19000)" "$ten"
	each_side warm
	rest 5
	each_side note_memory
	rounds lists_of_all
	rest 10
	each_side grown grown-lists
}
