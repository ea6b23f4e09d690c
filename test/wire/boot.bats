#!/usr/bin/env bats
# What the server keeps in order by itself; CP_APISERVER=/path/to/kube-apiserver asks another server the same.

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_APISERVER=${CP_APISERVER:-${BIN:-$cp_root/build/bin}/kube-apiserver}
	cp_start
}
teardown() { cp_stop; }

restart() {
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
	cp_start_apiserver
}

k() { "${BIN:-$cp_root/build/bin}/kubectl" "$@"; }

dangling() { # SCHEMA STATUS
	[ "$(k get flowschema "$1" -o 'jsonpath={.status.conditions[?(@.type=="Dangling")].status}')" = "$2" ]
}

@test "flow schemas and priority levels are there, say what they refer to, and come back" {
	[ "$(k get flowschemas -o 'jsonpath={range .items[*]}{.metadata.name}:{.spec.priorityLevelConfiguration.name}:{.spec.matchingPrecedence} {end}')" = \
		"catch-all:catch-all:10000 exempt:exempt:1 global-default:global-default:9900 kube-controller-manager:workload-high:800 \
kube-scheduler:workload-high:800 kube-system-service-accounts:workload-high:900 probes:exempt:2 service-accounts:workload-low:9000 \
system-leader-election:leader-election:100 system-node-high:node-high:400 system-nodes:system:500 " ]
	[ "$(k get prioritylevelconfigurations -o 'jsonpath={range .items[*]}{.metadata.name} {end}')" = \
		"catch-all exempt global-default leader-election node-high system workload-high workload-low " ]
	cp_wait dangling system-node-high False
	k delete prioritylevelconfiguration node-high
	cp_wait dangling system-node-high True
	k patch flowschema probes --type=merge -p '{"spec":{"matchingPrecedence":7}}'
	k annotate prioritylevelconfiguration exempt apf.kubernetes.io/autoupdate-spec=false --overwrite
	k create -f - <<-'YAML'
		apiVersion: flowcontrol.apiserver.k8s.io/v1
		kind: PriorityLevelConfiguration
		metadata: {name: of-an-older-release, annotations: {apf.kubernetes.io/autoupdate-spec: "true"}}
		spec: {type: Limited, limited: {limitResponse: {type: Reject}}}
	YAML
	k patch flowschema service-accounts --type=merge \
		-p '{"metadata":{"annotations":{"apf.kubernetes.io/autoupdate-spec":"false"}},"spec":{"matchingPrecedence":8}}'
	restart
	cp_wait dangling system-node-high False
	# What a user changed counts as the cluster's while the annotation says so.
	cp_wait eval '[ "$(k get flowschema probes -o jsonpath={.spec.matchingPrecedence})" = 2 ]'
	[ "$(k get flowschema service-accounts -o jsonpath={.spec.matchingPrecedence})" = 8 ]
	cp_wait eval 'k get prioritylevelconfiguration exempt -o jsonpath={.metadata.annotations} | grep -q true'
	cp_wait eval '! k get prioritylevelconfiguration of-an-older-release'
}

@test "what the server writes itself bears the names of its parts" {
	[ "$(k get flowschema probes --show-managed-fields -o 'jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation}/{.subresource} {end}')" = \
		"api-priority-and-fairness-config-consumer-v1/Apply/status api-priority-and-fairness-config-producer-v1/Update/ " ]
	[ "$(k get servicecidr kubernetes --show-managed-fields -o 'jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation}/{.subresource} {end}')" = \
		"kubernetes-service-cidr-controller/Apply/status kube-apiserver/Update/ " ]
	[ "$(k get apiservice v1.apps --show-managed-fields -o 'jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation}/{.subresource} {end}')" = \
		"kube-apiserver/Update/ " ]
}

@test "flow schemas are shown in the order in which they are asked" {
	[ "$(k get flowschemas -o name | wc -l)" -gt 8 ]
	# The order of a table; other forms are in that of names.
	[ "$(k get flowschemas --no-headers | awk '{print $1}' | head -4 | tr '\n' ' ')" = \
		"exempt probes system-leader-election system-node-high " ]
	[ "$(k get flowschemas --no-headers | awk '{print $1}' | tail -2 | tr '\n' ' ')" = "global-default catch-all " ]
}

lease() { k -n kube-system get lease -l apiserver.kubernetes.io/identity=kube-apiserver -o "$@"; }

@test "a server tells who it is by a Lease that is named for its host, and removes those that nobody renews" {
	local host name holder
	host=$(uname -n)
	name=apiserver-$(python3 - "$host" <<-'PY'
		import base64, hashlib, sys
		data = b"".join(len(s).to_bytes(2, "big") + s.encode() for s in (sys.argv[1], "kube-apiserver"))
		print(base64.b32encode(hashlib.sha256(data).digest()[:16]).decode().rstrip("=").lower())
	PY
	)
	cp_wait eval '[ -n "$(lease name)" ]'
	[ "$(lease 'jsonpath={.items[*].metadata.name}:{.items[0].metadata.labels.kubernetes\.io/hostname}:{.items[0].spec.leaseDurationSeconds}')" = \
		"$name:$host:3600" ]
	holder=$(lease 'jsonpath={.items[0].spec.holderIdentity}')
	[[ $holder == "${name}_"????????-* ]]
	k create -f - <<-'YAML'
		apiVersion: coordination.k8s.io/v1
		kind: Lease
		metadata: {name: apiserver-gone, namespace: kube-system, labels: {apiserver.kubernetes.io/identity: kube-apiserver}}
		spec: {holderIdentity: nobody, leaseDurationSeconds: 60, renewTime: "2020-01-01T00:00:00.000000Z"}
	YAML
	restart
	cp_wait eval '[ "$(lease "jsonpath={.items[*].metadata.name}")" = '"$name"' ]'
	# Who serves after a restart goes on with the Lease.
	[ "$(lease 'jsonpath={.items[0].spec.holderIdentity}')" = "$holder" ]
}

