#!/usr/bin/env python3
# Writes tables of a stand-in for the multi-area model, with any number of areas: python3 make_stand_in.py FOLDER AREAS
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""The rule (README.md has it in words): every area is the microcircuit of Potjans and Diesmann (2014) in a size of its
own; areas lie on a ring and send thin projections to those within 60 % of the others, fewer with the distance."""
import math
import pathlib
import struct
import sys
import zipfile

LAYERS = ["23E", "23I", "4E", "4I", "5E", "5I", "6E", "6I"]
SIZE = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
RATE = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829]  # 1/s
K_EXT = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
PROBABILITY = [  # rows are targets
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
    [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443]]
SOURCE_SHARE = {"23E": 0.5, "5E": 0.2, "6E": 0.3}  # of the synapses that leave an area
LONG_RANGE = 800  # synapses per neuron from all other areas
W, G = 87.81, -4.0  # pA, inhibitory over excitatory
SPEED = 3.5  # mm/ms


def distance(a, b, areas):
    """Along the chord of a ring on which neighbours are 6 mm apart, or more where there are few."""
    radius = max(6.0 / (2.0 * math.sin(math.pi / areas)), 10.0) if areas > 1 else 0.0
    return 2.0 * radius * math.sin(math.pi * abs(a - b) / areas)


def area_size(area, areas):
    return 0.75 + 0.5 * ((7 * area + 3) % areas) / areas


def joined(target, source, areas):
    """Three of five ordered pairs of areas are joined, and always the neighbours."""
    return target != source and ((target - source) % areas == 1 or (3 * target + 2 * source) % 5 < 3)


def long_range(populations, areas):
    """Synapses per (target, source) between areas."""
    numbers = {}
    for i, (a, _, n_target) in enumerate(populations):
        pull = {b: math.exp(-distance(a, b, areas) / 12.0) for b in range(areas) if joined(a, b, areas)}
        for j, (b, layer, _) in enumerate(populations):
            if b in pull and layer in SOURCE_SHARE:
                numbers[i, j] = round(n_target * LONG_RANGE * SOURCE_SHARE[layer] * pull[b] / sum(pull.values()))
    return numbers


def local(i_layer, j_layer, n_target):
    """In-degrees are those of the microcircuit, whatever the size of the area."""
    p, pairs = PROBABILITY[i_layer][j_layer], SIZE[i_layer] * SIZE[j_layer]
    return round(n_target * math.log(1.0 - p) / math.log(1.0 - 1.0 / pairs) / SIZE[i_layer]) if p > 0.0 else 0


def npy(rows, kind):
    """A matrix as .npy bytes; kind: 'q' int64, 'f' float32."""
    descr = {"q": "<i8", "f": "<f4"}[kind]
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    data = b"".join(struct.pack(f"<{len(row)}{kind}", *row) for row in rows)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def write_npz(file, **arrays):
    """Without compression, as numpy.savez: the same bytes with every zlib."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, (rows, kind) in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy"), npy(rows, kind))


def main(folder, areas):
    folder.mkdir(parents=True, exist_ok=True)
    populations = [(a, layer, round(area_size(a, areas) * n)) for a in range(areas) for layer, n in zip(LAYERS, SIZE)]
    between = long_range(populations, areas)
    # Half of what other areas send at these rates is taken from the outside: all of it would leave areas silent.
    received = 0.5 * LONG_RANGE * sum(share * RATE[LAYERS.index(layer)] for layer, share in SOURCE_SHARE.items())
    lines = ["area,population,n,ext_rate_hz,w_ext_pA,rate_chi1_nest_hz"]
    for area, layer, n in populations:
        k = LAYERS.index(layer)
        lines.append(f"A{area + 1:02d},{layer},{n},{8 * K_EXT[k] - (received if areas > 1 else 0.0):.0f},{W},{RATE[k]}")
    (folder / "mam_populations.csv").write_text("\n".join(lines) + "\n")
    synapses, ground, metastable, delay = [], [], [], []
    for i, (a, i_name, n_target) in enumerate(populations):
        rows = ([], [], [], [])
        for j, (b, j_name, _) in enumerate(populations):
            i_layer, j_layer = LAYERS.index(i_name), LAYERS.index(j_name)
            inhibitory, chi = j_name[-1] == "I", 1.0
            if a == b:
                number = local(i_layer, j_layer, n_target)
                weight = G * W if inhibitory else 2.0 * W if (i_name, j_name) == ("23E", "4E") else W
                ms = 0.75 if inhibitory else 1.5
            else:
                number = between.get((i, j), 0)
                weight = G * W if inhibitory else W
                chi = 1.9 * (2.0 if i_name[-1] == "I" else 1.0)
                ms = distance(a, b, areas) / SPEED
            for row, value in zip(rows, (number, weight, weight * chi, ms)):
                row.append(value)
        for table, row in zip((synapses, ground, metastable, delay), rows):
            table.append(row)
    write_npz(folder / "mam_synapses.npz", n_syn=(synapses, "q"))
    write_npz(folder / "mam_weights.npz", w_chi1=(ground, "f"), w_chi19=(metastable, "f"))
    write_npz(folder / "mam_delays.npz", delay_ms=(delay, "f"),
              delay_sd_ms=([[0.5 * ms for ms in row] for row in delay], "f"))


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdigit() or int(sys.argv[2]) < 1:
        sys.exit("usage: make_stand_in.py FOLDER AREAS")
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
