#!/usr/bin/env bats
# What browsers are told beside the answer, and by which name this server is to be found.

setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_FLAGS="--strict-transport-security-directives=max-age=10,preload --cors-allowed-origins=//good.example(:|\$)
		--external-hostname=api.example" cp_start
	export CP_APISERVER_PID CP_ETCD_PID CP_PORT CP_ETCD_PORT
}
teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}
setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }

# told PATH [curl flags…]: the code, and the headers about origins, in the order of their names.
told() {
	cp_curl "$1" -i --http1.1 -o "$BATS_TEST_TMPDIR/reply" "${@:2}"
	tr -d '\r' < "$BATS_TEST_TMPDIR/reply" | sed -n '1s/[^ ]* \([0-9]*\).*/\1/p;/^$/q;/^\(Access-Control\|Strict\)/p' | sort
}

@test "a page of a site that may ask is told so, whatever the answer is" {
	for path in /version /nope; do
		told "$path" -H 'Origin: https://good.example:8' > "$BATS_TEST_TMPDIR/told"
		diff <(tail -n +2 "$BATS_TEST_TMPDIR/told") - <<-'HEADERS'
			Access-Control-Allow-Credentials: true
			Access-Control-Allow-Headers: Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since
			Access-Control-Allow-Methods: POST, GET, OPTIONS, PUT, DELETE, PATCH
			Access-Control-Allow-Origin: https://good.example:8
			Access-Control-Expose-Headers: Date
			Strict-Transport-Security: max-age=10; preload
		HEADERS
	done
}

@test "whether it may ask is answered to anybody" {
	[ "$(curl -sk -o /dev/null -w '%{http_code}' -X OPTIONS -H 'Origin: https://good.example' "$CP_SERVER/api/v1/secrets")" = 204 ]
	[ "$(curl -sk -o /dev/null -w '%{http_code}' -X OPTIONS -H 'Origin: https://bad.example' "$CP_SERVER/api/v1/secrets")" = 403 ]
}

@test "a page of another site is told nothing of origins" {
	for origin in https://bad.example https://good.example.bad.example ''; do
		[ "$(told /version -H "Origin: $origin" | tail -n +2)" = "Strict-Transport-Security: max-age=10; preload" ]
	done
}

@test "the server is to be found by the name that it was given" {
	[ "$(cp_curl /api | jq -r '.serverAddressByClientCIDRs[0].serverAddress')" = "api.example:$CP_PORT" ]
	[ "$(cp_curl /.well-known/openid-configuration | jq -r .jwks_uri)" = "https://api.example:$CP_PORT/openid/v1/jwks" ]
}

@test "directives and origins that cannot be meant end the start" {
	local flag
	for flag in strict-transport-security-directives=max-age strict-transport-security-directives=max-age=1=2 \
		cors-allowed-origins=example.com 'cors-allowed-origins=^(:'; do
		run timeout 20 "${CP_APISERVER:-$BIN/kube-apiserver}" --etcd-servers="$CP_ETCD" --secure-port=0 "--$flag" \
			--service-account-issuer=https://x --service-account-key-file="$CP_DIR/sa.pub" \
			--service-account-signing-key-file="$CP_DIR/sa.key" --cert-dir="$BATS_TEST_TMPDIR"
		[ "$status" = 1 ]
		[[ $output == *"--${flag%%=*}"* ]]
	done
}
