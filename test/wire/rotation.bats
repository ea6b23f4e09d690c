#!/usr/bin/env bats
# Certificates, keys and authorities that change while the server runs.

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_APISERVER=${CP_APISERVER:-${BIN:-$cp_root/build/bin}/kube-apiserver}
	cp_new
	cp "$CP_DIR/ca.crt" "$CP_DIR/clients.crt"
	CP_FLAGS=--client-ca-file=$CP_DIR/clients.crt
	cp_start_etcd && cp_start_apiserver
}
teardown() {
	[ -z "${kubelet:-}" ] || kill "$kubelet"
	cp_stop
}

# Files are replaced as a whole, as whoever renews them does.
replace() { # FILE
	cat > "$CP_DIR/new" && mv "$CP_DIR/new" "$1"
}

served() {
	openssl s_client -connect "127.0.0.1:$CP_PORT" -cert "$CP_DIR/admin.crt" -key "$CP_DIR/admin.key" < /dev/null 2> /dev/null
}
serial() { served | openssl x509 -noout -serial; }
serves() { [ "$(serial)" = "$(openssl x509 -noout -serial < "$1")" ]; }

as() { # NAME: the code that one with that certificate gets
	curl -s -o /dev/null -w '%{http_code}' --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/$1.crt" --key "$CP_DIR/$1.key" "$CP_SERVER/version"
}
gets() { [ "$(as "$1")" = "$2" ]; }

# renewed: a certificate of the same names, signed anew.
renewed() {
	cp_cert renewed /CN=kube-apiserver "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n"
}

# other_cert NAME SUBJECT: a client's certificate of another authority, both in $CP_DIR/other.
other_cert() {
	mkdir "$CP_DIR/other"
	openssl ecparam -name prime256v1 -genkey -noout -out "$CP_DIR/other/ca.key"
	openssl req -x509 -new -key "$CP_DIR/other/ca.key" -subj /CN=other -days 2 -out "$CP_DIR/other/ca.crt"
	CP_DIR=$CP_DIR/other cp_cert "$1" "$2" "extendedKeyUsage=clientAuth\n"
}

@test "a serving certificate that was renewed is served" {
	serves "$CP_DIR/apiserver.crt"
	renewed
	replace "$CP_DIR/apiserver.key" < "$CP_DIR/renewed.key"
	replace "$CP_DIR/apiserver.crt" < "$CP_DIR/renewed.crt"
	cp_wait serves "$CP_DIR/renewed.crt"
	[ "$(as admin)" = 200 ]
}

@test "a serving certificate that cannot be read changes nothing until it can" {
	local before
	before=$(serial)
	echo junk | replace "$CP_DIR/apiserver.crt"
	renewed
	replace "$CP_DIR/apiserver.key" < "$CP_DIR/renewed.key"
	[ "$(serial)" = "$before" ]
	replace "$CP_DIR/apiserver.crt" < "$CP_DIR/renewed.crt"
	cp_wait serves "$CP_DIR/renewed.crt"
}

# What delegated servers are told of the authorities of clients.
published() { # CERTIFICATES
	[ "$(curl -s --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/late.crt" --key "$CP_DIR/late.key" \
		"$CP_SERVER/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication" | jq -r '.data["client-ca-file"]')" = "$1" ]
}

@test "clients of an authority that was added are believed, those of one that is gone are not" {
	served | grep -q 'Acceptable client certificate CA names'
	other_cert late /O=system:masters/CN=late
	cp "$CP_DIR/other/late.crt" "$CP_DIR/other/late.key" "$CP_DIR"
	[ "$(as late)" = 401 ] && [ "$(as admin)" = 200 ]
	cat "$CP_DIR/ca.crt" "$CP_DIR/other/ca.crt" | replace "$CP_DIR/clients.crt"
	cp_wait gets late 200
	# Clients that choose a certificate by the names they are told have to find their own there, or none.
	served > "$BATS_TEST_TMPDIR/hello"
	grep -q 'CN = other' "$BATS_TEST_TMPDIR/hello" || grep -q 'No client certificate CA names sent' "$BATS_TEST_TMPDIR/hello"
	[ "$(as admin)" = 200 ]
	replace "$CP_DIR/clients.crt" < "$CP_DIR/other/ca.crt"
	cp_wait gets admin 401
	[ "$(as late)" = 200 ]
	# Another server may still have the one that is gone: who delegates believes both.
	cp_wait published "$(cat "$CP_DIR/ca.crt" "$CP_DIR/other/ca.crt")"
}

log_says() { # TEXT
	[[ $(cp_curl /api/v1/namespaces/default/pods/p/log -w '%{http_code}') == *"$1"* ]]
}

@test "a kubelet is shown the certificate that was renewed" {
	local port pods=/api/v1/namespaces/default
	other_cert renewed /O=system:masters/CN=kube-apiserver-kubelet-client
	port=$(cp_free_port)
	mkdir -p "$CP_DIR/containerLogs/default/p"
	echo said > "$CP_DIR/containerLogs/default/p/c"
	cd "$CP_DIR"
	openssl s_server -accept "$port" -cert apiserver.crt -key apiserver.key -CAfile other/ca.crt -Verify 1 -verify_return_error -WWW \
		< /dev/null > /dev/null 2>&1 3>&- &
	kubelet=$!
	cp_wait cp_curl $pods -f
	cp_curl /api/v1/nodes -f --json '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}'
	cp_curl /api/v1/nodes/n/status -f -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{"status":{"addresses":[
		{"type":"InternalIP","address":"127.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":'"$port"'}}}}'
	cp_curl $pods/serviceaccounts -f --json '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}'
	cp_curl $pods/pods -f --json '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}}'
	cp_wait curl -fsk --cert other/renewed.crt --key other/renewed.key "https://127.0.0.1:$port/containerLogs/default/p/c"
	log_says "\"Get \\\"https://127.0.0.1:$port/containerLogs/default/p/c\\\": remote error: tls: unknown certificate authority\""
	log_says '"code": 500'
	replace "$CP_DIR/kubelet-client.crt" < /dev/null
	log_says '"code": 500'
	replace "$CP_DIR/kubelet-client.crt" < other/renewed.crt
	replace "$CP_DIR/kubelet-client.key" < /dev/null
	log_says '"code": 500'
	replace "$CP_DIR/kubelet-client.key" < other/renewed.key
	cp_wait log_says 200
}
