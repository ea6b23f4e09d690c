// client-go follows an API server with upstream's own Go client: informers in every form, leader election, discovery, a RESTMapper. It
// changes objects through a second client, writes what every call answered and what every handler was told, in an order that is the same
// for every server that behaves the same, and fails when a handler missed, repeated or confused a change.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// clients are those of one user of the API: a typed one, one that knows no types, one of metadata alone.
type clients struct {
	config   *rest.Config
	typed    kubernetes.Interface
	dynamic  dynamic.Interface
	metadata metadata.Interface
}

func connect(kubeconfig string, binary bool) *clients {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	check(err, "kubeconfig")
	config.QPS, config.Burst = 1000, 1000
	c := &clients{config: config}
	typed := rest.CopyConfig(config)
	if binary {
		typed.ContentType, typed.AcceptContentTypes = protobuf, protobuf+",application/json"
	}
	c.typed = kubernetes.NewForConfigOrDie(typed)
	c.dynamic = dynamic.NewForConfigOrDie(config)
	c.metadata = metadata.NewForConfigOrDie(metadata.ConfigFor(config))
	return c
}

var wrongs int

func wrong(format string, args ...any) {
	wrongs++
	fmt.Fprintf(os.Stderr, "wrong: "+format+"\n", args...)
}

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "client-go: %s: %v\n", what, err)
		os.Exit(2)
	}
}

func main() {
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "of an administrator")
	binary := flag.Bool("protobuf", false, "informers read protobuf, the writer writes it")
	seed := flag.Int64("seed", 1, "of the changes")
	steps := flag.Int("steps", 400, "changes to make")
	restart := flag.String("restart", "", "command that kills the server and starts it again, run twice in the middle")
	discover := flag.Bool("discovery", false, "discovery and the RESTMapper instead of informers")
	elect := flag.Bool("election", false, "leader election instead of informers")
	klog.InitFlags(nil)
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()

	reader, writer := connect(*kubeconfig, *binary), connect(*kubeconfig, *binary)
	switch {
	case *discover:
		discoverAll(reader)
	case *elect:
		electLeaders(ctx, reader, *restart)
	default:
		follow(ctx, reader, writer, *seed, *steps, *restart)
	}
	if wrongs > 0 {
		os.Exit(1)
	}
}
