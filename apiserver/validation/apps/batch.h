/*
 * Checks of Jobs and CronJobs. An update's check asks all that the original asks of an update, the metadata excepted.
 */
#ifndef APISERVER_VALIDATION_BATCH_H
#define APISERVER_VALIDATION_BATCH_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_job(struct field_errors *errors, const BatchV1Job *job);
void validate_job_update(struct field_errors *errors, const BatchV1Job *job, const BatchV1Job *old);
void validate_job_status(struct field_errors *errors, const BatchV1Job *job, const BatchV1Job *old);
void validate_cron_job(struct field_errors *errors, const BatchV1CronJob *job);
void validate_cron_job_update(struct field_errors *errors, const BatchV1CronJob *job, const BatchV1CronJob *old);

/* What a Job's spec is asked wherever it stands; not its selector. */
void validate_job_spec(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec);
/* "1,3-5": indexes below completions, in order. What is wrong, or NULL; *ret_total counts them. */
const char *check_indexes(struct arena *arena, const char *text, int32_t completions, int32_t *ret_total);
/* Whether an index is in both; *ret_index on success. Parts that do not parse are passed over. */
bool indexes_overlap(struct arena *arena, const char *a, const char *b, int32_t completions, int32_t *ret_index);
/* Five fields, or @hourly and so on. What is wrong in the words of the parser of the original, or NULL. */
const char *check_schedule(struct arena *arena, const char *schedule);
/* The name of a time zone of this system. */
const char *check_time_zone(struct arena *arena, const char *name);

#endif
