"""A client that does everything wrong, against the control plane that CP_DIR and CP_SERVER name.

    hostile.py request CASE     one bad request; prints the code, the Status' reason and (with -v) its message
    hostile.py list             the names of the cases
    hostile.py watch-unread     a watcher that stops reading while others go on; prints what happened
    hostile.py watch-stalled    a watcher that never reads; prints after how many seconds its connection was closed
    hostile.py endless          a body that never ends; prints the code, or "closed"
    hostile.py half N           N handshakes that stop in the middle; prints the share of a processor that they cost
    hostile.py idle N           N connections that say nothing; prints whether a request is answered meanwhile
"""
import json
import os
import resource
import socket
import ssl
import sys
import threading
import time

DIR, SERVER = os.environ["CP_DIR"], os.environ["CP_SERVER"]
HOST, PORT = SERVER.split("//")[1].rsplit(":", 1)
NS = "/api/v1/namespaces/default"
MAPS = NS + "/configmaps"


def context():
    c = ssl.create_default_context(cafile=DIR + "/ca.crt")
    c.load_cert_chain(DIR + "/admin.crt", DIR + "/admin.key")
    return c


CONTEXT = context()


def connect(timeout=60):
    raw = socket.create_connection((HOST, int(PORT)), timeout=timeout)
    return CONTEXT.wrap_socket(raw, server_hostname=HOST)


def head(method, path, headers):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{PORT}"] + [f"{k}: {v}" for k, v in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def joined(chunks):
    """The body that chunks make."""
    body, at = bytearray(), 0
    while True:
        end = chunks.index(b"\r\n", at)
        size = int(chunks[at:end], 16)
        if not size:
            return body
        body += chunks[end + 2:end + 2 + size]
        at = end + 2 + size + 2


def read_answer(s):
    """(code, body) of one answer; (None, b"") when the server closes without one."""
    data, body = b"", bytearray()
    try:
        while b"\r\n\r\n" not in data:
            piece = s.recv(65536)
            if not piece:
                return None, data
            data += piece
        top, rest = data.split(b"\r\n\r\n", 1)
        body += rest
        fields = {l.split(b":", 1)[0].lower(): l.split(b":", 1)[1].strip() for l in top.split(b"\r\n")[1:]}
        size = int(fields.get(b"content-length", b"-1"))
        while len(body) < size or (size < 0 and not body.endswith(b"0\r\n\r\n")):
            piece = s.recv(65536)
            if not piece:
                break
            body += piece
        if fields.get(b"transfer-encoding") == b"chunked":
            body = joined(body)
    except (ConnectionError, ssl.SSLError, TimeoutError):
        if b"\r\n" not in data:
            return None, b""
        top = data.partition(b"\r\n\r\n")[0]
    return int(top.split()[1]), bytes(body)


def request(method, path, body=b"", kind="application/json", headers=None):
    if isinstance(body, str):
        body = body.encode()
    fields = {"Content-Type": kind, "Content-Length": len(body), "Connection": "close", **(headers or {})}
    with connect() as s:
        try:
            s.sendall(head(method, path, fields) + body)
        except (ConnectionError, ssl.SSLError):
            pass  # refused before it was read; the answer tells
        return read_answer(s)


def config_map(name, more=""):
    return '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"%s},"data":{"a":"b"}}' % (name, more)


def patched(body, kind):
    request("POST", MAPS, config_map("patched"))
    return request("PATCH", MAPS + "/patched", body, kind)


