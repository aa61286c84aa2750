"""Sparse layers inside of PyTorch, against the same network written in PyTorch alone."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import tessera
from tessera import train

torch = pytest.importorskip("torch", reason="PyTorch is not installed: NOTHING OF tessera.torch WAS TESTED")
from tessera.torch import SparseLayers  # noqa: E402

torch.set_num_threads(1)  # tiny tensors: threads that wait for each other cost more than they bring
INPUTS, HIDDEN, CLASSES, STEPS, SAMPLES = 12, 20, 3, 25, 8
ALPHA, BETA, READOUT = 0.9, 10.0, 0.95


def network(**more):
    hidden = train.Layer("hidden", HIDDEN, alpha=ALPHA, bias=True, initial_gain=3.0, recurrent={"kind": "dense"}, **more)
    return train.Network([hidden, train.Layer("out", CLASSES, neuron="readout", alpha=READOUT)], inputs=INPUTS, classes=CLASSES,
                         steps=STEPS)


def data(seed=1):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, SAMPLES)
    return torch.tensor((rng.random((STEPS, SAMPLES, INPUTS)) < 0.25).astype(np.float32)), torch.tensor(labels)


class Spike(torch.autograd.Function):
    """The surrogate of docs/training.md: 1 / (1 + beta |x|)^2."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, derivative):
        (x,) = ctx.saved_tensors
        return derivative / (1 + BETA * x.abs()) ** 2


def in_pytorch(spikes, w, trace=None):
    """u = alpha u (1 - s) + I, s = u > 1, the reset detached; readout u = alpha u + I. `w`: parameters by name."""
    u = s = torch.zeros(spikes.shape[1], HIDDEN, dtype=spikes.dtype)
    v, output = torch.zeros(spikes.shape[1], CLASSES, dtype=spikes.dtype), []
    for x in spikes:
        current = x @ w["hidden.weight"] + s @ w["hidden.recurrent_weight"] + w["hidden.bias"]
        before = s
        if trace is not None:
            current.retain_grad()
        u = ALPHA * u * (1 - s.detach()) + current
        s = Spike.apply(u - 1.0)
        v = READOUT * v + s @ w["out.weight"]
        output.append(v)
        if trace is not None:
            trace.append((x, before.detach(), current, (u.detach() - 1.0).abs().min(), s.detach()))
    return torch.stack(output)


def parameters(layers):
    return {name.removeprefix("layers."): p for name, p in layers.named_parameters()}


# The same weights in PyTorch with float64. Of float32, a sum of n terms is off by at most n eps / 2 times the sum of their
# magnitudes. The gradient of a weight is a sum over steps and samples of what its source sent times the derivative by its
# target's current, which itself comes through at most 2 steps + HIDDEN + CLASSES operations.
def test_output_and_gradients_are_those_of_pytorch():
    spikes, labels = data()
    layers = SparseLayers(network(), seed=3, threads=2)
    w = {name: p.detach().double().requires_grad_() for name, p in parameters(layers).items()}
    trace = []
    wanted = in_pytorch(spikes.double(), w, trace)
    eps = np.finfo(np.float32).eps
    assert min(t[3] for t in trace) > STEPS * (INPUTS + HIDDEN) * eps  # no spike is a matter of rounding
    output = layers(spikes)
    assert sum(t[4].sum() for t in trace) > 200  # and there are some
    most = sum(t[4] for t in trace) @ w["out.weight"].abs().detach()
    assert ((output - wanted).abs() <= (STEPS + HIDDEN) * eps * most).all()

    for u in (output, wanted):
        torch.nn.functional.cross_entropy(u.sum(0).to(u.dtype) / STEPS, labels).backward()
    through = (2 * STEPS + HIDDEN + CLASSES + STEPS * SAMPLES) * eps
    found = parameters(layers)
    magnitude = {"hidden.weight": sum(x.T @ i.grad.abs() for x, _, i, _, _ in trace),
                 "hidden.recurrent_weight": sum(s.T @ i.grad.abs() for _, s, i, _, _ in trace),
                 "hidden.bias": sum(i.grad.abs().sum(0) for _, _, i, _, _ in trace)}
    for name, sizes in magnitude.items():
        assert (w[name].grad.abs() > 1e-4).any()
        assert ((found[name].grad - w[name].grad).abs() <= 4 * through * sizes + 1e-9).all(), name
    assert found["out.weight"].grad == pytest.approx(w["out.weight"].grad, rel=through, abs=through * 0.1)


# With a readout whose output is summed, the gradient of its weights is the decayed count of spikes, by hand: one spike in step t
# is in the sum 1 + a + ... + a^(T-1-t) times.
def test_the_gradient_of_a_readout_by_hand():
    layers = SparseLayers(network(), seed=3)
    spikes, _ = data()
    output = layers(spikes)
    rows = layers.spikes("hidden")
    assert rows.dtype == torch.int64 and rows.shape[1] == 3 and len(rows) > 200
    output.sum().backward()
    wanted = torch.zeros(HIDDEN, dtype=torch.float64)
    for step, _, neuron in rows.tolist():
        wanted[neuron] += (1 - READOUT ** (STEPS - step)) / (1 - READOUT)
    assert torch.allclose(parameters(layers)["out.weight"].grad.double(), wanted[:, None].expand(-1, CLASSES), rtol=1e-5)


