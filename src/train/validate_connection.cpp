// Checks of a layer's connections: shapes that fit, and no setting that its kind would ignore.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/topology.hpp"
#include "train/validate.hpp"

namespace tessera::training::validation {
namespace {

constexpr std::uint32_t most_candidates = 1000;
constexpr double most_soft_pairs = 1e8;  // four bytes each

void check_rewiring(const Reporter& report, const std::string& key, const Connection& c) {
  const Rewiring& r = *c.rewiring;
  if (c.kind != ConnectionKind::sparse)
    report.add("rewiring", fmt::format("{} of {} rewires, but only sparse connections can.", key, report.what()));
  const auto from_zero = [](double x) { return std::isfinite(x) && x >= 0.0; };
  const auto share = [](double x) { return x > 0.0 && x <= 1.0; };
  const bool soft = r.kind == RewiringKind::soft_deep_r;
  report.check(r.interval >= 1, "rewiring.interval", r.interval, "at least 1");
  report.check(from_zero(r.l1) && (!soft || r.l1 > 0.0), "rewiring.l1", r.l1, soft ? "above 0" : "at least 0");
  report.check(from_zero(r.noise), "rewiring.noise", r.noise, "at least 0");
  report.check(share(r.fraction), "rewiring.fraction", r.fraction, "above 0 and at most 1");
  report.check(share(r.until), "rewiring.until", r.until, "above 0 and at most 1");
  report.check(r.candidates >= 1 && r.candidates <= most_candidates, "rewiring.candidates", r.candidates,
               fmt::format("from 1 to {}", most_candidates));
  if (r.kind == RewiringKind::custom && !r.custom)
    report.add("rewiring", fmt::format("The rewiring of {} is custom, but makes no rule.", report.what()));
}

// `told`: the connection rewires like another one, of which the same was said.
void check_sparse(const Reporter& report, const std::string& key, const Connection& c, bool told) {
  const bool sparse = c.kind == ConnectionKind::sparse;
  if (!sparse && c.density != 1.0)
    report.add(key + ".density", fmt::format("{}.density of {} is {}, but only sparse connections "
                                             "have a density.",
                                             key, report.what(), c.density));
  if (!sparse && (c.min_delay != 0 || c.max_delay != 0))
    report.add(key + ".max_delay", fmt::format("{} of {} has delays, but only sparse connections "
                                               "(of any density up to 1) can have them.",
                                               key, report.what()));
  if (c.rewiring && !told) check_rewiring(report, key, c);
  if (!sparse) return;
  report.check(c.density > 0.0 && c.density <= 1.0, key + ".density", c.density,
               "above 0 and at most 1");
  if (report.check(c.max_delay <= longest_delay, key + ".max_delay", c.max_delay,
                   fmt::format("from 0 to {} steps", longest_delay)))
    report.check(c.min_delay <= c.max_delay, key + ".min_delay", c.min_delay,
                 fmt::format("at most max_delay, which is {}", c.max_delay));
}

void check_soft(const Reporter& report, const std::string& key, const Connection& c, double pairs) {
  if (!c.rewiring || c.rewiring->kind != RewiringKind::soft_deep_r || pairs <= most_soft_pairs) return;
  report.add("rewiring", fmt::format("{} of {} has {:.3g} possible pairs, of each of which soft_deep_r keeps four "
                                     "bytes; it must have at most {:.0e}.",
                                     key, report.what(), pairs, most_soft_pairs));
}

void check_weights(const Reporter& report, const std::string& key, double weights) {
  if (weights > static_cast<double>(most_weights))
    report.add(key, fmt::format("{} of {} has about {:.3g} weights; it must have at most {}.", key,
                                report.what(), weights, most_weights));
}

bool check_pooling(const Reporter& report, const Connection& c, const Shape& source) {
  if (c.pool == 1 || source.size() == 0) return true;
  if (c.pool >= 1 && pooled_shape(source, c.pool).size() != 0) return true;
  report.add("pool", fmt::format("pool of {} is {}, but the layer below has the shape "
                                 "{}; it must be from 1 to its smaller edge.",
                                 report.what(), c.pool, describe(source)));
  return false;
}

/// The settings of the kernel against the image it moves over.
bool check_kernel(const Reporter& report, const Layer& layer, const Shape& pooled) {
  const Connection& c = layer.input;
  bool good = report.check(c.filters >= 1 && c.filters <= most_neurons, "convolution.filters",
                           c.filters, fmt::format("from 1 to {}", most_neurons));
  good &= report.check(c.kernel >= 1 && c.kernel <= 1024, "convolution.kernel", c.kernel,
                       "from 1 to 1024");
  good &= report.check(c.stride >= 1, "convolution.stride", c.stride, "at least 1");
  if (!good) return false;
  if (!report.check(c.padding < c.kernel, "convolution.padding", c.padding,
                    fmt::format("below the kernel, which is {}", c.kernel)))
    return false;
  const std::uint64_t edge = std::min(pooled.height, pooled.width);
  if (edge + 2 * std::uint64_t{c.padding} >= c.kernel) return true;
  report.add(
      "convolution.kernel",
      fmt::format("The {0} x {0} kernel of {1} does not fit its input of the shape {2} with "
                  "padding {3}; it must be at most {4}.",
                  c.kernel, report.what(), describe(pooled), c.padding, edge + 2 * c.padding));
  return false;
}

/// The layer's size may be left out (0); if it is given it must be that of the convolution.
Shape check_convolution(const Reporter& report, const Layer& layer, const Shape& source) {
  const Shape pooled = pooled_shape(source, layer.input.pool);
  if (!check_kernel(report, layer, pooled)) return {0, 0, 0};
  const Shape shape = target_shape(layer.input, source, 0);
  if (neurons_in(shape) > static_cast<double>(most_neurons)) {
    report.add("convolution.filters",
               fmt::format("{} has the shape {}; it must have at most {} neurons.", report.what(),
                           describe(shape), most_neurons));
    return {0, 0, 0};
  }
  if (layer.size != 0 && layer.size != shape.size())
    report.add("size", fmt::format("size of {} is {}, but its convolution of an input of the shape "
                                   "{} has the shape {} ({} neurons); leave size out or make them "
                                   "equal.",
                                   report.what(), layer.size, describe(source), describe(shape),
                                   shape.size()));
  const Connection& c = layer.input;
  check_weights(report, "convolution", double(c.kernel) * c.kernel * pooled.channels * c.filters);
  return shape;
}

}  // namespace

Shape check_connection(const Reporter& report, const Layer& layer, const Shape& source) {
  const Connection& c = layer.input;
  check_sparse(report, "connection", c, false);
  const bool pooling = check_pooling(report, c, source);
  if (c.kind == ConnectionKind::convolution) {
    if (!pooling || source.size() == 0) return {0, 0, 0};
    return check_convolution(report, layer, source);
  }
  if (c.filters != 0)
    report.add("convolution.filters",
               fmt::format("convolution.filters of {} is {}, but only convolutions have "
                           "filters.",
                           report.what(), c.filters));
  if (!report.check(layer.size >= 1 && layer.size <= most_neurons, "size", layer.size,
                    fmt::format("from 1 to {} neurons", most_neurons)))
    return {0, 0, 0};
  if (pooling) {
    const double pairs = static_cast<double>(pooled_shape(source, c.pool).size()) * layer.size;
    check_weights(report, "connection", pairs * c.density);
    check_soft(report, "connection", c, pairs);
  }
  return {1, 1, layer.size};
}

void check_recurrent(const Reporter& report, const Layer& layer, const Shape& shape) {
  if (!layer.recurrent) return;
  const Connection& c = *layer.recurrent;
  if (layer.neuron == NeuronKind::readout)
    report.add("recurrent", fmt::format("{} is a readout, which never spikes: it cannot have a "
                                        "recurrent connection.",
                                        report.what()));
  if (c.kind == ConnectionKind::convolution)
    report.add("recurrent.kind", fmt::format("The recurrent connection of {} is a convolution; it "
                                             "must be dense or sparse.",
                                             report.what()));
  if (c.pool != 1)
    report.add("recurrent.pool", fmt::format("The recurrent connection of {} pools; its pool must "
                                             "be 1.",
                                             report.what()));
  check_sparse(report, "recurrent", c, layer.input.rewiring.has_value());
  const auto neurons = static_cast<double>(shape.size());
  check_weights(report, "recurrent", neurons * neurons * c.density);
  check_soft(report, "recurrent", c, neurons * neurons);
}

}  // namespace tessera::training::validation
