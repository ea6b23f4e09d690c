#include "serve/outlet.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include "base/mem.h"

struct outlet {
	int fd;
	gnutls_session_t session;
	struct seal *seal; /* NULL: GnuTLS makes the records, or there are none */
	bool flushing;	   /* GnuTLS holds a record that is half sent */
	/* What the socket did not take, as it is given to it, or to GnuTLS. */
	char *rest;
	size_t from, to;
};

struct outlet *outlet_new(int fd, gnutls_session_t session)
{
	struct outlet *o = mem_zalloc(sizeof(*o));
	o->fd = fd;
	o->session = session;
	o->seal = session ? seal_new(session) : NULL;
	return o;
}

void outlet_free(struct outlet *o)
{
	if (!o)
		return;
	seal_free(o->seal, o->session);
	free(o->rest);
	free(o);
}

void outlet_prefetch(const struct outlet *o)
{
	if (o->seal)
		seal_prefetch(o->seal);
}

bool outlet_fits(const struct outlet_room *room)
{
	return sizeof(room->data) - room->size >= SEAL_MOST_BYTES + SEAL_OVERHEAD;
}

/* Cuts a record's worth off the front. */
static size_t cut(struct outlet_pieces *pieces, struct iovec *out)
{
	size_t n = 0;
	for (size_t left = SEAL_MOST_BYTES; left && pieces->at < pieces->n; n++) {
		struct iovec *from = &pieces->v[pieces->at];
		out[n] = (struct iovec){from->iov_base, from->iov_len < left ? from->iov_len : left};
		left -= out[n].iov_len;
		from->iov_base = (char *)from->iov_base + out[n].iov_len;
		from->iov_len -= out[n].iov_len;
		if (!from->iov_len)
			pieces->at++;
	}
	if (pieces->at == pieces->n)
		pieces->at = pieces->n = 0;
	return n;
}

void outlet_add(struct outlet *o, struct outlet_room *room, struct outlet_pieces *pieces)
{
	struct iovec record[OUTLET_PIECES];
	assert(outlet_fits(room));
	size_t n = cut(pieces, record);
	if (n && o->seal)
		room->size += seal_record(o->seal, record, n, room->data + room->size);
	for (size_t i = 0; i < n && !o->seal; i++) {
		memcpy(room->data + room->size, record[i].iov_base, record[i].iov_len);
		room->size += record[i].iov_len;
	}
}

/* As much as goes: how much that is, or -1 and errno. */
static ssize_t transmit(struct outlet *o, const char *data, size_t size)
{
	if (!o->session || o->seal)
		return send(o->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (size > SEAL_MOST_BYTES)
		size = SEAL_MOST_BYTES;
	ssize_t r = o->flushing ? gnutls_record_send(o->session, NULL, 0) : gnutls_record_send(o->session, data, size);
	o->flushing = r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
	errno = o->flushing ? EAGAIN : ECONNRESET;
	return r < 0 ? -1 : r;
}

static enum outlet_state transmit_all(struct outlet *o, const char *data, size_t size, size_t *ret_sent)
{
	for (*ret_sent = 0; *ret_sent < size;) {
		ssize_t n = transmit(o, data + *ret_sent, size - *ret_sent);
		if (n >= 0)
			*ret_sent += (size_t)n;
		else if (errno == EAGAIN)
			return OUTLET_FULL;
		else if (errno != EINTR)
			return OUTLET_BROKEN;
	}
	return OUTLET_CLEAR;
}

static void hold(struct outlet *o, const char *data, size_t size)
{
	o->rest = mem_realloc(o->rest, o->to + size);
	memcpy(o->rest + o->to, data, size);
	o->to += size;
}

static enum outlet_state push_rest(struct outlet *o)
{
	size_t sent;
	enum outlet_state state = transmit_all(o, o->rest + o->from, o->to - o->from, &sent);
	o->from += sent;
	if (state == OUTLET_CLEAR) {
		free(STEAL(o->rest));
		o->from = o->to = 0;
	}
	return state;
}

static enum outlet_state pushed(struct outlet *o, struct outlet_room *room, enum outlet_state state, size_t sent)
{
	if (state == OUTLET_FULL && sent < room->size)
		hold(o, room->data + sent, room->size - sent);
	room->size = 0;
	/* From here on GnuTLS seals, which sees to the new key. */
	if (state == OUTLET_CLEAR && o->seal && seal_worn(o->seal))
		seal_free(STEAL(o->seal), o->session);
	return state;
}

enum outlet_state outlet_push(struct outlet *o, struct outlet_room *room)
{
	size_t sent = 0;
	enum outlet_state state = o->rest ? push_rest(o) : OUTLET_CLEAR;
	if (state == OUTLET_CLEAR)
		state = transmit_all(o, room->data, room->size, &sent);
	return pushed(o, room, state, sent);
}

bool outlet_is_direct(const struct outlet *o)
{
	return !o->rest && (o->seal || !o->session);
}

int outlet_fd(const struct outlet *o)
{
	return o->fd;
}

enum outlet_state outlet_pushed(struct outlet *o, struct outlet_room *room, ssize_t result)
{
	size_t sent = result > 0 ? (size_t)result : 0, more = 0;
	enum outlet_state state = OUTLET_BROKEN;
	if (result >= 0)
		state = transmit_all(o, room->data + sent, room->size - sent, &more);
	else if (result == -EAGAIN || result == -EINTR)
		state = OUTLET_FULL;
	return pushed(o, room, state, sent + more);
}
