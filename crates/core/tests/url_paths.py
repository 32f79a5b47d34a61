"""Writes names and the paths of their URLs, one pair a line, as Python's standard library makes them.

    python3 crates/core/tests/url_paths.py > crates/core/tests/url_paths.tsv

`cargo xtask report` compares the output with the file, and the file with a browser.
"""

import http.client
import string
import sys
import unicodedata
from urllib.parse import quote, unquote, urlsplit

# What the URL Standard leaves as it is in a path, but for `%`, `\\`, `+`, and `|`, which browsers encode.
SAFE = "/!$&'()*,-.:;=@[]_~"


class Recorded(http.client.HTTPConnection):
    """A client that keeps what it would send."""

    def connect(self):
        self.sent = b""

    def send(self, data):
        self.sent += data


def target(path):
    """The target of the request for a path; the client refuses paths that are not encoded."""
    client = Recorded("www.example.com")
    client.connect()
    client.request("GET", path)
    return client.sent.split(b" ")[1].decode("ascii")


def names():
    for character in string.punctuation.replace("/", "") + " ":
        if character != ".":
            yield character
        yield f"a{character}b.txt"
        yield f"dir{character}1/x.html"
        yield f"end{character}"
    for text in ["Zoë/naïve café.html", "Å/ü.png", "日本/ページ.html", "한글.txt", "ﬁ.txt", "😀/👩‍💻.svg"]:
        yield unicodedata.normalize("NFC", text)
        yield unicodedata.normalize("NFD", text)
    yield from ["index.html", "a//b.html", "a/", "...", ".hidden", "a/.../b", "a..b/c.", "~user/index.html"]
    yield from ["a%2Fb.html", "a%2fb", "100%.html", "%41", "%%20", "a%20b c", "photo(1).jpg", "img/photo (1).jpg"]
    yield from ["@types/node.js", "a&b=c;d,e.txt", "a+b c.css", "it's.html", "q?x=1#y", "c:\\temp\\x.txt", "http://x/y"]
    yield from ["\u007f.txt", "no\u00a0break.txt", "zero\u200bwidth.txt"]


def main():
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for name in dict.fromkeys(names()):
        path = "/" + quote(name, safe=SAFE)
        assert target(path) == path, name
        parts = urlsplit("https://www.example.com" + path)
        assert (parts.path, parts.query, parts.fragment) == (path, "", ""), name
        assert unquote(parts.path) == "/" + name, name
        print(f"{name}\t{path}")


main()
