// Training: models as the text of training files, samples from arrays, the trainer.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "running_trainer.hpp"
#include "tessera/nir.hpp"
#include "tessera/result.hpp"
#include "tessera/training_result.hpp"
#include "tessera/training_text.hpp"

namespace tessera::python {
namespace {

// Samples that Python gave as arrays: entries begin[i] .. begin[i + 1] are the spikes of sample i, ascending by step, then
// channel, none twice (tessera/train/data.py sorts them).
class ArrayData : public SpikeDataset {
 public:
  ArrayData(Shape shape, std::uint32_t steps, std::uint32_t classes, const Array<std::uint64_t>& begin,
            const Array<std::uint32_t>& when, const Array<std::uint32_t>& channel, const Array<std::int32_t>& labels)
      : shape_(shape), steps_(steps), classes_(classes), begin_(begin.data(), begin.data() + begin.shape(0)),
        when_(when.data(), when.data() + when.shape(0)), channel_(channel.data(), channel.data() + channel.shape(0)),
        labels_(labels.data(), labels.data() + labels.shape(0)) {
    const bool fits = begin_.size() == labels_.size() + 1 && begin_.front() == 0 && begin_.back() == when_.size() &&
                      when_.size() == channel_.size() && std::is_sorted(begin_.begin(), begin_.end());
    if (!fits) throw InputError("The arrays of the samples do not fit each other.");
    for (std::size_t i = 0; i < when_.size(); ++i) {
      if (when_[i] >= steps_ || channel_[i] >= shape_.size()) throw InputError("A spike lies outside of its sample.");
    }
  }
  [[nodiscard]] std::string name() const override { return "arrays"; }
  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] Shape shape() const override { return shape_; }
  [[nodiscard]] std::uint32_t steps() const override { return steps_; }
  [[nodiscard]] std::uint32_t classes() const override { return classes_; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override { return labels_[index]; }
  void read(std::size_t index, std::uint64_t, SpikeSample& sample) const override {
    const auto from = static_cast<std::ptrdiff_t>(begin_[index]), to = static_cast<std::ptrdiff_t>(begin_[index + 1]);
    sample.channel.assign(channel_.begin() + from, channel_.begin() + to);
    sample.first.assign(std::size_t{steps_} + 1, 0);
    for (auto i = from; i < to; ++i) ++sample.first[when_[static_cast<std::size_t>(i)] + 1];
    for (std::uint32_t t = 0; t < steps_; ++t) sample.first[t + 1] += sample.first[t];
    sample.label = labels_[index];
    sample.target.clear();
  }

 private:
  Shape shape_;
  std::uint32_t steps_, classes_;
  std::vector<std::uint64_t> begin_;
  std::vector<std::uint32_t> when_, channel_;
  std::vector<std::int32_t> labels_;
};

// Tells Python about epochs and batches; ends the training on an error, a signal, or when a callback says so.
class Listener : public FitObserver {
 public:
  Listener(nb::object on_epoch, nb::object on_batch, nb::object on_warning, TrainingKeeper* keeper = nullptr)
      : on_epoch_(std::move(on_epoch)), on_batch_(std::move(on_batch)), on_warning_(std::move(on_warning)), keeper_(keeper) {}
  void on_epoch(const EpochMetrics& epoch, bool best, const Trainer& trainer) override {
    if (keeper_ != nullptr) keeper_->on_epoch(epoch, best, trainer);
    pending.call([&] {
      const nb::object answer = on_epoch_(metrics_of(epoch), best);
      stop_ = stop_ || (!answer.is_none() && nb::cast<bool>(answer));
    });
  }
  void on_batch(const TrainingProgress& p) override {
    if (on_batch_.is_none()) return;
    pending.call([&] { on_batch_(p.epoch + 1, p.epochs, p.batch, p.batches, p.loss, p.accuracy); });
  }
  void on_warning(const std::string& sentence) override {
    if (on_warning_.is_none()) return;
    pending.call([&] { on_warning_(sentence); });
  }
  [[nodiscard]] bool stop_requested() override { return pending.stop() || stop_; }

  PendingError pending;

