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
    print("libsonata and h5py read the spikes and reports of a run: names, sorting, times, ids, values.")


main()
