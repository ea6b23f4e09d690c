# Parts of objects with an address of their own, and what other API kinds promise.
# bats file_tags=apiserver
load ../../lib/e2e.bash

pending_pod() { # NAME: a pod that nobody schedules
	api_json POST "$(in_namespace)/pods" "{\"metadata\":{\"name\":\"$1\",\"labels\":{\"app\":\"$1\"}},\"spec\":{\"schedulerName\":\"nobody\",\"terminationGracePeriodSeconds\":0,\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"32Mi\"}}}]}}" -o /dev/null
}

# bats test_tags=short
@test "api: status and the rest of an object are written apart" {
	pending_pod p
	k patch pod p --subresource=status --type=merge -p '{"status":{"message":"said"},"spec":{"activeDeadlineSeconds":5}}'
	assert_equal "said " "$(field pod/p '.status.message} {.spec.activeDeadlineSeconds')"
	k patch pod p --type=merge -p '{"status":{"message":"unsaid"},"metadata":{"labels":{"note":"1"}}}'
	assert_equal "said 1" "$(field pod/p '.status.message} {.metadata.labels.note')"
}

@test "api: scale is one view of every workload" {
	k create deployment d --image=i:1 --replicas=0
	assert_equal "autoscaling/v1 Scale 0 app=d" "$(api GET "/apis/apps/v1/namespaces/$NS/deployments/d/scale" | jq -r '"\(.apiVersion) \(.kind) \(.spec.replicas // 0) \(.status.selector)"')"
	assert_equal 2 "$(api PATCH "/apis/apps/v1/namespaces/$NS/deployments/d/scale" -H 'Content-Type: application/merge-patch+json' -d '{"spec":{"replicas":2}}' | jq .spec.replicas)"
	assert_equal 2 "$(field deployment/d .spec.replicas)"
	refuses 'Expected resource version to be 1, was ' k scale deployment d --replicas=3 --resource-version=1
	refuses 'Expected replicas to be 7, was 2' k scale deployment d --replicas=3 --current-replicas=7
	assert_equal Invalid "$(api PATCH "/apis/apps/v1/namespaces/$NS/deployments/d/scale" -H 'Content-Type: application/merge-patch+json' -d '{"spec":{"replicas":-1}}' | jq -r .reason)"
}

@test "api: a pod is bound to a node once" {
	pending_pod p
	bind='{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"nowhere"}}'
	assert_equal Success "$(api_json POST "$(in_namespace)/pods/p/binding" "$bind" | jq -r .status)"
	assert_equal "nowhere True" "$(field pod/p '.spec.nodeName} {.status.conditions[?(@.type=="PodScheduled")].status')"
	assert_equal "Conflict" "$(api_json POST "$(in_namespace)/pods/p/binding" "$bind" | jq -r .reason)"
}

@test "api: of a pod's specification only little can change" {
	pending_pod p
	refuses 'spec: Forbidden: pod updates may not change fields other than' k patch pod p -p '{"spec":{"containers":[{"name":"c","env":[{"name":"X","value":"1"}]}]}}'
	k patch pod p -p '{"spec":{"containers":[{"name":"c","image":"i:2"}],"activeDeadlineSeconds":60}}'
	assert_equal "i:2 60" "$(field pod/p '.spec.containers[0].image} {.spec.activeDeadlineSeconds')"
	k patch pod p -p '{"spec":{"tolerations":[{"key":"k","operator":"Exists"}]}}'
}

@test "api: resources of a pod change through resize" {
	pending_pod p
	refuses 'pod updates may not change fields other than' k patch pod p -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"200m"}}}]}}'
	k patch pod p --subresource=resize -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"200m"}}}]}}'
	assert_equal 200m "$(field pod/p '.spec.containers[0].resources.requests.cpu')"
}

