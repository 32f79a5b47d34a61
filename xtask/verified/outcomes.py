"""A pytest plugin that writes the outcome of every test as a line: the outcome, a tab, the test."""

import os
import socket

import boto3

outcomes = {}


def pytest_runtest_setup(item):
    # The session of a test within moto's mocks has other credentials.
    boto3.DEFAULT_SESSION = None


def pytest_runtest_logreport(report):
    # A test has three phases; the first that did not pass decides.
    if outcomes.get(report.nodeid, "passed") == "passed":
        outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish(session, exitstatus):
    with open(os.environ["OUTCOMES"], "w", encoding="utf-8") as file:
        file.writelines(f"{outcome}\t{test}\n" for test, outcome in sorted(outcomes.items()))


def resolve(host, *args, _resolve=socket.getaddrinfo, **kwargs):
    # S3 Control puts the account before the host, and not every resolver knows the names below localhost.
    local = isinstance(host, str) and host.endswith(".localhost")
    return _resolve("127.0.0.1" if local else host, *args, **kwargs)


socket.getaddrinfo = resolve
