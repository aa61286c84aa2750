"""The PyNN backend: what formulas say, in PyNN's units; a network that is changed goes on exactly where it was."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import warnings

import numpy as np
import pytest

pytest.importorskip("pyNN", reason="PyNN is not installed: nothing of tessera.pynn is tested")
pytestmark = pytest.mark.filterwarnings("default")  # PyNN, Neo and quantities warn about each other
with warnings.catch_warnings():
    warnings.simplefilter("default")
    import tessera.pynn as sim

from pyNN.errors import ConnectionError as WrongConnection  # noqa: E402


def setup(**options):
    sim.setup(**{"timestep": 0.1, "min_delay": 0.1, "threads": 1, **options})


def signal(cells, name="v"):
    """Times (ms) and values."""
    found = cells.get_data().segments[-1].filter(name=name)[0]
    return found.times.rescale("ms").magnitude, found.magnitude


def trains(cells, segment=-1):
    return [train.magnitude for train in cells.get_data("spikes").segments[segment].spiketrains]


CELL = {"cm": 0.5, "tau_m": 10.0, "v_rest": -65.0, "v_reset": -70.0, "v_thresh": -50.0, "tau_refrac": 2.0}


# ---------------------------------------------------------------------------------- membrane and synapses


def test_a_constant_current_charges_the_membrane_from_time_0_on():
    setup()
    cell = sim.Population(1, sim.IF_curr_exp(**CELL, i_offset=0.5), initial_values={"v": -65.0})
    cell.record("v")
    sim.run(50.0)
    t, v = signal(cell)
    assert len(t) == 501 and t[0] == 0.0
    assert v[:, 0] == pytest.approx(-65.0 + 10.0 * (1.0 - np.exp(-t / 10.0)), abs=1e-9)  # R = 20 MOhm


def test_intervals_of_a_driven_cell_follow_from_its_equation():
    setup()
    cell = sim.Population(1, sim.IF_curr_exp(**CELL, i_offset=1.0), initial_values={"v": -65.0})
    cell.record("spikes")
    sim.run(100.0)
    times = trains(cell)[0]
    first = np.ceil(10.0 * np.log(20.0 / 5.0) / 0.1) * 0.1           # from -65 to -50 mV towards -45 mV
    interval = 2.0 + np.ceil(10.0 * np.log(25.0 / 5.0) / 0.1) * 0.1  # refractory, then from -70 mV
    assert times == pytest.approx(first + interval * np.arange(len(times)), abs=1e-9) and len(times) == 5


@pytest.mark.parametrize("weight, tau", [(0.3, 2.0), (-0.3, 4.0)])
def test_a_current_based_synapse_gives_its_exact_potential(weight, tau):
    setup()
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    cell = sim.Population(1, sim.IF_curr_exp(**CELL, tau_syn_E=2.0, tau_syn_I=4.0), initial_values={"v": -65.0})
    sim.Projection(source, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=1.5))
    cell.record("v")
    sim.run(40.0)
    t, v = signal(cell)
    since = np.maximum(t - 6.5, 0.0)
    expected = weight / 0.5 * (np.exp(-since / 10.0) - np.exp(-since / tau)) / (1.0 / tau - 1.0 / 10.0)
    assert v[:, 0] == pytest.approx(-65.0 + expected, abs=1e-9)


@pytest.mark.parametrize("cell_type", ["IF_cond_exp", "EIF_cond_exp_isfa_ista"])
def test_conductances_are_positive_in_both_receptors(cell_type):
    setup()
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    cell = sim.Population(2, getattr(sim, cell_type)(tau_syn_E=3.0, tau_syn_I=6.0))
    for receptor, weight in (("excitatory", 0.004), ("inhibitory", 0.02)):
        sim.Projection(source, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=1.0),
                       receptor_type=receptor)
    cell[1:2].record(["gsyn_exc", "gsyn_inh", "v"])
    sim.run(20.0)
    for name, weight, tau in (("gsyn_exc", 0.004, 3.0), ("gsyn_inh", 0.02, 6.0)):
        t, g = signal(cell, name)
        expected = np.where(t > 5.95, weight * np.exp(-np.maximum(t - 6.0, 0.0) / tau), 0.0)
        assert g.shape == (201, 1) and g[:, 0] == pytest.approx(expected, abs=1e-12)
    with pytest.raises(WrongConnection):
        sim.Projection(source, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=-0.1), receptor_type="inhibitory")


@pytest.mark.parametrize("cell_type, weight", [("IF_curr_delta", 1.5), ("Izhikevich", 1.5)])
def test_weights_of_jumps_are_in_millivolts(cell_type, weight):
    setup()
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    cells = sim.Population(2, getattr(sim, cell_type)())
    sim.Projection(source, cells[0:1], sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=1.0))
    cells.record("v")
    sim.run(6.0)
    v = signal(cells)[1]
    assert v[59, 0] == v[59, 1] and v[60, 0] - v[60, 1] == pytest.approx(weight, abs=1e-9)


def test_cells_of_a_population_may_differ():
    setup()
    cells = sim.Population(4, sim.IF_curr_exp(**CELL, i_offset=0.5), initial_values={"v": -65.0})
    cells.set(tau_m=[5.0, 10.0, 5.0, 20.0])
    cells[1:3].set(cm=1.0)
    cells[3].i_offset = 0.25
    assert cells.get("tau_m") == pytest.approx([5.0, 10.0, 5.0, 20.0]) and cells[2].cm == 1.0
    cells.record("v")
    sim.run(20.0)
    t, v = signal(cells)
    for i, (tau, cm, current) in enumerate([(5.0, 0.5, 0.5), (10.0, 1.0, 0.5), (5.0, 1.0, 0.5), (20.0, 0.5, 0.25)]):
        assert v[:, i] == pytest.approx(-65.0 + current * tau / cm * (1.0 - np.exp(-t / tau)), abs=1e-9)


def test_assemblies_and_views_are_joined_cell_by_cell():
    setup()
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=[[1.0], [2.0], [3.0]]))
    a, b = sim.Population(2, sim.IF_cond_exp(tau_syn_E=2.0)), sim.Population(2, sim.IF_cond_exp(tau_syn_E=5.0))
    joined = a[1:2] + b
    projection = sim.Projection(sources[1:3], joined, sim.FromListConnector([(0, 0, 0.01, 1.0), (1, 2, 0.02, 2.0)]))
    assert projection.get("weight", format="list") == [(0.0, 0.0, 0.01), (1.0, 2.0, 0.02)]
    joined.record("gsyn_exc")
    sim.run(6.0)
    g = joined.get_data().segments[0].filter(name="gsyn_exc")[0].magnitude
    assert [np.flatnonzero(column)[0] if column.any() else None for column in g.T] == [30, None, 50]
    assert g[30, 0] == pytest.approx(0.01) and g[60, 2] == pytest.approx(0.02 * np.exp(-1.0 / 5.0))


# ---------------------------------------------------------------------------------- changes between runs


def busy_network(interruptions):
    """Cells that fire, rest and hear each other late; changed in nothing, but built anew, at every interruption."""
    setup(timestep=0.1)
    rng = np.random.default_rng(3)
    drive = sim.Population(20, sim.SpikeSourceArray(spike_times=[np.sort(rng.uniform(0.0, 60.0, 40)) for _ in range(20)]))
    cells = sim.Population(20, sim.IF_curr_exp(tau_refrac=4.0, tau_syn_E=3.0, tau_syn_I=3.0, tau_m=10.0, i_offset=0.5))
    cells[0:7].set(tau_syn_I=6.0)
    pairs = [(i, j, 0.3, round(0.5 + 0.1 * ((7 * i + 3 * j) % 60), 1)) for i in range(20) for j in range(20) if (i + j) % 3]
    sim.Projection(drive, cells, sim.FromListConnector(pairs))
    sim.Projection(cells, cells, sim.FromListConnector([(i, j, -0.5, d) for i, j, _, d in pairs]), receptor_type="inhibitory")
    cells.record(["spikes", "v"])
    for time in interruptions:
        sim.run_until(time)
        cells.set(tau_m=10.0)
    sim.run_until(60.0)
    return trains(cells), signal(cells)[1]


def test_a_network_built_anew_goes_on_exactly_where_it_was():
    spikes, v = busy_network([])
    again, again_v = busy_network([0.1, 3.3, 9.9, 10.0, 10.1, 31.4, 44.4, 59.9])
    assert sum(map(len, spikes)) > 60
    for one, other in zip(spikes, again):
        assert np.array_equal(one, other)
    assert again_v == pytest.approx(v, abs=1e-8)


def test_parameters_and_currents_that_are_set_count_from_then_on():
    setup()
    cells = sim.Population(2, sim.IF_curr_exp(**CELL, i_offset=0.5), initial_values={"v": -65.0})
    electrode = sim.DCSource(amplitude=0.0)
    cells[1].inject(electrode)
    cells[0:1].record("v")
    cells[1:2].record("v")
    sim.run(20.0)
    cells[0].v_rest = -60.0
    electrode.amplitude = 0.25
    sim.run(20.0)
    t, v = signal(cells)
    at_20 = -65.0 + 10.0 * (1.0 - np.exp(-2.0))
    assert v[200] == pytest.approx([at_20, at_20], abs=1e-9)
    later = -50.0 + (at_20 + 50.0) * np.exp(-(t[200:] - 20.0) / 10.0)  # 5 mV more at the end, either way
    assert v[200:] == pytest.approx(np.column_stack([later, later]), abs=1e-9)


def test_initialize_between_runs_and_after_reset():
    setup()
    cell = sim.Population(1, sim.IF_curr_exp(**CELL), initial_values={"v": -65.0})
    cell.record("v")
    sim.run(5.0)
    cell.initialize(v=-55.0)
    sim.run(5.0)
    t, v = signal(cell)
    assert v[:51, 0] == pytest.approx(-65.0, abs=1e-12)  # the sample of 5 ms is that of the run that ended then
    assert v[51:, 0] == pytest.approx(-65.0 + 10.0 * np.exp(-(t[51:] - 5.0) / 10.0), abs=1e-9)
    sim.reset()
    sim.run(5.0)
    t, v = signal(cell)
    assert len(t) == 51 and v[:, 0] == pytest.approx(-65.0 + 10.0 * np.exp(-t / 10.0), abs=1e-9)
    assert len(cell.get_data().segments) == 2


def test_weights_that_are_set_count_for_spikes_fired_later():
    setup()
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[4.0, 8.0]))
    cell = sim.Population(1, sim.IF_cond_exp(tau_syn_E=1.0))
    projection = sim.Projection(source, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.01, delay=3.0))
    cell.record("gsyn_exc")
    sim.run(5.0)
    projection.set(weight=0.002)
    sim.run(7.0)
    g = signal(cell, "gsyn_exc")[1][:, 0]
    assert g[70] == pytest.approx(0.01) and g[110] == pytest.approx(0.002 + 0.01 * np.exp(-4.0))


def test_clear_begins_a_new_recording():
    setup()
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[2.0, 12.0, 13.0]))
    cell = sim.Population(1, sim.IF_curr_exp(**CELL, i_offset=0.5), initial_values={"v": -65.0})
    source.record("spikes")
    cell.record("v", sampling_interval=0.5)
    sim.run(10.0)
    assert len(cell.get_data(clear=True).segments[0].analogsignals[0]) == 21
    source.get_data(clear=True)
    sim.run(10.0)
    t, v = signal(cell)
    assert t == pytest.approx(10.0 + 0.5 * np.arange(21))
    assert v[:, 0] == pytest.approx(-65.0 + 10.0 * (1.0 - np.exp(-t / 10.0)), abs=1e-9)
    assert trains(source)[0].tolist() == [12.0, 13.0] and source.mean_spike_count() == 2.0


# ---------------------------------------------------------------------------------- electrodes, plasticity, sources


def test_alternating_and_step_currents_are_what_their_formulas_say():
    setup()
    cells = sim.Population(2, sim.IF_curr_exp(**CELL, i_offset=0.0), initial_values={"v": -65.0})
    ac = sim.ACSource(amplitude=0.2, offset=0.1, start=10.0, stop=40.0, frequency=50.0, phase=30.0)
    steps = sim.StepCurrentSource(times=[5.0, 20.0], amplitudes=[0.4, -0.2])
    cells[0].inject(ac)
    steps.inject_into(cells[1:2])
    ac.record()
    cells.record("v")
    sim.run(25.0)
    sim.run(25.0)
    current = ac.get_data()
    t = current.times.magnitude
    inside = (t > 9.95) & (t < 39.95)
    expected = np.where(inside, 0.1 + 0.2 * np.sin(2 * np.pi * 0.05 * (t - 10.0) + np.pi / 6.0), 0.0)
    assert current.magnitude[:, 0] == pytest.approx(expected, abs=1e-12)
    decay, v = np.exp(-0.01), [-65.0]
    for value in expected[:-1]:  # constant in every step
        v.append(-65.0 + 20.0 * value + (v[-1] + 65.0 - 20.0 * value) * decay)
    values = signal(cells)[1]
    assert values[:, 0] == pytest.approx(np.array(v), abs=1e-9)
    at_20 = 8.0 * (1.0 - np.exp(-1.5))
    assert values[200, 1] == pytest.approx(-65.0 + at_20, abs=1e-9)
    assert values[500, 1] == pytest.approx(-65.0 - 4.0 + (at_20 + 4.0) * np.exp(-3.0), abs=1e-9)


def test_noise_has_its_mean_and_deviation_and_is_held_for_its_dt():
    setup()
    cell = sim.Population(1, sim.IF_curr_exp())
    noise = sim.NoisyCurrentSource(mean=0.3, stdev=0.1, start=10.0, stop=1010.0, dt=0.5)
    noise.inject_into(cell)
    noise.record()
    sim.run(600.0)
    sim.run(500.0)
    values = noise.get_data().magnitude[100:10100, 0].reshape(2000, 5)
    assert (values == values[:, :1]).all() and noise.get_data().magnitude[99, 0] == 0.0
    drawn = values[:, 0]
    assert abs(drawn.mean() - 0.3) < 5 * 0.1 / np.sqrt(2000) and abs(drawn.std() - 0.1) < 5 * 0.1 / np.sqrt(4000)


def test_depression_uses_up_what_the_synapse_has():
    setup()
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 25.0]))
    cell = sim.Population(1, sim.IF_cond_exp(tau_syn_E=2.0))
    projection = sim.Projection(source, cell, sim.AllToAllConnector(),
                                sim.TsodyksMarkramSynapse(weight=0.01, delay=1.0, U=0.6, tau_rec=50.0, tau_facil=0.0))
    cell.record("gsyn_exc")
    sim.run(30.0)
    g = signal(cell, "gsyn_exc")[1][:, 0]
    assert projection.get("U", format="list", with_address=False) == [0.6]
    # Of x = 1, 0.6 is used; it is active for 2 ms, then recovers with 50 ms (solution of the two linear equations).
    active = 0.6 * np.exp(-20.0 / 2.0)
    lost = 0.6 * 50.0 / 48.0 * (np.exp(-20.0 / 50.0) - np.exp(-20.0 / 2.0))
    assert g[60] == pytest.approx(0.006) and g[260] == pytest.approx(0.01 * 0.6 * (1.0 - active - lost)
                                                                     + 0.006 * np.exp(-10.0), rel=1e-6)


def test_a_pair_of_spikes_changes_the_weight_by_the_rule():
    setup()
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0]))
    trigger = sim.Population(1, sim.SpikeSourceArray(spike_times=[14.0]))
    cell = sim.Population(1, sim.IF_curr_exp(**CELL, tau_syn_E=1.0))
    rule = sim.STDPMechanism(sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.02, A_minus=0.01),
                             sim.AdditiveWeightDependence(w_min=0.0, w_max=0.1), weight=0.05, delay=1.0)
    learning = sim.Projection(source, cell, sim.AllToAllConnector(), rule)
    sim.Projection(trigger, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=60.0, delay=1.0))
    source.record("spikes")
    cell.record("spikes")
    sim.run(30.0)
    fired = trains(cell)[0]
    assert len(fired) == 1
    source.set(spike_times=[40.0])  # a change between runs keeps what was learnt
    sim.run(1.0)
    # Both spikes are seen a delay later at the synapse: the arrival of 11 ms, the target's back-propagated spike at t + 1.
    expected = 0.05 + 0.02 * 0.1 * np.exp(-(fired[0] + 1.0 - 10.0) / 20.0)
    after = learning.get("weight", format="array")[0, 0]
    assert after == pytest.approx(expected, rel=1e-6)
    sim.reset()
    assert learning.get("weight", format="array")[0, 0] == 0.05


def test_poisson_sources_have_their_rates_and_other_spikes_after_a_reset():
    setup(rng_seed=5)
    sources = sim.Population(200, sim.SpikeSourcePoisson(rate=50.0, start=100.0, duration=500.0))
    sources[0:100].set(rate=20.0)
    sources.record("spikes")
    for _ in range(2):
        sim.run(300.0)
        sources.set(duration=500.0)  # the change falls into the time in which they are active
        sim.run(500.0)
        sim.reset()
    first, second = trains(sources, 0), trains(sources, 1)
    for these in (first, second):
        counts = np.array([len(t) for t in these])
        for part, mean in ((counts[:100], 10.0), (counts[100:], 25.0)):
            assert abs(part.sum() - 100 * mean) < 5 * np.sqrt(100 * mean)
        assert min(t.min() for t in these if len(t)) > 99.9 and max(t.max() for t in these if len(t)) < 600.1
    assert any(not np.array_equal(a, b) for a, b in zip(first, second))


def test_a_source_whose_time_is_over_stays_silent_when_something_changes():
    setup()
    source = sim.Population(10, sim.SpikeSourcePoisson(rate=500.0, duration=20.0))
    cells = sim.Population(1, sim.IF_curr_exp(**CELL))
    source.record("spikes")
    sim.run(50.0)
    cells.set(i_offset=0.1)  # a network is made anew, at 50 ms
    sim.run(50.0)
    times = np.concatenate(trains(source))
    assert len(times) > 50 and times.max() <= 20.0


def test_what_means_nothing_here_is_said():
    with pytest.warns(UserWarning, match="spike_precision"):
        sim.setup(timestep=0.1, spike_precision="off_grid")
    with pytest.raises(NotImplementedError, match="HH_cond_exp"):
        sim.HH_cond_exp()
    assert {"IF_curr_exp", "Izhikevich", "SpikeSourceArray"} <= set(sim.list_standard_models())
    assert "HH_cond_exp" not in sim.list_standard_models()
    cells = sim.Population(2, sim.IF_curr_exp())
    with pytest.raises(ValueError, match="multiple"):
        cells.record("v", sampling_interval=0.25)
