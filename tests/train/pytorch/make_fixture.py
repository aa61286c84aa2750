#!/usr/bin/env python3
"""Gradients of small spiking networks by PyTorch's autograd, as a reference for src/train.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

  make_fixture.py --write gradients.json    draw networks, spikes and weights; write them with the results
  make_fixture.py --compare gradients.json  compute the results again from the file's networks and weights;
                                            exit 0: equal, 1: not equal, 77: PyTorch is not installed

The networks are written with torch's own matmul, conv2d, avg_pool2d, cross_entropy, ... in float64; only
the spike function has a derivative of its own (a torch.autograd.Function), and the reset is detached.
"""
import argparse
import json
import math
import sys

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(f"SKIPPED: gradients were not compared with PyTorch, because it cannot be imported ({error}).")
    sys.exit(77)

STEPS, SAMPLES, CLASSES = 12, 3, 3
LIF = dict(neuron="lif", reset="zero", surrogate="superspike", steepness=4.0, alpha=0.9,
           threshold=1.0, capacitance=1.0)
READOUT = dict(name="readout", neuron="readout", size=CLASSES, alpha=0.85, capacitance=1.0)


def cases():
    """The networks: between them every neuron, reset, surrogate, loss and connection but delays."""
    yield dict(name="lif_two_hidden", input=[1, 1, 10], loss=["cross_entropy", "sum"], layers=[
        LIF | dict(name="first", size=9, bias=True),
        LIF | dict(name="second", size=7, capacitance=1.5),
        READOUT | dict(bias=True)])
    yield dict(name="recurrent_subtract", input=[1, 1, 8], loss=["cross_entropy", "mean"], layers=[
        LIF | dict(name="first", size=9, recurrent=True, reset="subtract", surrogate="arctan"),
        LIF | dict(name="second", size=6, recurrent=True), READOUT])
    yield dict(name="synaptic_trained_decays", input=[1, 1, 8], loss=["mean_squared_error", "mean"], layers=[
        LIF | dict(name="first", size=8, neuron="synaptic_lif", kappa=0.7, surrogate="sigmoid",
                   train=["alpha", "kappa"]),
        LIF | dict(name="second", size=6, neuron="synaptic_lif", kappa=0.5, recurrent=True),
        READOUT | dict(train=["alpha"])])
    yield dict(name="adaptive_recurrent", input=[1, 1, 8], loss=["cross_entropy_per_step", "sum"], layers=[
        LIF | dict(name="first", size=8, neuron="adaptive_lif", rho=0.9, adaptation_strength=0.2,
                   surrogate="triangular", steepness=0.8, recurrent=True, train=["alpha", "rho"]),
        LIF | dict(name="second", size=6, neuron="adaptive_lif", rho=0.8, adaptation_strength=0.3,
                   reset="subtract"), READOUT])
    yield dict(name="convolution", input=[7, 6, 2], loss=["cross_entropy", "max"], layers=[
        LIF | dict(name="first", convolution=dict(filters=3, kernel=3, stride=1, padding=1)),
        LIF | dict(name="second", convolution=dict(filters=4, kernel=2, stride=2, padding=0),
                   pool=2, pooling="sum"),
        READOUT])
    yield dict(name="pooled_last", input=[6, 6, 2], loss=["cross_entropy", "last"], layers=[
        LIF | dict(name="first", size=8, pool=2, pooling="average",
                   regulariser=[2.0, 0.2, 0.3]), READOUT])
    yield dict(name="spike_count", input=[1, 1, 8], loss=["spike_count", "sum"], layers=[
        LIF | dict(name="first", size=9, surrogate="piecewise_linear", steepness=0.4,
                   regulariser=[3.0, 0.3, 0.35]),
        LIF | dict(name="output", size=CLASSES, steepness=2.0)])


class Spike(torch.autograd.Function):
    """1 where x > 0; the derivative is a surrogate of height 1."""

    @staticmethod
    def forward(ctx, x, kind, beta):
        ctx.save_for_backward(x)
        ctx.kind, ctx.beta = kind, beta
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        x = ctx.saved_tensors[0] * ctx.beta
        if ctx.kind == "superspike":
            h = (1 + x.abs()) ** -2
        elif ctx.kind == "arctan":
            h = 1 / (1 + x * x)
        elif ctx.kind == "sigmoid":
            h = 4 * torch.sigmoid(x) * torch.sigmoid(-x)
        elif ctx.kind == "triangular":
            h = (1 - x.abs()).clamp(min=0)
        else:
            h = (x.abs() < 0.5).to(x.dtype)
        return gradient * h, None, None


