# Who may do what.
load ../../lib/e2e.bash

account() { # NAME: a service account and, in $token, a token of it
	k create serviceaccount "$1"
	token=$(k create token "$1")
}
mine() { as_token "$token" -n "$NS" "$@"; }

# bats test_tags=short, apiserver
@test "auth: roles allow their verbs, resources and names, and nothing else" {
	account a
	refuses "configmaps is forbidden: User \"system:serviceaccount:$NS:a\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"$NS\"" mine get configmaps
	k create configmap one
	k create configmap two
	k create role r --verb=get,list --resource=configmaps --resource-name=one
	k create role l --verb=create --resource=secrets
	k create rolebinding r --role=r --serviceaccount="$NS:a"
	k create rolebinding l --role=l --serviceaccount="$NS:a"
	wait_until 10 mine get configmap one
	refuses Forbidden mine get configmap two
	refuses Forbidden mine delete configmap one
	mine create secret generic s
	refuses Forbidden mine get secret s
	refuses Forbidden as_token "$token" -n default get configmap one
}

# bats test_tags=apiserver
@test "auth: a cluster role binds in one namespace or in all" {
	account a
	at_end kall delete clusterrole,clusterrolebinding "$NS"
	kall create clusterrole "$NS" --verb=list --resource=configmaps
	k create rolebinding r --clusterrole="$NS" --serviceaccount="$NS:a"
	wait_until 10 mine get configmaps
	refuses Forbidden as_token "$token" get configmaps -A
	kall create clusterrolebinding "$NS" --clusterrole="$NS" --serviceaccount="$NS:a"
	wait_until 10 as_token "$token" get configmaps -A
}

# bats test_tags=short, apiserver
@test "auth: can-i answers what the server would decide" {
	account a
	k create role r --verb=get,patch --resource=deployments.apps,deployments.apps/scale
	k create rolebinding r --role=r --serviceaccount="$NS:a"
	wait_until 10 mine auth can-i get deployments.apps
	assert_equal yes "$(mine auth can-i patch deployments --subresource=scale)"
	assert_equal no "$(mine auth can-i delete deployments || true)"
	assert_equal yes "$(k auth can-i get deployments --as="system:serviceaccount:$NS:a")"
	assert_equal no "$(k auth can-i get pods --as="system:serviceaccount:$NS:a" || true)"
	assert_contains "$(mine auth can-i --list)" "deployments.apps/scale"
	assert_equal "system:serviceaccount:$NS:a" "$(mine auth whoami -o 'jsonpath={.status.userInfo.username}')"
}

# bats test_tags=apiserver
@test "auth: impersonation needs permission, and acts as the other" {
	account a
	assert_equal "jane" "$(kall auth whoami --as=jane --as-group=developers -o 'jsonpath={.status.userInfo.username}')"
	assert_equal "developers system:authenticated" "$(kall auth whoami --as=jane --as-group=developers -o 'jsonpath={.status.userInfo.groups[*]}')"
	refuses 'cannot impersonate resource "users"' mine get configmaps --as=jane
	refuses 'User "jane" cannot list resource "configmaps"' k get configmaps --as=jane
	at_end kall delete clusterrole,clusterrolebinding "$NS"
	kall create clusterrole "$NS" --verb=impersonate --resource=users --resource-name=jane
	kall create clusterrolebinding "$NS" --clusterrole="$NS" --serviceaccount="$NS:a"
	wait_until 10 mine auth whoami --as=jane
	refuses 'cannot impersonate resource "users"' mine get configmaps --as=joe
	refuses 'you do not have permission to call it' mine auth whoami --as=joe
}

# bats test_tags=apiserver
@test "auth: nobody can grant what he does not have" {
	account a
	k create role r --verb=create,update,patch,get --resource=roles,rolebindings
	k create role have --verb=get --resource=configmaps
	k create rolebinding r --role=r --serviceaccount="$NS:a"
	k create rolebinding have --role=have --serviceaccount="$NS:a"
	wait_until 10 mine create role small --verb=get --resource=configmaps
	refuses 'is attempting to grant RBAC permissions not currently held' mine create role big --verb=get --resource=secrets
	refuses 'is attempting to grant RBAC permissions not currently held' mine create rolebinding big --clusterrole=cluster-admin --serviceaccount="$NS:a"
	mine create rolebinding small --role=have --serviceaccount="$NS:default"
	refuses 'cannot change roleRef' k patch rolebinding small -p '{"roleRef":{"name":"r"}}'
}

@test "auth: aggregated roles gather the rules of the roles they select" {
	at_end kall delete clusterrole "$NS-sum" "$NS-part" "$NS-part2"
	kall create clusterrole "$NS-sum" --aggregation-rule="e2e=$NS"
	kall create clusterrole "$NS-part" --verb=get --resource=configmaps
	kall label clusterrole "$NS-part" "e2e=$NS"
	becomes 20 configmaps field "clusterrole/$NS-sum" '.rules[*].resources[*]'
	kall create clusterrole "$NS-part2" --verb=get --resource=secrets
	kall label clusterrole "$NS-part2" "e2e=$NS"
	becomes 20 "configmaps secrets" field "clusterrole/$NS-sum" '.rules[*].resources[*]'
	kall delete clusterrole "$NS-part"
	becomes 20 secrets field "clusterrole/$NS-sum" '.rules[*].resources[*]'
}

