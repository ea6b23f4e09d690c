# What the end-to-end cases share. Each case works in a namespace of its own ($NS), waits on conditions, and leaves nothing behind; when one
# fails, what the cluster knows of it is collected in a folder whose place is printed.
#
# A case runs against any cluster that $KUBECONFIG names. What it needs beyond the API it asks for, and is skipped where it is not to be had:
#   need_nodes      commands on the nodes themselves (in_node), which a cluster of deploy/dev/cluster in $CLUSTER_DIR gives
#   need_network    this machine reaches pods and Services by address
#   need_two_nodes  two nodes that take pods
# A case with the tag "apiserver" needs only an API server; one with the tag "alone" disturbs others and runs after them.
: "${TOP:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${BIN:=$TOP/build/bin}" "${CLUSTER_DIR:=/var/lib/kubec-e2e}" "${COLLECT:=$TOP/build/e2e}"
export KUBECONFIG=${KUBECONFIG:-$CLUSTER_DIR/admin.conf}
KUBECTL=${KUBECTL:-$BIN/kubectl}
IMAGE=localhost/test:1

k() { "$KUBECTL" -n "$NS" "$@"; }
kall() { "$KUBECTL" "$@"; }

setup() {
	NS=e2e-$(basename "$BATS_TEST_FILENAME" .bats)-$BATS_TEST_NUMBER-$RANDOM
	kall create namespace "$NS" >/dev/null
	case ${TAGS:-} in
	*apiserver*) k create serviceaccount default >/dev/null 2>&1 || true ;; # nobody else may be there to do it
	esac
	k wait --for=create serviceaccount/default --timeout=20s >/dev/null
}

# What a case made outside its namespace it hands to at_end, which runs the command when the case has ended, however it ended.
at_end() { printf '%q ' "$@" >>"$BATS_TEST_TMPDIR/at-end" && echo >>"$BATS_TEST_TMPDIR/at-end"; }

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || [ -n "$BATS_TEST_SKIPPED" ] || collect
	[ ! -e "$BATS_TEST_TMPDIR/at-end" ] || tac "$BATS_TEST_TMPDIR/at-end" | while read -r line; do eval "$line" >/dev/null 2>&1 || true; done
	kall delete namespace "$NS" --wait=false >/dev/null 2>&1 || true
}

