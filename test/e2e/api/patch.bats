# Patches of each kind, and applying with ownership of fields.
# bats file_tags=apiserver
load ../../lib/e2e.bash

deployment() {
	cat <<-Y
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: d}
		spec:
		  replicas: 0
		  selector: {matchLabels: {app: d}}
		  template:
		    metadata: {labels: {app: d}}
		    spec:
		      containers:
		      - {name: a, image: "a:1", env: [{name: X, value: "1"}]}
		      - {name: b, image: "b:1"}
	Y
}
images() { field deployment/d '.spec.template.spec.containers[*].image'; }
apply_as() { # MANAGER QUERY-REST, object on standard input
	api PATCH "$(in_namespace)/configmaps/a?fieldManager=$1$2" -H 'Content-Type: application/apply-patch+yaml' --data-binary @-
}
owners() { api GET "$(in_namespace)/configmaps/a" | jq -r '.metadata.managedFields[] | "\(.manager) \(.operation) \(.fieldsV1["f:data"] // {} | keys | map(select(. != ".")) | join(","))"' | sort; }

# bats test_tags=short
@test "api: a strategic merge patch finds list members by their key" {
	deployment | k create -f -
	k patch deployment d -p '{"spec":{"template":{"spec":{"containers":[{"name":"b","image":"b:2"}]}}}}'
	assert_equal "a:1 b:2" "$(field deployment/d '.spec.template.spec.containers[?(@.name=="a")].image} {.spec.template.spec.containers[?(@.name=="b")].image')"
	k patch deployment d -p '{"spec":{"template":{"spec":{"containers":[{"name":"a","env":[{"name":"Y","value":"2"}]}]}}}}'
	assert_equal "X Y" "$(field deployment/d '.spec.template.spec.containers[?(@.name=="a")].env[*].name' | tr ' ' '\n' | sort | xargs)"
	k patch deployment d -p '{"spec":{"template":{"spec":{"containers":[{"name":"b","$patch":"delete"}]}}}}'
	assert_equal a:1 "$(images)"
}

@test "api: a merge patch replaces lists and deletes with null" {
	deployment | k create -f -
	k patch deployment d --type=merge -p '{"metadata":{"labels":{"x":"1","y":"2"}}}'
	k patch deployment d --type=merge -p '{"metadata":{"labels":{"x":null}},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"c:1"}]}}}}'
	assert_equal '{"y":"2"}' "$(field deployment/d .metadata.labels)"
	assert_equal c:1 "$(images)"
}

@test "api: a JSON patch does what it says or nothing" {
	k create configmap a --from-literal=x=1
	k patch configmap a --type=json -p '[{"op":"test","path":"/data/x","value":"1"},{"op":"add","path":"/data/y","value":"2"},{"op":"move","from":"/data/x","path":"/data/z"},{"op":"copy","from":"/data/y","path":"/data/w"}]'
	assert_equal '{"w":"2","y":"2","z":"1"}' "$(field configmap/a .data)"
	assert_equal Invalid "$(api PATCH "$(in_namespace)/configmaps/a" -H 'Content-Type: application/json-patch+json' -d '[{"op":"remove","path":"/data/y"},{"op":"test","path":"/data/z","value":"9"}]' | jq -r .reason)"
	assert_equal '{"w":"2","y":"2","z":"1"}' "$(field configmap/a .data)"
}

@test "api: a patch that names a resource version holds to it" {
	k create configmap a --from-literal=x=1
	old=$(field configmap/a .metadata.resourceVersion)
	k patch configmap a -p '{"data":{"x":"2"}}'
	refuses 'the object has been modified' k patch configmap a -p "{\"metadata\":{\"resourceVersion\":\"$old\"},\"data\":{\"x\":\"3\"}}"
	refuses 'NotFound' k patch configmap nobody -p '{"data":{"x":"3"}}'
}

@test "api: patches at the same time all arrive" {
	k create configmap a
	writers=()
	for i in $(seq 12); do
		k patch configmap a -p "{\"data\":{\"k$i\":\"$i\"}}" >/dev/null 3>&- &
		writers+=($!)
	done
	wait "${writers[@]}"
	assert_equal 12 "$(api GET "$(in_namespace)/configmaps/a" | jq '.data | length')"
}

# bats test_tags=short
@test "api: applied fields have owners, and a conflict names them" {
	assert_equal a "$(apply_as one <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1","y":"1"}}' | jq -r .metadata.name)"
	apply_as two <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"2"}}' >"$BATS_TEST_TMPDIR/answer"
	assert_equal "409 Conflict FieldManagerConflict .data.x" "$(jq -r '"\(.code) \(.reason) \(.details.causes[0].reason) \(.details.causes[0].field)"' "$BATS_TEST_TMPDIR/answer")"
	assert_equal 'Apply failed with 1 conflict: conflict with "one": .data.x' "$(jq -r .message "$BATS_TEST_TMPDIR/answer")"
	assert_equal 2 "$(apply_as two '&force=true' <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"2"}}' | jq -r .data.x)"
	assert_equal "one Apply f:y
two Apply f:x" "$(owners)"
}

# bats test_tags=short
@test "api: what an owner applies no more is removed, unless another owns it too" {
	apply_as one <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1","y":"1","z":"1"}}' >/dev/null
	apply_as two <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"y":"1"}}' >/dev/null
	apply_as one <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1"}}' >/dev/null
	assert_equal '{"x":"1","y":"1"}' "$(field configmap/a .data)"
	apply_as two <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}' >/dev/null
	assert_equal '{"x":"1"}' "$(field configmap/a .data)"
}

@test "api: an update takes ownership of what it changes" {
	apply_as one <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1","y":"1"}}' >/dev/null
	api PATCH "$(in_namespace)/configmaps/a?fieldManager=editor" -H 'Content-Type: application/merge-patch+json' -d '{"data":{"y":"2"}}' -o /dev/null
	assert_equal "editor Update f:y
one Apply f:x" "$(owners)"
}

@test "api: applying the same twice changes nothing" {
	body='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"l":"1"}},"data":{"x":"1"}}'
	first=$(apply_as one <<<"$body" | jq -r .metadata.resourceVersion)
	assert_equal "$first" "$(apply_as one <<<"$body" | jq -r .metadata.resourceVersion)"
	assert_equal "fieldManager: Required value: is required for apply patch" "$(api PATCH "$(in_namespace)/configmaps/a" -H "Content-Type: application/apply-patch+yaml" -d "$body" | jq -r .message | sed "s,.*fieldM,fieldM,")"
}

@test "api: kubectl apply --server-side, its conflicts and its force" {
	deployment | k apply --server-side --field-manager=one -f -
	assert_contains "$(deployment | sed 's/replicas: 0/replicas: 1/' | k apply --server-side --field-manager=two -f - 2>&1 || true)" 'conflict with "one": .spec.replicas'
	deployment | sed 's/replicas: 0/replicas: 1/' | k apply --server-side --field-manager=two --force-conflicts -f -
	assert_equal 1 "$(field deployment/d .spec.replicas)"
}

@test "api: kubectl apply prunes what the manifest lost and keeps what others added" {
	k apply -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1","y":"1"}}'
	k patch configmap a -p '{"data":{"other":"1"}}'
	k apply -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"2"}}'
	assert_equal '{"other":"1","x":"2"}' "$(field configmap/a .data)"
}
