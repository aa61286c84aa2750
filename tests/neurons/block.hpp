// A few neurons of one model outside of any engine: columns, inputs, one call of the vector update.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "tessera/neuron_model.hpp"
#include "tessera/simd_control.hpp"

namespace tessera::test {

/// Memory that vectors of any width may be loaded from.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{128}));
  }
  void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{128}); }
  bool operator==(const AlignedAllocator&) const { return true; }
};
template <class T>
using Column = std::vector<T, AlignedAllocator<T>>;

inline ParameterValues values_of(const NeuronModel& model,
                                 const std::map<std::string, double>& changed = {}) {
  ParameterValues values;
  for (const ParameterInfo& p : model.parameters) values.set(p.name, p.default_value);
  for (const auto& [name, value] : changed) {
    (void)values[name];  // throws for a name the model has not
    values.set(name, value);
  }
  return values;
}

inline NeuronVariant prepare(const std::string& name,
                             const std::map<std::string, double>& changed = {}, double dt = 0.1) {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  const NeuronModel& model = *catalogue.find(name);
  return model.prepare(values_of(model, changed), dt);
}

template <class Real>
class Block {
 public:
  using Input = typename InputOf<Real>::type;
  Block(const NeuronVariant& variant, std::size_t count)
      : variant_(variant),
        count_(count),
        padded_((count + kNeuronPadding - 1) / kNeuronPadding * kNeuronPadding),
        states(variant.states.size(), Column<Real>(padded_, Real{0})),
        inputs(2, Column<Input>(padded_, Input{0})),
        current(padded_, Real{0}),
        refractory(padded_, 0),
        spikes(padded_, 0) {}

  /// One step; with `per_neuron` false everybody gets current[0].
  UpdateArgs<Real> update(bool per_neuron = true, Real input_scale = 1) {
    std::vector<Real*> columns;
    for (auto& column : states) columns.push_back(column.data());
    UpdateArgs<Real> args;
    args.count = count_;
    args.state = columns.data();
    args.refractory = refractory.data();
    args.refractory_steps = static_cast<std::uint16_t>(variant_.refractory_steps);
    args.input[0] = inputs[0].data();
    if (variant_.ports == 2) args.input[1] = inputs[1].data();
    args.input_scale = input_scale;
    args.current = per_neuron ? current.data() : nullptr;
    args.uniform_current = current[0];
    args.constants = variant_.constants.data();
    args.spikes = spikes.data();
    if constexpr (sizeof(Real) == 8) {
      variant_.update_f64(args);
    } else {
      variant_.update_f32(args);
    }
    args.state = nullptr;
    return args;
  }

 private:
  NeuronVariant variant_;
  std::size_t count_, padded_;

 public:
  std::vector<Column<Real>> states;
  std::vector<Column<Input>> inputs;
  Column<Real> current;
  Column<std::uint16_t> refractory;
  Column<std::uint32_t> spikes;
};

/// Forces an instruction set for the lifetime of the object.
class ForcedTarget {
 public:
  explicit ForcedTarget(const std::string& name) { force_simd_target(name); }
  ~ForcedTarget() { force_simd_target("auto"); }
  ForcedTarget(const ForcedTarget&) = delete;
  ForcedTarget& operator=(const ForcedTarget&) = delete;
};

/// One neuron advanced by the scalar equation, V_m in mV.
class ScalarNeuron {
 public:
  ScalarNeuron(const std::string& model, const std::map<std::string, double>& changed,
               double dt = 0.1)
      : variant(prepare(model, changed, dt)), state(variant.states.size(), 0.0) {}
  bool step(double current = 0.0, double positive = 0.0, double negative = 0.0) {
    const double input[2] = {variant.ports == 1 ? positive + negative : positive, negative};
    const bool spiked = variant.reference_step(state.data(), variant.constants.data(), input,
                                               current, refractory > 0);
    if (refractory > 0) --refractory;
    if (spiked) refractory = variant.refractory_steps;
    return spiked;
  }
  [[nodiscard]] double v() const { return state[0] + variant.origin; }
  void set_v(double v_mV) { state[0] = v_mV - variant.origin; }

  NeuronVariant variant;
  std::vector<double> state;
  int refractory = 0;
};

}  // namespace tessera::test