def alias_bomb():
    text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    for i in range(1, 12):
        text += "a%d: &a%d [%s]\n" % (i, i, ",".join(["*a%d" % (i - 1)] * 9))
    return request("POST", MAPS, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n" + text, "application/yaml")


def copies(n):
    """Copies that double the object each time."""
    operations = [{"op": "add", "path": "/data/a", "value": "x" * 100000}]
    for i in range(n):
        operations.append({"op": "copy", "from": "/data", "path": "/data/k%d" % i})
    return json.dumps(operations)


def long_list(path, text, size=2000000):
    """An object with one long list: text has "@", which becomes an item's number, between | and |. Lists of mistakes are
    shorter: each of them is an error that is told. What grows with the square is told from the rest by a tenth, too,
    and a sanitizer makes all of it ten times as slow."""
    head, item, tail = text.split("|")
    n = size // (len(item) + 6) // (10 if "/san-" in os.environ.get("CP_APISERVER", "") else 1)
    return request("POST", path + "?dryRun=All", head + ",".join(item.replace("@", str(i)) for i in range(n)) + tail)


def long_claim_volumes():
    request("POST", NS + "/serviceaccounts", '{"metadata":{"name":"default"}}')
    return long_list(
        NS + "/pods", '{"metadata":{"name":"long"},"spec":{"containers":[{"name":"c","image":"i"}],"volumes":['
        '|{"name":"v@","persistentVolumeClaim":{"claimName":"c@"}}|]}}')


def long_pod(before, item, after, size=2000000):
    return long_list(
        "/apis/apps/v1/namespaces/default/daemonsets", '{"metadata":{"name":"long"},"spec":{"selector":{"matchLabels":{"a":"b"}},'
        '"template":{"metadata":{"labels":{"a":"b"}},"spec":{%s|%s|%s}}}}' % (before, item, after), size)


def changed_selector():
    """An update that may not be, whose answer shows how long texts differ: every other line."""
    n = 6000 if "/san-" in os.environ.get("CP_APISERVER", "") else 60000
    pod = lambda other: json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "changed"},
        "spec": {"containers": [{"name": "c", "image": "i"}], "nodeSelector": {"k%d" % (n - i): other * (i % 2) for i in range(n)}}})
    request("POST", NS + "/serviceaccounts", '{"metadata":{"name":"default"}}')
    request("POST", NS + "/pods", pod(""))
    return request("PUT", NS + "/pods/changed", pod("x"))


def many_keys(kind):
    """A patch of a map that is small, with as many new keys as fit."""
    request("POST", MAPS, config_map("patched"))
    return request("PATCH", MAPS + "/patched?dryRun=All", '{"data":{' + ",".join('"k%d":""' % i for i in range(80000)) + "}}",
                   "application/%s-patch+json" % kind)


def claims_of_each():
    """Many containers, each of which names the last of as many claims."""
    n = 1200 if "/san-" in os.environ.get("CP_APISERVER", "") else 12000
    resources = {"claims": [{"name": "r%d" % n}]}
    spec = {"automountServiceAccountToken": False, "resourceClaims": [{"name": "r%d" % (i + 1), "resourceClaimName": "x"} for i in range(n)],
            "containers": [{"name": "c%d" % i, "image": "i", "resources": resources} for i in range(n)]}
    return request("POST", NS + "/pods?dryRun=All", json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "claims"}, "spec": spec}))


def many_wrong(kind):
    """A patch that makes many texts of a large map numbers: the answer shows all that it would have made, sorted."""
    n = 4000 if "/san-" in os.environ.get("CP_APISERVER", "") else 40000
    keys = ["k%05d" % i for i in range(n, 0, -1)]
    request("POST", MAPS, json.dumps({"metadata": {"name": "wrong"}, "data": dict.fromkeys(keys, "")}))
    patch = {"data": dict.fromkeys(keys, 1)}
    if kind == "json":
        patch = [{"op": "replace", "path": "/data/" + key, "value": 1} for key in keys[:9999]]
    return request("PATCH", MAPS + "/wrong", json.dumps(patch), "application/%s-patch+json" % kind)


def few_or(n):
    """A sanitizer makes all of it ten times as slow."""
    return n // 10 if "/san-" in os.environ.get("CP_APISERVER", "") else n


def pod(name, **spec):
    request("POST", NS + "/serviceaccounts", '{"metadata":{"name":"default"}}')
    spec = {"automountServiceAccountToken": False, "containers": [{"name": "c", "image": "i"}], **spec}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}, separators=(",", ":"))


def sidecars():
    """Each init container stays, with a resource of its own: the sums of all steps."""
    side = [{"name": "s%d" % i, "image": "i", "restartPolicy": "Always", "resources": {"limits": {"x.io/%d" % i: "1"}}}
            for i in range(few_or(9000))]
    return request("POST", NS + "/pods?dryRun=All", pod("sidecars", initContainers=side, resources={"limits": {"cpu": "1"}}))


