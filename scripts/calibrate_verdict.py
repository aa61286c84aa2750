#!/usr/bin/env python3
"""Bars for the verdict on the microcircuit, from many seeds; and how often it is wrong with them.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

  python3 scripts/calibrate_verdict.py run base 1 64       # seeds 1 .. 64 of the model as it is
  python3 scripts/calibrate_verdict.py run all 101 116     # and of every changed model (names below)
  python3 scripts/calibrate_verdict.py bars                # writes models/microcircuit/reference/seeds.json
  python3 scripts/calibrate_verdict.py report              # false alarms, and how many changes are found

Needs NumPy and SciPy, build/release/tessera, and half a minute of one core per run; statistics stay in results/calibration.

The mean m of a measure (and its width: the SD over neurons) varies between seeds with SD s. The reference is R runs of
another simulator, whose own statistics vary with SD r: as s, but for correlations, where it took 250 neurons and not
1,000. A run agrees when |m - mean of the reference| <= t sqrt(s^2 + r^2 / R) for mean and width of all 24 measures.
t is the quantile of Student's distribution at which 48 independent measures give one false alarm in 100 runs.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy import stats

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models/microcircuit/microcircuit.toml"
REFERENCE = ROOT / "models/microcircuit/reference"
OUT = ROOT / "results/calibration"
POPULATIONS = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]
MEASURES = {"rate": "rate", "cv": "cv", "correlation": "cc"}  # and their files in the reference
REFERENCE_PAIRS_FROM = 250
FALSE_ALARM = 0.01
PARTS = ("mean", "width")


def scaled_indegrees(text, factor):
    """All connection probabilities of the table times a factor: so many more synapses, nothing else."""
    head, rest = text.split("probability = [\n", 1)
    table, tail = rest.split("\n]", 1)
    table = re.sub(r"\d\.\d+", lambda number: f"{float(number.group()) * factor:.6f}", table)
    return f"{head}probability = [\n{table}\n]{tail}"


def shifted_delays(text, shift_ms):
    """Mean delays moved, their SDs kept."""
    old = ('mean = { excitatory = "1.5 ms", inhibitory = "0.75 ms" }\nrelative_sd = 0.5')
    assert old in text
    new = (f'mean = {{ excitatory = "{1.5 + shift_ms} ms", inhibitory = "{0.75 + shift_ms} ms" }}\n'
           'sd = { excitatory = "0.75 ms", inhibitory = "0.375 ms" }')
    return text.replace(old, new, 1)


# What a verdict has to find: name -> (options, change of the model file).
CHANGES = {
    "weights_up": (["--set", "g=-4.12"], None),
    "weights_down": (["--set", "g=-3.88"], None),
    "indegree_up": ([], lambda text: scaled_indegrees(text, 1.05)),
    "indegree_down": ([], lambda text: scaled_indegrees(text, 0.95)),
    "delay_up": ([], lambda text: shifted_delays(text, 0.2)),
    "delay_down": ([], lambda text: shifted_delays(text, -0.2)),
}


def run(name, seed):
    OUT.mkdir(parents=True, exist_ok=True)
    if (OUT / f"{name}_{seed}.json").exists():
        return
    options, change = CHANGES.get(name, ([], None))
    model = MODEL
    if change:
        model = OUT / f"{name}.toml"
        model.write_text(change(MODEL.read_text()))
    tessera = str(ROOT / "build/release/tessera")
    result = OUT / f"run_{name}"
    subprocess.run([tessera, "run", str(model), "--time", "10.5s", "--discard", "500ms", "--seed", str(seed),
                    "--record", "spikes", "--out", str(result), "--force", "--quiet", *options], check=True)
    if name == "base":  # as the reference took its correlations, every run from other neurons
        subprocess.run([tessera, "stats", str(result), "--json", str(OUT / f"few_{seed}.json"),
                        "--correlation-neurons", str(REFERENCE_PAIRS_FROM), "--subsample-seed", str(1000 + seed)],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run([tessera, "stats", str(result), "--json", str(OUT / f"{name}_{seed}.json")],
                   check=True, stdout=subprocess.DEVNULL)
    print(name, seed, flush=True)


def load(name):
    """[run][population, measure, mean or width] of all runs of that name, in the order of their seeds."""
    seeds = sorted(int(file.stem.rsplit("_", 1)[1]) for file in OUT.glob(f"{name}_[0-9]*.json"))
    rows = []
    for seed in seeds:
        populations = json.loads((OUT / f"{name}_{seed}.json").read_text())["populations"]
        rows.append([[[populations[p][m]["mean"], populations[p][m]["sd"]] for m in MEASURES] for p in POPULATIONS])
    return np.array(rows)


def reference():
    realisations = sorted(folder for folder in REFERENCE.iterdir() if folder.is_dir())
    values = [[[np.load(folder / f"{file}_{p}.npy").astype(float) for file in MEASURES.values()] for p in POPULATIONS]
              for folder in realisations]
    moments = [[[(np.nanmean(v), np.nanstd(v)) for v in of] for of in realisation] for realisation in values]
    return np.array(moments)


def allowed(runs, few, realisations):
    spread = runs.std(axis=0, ddof=1)
    of_reference = spread.copy()
    of_reference[:, 2] = few.std(axis=0, ddof=1)[:, 2]
    t = stats.t.ppf(1 - FALSE_ALARM / (2 * spread.size), len(runs) - 1)
    return t * np.sqrt(spread**2 + of_reference**2 / realisations)


def write_bars():
    runs, few, nest = load("base"), load("few"), reference()
    bars = allowed(runs, few, len(nest))
    content = {"about": "Bars of the verdict (docs/statistics.md), made by scripts/calibrate_verdict.py",
               "runs": len(runs), "window_ms": 10000, "false_alarm": FALSE_ALARM, "realisations": len(nest),
               "populations": {}}
    for i, population in enumerate(POPULATIONS):
        content["populations"][population] = {
            measure: {part: {"mean": float(f"{runs[:, i, j, k].mean():.5g}"),
                             "sd": float(f"{runs[:, i, j, k].std(ddof=1):.3g}"),
                             "quantiles": [float(f"{q:.5g}") for q in
                                           np.quantile(runs[:, i, j, k], [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])],
                             "allowed": float(f"{bars[i, j, k]:.4g}")} for k, part in enumerate(PARTS)}
            for j, measure in enumerate(MEASURES)}
    text = json.dumps(content, indent=1)
    text = re.sub(r"\[\s+([^\[\]]+?)\s+\]", lambda found: "[" + re.sub(r"\s+", " ", found.group(1)) + "]", text)
    (REFERENCE / "seeds.json").write_text(text + "\n")


def found(runs, centre, bars):
    """Which runs disagree, and the largest deviation of each as a part of what is allowed."""
    off = (np.abs(runs - centre) / bars).reshape(len(runs), -1).max(axis=1)
    return off > 1, off


def report():
    base, few, nest = load("base"), load("few"), reference()
    n, realisations = len(base), len(nest)
    # Any seed may be the run, any others the reference, and the rest give the bars.
    generator = np.random.default_rng(1)
    trials, alarms = 4000, 0
    for _ in range(trials):
        order = generator.permutation(n)
        others = order[realisations + 1:]
        centre = base[order[1:realisations + 1]].mean(axis=0)
        centre[:, 2] = few[order[1:realisations + 1]].mean(axis=0)[:, 2]
        alarms += found(base[order[:1]], centre, allowed(base[others], few[others], realisations))[0].sum()
    print(f"false alarms, a seed against {realisations} others: {alarms} of {trials} ({100 * alarms / trials:.2f} %)")
    bars = allowed(base, few, realisations)
    disagree, off = found(base, nest.mean(axis=0), bars)
    print(f"{n} seeds against the reference: {n - disagree.sum()} agree; largest deviation {off.max():.2f} of the bar")
    for name in CHANGES:
        runs = load(name)
        if len(runs):
            disagree, off = found(runs, nest.mean(axis=0), bars)
            print(f"{name:14s} found in {disagree.sum()} of {len(runs)}; deviations {off.min():.2f} to {off.max():.2f}")


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command == "run" and len(sys.argv) == 5:
        names = list(CHANGES) if sys.argv[2] == "all" else [sys.argv[2]]
        for seed in range(int(sys.argv[3]), int(sys.argv[4]) + 1):
            for name in names:
                run(name, seed)
    elif command == "bars":
        write_bars()
    elif command == "report":
        report()
    else:
        print(__doc__)


if __name__ == "__main__":
    main()
