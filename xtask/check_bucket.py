"""Compares a bucket with a directory: every key, byte, Content-Type and Cache-Control, with boto3."""

import concurrent.futures
import os
import re
import sys

import boto3
from botocore.config import Config

TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8", ".md": "text/markdown; charset=utf-8", ".svg": "image/svg+xml",
    ".png": "image/png", ".gif": "image/gif", ".jpg": "image/jpeg", ".ico": "image/x-icon", ".xml": "application/xml",
    ".json": "application/json", ".webmanifest": "application/manifest+json", ".woff": "font/woff", ".woff2": "font/woff2",
}
NAMES = {"feed.xml": "application/atom+xml"}
PAGES, ASSETS = {".html", ".webmanifest"}, {".css", ".png", ".gif", ".svg"}

source, endpoint, bucket = sys.argv[1:4]
s3 = boto3.client(
    "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="embedded",
    aws_secret_access_key="embedded-secret", config=Config(s3={"addressing_style": "path"}, max_pool_connections=16),
)
files = {}
for folder, _, names in os.walk(source, followlinks=True):
    for name in names:
        path = os.path.join(folder, name)
        files[os.path.relpath(path, source)] = path
keys = set()
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
    keys |= {item["Key"] for item in page.get("Contents", [])}
keys = {key for key in keys if not key.startswith((".twinsite/", ".well-known/twinsite/"))}
assert keys == set(files), sorted(keys ^ set(files))[:10]


def check(key):
    answer = s3.get_object(Bucket=bucket, Key=key)
    with open(files[key], "rb") as file:
        assert answer["Body"].read() == file.read(), key
    extension = os.path.splitext(key)[1].lower()
    wanted = NAMES.get(os.path.basename(key), TYPES.get(extension))
    assert wanted in (None, answer["ContentType"]), (key, answer["ContentType"])
    cache = answer["CacheControl"]
    if extension in PAGES:
        assert cache == "public, max-age=0, must-revalidate", (key, cache)
    elif extension in ASSETS and not re.search(r"[.-][0-9A-Za-z_]{8,}\.", key):
        assert cache == "public, max-age=3600", (key, cache)


with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(check, files))
print(f"boto3: {bucket}: {len(files)} files equal", file=sys.stderr)