@test "api: an ephemeral container is added and never taken away" {
	pending_pod p
	refuses 'pod updates may not' k patch pod p -p '{"spec":{"ephemeralContainers":[{"name":"e","image":"i"}]}}'
	k patch pod p --subresource=ephemeralcontainers -p '{"spec":{"ephemeralContainers":[{"name":"e","image":"i"}]}}'
	assert_equal "e File" "$(field pod/p '.spec.ephemeralContainers[*].name} {.spec.ephemeralContainers[*].terminationMessagePolicy')"
	refuses 'existing ephemeral containers "e" may not be removed' k patch pod p --type=json --subresource=ephemeralcontainers -p '[{"op":"remove","path":"/spec/ephemeralContainers/0"}]'
}

# bats test_tags=short
@test "api: defaults are filled in where nothing was said" {
	pending_pod p
	assert_equal "Always ClusterFirst File /dev/termination-log Always default true" "$(field pod/p '.spec.restartPolicy} {.spec.dnsPolicy} {.spec.containers[0].terminationMessagePolicy} {.spec.containers[0].terminationMessagePath} {.spec.containers[0].imagePullPolicy} {.spec.serviceAccountName} {.spec.enableServiceLinks')"
	assert_equal "Burstable Pending" "$(field pod/p '.status.qosClass} {.status.phase')"
	assert_equal "300 300" "$(field pod/p '.spec.tolerations[*].tolerationSeconds')"
	k create service clusterip s --tcp=80
	assert_equal "ClusterIP None SingleStack IPv4 80 TCP" "$(field service/s '.spec.type} {.spec.sessionAffinity} {.spec.ipFamilyPolicy} {.spec.ipFamilies[0]} {.spec.ports[0].targetPort} {.spec.ports[0].protocol')"
}

@test "api: node ports and cluster addresses belong to one Service at a time" {
	k create service nodeport a --tcp=80
	port=$(node_port a) ip=$(cluster_ip a)
	[ "$port" -ge 30000 ] && [ "$port" -le 32767 ]
	refuses "spec.ports[0].nodePort: Invalid value: $port: provided port is already allocated" k create service nodeport b --tcp=80 --node-port="$port"
	refuses 'provided IP is already allocated' k create service clusterip b --tcp=80 --clusterip="$ip"
	refuses 'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767' k create service nodeport b --tcp=80 --node-port=80
	k patch service a -p '{"spec":{"type":"ClusterIP"}}'
	assert_equal "$ip " "$(field service/a '.spec.clusterIP} {.spec.ports[0].nodePort')"
	k create service nodeport b --tcp=80 --node-port="$port"
}

# bats test_tags=short
@test "api: lists and objects come as tables" {
	pending_pod p
	api GET "$(in_namespace)/pods" -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' >"$BATS_TEST_TMPDIR/t"
	assert_equal "Table meta.k8s.io/v1" "$(jq -r '"\(.kind) \(.apiVersion)"' "$BATS_TEST_TMPDIR/t")"
	assert_equal "Name,Ready,Status,Restarts,Age,IP,Node,Nominated Node,Readiness Gates" "$(jq -r '[.columnDefinitions[].name] | join(",")' "$BATS_TEST_TMPDIR/t")"
	assert_equal "p 0/1 Pending PartialObjectMetadata" "$(jq -r '.rows[0] | "\(.cells[0]) \(.cells[1]) \(.cells[2]) \(.object.kind)"' "$BATS_TEST_TMPDIR/t")"
	assert_equal "PartialObjectMetadata p null" "$(api GET "$(in_namespace)/pods/p" -H 'Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' | jq -r '"\(.kind) \(.metadata.name) \(.spec)"')"
	assert_equal 406 "$(api_code GET "$(in_namespace)/pods" -H 'Accept: text/csv')"
}

