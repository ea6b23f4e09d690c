/*
 * kube-proxy: makes Service addresses work on one node.
 *
 * Informers post changes of Services, EndpointSlices and the node to the daemon's loop, which owns all state and writes
 * the kernel's rules, at most once in the minimum sync period.
 */
#ifndef KUBE_PROXY_PROXY_H
#define KUBE_PROXY_PROXY_H

int proxy_main(int argc, char **argv);

#endif