 private:
  nb::object on_epoch_, on_batch_, on_warning_;
  TrainingKeeper* keeper_;
  bool stop_ = false;
};

nb::dict fit_with(RunningTrainer& t, const SpikeDataset& data, nb::object on_epoch, nb::object on_batch, nb::object on_warning,
                  std::optional<std::filesystem::path> folder) {
  const Busy busy(t.busy, "trainer");
  FitResult result;
  std::optional<TrainingKeeper> keeper;
  {
    const nb::gil_scoped_release unlocked;
    keeper.emplace(t, data, std::move(folder));
  }
  Listener listener(std::move(on_epoch), std::move(on_batch), std::move(on_warning), &*keeper);
  const Resumed begun = t.resumed ? std::exchange(t.resumed, std::nullopt).value() : Resumed{};
  {
    const nb::gil_scoped_release unlocked;
    result = fit(t.trainer, data, listener, begun.epochs);
  }
  listener.pending.raise();
  nb::dict d;
  d["best_epoch"] = result.best_epoch;
  d["best_weights"] = tensors_to_python(std::vector<Tensor>(result.best_parameters.empty() ? begun.best : result.best_parameters));
  d["stopped_early"] = result.stopped_early;
  d["interrupted"] = result.interrupted;
  d["list_bytes"] = result.list_bytes;
  return d;
}

nb::dict evaluate_on(RunningTrainer& t, const SpikeDataset& data) {
  const Busy busy(t.busy, "trainer");
  Listener listener{nb::none(), nb::none(), nb::none()};
  EvaluationResult result;
  {
    const nb::gil_scoped_release unlocked;
    result = evaluate(t.trainer, data, listener);
  }
  listener.pending.raise();
  nb::dict d;
  d["loss"] = result.loss;
  d["accuracy"] = result.accuracy;
  d["confusion"] = result.confusion;
  d["layers"] = layers_of(result.layers);
  return d;
}

SpikeBatch batch_of(const SpikeDataset& data, const Array<std::uint32_t>& samples) {
  std::vector<SpikeSample> read(samples.shape(0));
  for (std::size_t i = 0; i < read.size(); ++i) data.read(samples.data()[i], kUnvaried, read[i]);
  SpikeBatch batch;
  make_batch(read, static_cast<std::uint32_t>(data.shape().size()), data.steps(), batch);
  return batch;
}

nb::dict batch_to_python(BatchResult&& result) {
  nb::dict d;
  d["loss"] = result.loss;
  d["correct"] = result.correct;
  d["predictions"] = array_of(std::move(result.prediction));
  d["layers"] = layers_of(result.layers);
  return d;
}

nb::dict forward(RunningTrainer& t, const SpikeDataset& data, const Array<std::uint32_t>& samples) {
  const Busy busy(t.busy, "trainer");
  BatchResult result;
  std::vector<float> output;
  {
    const nb::gil_scoped_release unlocked;
    result = t.trainer.evaluate(batch_of(data, samples));
    output = t.trainer.output();
  }
  nb::dict d = batch_to_python(std::move(result));
  d["output"] = array_of(std::move(output), {data.steps(), samples.shape(0), data.classes()});
  return d;
}

nb::dict gradients_of(RunningTrainer& t, const SpikeDataset& data, const Array<std::uint32_t>& samples) {
  const Busy busy(t.busy, "trainer");
  BatchResult result;
  std::vector<Tensor> gradients;
  {
    const nb::gil_scoped_release unlocked;
    result = t.trainer.gradients(batch_of(data, samples), gradients);
  }
  nb::dict d = batch_to_python(std::move(result));
  d["gradients"] = tensors_to_python(std::move(gradients));
  return d;
}

nb::dict step_on(RunningTrainer& t, const SpikeDataset& data, const Array<std::uint32_t>& samples, double rate_scale) {
  const Busy busy(t.busy, "trainer");
  BatchResult result;
  {
    const nb::gil_scoped_release unlocked;
    result = t.trainer.train(batch_of(data, samples), rate_scale);
  }
  return batch_to_python(std::move(result));
}

void set_option(TrainingModel& model, const std::string& name, std::uint64_t value) {
  Options& o = model.options;
  if (name == "seed") o.seed = value;
  if (name == "batch") o.batch = static_cast<std::uint32_t>(value);
  if (name == "epochs") o.epochs = static_cast<std::uint32_t>(value);
  if (name == "patience") o.patience = static_cast<std::uint32_t>(value);
  if (name == "threads") o.threads = static_cast<int>(value);
}

nb::dict import_network(const std::filesystem::path& file, std::uint32_t steps, double dt_ms, std::uint32_t reset, bool exponential) {
  NirNetwork made;
  std::string layers;
  {
    const nb::gil_scoped_release unlocked;
    made = import_nir(file, {steps, dt_ms, static_cast<Reset>(reset), exponential});
    layers = layers_text(made.network);
  }
  const training::Network& network = made.network;
  nb::dict d;
  d["layers"] = layers;
  d["shape"] = nb::make_tuple(network.input.height, network.input.width, network.input.channels);
  d["classes"] = network.classes;
  d["spiking"] = network.layers.back().neuron != NeuronKind::readout;
  d["second_threshold"] = made.second_threshold;
  d["mapping"] = made.mapping;
  d["weights"] = tensors_to_python(std::move(made.weights));
  return d;
}

nb::dict describe_model(const TrainingModel& model) {
  nb::dict d;
  d["name"] = model.network.name;
  d["steps"] = model.network.steps;
  d["dt_ms"] = model.network.dt_ms;
  d["classes"] = model.network.classes;
  d["shape"] = nb::make_tuple(model.network.input.height, model.network.input.width, model.network.input.channels);
  nb::list layers;
  const std::vector<Shape> shapes = layer_shapes(model.network);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Layer& layer = model.network.layers[i];
    layers.append(nb::make_tuple(layer.name, to_string(layer.neuron), shapes[i].size()));
  }
  d["layers"] = layers;
  d["dataset"] = model.data.dataset;
  d["seed"] = model.options.seed;
  d["epochs"] = model.options.epochs;
  d["batch"] = model.options.batch;
  return d;
}

}  // namespace

