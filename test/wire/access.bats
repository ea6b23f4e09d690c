#!/usr/bin/env bats
# Who may do what, on the wire: the real binary, a real etcd, curl as the client.

setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_APISERVER=${BIN:-$cp_root/build/bin}/kube-apiserver
	[ -x "$CP_APISERVER" ] || skip "kube-apiserver is not built"
	command -v etcd > /dev/null || skip "etcd is not installed"
	export CP_APISERVER CP_FLAGS=--enable-admission-plugins=NodeRestriction
	cp_start
	export CP_APISERVER_PID CP_ETCD_PID CP_PORT CP_ETCD_PORT
	cp_user alice dev
	cp_user system:node:n1 system:nodes
	cp_wait cp_curl /api/v1/namespaces/default -f
}

teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	rbac=/apis/rbac.authorization.k8s.io/v1
	ns=t$BATS_TEST_NUMBER
	as admin POST /api/v1/namespaces "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"$ns\"}}"
	pods=/api/v1/namespaces/$ns/pods
}

# as USER METHOD PATH [BODY [curl flags…]]: $code and $body.
as() {
	local user=$1 method=$2 path=$3 data=${4:-} type=${type:-application/json}
	shift 3
	[ $# -eq 0 ] || shift
	local out
	# To curl a colon ends the file's name.
	out=$(curl -s -A test -w '\n%{http_code}' --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/${user//:/\\:}.crt" --key "$CP_DIR/$user.key" \
		-X "$method" -H "Content-Type: $type" ${data:+-d "$data"} "$@" "$CP_SERVER$path")
	code=${out##*$'\n'}
	body=${out%$'\n'*}
}

# bearer TOKEN PATH
bearer() {
	local out
	out=$(curl -s -A test -w '\n%{http_code}' --cacert "$CP_DIR/ca.crt" -H "Authorization: Bearer $1" "$CP_SERVER$2")
	code=${out##*$'\n'}
	body=${out%$'\n'*}
}

# expect CODE [WORDS]
expect() {
	if [ "$code" != "$1" ] || { [ -n "${2:-}" ] && [[ $body != *"$2"* ]]; }; then
		echo "got $code: $body" >&2
		return 1
	fi
}

account() {
	as admin POST "/api/v1/namespaces/$ns/serviceaccounts" '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}'
	expect 201
}

token() {
	as admin POST "/api/v1/namespaces/$ns/serviceaccounts/default/token" \
		"{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{${1:-}}}"
	expect 201
	token=$(sed -n 's/.*"token":"\([^"]*\)".*/\1/p' <<< "$body")
	[ -n "$token" ]
}

# grant USER VERBS RESOURCES: a role and a binding in the namespace.
grant() {
	as admin POST "$rbac/namespaces/$ns/roles" "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\"metadata\":{\"name\":
		\"$1\"},\"rules\":[{\"apiGroups\":[\"\",\"rbac.authorization.k8s.io\"],\"resources\":[$3],\"verbs\":[$2]}]}"
	expect 201
	as admin POST "$rbac/namespaces/$ns/rolebindings" "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"RoleBinding\",
		\"metadata\":{\"name\":\"$1\"},\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"Role\",\"name\":\"$1\"},
		\"subjects\":[{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"User\",\"name\":\"$1\"}]}"
	expect 201
	allowed "$1"
}

# The binding has reached the authorizer.
allowed() {
	local i
	for ((i = 0; i < 100; i++)); do
		as "$1" GET "$pods"
		[ "$code" != 200 ] || return 0
		sleep 0.02
	done
	return 1
}

# rights USER [JQ]: what he is told of what he may do, or JQ of the review's status.
rights() {
	as "$1" POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews \
		"{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectRulesReview\",\"spec\":{\"namespace\":\"$ns\"}}"
	jq -c ".status | ${2:-[.resourceRules, .nonResourceRules]}" <<< "$body"
}

# another FLAG…: a second server on the same etcd.
another() {
	first=$CP_SERVER
	CP_PORT="" CP_AUTHORIZATION="" CP_FLAGS="$* --advertise-address=192.0.2.2" cp_start_apiserver
}
end_other() {
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" 2> /dev/null || true
	CP_SERVER=$first
}

@test "without credentials one is anonymous, with bad ones nobody" {
	body=$(curl -s -A test --cacert "$CP_DIR/ca.crt" -w '%{http_code}' "$CP_SERVER$pods")
	[[ $body == *'User \"system:anonymous\" cannot list resource \"pods\"'*403 ]]
	bearer nonsense "$pods"
	expect 401 '"message":"Unauthorized"'
	bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMifQ. "$pods"
	expect 401
}

@test "where everybody may do everything, nobody comes without a name" {
	local answer told
	another --authorization-mode=AlwaysAllow
	as alice GET "$pods"
	expect 200
	answer=$(curl -s -A test --cacert "$CP_DIR/ca.crt" -u bad:wrong -w '%{http_code}' "$CP_SERVER$pods")
	told=$(rights alice)
	end_other
	[[ $answer == *'"message":"Unauthorized"'*401 ]]
	[ "$told" = '[[{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}],[{"verbs":["*"],"nonResourceURLs":["*"]}]]' ]
}

@test "the authorizers are those of the file" {
	printf '%s\n' 'apiVersion: apiserver.config.k8s.io/v1' 'kind: AuthorizationConfiguration' \
		'authorizers: [{type: Node, name: node}, {type: RBAC, name: rbac}]' > "$BATS_TEST_TMPDIR/authorizers"
	another "--authorization-config=$BATS_TEST_TMPDIR/authorizers"
	as alice GET "$pods"
	end_other
	expect 403 'User \"alice\" cannot list resource'
}

@test "a server whose authorizers are not right does not start" {
	local case wrong=$BATS_TEST_TMPDIR/wrong
	while IFS='|' read -r case expected; do
		printf '%s\n' 'apiVersion: apiserver.config.k8s.io/v1' 'kind: AuthorizationConfiguration' "$case" > "$wrong"
		run "$CP_APISERVER" --etcd-servers="$CP_ETCD" --secure-port=0 --cert-dir="$BATS_TEST_TMPDIR" --service-account-issuer=https://x \
			--service-account-key-file="$CP_DIR/sa.pub" --service-account-signing-key-file="$CP_DIR/sa.key" --authorization-config="$wrong"
		[ "$status" = 1 ] && [[ ${output//\\/} == *"$expected"* ]] || { echo "$case: $output" && return 1; }
	done <<-'CASES'
		authorizers: []|authorizers: Required value: at least one authorization mode must be defined
		authorizers: [{name: x}]|authorizers[0].type: Required value
		authorizers: [{type: Rbac, name: rbac}]|authorizers[0].type: Unsupported value: "Rbac": supported values: "ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"
		authorizers: [{type: RBAC, name: rbac}, {type: RBAC, name: r}]|authorizers[1].type: Duplicate value: "RBAC"
		authorizers: [{type: RBAC}]|authorizers[0].name: Required value
		authorizers: [{type: RBAC, name: m}, {type: Node, name: m}]|authorizers[1].name: Duplicate value: "m"
		authorizers: [{type: RBAC, name: R}]|authorizers[0].name: Invalid value: "R": authorizer name is invalid: a lowercase RFC 1123 subdomain
		authorizers: [{type: RBAC, name: r}]|expected name rbac for authorizer RBAC instead of r
		authorizers: [{type: RBAC, name: rbac, webhook: {timeout: 1s}}]|authorizers[0].webhook: Invalid value: "non-null": may only be specified when type=Webhook
		authorizers: [{type: Webhook, name: w}]|authorizers[0].webhook: Required value: required when type=Webhook
		authorizers: [{type: RBAC, name: rbac, kind: x}]|failed to load AuthorizationConfiguration from file: strict decoding error: unknown field "authorizers[0].kind"
	CASES
}

@test "who comes without a name comes to the paths of the file alone" {
	local path answers=""
	printf '%s\n' 'apiVersion: apiserver.config.k8s.io/v1' 'kind: AuthenticationConfiguration' \
		'anonymous: {enabled: true, conditions: [{path: /livez}]}' > "$BATS_TEST_TMPDIR/nobody"
	another --authorization-mode=RBAC "--authentication-config=$BATS_TEST_TMPDIR/nobody"
	for path in /livez /healthz /livez/ "$pods"; do
		answers+=$(curl -s -A test --cacert "$CP_DIR/ca.crt" -o /dev/null -w '%{http_code} ' "$CP_SERVER$path")
	done
	end_other
	[ "$answers" = "200 401 401 401 " ]
}

@test "a right appears with its binding and goes with it" {
	as alice GET "$pods"
	expect 403 'pods is forbidden: User \"alice\" cannot list resource \"pods\" in API group \"\" in the namespace'
	grant alice '"get","list"' '"pods"'
	as alice DELETE "$pods/x"
	expect 403
	as admin DELETE "$rbac/namespaces/$ns/rolebindings/alice"
	local i
	for ((i = 0; i < 100; i++)); do
		as alice GET "$pods"
		[ "$code" != 403 ] || break
		sleep 0.02
	done
	expect 403
}

# bind NAME ROLE: alice and the node n1 to a role of the namespace, that may be missing.
bind() {
	as admin POST "$rbac/namespaces/$ns/rolebindings" '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"'"$1"'"},
		"subjects":[{"kind":"User","name":"alice"},{"kind":"User","name":"system:node:n1"}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"'"$2"'"}}'
	expect 201
}

@test "roles that are missing are told once, to who asks for his rights and to who grants too much" {
	local role="{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\"metadata\":{\"name\":\"more\"},\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"nodes\"],\"verbs\":[\"get\"]}]}"
	bind first gone
	bind second gone
	as admin POST "$rbac/namespaces/$ns/roles" '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"maker"},
		"rules":[{"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"],"verbs":["create"]},{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}]}'
	bind maker maker
	allowed alice
	local last='[.incomplete, .evaluationError, .resourceRules[-1]]' rule='{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}'
	[ "$(rights alice "$last")" = '[false,"role.rbac.authorization.k8s.io \"gone\" not found",'"$rule]" ]
	[ "$(rights system:node:n1 "$last")" = '[true,"[node authorizer does not support user rule resolution, role.rbac.authorization.k8s.io \"gone\" not found]",'"$rule]" ]
	as alice POST "$rbac/namespaces/$ns/roles" "$role"
	expect 403 'resolution errors: [roles.rbac.authorization.k8s.io \"gone\" not found]'
}

@test "policies of a file allow what they say" {
	local policies=$BATS_TEST_TMPDIR/policies api=abac.authorization.kubernetes.io/v1beta1 told
	cat > "$policies" <<-JSON
		# alice reads here, the nodes do anything to configmaps, and whoever has a name asks for what there is
		{"apiVersion":"$api","kind":"Policy","spec":{"user":"alice","namespace":"$ns","resource":"pods","readonly":true}}

		{"apiVersion":"$api","kind":"Policy","spec":{"group":"system:nodes","namespace":"*","resource":"configmaps","apiGroup":"*"}}
		{"apiVersion":"$api","kind":"Policy","spec":{"user":"*","namespace":"*","nonResourcePath":"/api*","readonly":true}}
		{"apiVersion":"$api","kind":"Policy","spec":{"user":"*","namespace":"*","resource":"selfsubjectrulesreviews","apiGroup":"authorization.k8s.io"}}
		{"user":"carol","resource":"services"}
	JSON
	another --authorization-mode=ABAC "--authorization-policy-file=$policies" --anonymous-auth
	told=""
	try() {
		as "$@"
		told+="$code "
	}
	try alice GET "$pods"
	try alice DELETE "$pods/x"
	try alice GET /api/v1/namespaces/default/pods
	try alice GET /apis/apps/v1/namespaces/$ns/deployments
	try system:node:n1 DELETE "/api/v1/namespaces/$ns/configmaps/x"
	try system:node:n1 GET "$pods"
	try alice GET /api
	try alice GET /apis/apps
	try alice POST /api
	try alice GET /version
	as alice DELETE "$pods/x"
	local refused=$body rules
	rules=$(rights alice)
	told+=$(curl -s --cacert "$CP_DIR/ca.crt" -o /dev/null -w '%{http_code}' "$CP_SERVER/api")
	end_other
	[ "$told" = "200 403 403 403 404 403 200 200 403 403 403" ]
	[[ $refused == *'in the namespace \"'$ns'\": No policy matched."'* ]]
	[ "$rules" = '[[{"verbs":["get","list","watch"],"apiGroups":[""],"resources":["pods"]},{"verbs":["*"],"apiGroups":["authorization.k8s.io"],"resources":["selfsubjectrulesreviews"]}],[{"verbs":["get","list","watch"],"nonResourceURLs":["/api*"]}]]' ]
}

@test "a proxy in front says who asks, and it is told to who delegates whom to believe" {
	local answers="" trust
	cp_user front
	another --requestheader-client-ca-file="$CP_DIR/ca.crt" --requestheader-allowed-names=front --requestheader-username-headers=X-Remote-User \
		--requestheader-group-headers=X-Remote-Group --requestheader-extra-headers-prefix=X-Remote-Extra- --authorization-mode=RBAC
	who() {
		as "$1" POST /apis/authentication.k8s.io/v1/selfsubjectreviews '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}' \
			-H 'X-Remote-User: bob' -H 'X-Remote-Group: dev' -H 'X-Remote-Group: ops' -H 'X-Remote-Extra-Scopes: a' -H 'X-Remote-Extra-Scopes: b' \
			-H 'X-Remote-Extra-Acme.com%2fproject: p'
		answers+=$(jq -c '.status.userInfo | [.username, .groups, (.extra | del(.["authentication.kubernetes.io/credential-id"]))]' <<< "$body")
	}
	who front
	who alice
	trusted() { trust=$(cp_curl /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication | jq -c '.data | del(.[] | select(startswith("---")))'); }
	cp_wait eval 'trusted; [[ $trust == *allowed-names* ]]'
	trusted
	end_other
	[ "$answers" = '["bob",["dev","ops","system:authenticated"],{"acme.com/project":["p"],"scopes":["a","b"]}]["alice",["dev","system:authenticated"],{}]' ]
	[ "$trust" = '{"requestheader-allowed-names":"[\"front\"]","requestheader-extra-headers-prefix":"[\"X-Remote-Extra-\"]","requestheader-group-headers":"[\"X-Remote-Group\"]","requestheader-username-headers":"[\"X-Remote-User\"]"}' ]
}

@test "a server whose policies are not right does not start" {
	local policies=$BATS_TEST_TMPDIR/policies flags
	printf '%s\n' '' '{"user":7}' > "$policies"
	for flags in "ABAC --authorization-policy-file=$policies" ABAC "RBAC --authorization-policy-file=$policies" RBAC,Node,RBAC; do
		# shellcheck disable=SC2086
		run "$CP_APISERVER" --etcd-servers="$CP_ETCD" --secure-port=1 --cert-dir="$BATS_TEST_TMPDIR" --service-account-issuer=https://x \
			--service-account-key-file="$CP_DIR/sa.pub" --service-account-signing-key-file="$CP_DIR/sa.key" --authorization-mode=$flags
		[ "$status" = 1 ]
		printf '%s\n' "${output##*$'\n'}" >> "$BATS_TEST_TMPDIR/said"
	done
	[ "$(grep -cE "error reading policy file [^ ]*/policies, line 2: .*user.*|authorization-mode ABAC's authorization policy file not passed|cannot specify --authorization-policy-file without mode ABAC|authorization-mode .* has mode specified more than once" \
		"$BATS_TEST_TMPDIR/said")" = 4 ]
}

@test "an update or apply that creates needs the right to create" {
	local map='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"}}'
	local service='{"apiVersion":"v1","kind":"Service","metadata":{"name":"new"},"spec":{"ports":[{"port":80}]}}'
	grant alice '"get","list","update","patch"' '"pods","services","configmaps"'
	type=application/apply-patch+yaml as alice PATCH "/api/v1/namespaces/$ns/configmaps/new?fieldManager=t" "$map"
	expect 403 "configmaps \\\"new\\\" is forbidden: User \\\"alice\\\" cannot create resource \\\"configmaps\\\" in API group \\\"\\\" in the namespace \\\"$ns\\\""
	as alice PUT "/api/v1/namespaces/$ns/services/new" "$service"
	expect 403 'cannot create resource \"services\"'
	# What is wrong is told first.
	as alice PUT "/api/v1/namespaces/$ns/services/new" "${service/80/0}"
	expect 422
	as admin POST "/api/v1/namespaces/$ns/configmaps" "$map"
	type=application/apply-patch+yaml as alice PATCH "/api/v1/namespaces/$ns/configmaps/new?fieldManager=t" "$map"
	expect 200
	as admin GET "/api/v1/namespaces/$ns/services/new"
	expect 404
	as admin PUT "$rbac/namespaces/$ns/roles/alice" '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"alice"},
		"rules":[{"apiGroups":[""],"resources":["services"],"verbs":["create","update"]}]}'
	expect 200
	may_create() { as alice PUT "/api/v1/namespaces/$ns/services/new" "$service" && [ "$code" != 403 ]; }
	cp_wait may_create
	expect 201
}

@test "nobody grants more than he has" {
	grant alice '"get","list","create"' '"pods","roles","rolebindings"'
	as alice POST "$rbac/namespaces/$ns/roles" '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"more"},
		"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}]}'
	expect 403 'is attempting to grant RBAC permissions not currently held'
	as alice POST "$rbac/namespaces/$ns/roles" '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"same"},
		"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}'
	expect 201
}

@test "impersonation is a right of its own" {
	as admin GET "$pods" '' -H 'Impersonate-User: bob'
	expect 403 'User \"bob\" cannot list'
	as alice GET "$pods" '' -H 'Impersonate-User: admin'
	expect 403 'cannot impersonate resource \"users\"'
	as admin POST /apis/authentication.k8s.io/v1/selfsubjectreviews '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}' \
		-H 'Impersonate-User: bob' -H 'Impersonate-Group: dev' -H 'Impersonate-Extra-scopes: a'
	expect 201 bob
	[[ $body == *dev* && $body == *system:authenticated* && $body == *scopes* ]]
}

@test "a service account's token holds while the account does" {
	account
	token
	bearer "$token" "$pods"
	expect 403 "system:serviceaccount:$ns:default"
	token '"audiences":["vault"]'
	bearer "$token" "$pods"
	expect 401
	token
	as admin DELETE "/api/v1/namespaces/$ns/serviceaccounts/default"
	local i
	for ((i = 0; i < 100; i++)); do
		bearer "$token" "$pods"
		[ "$code" != 401 ] || break
		sleep 0.02
	done
	expect 401
}

# whoami [curl flags…]: who the server takes one for; the answer's headers are in $BATS_TEST_TMPDIR/headers.
whoami() {
	body=$(curl -s -A test --cacert "$CP_DIR/ca.crt" -D "$BATS_TEST_TMPDIR/headers" -H 'Content-Type: application/json' "$@" \
		-d '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}' \
		"$CP_SERVER/apis/authentication.k8s.io/v1/selfsubjectreviews")
	code=$(sed -n '1s/[^ ]* \([0-9]*\).*/\1/p' "$BATS_TEST_TMPDIR/headers")
}

# The last answer warned of that.
warned() {
	grep -qi "^warning: .*$1" "$BATS_TEST_TMPDIR/headers"
}

@test "a token is one word after one space, or one of the protocols that a WebSocket is offered" {
	local protocol upgrade=(-H "Connection: keep-alive, Upgrade" -H "Upgrade: websocket")
	account
	token
	whoami -H "Authorization: bearer $token and more"
	expect 201 "\"username\":\"system:serviceaccount:$ns:default\""
	whoami -H "Authorization: Bearer  $token"
	expect 403 'User \"system:anonymous\"'
	warned "extra space before the bearer token, and is ignored"
	protocol=base64url.bearer.authorization.k8s.io.$(printf %s "$token" | base64 -w0 | tr '+/' '-_' | tr -d =)
	whoami "${upgrade[@]}" -H "Sec-WebSocket-Protocol: base64.binary.k8s.io" -H "Sec-WebSocket-Protocol: $protocol"
	expect 201 "\"username\":\"system:serviceaccount:$ns:default\""
	whoami "${upgrade[@]}" -H "Sec-WebSocket-Protocol: x, $protocol" -H "Authorization: Bearer nonsense"
	expect 201
	whoami -H "Sec-WebSocket-Protocol: x, $protocol"
	expect 403 'User \"system:anonymous\"'
	for protocols in "$protocol" "x, $protocol, $protocol" "x, $protocol=" "x, base64url.bearer.authorization.k8s.io.eHg"; do
		whoami "${upgrade[@]}" -H "Sec-WebSocket-Protocol: $protocols"
		expect 401
	done
	as admin POST /apis/authentication.k8s.io/v1/tokenreviews '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":" x"}}'
	expect 201 '"username":"system:anonymous"'
}

# signed CLAIMS: a token with them, by the key of service accounts.
signed() {
	local text
	text=$(printf '{"alg":"RS256"}' | base64 -w0 | tr '+/' '-_' | tr -d =).$(printf %s "$1" | base64 -w0 | tr '+/' '-_' | tr -d =)
	printf '%s.%s' "$text" "$(printf %s "$text" | openssl dgst -sha256 -sign "$CP_DIR/sa.key" | base64 -w0 | tr '+/' '-_' | tr -d =)"
}

@test "a Secret's token counts while the Secret holds it; when it was used is noted, and it can be marked as invalid" {
	local uid claim=kubernetes.io/serviceaccount today
	answers() {
		whoami -H "Authorization: Bearer $token"
		[ "$code" = "$1" ]
	}
	as admin POST "/api/v1/namespaces/$ns/serviceaccounts" '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"bot"},"secrets":[{"name":"auto"}]}'
	expect 201
	uid=$(sed -n 's/.*"uid":"\([^"]*\)".*/\1/p' <<< "$body")
	for name in auto manual; do
		token=$(signed "{\"iss\":\"kubernetes/serviceaccount\",\"$claim/namespace\":\"$ns\",\"$claim/secret.name\":\"$name\",
			\"$claim/service-account.name\":\"bot\",\"$claim/service-account.uid\":\"$uid\",\"sub\":\"system:serviceaccount:$ns:bot\"}")
		as admin POST "/api/v1/namespaces/$ns/secrets" "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"$name\",
			\"annotations\":{\"kubernetes.io/service-account.name\":\"bot\"}},\"type\":\"kubernetes.io/service-account-token\",
			\"data\":{\"token\":\"$(printf %s "$token" | base64 -w0)\"}}"
		expect 201
		today=$(date -u +%F)
		cp_wait answers 201
		expect 201 "\"username\":\"system:serviceaccount:$ns:bot\""
		if [ "$name" = auto ]; then warned "instead of auto-generated"; else ! warned "instead of auto-generated"; fi
		as admin GET "/api/v1/namespaces/$ns/secrets/$name"
		[[ $body == *"\"kubernetes.io/legacy-token-last-used\":\"$today\""* || $today != "$(date -u +%F)" ]]
	done
	type=application/merge-patch+json as admin PATCH "/api/v1/namespaces/$ns/secrets/manual" \
		'{"metadata":{"labels":{"kubernetes.io/legacy-token-invalid-since":"2026-01-01"}}}'
	expect 200
	cp_wait answers 401
	as admin POST /apis/authentication.k8s.io/v1/tokenreviews "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenReview\",\"spec\":{\"token\":\"$token\"}}"
	expect 201 "has been marked invalid. Use tokens from the TokenRequest API"
	whoami -H "Authorization: Bearer $(signed "{\"iss\":\"https://kubernetes.default.svc\",\"aud\":[\"https://kubernetes.default.svc\"],\"exp\":1500000000.5,
		\"sub\":\"system:serviceaccount:$ns:bot\",\"kubernetes.io\":{\"namespace\":\"$ns\",\"serviceaccount\":{\"name\":\"bot\",\"uid\":\"$uid\"}}}")"
	expect 401
}

@test "a token review tells whose a token is" {
	account
	token
	as admin POST /apis/authentication.k8s.io/v1/tokenreviews \
		"{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenReview\",\"spec\":{\"token\":\"$token\"}}"
	expect 201 "system:serviceaccount:$ns:default"
	[[ $body == *'"authenticated":true'* ]]
	as admin POST /apis/authentication.k8s.io/v1/tokenreviews \
		'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"x"}}'
	expect 201 'invalid bearer token'
}

@test "a pod gets its account, its token and its tolerations, or is refused" {
	local pod='{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
	as admin POST "$pods" "$pod"
	expect 403 "error looking up service account $ns/default"
	account
	as admin POST "$pods" "$pod"
	expect 201 kube-api-access-
	[[ $body == *node.kubernetes.io/unreachable* && $body == *kube-root-ca.crt* && $body == *'"priority":0'* ]]
	as admin POST "$pods" '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"Q"},"spec":{}}'
	expect 422 'spec.containers: Required value'
}

@test "a node writes itself and no other" {
	as system:node:n1 POST /api/v1/nodes '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}'
	expect 201 node.kubernetes.io/not-ready
	as system:node:n1 POST /api/v1/nodes '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n2"}}'
	expect 403 'is not allowed to modify node \"n2\"'
	as system:node:n1 GET /api/v1/nodes/n2
	expect 403 'only its own Node object'
	as system:node:n1 GET "/api/v1/namespaces/$ns/secrets/x"
	expect 403 "no relationship found between node 'n1' and this object"
	account
	as system:node:n1 POST "$pods" '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"nodeName":"n1","containers":[{
		"name":"c","image":"i"}]}}'
	expect 403 'can only create mirror pods'
}

