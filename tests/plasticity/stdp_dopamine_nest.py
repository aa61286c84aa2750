#!/usr/bin/env python3
"""Makes stdp_dopamine_nest.json: weights of NEST's stdp_dopamine_synapse at every presynaptic spike.

Usage: stdp_dopamine_nest.py > stdp_dopamine_nest.json, with NEST 3.10 (pip install nest-simulator). Parrots repeat given
spikes; the plastic synapse ends at their second port, which does nothing else. Spikes of the modulator reach the volume
transmitter after `modulator_delay`. The transmitter hands them on every 1000 delays, so NEST clips at no other times than at
events, as long as weights stay inside of their bounds.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""
import json
import random

import nest

nest.set_verbosity("M_ERROR")


def train(seed, mean, end, start=10.0):
    draw, times, t = random.Random(seed), [], start
    while t < end:
        times.append(round(t, 1))
        t = round(t + max(0.3, draw.expovariate(1.0 / mean)), 1)
    return times


def case(name, params, pre, post, modulator, w0=100.0, delay=1.0, modulator_delay=1.0):
    return dict(name=name, rule="stdp_dopamine", dt=0.1, delay=delay, w0=w0, pre=pre, post=post, modulator=modulator,
                modulator_delay=modulator_delay, params=params)


BASE = dict(tau_plus=20.0, tau_minus=20.0, tau_c=1000.0, tau_n=200.0, A_plus=1.0, A_minus=1.5, b=0.0, Wmin=0.0, Wmax=200.0)
CASES = [
    case("one pair, then dopamine", BASE, [10.0, 300.0], [15.0], [50.0]),
    case("dopamine first", BASE, [40.0, 300.0], [45.0], [20.0, 30.0]),
    case("depression", BASE, [20.0, 500.0], [12.0], [100.0, 100.1, 350.0]),
    case("coincident events", BASE, [20.0, 40.0, 60.0, 200.0], [19.0, 39.0, 50.0], [19.0, 39.0, 59.0, 120.0]),
    case("trains", BASE, train(1, 60.0, 3000.0), train(2, 80.0, 3000.0), train(3, 150.0, 3000.0)),
    case("baseline", dict(BASE, b=0.004, tau_c=300.0), train(4, 40.0, 3000.0), train(5, 60.0, 3000.0), train(6, 100.0, 3000.0)),
    case("long delays", dict(BASE, tau_minus=35.0, A_minus=0.7), train(7, 50.0, 3000.0), train(8, 50.0, 3000.0),
         train(9, 90.0, 3000.0), delay=7.3, modulator_delay=12.4),
    case("largest weight", dict(BASE, A_plus=20.0, A_minus=1.0), train(10, 30.0, 2000.0), train(11, 30.0, 2000.0), train(12, 90.0, 2000.0)),
    case("smallest weight", dict(BASE, A_plus=1.0, A_minus=40.0, Wmin=20.0), train(13, 30.0, 2000.0), train(14, 30.0, 2000.0),
         train(15, 90.0, 2000.0)),
]


def run(c):
    nest.ResetKernel()
    nest.resolution = c["dt"]

    def parrot(times):
        node = nest.Create("parrot_neuron")
        generator = nest.Create("spike_generator", params={"spike_times": [round(t - 1.0, 1) for t in times]})
        nest.Connect(generator, node, syn_spec={"delay": 1.0})
        return node

    pre, post, dopamine = parrot(c["pre"]), parrot(c["post"]), parrot(c["modulator"])
    p = c["params"]
    post.tau_minus = p["tau_minus"]
    transmitter = nest.Create("volume_transmitter", params={"deliver_interval": 1000})
    nest.Connect(dopamine, transmitter, syn_spec={"delay": c["modulator_delay"]})
    recorder = nest.Create("weight_recorder")
    nest.CopyModel("stdp_dopamine_synapse", "plastic", {
        "volume_transmitter": transmitter, "weight_recorder": recorder,
        **{key: p[key] for key in ("tau_plus", "tau_c", "tau_n", "A_plus", "A_minus", "b", "Wmin", "Wmax")}})
    nest.Connect(pre, post, syn_spec={"synapse_model": "plastic", "weight": c["w0"], "delay": c["delay"], "receptor_type": 1})
    nest.Simulate(max(c["pre"]) + 50.0)
    events = recorder.events
    assert [round(t, 1) for t in events["times"]] == c["pre"], (c["name"], events["times"])
    return [float(w) for w in events["weights"]]


for c in CASES:
    c["weights"] = run(c)
print(json.dumps({"origin": f"NEST {nest.__version__}, stdp_dopamine_nest.py", "cases": CASES}, indent=0))
