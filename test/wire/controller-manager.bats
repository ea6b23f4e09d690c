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

dependents_left() { kubectl get configmaps -l of=owner --no-headers 2> /dev/null | wc -l; }
none_left() { [ "$(dependents_left)" = 0 ]; }
config_map_gets() {
	cp_curl /metrics | awk -F'[ }]' '/^apiserver_request_total{/ && /resource="configmaps"/ && /verb="GET"/ {n += $NF} END {print n + 0}'
}

@test "dependents of one owner that went while nobody looked: each is read once, the owner not again" {
	local uid i
	uid=$(kubectl create configmap owner -o jsonpath='{.metadata.uid}')
	for ((i = 0; i < 60; i++)); do
		printf '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d%d", "labels": {"of": "owner"},
			"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "%s"}]}}' "$i" "$uid"
	done | kubectl create -f - > /dev/null
	kubectl delete configmap owner --cascade=orphan --wait=false > /dev/null
	kubectl patch configmap owner --type=merge -p '{"metadata":{"finalizers":null}}' > /dev/null
	[ "$(dependents_left)" = 60 ]
	local before
	before=$(config_map_gets)
	manager admin --use-service-account-credentials --service-account-private-key-file="$CP_DIR/sa.key"
	within 20 none_left
	# Whoever of the workers asks for the owner before the first of them knows.
	[ $(($(config_map_gets) - before)) -le 90 ]
}

manager_says() { curl -sk "https://127.0.0.1:$MANAGER_PORT/metrics" | grep -qE "$1"; }

@test "requests to the API server are counted by method and code, those that got no answer too" {
	MANAGER_PORT=$(cp_free_port)
	manager admin --secure-port "$MANAGER_PORT" --authorization-always-allow-paths=/metrics
	local host=${CP_SERVER#https://}
	within 20 manager_says "^rest_client_requests_total\\{code=\"200\",host=\"$host\",method=\"GET\"\\} [1-9]"
	within 20 manager_says '^leader_election_master_status\{name="kube-controller-manager"\} 1'
	within 20 manager_says "^rest_client_requests_total\\{code=\"201\",host=\"$host\",method=\"POST\"\\} [1-9]"
	manager_says "^rest_client_request_duration_seconds_bucket\\{host=\"$host\",verb=\"GET\",le=\"\\+Inf\"\\} [1-9]"
	kill -STOP "$CP_APISERVER_PID"
	kill -KILL "$CP_APISERVER_PID"
	within 20 manager_says "^rest_client_requests_total\\{code=\"<error>\",host=\"$host\",method=\"(GET|PUT)\"\\} [1-9]"
}

# owned NAMESPACE NAME KIND OWNER UID: a config map with that owner reference.
owned() {
	kubectl -n "$1" create -f - > /dev/null <<-YAML
		{apiVersion: v1, kind: ConfigMap, metadata: {name: $2, ownerReferences: [{apiVersion: v1, kind: $3, name: $4, uid: $5}]}}
	YAML
}
is_gone() { ! kubectl -n "$1" get configmap "$2" > /dev/null 2>&1; }
tells_misplaced() {
	kubectl -n other get events -o 'jsonpath={range .items[*]}{.type} {.reason} {.involvedObject.name} {.message}{"\n"}{end}' | grep -q \
		"^Warning OwnerRefInvalidNamespace misplaced ownerRef \[v1/ConfigMap, namespace: other, name: owner, uid: $1\] does not exist in namespace \"other\"$"
}

@test "an owner that is named wrongly, or lives in another namespace, owns nothing" {
	local uid
	kubectl create namespace other > /dev/null
	uid=$(kubectl create configmap owner -o jsonpath='{.metadata.uid}')
	manager admin --controllers=garbage-collector-controller
	owned default right ConfigMap owner "$uid"
	owned default misnamed ConfigMap nobody "$uid"
	owned default miskinded Secret owner "$uid"
	owned other misplaced ConfigMap owner "$uid"
	within 30 is_gone default misnamed
	within 30 is_gone default miskinded
	within 30 is_gone other misplaced
	within 30 tells_misplaced "$uid"
	kubectl get configmap right owner > /dev/null
}

# Volumes, claims and classes of attributes that are in use.
storage() {
	kubectl create serviceaccount default > /dev/null
	kubectl create -f - > /dev/null <<-YAML
		apiVersion: storage.k8s.io/v1
		kind: VolumeAttributesClass
		metadata: {name: gold}
		driverName: d
		parameters: {a: b}
		---
		apiVersion: v1
		kind: PersistentVolume
		metadata: {name: v}
		spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /v}}
		---
		apiVersion: v1
		kind: PersistentVolumeClaim
		metadata: {name: c, namespace: default}
		spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, volumeAttributesClassName: gold}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: user, namespace: default}
		spec:
		  automountServiceAccountToken: false
		  nodeName: "n"
		  containers: [{name: c, image: i}]
		  volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]
	YAML
	kubectl patch pv v --subresource=status --type=merge -p '{"status":{"phase":"Bound"}}' > /dev/null
}
finalizers() { kubectl get "$1" "$2" -o 'jsonpath={.metadata.finalizers[*]}'; }
gone() { ! kubectl get "$@" > /dev/null 2>&1; }

