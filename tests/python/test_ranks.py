"""Simulations over the ranks of a communicator of mpi4py."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys

import pytest
import tessera
from conftest import balanced

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import tessera
from conftest import balanced
from mpi4py import MPI

pair = MPI.COMM_WORLD.Split(MPI.COMM_WORLD.rank // 2)  # a part of the world: ranks 0 and 1, and 2 alone
sim = tessera.Simulation(balanced(), ranks=pair, threads=1)
sim.run(30)
sim.state["I"]["V_m"] = -60.0
sim.run(20)
rows = [(MPI.COMM_WORLD.rank, sim.report["ranks"], sim.digest, len(sim.spikes["E"]))]
del sim
for row in MPI.COMM_WORLD.gather(rows) or []:
    print(*row[0])
"""


def test_a_part_of_the_world_gives_the_spikes_of_one_process(tmp_path):
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: NOTHING OF COMMUNICATORS WAS TESTED")
    if shutil.which("mpirun") is None or not tessera._core.mpi_name().startswith("Open MPI"):
        pytest.skip("no mpirun, or a build without Open MPI: NOTHING OF COMMUNICATORS WAS TESTED")
    alone = balanced().simulate(30, threads=1)
    alone.state["I"]["V_m"] = -60.0
    alone.run(20)
    (tmp_path / "program.py").write_text(PROGRAM)
    # Where an example of the docs has begun MPI in this process, mpirun must not think that it is a rank.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_", "ORTE_"))}
    done = subprocess.run(["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "3", sys.executable, tmp_path / "program.py",
                           __file__.rsplit("/", 1)[0]], capture_output=True, text=True, timeout=900,
                          env=clean)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    spikes = str(len(alone.spikes["E"]))
    assert rows == [["0", "2", alone.digest, spikes], ["1", "2", alone.digest, "0"], ["2", "1", alone.digest, spikes]]


class Handle:
    def __init__(self, value):
        self.value = value

    def py2f(self):
        return self.value


def test_what_is_no_communicator_is_said(network):
    with pytest.raises(TypeError, match="ranks must be True, False or a communicator"):
        tessera.Simulation(network, ranks="all")
    if "mpi4py.MPI" in sys.modules:
        pytest.skip("MPI has begun in this process")
    with pytest.raises(tessera.InputError, match="MPI"):  # has not begun, or this build has none
        tessera.Simulation(network, ranks=Handle(0))
