"""Starts one process, waits for it and writes down what it used. A small process of its own, because Linux counts the
memory of whoever forks as that of the child, and the tool with NumPy is larger than many programs it measures.

Usage: python -S -E spawn.py JOB, where JOB is JSON: command, cores, memory_bytes, end (file to write).
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import resource
import sys
import time


def main() -> int:
    job = json.loads(sys.argv[1])
    if job["cores"] is not None:
        os.sched_setaffinity(0, job["cores"])
    if job["memory_bytes"] is not None:
        resource.setrlimit(resource.RLIMIT_AS, (job["memory_bytes"], job["memory_bytes"]))
    start = time.perf_counter()
    try:
        child = os.posix_spawnp(job["command"][0], job["command"], os.environ)
    except OSError as error:
        ended = {"error": error.strerror}
    else:
        _, status, usage = os.wait4(child, 0)
        ended = {"seconds": time.perf_counter() - start, "exit_code": os.waitstatus_to_exitcode(status),
                 "processor_seconds": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024}
    with open(job["end"], "w") as file:
        json.dump(ended, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
