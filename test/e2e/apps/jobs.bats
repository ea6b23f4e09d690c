# Jobs and what starts them by the clock.
load ../../lib/e2e.bash

job() { # NAME SPEC COMMAND: a job whose container runs that shell command
	k create -f - <<-Y
		apiVersion: batch/v1
		kind: Job
		metadata: {name: $1}
		spec: {${2:+$2, }template: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: 0, containers: [{name: c, image: "$IMAGE", command: [sh, -c, '$3']}]}}}
	Y
}

# bats test_tags=short
@test "apps: a job runs its pods to the end, so many at a time" {
	job j 'completions: 3, parallelism: 2' 'exit 0'
	k wait --for=condition=Complete job/j --timeout=60s
	assert_equal "3 CompletionsReached" "$(field job/j .status.succeeded) $(condition job/j Complete .reason)"
	[ -n "$(field job/j .status.completionTime)" ]
	assert_equal 3 "$(count_pods -l job-name=j,batch.kubernetes.io/job-name=j)"
}

# bats test_tags=short
@test "apps: an indexed job gives each pod its number" {
	job j 'completions: 3, parallelism: 3, completionMode: Indexed' 'echo index $JOB_COMPLETION_INDEX'
	k wait --for=condition=Complete job/j --timeout=60s
	assert_equal 0-2 "$(field job/j .status.completedIndexes)"
	assert_equal "index 0 index 1 index 2" "$(k logs -l job-name=j | sort | xargs)"
	assert_equal "j-0 j-1 j-2" "$(k get pods -l job-name=j -o 'jsonpath={range .items[*]}{.spec.hostname}{"\n"}{end}' | sort | xargs)"
}

@test "apps: a job that fails too often is given up" {
	job j 'backoffLimit: 1' 'exit 3'
	k wait --for=condition=Failed job/j --timeout=90s
	assert_equal "BackoffLimitExceeded 2" "$(condition job/j Failed .reason) $(field job/j .status.failed)"
	assert_contains "$(k get events --field-selector involvedObject.name=j)" 'Job has reached the specified backoff limit'
}

@test "apps: a failure policy ends a job at once, or does not count the failure" {
	job ends 'backoffLimit: 6, podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}' 'exit 42'
	k wait --for=condition=Failed job/ends --timeout=60s
	assert_equal "PodFailurePolicy 1" "$(condition job/ends Failed .reason) $(field job/ends .status.failed)"
	assert_contains "$(k get job ends -o 'jsonpath={.status.conditions[?(@.type=="Failed")].message}')" "failed with exit code 42 matching FailJob rule at index 0"
}

@test "apps: an index that may fail does not end the others" {
	job j 'completions: 2, parallelism: 2, completionMode: Indexed, backoffLimitPerIndex: 0' 'exit $JOB_COMPLETION_INDEX'
	k wait --for=condition=Failed job/j --timeout=60s
	assert_equal "FailedIndexes 0 1" "$(condition job/j Failed .reason) $(field job/j '.status.completedIndexes} {.status.failedIndexes')"
}

@test "apps: a suspended job has no pods until it is resumed, and none again when suspended" {
	job j 'suspend: true' 'sleep 600'
	becomes 20 JobSuspended condition job/j Suspended .reason
	assert_equal 0 "$(count_pods)"
	k patch job j -p '{"spec":{"suspend":false}}'
	becomes 40 1 field job/j .status.ready
	k patch job j -p '{"spec":{"suspend":true}}'
	becomes 40 0 count_pods
	assert_equal "True" "$(k get job j -o 'jsonpath={.status.conditions[?(@.type=="Suspended")].status}')"
}

@test "apps: a job past its deadline is ended with its pods" {
	job j 'activeDeadlineSeconds: 2' 'sleep 600'
	k wait --for=condition=Failed job/j --timeout=60s
	assert_equal DeadlineExceeded "$(condition job/j Failed .reason)"
	becomes 40 0 count_pods --field-selector status.phase=Running
}

@test "apps: a finished job goes when its time is over" {
	job j 'ttlSecondsAfterFinished: 1' 'exit 0'
	k wait --for=delete job/j --timeout=60s
	becomes 30 0 count_pods
}

@test "apps: a deleted job takes its pods along" {
	job j '' 'sleep 600'
	becomes 30 1 count_pods
	k delete job j
	becomes 40 0 count_pods
}

@test "apps: a cron job starts a job on its minute, and keeps to its policy" {
	k create cronjob c --image=$IMAGE --schedule='* * * * *' -- sh -c 'sleep 600'
	k patch cronjob c -p '{"spec":{"concurrencyPolicy":"Forbid"}}'
	wait_until 90 sh -c "[ -n \"\$($KUBECTL -n $NS get jobs -o name)\" ]"
	job=$(k get jobs -o 'jsonpath={.items[0].metadata.name}')
	assert_equal "CronJob c" "$(field "job/$job" '.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].name')"
	becomes 20 "$job" field cronjob/c '.status.active[*].name'
	[ -n "$(field cronjob/c .status.lastScheduleTime)" ]
	k delete cronjob c
	becomes 40 "" k get jobs -o name
}

# bats test_tags=short
@test "apps: a job is made by hand from a cron job that is suspended" {
	k create cronjob c --image=$IMAGE --schedule='0 0 1 1 *' -- sh -c 'echo ran'
	k patch cronjob c -p '{"spec":{"suspend":true}}'
	k create job now --from=cronjob/c
	k wait --for=condition=Complete job/now --timeout=60s
	assert_equal ran "$(k logs job/now)"
	assert_equal manual "$(field job/now '.metadata.annotations.cronjob\.kubernetes\.io/instantiate')"
	refuses 'spec.schedule: Invalid value: "every day"' k create cronjob d --image=i --schedule='every day'
}

@test "apps: deployments with Recreate never run two templates together" {
	k create -f - <<-Y
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: d}
		spec:
		  replicas: 2
		  strategy: {type: Recreate}
		  selector: {matchLabels: {app: d}}
		  template:
		    metadata: {labels: {app: d}}
		    spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "localhost/test:1"}]}
	Y
	k rollout status deployment/d --timeout=60s
	k get pods -l app=d -w --no-headers -o 'custom-columns=I:.spec.containers[0].image,P:.status.phase,D:.metadata.deletionTimestamp,N:.metadata.name' >"$BATS_TEST_TMPDIR/w" 2>&1 3>&- &
	at_end kill $!
	k set image deployment/d c=localhost/test:2
	k rollout status deployment/d --timeout=60s
	becomes 20 "2" sh -c "awk '/test:2.*Running/ {print \$4}' '$BATS_TEST_TMPDIR/w' | sort -u | wc -l"
	first_new=$(grep -n 'test:2' "$BATS_TEST_TMPDIR/w" | head -n 1 | cut -d: -f1)
	assert_equal 0 "$(tail -n +"$first_new" "$BATS_TEST_TMPDIR/w" | grep -c 'test:1 *Running *<none>')"
}
