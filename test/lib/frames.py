"""WebSocket frames as nobody should send them, in an exec session through the control plane that CP_DIR and CP_SERVER name, to a
node that says nothing.

    frames.py       a line for each case: the code that the session was closed with, or "open"; and whether the server answers then
"""
import concurrent.futures
import socket

from ending import HOST, PORT, connect, context, make_node

QUIET = 3.0
PATH = "/api/v1/namespaces/default/pods/p/exec?command=x&stdin=true&stdout=true"
HEAD = ("GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n" % PATH).encode()
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def frame(opcode, data=b"", last=True, masked=True, reserved=0, size=None):
    size = len(data) if size is None else size
    head, mask = bytes([last << 7 | reserved << 4 | opcode]), 128 if masked else 0
    if size < 126:
        head += bytes([mask | size])
    elif size < 65536:
        head += bytes([mask | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mask | 127]) + size.to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + data


CASES = {
    "good": frame(BINARY, b"\0hi"),
    "unmasked": frame(BINARY, b"\0hi", masked=False),
    "length-2^63": frame(BINARY, b"\0hi", size=1 << 63),
    "length-2^64": frame(BINARY, b"\0hi", size=(1 << 64) - 1),
    "length-1g": frame(BINARY, b"\0hi", size=1 << 30),
    "control-long": frame(PING, b"x" * 126),
    "control-in-parts": frame(PING, b"x", last=False),
    "reserved-bits": frame(BINARY, b"\0hi", reserved=7),
    "unknown": frame(3, b"\0x"),
    "continues-nothing": frame(0, b"x"),
    "new-within-parts": frame(BINARY, b"\0a", last=False) + frame(BINARY, b"\0b"),
    "parts-for-ever": frame(BINARY, b"\0", last=False) + frame(0, b"y" * 65000, last=False) * 1000,
    "empty-parts": frame(BINARY, b"\0", last=False) + frame(0, last=False) * 100000,
    "empty": frame(BINARY),
    "channel-unknown": frame(BINARY, b"\xffhello"),
    "size-junk": frame(BINARY, b"\4{{{"),
    "close-half": frame(CLOSE, b"x"),
    "close-zero": frame(CLOSE, b"\0\0"),
    "close-twice": frame(CLOSE, b"\3\xe8") * 2,
    "junk": b"\xf3" * 100000,
}


def told(name):
    data = b""
    with context().wrap_socket(socket.create_connection((HOST, int(PORT)), timeout=30), server_hostname=HOST) as s:
        s.sendall(HEAD)
        while b"\r\n\r\n" not in data:
            data += s.recv(4096)
        if b" 101 " not in data:
            return data.split(b"\r\n")[0].decode()
        data = data.partition(b"\r\n\r\n")[2]
        try:
            s.sendall(CASES[name])
        except OSError:
            pass  # refused before it was whole; the answer tells
        try:
            s.settimeout(QUIET)
            while piece := s.recv(4096):
                data += piece
        except TimeoutError:
            return "open"
        except OSError:
            pass
    return str(int.from_bytes(data[2:4], "big")) if data[:1] == b"\x88" else "closed"


def main():
    make_node()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for name, text in zip(CASES, pool.map(told, CASES)):
            print("%s: %s" % (name, text))
    c = connect()
    c.request("GET", "/version")
    print("then: %d" % c.getresponse().status)


main()
