"""A page behind an address: a node that serves it, a client that fetches it."""

import sys

from .process import Process

# Answers every request with a line that names the node. Listens on all addresses, for the one in
# question need not be there yet.
_SERVER = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"Hello from {sys.argv[1]}".encode())
http.server.HTTPServer(("0.0.0.0", 80), Page).serve_forever()
"""


def serve_page(run, host, *addresses):
    """Makes a host take packets for those addresses, as kube-proxy would, and serve "Hello from
    NAME" on them. Its kernel does not answer ARP for them: that is the speaker's. Returns the
    Process."""
    host.namespace.sysctl("net.ipv4.conf.all.arp_ignore", 1)
    for address in addresses:
        host.namespace.ip("route", "add", "local", address, "dev", "lo")
    return Process(run, [sys.executable, "-c", _SERVER, host.name], name=f"page-{host.name}",
                   namespace=host.namespace)


def fetch(namespace, address, seconds=5):
    """The page at http://ADDRESS/, fetched from a namespace by a connection of its own."""
    with namespace.connect((address, 80), seconds) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer.decode().rpartition("\r\n\r\n")[2]
