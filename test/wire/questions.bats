# What a client is told on the wire: codes, reasons and words, as Kubernetes 1.34 tells them.
setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_start
	cp_wait "$BIN/kubectl" create configmap c1 --from-literal=a=b
}
teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}
setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }

MAPS=/api/v1/namespaces/default/configmaps
TABLE='application/json;as=Table;v=v1;g=meta.k8s.io'
METADATA='application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
DISCOVERY='application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

# answers CODE PART PATH [curl flags…]: the answer has the code, and the part among its head and body.
answers() {
	local code=$1 part=$2 path=$3 answer
	shift 3
	answer=$(cp_curl "$path" -i --http1.1 --max-time 10 "$@" | tr -d '\0')
	[[ $answer == "HTTP/1.1 $code "* && $answer == *"$part"* ]] || {
		printf 'asked: %s %s\nexpected: %s … %s\ngot: %s\n' "$path" "$*" "$code" "$part" "${answer:0:600}"
		return 1
	}
}
json() { answers "$1" "$2" "$3" -H 'Content-Type: application/json' "${@:5}" -d "$4"; }

@test "bodies that cannot be read are refused with the reason" {
	json 400 "couldn't get version/kind; json parse error: unexpected end of JSON input ({" "$MAPS" '{"a":'
	json 400 'no kind \"ConfigMap\" is registered for version \"v2\"' "$MAPS" \
		'{"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"x"}}'
	answers 415 'the body of the request was in an unknown format' "$MAPS" -H 'Content-Type: application/cbor' -d '{}'
	json 500 "couldn't get version/kind; json parse error: unexpected end of JSON input" "$MAPS/c1" '{"foo' -X DELETE
	answers 400 'strconv.ParseInt: parsing \"x\": invalid syntax' "$MAPS/c1?gracePeriodSeconds=x" -X DELETE
}

