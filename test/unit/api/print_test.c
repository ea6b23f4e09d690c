/* Rows as the original's printers make them: the object and its cells, wide ones included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/json.h"
#include "api/print/print.h"
#include "api/tree.h"

#define NOW 1700000000
static const struct print_table_options bare = {.now = NOW, .include = "None", .with_headers = true};

static const struct {
	const char *object, *cells;
} rows[] = {
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Pending\"}}",
		"[\"p\",\"0/1\",\"Pending\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"nodeName\":\"n1\"},\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{"
	 "\"name\":\"c\",\"ready\":true,\"restartCount\":0,\"state\":{\"running\":{\"startedAt\":\"2020-01-01T00:00:"
	 "00Z\"}},\"image\":\"i\",\"imageID\":\"\"}],\"podIPs\":[{\"ip\":\"10.0.0.1\"}]}}",
		"[\"p\",\"1/1\",\"Running\",\"0\",\"<unknown>\",\"10.0.0.1\",\"n1\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":"
	 "false,\"restartCount\":3,\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}},\"image\":\"i\","
	 "\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"CrashLoopBackOff\",\"3\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Pending\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":"
	 "false,\"restartCount\":0,\"state\":{\"waiting\":{\"reason\":\"ContainerCreating\"}},\"image\":\"i\","
	 "\"imageID\":\"\"}]}}",
		"[\"p\",\"0/"
		"1\",\"ContainerCreating\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Pending\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":"
	 "false,\"restartCount\":0,\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}},\"image\":\"i\",\"imageID\":"
	 "\"\"}]}}",
		"[\"p\",\"0/1\",\"ErrImagePull\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Failed\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":"
	 "false,\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\"}},\"image\":\"i\","
	 "\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"Error\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Failed\",\"reason\":\"Evicted\"}}",
		"[\"p\",\"0/1\",\"Evicted\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Succeeded\",\"containerStatuses\":[{\"name\":\"c\","
	 "\"ready\":false,\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}},"
	 "\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"Completed\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"j\"}]},\"status\":{\"phase\":\"Running\","
	 "\"containerStatuses\":[{\"name\":\"c\",\"ready\":false,\"restartCount\":0,\"state\":{\"terminated\":{"
	 "\"exitCode\":0,\"reason\":\"Completed\"}},\"image\":\"i\",\"imageID\":\"\"},{\"name\":\"d\",\"ready\":true,"
	 "\"restartCount\":0,\"state\":{\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\","
	 "\"imageID\":\"\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		"[\"p\",\"1/2\",\"Running\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"j\"}]},\"status\":{\"phase\":\"Running\","
	 "\"containerStatuses\":[{\"name\":\"c\",\"ready\":false,\"restartCount\":0,\"state\":{\"terminated\":{"
	 "\"exitCode\":0,\"reason\":\"Completed\"}},\"image\":\"i\",\"imageID\":\"\"},{\"name\":\"d\",\"ready\":true,"
	 "\"restartCount\":0,\"state\":{\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\","
	 "\"imageID\":\"\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}}",
		"[\"p\",\"1/2\",\"NotReady\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":"
	 "false,\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":137}},\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"ExitCode:137\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":"
	 "false,\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":0,\"signal\":9}},\"image\":\"i\","
	 "\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"Signal:9\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}"
	 "]},\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"a\",\"ready\":false,"
	 "\"restartCount\":0,\"state\":{\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\","
	 "\"imageID\":\"\"},{\"name\":\"b\",\"ready\":false,\"restartCount\":0,\"state\":{\"waiting\":{\"reason\":"
	 "\"PodInitializing\"}},\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"Init:0/2\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}"
	 "]},\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"a\",\"ready\":false,"
	 "\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":0}},\"image\":\"i\",\"imageID\":\"\"},{\"name\":"
	 "\"b\",\"ready\":false,\"restartCount\":2,\"state\":{\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},"
	 "\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"Init:1/2\",\"2\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}"
	 "]},\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"a\",\"ready\":false,"
	 "\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\"}},\"image\":\"i\","
	 "\"imageID\":\"\"},{\"name\":\"b\",\"ready\":false,\"restartCount\":0,\"state\":{\"waiting\":{\"reason\":"
	 "\"PodInitializing\"}},\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"Init:Error\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}"
	 "]},\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"a\",\"ready\":false,"
	 "\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":2}},\"image\":\"i\",\"imageID\":\"\"},{\"name\":"
	 "\"b\",\"ready\":false,\"restartCount\":0,\"state\":{\"waiting\":{\"reason\":\"PodInitializing\"}},\"image\":"
	 "\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"0/1\",\"Init:ExitCode:2\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}"
	 "]},\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"a\",\"ready\":false,"
	 "\"restartCount\":4,\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}},\"image\":\"i\",\"imageID\":"
	 "\"\"},{\"name\":\"b\",\"ready\":false,\"restartCount\":0,\"state\":{\"waiting\":{\"reason\":"
	 "\"PodInitializing\"}},\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"0/"
		"1\",\"Init:CrashLoopBackOff\",\"4\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}"
	 "]},\"status\":{\"phase\":\"Running\",\"initContainerStatuses\":[{\"name\":\"a\",\"ready\":false,"
	 "\"restartCount\":1,\"state\":{\"terminated\":{\"exitCode\":0}},\"image\":\"i\",\"imageID\":\"\"},{\"name\":"
	 "\"b\",\"ready\":false,\"restartCount\":1,\"state\":{\"terminated\":{\"exitCode\":0}},\"image\":\"i\","
	 "\"imageID\":\"\"}],\"containerStatuses\":[{\"name\":\"c\",\"ready\":true,\"restartCount\":0,\"state\":{"
	 "\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\",\"imageID\":\"\"}],\"conditions\":[{"
	 "\"type\":\"Initialized\",\"status\":\"True\"}]}}",
		"[\"p\",\"1/1\",\"Running\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"s\",\"image\":\"i\",\"restartPolicy\":\"Always\"}]},"
	 "\"status\":{\"phase\":\"Running\",\"initContainerStatuses\":[{\"name\":\"s\",\"ready\":true,\"restartCount\":"
	 "2,\"state\":{\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\",\"imageID\":\"\","
	 "\"started\":true}],\"containerStatuses\":[{\"name\":\"c\",\"ready\":true,\"restartCount\":1,\"state\":{"
	 "\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"2/2\",\"Running\",\"3\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"s\",\"image\":\"i\",\"restartPolicy\":\"Always\"}]},"
	 "\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"s\",\"ready\":false,"
	 "\"restartCount\":0,\"state\":{\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\","
	 "\"imageID\":\"\",\"started\":false}],\"containerStatuses\":[{\"name\":\"c\",\"ready\":false,\"restartCount\":"
	 "0,\"state\":{\"waiting\":{\"reason\":\"PodInitializing\"}},\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"0/2\",\"Init:0/1\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Pending\",\"conditions\":[{\"type\":\"PodScheduled\","
	 "\"status\":\"False\",\"reason\":\"SchedulingGated\"}]}}",
		"[\"p\",\"0/1\",\"SchedulingGated\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\",\"deletionTimestamp\":\"2020-01-01T00:"
	 "00:00Z\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Running\","
	 "\"containerStatuses\":[{\"name\":\"c\",\"ready\":true,\"restartCount\":0,\"state\":{\"running\":{"
	 "\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"1/1\",\"Terminating\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\",\"deletionTimestamp\":\"2020-01-01T00:"
	 "00:00Z\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Running\","
	 "\"reason\":\"NodeLost\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":true,\"restartCount\":0,\"state\":{"
	 "\"running\":{\"startedAt\":\"2020-01-01T00:00:00Z\"}},\"image\":\"i\",\"imageID\":\"\"}]}}",
		"[\"p\",\"1/1\",\"Unknown\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\",\"deletionTimestamp\":\"2020-01-01T00:"
	 "00:00Z\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Succeeded\"}}",
		"[\"p\",\"0/1\",\"Succeeded\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}],\"readinessGates\":[{\"conditionType\":\"a\"},{\"conditionType\":\"b\"}]},\"status\":"
	 "{\"phase\":\"Running\",\"conditions\":[{\"type\":\"a\",\"status\":\"True\"},{\"type\":\"b\",\"status\":"
	 "\"False\"}],\"nominatedNodeName\":\"nn\"}}",
		"[\"p\",\"0/1\",\"Running\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"nn\",\"1/2\"]"},
	{"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":"
	 "\"c\",\"image\":\"i\"}]},\"status\":{}}",
		"[\"p\",\"0/1\",\"\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
	{"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\"},\"spec\":{},\"status\":{}}",
		"[\"n\",\"Unknown\",\"<none>\",\"<unknown>\",\"\",\"<none>\",\"<none>\",\"<unknown>\",\"<unknown>\",\"<"
		"unknown>\"]"},
	{"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\",\"labels\":{\"node-role.kubernetes.io/"
	 "control-plane\":\"\",\"node-role.kubernetes.io/b\":\"x\",\"kubernetes.io/"
	 "role\":\"master\",\"node-role.kubernetes.io/"
	 "\":\"\"}},\"spec\":{\"unschedulable\":true},\"status\":{\"conditions\":[{\"type\":\"MemoryPressure\","
	 "\"status\":\"False\"},{\"type\":\"Ready\",\"status\":\"True\"}],\"nodeInfo\":{\"kubeletVersion\":\"v1.34.4\","
	 "\"osImage\":\"Debian\",\"kernelVersion\":\"6.1\",\"containerRuntimeVersion\":\"containerd://"
	 "1\"},\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"1.1.1.1\"},{\"type\":\"InternalIP\",\"address\":"
	 "\"1.1.1.2\"},{\"type\":\"ExternalIP\",\"address\":\"2.2.2.2\"}]}}",
		"[\"n\",\"Ready,SchedulingDisabled\",\"b,control-plane,master\",\"<unknown>\",\"v1.34.4\",\"1.1.1.1\","
		"\"2.2.2.2\",\"Debian\",\"6.1\",\"containerd://1\"]"},
	{"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\"},\"spec\":{},\"status\":{"
	 "\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\"}]}}",
		"[\"n\",\"NotReady\",\"<none>\",\"<unknown>\",\"\",\"<none>\",\"<none>\",\"<unknown>\",\"<unknown>\","
		"\"<unknown>\"]"},
	{"{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\"},\"status\":{\"phase\":\"Active\"}"
	 "}",
		"[\"n\",\"Active\",\"<unknown>\"]"},
	{"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"ClusterIP\","
	 "\"clusterIP\":\"10.0.0.1\",\"clusterIPs\":[\"10.0.0.1\"],\"ports\":[{\"port\":80,\"protocol\":\"TCP\"},{"
	 "\"port\":53,\"protocol\":\"UDP\",\"nodePort\":30053}],\"selector\":{\"b\":\"2\",\"a\":\"1\"}},\"status\":{}}",
		"[\"s\",\"ClusterIP\",\"10.0.0.1\",\"<none>\",\"80/TCP,53:30053/UDP\",\"<unknown>\",\"a=1,b=2\"]"},
	{"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"ClusterIP\","
	 "\"clusterIP\":\"None\",\"clusterIPs\":[\"None\"]},\"status\":{}}",
		"[\"s\",\"ClusterIP\",\"None\",\"<none>\",\"<none>\",\"<unknown>\",\"<none>\"]"},
	{"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"NodePort\","
	 "\"clusterIPs\":[\"1.1.1.1\"],\"externalIPs\":[\"3.3.3.3\",\"4.4.4.4\"],\"ports\":[{\"port\":80,\"nodePort\":"
	 "30080,\"protocol\":\"TCP\"}]},\"status\":{}}",
		"[\"s\",\"NodePort\",\"1.1.1.1\",\"3.3.3.3,4.4.4.4\",\"80:30080/TCP\",\"<unknown>\",\"<none>\"]"},
	{"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":"
	 "\"LoadBalancer\",\"clusterIPs\":[\"1.1.1.1\"]},\"status\":{}}",
		"[\"s\",\"LoadBalancer\",\"1.1.1.1\",\"<pending>\",\"<none>\",\"<unknown>\",\"<none>\"]"},
	{"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":"
	 "\"LoadBalancer\",\"externalIPs\":[\"9.9.9.9\"]},\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"5.5.5."
	 "5\"},{\"hostname\":\"a.b\"},{\"ip\":\"4.4.4.4\"}]}}}",
		"[\"s\",\"LoadBalancer\",\"<none>\",\"4.4.4.4,5.5.5.5,a.b,9.9.9.9\",\"<none>\",\"<unknown>\",\"<none>"
		"\"]"},
	{"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":"
	 "\"LoadBalancer\"},\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"5.5.5.5\"},{\"hostname\":"
	 "\"averyveryverylonghostname.example.com\"}]}}}",
		"[\"s\",\"LoadBalancer\",\"<none>\",\"5.5.5.5,averyveryverylonghostname.example.com\",\"<none>\",\"<"
		"unknown>\",\"<none>\"]"},
	{"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":"
	 "\"ExternalName\",\"externalName\":\"x.y\"},\"status\":{}}",
		"[\"s\",\"ExternalName\",\"<none>\",\"x.y\",\"<none>\",\"<unknown>\",\"<none>\"]"},
	{"{\"kind\":\"Endpoints\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\"}}",
		"[\"e\",\"<none>\",\"<unknown>\"]"},
	{"{\"kind\":\"Endpoints\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\"},\"subsets\":[{\"addresses\":[{"
	 "\"ip\":\"1.1.1.1\"},{\"ip\":\"fd00::1\"}],\"ports\":[{\"port\":80},{\"port\":81}]},{\"addresses\":[{\"ip\":"
	 "\"2.2.2.2\"}]}]}",
		"[\"e\",\"1.1.1.1:80,[fd00::1]:80,1.1.1.1:81 + 2 more...\",\"<unknown>\"]"},
	{"{\"kind\":\"Endpoints\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\"},\"subsets\":[{\"addresses\":[{"
	 "\"ip\":\"1.1.1.1\"}]}]}",
		"[\"e\",\"1.1.1.1\",\"<unknown>\"]"},
	{"{\"kind\":\"Endpoints\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\"},\"subsets\":[{"
	 "\"notReadyAddresses\":[{\"ip\":\"1.1.1.1\"}],\"ports\":[{\"port\":80}]}]}",
		"[\"e\",\"\",\"<unknown>\"]"},
	{"{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"e\"},\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"1.1.1.1\",\"1.1."
	 "1.2\"]},{\"addresses\":[\"1.1.1.3\"]},{\"addresses\":[\"1.1.1.4\"]}],\"ports\":[{\"name\":\"a\",\"port\":80},"
	 "{\"name\":\"b\"},{\"port\":1},{\"port\":2}]}",
		"[\"e\",\"IPv4\",\"80,b,1 + 1 more...\",\"1.1.1.1,1.1.1.2,1.1.1.3 + 1 more...\",\"<unknown>\"]"},
	{"{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"e\"},\"addressType\":\"IPv4\",\"endpoints\":[]}",
		"[\"e\",\"IPv4\",\"<unset>\",\"<unset>\",\"<unknown>\"]"},
	{"{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\"},\"data\":{\"a\":\"b\"},"
	 "\"binaryData\":{\"x\":\"aGk=\"}}",
		"[\"c\",2,\"<unknown>\"]"},
	{"{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\"},\"type\":\"Opaque\",\"data\":{\"a\":"
	 "\"aGk=\"}}",
		"[\"c\",\"Opaque\",1,\"<unknown>\"]"},
	{"{\"kind\":\"ServiceAccount\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\"},\"secrets\":[{\"name\":"
	 "\"x\"}]}",
		"[\"c\",1,\"<unknown>\"]"},
	{"{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\",\"namespace\":\"d\"},"
	 "\"involvedObject\":{\"kind\":\"Pod\",\"name\":\"web\",\"fieldPath\":\"spec.containers{c}\"},\"reason\":\"R\","
	 "\"message\":\" "
	 "hello\\n\",\"type\":\"Normal\",\"source\":{\"component\":\"kubelet\",\"host\":\"n1\"},\"count\":0}",
		"[\"<unknown>\",\"Normal\",\"R\",\"pod/web\",\"spec.containers{c}\",\"kubelet, "
		"n1\",\"hello\",\"<unknown>\",1,\"e\"]"},
	{"{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\",\"namespace\":\"d\"},"
	 "\"involvedObject\":{\"kind\":\"Node\"},\"reason\":\"R\",\"message\":\" "
	 "hello\\n\",\"type\":\"Normal\",\"source\":{},\"count\":5,\"reportingComponent\":\"x\",\"reportingInstance\":"
	 "\"y\"}",
		"[\"<unknown>\",\"Normal\",\"R\",\"node\",\"\",\"x, y\",\"hello\",\"<unknown>\",5,\"e\"]"},
	{"{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\",\"namespace\":\"d\"},"
	 "\"involvedObject\":{\"kind\":\"Pod\",\"name\":\"web\",\"fieldPath\":\"spec.containers{c}\"},\"reason\":\"R\","
	 "\"message\":\" hello\\n\",\"type\":\"Normal\",\"source\":{\"component\":\"a\"},\"count\":0}",
		"[\"<unknown>\",\"Normal\",\"R\",\"pod/"
		"web\",\"spec.containers{c}\",\"a\",\"hello\",\"<unknown>\",1,\"e\"]"},
	{"{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"l\"},\"spec\":{\"holderIdentity\":\"me\"}}",
		"[\"l\",\"me\",\"<unknown>\"]"},
	{"{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\",\"metadata\":{\"name\":\"l\"}}",
		"[\"l\",\"\",\"<unknown>\"]"},
	{"{\"kind\":\"Deployment\",\"apiVersion\":\"apps/"
	 "v1\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"b\":\"2\",\"a\":"
	 "\"1\"},\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]},{\"key\":\"z\","
	 "\"operator\":\"Exists\"}]},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
	 "\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"j\"}],\"nodeSelector\":{\"x\":\"y\",\"a\":\"b\"}}"
	 "}},\"status\":{\"readyReplicas\":1,\"updatedReplicas\":2,\"availableReplicas\":1}}",
		"[\"d\",\"1/3\",2,1,\"<unknown>\",\"c,d\",\"i,j\",\"a=1,b=2,k in (x,y),z\"]"},
	{"{\"kind\":\"Deployment\",\"apiVersion\":\"apps/"
	 "v1\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":0,\"selector\":{},\"template\":{\"metadata\":{"
	 "\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\","
	 "\"image\":\"j\"}],\"nodeSelector\":{\"x\":\"y\",\"a\":\"b\"}}}}}",
		"[\"d\",\"0/0\",0,0,\"<unknown>\",\"c,d\",\"i,j\",\"\"]"},
	{"{\"kind\":\"ReplicaSet\",\"apiVersion\":\"apps/"
	 "v1\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"b\":\"2\",\"a\":"
	 "\"1\"},\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]},{\"key\":\"z\","
	 "\"operator\":\"Exists\"}]},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
	 "\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"j\"}],\"nodeSelector\":{\"x\":\"y\",\"a\":\"b\"}}"
	 "}},\"status\":{\"replicas\":2,\"readyReplicas\":1}}",
		"[\"d\",3,2,1,\"<unknown>\",\"c,d\",\"i,j\",\"a=1,b=2,k in (x,y),z\"]"},
	{"{\"kind\":\"DaemonSet\",\"apiVersion\":\"apps/"
	 "v1\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"selector\":{\"matchLabels\":{\"b\":\"2\",\"a\":\"1\"},"
	 "\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]},{\"key\":\"z\","
	 "\"operator\":\"Exists\"}]},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
	 "\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"j\"}],\"nodeSelector\":{\"x\":\"y\",\"a\":\"b\"}}"
	 "}},\"status\":{\"desiredNumberScheduled\":5,\"currentNumberScheduled\":4,\"numberReady\":3,"
	 "\"updatedNumberScheduled\":2,\"numberAvailable\":1}}",
		"[\"d\",5,4,3,2,1,\"a=b,x=y\",\"<unknown>\",\"c,d\",\"i,j\",\"a=1,b=2,k in (x,y),z\"]"},
	{"{\"kind\":\"StatefulSet\",\"apiVersion\":\"apps/"
	 "v1\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"b\":\"2\",\"a\":"
	 "\"1\"},\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]},{\"key\":\"z\","
	 "\"operator\":\"Exists\"}]},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
	 "\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"j\"}],\"nodeSelector\":{\"x\":\"y\",\"a\":\"b\"}}"
	 "}},\"status\":{\"replicas\":2,\"readyReplicas\":1}}",
		"[\"d\",\"1/3\",\"<unknown>\",\"c,d\",\"i,j\"]"},
	{"{\"kind\":\"Job\",\"apiVersion\":\"batch/"
	 "v1\",\"metadata\":{\"name\":\"j\"},\"spec\":{\"completions\":3,\"parallelism\":1,\"template\":{\"metadata\":{"
	 "\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\","
	 "\"image\":\"j\"}],\"nodeSelector\":{\"x\":\"y\",\"a\":\"b\"}}},\"selector\":{\"matchLabels\":{\"b\":\"2\","
	 "\"a\":\"1\"},\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]},{\"key\":"
	 "\"z\",\"operator\":\"Exists\"}]}},\"status\":{\"succeeded\":1,\"startTime\":\"2020-01-01T00:00:00Z\","
	 "\"completionTime\":\"2020-01-01T00:05:30Z\",\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}}",
		"[\"j\",\"Complete\",\"1/3\",\"5m30s\",\"<unknown>\",\"c,d\",\"i,j\",\"a=1,b=2,k in (x,y),z\"]"},
	{"{\"kind\":\"CronJob\",\"apiVersion\":\"batch/v1\",\"metadata\":{\"name\":\"j\"},\"spec\":{\"schedule\":\"* * "
	 "* * "
	 "*\",\"suspend\":false,\"jobTemplate\":{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},"
	 "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"j\"}],"
	 "\"nodeSelector\":{\"x\":\"y\",\"a\":\"b\"}}}}}}}",
		"[\"j\",\"* * * * *\",\"<none>\",\"False\",0,\"<none>\",\"<unknown>\",\"c,d\",\"i,j\",\"<none>\"]"},
	{"{\"kind\":\"ReplicationController\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"d\"},\"spec\":{"
	 "\"replicas\":3,\"selector\":{\"a\":\"b\"},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{"
	 "\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"j\"}],\"nodeSelector\":{\"x\":"
	 "\"y\",\"a\":\"b\"}}}},\"status\":{\"replicas\":2}}",
		"[\"d\",3,2,0,\"<unknown>\",\"c,d\",\"i,j\",\"a=b\"]"},
	{"{\"kind\":\"RoleBinding\",\"apiVersion\":\"rbac.authorization.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"r\"},\"roleRef\":{\"kind\":\"Role\",\"name\":\"x\"},\"subjects\":[{\"kind\":"
	 "\"User\",\"name\":\"u\"},{\"kind\":\"User\",\"name\":\"v\"},{\"kind\":\"Group\",\"name\":\"g\"},{\"kind\":"
	 "\"ServiceAccount\",\"name\":\"s\",\"namespace\":\"n\"}]}",
		"[\"r\",\"Role/x\",\"<unknown>\",\"u, v\",\"g\",\"n/s\"]"},
	{"{\"kind\":\"ClusterRoleBinding\",\"apiVersion\":\"rbac.authorization.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"r\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"x\"}}",
		"[\"r\",\"ClusterRole/x\",\"<unknown>\",\"\",\"\",\"\"]"},
	{"{\"kind\":\"CertificateSigningRequest\",\"apiVersion\":\"certificates.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"c\"},\"spec\":{\"signerName\":\"s/"
	 "x\",\"username\":\"u\",\"request\":\"aGk=\",\"expirationSeconds\":3600}}",
		"[\"c\",\"<unknown>\",\"s/x\",\"u\",\"60m\",\"Pending\"]"},
	{"{\"kind\":\"CertificateSigningRequest\",\"apiVersion\":\"certificates.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"c\"},\"spec\":{\"signerName\":\"s/"
	 "x\",\"username\":\"u\",\"request\":\"aGk=\",\"expirationSeconds\":3600},\"status\":{\"conditions\":[{"
	 "\"type\":\"Approved\",\"status\":\"True\"}],\"certificate\":\"aGk=\"}}",
		"[\"c\",\"<unknown>\",\"s/x\",\"u\",\"60m\",\"Approved,Issued\"]"},
	{"{\"kind\":\"CertificateSigningRequest\",\"apiVersion\":\"certificates.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"c\"},\"spec\":{\"signerName\":\"s/"
	 "x\",\"username\":\"u\",\"request\":\"aGk=\",\"expirationSeconds\":3600},\"status\":{\"conditions\":[{"
	 "\"type\":\"Denied\",\"status\":\"True\"},{\"type\":\"Failed\",\"status\":\"True\"}]}}",
		"[\"c\",\"<unknown>\",\"s/x\",\"u\",\"60m\",\"Denied,Failed\"]"},
	{"{\"kind\":\"PriorityClass\",\"apiVersion\":\"scheduling.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"p\"},\"value\":1000,\"globalDefault\":true,\"preemptionPolicy\":\"Never\"}",
		"[\"p\",1000,true,\"<unknown>\",\"Never\"]"},
	{"{\"kind\":\"StorageClass\",\"apiVersion\":\"storage.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"p\",\"annotations\":{\"storageclass.kubernetes.io/"
	 "is-default-class\":\"true\"}},\"provisioner\":\"x\",\"reclaimPolicy\":\"Retain\",\"allowVolumeExpansion\":"
	 "true}",
		"[\"p (default)\",\"x\",\"Retain\",\"Immediate\",true,\"<unknown>\"]"},
	{"{\"kind\":\"PersistentVolumeClaim\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{"
	 "\"volumeName\":\"v\",\"storageClassName\":\"sc\",\"accessModes\":[\"ReadWriteOnce\"],\"volumeMode\":"
	 "\"Filesystem\"},\"status\":{\"phase\":\"Bound\",\"capacity\":{\"storage\":\"1Gi\"},\"accessModes\":["
	 "\"ReadWriteOnce\",\"ReadOnlyMany\"]}}",
		"[\"p\",\"Bound\",\"v\",\"1Gi\",\"RWO,ROX\",\"sc\",\"<unset>\",\"<unknown>\",\"Filesystem\"]"},
	{"{\"kind\":\"PersistentVolume\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"capacity\":{"
	 "\"storage\":\"1Gi\"},\"accessModes\":[\"ReadWriteMany\"],\"persistentVolumeReclaimPolicy\":\"Retain\","
	 "\"claimRef\":{\"namespace\":\"n\",\"name\":\"c\"},\"storageClassName\":\"sc\",\"hostPath\":{\"path\":\"/"
	 "x\"}},\"status\":{\"phase\":\"Bound\",\"reason\":\"r\"}}",
		"[\"p\",\"1Gi\",\"RWX\",\"Retain\",\"Bound\",\"n/"
		"c\",\"sc\",\"<unset>\",\"r\",\"<unknown>\",\"<unset>\"]"},
	{"{\"kind\":\"NetworkPolicy\",\"apiVersion\":\"networking.k8s.io/"
	 "v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"podSelector\":{\"matchLabels\":{\"a\":\"b\"}}}}",
		"[\"p\",\"a=b\",\"<unknown>\"]"},
	{"{\"kind\":\"PodDisruptionBudget\",\"apiVersion\":\"policy/"
	 "v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"minAvailable\":\"50%\"},\"status\":{\"disruptionsAllowed\":1}"
	 "}",
		"[\"p\",\"50%\",\"N/A\",1,\"<unknown>\"]"},
	{"{\"kind\":\"ControllerRevision\",\"apiVersion\":\"apps/"
	 "v1\",\"metadata\":{\"name\":\"p\",\"ownerReferences\":[{\"apiVersion\":\"apps/"
	 "v1\",\"kind\":\"DaemonSet\",\"name\":\"d\",\"uid\":\"u\",\"controller\":true}]},\"revision\":3}",
		"[\"p\",\"daemonset.apps/d\",3,\"<unknown>\"]"},
	{"{\"kind\":\"PodTemplate\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"},\"template\":{\"metadata\":{"
	 "\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\","
	 "\"image\":\"j\"}],\"nodeSelector\":{\"x\":\"y\",\"a\":\"b\"}}}}",
		"[\"p\",\"c,d\",\"i,j\",\"a=b\"]"},
	{"{\"kind\":\"ComponentStatus\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\"},\"conditions\":[{\"type\":"
	 "\"Healthy\",\"status\":\"True\",\"message\":\"ok\"}]}",
		"[\"c\",\"Healthy\",\"ok\",\"\"]"},
};

static char *cells_of(struct arena *arena, const MetaV1Table *table)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const MetaV1TableRow *row = table->rows[0];

	for (size_t i = 0; i < row->n_cells; i++) {
		cJSON *cell;
		strbuf_addc(&out, i ? ',' : '[');
		assert_null(tree_parse(arena, (char *)row->cells[i]->raw.data, row->cells[i]->raw.len, NULL, &cell));
		tree_print(&out, cell, JSON_NO_HTML_ESCAPE);
	}
	strbuf_addc(&out, ']');
	return arena_strndup(arena, out.buf, out.len);
}

static void rows_are_those_of_the_original(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		void *object = NULL;
		assert_null(json_decode_any(arena, rows[i].object, strlen(rows[i].object), NULL, &object));
		MetaV1Table *table = print_table(arena, object, &bare);
		assert_int_equal(table->n_rows, 1);
		assert_int_equal(table->n_column_definitions, table->rows[0]->n_cells);
		assert_string_equal(cells_of(arena, table), rows[i].cells);
	}
}

static void ages_and_restarts_are_told(void **state)
{
	static const char text[] = "{\"metadata\":{\"name\":\"p\",\"creationTimestamp\":\"2023-11-14T21:13:20Z\"},"
				   "\"spec\":{\"containers\":[{\"name\":\"c\"}]},"
				   "\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":"
				   "true,\"restartCount\":2,"
				   "\"state\":{\"running\":{}},\"lastState\":{\"terminated\":{\"exitCode\":1,"
				   "\"finishedAt\":\"2023-11-14T22:08:20Z\"}}}]}}";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Pod *pod;

	assert_null(json_decode(arena, &CoreV1Pod_schema, text, strlen(text), NULL, &pod));
	assert_string_equal(cells_of(arena, print_table(arena, pod, &bare)),
		"[\"p\",\"1/1\",\"Running\",\"2 (5m ago)\",\"60m\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]");
}

/* A row that is kept is at any time what a Table made then would have. */
static void assert_kept_row(void *object)
{
	static const int64_t times[] = {NOW, NOW + 61, NOW + 86400 * 400, NOW - 86400 * 4000};
	CLEANUP_FREE struct print_row *row = print_row_new(object);

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf kept = STRBUF_INIT, made = STRBUF_INIT;
		const struct print_table_options then = {.now = times[i], .include = "None"};
		json_encode(&made, print_table(arena, object, &then)->rows[0], 0);
		print_row_add(&kept, row, times[i]);
		strbuf_truncate(&made, kept.len);
		assert_string_equal(kept.buf, made.buf);
	}
}

