// Distributions of weights, delays and initial values: moments and quantiles after truncation.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "network/validate.hpp"
#include "tessera/network.hpp"

namespace tessera {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Bounds that keep less than this of the distribution are taken for a mistake.
constexpr double kLeastMass = 1e-9;

double normal_density(double z) {
  return std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);
}

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

// Inverse of normal_cdf to rounding: the rational guess of Abramowitz and Stegun (26.2.23, error
// below 4.5e-4), then Halley steps, each of which triples the number of good digits.
double normal_quantile(double p) {
  if (p <= 0.0) return -kInfinity;
  if (p >= 1.0) return kInfinity;
  if (p > 0.5) return -normal_quantile(1.0 - p);
  const double t = std::sqrt(-2.0 * std::log(p));
  double z = (2.515517 + t * (0.802853 + t * 0.010328)) /
                 (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
             t;
  for (int i = 0; i < 3; ++i) {
    const double density = normal_density(z);
    if (density == 0.0) break;
    const double error = (normal_cdf(z) - p) / density;
    z -= error / (1.0 + 0.5 * z * error);
  }
  return z;
}

// The standard normal on [low, high]. An interval in the upper tail is mirrored into the lower one,
// where erfc keeps its relative precision.
struct StandardNormal {
  double low, high;
  double mass() const {
    return low > 0.0 ? normal_cdf(-low) - normal_cdf(-high) : normal_cdf(high) - normal_cdf(low);
  }
  double cdf(double z) const {
    if (z <= low) return 0.0;
    if (z >= high) return 1.0;
    return StandardNormal{low, z}.mass() / mass();
  }
  double quantile(double u) const {
    if (low > 0.0) return -StandardNormal{-high, -low}.quantile(1.0 - u);
    const double below = normal_cdf(low);
    return std::clamp(normal_quantile(below + u * (normal_cdf(high) - below)), low, high);
  }
  double mean() const { return (normal_density(low) - normal_density(high)) / mass(); }
  double variance() const {
    const auto edge = [](double z) { return std::isinf(z) ? 0.0 : z * normal_density(z); };
    const double shift = mean();
    return std::max(0.0, 1.0 + (edge(low) - edge(high)) / mass() - shift * shift);
  }
};

// The exponential with mean 1 on [0, width]; memory-less, so a lower bound only shifts it.
struct UnitExponential {
  double width;
  double mass() const { return -std::expm1(-width); }
  double quantile(double u) const { return -std::log1p(-u * mass()); }
  double cdf(double x) const { return std::clamp(-std::expm1(-x) / mass(), 0.0, 1.0); }
  double mean() const {
    if (std::isinf(width)) return 1.0;
    if (width < 1e-3) return width / 2.0 - width * width / 12.0;  // the difference below cancels
    return 1.0 - width / std::expm1(width);
  }
  double variance() const {
    if (std::isinf(width)) return 1.0;
    const double square = width * width;
    if (width < 1e-2) return square / 12.0 - square * square / 240.0;
    const double ratio = width / (2.0 * std::sinh(width / 2.0));
    return std::max(0.0, 1.0 - ratio * ratio);
  }
};

StandardNormal normal_of(const Distribution& d) {
  return {(d.low - d.a) / d.b, (d.high - d.a) / d.b};
}

// The underlying normal of a lognormal; a bound at or below 0 does not bind.
StandardNormal log_normal_of(const Distribution& d) {
  const auto place = [&d](double x) { return x <= 0.0 ? -kInfinity : (std::log(x) - d.a) / d.b; };
  return {place(d.low), place(d.high)};
}

double log_moment(const Distribution& d, int order) {
  const StandardNormal z = log_normal_of(d);
  const double shift = order * d.b;
  return std::exp(order * d.a + 0.5 * shift * shift) *
         StandardNormal{z.low - shift, z.high - shift}.mass() / z.mass();
}

struct Interval {
  double low, high;
};
Interval uniform_of(const Distribution& d) { return {std::max(d.a, d.low), std::min(d.b, d.high)}; }

// Exponential with a > 0: start of the support and the rest in units of the mean.
double exponential_start(const Distribution& d) { return std::max(0.0, d.low); }
UnitExponential exponential_of(const Distribution& d) {
  return {(d.high - exponential_start(d)) / d.a};
}

bool is_point(const Distribution& d) {
  switch (d.kind) {
    case Distribution::Kind::constant:
      return true;
    case Distribution::Kind::uniform:
      return d.a == d.b;
    case Distribution::Kind::normal:
      return d.b == 0.0;
    case Distribution::Kind::lognormal:
      return d.b == 0.0;
    case Distribution::Kind::exponential:
      return d.a == 0.0;
  }
  return true;
}

double point_of(const Distribution& d) {
  return d.kind == Distribution::Kind::lognormal ? std::exp(d.a) : d.a;
}

// Values with a negative sign are handled as the mirror image of positive ones.
bool is_negative(const Distribution& d) {
  return (d.kind == Distribution::Kind::lognormal && d.mirrored) ||
         (d.kind == Distribution::Kind::exponential && d.a < 0.0);
}

// The share of the distribution that its bounds keep.
double mass_within(const Distribution& d) {
  if (is_negative(d)) return mass_within(d.scaled(-1.0));
  if (is_point(d)) return point_of(d) >= d.low && point_of(d) <= d.high ? 1.0 : 0.0;
  switch (d.kind) {
    case Distribution::Kind::constant:
      return 1.0;
    case Distribution::Kind::uniform: {
      const Interval kept = uniform_of(d);
      return std::max(0.0, (kept.high - kept.low) / (d.b - d.a));
    }
    case Distribution::Kind::normal:
      return normal_of(d).mass();
    case Distribution::Kind::lognormal:
      return log_normal_of(d).mass();
    case Distribution::Kind::exponential:
      if (d.high <= exponential_start(d)) return 0.0;
      return std::exp(-exponential_start(d) / d.a) * exponential_of(d).mass();
  }
  return 0.0;
}

}  // namespace

