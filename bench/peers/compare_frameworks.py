#!/usr/bin/env python3
"""Seconds per training batch of dense PyTorch-based frameworks on the benchmark networks.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

2,944 LIF neurons in 2, 3 or 5 hidden layers, a leaky readout of 20 classes, batch 48, 100 steps, float32:
forward, backward and optimiser update, all inside the timed region. Every framework runs in two orders:
  steps   the usual loop: all layers of a step, then the next step
  layers  all steps of a layer (one matrix product for all of them), then the next layer
Compare with the quicker one. Prints csv on standard output and progress on standard error.
"""
import argparse
import csv
import importlib.metadata
import statistics
import sys
import time
import warnings

warnings.filterwarnings("ignore")  # of the frameworks, about torch.jit

import torch
from torch import nn

NEURONS, INPUTS, CLASSES, ALPHA, SLOPE = 2944, 1472, 20, 0.95, 10.0


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient / (SLOPE * x.abs() + 1) ** 2


class PlainLif(nn.Module):
    """A step of LIF neurons by hand: the least PyTorch can do."""

    def forward(self, current, state):
        u, s = (0.0, 0.0) if state is None else state
        u = ALPHA * u * (1.0 - s) + current
        out = Spike.apply(u - 1.0)
        return out, (u, out.detach())


class SnnTorchLif(nn.Module):
    def __init__(self):
        super().__init__()
        import snntorch
        self.cell = snntorch.Leaky(beta=ALPHA, reset_mechanism="zero",
                                   spike_grad=snntorch.surrogate.fast_sigmoid(slope=SLOPE))

    def forward(self, current, state):
        return self.cell(current, torch.zeros_like(current) if state is None else state)


class NorseLif(nn.Module):
    def __init__(self):
        super().__init__()
        import norse.torch as norse
        # dt x tau_mem_inv = 0.05: u <- 0.95 u + 0.05 I, as in the benchmark.
        parameters = norse.LIFBoxParameters(tau_mem_inv=torch.tensor(50.0), method="super",
                                            alpha=torch.tensor(SLOPE))
        self.cell = norse.LIFBoxCell(parameters, dt=0.001)

    def forward(self, current, state):
        return self.cell(current / (1.0 - ALPHA), state)


FRAMEWORKS = {"pytorch": (PlainLif, "torch"), "snntorch": (SnnTorchLif, "snntorch"),
              "norse": (NorseLif, "norse")}


class Network(nn.Module):
    def __init__(self, make_lif, layers, neurons, order):
        super().__init__()
        sizes = [INPUTS] + [neurons // layers] * layers
        # Weights of this deviation let a few per cent of the neurons spike.
        self.linears = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in zip(sizes, sizes[1:]))
        self.lifs = nn.ModuleList(make_lif() for _ in range(layers))
        self.readout = nn.Linear(sizes[-1], CLASSES, bias=False)
        self.order = order

    def forward(self, spikes):  # [steps, samples, inputs] -> sum of the readout over time
        if self.order == "steps":
            states = [None] * len(self.lifs)
            outputs = []
            for x in spikes:
                for i, (linear, lif) in enumerate(zip(self.linears, self.lifs)):
                    x, states[i] = lif(linear(x), states[i])
                outputs.append(self.readout(x))
        else:
            for linear, lif in zip(self.linears, self.lifs):
                state, out = None, []
                for current in linear(spikes):
                    x, state = lif(current, state)
                    out.append(x)
                spikes = torch.stack(out)
            outputs = self.readout(spikes)
        u, total = 0.0, 0.0
        for current in outputs:
            u = ALPHA * u + current
            total = total + u
        return total


def scale_to_activity(network, spikes, activity):
    """Multiplies each layer's weights until about this fraction of its neurons spikes."""
    with torch.no_grad():
        for linear, lif in zip(network.linears, network.lifs):
            low, high = 0.0, 100.0
            weight = linear.weight.clone()
            for _ in range(12):
                factor = (low + high) / 2.0
                linear.weight.copy_(weight * factor)
                state, out = None, []
                for current in linear(spikes):
                    x, state = lif(current, state)
                    out.append(x)
                found = torch.stack(out)
                low, high = (factor, high) if found.mean() < activity else (low, factor)
            spikes = found
    return spikes.mean().item()


def measure(framework, order, layers, activity, a):
    torch.manual_seed(1)
    network = Network(FRAMEWORKS[framework][0], layers, a.neurons, order)
    spikes = (torch.rand(a.steps, a.batch, INPUTS) < activity).float()
    labels = torch.randint(CLASSES, (a.batch,))
    reached = scale_to_activity(network, spikes, activity)
    if a.optimizer == "sgd":
        optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)
    else:
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5)
    seconds = []
    for repeat in range(a.repeats + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(spikes), labels).backward()
        optimizer.step()
        if repeat > 0:  # the first one warms up
            seconds.append(time.perf_counter() - start)
    return reached, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frameworks", nargs="+", default=list(FRAMEWORKS), choices=list(FRAMEWORKS))
    parser.add_argument("--orders", nargs="+", default=["steps", "layers"], choices=["steps", "layers"])
    parser.add_argument("--layers", nargs="+", type=int, default=[2, 3, 5])
    parser.add_argument("--activity", nargs="+", type=float, default=[0.05, 0.02, 0.01])
    parser.add_argument("--optimizer", default="sgd", choices=["sgd", "adamw"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--neurons", type=int, default=NEURONS)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--steps", type=int, default=100)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    table = csv.writer(sys.stdout)
    table.writerow(["framework", "version", "torch", "order", "hidden_layers", "neurons", "activity",
                    "last_layer_activity", "batch", "steps", "optimizer", "threads", "repeats",
                    "median_s", "fastest_s", "slowest_s"])
    for framework in a.frameworks:
        version = importlib.metadata.version(FRAMEWORKS[framework][1])
        for order in a.orders:
            for layers in a.layers:
                for activity in a.activity:
                    print(f"{framework} {order} {layers} layers {activity:.0%}", file=sys.stderr)
                    reached, seconds = measure(framework, order, layers, activity, a)
                    table.writerow([framework, version, torch.__version__, order, layers,
                                    a.neurons // layers * layers, activity, f"{reached:.4f}", a.batch,
                                    a.steps, a.optimizer, a.threads, a.repeats,
                                    f"{statistics.median(seconds):.4f}", f"{min(seconds):.4f}",
                                    f"{max(seconds):.4f}"])
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