def test_an_optimiser_of_pytorch_trains_layers_between_others():
    torch.manual_seed(0)
    spikes, labels = data()
    layers, head = SparseLayers(network(), seed=3, threads=1), torch.nn.Linear(CLASSES, CLASSES)
    optimiser = torch.optim.Adam([*layers.parameters(), *head.parameters()], lr=0.01)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(head(layers(spikes).mean(0)), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    assert layers(spikes).requires_grad
    again = SparseLayers(network(), seed=9)
    again.load_state_dict(layers.state_dict())
    assert torch.equal(again(spikes), layers(spikes))


def test_batches_between_forward_and_backward_do_not_mix():
    (a, la), (b, lb) = data(1), data(2)
    one, two = SparseLayers(network(), seed=3), SparseLayers(network(), seed=3)
    for x, label in ((a, la), (b, lb)):
        torch.nn.functional.cross_entropy(two(x).mean(0), label).backward()
    both = [torch.nn.functional.cross_entropy(one(x).mean(0), label) for x, label in ((a, la), (b, lb))]
    both[1].backward()
    both[0].backward()
    for p, q in zip(one.parameters(), two.parameters()):
        assert torch.allclose(p.grad, q.grad, rtol=1e-6, atol=0)


def test_arrays_become_tensors_without_a_copy():
    trainer = train.Trainer(network(), seed=3)
    spikes, labels = data()
    samples = train.Data.from_dense(spikes.transpose(0, 1).numpy(), labels.numpy(), classes=CLASSES)
    result = trainer.forward(samples, range(SAMPLES))
    for array in (result.output, result.predictions, *trainer.gradients(samples, [0, 1]).values(), *trainer.weights.values()):
        tensor = torch.from_dlpack(array)
        assert tensor.data_ptr() == array.__array_interface__["data"][0] and tuple(tensor.shape) == array.shape
    for kind in (torch.uint8, torch.bool, torch.float64, torch.int64, torch.float16):
        layers = SparseLayers(network(), seed=3)
        assert torch.equal(layers(spikes.to(kind)), torch.from_dlpack(result.output))
    strided = spikes.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    assert torch.equal(SparseLayers(network(), seed=3)(strided), torch.from_dlpack(result.output))


def test_a_gradient_threshold_makes_gradients_sparse():
    spikes, labels = data()
    grads = []
    for threshold in (None, 0.9, 1e6):
        layers = SparseLayers(network(), seed=3, gradient_threshold=threshold)
        with torch.no_grad():
            parameters(layers)["hidden.bias"][:5] = -5.0  # these never spike
        loss = torch.nn.functional.cross_entropy(layers(spikes).mean(0), labels)
        silent = np.setdiff1d(np.arange(HIDDEN), layers.spikes("hidden")[:, 2])
        loss.backward()
        grads.append(parameters(layers)["hidden.bias"].grad)
    # Without a threshold all pass a gradient; above any membrane only neurons that spike do.
    assert len(silent) > 0 and (grads[0][silent] != 0).all() and (grads[2][silent] == 0).all()
    assert (grads[1] != grads[0]).any()


def test_initial_activity():
    spikes, _ = data()
    layers = SparseLayers(network(initial_activity=0.1), seed=3)
    layers.initialise_activity(spikes)
    layers(spikes)
    assert len(layers.spikes("hidden")) / (STEPS * SAMPLES * HIDDEN) == pytest.approx(0.1, rel=0.11)


def test_mistakes_are_named():
    import copy
    import pickle

    layers = SparseLayers(network())
    spikes, _ = data()
    for wrong, kind, words in ((spikes[1:], tessera.InputError, "spikes.*25, samples, 12"), (spikes[:, :0], tessera.InputError, "spikes"),
                               (spikes.numpy(), TypeError, "spikes must be a tensor"), (spikes[0], tessera.InputError, "spikes"),
                               (spikes.clone().requires_grad_(), tessera.InputError, "detach"),
                               (spikes.to(torch.complex64), tessera.InputError, "dense tensor")):
        with pytest.raises(kind, match=words):
            layers(wrong)
    with pytest.raises(tessera.InputError, match="no batch"):
        layers.spikes("hidden")
    with pytest.raises(TypeError, match="network"):
        SparseLayers("net")
    with pytest.raises(tessera.InputError, match="hidden.weight.*float64"):
        SparseLayers(network()).double()(spikes)
    with torch.no_grad():
        layers.layers["hidden"].weight[0, 0] = float("nan")
    with pytest.raises(tessera.InputError, match="hidden.weight"):
        layers(spikes)
    for action in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="state_dict"):
            action(layers)
    rewiring = train.Network([train.Layer("hidden", 20, connection={"density": 0.2}, rewiring={"rule": "deep_r"}),
                              train.Layer("out", 2, neuron="readout")], inputs=10, classes=2, steps=5)
    with pytest.raises(tessera.InputError, match="rewires"):
        SparseLayers(rewiring)


def test_a_loss_that_is_not_finite_is_refused():
    layers = SparseLayers(network())
    with pytest.raises(tessera.InputError, match="finite"):
        (layers(data()[0]).sum() * float("nan")).backward()
