package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/disk"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/restmapper"
)

// discoverAll writes what a client learns of the server's groups, kinds, short names, categories and schemas: in one answer, group by
// group, from memory and from a cache on disk, which all have to agree.
func discoverAll(c *clients) {
	direct := discovery.NewDiscoveryClientForConfigOrDie(c.config)
	version, err := direct.ServerVersion()
	check(err, "version")
	fmt.Println("version", version.Major, version.Minor)
	cached := memory.NewMemCacheClient(direct)
	one := resources(cached)
	fmt.Print(one)
	dir, err := os.MkdirTemp("", "discovery")
	check(err, "cache")
	defer os.RemoveAll(dir)
	onDisk, err := disk.NewCachedDiscoveryClientForConfig(c.config, dir+"/d", dir+"/h", time.Minute)
	check(err, "cache on disk")
	for range 2 {
		if other := resources(onDisk); other != one {
			wrong("discovery by way of a disk differs from that by way of memory:\n%s", other)
		}
	}
	groupwise := discovery.NewDiscoveryClientForConfigOrDie(c.config)
	groupwise.UseLegacyDiscovery = true
	fmt.Print(resources(groupwise))
	mapped(cached)
	schemas(direct)
}

func resources(d discovery.DiscoveryInterface) string {
	groups, lists, err := d.ServerGroupsAndResources()
	check(err, "groups and resources")
	var out strings.Builder
	var lines []string
	for _, g := range groups {
		fmt.Fprintf(&out, "group %q preferred %s of", g.Name, g.PreferredVersion.GroupVersion)
		for _, v := range g.Versions {
			fmt.Fprintf(&out, " %s", v.GroupVersion)
		}
		fmt.Fprintln(&out)
	}
	for _, l := range lists {
		sort.Slice(l.APIResources, func(a, b int) bool { return l.APIResources[a].Name < l.APIResources[b].Name })
		for _, r := range l.APIResources {
			lines = append(lines, fmt.Sprintf("resource %s %s kind %s/%s/%s namespaced %t verbs %v short %v categories %v singular %s\n", l.GroupVersion,
				r.Name, r.Group, r.Version, r.Kind, r.Namespaced, r.Verbs, r.ShortNames, r.Categories, r.SingularName))
		}
	}
	sort.Strings(lines)
	return out.String() + strings.Join(lines, "")
}

func mapped(d discovery.CachedDiscoveryInterface) {
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(d), d, nil)
	for _, word := range []string{"po", "deploy", "pdb", "sc", "csr", "nodes", "cm", "ing", "hpa", "nothing", "ep", "leases"} {
		kind, err := mapper.KindFor(schema.GroupVersionResource{Resource: word})
		fmt.Println("mapper", word, kind, err)
	}
	for _, kind := range []schema.GroupKind{{Kind: "Pod"}, {Group: "apps", Kind: "Deployment"}, {Group: "batch", Kind: "CronJob"}, {Kind: "None"}} {
		m, err := mapper.RESTMapping(kind)
		if err != nil {
			fmt.Println("mapping", kind, err)
			continue
		}
		fmt.Println("mapping", kind, m.Resource, m.Scope.Name() == meta.RESTScopeNameNamespace)
	}
}

// schemas reads OpenAPI as a client of version 3 does.
func schemas(d *discovery.DiscoveryClient) {
	root := openapi3.NewRoot(d.OpenAPIV3())
	versions, err := root.GroupVersions()
	check(err, "openapi")
	for _, gv := range versions {
		spec, err := root.GVSpec(gv)
		check(err, "openapi of "+gv.String())
		fmt.Println("openapi", gv, len(spec.Components.Schemas) > 0)
	}
}
