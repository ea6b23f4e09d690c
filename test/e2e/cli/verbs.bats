# kubectl's verbs, as people type them.
# bats file_tags=apiserver
load ../../lib/e2e.bash

# bats test_tags=short
@test "cli: get prints tables, wide ones, names, JSON, YAML, templates and columns" {
	k create configmap a --from-literal=x=1 --from-literal=y=2
	assert_equal "NAME DATA AGE" "$(k get configmaps a | head -n 1 | xargs)"
	assert_equal "a 2" "$(k get configmaps a --no-headers | awk '{print $1, $2}')"
	assert_equal configmap/a "$(k get cm/a -o name)"
	assert_equal 1 "$(k get cm a -o json | jq -r .data.x)"
	assert_equal "  x: \"1\"" "$(k get cm a -o yaml | grep '^  x:')"
	assert_equal "a=1" "$(k get cm a -o go-template='{{.metadata.name}}={{index .data "x"}}')"
	assert_equal "NAME VALUE a 2" "$(k get cm a -o custom-columns=NAME:.metadata.name,VALUE:.data.y | xargs)"
	k label cm a tier=t
	assert_equal "NAME DATA AGE TIER a 2" "$(k get cm a -L tier | awk 'NR == 1 {print} NR == 2 {print $1, $2}' | xargs)"
	assert_contains "$(k get cm --show-labels)" tier=t
	k create configmap b
	assert_equal "b a" "$(k get cm a b --sort-by='{.metadata.creationTimestamp}' -o name | sed 's|.*/||' | tac | xargs)"
	assert_contains "$(k get cm,secrets,sa)" "configmap/a"
	assert_equal "No resources found in $NS namespace." "$(k get pods 2>&1)"
	refuses 'Error from server (NotFound): configmaps "none" not found' k get cm none
	k get cm none --ignore-not-found
	refuses "the server doesn't have a resource type \"thing\"" k get thing
}

# bats test_tags=short
@test "cli: create, replace, edit and delete from files" {
	mkdir "$BATS_TEST_TMPDIR/f"
	echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"},"data":{"x":"1"}}' >"$BATS_TEST_TMPDIR/f/one.json"
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: three}\n' >"$BATS_TEST_TMPDIR/f/rest.yaml"
	assert_equal "configmap/one created
configmap/two created
configmap/three created" "$(k create -f "$BATS_TEST_TMPDIR/f")"
	refuses 'AlreadyExists' k create -f "$BATS_TEST_TMPDIR/f/one.json"
	sed -i s/1\"}}/2\"}}/ "$BATS_TEST_TMPDIR/f/one.json"
	assert_equal "configmap/one replaced" "$(k replace -f "$BATS_TEST_TMPDIR/f/one.json")"
	assert_equal 2 "$(field cm/one .data.x)"
	printf '#!/bin/sh\nsed -i '\''s/x: "2"/x: "3"/'\'' "$1"\n' >"$BATS_TEST_TMPDIR/editor"
	chmod +x "$BATS_TEST_TMPDIR/editor"
	EDITOR=$BATS_TEST_TMPDIR/editor k edit cm one
	assert_equal 3 "$(field cm/one .data.x)"
	assert_equal 'configmap "one" deleted from '"$NS"' namespace
configmap "two" deleted from '"$NS"' namespace
configmap "three" deleted from '"$NS"' namespace' "$(k delete -f "$BATS_TEST_TMPDIR/f")"
	refuses 'error: the path "'"$BATS_TEST_TMPDIR"'/none" does not exist' k create -f "$BATS_TEST_TMPDIR/none"
}

# bats test_tags=short
@test "cli: label and annotate set, change and remove" {
	k create configmap a
	assert_equal "configmap/a labeled" "$(k label cm a x=1)"
	refuses "'x' already has a value (1), and --overwrite is false" k label cm a x=2
	k label cm a --overwrite x=2
	assert_equal "configmap/a unlabeled" "$(k label cm a x-)"
	k annotate cm a note='some words'
	assert_equal "some words" "$(field cm/a .metadata.annotations.note)"
	assert_contains "$(k label cm a --list && k annotate cm a --list)" "note=some words"
	refuses 'a valid label must be' k label cm a x='not valid!'
}

@test "cli: set changes images, variables, resources and more" {
	k create deployment d --image=i:1 --replicas=0
	k set image deployment/d i=i:2
	k set env deployment/d A=1 B=2
	k set env deployment/d A-
	k set resources deployment/d --limits=cpu=200m --requests=cpu=100m
	k set serviceaccount deployment/d default
	assert_equal "i:2 B 200m 100m default" "$(field deployment/d '.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[*].name} {.spec.template.spec.containers[0].resources.limits.cpu} {.spec.template.spec.containers[0].resources.requests.cpu} {.spec.template.spec.serviceAccountName')"
	k create service clusterip s --tcp=80
	k set selector service s app=x
	assert_equal '{"app":"x"}' "$(field service/s .spec.selector)"
}

