"""The balanced network in Brian2. Usage: brian2_program.py JSON (see __init__.py of this folder).

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import math
import sys
import time

import brian2 as b2
import numpy as np
from brian2 import ms, mV, pA, pF


def main() -> None:
    job = json.loads(sys.argv[1])
    p = job["parameters"]
    start = time.perf_counter()
    b2.seed(job["seed"])
    random = np.random.default_rng(job["seed"])
    b2.defaultclock.dt = 0.1 * ms
    excitatory, inhibitory = (round(n * p["scale"]) * p["ranks"] for n in (9000, 2250))
    neurons = excitatory + inhibitory
    constants = {"tau_m": p["tau_m"] * ms, "C_m": p["C_m"] * pF, "tau_syn": p["tau_syn"] * ms}
    # An alpha-shaped current that peaks at one weight: a spike adds e w / tau_syn to the inner variable.
    group = b2.NeuronGroup(neurons, """
        dv/dt = -v / tau_m + I / C_m : volt (unless refractory)
        dI/dt = y - I / tau_syn : amp
        dy/dt = -y / tau_syn : amp / second
        """, threshold=f"v >= {p['theta']} * mV", reset="v = 0 * mV", refractory=0.5 * ms, method="exact", namespace=constants)
    group.v = random.normal(5.7, 7.2, neurons) * mV
    kick = math.e / (p["tau_syn"] * ms)
    networks = [group]
    for first, size, number, weight in ((0, excitatory, p["C_E"], p["J"]), (excitatory, inhibitory, p["C_I"], -p["g"] * p["J"])):
        number = int(number)
        sources = first + random.integers(0, size, neurons * number)
        synapses = b2.Synapses(group, group, on_pre="y_post += jump", delay=1.5 * ms,
                               namespace={"jump": weight * pA * kick})
        synapses.connect(i=sources, j=np.repeat(np.arange(neurons), number))
        networks.append(synapses)
    rate = p["eta"] * p["theta"] * p["C_m"] / (p["tau_m"] * p["J"] * math.e * p["tau_syn"])  # per ms
    # Many sources of a low rate give what one source of the whole rate gives, and fit a binomial draw per step.
    drive = b2.PoissonInput(group, "y", 1000, rate / 1000 / ms, weight=p["J"] * pA * kick)
    monitor = b2.SpikeMonitor(group)
    network = b2.Network(*networks, drive, monitor)
    network.run(0.1 * ms)  # compiles
    built = time.perf_counter()
    network.run(job["time_ms"] * ms - 0.1 * ms)
    done = time.perf_counter()
    times = np.asarray(monitor.t / ms)
    counted = int((times > job["discard_ms"]).sum())
    print(json.dumps({
        "version": b2.__version__, "neurons": neurons, "synapses": neurons * int(p["C_E"] + p["C_I"]),
        "spikes": len(times), "mean_rate_hz": 1e3 * counted / neurons / (job["time_ms"] - job["discard_ms"]),
        "construction_seconds": built - start, "run_seconds": done - built}))


if __name__ == "__main__":
    main()
