"""Ten thousand random calls: each works or says what is wrong; none takes the process down."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import random
import warnings

import numpy as np
import tessera
from tessera import train

VALUES = [None, True, 0, 1, -1, 3, 2.5, 1e300, float("nan"), float("inf"), 2**70, -(2**70), "", "a", "b", "1 ms", "2 mV",
          "3 pA", "5 Hz", "\0", "\ud800", b"x", [], [1], [0, 1], ["1 ms"], (0, 1), {}, {"V_m": 1}, {"rule": "static"},
          np.array([0, 1]), np.array([0.5, np.nan]), np.zeros((2, 2)), np.zeros(3)[::2], np.array([], np.uint8),
          np.array(["x"]), np.array([1 + 2j]), np.array([object()]), object(), int, tessera.normal(1, 2),
          tessera.lognormal("1 pA", 0.5), "all_to_all", "one_to_one", "explicit_list", "iaf_psc_exp", "iaf_cond_exp"]
NETWORK_CALLS = {
    "population": ["name", "size", "model", "inhibitory", "initial", "grid_columns", "extent", "periodic", "tau_m"],
    "poisson_source": ["name", "size", "rate", "start", "duration", "interval"],
    "spike_source": ["name", "size", "times", "neurons"],
    "connect": ["source", "target", "rule", "weight", "delay", "number", "probability", "autapses", "synapses", "name",
                "plasticity", "rewiring"],
    "poisson": ["target", "rate", "weight", "delay", "start", "duration", "name"],
    "current": ["target", "amplitude", "start", "duration", "name"],
    "step_current": ["target", "times", "amplitudes"],
    "record": ["population", "variable", "count", "interval"],
    "check": [], "to_toml": [], "copy": [], "_repr_html_": [],
}
SIMULATION_CALLS = {"state": ["population", "variable"], "synapses": ["projection"], "statistics": ["start", "end"],
                    "raster": ["start", "duration"], "trace": ["population", "variable"], "clear": [],
                    "save_checkpoint": ["file"], "restore": ["file"], "_repr_html_": []}
EXPECTED = (TypeError, ValueError, KeyError, tessera.TesseraError, OSError)
OPTIONS = ["seed", "threads", "tiles", "connectivity", "precision", "device", "memory_limit", "record_spikes", "exchange"]


def test_random_calls(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(1)
    network, worked = None, 0
    for i in range(10_000):
        if i % 40 == 0:
            network = tessera.Network()
            network.population("a", 3)
            network.population("b", 2, "iaf_cond_exp")
            network.connect("a", "a", "all_to_all", weight=1, delay=1)
            simulation = tessera.Simulation(network, threads=1)
        target, calls = (network, NETWORK_CALLS) if rng.random() < 0.7 else (simulation, SIMULATION_CALLS)
        name = rng.choice(list(calls))
        arguments = {k: rng.choice(VALUES) for k in calls[name] if rng.random() < 0.7}
        try:
            getattr(target, name)(**arguments)
            worked += 1
            if rng.random() < 0.1:
                options = {k: rng.choice(VALUES) for k in OPTIONS if rng.random() < 0.1}
                tessera.Simulation(network, **options).run(rng.choice([0, 1, 2.5, "1 ms"]))
        except EXPECTED:
            pass
    assert worked > 500


def test_random_calls_of_training():
    rng = random.Random(2)
    net = train.Network([train.Layer("hidden", 4), train.Layer("out", 2, neuron="readout")], inputs=3, classes=2, steps=6)
    values = VALUES + [np.zeros((4, 6, 3)), np.ones((2, 6, 3), bool), [0, 1, 0, 1], [[0.0, 1.0], [0, 1], 1],
                       [([1.0], [2], 1), ([], [], 0)], ["hidden"], "hidden", {"hidden.weight": np.zeros((3, 4))}]
    good = train.Data.from_dense(np.eye(6)[:4, :, None] * np.ones(3), [0, 1, 0, 1])
    trainer, worked = train.Trainer(net, epochs=1, threads=1), 0
    calls = [(train.Data.from_dense, ["spikes", "labels", "classes", "shape"]),
             (train.Data.from_events, ["samples", "times", "units", "labels", "channels", "steps", "dt", "classes", "crop"]),
             (train.Data.from_samples, ["samples", "channels", "steps", "time_unit"]), (train.Layer, ["name", "size", "alpha"]),
             (trainer.fit, ["data", "callback", "keep_best"]), (trainer.evaluate, ["data"]),
             (trainer.forward, ["data", "samples", "spikes"]), (trainer.gradients, ["data", "samples"]),
             (trainer.step, ["data", "samples", "rate_scale"]), (lambda w: setattr(trainer, "weights", w), ["w"]),
             (train.Trainer, ["network", "loss", "batch", "seed", "strategy", "slices"]), (trainer.load_weights, ["file"])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dead neurons
        for _ in range(3000):
            function, names = rng.choice(calls)
            arguments = {k: rng.choice(values) for k in names if rng.random() < 0.8}
            if "data" in names and rng.random() < 0.8:
                arguments["data"] = good
            if "network" in names:
                arguments["network"] = net
            try:
                function(**arguments)
                worked += 1
            except EXPECTED:
                pass
    assert worked > 100
