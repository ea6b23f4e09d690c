#!/usr/bin/env bats
# Requests one after another, each answered as Kubernetes itself answered it (test/data/scenarios).

setup_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	command -v etcd > /dev/null || skip "etcd is not installed"
	CP_FLAGS="--enable-admission-plugins=NodeRestriction --service-account-max-token-expiration=24h" cp_start
	cp_wait cp_curl /api/v1/namespaces/default -f
	export CP_APISERVER_PID CP_ETCD_PID CP_PORT CP_ETCD_PORT
}

teardown_file() {
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	cp_stop
}

play() {
	"$BATS_TEST_DIRNAME/../lib/scenarios" "$BATS_TEST_DIRNAME/../data/scenarios/$1"
}

@test "evictions under budgets, and bindings" {
	play eviction.txt
}

@test "deletions of one and of many, finalizers, generated names, namespaces" {
	play deletion.txt
}

@test "nobody grants what he does not have, or is somebody else without leave" {
	play access.txt
}

@test "addresses and node ports that Services ask for" {
	play services.txt
}

@test "limits of a namespace" {
	play limits.txt
}

@test "tokens, scales, statuses, certificate requests" {
	play tokens.txt
}

@test "options of requests, bodies that are none, values of wrong types, patches that do not fit" {
	play options.txt
}

@test "metadata that a kind's own check of an update goes through once more" {
	play metadata.txt
}

@test "what conversions refuse and make anew: former fields, JSON within objects, versions and names that are none" {
	play conversions.txt
}

@test "classes that are given to what names none" {
	play classes.txt
}

@test "nodes see and change what is theirs" {
	play nodes.txt
}

@test "cells of Tables" {
	play tables.txt
}

@test "what is warned of, and done all the same" {
	play warnings.txt
}

# play_with FLAGS FILE: on a server of its own.
play_with() {
	local played=0
	source "$BATS_TEST_DIRNAME/../lib/control-plane.bash"
	CP_PORT="" CP_FLAGS="$1 --advertise-address=192.0.2.2" cp_start_apiserver
	play "$2" || played=1
	kill "$CP_APISERVER_PID"
	wait "$CP_APISERVER_PID" 2> /dev/null || true
	[ "$played" = 0 ]
}

@test "what plugins refuse that are to be asked for" {
	local plugins=OwnerReferencesPermissionEnforcement,DenyServiceExternalIPs,LimitPodHardAntiAffinityTopology,NamespaceExists
	play_with "--enable-admission-plugins=$plugins" restraints.txt
}

@test "what comes into a namespace that is not there, where nobody looks" {
	play_with --disable-admission-plugins=NamespaceLifecycle,ServiceAccount lifeless.txt
}

@test "the Pod Security Standards: levels and versions, warnings of templates, labels of namespaces" {
	play pod-security.txt
}