# bats test_tags=short
@test "cli: create makes each of the usual kinds" {
	echo text >"$BATS_TEST_TMPDIR/file"
	k create configmap cm --from-literal=a=1 --from-file=f="$BATS_TEST_TMPDIR/file"
	k create secret generic s --from-literal=a=1
	k create secret docker-registry r --docker-server=reg.example --docker-username=u --docker-password=p
	k create deployment d --image=i --replicas=0 --port=80
	k create job j --image=i -- true
	k create cronjob c --image=i --schedule='0 0 1 1 *'
	k create serviceaccount sa
	k create role ro --verb=get --resource=pods
	k create rolebinding rb --role=ro --user=u
	k create quota q --hard=pods=5
	k create poddisruptionbudget p --selector=app=d --min-available=1
	k create ingress in --rule='host.example/path=svc:80'
	k create service loadbalancer lb --tcp=80
	assert_equal "text" "$(field cm/cm .data.f)"
	assert_equal kubernetes.io/dockerconfigjson "$(field secret/r .type)"
	assert_equal "host.example svc" "$(field ingress/in '.spec.rules[0].host} {.spec.rules[0].http.paths[0].backend.service.name')"
	assert_equal "pod/x created (dry run)" "$(k run x --image=i --dry-run=client)"
	assert_equal "ClusterIP" "$(k create service clusterip z --tcp=80 --dry-run=client -o 'jsonpath={.spec.type}')"
}

@test "cli: expose, scale and autoscale a deployment" {
	k create deployment d --image=i --replicas=0 --port=8080
	k expose deployment d --port=80 --target-port=8080 --name=s
	assert_equal "80 8080 d" "$(field service/s '.spec.ports[0].port} {.spec.ports[0].targetPort} {.spec.selector.app')"
	k scale deployment d --replicas=2 --current-replicas=0
	assert_equal 2 "$(field deployment/d .spec.replicas)"
	k autoscale deployment d --min=1 --max=3
	assert_equal "d 1 3" "$(field hpa/d '.spec.scaleTargetRef.name} {.spec.minReplicas} {.spec.maxReplicas')"
}

# bats test_tags=short
@test "cli: diff shows what apply would change, and says so by its exit code" {
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: "1"}\n' >"$BATS_TEST_TMPDIR/a.yaml"
	k apply -f "$BATS_TEST_TMPDIR/a.yaml"
	k diff -f "$BATS_TEST_TMPDIR/a.yaml"
	sed -i 's/"1"/"2"/' "$BATS_TEST_TMPDIR/a.yaml"
	run k diff -f "$BATS_TEST_TMPDIR/a.yaml"
	assert_equal 1 "$status"
	assert_contains "$output" '-  x: "1"'
	assert_contains "$output" '+  x: "2"'
	assert_equal "configmap/a configured" "$(k apply -f "$BATS_TEST_TMPDIR/a.yaml")"
	assert_equal "configmap/a unchanged" "$(k apply -f "$BATS_TEST_TMPDIR/a.yaml")"
	assert_contains "$(k apply view-last-applied cm a)" 'x: "2"'
}

@test "cli: explain tells of fields, api-resources of kinds" {
	assert_contains "$(kall explain pod.spec.containers)" "KIND:       Pod"
	assert_contains "$(kall explain deployment.spec.replicas)" "<integer>"
	refuses 'field "nothing" does not exist' kall explain pod.nothing
	assert_contains "$(kall api-resources --namespaced=true -o name | xargs)" "deployments.apps"
	assert_contains "$(kall api-resources | awk '$1 == "pods"' | xargs)" "pods po v1 true Pod"
	assert_contains "$(kall api-versions | xargs)" "apps/v1"
}

# bats test_tags=short
@test "cli: wait holds until a condition, a value, a creation or a deletion" {
	k create configmap a --from-literal=x=1
	k wait --for=jsonpath='{.data.x}'=1 cm/a --timeout=10s
	refuses 'timed out waiting for the condition on configmaps/a' k wait --for=jsonpath='{.data.x}'=2 cm/a --timeout=1s
	k wait --for=create cm/late --timeout=20s 3>&- &
	waiter=$!
	k create configmap late
	wait "$waiter"
	k wait --for=delete cm/late --timeout=20s 3>&- &
	waiter=$!
	k delete cm late
	wait "$waiter"
}

@test "cli: config keeps clusters, users and contexts" {
	export KUBECONFIG=$BATS_TEST_TMPDIR/config
	kall config set-cluster c --server=https://192.0.2.1:6443
	kall config set-credentials u --token=secret
	kall config set-context one --cluster=c --user=u --namespace=ns
	kall config use-context one
	assert_equal one "$(kall config current-context)"
	assert_equal "ns https://192.0.2.1:6443" "$(kall config view --minify -o 'jsonpath={.contexts[0].context.namespace} {.clusters[0].cluster.server}')"
	assert_lacks "$(kall config view)" secret
	kall config rename-context one two
	assert_contains "$(kall config get-contexts -o name)" two
	kall config delete-context two
	refuses 'current-context is not set' sh -c "$KUBECTL config unset current-context >/dev/null && $KUBECTL config current-context"
}

@test "cli: events are shown by object and time" {
	api_json POST "$(in_namespace)/events" "{\"metadata\":{\"name\":\"e\"},\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"namespace\":\"$NS\",\"name\":\"a\"},\"reason\":\"Because\",\"message\":\"it did\",\"type\":\"Warning\",\"firstTimestamp\":\"2026-01-01T00:00:00Z\",\"lastTimestamp\":\"2026-01-01T00:00:00Z\",\"count\":3,\"source\":{\"component\":\"e2e\"}}" -o /dev/null
	assert_equal "Warning Because ConfigMap/a it did" "$(k events --for=configmap/a --no-headers | awk '{$1 = ""; print}' | sed 's/(x3 over [^)]*)//' | xargs)"
	assert_contains "$(k get events)" "configmap/a"
}
