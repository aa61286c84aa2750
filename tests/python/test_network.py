"""Building networks: units, rules, names; mistakes are told with the name of the argument."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import pickle
from pathlib import Path

import numpy as np
import pytest
import tessera
from conftest import balanced


def test_units_are_converted():
    net = tessera.Network(dt="100 us")
    a = net.population("a", 4, tau_m="0.02 s", C_m="0.25 nF")
    assert net.dt == 0.1 and a.parameters["tau_m"] == 20.0 and a.parameters["C_m"] == 250.0
    text = tessera.Network.from_toml(net.to_toml())
    assert text["a"].parameters == a.parameters


def test_a_network_comes_back_from_its_text(network):
    network.record("E", "V_m", count=2, interval="1 ms")
    network.step_current("I", ["5 ms", 10], [100, "0.2 nA"])
    again = tessera.Network.from_toml(network.to_toml())
    assert again.to_toml() == network.to_toml()
    assert list(again.populations) == ["E", "I"] and list(again.projections) == list(network.projections)
    assert again.simulate(100).digest == network.simulate(100).digest


def test_model_files_take_their_parameters(model_file):
    net = tessera.Network.load(model_file, w="0.1 nA", g=np.float64(5))
    assert (tessera.Simulation(net).synapses("recurrent.I->E")["weight"] == -500.0).all()
    with pytest.raises(tessera.InputError, match="scaling"):
        tessera.Network.load(model_file, scaling=1)


@pytest.mark.parametrize("rule, arguments, count", [
    ("one_to_one", {}, 20), ("all_to_all", {}, 400), ("all_to_all", {"autapses": False}, 380),
    ("fixed_total_number", {"number": 77}, 77), ("fixed_indegree", {"number": 3}, 60),
    ("fixed_outdegree", {"number": 5, "multapses": False}, 100), ("pairwise_bernoulli", {"probability": "100 %"}, 400),
])
def test_rules_make_as_many_synapses_as_they_say(rule, arguments, count):
    net = tessera.Network()
    a = net.population("a", 20)
    p = net.connect(a, a, rule, weight=1.0, delay=1.0, **arguments)
    assert len(tessera.Simulation(net).synapses(p)) == count


def test_explicit_lists_come_back():
    net = tessera.Network()
    a, b = net.population("a", 5), net.population("b", 3)
    sources, targets, weights = np.array([4, 0, 2]), np.array([2, 1, 0]), np.array([10.0, 20.0, 30.0])
    p = net.connect(a, b, "explicit_list", synapses=(sources, targets, weights, "1.5 ms"))
    made = np.sort(tessera.Simulation(net).synapses(p), order="source")
    assert made["source"].tolist() == [0, 2, 4] and made["target"].tolist() == [1, 0, 2]
    assert made["weight"] == pytest.approx([20, 30, 10], rel=1e-3) and made["delay"] == pytest.approx(1.5)


@pytest.mark.parametrize("array", [
    np.array([4, 0, 2], np.int8), np.array([4, 0, 2], ">u8"), np.array([[4, 0, 2], [9, 9, 9]], order="F")[0],
    np.array([4, 9, 0, 9, 2, 9])[::2], [4, 0, 2], (4, 0, 2)])
def test_any_layout_of_an_array_works(array):
    if isinstance(array, np.ndarray):
        array.setflags(write=False)
    net = tessera.Network()
    a, b = net.population("a", 5), net.population("b", 3)
    p = net.connect(a, b, "explicit_list", synapses=(array, [2, 1, 0], 1.0, 1.0))
    assert sorted(tessera.Simulation(net).synapses(p)["source"].tolist()) == [0, 2, 4]


def test_spike_sources_spike_when_told():
    net = tessera.Network()
    net.spike_source("s", 3, ["5 ms", 1, 7.5], [2, 0, 2])
    spikes = net.simulate(10).spikes["s"]
    assert spikes["time"] == pytest.approx([1.0, 5.0, 7.5]) and spikes["neuron"].tolist() == [0, 2, 2]


def test_delays_grow_with_the_distance():
    net = tessera.Network()
    a = net.population("a", 10, grid_columns=10, extent=["10 mm", "1 mm"], periodic=False)
    p = net.connect(a, a, weight=1.0, delay={"offset": "1 ms", "velocity": "0.5 m/s"})
    q = net.connect(a, a, weight=1.0, delay={"offset": "1 ms", "slope": "2 ms/mm"})
    for projection in (p, q):  # 0.5 m/s are 2 ms for a millimetre
        s = tessera.Simulation(net).synapses(projection)
        distance = np.abs(s["source"].astype(float) - s["target"])
        assert s["delay"] == pytest.approx(1.0 + 2.0 * distance)


def test_initial_values_are_those_given():
    net = tessera.Network()
    values = np.linspace(-64, -55, 7)
    net.population("a", 7, initial={"V_m": values})
    net.population("b", 7, initial={"V_m": "-0.06 V"})
    sim = tessera.Simulation(net)
    assert sim.state("a") == pytest.approx(values, rel=1e-6) and sim.state("b") == pytest.approx(np.full(7, -60))


def test_a_step_current_lasts_until_the_next_one():
    net = tessera.Network()
    cell = net.population("cell", 1, tau_m=10.0, C_m=250.0, E_L=-65.0, V_th=-50.0)
    net.step_current(cell, [0, 100], [100, 0])
    sim = tessera.Simulation(net).run(100)
    assert sim.state(cell)[0] == pytest.approx(-65 + 100 * 10 / 250, abs=1e-3)  # E_L + I tau / C after ten time constants
    assert sim.run(100).state(cell)[0] == pytest.approx(-65, abs=1e-3)


def test_poisson_input_arrives_after_its_delay():
    net = tessera.Network()
    cell = net.population("cell", 1, E_L=-65.0)
    net.poisson(cell, "100 kHz", 1.0, delay="20 ms")
    sim = tessera.Simulation(net).run(20)
    assert sim.state(cell)[0] == -65.0
    assert sim.run(5).state(cell)[0] > -65.0


def test_values_stay_within_the_bounds_of_their_distribution():
    net = tessera.Network()
    a = net.population("a", 30, initial={"V_m": tessera.uniform("-64 mV", "-52 mV", high=-60)}, inhibitory=True)
    p = net.connect(a, a, weight=tessera.normal(0, "0.01 nA", low="-1 pA", high=2), delay=tessera.exponential(2, low=1, high=3))
    sim = tessera.Simulation(net, precision="exact")
    s = sim.synapses(p)
    assert (s["weight"].min(), s["weight"].max()) == pytest.approx((-1, 2), abs=0.05)
    assert (s["delay"].min(), s["delay"].max()) == pytest.approx((1, 3), abs=0.11)
    assert (sim.state(a) <= -60).all() and (sim.state(a) > -64).all()
    again = tessera.Network.from_toml(net.to_toml())
    assert again["a"].inhibitory and not net.population("b", 1).inhibitory


def test_names_of_projections_are_free_ones():
    net = tessera.Network()
    a, b = net.population("a", 2), net.population("b", 2)
    net.connect(a, b, weight=1, delay=1)
    assert net.connect(a, b, weight=1, delay=1).name == "a->b 2"
    made = net.connect([a, b], b, weight=1, delay=1, name="in")
    assert [p.name for p in made] == ["in.a->b", "in.b->b"]
    assert len(net.projections) == 4


def wrong(error, match, action):
    with pytest.raises(error, match=match):
        action()


def test_mistakes_name_the_argument():
    net = tessera.Network()
    a = net.population("cells", 10)
    other = tessera.Network().population("cells", 10)
    source = net.poisson_source("noise", 5, "10 Hz")
    E, T = tessera.InputError, TypeError
    cases = [
        (T, "size must be a whole number", lambda: net.population("x", "ten")),
        (T, "size must be a whole number, not True", lambda: net.population("x", True)),
        (E, "size: must be from 1", lambda: net.population("x", 0)),
        (E, "size: must be from 1", lambda: net.population("x", -3)),
        (E, "size: must be a whole number, not 2.5", lambda: net.population("x", 2.5)),
        (E, "name: there is a population 'cells' already", lambda: net.population("cells", 5)),
        (T, "name must be a text", lambda: net.population(3, 5)),
        (E, "no neuron model named 'iaf_psc_exq'.*iaf_psc_exp", lambda: net.population("x", 5, "iaf_psc_exq")),
        (E, "no parameter 'tau_n'.*tau_m", lambda: net.population("x", 5, tau_n=3)),
        (E, "tau_m: .*in ms", lambda: net.population("x", 5, tau_m="3 mV")),
        (E, "tau_m: .*write the unit", lambda: net.population("x", 5, tau_m="3")),
        (E, "tau_m: must be a finite number", lambda: net.population("x", 5, tau_m=float("nan"))),
        (T, "tau_m must be a number of ms", lambda: net.population("x", 5, tau_m=[3])),
        (E, "initial: there is no 'V'", lambda: net.population("x", 5, initial={"V": 1})),
        (E, "initial.V_m: must have 5 entries, not 4", lambda: net.population("x", 5, initial={"V_m": [1, 2, 3, 4]})),
        (E, "rule: there is no 'all_to_al'.*all_to_all", lambda: net.connect(a, a, "all_to_al", weight=1, delay=1)),
        (T, "weight is missing", lambda: net.connect(a, a, delay=1)),
        (T, "number is missing", lambda: net.connect(a, a, "fixed_indegree", weight=1, delay=1)),
        (T, "probability has no meaning", lambda: net.connect(a, a, probability=1, weight=1, delay=1)),
        (E, "weight: .*in pA", lambda: net.connect(a, a, weight="1 mV", delay=1)),
        (E, "source: there is no population named 'cell'.*cells", lambda: net.connect("cell", a, weight=1, delay=1)),
        (E, "target: .*another network", lambda: net.connect(a, other, weight=1, delay=1)),
        (E, "target: .*source of spikes", lambda: net.connect(a, source, weight=1, delay=1)),
        (E, "delay: .*either 'velocity' or 'slope'", lambda: net.connect(a, a, weight=1, delay={"offset": 1})),
        (E, r"synapses\[0\]: entry 1 is 10", lambda: net.connect(a, a, "explicit_list", synapses=([0, 10], [0, 0], 1, 1))),
        (E, r"synapses\[1\]: must have 2 entries", lambda: net.connect(a, a, "explicit_list", synapses=([0, 1], [0], 1, 1))),
        (E, r"synapses\[2\]: entry 1 is nan",
         lambda: net.connect(a, a, "explicit_list", synapses=([0, 1], [0, 1], [1, np.nan], 1))),
        (E, r"synapses\[0\]: must have one dimension",
         lambda: net.connect(a, a, "explicit_list", synapses=([[0, 1]], [0, 1], 1, 1))),
        (T, r"synapses\[0\] must be an array of whole numbers",
         lambda: net.connect(a, a, "explicit_list", synapses=([0.5, 1], [0, 1], 1, 1))),
        (E, "plasticity.rule: there is no 'stpd'", lambda: net.connect(a, a, weight=1, delay=1, plasticity="stpd")),
        (E, "times: there must be some, each later", lambda: net.step_current(a, [2, 1], [0, 0])),
        (E, "dt: .*above 0", lambda: tessera.Network(dt=0)),
        (E, "seed: must be from 0", lambda: tessera.Network(seed=-1)),
        (E, "threads: must be from 0", lambda: tessera.Simulation(net, threads=-1)),
        (E, "precision: there is no 'double'", lambda: tessera.Simulation(net, precision="double")),
        (T, "network must be a Network", lambda: tessera.Simulation("net")),
        (T, "thread", lambda: tessera.Simulation(net, thread=1)),
        (E, "time: .*in ms", lambda: net.simulate("3 mV")),
        (E, "time", lambda: net.simulate(-1)),
        (E, "population: there is no population named 'cels'.*cells", lambda: tessera.Simulation(net).state("cels")),
    ]
    for error, match, action in cases:
        wrong(error, match, action)
    assert list(net.populations) == ["cells", "noise"] and not net.projections
    with pytest.raises(KeyError, match="cells"):
        tessera.Simulation(net).spikes["cels"]


def test_what_the_library_finds_is_told_with_the_line_that_built_it():
    net = tessera.Network()
    a = net.population("a", 3)
    net.population("b", 3, V_reset="-40 mV", V_th="-50 mV")  # a reset above the threshold
    net.connect(a, a, "fixed_indegree", number=5, multapses=False, weight=1, delay=1)
    with pytest.raises(tessera.InputError) as caught:
        net.check()
    keys = [p.key for p in caught.value.problems]
    assert any(k.startswith("populations.b") for k in keys) and any(k.startswith("projections.a->a") for k in keys)
    lines = Path(__file__).read_text().splitlines()
    for p in caught.value.problems:
        assert p.file == __file__
        assert ("net.population(\"b\"" if "populations.b" in p.key else "net.connect") in lines[p.line - 1]


def test_errors_of_a_file_have_their_places(tmp_path):
    file = tmp_path / "m.toml"
    file.write_text('[populations.a]\nsize = -1\nmodel = "iaf_psc_exp"\n[populations.b]\nsize = 2\nmodel = "iaf"\n')
    with pytest.raises(tessera.InputError) as caught:
        tessera.Network.load(file)
    problems = caught.value.problems
    assert [(p.line, p.key) for p in problems] == [(2, "populations.a.size"), (6, "populations.b.model")]
    assert problems[0].file == str(file)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == problems and str(again) == str(caught.value)


def test_a_thousand_populations_and_ten_thousand_projections():
    net = tessera.Network()
    cells = [net.population(f"p{i}", 2) for i in range(1000)]
    for i in range(10_000):
        net.connect(cells[i % 1000], cells[7 * i % 1000], "one_to_one", weight="1 pA", delay="1.5 ms")
    assert len(net.projections) == 10_000 and net.plan().synapses == 20_000
