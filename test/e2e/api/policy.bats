# What controllers do with the API's objects: namespaces, owners, quotas, limits, tokens, certificates, evictions.
load ../../lib/e2e.bash

sleeper() { # NAME [FIELDS]: a pod nobody schedules
	k create -f - <<<"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"$1\"},\"spec\":{\"schedulerName\":\"nobody\",\"terminationGracePeriodSeconds\":0,\"containers\":[{\"name\":\"c\",\"image\":\"i\"${2:+, $2}}]}}"
}

# bats test_tags=short
@test "api: a namespace goes with everything in it, once finalizers let it" {
	ns=$NS-gone
	at_end kall delete namespace "$ns" --wait=false
	kall create namespace "$ns"
	kall -n "$ns" create configmap held
	kall -n "$ns" create secret generic s
	kall -n "$ns" patch configmap held --type=merge -p '{"metadata":{"finalizers":["example.com/hold"]}}'
	kall delete namespace "$ns" --wait=false
	becomes 30 "" kall -n "$ns" get secrets -o name
	assert_equal Terminating "$(kall get namespace "$ns" -o 'jsonpath={.status.phase}')"
	becomes 30 "SomeFinalizersRemain" condition "namespace/$ns" NamespaceFinalizersRemaining .reason
	refuses 'because it is being terminated' kall -n "$ns" create configmap late
	kall -n "$ns" patch configmap held --type=merge -p '{"metadata":{"finalizers":null}}'
	kall wait --for=delete "namespace/$ns" --timeout=40s
}

@test "api: every namespace gets its service account and the cluster's root" {
	becomes 20 "default" k get serviceaccounts -o 'jsonpath={.items[*].metadata.name}'
	becomes 20 "-----BEGIN CERTIFICATE-----" sh -c "$KUBECTL -n $NS get configmap kube-root-ca.crt -o 'jsonpath={.data.ca\.crt}' | head -n 1"
	k delete configmap kube-root-ca.crt
	k wait --for=create configmap/kube-root-ca.crt --timeout=20s
}

owned_by() { # OWNER-NAME NAME [blocking]
	k create -f - <<<"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$2\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"$1\",\"uid\":\"$(field "configmap/$1" .metadata.uid)\",\"blockOwnerDeletion\":${3:-false}}]}}"
}

# bats test_tags=short
@test "api: what is owned goes after its owner" {
	k create configmap owner
	owned_by owner owned
	owned_by owned grandchild
	k delete configmap owner --cascade=background
	k wait --for=delete configmap/grandchild --timeout=30s
	refuses NotFound k get configmap owned
}

@test "api: with foreground deletion the owner goes last" {
	k create configmap owner
	owned_by owner owned true
	k patch configmap owned --type=merge -p '{"metadata":{"finalizers":["example.com/hold"]}}'
	k delete configmap owner --cascade=foreground --wait=false
	assert_equal foregroundDeletion "$(field configmap/owner '.metadata.finalizers[0]')"
	k wait --for=jsonpath='{.metadata.deletionTimestamp}' configmap/owned --timeout=20s
	k get configmap owner
	k patch configmap owned --type=merge -p '{"metadata":{"finalizers":null}}'
	k wait --for=delete configmap/owner --timeout=30s
}

@test "api: orphans lose their owner and stay" {
	k create configmap owner
	owned_by owner owned
	k delete configmap owner --cascade=orphan
	becomes 20 "" field configmap/owned .metadata.ownerReferences
	refuses NotFound k get configmap owner
	# One with two owners stays until the second has gone.
	k create configmap a
	k create configmap b
	k patch configmap owned --type=merge -p "{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"a\",\"uid\":\"$(field configmap/a .metadata.uid)\"},{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"b\",\"uid\":\"$(field configmap/b .metadata.uid)\"}]}}"
	k delete configmap a
	becomes 20 b field configmap/owned '.metadata.ownerReferences[*].name'
	k delete configmap b
	k wait --for=delete configmap/owned --timeout=20s
}

# bats test_tags=short
@test "api: a quota refuses what would exceed it, and counts again what goes" {
	k create quota q --hard=pods=2,requests.cpu=500m,count/configmaps=20
	becomes 20 "0 0" field resourcequota/q '.status.used.pods} {.status.used.requests\.cpu'
	sleeper a '"resources":{"requests":{"cpu":"200m"}}'
	becomes 20 "1 200m" field resourcequota/q '.status.used.pods} {.status.used.requests\.cpu'
	refuses 'exceeded quota: q, requested: requests.cpu=400m, used: requests.cpu=200m, limited: requests.cpu=500m' sleeper b '"resources":{"requests":{"cpu":"400m"}}'
	refuses 'failed quota: q: must specify requests.cpu for: c' sleeper b
	sleeper b '"resources":{"requests":{"cpu":"300m"}}'
	refuses 'exceeded quota: q, requested: pods=1,requests.cpu=1m, used: pods=2,requests.cpu=500m, limited: pods=2,requests.cpu=500m' sleeper c '"resources":{"requests":{"cpu":"1m"}}'
	k delete pod a
	becomes 30 "1 300m" field resourcequota/q '.status.used.pods} {.status.used.requests\.cpu'
	sleeper c '"resources":{"requests":{"cpu":"1m"}}'
}

@test "api: a quota's scope chooses the pods it counts" {
	k create quota best --hard=pods=1 --scopes=BestEffort
	becomes 20 0 field resourcequota/best .status.used.pods
	sleeper a
	sleeper b '"resources":{"requests":{"cpu":"1m"}}'
	refuses 'exceeded quota: best, requested: pods=1, used: pods=1, limited: pods=1' sleeper c
}

