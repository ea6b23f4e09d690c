package main

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// seen is an object as a handler was last told of it.
type seen struct {
	uid, version string
	deleted      bool
}

// follower is an informer with what its handler was told.
type follower struct {
	name     string
	informer cache.SharedIndexInformer
	list     func(ctx context.Context) ([]any, string, error) // what the server has, for the comparison at the end
	mu       sync.Mutex
	state    map[string]seen
	trace    []string
	versions map[string]int // how often an update or an addition at that version was told
	resyncs  int
}

func number(version string) uint64 {
	n, err := strconv.ParseUint(version, 10, 64)
	check(err, "resourceVersion "+version)
	return n
}

func key(o metav1.Object) string { return strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/") }

// say notes an event in words that do not depend on the run. The step is the writer's mark.
func (f *follower) say(verb string, o metav1.Object) {
	if strings.HasPrefix(o.GetName(), "apiserver-") {
		return // the server's own lease
	}
	line := fmt.Sprintf("%s: %s %s step %s labels %v generation %d", f.name, verb, key(o), o.GetAnnotations()["step"], o.GetLabels(), o.GetGeneration())
	if o.GetDeletionTimestamp() != nil {
		line += fmt.Sprintf(" deleting %v", o.GetFinalizers())
	}
	f.trace = append(f.trace, line)
}

func (f *follower) OnAdd(obj any, initial bool) {
	o := accessor(obj)
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, ok := f.state[key(o)]; ok {
		wrong("%s: %s is added though it is there at %s", f.name, key(o), old.version)
	}
	f.state[key(o)] = seen{uid: string(o.GetUID()), version: o.GetResourceVersion()}
	f.versions[o.GetResourceVersion()]++
	verb := "add"
	if initial {
		verb = "first"
	}
	f.say(verb, o)
}

func (f *follower) OnUpdate(before, after any) {
	from, to := accessor(before), accessor(after)
	f.mu.Lock()
	defer f.mu.Unlock()
	old, ok := f.state[key(to)]
	switch {
	case !ok:
		wrong("%s: %s is updated though it is not there", f.name, key(to))
	case old.version != from.GetResourceVersion():
		wrong("%s: %s is updated from %s, told before was %s", f.name, key(to), from.GetResourceVersion(), old.version)
	case number(to.GetResourceVersion()) < number(old.version):
		wrong("%s: %s goes back from %s to %s", f.name, key(to), old.version, to.GetResourceVersion())
	}
	if from.GetResourceVersion() == to.GetResourceVersion() {
		f.resyncs++
		return
	}
	f.state[key(to)] = seen{uid: string(to.GetUID()), version: to.GetResourceVersion()}
	f.versions[to.GetResourceVersion()]++
	f.say("update", to)
}

func (f *follower) OnDelete(obj any) {
	if unknown, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	o := accessor(obj)
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.state[key(o)]; !ok {
		wrong("%s: %s is deleted though it is not there", f.name, key(o))
	}
	delete(f.state, key(o))
	f.say("delete", o)
}

func accessor(obj any) metav1.Object {
	o, err := meta.Accessor(obj)
	check(err, "object")
	return o
}

// settle waits until the store is what the server has, and says what differs if it does not become so.
func (f *follower) settle(ctx context.Context) {
	var difference string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if difference = f.compare(ctx); difference == "" {
			return
		}
	}
	wrong("%s: the store differs from a list: %s", f.name, difference)
}

func (f *follower) compare(ctx context.Context) string {
	items, _, err := f.list(ctx)
	if err != nil {
		return err.Error()
	}
	store := map[string]any{}
	for _, obj := range f.informer.GetStore().List() {
		store[key(accessor(obj))] = obj
	}
	for _, obj := range items {
		k := key(accessor(obj))
		if !equality.Semantic.DeepEqual(store[k], obj) {
			return fmt.Sprintf("%s: store %+v, list %+v", k, store[k], obj)
		}
		delete(store, k)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(store) > 0 || len(f.state) != len(items) {
		return fmt.Sprintf("%d too many in the store; %d told of, %d listed", len(store), len(f.state), len(items))
	}
	return ""
}

// complete holds what the writer was acknowledged against what the handler was told: each version once.
func (f *follower) complete(acknowledged []string) {
	for _, version := range acknowledged {
		if f.versions[version] != 1 {
			wrong("%s: version %s was told %d times", f.name, version, f.versions[version])
		}
	}
	for version, times := range f.versions {
		if times > 1 {
			wrong("%s: version %s was told %d times", f.name, version, times)
		}
	}
}

func report(followers []*follower) {
	sort.Slice(followers, func(a, b int) bool { return followers[a].name < followers[b].name })
	for _, f := range followers {
		first := 0
		for first < len(f.trace) && strings.HasPrefix(f.trace[first], f.name+": first") {
			first++
		}
		sort.Strings(f.trace[:first])
		for _, line := range f.trace {
			fmt.Println(line)
		}
	}
}
