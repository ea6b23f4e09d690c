package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

const resync = 2 * time.Second

var (
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	nodes       = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	leases      = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

// everything tells of a resource whose every acknowledged write has to reach the follower.
var everything = map[string]schema.GroupVersionResource{"pods": pods, "nodes": nodes, "leases": leases, "deployments": deployments,
	"untyped configmaps": configMaps, "metadata of deployments": deployments}

// followers are informers of every form: typed, untyped and of metadata alone; of a namespace, of labels, of fields.
func followers(c *clients) []*follower {
	red := func(o *metav1.ListOptions) { o.LabelSelector = "color=red" }
	bound := func(o *metav1.ListOptions) { o.FieldSelector = "spec.nodeName=n1" }
	set := func(o *metav1.ListOptions) { o.LabelSelector = "color in (red,blue),!gone" }
	none := func(*metav1.ListOptions) {}
	all := []*follower{typed(c, "pods", pods, "", none), typed(c, "red pods", pods, "", red), typed(c, "pods of n1", pods, "", bound),
		typed(c, "nodes", nodes, "", none), typed(c, "leases", leases, "", none), typed(c, "deployments", deployments, "", none),
		typed(c, "coloured deployments", deployments, "", set), typed(c, "configmaps of a", configMaps, "a", none)}
	untyped := dynamicinformer.NewFilteredDynamicInformer(c.dynamic, configMaps, "", resync, cache.Indexers{}, none).Informer()
	all = append(all, newFollower("untyped configmaps", untyped, func(ctx context.Context) (runtime.Object, error) {
		return c.dynamic.Resource(configMaps).List(ctx, metav1.ListOptions{})
	}))
	partial := metadatainformer.NewFilteredMetadataInformer(c.metadata, deployments, "", resync, cache.Indexers{}, none).Informer()
	return append(all, newFollower("metadata of deployments", partial, func(ctx context.Context) (runtime.Object, error) {
		return c.metadata.Resource(deployments).List(ctx, metav1.ListOptions{})
	}))
}

func typed(c *clients, name string, r schema.GroupVersionResource, namespace string, tweak func(*metav1.ListOptions)) *follower {
	factory := informers.NewSharedInformerFactoryWithOptions(c.typed, resync, informers.WithNamespace(namespace), informers.WithTweakListOptions(tweak))
	generic, err := factory.ForResource(r)
	check(err, "informer")
	return newFollower(name, generic.Informer(), func(ctx context.Context) (runtime.Object, error) {
		o := metav1.ListOptions{}
		tweak(&o)
		switch r {
		case pods:
			return c.typed.CoreV1().Pods(namespace).List(ctx, o)
		case nodes:
			return c.typed.CoreV1().Nodes().List(ctx, o)
		case leases:
			return c.typed.CoordinationV1().Leases(namespace).List(ctx, o)
		case deployments:
			return c.typed.AppsV1().Deployments(namespace).List(ctx, o)
		}
		return c.typed.CoreV1().ConfigMaps(namespace).List(ctx, o)
	})
}

func newFollower(name string, informer cache.SharedIndexInformer, list func(context.Context) (runtime.Object, error)) *follower {
	f := &follower{name: name, informer: informer, state: map[string]seen{}, versions: map[string]int{}}
	f.list = func(ctx context.Context) ([]any, string, error) {
		answer, err := list(ctx)
		if err != nil {
			return nil, "", err
		}
		objects, err := meta.ExtractList(answer)
		check(err, "list")
		items := make([]any, 0, len(objects))
		for _, o := range objects {
			items = append(items, o)
		}
		of, err := meta.ListAccessor(answer)
		check(err, "list")
		return items, of.GetResourceVersion(), nil
	}
	check(informer.SetWatchErrorHandler(func(*cache.Reflector, error) {}), "handler")
	_, err := informer.AddEventHandlerWithResyncPeriod(watcher{f}, resync)
	check(err, "handler")
	return f
}

// watcher is a follower as the informer knows it.
type watcher struct{ f *follower }

func (w watcher) OnAdd(o any, first bool) { w.f.OnAdd(o, first) }
func (w watcher) OnUpdate(a, b any)       { w.f.OnUpdate(a, b) }
func (w watcher) OnDelete(o any)          { w.f.OnDelete(o) }

// follow starts half of the changes, then the informers, then the other half.
func follow(ctx context.Context, reader, writer *clients, seed int64, steps int, restart string) {
	w := newWriter(writer, seed, restart != "")
	w.prepare(ctx)
	for w.step < steps/4 {
		w.change(ctx)
	}
	w.acknowledged = map[schema.GroupVersionResource][]string{}
	all := followers(reader)
	for _, f := range all {
		go f.informer.RunWithContext(ctx)
	}
	for _, f := range all {
		if !cache.WaitForCacheSync(ctx.Done(), f.informer.HasSynced) {
			wrong("%s: does not sync", f.name)
			return
		}
	}
	var done chan error
	for w.step < steps && ctx.Err() == nil {
		if restart != "" && w.step%(steps/3) == 0 && w.step+steps/6 <= steps && done == nil {
			done = make(chan error, 1)
			go func() {
				out, err := exec.CommandContext(ctx, "bash", "-c", restart).CombinedOutput()
				if err != nil {
					err = fmt.Errorf("%w: %s", err, out)
				}
				done <- err
			}()
		}
		w.change(ctx)
		if done != nil && w.step%(steps/3) == steps/6 {
			check(<-done, "restart")
			done = nil
		}
	}
	if done != nil { // the time is over
		check(<-done, "restart")
	}
	for _, f := range all {
		f.settle(ctx)
		if restart == "" {
			f.complete(w.acknowledged[everything[f.name]])
		} else {
			f.complete(nil)
		}
	}
	resynced(ctx, all)
	if restart == "" {
		w.report()
		report(all)
	}
}

// resynced waits until every handler with something to tell of was told of it again.
func resynced(ctx context.Context, all []*follower) {
	for _, f := range all {
		for end := time.Now().Add(5 * resync); ; time.Sleep(50 * time.Millisecond) {
			f.mu.Lock()
			resyncs, objects := f.resyncs, len(f.state)
			f.mu.Unlock()
			if resyncs > 0 || objects == 0 || ctx.Err() != nil {
				break
			}
			if time.Now().After(end) {
				wrong("%s: no resync", f.name)
				break
			}
		}
	}
}
