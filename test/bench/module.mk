# What users feel, in figures (docs/testing.md): make bench, or make bench REF_BIN=dir for ratios to other binaries.
BINS += bench-load
bench-load_SRCS := $(wildcard test/bench/*.c)
bench-load_LIBS := client

.PHONY: bench
bench: all
	@BIN='$(abspath $(O)/bin)' REF_BIN='$(REF_BIN)' test/bench/run $(FOCUS)
