# kube-controller-manager against a real apiserver and etcd: how its loops begin, whatever else is wrong or waits for them.

setup() {
	: "${TOP:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}" "${BIN:=$TOP/build/bin}"
	source "$TOP/test/lib/control-plane.bash"
	CP_APISERVER=$BIN/kube-apiserver cp_start
}

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || sed 's/^/# /' "$CP_DIR/controller-manager.log" | tail -n 30 >&3
	[ -z "${MANAGER_PID:-}" ] || kill -KILL "$MANAGER_PID"
	cp_stop
}

manager() { # USER FLAG...
	local user=$1
	shift
	"$BIN/kube-controller-manager" --kubeconfig "$CP_DIR/$user.kubeconfig" --bind-address 127.0.0.1 \
		--secure-port "$(cp_free_port)" "$@" > "$CP_DIR/controller-manager.log" 2>&1 3>&- &
	MANAGER_PID=$!
}

within() { # SECONDS COMMAND...
	local deadline=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$deadline" ] || { echo "not within the time: $*"; return 1; }
		sleep 0.1
	done
}

has_account() { kubectl -n "$1" get serviceaccount default > /dev/null 2>&1; }

@test "a kind that may not be listed holds up only those who look at it" {
	cp_user limited
	kubectl create -f - > /dev/null <<-YAML
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRole
		metadata: {name: limited}
		rules:
		- {apiGroups: [""], resources: [namespaces, serviceaccounts], verbs: ["*"]}
		- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: ["*"]}
		- {nonResourceURLs: ["*"], verbs: [get]}
	YAML
	kubectl create clusterrolebinding limited --clusterrole=limited --user=limited > /dev/null
	manager limited
	kubectl create namespace fresh > /dev/null
	within 20 has_account fresh
	grep -q 'failed to list pods.*forbidden' "$CP_DIR/controller-manager.log"
}
