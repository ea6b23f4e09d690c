#!/usr/bin/env bats
# Encryption at rest, on the wire: the real binary, a real etcd. Two servers take turns on one etcd, ours and the one that
# REF_BIN/kube-apiserver is (without it two of ours): each reads, lists, watches and changes what the other has encrypted.
# CP_APISERVER=/path/to/kube-apiserver asks another server what the tests of one server ask.

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	ours=${CP_APISERVER:-${BIN:-$cp_root/build/bin}/kube-apiserver}
	reference=${REF_BIN:+$REF_BIN/kube-apiserver}
	reference=${reference:-$ours}
	cp_new && cp_start_etcd
}
teardown() { cp_stop; }

secret() { printf "%-32s" "$1" | base64; } # 32 bytes
key() { echo "{keys: [{name: $1, secret: $(secret "$2")}]}"; }

# configure RESOURCES PROVIDERS [RESOURCES PROVIDERS]…
configure() {
	{
		echo "kind: EncryptionConfiguration"
		echo "apiVersion: apiserver.config.k8s.io/v1"
		echo "resources:"
		while [ $# -gt 0 ]; do
			echo "- {resources: [$1], providers: [$2]}"
			shift 2
		done
	} > "$CP_DIR/new"
	mv "$CP_DIR/new" "$CP_DIR/encryption.yaml"
}

# serve BINARY [FLAG…]: in place of the one that serves.
serve() {
	local binary=$1
	shift
	if [ -n "${CP_APISERVER_PID:-}" ]; then
		kill "$CP_APISERVER_PID"
		wait "$CP_APISERVER_PID" || true
	fi
	CP_PORT="" CP_FLAGS="--encryption-provider-config=$CP_DIR/encryption.yaml $*" CP_APISERVER=$binary cp_start_apiserver
	cp_wait cp_curl /api/v1/namespaces/default -f
}

in_etcd() { ETCDCTL_API=3 etcdctl --endpoints "$CP_ETCD" "$@"; }
stored() { in_etcd get "/registry/$1" --print-value-only | tr -d '\0'; } # KEY
stored_plain() { [[ $(stored "$1") == k8s* && $(stored "$1") != k8s:enc:* ]]; } # KEY
stored_behind() { [[ $(stored "$1") == "$2"* ]]; } # KEY PREFIX

secrets=/api/v1/namespaces/default/secrets
maps=/api/v1/namespaces/default/configmaps
create() { # PATH NAME TEXT
	[ "$(cp_curl "$1" -H 'Content-Type: application/json' -d '{"metadata":{"name":"'"$2"'"},"data":{"text":"'"$3"'"}}' -o "$CP_DIR/answer" -w '%{http_code}')" = 201 ]
}
patch() { # PATH BODY
	[ "$(cp_curl "$1" -X PATCH -H 'Content-Type: application/merge-patch+json' -d "$2" -o "$CP_DIR/answer" -w '%{http_code}')" = 200 ]
}
answers() { # CODE METHOD PATH
	[ "$(cp_curl "$3" -X "$2" -o "$CP_DIR/answer" -w '%{http_code}')" = "$1" ]
}
texts() { cp_curl "$1" | jq -r '.items[] | .metadata.name + "=" + .data.text' | grep -v '=$\|^ext\|^kube' | xargs; } # PATH
has_texts() { [ "$(texts "$1")" = "$2" ]; }
version() { cp_curl "$1" | jq -r .metadata.resourceVersion; }
message() { jq -r .message "$CP_DIR/answer"; }

# in_turns WRITER READER
in_turns() {
	configure secrets "{aescbc: $(key one first)}, {identity: {}}" configmaps "{aesgcm: $(key one first)}" \
		"'*.coordination.k8s.io'" "{identity: {}}" "'*.*'" "{secretbox: $(key two second)}"
	serve "$1"
	create "$secrets" a aaaa && create "$maps" a bbbb
	stored_behind secrets/default/a k8s:enc:aescbc:v1:one:
	stored_behind configmaps/default/a k8s:enc:aesgcm:v1:one:
	stored_behind namespaces/default k8s:enc:secretbox:v1:two:
	stored_plain "leases/kube-system/$(cp_curl /apis/coordination.k8s.io/v1/leases | jq -r '.items[0].metadata.name')"
	# What has no resource of its own is never encrypted.
	stored_plain ranges/servicenodeports
	serve "$2"
	has_texts "$secrets" a=aaaa && has_texts "$maps" a=bbbb
	[ "$(cp_curl "$secrets/a" | jq -r .data.text)" = aaaa ]
	local from
	from=$(version "$secrets")
	patch "$secrets/a" '{"data":{"text":"YWJj"}}' && create "$secrets" b cccc
	[ "$(cp_curl "$secrets?watch=1&timeoutSeconds=1&resourceVersion=$from" | jq -r '.type + ":" + .object.data.text' | xargs)" = "MODIFIED:YWJj ADDED:cccc" ]
	[ "$(cp_curl "$secrets?limit=1" | jq -r '.items[0].data.text')" = YWJj ]
	answers 200 DELETE "$secrets/b"
	serve "$1"
	has_texts "$secrets" a=YWJj
}

@test "what we encrypt the other server reads and changes" {
	in_turns "$ours" "$reference"
}

@test "what the other server has encrypted we read and change" {
	in_turns "$reference" "$ours"
}

@test "the first provider writes, all of them read, and what is stale is written again by an update without a change" {
	configure secrets "{identity: {}}"
	serve "$ours"
	create "$secrets" a aaaa
	stored_plain secrets/default/a
	configure secrets "{aescbc: $(key one first)}, {identity: {}}"
	serve "$ours"
	local before
	before=$(cp_curl "$secrets/a" | jq -r .metadata.resourceVersion)
	stored_plain secrets/default/a
	patch "$secrets/a" '{}'
	stored_behind secrets/default/a k8s:enc:aescbc:v1:one:
	[ "$(jq -r .metadata.resourceVersion "$CP_DIR/answer")" != "$before" ]
	before=$(jq -r .metadata.resourceVersion "$CP_DIR/answer")
	patch "$secrets/a" '{}'
	[ "$(jq -r .metadata.resourceVersion "$CP_DIR/answer")" = "$before" ]
	# A new key goes before the old one.
	configure secrets "{aescbc: {keys: [{name: two, secret: $(secret second)}, {name: one, secret: $(secret first)}]}}"
	serve "$ours"
	cp_curl "$secrets/a" > "$CP_DIR/a"
	[ "$(cp_curl "$secrets/a" -X PUT -H 'Content-Type: application/json' -d "@$CP_DIR/a" -o "$CP_DIR/answer" -w '%{http_code}')" = 200 ]
	stored_behind secrets/default/a k8s:enc:aescbc:v1:two:
	[ "$(jq -r .metadata.resourceVersion "$CP_DIR/answer")" != "$before" ]
}

@test "what cannot be decrypted is told of, and is not taken for gone" {
	configure configmaps "{identity: {}}" secrets "{aesgcm: $(key one first)}"
	serve "$ours"
	create "$secrets" a aaaa && create "$secrets" b bbbb
	configure configmaps "{identity: {}}" secrets "{aesgcm: $(key one other)}"
	serve "$ours" || true # the original is not ready then
	local why="cipher: message authentication failed"
	answers 500 GET "$secrets/a"
	[ "$(message)" = "Internal error occurred: $why" ]
	[ "$(jq -rc .details.causes "$CP_DIR/answer")" = '[{"message":"'"$why"'"}]' ]
	answers 500 DELETE "$secrets/a"
	[ "$(message)" = "Internal error occurred: $why" ]
	! patch "$secrets/a" '{}'
	[ "$(message)" = "Internal error occurred: $why" ]
	answers 500 GET "$secrets?limit=1"
	[ "$(message)" = "Internal error occurred: unable to transform key \"/registry/secrets/default/a\": $why" ]
	for path in "$secrets" "$secrets?resourceVersion=0" "$secrets?watch=1"; do
		answers 429 GET "$path"
		[ "$(message)" = "storage is (re)initializing: failed to list *core.Secret: unable to transform key \"/registry/secrets/default/a\": $why" ]
	done
	! create "$secrets" a aaaa
	[ "$(jq -r .reason "$CP_DIR/answer")" = AlreadyExists ]
	# A value belongs to its key.
	configure configmaps "{identity: {}}" secrets "{aesgcm: $(key one first)}"
	serve "$ours"
	in_etcd get /registry/secrets/default/a --print-value-only | head -c -1 | in_etcd put /registry/secrets/default/c > "$CP_DIR/put"
	cp_wait answers 500 GET "$secrets/c"
	[ "$(message)" = "Internal error occurred: $why" ]
}

@test "what somebody else has encrypted is no plain value" {
	configure secrets "{secretbox: $(key one first)}"
	serve "$ours"
	create "$secrets" a aaaa
	configure configmaps "{identity: {}}"
	serve "$ours" || true
	answers 500 GET "$secrets/a"
	[ "$(message)" = "Internal error occurred: identity transformer tried to read encrypted data" ]
}

# metric NAME LABELS VALUE
metric() { cp_curl /metrics | grep -F "$1{" | grep -F "$2" | grep -q " $3\$"; }
reloads() { cp_curl /metrics | grep -F "automatic_reloads_total{" | grep -F "status=\"$1\"" | sed 's/.* //'; }
reloaded() { [ "$(reloads "$1")" -ge "$2" ]; } # STATUS TIMES

@test "a configuration is read again when it changes, and then also what could not be read" {
	[ "$ours" != "${CP_APISERVER:-}" ] || skip "the original looks once a minute"
	configure secrets "{aescbc: $(key one first)}"
	serve "$ours" --encryption-provider-config-automatic-reload
	[ "$(cp_curl /readyz/kms-providers)$(cp_curl /healthz/kms-providers)" = okok ]
	[[ $(cp_curl /livez/kms-providers) == *"not found"* ]]
	[[ $(cp_curl "/readyz?verbose") == *"[+]poststarthook/start-encryption-provider-config-automatic-reload ok"* ]]
	local from
	create "$secrets" a aaaa
	from=$(version "$secrets")
	configure secrets "{aescbc: $(key two second)}"
	cp_wait reloaded success 1
	create "$secrets" b bbbb
	stored_behind secrets/default/b k8s:enc:aescbc:v1:two:
	has_texts "$secrets" "a=aaaa b=bbbb" # from memory
	# Another server writes what this one has no key for.
	local pid=$CP_APISERVER_PID server=$CP_SERVER
	CP_APISERVER_PID=""
	cp "$CP_DIR/encryption.yaml" "$CP_DIR/kept.yaml"
	configure secrets "{aescbc: $(key three third)}, {aescbc: $(key two second)}, {aescbc: $(key one first)}"
	cp "$CP_DIR/encryption.yaml" "$CP_DIR/other.yaml"
	cp "$CP_DIR/kept.yaml" "$CP_DIR/encryption.yaml"
	CP_PORT="" CP_FLAGS="--advertise-address=192.0.2.2 --encryption-provider-config=$CP_DIR/other.yaml" CP_APISERVER=$ours cp_start_apiserver
	create "$secrets" c cccc
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
	CP_APISERVER_PID=$pid CP_SERVER=$server
	cp_wait answers 429 GET "$secrets"
	answers 500 GET "$secrets/c"
	mv "$CP_DIR/other.yaml" "$CP_DIR/encryption.yaml"
	cp_wait reloaded success 2
	cp_wait has_texts "$secrets" "a=aaaa b=bbbb c=cccc"
	[ "$(cp_curl "$secrets?watch=1&timeoutSeconds=1&resourceVersion=$from" | jq -r '.type + ":" + .object.metadata.name' | xargs)" = "ADDED:b ADDED:c" ]
	metric apiserver_encryption_config_controller_last_config_info "$(sha256sum < "$CP_DIR/encryption.yaml" | sed 's/ .*//')" 1
	# What is wrong changes nothing.
	echo junk > "$CP_DIR/encryption.yaml"
	cp_wait reloaded failure 1
	create "$secrets" d dddd
	stored_behind secrets/default/d k8s:enc:aescbc:v1:three:
}

@test "what was encrypted and decrypted is counted, and a wrong configuration is refused" {
	configure secrets "{aescbc: $(key one first)}"
	serve "$ours"
	create "$secrets" a aaaa
	local name=apiserver_storage_transformation_operations_total prefix
	for prefix in one: k8s:enc:aescbc:v1:; do
		metric $name "{resource=\"secrets\",status=\"OK\",transformation_type=\"to_storage\",transformer_prefix=\"$prefix\"}" 1
		metric apiserver_storage_transformation_duration_seconds_count "{transformation_type=\"to_storage\",transformer_prefix=\"$prefix\"}" 1
	done
	for flags in --encryption-provider-config=/nowhere --encryption-provider-config-automatic-reload; do
		! "$ours" --etcd-servers="$CP_ETCD" --authorization-mode=RBAC --service-account-issuer=https://kubernetes.default.svc \
			--service-account-key-file="$CP_DIR/sa.pub" --service-account-signing-key-file="$CP_DIR/sa.key" --cert-dir="$CP_DIR" \
			$flags > "$CP_DIR/error" 2>&1 3>&-
		grep -q 'error while parsing file: error while loading file: error reading encryption provider configuration file\|--encryption-provider-config-automatic-reload must be set with --encryption-provider-config' "$CP_DIR/error"
	done
}
