#!/usr/bin/env bats
# Admission plugins that are off by default, and what --admission-control-config-file says to plugins.

setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	command -v etcd > /dev/null || skip "etcd is not installed"
	local all=AlwaysAdmit,AlwaysPullImages,DenyServiceExternalIPs,EventRateLimit,ExtendedResourceToleration
	all+=,LimitPodHardAntiAffinityTopology,NamespaceAutoProvision,NamespaceExists,NodeRestriction
	all+=,OwnerReferencesPermissionEnforcement,PodNodeSelector,PodTolerationRestriction
	local config
	config=$(realpath "$BATS_TEST_DIRNAME/../data/admission/config.yaml")
	export CP_FLAGS="--allow-privileged --enable-admission-plugins=$all --admission-control-config-file=$config"
	cp_start
	cp_wait cp_curl /api/v1/namespaces/default -f
	export CP_APISERVER_PID CP_ETCD_PID CP_PORT CP_ETCD_PORT
}

teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_APISERVER_PID=$(cat "$CP_DIR/again.pid" 2> /dev/null || echo "$CP_APISERVER_PID")
	cp_stop
}

setup() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	json='Content-Type: application/json'
}

# again FLAGS: the API server anew, with other flags, on what is stored.
again() {
	CP_APISERVER_PID=$(cat "$CP_DIR/again.pid" 2> /dev/null || echo "$CP_APISERVER_PID")
	kill "$CP_APISERVER_PID"
	# Another case's shell may have started it.
	tail --pid="$CP_APISERVER_PID" -f /dev/null
	CP_FLAGS=$* cp_start_apiserver
	echo "$CP_APISERVER_PID" > "$CP_DIR/again.pid"
}

# message PATH [curl flags…]: the code and the message of the answer.
message() {
	cp_curl "$@" -H "$json" | python3 -c 'import json, sys; d = json.load(sys.stdin); print(d.get("code", ""), d.get("message", ""))'
}

