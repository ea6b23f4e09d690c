# libFuzzer targets for every decoder; test/unit/api/corpus_test.c reruns their corpora as an ordinary test.
#	make fuzz FUZZ=json SECONDS=60
API_FUZZERS := json yaml protobuf selector quantity patch
CLIENT_FUZZERS := websocket spdy kubeconfig http_head
CLIENT_FUZZ_LIBS = $(O)/lib/libclient.a $(O)/lib/libnet.a $(O)/lib/libapi.a $(O)/lib/libbase.a
FUZZ_SAN := address,undefined,fuzzer-no-link
SECONDS ?= 60

ifeq ($(SAN),$(FUZZ_SAN))
$(API_FUZZERS:%=$(O)/fuzz/%): $(O)/fuzz/%: $(O)/obj/test/fuzz/%.o $(O)/lib/libapi.a $(O)/lib/libbase.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(O)/lib/libapi.a $(O)/lib/libbase.a $(api_LDLIBS) -lpthread
$(CLIENT_FUZZERS:%=$(O)/fuzz/%): $(O)/fuzz/%: $(O)/obj/test/fuzz/%.o $(CLIENT_FUZZ_LIBS)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(CLIENT_FUZZ_LIBS) -Wl,--end-group \
		$(call ldlibs,client) -lpthread
fuzz-run: $(O)/fuzz/$(FUZZ)
	@mkdir -p $(O)/fuzz/new/$(FUZZ)
	$(O)/fuzz/$(FUZZ) -max_total_time=$(SECONDS) -rss_limit_mb=2048 -timeout=10 -artifact_prefix=$(O)/fuzz/ \
		$(O)/fuzz/new/$(FUZZ) test/fuzz/corpus/$(FUZZ)
endif

# fuzz: runs one target for a while; what it finds new stays under build/, a crash is a file beside the program.
fuzz:
	@$(MAKE) SAN=$(FUZZ_SAN) FUZZ=$(FUZZ) SECONDS=$(SECONDS) fuzz-run
.PHONY: fuzz fuzz-run
