"""Clients of a server that is asked to end, against the control plane that CP_DIR, CP_SERVER, CP_APISERVER_PID and CP_ETCD_PID name.

    ending.py CLIENT… [--late SECONDS] [--twice]
        begins what each client does, then sends SIGTERM; the clients go on with what they left open after --late (0.5)
        seconds. With --twice the signal comes again then. Prints what each client was told, as soon as it was, and after how many full
        seconds the server was gone.

Clients: slow-post (half a body, the rest when idle, new and ready have been told, and exec has its echo), half-post (no rest), stopped-post (begun after the signal, and answered late by etcd),
slow-list (reads late), watch, log, exec, idle (a connection that asks again after the signal), new (comes after the signal), ready (the same, for
/readyz).
"""
import argparse
import fcntl
import http.client
import json
import os
import signal
import socket
import ssl
import struct
import sys
import termios
import threading
import time

DIR, SERVER = os.environ["CP_DIR"], os.environ["CP_SERVER"]
HOST, PORT = SERVER.split("//")[1].rsplit(":", 1)
PID, ETCD = int(os.environ["CP_APISERVER_PID"]), int(os.environ["CP_ETCD_PID"])
TIMEOUT = 90
MAPS = "/api/v1/namespaces/default/configmaps"
GONE = (OSError, http.client.HTTPException)
let_go, asked, echoed = (threading.Event() for _ in range(3))


def context():
    c = ssl.create_default_context(cafile=DIR + "/ca.crt")
    c.load_cert_chain(DIR + "/admin.crt", DIR + "/admin.key")
    return c


def connect(timeout=90):
    return http.client.HTTPSConnection(HOST, int(PORT), timeout=timeout, context=context())


def config_map(name, text=""):
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": text}}).encode()


def is_let_in():
    try:
        socket.create_connection((HOST, int(PORT)), timeout=5).close()
        return True
    except OSError:
        return False


def reached(c):
    """Waits until the server has taken what was sent."""
    left = 1
    while left:
        left = struct.unpack("i", fcntl.ioctl(c.sock, termios.TIOCOUTQ, b"\0" * 4))[0]
    time.sleep(0.2)  # and has looked at it


def answered(c):
    try:
        r = c.getresponse()
        body = r.read()
    except GONE as e:
        return "no answer: " + type(e).__name__
    text = [str(r.status)]
    for name in ("Connection", "Retry-After"):
        if r.headers[name]:
            text.append(name + ": " + r.headers[name])
    try:
        text.append(json.loads(body)["message"])
    except (ValueError, KeyError):
        if r.status != 200 and r.status != 201:
            text.append(body.decode(errors="replace").strip()[-200:])
    return ", ".join(text)


def begin_post(ready, body):
    c = connect()
    c.putrequest("POST", MAPS)
    c.putheader("Content-Type", "application/json")
    c.putheader("Content-Length", str(len(body)))
    c.endheaders()
    c.send(body[:20])
    reached(c)
    ready.set()
    return c


def slow_post(ready):
    body = config_map("slow")
    c = begin_post(ready, body)
    asked.wait()
    try:
        c.send(body[20:])
    except OSError as e:
        return "cannot send: " + type(e).__name__
    return answered(c)


def half_post(ready):
    return answered(begin_post(ready, config_map("half")))


def stopped_post(ready):
    """While the server still serves; etcd answers when nobody new is let in any more."""
    ready.set()
    let_go.wait()
    os.kill(ETCD, signal.SIGSTOP)
    try:
        c = connect()
        c.request("POST", MAPS, config_map("stopped"), {"Content-Type": "application/json"})
        while is_let_in():
            time.sleep(0.05)
    finally:
        os.kill(ETCD, signal.SIGCONT)
    return answered(c)


def streamed(path, ready, method="GET"):
    c = connect()
    c.request(method, path)
    r = c.getresponse()
    ready.set()
    try:
        while r.read1(65536):
            pass
        return "%d, ended in order" % r.status
    except GONE as e:
        return "%d, cut: %s" % (r.status, type(e).__name__)


def watch(ready):
    return streamed(MAPS + "?watch=1", ready)


def log(ready):
    return streamed("/api/v1/namespaces/default/pods/p/log?follow=true", ready)


def exec_(ready):
    c = connect()
    c.request("POST", "/api/v1/namespaces/default/pods/p/exec?command=echo&stdout=true", headers={"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io"})
    c.sock.recv(65536)
    ready.set()
    try:
        let_go.wait()
        c.sock.sendall(b"x" * 16)
        seen = len(c.sock.recv(65536))
        echoed.set()
        while c.sock.recv(65536):
            pass
        return "%d bytes after the signal, closed" % seen
    except OSError as e:
        return "cut: " + type(e).__name__
    finally:
        echoed.set()