# bats test_tags=short, apiserver
@test "auth: a token says whose it is, for whom and until when" {
	k create serviceaccount a
	k create configmap unused
	api_json POST "$(in_namespace)/serviceaccounts/a/token" '{"spec":{"audiences":["else"],"expirationSeconds":700}}' >"$BATS_TEST_TMPDIR/answer"
	token=$(jq -r .status.token "$BATS_TEST_TMPDIR/answer")
	part() { cut -d. -f2 <<<"$token" | tr '_-' '/+' | sed 's/$/===/' | base64 -d 2>/dev/null | jq -r "$1"; }
	assert_equal "system:serviceaccount:$NS:a else 700" "$(part '"\(.sub) \(.aud[0]) \(.exp - .iat)"')"
	assert_equal "$NS a $(field serviceaccount/a .metadata.uid)" "$(part '."kubernetes.io" | "\(.namespace) \(.serviceaccount.name) \(.serviceaccount.uid)"')"
	# A token for somebody else is none for the API server, and the review says so.
	refuses Unauthorized mine auth whoami
	review() { api_json POST /apis/authentication.k8s.io/v1/tokenreviews "{\"spec\":{\"token\":\"$token\",\"audiences\":[\"$1\"]}}" | jq -r '"\(.status.authenticated) \(.status.user.username) \(.status.audiences[0])"'; }
	assert_equal "true system:serviceaccount:$NS:a else" "$(review else)"
	assert_equal "null null null" "$(review other)"
	refuses 'may not specify a duration less than 10 minutes' k create token a --duration=1m
}

# bats test_tags=apiserver
@test "auth: a token ends with its account and with what it is bound to" {
	account a
	assert_contains "$(mine auth whoami)" "system:serviceaccount:$NS:a"
	k create secret generic bound
	bound=$(k create token a --bound-object-kind=Secret --bound-object-name=bound)
	assert_contains "$(as_token "$bound" auth whoami)" "system:serviceaccount:$NS:a"
	k delete secret bound
	wait_until 30 refuses Unauthorized as_token "$bound" auth whoami
	k delete serviceaccount a
	wait_until 30 refuses Unauthorized mine auth whoami
	refuses 'not found' k create token a
}

# bats test_tags=apiserver
@test "auth: who is not known is told nothing" {
	token=nonsense
	refuses Unauthorized mine get configmaps
	api_credentials
	server=$(cat "$BATS_FILE_TMPDIR/api/server")
	assert_equal 403 "$(curl -s --cacert "$BATS_FILE_TMPDIR/api/ca" -o /dev/null -w '%{http_code}' "$server$(in_namespace)/configmaps")"
	assert_equal "system:anonymous" "$(curl -s --cacert "$BATS_FILE_TMPDIR/api/ca" "$server$(in_namespace)/configmaps" | jq -r .message | sed 's/.*User "\([^"]*\)".*/\1/')"
	assert_equal ok "$(curl -s --cacert "$BATS_FILE_TMPDIR/api/ca" "$server/livez")"
}

# bats test_tags=short
@test "auth: a pod acts as its service account, with a token that is its own" {
	k create serviceaccount a
	k create role r --verb=list --resource=configmaps
	k create rolebinding r --role=r --serviceaccount="$NS:a"
	pod p "serviceAccountName: a, containers: [{name: c, image: '$IMAGE'}]"
	token=$(k exec p -- cat /var/run/secrets/kubernetes.io/serviceaccount/token)
	mine get configmaps
	refuses Forbidden mine get secrets
	assert_equal "p $(field pod/p .metadata.uid)" "$(mine auth whoami -o json | jq -r '.status.userInfo.extra | "\(.["authentication.kubernetes.io/pod-name"][0]) \(.["authentication.kubernetes.io/pod-uid"][0])"')"
	k delete pod p --now
	wait_until 30 refuses Unauthorized mine auth whoami
}

@test "auth: a pod without a mounted token has none" {
	pod p "automountServiceAccountToken: false, containers: [{name: c, image: '$IMAGE'}]"
	refuses 'No such file' k exec p -- ls /var/run/secrets/kubernetes.io/serviceaccount/token
}

@test "auth: a node may touch its own things only" {
	need_nodes
	need_two_nodes
	node1() { in_node node1 cat /var/lib/kubelet/config.yaml >/dev/null && in_node node1 "$BIN/kubectl" --kubeconfig /etc/kubernetes/kubelet.conf "$@"; }
	k create secret generic s --from-literal=a=b
	node1 get node node1 -o name
	refuses Forbidden node1 -n "$NS" get secret s
	refuses "node 'node1' cannot read 'node2', only its own Node object" node1 get node node2
	refuses 'is not allowed to modify labels' node1 label node node1 node-restriction.kubernetes.io/x=y
	pod p "nodeName: node1, volumes: [{name: v, secret: {secretName: s}}], containers: [{name: c, image: '$IMAGE'}]"
	node1 -n "$NS" get secret s -o name
}
