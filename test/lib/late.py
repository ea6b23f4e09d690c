"""Clients that watch from long ago, against the control plane that CP_DIR and CP_SERVER name.

    late.py watch PATH --until NAME [--n N] [--hold FILE] [--began FILE]
        N watchers at once, each until it has seen an event of that object or an error. With --hold each reads nothing
        until the file is there; --began writes a line to a file for each that is being answered. Prints, for each different
        course of events, how many saw it and what it was.
    late.py write NAME N SIZE
        a ConfigMap, created and changed until it has had N versions of SIZE bytes; prints the versions
"""
import argparse
import asyncio
import collections
import http.client
import json
import os
import ssl

DIR, SERVER = os.environ["CP_DIR"], os.environ["CP_SERVER"]
HOST, PORT = SERVER.split("//")[1].rsplit(":", 1)
MAPS = "/api/v1/namespaces/default/configmaps"
TIMEOUT = 240


def context():
    c = ssl.create_default_context(cafile=DIR + "/ca.crt")
    c.load_cert_chain(DIR + "/admin.crt", DIR + "/admin.key")
    return c


async def lines_of(reader):
    """The lines in a chunked body; no bytes at its end."""
    rest = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")) or b"0", 16)
        rest += (await reader.readexactly(size + 2))[:-2]
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line
        if not size:
            return


async def watch(path, until, hold, began, tls, gate):
    async with gate:
        reader, writer = await asyncio.open_connection(HOST, int(PORT), ssl=tls, server_hostname=HOST, limit=1 << 16)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{PORT}\r\n\r\n".encode())
        top = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in top.split(b"\r\n")[0]:
        return top.split(b"\r\n")[0].decode()
    if began:
        with open(began, "a") as f:
            f.write("\n")
    while hold and not os.path.exists(hold):
        await asyncio.sleep(0.1)
    seen = []
    async for line in lines_of(reader):
        event = json.loads(line)
        meta = event["object"].get("metadata", {})
        if event["type"] == "ERROR":
            seen.append(f"{event['object']['code']} {event['object']['message']}")
            break
        seen.append(f"{event['type']}:{meta.get('name', '')}:{meta.get('resourceVersion', '')}")
        if meta.get("name") == until:
            break
    writer.transport.abort()
    return " ".join(seen)


async def watch_all(args):
    tls, gate = context(), asyncio.Semaphore(100)
    watches = [watch(args.path, args.until, args.hold, args.began, tls, gate) for _ in range(args.n)]
    courses = await asyncio.wait_for(asyncio.gather(*watches), TIMEOUT)
    for course, n in collections.Counter(courses).items():
        print(n, course)


def write(args):
    c = http.client.HTTPSConnection(HOST, int(PORT), context=context(), timeout=60)
    for i in range(args.n):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": args.name}, "data": {"n": f"{i:0{args.size}d}"}}
        c.request("PUT" if i else "POST", MAPS + ("/" + args.name if i else ""), json.dumps(body),
                  {"Content-Type": "application/json"})
        print(json.loads(c.getresponse().read())["metadata"]["resourceVersion"])


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    p = commands.add_parser("watch")
    p.add_argument("path")
    p.add_argument("--until", required=True)
    p.add_argument("--n", type=int, default=1)
    p.add_argument("--hold")
    p.add_argument("--began")
    p.set_defaults(run=lambda args: asyncio.run(watch_all(args)))
    p = commands.add_parser("write")
    p.add_argument("name")
    p.add_argument("n", type=int)
    p.add_argument("size", type=int)
    p.set_defaults(run=write)
    args = parser.parse_args()
    args.run(args)


main()
