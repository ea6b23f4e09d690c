package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"regexp"
	"sort"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	acapps "k8s.io/client-go/applyconfigurations/apps/v1"
	accore "k8s.io/client-go/applyconfigurations/core/v1"
	acmeta "k8s.io/client-go/applyconfigurations/meta/v1"
)

// writer changes objects by chance, the same ones in the same order for one seed.
type writer struct {
	c            *clients
	random       *rand.Rand
	step         int
	patient      bool // the server may be away
	acknowledged map[schema.GroupVersionResource][]string
	trace        []string
}

func newWriter(c *clients, seed int64, patient bool) *writer {
	return &writer{c: c, random: rand.New(rand.NewSource(seed)), patient: patient, acknowledged: map[schema.GroupVersionResource][]string{}}
}

func (w *writer) one(of ...string) string { return of[w.random.Intn(len(of))] }
func (w *writer) mark() string            { return fmt.Sprint(w.step) }
func (w *writer) report() {
	for _, line := range w.trace {
		fmt.Println(line)
	}
}

func (w *writer) prepare(ctx context.Context) {
	for _, name := range []string{"a", "b"} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		_, err := w.c.typed.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
		check(err, "namespace")
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
		_, err = w.c.typed.CoreV1().ServiceAccounts(name).Create(ctx, account, metav1.CreateOptions{})
		check(err, "account")
	}
	one := policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "red"}, Spec: policyv1.PodDisruptionBudgetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"color": "red"}}}}
	_, err := w.c.typed.PolicyV1().PodDisruptionBudgets("a").Create(ctx, &one, metav1.CreateOptions{})
	check(err, "budget")
}

// told notes the answer to a change: the object without what differs from run to run, or the error.
func (w *writer) told(r schema.GroupVersionResource, what string, object runtime.Object, err error) {
	line := fmt.Sprintf("step %d: %s %s: ", w.step, what, r.Resource)
	switch status := apierrors.APIStatus(nil); {
	case err != nil:
		line += masked(err.Error())
		if s, ok := err.(apierrors.APIStatus); ok {
			status = s
			details := status.Status().Details
			if details != nil { // managers are told of in any order
				sort.SliceStable(details.Causes, func(a, b int) bool { return text(details.Causes[a]) < text(details.Causes[b]) })
			}
			line += fmt.Sprintf(" %d %s %s", status.Status().Code, status.Status().Reason, masked(text(details)))
		}
	case object != nil:
		o := accessor(object)
		w.acknowledged[r] = append(w.acknowledged[r], o.GetResourceVersion())
		copied := object.DeepCopyObject()
		of := accessor(copied)
		of.SetResourceVersion("")
		of.SetUID("")
		managers := of.GetManagedFields()
		sort.SliceStable(managers, func(a, b int) bool { return manager(managers[a]) < manager(managers[b]) })
		of.SetManagedFields(managers)
		line += masked(text(copied))
	default:
		line += "done"
	}
	w.trace = append(w.trace, line)
}

// manager stands for an entry of managedFields without its time, which the order of entries goes by.
func manager(m metav1.ManagedFieldsEntry) string {
	return fmt.Sprint(m.Manager, m.Operation, m.APIVersion, m.Subresource)
}