void bind_training(nb::module_& m) {
  nb::class_<SpikeDataset>(m, "SpikeDataset")
      .def("size", &SpikeDataset::size)
      .def("steps", &SpikeDataset::steps)
      .def("classes", &SpikeDataset::classes)
      .def("shape", [](const SpikeDataset& d) { return nb::make_tuple(d.shape().height, d.shape().width, d.shape().channels); })
      .def("labels", [](const SpikeDataset& d) {
        std::vector<std::int32_t> labels(d.size());
        for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = d.label(i);
        return array_of(std::move(labels));
      })
      .def("sample", [](const SpikeDataset& d, std::size_t index) {
        if (index >= d.size()) throw InputError("There is no sample " + std::to_string(index) + ".");
        SpikeSample sample;
        d.read(index, kUnvaried, sample);
        std::vector<std::uint32_t> when;
        for (std::uint32_t t = 0; t + 1 < sample.first.size(); ++t) {
          when.insert(when.end(), sample.first[t + 1] - sample.first[t], t);
        }
        return nb::make_tuple(array_of(std::move(when)), array_of(std::move(sample.channel)), sample.label);
      });
  m.def("array_data", [](std::array<std::uint32_t, 3> shape, std::uint32_t steps, std::uint32_t classes,
                         const Array<std::uint64_t>& begin, const Array<std::uint32_t>& when,
                         const Array<std::uint32_t>& channel, const Array<std::int32_t>& labels) -> std::shared_ptr<SpikeDataset> {
    return std::make_shared<ArrayData>(Shape{shape[0], shape[1], shape[2]}, steps, classes, begin, when, channel, labels);
  });
  nb::class_<TrainingModel>(m, "TrainingModel")
      .def_ro("text", &TrainingModel::text)
      .def("set_option", &set_option)
      .def("describe", &describe_model)
      .def("open", [](const TrainingModel& model, const std::filesystem::path& folder, bool test) -> std::shared_ptr<SpikeDataset> {
        const nb::gil_scoped_release unlocked;
        return open_dataset(model.data, folder, test ? Split::test : Split::train, model.options.seed);
      });
  m.def("load_training", &load_training_file);
  m.def("parse_training", &parse_training_model);
  m.def("import_nir", &import_network);
  nb::class_<RunningTrainer>(m, "Trainer")
      .def(nb::init<const TrainingModel&>(), nb::call_guard<nb::gil_scoped_release>())
      .def("fit", &fit_with, nb::arg("data"), nb::arg("on_epoch"), nb::arg("on_batch").none(), nb::arg("on_warning"),
           nb::arg("folder").none())
      .def("evaluate", &evaluate_on)
      .def("forward", &forward)
      .def("gradients", &gradients_of)
      .def("step", &step_on)
      .def("spikes", [](RunningTrainer& t, std::size_t layer, std::uint32_t sample) {
        const Busy busy(t.busy, "trainer");
        std::vector<std::uint32_t> flat;
        for (const auto& [step, neuron] : t.trainer.spikes(layer, sample)) flat.insert(flat.end(), {step, neuron});
        const std::size_t count = flat.size() / 2;
        return array_of(std::move(flat), {count, 2});
      })
      .def("initialise_activity", [](RunningTrainer& t, const SpikeDataset& data, const Array<std::uint32_t>& samples) {
        const Busy busy(t.busy, "trainer");
        const nb::gil_scoped_release unlocked;
        t.trainer.initialise_activity(batch_of(data, samples));
      })
      .def("parameters", [](RunningTrainer& t) {
        const Busy busy(t.busy, "trainer");
        return tensors_to_python(t.trainer.parameters());
      })
      .def("set_parameters", [](RunningTrainer& t, const std::vector<std::pair<std::string, FloatArray>>& arrays) {
        const Busy busy(t.busy, "trainer");
        t.trainer.set_parameters(tensors_from_python(arrays));
      })
      .def("digest", [](RunningTrainer& t) {
        const Busy busy(t.busy, "trainer");
        return digest_text(weights_digest(t.trainer.parameters()));
      })
      .def("save", [](RunningTrainer& t, const std::filesystem::path& file, std::uint32_t epoch) {
        const Busy busy(t.busy, "trainer");
        save_weights(file, t.trainer.parameters(), model_digest(t.model), epoch);
      })
      .def("export_nir", [](RunningTrainer& t, const std::filesystem::path& file) {
        const Busy busy(t.busy, "trainer");
        const nb::gil_scoped_release unlocked;
        export_nir(file, t.model.network, t.trainer.parameters());
      })
      .def("load", [](RunningTrainer& t, const std::filesystem::path& file) {
        const Busy busy(t.busy, "trainer");
        t.trainer.set_parameters(load_weights(file).parameters);
      });
}

}  // namespace tessera::python