# fails TEXT FLAGS: a start that ends at once, and says that.
fails() {
	local said
	said=$(timeout 20 "${CP_APISERVER:-$BIN/kube-apiserver}" --etcd-servers="$CP_ETCD" --secure-port=0 --cert-dir="$CP_DIR/none" \
		--service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$CP_DIR/sa.pub" \
		--service-account-signing-key-file="$CP_DIR/sa.key" "${@:2}" 2>&1) && return 1
	[[ $said == *"Error: $1"* ]] || {
		echo "$said"
		return 1
	}
}

# tells TEXT PLUGIN CONFIGURATION [FLAGS]: what is wrong in what is told to a plugin ends the start.
tells() {
	printf 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: %s\n  configuration: %s\n' \
		"$2" "$3" > "$CP_DIR/config.yaml"
	fails "failed to apply admission: $1" --admission-control-config-file="$CP_DIR/config.yaml" --enable-admission-plugins="$2"
}

@test "each as in the original, with what the configuration says" {
	"$BATS_TEST_DIRNAME/../lib/scenarios" "$BATS_TEST_DIRNAME/../data/scenarios/admission.txt"
}

@test "events beyond a limit are refused, of one source about one object" {
	local codes body='{"involvedObject":{"namespace":"default","name":"%s"},"metadata":{"generateName":"e"},"source":{"component":"k"}}'
	# shellcheck disable=SC2059
	codes=$(cp_curl '/api/v1/namespaces/default/events?n=[1-40]' -H "$json" -d "$(printf "$body" a)" -o /dev/null -w '%{http_code}\n')
	grep -q 201 <<< "$codes"
	grep -q 429 <<< "$codes"
	# shellcheck disable=SC2059
	[ "$(message /api/v1/namespaces/default/events -d "$(printf "$body" b)")" = " " ]
	cp_curl '/api/v1/namespaces/default/events?n=[1-9]' -H "$json" -d "$(printf "$body" a)" |
		grep -q '"Too many requests: limit reached on type SourceAndObject for key kdefaulta"'
}

@test "metrics name the plugins, each by the operations that it looks at" {
	local metrics
	metrics=$(cp_curl /metrics | grep apiserver_admission_controller_admission_duration_seconds_count)
	grep -q 'name="DenyServiceExternalIPs",operation="CREATE",rejected="true",type="validate"' <<< "$metrics"
	grep -q 'name="EventRateLimit",operation="CREATE",rejected="true",type="validate"' <<< "$metrics"
	grep -q 'name="NamespaceAutoProvision",operation="CREATE",rejected="false",type="admit"' <<< "$metrics"
	! grep -q 'name="NamespaceAutoProvision",operation="UPDATE"' <<< "$metrics"
	! grep -q 'name="PodNodeSelector",operation="UPDATE"' <<< "$metrics"
}

@test "flags that name plugins which are none, or both on and off" {
	fails '[enable-admission-plugins plugin "Foo" is unknown, enable-admission-plugins plugin "Bar" is unknown, disable-admission-plugins plugin "Foo" is unknown, [Foo] in enable-admission-plugins and disable-admission-plugins overlapped]' \
		--enable-admission-plugins=Foo,Bar --disable-admission-plugins=Foo,PodSecurity
	fails '[PodSecurity ResourceQuota] in enable-admission-plugins and disable-admission-plugins overlapped' \
		--enable-admission-plugins=ResourceQuota,PodSecurity --disable-admission-plugins=PodSecurity,ResourceQuota
	fails '[admission-control and enable-admission-plugins/disable-admission-plugins flags are mutually exclusive, admission-control plugin "Foo" is unknown]' \
		--admission-control=Foo --enable-admission-plugins=PodSecurity
}

@test "a configuration with mistakes ends the start, and says which" {
	local file=$CP_DIR/c.yaml read='failed to apply admission: failed to read plugin config:' head='apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n'
	fails "$read unable to read admission control configuration from \"/none\"" --admission-control-config-file=/none
	printf '' > "$file" && fails "$read Object 'Kind' is missing in ''" --admission-control-config-file="$file"
	printf 'a: [\n' > "$file" && fails "$read yaml: line 1: did not find expected node content" --admission-control-config-file="$file"
	printf "${head}plugins: 5" > "$file" && fails "$read json: cannot unmarshal number into Go struct field AdmissionConfiguration.plugins of type []v1.AdmissionPluginConfiguration" --admission-control-config-file="$file"
	printf "${head}plugins: [{foo: 1}]" > "$file" && fails "$read strict decoding error: unknown field \"plugins[0].foo\"" --admission-control-config-file="$file"
	printf "${head}plugins: []\nplugins: []" > "$file" && fails "$read strict decoding error: yaml: unmarshal errors:
  line 4: key \"plugins\" already set in map" --admission-control-config-file="$file"
	printf "${head}plugins: [{name: EventRateLimit, path: none}]" > "$file" && fails "failed to apply admission: couldn't open admission plugin configuration" --admission-control-config-file="$file" --enable-admission-plugins=EventRateLimit
	fails "failed to apply admission: couldn't init admission plugin \"EventRateLimit\": limits: Invalid value: null: must not be empty" --enable-admission-plugins=EventRateLimit
	tells "couldn't init admission plugin \"EventRateLimit\": [limits[0].burst: Invalid value: 0: must be positive, limits[0].qps: Invalid value: -1: must be positive, limits[1].cacheSize: Invalid value: -1: must not be negative]" \
		EventRateLimit '{apiVersion: eventratelimit.admission.k8s.io/v1alpha1, kind: Configuration, limits: [{type: Server, burst: 0, qps: -1}, {type: User, burst: 1, qps: 1, cacheSize: -1}]}'
	tells "couldn't init admission plugin \"EventRateLimit\": Object 'Kind' is missing in '{\"limits\":[]}'" EventRateLimit '{limits: []}'
	tells "couldn't init admission plugin \"PodTolerationRestriction\": invalid config: [podtolerationrestriction.default[0].operator: Invalid value: \"x\": value must be empty when \`operator\` is 'Exists' podtolerationrestriction.whitelist[0].effect: Unsupported value: \"Foo\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"]" \
		PodTolerationRestriction '{apiVersion: podtolerationrestriction.admission.k8s.io/v1alpha1, kind: Configuration, default: [{operator: Exists, value: x}], whitelist: [{key: k, effect: Foo}]}'
	tells "failed to initialize admission plugin \"PodSecurity\": PodSecurity configuration error: [enforce: must be one of privileged, baseline, restricted, audit-version: must be \"latest\" or \"v1.x\"]" \
		PodSecurity '{apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration, defaults: {enforce: foo, audit-version: v2}}'
	tells "failed to initialize admission plugin \"PodSecurity\": PodSecurity invalid: [exemptions.namespaces[1]: Duplicate value: \"b\", exemptions.usernames[0]: Invalid value: \"\": username must not be empty]" \
		PodSecurity '{apiVersion: pod-security.admission.config.k8s.io/v1beta1, kind: PodSecurityConfiguration, exemptions: {namespaces: [b, b], usernames: [""]}}'
	tells "couldn't init admission plugin \"ResourceQuota\": limitedResources[0].resource: Required value" \
		ResourceQuota '{apiVersion: apiserver.config.k8s.io/v1, kind: ResourceQuotaConfiguration, limitedResources: [{apiGroup: apps}]}'
	tells "couldn't init admission plugin \"ValidatingAdmissionWebhook\": kubeConfigFile: Invalid value: \"foo\": must be an absolute file path" \
		ValidatingAdmissionWebhook '{apiVersion: apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration, kubeConfigFile: foo}'
	fails "failed to apply admission: couldn't init admission plugin \"ImagePolicyWebhook\": no config specified" --enable-admission-plugins=ImagePolicyWebhook
	tells "couldn't init admission plugin \"ImagePolicyWebhook\": valid value is between 1s and 30m0s, got 1h23m20s" ImagePolicyWebhook '{imagePolicy: {kubeConfigFile: /none, allowTTL: 5000}}'
	tells "couldn't init admission plugin \"ImagePolicyWebhook\": stat /none: no such file or directory" ImagePolicyWebhook '{imagePolicy: {kubeConfigFile: /none}}'
}

