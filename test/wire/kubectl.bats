#!/usr/bin/env bats
# kubectl on the wire: the real binaries kube-apiserver and kubectl, a real etcd. What is printed is part of the contract.

setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	export CP_APISERVER=${BIN:-$cp_root/build/bin}/kube-apiserver KUBECTL=${KUBECTL:-${BIN:-$cp_root/build/bin}/kubectl}
	[ -x "$CP_APISERVER" ] && [ -x "$KUBECTL" ] || skip "kube-apiserver or kubectl is not built"
	command -v etcd > /dev/null || skip "etcd is not installed"
	cp_start
	export CP_APISERVER_PID CP_ETCD_PID CP_PORT CP_ETCD_PORT
	export HOME=$CP_DIR/home
	mkdir -p "$HOME"
}

teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}

setup() {
	ns=t$BATS_TEST_NUMBER
	cd "$BATS_TEST_TMPDIR"
	"$KUBECTL" create namespace "$ns" > /dev/null
}

k() { "$KUBECTL" -n "$ns" "$@"; }

# says EXIT TEXT ARGUMENTS...: kubectl ends with that code and prints exactly that (both streams).
says() {
	local code=$1 want=$2
	shift 2
	run k "$@"
	[ "$status" = "$code" ] && [ "$output" = "$want" ] && return
	printf 'kubectl %s\nwant (%s): %s\ngot  (%s): %s\n' "$*" "$code" "$want" "$status" "$output"
	return 1
}

manifest() {
	cat > web.yaml <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: web, labels: {app: web}}
		data: {a: "1", b: "2"}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: web}
		spec: {selector: {app: web}, ports: [{port: 80}]}
	YAML
}

@test "apply creates, changes and leaves alone; what left the manifest leaves the object" {
	manifest
	says 0 $'configmap/web created\nservice/web created' apply -f web.yaml
	says 0 $'configmap/web unchanged\nservice/web unchanged' apply -f web.yaml
	k patch configmap web -p '{"data":{"other":"kept"}}' > /dev/null
	sed -i 's/, b: "2"/, c: "3"/' web.yaml
	says 0 $'configmap/web configured\nservice/web unchanged' apply -f web.yaml
	says 0 '{"a":"1","c":"3","other":"kept"}' get configmap web -o 'jsonpath={.data}'
	says 0 $'configmap/web unchanged (server dry run)\nservice/web unchanged (server dry run)' apply -f web.yaml --dry-run=server
	says 0 $'configmap "web" deleted from '"$ns"$' namespace\nservice "web" deleted from '"$ns"' namespace' delete -f web.yaml
}

@test "what get prints can be created again" {
	k create configmap kept --from-literal a=1 > /dev/null
	k get configmap kept -o yaml > kept.yaml
	k delete configmap kept > /dev/null
	says 0 "configmap/kept created" create -f kept.yaml
	says 0 1 get configmap kept -o 'jsonpath={.data.a}'
}

@test "apply from standard input and from a directory" {
	manifest
	mkdir -p dir/sub
	mv web.yaml dir/
	printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j"}}' > dir/sub/j.json
	echo 'not a manifest' > dir/README
	says 0 $'configmap/web created\nservice/web created' apply -f dir
	says 0 $'configmap/j created\nconfigmap/web unchanged\nservice/web unchanged' apply -R -f dir
	run bash -c "\"$KUBECTL\" -n $ns apply -f - < dir/sub/j.json"
	[ "$output" = "configmap/j unchanged" ]
}

@test "what get prints" {
	manifest
	k apply -f web.yaml > /dev/null
	says 0 $'configmap/web\nservice/web' get configmap/web service/web -o name
	says 0 $'NAME   DATA\nweb    map[a:1 b:2]' get configmap web -o 'custom-columns=NAME:.metadata.name,DATA:.data'
	says 0 'web' get configmap -l app=web -o 'jsonpath={.items[*].metadata.name}'
	says 0 'web:1' get configmap web -o 'go-template={{.metadata.name}}:{{.data.a}}'
	run k get service web --no-headers
	[[ $output =~ ^web\ +ClusterIP\ +[0-9.]+\ +\<none\>\ +80/TCP\ +[0-9]+s$ ]]
	run k get service web
	[[ ${lines[0]} =~ ^NAME\ +TYPE\ +CLUSTER-IP\ +EXTERNAL-IP\ +PORT\(S\)\ +AGE$ ]]
	run k get configmap web --show-labels -L app
	[[ ${lines[0]} =~ APP\ +LABELS$ ]] && [[ ${lines[1]} =~ web\ +app=web$ ]]
	says 0 "No resources found in $ns namespace." get pods
	run k get configmap web -o yaml
	[ "${lines[0]}" = "apiVersion: v1" ] && [[ $output != *managedFields* ]]
}

