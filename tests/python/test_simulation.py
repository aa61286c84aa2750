"""Running networks: the same spikes as the command, arrays that look into the recording, interruption, checkpoints."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import gc
import os
import pickle
import signal
import subprocess
import threading

import numpy as np
import pytest
import tessera
from conftest import balanced, command


def test_the_command_gives_the_same_digest_for_a_model_file(model_file, tmp_path):
    folder = tmp_path / "run"
    subprocess.run([command(), "run", model_file, "--time", "300ms", "--set", "g=5", "--seed", "9", "--out", folder], check=True,
                   capture_output=True)
    result = tessera.load_result(folder)
    sim = tessera.Simulation(tessera.Network.load(model_file, g=5), seed=9).run("300 ms")
    assert sim.digest == result.digest
    for name in ("E", "I"):
        assert np.array_equal(sim.spikes[name]["neuron"], result.spikes[name]["neuron"])
        assert np.array_equal(sim.spikes[name]["time"], result.spikes[name]["time"])
    assert sim.digest != tessera.Simulation(tessera.Network.load(model_file, g=5), seed=10).run("300 ms").digest


def test_the_command_gives_the_same_digest_for_a_network_built_in_python(network, tmp_path):
    file = tmp_path / "m.toml"
    network.save(file)
    subprocess.run([command(), "run", file, "--time", "200ms", "--out", tmp_path / "run"], check=True, capture_output=True)
    assert tessera.load_result(tmp_path / "run").digest == network.simulate(200).digest


def test_threads_and_connectivity_change_no_spike(network):
    digests = {network.simulate(200, threads=t, tiles=n, connectivity=c).digest
               for t, n, c in ((1, 1, "stored"), (2, 4, "stored"), (2, 3, "procedural"))}
    assert len(digests) == 1


# A neuron that integrates a constant current from rest spikes at -tau ln(1 - (V_th - E_L) C / (tau I)).
def test_a_driven_neuron_spikes_when_the_equation_says():
    net = tessera.Network()
    cell = net.population("cell", 1, tau_m=10.0, C_m=250.0, t_ref=2.0, E_L=-65.0, V_th=-50.0, V_reset=-65.0)
    net.current(cell, 500.0)
    spikes = tessera.Simulation(net, precision="exact").run(100).spikes["cell"]
    first = -10.0 * np.log(1 - 15.0 * 250.0 / (10.0 * 500.0))
    assert spikes["time"][0] == pytest.approx(first, abs=0.2)
    assert np.diff(spikes["time"]) == pytest.approx(first + 2.0, abs=0.2)
    assert set(spikes["neuron"]) == {0}


def test_spikes_are_read_only_views_and_stay_when_the_run_goes_on(network):
    sim = network.simulate(100)
    first = sim.spikes["E"]
    assert first.dtype == tessera.SPIKE and not first.flags.writeable and not first.flags.owndata
    assert np.shares_memory(first, sim.spikes["E"])
    before = first.copy()
    sim.run(100)
    assert np.array_equal(first, before)
    both = sim.spikes["E"]
    assert len(both) > len(first) and np.array_equal(both[: len(first)], before)
    del sim
    gc.collect()
    assert np.array_equal(first, before)


def test_counts_agree_with_the_report(network):
    sim = network.simulate(200)
    assert {n: len(s) for n, s in sim.spikes.items()} == sim.report["population_spikes"]
    assert sim.report["spikes"] == sum(len(s) for s in sim.spikes.values())
    assert sim.report["synapses"] == 200 * 20


def test_the_seed_of_the_network_is_that_of_its_runs():
    digests = [balanced(seed=5).simulate(100).digest, tessera.Simulation(balanced(), seed=5).run(100).digest,
               balanced().simulate(100).digest]
    assert digests[0] == digests[1] != digests[2]


def test_only_the_populations_that_were_asked_for_are_kept(network):
    sim = tessera.Simulation(network, record_spikes=["I"]).run(200)
    assert len(sim.spikes["E"]) == 0 and len(sim.spikes["I"]) == sim.report["population_spikes"]["I"] > 0
    assert list(sim.rates()) == ["I"]


# Names as in the multi-area model. Whatever is kept is what the whole run has of these neurons; rates are over them.
def test_spikes_of_the_first_neurons_of_areas_and_patterns():
    def areas():
        net = tessera.Network()
        for name, size in (("V1.23E", 40), ("V1.4E", 20), ("V2.23E", 30), ("V2.4I", 8)):
            net.population(name, size, initial={"V_m": tessera.uniform(-65, -50)})
            net.current(name, "500 pA")
        return net

    whole = areas().simulate(100)
    chosen = {"V1": (5, 5, 0, 0), "*.23E": (5, 0, 5, 0), "V2.4I": (0, 0, 0, 5)}
    for who, counts in chosen.items():
        network = areas().record(who, "spikes", count=5)
        for sim in (tessera.Simulation(areas(), record_spikes={who: 5}).run(100), network.simulate(100),
                    tessera.Network.from_toml(network.to_toml()).simulate(100)):
            assert sim.digest == whole.digest
            for name, count in zip(whole.spikes, counts):
                all_of_it = whole.spikes[name]
                assert np.array_equal(sim.spikes[name], all_of_it[all_of_it["neuron"] < count])
                if count:
                    assert sim.rates()[name] == pytest.approx(len(sim.spikes[name]) / 5 / 0.1)
    assert len(tessera.Simulation(areas(), record_spikes=["V1"]).run(100).spikes["V1.23E"]) == len(whole.spikes["V1.23E"])
    with pytest.raises(tessera.InputError, match="no population named 'V3'. Did you mean 'V1'"):
        tessera.Simulation(areas(), record_spikes=["V3"])
    with pytest.raises(tessera.InputError, match="no interval"):
        areas().record("V1", "spikes", interval=1)


def test_rates_are_spikes_per_neuron_and_second(network):
    sim = network.simulate("500 ms")
    spikes = sim.spikes["E"]
    assert sim.rates()["E"] == pytest.approx(len(spikes) / 160 / 0.5)
    late = ((spikes["time"] > 100) & (spikes["time"] <= 300)).sum()
    s = sim.statistics("100 ms", 300)["E"]
    assert s.mean_rate == pytest.approx(late / 160 / 0.2)
    assert s.rates.shape == (160,) and s.rates.mean() == pytest.approx(s.mean_rate)
    for neuron in (0, 1):
        times = spikes["time"][spikes["neuron"] == neuron]
        assert s.rates[neuron] == pytest.approx(((times > 100) & (times <= 300)).sum() / 0.2)


def test_traces_have_a_row_per_time_and_a_column_per_neuron(network):
    network.record("I", "V_m", count=3, interval="0.5 ms").record("E", count=1)
    sim = network.simulate(50)
    trace = sim.trace("I")
    assert trace.values.shape == (100, 3) and trace.times[:2] == pytest.approx([0.5, 1.0])
    assert np.array_equal(trace.values[-1], sim.state("I")[:3])
    assert sim.traces[1].population == "E" and sim.traces[1].values.shape == (500, 1)


def test_a_checkpoint_goes_on_as_if_nothing_had_been(network, tmp_path):
    whole = network.simulate(200)
    part = network.simulate(120)
    part.save_checkpoint(tmp_path / "c")
    later = tessera.Simulation(network, threads=1).restore(tmp_path / "c").run(80)
    assert later.digest == whole.digest and later.time == 200
    expected = whole.spikes["E"][whole.spikes["E"]["time"] > 120.05]
    assert np.array_equal(later.spikes["E"], expected)
    assert later.rates()["E"] == pytest.approx(len(expected) / 160 / 0.08)
    with pytest.raises(tessera.InputError, match="nothing"):
        tessera.Simulation(network).restore(tmp_path / "nothing")


def test_several_simulations_do_not_know_of_each_other(network):
    alone = network.simulate(100).digest
    a, b = tessera.Simulation(network), tessera.Simulation(network, seed=5)
    for _ in range(4):
        a.run(25)
        b.run(25)
    assert a.digest == alone != b.digest
    network.poisson("E", "1 kHz", 1.0)
    assert a.run(10).time == 110


def test_synapses_are_what_the_rule_says(network):
    sim = tessera.Simulation(network)
    s = sim.synapses("E->I")
    assert s.dtype == tessera.SYNAPSE and len(s) == 40 * 16
    assert set(np.bincount(s["target"], minlength=40)) == {16}
    assert (s["weight"] == 120.0).all() and s["delay"] == pytest.approx(1.5)
    assert (sim.synapses("I->E")["weight"] <= 0).all()


def test_weights_that_learn_are_those_of_now():
    net = tessera.Network()
    a = net.spike_source("a", 1, [10.0], [0])
    b = net.population("b", 1)
    net.connect(a, b, "one_to_one", weight=5000.0, delay=1.0, plasticity={"rule": "stdp_additive"}
                if "stdp_additive" in tessera.plasticity_rules() else sorted(tessera.plasticity_rules())[0])
    sim = tessera.Simulation(net).run(30)
    assert len(sim.synapses("a->b")) == 1 and np.isfinite(sim.synapses("a->b")["weight"]).all()


class Stop(Exception):
    pass


def test_other_threads_go_on_while_a_simulation_runs(network):
    counted, seen, done = 0, [], threading.Event()

    def progress(*_):
        seen.append(counted)
        if len(seen) > 1 and seen[-1] > seen[-2]:
            raise Stop

    def work():
        try:
            tessera.Simulation(network).run("10000 s", progress=progress)
        except Stop:
            done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        counted += 1
    assert done.is_set()


def test_ctrl_c_ends_the_run_and_leaves_a_simulation_that_works(network):
    sim = tessera.Simulation(network)
    began = threading.Event()

    def interrupt():
        began.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        sim.run("10000 s", progress=lambda *_: began.set())
    thread.join()
    assert 0 < sim.time < 1e7
    whole = tessera.Simulation(network).run(sim.time)
    assert whole.digest == sim.digest
    sim.run(10)
    whole.run(10)
    assert whole.digest == sim.digest


def test_an_error_of_a_callback_comes_back(network):
    def wrong(now, end, *_):
        assert 0 < now <= end == 1e7
        raise ZeroDivisionError("mine")

    sim = tessera.Simulation(network)
    with pytest.raises(ZeroDivisionError, match="mine"):
        sim.run("10000 s", progress=wrong)
    assert sim.run(1).time > 0


def test_a_callback_cannot_use_the_simulation_that_runs(network):
    sim = tessera.Simulation(network)
    with pytest.raises(RuntimeError, match="at work"):
        sim.run("10000 s", progress=lambda *_: sim.run(1))
    with pytest.raises(RuntimeError, match="at work"):
        sim.run("10000 s", progress=lambda *_: sim.spikes["E"])


def test_a_population_above_the_limit_is_named():
    net = tessera.Network(rate_limit="100 Hz")
    net.population("quiet", 3)
    net.current(net.population("wild", 5, t_ref=0.1), "50 nA")
    with pytest.raises(tessera.ActivityError, match="wild") as caught:
        net.simulate(1000)
    assert isinstance(caught.value, tessera.RunError)
    assert caught.value.population == "wild" and caught.value.step > 0
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.population, again.step) == (str(caught.value), "wild", caught.value.step)


def test_plans_say_what_is_needed(network):
    plan = network.plan()
    assert plan.neurons == 200 and plan.synapses == 4000 and plan.fits
    assert plan.memory_bytes >= sum(size for _, size, _ in plan.memory) > 0
    small = network.plan(memory_limit=10_000)
    assert not small.fits and small.obstacles
    with pytest.raises(tessera.InputError):
        tessera.Simulation(network, memory_limit=10_000)


def test_pickling_and_forking_say_what_is_not_possible(network):
    sim = tessera.Simulation(network)
    with pytest.raises(TypeError, match="save_checkpoint"):
        pickle.dumps(sim)
    with pytest.raises(TypeError, match="to_toml"):
        pickle.dumps(network)
    sim._process -= 1  # as a child of a fork sees it
    with pytest.raises(tessera.RunError, match="fork"):
        sim.run(1)


def test_pictures(network, tmp_path):
    sim = network.simulate(100)
    assert sim.raster(0, 100).svg.startswith("<svg") and "</svg>" in sim._repr_html_()
    sim.raster().save(tmp_path / "raster.svg")
    assert (tmp_path / "raster.svg").read_text().startswith("<svg")
    assert "E" in network._repr_html_() and "<svg" in network._repr_html_()
    assert "MB" in network.plan()._repr_html_()


class Axes:
    """What plot() needs of matplotlib's."""

    def __init__(self):
        self.drawn, self.labels = [], []

    def plot(self, x, y, *_, color):
        self.drawn.append((x, y, color))

    def set_yticks(self, places, labels):
        self.labels = list(zip(places, labels))

    def set_ylim(self, *_):
        pass

    def set_xlabel(self, label):
        self.unit = label


def test_a_plot_numbers_the_neurons_through(network):
    sim = network.simulate(100)
    axes = sim.plot("20 ms", 80, axes=Axes())
    (te, ne, ce), (ti, ni, ci) = axes.drawn
    e, i = (s[(s["time"] > 20) & (s["time"] <= 80)] for s in (sim.spikes["E"], sim.spikes["I"]))
    assert np.array_equal(te, e["time"]) and np.array_equal(ni, i["neuron"] + 160) and ce != ci
    assert axes.labels == [(80, "E"), (180, "I")] and axes.unit == "time (ms)"


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_building_running_and_deleting_keeps_no_memory():
    def cycle():
        net = tessera.Network()
        cells = net.population("cells", 20, initial={"V_m": np.full(20, -60.0)})
        net.connect(cells, cells, "fixed_indegree", number=3, weight=10, delay=1)
        net.current(cells, "900 pA").record(cells)
        sim = tessera.Simulation(net, threads=1).run(5)
        assert len(sim.spikes["cells"]) and sim.trace("cells").values.size

    for _ in range(100):
        cycle()
    gc.collect()
    before = resident()
    for _ in range(900):
        cycle()
    gc.collect()
    assert resident() - before < 900 * 4096  # a page of each would be seen