Distribution Distribution::within(double lowest, double highest) const {
  Distribution result = *this;
  result.low = std::max(low, lowest);
  result.high = std::min(high, highest);
  return result;
}

Distribution Distribution::scaled(double factor) const {
  if (factor == 0.0) return constant(0.0);
  Distribution result = *this;
  result.low = low * factor;
  result.high = high * factor;
  result.a = a * factor;
  if (factor < 0.0) std::swap(result.low, result.high);
  switch (kind) {
    case Kind::constant:
      break;
    case Kind::uniform:
      result.b = b * factor;
      if (factor < 0.0) std::swap(result.a, result.b);
      break;
    case Kind::normal:
      result.b = b * std::abs(factor);
      break;
    case Kind::lognormal:
      result.a = a + std::log(std::abs(factor));
      result.mirrored = mirrored != (factor < 0.0);
      break;
    case Kind::exponential:
      break;
  }
  return result;
}

double Distribution::mean() const {
  if (is_negative(*this)) return -scaled(-1.0).mean();
  if (is_point(*this)) return point_of(*this);
  switch (kind) {
    case Kind::constant:
      return a;
    case Kind::uniform:
      return 0.5 * (uniform_of(*this).low + uniform_of(*this).high);
    case Kind::normal:
      return a + b * normal_of(*this).mean();
    case Kind::lognormal:
      return log_moment(*this, 1);
    case Kind::exponential:
      return exponential_start(*this) + a * exponential_of(*this).mean();
  }
  return a;
}

double Distribution::variance() const {
  if (is_negative(*this)) return scaled(-1.0).variance();
  if (is_point(*this)) return 0.0;
  switch (kind) {
    case Kind::constant:
      return 0.0;
    case Kind::uniform: {
      const Interval kept = uniform_of(*this);
      return (kept.high - kept.low) * (kept.high - kept.low) / 12.0;
    }
    case Kind::normal:
      return b * b * normal_of(*this).variance();
    case Kind::lognormal: {
      const double first = log_moment(*this, 1);
      return std::max(0.0, log_moment(*this, 2) - first * first);
    }
    case Kind::exponential:
      return a * a * exponential_of(*this).variance();
  }
  return 0.0;
}

double Distribution::quantile(double u) const {
  if (is_negative(*this)) return -scaled(-1.0).quantile(1.0 - u);
  if (is_point(*this)) return point_of(*this);
  double value = a;
  switch (kind) {
    case Kind::constant:
      break;
    case Kind::uniform: {
      const Interval kept = uniform_of(*this);
      value = kept.low + u * (kept.high - kept.low);
      break;
    }
    case Kind::normal:
      value = a + b * normal_of(*this).quantile(u);
      break;
    case Kind::lognormal:
      value = std::exp(a + b * log_normal_of(*this).quantile(u));
      break;
    case Kind::exponential:
      value = exponential_start(*this) + a * exponential_of(*this).quantile(u);
      break;
  }
  // Rounding must not leave the bounds: the sign of a weight and the least delay depend on them.
  return std::min(std::max(value, low), high);
}

