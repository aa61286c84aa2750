"""NIR: networks that snnTorch exported give its spikes; exports are what the nir package and an interpreter read."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os
import random
import re
import subprocess
from pathlib import Path

import h5py
import nir as reference
import numpy as np
import pytest
import tessera
from conftest import command as program
from tessera import nir, train

CASES = Path(os.environ.get("TESSERA_DATA_DIR", "")) / "nir_cases"


@pytest.mark.skipif(not CASES.is_dir(), reason="no TESSERA_DATA_DIR")
@pytest.mark.parametrize("name, reset", [
    ("feedforward_lif", "zero"), ("recurrent_lif", "zero"), ("cuba_lif", "zero"), ("convolution_lif", "zero"),
    ("feedforward_default_reset", "subtract_undecayed")])  # which the file does not say
def test_spikes_are_those_of_the_network_that_was_exported(name, reset, tmp_path):
    arrays = np.load(CASES / f"{name}.npz")
    spikes = np.moveaxis(arrays["input"], 0, 1)
    if spikes.ndim == 5:  # channels come last here
        spikes = spikes.transpose(0, 1, 3, 4, 2)
    imported = nir.import_nir(CASES / f"{name}.nir", steps=spikes.shape[1], reset=reset)
    data = train.Data.from_dense(spikes, arrays["labels"], classes=arrays["output"].shape[2])
    trainer = imported.trainer()
    output = trainer.forward(data, np.arange(len(spikes))).output
    assert arrays["output"].sum() > 40 and np.array_equal(output, arrays["output"])
    # And once more through a file of ours. The reset is still nothing that a file says; with a diagonal it is "subtract".
    nir.export_nir(trainer, tmp_path / "again.nir")
    again = nir.import_nir(tmp_path / "again.nir", steps=spikes.shape[1],
                           reset="zero" if reset == "zero" else "subtract_undecayed")
    assert len(again.network.layers) == len(imported.network.layers)
    if reset == "zero":
        assert np.array_equal(again.trainer().forward(data, np.arange(len(spikes))).output, arrays["output"])


@pytest.mark.skipif(not CASES.is_dir(), reason="no TESSERA_DATA_DIR")
@pytest.mark.parametrize("name", ["recurrent_lif", "convolution_lif"])
def test_the_command_reads_and_writes_the_same_files(name, tmp_path):
    arrays = np.load(CASES / f"{name}.npz")
    spikes = np.moveaxis(arrays["input"], 0, 1)
    shape = spikes.shape[2:] if spikes.ndim == 3 else (spikes.shape[3], spikes.shape[4], spikes.shape[2])
    flat = (spikes if spikes.ndim == 3 else spikes.transpose(0, 1, 3, 4, 2)).reshape(*spikes.shape[:2], -1)
    rows = np.stack(np.nonzero(flat), axis=1)  # sample, step, channel
    np.savez(tmp_path / "test.npz", spikes=rows, labels=arrays["labels"])

    def command(*words):
        return subprocess.run([program(), *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    said = command("import", "nir", str(CASES / f"{name}.nir"), "--steps", str(spikes.shape[1]), "--training", "test.npz", "--test",
                   "test.npz", "--out", "imported")
    assert "dt 0.1 ms (the default), Euler discretisation (the default), reset zero (the default)" in said
    assert str(list(shape)) in (tmp_path / "imported/model.toml").read_text() or f"shape = {shape[0]}" in (tmp_path / "imported/model.toml").read_text()
    # What snnTorch's network says about the samples: the class that spiked most, the first of several.
    right = (arrays["output"].sum(axis=0).argmax(axis=1) == arrays["labels"]).mean()
    assert f"accuracy {100 * right:.2f} %" in command("evaluate", "imported", "--data", ".")
    command("export", "nir", "imported", "--out", "again.nir")
    assert len(reference.read(tmp_path / "again.nir").nodes) == len(reference.read(CASES / f"{name}.nir").nodes)
    command("import", "nir", "again.nir", "--steps", str(spikes.shape[1]), "--test", "test.npz", "--out", "again")
    assert f"accuracy {100 * right:.2f} %" in command("evaluate", "again", "--data", ".")
    # Training goes on from there: with a learning rate that changes nothing, the result is as good.
    model = (tmp_path / "imported/model.toml").read_text() + "\n[optimizer]\nlearning_rate = 1e-30\n[training]\nepochs = 1\n"
    (tmp_path / "more.toml").write_text(model)
    assert f"accuracy {100 * right:.2f} %" in command("train", "more.toml", "--weights", "imported", "--data", ".", "--out", "more")


def small(**keys):
    net = train.Network([train.Layer("hidden", 6, bias=True, threshold=0.7, capacitance=2.0, **keys),
                         train.Layer("out", 2, neuron="readout", tau_mem="12 ms")], inputs=5, classes=2, steps=25)
    trainer = train.Trainer(net, second_threshold={"target": 0.5})
    rng = np.random.default_rng(3)
    trainer.weights = {n: rng.normal(0.3, 0.8, w.shape) for n, w in trainer.weights.items() if n.endswith(("weight", "bias"))}
    spikes = rng.random((4, 25, 5)) < 0.3
    return trainer, train.Data.from_dense(spikes, [0, 1, 0, 1]), spikes


def interpret(graph, spikes, dt):
    """The equations of NIR 1.0.8 by forward Euler in float64, straight from the file: reset to v_reset."""
    def linear(node, x):
        return x @ node.weight.astype(float).T + (node.bias.astype(float) if hasattr(node, "bias") else 0.0)

    n, samples = graph.nodes, len(spikes)
    v, i, u, s = np.zeros((samples, 6)), np.zeros((samples, 6)), np.zeros((samples, 2)), np.zeros((samples, 6))
    hidden, out, result = n["hidden"], n["out"], []
    for t in range(spikes.shape[1]):
        x = linear(n["hidden_in"], spikes[:, t].astype(float))
        if "hidden_recurrent" in n:
            x = x + linear(n["hidden_recurrent"], s)
        if isinstance(hidden, reference.CubaLIF):
            i = i + dt / hidden.tau_syn * (-i + hidden.w_in * x)
            v = v + dt / hidden.tau_mem * (hidden.v_leak - v + hidden.r * i)
        elif isinstance(hidden, reference.IF):
            v = v + dt * hidden.r * x
        else:
            v = v + dt / hidden.tau * (hidden.v_leak - v + hidden.r * x)
        s = (v > hidden.v_threshold).astype(float)
        v = np.where(s > 0, hidden.v_reset, v)
        u = u + dt / out.tau * (out.v_leak - u + out.r * linear(n["out_in"], s))
        result.append(u)
    return np.array(result)


@pytest.mark.parametrize("keys", [
    {"tau_mem": "8 ms"}, {"tau_mem": "8 ms", "recurrent": True},
    {"alpha": 1.0}, {"neuron": "synaptic_lif", "tau_mem": "8 ms", "tau_syn": "3 ms"}, {"alpha": [0.5, 0.95], "membrane": {"per_neuron": True}}])
def test_an_export_is_read_by_the_nir_package_and_gives_the_same_numbers(keys, tmp_path):
    trainer, data, spikes = small(**keys)
    nir.export_nir(trainer, tmp_path / "m.nir")
    graph = reference.read(tmp_path / "m.nir")
    r = trainer.forward(data, np.arange(4), spikes=["hidden"])
    assert sum(len(s) for s in r.spikes["hidden"]) > 20
    assert interpret(graph, spikes, 1e-3) == pytest.approx(r.output, abs=2e-4)
    back = nir.import_nir(tmp_path / "m.nir", steps=25, dt="1 ms")
    assert back.trainer().forward(data, np.arange(4)).output == pytest.approx(r.output, abs=2e-4)


def written(path, nodes, edges):
    """A file with these nodes: name -> (type, fields)."""
    with h5py.File(path, "w") as f:
        f["version"] = "1.0.8"
        f["node/type"] = "NIRGraph"
        f["node/edges"] = np.array(edges, dtype=h5py.string_dtype())
        for name, (kind, fields) in nodes.items():
            f[f"node/nodes/{name}/type"] = kind
            for key, value in fields.items():
                f[f"node/nodes/{name}/{key}"] = value
    return path


LIF = {"tau": np.full(2, 2e-3), "r": np.full(2, 20.0), "v_leak": np.zeros(2), "v_threshold": np.ones(2), "v_reset": np.zeros(2)}
NODES = {"input": ("Input", {"shape": [3]}), "fc": ("Linear", {"weight": np.ones((2, 3))}), "n": ("LIF", LIF),
         "output": ("Output", {"shape": [2]})}
EDGES = [("input", "fc"), ("fc", "n"), ("n", "output")]


# tau = 2 ms, dt = 0.1 ms: alpha 0.95 and gain r dt / tau = 1 by Euler; exp(-0.05) and 20 (1 - exp(-0.05)) exactly.
@pytest.mark.parametrize("discretisation, alpha, gain", [("euler", 0.95, 1.0),
                                                         ("exponential", np.exp(-0.05), 20 * (1 - np.exp(-0.05)))])
def test_time_constants_are_seconds(discretisation, alpha, gain, tmp_path):
    file = written(tmp_path / "a.nir", NODES, EDGES)
    got = nir.import_nir(file, steps=5, discretisation=discretisation)
    assert float(re.search("alpha = (.*)", got.network.to_toml())[1]) == pytest.approx(alpha, rel=1e-12)
    assert got.weights["n.weight"] == pytest.approx(np.full((3, 2), gain), rel=1e-6)
    assert "fc + n" in str(got)


def test_thresholds_leaks_and_scales_are_worked_into_weights(tmp_path):
    lif = dict(LIF, v_threshold=np.array([1.0, 2.0]), v_leak=np.array([0.0, 0.4]))
    nodes = dict(NODES, n=("LIF", lif), s=("Scale", {"scale": np.array([3.0, 5.0])}))
    got = nir.import_nir(written(tmp_path / "a.nir", nodes, [("input", "fc"), ("fc", "s"), ("s", "n"), ("n", "output")]), steps=5)
    assert got.weights["n.weight"] == pytest.approx(np.tile([3.0, 2.5], (3, 1)))  # over the thresholds
    assert got.weights["n.bias"] == pytest.approx([0.0, 0.4 * 0.05 / 2])


def test_what_has_no_counterpart_is_told(tmp_path):
    def refused(match, nodes=NODES, edges=EDGES, **arguments):
        with pytest.raises(tessera.InputError, match=match):
            nir.import_nir(written(tmp_path / "x.nir", nodes, edges), **{"steps": 5, **arguments})

    refused(r"node 'n'\): has a v_reset", dict(NODES, n=("LIF", dict(LIF, v_reset=np.array([0, 0.1])))))
    refused(r"node 'd'\): has the type 'Delay'", dict(NODES, d=("Delay", {"delay": np.ones(2)})))
    refused(r"node 'n'\): is a LIF and has no tau", dict(NODES, n=("LIF", {k: v for k, v in LIF.items() if k != "tau"})))
    refused(r"node 'n'\): r has values that are not finite", dict(NODES, n=("LIF", dict(LIF, r=np.full(2, np.nan)))))
    refused("edge names the node 'm'", edges=EDGES + [("m", "n")])
    refused(r"node 'fc'\): has a weight of shape", dict(NODES, fc=("Linear", {"weight": np.ones((2, 4))})))
    refused(r"node 'n'\): has several inputs", edges=EDGES + [("input", "n")])
    refused("node 'output'", edges=EDGES[:2])
    refused("time constant below dt", dt="5 ms")
    refused("reset: there is no 'hard'", reset="hard")
    refused("steps: must be from 1", steps=0)
    with pytest.raises(tessera.InputError, match="nothing.nir"):
        nir.import_nir(tmp_path / "nothing.nir", steps=5)
    (tmp_path / "text.nir").write_text("no HDF5")
    with pytest.raises(tessera.InputError, match="not an HDF5 file"):
        nir.import_nir(tmp_path / "text.nir", steps=5)
    with h5py.File(written(tmp_path / "link.nir", NODES, EDGES), "a") as f:
        del f["node/nodes/fc/weight"]
        f["node/nodes/fc/weight"] = h5py.ExternalLink("other.h5", "/x")
    with pytest.raises(tessera.InputError, match="a link to somewhere else"):
        nir.import_nir(tmp_path / "link.nir", steps=5)


def test_layers_that_nir_cannot_say_are_refused(tmp_path):
    for keys in ({"density": 0.5}, {"connection": {"kind": "sparse", "density": 0.5}}, {"refractory": "3 ms"}):
        try:
            net = train.Network([train.Layer("a", 4, **keys), train.Layer("b", 2, neuron="readout")], inputs=3, classes=2, steps=5)
        except tessera.InputError:
            continue
        with pytest.raises(tessera.InputError, match="layer 'a'.*NIR has no node"):
            nir.export_nir(train.Trainer(net), tmp_path / "m.nir")


def test_random_files_are_read_or_refused(tmp_path):
    rng = random.Random(4)
    values = [np.ones(2), np.ones((2, 3)), np.zeros(0), 3, -1, 1e300, np.full(2, np.nan), "text", np.ones((2, 3, 3, 3)), [1, 1],
              [3, 4, 4], np.int64(2), np.array([b"x"])]
    kinds = ["Input", "Output", "LIF", "CubaLIF", "LI", "Affine", "Linear", "Scale", "Conv2d", "AvgPool2d", "Flatten", "Odd"]
    keys = ["shape", "weight", "bias", "tau", "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "scale", "stride", "padding",
            "dilation", "groups", "kernel_size"]
    refused = 0
    for _ in range(150):
        nodes = {k: (kind, dict(fields)) for k, (kind, fields) in NODES.items()}
        for _ in range(rng.randrange(1, 4)):
            name = rng.choice([*nodes, "more"])
            kind, fields = nodes.get(name, ("LIF", dict(LIF)))
            fields[rng.choice(keys)] = rng.choice(values)
            nodes[name] = (rng.choice(kinds) if rng.random() < 0.3 else kind, fields)
        edges = EDGES + [(rng.choice([*nodes]), rng.choice([*nodes])) for _ in range(rng.randrange(3))]
        try:
            nir.import_nir(written(tmp_path / "r.nir", nodes, edges), steps=3)
        except tessera.InputError:
            refused += 1
    assert 0 < refused < 150
