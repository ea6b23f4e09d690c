#!/usr/bin/env bats
# The server and its etcd: over TLS with a certificate on both sides, at several addresses, away for a while.

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_APISERVER=${CP_APISERVER:-${BIN:-$cp_root/build/bin}/kube-apiserver}
	cp_new
	cp_cert etcd /CN=etcd "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n"
	cp_cert other /CN=etcd "subjectAltName=IP:127.0.0.9\nextendedKeyUsage=serverAuth,clientAuth\n"
	port=$(cp_free_port) peer=$(cp_free_port)
	CP_FLAGS="--etcd-cafile=$CP_DIR/ca.crt --etcd-certfile=$CP_DIR/etcd.crt --etcd-keyfile=$CP_DIR/etcd.key"
	# Nobody is at the first.
	CP_ETCD=https://127.0.0.1:1,https://127.0.0.1:$port
}
teardown() { cp_stop; }

health() { curl -fs --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/etcd.crt" --key "$CP_DIR/etcd.key" $1 "https://127.0.0.1:$port/health"; }

start_etcd() { # CERTIFICATE
	"${CP_ETCD_BINARY:-etcd}" --data-dir "$CP_DIR/etcd" --listen-client-urls "https://127.0.0.1:$port" \
		--advertise-client-urls "https://127.0.0.1:$port" --listen-peer-urls "http://127.0.0.1:$peer" \
		--initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "default=http://127.0.0.1:$peer" --unsafe-no-fsync \
		--cert-file "$CP_DIR/$1.crt" --key-file "$CP_DIR/$1.key" --trusted-ca-file "$CP_DIR/ca.crt" --client-cert-auth >> "$CP_DIR/etcd.log" 2>&1 &
	CP_ETCD_PID=$!
	cp_wait health "${2:-}"
}
stop_etcd() {
	kill "$CP_ETCD_PID"
	wait "$CP_ETCD_PID" || true
}

write() { # NAME SIZE: the code of the answer
	printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"},"data":{"a":"%0*d"}}' "$1" "$2" 0 > "$CP_DIR/body"
	cp_curl /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' --data-binary "@$CP_DIR/body" -o "$CP_DIR/answer" -w '%{http_code}'
}
written() { [ "$(cp_curl "/api/v1/namespaces/default/configmaps/$1" -o /dev/null -w '%{http_code}')" = 200 ]; }

@test "etcd over TLS, at the second of two addresses; it comes back, and what is written then is seen" {
	start_etcd etcd
	cp_start_apiserver
	[ "$(write small 1)" = 201 ] && written small
	[ "$(write large 900000)" = 201 ] && written large
	printf '{"kind":"ReplicationController","apiVersion":"v1","metadata":{"name":"r"},"spec":{"template":{"metadata":{"labels":{"a":"b"}},
		"spec":{"containers":[{"name":"c","image":"%01700000d"}]}}}}' 1 > "$CP_DIR/body"
	cp_curl /api/v1/namespaces/default/replicationcontrollers -H 'Content-Type: application/json' --data-binary "@$CP_DIR/body" > "$CP_DIR/answer"
	[ "$(jq -c '[.code, .reason, .message]' "$CP_DIR/answer")" = '[500,null,"etcdserver: request is too large"]' ]
	stop_etcd
	[ "$(write lost 1)" = 503 ]
	grep -q 'failed to connect' "$CP_DIR/answer"
	start_etcd etcd
	[ "$(write again 1)" = 201 ]
	cp_wait written again
	! written lost
}

@test "an etcd of another name is not trusted" {
	start_etcd etcd
	cp_start_apiserver
	stop_etcd
	start_etcd other -k
	[ "$(write x 1)" = 503 ]
	[[ $(< "$CP_DIR/answer") == *"failed to connect"* ]]
	stop_etcd
	start_etcd etcd
	[ "$(write x 1)" = 201 ]
}

