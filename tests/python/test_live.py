"""States, weights, rates and amplitudes between runs; callbacks on spikes; structural rules in Python."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import gc
import weakref

import numpy as np
import pytest
import tessera
from conftest import balanced


def learning():
    net = balanced()
    net.connect("E", "I", "fixed_indegree", number=10, weight=60.0, delay=1.5, name="learns",
                plasticity={"rule": "stdp", "Wmax": 120.0})
    net.connect("E", "I", "fixed_indegree", number=10, weight=tessera.normal(60.0, 5.0, low=0), delay=1.5, name="kept", plasticity="static")
    return net


# What is read and set again leaves the run as it was, and as a resumed one is.
def test_setting_what_was_read_changes_nothing(tmp_path):
    whole, touched = learning().simulate(100), learning().simulate(50)
    for states in touched.state.values():
        for variable in states:
            if not np.isnan(states[variable]).any():
                states[variable] = states[variable]
    for name in ("learns", "kept"):
        touched.projections[name].weights = touched.projections[name].weights
    for stimulus in touched.stimuli.values():
        stimulus.rate = stimulus.rate
    touched.save_checkpoint(tmp_path / "c")
    assert touched.run(50).digest == whole.digest
    assert tessera.Simulation(learning()).restore(tmp_path / "c").run(50).digest == whole.digest


def test_states_are_set_for_all_or_one_by_one(network):
    sim = tessera.Simulation(network)
    assert list(sim.state) == ["E", "I"] and "V_m" in sim.state["E"] and len(sim.state["E"]) == len(list(sim.state["E"]))
    sim.state["I"]["V_m"] = "-61.5 mV"
    assert (sim.state["I"]["V_m"] == -61.5).all()
    ramp = np.linspace(-70.0, -51.0, 160)
    sim.state["E"]["V_m"] = ramp[::-1][::-1]
    assert sim.state["E"]["V_m"] == pytest.approx(ramp, abs=1e-5)
    sim.state["E"]["refractory"] = np.full(160, 2, np.int8)
    assert (sim.state["E"]["refractory"] == 2.0).all()
    with pytest.raises(ValueError, match="read-only"):
        sim.state["E"]["V_m"][0] = 0.0
    writeable = sim.state("E", "V_m")
    writeable[0] = 0.0
    assert sim.state["E"]["V_m"][0] != 0.0


# tau dV/dt = E_L - V without input: V - E_L falls by exp(-t / tau).
def test_a_membrane_goes_on_from_where_it_was_set():
    net = tessera.Network()
    net.population("cell", 3, tau_m=10.0, E_L=-65.0, V_th=-50.0)
    sim = tessera.Simulation(net, precision="exact").run(1)
    start = np.array([-70.0, -60.0, -55.0])
    sim.state["cell"]["V_m"] = start
    sim.run(10)
    assert sim.state["cell"]["V_m"] == pytest.approx(-65.0 + (start + 65.0) * np.exp(-1.0), abs=1e-9)


# The lift that one spike leaves in a membrane is proportional to the weight.
def test_a_spike_has_the_weight_that_was_set():
    def lift(weight):
        net = tessera.Network()
        a, b = net.spike_source("a", 1, [10.0], [0]), net.population("b", 1, E_L=-65.0, initial={"V_m": -65.0})
        net.connect(a, b, "one_to_one", weight=100.0, delay=1.0, plasticity="static")
        sim = tessera.Simulation(net, precision="exact").run(5)
        sim.projections["a->b"].weights = weight
        assert (sim.projections["a->b"].weights == weight).all()
        return sim.run(10).state["b"]["V_m"][0] + 65.0

    assert lift([250.0]) / lift(100.0) == pytest.approx(2.5, rel=1e-6)


def test_arrays_of_a_projection_have_one_order():
    sim = tessera.Simulation(learning())
    p = sim.projections["kept"]
    assert len(p) == 400 and sim.projections["E->I"].weights.tolist() == [120.0] * 640
    order = np.lexsort((p.targets, p.sources))
    assert (order == np.arange(400)).all() and (p.delays == 1.5).all()
    wanted = np.linspace(1.0, 100.0, 400).astype(np.float32).astype(float)
    wanted = wanted[np.lexsort((wanted, p.targets, p.sources))]  # of one pair the smaller first
    p.weights = wanted
    assert np.array_equal(p.weights, wanted) and np.array_equal(sim.synapses("kept")["weight"], wanted)


def test_rates_act_as_if_described_so():
    def network(rate):
        net = tessera.Network()
        net.poisson(net.population("cells", 20), rate, weight="80 pA")
        return net

    sim = tessera.Simulation(network("8 kHz"))
    sim.stimuli["poisson cells"].rate = "5 kHz"
    assert sim.stimuli["poisson cells"].rate == 5000.0
    assert sim.run(200).digest == network(5000).simulate(200).digest != network(8000).simulate(200).digest
    assert tessera.Simulation(sim.network).run(200).digest == sim.digest  # the network of now


# A current that is changed at 20 ms is the one that was described as changing then.
def test_a_current_that_changes_is_a_step_current(tmp_path):
    def network(described):
        net = tessera.Network()
        cells = net.population("cells", 4)
        if described:
            net.step_current(cells, [0.0, 20.0], [400.0, 600.0])
        else:
            net.current(cells, "400 pA", name="drive")
        return net

    sim = network(False).simulate(20)
    sim.stimuli["drive cells"].amplitude = np.array([600.0] * 4)
    assert (sim.stimuli["drive cells"].amplitude == 600.0).all()
    sim.stimuli["drive cells"].amplitude = "0.6 nA"
    assert sim.stimuli["drive cells"].amplitude == pytest.approx(600.0)
    sim.save_checkpoint(tmp_path / "c")
    assert sim.run(30).digest == network(True).simulate(50).digest
    assert tessera.Simulation(sim.network).restore(tmp_path / "c").run(30).digest == sim.digest
    with pytest.raises(tessera.InputError, match="another network"):
        tessera.Simulation(network(False)).restore(tmp_path / "c")


def test_sources_have_a_rate():
    def network(rate):
        net = tessera.Network()
        net.poisson_source("noise", 50, rate)
        return net

    sim = tessera.Simulation(network(10))
    sim.sources["noise"].rate = "40 Hz"
    assert sim.sources["noise"].rate == 40.0 and list(sim.sources) == ["noise"]
    assert sim.run(1000).digest == network(40).simulate(1000).digest


MISTAKES = [
    (lambda s: s.state["F"], tessera.InputError, "population.*'F'"),
    (lambda s: s.state["noise"], KeyError, "source of spikes"),
    (lambda s: s.state["E"]["V_n"], KeyError, "V_n.*V_m"),
    (lambda s: s.state["E"].__setitem__("V_n", 0.0), tessera.InputError, "V_n.*V_m"),
    (lambda s: s.state["E"].__setitem__("V_m", [0.0] * 3), tessera.InputError, "V_m: must have 160 entries, not 3"),
    (lambda s: s.state["E"].__setitem__("V_m", [np.nan] * 160), tessera.InputError, "V_m: entry 0 is nan"),
    (lambda s: s.state["E"].__setitem__("V_m", 1e300), tessera.InputError, "fast precision"),
    (lambda s: s.state["E"].__setitem__("V_m", "1 pA"), tessera.InputError, "V_m"),
    (lambda s: s.state["E"].__setitem__("refractory", -1.0), tessera.InputError, "refractory"),
    (lambda s: setattr(s.projections["E->I"], "weights", 1.0), tessera.InputError, "plasticity: 'static'"),
    (lambda s: setattr(s.projections["learns"], "weights", -1.0), tessera.InputError, "from 0 to 120"),
    (lambda s: setattr(s.projections["learns"], "weights", [1.0]), tessera.InputError, "one for each synapse"),
    (lambda s: setattr(s.projections["kept"], "weights", 1e20), tessera.InputError, "exact precision"),
    (lambda s: setattr(s.projections["kept"], "weights", object()), TypeError, "weights"),
    (lambda s: s.projections["E->"], KeyError, "E->"),
    (lambda s: setattr(s.stimuli["poisson E"], "rate", -1), tessera.InputError, "rate"),
    (lambda s: setattr(s.stimuli["poisson E"], "amplitude", 1), tessera.InputError, "no amplitude"),
    (lambda s: s.stimuli["poisson E"].amplitude, AttributeError, "no amplitude"),
    (lambda s: s.stimuli["poisson F"], KeyError, "poisson"),
    (lambda s: setattr(s.sources["noise"], "rate", 1e9), tessera.InputError, "rate"),
    (lambda s: s.sources["E"], KeyError, "Poisson sources"),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_are_named_and_change_nothing(number):
    def network():
        net = learning()
        net.poisson_source("noise", 5, 10)
        return net

    action, kind, words = MISTAKES[number]
    sim, untouched = network().simulate(20), network().simulate(20)
    with pytest.raises(kind, match=words):
        action(sim)
    assert sim.run(20).digest == untouched.run(20).digest


# ------------------------------------------------------------------------------------ callbacks


def test_a_callback_gets_every_spike_once(network):
    whole, got = network.simulate(100), []
    sim = tessera.Simulation(network).on_spikes("E", got.append, every="7 ms")
    sim.run(33).run(67)
    assert len(got) == 14  # at 7, 14, ..., 98 ms
    assert sim.digest == whole.digest and np.array_equal(sim.spikes["E"], whole.spikes["E"])
    everything = np.concatenate(got)
    assert np.array_equal(everything, whole.spikes["E"][whole.spikes["E"]["time"] <= 98.0 + 1e-9])
    assert all(((s["time"] > 7 * i) & (s["time"] <= 7 * (i + 1) + 1e-9)).all() for i, s in enumerate(got))


# Whoever acts on the simulation at fixed times gets the same run on any number of threads, and the run that was described so.
def test_a_callback_can_act():
    def network(described):
        net = tessera.Network()
        cells = net.population("cells", 20)
        if described:
            net.step_current(cells, [0.0, 10.0], [500.0, 700.0])
        else:
            net.current(cells, 500.0, name="drive")
        return net

    def run(threads):
        sim = tessera.Simulation(network(False), threads=threads)

        def louder(spikes):
            if sim.time == 10.0:
                sim.stimuli["drive cells"].amplitude = 700.0

        return sim.on_spikes("cells", louder).run(50).digest

    assert run(1) == run(2) == network(True).simulate(50).digest


class Mine(Exception):
    pass


def test_what_a_callback_raises_ends_the_run_and_the_simulation_goes_on(network):
    def wrong(spikes):
        if sim.time == 20.0:
            raise Mine("at 20 ms")

    sim = tessera.Simulation(network).on_spikes("E", wrong, every=5)
    with pytest.raises(Mine, match="at 20 ms"):
        sim.run(100)
    assert sim.time == 20.0
    assert sim.run(80).digest == network.simulate(100).digest


def test_mistakes_about_callbacks(network):
    sim = tessera.Simulation(network, record_spikes=["E"])
    with pytest.raises(TypeError, match="function must be callable"):
        sim.on_spikes("E", 3)
    with pytest.raises(tessera.InputError, match="every"):
        sim.on_spikes("E", print, every="0.05 ms")
    with pytest.raises(tessera.InputError, match="'I' are not recorded"):
        sim.on_spikes("I", print)
    sim.on_spikes("E", lambda spikes: sim.run(1))
    with pytest.raises(tessera.RunError, match="at work"):
        sim.run(10)


def test_a_simulation_that_its_callback_knows_is_freed(network):
    sim = tessera.Simulation(network)
    sim.on_spikes("E", lambda spikes: sim.time).run(10)
    gone = weakref.ref(sim)
    del sim
    gc.collect()
    assert gone() is None


# -------------------------------------------------------------------------------- structural rules


def rewired(rule, size=40, weight=None, **more):
    net = tessera.Network()
    cells = net.population("cells", size)
    net.current(cells, 420.0)
    net.connect(cells, cells, "pairwise_bernoulli", probability=0.2, autapses=False, multapses=False,
                weight=weight or tessera.uniform(0, 20), delay=1.5, rewiring={"rule": rule, "interval": "5 ms", **more})
    return net


class Replace(tessera.StructuralRule):
    """The rule of docs/structural-plasticity.md."""

    def __init__(self, weight):
        self.weight = weight

    def act(self, view):
        s = view.synapses()
        for synapse in s[s["weight"] < 0.1 * self.weight]:
            assert view.remove(int(synapse["source"]), int(synapse["target"]))
            view.add(view.below(view.sources), int(synapse["target"]), self.weight)


def test_a_rule_in_python_is_the_same_on_any_number_of_threads():
    sims = [tessera.Simulation(rewired(Replace(18.0), 600), threads=t, tiles=n).run(30) for t, n in ((1, 1), (2, 5))]
    first, second = (s.synapses("cells->cells") for s in sims)
    assert np.array_equal(first, second) and sims[0].digest == sims[1].digest
    counts = sims[0].report["rewiring"][0]
    assert counts["rule"] == "Replace" and counts["eliminated"] > 500
    assert (first["weight"] >= 1.8).all()
    # What goes is below 1.8; of the new ones all but those that met a synapse were made.
    assert counts["eliminated"] == counts["formed"] + counts["existing"]
    assert len(first) == counts["synapses"] == len(tessera.Simulation(rewired(Replace(18.0), 600)).synapses("cells->cells")) - counts["existing"]


def test_a_run_with_a_rule_in_python_resumes(tmp_path):
    whole, part = rewired(Replace(18.0)).simulate(40), rewired(Replace(18.0)).simulate(22)
    part.save_checkpoint(tmp_path / "c")
    later = tessera.Simulation(rewired(Replace(18.0))).restore(tmp_path / "c").run(18)
    assert np.array_equal(later.synapses("cells->cells"), whole.synapses("cells->cells")) and later.digest == whole.digest


def test_what_a_rule_cannot_have_is_counted_by_its_kind():
    class Wrong(tessera.StructuralRule):
        name = "wrong"

        def act(self, view):
            if view.time != 5.0:
                return
            source, target, _ = view.synapses()[0]
            answers.append(view.add(source, target, 1.0))  # exists
            answers.append(view.add(-1, target, 1.0))
            answers.append(view.add(view.sources, target, 1.0))
            answers.append(view.add(0, 2**40, 1.0))
            answers.append(view.add(0, 0, -1.0))  # the sign
            free = next(s for s in range(view.sources) if not view.exists(s, target))
            answers.append(view.add(free, target, 1.0))  # the limit
            answers.append(view.remove(free, target))

    answers = []
    net = rewired(Wrong(), max_indegree=1)
    sim = tessera.Simulation(net, threads=1).run(20)
    counts = sim.report["rewiring"][0]
    assert answers == [False] * 7
    assert (counts["rule"], counts["existing"], counts["invalid"], counts["at_limit"]) == ("wrong", 1, 4, 1)
    assert counts["formed"] == counts["eliminated"] == 0


def test_a_rule_sees_weights_degrees_and_states():
    class Look(tessera.StructuralRule):
        source_states = ["V_m"]
        target_states = ("V_m", "I_syn")

        def act(self, view):
            seen.append((view.time, view.synapses(), [view.indegree(t) for t in view.targets], view.source_values("V_m"),
                         view.target_values("V_m"), view.outdegree(0), view.is_recurrent))

    seen = []
    sim = tessera.Simulation(rewired(Look()), threads=1).run(15.1)
    assert [s[0] for s in seen] == [5.0, 10.0, 15.0]
    synapses = sim.synapses("cells->cells")
    for _, edges, indegree, of_sources, of_targets, outdegree, recurrent in seen:
        assert (np.diff(edges["source"].astype(int)) >= 0).all()
        edges = np.sort(edges, order=("source", "target"))
        assert all(np.array_equal(edges[field], synapses[field]) for field in ("source", "target", "weight"))
        assert indegree == np.bincount(synapses["target"], minlength=40).tolist() and outdegree == (synapses["source"] == 0).sum()
        assert np.array_equal(of_sources, of_targets) and recurrent
    at_15 = tessera.Simulation(rewired(Look()), threads=1).run(15).state["cells"]["V_m"]
    assert np.array_equal(seen[2][3], at_15)


def test_a_rule_gives_weights():
    class Scale(tessera.StructuralRule):
        def act(self, view):
            view.reweight(0.5 * view.synapses()["weight"])

    net = rewired(Scale())
    before = tessera.Simulation(net).synapses("cells->cells")["weight"]
    after = net.simulate(10.1).synapses("cells->cells")["weight"]
    assert after == pytest.approx(before / 4.0, rel=1e-6)


def test_what_a_rule_raises_comes_back_and_the_simulation_goes_on():
    class Fails(tessera.StructuralRule):
        armed = True

        def act(self, view):
            if self.armed and view.time == 10.0:
                raise Mine("in act")

    rule = Fails()
    for threads in (1, 2):
        sim = tessera.Simulation(rewired(rule, 600), threads=threads, tiles=4)
        rule.armed = True
        with pytest.raises(Mine, match="in act"):
            sim.run(10000)
        assert 10.0 <= sim.time < 10000
        rule.armed = False
        sim.run(10)


def test_a_view_ends_with_its_call():
    class Keep(tessera.StructuralRule):
        def act(self, view):
            kept.append(view)

    kept = []
    rewired(Keep()).simulate(6)
    with pytest.raises(RuntimeError, match="ends with"):
        kept[0].synapses()


def test_mistakes_about_rules():
    class Sees(tessera.StructuralRule):
        source_states = ("V_n",)

        def act(self, view):
            view.distance(0, 0)

    class Asks(Sees):
        source_states = ()

    with pytest.raises(TypeError, match="Sees\\(\\), not the class"):
        rewired(Sees)
    with pytest.raises(tessera.InputError, match="V_n"):
        tessera.Simulation(rewired(Sees()))
    with pytest.raises(tessera.InputError, match="no grids"):
        rewired(Asks()).simulate(10)
    with pytest.raises(tessera.InputError, match="written in Python"):
        rewired(Asks()).to_toml()
    with pytest.raises(NotImplementedError, match="act"):
        rewired(tessera.StructuralRule()).simulate(10)
    for action in (lambda v: v.add("a", 0, 1.0), lambda v: v.add(0, 0, "x"), lambda v: v.below(0), lambda v: v.reweight([1.0]),
                   lambda v: v.source_values("V_m"), lambda v: v.weight(0.5, 0), lambda v: v.source_near(-1, 0, 0)):
        class Wrong(tessera.StructuralRule):
            def act(self, view, action=action):
                action(view)

        with pytest.raises((TypeError, tessera.InputError)):
            rewired(Wrong()).simulate(10)


def test_two_rules_of_one_name_are_two_and_freed_with_their_networks():
    net = rewired(Replace(18.0))
    net.connect("cells", "cells", "fixed_indegree", number=2, weight=1.0, delay=1.0, autapses=False, multapses=False, rewiring=Replace(2.0))
    sim = net.copy().simulate(11)
    assert [r["rule"] for r in sim.report["rewiring"]] == ["Replace", "Replace 2"]
    gone = [weakref.ref(rule) for rule in net._rules.values()]
    del net, sim
    gc.collect()
    assert [g() for g in gone] == [None, None]