def idle(ready):
    c = connect()
    c.request("GET", MAPS)
    c.getresponse().read()
    ready.set()
    let_go.wait()
    try:
        c.sock.settimeout(30)
        c.request("GET", MAPS)
    except GONE as e:
        return "cannot send: " + type(e).__name__
    return answered(c)


def new(ready, path=MAPS):
    ready.set()
    let_go.wait()
    c = connect()
    try:
        c.request("GET", path)
    except GONE as e:
        return "refused: " + type(e).__name__
    return answered(c)


def ready_(ready):
    return new(ready, "/readyz")


def slow_list(ready):
    """An answer that is larger than what sockets hold."""
    c = connect()
    for i in range(40):
        c.request("POST", MAPS, config_map("large-%d" % i, "x" * 1000000), {"Content-Type": "application/json"})
        c.getresponse().read()
    c.request("GET", MAPS)
    c.sock.pending() or reached(c)
    ready.set()
    asked.wait()
    try:
        r = c.getresponse()
        names = [o["metadata"]["name"] for o in json.loads(r.read())["items"]]
        return "%d, %d objects" % (r.status, sum(n.startswith("large-") for n in names))
    except (*GONE, ValueError) as e:
        return "cut: " + type(e).__name__


CLIENTS = {"slow-post": slow_post, "half-post": half_post, "stopped-post": stopped_post, "watch": watch, "log": log, "exec": exec_, "idle": idle, "new": new,
           "ready": ready_, "slow-list": slow_list}


# --- a node whose kubelet says a little and then nothing ---

def serve_node(listener, tls):
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=answer_node, args=(raw, tls), daemon=True).start()


def answer_node(raw, tls):
    try:
        s = tls.wrap_socket(raw, server_side=True)
        top = s.recv(65536)
        if b"/exec/" in top:
            s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n")
            while data := s.recv(65536):
                if b"command=echo" in top:
                    s.sendall(data)
        else:
            s.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n5\r\nword\n\r\n")
            s.recv(1)
    except OSError:
        pass


def make_node():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(DIR + "/apiserver.crt", DIR + "/apiserver.key")
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve_node, args=(listener, tls), daemon=True).start()
    c = connect()
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": listener.getsockname()[1]}}}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "nodeName": "n", "automountServiceAccountToken": False, "containers": [{"name": "c", "image": "i"}]}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    for path, o in (("/api/v1/nodes", node), ("/api/v1/namespaces/default/serviceaccounts", account), ("/api/v1/namespaces/default/pods", pod)):
        c.request("POST", path, json.dumps(o), {"Content-Type": "application/json"})
        r = c.getresponse()
        body = r.read()
        if r.status not in (201, 409):
            sys.exit(body.decode())
    node = node | {"metadata": {"name": "n"}}
    c.request("PATCH", "/api/v1/nodes/n/status", json.dumps({"status": node["status"]}), {"Content-Type": "application/merge-patch+json"})
    c.getresponse().read()


def gone(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def run(name, ready):
    try:
        text = CLIENTS[name](ready)
    except Exception as e:  # a line for each, whatever happens
        text = "failed: %r" % e
        ready.set()
    sys.stdout.write("%s: %s\n" % (name, text))
    sys.stdout.flush()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("clients", nargs="+", choices=CLIENTS)
    p.add_argument("--late", type=float, default=0.5)
    p.add_argument("--twice", action="store_true")
    args = p.parse_args()
    if {"log", "exec"} & set(args.clients):
        make_node()
    threads = {}
    for name in args.clients:
        ready = threading.Event()
        threads[name] = threading.Thread(target=run, args=(name, ready), daemon=True)
        threads[name].start()
        ready.wait(30)
    began = time.monotonic()
    os.kill(PID, signal.SIGTERM)
    time.sleep(args.late)
    if args.twice:
        os.kill(PID, signal.SIGTERM)
    let_go.set()
    for name in {"idle", "new", "ready"} & set(threads):
        threads[name].join(30)
    if "exec" in threads:
        echoed.wait(30)
    asked.set()
    while not gone(PID) and time.monotonic() - began < TIMEOUT:
        time.sleep(0.02)
    end = time.monotonic() - began
    for t in threads.values():
        t.join(5)
    print("gone after %d" % end if gone(PID) else "there still")


if __name__ == "__main__":
    main()
