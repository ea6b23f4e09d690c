# Chaos: a cluster under load while things break, and a checker of what clients were told (docs/testing.md).
LIBS += chaos
chaos_SRCS := test/chaos/history.c $(wildcard test/chaos/check*.c) test/chaos/random.c
chaos_DEPS := base

BINS += chaos
chaos_MAIN := test/chaos/main.c test/chaos/plan.c test/chaos/truth.c $(wildcard test/chaos/load*.c)
chaos_LIBS := chaos apiserver

# chaos: SECONDS of faults (120), of a SEED (any), with SERVERS API servers (1 or 2); POINTS=1 visits every failure point instead.
.PHONY: chaos
chaos:
	@$(MAKE) FAIL_POINTS=1 all
	@RUN_SECONDS='$(if $(filter file,$(origin SECONDS)),,$(SECONDS))' SEED='$(SEED)' SERVERS='$(SERVERS)' POINTS='$(POINTS)' test/chaos/run