def feed(layer, weight, spikes, shape):
    """Input of a layer from one step's spikes [samples, height * width * channels]; its shape."""
    height, width, channels = shape
    image = spikes.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
    pool = layer.get("pool", 1)
    if pool > 1:
        image = F.avg_pool2d(image, pool) * (pool * pool if layer["pooling"] == "sum" else 1)
    if "convolution" in layer:
        c = layer["convolution"]
        image = F.conv2d(image, weight.permute(3, 0, 1, 2), stride=c["stride"], padding=c["padding"])
        out = [image.shape[2], image.shape[3], image.shape[1]]
        return image.permute(0, 2, 3, 1).reshape(len(spikes), -1), out
    return image.permute(0, 2, 3, 1).reshape(len(spikes), -1) @ weight, [1, 1, layer["size"]]


def run_layer(layer, p, below, shape):
    """Spikes (or u of a readout) of all steps [steps, samples, neurons], the shape, and the smallest
    distance of a membrane from its threshold."""
    def factor(key):
        logit = p.get(layer["name"] + "." + {"alpha": "membrane", "kappa": "synapse",
                                             "rho": "adaptation"}[key] + "_logit")
        return layer.get(key) if logit is None else torch.sigmoid(logit)
    u = s = current = a = None
    out, margin, kind = [], math.inf, layer["neuron"]
    for t in range(STEPS):
        drive, target = feed(layer, p[layer["name"] + ".weight"], below[t], shape)
        if layer.get("bias"):
            drive = drive + p[layer["name"] + ".bias"]
        if u is None:
            u = s = current = a = torch.zeros_like(drive)
        if layer.get("recurrent"):
            drive = drive + s @ p[layer["name"] + ".recurrent_weight"]
        if kind == "synaptic_lif":
            current = drive = factor("kappa") * current + drive
        if kind == "readout":
            u = factor("alpha") * u + drive / layer["capacitance"]
            out.append(u)
            continue
        kept = u * (1 - s.detach()) if layer["reset"] == "zero" else u - layer["threshold"] * s.detach()
        u = factor("alpha") * kept + drive / layer["capacitance"]
        threshold = layer["threshold"]
        if kind == "adaptive_lif":
            a = factor("rho") * a + s
            threshold = threshold + layer["adaptation_strength"] * a
        s = Spike.apply(u - threshold, layer["surrogate"], layer["steepness"])
        margin = min(margin, (u - threshold).abs().min().item())
        out.append(s)
    return torch.stack(out), target, margin


def loss_of(kind, reduction, trace, labels):
    if kind == "cross_entropy_per_step":
        votes = F.one_hot(trace.argmax(2), CLASSES).sum(0)
        return F.cross_entropy(trace.reshape(-1, CLASSES), labels.repeat(STEPS)), votes
    if kind == "spike_count":
        target = 0.05 + 0.75 * F.one_hot(labels, CLASSES).to(trace.dtype)
        return ((trace.mean(0) - target) ** 2).mean(), trace.sum(0)
    reduced = {"sum": trace.sum(0), "mean": trace.mean(0), "last": trace[-1],
               "max": trace.max(0).values}[reduction]
    if kind == "mean_squared_error":
        return F.mse_loss(reduced, F.one_hot(labels, CLASSES).to(reduced.dtype)), reduced
    return F.cross_entropy(reduced, labels), reduced


def dense(case):
    spikes = torch.zeros(STEPS * SAMPLES, math.prod(case["input"]), dtype=torch.float64)
    for i, channels in enumerate(case["spikes"]):
        spikes[i, channels] = 1
    return spikes.reshape(STEPS, SAMPLES, -1)