# The last cases have servers of their own.

@test "AlwaysDeny: nothing is made, changed, deleted or connected to" {
	cp_curl /api/v1/namespaces/default/configmaps -H "$json" -d '{"metadata":{"name":"there"}}' -o /dev/null
	again --enable-admission-plugins=AlwaysDeny
	local denied='is forbidden: admission control is denying all modifications'
	[ "$(message /api/v1/namespaces -d '{"metadata":{"name":"x"}}')" = "403 namespaces \"x\" $denied" ]
	[ "$(message /api/v1/namespaces/default/configmaps -d '{"metadata":{"generateName":"x-"}}')" = "403 configmaps \"x-\" $denied" ]
	[ "$(message /api/v1/namespaces/default/configmaps/x -X DELETE)" = '404 configmaps "x" not found' ]
	[ "$(message /api/v1/namespaces/default/configmaps/there -X DELETE)" = "403 configmaps \"there\" $denied" ]
	[ "$(message /api/v1/namespaces/default/configmaps -X DELETE)" = "403 configmaps \"Unknown\" $denied" ]
	[ "$(message /api/v1/namespaces/default/pods/x/exec -X POST)" = "403 pods \"x\" $denied" ]
	[ "$(message /api/v1/namespaces/default/pods/x/proxy)" = "403 pods \"x\" $denied" ]
	[ "$(message /api/v1/namespaces/default/pods/x/eviction -d '{"metadata":{"name":"x"}}')" = "403 pods \"x\" $denied" ]
	[ "$(message /api/v1/namespaces/default/pods/x/binding -d '{"metadata":{"name":"x"},"target":{"name":"n"}}')" = "403 pods \"x\" $denied" ]
	[ "$(message /apis/authorization.k8s.io/v1/selfsubjectaccessreviews -d '{"spec":{"resourceAttributes":{"verb":"get"}}}')" = \
		"403 selfsubjectaccessreviews.authorization.k8s.io \"Unknown\" $denied" ]
	cp_curl /readyz -f
}

