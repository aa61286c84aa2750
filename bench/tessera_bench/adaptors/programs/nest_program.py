"""The balanced network in NEST. Usage: nest_program.py JSON (see __init__.py of this folder).

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import math
import sys
import time

import nest


def main() -> None:
    job = json.loads(sys.argv[1])
    p = job["parameters"]
    start = time.perf_counter()
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.set(local_num_threads=job["threads"], resolution=0.1, rng_seed=job["seed"], print_time=False)
    neuron = {"C_m": p["C_m"], "tau_m": p["tau_m"], "tau_syn_ex": p["tau_syn"], "tau_syn_in": p["tau_syn"], "E_L": 0.0,
              "V_th": p["theta"], "V_reset": 0.0, "t_ref": 0.5}
    sizes = [round(9000 * p["scale"]) * p["ranks"], round(2250 * p["scale"]) * p["ranks"]]
    excitatory, inhibitory = (nest.Create("iaf_psc_alpha", int(n), params=neuron) for n in sizes)
    everyone = excitatory + inhibitory
    everyone.V_m = nest.random.normal(5.7, 7.2)
    for source, number, weight in ((excitatory, p["C_E"], p["J"]), (inhibitory, p["C_I"], -p["g"] * p["J"])):
        nest.Connect(source, everyone, {"rule": "fixed_indegree", "indegree": int(number)},
                     {"weight": weight, "delay": 1.5})
    rate = p["eta"] * p["theta"] * p["C_m"] / (p["tau_m"] * p["J"] * math.e * p["tau_syn"])  # per ms
    drive = nest.Create("poisson_generator", params={"rate": 1e3 * rate})
    nest.Connect(drive, everyone, syn_spec={"weight": p["J"], "delay": 1.5})
    recorder = nest.Create("spike_recorder")
    nest.Connect(everyone, recorder)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(job["time_ms"])
    done = time.perf_counter()
    nest.Cleanup()
    times = recorder.get("events", "times")
    counted = int((times > job["discard_ms"]).sum())
    neurons = len(everyone)
    print(json.dumps({
        "version": nest.__version__, "neurons": neurons, "synapses": neurons * int(p["C_E"] + p["C_I"]),
        "spikes": len(times), "mean_rate_hz": 1e3 * counted / neurons / (job["time_ms"] - job["discard_ms"]),
        "construction_seconds": built - start, "run_seconds": done - built}))


if __name__ == "__main__":
    main()
