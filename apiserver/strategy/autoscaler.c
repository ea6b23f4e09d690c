#include "apiserver/convert/autoscaler.h"
#include "api/defaults/defaults.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/policy.h"

/* Both versions are judged, and changed, in the form of v2. */
typedef AutoscalingV2HorizontalPodAutoscaler Hpa;

static bool has_tolerance(const Hpa *hpa)
{
	const AutoscalingV2HorizontalPodAutoscalerBehavior *b = hpa && hpa->spec ? hpa->spec->behavior : NULL;
	return b && ((b->scale_up && b->scale_up->tolerance) || (b->scale_down && b->scale_down->tolerance));
}

/* Tolerances are not served by default: kept only where there is one already. */
static void settle(struct request *request, Hpa *hpa, const Hpa *old)
{
	AutoscalingV2HorizontalPodAutoscalerBehavior *b = hpa->spec ? hpa->spec->behavior : NULL;
	if (b && !has_tolerance(old)) {
		if (b->scale_up)
			b->scale_up->tolerance = NULL;
		if (b->scale_down)
			b->scale_down->tolerance = NULL;
	}
	autoscaler_drop_annotations(request->arena, hpa->metadata);
	/* What v1 says has not had the defaults of v2. */
	api_set_defaults(request->arena, &hpa->base);
}

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	((Hpa *)object)->status = NULL;
	settle(request, (Hpa *)object, NULL);
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	settle(request, (Hpa *)object, (const Hpa *)before);
}

static void check_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_autoscaler(errors, (const Hpa *)object);
}

static void check_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before,
	struct field_errors *errors)
{
	if (generic_is_status(request))
		validate_autoscaler_status(errors, (const Hpa *)object);
	else
		validate_autoscaler_update(errors, (const Hpa *)object, (const Hpa *)before);
}

const struct strategy autoscaler_strategy = {
	.group = "autoscaling",
	.resource = "horizontalpodautoscalers",
	.written_as_stored = true,
	.prepare_create = prepare_create,
	.validate_create = check_create,
	.prepare_update = prepare_update,
	.validate_update = check_update,
};
