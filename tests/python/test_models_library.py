"""Neuron models from a shared library: that of examples/custom_neuron."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

import numpy as np
import pytest
import tessera

LIBRARY = os.environ.get("TESSERA_EXAMPLE_MODELS", "")

# In a process of its own: what is loaded stays.
PROGRAM = """
import sys, tessera
print(tessera.load_models(sys.argv[1]))
model = tessera.model("qif_psc_exp")
net = tessera.Network(dt=0.05)
cells = net.population("driven", 5, "qif_psc_exp", k=0.9)
net.current(cells, "200 pA")
sim = tessera.Simulation(net, precision="exact").run("2 s")
print(len(sim.spikes["driven"]) / 5 / 2, model.parameters["V_peak"].default, "qif_psc_exp" in tessera.models())
assert tessera.Network.from_toml(net.to_toml()).simulate(50).digest == net.simulate(50).digest
try:
    tessera.load_models(sys.argv[1])
except tessera.InputError as error:
    print(error)
"""


def test_the_model_of_the_example():
    if not os.path.exists(LIBRARY):
        pytest.skip("examples/custom_neuron was not built (TESSERA_EXAMPLE_MODELS): NO LIBRARY OF MODELS WAS LOADED")
    done = subprocess.run([sys.executable, "-c", PROGRAM, LIBRARY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names, figures, refused = done.stdout.splitlines()
    assert names == "['qif_psc_exp']" and "already in the catalogue" in refused
    # The time from V_reset to V_peak is the integral of C dV / (k (V - E_L) (V - V_crit) + I), a difference of arcus tangents.
    k, middle, half = 0.9, -50.0, 10.0
    excess = 200.0 - k * half**2
    scale = np.sqrt(k / excess)
    period = 1.0 + 100.0 / np.sqrt(k * excess) * (np.arctan(scale * (35.0 - middle)) - np.arctan(scale * (-50.0 - middle)))
    rate, peak, known = figures.split()
    assert float(rate) == pytest.approx(1000.0 / period, rel=0.01) and (peak, known) == ("35.0", "True")


def test_what_is_no_library_is_refused(tmp_path):
    file = tmp_path / "text.so"
    file.write_text("nothing")
    for path in (file, tmp_path / "missing.so", tmp_path):
        with pytest.raises(tessera.InputError, match=str(path)):
            tessera.load_models(path)
    with pytest.raises(tessera.InputError, match="TESSERA_MODELS_LIBRARY"):
        tessera.load_models(tessera._core.__file__)
    with pytest.raises(TypeError, match="file must be a path"):
        tessera.load_models(3)