judge_pod() {
	message /api/v1/namespaces/default/pods -d "{\"metadata\":{\"name\":\"$1\",\"annotations\":{\"a\":\"b\",\"x.image-policy.k8s.io/y\":\"z\"}},\"spec\":{\"initContainers\":[{\"name\":\"i\",\"image\":\"init\"}],\"containers\":[{\"name\":\"c\",\"image\":\"$2\"}]}}"
}

@test "ImagePolicyWebhook: another server judges images, over TLS" {
	local port judge
	port=$(cp_free_port)
	cat > "$CP_DIR/judge.kubeconfig" <<-YAML
		apiVersion: v1
		kind: Config
		clusters: [{name: c, cluster: {server: "https://127.0.0.1:$port/judge", certificate-authority: $CP_DIR/ca.crt}}]
		users: [{name: u, user: {client-certificate: $CP_DIR/kubelet-client.crt, client-key: $CP_DIR/kubelet-client.key}}]
		contexts: [{name: d, context: {cluster: c, user: u}}]
		current-context: d
	YAML
	echo "imagePolicy: {kubeConfigFile: $CP_DIR/judge.kubeconfig, allowTTL: 50, denyTTL: 50, retryBackoff: 5}" > "$CP_DIR/judge.yaml"
	python3 "$BATS_TEST_DIRNAME/../lib/image-policy" "$port" "$CP_DIR" 3>&- &
	judge=$!
	again --enable-admission-plugins=ImagePolicyWebhook --admission-control-config-file="$CP_DIR/judge.yaml"
	cp_curl /api/v1/namespaces/default/serviceaccounts -H "$json" -d '{"metadata":{"name":"default"}}' -o /dev/null
	[ "$(judge_pod a good)" = ' ' ]
	[ "$(judge_pod b good)" = ' ' ]
	local i
	for i in 1 2; do
		[ "$(judge_pod c bad)" = '403 pods "c" is forbidden: image policy webhook backend denied one or more images: image is bad' ]
	done
	[ "$(judge_pod d unexplained)" = '403 pods "d" is forbidden: one or more images rejected by webhook backend' ]
	[[ $(judge_pod e broken) == '403 pods "e" is forbidden: an error on the server '* ]]
	[[ $(judge_pod f garbled) == '403 pods "f" is forbidden: '* ]]
	[ "$(cp_curl /api/v1/namespaces/default/pods/a/ephemeralcontainers -X PATCH -H 'Content-Type: application/strategic-merge-patch+json' \
		-d '{"spec":{"ephemeralContainers":[{"name":"e","image":"bad"}]}}' -o /dev/null -w '%{http_code}')" = 403 ]
	kill "$judge"
	wait "$judge" || true
	[ "$(judge_pod g good)" = ' ' ] # it is remembered
	[[ $(judge_pod h new) == '403 pods "h" is forbidden: Post "https://127.0.0.1:'* ]]
	# One question for what is asked again; five for what is out of order.
	[ "$(cut -d' ' -f1 "$CP_DIR/reviews" | sort -u)" = '/judge?timeout=30s' ]
	grep -qF '{"apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview", "metadata": {}, "spec": {"annotations": {"x.image-policy.k8s.io/y": "z"}, "containers": [{"image": "good"}, {"image": "init"}], "namespace": "default"}, "status": {"allowed": false}}' "$CP_DIR/reviews"
	[ "$(grep -o '"image": "[a-z]*"' "$CP_DIR/reviews" | sort | uniq -c | tr -s ' ' | sort | tr '\n' ';')" = \
		' 1 "image": "garbled"; 1 "image": "good"; 1 "image": "unexplained"; 2 "image": "bad"; 5 "image": "broken"; 9 "image": "init";' ]
	# Where it is so configured, what nobody judges may run.
	echo "imagePolicy: {kubeConfigFile: $CP_DIR/judge.kubeconfig, defaultAllow: true}" > "$CP_DIR/judge.yaml"
	again --enable-admission-plugins=ImagePolicyWebhook --admission-control-config-file="$CP_DIR/judge.yaml"
	[ "$(judge_pod i new)" = ' ' ]
}