def mounts_of_each():
    n = few_or(12000)
    containers = [{"name": "c%d" % i, "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/x"}]} for i in range(n)]
    volumes = [{"name": "v%d" % i, "emptyDir": {}} for i in range(n)] + [{"name": "v", "emptyDir": {}}]
    return request("POST", NS + "/pods?dryRun=All", pod("mounts", containers=containers, volumes=volumes))


def long_status(patch):
    request("POST", NS + "/pods", pod("status"))
    return request("PATCH", NS + "/pods/status/status?dryRun=All", json.dumps({"status": patch}, separators=(",", ":")),
                   "application/merge-patch+json")


def deletes_among_kept():
    """New objects of which every other is a directive that takes it away."""
    n = few_or(50000)
    members = {}
    for i in range(n):
        members["k%d" % i], members["d%d" % i] = {"a": 1}, {"$patch": "delete"}
    request("POST", MAPS, config_map("patched"))
    return request("PATCH", MAPS + "/patched?dryRun=All", json.dumps({"new": {"x": members}}),
                   "application/strategic-merge-patch+json")


def long_crd(schema):
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", **schema}}}
    spec = {"group": "b.c", "scope": "Cluster", "names": {"plural": "as", "kind": "A"}, "versions": [version]}
    return request("POST", GROUPS % ("apiextensions", "customresourcedefinitions") + "?dryRun=All",
                   json.dumps({"metadata": {"name": "as.b.c"}, "spec": spec}))


def properties_required():
    n = few_or(35000)
    return long_crd({"required": ["k%d" % (n - i) for i in range(n)], "x-kubernetes-validations": [{"rule": "true"}],
                     "properties": {"k%d" % i: {"type": "string"} for i in range(n)}})


def properties_restricted():
    n = few_or(30000)
    return long_crd({"allOf": [{"properties": {"k%d" % i: {"maxLength": 3}}} for i in range(n)],
                     "properties": {"k%d" % i: {"type": "string"} for i in range(n)}})


def service_ports():
    n = few_or(60000)
    request("POST", NS + "/services", '{"metadata":{"name":"ports"},"spec":{"type":"LoadBalancer","ports":[{"port":80}]}}')
    ports = [{"port": i + 1, "nodePort": i + 1, "name": "p%d" % i} for i in range(n)]
    return request("PATCH", NS + "/services/ports?dryRun=All", json.dumps({"spec": {"ports": ports}}, separators=(",", ":")),
                   "application/merge-patch+json")


def limited(name, n, **item):
    """A pod of many containers in a namespace whose LimitRange has as many amounts: the product has room nowhere."""
    base = "/api/v1/namespaces/" + name
    request("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": name}}))
    request("POST", base + "/serviceaccounts", '{"metadata":{"name":"default"}}')
    amounts = {"x.io/%d" % i: "1" for i in range(few_or(n))}
    request("POST", base + "/limitranges", json.dumps(
        {"metadata": {"name": "many"}, "spec": {"limits": [{"type": "Container", **{key: amounts for key in item}}]}}))
    containers = [{"name": "c%d" % i, "image": "i"} for i in range(few_or(n))]
    return request("POST", base + "/pods", pod("limited", containers=containers))


def applied_map():
    """An apply of a map that has one owner, as what is there already, in another order."""
    n = few_or(50000)
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "applied"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}},
        "selector": {"matchLabels": {"k%d" % (n - i): "" for i in range(n)}}}}
    claims = NS + "/persistentvolumeclaims"
    request("POST", claims, json.dumps(claim))
    return request("PATCH", claims + "/applied?fieldManager=a", json.dumps(claim), "application/apply-patch+yaml")


def review(**spec):
    attributes = {"verb": "get", "resource": "pods", **spec.pop("attributes", {})}
    return request("POST", GROUPS % ("authorization", "subjectaccessreviews"),
                   json.dumps({"spec": {"user": "u", "resourceAttributes": attributes, **spec}}))


