"""The stand-in of the multi-area model: its tables are what the script beside them writes, and what NumPy reads."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import numpy as np
import pytest
import tessera
from conftest import REPOSITORY

MODEL = REPOSITORY / "models" / "multi_area"
FILES = ["mam_delays.npz", "mam_populations.csv", "mam_synapses.npz", "mam_weights.npz"]


def make(folder, areas):
    subprocess.run([sys.executable, MODEL / "make_stand_in.py", folder, str(areas)], check=True)


def test_the_tables_in_the_repository_are_what_the_script_writes(tmp_path):
    make(tmp_path / "tables", 4)
    assert sorted(f.name for f in (tmp_path / "tables").iterdir()) == FILES == sorted(f.name for f in (MODEL / "stand_in").iterdir())
    for name in FILES:
        assert (tmp_path / "tables" / name).read_bytes() == (MODEL / "stand_in" / name).read_bytes(), name


# Written without NumPy: it reads the same numbers, a row per target. The largest projection of the microcircuit is 4E to 4E
# by its probability: ln(1 - 0.0497) / ln(1 - 1 / 21915^2) synapses in an area of its size (the second).
def test_numpy_reads_what_the_model_says():
    n_syn = np.load(MODEL / "stand_in" / "mam_synapses.npz")["n_syn"]
    weights, delays = np.load(MODEL / "stand_in" / "mam_weights.npz"), np.load(MODEL / "stand_in" / "mam_delays.npz")
    assert n_syn.shape == (32, 32) and n_syn.dtype == np.int64
    assert abs(n_syn[8 + 2, 8 + 2] - np.log(1 - 0.0497) / np.log1p(-1 / 21915**2)) <= 2  # the script has fewer digits
    for table in (weights["w_chi1"], weights["w_chi19"], delays["delay_ms"], delays["delay_sd_ms"]):
        assert table.shape == (32, 32) and table.dtype == np.float32
    network = tessera.Network.load(MODEL / "multi_area.toml", tables="stand_in")
    assert len(network.projections) == np.count_nonzero(n_syn)
    assert tessera.plan(network).values["synapses"] == n_syn.sum()


def test_a_stand_in_of_six_areas_is_found_in_the_data_folder(tmp_path, monkeypatch):
    make(tmp_path / "six", 6)
    monkeypatch.setenv("TESSERA_DATA_DIR", str(tmp_path))
    network = tessera.Network.load(MODEL / "multi_area.toml", tables="six", scale=0.01)
    assert len(network.populations) == 48 and "A06.6I" in network.populations
    with pytest.raises(tessera.InputError, match="seven"):
        tessera.Network.load(MODEL / "multi_area.toml", tables="seven")
