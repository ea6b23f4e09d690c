"""Reads a WebSocket of an API server and prints what it is sent.

    messages.py URL-PATH [--header NAME:VALUE…] [--close-after N] [--no-origin] [--show BYTES]

A line for each message: the opcode, then the text, or what binary begins with as hexadecimal digits; the answer's head when
it is no 101. After N messages it closes, and waits for the answer.
"""
import argparse
import base64
import os
import socket
import ssl
import struct

parser = argparse.ArgumentParser()
parser.add_argument("path")
parser.add_argument("--header", action="append", default=[])
parser.add_argument("--close-after", type=int, default=0)
parser.add_argument("--no-origin", action="store_true")
parser.add_argument("--show", type=int, default=64, help="so many bytes of a binary message")
options = parser.parse_args()

directory = os.environ["CP_DIR"]
context = ssl.create_default_context(cafile=directory + "/ca.crt")
context.load_cert_chain(directory + "/admin.crt", directory + "/admin.key")
host, port = os.environ["CP_SERVER"].split("//")[1].split(":")
connection = context.wrap_socket(socket.create_connection((host, int(port)), timeout=20), server_hostname=host)
headers = [f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()] + options.header
if not options.no_origin:
    headers.append("Origin: http://localhost")
connection.sendall(("\r\n".join([f"GET {options.path} HTTP/1.1"] + headers) + "\r\n\r\n").encode())
incoming = connection.makefile("rb")


def head():
    lines = []
    while (line := incoming.readline().decode().strip()):
        lines.append(line)
    return lines


def frame():
    first, second = incoming.read(2)
    assert first & 0x80 and not second & 0x80, "fragmented or masked"
    size = second
    if size == 126:
        size = struct.unpack(">H", incoming.read(2))[0]
    elif size == 127:
        size = struct.unpack(">Q", incoming.read(8))[0]
    return first & 15, incoming.read(size)


def send(opcode, data):
    mask = os.urandom(4)
    connection.sendall(bytes([0x80 | opcode, 0x80 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))


answer = head()
if " 101 " not in answer[0]:
    print("\n".join(answer))
    raise SystemExit
for line in answer[1:]:
    if line.lower().startswith("sec-websocket-protocol"):
        print(line)
seen = 0
while True:
    opcode, data = frame()
    if opcode == 8:
        print("close", struct.unpack(">H", data[:2])[0] if data else "", flush=True)
        break
    print(opcode, data.decode().rstrip() if opcode == 1 else data[:options.show].hex(), flush=True)
    seen += 1
    if seen == options.close_after:
        send(9, b"still there?")
        while (pong := frame())[0] != 10:
            pass
        print("pong", pong[1].decode())
        send(8, struct.pack(">H", 1000))
