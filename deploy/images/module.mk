# pause is static: its image holds nothing else.
all: build/bin/pause
build/bin/pause: deploy/images/pause.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=c17 -D_GNU_SOURCE $(WARNINGS) -Os -static -s -o $@ $<
