"""What is asked in a session: creations with mistakes, then one object that is changed, read and deleted in every way."""
import copy
import json
import random
import time

import bodies
from mutate import at, places

PATCHES = {"merge": "application/merge-patch+json", "strategic": "application/strategic-merge-patch+json",
           "json": "application/json-patch+json", "apply": "application/apply-patch+yaml"}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
ACCEPTS = [
    "application/json", "*/*", "application/*", "application/yaml", "application/vnd.kubernetes.protobuf", TABLE, TABLE + ", application/json",
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io", "application/json;as=Table;v=v2;g=meta.k8s.io", "application/json;as=Table",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/yaml;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/yaml;as=Table;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "text/html", "text/plain", "application/xml", "application/json;q=0.1, application/yaml;q=0.9", "application/json;q=0", "text/html, */*;q=0.1", "",
    "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch", "application/json; charset=utf-8", "application/json;as=Other;v=v1;g=meta.k8s.io", "a", "*",
    "application/json;pretty=1", "application/cbor", "application/cbor, application/json", "application/json;v=v1", "APPLICATION/JSON", "application/json;profile=x"]
# As kubectl, informers and informers of metadata ask.
CLIENTS = [TABLE + "," + TABLE.replace("v=v1;", "v=v1beta1;") + ",application/json", "application/json, */*",
           "application/vnd.kubernetes.protobuf,application/json",
           "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"]
ACCEPTS += CLIENTS
# Kinds that two versions serve: the one objects are stored in, and the other.
VERSIONS = [("/apis/autoscaling/v2/", "/apis/autoscaling/v1/"), ("/api/v1/namespaces/default/events", "/apis/events.k8s.io/v1/namespaces/default/events")]
PROTOBUF = ["application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io, application/json"]
TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain", "", "application/json; charset=utf-8", "application/x",
         "application/merge-patch+json", "APPLICATION/JSON", "a/b/c", "application/json;q", "application/cbor"]
# What is done to these once they are there is tried, not done: it would change what the servers answer to everything else.
TRIED = ("customresourcedefinitions", "apiservices", "mutatingwebhookconfigurations", "validatingwebhookconfigurations", "validatingadmissionpolicies",
         "validatingadmissionpolicybindings", "flowschemas", "prioritylevelconfigurations", "servicecidrs")
# Controllers within the original's server write these.
STATUS_BY_CONTROLLERS = ("customresourcedefinitions", "apiservices", "flowschemas")
VALUES = {
    "dryRun": ["All", "All", "All", "", "None", "all", "All&dryRun=All"],
    "fieldValidation": ["Strict", "Strict", "Warn", "Ignore", "", "strict"],
    "fieldManager": ["a", "b", "", "x" * 128, "x" * 129, "a%0A", "%C3%BC"],
    "force": ["true", "false", "1", "x", ""],
    "pretty": ["true", "1", "false", "0", "x", ""],
    "limit": ["1", "2", "0", "-1", "x", "", "500", "9223372036854775808"],
    "continue": ["x", "", "$CONTINUE(%s)", "eyJ2IjoibWV0YS5rOHMuaW8vdjIiLCJydiI6MSwic3RhcnQiOiJhIn0", "e30"],
    "resourceVersion": ["0", "0", "0", "1", "", "$VERSION(last)", "$VERSION(last)", "x", "-1", "18446744073709551616", "01"],
    "resourceVersionMatch": ["Exact", "NotOlderThan", "", "exact", "x"],
    "labelSelector": ["a", "!a", "a=b", "a!=b", "a in (b,c)", "a notin ()", "a in ()", "a>1", "a<x", "a,b", "a=", "=", "a==b", "a b", "a in (b", ",", "a/b/c=d", "a=b=c", "x" * 64, "a=" + "x" * 64,
                      "a=-", "A/b", "a,,b", "(a)", "a in b", "!", "a!b", " a = b ", "a exists", "in in (in)", "a=b,a=c"],
    "fieldSelector": ["metadata.name=a", "metadata.name!=a", "metadata.namespace=default", "metadata.name", "x=y", "metadata.name==a", "=", "", "a", "metadata.name=a\\,b", "metadata.name=a\\",
                      "metadata.labels.a=b", "spec.nodeName=a", "status.phase=Running", "status.phase!=Running", "spec.unschedulable=true", "type=Opaque", "reason=a", "involvedObject.name=a",
                      "spec.schedulerName=a", "status.podIP=1", "spec.hostNetwork=true", "metadata.name=a,metadata.name=b", "metadata.name in (a)", "spec.clusterIP=None", "status.successful=1",
                      "status.replicas=0", "spec.signerName=a", "spec.driver=a", "metadata.uid=a", ",", "metadata.name=a,", "spec.nodeName=", "spec.type=ClusterIP"],
    "timeoutSeconds": ["1", "0", "-1", "x", ""],
    "sendInitialEvents": ["true", "false", "x", ""],
    "allowWatchBookmarks": ["true", "false", "x"],
    "gracePeriodSeconds": ["0", "1", "-1", "x", "30", "9223372036854775808"],
    "propagationPolicy": ["Background", "Foreground", "Orphan", "x", ""],
    "orphanDependents": ["true", "false", "x"],
    "ignoreStoreReadErrorWithClusterBreakingPotential": ["true", "x"],
    "includeObject": ["None", "Object", "Metadata", "x", ""],
    "watch": ["false", "0", "False"],
    "unknown": ["1"],
    "kind": ["x"],
}
FOR = {
    "write": ["dryRun", "fieldValidation", "fieldManager", "force", "pretty", "unknown"],
    "get": ["pretty", "resourceVersion", "includeObject", "limit", "resourceVersionMatch", "kind"],
    "list": ["limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector", "pretty", "includeObject", "watch", "sendInitialEvents", "timeoutSeconds",
             "allowWatchBookmarks", "unknown"],
    "watch": ["resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector", "sendInitialEvents", "allowWatchBookmarks", "includeObject", "limit", "pretty", "continue"],
    "delete": ["dryRun", "gracePeriodSeconds", "propagationPolicy", "orphanDependents", "pretty", "ignoreStoreReadErrorWithClusterBreakingPotential"],
}


