#!/usr/bin/env python3
"""Reads what a run left with libsonata and h5py: names, sorting, times, ids, values.

Usage: read_sonata.py ENVIRONMENT TESSERA MODEL. Runs itself again with the Python of the environment;
exits 77 (a skipped test) when there is none, 0 when everything is as SONATA and the model say.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""
import json
import math
import os
import subprocess
import sys
import tempfile

if len(sys.argv) != 4:
    sys.exit(__doc__)
python = os.path.join(os.path.abspath(sys.argv[1]), "bin", "python")
if not os.path.exists(python):
    print("SKIPPED: there is no Python environment with libsonata (see sonata.python_environment).")
    sys.exit(77)
if os.path.realpath(sys.prefix) != os.path.realpath(sys.argv[1]):
    os.execv(python, [python, *sys.argv])

import h5py
import libsonata
import numpy as np

DT = 0.1
END = 60.0
POPULATIONS = {"known", "noisy", "silent", "charged", "other"}
SORTINGS = {"none": 0, "by_id": 1, "by_time": 2}
KNOWN = [(1.0, 2), (2.5, 0), (2.5, 1), (40.1, 0), (59.9, 2)]
CURRENT, CAPACITANCE = 200.0, 250.0  # pA, pF


def membrane(e_l, tau_m):
    """The exact membrane potential in mV, as a function of the time in ms."""
    return lambda t: e_l + CURRENT * tau_m / CAPACITANCE * (1.0 - math.exp(-t / tau_m))


def check_root(path):
    with h5py.File(path) as file:
        assert file.attrs["magic"] == 0x0A7A and file.attrs["magic"].dtype == np.uint32, path
        assert list(file.attrs["version"]) == [0, 1], path


def check_spikes(path, report):
    check_root(path)
    reader = libsonata.SpikeReader(path)
    assert set(reader.get_population_names()) == POPULATIONS
    for name in POPULATIONS:
        population = reader[name]
        assert population.sorting == "by_time", population.sorting
        assert population.time_units == "ms"
        spikes = population.get_dict()
        times, ids = spikes["timestamps"], spikes["node_ids"]
        entry = next(p for p in report["populations"] if p["name"] == name)
        assert len(times) == len(ids) == entry["spikes"], name
        assert all(0 <= i < entry["size"] for i in ids), name
        assert np.all(np.diff(times) >= 0.0) and np.all(times > 0.0) and np.all(times <= END + 1e-9)
        assert np.allclose(times / DT, np.round(times / DT), atol=1e-6), name
        if name == "known":
            assert [(round(t, 6), int(i)) for t, i in zip(times, ids)] == KNOWN, spikes
            assert population.get() == [(i, t) for t, i in zip(times, ids)]
        # 20 neurons at 100 Hz for 60 ms: 120 spikes, with a standard deviation of 11.
        if name == "noisy":
            assert 60 <= len(times) <= 180, len(times)
    with h5py.File(path) as file:
        for name in POPULATIONS:
            group = file["spikes"][name]
            sorting = h5py.h5a.open(group.id, b"sorting")
            assert h5py.check_enum_dtype(sorting.dtype) == SORTINGS
            assert group.attrs["sorting"] == SORTINGS["by_time"]
            assert group["timestamps"].dtype == np.float64 and group["node_ids"].dtype == np.uint64
            assert group["timestamps"].attrs["units"] in ("ms", b"ms")


def check_report(path, population, neurons, interval, unit, exact):
    check_root(path)
    steps = int(END / interval + 1e-9)
    for kind in (libsonata.SomaReportReader, libsonata.ElementReportReader):
        report = kind(path)[population]
        assert report.data_units == unit, (path, report.data_units)
        assert report.time_units == "ms" and report.sorted
        assert list(report.get_node_ids()) == list(range(neurons))
        start, stop, step = report.times
        assert math.isclose(start, interval) and math.isclose(step, interval)
        assert math.isclose(stop, interval * (steps + 1))
        frame = report.get()
        assert frame.data.shape == (steps, neurons), frame.data.shape
        assert np.allclose(frame.times, interval * np.arange(1, steps + 1))
        for time, row in zip(frame.times, frame.data):
            assert np.allclose(row, exact(time), atol=2e-5), (path, population, time, row)
    with h5py.File(path) as file:
        group = file["report"][population]
        assert group["data"].dtype == np.float32
        mapping = group["mapping"]
        assert mapping["node_ids"].dtype == np.uint64
        assert list(mapping["index_pointers"][:]) == list(range(neurons + 1))
        assert list(mapping["element_ids"][:]) == [0] * neurons


# A source that spikes at 10 ms meets a trace of its target's spikes: none before, so the weights stay what they are listed
# as; at 20 ms those whose target has spiked at 15 ms (1.5 ms later at the synapse) have lost alpha lambda Wmax exp(-3.5 / 20).
EDGES = [(0, 1, 10.0, 1.5), (1, 0, 20.0, 1.5), (1, 2, 30.0, 1.5), (2, 0, 40.0, 1.5)]
LEARNING = """
name = "edges"
dt = "0.1 ms"
time = "25 ms"
[populations.pre]
kind = "spike_train"
size = 3
spikes = [[10, 0], [20, 1]]
[populations.strong]
kind = "spike_train"
size = 3
spikes = [[14.9, 0]]
[populations.post]
size = 3
model = "iaf_psc_delta"
parameters = { V_th = "1000 mV", t_ref = 0 }
[projections.drive]
source = "strong"
target = "post"
rule = "one_to_one"
weight = "5000 mV"
delay = "0.1 ms"
[projections.learns]
source = "pre"
target = "post"
rule = "explicit_list"
synapses = [[0, 1, 10, 1.5], [1, 0, 20, 1.5], [1, 2, 30, 1.5], [2, 0, 40, 1.5]]
plasticity = { rule = "stdp", lambda = 0.1, alpha = 1, mu_plus = 0, mu_minus = 0, Wmax = 50, tau_plus = 20, tau_minus = 20 }
"""


def check_edges(folder):
    model, out = os.path.join(folder, "edges.toml"), os.path.join(folder, "edges")
    with open(model, "w", encoding="utf-8") as file:
        file.write(LEARNING)
    subprocess.run([sys.argv[2], "run", model, "--out", out, "--quiet", "--record", "synapses",
                    "--record", "weights:learns:all:5ms"], check=True)
    path = os.path.join(out, "edges.h5")
    check_root(path)
    storage = libsonata.EdgeStorage(path)
    assert set(storage.population_names) == {"learns"}
    edges = storage.open_population("learns")
    assert edges.source == "pre" and edges.target == "post" and edges.size == len(EDGES)
    every = edges.select_all()
    read = list(zip(edges.source_nodes(every), edges.target_nodes(every), edges.get_attribute("syn_weight", every),
                    edges.get_attribute("delay", every)))
    lost = 0.1 * 50.0 * math.exp(-3.5 / 20.0)
    expected = [(s, t, w - lost if (s, t) == (1, 0) else w, d) for s, t, w, d in EDGES]
    for one, other in zip(sorted(read), expected, strict=True):
        assert np.allclose(one, other, rtol=1e-5), (one, other)
    with open(os.path.join(out, "report.json"), encoding="utf-8") as file:
        report = json.load(file)
    assert "edges.h5" in report["files"] and "edges.h5" in report["checksums"]
    check_weights(os.path.join(out, "weights.h5"), lost)


def check_weights(path, lost):
    """Columns are edges, by target, then source; the one from 1 to 0 changes between 15 and 20 ms."""
    check_root(path)
    ordered = sorted(EDGES, key=lambda edge: (edge[1], edge[0]))
    edges = libsonata.EdgeStorage(path).open_population("learns")
    every = edges.select_all()
    assert edges.source == "pre" and edges.target == "post"
    assert list(zip(edges.source_nodes(every), edges.target_nodes(every))) == [(s, t) for s, t, _, _ in ordered]
    assert list(edges.get_attribute("delay", every)) == [d for _, _, _, d in ordered]
    report = libsonata.ElementReportReader(path)["learns"]
    assert report.data_units == "mV" and report.time_units == "ms" and report.sorted
    assert list(report.get_node_ids()) == [0, 1, 2] and np.allclose(report.times, (0.0, 30.0, 5.0))
    frame = report.get()
    assert np.array_equal(frame.ids, [[0, 0], [0, 1], [1, 2], [2, 3]]), frame.ids
    assert np.allclose(frame.times, 5.0 * np.arange(6)), frame.times
    for time, row in zip(frame.times, frame.data):
        expected = [w - lost if (s, t) == (1, 0) and time >= 20.0 else w for s, t, w, _ in ordered]
        assert np.allclose(row, expected, rtol=1e-5), (time, row)


# Populations on grids, a source, two projections; synapses that are known from their rules.
CIRCUIT = """
name = "circuit"
dt = "0.1 ms"
time = "10 ms"
[populations.input]
kind = "poisson"
size = 7
rate = "100 Hz"
[populations.cells]
size = 12
model = "iaf_psc_exp"
parameters = { C_m = 200, E_L = -62 }
grid_columns = 4
extent = ["2 mm", "3 mm"]
[projections.all]
source = "input"
target = "cells"
rule = "all_to_all"
weight = 25
delay = "1.5 ms"
[projections.ring]
source = "cells"
target = "cells"
rule = "explicit_list"
synapses = [[0, 1, 10, 0.5], [1, 2, -20, 1.0], [11, 0, 30, 2.5]]
"""
# The other way round: edges whose weights and delays the model gives.
IMPORTED = """
name = "imported"
dt = "0.1 ms"
time = "10 ms"
[populations.input]
kind = "spike_train"
size = 3
spikes = [[1, 2]]
[populations.cells]
size = 3
model = "iaf_psc_delta"
[projections.from_file]
source = "input"
target = "cells"
rule = "explicit_list"
file = "made.h5"
weight = "60 mV"
delay = "1.5 ms"
"""


def check_circuit(folder):
    model, out = os.path.join(folder, "circuit.toml"), os.path.join(folder, "circuit")
    with open(model, "w", encoding="utf-8") as file:
        file.write(CIRCUIT)
    subprocess.run([sys.argv[2], "export", "sonata", model, "--out", out, "--quiet"], check=True)
    config = libsonata.CircuitConfig.from_file(os.path.join(out, "circuit_config.json"))
    assert config.node_populations == {"input", "cells"} and config.edge_populations == {"all", "ring"}
    assert config.node_population_properties("input").type == "virtual"
    cells = config.node_population("cells")
    assert cells.size == 12 and config.node_population("input").size == 7
    every = cells.select_all()
    # Cells of 500 um by 1000 um, the centre at 0.
    assert np.allclose(cells.get_attribute("x", every), [250.0 * (2 * (i % 4) - 3) for i in range(12)])
    assert np.allclose(cells.get_attribute("y", every), [1000.0 * (i // 4 - 1) for i in range(12)])
    ring = config.edge_population("ring")
    assert (ring.source, ring.target, ring.size) == ("cells", "cells", 3)
    all_edges = ring.select_all()
    assert sorted(zip(ring.source_nodes(all_edges), ring.target_nodes(all_edges), ring.get_attribute("syn_weight", all_edges),
                      ring.get_attribute("delay", all_edges))) == [(0, 1, 10.0, 0.5), (1, 2, -20.0, 1.0), (11, 0, 30.0, 2.5)]
    dense = config.edge_population("all")
    all_edges = dense.select_all()
    assert sorted(zip(dense.source_nodes(all_edges), dense.target_nodes(all_edges))) == [(s, t) for s in range(7) for t in range(12)]
    assert np.all(dense.get_attribute("syn_weight", all_edges) == 25.0)
    with h5py.File(os.path.join(out, "edges.h5")) as file:
        assert set(file["edges/ring/edge_type_id"][:]) == {1}
    with open(os.path.join(out, "components", "cells.json"), encoding="utf-8") as file:
        parameters = json.load(file)
    assert parameters["C_m"] == 200.0 and parameters["E_L"] == -62.0 and {"tau_m", "V_th", "t_ref"} <= set(parameters)
    with open(os.path.join(out, "node_types.csv"), encoding="utf-8") as file:
        rows = [line.split() for line in file]
    assert rows[2] == ["1", "cells", "point_neuron", "nest:iaf_psc_exp", "cells.json"], rows


def check_import(folder):
    """Neuron 2 of the input reaches cells 1 and 0: 60 mV is more than the threshold, so both spike when it arrives."""
    path, model = os.path.join(folder, "made.h5"), os.path.join(folder, "imported.toml")
    with h5py.File(path, "w") as file:
        group = file.create_group("edges/anything")
        group["source_node_id"] = np.array([2, 0, 2], np.uint64)
        group["target_node_id"] = np.array([1, 2, 0], np.uint64)
        group["edge_type_id"] = np.zeros(3, np.uint32)
        group.create_group("0")
    with open(model, "w", encoding="utf-8") as file:
        file.write(IMPORTED)
    out = os.path.join(folder, "imported")
    subprocess.run([sys.argv[2], "run", model, "--out", out, "--quiet"], check=True)
    spikes = libsonata.SpikeReader(os.path.join(out, "spikes.h5"))["cells"].get_dict()
    assert sorted(spikes["node_ids"]) == [0, 1] and np.allclose(spikes["timestamps"], 2.5), spikes


def main():
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        subprocess.run([sys.argv[2], "run", sys.argv[3], "--out", out, "--quiet", "--threads", "1"],
                       check=True)
        with open(os.path.join(out, "report.json"), encoding="utf-8") as file:
            report = json.load(file)
        check_spikes(os.path.join(out, "spikes.h5"), report)
        charged, other = membrane(-65.0, 10.0), membrane(-70.0, 20.0)
        voltages = os.path.join(out, "traces_V_m.h5")
        assert set(libsonata.SomaReportReader(voltages).get_population_names()) == {"charged", "other"}
        check_report(voltages, "charged", 3, 0.7, "mV", charged)
        check_report(voltages, "other", 4, 0.1, "mV", other)
        check_report(os.path.join(out, "traces_V_m~2.h5"), "charged", 1, 10.0, "mV", charged)
        check_report(os.path.join(out, "traces_I_syn_ex.h5"), "other", 2, 1.0, "pA", lambda t: 0.0)
        check_edges(folder)
        check_circuit(folder)
        check_import(folder)
    print("libsonata and h5py read the spikes, reports and edges of a run, and a whole circuit: names, sorting, times, ids, values.")


main()
