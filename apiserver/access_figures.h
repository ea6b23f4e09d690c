/*
 * What is counted of who asks and whether he may: lock-free, written at a scrape.
 *
 * Threads: any.
 */
#ifndef APISERVER_ACCESS_FIGURES_H
#define APISERVER_ACCESS_FIGURES_H

#include "apiserver/authn/user.h"
#include "apiserver/authz/authz.h"
#include "base/str.h"
#include "base/tally.h"

enum { ACCESS_NAMES = 7 };
/* It is known who asks; he says who he is, and is not believed; he does not say. */
enum access_result { ACCESS_SUCCESS, ACCESS_ERROR, ACCESS_FAILURE, ACCESS_RESULTS };

/* What a request passes before it is looked at. */
enum access_filter { ACCESS_AUTHENTICATION, ACCESS_IMPERSONATION, ACCESS_AUTHORIZATION, ACCESS_FILTERS };

struct access_figures {
	struct tally_slot identified[ACCESS_RESULTS];
	struct tally_slot decided[3]; /* by enum authz_decision */
	struct tally_slot filtered[ACCESS_FILTERS];
	struct tally_slot certificates;		   /* seconds that certificates go on to be valid */
	atomic_uint_least64_t users[ACCESS_NAMES]; /* requests by who asks, as far as the original tells them apart */
};

/* user NULL: it is not known who asks. now_s: what certificates are held against. */
void access_identified(struct access_figures *figures, enum access_result result, const struct user *user,
	double seconds, int64_t now_s);
void access_decided(struct access_figures *figures, enum authz_decision decision, double seconds);
void access_filtered(struct access_figures *figures, enum access_filter filter, double seconds);
void access_write(const struct access_figures *figures, struct strbuf *out);

#endif
