"""Random calls: each works or says what is wrong; none takes the process down. TESSERA_FUZZ_CALLS says how many."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os
import random
import warnings

import numpy as np
import tessera
from tessera import train

CALLS = int(os.environ.get("TESSERA_FUZZ_CALLS", "3000"))
READ_ONLY = np.full(3, -60.0)
READ_ONLY.flags.writeable = False
VALUES = [None, True, 0, 1, -1, 3, 2.5, 1e300, float("nan"), float("inf"), 2**70, -(2**70), "", "a", "b", "1 ms", "2 mV",
          "3 pA", "5 Hz", "\0", "\ud800", b"x", [], [1], [0, 1], ["1 ms"], (0, 1), {}, {"V_m": 1}, {"rule": "static"},
          np.array([0, 1]), np.array([0.5, np.nan]), np.zeros((2, 2)), np.zeros(3)[::2], np.array([], np.uint8),
          np.array(["x"]), READ_ONLY, np.asfortranarray(np.ones((3, 3))), np.arange(9.0)[::3], np.arange(9.0)[::-3], np.ones(3, np.float16),
          np.full(3, -60.0, ">f8"), np.full(9, 5.0), np.full(3, np.inf), np.ones(3, bool), np.array(3.0), np.ones((3, 1)), np.array([1 + 2j]), np.array([object()]), object(), int, tessera.normal(1, 2),
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
def set_state(simulation, population, variable, values):
    simulation.state[population][variable] = values


def set_weights(simulation, projection, weights):
    simulation.projections[projection].weights = weights


def set_inputs(simulation, stimulus, source, rate, amplitude):
    simulation.sources[source].rate = rate
    simulation.stimuli[stimulus].amplitude = amplitude


def set_rate(simulation, stimulus, rate):
    simulation.stimuli[stimulus].rate = rate


class Anything(tessera.StructuralRule):
    """Random calls of the view that it gets."""

    CALLS = {"exists": 2, "weight": 2, "indegree": 1, "outdegree": 1, "distance": 2, "source_near": 3, "remove": 2, "add": 3, "below": 1,
             "reweight": 1, "source_values": 1, "synapses": 0, "uniform": 0}

    def __init__(self, rng):
        self.rng, self.worked = rng, 0

    def act(self, view):
        for _ in range(20):
            name = self.rng.choice(list(self.CALLS))
            try:
                getattr(view, name)(*(self.rng.choice(VALUES) for _ in range(self.CALLS[name])))
                self.worked += 1
            except EXPECTED:
                pass


LIVE_CALLS = {set_state: ["population", "variable", "values"], set_weights: ["projection", "weights"],
              set_inputs: ["stimulus", "source", "rate", "amplitude"], set_rate: ["stimulus", "rate"]}
NAMES = {"population": ["a", "b"], "variable": ["V_m", "refractory", "I_syn"], "projection": ["a->a", "kept"],
         "stimulus": ["current a", "poisson a"], "source": ["s"]}
SIMULATION_CALLS = {"state": ["population", "variable"], "synapses": ["projection"], "statistics": ["start", "end"],
                    "raster": ["start", "duration"], "trace": ["population", "variable"], "clear": [],
                    "save_checkpoint": ["file"], "restore": ["file"], "on_spikes": ["population", "function", "every"], "_repr_html_": []}
EXPECTED = (TypeError, ValueError, KeyError, tessera.TesseraError, OSError)
OPTIONS = ["seed", "threads", "tiles", "connectivity", "precision", "device", "memory_limit", "record_spikes", "exchange"]


def test_random_calls(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(1)
    network, worked, set_anew = None, 0, 0
    for i in range(CALLS):
        if i % 40 == 0:
            network = tessera.Network()
            network.population("a", 3)
            network.population("b", 2, "iaf_cond_exp")
            network.connect("a", "a", "all_to_all", weight=1, delay=1)
            network.connect("a", "a", "all_to_all", weight=1, delay=1, plasticity="static", name="kept")
            network.current("a", 100).poisson("a", 100, 1)
            network.poisson_source("s", 2, 10)
            simulation = tessera.Simulation(network, threads=1)
        if rng.random() < 0.3:
            function = rng.choice(list(LIVE_CALLS))
            arguments = {k: rng.choice(NAMES[k] if k in NAMES and rng.random() < 0.8 else VALUES) for k in LIVE_CALLS[function]}
            try:
                function(simulation, **arguments)
                set_anew += 1
            except EXPECTED:
                pass
            continue
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
    assert worked > CALLS / 30 and set_anew > CALLS / 200


def test_random_calls_of_a_view():
    rule = Anything(random.Random(3))
    net = tessera.Network()
    net.population("a", 9)
    net.current("a", 450)
    net.connect("a", "a", "pairwise_bernoulli", probability=0.5, autapses=False, multapses=False, weight=5, delay=1, rewiring={"rule": rule, "interval": 1})
    tessera.Simulation(net, threads=1).run(CALLS // 50)
    assert rule.worked > CALLS / 20


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
        for _ in range(CALLS // 3):
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
    assert worked > CALLS / 100
