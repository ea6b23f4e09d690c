"""A node's kubelet that has one log to tell: prints its port, and answers three requests, then ends. The log of container c
ends with a line of its input, others are refused.

    log_node.py CERTIFICATE KEY
"""
import socket
import ssl
import sys

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
listener.settimeout(60)
print(listener.getsockname()[1], flush=True)
for _ in range(3):
    s = tls.wrap_socket(listener.accept()[0], server_side=True)
    if b"/c " in s.recv(65536).split(b"\r\n")[0]:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        s.sendall(head + b"5\r\nhello\r\n6\r\n world\r\n")
        # The original loses what comes together with the end: the test says when its client has read the rest.
        sys.stdin.readline()
        s.sendall(b"0\r\n\r\n")
    else:
        s.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnone")
    s.close()