@test "the lease among the servers is counted as one of etcd's" {
	cp_curl /metrics | awk '$1 == "etcd_lease_object_counts_count" && $2 >= 1 {found = 1} END {exit !found}'
}

@test "the bootstrap policy is mended, and gives the world no more than an administrator had left to it" {
	k patch clusterrolebinding system:discovery --type=merge -p '{"metadata":{"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"false","mine":"yes"}},
		"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"mine"}]}'
	k delete clusterrolebinding system:public-info-viewer
	# One refers to another role; a role has lost a right, and another has more of its own in other words.
	k delete clusterrolebinding system:basic-user
	k create clusterrolebinding system:basic-user --clusterrole=view --group=system:authenticated
	k patch clusterrole system:node-bootstrapper --type=merge -p '{"rules":[{"apiGroups":["*"],"resources":["certificatesigningrequests"],"verbs":["get","list","watch"]}]}'
	k patch clusterrole system:node-proxier --type=merge -p '{"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}'
	restart
	cp_wait k get clusterrolebinding system:public-info-viewer
	[ "$(k get clusterrolebinding system:public-info-viewer -o 'jsonpath={.subjects[*].name}/{.metadata.annotations.mine}/{.roleRef.name}')" = \
		"mine/yes/system:public-info-viewer" ]
	[ "$(k get clusterrolebinding system:discovery -o 'jsonpath={.subjects[*].name}')" = mine ]
	# One that refers to another role is made anew, which takes two steps.
	cp_wait eval '[ "$(k get clusterrolebinding system:basic-user -o "jsonpath={.roleRef.name}")" = system:basic-user ]'
	[ "$(k get clusterrole system:node-bootstrapper -o json | jq -c '[.rules[1:][] | [.resources[], .verbs[]]]')" = '[["certificatesigningrequests","create"]]' ]
	[ "$(k get clusterrole system:node-proxier -o json | jq '.rules | length')" = 1 ]
}

@test "who keeps the endpoints of the kubernetes Service himself is left alone" {
	cp_wait k -n default get endpoints kubernetes
	cp_stop
	CP_FLAGS=--endpoint-reconciler-type=none cp_start
	cp_wait k -n default get service kubernetes
	cp_wait eval '[ -n "$(lease name)" ]'
	! k -n default get endpoints kubernetes
	! k -n default get endpointslice kubernetes
}

@test "the range of Services becomes one of two families, and is not changed otherwise" {
	range() { k get servicecidr kubernetes -o 'jsonpath={.spec.cidrs}'; }
	[ "$(range)" = '["10.0.0.0/24"]' ]
	CP_FLAGS=--service-cluster-ip-range=10.0.0.0/24,fd00:1::/112 restart
	cp_wait eval '[ "$(range)" = '"'"'["10.0.0.0/24","fd00:1::/112"]'"'"' ]'
	CP_FLAGS=--service-cluster-ip-range=10.1.0.0/24,fd00:1::/112 restart
	[ "$(range)" = '["10.0.0.0/24","fd00:1::/112"]' ]
}

@test "a server that is given no certificate makes one, and keeps it" {
	local folder=$BATS_TEST_TMPDIR/certificates made
	start_bare() {
		CP_PORT=$(cp_free_port)
		"$CP_APISERVER" --etcd-servers="$CP_ETCD" --secure-port="$CP_PORT" --bind-address=127.0.0.1 --cert-dir="$folder" --advertise-address=192.0.2.1 \
			--service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$CP_DIR/sa.pub" --service-cluster-ip-range=10.0.0.0/24 \
			--service-account-signing-key-file="$CP_DIR/sa.key" --authorization-mode=RBAC > "$CP_DIR/apiserver.log" 2>&1 3>&- &
		CP_APISERVER_PID=$!
		cp_wait curl -fs --cacert "$folder/apiserver.crt" "https://localhost:$CP_PORT/readyz"
	}
	end() {
		kill "$CP_APISERVER_PID"
		wait "$CP_APISERVER_PID" || true
	}
	end
	start_bare
	end
	made=$(cat "$folder/apiserver.crt" "$folder/apiserver.key")
	[[ $(openssl x509 -in "$folder/apiserver.crt" -noout -ext subjectAltName) == *'IP Address:10.0.0.1'* ]]
	[ "$(stat -c %a "$folder/apiserver.key")" = 600 ]
	start_bare
	[ "$(cat "$folder/apiserver.crt" "$folder/apiserver.key")" = "$made" ]
}