# What is known of a failed case: its objects, events and logs, the nodes, and the logs of the cluster's components.
collect() {
	local class=${BATS_TEST_FILENAME#"$TOP/test/e2e/"} dir pod
	class=${class%.bats}
	dir=$COLLECT/${class//\//-}-$BATS_TEST_NUMBER
	rm -rf "$dir"
	mkdir -p "$dir"
	{
		k get all,configmaps,endpointslices -o wide
		k describe pods
		k get events --sort-by=.metadata.creationTimestamp
		kall get nodes -o wide
	} >"$dir/overview.txt" 2>&1
	k get all,configmaps,endpointslices,resourcequotas -o yaml >"$dir/objects.yaml" 2>&1
	for pod in $(k get pods -o name 2>/dev/null); do
		k logs "$pod" --all-containers --tail=500 >"$dir/${pod#pod/}.log" 2>&1
		k logs "$pod" --all-containers --previous --tail=500 >"$dir/${pod#pod/}.previous.log" 2>/dev/null || rm "$dir/${pod#pod/}.previous.log"
	done
	for pod in $(kall -n kube-system get pods -o name 2>/dev/null); do
		kall -n kube-system logs "$pod" --tail=1000 >"$dir/component-${pod#pod/}.log" 2>&1
	done
	for pod in "$CLUSTER_DIR"/node[0-9]*/log/{kubelet,containerd}.log; do
		[ ! -e "$pod" ] || tail -n 2000 "$pod" >"$dir/$(basename "$(dirname "$(dirname "$pod")")")-$(basename "$pod")"
	done
	k get pods,events -o wide 2>&1 | tail -n 15 | cut -c-220 | sed 's/^/# /' >&3
	echo "# logs, objects and events: ${dir#"$TOP/"}" >&3
}

# --- what a case may need ---

need_nodes() { [ -e "$CLUSTER_DIR/node1/pid" ] || skip "needs the nodes of a cluster of deploy/dev/cluster"; }
need_two_nodes() { [ "$(ready_nodes | wc -w)" -ge 2 ] || skip "needs two nodes that take pods"; }
need_network() {
	curl -sk --max-time 3 -o /dev/null "https://$(kall -n default get service kubernetes -o 'jsonpath={.spec.clusterIP}')/" ||
		skip "this machine does not reach the cluster's addresses"
}
in_node() { # N|NODE-NAME COMMAND...
	local n=${1#node}
	shift
	BIN=$BIN CLUSTER_DIR=$CLUSTER_DIR "$TOP/deploy/dev/cluster" shell "$n" "$@"
}
# The process id of a component's process as node N counts: NAME as in the process's own name.
component_pid() { # N NAME
	in_node "$1" pgrep -o -x "$2"
}
kill_component() { # N NAME
	in_node "$1" sh -c "kill -KILL \$(pgrep -x '$2')"
}
ready_nodes() { kall get nodes -o json | jq -r '.items[] | select(.spec.unschedulable != true) | select(any(.status.conditions[]; .type == "Ready" and .status == "True")) | .metadata.name'; }
node_address() { kall get node "$1" -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'; }

# Thousandths of a CPU that no pod of the node has asked for.
free_cpu() { # NODE
	local all used
	all=$(kall get node "$1" -o json | jq '.status.allocatable.cpu | if endswith("m") then rtrimstr("m") | tonumber else tonumber * 1000 end')
	used=$(kall get pods -A --field-selector "spec.nodeName=$1,status.phase=Running" -o json | jq '
		[.items[].spec.containers[].resources.requests.cpu // "0" | if endswith("m") then rtrimstr("m") | tonumber else tonumber * 1000 end] | add')
	echo $((all - used))
}

# --- waiting and comparing ---

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
# Waits until a command prints that text. A field (`field`, `state`, `condition`) is watched, not asked for again and again.
becomes() { # SECONDS EXPECTED COMMAND...
	local deadline=$(($(date +%s) + $1)) seconds=$1 expected=$2 got
	shift 2
	case $1 in field | state | condition)
		follow "$seconds" is "$expected" "$@"
		return
		;;
	esac
	while got=$("$@" 2>&1) || true; [ "$got" != "$expected" ]; do
		if [ "$(date +%s)" -ge "$deadline" ]; then
			printf 'not within the time: %s\nexpected: %s\nactual:   %s\n' "$*" "$expected" "$got"
			return 1
		fi
		sleep 0.1
	done
}
# Waits until a field, or a message of the events (`messages`), has a part that fits the pattern of bash.
says() { # SECONDS PATTERN FUNCTION...
	local seconds=$1 pattern=$2
	shift 2
	follow "$seconds" has "$pattern" "$@"
}
# Reads what a function goes on printing while $FOLLOW is set (seconds: it ends then) until a line of it fits. What ends early, because there
# is no such object yet or the server went away, begins again.
follow() { # SECONDS is|has WANTED FUNCTION...
	local deadline=$(($(date +%s) + $1)) operator=$2 wanted=$3 line= last= left output pid
	shift 3
	while left=$((deadline - $(date +%s))); [ "$left" -gt 0 ]; do
		exec {output}< <(FOLLOW=$left "$@" 2>&1 3>&-)
		pid=$!
		while IFS= read -r -u "$output" line; do
			last=$line
			case $operator in is) [ "$line" = "$wanted" ] ;; *) [[ $line == *$wanted* ]] ;; esac || continue
			kill "$pid" 2>/dev/null || true
			exec {output}<&-
			return 0
		done
		exec {output}<&-
		sleep 0.1
	done
	printf 'not within the time: %s\nexpected: %s\nactual:   %s\n' "$*" "$wanted" "$last"
	return 1
}
# Holds if a command prints that text all the time.
stays() { # SECONDS EXPECTED COMMAND...
	local deadline=$(($(date +%s) + $1)) expected=$2 got
	shift 2
	while [ "$(date +%s)" -lt "$deadline" ]; do
		got=$("$@" 2>&1) || true
		assert_equal "$expected" "$got" || return 1
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
assert_lacks() { # TEXT PART
	case $1 in *"$2"*)
		printf 'not expected: %s\nin: %s\n' "$2" "$1"
		return 1
		;;
	esac
}
# A command that must fail, saying that.
refuses() { # PART COMMAND...
	local part=$1
	shift
	run "$@"
	[ "$status" -ne 0 ] || {
		printf 'it succeeded: %s\n%s\n' "$*" "$output"
		return 1
	}
	assert_contains "$output" "$part"
}

# --- the API by HTTP ---

# The administrator's credentials in files, made once a file of cases.
api_credentials() {
	local dir=$BATS_FILE_TMPDIR/api
	[ ! -e "$dir/server" ] || return 0
	mkdir -p "$dir"
	"$KUBECTL" config view --raw --minify --flatten -o json >"$dir/config"
	jq -r '.clusters[0].cluster["certificate-authority-data"]' "$dir/config" | base64 -d >"$dir/ca"
	jq -r '.users[0].user["client-certificate-data"]' "$dir/config" | base64 -d >"$dir/crt"
	jq -r '.users[0].user["client-key-data"]' "$dir/config" | base64 -d >"$dir/key"
	jq -r '.clusters[0].cluster.server' "$dir/config" >"$dir/server"
}
# A request as the administrator: prints the body.
api() { # METHOD PATH [CURL-ARGUMENT...]
	local method=$1 path=$2 dir=$BATS_FILE_TMPDIR/api
	shift 2
	api_credentials
	curl -sS -g -X "$method" --cacert "$dir/ca" --cert "$dir/crt" --key "$dir/key" "$@" "$(cat "$dir/server")$path"
}
api_json() { # METHOD PATH JSON [CURL-ARGUMENT...]
	local method=$1 path=$2 json=$3
	shift 3
	api "$method" "$path" -H 'Content-Type: application/json' -d "$json" "$@"
}
api_code() { api "$@" -o /dev/null -w '%{http_code}'; }
# As somebody else, by a bearer token.
as_token() { # TOKEN KUBECTL-ARGUMENT...
	local token=$1 dir=$BATS_FILE_TMPDIR/api
	shift
	api_credentials
	KUBECONFIG=/dev/null "$KUBECTL" --server "$(cat "$dir/server")" --certificate-authority "$dir/ca" --token "$token" "$@"
}
in_namespace() { echo "/api/v1/namespaces/$NS"; }

# --- objects that many cases use ---

# With $FOLLOW each prints one line now and one at every change, for so many seconds.
field() { # KIND/NAME JSONPATH
	${FOLLOW:+exec timeout "$FOLLOW"} "$KUBECTL" -n "$NS" get "$1" ${FOLLOW:+-w} -o "jsonpath={$2}${FOLLOW:+{\"\\n\"\}}"
}
state() { field "pod/$1" ".status.containerStatuses[?(@.name==\"$2\")]$3"; }   # POD CONTAINER JSONPATH
condition() { field "$1" ".status.conditions[?(@.type==\"$2\")]${3:-.status}"; } # KIND/NAME TYPE [JSONPATH]
messages() { # [KUBECTL-ARGUMENT...]: of the namespace's events
	${FOLLOW:+exec timeout "$FOLLOW"} "$KUBECTL" -n "$NS" get events ${FOLLOW:+-w} -o 'jsonpath={.message}{"\n"}' "$@"
}
# A Deployment of the test server, and its Service.
deploy() { # NAME REPLICAS
	k apply -f - <<-T
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
		        image: $IMAGE
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
fetch_from() { # POD ADDRESS PORT PATH: asked from inside a pod
	k exec "$1" -- server get "$2" "$3" "$4"
}
pod_ip() { field "pod/$1" .status.podIP; }
count_pods() { # KUBECTL-ARGUMENT...
	k get pods -o name "$@" | wc -l
}

# A pod of the given specification (YAML flow text, without braces), which must become Ready.
pod() { # NAME SPEC [METADATA]
	make_pod "$@"
	k wait --for=condition=Ready "pod/$1" --timeout=60s
}
make_pod() { # NAME SPEC [METADATA]
	k apply -f - <<-T
		apiVersion: v1
		kind: Pod
		metadata: {name: $1${3:+, $3}}
		spec: {terminationGracePeriodSeconds: 1, $2}
	T
}
# A pod that runs to its end; prints its log.
pod_log() { # NAME SPEC
	make_pod "$1" "restartPolicy: Never, $2" >/dev/null
	becomes 60 Succeeded field "pod/$1" .status.phase || return 1
	k logs "$1"
}
# A pod that sleeps, with a shell and tools in it.
shell_pod() { # NAME
	pod "$1" "containers: [{name: $1, image: '$IMAGE', command: [sleep, '3600']}]"
}