put() { # KEY VALUE: by another than the server
	ETCDCTL_API=3 etcdctl --endpoints "https://127.0.0.1:$port" --cacert "$CP_DIR/ca.crt" --cert "$CP_DIR/etcd.crt" --key "$CP_DIR/etcd.key" \
		put "/registry/$1" "$2" > "$CP_DIR/put"
}
answers() { # CODE METHOD PATH
	[ "$(cp_curl "/api/v1/$3" -X "$2" -o "$CP_DIR/answer" -w '%{http_code}')" = "$1" ]
}

@test "a value that cannot be read is told of, by its key, and is not taken for gone" {
	start_etcd etcd
	cp_start_apiserver
	[ "$(write whole 1)" = 201 ]
	put configmaps/default/broken '{"kind":'
	cp_wait answers 500 GET namespaces/default/configmaps/broken
	[[ $(< "$CP_DIR/answer") == *"/registry/configmaps/default/broken in etcd cannot be read"* ]]
	for path in configmaps namespaces/default/configmaps "configmaps?resourceVersion=0" "configmaps?limit=1&labelSelector=a"; do
		answers 429 GET "$path"
	done
	answers 500 GET "configmaps?limit=1"
	[ "$(write broken 1)" = 409 ]
	answers 500 DELETE namespaces/default/configmaps/broken
	answers 500 DELETE namespaces/default/configmaps
	written whole
	answers 200 GET namespaces/other/configmaps
	# So it is after a start.
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
	cp_start_apiserver
	answers 429 GET configmaps
	put configmaps/default/broken '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"broken","namespace":"default"}}'
	cp_wait written broken
	answers 200 GET configmaps
}

@test "a watch ends when something of what it watches cannot be read, and goes on where it was once that is mended" {
	local maps=namespaces/default/configmaps version path pids=() name
	follow() { # NAME PATH
		(cp_curl "/api/v1/$2&watch=1&timeoutSeconds=60" -N > "$CP_DIR/$1"; : > "$CP_DIR/$1.ended") &
		pids+=($!)
	}
	told() { [ "$(jq -r '.type + ":" + .object.metadata.name' "$CP_DIR/$1" | xargs)" = "$2" ]; }
	start_etcd etcd
	cp_start_apiserver
	[ "$(write first 1)" = 201 ] && [ "$(write broken 1)" = 201 ]
	version=$(jq -r .metadata.resourceVersion "$CP_DIR/answer")
	follow all "configmaps?resourceVersion=$version"
	follow selected "$maps?resourceVersion=$version&labelSelector=none"
	follow other "namespaces/other/configmaps?resourceVersion=$version"
	[ "$(write second 1)" = 201 ]
	cp_wait told all ADDED:second
	put configmaps/default/broken '{"kind":'
	for name in all selected; do cp_wait test -e "$CP_DIR/$name.ended"; done
	told all ADDED:second && told selected ""
	[ ! -e "$CP_DIR/other.ended" ]
	for path in "configmaps?watch=1&resourceVersion=$version" "$maps?watch=1&resourceVersion=1" "$maps?watch=1" \
		"configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"; do
		answers 429 GET "$path"
		[ "$(jq -r .details.retryAfterSeconds "$CP_DIR/answer")" = 1 ]
		[[ $(< "$CP_DIR/answer") == *"storage is (re)initializing: the value of /registry/configmaps/default/broken in etcd cannot be read"* ]]
	done
	[ "$(write third 1)" = 201 ]
	put configmaps/default/broken '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"broken","namespace":"default"}}'
	cp_wait written broken
	follow again "$maps?resourceVersion=$version"
	cp_wait told again "ADDED:second ADDED:third MODIFIED:broken"
	kill "${pids[@]}" 2> /dev/null || true
	wait "${pids[@]}" || true
}

