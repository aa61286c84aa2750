// One batch at a time for who has a loss of its own: dense spikes in, the output out, gradients back. Arrays come and go by
// DLPack; the tensors of other packages are looked at where they are.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "running_trainer.hpp"

namespace tessera::python {
namespace {

using Dense = nb::ndarray<nb::ro, nb::ndim<3>, nb::device::cpu>;  // [step][sample][channel], any strides

template <class T>
void read_dense(const Dense& spikes, SpikeBatch& batch) {
  const T* const data = static_cast<const T*>(spikes.data());
  for (std::size_t t = 0; t < spikes.shape(0); ++t) {
    for (std::size_t b = 0; b < spikes.shape(1); ++b) {
      const T* row = data + static_cast<std::int64_t>(t) * spikes.stride(0) + static_cast<std::int64_t>(b) * spikes.stride(1);
      for (std::size_t c = 0; c < spikes.shape(2); ++c, row += spikes.stride(2)) {
        if (*row != T{0}) batch.channel.push_back(static_cast<std::uint32_t>(c));
      }
      batch.first.push_back(static_cast<std::uint32_t>(batch.channel.size()));
    }
  }
}

SpikeBatch dense_batch(const Dense& spikes) {
  constexpr std::uint64_t kMost = 0xffffffffu;
  SpikeBatch batch;
  for (std::size_t i = 0; i < 3; ++i) {
    if (spikes.shape(i) > kMost) throw InputError("spikes: the array is too large.");
  }
  if (spikes.shape(0) * spikes.shape(1) * std::max<std::size_t>(spikes.shape(2), 1) > kMost) throw InputError("spikes: the array is too large.");
  batch.steps = static_cast<std::uint32_t>(spikes.shape(0));
  batch.samples = static_cast<std::uint32_t>(spikes.shape(1));
  batch.channels = static_cast<std::uint32_t>(spikes.shape(2));
  batch.label.assign(batch.samples, 0);
  batch.first.push_back(0);
  const nb::dlpack::dtype type = spikes.dtype();
  if (type == nb::dtype<float>()) {
    read_dense<float>(spikes, batch);
  } else if (type == nb::dtype<bool>() || type == nb::dtype<std::uint8_t>() || type == nb::dtype<std::int8_t>()) {
    read_dense<std::uint8_t>(spikes, batch);
  } else {
    throw InputError("spikes: must be float32, uint8, int8 or bool.");
  }
  return batch;
}

nb::ndarray<nb::numpy, float> forward_batch(RunningTrainer& t, const SpikeBatch& batch) {
  const Busy busy(t.busy, "trainer");
  std::vector<float> output;
  {
    const nb::gil_scoped_release unlocked;
    (void)t.trainer.evaluate(batch);
    output = t.trainer.output();
  }
  return array_of(std::move(output), {batch.steps, batch.samples, t.model.network.classes});
}

using Derivative = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

nb::dict gradients_of_batch(RunningTrainer& t, const SpikeBatch& batch, const Derivative& derivative) {
  const Busy busy(t.busy, "trainer");
  const std::size_t shape[] = {batch.steps, batch.samples, t.model.network.classes};
  for (std::size_t i = 0; i < 3; ++i) {
    if (derivative.shape(i) != shape[i]) throw InputError("derivative: has another shape than the output [step, sample, class].");
  }
  std::vector<Tensor> gradients;
  {
    const nb::gil_scoped_release unlocked;
    (void)t.trainer.gradients(batch, std::span(derivative.data(), derivative.size()), gradients);
  }
  return tensors_to_python(std::move(gradients));
}

/// Of the batch that was run last: rows of step, sample, neuron.
nb::ndarray<nb::numpy, std::int64_t> spikes_of_batch(RunningTrainer& t, std::size_t layer, std::uint32_t samples) {
  const Busy busy(t.busy, "trainer");
  std::vector<std::int64_t> flat;
  for (std::uint32_t b = 0; b < samples; ++b) {
    for (const auto& [step, neuron] : t.trainer.spikes(layer, b)) flat.insert(flat.end(), {step, b, neuron});
  }
  const std::size_t count = flat.size() / 3;
  return array_of(std::move(flat), {count, 3});
}

/// Of the parameters, those that have a gradient.
std::vector<std::string> trainable_of(const RunningTrainer& t) {
  std::vector<std::string> names;
  for (const Layer& layer : t.model.network.layers) {
    for (const char* const part : {"weight", "recurrent_weight", "bias"}) names.push_back(layer.name + "." + part);
    if (layer.membrane.trainable) names.push_back(layer.name + ".membrane_logit");
    if (layer.synapse.trainable) names.push_back(layer.name + ".synapse_logit");
    if (layer.adaptation.trainable) names.push_back(layer.name + ".adaptation_logit");
  }
  return names;
}

}  // namespace

void bind_batches(nb::module_& m) {
  nb::class_<SpikeBatch>(m, "SpikeBatch")
      .def_ro("samples", &SpikeBatch::samples)
      .def_ro("steps", &SpikeBatch::steps)
      .def_ro("channels", &SpikeBatch::channels)
      .def("spikes", [](const SpikeBatch& b) { return b.channel.size(); });
  m.def("dense_batch", &dense_batch);
  m.def("forward_batch", &forward_batch);
  m.def("gradients_of_batch", &gradients_of_batch);
  m.def("spikes_of_batch", &spikes_of_batch);
  m.def("trainable", &trainable_of);
  m.def("initialise_on_batch", [](RunningTrainer& t, const SpikeBatch& batch) {
    const Busy busy(t.busy, "trainer");
    const nb::gil_scoped_release unlocked;
    t.trainer.initialise_activity(batch);
  });
  m.def("set_gradient_threshold", [](RunningTrainer& t, double value) {
    const Busy busy(t.busy, "trainer");
    t.trainer.set_theta_grad(value);
  });
}

}  // namespace tessera::python