@test "errors are one clear line and exit code 1" {
	says 1 'Error from server (NotFound): configmaps "nope" not found' get configmap nope
	says 0 '' get configmap nope --ignore-not-found
	says 1 "error: the server doesn't have a resource type \"nope\"" get nope
	says 1 'error: the path "nope.yaml" does not exist' apply -f nope.yaml
	says 1 'error: arguments in resource/name form may not have more than one slash' get pods/a/b
	says 1 'error: resource(s) were provided, but no name was specified' delete pods
	says 1 $'error: unknown flag: --nope\nSee \'kubectl get --help\' for usage.' get --nope
	says 1 'error: Invalid dry-run value (x). Must be "none", "server", or "client".' create namespace x --dry-run=x
	says 1 'error: must specify one of -f and -k' apply
	says 1 'error: required flag(s) "image" not set' create deployment x
	printf 'kind: ConfigMap\nmetadata: {name: x}\n' > bad.yaml
	says 1 'error: error validating "bad.yaml": error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false' apply -f bad.yaml
	run "$KUBECTL" --server https://127.0.0.1:1 get pods
	[ "$status" = 1 ] && [ "$output" = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?" ]
	run "$KUBECTL" nope
	[ "$status" = 1 ] && [ "${lines[0]}" = 'error: unknown command "nope" for "kubectl"' ]
}

@test "labels and annotations" {
	k create configmap c > /dev/null
	says 0 'configmap/c labeled' label configmap c a=1
	says 1 "error: 'a' already has a value (1), and --overwrite is false" label configmap c a=2
	says 0 'configmap/c labeled' label configmap c a=2 --overwrite
	says 0 'configmap/c not labeled' label configmap c a=2
	says 0 'a=2' label configmap c --list
	says 0 'configmap/c unlabeled' label configmap c a-
	says 1 'error: at least one label update is required' label configmap c
	says 0 'configmap/c annotated' annotate configmap c note='a=b c'
	says 0 'a=b c' get configmap c -o 'jsonpath={.metadata.annotations.note}'
}

@test "generators print what they would create" {
	says 0 'deployment.apps/web created (dry run)' create deployment web --image=nginx --dry-run=client
	run "$KUBECTL" create deployment web --image=nginx:1 --replicas=2 --dry-run=client -o yaml
	[ "$output" = 'apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app: web
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  strategy: {}
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - image: nginx:1
        name: nginx
        resources: {}
status: {}' ]
	says 0 'secret/s created' create secret generic s --from-literal=k=v
	says 0 'v' get secret s -o 'go-template={{.data.k | base64decode}}'
	says 1 'error: failed to create secret secrets "s" already exists' create secret generic s
	printf 'a=1\nb=2\n' > env.txt
	says 0 'configmap/c-dmt4m8k6b6' create configmap c --from-literal=a=b --from-file=k=env.txt --append-hash --dry-run=client -o name
	says 0 'role.rbac.authorization.k8s.io/r created' create role r --verb=get --resource=pods,configmaps
	says 0 'rolebinding.rbac.authorization.k8s.io/r created' create rolebinding r --role=r --serviceaccount="$ns":default
}

@test "patch in its three kinds, edit and replace" {
	k create configmap c --from-literal=a=1 > /dev/null
	says 0 'configmap/c patched' patch configmap c -p '{"data":{"b":"2"}}'
	says 0 'configmap/c patched (no change)' patch configmap c --type=merge -p '{"data":{"b":"2"}}'
	says 0 'configmap/c patched' patch configmap c --type=json -p '[{"op":"remove","path":"/data/b"}]'
	says 1 'error: --type must be one of [json merge strategic], not "x"' patch configmap c --type=x -p '{}'
	export KUBE_EDITOR="sed -i s/\\\"1\\\"/edited/"
	run k edit configmap c
	[ "$status" = 0 ] && [ "$output" = "configmap/c edited" ]
	says 0 'edited' get configmap c -o 'jsonpath={.data.a}'
	export KUBE_EDITOR=true
	says 0 'Edit cancelled, no changes made.' edit configmap c
	k get configmap c -o json | sed 's/edited/replaced/' > c.json
	says 0 'configmap/c replaced' replace -f c.json
}

@test "delete waits, and wait sees it" {
	k create configmap c > /dev/null
	k patch configmap c -p '{"metadata":{"finalizers":["example.com/hold"]}}' > /dev/null
	says 0 "configmap \"c\" deleted from $ns namespace" delete configmap c --wait=false
	says 1 'error: timed out waiting for the condition on configmaps/c' wait --for=delete configmap/c --timeout=1s
	(sleep 1; k patch configmap c --type=merge -p '{"metadata":{"finalizers":null}}') > /dev/null &
	says 0 'configmap/c condition met' wait --for=delete configmap/c --timeout=10s
	wait
	says 1 'Error from server (NotFound): configmaps "c" not found' delete configmap c
	says 0 'No resources found' delete configmaps -l no=such
}

@test "wait for a field, and for something to be created" {
	k create configmap c --from-literal=a=1 > /dev/null
	says 0 'configmap/c condition met' wait --for=jsonpath='{.data.a}'=1 configmap/c
	says 1 'error: timed out waiting for the condition on configmaps/c' wait --for=jsonpath='{.data.a}'=2 configmap/c --timeout=1s
	(sleep 1; k create configmap later) > /dev/null &
	says 0 'configmap/later condition met' wait --for=create configmap/later --timeout=10s
	wait
}

@test "a watch shows what is there and what comes" {
	k create configmap first > /dev/null
	timeout 4 "$KUBECTL" -n "$ns" get configmaps -w -o name > seen &
	sleep 1
	k create configmap second > /dev/null
	wait || true
	[ "$(grep -v kube-root seen | sort -u | tr '\n' ' ')" = "configmap/first configmap/second " ]
}

@test "a watch lasts as long as any request may" {
	k create configmap first > /dev/null
	timeout 20 "$KUBECTL" -n "$ns" get configmaps -w -o name --request-timeout=1s > seen
	grep -q configmap/first seen
	timeout 20 "$KUBECTL" -n "$ns" events -w --request-timeout=1s > /dev/null
}

@test "describe shows the object" {
	manifest
	k apply -f web.yaml > /dev/null
	run k describe configmap web
	[ "$output" = "Name:         web
Namespace:    $ns
Labels:       app=web
Annotations:  <none>

Data
====
a:
----
1

b:
----
2


BinaryData
====

Events:  <none>" ]
	run k describe service web
	[[ $output == *"Selector:                 app=web"* ]] && [[ $output == *"TargetPort:               80/TCP"* ]]
	k create -f - > /dev/null <<- YAML
		apiVersion: v1
		kind: ReplicationController
		metadata: {name: rc}
		spec: {selector: {app: rc, tier: front}, template: {metadata: {labels: {app: rc, tier: front}}, spec: {containers: [{name: c, image: i}]}}}
		---
		apiVersion: batch/v1
		kind: CronJob
		metadata: {name: cj}
		spec: {schedule: "*/1 * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}}
	YAML
	run k describe rc rc
	[[ $output == *"Selector:     app=rc,tier=front"* ]] && [[ $output == *"Replicas:     0 current / 1 desired"* ]]
	run k describe cronjob cj
	[[ $output == *"Concurrency Policy:            Allow"* ]] && [[ $output == *"Starting Deadline Seconds:     <unset>"* ]]
}

@test "the API on this machine, for those that the filter lets through" {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	"$KUBECTL" proxy --port=0 --api-prefix=/k8s/ > "$BATS_TEST_TMPDIR/out" 3>&- &
	proxy=$!
	cp_wait grep -q 'Starting to serve on 127.0.0.1:' "$BATS_TEST_TMPDIR/out"
	local url
	url=http://$(sed 's/.* on //' "$BATS_TEST_TMPDIR/out")
	run curl -s -X POST -H 'Content-Type: application/json' -d '{"metadata":{"name":"through"}}' -o /dev/null -w '%{http_code}' \
		"$url/k8s/api/v1/namespaces/$ns/configmaps"
	[ "$output" = 201 ]
	says 0 configmap/through get configmap through -o name
	run curl -s -w '%{http_code}' "$url/api"
	[[ $output == *404 ]]
	run curl -s -w '%{http_code}' -H 'Host: evil.example' "$url/k8s/api"
	[ "$output" = "<h3>Unauthorized</h3>403" ]
	run curl -s -o /dev/null -w '%{http_code}' -X POST "$url/k8s/api/v1/namespaces/$ns/pods/p/exec?command=sh"
	[ "$output" = 404 ]
	kill "$proxy"
	"$KUBECTL" proxy --unix-socket="$BATS_TEST_TMPDIR/s" --reject-methods=POST > "$BATS_TEST_TMPDIR/out" 3>&- &
	proxy=$!
	cp_wait grep -q "Starting to serve on $BATS_TEST_TMPDIR/s" "$BATS_TEST_TMPDIR/out"
	run curl -s --unix-socket "$BATS_TEST_TMPDIR/s" http://localhost/version
	[[ $output == *'"gitVersion"'* ]]
	run curl -s --unix-socket "$BATS_TEST_TMPDIR/s" -X POST -d '{}' "http://localhost/api/v1/namespaces/$ns/configmaps"
	[ "$output" = "<h3>Unauthorized</h3>" ]
	kill "$proxy"
}

@test "kubeconfig files" {
	export KUBECONFIG=$BATS_TEST_TMPDIR/config
	says 0 'Cluster "c" set.' config set-cluster c --server=https://127.0.0.1:1
	says 0 'User "u" set.' config set-credentials u --token=secret
	says 0 'Context "x" created.' config set-context x --cluster=c --user=u --namespace=n
	says 0 'Context "x" modified.' config set-context x --namespace=m
	says 0 'Switched to context "x".' config use-context x
	says 0 'x' config current-context
	says 1 'error: no context exists with the name: "nope"' config use-context nope
	says 0 'Property "clusters.c.server" set.' config set clusters.c.server https://127.0.0.1:2
	run k config view
	[[ $output == *"server: https://127.0.0.1:2"* ]] && [[ $output == *"token: REDACTED"* ]] && [[ $output != *secret* ]]
	says 0 $'CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\n*         x      c         u          m' config get-contexts
	says 0 'Context "x" renamed to "y".' config rename-context x y
	says 0 $'warning: this removed your active context, use "kubectl config use-context" to select a different one\ndeleted context y from '"$KUBECONFIG" config delete-context y
	[ "$(stat -c %a "$KUBECONFIG")" = 600 ]
}

@test "who may do what" {
	says 0 'yes' auth can-i create pods
	says 1 'no' auth can-i create pods --as=nobody
	run k auth whoami
	[ "${lines[0]%% *}" = ATTRIBUTE ]
}

@test "the server's resources and versions" {
	run "$KUBECTL" api-resources --api-group=apps --no-headers
	[[ $output == *"deployments           deploy   apps/v1   true   Deployment"* ]]
	run "$KUBECTL" api-versions
	[[ $output == *$'apps/v1\n'* ]] && [ "${lines[-1]}" = v1 ]
	run "$KUBECTL" version
	[[ ${lines[0]} == "Client Version: v1."* ]] && [[ ${lines[1]} == "Server Version: v1."* ]]
	run "$KUBECTL" explain configmaps.data
	[[ $output == *"FIELD: data <map[string]string>"* ]]
	says 0 ok get --raw /healthz
}

@test "help exits 0 and completion offers what may follow" {
	run "$KUBECTL" --help
	[ "$status" = 0 ] && [[ $output == *"Basic Commands (Beginner):"* ]]
	run "$KUBECTL" create secret generic --help
	[ "$status" = 0 ] && [[ $output == *"--from-literal=[]:"* ]]
	run "$KUBECTL" __complete rollout st
	[[ $'\n'$output$'\n' == *$'\nstatus\n'* ]]
	run "$KUBECTL" completion bash
	[ "$status" = 0 ] && bash -n <(printf '%s\n' "$output")
}