@test "api: protobuf and JSON say the same" {
	pending_pod p
	api GET "$(in_namespace)/pods/p" -H 'Accept: application/vnd.kubernetes.protobuf' >"$BATS_TEST_TMPDIR/pb"
	assert_equal k8s "$(head -c 3 "$BATS_TEST_TMPDIR/pb")"
	k delete pod p --now
	# It goes in again as it came out, but for its resource version, which an object to be created must not have.
	assert_contains "$(api POST "$(in_namespace)/pods" -H 'Content-Type: application/vnd.kubernetes.protobuf' -H 'Accept: application/json' --data-binary @"$BATS_TEST_TMPDIR/pb" | jq -r .message)" 'resourceVersion should not be set on objects to be created'
	api GET "$(in_namespace)/pods" -H 'Accept: application/vnd.kubernetes.protobuf;q=0.9,application/json;q=0.1' -D - -o /dev/null | grep -qi 'content-type: application/vnd.kubernetes.protobuf'
	printf 'k8s\0\n\x0f\n\x02v1\x12\x09ConfigMap\x12\x05\n\x03\n\x01z' >"$BATS_TEST_TMPDIR/cm"
	assert_equal z "$(api POST "$(in_namespace)/configmaps" -H 'Content-Type: application/vnd.kubernetes.protobuf' -H 'Accept: application/json' --data-binary @"$BATS_TEST_TMPDIR/cm" | jq -r .metadata.name)"
}

# bats test_tags=short
@test "api: discovery lists groups and resources, all at once too" {
	assert_equal "v1" "$(api GET /api | jq -r '.versions[0]')"
	groups=$(api GET /apis | jq -r '.groups[].name')
	for g in apps batch autoscaling policy rbac.authorization.k8s.io networking.k8s.io storage.k8s.io coordination.k8s.io discovery.k8s.io events.k8s.io authentication.k8s.io authorization.k8s.io certificates.k8s.io scheduling.k8s.io node.k8s.io apiextensions.k8s.io apiregistration.k8s.io admissionregistration.k8s.io flowcontrol.apiserver.k8s.io; do
		assert_contains "$groups" "$g"
	done
	assert_equal "po Pod true" "$(api GET /api/v1 | jq -r '.resources[] | select(.name == "pods") | "\(.shortNames[0]) \(.kind) \(.namespaced)"')"
	assert_contains "$(api GET /api/v1 | jq -r '.resources[].name' | xargs)" pods/log
	assert_equal "v1 deployments Deployment" "$(api GET /apis -H 'Accept: application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList' | jq -r '.items[] | select(.metadata.name == "apps") | .versions[0] | .version + " " + (.resources[] | select(.resource == "deployments") | .resource + " " + .responseKind.kind)')"
	assert_equal 404 "$(api_code GET /apis/nothing.example.com/v1)"
}

@test "api: OpenAPI describes every kind" {
	api GET /openapi/v2 >"$BATS_TEST_TMPDIR/v2"
	assert_equal "2.0 true" "$(jq -r '"\(.swagger) \(.definitions | has("io.k8s.api.core.v1.Pod"))"' "$BATS_TEST_TMPDIR/v2")"
	url=$(api GET /openapi/v3 | jq -r '.paths["apis/apps/v1"].serverRelativeURL')
	assert_contains "$url" 'hash='
	api GET "$url" >"$BATS_TEST_TMPDIR/v3"
	assert_equal "Deployment" "$(jq -r '.components.schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"][0].kind' "$BATS_TEST_TMPDIR/v3")"
	assert_equal "object" "$(jq -r '.paths["/apis/apps/v1/namespaces/{namespace}/deployments"].post.requestBody.content | keys | if length > 0 then "object" else "none" end' "$BATS_TEST_TMPDIR/v3")"
}

@test "api: a deprecated API warns" {
	assert_contains "$(api GET "$(in_namespace)/endpoints" -D - -o /dev/null)" '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
	assert_contains "$(k get endpoints 2>&1)" 'Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'
}