double Distribution::cdf(double x) const {
  if (is_negative(*this)) return 1.0 - scaled(-1.0).cdf(-x);
  if (is_point(*this)) return x >= point_of(*this) ? 1.0 : 0.0;
  switch (kind) {
    case Kind::constant:
      return 0.0;
    case Kind::uniform: {
      const Interval kept = uniform_of(*this);
      return std::clamp((x - kept.low) / (kept.high - kept.low), 0.0, 1.0);
    }
    case Kind::normal:
      return normal_of(*this).cdf((x - a) / b);
    case Kind::lognormal:
      return x <= 0.0 ? 0.0 : log_normal_of(*this).cdf((std::log(x) - a) / b);
    case Kind::exponential: {
      const double start = exponential_start(*this);
      return x <= start ? 0.0 : exponential_of(*this).cdf((x - start) / a);
    }
  }
  return 0.0;
}

namespace validation {
namespace {

struct ParameterKeys {
  const char *a, *b;
};
ParameterKeys keys_of(Distribution::Kind kind) {
  switch (kind) {
    case Distribution::Kind::uniform:
      return {".from", ".to"};
    case Distribution::Kind::normal:
      return {".mean", ".sd"};
    case Distribution::Kind::lognormal:
      return {".median", ".sigma"};
    case Distribution::Kind::exponential:
      return {".mean", ""};
    case Distribution::Kind::constant:
      break;
  }
  return {"", ""};
}

// What is wrong with the parameters together, when each of them makes sense.
std::string joint_problem(const Distribution& d) {
  if (is_point(d) && mass_within(d) == 0.0) {
    return fmt::format("The value {} lies outside its bounds [{}, {}].",
                       is_negative(d) ? -point_of(d) : point_of(d), d.low, d.high);
  }
  if (!(mass_within(d) >= kLeastMass)) {
    return fmt::format(
        "The bounds [{}, {}] keep (almost) nothing of the {} distribution, so values "
        "would have to be redrawn forever.",
        d.low, d.high, to_string(d.kind));
  }
  if (!std::isfinite(d.mean()) || !std::isfinite(d.variance())) {
    return fmt::format("The {} distribution has no finite mean and variance.", to_string(d.kind));
  }
  return "";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> distribution_problems(const Distribution& d) {
  using Kind = Distribution::Kind;
  std::vector<std::pair<std::string, std::string>> problems;
  const ParameterKeys keys = keys_of(d.kind);
  const bool two = *keys.b != '\0';
  if (!std::isfinite(d.a) || (two && !std::isfinite(d.b))) {
    problems.emplace_back(
        std::isfinite(d.a) ? keys.b : keys.a,
        fmt::format("The parameters of the {} distribution must be finite numbers.",
                    to_string(d.kind)));
  }
  if (std::isnan(d.low) || std::isnan(d.high) || d.low > d.high) {
    problems.emplace_back(
        ".low", fmt::format("The bounds [{}, {}] of the {} distribution are empty: the lower one "
                            "must not exceed the upper one.",
                            d.low, d.high, to_string(d.kind)));
  }
  if (d.kind == Kind::uniform && d.b < d.a) {
    problems.emplace_back(
        ".from", fmt::format("A uniform distribution runs from its lower to its higher end, but {} "
                             "is above {}.",
                             d.a, d.b));
  }
  if ((d.kind == Kind::normal || d.kind == Kind::lognormal) && d.b < 0.0) {
    problems.emplace_back(
        keys.b, fmt::format("The standard deviation of the {} distribution is {}; it must be 0 or "
                            "more.",
                            to_string(d.kind), d.b));
  }
  if (problems.empty()) {
    std::string joint = joint_problem(d);
    if (!joint.empty()) problems.emplace_back("", std::move(joint));
  }
  return problems;
}

}  // namespace validation

std::string Distribution::problem() const {
  const auto problems = validation::distribution_problems(*this);
  return problems.empty() ? "" : problems.front().second;
}

std::string to_string(Distribution::Kind kind) {
  switch (kind) {
    case Distribution::Kind::constant:
      return "constant";
    case Distribution::Kind::uniform:
      return "uniform";
    case Distribution::Kind::normal:
      return "normal";
    case Distribution::Kind::lognormal:
      return "lognormal";
    case Distribution::Kind::exponential:
      return "exponential";
  }
  return "unknown";
}

}  // namespace tessera
