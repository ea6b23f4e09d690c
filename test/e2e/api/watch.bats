# Lists and watches.
# bats file_tags=apiserver
load ../../lib/e2e.bash

watch_to() { # FILE QUERY: a watch of the namespace's config maps that goes on in the background, one event a line
	api GET "$(in_namespace)/configmaps?watch=1&$2" -N --max-time 60 >"$1" 2>&1 3>&- &
	watcher=$!
	at_end kill "$watcher"
}
revision() { api GET "$(in_namespace)/configmaps?limit=1" | jq -r .metadata.resourceVersion; }
events_of() { jq -r '"\(.type) \(.object.metadata.name)"' "$1"; }
make_maps() { # N: labelled config maps m1 ... mN in one request each
	for i in $(seq "$1"); do api_json POST "$(in_namespace)/configmaps" "{\"metadata\":{\"name\":\"m$i\",\"labels\":{\"parity\":\"$((i % 2))\",\"set\":\"m\"}}}" -o /dev/null; done
}

# bats test_tags=short
@test "api: a watch from a revision tells every later change, in order" {
	k create configmap before
	watch_to "$BATS_TEST_TMPDIR/w" "resourceVersion=$(revision)"
	k create configmap a --from-literal=x=1
	k patch configmap a -p '{"data":{"x":"2"}}'
	k delete configmap a
	becomes 15 "ADDED a
MODIFIED a
DELETED a" events_of "$BATS_TEST_TMPDIR/w"
	assert_equal 2 "$(tail -n 1 "$BATS_TEST_TMPDIR/w" | jq -r .object.data.x)"
	jq -r .object.metadata.resourceVersion "$BATS_TEST_TMPDIR/w" >"$BATS_TEST_TMPDIR/revisions"
	assert_equal "$(sort -n "$BATS_TEST_TMPDIR/revisions" | uniq)" "$(cat "$BATS_TEST_TMPDIR/revisions")"
}

@test "api: a watch without a revision begins with what is there" {
	make_maps 2
	watch_to "$BATS_TEST_TMPDIR/w" "labelSelector=set%3Dm"
	becomes 15 "ADDED m1 ADDED m2" sh -c "jq -r '\"\(.type) \(.object.metadata.name)\"' '$BATS_TEST_TMPDIR/w' | sort | xargs"
}

# bats test_tags=short
@test "api: a watch with a selector sees objects come into it and leave it" {
	make_maps 1
	watch_to "$BATS_TEST_TMPDIR/w" "labelSelector=parity%3D0&resourceVersion=$(revision)"
	k label configmap m1 --overwrite parity=0
	k label configmap m1 note=more
	k label configmap m1 --overwrite parity=1
	k create configmap other
	becomes 15 "ADDED m1
MODIFIED m1
DELETED m1" events_of "$BATS_TEST_TMPDIR/w"
}

@test "api: a watch of a single object by name" {
	make_maps 2
	watch_to "$BATS_TEST_TMPDIR/w" "fieldSelector=metadata.name%3Dm2&resourceVersion=$(revision)"
	k label configmap m1 note=one
	k label configmap m2 note=two
	becomes 15 "MODIFIED m2" events_of "$BATS_TEST_TMPDIR/w"
}

@test "api: a streaming list ends with a bookmark that says so" {
	make_maps 3
	watch_to "$BATS_TEST_TMPDIR/w" "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=set%3Dm"
	becomes 15 "ADDED ADDED ADDED BOOKMARK" sh -c "jq -r .type '$BATS_TEST_TMPDIR/w' | xargs"
	assert_equal true "$(jq -r 'select(.type == "BOOKMARK") | .object.metadata.annotations["k8s.io/initial-events-end"]' "$BATS_TEST_TMPDIR/w" | head -n 1)"
	k delete configmap m2
	# Further bookmarks may come at any time.
	becomes 15 "DELETED m2" sh -c "jq -r 'select(.type != \"BOOKMARK\") | \"\(.type) \(.object.metadata.name)\"' '$BATS_TEST_TMPDIR/w' | tail -n 1"
	assert_equal Invalid "$(api GET "$(in_namespace)/configmaps?watch=1&sendInitialEvents=true" | jq -r .reason)"
}

@test "api: a watch ends when its time is over" {
	start=$(date +%s)
	api GET "$(in_namespace)/configmaps?watch=1&timeoutSeconds=2&resourceVersion=$(revision)" --max-time 20 >"$BATS_TEST_TMPDIR/w"
	took=$(($(date +%s) - start))
	[ "$took" -ge 1 ] && [ "$took" -le 15 ]
}

