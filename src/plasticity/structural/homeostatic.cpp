// Neurons grow and lose synaptic elements until their calcium is what it should be (Butz and van Ooyen 2013), as in NEST.
//
// Projections whose elements have the same two names are one to this rule: a neuron's free axonal elements meet the free
// dendritic ones of all populations that they can reach.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tessera/structural_rule.hpp"

namespace tessera::homeostatic {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// Elements of one kind of a population: how many there are (a real number), and the calcium that they follow.
class Elements final : public NeuronMemory {
 public:
  enum Number : std::size_t { count, calcium };
  enum class Curve { linear, gaussian, sigmoid };

  Elements(const ParameterValues& p, const Words& words, const std::string& side)
      : name_(words.at(side + "_elements")), tau_(p["tau_Ca"]), beta_(p["beta_Ca"]), rate_(p[side + "_growth_rate"] / 1000.0),
        eps_(p[side + "_eps"]), psi_(p[side + "_psi"]), middle_(0.5 * (eps_ + p[side + "_eta"])),
        width_(0.5 * (eps_ - p[side + "_eta"]) / std::sqrt(std::log(2.0))), decay_(p["tau_vacant"]) {
    const std::string& curve = words.at(side + "_curve");
    curve_ = curve == "linear" ? Curve::linear : curve == "sigmoid" ? Curve::sigmoid : Curve::gaussian;
  }

  std::vector<std::string> names() const override { return {name_, "Ca"}; }
  std::vector<double> constants() const override {
    return {static_cast<double>(curve_), tau_, beta_, rate_, eps_, psi_, middle_, width_, decay_};
  }
  void pass(double ms, double* values) const override {
    values[count] = std::max(0.0, values[count] + rate_ * growth(values[calcium], ms));
    values[calcium] *= std::exp(-ms / tau_);
  }
  void spike(double* values) const override { values[calcium] += beta_; }

 private:
  /// The integral of the curve over a time in which calcium decays from `ca`.
  [[nodiscard]] double growth(double ca, double ms) const {
    if (curve_ == Curve::linear) return ms - tau_ * ca * -std::expm1(-ms / tau_) / eps_;
    // Gauss-Legendre with four points over pieces in which the curve hardly bends.
    constexpr double kPlace[] = {0.0694318442029737, 0.3300094782075719, 0.6699905217924281, 0.9305681557970263};
    constexpr double kShare[] = {0.1739274225687269, 0.3260725774312731, 0.3260725774312731, 0.1739274225687269};
    const double bend = 0.25 * (curve_ == Curve::gaussian ? std::abs(width_) : psi_);
    const double pieces = std::clamp(std::ceil(std::max(20.0 * ms / tau_, ca * -std::expm1(-ms / tau_) / bend)), 1.0, 1e5);
    double sum = 0.0;
    for (double piece = 0.0; piece < pieces; piece += 1.0) {
      for (int i = 0; i < 4; ++i) sum += kShare[i] * curve(ca * std::exp(-(piece + kPlace[i]) * ms / pieces / tau_));
    }
    return sum * ms / pieces;
  }
  [[nodiscard]] double curve(double ca) const {
    if (curve_ == Curve::sigmoid) return 2.0 / (1.0 + std::exp((ca - eps_) / psi_)) - 1.0;
    const double x = (ca - middle_) / width_;
    return 2.0 * std::exp(-x * x) - 1.0;
  }

  std::string name_;
  Curve curve_;
  double tau_, beta_, rate_, eps_, psi_, middle_, width_, decay_;
};

/// Takes `n` of these at random, by swapping them to the front.
template <class T>
void draw_to_front(GlobalStructuralView& view, std::vector<T>& all, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) std::swap(all[i], all[i + view.below(static_cast<std::uint32_t>(all.size() - i))]);
}

