"""Visits a site on the embedded cloud as a stranger does: dnspython asks, http.client goes where the answer leads.

Usage: check_visitors.py MODE API DOMAIN DNS HTTP HTTPS CA WORD
"""

import http.client
import json
import socket
import ssl
import sys
import time
import urllib.request

import dns.message
import dns.query
import dns.rdatatype

MODE, API, DOMAIN, DNS, HTTP, HTTPS, CA, WORD = sys.argv[1:]
PRIMARY_OUT = {"regions_out": ["us-east-1"]}


def ask(over):
    """The CNAME, if any, and the address that it leads to."""
    names, name = [], DOMAIN
    while True:
        question = dns.message.make_query(name, dns.rdatatype.A)
        answer = over(question, "127.0.0.1", port=int(DNS), timeout=5).answer
        assert all(0 < s.ttl <= 60 for s in answer), answer
        addresses = [r.address for s in answer if s.rdtype == dns.rdatatype.A for r in s]
        if addresses:
            return names, addresses[0]
        # An authoritative server does not follow a CNAME out of its zone: a resolver asks for its target.
        name = [str(r.target) for s in answer if s.rdtype == dns.rdatatype.CNAME for r in s][-1]
        names.append(name)


def visit(tls):
    """Status, headers and body of the front page; None when nobody answers."""
    _, address = ask(dns.query.udp)
    try:
        stream = socket.create_connection((address, int(HTTPS if tls else HTTP)), timeout=10)
        if tls:
            stream = ssl.create_default_context(cafile=CA).wrap_socket(stream, server_hostname=DOMAIN)
        connection = http.client.HTTPConnection(DOMAIN)
        connection.sock = stream
        connection.request("GET", "/?" + str(time.time()), headers={"Host": DOMAIN})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    except OSError:
        return None


def served(tls):
    seen = visit(tls)
    return seen is not None and seen[0] == 200 and WORD in seen[2]


def faults(value):
    body = json.dumps(value).encode()
    urllib.request.urlopen(urllib.request.Request(API + "/_twinsite/faults", data=body, method="PUT"))


def until(what, holds):
    since = time.time()
    while not holds():
        assert time.time() - since < 30, f"{MODE}: {what}: not within 30 s"
        time.sleep(0.05)
    return time.time() - since


until("the site is served", lambda: served(True))
assert ask(dns.query.udp) == ask(dns.query.tcp), "UDP and TCP answer the same"
# The checkers must have seen a healthy site before it breaks.
time.sleep(2)
faults(PRIMARY_OUT)
if MODE == "dns":
    took = until("failover", lambda: served(False) and "s3-website-us-west-2" in ask(dns.query.udp)[0][0])
    assert visit(True) is None, "website endpoints speak no TLS"
else:
    # No request fails: the edge asks the backup.
    took = until("failover", lambda: served(True))
    assert all(served(True) for _ in range(10)), f"{MODE}: a request failed"
faults({})
back = until("fail-back", lambda: served(True))
print(f"visitors: {MODE}: failed over in {took:.1f} s, back in {back:.1f} s of fast time")