def many_rights():
    """A role of 64 million rights, of a user who may make roles and holds none of these."""
    kind = "rbac.authorization.k8s.io"
    request("POST", GROUPS % ("rbac.authorization", "clusterroles"), json.dumps(
        {"metadata": {"name": "maker"}, "rules": [{"apiGroups": [kind], "resources": ["roles"], "verbs": ["create"]}]}))
    request("POST", GROUPS % ("rbac.authorization", "clusterrolebindings"), json.dumps(
        {"metadata": {"name": "maker"}, "roleRef": {"apiGroup": kind, "kind": "ClusterRole", "name": "maker"},
         "subjects": [{"apiGroup": kind, "kind": "User", "name": "maker"}]}))
    names = lambda letter: [letter + str(i) for i in range(400)]
    rule = {"apiGroups": names("g"), "resources": names("r"), "verbs": names("v")}
    return request("POST", GROUPS % ("rbac.authorization", "namespaces/default/roles"),
                   json.dumps({"metadata": {"name": "many"}, "rules": [rule]}), headers={"Impersonate-User": "maker"})


GROUPS = "/apis/%s.k8s.io/v1/%s"
CONTAINER = '"containers":[{"name":"c","image":"i"%s}]'

CASES = {
    "sidecars": sidecars,
    "mounts-of-each": mounts_of_each,
    "long-conditions": lambda: long_status({"conditions": [{"type": "x.io/%d" % i, "status": "True"} for i in range(few_or(50000))]}),
    "long-addresses": lambda: long_status({"podIPs": [{"ip": "10.1.%d.%d" % (i >> 8, i & 255)} for i in range(few_or(60000))]}),
    "deletes-among-kept": deletes_among_kept,
    "properties-required": properties_required,
    "properties-restricted": properties_restricted,
    "service-ports": service_ports,
    "applied-map": applied_map,
    "defaults-of-each": lambda: limited("defaults", 20000, defaultRequest=True),
    "bounds-of-each": lambda: limited("bounds", 20000, min=True),
    "review-extra": lambda: review(extra={"k%d" % i: ["v"] for i in range(few_or(120000))}),
    "review-values": lambda: review(
        attributes={"labelSelector": {"rawSelector": "k in (%s)" % ",".join("v%d" % i for i in range(few_or(120000)))}}),
    "many-rights": many_rights,
    "long-binary-data": lambda: request("POST", MAPS + "?dryRun=All", json.dumps({"metadata": {"name": "long"}, **{
        field: {letter + str(i): "" for i in range(few_or(100000))} for field, letter in (("data", "k"), ("binaryData", "b"))}})),
    "changed-selector": changed_selector,
    "claims-of-each": claims_of_each,
    "many-wrong-json": lambda: many_wrong("json"),
    "many-wrong-merged": lambda: many_wrong("merge"),
    "many-wrong-strategic": lambda: many_wrong("strategic-merge"),
    "many-keys-merged": lambda: many_keys("merge"),
    "many-keys-strategic": lambda: many_keys("strategic-merge"),
    "long-volumes": lambda: long_pod('"volumes":[', '{"name":"v@","emptyDir":{}}', "]," + CONTAINER % ""),
    "long-pull-secrets": lambda: long_pod('"imagePullSecrets":[', '{"name":"s@"}', "]," + CONTAINER % ""),
    "long-environment": lambda: long_pod('"containers":[{"name":"c","image":"i","env":[', '{"name":"E@"}', "]}]"),
    "long-claims": lambda: long_pod('"containers":[{"name":"c","image":"i","resources":{"claims":[', '{"name":"c@"}', "]}}]", 700000),
    "long-claim-volumes": long_claim_volumes,
    "long-limits": lambda: long_list(
        NS + "/pods", '{"metadata":{"name":"long"},"spec":{"automountServiceAccountToken":false,"containers":[{"name":"c","image":"i",'
        '"resources":{"limits":{|"x.io/@":"1"|}}}]}}', 1000000),
    "long-same-ports": lambda: long_pod('"containers":[{"name":"c","image":"i","ports":[', '{"containerPort":80}', "]}]", 900000),
    "long-files": lambda: long_pod(
        '"volumes":[{"name":"v","configMap":{"name":"c","items":[', '{"key":"k","path":"d@/f"}', "]}}]," + CONTAINER % ""),
    "long-repeated-ports": lambda: long_list(
        NS + "/services", '{"apiVersion":"v1","kind":"Service","metadata":{"name":"long"},"spec":{"ports":['
        '|{"port":80,"name":"p"}|]}}', 700000),
    "long-string-data": lambda: long_list(
        NS + "/secrets", '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"long"},"stringData":{|"k@":""|}}', 900000),
    "long-review-versions": lambda: long_list(
        GROUPS % ("admissionregistration", "validatingwebhookconfigurations"),
        '{"metadata":{"name":"long"},"webhooks":[{"name":"a.b.c","sideEffects":"None","clientConfig":{"url":"https://x"},'
        '"admissionReviewVersions":[|"v@"|]}]}'),
    "long-map-keys": lambda: long_list(
        GROUPS % ("apiextensions", "customresourcedefinitions"),
        '{"metadata":{"name":"as.b.c"},"spec":{"group":"b.c","scope":"Cluster","names":{"plural":"as","kind":"A"},'
        '"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":'
        '{"l":{"type":"array","x-kubernetes-list-type":"map","items":{"type":"object"},"x-kubernetes-list-map-keys":['
        '|"k@"|]}}}}}]}}'),
    "long-topologies": lambda: long_list(
        GROUPS % ("storage", "storageclasses"),
        '{"metadata":{"name":"long"},"provisioner":"x","allowedTopologies":[|{"matchLabelExpressions":[]}|]}', 50000),
    "long-namespaces": lambda: long_list(
        "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
        '{"metadata":{"name":"long"},"spec":{"priorityLevelConfiguration":{"name":"x"},"matchingPrecedence":5,"rules":['
        '{"subjects":[{"kind":"User","user":{"name":"u"}}],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],'
        '"resources":["*"],"namespaces":[|"n@"|]}]}]}}'),
    "alias-bomb": alias_bomb,
    "deep-json": lambda: request("POST", MAPS, '{"a":' * 200000),
    "deep-json-known-field": lambda: request(
        "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        '{"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1","spec":{"versions":[{"schema":'
        '{"openAPIV3Schema":' + '{"not":' * 50000 + "{}" + "}" * 50000 + "}}]}}"),
    "deep-yaml": lambda: request("POST", MAPS, "a: " + "[" * 200000, "application/yaml"),
    "deep-patch": lambda: patched('{"data":' * 50000 + "1" + "}" * 50000, "application/merge-patch+json"),
    "patch-operations": lambda: patched(
        json.dumps([{"op": "test", "path": "/data/a", "value": "b"}] * 10001), "application/json-patch+json"),
    "patch-most-operations": lambda: patched(
        json.dumps([{"op": "test", "path": "/data/a", "value": "b"}] * 10000), "application/json-patch+json"),
    "patch-copies": lambda: patched(copies(40), "application/json-patch+json"),
    "patch-no-json": lambda: patched("[{", "application/json-patch+json"),
    "patch-unknown-type": lambda: patched("{}", "application/unheard-of"),
    "too-large": lambda: request("POST", MAPS, '{"metadata":{"name":"' + "x" * (3 << 20) + '"}}'),
    "million-labels": lambda: request("POST", MAPS, config_map(
        "labels", ',"labels":{' + ",".join('"l%d":"v"' % i for i in range(1000000)) + "}")),
    "many-labels": lambda: request("POST", MAPS, config_map(
        "labels", ',"labels":{' + ",".join('"l%d":"v"' % i for i in range(180000)) + "}")),
    "bad-labels": lambda: request("POST", MAPS, config_map(
        "labels", ',"labels":{' + ",".join('"-%d":"v"' % i for i in range(2000)) + "}")),
    "many-bad-labels": lambda: request("POST", MAPS, config_map(
        "labels", ',"labels":{' + ",".join('"-%d":"v"' % i for i in range(20000)) + "}")),
    "utf8-json": lambda: request("POST", MAPS, config_map("bad").encode().replace(b'"b"', b'"\xff\xfe"')),
    "utf8-name": lambda: request("POST", MAPS, config_map("bad").encode().replace(b'"bad"', b'"b\xffd"')),
    "utf8-yaml": lambda: request("POST", MAPS, b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \xff}\n",
                                 "application/yaml"),
    "nul-in-name": lambda: request("POST", MAPS, config_map("a\\u0000b")),
    "protobuf-broken": lambda: request("POST", MAPS, b"k8s\0\x0a\xff\xff\xff\xff\x0f", "application/vnd.kubernetes.protobuf"),
    "protobuf-no-magic": lambda: request("POST", MAPS, b"\x0a\x02\x08\x01", "application/vnd.kubernetes.protobuf"),
    "cbor": lambda: request("POST", MAPS, b"\xa0", "application/cbor"),
    "no-body": lambda: request("POST", MAPS),
    "json-and-more": lambda: request("POST", MAPS, config_map("more") + "{}"),
    "path-dots": lambda: request("GET", "/api/v1/namespaces/default/configmaps/../../kube-system/configmaps"),
    "path-escaped-dots": lambda: request("GET", "/api/v1/namespaces/%2e%2e/configmaps"),
    "path-escaped-name": lambda: request("GET", MAPS + "/%2e%2e%2fx"),
    "path-escaped-slash": lambda: request("GET", "/api/v1/namespaces/a%2Fb/configmaps"),
    "path-bad-escape": lambda: request("GET", MAPS + "/%zz"),
    "path-double-slash": lambda: request("GET", "//api//v1//namespaces//default"),
    "path-nul": lambda: request("GET", MAPS + "/%00"),
    "path-utf8": lambda: request("GET", MAPS + "/%ff"),
    "path-long": lambda: request("GET", MAPS + "/" + "x" * 8000),
    "scope-missing-namespace": lambda: request("GET", "/api/v1/configmaps/x"),
    "scope-node-in-namespace": lambda: request("GET", NS + "/nodes/x"),
    "scope-post-without-namespace": lambda: request("POST", "/api/v1/configmaps", config_map("x")),
    "scope-namespace-mismatch": lambda: request("POST", MAPS, config_map("x", ',"namespace":"other"')),
    "name-mismatch": lambda: request("PUT", MAPS + "/x", config_map("y")),
    "unknown-subresource": lambda: request("GET", MAPS + "/x/nothing"),
    "unknown-method": lambda: request("BREW", MAPS),
    "bad-selector": lambda: request("GET", MAPS + "?labelSelector=" + "a%3D%3D%3D" * 100),
    "bad-field-selector": lambda: request("GET", MAPS + "?fieldSelector=spec.nothing%3Dx"),
    "bad-continue": lambda: request("GET", MAPS + "?limit=1&continue=" + "A" * 4000),
    "bad-version": lambda: request("GET", MAPS + "?resourceVersion=-1"),
    "bad-limit": lambda: request("GET", MAPS + "?limit=many"),
    "bad-dry-run": lambda: request("POST", MAPS + "?dryRun=Some", config_map("x")),
    "bad-accept": lambda: request("GET", MAPS, headers={"Accept": "text/html;" + "q=0.1," * 1000}),
    "header-large": lambda: request("GET", MAPS, headers={"X-Large": "x" * 60000}),
    "header-too-large": lambda: request("GET", MAPS, headers={"X-Large": "x" * (2 << 20)}),
    "headers-many": lambda: request("GET", MAPS, headers={"X-%d" % i: "x" for i in range(2000)}),
    "token-large": lambda: request("GET", MAPS, headers={"Authorization": "Bearer " + "x" * 20000}),
    "length-bad": lambda: request("POST", MAPS, headers={"Content-Length": "-5"}),
}