static void kept_rows_are_as_made_anew(void **state)
{
	static const char *const more[] = {
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"creationTimestamp\":\"2023-11-"
		"14T21:13:"
		"20Z\"},\"status\":{\"phase\":\"Failed\",\"reason\":\"<&\\u0001\",\"containerStatuses\":[{\"name\":"
		"\"c\","
		"\"restartCount\":2,\"lastState\":{\"terminated\":{\"finishedAt\":\"2023-11-14T22:08:20Z\"}}}]}}",
		"{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"j\"},\"status\":{\"startTime\":"
		"\"2023-11-14T21:13:20Z\"}}",
		"{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\"},\"eventTime\":\"2023-11-14T21:"
		"13:20."
		"000001Z\"}",
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	void *object = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_null(json_decode_any(arena, rows[i].object, strlen(rows[i].object), NULL, &object));
		assert_kept_row(object);
	}
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		assert_null(json_decode_any(arena, more[i], strlen(more[i]), NULL, &object));
		assert_kept_row(object);
	}
}

static void lists_become_tables(void **state)
{
	static const char text[] =
		"{\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"c\",\"remainingItemCount\":3},"
		"\"items\":[{\"metadata\":{\"name\":\"a\"},\"status\":{\"phase\":\"Succeeded\"}},{\"metadata\":{"
		"\"name\":\"b\"}}]}";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1PodList *list;

	assert_null(json_decode(arena, &CoreV1PodList_schema, text, strlen(text), NULL, &list));
	MetaV1Table *table = print_table(arena, list, &(struct print_table_options){.now = NOW});
	assert_int_equal(table->n_rows, 2);
	assert_int_equal(table->n_column_definitions, 0);
	assert_string_equal(table->metadata->resource_version, "7");
	assert_string_equal(table->metadata->continue_, "c");
	assert_int_equal(table->metadata->remaining_item_count, 3);
	assert_string_equal(table->rows[0]->conditions[0]->reason, "Succeeded");
	assert_string_equal(
		arena_strndup(arena, (char *)table->rows[1]->object->raw.data, table->rows[1]->object->raw.len),
		"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{\"name\":\"b\"}}");
	assert_int_equal(print_table(arena, API_NEW(arena, CoreV1PodList), &bare)->n_rows, 0);
	const struct print_table_options old = {.now = NOW, .metadata_version = "meta.k8s.io/v1beta1"};
	table = print_table(arena, list, &old);
	assert_string_equal(
		arena_strndup(arena, (char *)table->rows[0]->object->raw.data, table->rows[0]->object->raw.len),
		"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/"
		"v1beta1\",\"metadata\":{\"name\":\"a\"}}");
}

static void kinds_without_a_printer_have_a_name(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();

	SCHEMA_FOREACH_RESOURCE(r)
	{
		const struct schema_column *columns;
		struct print_cell *cells;
		void *object = api_new(arena, r->type);
		if (!schema_field_by_name(r->type, "metadata"))
			continue;
		assert_int_equal(print_cells(arena, object, NOW, &cells), print_columns(r->type, &columns));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_those_of_the_original),
		cmocka_unit_test(ages_and_restarts_are_told),
		cmocka_unit_test(kept_rows_are_as_made_anew),
		cmocka_unit_test(lists_become_tables),
		cmocka_unit_test(kinds_without_a_printer_have_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
