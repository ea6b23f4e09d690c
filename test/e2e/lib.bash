# What the end-to-end cases share. Each case works in a namespace of its own, waits on conditions, and leaves nothing behind;
# when one fails, what the cluster knows about its namespace is printed.
: "${TOP:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${BIN:=$TOP/build/bin}" "${CLUSTER_DIR:=/var/lib/kubec-e2e}" "${CLUSTER_NET:=10.198.0}"
export KUBECONFIG=${KUBECONFIG:-$CLUSTER_DIR/admin.conf}
KUBECTL=${KUBECTL:-$BIN/kubectl}

k() { "$KUBECTL" -n "$NS" "$@"; }
kall() { "$KUBECTL" "$@"; }
in_node() { # N COMMAND...
	local n=$1
	shift
	BIN=$BIN CLUSTER_DIR=$CLUSTER_DIR "$TOP/deploy/dev/cluster" shell "$n" "$@"
}

setup() {
	NS=e2e-$(basename "$BATS_TEST_FILENAME" .bats)-$BATS_TEST_NUMBER-$RANDOM
	kall create namespace "$NS" >/dev/null
	wait_until 20 k get serviceaccount default
}

teardown() {
	if [ -z "$BATS_TEST_COMPLETED" ]; then
		k get all -o wide 2>&1 | sed 's/^/# /' >&3
		k describe pods 2>&1 | tail -n 80 | sed 's/^/# /' >&3
		k get events --sort-by=.metadata.creationTimestamp 2>&1 | tail -n 30 | sed 's/^/# /' >&3
	fi
	kall delete namespace "$NS" --wait=false >/dev/null 2>&1 || true
}

# Tries a command until it succeeds; fails the case after that many seconds.
wait_until() { # SECONDS COMMAND...
	local deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$(date +%s)" -ge "$deadline" ]; then
			echo "not within the time: $*"
			"$@" || true
			return 1
		fi
		sleep 0.1
	done
}

equals() { # EXPECTED COMMAND...
	local expected=$1
	shift
	[ "$("$@" 2>/dev/null)" = "$expected" ]
}

assert_equal() { # EXPECTED ACTUAL
	[ "$1" = "$2" ] || {
		printf 'expected: %s\nactual:   %s\n' "$1" "$2"
		return 1
	}
}
assert_contains() { # TEXT PART
	case $1 in *"$2"*) ;; *)
		printf 'expected a part: %s\nin: %s\n' "$2" "$1"
		return 1
		;;
	esac
}

# A Deployment of the test server, and its Service.
deploy() { # NAME REPLICAS
	k apply -f - <<T
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1}
spec:
  replicas: $2
  selector: {matchLabels: {app: $1}}
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: server
        image: localhost/test:1
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: $1}
spec:
  type: NodePort
  selector: {app: $1}
  ports: [{port: 80, targetPort: 8080}]
T
	k rollout status "deployment/$1" --timeout=60s
	wait_until 15 fetch "http://$(cluster_ip "$1")/"
}
cluster_ip() { k get service "$1" -o 'jsonpath={.spec.clusterIP}'; }
node_port() { k get service "$1" -o 'jsonpath={.spec.ports[0].nodePort}'; }
fetch() { curl -sf --max-time 5 "$@"; }

# A pod that sleeps, with a shell and tools in it.
shell_pod() { # NAME
	k run "$1" --image=localhost/test:1 --restart=Never --command -- sleep 3600
	k wait --for=condition=Ready "pod/$1" --timeout=30s
}

# The process id on this machine of a component's process: NAME as in the process's own name, inside node N.
component_pid() { # N NAME
	in_node "$1" pgrep -o -x "$2"
}
kill_component() { # N NAME
	in_node "$1" sh -c "kill -KILL \$(pgrep -x '$2')"
}
