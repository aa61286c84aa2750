"""`pip install ./bench` gives a command that works anywhere and brings its definitions.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.mark.install
def test_the_package_installs_with_its_definitions(tmp_path):
    source, site = tmp_path / "bench", tmp_path / "site"
    shutil.copytree(BENCH, source, ignore=shutil.ignore_patterns("kernels", "peers", "*.cpp", "*.cu", "__pycache__"))
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                           "--retries", "1", "--timeout", "15", "--target", str(site), str(source)],
                          capture_output=True, text=True)
    if done.returncode != 0 and "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("there is no package index to install with")
    assert done.returncode == 0, done.stderr
    found = subprocess.run([sys.executable, str(site / "bin" / "tessera-bench"), "list"], capture_output=True, text=True,
                           cwd=tmp_path, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(site)})
    assert found.returncode == 0, found.stderr
    shipped = {path.stem for path in (BENCH / "definitions" / "where").glob("*.toml")}
    assert shipped and all(f"\n{name}" in found.stdout for name in shipped)
    assert "microcircuit_procedural" in found.stdout and "nest" in found.stdout
