# apicodec as a user calls it: each form into each other, and one clear error for bad input.

setup() {
	cd "$BATS_TEST_TMPDIR"
	codec=$BIN/apicodec
	cat >pod.yaml <<-YAML
	apiVersion: v1
	kind: Pod
	metadata:
	  name: web
	spec:
	  containers:
	  - image: nginx
	    name: c
	    resources:
	      limits:
	        cpu: 500m
	status: {}
	YAML
}

@test "yaml, json and protobuf turn into each other without loss" {
	"$codec" --from yaml --to json <pod.yaml >pod.json
	"$codec" --from json --to protobuf <pod.json >pod.pb
	[ "$(head -c 3 pod.pb)" = k8s ]
	"$codec" --from protobuf --to yaml <pod.pb | diff - pod.yaml
	"$codec" --from protobuf --to json <pod.pb | diff - pod.json
	"$codec" --from protobuf --to protobuf <pod.pb | cmp - pod.pb
}

@test "json goes to yaml unless told otherwise" {
	"$codec" --from yaml --to json <pod.yaml | "$codec" | diff - pod.yaml
}

# fails WORDS: the last run ended with 1 and one line that holds these words
fails() {
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"$1"* ]]
}

@test "bad input is one error that says what is wrong" {
	run "$codec" <<<'{"kind":"Foo","apiVersion":"v1"}'
	fails 'no kind "Foo" is registered for version "v1"'
	run "$codec" <<<'{"apiVersion":"v1"}'
	fails "Object 'Kind' is missing"
	run "$codec" <<<'{"kind":"Pod","apiVersion":"v1","spec":{"containers":3}}'
	fails 'cannot unmarshal number into Go struct field PodSpec.spec.containers of type []v1.Container'
	run "$codec" --strict <<<'{"kind":"Pod","apiVersion":"v1","spce":{}}'
	fails 'strict decoding error: unknown field "spce"'
	run "$codec" --from protobuf <<<'hello'
	fails "envelope"
	run "$codec" --from yaml <<<'a: ['
	fails "yaml: line"
	run "$codec" --from xml </dev/null
	fails '"xml" is none of json, yaml, protobuf'
	run "$codec" --form json </dev/null
	fails "unknown flag: --form"
	run "$codec" pod.yaml </dev/null
	fails 'unexpected argument "pod.yaml"'
}

@test "nesting of ten thousand is an error" {
	printf '{"kind":"ConfigMap","apiVersion":"v1","x":%s%s}' "$(printf '[%.0s' {1..10000})" "$(printf ']%.0s' {1..10000})" >deep
	run "$codec" <deep
	fails "exceeded max depth"
	run "$codec" --from yaml <deep
	[ "$status" -eq 1 ]
}