# Which are refused today: a value in a selector that no label can have, half a page of memory, a mount without a volume, an address that is none.
@test "what an older release let in can be changed elsewhere, and is refused when it is new" {
	local key path object pod
	start_etcd etcd
	cp_start_apiserver
	pod='"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"'
	while IFS='|' read -r key path object; do
		object=${object/POD/"$pod"}
		put "$key/default/old" "${object/NAME/\"name\":\"old\",\"namespace\":\"default\",\"uid\":\"u\"}"
		cp_wait cp_curl "$path/old" -f
		run cp_curl "$path/old" -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{"metadata":{"annotations":{"x":"y"}}}' -o "$CP_DIR/answer" -w '%{http_code}'
		[ "$output" = 200 ] || { echo "$key: $output $(cat "$CP_DIR/answer")"; return 1; }
		run cp_curl "$path" -H 'Content-Type: application/json' -d "${object/NAME/\"name\":\"new\"}" -o "$CP_DIR/answer" -w '%{http_code}'
		[ "$output" = 422 ] || { echo "$key: $output $(cat "$CP_DIR/answer")"; return 1; }
	done <<-'END'
		daemonsets|/apis/apps/v1/namespaces/default/daemonsets|{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{NAME},"spec":{"selector":{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"c","operator":"NotIn","values":["d e"]}]},"template":{POD}]}}}}
		statefulsets|/apis/apps/v1/namespaces/default/statefulsets|{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{NAME},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{POD,"volumeMounts":[{"name":"v","mountPath":"/v"}]}]}}}}
		ingress|/apis/networking.k8s.io/v1/namespaces/default/ingresses|{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{NAME},"spec":{"rules":[{"http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"1a","port":{"number":80}}}}]}}]}}
		services/endpoints|/api/v1/namespaces/default/endpoints|{"apiVersion":"v1","kind":"Endpoints","metadata":{NAME},"subsets":[{"addresses":[{"ip":"127.0.0.1"}],"ports":[{"port":80}]}]}
		podtemplates|/api/v1/namespaces/default/podtemplates|{"apiVersion":"v1","kind":"PodTemplate","metadata":{NAME},"template":{"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1","hugepages-2Mi":"3Mi"},"limits":{"cpu":"1","hugepages-2Mi":"3Mi"}}}]}}}
	END
}

@test "what an older release knew of where endpoints are stays until they change, and then their node does" {
	local path=/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/old was='{"kubernetes.io/hostname":"n","x":"y"}'
	change() { # PATCH JQ
		cp_curl "$path" -X PATCH -H 'Content-Type: application/json-patch+json' -d "$1" | jq -c "$2"
	}
	start_etcd etcd
	cp_start_apiserver
	put endpointslices/default/old '{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"old","namespace":"default","uid":"u"},
		"addressType":"IPv4","endpoints":[{"addresses":["10.1.1.1"],"conditions":{},"deprecatedTopology":'"$was"'}]}'
	cp_wait cp_curl "$path" -f
	[ "$(change '[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]' '.endpoints[0].deprecatedTopology')" = "$was" ]
	[ "$(change '[{"op":"add","path":"/endpoints/0/addresses/-","value":"10.1.1.2"}]' '.endpoints[0] | [.deprecatedTopology, .nodeName]')" = '[null,"n"]' ]
}

@test "what an older release has stored in another version is the same object" {
	local path=/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/old event=/api/v1/namespaces/default/events/old
	local cpu='[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":55}}}]'
	start_etcd etcd
	cp_start_apiserver
	put horizontalpodautoscalers/default/old '{"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler",
		"metadata":{"name":"old","namespace":"default","uid":"u"},
		"spec":{"scaleTargetRef":{"kind":"Deployment","name":"d"},"maxReplicas":3,"targetCPUUtilizationPercentage":55}}'
	put events/default/old '{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"old","namespace":"default","uid":"u"},
		"note":"n","regarding":{"kind":"Pod","name":"p","namespace":"default"}}'
	cp_wait cp_curl "$path" -f
	[ "$(cp_curl "$path" | jq -c .spec.metrics)" = "$cpu" ]
	[ "$(cp_curl "$path" -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{"spec":{"maxReplicas":4}}' | jq -c .spec.metrics)" = "$cpu" ]
	[ "$(cp_curl "${path/v2/v1}" | jq -c '.spec | [.maxReplicas, .targetCPUUtilizationPercentage]')" = '[4,55]' ]
	cp_wait cp_curl "$event" -f
	[ "$(cp_curl "$event" | jq -c '[.message, .involvedObject.name]')" = '["n","p"]' ]
}