@test "api: a revision that is none, or not there yet, is refused" {
	for path in configmaps configmaps/kube-root-ca.crt; do
		assert_equal 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax' \
			"$(api GET "$(in_namespace)/$path?resourceVersion=abc" | jq -r .message | sed 's/^invalid resource version: //')"
	done
	assert_equal 400 "$(api_code GET "$(in_namespace)/configmaps?resourceVersion=abc")"
	assert_equal 500 "$(api_code GET "$(in_namespace)/configmaps?watch=1&resourceVersion=abc")"
	api GET "$(in_namespace)/configmaps?resourceVersion=99999999999" >"$BATS_TEST_TMPDIR/answer"
	assert_equal "504 Timeout ResourceVersionTooLarge 1" "$(jq -r '"\(.code) \(.reason) \(.details.causes[0].reason) \(.details.retryAfterSeconds)"' "$BATS_TEST_TMPDIR/answer")"
	assert_contains "$(jq -r .message "$BATS_TEST_TMPDIR/answer")" 'Timeout: Too large resource version: 99999999999, current: '
}

@test "api: kubectl get --watch shows changes as rows" {
	k get configmaps --watch-only --no-headers >"$BATS_TEST_TMPDIR/w" 2>&1 3>&- &
	at_end kill $!
	appears() { k create configmap "w$RANDOM" && grep -q '^w' "$BATS_TEST_TMPDIR/w"; }
	wait_until 20 appears
}

# bats test_tags=short
@test "api: a long list comes in pages that together are one moment" {
	make_maps 7
	page=$(api GET "$(in_namespace)/configmaps?limit=3&labelSelector=set%3Dm")
	assert_equal "m1 m2 m3" "$(jq -r '.items[].metadata.name' <<<"$page" | xargs)"
	at=$(jq -r .metadata.resourceVersion <<<"$page")
	k delete configmap m5
	k create configmap m55
	names=$(jq -r '.items[].metadata.name' <<<"$page")
	next=$(jq -r '.metadata.continue // ""' <<<"$page")
	while [ -n "$next" ]; do
		page=$(api GET "$(in_namespace)/configmaps" -G --data-urlencode limit=3 --data-urlencode labelSelector=set=m --data-urlencode "continue=$next")
		assert_equal "$at" "$(jq -r .metadata.resourceVersion <<<"$page")"
		names+=" $(jq -r '.items[].metadata.name' <<<"$page")"
		next=$(jq -r '.metadata.continue // ""' <<<"$page")
	done
	assert_equal "m1 m2 m3 m4 m5 m6 m7" "$(xargs <<<"$names")"
}

@test "api: a page tells how many remain, and a broken token is refused" {
	make_maps 5
	# The cluster's own config map of the namespace may be there too.
	total=$(k get configmaps -o name | wc -l)
	assert_equal $((total - 2)) "$(api GET "$(in_namespace)/configmaps?limit=2" | jq -r .metadata.remainingItemCount)"
	assert_equal "400 BadRequest" "$(api GET "$(in_namespace)/configmaps?limit=2&continue=nonsense" | jq -r '"\(.code) \(.reason)"')"
}

@test "api: lists at a revision, at least a revision, and of the cache" {
	make_maps 2
	at=$(revision)
	k delete configmap m1
	names() { api GET "$(in_namespace)/configmaps?labelSelector=set%3Dm&$1" | jq -r '.items[].metadata.name' | xargs; }
	assert_equal "m1 m2" "$(names "resourceVersion=$at&resourceVersionMatch=Exact")"
	assert_equal "m2" "$(names "")"
	becomes 10 m2 names "resourceVersion=0"
	becomes 10 m2 names "resourceVersion=$at&resourceVersionMatch=NotOlderThan"
	assert_equal Invalid "$(api GET "$(in_namespace)/configmaps?resourceVersionMatch=Exact" | jq -r .reason)"
}

# bats test_tags=short
@test "api: label selectors of each kind" {
	make_maps 4
	k label configmap m4 extra=yes
	for pair in 'parity=1|m1 m3' 'parity==0|m2 m4' 'parity!=1,set|m2 m4' 'parity in (0,1)|m1 m2 m3 m4' 'parity notin (0),set=m|m1 m3' 'extra|m4' '!extra,set=m|m1 m2 m3' 'extra=yes,parity=1|'; do
		assert_equal "${pair#*|}" "$(k get configmaps -l "${pair%|*}" -o name | sed 's|.*/||' | xargs)"
	done
	assert_equal BadRequest "$(api GET "$(in_namespace)/configmaps?labelSelector=a%20b" | jq -r .reason)"
}

@test "api: field selectors by name, phase and node" {
	for n in a b; do api_json POST "$(in_namespace)/pods" "{\"metadata\":{\"name\":\"$n\"},\"spec\":{\"schedulerName\":\"nobody-$n\",\"terminationGracePeriodSeconds\":0,\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}" -o /dev/null; done
	names() { k get pods --field-selector "$1" -o name | sed 's|.*/||' | xargs; }
	assert_equal a "$(names metadata.name=a)"
	assert_equal b "$(names metadata.name!=a)"
	assert_equal "a b" "$(names status.phase=Pending)"
	assert_equal "" "$(names status.phase=Running)"
	assert_equal b "$(names spec.schedulerName=nobody-b,spec.nodeName=)"
	refuses 'field label not supported: spec.colour' k get pods --field-selector spec.colour=red
}
