# Upstream's own suite against our clusters (docs/testing.md): make conformance, and make swap for one component of ours among others.
.PHONY: conformance swap
conformance: all
	@BIN='$(abspath $(O)/bin)' VERSION=$(VERSION) REF_BIN='$(REF_BIN)' test/conformance/run '$(FOCUS)'
swap: all
	@BIN='$(abspath $(O)/bin)' VERSION=$(VERSION) REF_BIN='$(abspath $(REF_BIN))' test/conformance/swap '$(COMPONENT)' '$(FOCUS)'
