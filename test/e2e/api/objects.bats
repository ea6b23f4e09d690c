# What the API does with any object.
# bats file_tags=apiserver
load ../../lib/e2e.bash

# bats test_tags=short
@test "api: an object is created, read, replaced, patched and deleted, each once" {
	assert_equal 201 "$(api_code POST "$(in_namespace)/configmaps" -H 'Content-Type: application/json' -d '{"metadata":{"name":"a"},"data":{"x":"1"}}')"
	assert_equal 409 "$(api_code POST "$(in_namespace)/configmaps" -H 'Content-Type: application/json' -d '{"metadata":{"name":"a"}}')"
	api GET "$(in_namespace)/configmaps/a" | jq '.data.x = "2"' >"$BATS_TEST_TMPDIR/a"
	assert_equal 2 "$(api PUT "$(in_namespace)/configmaps/a" -H 'Content-Type: application/json' -d @"$BATS_TEST_TMPDIR/a" | jq -r .data.x)"
	assert_equal 3 "$(api PATCH "$(in_namespace)/configmaps/a" -H 'Content-Type: application/merge-patch+json' -d '{"data":{"x":"3"}}' | jq -r .data.x)"
	assert_equal 200 "$(api_code DELETE "$(in_namespace)/configmaps/a")"
	assert_equal NotFound "$(api DELETE "$(in_namespace)/configmaps/a" | jq -r .reason)"
	assert_equal 'configmaps "a" not found' "$(api GET "$(in_namespace)/configmaps/a" | jq -r .message)"
}

# bats test_tags=short
@test "api: a write with an old resource version is a conflict" {
	k create configmap a --from-literal=x=1
	api GET "$(in_namespace)/configmaps/a" >"$BATS_TEST_TMPDIR/old"
	k patch configmap a -p '{"data":{"x":"2"}}'
	jq '.data.x = "3"' "$BATS_TEST_TMPDIR/old" >"$BATS_TEST_TMPDIR/new"
	api PUT "$(in_namespace)/configmaps/a" -H 'Content-Type: application/json' -d @"$BATS_TEST_TMPDIR/new" >"$BATS_TEST_TMPDIR/answer"
	assert_equal "409 Conflict" "$(jq -r '"\(.code) \(.reason)"' "$BATS_TEST_TMPDIR/answer")"
	assert_equal 'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again' \
		"$(jq -r .message "$BATS_TEST_TMPDIR/answer")"
	assert_equal 2 "$(field configmap/a .data.x)"
}

@test "api: a write that changes nothing keeps the resource version" {
	k create configmap a --from-literal=x=1
	before=$(field configmap/a .metadata.resourceVersion)
	k patch configmap a -p '{"data":{"x":"1"}}'
	api GET "$(in_namespace)/configmaps/a" >"$BATS_TEST_TMPDIR/same"
	api PUT "$(in_namespace)/configmaps/a" -H 'Content-Type: application/json' -d @"$BATS_TEST_TMPDIR/same" -o /dev/null
	assert_equal "$before" "$(field configmap/a .metadata.resourceVersion)"
}

@test "api: generateName makes names that differ" {
	for i in 1 2 3; do api_json POST "$(in_namespace)/configmaps" '{"metadata":{"generateName":"made-"}}' | jq -r .metadata.name; done >"$BATS_TEST_TMPDIR/names"
	assert_equal 3 "$(sort -u "$BATS_TEST_TMPDIR/names" | grep -c '^made-[bcdfghjklmnpqrstvwxz2456789]\{5\}$')"
}

@test "api: identity and creation time are the server's, and stay" {
	api_json POST "$(in_namespace)/configmaps" '{"metadata":{"name":"a","uid":"mine","creationTimestamp":"2001-01-01T00:00:00Z","resourceVersion":""}}' >"$BATS_TEST_TMPDIR/made"
	uid=$(jq -r .metadata.uid "$BATS_TEST_TMPDIR/made")
	assert_contains "$uid" -
	assert_lacks "$(jq -r .metadata.creationTimestamp "$BATS_TEST_TMPDIR/made")" 2001
	assert_equal 'Precondition failed: UID in precondition: other, UID in object meta: '"$uid" \
		"$(jq '.metadata.uid = "other"' "$BATS_TEST_TMPDIR/made" | api PUT "$(in_namespace)/configmaps/a" -H 'Content-Type: application/json' -d @- | jq -r .message | sed 's/^.*modified; //; s/^.*: Precondition/Precondition/')"
}

# bats test_tags=short
@test "api: finalizers hold a deleted object back until they are gone" {
	api_json POST "$(in_namespace)/configmaps" '{"metadata":{"name":"a","finalizers":["example.com/hold"]}}' -o /dev/null
	k delete configmap a --wait=false
	[ -n "$(field configmap/a .metadata.deletionTimestamp)" ]
	assert_equal 0 "$(field configmap/a .metadata.deletionGracePeriodSeconds)"
	refuses 'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted' \
		k patch configmap a --type=merge -p '{"metadata":{"finalizers":["example.com/hold","example.com/late"]}}'
	k patch configmap a --type=merge -p '{"metadata":{"finalizers":null}}'
	refuses NotFound k get configmap a
}

@test "api: preconditions of a deletion are kept" {
	k create configmap a
	uid=$(field configmap/a .metadata.uid)
	assert_equal Conflict "$(api_json DELETE "$(in_namespace)/configmaps/a" '{"preconditions":{"uid":"other"}}' | jq -r .reason)"
	assert_equal Conflict "$(api_json DELETE "$(in_namespace)/configmaps/a" '{"preconditions":{"resourceVersion":"1"}}' | jq -r .reason)"
	assert_equal Success "$(api_json DELETE "$(in_namespace)/configmaps/a" "{\"preconditions\":{\"uid\":\"$uid\"}}" | jq -r .status)"
}

