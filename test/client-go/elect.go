package main

import (
	"context"
	"fmt"
	"os/exec"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// election is what the candidates of one lease were told.
type election struct {
	sync.Mutex
	leading map[string]bool
	told    chan string
}

func (e *election) start(id string) {
	e.Lock()
	defer e.Unlock()
	e.leading[id] = true
	if len(e.leading) > 1 {
		wrong("several lead at once: %v", e.leading)
	}
	e.told <- id
}
func (e *election) stop(id string) {
	e.Lock()
	defer e.Unlock()
	delete(e.leading, id)
}

// candidate runs until it is cancelled, and then gives the lease back.
func (e *election) candidate(ctx context.Context, c *clients, id string) context.CancelFunc {
	ctx, cancel := context.WithCancel(ctx)
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, "default", "elect", c.typed.CoreV1(), c.typed.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: id})
	check(err, "lock")
	go leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{Lock: lock, Name: "elect", ReleaseOnCancel: true,
		LeaseDuration: 6 * time.Second, RenewDeadline: 5 * time.Second, RetryPeriod: 200 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { e.start(id) },
			OnStoppedLeading: func() { e.stop(id) }}})
	return cancel
}

// electLeaders has three candidates lead in turn, and the server killed while one does, which nobody has to lose the lease for.
func electLeaders(ctx context.Context, c *clients, restart string) {
	e := &election{leading: map[string]bool{}, told: make(chan string, 10)}
	cancels := map[string]context.CancelFunc{}
	for _, id := range []string{"a", "b", "c"} {
		cancels[id] = e.candidate(ctx, c, id)
	}
	for len(cancels) > 0 {
		select {
		case id := <-e.told:
			lease, err := c.typed.CoordinationV1().Leases("default").Get(ctx, "elect", metav1.GetOptions{})
			check(err, "lease")
			fmt.Println("leader", *lease.Spec.HolderIdentity == id, "transitions", *lease.Spec.LeaseTransitions, "seconds", *lease.Spec.LeaseDurationSeconds)
			if restart != "" && len(cancels) == 2 {
				out, err := exec.CommandContext(ctx, "bash", "-c", restart).CombinedOutput()
				check(err, "restart: "+string(out))
				time.Sleep(time.Second)
				e.Lock()
				if !e.leading[id] {
					wrong("%s lost the lease to a restart of the server", id)
				}
				e.Unlock()
			}
			cancels[id]()
			delete(cancels, id)
		case <-ctx.Done():
			wrong("no leader within the time; %d candidates are left", len(cancels))
			return
		}
	}
}
