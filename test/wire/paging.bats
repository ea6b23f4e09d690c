# Pages of a list at one revision, by a server that has not seen that revision itself.
setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_start
	cp_wait "$BIN/kubectl" create configmap map-0
}
teardown() { cp_stop; }

@test "a list goes on where it was after the server has started again" {
	local i path=/api/v1/namespaces/default/configmaps token
	for i in 1 2 3 4; do "$BIN/kubectl" create configmap "map-$i" >/dev/null; done
	cp_curl "$path?limit=2" >"$CP_DIR/first"
	[ "$(jq -r '[.items[].metadata.name] | join(" ")' "$CP_DIR/first")" = "map-0 map-1" ]
	token=$(jq -r .metadata.continue "$CP_DIR/first")
	"$BIN/kubectl" delete configmap map-3 >/dev/null
	"$BIN/kubectl" create configmap map-9 >/dev/null
	"$BIN/kubectl" label configmap map-4 changed=since >/dev/null
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
	cp_start_apiserver
	cp_curl "$path?limit=500&continue=$token" >"$CP_DIR/rest"
	[ "$(jq -r '[.items[].metadata.name] | join(" ")' "$CP_DIR/rest")" = "map-2 map-3 map-4" ]
	[ "$(jq -r '.items[2].metadata.labels' "$CP_DIR/rest")" = null ]
	[ "$(jq -r .metadata.resourceVersion "$CP_DIR/rest")" = "$(jq -r .metadata.resourceVersion "$CP_DIR/first")" ]
	# The same revision by name.
	cp_curl "$path?resourceVersion=$(jq -r .metadata.resourceVersion "$CP_DIR/first")&resourceVersionMatch=Exact" >"$CP_DIR/exact"
	[ "$(jq -r '[.items[].metadata.name] | join(" ")' "$CP_DIR/exact")" = "map-0 map-1 map-2 map-3 map-4" ]
}

@test "a list goes on where the token of another server says, and nowhere else" {
	local i path=/api/v1/namespaces/default/configmaps revision
	for i in 1 2 3; do "$BIN/kubectl" create configmap "map-$i" >/dev/null; done
	revision=$(cp_curl "$path?limit=1" | jq -r .metadata.resourceVersion)
	[ "$(cp_curl "$path?limit=2" | jq -r '.metadata.continue | @base64d')" = "{\"v\":\"meta.k8s.io/v1\",\"rv\":$revision,\"start\":\"/map-1\\u0000\"}" ]
	# goes_on PATH START: names of the next two objects, or the code.
	goes_on() {
		local token
		token=$(printf '{"v":"meta.k8s.io/v1","rv":%d,"start":"%s"}' "$revision" "$2" | basenc --base64url -w 0)
		cp_curl "$1?limit=2&continue=${token%%=*}" | jq -r '.code // ([.items[].metadata.name] | join(" "))'
	}
	[ "$(goes_on "$path" '/map-0\u0000')" = "map-1 map-2" ]
	[ "$(goes_on "$path" 'map-1')" = "map-1 map-2" ]
	[ "$(goes_on /api/v1/configmaps '/default/map-2\u0000')" = "map-3 extension-apiserver-authentication" ]
	[ "$(goes_on "$path" '../kube-system/a')" = 400 ]
	[ "$(goes_on "$path" 'map-0/../../kube-system/a')" = 400 ]
	[ "$(goes_on "$path" '/registry/configmaps/kube-system/a')" = "" ]
}

@test "a server that starts reads everything, however many pages etcd gives it in" {
	local i path=/api/v1/namespaces/default/configmaps
	# Small ones, then large ones: the pages are longer, then shorter.
	for ((i = 0; i < 700; i++)); do printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a-%03d}\n' "$i"; done >"$CP_DIR/maps.yaml"
	for ((i = 0; i < 120; i++)); do
		printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b-%03d}\ndata: {text: "%0200000d"}\n' "$i" "$i"
	done >>"$CP_DIR/maps.yaml"
	"$BIN/kubectl" create -f "$CP_DIR/maps.yaml" >/dev/null
	cp_curl "$path" | jq -S .items >"$CP_DIR/before"
	[ "$(jq length "$CP_DIR/before")" = 821 ]
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
	cp_start_apiserver
	cp_curl "$path?resourceVersion=0" | jq -S .items >"$CP_DIR/after"
	cmp "$CP_DIR/before" "$CP_DIR/after"
}

@test "a list from version 0 is whole, whatever its limit; one of events has pages" {
	local i path=/api/v1/namespaces/default
	for i in 1 2; do
		"$BIN/kubectl" create configmap "map-$i" >/dev/null
		cp_curl "$path/events" -H 'Content-Type: application/json' -d '{"metadata": {"name": "event-'$i'"}, "involvedObject": {"namespace": "default"}}' >/dev/null
	done
	for i in "" "&resourceVersionMatch=NotOlderThan"; do
		[ "$(cp_curl "$path/configmaps?resourceVersion=0&limit=2$i" | jq -c '[(.items | length), .metadata.continue, .metadata.remainingItemCount]')" = "[3,null,null]" ]
	done
	[ "$(cp_curl "$path/configmaps?limit=2" | jq -c '[(.items | length), .metadata.remainingItemCount]')" = "[2,1]" ]
	[ "$(cp_curl "$path/events?resourceVersion=0&limit=1" | jq -c '[(.items | length), .metadata.remainingItemCount]')" = "[1,1]" ]
}

@test "a page that is full goes on where anything stands behind it, whether that is selected or not" {
	local i path=/api/v1/namespaces/default/configmaps
	for i in 1 2 3; do "$BIN/kubectl" create configmap "map-$i" > /dev/null; done
	"$BIN/kubectl" label configmap map-1 map-3 n=1 > /dev/null
	pages() { # SELECTOR: the names of each page
		local token="" answer
		while answer=$(cp_curl "$path?limit=1&$1&continue=$token") && jq -r '[.items[].metadata.name] | join(" ")' <<< "$answer"; do
			token=$(jq -r '.metadata.continue // ""' <<< "$answer")
			[ -n "$token" ] || return 0
		done
	}
	[ "$(pages labelSelector=n | tr '\n' ,)" = map-1,map-3, ]
	[ "$(pages labelSelector=n,n!=1 | tr '\n' ,)" = , ]
	"$BIN/kubectl" label configmap map-3 n- > /dev/null
	for i in n n=1; do [ "$(pages "labelSelector=${i/=/%3D}" | tr "\n" ,)" = map-1,, ]; done
	[ "$(pages 'fieldSelector=metadata.name!=map-3' | tr '\n' ,)" = map-0,map-1,map-2,, ]
	# One key, and none behind it.
	[ "$(pages fieldSelector=metadata.name=map-1 | tr '\n' ,)" = map-1, ]
}
