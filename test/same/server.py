"""One of the two servers that are compared, what of an answer counts, and what lies in its etcd."""
import base64
import http.client
import json
import os
import re
import ssl
import subprocess
import urllib.parse

import protobuf

APICODEC = os.path.join(os.environ.get("BIN", "build/bin"), "apicodec")

COMPARED = ("content-type", "warning", "retry-after", "allow", "location", "cache-control", "vary", "www-authenticate",
            "x-content-type-options", "accept-patch", "content-encoding", "connection")
HEX = "[0-9a-f]"
MASKS = [(re.compile(form), mask) for form, mask in (
    (rf"{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}", "UID"),
    (r"20[23]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "TIME"),
    (r'((?:resourceVersion|resourceVersionMatch)\\*": ?\\*")\d+', r"\1N"),
    (r'(\\*"continue\\*": ?\\*")[A-Za-z0-9_=-]+', r"\1MORE"),
    (r"eyJ[A-Za-z0-9_-]{6,}[A-Za-z0-9_.-]*", "TOKEN"),
    (r"kube-api-access-[a-z0-9]{5}", "ACCESS"),
    (r"(record|precondition|version|Version:?) ?\(?\"?\d+\"?\)?", r"\1 N"),
    (r"X509SHA256=[0-9a-f]{64}", "CERTIFICATE"),
    (r"10\.0\.0\.(1[6-9]|[2-9]\d|\d{3})\b", "ADDRESS"),
    (r'((?:nodePort|healthCheckNodePort)\\*": ?)3[0-2]\d{3}', r"\g<1>1"),
    (r"\b3[0-2]\d{3}/(TCP|UDP|SCTP)", r"PORT/\1"),
    (r'"\d{1,2}s"', '"AGE"'),
    (r"(\n\s*- )\d{1,2}s(?=\n)", r"\1AGE"),
    (r"(\n\s+[23]: )\d{5}(?=\n)", r"\1PORT"),
    (r'("(?:gitCommit|goVersion|compiler)": ?)"[^"]*"', r'\1"OURS"'),
    (r"(too (?:old|large) resource version: )\d+( ?[,(]\w+: ?\d+\)?)?", r"\1N"),
    (r"(127\.0\.0\.1|192\.0\.2\.1):\d+", "SERVER"),
    (r'("(?:targetPort|port)": ?)\d{5}', r"\g<1>1"),
    (r"hash=[0-9A-F]{128}", "HASH"),
    (r"-----BEGIN CERTIFICATE[^\"]*", "CERTIFICATES"),
    (r"([\w/?.%'])[bcdfghjklmnpqrstvwxz2456789]{5}(?=\\?\"|\n)", r"\1RANDOM"),
    (r"selfType\d+", "selfType"),
    (r"\(\d+\)", "(N)"),
    (r"(\w-)[bcdfghjklmnpqrstvwxz2456789]{5}\b", r"\1RANDOM"),
)]


# What columns mean we say in our own words.
DESCRIPTIONS = [(re.compile(r'("description": ?")(?:[^"\\]|\\.)*'), r"\1OURS"), (re.compile(r"(?s)((?:^|\n)[- ] description: ).*?(?=\n  format:)"), r"\1OURS")]


def masked(text):
    for form, mask in MASKS:
        text = form.sub(mask, text)
    return text


class Answer:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.body = code, headers, body
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = None

    def shown(self):
        """What both servers must say alike."""
        lines = ["-> %d" % self.code]
        for name in COMPARED:
            lines += ["%s: %s" % (name, masked(value)) for value in sorted(self.headers.get(name, []))]
        return "\n".join(lines) + "\n" + self.text()

    def text(self):
        kind = (self.headers.get("content-type") or [""])[0]
        if "cbor" in kind:
            return "(%s)" % kind
        if "protobuf" in kind:
            return told(self.body)
        text = masked(self.body.decode("utf-8", "replace"))
        if '"Table"' in text[:40] or "\nkind: Table" in text:
            for form, mask in DESCRIPTIONS:
                text = form.sub(mask, text)
        return text


def told(body):
    """Protobuf as text: all that is in it, and, since zeros are not, as JSON, where those that count are."""
    text = protobuf.text(body)
    if text is None or not body.startswith(protobuf.MAGIC):
        return masked(body.decode("utf-8", "replace") if text is None else text)
    shown = subprocess.run([APICODEC, "--from", "protobuf", "--to", "json"], input=body, capture_output=True, check=False)
    return masked(text + "\n" + shown.stdout.decode("utf-8", "replace"))


class Server:
    """A control plane of test/lib/control-plane.bash, by its folder and address."""

    def __init__(self, folder, url, etcd):
        self.etcd = urllib.parse.urlsplit(etcd)
        self.context = ssl.create_default_context(cafile=folder + "/ca.crt")
        self.context.load_cert_chain(folder + "/admin.crt", folder + "/admin.key")
        self.context.check_hostname = False
        where = urllib.parse.urlsplit(url)
        self.host, self.port = where.hostname, where.port
        self.connection = None
        self.version = {}  # by path: what $VERSION of a question stands for
        self.more = {}     # by path: $CONTINUE

    def send(self, method, path, headers=(), body=None):
        path, body = self.filled(path), self.filled(body)
        for attempt in (0, 1):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=30)
            try:
                self.connection.putrequest(method, path, skip_accept_encoding=True)
                for name, value in headers:
                    self.connection.putheader(name, value)
                if body is not None:
                    self.connection.putheader("Content-Length", str(len(body)))
                self.connection.endheaders(body)
                reply = self.connection.getresponse()
                data = reply.read()
            except (OSError, http.client.HTTPException) as error:
                self.connection = None
                if attempt:
                    return Answer(0, {}, repr(error).encode())
                continue
            found = {}
            for name, value in reply.getheaders():
                found.setdefault(name.lower(), []).append(value)
            return self.noted(path, Answer(reply.status, found, data))

    def stored(self, name):
        """What etcd has of objects of that name: text by key."""
        answer = self.range({"key": "/registry/", "range_end": "/registry0", "keys_only": True})
        keys = [base64.b64decode(kv["key"]).decode() for kv in answer.get("kvs", [])]
        return {key: self.value(key) for key in keys if key.endswith("/" + name)}

    def value(self, key):
        found = self.range({"key": key}).get("kvs")
        body = base64.b64decode(found[0]["value"]) if found else b""
        return told(body) if body.startswith(protobuf.MAGIC) else masked(body.decode("utf-8", "replace"))

    def range(self, question):
        connection = http.client.HTTPConnection(self.etcd.hostname, self.etcd.port, timeout=30)
        asked = {k: base64.b64encode(v.encode()).decode() if isinstance(v, str) else v for k, v in question.items()}
        connection.request("POST", "/v3/kv/range", json.dumps(asked))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def filled(self, text):
        """The text with this server's own versions, uids and continue tokens."""
        if text is None:
            return None
        raw = isinstance(text, bytes)
        text = text.decode("latin-1") if raw else text
        for name, values in (("$VERSION", self.version), ("$CONTINUE", self.more)):
            text = re.sub(re.escape(name) + r"\(([^)]*)\)", lambda m, v=values: v.get(m.group(1), ""), text)
        return text.encode("latin-1") if raw else text

    def noted(self, path, answer):
        meta = answer.json.get("metadata") if isinstance(answer.json, dict) else None
        if isinstance(meta, dict) and answer.code < 300:
            path = path.split("?")[0].rstrip("/")
            if "continue" in meta:
                self.more[path] = meta["continue"]
            self.version["last"] = meta.get("resourceVersion") or self.version.get("last", "")
        return answer
