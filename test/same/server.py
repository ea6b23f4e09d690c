"""One of the two servers that are compared, and what of an answer counts."""
import http.client
import json
import os
import re
import ssl
import urllib.parse

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
    (r"(too (?:old|large) resource version: )\d+( ?[,(]\w+: ?\d+\)?)?", r"\1N"),
    (r"(127\.0\.0\.1|192\.0\.2\.1):\d+", "SERVER"),
    (r'("(?:targetPort|port)": ?)\d{5}', r"\g<1>1"),
    (r"hash=[0-9A-F]{128}", "HASH"),
    (r"-----BEGIN CERTIFICATE[^\"]*", "CERTIFICATES"),
    (r"([\w/?.])[bcdfghjklmnpqrstvwxz2456789]{5}(?=\\?\")", r"\1RANDOM"),
    (r"\(\d+\)", "(N)"),
    (r"(\w-)[bcdfghjklmnpqrstvwxz2456789]{5}\b", r"\1RANDOM"),
)]


DESCRIPTION = re.compile(r'("description": ?")(?:[^"\\]|\\.)*')


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
        if "protobuf" in kind or "cbor" in kind or "yaml" in kind and b"\nkind: Table" in self.body:
            return "(%s)" % kind  # its size has the lengths of versions in it
        text = masked(self.body.decode("utf-8", "replace"))
        if '"Table"' in text[:40]:
            # What columns mean we say in our own words.
            text = DESCRIPTION.sub(r"\1OURS", text)
        return text


class Server:
    """A control plane of test/lib/control-plane.bash, by its folder and address."""

    def __init__(self, folder, url):
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
