#!/usr/bin/env bats
# Versions and ciphers of TLS: what is agreed upon, and what is refused.

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_APISERVER=${CP_APISERVER:-${BIN:-$cp_root/build/bin}/kube-apiserver}
	cp_new
	cp_start_etcd
}
teardown() { cp_stop; }

start() { # FLAG…
	CP_FLAGS=$* cp_start_apiserver
}

# agreed [s_client flags…]: version and cipher, or "none".
agreed() {
	openssl s_client -connect "127.0.0.1:$CP_PORT" -cert "$CP_DIR/admin.crt" -key "$CP_DIR/admin.key" "$@" < /dev/null 2> /dev/null |
		sed -n 's/^New, \([^,]*\), Cipher is \(.*\)/\1 \2/p' | sed 's/^(NONE) .*/none/'
}

@test "a client of TLS 1.2 or 1.3 is let in, and the server chooses the cipher" {
	start
	[ "$(agreed -tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256)" = "TLSv1.3 TLS_AES_128_GCM_SHA256" ]
	[ "$(agreed -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256)" = "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256" ]
	[ "$(agreed -tls1_1 -cipher ALL:@SECLEVEL=0)" = none ]
}

@test "with a least version nothing below it is let in" {
	start --tls-min-version=VersionTLS13
	[[ "$(agreed)" == "TLSv1.3 "* ]]
	[ "$(agreed -tls1_2)" = none ]
}

@test "with suites named there are no others before TLS 1.3" {
	# HTTP/2 asks for a cipher that is not among them.
	start --disable-http2-serving --tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
	[ "$(agreed -tls1_2)" = "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384" ]
	[ "$(agreed -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256)" = none ]
	[ "$(agreed -tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305)" = none ]
	[[ "$(agreed -tls1_3)" == "TLSv1.3 "* ]]
}

@test "a version or a suite that nobody knows ends the start" {
	local flag
	for flag in --tls-min-version=1.2 --tls-cipher-suites=TLS_NONE; do
		run timeout 20 "$CP_APISERVER" --etcd-servers="$CP_ETCD" --secure-port="$(cp_free_port)" --bind-address=127.0.0.1 "$flag" \
			--service-account-issuer=https://x --service-account-key-file="$CP_DIR/sa.pub" \
			--service-account-signing-key-file="$CP_DIR/sa.key" --cert-dir="$BATS_TEST_TMPDIR" --service-cluster-ip-range=10.0.0.0/24
		[ "$status" = 1 ]
		[[ $output == *"unknown tls version \"1.2\""* || $output == *"Cipher suite TLS_NONE not supported or doesn't exist"* ]]
	done
}
