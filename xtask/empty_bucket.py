"""Removes all objects and versions of a bucket."""

import sys

import boto3
from botocore.config import Config

endpoint, bucket = sys.argv[1:]
s3 = boto3.resource(
    "s3",
    endpoint_url=endpoint,
    region_name="us-west-2",
    aws_access_key_id="embedded",
    aws_secret_access_key="embedded-secret",
    config=Config(s3={"addressing_style": "path"}),
)
s3.Bucket(bucket).object_versions.delete()
