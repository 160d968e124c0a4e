"""Fills the bucket `logs` of a server that speaks S3 and has just been started."""

import os
import sys
import time

import boto3
import botocore.exceptions


def client_of(url, secs_max):
    """A client of the server at `url`, with the bucket made; ends the program if it does not answer in time."""
    s3 = boto3.client("s3", endpoint_url=url)
    began = time.monotonic()
    while True:
        try:
            s3.create_bucket(Bucket="logs")
            return s3
        except botocore.exceptions.EndpointConnectionError:
            if time.monotonic() - began > secs_max:
                sys.exit("the server does not answer")
            time.sleep(0.2)


def upload(s3, folder, prefix=""):
    """Puts the files of a folder into the bucket, under their paths in it behind `prefix`."""
    for path, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(path, name)
            s3.upload_file(file, "logs", prefix + os.path.relpath(file, folder))
