# How everything is proved; docs/testing.md says what each command shows.
.PHONY: check test test-unit test-wire test-e2e test-tsan tsan-run fail-points

# check: format, layers, banned words and calls, lint.
check: $(GENERATED)
	$(call say,CHECK,format)
	$(Q)test/check/format
	$(call say,CHECK,layering)
	$(Q)test/check/layering
	$(call say,CHECK,words)
	$(Q)test/check/words
	$(call say,CHECK,lint)
	$(Q)test/check/lint

# fail-points: the API server with failure points (common/base/fail.h), for the cases that order it to wait or die in a place.
fail-points: all
	@$(MAKE) FAIL_POINTS=1 build/fail-points/bin/kube-apiserver

# test: unit tests under sanitizers, wire tests against real binaries, a short end-to-end run on a real cluster.
test: all fail-points
	@test/run-all

test-unit:
	@$(MAKE) SAN=address,undefined unit
# test-wire: with SAN=, any report of a process fails it.
test-wire: all $(if $(SAN),,fail-points)
	@$(if $(SAN),test/run-sanitized $(O),test/run-bats test/wire)
# test-e2e: the whole suite against a cluster of its own; FOCUS=word runs the cases whose name has the word.
test-e2e: all
	@test/run-e2e '$(FOCUS)'
# test-tsan: unit and wire tests under ThreadSanitizer.
test-tsan:
	@$(MAKE) SAN=thread tsan-run
tsan-run: all unit-bins
	@test/run-sanitized $(O) $(UNIT_BINS)
