# kubec: Kubernetes in C. One non-recursive make; each folder adds a module.mk.
#
#   make                 binaries into build/bin/
#   make SAN=address     the same with a sanitizer (address, undefined, thread), into build/san-address/bin/
#   make FAIL_POINTS=1   the same with failure points (common/base/fail.h), into build/fail-points/bin/
#   make V=1             show the commands

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

SAN ?=
FAIL_POINTS ?=
V ?=
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := v1.34.4

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

O := $(if $(SAN),build/san-$(SAN),$(if $(FAIL_POINTS),build/fail-points,build))
GEN := build/gen

CCACHE := $(shell command -v ccache)
ifneq ($(SAN),)
CC := $(CCACHE) clang-14
else
CC := $(CCACHE) gcc
endif
HOSTCC := $(CCACHE) gcc
export CCACHE_NOHASHDIR := 1

WARNINGS := -Wall -Wextra -Werror -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef -Wvla -Wpointer-arith \
  -Wno-unused-parameter -Wno-missing-field-initializers
CPPFLAGS := -D_GNU_SOURCE -I. -Icommon -I$(GEN) -DKUBEC_VERSION='"$(VERSION)"'
CFLAGS := -std=c17 -fno-strict-aliasing -g1 -ffunction-sections -fdata-sections
LDFLAGS := -Wl,--gc-sections -Wl,--as-needed
ifneq ($(SAN),)
CFLAGS += -O1 -g -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all -DKUBEC_FAIL_POINTS=1
LDFLAGS += -fsanitize=$(SAN)
else
CFLAGS += -O2 -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection
CPPFLAGS += -D_FORTIFY_SOURCE=3
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif

# Every file of ours sees the banned calls as errors; generated files do not.
OURS := $(WARNINGS) -include common/base/banned.h
ifneq ($(SAN),)
OURS += -Wno-unused-variable # clang does not count a cleanup as a use; gcc checks the same code
endif

LIBS :=
BINS :=
GENERATED :=

include $(sort $(wildcard proto/module.mk common/*/module.mk */module.mk deploy/*/module.mk test/*/module.mk))

# libs_of: a library and all it stands on.
libs_of = $(1) $(foreach d,$($(1)_DEPS),$(call libs_of,$(d)))
uniq = $(if $(1),$(firstword $(1)) $(call uniq,$(filter-out $(firstword $(1)),$(1))))
archives = $(foreach l,$(call uniq,$(foreach x,$(1),$(call libs_of,$(x)))),$(O)/lib/lib$(l).a)
ldlibs = $(call uniq,$(foreach l,$(call uniq,$(foreach x,$(1),$(call libs_of,$(x)))),$($(l)_LDLIBS)))
link = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(1) -Wl,--start-group $(call archives,$(2)) -Wl,--end-group $(call ldlibs,$(2)) $(3) -lpthread

# objs_of: the objects of sources. A build with failure points compiles the sources that name them, and shares the others with the plain build.
FAIL_SRCS := $(if $(FAIL_POINTS),$(shell grep -rlE 'base/fail\.h|KUBEC_FAIL_POINTS' --include='*.c' --exclude-dir=build */))
objs_of = $(foreach s,$(1),$(if $(and $(FAIL_POINTS),$(filter-out $(FAIL_SRCS),$(s))),build,$(O))/obj/$(s:.c=.o))

define lib_rule
$(1)_OBJS := $$(call objs_of,$$($(1)_SRCS))
$(O)/lib/lib$(1).a: $$($(1)_OBJS)
	$$(call say,AR,$$@)
	@mkdir -p $$(@D); rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call lib_rule,$(l))))

# A binary x is x_MAIN (or x_SRCS) linked with x_LIBS; where library and binary share a name, x_MAIN tells them apart.
bin_srcs = $(or $($(1)_MAIN),$($(1)_SRCS))
bin_libs = $(or $($(1)_LIBS),$(1))
define bin_rule
$(O)/bin/$(1): $$(call objs_of,$$(call bin_srcs,$(1))) $$(call archives,$$(call bin_libs,$(1)))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(call link,$$(filter %.o,$$^),$$(call bin_libs,$(1)),$$($(1)_LDLIBS))
endef
$(foreach b,$(BINS),$(eval $(call bin_rule,$(b))))

all: $(BINS:%=$(O)/bin/%)

# Generated sources live in build/gen and are compiled without our warnings.
define obj_rules
$(1)/$(GEN)/%.o: $(GEN)/%.c
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $$(CFLAGS) -MMD -MP -c -o $$@ $$<

$(1)/%.o: %.c | $$(GENERATED)
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $$(CFLAGS) $$(OURS) $$(EXTRA_CFLAGS) -MMD -MP -c -o $$@ $$<
endef
$(foreach d,$(sort $(O)/obj $(if $(FAIL_POINTS),build/obj)),$(eval $(call obj_rules,$(d))))
build/fail-points/obj/%.o: CFLAGS += -DKUBEC_FAIL_POINTS=1

# Unit tests: test/unit/<library>/*_test.c, one program each, linked with that library.
UNIT_SRCS := $(shell find test/unit -name '*_test.c' 2>/dev/null | sort)
unit_lib = $(word 3,$(subst /, ,$(1)))
define unit_rule
$(O)/$(basename $(1)): $(O)/obj/$(basename $(1)).o $$(call archives,$(call unit_lib,$(1)) $$(UNIT_LIBS))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(call link,$$<,$(call unit_lib,$(1)) $$(UNIT_LIBS),-lcmocka)
endef
$(foreach t,$(UNIT_SRCS),$(eval $(call unit_rule,$(t))))
$(fuzz_rules)
# The corpora of the fuzz targets are run among them; one thread each, so that the thread sanitizer has nothing to see.
UNIT_BINS := $(patsubst %.c,$(O)/%,$(UNIT_SRCS)) $(if $(filter thread,$(SAN)),,$(CORPUS_BINS))

# unit: builds and runs the unit tests of this variant. ONLY=api runs those of one library.
ONLY ?=
unit: $(if $(ONLY),$(filter $(O)/test/unit/$(ONLY)/% $(O)/test/fuzz/$(ONLY)/%,$(UNIT_BINS)),$(UNIT_BINS))
	@test/run-unit $^
unit-bins: $(UNIT_BINS)

clean:
	rm -rf build

lib-%: $(O)/lib/lib%.a
	@:
.PHONY: all unit unit-bins clean

-include $(shell find $(O)/obj $(if $(FAIL_POINTS),build/obj) -name '*.d' 2>/dev/null)
