#!/usr/bin/env bats
# What is served and what is not, as --runtime-config says.

setup() { source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"; }
teardown() { cp_stop; }

told() { cp_curl "$1" "${@:3}" | jq -c "$2"; }
code() { cp_curl "$1" -o "$CP_DIR/answer" -w '%{http_code}'; }

@test "versions and resources that are turned off are nowhere: paths, discovery, OpenAPI, API services" {
	local aggregated='Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
	CP_FLAGS=--runtime-config=apps/v1=false,batch/v1/cronjobs=false,autoscaling/v2=false,policy/v1/poddisruptionbudgets=0,networking.k8s.io/v1= cp_start
	for path in /apis/apps /apis/apps/v1 /apis/apps/v1/deployments /apis/apps/v1/namespaces/default/deployments/a /apis/policy; do
		[ "$(code $path)" = 404 ]
		[ "$(cat "$CP_DIR/answer")" = "404 page not found" ]
	done
	for path in /apis/autoscaling/v2 /apis/autoscaling/v2/horizontalpodautoscalers /apis/batch/v1/cronjobs /apis/batch/v1/namespaces/default/cronjobs/a; do
		[ "$(code $path)" = 404 ]
		[ "$(jq -r .message "$CP_DIR/answer")" = "the server could not find the requested resource" ]
	done
	[ "$(code /apis/batch/v1/jobs)" = 200 ]
	[ "$(code /apis/autoscaling/v1/horizontalpodautoscalers)" = 200 ]
	[ "$(told /apis '[.groups[] | select(.name == "apps" or .name == "policy" or .name == "autoscaling").versions[].groupVersion]')" = '["autoscaling/v1"]' ]
	[ "$(told /apis/batch/v1 '[.resources[].name]')" = '["jobs","jobs/status"]' ]
	[ "$(told /apis '[.items[] | select(.metadata.name == "batch" or .metadata.name == "policy" or .metadata.name == "autoscaling").versions[] | .version, .resources[].resource]' \
		-H "$aggregated")" = '["v1","horizontalpodautoscalers","v1","jobs"]' ]
	[ "$(told / '[.paths[] | select(test("^/apis/(apps|policy|autoscaling)"))]')" = '["/apis/autoscaling","/apis/autoscaling/v1"]' ]
	[ "$(told /openapi/v3 '[.paths | keys[] | select(test("^apis/(apps|policy|autoscaling)"))]')" = '["apis/autoscaling","apis/autoscaling/v1"]' ]
	[ "$(told /openapi/v2 '[.definitions | keys[] | select(test("Deployment|CronJob|api.batch.v1.JobList|policy"))]')" = '["io.k8s.api.batch.v1.JobList","io.k8s.api.policy.v1.Eviction"]' ]
	services() { [ "$(told /apis/apiregistration.k8s.io/v1/apiservices '[.items[].metadata.name | select(test("apps|policy|autoscaling|flowcontrol"))]')" = "$1" ]; }
	cp_wait services '["v1.autoscaling","v1.flowcontrol.apiserver.k8s.io"]'
}

@test "an API service of a version that is no longer served goes" {
	cp_start
	cp_wait cp_curl /apis/apiregistration.k8s.io/v1/apiservices/v1.flowcontrol.apiserver.k8s.io -f
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" || true
	CP_FLAGS=--runtime-config=apps/v1=false cp_start_apiserver
	gone() { [ "$(code /apis/apiregistration.k8s.io/v1/apiservices/v1.apps)" = 404 ]; }
	cp_wait gone
	[ "$(code /apis/apiregistration.k8s.io/v1/apiservices/v1.batch)" = 200 ]
}

@test "what --runtime-config and --feature-gates cannot mean ends the start, with the reason" {
	cp_new
	export CP_ETCD=http://127.0.0.1:1
	refused() { # VALUE REASON [FLAG]
		! CP_FLAGS="--${3:-runtime-config}=$1" CP_PORT=1 timeout 20 bash -c 'source "$0"; cp_wait() { wait "$CP_APISERVER_PID"; }; cp_start_apiserver' "$cp_root/test/lib/control-plane.bash"
		grep -qFe "$2" "$CP_DIR/apiserver.log" || { tail -n 3 "$CP_DIR/apiserver.log"; return 1; }
	}
	refused api/all=false '[--runtime-config=api/all=false conflicts with --enable-priority-and-fairness=true, invalid key with only api/all=false]'
	refused api/ga=false '--runtime-config=api/ga=false conflicts with --enable-priority-and-fairness=true'
	refused foo=true 'runtime-config invalid key foo'
	refused a/b/c/d=true 'runtime-config invalid key a/b/c/d'
	refused foo/v1=true 'unknown api groups foo'
	refused apps/v9=true 'group version apps/v9 that has not been registered'
	refused api/beta=x 'invalid value api/beta=x'
	refused apps/v1=maybe 'invalid value of apps/v1: maybe, err: strconv.ParseBool: parsing'
	refused foo:X=true 'component not registered: foo' feature-gates
	refused NoSuch=true,AllBeta=true 'unrecognized feature gate: NoSuch' feature-gates
	refused kube:SidecarContainers=false 'cannot set feature gate SidecarContainers to false, feature is locked to true' feature-gates
	refused AllowServiceLBStatusOnNonLB=1 'cannot set feature gate AllowServiceLBStatusOnNonLB to true, feature is locked to false' feature-gates
	refused WatchList 'missing bool value for WatchList' feature-gates
	refused WatchList=x 'invalid value of WatchList=x, err: strconv.ParseBool: parsing ' feature-gates
	refused apps/v1/Deployments=true 'invalid key apps/v1/Deployments: group/version/resource and resource is always lowercase plural, not'
}