def endless():
    """Chunks without end: what the server says before it has read more than it takes."""
    with connect() as s:
        s.sendall(head("POST", MAPS, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}))
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
        sent = 0
        try:
            while sent < 64 << 20:
                s.sendall(piece)
                sent += len(piece)
        except (ConnectionError, ssl.SSLError):
            pass
        code, _ = read_answer(s)
        print(code or "closed", "after less than 64 MiB" if sent < 64 << 20 else "after all was read")


def open_watch(small):
    """A watch of the maps; small: by a client that takes in little, and that so little waits on its way to it."""
    raw = socket.socket()
    if small:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(120)
    raw.connect((HOST, int(PORT)))
    s = CONTEXT.wrap_socket(raw, server_hostname=HOST)
    s.sendall(head("GET", MAPS + "?watch=1&timeoutSeconds=600", {}))
    return s


def write_events(name, n_events, size=20000):
    """Changes of a map, each told to who watches; what went wrong, or None."""
    request("POST", MAPS, config_map(name))
    with connect() as s:
        for i in range(n_events):
            body = json.dumps({"data": {"n": str(i), "v": "x" * size}}, separators=(",", ":")).encode()
            s.sendall(head("PATCH", MAPS + "/" + name, {"Content-Type": "application/merge-patch+json",
                                                        "Content-Length": len(body)}) + body)
            code, _ = read_answer(s)
            if code != 200:
                return "write %d was answered %s" % (i, code)
    return None


