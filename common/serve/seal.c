#include "serve/seal.h"

#include <assert.h>
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/mem.h"

#if __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEAD = 5, TAG = 16, IV = 12, APPLICATION_DATA = 23, CACHE_LINE = 64 };
_Static_assert(SEAL_OVERHEAD == HEAD + 1 + TAG, "head, type, tag");

/* RFC 8446 5.5 allows 2^24.5 records of a key. */
#define WORN_RECORDS (UINT64_C(1) << 23)

struct seal {
	struct gcm_key_data key; /* aligned, so first */
	/* The library's code for keys of this length on this processor. */
	aes_gcm_init_t begin;
	aes_gcm_enc_dec_update_t update;
	aes_gcm_enc_dec_finalize_t end;
	uint8_t iv[IV];
	uint64_t number; /* of the next record */
};

/* The functions for this processor; the manager's jobs are not used, so all threads may share it. */
static IMB_MGR *manager;
static pthread_once_t manager_once = PTHREAD_ONCE_INIT;

/* Gives back the pages of the code that an address is in: what is needed again comes from the file. */
static int give_back_code(struct dl_phdr_info *info, size_t size, void *address)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), wanted = (uintptr_t)address;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uintptr_t from = info->dlpi_addr + p->p_vaddr, to = from + p->p_memsz;
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || p->p_flags & PF_W || wanted < from || wanted >= to)
			continue;
		const uintptr_t start = from & ~(page - 1);
		(void)madvise((void *)start, to - start, MADV_DONTNEED);
		return 1;
	}
	return 0;
}

static void find_manager(void)
{
	const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
	IMB_ARCH arch;
	manager = alloc_mb_mgr(0);
	if (!manager)
		return;
	init_mb_mgr_auto(manager, &arch);
	if ((manager->features & needed) != needed || imb_get_errno(manager)) {
		free_mb_mgr(manager);
		manager = NULL;
		return;
	}
	/* It has tried all its ciphers: three MiB of code, of which next to nothing is used again. */
	dl_iterate_phdr(give_back_code, (void *)(uintptr_t)manager->gcm128_init);
}

static bool is_ours(gnutls_session_t session, size_t key_size)
{
	gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(session);
	return gnutls_protocol_get_version(session) == GNUTLS_TLS1_3 &&
	       ((cipher == GNUTLS_CIPHER_AES_128_GCM && key_size == 16) ||
		       (cipher == GNUTLS_CIPHER_AES_256_GCM && key_size == 32)) &&
	       gnutls_record_get_max_size(session) >= SEAL_MOST_BYTES;
}

static void set_key(struct seal *seal, const gnutls_datum_t *key)
{
	if (key->size == 32) {
		IMB_AES256_GCM_PRE(manager, key->data, &seal->key);
		seal->begin = manager->gcm256_init;
		seal->update = manager->gcm256_enc_update;
		seal->end = manager->gcm256_enc_finalize;
	} else {
		IMB_AES128_GCM_PRE(manager, key->data, &seal->key);
		seal->begin = manager->gcm128_init;
		seal->update = manager->gcm128_enc_update;
		seal->end = manager->gcm128_enc_finalize;
	}
}

struct seal *seal_new(gnutls_session_t session)
{
	gnutls_datum_t iv, key;
	uint8_t number[8];
	pthread_once(&manager_once, find_manager);
	if (!manager || gnutls_record_get_state(session, 0, NULL, &iv, &key, number) != 0 || iv.size != IV ||
		!is_ours(session, key.size))
		return NULL;
	struct seal *seal;
	if (posix_memalign((void **)&seal, 64, sizeof(*seal)))
		return NULL;
	set_key(seal, &key);
	memcpy(seal->iv, iv.data, IV);
	memcpy(&seal->number, number, sizeof(number));
	seal->number = be64toh(seal->number);
	return seal;
}

void seal_free(struct seal *seal, gnutls_session_t session)
{
	if (!seal)
		return;
	const uint64_t number = htobe64(seal->number);
	int r = gnutls_record_set_state(session, 0, (const unsigned char *)&number);
	assert(r == 0);
	explicit_bzero(seal, sizeof(*seal));
	free(seal);
}

size_t seal_record(struct seal *seal, const struct iovec *pieces, size_t n, char *out)
{
	static const uint8_t type = APPLICATION_DATA;
	struct gcm_context_data context;
	uint8_t iv[IV], *at = (uint8_t *)out + HEAD;
	const uint64_t number = htobe64(seal->number++);
	size_t size = 0;
	for (size_t i = 0; i < n; i++)
		size += pieces[i].iov_len;
	assert(size <= SEAL_MOST_BYTES);
	const uint16_t length = htobe16((uint16_t)(size + 1 + TAG));
	memcpy(out, (const uint8_t[]){APPLICATION_DATA, 3, 3}, 3);
	memcpy(out + 3, &length, sizeof(length));
	memcpy(iv, seal->iv, IV);
	for (size_t i = 0; i < sizeof(number); i++)
		iv[IV - sizeof(number) + i] ^= ((const uint8_t *)&number)[i];
	seal->begin(&seal->key, &context, iv, (const uint8_t *)out, HEAD);
	for (size_t i = 0; i < n; i++) {
		seal->update(&seal->key, &context, at, pieces[i].iov_base, pieces[i].iov_len);
		at += pieces[i].iov_len;
	}
	seal->update(&seal->key, &context, at++, &type, 1);
	seal->end(&seal->key, &context, at, TAG);
	return HEAD + size + 1 + TAG;
}

void seal_prefetch(const struct seal *seal)
{
	for (size_t i = 0; i < sizeof(*seal); i += CACHE_LINE)
		__builtin_prefetch((const char *)seal + i);
}

bool seal_worn(const struct seal *seal)
{
	return seal->number >= WORN_RECORDS;
}

#else

struct seal *seal_new(gnutls_session_t session)
{
	return NULL;
}

void seal_free(struct seal *seal, gnutls_session_t session)
{
	assert(!seal);
}

size_t seal_record(struct seal *seal, const struct iovec *pieces, size_t n, char *out)
{
	abort();
}

void seal_prefetch(const struct seal *seal)
{
	abort();
}

bool seal_worn(const struct seal *seal)
{
	abort();
}

#endif
