// Down-scaling of a network: fewer neurons and synapses, the same mean and variance of the input.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

#include "tessera/network.hpp"

namespace tessera {
namespace {

using Kind = ConnectivityRule::Kind;

// One scaling: reads the full-scale network, writes the scaled copy.
class scaling {
 public:
  scaling(const Network& full, double neurons, double synapses, const NeuronCatalogue& models)
      : full_(full), scaled_(full), neurons_(neurons), synapses_(synapses), models_(models) {}

  Network apply() {
    for (Population& population : scaled_.populations) scale_size(population);
    if (problems_.empty()) {
      for (Projection& projection : scaled_.projections) scale_projection(projection);
      for (Stimulus& stimulus : scaled_.stimuli) scale_stimulus(stimulus);
      add_currents();
    }
    if (!problems_.empty()) throw InputError(std::move(problems_));
    return std::move(scaled_);
  }

 private:
  void refuse(const SourceLocation& where, std::string message) {
    problems_.push_back({where, std::move(message)});
  }

  void scale_size(Population& p) {
    if (neurons_ == 1.0 || p.kind == Population::Kind::spike_train_source) return;
    p.size = static_cast<std::uint32_t>(std::nearbyint(p.size * neurons_));
    if (p.size == 0) {
      refuse(p.where, fmt::format("Scaling by {} leaves population '{}' without neurons.", neurons_,
                                  p.name));
    }
    if (p.grid_columns > 0) {
      refuse(p.where,
             fmt::format("Population '{}' lies on a grid; its size cannot be scaled.", p.name));
    }
    for (const auto& [name, initial] : p.initial) {
      if (initial.values.empty()) continue;
      refuse(p.where,
             fmt::format("Population '{}' lists {} for every neuron; its size cannot be scaled.",
                         p.name, name));
    }
  }

  void scale_projection(Projection& p) {
    const double source_ratio = ratio(p.source), target_ratio = ratio(p.target);
    ConnectivityRule& rule = p.rule;
    const auto times = [&rule](double factor) {
      rule.number =
          static_cast<std::uint64_t>(std::nearbyint(static_cast<double>(rule.number) * factor));
    };
    switch (rule.kind) {
      case Kind::fixed_total_number:
        times(target_ratio * synapses_);
        break;
      case Kind::fixed_indegree:
        times(synapses_);
        break;
      case Kind::fixed_outdegree:
        times(synapses_ * target_ratio / source_ratio);
        break;
      case Kind::pairwise_bernoulli:
      case Kind::gaussian_2d:
        rule.probability *= synapses_ / source_ratio;
        break;
      case Kind::one_to_one:
        if (synapses_ != 1.0 || source_ratio != target_ratio) refuse_rule(p);
        break;
      case Kind::all_to_all:
        if (synapses_ != source_ratio) refuse_rule(p);
        break;
      case Kind::explicit_list:
        if (synapses_ != 1.0 || neurons_ != 1.0) refuse_rule(p);
        break;
    }
    if (rule.probability > 1.0) {
      refuse(p.where,
             fmt::format("Scaling gives '{}' the connection probability {}; it must be at most "
                         "1, so synapses cannot be scaled less than neurons.",
                         p.name, rule.probability));
    }
    if (p.plasticity && synapses_ != 1.0) {
      refuse(p.where,
             fmt::format("'{}' is plastic; scaling synapses by {} replaces the lost part of a mean input that "
                         "would have to stay as it is.",
                         p.name, synapses_));
    }
    p.weight = p.weight.scaled(1.0 / std::sqrt(synapses_));
    note_mean(p);
  }

  void refuse_rule(const Projection& p) {
    refuse(p.where,
           fmt::format("'{}' has the rule {}, whose in-degree cannot be scaled by {} (neurons by "
                       "{}).",
                       p.name, to_string(p.rule.kind), synapses_, neurons_));
  }

  // Poisson trains become thinner as in-degrees do. Constant currents have no variance to keep.
  void scale_stimulus(Stimulus& s) {
    if (!s.values.empty() && neurons_ != 1.0) {
      refuse(s.where,
             fmt::format("The stimulus of '{}' lists a current for every neuron; its size cannot "
                         "be scaled.",
                         s.target));
    }
    if (s.kind != Stimulus::Kind::poisson) return;
    // Only a drive that is always on has a mean to keep.
    if (synapses_ != 1.0 && s.start_ms == 0.0 && std::isinf(s.duration_ms)) {
      add_mean(s.target, s.weight, s.weight * s.rate_hz, s.where);
    }
    s.rate_hz *= synapses_;
    s.weight /= std::sqrt(synapses_);
  }