def watch_unread(n_events=400):
    """One watcher reads nothing, one reads on: the reader gets every event."""
    unread, reader = open_watch(True), open_watch(False)
    last = b'"n":"%d"' % (n_events - 1)
    seen = threading.Event()

    def read_on():
        kept = b""
        while not seen.is_set():
            piece = reader.recv(65536)
            if not piece:
                return
            kept = kept[-64:] + piece
            if last in kept:
                seen.set()

    thread = threading.Thread(target=read_on, daemon=True)
    thread.start()
    print(write_events("busy", n_events) or ("reader saw all" if seen.wait(60) else "reader missed some"))
    unread.close()
    reader.close()


def server_holds(port):
    """Whether a process has the server's side of the connection from a port of ours: without one it is only the kernel
    that still tries to send."""
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(name) as table:
            for row in list(table)[1:]:
                fields = row.split()
                local, remote = (int(fields[i].rsplit(":", 1)[1], 16) for i in (1, 2))
                if local == int(PORT) and remote == port:
                    return fields[9] != "0"
    return False


def watch_stalled(patience=300):
    """A watcher that never reads: the server lets go of it."""
    s = open_watch(True)
    problem = write_events("stalled", 400)
    start = time.time()
    while not problem and server_holds(s.getsockname()[1]):
        if time.time() - start > patience:
            problem = "held after %d seconds" % patience
        time.sleep(1)
    print(problem or "let go after %d seconds" % (time.time() - start))


