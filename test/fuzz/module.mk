# A fuzz target is test/fuzz/LIBRARY/NAME.c, linked with that library: once with libFuzzer for `make fuzz`, and once with
# rerun.c, which runs its corpus as an ordinary test among the unit tests.
FUZZ_SRCS := $(sort $(wildcard test/fuzz/*/*.c))
FUZZ_SAN := address,undefined,fuzzer-no-link
FUZZ_TARGETS := $(notdir $(basename $(FUZZ_SRCS)))
SECONDS ?= 60
TARGET ?=

fuzz_lib = $(word 3,$(subst /, ,$(1)))
define fuzz_rule
$(O)/$(basename $(1)): $(O)/obj/$(basename $(1)).o $(O)/obj/test/fuzz/rerun.o $$(call archives,$(call fuzz_lib,$(1)) base)
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(call link,$$(filter %.o,$$^),$(call fuzz_lib,$(1)) base)
$(O)/fuzz/$(notdir $(basename $(1))): $(O)/obj/$(basename $(1)).o $$(call archives,$(call fuzz_lib,$(1)) base)
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(call link,$$<,$(call fuzz_lib,$(1)) base,-fsanitize=fuzzer)
endef

# Deferred: the libraries' dependencies are known once all modules are read.
fuzz_rules = $(foreach t,$(FUZZ_SRCS),$(eval $(call fuzz_rule,$(t))))
CORPUS_BINS := $(FUZZ_SRCS:%.c=$(O)/%)

# fuzz: runs each target (or TARGET) for SECONDS; TARGET=list names them. An input that fails stays under build/fuzz.
fuzz:
ifeq ($(TARGET),list)
	@printf '%s\n' $(sort $(FUZZ_TARGETS))
else
	@$(MAKE) SAN=$(FUZZ_SAN) $(patsubst %,build/san-$(FUZZ_SAN)/fuzz/%,$(or $(TARGET),$(FUZZ_TARGETS)))
	@test/run-fuzz build/san-$(FUZZ_SAN)/fuzz $(SECONDS) $(sort $(or $(TARGET),$(FUZZ_TARGETS)))
endif
.PHONY: fuzz