class Homeostatic final : public GlobalStructuralRule {
 public:
  Homeostatic(const ParameterValues& p, const Words& words)
      : source_(std::make_shared<Elements>(p, words, "source")), target_(std::make_shared<Elements>(p, words, "target")),
        group_(words.at("source_elements") + "\n" + words.at("target_elements")), weight_(p["weight"]), decay_(p["tau_vacant"]),
        autapses_(p["autapses"] != 0.0) {}

  NeuronSight sees_of_sources() const override { return {{}, source_}; }
  NeuronSight sees_of_targets() const override { return {{}, target_}; }
  std::string group() const override { return group_; }
  double new_weight() const override { return weight_; }

  void act_on_all(GlobalStructuralView& view) const override {
    cut(view, true);
    cut(view, false);
    join(view);
    for (std::uint32_t s = 0; s < view.sources(); ++s) {
      view.set_source_value(Elements::count, s, decayed(view.source_value(Elements::count, s), view.outdegree(s)));
    }
    for (std::uint32_t t = 0; t < view.targets(); ++t) {
      view.set_target_value(Elements::count, t, decayed(view.target_value(Elements::count, t), view.indegree(t)));
    }
  }

 private:
  /// Whole elements that have no synapse; below 0: synapses that have no element.
  [[nodiscard]] static std::int64_t vacant(double elements, std::uint32_t synapses) {
    return static_cast<std::int64_t>(std::floor(elements)) - synapses;
  }
  [[nodiscard]] static std::int64_t vacant(const GlobalStructuralView& view, bool source, std::uint32_t n) {
    return source ? vacant(view.source_value(Elements::count, n), view.outdegree(n)) : vacant(view.target_value(Elements::count, n), view.indegree(n));
  }
  [[nodiscard]] double decayed(double elements, std::uint32_t synapses) const {
    const std::int64_t free = vacant(elements, synapses);
    return free > 0 ? elements - decay_ * static_cast<double>(free) : elements;
  }
  /// Synapses of one side's neurons go, at random, where elements have gone.
  static void cut(GlobalStructuralView& view, bool source) {
    std::vector<std::uint32_t> losing;
    for (std::uint32_t n = 0; n < (source ? view.sources() : view.targets()); ++n) {
      if (vacant(view, source, n) < 0) losing.push_back(n);
    }
    std::vector<GlobalStructuralView::Pair> all = source ? view.synapses_from(losing) : view.synapses_onto(losing);
    const auto neuron = [source](const GlobalStructuralView::Pair& pair) { return source ? pair.first : pair.second; };
    std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return neuron(a) < neuron(b); });
    auto next = all.begin();
    for (const std::uint32_t n : losing) {
      std::vector<GlobalStructuralView::Pair> own;
      for (; next != all.end() && neuron(*next) == n; ++next) own.push_back(*next);
      const auto goes = std::min<std::size_t>(own.size(), static_cast<std::size_t>(-vacant(view, source, n)));
      draw_to_front(view, own, goes);
      for (std::size_t i = 0; i < goes; ++i) view.remove(own[i].first, own[i].second);
    }
    view.settle();
  }
  /// Every free element of the side that has fewer meets one of the other side, at random.
  void join(GlobalStructuralView& view) const {
    const auto free = [&view](bool source) {
      std::vector<std::uint32_t> neurons;
      for (std::uint32_t n = 0; n < (source ? view.sources() : view.targets()); ++n) {
        const std::int64_t vacant_elements = vacant(view, source, n);
        if (vacant_elements > 0) neurons.insert(neurons.end(), static_cast<std::size_t>(vacant_elements), n);
      }
      return neurons;
    };
    std::vector<std::uint32_t> sources = free(true), targets = free(false);
    const std::size_t pairs = std::min(sources.size(), targets.size());
    draw_to_front(view, sources.size() > pairs ? sources : targets, pairs);
    for (std::size_t i = 0; i < pairs; ++i) {
      if (autapses_ || !view.is_same(sources[i], targets[i])) view.add(sources[i], targets[i]);
    }
    view.settle();
  }

  std::shared_ptr<const Elements> source_, target_;
  std::string group_;
  double weight_, decay_;
  bool autapses_;
};