  // The mean input of a projection at full scale.
  void note_mean(const Projection& scaled) {
    if (synapses_ == 1.0) return;
    const Projection& p = full_.projections[&scaled - scaled_.projections.data()];
    const Population &source = *full_.find(p.source), &target = *full_.find(p.target);
    const double indegree = expected_synapses(p, source, target) / target.size;
    const double weight = p.weight.mean();
    if (indegree == 0.0 || weight == 0.0) return;
    const double rate = mean_rate(source);
    if (rate == 0.0 && source.kind == Population::Kind::neurons) {
      if (!std::exchange(silent_[source.name], true)) {
        refuse(source.where,
               fmt::format("Population '{}' needs a mean_rate: scaling synapses replaces "
                           "the lost part of its mean input.",
                           source.name));
      }
      return;
    }
    add_mean(p.target, weight, weight * indegree * rate, p.where);
  }

  static double mean_rate(const Population& source) {
    const bool always_on = source.kind == Population::Kind::poisson_source &&
                           source.start_ms == 0.0 && std::isinf(source.duration_ms);
    return source.mean_rate_hz == 0.0 && always_on ? source.rate_hz : source.mean_rate_hz;
  }

  // `input`: weight x spikes per second. A spike of weight w carries the charge w tau_syn.
  void add_mean(const std::string& target, double weight, double input,
                const SourceLocation& where) {
    const Population& p = *full_.find(target);
    if (p.model != "iaf_psc_exp") {
      refuse(where,
             fmt::format("Scaling synapses by {} needs targets of the model iaf_psc_exp, but '{}' "
                         "has the model {}.",
                         synapses_, target, p.model));
      return;
    }
    const double tau_syn = parameter(p, weight < 0.0 ? "tau_syn_in" : "tau_syn_ex");
    currents_pA_[target] += 0.001 * tau_syn * (1.0 - std::sqrt(synapses_)) * input;
  }

  double parameter(const Population& p, const std::string& name) const {
    if (const auto given = p.parameters.find(name); given != p.parameters.end())
      return given->second;
    for (const ParameterInfo& info : models_.find(p.model)->parameters) {
      if (info.name == name) return info.default_value;
    }
    return 0.0;
  }

  void add_currents() {
    for (const Population& p : full_.populations) {
      const auto current = currents_pA_.find(p.name);
      if (current == currents_pA_.end() || current->second == 0.0) continue;
      Stimulus stimulus;
      stimulus.name = "scaling." + p.name;
      stimulus.target = p.name;
      stimulus.amplitude_pA = current->second;
      stimulus.where = p.where;
      scaled_.stimuli.push_back(std::move(stimulus));
    }
  }

  double ratio(const std::string& population) const {
    return full_.find(population)->kind == Population::Kind::spike_train_source ? 1.0 : neurons_;
  }

  const Network& full_;
  Network scaled_;
  double neurons_, synapses_;
  const NeuronCatalogue& models_;
  std::map<std::string, double> currents_pA_;
  std::map<std::string, bool> silent_;
  std::vector<Problem> problems_;
};

}  // namespace

void scale_network(Network& network, double neurons, double synapses,
                   const NeuronCatalogue& models) {
  std::vector<Problem> problems;
  const auto check = [&problems](const char* key, double factor) {
    if (factor > 0.0 && factor <= 1.0) return;
    SourceLocation where;
    where.key_path = std::string("scaling.") + key;
    problems.push_back(
        {where, fmt::format("The scaling factor of {} is {}; it must be above 0 and at "
                            "most 1.",
                            key, factor)});
  };
  check("neurons", neurons);
  check("synapses", synapses);
  if (!problems.empty()) throw InputError(std::move(problems));
  require_valid(network, models);
  if (neurons == 1.0 && synapses == 1.0) return;
  network = scaling(network, neurons, synapses, models).apply();
}

}  // namespace tessera