@test "bodies of protobuf are read, and refused with the reason" {
	local folder=$BATS_TEST_TMPDIR/bodies
	mkdir "$folder"
	pack() { apicodec --from json --to protobuf > "$folder/$1"; }
	raw() { answers "$1" "$2" "$4" -H 'Content-Type: application/vnd.kubernetes.protobuf' -A x --data-binary "@$folder/$3" "${@:5}"; }
	pack map <<< '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"packed"},"data":{"a":"b"}}'
	pack secret <<< '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"packed"}}'
	pack options <<< '{"apiVersion":"v1","kind":"DeleteOptions","dryRun":["All"]}'
	: > "$folder/empty"
	printf 'k8s\0' > "$folder/magic"
	printf '{"kind":"ConfigMap"}' > "$folder/json"
	printf 'k8s\0\xff\xff\xff' > "$folder/noise"
	head -c -3 "$folder/map" > "$folder/cut"
	# An envelope as it should be around what is none of its kind.
	printf 'k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x02\xff\xff' > "$folder/broken"
	printf 'k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12\x02\xff\xff' > "$folder/broken-options"
	raw 201 '"data":{"a":"b"}' map "$MAPS"
	raw 200 '"status":"Success"' options "$MAPS/packed" -X DELETE
	raw 400 'Secret in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion' secret "$MAPS"
	raw 400 'the object provided is unrecognized (must be of type ConfigMap): empty data (\u003cempty\u003e)' empty "$MAPS"
	raw 400 'the object provided is unrecognized (must be of type ConfigMap): empty body (6b387300)' magic "$MAPS"
	raw 400 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({\"kind\":\"ConfigMap\"})' json "$MAPS"
	raw 400 'the object provided is unrecognized (must be of type ConfigMap): unexpected EOF (6b387300ffffff)' noise "$MAPS"
	raw 400 'the object provided is unrecognized (must be of type ConfigMap): unexpected EOF (6b3873000a0f0a0276311209436f6e6669674d617012120a080a06706163 ...)' cut "$MAPS"
	raw 500 'no kind \"ConfigMap\" is registered for version \"v1\" in scheme' map "$MAPS/packed" -X DELETE
	raw 400 'ConfigMap in version \"v1\" cannot be handled as a ConfigMap: unexpected EOF' broken "$MAPS"
	raw 500 '"message":"unexpected EOF"' noise "$MAPS/packed" -X DELETE
	raw 500 '"message":"unexpected EOF"' broken-options "$MAPS/packed" -X DELETE
	raw 200 '"status":"Success"' empty "$MAPS/packed" -X DELETE
}

@test "forms that are not served are not acceptable" {
	answers 406 'Available representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch' \
		"$MAPS" -H 'Accept: application/cbor'
	answers 406 'only the following media types are accepted' "$MAPS" -H "Accept: ${TABLE/v=v1/v=v2}"
	answers 406 'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)' "$MAPS" -H "Accept: $METADATA"
	answers 406 'only the following media types are accepted' /api -H "Accept: ${DISCOVERY/v=v2/v=v2beta1}"
	answers 406 '' /openapi/v2 -H 'Accept: application/foo'
	answers 400 "includeObject: Invalid value: \\\"Foo\\\": must be 'Metadata', 'Object', 'None', or empty" "$MAPS?includeObject=Foo" -H "Accept: $TABLE"
	answers 400 "includeObject: Invalid value: \\\"Foo\\\": must be 'Metadata', 'Object', 'None', or empty" "$MAPS?watch=1&includeObject=Foo" -H "Accept: $TABLE"
}

@test "items of a list of metadata carry their kind" {
	answers 200 '"items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1"' "$MAPS?pretty=0" -H "Accept: ${METADATA/Metadata/MetadataList}"
	answers 200 '      "kind": "PartialObjectMetadata",' "$MAPS?pretty=1" -H "Accept: ${METADATA/Metadata/MetadataList}"
}

@test "unknown paths and methods" {
	answers 404 '404 page not found' /apis/foo.bar/v1
	answers 404 '"message": "the server could not find the requested resource"' /apis/apps/v9/deployments
	answers 404 '404 page not found' /foo/bar
	answers 404 'X-Content-Type-Options: nosniff' /foo/bar
	answers 405 'the server does not allow this method on the requested resource' /version -X POST
	answers 405 'the server does not allow this method on the requested resource' /apis/apps/v1 -X POST
	answers 405 '' "$MAPS/c1" -I
}

@test "options of lists and watches are checked" {
	answers 422 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list' "$MAPS?sendInitialEvents=true"
	answers 422 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan' "$MAPS?watch=1&sendInitialEvents=true"
	answers 400 'invalid resource version: resourceVersion: Invalid value: \"abc\"' "$MAPS?resourceVersion=abc"
	answers 500 '"message": "resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"' "$MAPS?watch=1&resourceVersion=abc"
	answers 504 'Timeout: Too large resource version: 999999999, current: ' "$MAPS?resourceVersion=999999999"
	answers 400 'strconv.ParseInt: parsing \"x\": invalid syntax' "$MAPS?limit=x"
	answers 200 '"type":"BOOKMARK"' "$MAPS?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
	answers 200 '"k8s.io/initial-events-end":"true"' "$MAPS?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
	# A watch from no version is one that has asked for what is there.
	answers 200 '"k8s.io/initial-events-end":"true"' "$MAPS?watch=1&timeoutSeconds=1&allowWatchBookmarks=true"
	answers 200 '"k8s.io/initial-events-end":"true"' "$MAPS?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=0"
}

@test "a collection's delete answers with a version" {
	answers 200 '"resourceVersion":' "$MAPS?labelSelector=x=y" -X DELETE
}

@test "a watch of lists of metadata ends without a word where there is something to tell" {
	local path="$MAPS?watch=1&timeoutSeconds=300"
	[ -z "$(cp_curl "$path" -f --max-time 10 -H 'Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1')" ]
}

@test "kinds that are stored in another version than the served one are known by that" {
	hash() { cp_curl "/apis/$1" | jq -r ".resources[] | select(.name == \"$2\").storageVersionHash"; }
	[ "$(hash storage.k8s.io/v1 volumeattributesclasses)" = Bl3MtjZ/n/s= ]
	[ "$(hash storage.k8s.io/v1 storageclasses)" = K+m6uJwbjGY= ]
}

@test "aggregated discovery is tagged by its content" {
	local tag
	tag=$(cp_curl /apis -i -H "Accept: $DISCOVERY" | tr -d '\r' | sed -n 's/^ETag: //Ip')
	[ -n "$tag" ]
	answers 200 'Cache-Control: public' /apis -H "Accept: $DISCOVERY"
	answers 304 '' /apis -H "Accept: $DISCOVERY" -H "If-None-Match: $tag"
	answers 200 '"kind": "APIGroupDiscoveryList"' /apis -H "Accept: $DISCOVERY" -H 'If-None-Match: "other"'
	answers 200 'Cache-Control: no-cache, private' /apis
}

@test "the index names every path, and readyz every part" {
	local path
	for path in /apis/apps/v1 /readyz/etcd /livez/poststarthook/rbac/bootstrap-roles /openapi/v3; do
		answers 200 "\"$path\"" /
	done
	answers 200 '[+]poststarthook/start-service-ip-repair-controllers ok' '/readyz?verbose'
	answers 200 '[+]etcd excluded: ok' '/readyz?verbose&exclude=etcd'
	answers 200 '"groupPriorityMinimum": 17800' /apis/apiregistration.k8s.io/v1/apiservices/v1.apps
}

@test "component statuses are asked for when somebody looks" {
	answers 200 '"message": "Get \"https://127.0.0.1:10259/healthz\": dial tcp 127.0.0.1:10259: connect: connection refused"' /api/v1/componentstatuses/scheduler
	answers 200 '"status": "True"' /api/v1/componentstatuses/etcd-0
	answers 200 '"kind": "ComponentStatusList"' /api/v1/componentstatuses
	[ "$(cp_curl "/api/v1/componentstatuses?fieldSelector=metadata.name%3Dscheduler" | jq -r '.items[].metadata.name')" = scheduler ]
	[ "$(cp_curl "/api/v1/componentstatuses?labelSelector=a%3Db" | jq -c .items)" = "[]" ]
	answers 404 '"message": "componentstatus \"none\" not found"' /api/v1/componentstatuses/none
}

@test "health checks are had one by one, and those that there are not are named" {
	answers 404 '404 page not found' /healthz/
	answers 404 '404 page not found' /healthz/shutdown
	answers 200 'ok' /readyz/shutdown
	answers 200 'warn: some health checks cannot be excluded: no matches for "a","b"' '/livez?verbose&exclude=b&exclude=a&exclude=ping&exclude=b'
}

@test "discovery is had in every media type that there is" {
	answers 200 'Content-Type: application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' /apis -H "Accept: ${DISCOVERY/json/vnd.kubernetes.protobuf}"
	answers 200 '- groupVersion: apps/v1' /apis/apps -H 'Accept: application/yaml'
	answers 406 '"message": "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf"' /apis/apps/v1 -H 'Accept: text/html'
	answers 406 '"message": "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"' /apis/apps -H 'Accept: text/html'
	answers 200 '{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apiregistration.k8s.io",' /apis -A x
	answers 200 '{"kind":"APIVersions","versions":["v1"],' /api -A x
	[ "$(cp_curl /api/v1/namespaces/default | tail -c 1)" = "}" ]
	[ "$(cp_curl /api/v1/namespaces/default -A x | tail -c 2 | od -An -c | tr -d ' ')" = '}\n' ]
}

@test "no container is privileged unless the server is told to allow it" {
	local spec='{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","securityContext":{"privileged":true}}]}}'
	json 422 'spec.template.spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy' '/apis/apps/v1/namespaces/default/deployments?dryRun=All' \
		'{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":'"$spec"'}}'
	json 201 '"privileged": false' '/apis/apps/v1/namespaces/default/deployments?dryRun=All' \
		'{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":'"${spec/true/false}"'}}'
}

# Of a runtime class's handler the original says nothing either.
@test "every column of every Table is described" {
	local group path place bad="" asked=0
	for place in $(cp_curl /openapi/v3 | grep -o '"apis\?/[^"]*v[0-9]"' | tr -d '"'); do
		for path in $(cp_curl "/$place" | python3 -c 'import json,sys; [print(r["name"]) for r in json.load(sys.stdin)["resources"] if "list" in r["verbs"]]'); do
			bad+=$(cp_curl "/$place/$path" -H "Accept: $TABLE" | python3 -c '
import json, sys
for c in json.load(sys.stdin)["columnDefinitions"]:
    if not c["description"] and (sys.argv[1], c["name"]) != ("runtimeclasses", "Handler"):
        print(sys.argv[1], c["name"])' "$path")
			asked=$((asked + 1))
		done
	done
	[ -z "$bad" ] || { echo "$bad"; return 1; }
	[ "$asked" -gt 55 ]
	answers 200 '"description": "How many of its containers are ready, of how many."' /api/v1/pods -H "Accept: $TABLE"
}
