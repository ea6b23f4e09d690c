# Changes by 16 clients, and bare puts into the same etcd beside them.

# The puts are of the very bytes that a pod of that size is stored as.
creates() { # SIZE NAME
	local first=$((round * 1000000 + 999999))
	"$BIN/bench-load" body --namespace bench --n "$1" --from $first | "$kubectl" create -f - > /dev/null
	take "$BIN/bench-load" etcd-put --etcd "$CP_ETCD" --key "/registry/pods/bench/load-$(printf %08d $first)" --from $((round * 1000000)) \
		--seconds "$(span 1)" --server-pid "$CP_ETCD_PID" --figure "put-$2"
	"$kubectl" -n bench delete pod --grace-period=0 --force "load-$(printf %08d $first)" > /dev/null 2>&1
	load write --what "create-$2" --from $((round * 1000000)) --seconds "$(span 1.5)"
}
changes() {
	local what
	creates 3072 3k
	creates 10240 10k
	for what in update patch-strategic patch-merge patch-json apply status-patch lease; do
		load write --what $what --n "$pool" --seconds "$(span 1.5)"
	done
	load write --what node-status --n 100 --seconds "$(span 1.5)"
}
nodes_of_side() {
	"$kubectl" create -f - > /dev/null <<< '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "load-00000000"}}'
	source=$CP_ETCD fill "" /registry/minions/load-00000000 /registry/minions 99 1
	settle
	note_memory
}

part_write() {
	local pool
	local -A before=()
	pool=$(scaled 1000)
	[ "$pool" -ge 200 ] || pool=200 # two clients never change one object at once
	sides_start
	template
	each_side pods_of bench "$pool"
	each_side nodes_of_side
	rounds changes
	derive create-3k-of-put % create-3k put-3k 6 100
	derive create-10k-of-put % create-10k put-10k 6 100
	rest 10
	each_side grown grown-writes
}
