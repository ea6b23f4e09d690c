# What users feel, in figures (docs/testing.md): make bench, or make bench REF_BIN=dir for ratios to other binaries.
BINS += bench-load bench-report
bench-load_SRCS := $(wildcard test/bench/load/*.c)
bench-load_LIBS := client rpc
bench-load_LDLIBS := -lm
bench-report_SRCS := $(wildcard test/bench/report/*.c)
bench-report_LIBS := base
bench-report_LDLIBS := -lm

.PHONY: bench
bench: all
	@BIN='$(abspath $(O)/bin)' OUT='$(abspath $(O)/bench)' REF_BIN='$(REF_BIN)' test/bench/run $(FOCUS)
