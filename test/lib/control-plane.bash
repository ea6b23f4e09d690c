# A throw-away control plane for wire tests: etcd and our kube-apiserver on free ports, with certificates of their own.
#
#   source test/lib/control-plane.bash
#   cp_start            # exports CP_DIR, CP_SERVER (https://127.0.0.1:PORT), CP_ETCD, KUBECONFIG (an administrator's)
#   cp_user alice dev   # $CP_DIR/alice.kubeconfig: user alice in the group dev
#   cp_stop
#   cp_start_failing "create.after-commit crash"   # with failure points
#
# The API server is BIN's (build/bin without it); CP_APISERVER names another binary to start (the original's, to
# compare); CP_FLAGS holds further flags for it, CP_AUTHORIZATION those in place of --authorization-mode=Node,RBAC.
# Everything lives in one temporary directory and ends with cp_stop.

cp_root=${CP_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
export BIN=${BIN:-$cp_root/build/bin}
# The kubectl of a test is ours, whatever else the machine has.
export PATH=$BIN:$PATH

cp_free_port() {
	python3 - <<-'PY' 2>/dev/null || echo $((20000 + RANDOM % 20000))
		import socket
		s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
	PY
}

# cp_cert NAME SUBJECT EXTENSIONS: a certificate signed by the throw-away CA.
cp_cert() {
	openssl ecparam -name prime256v1 -genkey -noout -out "$CP_DIR/$1.key" 2>/dev/null
	openssl req -new -key "$CP_DIR/$1.key" -subj "$2" -out "$CP_DIR/$1.csr" 2>/dev/null
	openssl x509 -req -in "$CP_DIR/$1.csr" -CA "$CP_DIR/ca.crt" -CAkey "$CP_DIR/ca.key" -CAcreateserial -days 2 \
		-extfile <(printf '%b' "$3") -out "$CP_DIR/$1.crt" 2>/dev/null
}

cp_pki() {
	openssl ecparam -name prime256v1 -genkey -noout -out "$CP_DIR/ca.key" 2>/dev/null
	openssl req -x509 -new -key "$CP_DIR/ca.key" -subj /CN=kubernetes -days 2 -out "$CP_DIR/ca.crt" 2>/dev/null
	openssl genrsa -out "$CP_DIR/sa.key" 2048 2>/dev/null
	openssl rsa -in "$CP_DIR/sa.key" -pubout -out "$CP_DIR/sa.pub" 2>/dev/null
	cp_cert apiserver /CN=kube-apiserver "subjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes\nextendedKeyUsage=serverAuth\n"
	cp_cert kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client "extendedKeyUsage=clientAuth\n"
}

# cp_kubeconfig NAME: a kubeconfig with the certificate of that name.
cp_kubeconfig() {
	cat > "$CP_DIR/$1.kubeconfig" <<-YAML
		apiVersion: v1
		kind: Config
		clusters: [{name: c, cluster: {server: "$CP_SERVER", certificate-authority: $CP_DIR/ca.crt}}]
		users: [{name: u, user: {client-certificate: $CP_DIR/$1.crt, client-key: $CP_DIR/$1.key}}]
		contexts: [{name: d, context: {cluster: c, user: u}}]
		current-context: d
	YAML
}

# cp_user NAME [GROUP…]
cp_user() {
	local name=$1 subject="" group
	shift
	for group; do subject+="/O=$group"; done
	cp_cert "$name" "$subject/CN=$name" "extendedKeyUsage=clientAuth\n"
	cp_kubeconfig "$name"
}

cp_wait() {
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" > /dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "gave up waiting for: $*" >&2
	return 1
}

cp_start_etcd() {
	local peer
	CP_ETCD_PORT=${CP_ETCD_PORT:-$(cp_free_port)}
	peer=$(cp_free_port)
	export CP_ETCD=http://127.0.0.1:$CP_ETCD_PORT
	"${CP_ETCD_BINARY:-etcd}" --data-dir "$CP_DIR/etcd" --listen-client-urls "$CP_ETCD" --advertise-client-urls "$CP_ETCD" \
		--listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
		--initial-cluster "default=http://127.0.0.1:$peer" --unsafe-no-fsync > "$CP_DIR/etcd.log" 2>&1 3>&- &
	CP_ETCD_PID=$!
	cp_wait curl -fs "$CP_ETCD/health"
}

cp_start_apiserver() {
	CP_PORT=${CP_PORT:-$(cp_free_port)}
	export CP_SERVER=https://127.0.0.1:$CP_PORT
	# shellcheck disable=SC2086
	"${CP_APISERVER:-$BIN/kube-apiserver}" --etcd-servers="$CP_ETCD" --secure-port="$CP_PORT" --bind-address=127.0.0.1 \
		--advertise-address=192.0.2.1 --tls-cert-file="$CP_DIR/apiserver.crt" --tls-private-key-file="$CP_DIR/apiserver.key" \
		--client-ca-file="$CP_DIR/ca.crt" --service-account-issuer=https://kubernetes.default.svc \
		--service-account-key-file="$CP_DIR/sa.pub" --service-account-signing-key-file="$CP_DIR/sa.key" \
		--service-cluster-ip-range=10.0.0.0/24 ${CP_AUTHORIZATION---authorization-mode=Node,RBAC} --enable-bootstrap-token-auth \
		--kubelet-client-certificate="$CP_DIR/kubelet-client.crt" --kubelet-client-key="$CP_DIR/kubelet-client.key" \
		--kubelet-preferred-address-types=InternalIP,Hostname ${CP_FLAGS:-} > "$CP_DIR/apiserver.log" 2>&1 3>&- &
	CP_APISERVER_PID=$!
	cp_wait curl -fs --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/admin.crt" --key "$CP_DIR/admin.key" "$CP_SERVER/readyz"
}

# A folder with certificates, of which nothing has been started yet.
cp_new() {
	CP_DIR=$(mktemp -d "${TMPDIR:-/tmp}/kubec-cp.XXXXXX")
	export CP_DIR
	cp_pki
	cp_cert admin /O=system:masters/CN=admin "extendedKeyUsage=clientAuth\n"
}

cp_start() {
	cp_new
	cp_start_etcd && cp_start_apiserver || return 1
	cp_kubeconfig admin
	export KUBECONFIG=$CP_DIR/admin.kubeconfig
}

cp_stop() {
	local pid
	for pid in ${CP_APISERVER_PID:-} ${CP_ETCD_PID:-}; do
		kill "$pid" 2> /dev/null || true
		wait "$pid" 2> /dev/null || true
	done
	CP_APISERVER_PID="" CP_ETCD_PID="" CP_PORT="" CP_ETCD_PORT=""
	[ -z "${CP_DIR:-}" ] || [ -n "${CP_KEEP:-}" ] || rm -rf "$CP_DIR"
}

# cp_start_failing ORDERS: cp_start with orders for failure points (common/base/fail.h). A release build's server has none: another with them
# is started in its stead.
cp_start_failing() {
	local bin=$BIN
	case $bin in */san-* | */fail-points/*) ;; *) bin=$cp_root/build/fail-points/bin ;; esac
	[ -x "$bin/kube-apiserver" ] || {
		echo "no API server with failure points: make fail-points"
		return 1
	}
	CP_APISERVER=$bin/kube-apiserver KUBEC_FAIL=$1 cp_start
}

# cp_curl PATH [curl flags…]: as the administrator.
cp_curl() {
	local path=$1
	shift
	curl -s --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/admin.crt" --key "$CP_DIR/admin.key" "$@" "$CP_SERVER$path"
}
