# Networks that several tests use.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest
import tessera

REPOSITORY = Path(__file__).resolve().parents[2]


def balanced(**arguments):
    """Two populations that fire irregularly at some 15 spikes/s."""
    net = tessera.Network("balanced", **arguments)
    e = net.population("E", 160, "iaf_psc_exp", t_ref="2 ms",
                       initial={"V_m": tessera.normal("-58 mV", "5 mV")})
    i = net.population("I", 40, "iaf_psc_exp", inhibitory=True)
    net.connect(e, [e, i], "fixed_indegree", number=16, weight="120 pA", delay="1.5 ms")
    net.connect(i, [e, i], "fixed_indegree", number=4, weight=tessera.normal("-500 pA", "50 pA", high=0), delay="0.8 ms")
    net.poisson([e, i], rate="8.5 kHz", weight="80 pA")
    return net


@pytest.fixture
def network():
    return balanced()


@pytest.fixture
def model_file():
    return REPOSITORY / "models" / "small" / "two_populations.toml"


def command():
    """The program that the package brings."""
    import sysconfig

    return os.path.join(sysconfig.get_path("scripts"), "tessera")
