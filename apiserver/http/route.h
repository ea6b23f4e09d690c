/*
 * What a path and a method ask for: resource requests (/api/v1/…, /apis/GROUP/VERSION/…) taken apart, and all others
 * left as paths. The rules are those of k8s.io/apiserver/pkg/endpoints/request.RequestInfoFactory.
 */
#ifndef APISERVER_HTTP_ROUTE_H
#define APISERVER_HTTP_ROUTE_H

#include "apiserver/http/server.h"
#include "apiserver/registry/request.h"
#include "apiserver/served.h"

/* Fills method, path, verb and what the path names; request->arena is set. schema is looked up. */
void route_request(struct request *request, const struct exchange *exchange, const struct served *served);
/* The type of a subresource's bodies: by name in the resource's own group, or wherever it is. */
const struct schema_type *subresource_type(
	const struct schema_resource *resource, const struct schema_subresource *subresource);

#endif