def results(case):
    p = {name: torch.tensor(values["values"], dtype=torch.float64).reshape(values["shape"])
         .requires_grad_() for name, values in case["parameters"].items()}
    trace, shape, margin, counts = dense(case), case["input"], math.inf, []
    regulariser = torch.zeros(())
    for layer in case["layers"]:
        trace, shape, distance = run_layer(layer, p, trace, shape)
        margin = min(margin, distance)
        if layer["neuron"] != "readout":
            counts.append(int(trace.sum().item()))
        if "regulariser" in layer:
            strength, low, high = layer["regulariser"]
            z = trace.mean((0, 1))
            regulariser = regulariser + strength * (
                F.relu(low - z) ** 2 + F.relu(z - high) ** 2).mean()
    loss, votes = loss_of(*case["loss"], trace, torch.tensor(case["labels"]))
    (loss + regulariser).backward()
    if margin < 1e-7:
        raise SystemExit(f"{case['name']}: a membrane is {margin} from its threshold; draw another.")
    return dict(loss=loss.item(), regulariser=regulariser.item(), spikes=counts,
                prediction=votes.argmax(1).tolist(), output=trace.detach().flatten().tolist(),
                gradients={name: x.grad.flatten().tolist() for name, x in p.items()})


def draw(case, random):
    """Weights (float32 values, with a positive mean so that neurons spike), logits and input spikes."""
    case["spikes"] = [np.flatnonzero(random.random_sample(math.prod(case["input"])) < 0.3).tolist()
                      for _ in range(STEPS * SAMPLES)]
    case["labels"] = [2, 0, 1]
    parameters, shape = {}, case["input"]

    def add(name, dimensions, values):
        parameters[name] = dict(shape=list(dimensions), values=np.float32(values).flatten().tolist())
    for layer in case["layers"]:
        pool = layer.get("pool", 1)
        pooled = [shape[0] // pool, shape[1] // pool, shape[2]]
        if "convolution" in layer:
            c = layer["convolution"]
            dimensions = [pooled[2], c["kernel"], c["kernel"], c["filters"]]
            shape = [(n + 2 * c["padding"] - c["kernel"]) // c["stride"] + 1 for n in pooled[:2]]
            shape.append(c["filters"])
        else:
            dimensions = [math.prod(pooled), layer["size"]]
            shape = [1, 1, layer["size"]]
        fan_in, size = math.prod(dimensions[:-1]), math.prod(shape)
        gain = 0.0 if layer["neuron"] == "readout" else 1.0
        add(layer["name"] + ".weight", dimensions,
            gain / fan_in + 1.2 / math.sqrt(fan_in) * random.standard_normal(dimensions))
        if layer.get("recurrent"):
            add(layer["name"] + ".recurrent_weight", [size, size],
                0.5 / math.sqrt(size) * random.standard_normal((size, size)))
        if layer.get("bias"):
            add(layer["name"] + ".bias", [size], 0.1 * random.standard_normal(size))
        for key, name in (("alpha", "membrane"), ("kappa", "synapse"), ("rho", "adaptation")):
            if key in layer.get("train", []):
                x = layer[key]
                add(f"{layer['name']}.{name}_logit", [1], [math.log(x / (1 - x))])
    case["parameters"] = parameters


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.13g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


def write(path):
    random = np.random.RandomState(20240611)
    written = []
    for case in cases():
        draw(case, random)
        case["expected"] = rounded(results(case))
        written.append(case)
        print(case["name"], "spikes", case["expected"]["spikes"], "loss", case["expected"]["loss"])
    import datetime
    document = dict(
        provenance=dict(torch=torch.__version__, numpy=np.__version__,
                        date=datetime.date.today().isoformat(),
                        command="tests/train/pytorch/make_fixture.py --write gradients.json",
                        precision="float64; parameters are float32 values"),
        steps=STEPS, samples=SAMPLES, classes=CLASSES, cases=written)
    with open(path, "w") as file:
        file.write(json.dumps(document, separators=(",", ":")).replace('{"name":"', '\n{"name":"') + "\n")


def differences(a, b, where):
    if isinstance(a, dict):
        return [d for key in a for d in differences(a[key], b[key], f"{where}.{key}")]
    if isinstance(a, list):
        if len(a) != len(b):
            return [f"{where}: {len(a)} and {len(b)} values"]
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{where}[{i}]")]
    return [] if math.isclose(a, b, rel_tol=1e-8, abs_tol=1e-11) else [f"{where}: {a} and now {b}"]


def compare(path):
    with open(path) as file:
        document = json.load(file)
    found = []
    for case in document["cases"]:
        found += differences(case["expected"], results(case), case["name"])
    print(*found[:20], sep="\n")
    print(f"{len(document['cases'])} cases made with PyTorch {document['provenance']['torch']}, computed "
          f"again with {torch.__version__}: {len(found)} differences.")
    return 1 if found else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--compare", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write)
    if arguments.compare:
        sys.exit(compare(arguments.compare))
