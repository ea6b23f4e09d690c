"""Requests as nobody should write them, byte for byte, against the control plane that CP_DIR and CP_SERVER name.

    raw.py [CASE…]      a line for each (all without a name): the codes of the answers, with the reason where the body is a
                        Status, and "closed" where the server closes the connection then, or "open"
"""
import concurrent.futures
import gzip
import json
import os
import socket
import ssl
import sys

DIR, SERVER = os.environ["CP_DIR"], os.environ["CP_SERVER"]
HOST, PORT = SERVER.split("//")[1].rsplit(":", 1)
NS = "/api/v1/namespaces/default"
MAPS = NS + "/configmaps"
QUIET = 3.0


def connect(alpn=None, timeout=QUIET):
    c = ssl.create_default_context(cafile=DIR + "/ca.crt")
    c.load_cert_chain(DIR + "/admin.crt", DIR + "/admin.key")
    if alpn:
        c.set_alpn_protocols(alpn)
    return c.wrap_socket(socket.create_connection((HOST, int(PORT)), timeout=timeout), server_hostname=HOST)


def config_map(name, more=""):
    return '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"},"data":{"a":"b"}}%s' % (name, more)


def post(headers, body, path=MAPS, version="1.1"):
    if isinstance(body, str):
        body = body.encode()
    return ("POST %s HTTP/%s\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n" % (path, version, headers)).encode("latin-1") + body


def sized(body, headers=""):
    return post("Content-Length: %d\r\n%s" % (len(body), headers), body)


def get(path=NS, headers="", version="1.1", method="GET"):
    return ("%s %s HTTP/%s\r\nHost: x\r\n%s\r\n" % (method, path, version, headers)).encode("latin-1")


def chunked(name, chunks, end="0\r\n\r\n", headers=""):
    body = config_map(name) if chunks is None else chunks
    if chunks is None:
        body = "%x\r\n%s\r\n" % (len(body), body)
    return post("Transfer-Encoding: chunked\r\n" + headers, body + end)


def dechunk(data):
    """(body, rest), or None while it is not whole."""
    body = b""
    while True:
        line, sep, rest = data.partition(b"\r\n")
        if not sep:
            return None
        size = int(line, 16)
        if len(rest) < size + 2:
            return None
        if not size:
            return body, rest[2:]
        body, data = body + rest[:size], rest[size + 2:]


def next_answer(data):
    """(text of the answer, rest), or None while it is not whole."""
    top, sep, rest = data.partition(b"\r\n\r\n")
    if not sep:
        return None
    lines = top.split(b"\r\n")
    code = lines[0].split()[1].decode() if len(lines[0].split()) > 1 else repr(lines[0])
    fields = {k.lower(): v.strip() for k, _, v in (l.partition(b":") for l in lines[1:])}
    if code in ("100", "101", "204"):
        return code, rest
    if fields.get(b"transfer-encoding") == b"chunked":
        whole = dechunk(rest)
        if not whole:
            return None
        body, rest = whole
    elif b"content-length" not in fields:
        return None  # it ends with the connection
    else:
        size = int(fields[b"content-length"])
        if len(rest) < size:
            return None
        body, rest = rest[:size], rest[size:]
    try:
        status = json.loads(body)
        if status.get("kind") == "Status" and status.get("reason"):
            code += " " + status["reason"]
            if "-v" in sys.argv:
                code += " (%s)" % status["message"][:200]
    except (ValueError, AttributeError):
        if "-v" in sys.argv:
            code += " %r" % body[:200]
    return code, rest


def converse(pieces, alpn=None):
    told, data, end = [], b"", "open"
    try:
        s = connect(alpn)
    except OSError:
        return "no handshake"
    try:
        for piece in pieces if isinstance(pieces, list) else [pieces]:
            s.sendall(piece)
    except OSError:
        end = "closed"
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                end = "closed"
                break
            data += piece
            while data:
                answer = next_answer(data)
                if not answer:
                    break
                told.append(answer[0])
                data = answer[1]
    except TimeoutError:
        pass
    except (OSError, ValueError):
        end = "closed"
    s.close()
    if data and end == "closed" and data.startswith(b"HTTP/1.1 ") and b"\r\n\r\n" in data:
        told.append(data.split()[1].decode() + (" (%s)" % data.partition(b"\r\n\r\n")[2].decode() if "-v" in sys.argv else ""))
    elif data:
        told.append("part of an answer")
    return ", ".join(told + [end])


BOMB = gzip.compress(b'{"a":"' + b"x" * (200 << 20) + b'"}')
MAP = config_map("z")