@test "claims, volumes and attribute classes that are deleted go when nobody uses them any more" {
	storage
	[ "$(finalizers pvc c) $(finalizers pv v) $(finalizers volumeattributesclass gold)" = \
		"kubernetes.io/pvc-protection kubernetes.io/pv-protection kubernetes.io/vac-protection" ]
	kubectl delete --wait=false pvc/c pv/v volumeattributesclass/gold > /dev/null
	# One that no pod uses, and one that is older than the rule.
	kubectl create -f - > /dev/null <<-YAML
		apiVersion: v1
		kind: PersistentVolumeClaim
		metadata: {name: free, namespace: default}
		spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
		---
		apiVersion: v1
		kind: PersistentVolume
		metadata: {name: old}
		spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /v}}
	YAML
	kubectl patch pv old --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]' > /dev/null
	kubectl delete --wait=false pvc/free > /dev/null
	manager admin --use-service-account-credentials --service-account-private-key-file="$CP_DIR/sa.key"
	within 20 gone pvc free
	within 20 eval '[ "$(finalizers pv old)" = kubernetes.io/pv-protection ]'
	[ "$(kubectl get pvc,pv,volumeattributesclass -o name | sort | tr '\n' ' ')" = \
		"persistentvolume/old persistentvolume/v persistentvolumeclaim/c volumeattributesclass.storage.k8s.io/gold " ]
	kubectl patch pv v --subresource=status --type=merge -p '{"status":{"phase":"Released"}}' > /dev/null
	within 20 gone pv v
	kubectl delete pod user --grace-period=0 --force > /dev/null 2>&1
	within 20 gone pvc c
	within 20 gone volumeattributesclass gold
}

@test "zones of nodes, root certificates, slices and evictions are counted" {
	MANAGER_PORT=$(cp_free_port)
	manager admin --secure-port "$MANAGER_PORT" --authorization-always-allow-paths=/metrics --root-ca-file="$CP_DIR/ca.crt" \
		--use-service-account-credentials --service-account-private-key-file="$CP_DIR/sa.key"
	within 20 has_account default
	kubectl create -f - > /dev/null <<-YAML
		apiVersion: v1
		kind: Node
		metadata: {name: n1}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: p, namespace: default}
		spec: {automountServiceAccountToken: false, nodeName: n1, containers: [{name: c, image: i}]}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: s, namespace: default}
		spec: {selector: {a: b}, ports: [{port: 80}]}
	YAML
	kubectl taint node n1 example.com/gone=:NoExecute > /dev/null
	within 20 manager_says '^taint_eviction_controller_pod_deletions_total 1$'
	within 20 manager_says '^taint_eviction_controller_pod_deletion_duration_seconds_bucket\{le="60"\} 1$'
	within 20 manager_says '^node_collector_zone_size\{zone=""\} 1$'
	within 20 manager_says '^node_collector_unhealthy_nodes_in_zone\{zone=""\} 1$'
	within 20 manager_says '^node_collector_zone_health\{zone=""\} 0$'
	within 20 manager_says '^root_ca_cert_publisher_sync_total\{code="200"\} [4-9]'
	within 20 manager_says '^endpoint_slice_controller_syncs\{result="success"\} [1-9]'
}

n_threads() { find "/proc/$MANAGER_PID/task" -mindepth 1 -maxdepth 1 | wc -l; }
few_threads() { [ "$(n_threads)" -lt 20 ]; }

@test "threads come with work, and go when there is none" {
	cp_user manager system:masters
	manager manager
	kubectl create namespace fresh > /dev/null
	within 20 has_account fresh
	within 20 few_threads
	kubectl -n fresh create deployment web --image=none > /dev/null
	within 20 eval '[ -n "$(kubectl -n fresh get pods -o name)" ]'
	within 20 few_threads
}