@test "what an older release has stored in a version of the same fields means what it meant there" {
	local budgets=/apis/policy/v1/namespaces/default/poddisruptionbudgets levels=/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations
	local label=pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match
	budget() { # NAME SELECTOR
		put "poddisruptionbudgets/default/$1" '{"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget",
			"metadata":{"name":"'"$1"'","namespace":"default","uid":"u"},"spec":{"minAvailable":1,"selector":'"$2"'}}'
	}
	level() { # NAME ANNOTATIONS
		put "prioritylevelconfigurations/$1" '{"apiVersion":"flowcontrol.apiserver.k8s.io/v1beta3","kind":"PriorityLevelConfiguration",
			"metadata":{"name":"'"$1"'","uid":"u","annotations":'"$2"'},"spec":{"type":"Limited","limited":{"nominalConcurrencyShares":0,"limitResponse":{"type":"Reject"}}}}'
	}
	start_etcd etcd
	cp_start_apiserver
	budget none '{}'
	budget all '{"matchExpressions":[{"key":"'$label'","operator":"DoesNotExist"}]}'
	budget some '{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"'$label'","operator":"Exists"}]}'
	level thirty '{}'
	level zero '{"flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares":"","a":"b"}'
	put rolebindings/default/old '{"apiVersion":"rbac.authorization.k8s.io/v1alpha1","kind":"RoleBinding","metadata":{"name":"old","namespace":"default","uid":"u"},
		"subjects":[{"kind":"User","apiVersion":"rbac/v1alpha1","name":"*"},{"kind":"ServiceAccount","name":"x","namespace":"y"}],"roleRef":{"kind":"Role","name":"r"}}'
	cp_wait cp_curl /apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/old -f
	[ "$(cp_curl $budgets | jq -c '[.items[].spec.selector]')" = '[{},{"matchExpressions":[{"key":"'$label'","operator":"Exists"}]},{"matchLabels":{"a":"b"}}]' ]
	[ "$(cp_curl $levels/thirty | jq -c .spec.limited.nominalConcurrencyShares)" = 30 ]
	[ "$(cp_curl $levels/zero | jq -c '[.spec.limited.nominalConcurrencyShares, .metadata.annotations]')" = '[0,{"a":"b"}]' ]
	[ "$(cp_curl /apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/old | jq -c .subjects)" = \
		'[{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"system:authenticated"},{"kind":"ServiceAccount","name":"x","namespace":"y"}]' ]
}

@test "an event is gone when its time is over" {
	local events=/api/v1/namespaces/default/events
	start_etcd etcd
	CP_FLAGS+=" --event-ttl=2s"
	cp_start_apiserver
	[ "$(cp_curl $events -H 'Content-Type: application/json' -o /dev/null -w '%{http_code}' \
		-d '{"metadata":{"name":"e"},"involvedObject":{"namespace":"default"}}')" = 201 ]
	[ "$(cp_curl $events/e -o /dev/null -w '%{http_code}')" = 200 ]
	cp_curl "$events?watch=1&resourceVersion=1&timeoutSeconds=20" -N | grep -qm1 '"type":"DELETED"'
	[ "$(cp_curl $events/e -o /dev/null -w '%{http_code}')" = 404 ]
}

@test "etcd may be at a socket of the file system" {
	cd "$CP_DIR"
	"${CP_ETCD_BINARY:-etcd}" --data-dir etcd --listen-client-urls unix://localhost:7 --advertise-client-urls unix://localhost:7 \
		--listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
		--initial-cluster "default=http://127.0.0.1:$peer" --unsafe-no-fsync > etcd.log 2>&1 &
	CP_ETCD_PID=$!
	cp_wait test -S localhost:7
	CP_ETCD=unix://$CP_DIR/localhost:7 CP_FLAGS="" cp_start_apiserver
	[ "$(write x 10)" = 201 ]
}