def zipped(body):
    return post("Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(body), body)


CASES = {
    # bodies and their lengths
    "gzip-body": zipped(gzip.compress(MAP.encode())),
    "gzip-bomb": zipped(BOMB),
    "length-short": [sized(MAP, "")[:-5] + b"\r\n"],
    "length-long": [post("Content-Length: 5\r\n", MAP)],
    "length-twice-same": post("Content-Length: %d\r\nContent-Length: %d\r\n" % (len(MAP), len(MAP)), MAP),
    "length-twice-other": post("Content-Length: %d\r\nContent-Length: 3\r\n" % len(MAP), MAP),
    "length-list": post("Content-Length: %d, %d\r\n" % (len(MAP), len(MAP)), MAP),
    "length-plus": post("Content-Length: +%d\r\n" % len(MAP), MAP),
    "length-hex": post("Content-Length: 0x10\r\n", MAP),
    "length-huge": post("Content-Length: 18446744073709551615\r\n", MAP),
    "length-overflow": post("Content-Length: 99999999999999999999999\r\n", MAP),
    "length-empty": post("Content-Length:\r\n", MAP),
    "length-negative": post("Content-Length: -1\r\n", MAP),
    "length-and-chunked": post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "%x\r\n%s\r\n0\r\n\r\n" % (len(MAP), MAP)),
    "chunked-and-length": post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n" + get().decode()),
    "encoding-unknown": post("Transfer-Encoding: cow\r\n", MAP),
    "encoding-identity": post("Transfer-Encoding: identity\r\nContent-Length: %d\r\n" % len(MAP), MAP),
    "encoding-twice": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    "encoding-gzip-chunked": post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
    "encoding-odd-space": post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
    "encoding-in-1.0": post("Transfer-Encoding: chunked\r\n", "%x\r\n%s\r\n0\r\n\r\n" % (len(MAP), MAP), version="1.0"),
    "get-with-body": get(headers="Content-Length: 5\r\n") + b"hello" + get(),
    # chunks
    "chunk-size-wrong": chunked("c", "5\r\nhello world\r\n"),
    "chunk-size-junk": chunked("c", "zz\r\nhello\r\n"),
    "chunk-size-huge": chunked("c", "ffffffffffffffff\r\nhello\r\n"),
    "chunk-size-overflow": chunked("c", "1ffffffffffffffff\r\nhello\r\n"),
    "chunk-size-negative": chunked("c", "-5\r\nhello\r\n"),
    "chunk-size-0x": chunked("c", "0x5\r\nhello\r\n"),
    "chunk-extension": chunked("c", "%x;a=b\r\n%s\r\n" % (len(config_map("ext")), config_map("ext"))),
    "chunk-extension-long": chunked("c", "5;%s\r\nhello\r\n" % ("a" * 100000)),
    "chunk-bare-lf": chunked("c", "%x\n%s\n" % (len(MAP), MAP), "0\n\n"),
    "chunk-trailers": chunked("trailed", None, "0\r\nX-Trailer: yes\r\n\r\n") + get(),
    "chunk-trailers-many": chunked("trailed2", None, "0\r\n" + "X-T: y\r\n" * 3000 + "\r\n"),
    "chunk-trailer-endless": chunked("trailed3", None, "0\r\nX: " + "y" * 2000000),
    "chunks-tiny": chunked("c", "".join("1\r\n%s\r\n" % c for c in config_map("tiny"))),
    # request lines
    "line-0.9": b"GET /version\r\n\r\n",
    "line-0.9-versioned": b"GET /version HTTP/0.9\r\n\r\n",
    "line-1.0": get("/version", version="1.0"),
    "line-1.0-keep": get("/version", "Connection: keep-alive\r\n", version="1.0") * 2,
    "line-1.2": get("/version", version="1.2"),
    "line-2.0": get("/version", version="2.0"),
    "line-9.9": get("/version", version="9.9"),
    "line-version-junk": b"GET /version HTTP/one\r\nHost: x\r\n\r\n",
    "line-no-version": b"GET /version \r\nHost: x\r\n\r\n",
    "line-spaces": b"GET  /version  HTTP/1.1\r\nHost: x\r\n\r\n",
    "line-tab": b"GET\t/version\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "line-space-in-path": b"GET /ver sion HTTP/1.1\r\nHost: x\r\n\r\n",
    "line-lower-method": get("/version", method="get"),
    "line-junk": b"\x00\x01\x02\xff\xfe\r\n\r\n",
    "line-empty-before": b"\r\n\r\n" + get("/version"),
    "line-bare-lf": b"GET /version HTTP/1.1\nHost: x\n\n",
    "line-bare-cr": b"GET /version HTTP/1.1\rHost: x\r\r",
    "line-absolute": get("https://127.0.0.1/version"),
    "line-absolute-other": get("http://example.com/version"),
    "line-authority": get("example.com:443", method="CONNECT"),
    "line-asterisk": get("*", method="OPTIONS"),
    "line-asterisk-get": get("*"),
    "line-group-odd": get("/apis/apps", method="ODD"),
    "line-group-version-odd": get("/apis/apps/v1", method="ODD"),
    "line-watch-path-post": get("/api/v1/watch/pods", method="POST"),
    "line-watch-path-odd": get("/api/v1/watch/namespaces/default/pods/x", method="ODD"),
    "line-proxy-odd": get(NS + "/services/s/proxy/x", method="ODD"),
    "line-proxy-options": get(NS + "/services/s/proxy/x", method="OPTIONS"),
    "line-no-slash": get("version"),
    "line-nul": get("/ver\x00sion"),
    "line-fragment": get("/version#x"),
    "line-megabyte": get("/" + "x" * (1 << 20)),
    "line-query-megabyte": get(MAPS + "?x=" + "x" * (1 << 20)),
    "line-trace": get("/version", method="TRACE"),
    "line-long-method": get("/version", method="X" * 5000),
    "line-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "line-tls-in-tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    # headers
    "host-none": b"GET /version HTTP/1.1\r\n\r\n",
    "host-twice": b"GET /version HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "host-junk": b"GET /version HTTP/1.1\r\nHost: a b\r\n\r\n",
    "host-empty": b"GET /version HTTP/1.1\r\nHost:\r\n\r\n",
    "header-name-space": get("/version", "X Y: z\r\n"),
    "header-space-colon": get("/version", "X-Y : z\r\n"),
    "header-no-colon": get("/version", "junk\r\n"),
    "header-no-name": get("/version", ": z\r\n"),
    "header-folded": get("/version", "X-Y: a\r\n b\r\n"),
    "header-folded-first": b"GET /version HTTP/1.1\r\n Host: x\r\n\r\n",
    "header-nul": get("/version", "X-Y: a\0b\r\n"),
    "header-cr": get("/version", "X-Y: a\rb\r\n"),
    "header-latin": get("/version", "X-Y: \xff\xfe\r\n"),
    "header-control": get("/version", "X-Y: a\x07b\r\n"),
    "header-empty-value": get("/version", "X-Y:\r\n"),
    "headers-10000": get("/version", "".join("X-%d: y\r\n" % i for i in range(10000))),
    "headers-100000": get("/version", "".join("X-%d: y\r\n" % i for i in range(100000))),
    "header-megabyte": get("/version", "X-Y: %s\r\n" % ("z" * (1 << 20))),
    "header-name-megabyte": get("/version", "%s: z\r\n" % ("z" * (1 << 20))),
    "expect-continue": [sized(config_map("expected"), "Expect: 100-continue\r\n")],
    "expect-junk": sized(config_map("expected2"), "Expect: the unexpected\r\n"),
    # several on one connection
    "pipelined": get("/version") * 20,
    "pipelined-writes": b"".join(sized(config_map("p%d" % i)) for i in range(10)),
    "pipelined-and-closed": get("/version", "Connection: close\r\n") + get("/version"),
    "pipelined-junk": get("/version") + b"junk\r\n\r\n",
    # paths
    "path-nul": get(MAPS + "/a%00b"),
    "path-double": get("/api//v1/namespaces"),
    "path-double-first": get("//api/v1/namespaces"),
    "path-dot": get("/api/./v1/namespaces"),
    "path-dots": get("/api/v1/../v1/namespaces"),
    "path-escaped-slash-dots": get(MAPS + "/..%2f..%2fkube-system"),
    "path-escaped-double": get("/api/v1/%2e%2e/v1/namespaces"),
    "path-end-slash": get("/api/v1/namespaces/"),
    "path-end-slashes": get("/api/v1/namespaces//"),
    "path-backslash": get("/api\\v1"),
    "path-overlong": get(MAPS + "/%c0%ae%c0%ae"),
    "path-percent": get(MAPS + "/%"),
    "path-percent-25": get(MAPS + "/%252e%252e"),
    "path-newline": get(MAPS + "/a%0d%0aX-Injected:%20yes"),
    "path-query-in-path": get(MAPS + "%3Flimit=1"),
    "path-semicolon": get(MAPS + ";a=b"),
    "query-junk": get(MAPS + "?%zz=%zz&&&==&limit"),
    "query-nul": get(MAPS + "?labelSelector=%00"),
    "query-semicolon": get(MAPS + "?limit=1;watch=1"),
    "query-many": get(MAPS + "?" + "&".join("a%d=b" % i for i in range(2000))),
    "query-twice": get(MAPS + "?limit=1&limit=x"),
    # upgrades
    "upgrade-plain": get(NS, "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    "upgrade-h2c": get(NS, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
    "upgrade-junk": get(NS, "Connection: Upgrade\r\nUpgrade: \x01junk\r\n"),
    "upgrade-empty": get(NS, "Connection: Upgrade\r\nUpgrade:\r\n"),
    "upgrade-post": sized(config_map("up"), "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"),
    "upgrade-watch-junk": get(MAPS + "?watch=1&timeoutSeconds=1", "Connection: Upgrade\r\nUpgrade: junk\r\n"),
    "upgrade-watch-websocket-no-key": get(MAPS + "?watch=1&timeoutSeconds=1", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
}
ALPN = {"alpn-h2": ["h2"], "alpn-junk": ["junk"], "alpn-both": ["h2", "http/1.1"]}


def told(name):
    return "%s: %s" % (name, converse(get("/version"), ALPN[name]) if name in ALPN else converse(CASES[name]))


def main():
    names = [a for a in sys.argv[1:] if a != "-v"]
    converse(sized(MAP))  # what is there already is told so
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for line in pool.map(told, names or [*CASES, *ALPN]):
            print(line, flush=True)


if __name__ == "__main__":
    main()
