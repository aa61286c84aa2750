"""SONATA circuits and Neo objects: what is in the files and arrays is what the network and the run have."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import h5py
import neo
import numpy as np
import pytest
import quantities as pq
import tessera


def test_a_circuit_has_the_synapses_of_a_simulation(network, tmp_path):
    files = network.to_sonata(tmp_path / "circuit", seed=3)
    assert {"nodes.h5", "edges.h5", "circuit_config.json", "components/E.json"} <= set(files)
    assert all((tmp_path / "circuit" / f).is_file() for f in files)
    sim = tessera.Simulation(network, seed=3)
    with h5py.File(tmp_path / "circuit" / "nodes.h5") as nodes, h5py.File(tmp_path / "circuit" / "edges.h5") as edges:
        assert len(nodes["nodes/E/node_type_id"]) == 160 and len(nodes["nodes/I/node_type_id"]) == 40
        assert len(edges["edges"]) == len(network.projections)
        for name in network.projections:
            group = edges["edges"][name.replace(">", "%3E")]
            columns = [group["source_node_id"][:], group["target_node_id"][:], group["0/syn_weight"][:], group["0/delay"][:]]
            wanted = sim.synapses(name)
            there = np.lexsort((columns[2], columns[1], columns[0]))
            here = np.lexsort((wanted["weight"], wanted["target"], wanted["source"]))
            for column, key in zip(columns, ("source", "target", "weight", "delay")):
                assert np.array_equal(column[there], wanted[key][here])
    with pytest.raises(tessera.InputError, match="seed"):
        network.to_sonata(tmp_path, seed=-1)


def test_neo_has_every_spike_and_sample_with_units(network):
    network.record("E", "V_m", count=3, interval="0.5 ms")
    sim = tessera.Simulation(network, seed=3).run("100 ms")
    block = sim.to_neo()
    assert isinstance(block, neo.Block) and [s.name for s in block.segments] == ["E", "I"]
    for segment in block.segments:
        spikes = sim.spikes[segment.name]
        channels, times = segment.spiketrains.multiplexed
        assert times.units == pq.ms and np.array_equal(channels, spikes["neuron"]) and np.array_equal(times.magnitude, spikes["time"])
        trains = list(segment.spiketrains)
        assert len(trains) == network.populations[segment.name].size
        for neuron in (0, 7):
            assert np.array_equal(trains[neuron].magnitude, spikes["time"][spikes["neuron"] == neuron])
        assert trains[0].t_start == 0 * pq.ms and trains[0].t_stop == 100 * pq.ms
        assert trains[0].annotations["population"] == segment.name
    (signal,) = block.segments[0].analogsignals
    assert signal.units == pq.mV and signal.shape == (200, 3) and signal.name == "V_m"
    assert np.array_equal(signal.magnitude, sim.traces[0].values)
    assert signal.sampling_period.rescale("ms").magnitude == pytest.approx(0.5)
    assert signal.t_start.rescale("ms").magnitude == pytest.approx(0.5)
    assert len(block.segments[1].analogsignals) == 0


def test_neo_of_a_result_folder_is_that_of_the_simulation(tmp_path):
    import subprocess

    from conftest import REPOSITORY, command

    model = REPOSITORY / "models" / "small" / "two_populations.toml"
    subprocess.run([command(), "run", model, "--out", tmp_path / "r", "--quiet", "--time", "200ms", "--discard", "0ms"], check=True)
    result = tessera.load_result(tmp_path / "r")
    block = result.to_neo()
    assert len(block.segments) == len(result.spikes)
    for segment in block.segments:
        assert len(segment.spiketrains.multiplexed[0]) == len(result.spikes[segment.name])
    assert sum(len(s) for s in result.spikes.values()) > 0
