"""Exits 0 when a bucket holds the files of a directory, byte for byte, and nothing else but twinsite's own objects."""

import hashlib
import os
import sys

import boto3
from botocore.config import Config

source, endpoint, bucket = sys.argv[1:]
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="embedded",
    aws_secret_access_key="embedded-secret",
    config=Config(s3={"addressing_style": "path"}),
)


def digest(chunks):
    md5 = hashlib.md5()
    for chunk in chunks:
        md5.update(chunk)
    return md5.hexdigest()


def file_digest(path):
    with open(path, "rb") as file:
        return digest(iter(lambda: file.read(1 << 20), b""))


wanted = {}
for at, _, names in os.walk(source):
    for name in names:
        path = os.path.join(at, name)
        wanted[os.path.relpath(path, source)] = path

held = {}
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
    for found in page.get("Contents", []):
        if not found["Key"].startswith((".twinsite/", ".well-known/twinsite/")):
            held[found["Key"]] = found["ETag"].strip('"')

wrong = sorted(set(wanted) ^ set(held))
for key, etag in held.items():
    if key not in wanted:
        continue
    if "-" in etag:
        etag = digest(s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 << 20))
    if etag != file_digest(wanted[key]):
        wrong.append(key)
if wrong:
    sys.exit(f"{len(wrong)} differ: {wrong[:5]}")