# bats test_tags=short
@test "api: a limit range fills in requests and limits and keeps them within bounds" {
	k create -f - <<-Y
		apiVersion: v1
		kind: LimitRange
		metadata: {name: l}
		spec:
		  limits:
		  - {type: Container, default: {cpu: 200m}, defaultRequest: {cpu: 100m}, max: {cpu: 500m}, min: {cpu: 50m}, maxLimitRequestRatio: {cpu: "4"}}
	Y
	# The API server learns of it through a watch.
	defaulted() { name=t$RANDOM && sleeper "$name" && [ "$(field "pod/$name" '.spec.containers[0].resources.limits.cpu')" = 200m ]; }
	wait_until 10 defaulted
	sleeper a
	assert_equal "100m 200m" "$(field pod/a '.spec.containers[0].resources.requests.cpu} {.spec.containers[0].resources.limits.cpu')"
	refuses 'maximum cpu usage per Container is 500m, but limit is 600m' sleeper b '"resources":{"limits":{"cpu":"600m"}}'
	refuses 'minimum cpu usage per Container is 50m, but request is 10m' sleeper b '"resources":{"requests":{"cpu":"10m"},"limits":{"cpu":"20m"}}'
	refuses 'cpu max limit to request ratio per Container is 4, but provided ratio is 5.000000' sleeper b '"resources":{"requests":{"cpu":"100m"},"limits":{"cpu":"500m"}}'
}

@test "api: a signing request goes from pending through approval to a certificate that works" {
	name=e2e-$RANDOM-$RANDOM user=user-$RANDOM
	at_end kall delete csr "$name"
	at_end kall delete clusterrolebinding "$name"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$BATS_TEST_TMPDIR/key" -subj "/O=e2e/CN=$user" -out "$BATS_TEST_TMPDIR/csr" 2>/dev/null
	kall create -f - <<<"{\"apiVersion\":\"certificates.k8s.io/v1\",\"kind\":\"CertificateSigningRequest\",\"metadata\":{\"name\":\"$name\"},\"spec\":{\"signerName\":\"kubernetes.io/kube-apiserver-client\",\"usages\":[\"client auth\"],\"expirationSeconds\":3600,\"request\":\"$(base64 -w0 <"$BATS_TEST_TMPDIR/csr")\"}}"
	assert_contains "$(kall get csr "$name")" Pending
	kall certificate approve "$name"
	kall wait --for=jsonpath='{.status.certificate}' "csr/$name" --timeout=20s
	assert_contains "$(kall get csr "$name")" Approved,Issued
	kall get csr "$name" -o 'jsonpath={.status.certificate}' | base64 -d >"$BATS_TEST_TMPDIR/crt"
	assert_contains "$(openssl x509 -in "$BATS_TEST_TMPDIR/crt" -noout -subject -nameopt RFC2253)" "CN=$user,O=e2e"
	api_credentials
	cat "$BATS_TEST_TMPDIR/crt" "$BATS_TEST_TMPDIR/key" >"$BATS_TEST_TMPDIR/pem"
	assert_equal "$user e2e" "$(curl -s --cacert "$BATS_FILE_TMPDIR/api/ca" --cert "$BATS_TEST_TMPDIR/pem" -H 'Content-Type: application/json' -d '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}' \
		"$(cat "$BATS_FILE_TMPDIR/api/server")/apis/authentication.k8s.io/v1/selfsubjectreviews" | jq -r '"\(.status.userInfo.username) \(.status.userInfo.groups[0])"')"
}

@test "api: a denied signing request gets no certificate" {
	name=e2e-$RANDOM-$RANDOM
	at_end kall delete csr "$name"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -subj "/CN=x" -out "$BATS_TEST_TMPDIR/csr" 2>/dev/null
	kall create -f - <<<"{\"apiVersion\":\"certificates.k8s.io/v1\",\"kind\":\"CertificateSigningRequest\",\"metadata\":{\"name\":\"$name\"},\"spec\":{\"signerName\":\"kubernetes.io/kube-apiserver-client\",\"usages\":[\"client auth\"],\"request\":\"$(base64 -w0 <"$BATS_TEST_TMPDIR/csr")\"}}"
	kall certificate deny "$name"
	assert_contains "$(kall get csr "$name")" Denied
	refuses 'Denied' kall certificate approve "$name"
	assert_equal "" "$(kall get csr "$name" -o 'jsonpath={.status.certificate}')"
}

# bats test_tags=short
@test "api: an eviction keeps to the disruption budget" {
	deployment=web
	k create deployment $deployment --image=$IMAGE --replicas=2
	k rollout status deployment/$deployment --timeout=60s
	k create poddisruptionbudget b --selector=app=$deployment --min-available=2
	becomes 20 "2 0" field pdb/b '.status.currentHealthy} {.status.disruptionsAllowed'
	one=$(k get pods -l app=$deployment -o 'jsonpath={.items[0].metadata.name}')
	evict() { api_json POST "$(in_namespace)/pods/$one/eviction" "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"$one\"}}"; }
	evict >"$BATS_TEST_TMPDIR/answer"
	assert_equal "429 TooManyRequests DisruptionBudget" "$(jq -r '"\(.code) \(.reason) \(.details.causes[0].reason)"' "$BATS_TEST_TMPDIR/answer")"
	assert_equal "Cannot evict pod as it would violate the pod's disruption budget." "$(jq -r .message "$BATS_TEST_TMPDIR/answer")"
	k delete pdb b
	k create poddisruptionbudget b --selector=app=$deployment --max-unavailable=1
	becomes 20 1 field pdb/b .status.disruptionsAllowed
	assert_equal Success "$(evict | jq -r .status)"
	becomes 30 "2 1" field pdb/b '.status.currentHealthy} {.status.disruptionsAllowed'
}
