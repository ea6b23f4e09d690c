# The faults of a chaos run: each is done, stands for a while, and is undone. Sourced by test/chaos/run.
# Everything acts inside the nodes of the run's own cluster, or on its bridge and its disk.

node_pid() { cat "$CLUSTER_DIR/node$1/pid"; }
in_node() { # N COMMAND...
	local n=$1
	shift
	nsenter --target "$(node_pid "$n")" --mount --uts --ipc --net --pid -- "$@"
}

# Where a target runs: its node, how its process is found there, and the name that it gives itself.
node_of() { case $1 in *2) echo 2 ;; *) echo 1 ;; esac; }
find_pid() { # TARGET
	case $1 in
	etcd) in_node 1 pgrep -o -x etcd ;;
	apiserver-*) in_node 1 pgrep -o -f "^kube-apiserver .*--secure-port=$(port_of "$1")( |\$)" ;;
	controller-manager-*) in_node 1 pgrep -o -f "^kube-controller-manager .*--secure-port=$(port_of "$1")( |\$)" ;;
	scheduler-*) in_node 1 pgrep -o -f "^kube-scheduler .*--secure-port=$(port_of "$1")( |\$)" ;;
	kubelet?) in_node "${1#kubelet}" pgrep -o -x kubelet ;;
	proxy?) in_node "${1#proxy}" pgrep -o -x kube-proxy ;;
	containerd?) in_node "${1#containerd}" pgrep -o -x containerd ;;
	esac
}
port_of() {
	case $1 in
	apiserver-a) echo 6443 ;; apiserver-b) echo 6444 ;;
	controller-manager-a) echo 10257 ;; controller-manager-b) echo 10267 ;;
	scheduler-a) echo 10259 ;; scheduler-b) echo 10269 ;;
	esac
}
binary_of() {
	case $1 in
	apiserver-*) echo kube-apiserver ;; controller-manager-*) echo kube-controller-manager ;;
	scheduler-*) echo kube-scheduler ;; kubelet?) echo kubelet ;; proxy?) echo kube-proxy ;;
	esac
}

signal() { # SIGNAL TARGET
	local pid
	pid=$(find_pid "$2") || { note "$2 does not run"; return 0; }
	in_node "$(node_of "$2")" kill "-$1" "$pid" || true
}

# Orders for the failure points of a process (common/base/fail.h): in its node, and mounted into its container.
orders_path() { # TARGET
	case $1 in
	*-a | *-b) echo "/run/kubec-fail/${1##*-}/$(binary_of "$1")" ;;
	proxy?) echo /run/kubec-fail/proxy/kube-proxy ;;
	*) echo "/run/kubec-fail/$(binary_of "$1")" ;;
	esac
}
order() { # TARGET TEXT
	local path
	path=$(orders_path "$1")
	in_node "$(node_of "$1")" sh -c "mkdir -p ${path%/*} && echo '$2' >$path.new && mv $path.new $path" || true
}
no_orders() { in_node "$(node_of "$1")" rm -f "$(orders_path "$1")" || true; } # TARGET

do_kill() { signal KILL "$1"; }
undo_kill() { :; }

do_stop() { signal STOP "$1"; }
undo_stop() { signal CONT "$1"; }

do_cut() {
	in_node "${1#node}" nft -f - <<-T
		table inet chaos {
			chain in { type filter hook input priority -300; iifname "eth0" drop; }
			chain out { type filter hook output priority -300; oifname "eth0" drop; }
			chain through { type filter hook forward priority -300; iifname "eth0" drop; oifname "eth0" drop; }
		}
	T
}
undo_cut() { in_node "${1#node}" nft delete table inet chaos 2>/dev/null || true; }
do_lossy() {
	in_node "${1#node}" nft -f - <<-T
		table inet chaos {
			chain in { type filter hook input priority -300; iifname "eth0" numgen random mod 100 < 15 drop; }
			chain through { type filter hook forward priority -300; iifname "eth0" numgen random mod 100 < 15 drop; }
		}
	T
}
undo_lossy() { undo_cut "$1"; }

# Late where the kernel can (netem), narrow where it cannot (tbf).
do_slow() {
	in_node "${1#node}" tc qdisc replace dev eth0 root netem delay 150ms 50ms 2>/dev/null ||
		in_node "${1#node}" tc qdisc replace dev eth0 root tbf rate 400kbit burst 16kbit latency 600ms ||
		note "this kernel has neither netem nor tbf: the link is as fast as before"
}
undo_slow() { in_node "${1#node}" tc qdisc del dev eth0 root 2>/dev/null || true; }

# etcd's data has a file system of its own.
do_fill() { dd if=/dev/zero of="$DISK/etcd/fill" bs=64k 2>/dev/null || true; }
undo_fill() { rm -f "$DISK/etcd/fill"; }

# The limit stands on etcd's own control group and the run's own loop device.
do_slow_disk() {
	local pid group device
	pid=$(find_pid etcd) || return 0
	device=$(stat -c '%Hd:%Ld' "$DISK/etcd/." 2>/dev/null)
	group=$(in_node 1 sed -n 's/^[0-9]*:blkio://p' "/proc/$pid/cgroup")
	[ -n "$group" ] && echo "$device 15" 2>/dev/null >"/sys/fs/cgroup/blkio$group/blkio.throttle.write_iops_device" && return
	group=$(in_node 1 sed -n 's/^0:://p' "/proc/$pid/cgroup")
	echo "$device wiops=15" 2>/dev/null >"/sys/fs/cgroup$group/io.max" || note "this kernel cannot slow one disk: as fast as before"
}
undo_slow_disk() {
	local file device
	device=$(stat -c '%Hd:%Ld' "$DISK/etcd/." 2>/dev/null)
	for file in $(grep -ls "^$device " $(find /sys/fs/cgroup -name blkio.throttle.write_iops_device -path "*/$BRIDGE-1/*" 2>/dev/null) 2>/dev/null); do
		echo "$device 0" >"$file" || true
	done
	for file in $(grep -ls "^$device " $(find /sys/fs/cgroup -name io.max -path "*/$BRIDGE-1/*" 2>/dev/null) 2>/dev/null); do
		echo "$device wiops=max" >"$file" || true
	done
}

do_clock() { order "$1" "clock $(($2 * 1000))"; }
undo_clock() { no_orders "$1"; }

do_point() { order "$1" "$2 $3 ${4:-0}"; }
undo_point() { no_orders "$1"; }
