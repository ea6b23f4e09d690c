# Questions to an API server with the answers that are right: docs/testing.md.
BINS += api-cases
api-cases_SRCS := $(wildcard test/api-cases/*.c)
api-cases_LIBS := client