var variable = []*regexp.Regexp{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`),
	regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), regexp.MustCompile(`kube-api-access-[a-z0-9]{5}`)}

func masked(s string) string {
	for _, pattern := range variable {
		s = pattern.ReplaceAllString(s, "*")
	}
	return s
}

func text(v any) string {
	b, err := json.Marshal(v)
	check(err, "json")
	return string(b)
}

// change makes one change. A server that is away is waited for, with what became of the change unknown.
func (w *writer) change(ctx context.Context) {
	w.step++
	switch w.random.Intn(10) {
	case 0, 1, 2, 3:
		w.changePod(ctx)
	case 4, 5:
		w.changeDeployment(ctx)
	case 6, 7:
		w.changeConfigMap(ctx)
	case 8:
		w.changeLease(ctx)
	default:
		w.changeNode(ctx)
	}
	if w.patient {
		time.Sleep(10 * time.Millisecond)
	}
}

func (w *writer) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{"color": w.one("red", "blue", "green")}, Annotations: map[string]string{"step": w.mark()}}
}

// patch is a document of the kind that goes with the type, which marks the object and gives it a colour.
func (w *writer) patch() (types.PatchType, []byte) {
	color := w.one("red", "blue", "green")
	if w.random.Intn(3) == 0 {
		return types.JSONPatchType, []byte(fmt.Sprintf(`[{"op":"add","path":"/metadata/annotations/step","value":"%d"},`+
			`{"op":"add","path":"/metadata/labels/color","value":"%s"}]`, w.step, color))
	}
	body := []byte(fmt.Sprintf(`{"metadata":{"annotations":{"step":"%d"},"labels":{"color":"%s"}}}`, w.step, color))
	if w.random.Intn(2) == 0 {
		return types.MergePatchType, body
	}
	return types.StrategicMergePatchType, body
}

func (w *writer) changePod(ctx context.Context) {
	name, namespace := w.one("p1", "p2", "p3", "p4", "p5"), w.one("a", "b")
	api := w.c.typed.CoreV1().Pods(namespace)
	var pod *corev1.Pod
	var err error
	what := w.one("create", "create", "create", "update", "stale update", "status", "patch", "patch", "bind", "bind", "evict", "delete", "delete now", "finalizer", "apply",
		"delete collection", "resize", "ephemeral")
	switch what {
	case "create":
		pod = &corev1.Pod{ObjectMeta: w.meta(name), Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i:" + w.mark()}}}}
		pod, err = api.Create(ctx, pod, metav1.CreateOptions{})
	case "update", "stale update":
		if pod, err = api.Get(ctx, name, metav1.GetOptions{}); err != nil {
			break
		}
		if what == "stale update" {
			pod.ResourceVersion = "1"
		}
		pod.Annotations = map[string]string{"step": w.mark()}
		pod.Spec.Containers[0].Image = "j:" + w.mark()
		pod, err = api.Update(ctx, pod, metav1.UpdateOptions{FieldManager: "writer"})
	case "status":
		if pod, err = api.Get(ctx, name, metav1.GetOptions{}); err != nil {
			break
		}
		pod.Status.Phase, pod.Status.Message = corev1.PodRunning, w.mark()
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
		pod, err = api.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	case "patch":
		kind, body := w.patch()
		pod, err = api.Patch(ctx, name, kind, body, metav1.PatchOptions{})
	case "bind":
		binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: name}, Target: corev1.ObjectReference{Kind: "Node", Name: w.one("n1", "n2")}}
		err = api.Bind(ctx, binding, metav1.CreateOptions{})
	case "evict":
		// Without the client's own ten tries, ten seconds apart: a budget that nobody looks after refuses for ever.
		body := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name}}
		err = w.c.typed.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name(name).SubResource("eviction").
			MaxRetries(0).Body(body).Do(ctx).Error()
	case "delete":
		err = api.Delete(ctx, name, metav1.DeleteOptions{})
	case "delete now":
		err = api.Delete(ctx, name, *metav1.NewDeleteOptions(0))
	case "finalizer":
		body := w.one(`{"metadata":{"finalizers":["example.com/f"]}}`, `{"metadata":{"finalizers":null}}`)
		pod, err = api.Patch(ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{})
		pod = nil // the last finalizer's going is a deletion
	case "apply":
		apply := accore.Pod(name, "").WithLabels(map[string]string{"applied": w.mark()}).WithAnnotations(map[string]string{"step": w.mark()})
		if w.random.Intn(2) == 0 {
			apply.WithLabels(map[string]string{"color": "red"})
		}
		apply.Namespace = nil
		pod, err = api.Apply(ctx, apply, metav1.ApplyOptions{FieldManager: w.one("one", "two"), Force: w.random.Intn(2) == 0})
	case "delete collection":
		if w.random.Intn(3) == 0 {
			err = api.DeleteCollection(ctx, *metav1.NewDeleteOptions(0), metav1.ListOptions{LabelSelector: "color=blue"})
		}
	case "resize":
		body := fmt.Sprintf(`{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"%dm"}}}]}}`, 1+w.random.Intn(100))
		pod, err = api.Patch(ctx, name, types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{}, "resize")
	case "ephemeral":
		body := fmt.Sprintf(`{"spec":{"ephemeralContainers":[{"name":"e%d","image":"x"}]}}`, w.step)
		pod, err = api.Patch(ctx, name, types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{}, "ephemeralcontainers")
	}
	w.answered(pods, what+" "+name, pod, pod == nil, err)
}

func (w *writer) answered(r schema.GroupVersionResource, what string, object runtime.Object, none bool, err error) {
	if none || err != nil {
		object = nil
	}
	w.told(r, what, object, err)
}

func (w *writer) changeDeployment(ctx context.Context) {
	name, api := w.one("d1", "d2", "d3"), w.c.typed.AppsV1().Deployments(w.one("a", "b"))
	var d *appsv1.Deployment
	var err error
	what := w.one("create", "create", "update", "status", "patch", "scale", "apply", "delete", "foreground", "orphan")
	switch what {
	case "create":
		labels := map[string]string{"app": name}
		d = &appsv1.Deployment{ObjectMeta: w.meta(name), Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}}}
		d, err = api.Create(ctx, d, metav1.CreateOptions{})
	case "update":
		if d, err = api.Get(ctx, name, metav1.GetOptions{}); err != nil {
			break
		}
		d.Annotations = map[string]string{"step": w.mark()}
		d.Spec.Template.Spec.Containers[0].Env = append(d.Spec.Template.Spec.Containers[0].Env, corev1.EnvVar{Name: "S" + w.mark(), Value: w.mark()})
		d, err = api.Update(ctx, d, metav1.UpdateOptions{})
	case "status":
		body := fmt.Sprintf(`{"metadata":{"annotations":{"step":"%d"}},"spec":{"replicas":77},"status":{"replicas":%d,"observedGeneration":1}}`, w.step, w.step)
		d, err = api.Patch(ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{}, "status")
	case "patch":
		kind, body := w.patch()
		d, err = api.Patch(ctx, name, kind, body, metav1.PatchOptions{FieldManager: "patcher"})
	case "scale":
		var scale *autoscalingv1.Scale
		if scale, err = api.GetScale(ctx, name, metav1.GetOptions{}); err == nil {
			scale.Spec.Replicas = int32(w.step)
			scale, err = api.UpdateScale(ctx, name, scale, metav1.UpdateOptions{})
			w.answered(deployments, "scale "+name, scale, scale == nil, err)
			return
		}
	case "apply":
		apply := acapps.Deployment(name, "").WithAnnotations(map[string]string{"step": w.mark()}).WithSpec(acapps.DeploymentSpec().
			WithReplicas(int32(w.random.Intn(4))).WithSelector(acmeta.LabelSelector().WithMatchLabels(map[string]string{"app": name})).
			WithTemplate(accore.PodTemplateSpec().WithLabels(map[string]string{"app": name}).WithSpec(accore.PodSpec().WithContainers(
				accore.Container().WithName("c").WithImage("k:" + w.mark()).WithResources(accore.ResourceRequirements().WithRequests(
					corev1.ResourceList{"cpu": resource.MustParse("0.5")}))))))
		apply.Namespace = nil
		d, err = api.Apply(ctx, apply, metav1.ApplyOptions{FieldManager: w.one("one", "two"), Force: w.random.Intn(2) == 0})
		if err == nil {
			w.extracted(d)
		}
	case "delete":
		err = api.Delete(ctx, name, metav1.DeleteOptions{})
	case "foreground", "orphan":
		policy := metav1.DeletePropagationForeground
		if what == "orphan" {
			policy = metav1.DeletePropagationOrphan
		}
		err = api.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &policy})
		w.answered(deployments, what+" "+name, nil, true, err)
		_, err = api.Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		d = nil
	}
	w.answered(deployments, what+" "+name, d, d == nil, err)
}

// extracted holds that the manager's own part of an object can be taken out of it, as who applies again does.
func (w *writer) extracted(d *appsv1.Deployment) {
	for _, manager := range []string{"one", "two"} {
		part, err := acapps.ExtractDeployment(d, manager)
		if err != nil {
			wrong("extract: %v", err)
			continue
		}
		w.trace = append(w.trace, fmt.Sprintf("step %d: part of %s: %s", w.step, manager, masked(strings.ReplaceAll(text(part), "\\", ""))))
	}
}

func (w *writer) changeConfigMap(ctx context.Context) {
	name, api := w.one("m1", "m2", "m3"), w.c.dynamic.Resource(configMaps).Namespace(w.one("a", "b"))
	var m *unstructured.Unstructured
	var err error
	what := w.one("create", "create", "update", "patch", "apply", "delete", "dry run", "uid")
	body := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name,
		"labels": map[string]any{"color": w.one("red", "blue")}, "annotations": map[string]any{"step": w.mark()}}, "data": map[string]any{"step": w.mark()}}}
	switch what {
	case "create":
		m, err = api.Create(ctx, body, metav1.CreateOptions{})
	case "update":
		m, err = api.Update(ctx, body, metav1.UpdateOptions{})
	case "patch":
		kind, document := w.patch()
		m, err = api.Patch(ctx, name, kind, document, metav1.PatchOptions{})
	case "apply":
		m, err = api.Apply(ctx, name, body, metav1.ApplyOptions{FieldManager: w.one("one", "two"), Force: w.random.Intn(2) == 0})
	case "delete":
		err = api.Delete(ctx, name, metav1.DeleteOptions{})
	case "dry run":
		_, err = api.Create(ctx, body, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	case "uid":
		uid := types.UID("x")
		err = api.Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	}
	w.answered(configMaps, what+" "+name, m, m == nil, err)
}

func (w *writer) changeLease(ctx context.Context) {
	name, api := w.one("l1", "l2"), w.c.typed.CoordinationV1().Leases("a")
	var l *coordinationv1.Lease
	var err error
	what := w.one("create", "update", "update", "delete")
	holder, now := w.mark(), metav1.NewMicroTime(time.Now())
	switch what {
	case "create":
		l, err = api.Create(ctx, &coordinationv1.Lease{ObjectMeta: w.meta(name)}, metav1.CreateOptions{})
	case "update":
		if l, err = api.Get(ctx, name, metav1.GetOptions{}); err == nil {
			l.Spec.HolderIdentity, l.Spec.RenewTime = &holder, &now
			l, err = api.Update(ctx, l, metav1.UpdateOptions{})
		}
	case "delete":
		err = api.Delete(ctx, name, metav1.DeleteOptions{})
	}
	w.answered(leases, what+" "+name, l, l == nil, err)
}

func (w *writer) changeNode(ctx context.Context) {
	name, api := w.one("n1", "n2"), w.c.typed.CoreV1().Nodes()
	var n *corev1.Node
	var err error
	what := w.one("create", "status", "status", "taint", "patch", "delete")
	switch what {
	case "create":
		n, err = api.Create(ctx, &corev1.Node{ObjectMeta: w.meta(name)}, metav1.CreateOptions{})
	case "status":
		body := fmt.Sprintf(`{"status":{"capacity":{"cpu":"%d","memory":"1Gi"},"conditions":[{"type":"Ready","status":"%s"}]}}`, 1+w.step, w.one("True", "False"))
		n, err = api.Patch(ctx, name, types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{}, "status")
	case "taint":
		body := fmt.Sprintf(`{"spec":{"taints":[{"key":"k%d","effect":"NoSchedule"}]}}`, w.step)
		n, err = api.Patch(ctx, name, types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{})
	case "patch":
		kind, body := w.patch()
		n, err = api.Patch(ctx, name, kind, body, metav1.PatchOptions{})
	case "delete":
		err = api.Delete(ctx, name, metav1.DeleteOptions{})
	}
	w.answered(nodes, what+" "+name, n, n == nil, err)
}