std::vector<std::string> check(const ParameterValues& p) {
  std::vector<std::string> sentences;
  for (const char* const side : {"source", "target"}) {
    if (p[std::string(side) + "_eta"] == p[std::string(side) + "_eps"]) {
      sentences.push_back(std::string(side) + "_eta and " + side + "_eps must differ; both are " + std::to_string(p[std::string(side) + "_eps"]) + ".");
    }
  }
  return sentences;
}

std::vector<ParameterInfo> parameters() {
  std::vector<ParameterInfo> all{{"tau_Ca", "ms", 10000.0, "decay of calcium", 0.0, kUnbounded, false},
                                 {"beta_Ca", "", 0.001, "calcium that a spike brings", 0.0, kUnbounded, false},
                                 {"tau_vacant", "", 0.1, "part of the free elements that is lost at every interval", 0.0, 1.0, true},
                                 {"autapses", "", 1.0, "1: a neuron may make synapses with itself; 0: not", 0.0, 1.0, true},
                                 {"weight", "weight", 1.0, "of new synapses", -kUnbounded, kUnbounded, true}};
  for (const std::string side : {"source", "target"}) {
    all.push_back({side + "_growth_rate", "Hz", 0.1, "nu: elements per second that grow at most", -kUnbounded, kUnbounded, true});
    all.push_back({side + "_eta", "", 0.0, "calcium below which elements are lost (gaussian)", -kUnbounded, kUnbounded, true});
    all.push_back({side + "_eps", "", 0.05, "calcium that is aimed at", 0.0, kUnbounded, false});
    all.push_back({side + "_psi", "", 0.1, "width of the sigmoid", 0.0, kUnbounded, false});
  }
  return all;
}

}  // namespace

StructuralModel structural_rule() {
  return {.name = "homeostatic",
          .summary = "Neurons grow and lose synaptic elements until their calcium is at its target; free elements are joined at random.",
          .description = "Every neuron has calcium, Ca' = -Ca / tau_Ca, + beta_Ca at a spike (in equilibrium beta_Ca tau_Ca times its rate), and a\n"
                         "number z >= 0 of elements: axonal ones where it is a source, dendritic ones where it is a target.\n"
                         "linear:    z' = nu (1 - Ca / eps)\n"
                         "gaussian:  z' = nu (2 exp(-((Ca - xi) / zeta)^2) - 1),  xi = (eta + eps) / 2, zeta = (eps - eta) / (2 sqrt(ln 2))\n"
                         "sigmoid:   z' = nu (2 / (1 + exp((Ca - eps) / psi)) - 1)\n"
                         "Every interval: a neuron with more synapses than whole elements loses as many as are too many, drawn at random (sources\n"
                         "first). Then free elements of sources and of targets are joined at random, one for one. Then tau_vacant of those that\n"
                         "are still free is lost. Projections with the same source_elements and target_elements are one. A pair has one\n"
                         "synapse at most.",
          .source = "Butz and van Ooyen (2013) PLoS Comput. Biol. 9:e1003259; Diaz-Pier et al. (2016) Front. Neuroanat. 10:57 (NEST)",
          .parameters = parameters(),
          .check = check,
          .words = {{"source_elements", "axon", {}, "name of the sources' elements"},
                    {"target_elements", "dendrite", {}, "name of the targets' elements"},
                    {"source_curve", "gaussian", {"linear", "gaussian", "sigmoid"}, "growth of the sources' elements"},
                    {"target_curve", "gaussian", {"linear", "gaussian", "sigmoid"}, "growth of the targets' elements"}},
          .make_with_words = [](const ParameterValues& p, const Words& words) -> std::shared_ptr<const StructuralRule> {
            return std::make_shared<Homeostatic>(p, words);
          }};
}

}  // namespace tessera::homeostatic
