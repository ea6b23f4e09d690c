# OpenAPI documents: what they say, and in which forms and under which names they are had.
setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_start
}
teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}
setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	V2=application/com.github.proto-openapi.spec.v2.v1.0+protobuf
	V3=application/com.github.proto-openapi.spec.v3.v1.0+protobuf
}

# asked PATH [curl flags…]: the head without carriage returns in $head, the body in the file $BATS_TEST_TMPDIR/body.
asked() {
	rm -f "$BATS_TEST_TMPDIR/body"
	cp_curl "$1" --http1.1 -D "$BATS_TEST_TMPDIR/head" -o "$BATS_TEST_TMPDIR/body" "${@:2}"
	head=$(tr -d '\r' < "$BATS_TEST_TMPDIR/head")
}
says() { grep -qixE "$1" <<< "$head" || { printf 'expected a line %s in\n%s\n' "$1" "$head"; return 1; }; }
place_of() { cp_curl /openapi/v3 | python3 -c 'import json,sys; print(json.load(sys.stdin)["paths"][sys.argv[1]]["serverRelativeURL"])' "$1"; }

@test "paths, operations, parameters, answers and types are those of Kubernetes" {
	"$BATS_TEST_DIRNAME/../lib/openapi-structure" > "$BATS_TEST_TMPDIR/structure"
	diff "$BATS_TEST_DIRNAME/../data/openapi/structure.tsv" "$BATS_TEST_TMPDIR/structure"
}

@test "every path, operation and parameter is described" {
	cp_curl /openapi/v2 | python3 -c '
import json, sys
document = json.load(sys.stdin)
bad = [n for n, p in document["parameters"].items() if p["name"] != "body" and not p.get("description")]
for path, item in document["paths"].items():
    bad += [f"{m} {path}" for m, o in item.items() if m != "parameters" and not o.get("description")]
bad += [n for n, d in document["definitions"].items() if not d.get("description")]
print("\n".join(bad))
sys.exit(bool(bad))'
}

@test "a document that is named with its digest may be kept for ever, and another digest leads to it" {
	place=$(place_of apis/apps/v1)
	[[ $place =~ ^/openapi/v3/apis/apps/v1\?hash=[0-9A-F]{128}$ ]]
	asked "$place"
	says 'HTTP/1.1 200 OK'
	says 'Cache-Control: public, immutable'
	says 'Expires: .* UTC'
	says 'Vary: Accept'
	says "ETag: \"${place#*=}\""
	[ "$(sha512sum < "$BATS_TEST_TMPDIR/body" | tr a-f A-F | cut -d' ' -f1)" = "${place#*=}" ]
	asked /openapi/v3/apis/apps/v1?hash=0123
	says 'HTTP/1.1 301 Moved Permanently'
	says "Location: ${place//\?/\\?}"
	asked /openapi/v3/apis/apps/v1
	says 'Cache-Control: no-cache, private'
	asked /openapi/v3/apis/apps/v1 -H "If-None-Match: \"${place#*=}\""
	says 'HTTP/1.1 304 Not Modified'
	[ ! -s "$BATS_TEST_TMPDIR/body" ]
	[ "$(place_of apis/apps/v1)" = "$place" ]
	[ "$(place_of api/v1)" != "${place/apis\/apps/api}" ]
}

@test "documents are had as JSON or protobuf, and as nothing else" {
	asked /openapi/v3/version -H "Accept: $V3"
	says "Content-Type: ${V3//+/\\+}"
	[ "$(protoc --decode_raw < "$BATS_TEST_TMPDIR/body" | head -1)" = '1: "3.0.0"' ]
	asked /openapi/v2 -H "Accept: ${V2/v2.v1/v2@v1},application/json;q=0.5"
	says "Content-Type: ${V2//+/\\+}"
	[ "$(protoc --decode_raw < "$BATS_TEST_TMPDIR/body" | grep -c ' 1: "io.k8s.api.core.v1.Pod"$')" = 1 ]
	local tag
	tag=$(grep -i '^etag: ' <<< "$head")
	asked /openapi/v2
	says "$tag"
	says 'Content-Type: application/json'
	for accept in text/html "$V2"; do
		asked /openapi/v3/version -H "Accept: $accept"
		says 'HTTP/1.1 406 Not Acceptable'
	done
	for path in /openapi/v3/nothing /openapi/v3/apis/apps/v1/ /openapi/v2/; do
		asked "$path"
		says 'HTTP/1.1 404 Not Found'
	done
}
