"""One fresh process: how it ends, what it may use, what it used.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import sys
import time

import pytest

from tessera_bench import process


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-E", "-c", code]


def test_a_process_that_ends_well(tmp_path):
    found = process.run(python("import sys; print('out'); print('err', file=sys.stderr)"), tmp_path)
    assert (found.exit_code, found.output, found.errors, found.failure()) == (0, "out\n", "err\n", None)
    assert found.seconds > 0 and found.processor_seconds > 0


def test_an_exit_code_and_the_last_words(tmp_path):
    found = process.run(python("import sys; print('first'); print('the reason', file=sys.stderr); sys.exit(3)"), tmp_path)
    assert found.failure() == "ended with exit code 3: the reason"


def test_a_crash_names_its_signal(tmp_path):
    found = process.run(python("import os; os.abort()"), tmp_path)
    assert found.failure().startswith("was ended by signal 6 (SIGABRT)")


def test_what_takes_too_long_is_ended_with_its_children(tmp_path):
    code = ("import os, subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)']); "
            "open('child', 'w').write(str(p.pid)); time.sleep(3600)")
    # As long as it needs to start its child, however slow the machine is.
    for limit in (1.0, 5.0, 25.0, 125.0):
        found = process.run(python(code), tmp_path, time_limit=limit)
        if (tmp_path / "child").exists() and (tmp_path / "child").read_text():
            break
    assert found.timed_out and "took longer than" in found.failure()
    child = int((tmp_path / "child").read_text())
    while True:  # killed, perhaps not reaped yet by whoever inherited it
        try:
            with open(f"/proc/{child}/stat") as file:
                if file.read().split()[2] in "ZX":
                    break
        except FileNotFoundError:
            break
        time.sleep(0.01)


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        process.run(["./nothing"], tmp_path)


def test_memory_is_that_of_the_process_and_not_of_the_tool(tmp_path):
    small = process.run(python("pass"), tmp_path).peak_bytes
    large = process.run(python("x = bytearray(200_000_000)"), tmp_path).peak_bytes
    assert 200e6 < large < 200e6 + 2 * small
    assert small < 30e6  # an interpreter without NumPy, which the tool has loaded


def test_a_limit_of_memory_is_a_limit(tmp_path):
    found = process.run(python("x = bytearray(800_000_000)"), tmp_path, memory_bytes=400_000_000)
    assert found.exit_code == 1 and "MemoryError" in found.errors


def test_pinning(tmp_path):
    core = max(os.sched_getaffinity(0))
    found = process.run(python("import os; print(sorted(os.sched_getaffinity(0)))"), tmp_path, cores=[core])
    assert found.output.strip() == f"[{core}]"


def test_the_environment_is_what_definitions_say(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "17")
    code = "import os; print(sorted(os.environ))"
    names = process.run(python(code), tmp_path, {"NOTE": "1"}).output
    assert "NOTE" in names and "PATH" in names and "OMP_NUM_THREADS" not in names
