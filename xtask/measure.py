"""Runs a command and writes what it took to a file: seconds of wall clock and CPU, peak memory in MiB, exit code."""

import json
import resource
import subprocess
import sys
import time

out, command = sys.argv[1], sys.argv[2:]
started = time.monotonic()
code = subprocess.run(command).returncode
wall = time.monotonic() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
taken = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024, "code": code}
with open(out, "w") as file:
    json.dump(taken, file)