def half(n):
    """Handshakes whose clients say no more after their hello."""
    def cpu_s():
        with open("/proc/%s/stat" % os.environ["CP_APISERVER_PID"]) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    kept = []
    for _ in range(n):
        s, incoming, outgoing = socket.create_connection((HOST, int(PORT)), timeout=60), ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            CONTEXT.wrap_bio(incoming, outgoing, server_hostname=HOST).do_handshake()
        except ssl.SSLWantReadError:
            s.sendall(outgoing.read())
        s.recv(1)  # the server's hello: now it waits
        kept.append(s)
    # The least of many seconds: the server may be busy with what others asked of it, but not for ever.
    share = 1.0
    for _ in range(30):
        used, begin = cpu_s(), time.monotonic()
        time.sleep(1)
        share = min(share, (cpu_s() - used) / (time.monotonic() - begin))
        if share < 0.05:
            break
    print("%.2f" % share)
    with connect() as s:
        s.sendall(head("GET", "/version", {}))
        print(read_answer(s)[0])


def idle(n):
    """Connections that say nothing, half of them in the middle of the handshake or of a request."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (n + 256, max(n + 256, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    held = []
    for i in range(n):
        s = socket.create_connection((HOST, int(PORT)), timeout=60)
        if i % 4 == 1:
            s.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        if i % 4 == 2:
            s = CONTEXT.wrap_socket(s, server_hostname=HOST)
        if i % 4 == 3:
            s = CONTEXT.wrap_socket(s, server_hostname=HOST)
            s.sendall(b"GET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        held.append(s)
    start = time.time()
    code, _ = request("GET", NS)
    print(code, "soon" if time.time() - start < 10 else "late", "with", len(held), "held")
    for s in held:
        s.close()


def main():
    what = sys.argv[1]
    if what == "list":
        print("\n".join(CASES))
    elif what == "request":
        for name in [a for a in sys.argv[2:] if a != "-v"] or CASES:
            code, body = CASES[name]()
            try:
                status = json.loads(body)
            except ValueError:
                status = {"kind": "text", "message": body[:200].decode(errors="replace")}
            if not isinstance(status, dict) or status.get("kind") not in ("Status", "text"):
                status = {"reason": str(status.get("kind", "")) if isinstance(status, dict) else ""}
            print(name, code or "closed", status.get("reason") or "-",
                  repr(status.get("message", ""))[:600] if "-v" in sys.argv else "", flush=True)
    elif what == "watch-stalled":
        watch_stalled()
    elif what == "endless":
        endless()
    elif what == "watch-unread":
        watch_unread()
    elif what == "half":
        half(int(sys.argv[2]))
    elif what == "idle":
        idle(int(sys.argv[2]))


main()
