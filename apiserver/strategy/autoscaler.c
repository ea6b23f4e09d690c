#include "apiserver/convert/autoscaler.h"
#include "api/defaults/defaults.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/policy.h"
#include "base/str.h"

/* Both versions are judged, and changed, in the form of v2. */
static AutoscalingV2HorizontalPodAutoscaler *as_v2(struct arena *arena, const ProtobufCMessage *object)
{
	if (API_IS(object, AutoscalingV2HorizontalPodAutoscaler))
		return (AutoscalingV2HorizontalPodAutoscaler *)(uintptr_t)object;
	return (AutoscalingV2HorizontalPodAutoscaler *)autoscaler_to_v2(
		arena, (const AutoscalingV1HorizontalPodAutoscaler *)object);
}

static bool has_tolerance(const AutoscalingV2HorizontalPodAutoscaler *hpa)
{
	const AutoscalingV2HorizontalPodAutoscalerBehavior *b = hpa && hpa->spec ? hpa->spec->behavior : NULL;
	return b && ((b->scale_up && b->scale_up->tolerance) || (b->scale_down && b->scale_down->tolerance));
}

/* Tolerances are not served by default: kept only where there is one already. Writes back what is of v1. */
static void settle(struct request *request, ProtobufCMessage *object, const AutoscalingV2HorizontalPodAutoscaler *old)
{
	AutoscalingV2HorizontalPodAutoscaler *hpa = as_v2(request->arena, object);
	AutoscalingV2HorizontalPodAutoscalerBehavior *b = hpa->spec ? hpa->spec->behavior : NULL;
	if (b && !has_tolerance(old)) {
		if (b->scale_up)
			b->scale_up->tolerance = NULL;
		if (b->scale_down)
			b->scale_down->tolerance = NULL;
	}
	if (&hpa->base == object) {
		autoscaler_drop_annotations(request->arena, hpa->metadata);
		return;
	}
	/* What is stored is of v2, and has its defaults. */
	api_set_defaults(request->arena, &hpa->base);
	AutoscalingV1HorizontalPodAutoscaler *v1 = (AutoscalingV1HorizontalPodAutoscaler *)object;
	const AutoscalingV1HorizontalPodAutoscaler *settled =
		(const AutoscalingV1HorizontalPodAutoscaler *)autoscaler_from_v2(request->arena, hpa);
	v1->metadata = settled->metadata;
	v1->spec = settled->spec;
	v1->status = settled->status;
}

/* What v1 has of the status in annotations belongs to the status. */
static void keep_half(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	AutoscalingV2HorizontalPodAutoscaler *hpa = as_v2(request->arena, object), *old = as_v2(request->arena, before);
	if (generic_is_status(request))
		hpa->spec = old->spec;
	else
		hpa->status = old->status;
	if (&hpa->base == object)
		return;
	AutoscalingV1HorizontalPodAutoscaler *v1 = (AutoscalingV1HorizontalPodAutoscaler *)object;
	*v1 = *(AutoscalingV1HorizontalPodAutoscaler *)autoscaler_from_v2(request->arena, hpa);
}

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	AutoscalingV2HorizontalPodAutoscaler *hpa = as_v2(request->arena, object);
	hpa->status = NULL;
	if (&hpa->base != object)
		*(AutoscalingV1HorizontalPodAutoscaler *)object =
			*(AutoscalingV1HorizontalPodAutoscaler *)autoscaler_from_v2(request->arena, hpa);
	settle(request, object, NULL);
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	keep_half(request, object, before);
	settle(request, object, as_v2(request->arena, before));
}

static void check_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_autoscaler(errors, as_v2(request->arena, object));
}

static void check_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before,
	struct field_errors *errors)
{
	const AutoscalingV2HorizontalPodAutoscaler *hpa = as_v2(request->arena, object);
	if (generic_is_status(request))
		validate_autoscaler_status(errors, hpa);
	else
		validate_autoscaler_update(errors, hpa, as_v2(request->arena, before));
}

const struct strategy autoscaler_strategy = {
	.group = "autoscaling",
	.resource = "horizontalpodautoscalers",
	.prepare_create = prepare_create,
	.validate_create = check_create,
	.prepare_update = prepare_update,
	.validate_update = check_update,
};
