# Upstream's integration tests against our API server (docs/testing.md): make integration PACKAGES='pods service'
.PHONY: integration
integration: all
	@BIN='$(abspath $(O)/bin)' VERSION=$(VERSION) test/integration/run $(PACKAGES)
