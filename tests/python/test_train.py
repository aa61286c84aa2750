"""Training: the same weights as the command, gradients that fit finite differences, data from arrays."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import json
import os
import signal
import subprocess
import threading

import numpy as np
import pytest
import tessera
from conftest import REPOSITORY, command
from tessera import train

YIN_YANG = REPOSITORY / "models" / "training" / "yin_yang.toml"


def two_channels(count=60, steps=12):
    """Class 1 spikes on channel 1, class 0 on channel 0: a single weight tells them apart."""
    labels = np.arange(count) % 2
    spikes = np.zeros((count, steps, 2), np.uint8)
    spikes[np.arange(count), 2 + np.arange(count) % 5, labels] = 1
    return train.Data.from_dense(spikes, labels)


def network(hidden=12, **keys):
    return train.Network([train.Layer("hidden", hidden, tau_mem="10 ms", initial_activity=0.1, **keys),
                          train.Layer("out", 2, neuron="readout", tau_mem="20 ms")], inputs=2, classes=2, steps=12)


def test_the_command_gives_the_same_weights(tmp_path):
    subprocess.run([command(), "train", YIN_YANG, "--set", "neurons=30", "--epochs", "2", "--out", tmp_path / "r"], check=True,
                   capture_output=True)
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    net = train.Network.load(YIN_YANG, neurons=30)
    trainer = train.Trainer(net, epochs=2, threads=1)
    with pytest.warns(UserWarning, match="dead"):
        history = trainer.fit(net.open("train"))
    assert trainer.digest in json.dumps(report)
    csv = (tmp_path / "r" / "metrics.csv").read_text().splitlines()
    assert len(csv) == 3 and len(history) == 2
    assert history["loss"] == pytest.approx([float(row.split(",")[csv[0].split(",").index("loss")]) for row in csv[1:]], rel=1e-4)
    other = train.Trainer(train.Network.load(YIN_YANG, neurons=30))
    other.load_weights(tmp_path / "r" / "weights.safetensors")
    assert other.digest == trainer.digest
    test = net.open("test")
    assert other.evaluate(test) .accuracy == trainer.evaluate(test).accuracy > 0.5


def test_a_network_built_in_python_is_the_one_of_a_file(tmp_path):
    """The layers of Yin-Yang as objects, its samples as events: the same weights as from its file."""
    net = train.Network.load(YIN_YANG, neurons=20)
    data = net.open("train")
    parts = [data[i] for i in range(len(data))]
    events = train.Data.from_events(np.concatenate([np.full(len(t), i) for i, (t, _, _) in enumerate(parts)]),
                                    np.concatenate([t for t, _, _ in parts]).astype(float),
                                    np.concatenate([u for _, u, _ in parts]), [label for _, _, label in parts],
                                    channels=5, steps=80)
    built = train.Network([train.Layer("hidden", 20, neuron="lif", tau_mem="30 ms", reset="subtract", initial_activity=0.02),
                           train.Layer("output", 3, neuron="readout", tau_mem="20 ms")], inputs=5, classes=3, steps=80)
    a = train.Trainer(net, epochs=1)
    b = train.Trainer(built, epochs=1, optimizer={"learning_rate": 0.005}, schedule="cosine", second_threshold={"target": 0.7},
                      batch=50, validation=0.1667)
    a.fit(data)
    b.fit(events)
    assert a.digest == b.digest


def test_a_task_that_one_weight_solves_is_learned():
    data = two_channels()
    seen = []
    trainer = train.fit(network(), data, callback=lambda e: seen.append(e.epoch), epochs=20, batch=10,
                        optimizer={"learning_rate": 0.02})
    assert seen == list(range(1, 21)) and len(trainer.history) == 20
    result = trainer.evaluate(data)
    assert result.accuracy == 1.0 and result.confusion.tolist() == [[30, 0], [0, 30]]
    assert trainer.history["loss"][-1] < trainer.history["loss"][0]
    assert trainer.history[trainer.best_epoch - 1].best


def test_gradients_are_finite_differences_of_the_readout():
    """The loss depends smoothly on the weights of the readout, whatever the hidden layer does."""
    data, samples = two_channels(), np.arange(10)
    trainer = train.Trainer(network(), strategy="reference")
    trainer.initialise_activity(data, samples)  # so that the hidden layer spikes
    gradient = trainer.gradients(data, samples)["out.weight"]
    weights = trainer.weights
    at = np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape)
    assert abs(gradient[at]) > 1e-4
    losses = []
    for shift in (-0.01, 0.01):
        moved = weights["out.weight"].copy()
        moved[at] += shift
        trainer.weights = {"out.weight": moved}
        losses.append(trainer.forward(data, samples).loss)
    assert (losses[1] - losses[0]) / 0.02 == pytest.approx(gradient[at], rel=1e-2)


def test_forward_follows_the_equation_of_the_readout():
    """u[t] = alpha u[t-1] + w . s[t], with the spikes of the hidden layer."""
    data = two_channels()
    trainer = train.fit(network(), data, epochs=2)
    r = trainer.forward(data, [3, 8], spikes=["hidden"])
    assert r.output.shape == (12, 2, 2)
    weight, alpha = trainer.weights["out.weight"], np.exp(-1 / 20)
    for sample in range(2):
        spikes = np.zeros((12, 12))
        for step, neuron in r.spikes["hidden"][sample]:
            spikes[step, neuron] = 1
        assert spikes.sum() > 0
        u = np.zeros(2)
        for step in range(12):
            u = alpha * u + spikes[step] @ weight
            assert r.output[step, sample] == pytest.approx(u, abs=1e-5)


def test_samples_come_back_whatever_way_they_came():
    spikes = np.random.default_rng(1).random((5, 9, 4)) < 0.3
    labels = [0, 2, 1, 1, 0]
    dense = train.Data.from_dense(spikes, labels)
    i, t, c = np.nonzero(spikes)
    order = np.random.default_rng(2).permutation(len(i))
    twice = np.concatenate([order, order[:7]])  # two spikes of one channel in one step are one
    events = train.Data.from_events(i[twice], 2.0 * t[twice] + 1.5, c[twice], labels, channels=4, steps=9, dt="2 ms")
    listed = train.Data.from_samples([((t[i == n] + 0.5) / 1000, c[i == n], labels[n]) for n in range(5)], channels=4, steps=9,
                                     time_unit="s")
    for data in (dense, events, listed):
        assert (len(data), data.steps, data.shape, data.classes) == (5, 9, (1, 1, 4), 3)
        assert data.labels.tolist() == labels
        for n in range(5):
            step, channel, label = data[n]
            made = np.zeros((9, 4), bool)
            made[step, channel] = True
            assert np.array_equal(made, spikes[n]) and label == labels[n] and len(step) == spikes[n].sum()


def test_a_callback_and_ctrl_c_end_a_training():
    data = two_channels()
    trainer = train.Trainer(network(), epochs=1000)
    assert len(trainer.fit(data, callback=lambda e: e.epoch == 3)) == 3
    began = threading.Event()

    def interrupt():
        began.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        train.Trainer(network(), epochs=1_000_000).fit(data, on_batch=lambda *_: began.set())
    thread.join()
    with pytest.raises(ZeroDivisionError):
        trainer.fit(data, callback=lambda e: 1 / 0)
    assert 0.0 <= trainer.evaluate(data).accuracy <= 1.0


def test_silent_layers_are_warned_of():
    net = train.Network([train.Layer("hidden", 4, threshold=1000.0), train.Layer("out", 2, neuron="readout")], inputs=2,
                        classes=2, steps=12)
    with pytest.warns(UserWarning, match="hidden"):
        train.fit(net, two_channels(), epochs=1)


def test_weights_are_copies_and_settable():
    trainer = train.Trainer(network(bias=True))
    weights = trainer.weights
    assert {n: w.shape for n, w in weights.items()} == {"hidden.weight": (2, 12), "hidden.bias": (12,), "out.weight": (12, 2)}
    weights["hidden.weight"][:] = 7
    assert not (trainer.weights["hidden.weight"] == 7).any()
    trainer.weights = {"hidden.weight": np.asfortranarray(np.full((2, 12), 7.0))}
    assert (trainer.weights["hidden.weight"] == 7).all()


def test_mistakes_name_the_argument():
    net, data = network(), two_channels()
    trainer = train.Trainer(net)
    E, T = tessera.InputError, TypeError
    for error, match, action in [
        (T, "layers must be a list", lambda: train.Network("x", inputs=2, classes=2, steps=5)),
        (E, "neuron", lambda: train.Network([train.Layer("a", 3, neuron="lief")], inputs=2, classes=2, steps=5)),
        (E, "tau_men", lambda: train.Network([train.Layer("a", 3, tau_men=3)], inputs=2, classes=2, steps=5)),
        (E, "optimizer", lambda: train.Trainer(net, optimizer="adm")),
        (T, "loss must be a dictionary", lambda: train.Trainer(net, loss=3)),
        (E, "batch", lambda: train.Trainer(net, batch=0)),
        (E, "loss: the training file says it", lambda: train.Trainer(train.Network.load(YIN_YANG), loss="cross_entropy")),
        (T, "data must be", lambda: trainer.fit([1, 2])),
        (E, "samples: entry 0 is 60", lambda: trainer.forward(data, [60])),
        (E, "samples: there must be", lambda: trainer.forward(data, [])),
        (E, "spikes: there is no 'hiden'.*hidden", lambda: trainer.forward(data, [0], spikes=["hiden"])),
        (E, "does not fit", lambda: trainer.forward(train.Data.from_dense(np.zeros((3, 5, 2)), [0, 1, 0]), [0])),
        (E, "weights: there is no 'x'", lambda: setattr(trainer, "weights", {"x": 1})),
        (E, r"hidden.weight: has the shape \(3,\)", lambda: setattr(trainer, "weights", {"hidden.weight": np.zeros(3)})),
        (E, "not finite", lambda: setattr(trainer, "weights", {"hidden.weight": np.full((2, 12), np.nan)})),
        (E, "labels: must have 3 entries", lambda: train.Data.from_dense(np.zeros((3, 5, 2)), [0, 1])),
        (E, "labels: the largest is 4", lambda: train.Data.from_dense(np.zeros((1, 5, 2)), [4], classes=2)),
        (E, "spikes: must have the dimensions", lambda: train.Data.from_dense(np.zeros((3, 5)), [0, 1, 0])),
        (E, "shape: .*5 channels, but the array has 2", lambda: train.Data.from_dense(np.zeros((1, 5, 2)), [0], shape=5)),
        (E, "times: entry 1 is 9.0 ms, after the end",
         lambda: train.Data.from_events([0, 0], [1, 9], [0, 1], [1], channels=2, steps=5)),
        (E, "times: entry 0 is -1.0", lambda: train.Data.from_events([0], [-1], [0], [1], channels=2, steps=5)),
        (E, "units: entry 0 is 7", lambda: train.Data.from_events([0], [1], [7], [1], channels=2, steps=5)),
        (T, r"samples: number 0 must be", lambda: train.Data.from_samples([3], channels=2, steps=5)),
        (E, "network: .*no data set", lambda: net.open()),
    ]:
        with pytest.raises(error, match=match):
            action()
    assert len(train.Data.from_events([0, 0], [1, 9], [0, 1], [1], channels=2, steps=5, crop=True)[0][0]) == 1


# ----------------------------------------------------------------------------------- checkpoints


def learner(epochs, **more):
    return train.Trainer(network(), epochs=epochs, batch=10, seed=5, validation=0.2, threads=1, optimizer={"learning_rate": 0.01}, **more)


@pytest.mark.filterwarnings("ignore")
def test_a_training_that_goes_on_is_one_that_was_never_interrupted(tmp_path):
    data = two_channels()
    whole = learner(6)
    history = whole.fit(data)
    for stop in (1, 4):
        folder = tmp_path / str(stop)
        learner(6).fit(data, checkpoint=folder, callback=lambda epoch: epoch.epoch == stop)
        later = learner(6).restore(folder)
        assert len(later.history) == stop
        assert np.array_equal(later.fit(data, checkpoint=folder)["loss"], history["loss"])
        assert (later.digest, later.best_epoch) == (whole.digest, whole.best_epoch)
        assert np.array_equal(later.history["validation_accuracy"], history["validation_accuracy"])
    more = learner(8).restore(tmp_path / "1")  # it went on until 6
    assert np.array_equal(more.fit(data, keep_best=False)["loss"][:6], history["loss"]) and len(more.history) == 8
    untouched = learner(8)
    untouched.fit(data, keep_best=False)
    assert more.digest == untouched.digest


@pytest.mark.filterwarnings("ignore")
def test_checkpoints_that_do_not_fit_are_refused(tmp_path):
    data, folder = two_channels(), tmp_path / "c"
    learner(2).fit(data, checkpoint=folder)
    for other in (train.Trainer(network(13), epochs=3), train.Trainer(network(), epochs=3, batch=10, seed=6)):
        before = other.digest
        with pytest.raises(tessera.InputError, match="another network"):
            other.restore(folder)
        assert other.digest == before
    done = learner(2).restore(folder)
    with pytest.raises(tessera.InputError, match="2 epochs already"):
        done.fit(data)
    later = learner(3).restore(folder)
    with pytest.raises(tessera.InputError, match="other samples"):
        later.fit(two_channels(40))
    assert len(later.fit(data)) == 3  # what was refused has used nothing up
    file = folder / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(tessera.InputError):
        learner(3).restore(folder)
    with pytest.raises(tessera.InputError):
        learner(3).restore(tmp_path / "nothing")
    with pytest.raises(TypeError, match="checkpoint"):
        learner(1).fit(data, checkpoint=3)


def test_pickling_and_forking_say_what_is_not_possible():
    import pickle

    trainer = learner(1)
    with pytest.raises(TypeError, match="restore"):
        pickle.dumps(trainer)
    with pytest.raises(TypeError, match="arrays"):
        pickle.dumps(two_channels())
    trainer._process -= 1  # as a child of a fork sees it
    with pytest.raises(tessera.RunError, match="fork"):
        trainer.evaluate(two_channels())


def test_a_picture_of_the_confusion():
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed: NO PICTURE WAS TESTED")
    pyplot.switch_backend("Agg")
    evaluation = train.Evaluation(0.0, 0.7, np.array([[3, 1], [0, 0]]), [])
    axes = evaluation.plot(names=["left", "right"])
    assert axes.images[0].get_array().tolist() == [[0.75, 0.25], [0.0, 0.0]]  # shares of a row; a class without samples has none
    assert [(t.get_text(), t.get_position()) for t in axes.texts] == [("3", (0, 0)), ("1", (1, 0))]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["left", "right"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("prediction", "label")
    with pytest.raises(tessera.InputError, match="names"):
        evaluation.plot(names=["one"])
