#!/usr/bin/env python3
"""Brunel's network of 12,500 neurons, described with the same numbers for several simulators: seconds to build and to run.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

10,000 excitatory and 2,500 inhibitory neurons with delta synapses, 1,000 and 250 inputs each, J = 0.1 mV, g = 5,
eta = 2, delay 1.5 ms, steps of 0.1 ms (Brunel 2000, figure 8C): 15.6 million synapses, 38 spikes/s. Every simulator
runs in a process of its own, as its documentation would have it; the import is timed apart. Prints a table.

    python compare_brunel.py [--time 1000] [--threads 2] [--repeat 2] [tessera nest brian2 snntorch]

snnTorch has no delays, no refractory time, no fixed numbers of inputs and no spike lists: the delay is a list of spikes here,
its matrix is dense, and the time of `--dense-ms` is measured and scaled up (every step costs the same).
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

N_E, N_I, C_E, C_I = 10_000, 2_500, 1_000, 250
J, G, ETA, THETA, RESET, TAU, REFRACTORY, DELAY, DT = 0.1, 5.0, 2.0, 20.0, 10.0, 20.0, 2.0, 1.5, 0.1  # mV, ms
RATE = 1e3 * ETA * THETA / (J * TAU)  # spikes/s of the drive of a neuron


def tessera(options):
    import tessera as ts
    yield
    net = ts.Network("brunel")
    cell = dict(tau_m=TAU, E_L=0.0, V_th=THETA, V_reset=RESET, t_ref=REFRACTORY, initial={"V_m": ts.uniform(0.0, THETA)})
    e = net.population("E", N_E, "iaf_psc_delta", **cell)
    i = net.population("I", N_I, "iaf_psc_delta", inhibitory=True, **cell)
    inputs = dict(rule="fixed_indegree", delay=DELAY, autapses=False)
    net.connect(e, [e, i], number=C_E, weight=J, **inputs)
    net.connect(i, [e, i], number=C_I, weight=-G * J, **inputs)
    net.poisson([e, i], rate=RATE, weight=J)
    sim = ts.Simulation(net, threads=options.threads)
    yield
    sim.run(options.time)
    yield sum(len(sim.spikes[p]) for p in ("E", "I")), options.time


def nest(options):
    import nest
    yield
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.resolution = DT
    nest.local_num_threads = options.threads
    cell = dict(C_m=1.0, tau_m=TAU, E_L=0.0, V_th=THETA, V_reset=RESET, t_ref=REFRACTORY, V_m=nest.random.uniform(0.0, THETA))
    e = nest.Create("iaf_psc_delta", N_E, params=cell)
    i = nest.Create("iaf_psc_delta", N_I, params=cell)
    for source, number, weight in ((e, C_E, J), (i, C_I, -G * J)):
        rule = dict(rule="fixed_indegree", indegree=number, allow_autapses=False)
        nest.Connect(source, e + i, rule, dict(weight=weight, delay=DELAY))
    drive = nest.Create("poisson_generator", params=dict(rate=RATE))
    nest.Connect(drive, e + i, "all_to_all", dict(weight=J, delay=DELAY))
    recorder = nest.Create("spike_recorder")
    nest.Connect(e + i, recorder)
    nest.Prepare()
    yield
    nest.Run(options.time)
    yield recorder.n_events, options.time


def brian2(options):
    import brian2 as b
    import numpy
    yield
    b.prefs.codegen.target = "cython"
    b.defaultclock.dt = DT * b.ms
    neurons = b.NeuronGroup(N_E + N_I, "dv/dt = -v / (20 * ms) : 1 (unless refractory)", method="exact",
                            threshold=f"v > {THETA}", reset=f"v = {RESET}", refractory=REFRACTORY * b.ms)
    neurons.v = f"{THETA} * rand()"
    random = numpy.random.default_rng(1)
    synapses = []
    for first, sources, number, weight in ((0, N_E, C_E, J), (N_E, N_I, C_I, -G * J)):
        pre = random.integers(first, first + sources, (N_E + N_I) * number)
        s = b.Synapses(neurons, neurons, on_pre=f"v_post += {weight}", delay=DELAY * b.ms)
        s.connect(i=pre, j=numpy.repeat(numpy.arange(N_E + N_I), number))
        synapses.append(s)
    drive = b.PoissonInput(neurons, "v", N=1000, rate=RATE / 1000 * b.Hz, weight=J)
    monitor = b.SpikeMonitor(neurons)
    network = b.Network(neurons, synapses, drive, monitor)
    network.run(0.1 * b.ms)  # compiles
    yield
    network.run(options.time * b.ms)
    yield monitor.num_spikes, options.time


def snntorch(options):
    import snntorch as snn
    import torch
    yield
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    n = N_E + N_I
    weights = torch.zeros(n, n)  # target, source
    for target in range(n):
        weights[target].index_fill_(0, torch.randint(0, N_E, (C_E,)), J)
        weights[target].index_fill_(0, torch.randint(N_E, n, (C_I,)), -G * J)
    cells = snn.Leaky(beta=float(torch.exp(torch.tensor(-DT / TAU))), threshold=THETA, reset_mechanism="zero")
    membrane = THETA * torch.rand(n)
    delay = [torch.zeros(n)] * round(DELAY / DT)
    mean = torch.full((n,), RATE * DT * 1e-3)
    spikes = 0
    yield
    with torch.no_grad():
        for step in range(round(options.dense_ms / DT)):
            current = weights @ delay[step % len(delay)] + J * torch.poisson(mean)
            spike, membrane = cells(current, membrane)
            delay[step % len(delay)] = spike
            spikes += int(spike.sum())
    yield spikes, options.dense_ms


SIMULATORS = {f.__name__: f for f in (tessera, nest, brian2, snntorch)}


def measure(name, options):
    """In this process: import, build, run; prints one line of JSON."""
    phases, marks = SIMULATORS[name](options), [time.perf_counter()]
    for result in phases:
        marks.append(time.perf_counter())
    spikes, simulated = result
    imported, built, ran = (b - a for a, b in zip(marks, marks[1:]))
    print(json.dumps(dict(imported=imported, built=built, ran=ran * options.time / simulated,
                          rate=spikes / (N_E + N_I) / simulated * 1e3)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulators", nargs="*", metavar="SIMULATOR", help=", ".join(SIMULATORS) + "; default: all")
    parser.add_argument("--time", type=float, default=1000.0, help="ms of model time")
    parser.add_argument("--dense-ms", type=float, default=50.0, help="ms of model time of the dense one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--measure", choices=SIMULATORS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.measure, options)
    if unknown := set(options.simulators) - set(SIMULATORS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(SIMULATORS)}")
    results = {name: [] for name in options.simulators or SIMULATORS}
    for _ in range(options.repeat):  # in turn, so that a slow minute of the machine hits all
        for name in results:
            command = [sys.executable, __file__, "--measure", name, *(f"--{k}={getattr(options, k.replace('-', '_'))}"
                                                                      for k in ("time", "dense-ms", "threads"))]
            out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if out.returncode != 0:
                print(f"{name}: {out.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                continue
            results[name].append(json.loads(out.stdout.strip().splitlines()[-1]))
    print("| | import, s | build, s | run, s | build + run, s | spikes/s |\n|---|---|---|---|---|---|")
    for name, runs in results.items():
        if runs:
            median = {k: statistics.median(r[k] for r in runs) for k in runs[0]}
            print(f"| {name} | {median['imported']:.2f} | {median['built']:.2f} | {median['ran']:.2f} | "
                  f"{median['built'] + median['ran']:.2f} | {median['rate']:.1f} |")


if __name__ == "__main__":
    main()
