"""Two API servers on one etcd: what one stores, the other reads, watches, changes and removes.

    takeover.py WRITER READER PATH…     servers as https://host:port, with the certificates in CP_DIR

Of every object that WRITER has stored READER must give the same JSON, byte for byte, and must change nothing when it is
given it back, as WRITER's JSON or protobuf; what it changes WRITER must see, in a watch and in a GET. Prints each
difference. (Protobuf differs in bytes: the original writes empty strings, which say the same as those left out.)
"""
import http.client
import json
import os
import re
import ssl
import sys
import threading

DIR = os.environ["CP_DIR"]
CONTEXT = ssl.create_default_context(cafile=DIR + "/ca.crt")
CONTEXT.load_cert_chain(DIR + "/admin.crt", DIR + "/admin.key")
PROTOBUF = "application/vnd.kubernetes.protobuf"
SECONDS = 20


class Server:
    def __init__(self, url):
        self.host = url.split("//")[1]
        self.connection = http.client.HTTPSConnection(self.host, context=CONTEXT, timeout=SECONDS)

    def ask(self, method, path, body=None, accept="application/json", kind="application/json"):
        headers = {"Accept": accept, "User-Agent": "takeover"}
        if body is not None:
            headers["Content-Type"] = kind
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


class Watch(threading.Thread):
    """The first event of one object after a revision."""

    def __init__(self, server, collection, name, version):
        super().__init__()
        self.event = None
        self.connection = http.client.HTTPSConnection(server.host, context=CONTEXT, timeout=SECONDS)
        self.path = (f"{collection}?watch=1&fieldSelector=metadata.name={name}&resourceVersion={version}"
                     f"&timeoutSeconds={SECONDS}")

    def run(self):
        try:
            self.connection.request("GET", self.path, headers={"Accept": "application/json"})
            self.event = json.loads(self.connection.getresponse().readline())
        except (OSError, ValueError) as why:
            self.event = {"type": "none", "object": str(why)}


problems = 0


def differ(path, what, a="", b=""):
    global problems
    problems += 1
    print(f"{path}: {what}")
    for side in (a, b):
        if side:
            print("   ", side if isinstance(side, str) else side.decode(errors="backslashreplace"))


def first_difference(a, b):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return a[max(0, at - 60):at + 60], b[max(0, at - 60):at + 60]


def compare(path, what, a, b):
    if a != b:
        differ(path, what, *first_difference(a, b))


def unversioned(body):
    return re.sub(rb'"resourceVersion":"\d+",', b"", body, count=1)


def check(writer, reader, path):
    collection, name = path.rsplit("/", 1)
    code, stored = writer.ask("GET", path)
    if code != 200:
        return differ(path, f"cannot be read: {code}")
    compare(path, "differs as JSON", stored, reader.ask("GET", path)[1])
    for what in "application/json", PROTOBUF:
        # The other form is what the writer gives now: the first may have written the same in other bytes.
        body = stored if what != PROTOBUF else writer.ask("GET", path, accept=PROTOBUF)[1]
        code, again = reader.ask("PUT", path, body, kind=what)
        if code != 200:
            return differ(path, f"cannot be given back as {what}: {code}", again)
        compare(path, f"changes when it is given back as {what}", unversioned(stored), unversioned(again))
    version = json.loads(again)["metadata"]["resourceVersion"]
    watch = Watch(writer, collection, name, version)
    watch.start()
    code, changed = reader.ask("PATCH", path, '{"metadata":{"annotations":{"taken":"over"}}}',
                               kind="application/merge-patch+json")
    if code != 200:
        differ(path, f"cannot be patched: {code}", changed)
    watch.join()
    compare(path, "differs after a change", changed, writer.ask("GET", path)[1])
    if watch.event["type"] != "MODIFIED" or watch.event["object"] != json.loads(changed):
        differ(path, "differs in a watch", json.dumps(watch.event)[:300], changed[:300])


def main():
    writer, reader = Server(sys.argv[1]), Server(sys.argv[2])
    paths = list(dict.fromkeys(sys.argv[3:]))
    for path in paths:
        check(writer, reader, path)
    print(f"{len(paths)} objects, {problems} differences")
    sys.exit(1 if problems else 0)


main()