class Differs(Exception):
    """The servers answered differently: the session ends, since they may hold different things now."""


class Session:
    def __init__(self, servers, mutator, rng, base, report):
        self.servers, self.mutator, self.rng, self.report = servers, mutator, rng, report
        self.path, self.base = base["path"], base["object"]
        self.resource = self.path.rstrip("/").rsplit("/", 1)[1]
        self.name = (self.base.get("metadata") or {}).get("name") or "none"
        self.one = self.path + "/" + self.name
        self.tried = self.resource in TRIED
        self.base = harmless(self.base) if self.tried else self.base

    def ask(self, method, path, headers=(), body=None):
        """body: what both are sent, or a list of one for each."""
        bodies = body if isinstance(body, list) else [body, body]
        bodies = [b.encode("utf-8", "surrogatepass") if isinstance(b, str) else b for b in bodies]
        answers = [s.send(method, path, headers, b) for s, b in zip(self.servers, bodies)]
        same = self.report(self, method, path, headers, bodies, answers)
        if method not in ("GET", "HEAD") and "dryRun=All" not in path:
            same = same and (answers[0].code >= 300 or self.report.etcd(self, method, path, [s.stored(self.name) for s in self.servers]))
            if not same:
                raise Differs
        return answers

    def query(self, use, chance=0.5):
        """A query string of what that use knows, and sometimes of what it does not."""
        rng, parts = self.rng, ["dryRun=All"] if self.tried and use in ("write", "delete") else []
        while rng.random() < chance and len(parts) < 4:
            name = rng.choice(FOR[use] if rng.random() < 0.95 else sorted(VALUES))
            value = rng.choice(VALUES[name])
            value = value % self.path if "$CONTINUE(%s" in value else value
            if name == "dryRun" and parts[:1] == ["dryRun=All"]:
                continue
            parts.append(name + "=" + value.replace(" ", "%20").replace("\\", "%5C") if value or rng.random() < 0.8 else name)
        return "&".join(parts)

    def kinds(self, chance=0.15):
        rng = self.rng
        if rng.random() < chance / 2:
            return [("Accept", rng.choice(PROTOBUF))]
        return [("Accept", rng.choice(ACCEPTS))] if rng.random() < chance else []

    def headers(self, kind="application/json"):
        kind = self.rng.choice(TYPES) if self.rng.random() < 0.02 else kind
        found = self.kinds() + ([("Content-Type", kind)] if kind else [])
        return found + ([("User-Agent", self.rng.choice(["a/1", "kubectl/v1", "b c", "x" * 200]))] if self.rng.random() < 0.5 else [])

    def both(self, change, answers):
        """The stored object of each server after the same change."""
        seed, bodies = self.rng.random(), []
        own = self.mutator.rng
        for answer in answers:
            self.mutator.rng = random.Random(seed)
            bodies.append(change(copy.deepcopy(answer.json)))
        self.mutator.rng = own
        return bodies

    # What is asked.

    def create(self, stored=False):
        body = self.mutator.mutated(self.base)
        query = self.query("write")
        if not stored and "dryRun=All" not in query:
            query += "&dryRun=All"
        self.ask("POST", self.path + "?" + query.lstrip("&"), *self.form(body))

    def form(self, body):
        """Headers and text of a body: mostly JSON."""
        rng = self.rng
        if rng.random() < 0.15:
            return self.headers("application/yaml"), bodies.yaml(rng, body)
        if rng.random() < 0.15:
            written = self.servers[0].send("POST", self.path + "?dryRun=All", [("Content-Type", "application/json"), ("Accept", "application/vnd.kubernetes.protobuf")],
                                           json.dumps(body).encode("utf-8", "surrogatepass"))
            if written.code == 201:
                return self.headers("application/vnd.kubernetes.protobuf"), bodies.protobuf_body(rng, written.body)
        return self.headers(), self.mutator.text(body)

    def stored(self):
        answers = [s.send("GET", self.one) for s in self.servers]
        return answers if all(a.code == 200 and isinstance(a.json, dict) for a in answers) else None

    def put(self):
        answers, rng = self.stored(), self.rng
        if not answers:
            return
        sub = rng.choice(["", "", "/status", "/status"])
        only = rng.choice([(), ("spec",), ("status",), ("metadata",), ("spec", "status")])
        keep = rng.random() < 0.3

        def change(live):
            if not keep:
                live["metadata"].pop("managedFields", None)
            return self.mutator.text(self.mutator.mutated(live, only))

        self.ask("PUT", self.one + sub + "?" + self.query("write", 0.4), self.headers(), self.both(change, answers))

    def patch_body(self, how):
        rng, base = self.rng, self.base
        changed = self.mutator.mutated(base)
        if how == "json":
            operations = []
            found = list(places(base))
            for _ in range(rng.choice((1, 1, 2, 3))):
                path = "/" + "/".join(str(p).replace("~", "~0").replace("/", "~1") for p in rng.choice(found))
                path += rng.choice(["", "", "", "", "/-", "/0", "/x", "/01", "/"])
                op = {"op": rng.choice(["add", "replace", "remove", "test", "move", "copy", "add", "replace", "x", ""]), "path": path, "value": self.mutator.odd()}
                if op["op"] in ("move", "copy"):
                    op["from"] = "/" + "/".join(str(p) for p in rng.choice(found))
                if rng.random() < 0.05:
                    op.pop(rng.choice(sorted(op)))
                operations.append(op)
            return rng.choice([operations] * 30 + [{}, [], None, "x", [1]])
        if how == "apply":
            if rng.random() < 0.5:
                for part in [p for p in places(changed) if rng.random() < 0.2 and len(p) > 1][::-1]:
                    cut(changed, part)
            if isinstance(changed.get("metadata"), dict):
                changed["metadata"].pop("resourceVersion", None)
            return changed
        parts = rng.sample(sorted(changed), rng.randint(1, len(changed)))
        body = {k: changed[k] for k in parts if k not in ("apiVersion", "kind") or rng.random() < 0.3}
        if how == "strategic" and rng.random() < 0.2:
            self.directive(body)
        return body

    def directive(self, body):
        rng = self.rng
        holders = [body] + [at(body, p) for p in places(body) if isinstance(at(body, p), dict)]
        holder, key = rng.choice(holders), rng.choice(["x", "containers", "ports", "finalizers"] + [k for k in self.base.get("spec", {}) if isinstance(k, str)])
        name, value = rng.choice([("$patch", "delete"), ("$patch", "replace"), ("$patch", "merge"), ("$patch", "x"), ("$patch", 1), ("$retainKeys", ["a"]), ("$retainKeys", "a"),
                                  ("$setElementOrder/" + key, [{"name": "a"}]), ("$setElementOrder/" + key, ["a"]), ("$deleteFromPrimitiveList/" + key, ["a"]),
                                  ("$deleteFromPrimitiveList/" + key, "a"), ("$setElementOrder/" + key, "x"), ("$x", 1)])
        holder[name] = value

    def patch(self):
        rng, how = self.rng, self.rng.choice(sorted(PATCHES))
        query = self.query("write", 0.4)
        if how == "apply" and rng.random() < 0.95:
            query = "fieldManager=%s&" % rng.choice("ab") + ("force=true&" if rng.random() < 0.4 else "") + query
        sub = "/status" if rng.random() < 0.2 else ""
        self.ask("PATCH", self.one + sub + "?" + query, self.headers(PATCHES[how]), self.mutator.text(self.patch_body(how)))

    def get(self):
        sub = self.rng.choice(["", "", "", "/status", "/x", "/scale", "/", "/status/x", "//"])
        self.ask(self.rng.choice(["GET", "GET", "GET", "HEAD"]), self.one + sub + "?" + self.query("get"), self.kinds(0.6))

    def list(self):
        self.ask("GET", self.collection() + "?" + self.query("list", 0.7), self.kinds(0.5))

    def collection(self):
        rng = self.rng
        path = self.path
        if "/namespaces/default/" in path and rng.random() < 0.3:
            path = path.replace("/namespaces/default", "")
        return path

    def watch(self):
        path = self.collection() if self.rng.random() < 0.8 else self.one
        self.ask("GET", path + "?watch=%s&timeoutSeconds=1&" % self.rng.choice(["1", "true", "true", "True", ""]) + self.query("watch", 0.7), self.kinds(0.4))

    def other_version(self):
        """The object as another version has it, changed and applied there."""
        rng = self.rng
        found = [self.one.replace(a, b) for pair in VERSIONS for a, b in (pair, pair[::-1]) if self.one.startswith(a)]
        if not found:
            return
        answers = [s.send("GET", found[0]) for s in self.servers]
        if any(a.code != 200 for a in answers):
            return
        method, kind = rng.choice([("PUT", "json"), ("PATCH", "apply"), ("PATCH", "apply"), ("PATCH", "merge")])
        only = rng.choice([(), ("spec",), ("metadata",), ("status",)])

        def change(live):
            if kind == "apply":
                live["metadata"] = {k: v for k, v in live["metadata"].items() if k in ("name", "namespace", "labels", "annotations")}
                live.pop("status", None)
            return self.mutator.text(self.mutator.mutated(live, only))

        query = "fieldManager=%s&force=%s" % (rng.choice("ab"), rng.choice(["true", "false"])) if kind == "apply" else self.query("write", 0.4)
        self.ask(method, found[0] + "?" + query, self.headers("application/json" if method == "PUT" else PATCHES[kind]), self.both(change, answers))
        self.ask("GET", rng.choice([found[0], self.one]), self.kinds())

    def many(self):
        """Several objects that change between the pages of a list and after the beginning of a watch, and are deleted by what selects them."""
        rng, made = self.rng, 0
        agent, merge = [("User-Agent", "first")], [("User-Agent", "first"), ("Content-Type", PATCHES["merge"])]
        names = ["m%d" % i for i in range(rng.randint(2, 5))]
        for name in names:
            body = copy.deepcopy(self.base)
            body["metadata"] = dict(body.get("metadata") or {}, name=name, labels={"a": rng.choice("bc"), "n": name})
            made += self.ask("POST", self.path, agent + [("Content-Type", "application/json")], json.dumps(body, separators=(",", ":")))[0].code == 201
        if made > 1:
            self.change_between(names, merge)
        self.ask("DELETE", self.path + "?labelSelector=" + rng.choice(["a=b", "n", "n=m1", "a in (b,c),n!=m0", "a!=b,n"]).replace(" ", "%20") + rng.choice(["", "&limit=1", "&gracePeriodSeconds=0"]), agent)
        self.ask("GET", self.path + "?labelSelector=n", self.kinds(0.5))
        for s in self.servers:
            for name in names:
                s.send("DELETE", self.path + "/" + name + "?gracePeriodSeconds=0&propagationPolicy=Background")
                s.send("PATCH", self.path + "/" + name, [("Content-Type", PATCHES["merge"])], b'{"metadata":{"finalizers":null}}')

    def change_between(self, names, merge):
        rng = self.rng
        select = "labelSelector=" + rng.choice(["a=b", "a", "a!=b", "n", "a notin (c)"]).replace(" ", "%20")
        select += rng.choice(["", "", "&fieldSelector=metadata.name=m1", "&fieldSelector=metadata.name!=m0", "&fieldSelector=metadata.namespace=default"])
        self.ask("GET", self.path + "?limit=1&" + select, self.kinds(0.3))
        for s in self.servers:
            s.version["first"] = s.version.get("last", "")
        for _ in range(rng.randint(1, 5)):
            labels = rng.choice([{"a": "b"}, {"a": "c"}, {"a": None}, {"x": "y"}])
            self.ask("PATCH", self.path + "/" + rng.choice(names), merge, json.dumps({"metadata": {"labels": labels}}))
        if rng.random() < 0.5:
            self.ask("DELETE", self.path + "/" + rng.choice(names) + "?gracePeriodSeconds=0", merge[:1])
        self.ask("GET", self.path + "?limit=2&continue=$CONTINUE(%s)&" % self.path + select, self.kinds(0.3))
        self.ask("GET", self.path + "?resourceVersion=$VERSION(first)&resourceVersionMatch=Exact&" + select, self.kinds(0.3))
        self.ask("GET", self.path + "?watch=1&timeoutSeconds=1&resourceVersion=$VERSION(first)&" + select, self.kinds(0.3))

    def odd_path(self):
        rng = self.rng
        path = rng.choice([self.path, self.one, self.one + "/status", self.path.rsplit("/", 1)[0], "/api", "/apis", self.path.split("/namespaces")[0], "/", "/version", "/healthz", "/readyz",
                           "/livez/ping", "/openapi/v3", "/metrics/x", "/logs", "/.well-known/openid-configuration", "/apis/x", "/api/v2", "/api/v1/x"])
        path = rng.choice([path, path, path + "/", "/" + path, path.replace("default", "DEFAULT"), path.replace("default", "none"), path + "/%2e%2e", path + "/a%2Fb", path + "/..", path + "?a;b",
                           path.upper(), path + "/a/b/c/d", path.replace("/v1", "/v9"), path + "%00", path.replace("/namespaces/default/", "/namespaces//"), path + "/proxy"])
        method = rng.choice(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
        body = rng.choice([None, "", "{}", "x"]) if method not in ("GET", "HEAD") else None
        if method in ("DELETE", "POST", "PUT", "PATCH"):
            path += ("&" if "?" in path else "?") + "dryRun=All"
        self.ask(method, path, self.kinds(0.3), body)

    def options(self):
        rng, m = self.rng, self.mutator
        body = {"apiVersion": rng.choice(["v1", "v1", "meta.k8s.io/v1", "apps/v1", "x"]), "kind": "DeleteOptions"}
        for name, values in (("gracePeriodSeconds", [0, 1, -1, "x", None]), ("propagationPolicy", ["Background", "Foreground", "Orphan", "x", ""]), ("orphanDependents", [True, False]),
                             ("preconditions", [{}, {"uid": "x"}, {"resourceVersion": "1"}, {"uid": ""}, None]), ("dryRun", [["All"], [], ["x"], "All"]), ("x", [1])):
            if rng.random() < 0.25:
                body[name] = rng.choice(values)
        return rng.choice([None, "", m.text(body), m.text(body), m.text(body)])

    def delete(self, stored=False):
        query = self.query("delete", 0.4) + ("" if stored else "&dryRun=All")
        self.ask("DELETE", self.one + "?" + query.lstrip("&"), self.headers(), self.options())

    def delete_all(self):
        query = self.query("list", 0.5) + "&" + self.query("delete", 0.3) + "&dryRun=All"
        self.ask("DELETE", self.path + "?" + query.lstrip("&"), self.headers(), self.options())

    def subresource(self):
        rng = self.rng
        body = rng.choice(SUBRESOURCES.get(self.resource) or [None])
        if not body:
            return
        sub, method, content = body
        answers = None
        if content is None:
            answers = [s.send("GET", self.one + "/" + sub) for s in self.servers]
            if any(a.code != 200 for a in answers):
                return
            bodies = self.both(lambda live: self.mutator.text(self.mutator.mutated(live)), answers)
        else:
            bodies = self.mutator.text(self.mutator.mutated(content) if rng.random() < 0.8 else content)
        kind = PATCHES[rng.choice(sorted(PATCHES))] if method == "PATCH" else "application/json"
        query = self.query("write", 0.4) + ("&fieldManager=a" if "apply" in kind else "")
        if method == "POST":
            query += "&dryRun=All"
        self.ask(method, self.one + "/" + sub + "?" + query.lstrip("&"), self.headers(kind), bodies)

    def play(self):
        rng = self.rng
        try:
            for _ in range(12 if self.tried else rng.randint(1, 5)):
                self.create()
            if rng.random() < 0.2:
                self.create_other()
            self.ask("POST", self.path, [("Content-Type", "application/json"), ("User-Agent", "first")], json.dumps(self.base, separators=(",", ":")))
            if self.resource in STATUS_BY_CONTROLLERS:
                self.settle()
            choices = [self.put] * 6 + [self.patch] * 8 + [self.get] * 2 + [self.list] * 2 + [self.delete, self.delete_all] * (self.resource != "customresourcedefinitions") + [self.subresource] * 4 + [self.odd_path] * 2 * (not self.tried) + [self.watch] * (rng.random() < 0.15) + [self.other_version] * 4
            for _ in range(rng.randint(4, 16)):
                rng.choice(choices)()
            if self.resource != "customresourcedefinitions":  # which goes once its objects are gone
                self.delete(stored=not self.tried)
            if not self.tried and self.resource != "namespaces" and rng.random() < 0.2:
                self.many()
        except Differs:
            pass
        finally:
            self.take_away()

    def settle(self):
        """Waits for what controllers within the original's server say of the object, and says the same to ours, in their name."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            answer = self.servers[0].send("GET", self.one)
            theirs = answer.json
            if answer.code != 200:  # what was refused is not there
                return
            said = {c["type"]: c["status"] for c in (theirs.get("status") or {}).get("conditions") or []}
            if said.get("Established") == "True" or "Available" in said or "Dangling" in said:
                break
            time.sleep(0.05)
        own = self.servers[1].send("GET", self.one).json
        if own.get("status") != theirs.get("status"):
            own["status"] = theirs["status"]
            who = [e["manager"] for e in theirs["metadata"]["managedFields"] if e.get("subresource")] or ["kube-apiserver"]
            self.servers[1].send("PUT", self.one + "/status?fieldManager=" + who[0], [("Content-Type", "application/json")], json.dumps(own).encode())

    def create_other(self):
        """To another collection, or with another type of content."""
        rng = self.rng
        body = json.dumps(self.base)
        path = rng.choice([self.one, self.path.replace("default", "none"), self.path, self.path])
        self.ask("POST", path + "?dryRun=All", [("Content-Type", rng.choice(TYPES))] + self.kinds(), rng.choice([body, body, "", "null", "[]", "x", "k8s\0x", body + body, body[:-1]]))

    def take_away(self):
        for s in self.servers:
            if self.resource == "namespaces":
                s.send("DELETE", self.one)
                s.send("PUT", self.one + "/finalize", [("Content-Type", "application/json")],
                       json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}, "spec": {"finalizers": []}}).encode())
            s.send("DELETE", self.one + "?gracePeriodSeconds=0&propagationPolicy=Background")
            s.send("PATCH", self.one, [("Content-Type", PATCHES["merge"])], b'{"metadata":{"finalizers":null}}')
            until = time.monotonic() + 5
            while self.tried and s.send("GET", self.one).code == 200 and time.monotonic() < until:
                time.sleep(0.05)


def harmless(base):
    """The object, that nothing may come of it: it is about what nobody asks for."""
    base, nothing = copy.deepcopy(base), "nothing.example.com"
    spec = base.get("spec") or {}
    for rule in [r for webhook in base.get("webhooks") or [] for r in webhook.get("rules") or []] + ((spec.get("matchConstraints") or {}).get("resourceRules") or []):
        rule["apiGroups"] = [nothing]
    return base


SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "plain", "namespace": "default"}, "spec": {"replicas": 3}}
SCALES = [("scale", "PUT", None), ("scale", "PATCH", SCALE), ("scale", "PATCH", {"spec": {"replicas": 2}})]
SUBRESOURCES = {
    "deployments": SCALES, "replicasets": SCALES, "statefulsets": SCALES, "replicationcontrollers": SCALES,
    "pods": [
        ("ephemeralcontainers", "PUT", None), ("resize", "PUT", None), ("status", "PUT", None),
        ("ephemeralcontainers", "PATCH", {"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}}),
        ("resize", "PATCH", {"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}}),
        ("eviction", "POST", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "pod"}, "deleteOptions": {"gracePeriodSeconds": 1}}),
        ("binding", "POST", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "pod"}, "target": {"kind": "Node", "name": "n"}})],
    "serviceaccounts": [("token", "POST", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["a"], "expirationSeconds": 600}})],
    "certificatesigningrequests": [("approval", "PUT", None), ("status", "PUT", None), ("approval", "PATCH", {"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "a"}]}})],
    "namespaces": [("finalize", "PUT", None), ("status", "PUT", None)],
}


def cut(value, path):
    """Takes away what is at a path, where it still is."""
    try:
        del at(value, path[:-1])[path[-1]]
    except (KeyError, IndexError, TypeError):
        pass
