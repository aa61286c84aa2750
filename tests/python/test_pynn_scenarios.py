"""PyNN's own 66 scenario tests: which pass, and why the others do not."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from conftest import REPOSITORY

TESTS = Path(sys.prefix) / "source" / "test"  # tests/python/make_environment.sh brings it

#: What tessera.pynn does not have; docs/python.md says the same.
MISSING = {
    "test_EIF_cond_alpha_isfa_ista": "alpha-shaped conductances",
    "test_scenario1a": "alpha-shaped conductances",
    "test_HH_cond_exp": "Hodgkin-Huxley neurons",
    "test_SpikeSourceGamma": "gamma sources",
    "test_SpikeSourcePoissonRefractory": "Poisson sources with a refractory time",
    "test_composed_neuron_model_homogeneous_receptors": "neurons put together from parts",
    "test_issue259": "spikes between steps",
    "test_simple_stochastic_synapse": "synapses that fail by chance",
    "test_scenario5": "neurons with compartments",
}


@pytest.mark.skipif(not TESTS.exists(), reason=f"PyNN's source is not in {TESTS}: its scenario tests are not run")
def test_the_scenarios_of_pynn(tmp_path):
    shutil.copytree(TESTS / "system", tmp_path / "system")
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "pynn_scenarios", "-k", "tessera", "--junitxml", "results.xml", "--tb", "short",
                 "system/scenarios"]
    run = subprocess.run([sys.executable, "-B", "-m", "pytest", *arguments], cwd=tmp_path, capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent),
                                                                           os.environ.get("PYTHONPATH", "")]),
                              "MPLBACKEND": "agg"})
    assert run.returncode in (0, 1), run.stdout[-4000:] + run.stderr[-4000:]
    cases = ElementTree.parse(tmp_path / "results.xml").iter("testcase")
    outcome = {case.get("name").removesuffix("[tessera]"): [c.tag for c in case if c.tag in ("failure", "error", "skipped")]
               for case in cases}
    assert len(outcome) == 66
    assert {name for name, bad in outcome.items() if bad} == set(MISSING), run.stdout[-8000:]


def test_the_manual_names_what_is_missing():
    page = (REPOSITORY / "docs" / "python.md").read_text()
    for name, why in MISSING.items():
        assert f"`{name}`" in page and why in page, name