@test "api: health says what it looked at" {
	assert_equal ok "$(api GET /healthz)"
	assert_contains "$(api GET '/readyz?verbose')" '[+]etcd ok'
	assert_contains "$(api GET '/livez?verbose&exclude=etcd')" '[+]etcd excluded: ok'
	assert_equal 404 "$(api_code GET /livez/nothing)"
	assert_equal "1 34" "$(api GET /version | jq -r '"\(.major) \(.minor)"')"
}

@test "api: priority classes give pods their number, and one can be the default" {
	name=e2e-$RANDOM-$RANDOM
	at_end kall delete priorityclass "$name"
	kall create priorityclass "$name" --value=1234 --preemption-policy=Never
	api_json POST "$(in_namespace)/pods" "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"schedulerName\":\"nobody\",\"priorityClassName\":\"$name\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}" -o /dev/null
	assert_equal "1234 Never" "$(field pod/p '.spec.priority} {.spec.preemptionPolicy')"
	refuses 'no PriorityClass with name none was found' k create -f - <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"q"},"spec":{"priorityClassName":"none","containers":[{"name":"c","image":"i"}]}}'
	refuses 'value: Forbidden: may not be changed in an update.' kall patch priorityclass "$name" -p '{"value":5}'
	assert_equal 2000000000 "$(kall get priorityclass system-cluster-critical -o 'jsonpath={.value}')"
}

@test "api: a secret's text is stored as data" {
	api_json POST "$(in_namespace)/secrets" '{"metadata":{"name":"s"},"stringData":{"word":"hidden"}}' -o /dev/null
	assert_equal "Opaque aGlkZGVu " "$(field secret/s '.type} {.data.word} {.stringData')"
	refuses 'type: Invalid value: "other": field is immutable' k patch secret s -p '{"type":"other"}'
	refuses 'data[tls.crt]: Required value' k create -f - <<<'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"t"},"type":"kubernetes.io/tls","data":{"tls.key":""}}'
}

@test "api: events are stored, in the older and the newer group alike" {
	api_json POST "/apis/events.k8s.io/v1/namespaces/$NS/events" "{\"metadata\":{\"name\":\"e\"},\"eventTime\":\"2026-01-01T00:00:00.000000Z\",\"reportingController\":\"example.com/c\",\"reportingInstance\":\"i\",\"action\":\"Tried\",\"reason\":\"Because\",\"type\":\"Normal\",\"note\":\"it did\",\"regarding\":{\"kind\":\"Pod\",\"namespace\":\"$NS\",\"name\":\"p\"}}" -o /dev/null
	assert_equal "it did p" "$(field event/e '.message} {.involvedObject.name')"
	assert_equal e "$(k get events --field-selector reason=Because,involvedObject.name=p -o 'jsonpath={.items[*].metadata.name}')"
	refuses 'Required value' k create -f - <<<'{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"bad"},"type":"Normal"}'
}

@test "api: leases are kept as they are written" {
	k create -f - <<<'{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"},"spec":{"holderIdentity":"me","leaseDurationSeconds":15,"renewTime":"2026-01-01T00:00:00.123456Z"}}'
	assert_equal "me 15 2026-01-01T00:00:00.123456Z" "$(field lease/l '.spec.holderIdentity} {.spec.leaseDurationSeconds} {.spec.renewTime')"
	refuses 'spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0' k patch lease l --type=merge -p '{"spec":{"leaseDurationSeconds":-1}}'
}

@test "api: numbers of 64 bits survive" {
	k create -f - <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"schedulerName":"nobody","activeDeadlineSeconds":2147483647,"securityContext":{"runAsUser":2147483647},"containers":[{"name":"c","image":"i"}]}}'
	assert_equal "2147483647 2147483647" "$(field pod/p '.spec.activeDeadlineSeconds} {.spec.securityContext.runAsUser')"
	assert_contains "$(api_json POST "$(in_namespace)/pods" '{"metadata":{"name":"q","generation":9007199254740993},"spec":{"activeDeadlineSeconds":9007199254740993,"containers":[{"name":"c","image":"i"}]}}' | jq -r .message)" 'Invalid value: 9007199254740993'
}
