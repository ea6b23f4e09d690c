# Answers in gzip: what comes out of them is what is sent without, however many objects were joined.
setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_start
	cp_wait "$BIN/kubectl" create configmap first
	local i
	for ((i = 0; i < 60; i++)); do
		printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-%d, annotations: {note: "%s"}}\ndata: {text: "%s"}\n' "$i" "$(seq -s ' ' "$i" $((i + 900)))" "$(seq -s ' ' "$i" $((i + 900)))"
	done >"$CP_DIR/maps.yaml"
	"$BIN/kubectl" create -f "$CP_DIR/maps.yaml" >/dev/null
}
teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}
setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }
MAPS=/api/v1/namespaces/default/configmaps

# same ACCEPT PATH: plain and zipped are equal, the zipped one smaller by half at least.
same() {
	local dir=$BATS_TEST_TMPDIR
	cp_curl "$2" -A test -H "Accept: $1" -o "$dir/plain"
	cp_curl "$2" -A test -H "Accept: $1" -H 'Accept-Encoding: gzip' -D "$dir/head" -o "$dir/zipped"
	grep -qi '^content-encoding: gzip' "$dir/head"
	gzip -dc <"$dir/zipped" | cmp - "$dir/plain"
	[ $((2 * $(stat -c %s "$dir/zipped"))) -lt "$(stat -c %s "$dir/plain")" ]
}

@test "lists in every form are the same zipped" {
	local again
	for again in 1 2; do
		same application/json "$MAPS"
		same application/vnd.kubernetes.protobuf "$MAPS"
	done
	same application/json "$MAPS?pretty=1"
	same application/json "$MAPS?limit=55"
	same application/yaml "$MAPS"
	same application/json /openapi/v2
}

@test "a Table whose rows are written while it is sent says what one made whole says, zipped or not" {
	local table='application/json;as=Table;v=v1;g=meta.k8s.io' dir=$BATS_TEST_TMPDIR
	rows() { jq -cS 'del(.metadata.resourceVersion) | .rows[].cells |= map(tostring | sub("^[0-9]+[smh].*"; "age"))' "$@"; }
	cp_curl "$MAPS?pretty=1" -A test -H "Accept: $table" | rows >"$dir/whole"
	cp_curl "$MAPS" -A test -H "Accept: $table" -o "$dir/kept"
	[ "$(stat -c %s "$dir/kept")" -gt 200000 ]
	rows "$dir/kept" | cmp "$dir/whole"
	cp_curl "$MAPS" -A test -H "Accept: $table" -H 'Accept-Encoding: gzip' -D "$dir/head" -o "$dir/zipped"
	grep -qi '^content-encoding: gzip' "$dir/head"
	gzip -dc <"$dir/zipped" | rows | cmp "$dir/whole"
	[ $((4 * $(stat -c %s "$dir/zipped"))) -lt "$(stat -c %s "$dir/kept")" ]
}

@test "what is short is sent as it is" {
	cp_curl "$MAPS/map-1" -H 'Accept-Encoding: gzip' -D "$BATS_TEST_TMPDIR/head" -o "$BATS_TEST_TMPDIR/body"
	! grep -qi '^content-encoding' "$BATS_TEST_TMPDIR/head"
	grep -q map-1 "$BATS_TEST_TMPDIR/body"
}
