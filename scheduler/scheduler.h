/*
 * kube-scheduler: chooses a node for every pod.
 *
 * The skeleton in main.c hands it to daemon_main(). A thread of its own runs a loop that owns all state: informers post
 * changes to it, workers carry its decisions to the apiserver and post the outcome back. Without leadership it keeps
 * its picture of the cluster current and decides nothing.
 */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

int scheduler_main(int argc, char **argv);

#endif
