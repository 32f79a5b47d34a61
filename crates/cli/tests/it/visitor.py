"""A visitor who shares no code with twinsite: DNS over UDP, HTTP by the standard library, redirects by urllib's rules.

Reads a JSON object {"dns", "http", "https", "authority", "visits": [URL, …]} and writes, for each URL, the chain of responses.
"""

import http.client
import json
import socket
import ssl
import struct
import sys
from urllib.parse import urljoin, urlsplit

WORLD = json.load(sys.stdin)


def read_name(message, at):
    labels, end = [], None
    while True:
        length = message[at]
        if length & 0xC0 == 0xC0:
            end = end or at + 2
            at = struct.unpack(">H", message[at : at + 2])[0] & 0x3FFF
        elif length == 0:
            return ".".join(labels), end or at + 1
        else:
            labels.append(message[at + 1 : at + 1 + length].decode())
            at += 1 + length


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = labels + b"\0" + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(10)
        server.sendto(struct.pack(">HHHHHH", 7, 0, 1, 0, 0, 0) + question, ("127.0.0.1", WORLD["dns"]))
        message = server.recv(4096)
    count = struct.unpack(">H", message[6:8])[0]
    at = 12 + len(question)
    for _ in range(count):
        _, at = read_name(message, at)
        kind, _, _, length = struct.unpack(">HHIH", message[at : at + 10])
        yield kind, message, at + 10, length
        at += 10 + length


def resolve(name):
    """The address of a name; CNAME records are followed through all zones."""
    for _ in range(8):
        target = None
        for kind, message, at, _ in query(name):
            if kind == 1:
                return socket.inet_ntoa(message[at : at + 4]), name
            if kind == 5:
                target = read_name(message, at)[0]
        if target is None:
            raise OSError(f"{name} has no address")
        name = target
    raise OSError("too many CNAME records")


def visit(url):
    parts = urlsplit(url)
    address, target = resolve(parts.hostname)
    raw = socket.create_connection((address, WORLD[parts.scheme]), timeout=10)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=WORLD["authority"])
        raw = context.wrap_socket(raw, server_hostname=parts.hostname)
    path = url.split("/", 3)
    path = "/" + (path[3] if len(path) > 3 else "")
    raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.hostname}\r\nConnection: close\r\n\r\n".encode())
    response = http.client.HTTPResponse(raw)
    response.begin()
    body = response.read().decode(errors="replace")
    location = response.headers.get("location")
    return {"url": url, "target": target, "status": response.status, "location": location, "body": body[:80]}


def follow(url):
    chain = []
    for _ in range(5):
        try:
            chain.append(visit(url))
        except OSError as error:
            chain.append({"url": url, "error": str(error)})
        location = chain[-1].get("location")
        if location is None:
            break
        url = urljoin(url, location)
    return chain


print(json.dumps([follow(url) for url in WORLD["visits"]]))