@test "services take addresses and ports and give them back" {
	local services=/api/v1/namespaces/$ns/services
	local fixed='{"apiVersion":"v1","kind":"Service","metadata":{"name":"NAME"},"spec":{"clusterIP":"10.0.0.77","type":"NodePort",
		"ports":[{"port":80,"nodePort":30777}]}}'
	as admin POST "$services" "${fixed/NAME/a}"
	expect 201
	as admin POST "$services" "${fixed/NAME/b}"
	expect 422 'provided IP is already allocated'
	as admin DELETE "$services/a"
	expect 200
	as admin POST "$services" "${fixed/NAME/b}"
	expect 201
	as admin POST "$services" '{"apiVersion":"v1","kind":"Service","metadata":{"name":"c"},"spec":{"clusterIP":"192.168.0.1","ports":[{
		"port":80}]}}'
	expect 422 'does not match the current range'
}

@test "a namespace that is ending takes nothing new, the first ones never end" {
	as admin DELETE "/api/v1/namespaces/$ns"
	expect 200 Terminating
	as admin POST "/api/v1/namespaces/$ns/configmaps" '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}'
	expect 403 'because it is being terminated'
	as admin DELETE /api/v1/namespaces/kube-system
	expect 403 'this namespace may not be deleted'
	as admin POST /api/v1/namespaces/nowhere/configmaps '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}'
	expect 404 'namespaces \"nowhere\" not found'
}