@test "api: a collection is deleted by its selector" {
	for i in 1 2 3; do k create configmap "a$i" && k label configmap "a$i" "odd=$((i % 2))"; done
	assert_equal 200 "$(api_code DELETE "$(in_namespace)/configmaps?labelSelector=odd%3D1")"
	assert_equal a2 "$(k get configmaps -o name | sed 's|.*/||' | grep '^a')"
}

# bats test_tags=short
@test "api: a dry run answers as the real thing would and stores nothing" {
	assert_equal dry "$(api_json POST "$(in_namespace)/configmaps?dryRun=All" '{"metadata":{"name":"dry"}}' | jq -r .metadata.name)"
	refuses NotFound k get configmap dry
	k create configmap a --from-literal=x=1
	before=$(field configmap/a .metadata.resourceVersion)
	assert_equal 2 "$(k patch configmap a -p '{"data":{"x":"2"}}' --dry-run=server -o 'jsonpath={.data.x}')"
	k delete configmap a --dry-run=server
	assert_equal "$before 1" "$(field configmap/a '.metadata.resourceVersion} {.data.x')"
	assert_equal Invalid "$(api_json POST "$(in_namespace)/configmaps?dryRun=All" '{"metadata":{"name":"NOT_A_NAME"}}' | jq -r .reason)"
	assert_equal Invalid "$(api_json POST "$(in_namespace)/configmaps?dryRun=some" '{"metadata":{"name":"b"}}' | jq -r .reason)"
}

@test "api: unknown and repeated fields are refused, warned of or dropped, as asked" {
	body='{"metadata":{"name":"a"},"data":{},"colour":"red"}'
	assert_contains "$(api_json POST "$(in_namespace)/configmaps?fieldValidation=Strict" "$body" | jq -r .message)" 'strict decoding error: unknown field "colour"'
	assert_contains "$(api_json POST "$(in_namespace)/configmaps?fieldValidation=Warn&dryRun=All" "$body" -D - -o /dev/null)" '299 - "unknown field \"colour\""'
	assert_lacks "$(api_json POST "$(in_namespace)/configmaps?fieldValidation=Ignore&dryRun=All" "$body" -D - -o /dev/null)" 299
	assert_contains "$(api_json POST "$(in_namespace)/configmaps?fieldValidation=Strict" '{"metadata":{"name":"a"},"data":{"x":"1"},"data":{"x":"2"}}' | jq -r .message)" 'duplicate field "data"'
}

@test "api: an immutable object stays as it is" {
	k apply -f - <<-Y
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: a}
		immutable: true
		data: {x: "1"}
	Y
	refuses 'data: Forbidden: field is immutable when `immutable` is set' k patch configmap a -p '{"data":{"x":"2"}}'
	refuses 'immutable: Forbidden: field is immutable when `immutable` is set' k patch configmap a -p '{"immutable":false}'
	k label configmap a still=labelled
}

# bats test_tags=short
@test "api: what is wrong with an object is said field by field" {
	api_json POST "$(in_namespace)/pods" '{"metadata":{"name":"p"},"spec":{"restartPolicy":"Sometimes","containers":[{"name":"UPPER","image":"i"},{"image":"i"}]}}' >"$BATS_TEST_TMPDIR/answer"
	assert_equal "422 Invalid" "$(jq -r '"\(.code) \(.reason)"' "$BATS_TEST_TMPDIR/answer")"
	assert_equal "FieldValueInvalid spec.containers[0].name
FieldValueNotSupported spec.restartPolicy
FieldValueRequired spec.containers[1].name" "$(jq -r '.details.causes[] | "\(.reason) \(.field)"' "$BATS_TEST_TMPDIR/answer" | sort)"
}

@test "api: a body that is no object is refused with what is wrong" {
	assert_equal BadRequest "$(api_json POST "$(in_namespace)/configmaps" '{"metadata":' | jq -r .reason)"
	assert_equal BadRequest "$(api_json POST "$(in_namespace)/configmaps" '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"}}' | jq -r .reason)"
	assert_equal 'the namespace of the provided object does not match the namespace sent on the request' \
		"$(api_json POST "$(in_namespace)/configmaps" '{"metadata":{"name":"a","namespace":"other"}}' | jq -r .message)"
	assert_equal 415 "$(api_code POST "$(in_namespace)/configmaps" -H 'Content-Type: text/csv' -d 'a,b')"
}

@test "api: an owner is kept as written, and blocks when asked" {
	k create configmap owner
	uid=$(field configmap/owner .metadata.uid)
	api_json POST "$(in_namespace)/configmaps" "{\"metadata\":{\"name\":\"owned\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"owner\",\"uid\":\"$uid\",\"controller\":true}]}}" -o /dev/null
	assert_equal "$uid true" "$(field configmap/owned '.metadata.ownerReferences[0].uid} {.metadata.ownerReferences[0].controller')"
	assert_contains "$(api_json POST "$(in_namespace)/configmaps" "{\"metadata\":{\"name\":\"two\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"owner\",\"uid\":\"$uid\",\"controller\":true},{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"x\",\"uid\":\"x\",\"controller\":true}]}}" | jq -r .message)" \
		'Only one reference can have Controller set to true'
}
