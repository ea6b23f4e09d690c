BINS += apicodec
apicodec_SRCS := apicodec/main.c
apicodec_LIBS := api