@test "a restricted namespace refuses what may escape" {
	account
	type=application/merge-patch+json as admin PATCH "/api/v1/namespaces/$ns" \
		'{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}'
	expect 200
	sleep 0.2
	as admin POST "$pods" '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"hostPID":true,"containers":[{"name":"c",
		"image":"i"}]}}'
	expect 403 'violates PodSecurity \"baseline:latest\": host namespaces (hostPID=true)'
}

@test "a certificate request bears the name of who made it" {
	openssl req -new -newkey rsa:2048 -nodes -keyout "$BATS_TEST_TMPDIR/k" -subj /CN=x -out "$BATS_TEST_TMPDIR/csr" 2> /dev/null
	local csr=/apis/certificates.k8s.io/v1/certificatesigningrequests
	as admin POST "$csr" "{\"apiVersion\":\"certificates.k8s.io/v1\",\"kind\":\"CertificateSigningRequest\",\"metadata\":{\"name\":\"$ns\"},
		\"spec\":{\"request\":\"$(base64 -w0 "$BATS_TEST_TMPDIR/csr")\",\"signerName\":\"kubernetes.io/kube-apiserver-client\",\"usages\":
		[\"client auth\"],\"username\":\"somebody\"}}"
	expect 201 '"username":"admin"'
	as admin POST "$csr" '{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"bad"},"spec":{
		"request":"aGVsbG8=","signerName":"x","usages":["client auth"]}}'
	expect 422 'spec.signerName'
}
