// Training kernels of every instruction set against the sequential reference, and a few values by hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/random.hpp"
#include "kernels/reference/training.hpp"
#include "support/forced_target.hpp"

namespace tessera::test {
namespace {

constexpr float kEverything = -std::numeric_limits<float>::infinity();
using Floats = std::vector<float>;

class Numbers {
 public:
  explicit Numbers(std::uint32_t salt) : stream_(RandomKey(41), Purpose::pair, salt, 0) {}
  float next(float low, float high) {
    return low + (high - low) * static_cast<float>(stream_.next_unit());
  }
  Floats some(std::size_t n, float low, float high) {
    Floats values(n);
    for (float& x : values) x = next(low, high);
    return values;
  }
  std::vector<std::uint16_t> ids(std::size_t n, std::uint32_t below) {
    std::vector<std::uint16_t> values(n);
    for (auto& id : values) id = static_cast<std::uint16_t>(stream_.next_below(below));
    return values;
  }

 private:
  RandomStream stream_;
};

std::uint32_t padded(std::uint32_t n) { return (n + 15) / 16 * 16; }

// Sums of n terms of order one in another order, or with fused products.
void expect_close(const Floats& found, const Floats& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t k = 0; k < found.size(); ++k) {
    const double scale = std::max(1.0, std::abs(static_cast<double>(expected[k])));
    ASSERT_NEAR(found[k], expected[k], tolerance * scale) << what << " [" << k << ']';
  }
}

constexpr std::array<std::uint32_t, 10> kWidths = {16, 32, 48, 64, 80, 96, 112, 128, 144, 160};
constexpr std::uint32_t kRows = 37;

TEST(WeightRows, AddRowsIsTheReferencesOnEveryTarget) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::uint32_t width : kWidths) {
      for (const std::size_t n : {0, 1, 2, 3, 40, 301}) {
        Numbers numbers(static_cast<std::uint32_t>(width + n));
        const Floats weights = numbers.some(kRows * width, -1, 1);
        const auto ids = numbers.ids(n, kRows);
        Floats expected = numbers.some(width, -1, 1), found = expected;
        reference::add_rows(weights.data(), width, ids.data(), n, expected.data());
        add_rows(weights.data(), width, ids.data(), n, found.data());
        // The order of the additions is the contract: bit for bit.
        EXPECT_EQ(found, expected) << target << ' ' << width << ' ' << n;
      }
    }
  }
}

TEST(WeightRows, RowGradientsAreTheReferencesOnEveryTarget) {
  // Spikes and all visits of every row; the first row's visits do not begin at 0.
  constexpr std::array<std::array<std::uint32_t, 2>, 7> kCounts = {
      {{0, 0}, {0, 1}, {1, 1}, {2, 5}, {7, 7}, {0, 30}, {33, 100}}};
  std::vector<std::uint32_t> first = {5}, spikes;
  for (const auto& [some, all] : kCounts) {
    spikes.push_back(some);
    first.push_back(first.back() + all);
  }
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::uint32_t width : kWidths) {
      Numbers numbers(width * 1000);
      const Floats w = numbers.some(kCounts.size() * width, -1, 1), g = numbers.some(kRows * width, -1, 1);
      const auto ids = numbers.ids(first.back(), kRows);
      const std::vector<std::uint32_t> visit(ids.begin(), ids.end());
      const Floats dw = numbers.some(w.size(), -1, 1), ds = numbers.some(visit.size(), -1, 1);
      const RowVisits visits{visit.data(), first.data(), spikes.data(), static_cast<std::uint32_t>(kCounts.size())};
      for (const Fresh fresh : {Fresh{true, true}, Fresh{false, true}, Fresh{true, false}, Fresh{}}) {
        for (const bool sources : {true, false}) {
          const std::string what = target + " width " + std::to_string(width) + (fresh.dw ? " fresh dw" : "") +
                                   (fresh.ds ? " fresh ds" : "") + (sources ? " ds" : "");
          Floats dw1 = dw, dw2 = dw, ds1 = ds, ds2 = ds;
          reference::row_gradients(w.data(), g.data(), width, visits, fresh, dw1.data(), sources ? ds1.data() : nullptr);
          row_gradients(w.data(), g.data(), width, visits, fresh, dw2.data(), sources ? ds2.data() : nullptr);
          EXPECT_EQ(dw2, dw1) << what;
          expect_close(ds2, ds1, 2e-5, what);
          EXPECT_EQ((Floats{ds2.begin(), ds2.begin() + first[0]}), (Floats{ds.begin(), ds.begin() + first[0]})) << what;
        }
      }
    }
  }
}

// Two spikes and a gradient-only visit of g rows (1, 2, ...) with weights that pick single columns.
TEST(WeightRows, RowGradientsByHand) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    Floats w(16, 0.0f), g(3 * 16, 0.0f), dw(16, 100.0f), ds = {10.0f, 20.0f, 30.0f};
    w[0] = 2.0f;
    w[15] = -1.0f;
    for (std::size_t v = 0; v < 3; ++v) {
      g[v * 16] = static_cast<float>(v + 1);
      g[v * 16 + 15] = 4.0f;
    }
    const std::vector<std::uint32_t> visit = {2, 0, 1}, first = {0, 3}, spikes = {2};
    const RowVisits visits{visit.data(), first.data(), spikes.data(), 1};
    row_gradients(w.data(), g.data(), 16, visits, {true, false}, dw.data(), ds.data());
    EXPECT_EQ(dw[0], 3.0f + 1.0f) << target;  // the third visit does not count
    EXPECT_EQ(dw[15], 8.0f);
    EXPECT_EQ(dw[7], 0.0f);
    EXPECT_EQ(ds, (Floats{10 + 2 * 3 - 4, 20 + 2 * 1 - 4, 30 + 2 * 2 - 4})) << target;
    row_gradients(w.data(), g.data(), 16, visits, {}, dw.data(), nullptr);
    EXPECT_EQ(dw[0], 8.0f) << target;
    row_gradients(w.data(), g.data(), 16, visits, {false, true}, dw.data(), ds.data());
    EXPECT_EQ(ds, (Floats{2 * 3 - 4, 2 * 1 - 4, 2 * 2 - 4})) << target;
  }
}

TEST(WeightRows, BackProjectIsTheReferencesOnEveryTarget) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::uint32_t width : kWidths) {
      for (const std::size_t n : {0, 1, 2, 3, 40}) {
        Numbers numbers(static_cast<std::uint32_t>(width * 7 + n));
        const Floats weights = numbers.some(kRows * width, -1, 1), g = numbers.some(width, -1, 1);
        const auto ids = numbers.ids(n, kRows);
        Floats expected = numbers.some(n, -1, 1), found = expected;
        reference::back_project(weights.data(), width, ids.data(), n, g.data(), expected.data());
        back_project(weights.data(), width, ids.data(), n, g.data(), found.data());
        expect_close(found, expected, 2e-5, target);
      }
    }
  }
}

// Ranks cut a list into pieces: every source gets the same bits in any of them.
TEST(WeightRows, WhatASourceGetsBackDoesNotDependOnItsPlaceInTheList) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::uint32_t width : kWidths) {
      Numbers numbers(width);
      const Floats weights = numbers.some(kRows * width, -1, 1), g = numbers.some(width, -1, 1);
      const auto ids = numbers.ids(11, kRows);
      Floats whole(ids.size(), 0.0f), pieces = whole;
      back_project(weights.data(), width, ids.data(), ids.size(), g.data(), whole.data());
      for (std::size_t k = 0, n = 1; k < ids.size(); k += n, n = std::min<std::size_t>(n + 1, ids.size() - k))
        back_project(weights.data(), width, ids.data() + k, n, g.data(), pieces.data() + k);
      EXPECT_EQ(whole, pieces) << target << ", width " << width;
    }
  }
}

// What a step of neurons reads and writes. The lists have exactly the room that is asked for, so that a
// sanitizer sees what is written behind it.
struct Neurons {
  std::uint32_t n;
  Floats alpha, decay, current, u, second, u_by_alpha, second_by_decay, u_by_kappa;
  std::vector<std::uint16_t> id[2], step[2];  // of spikes and of others
  Floats slope[2], by_alpha[2], by_second[2];

  Neurons(std::uint32_t neurons, std::uint32_t salt) : n(neurons) {
    Numbers numbers(salt);
    const auto filled = [&](float low, float high) {
      Floats values(padded(n), 0.0f);  // padding neurons: no input, no state
      for (std::uint32_t j = 0; j < n; ++j) values[j] = numbers.next(low, high);
      return values;
    };
    alpha = filled(0.5f, 0.99f);
    decay = filled(0.5f, 0.99f);
    current = filled(-1.0f, 2.0f);
    u = filled(-0.5f, 1.0f);
    second = filled(0.0f, 0.8f);
    u_by_alpha = filled(-1, 1);
    second_by_decay = filled(-1, 1);
    u_by_kappa = filled(-1, 1);
  }

  // Rounding must not decide who is listed, nor on which side of a kink a slope lies.
  void avoid_edges(const Membrane& m) {
    for (std::uint32_t j = 0; j < n; ++j) {
      for (bool moved = true; moved;) {
        double input = current[j], level = m.threshold;
        if (m.kind == MembraneKind::synaptic) input += static_cast<double>(decay[j]) * second[j];
        if (m.kind == MembraneKind::adaptive) level += static_cast<double>(m.adaptation) * second[j];
        const double x = static_cast<double>(alpha[j]) * u[j] + input * m.inverse_capacitance;
        const double bx = std::abs(m.steepness * (x - level));
        const double second_edge = std::isinf(m.second_threshold) ? 1.0 : x - m.second_threshold * level;
        moved = std::abs(x - level) < 1e-3 || std::abs(second_edge) < 1e-3 || std::abs(bx - 0.5) < 1e-3;
        if (moved) current[j] += 0.01f;
      }
    }
  }

  void run(Membrane m, bool alpha_too, bool second_too, bool gradients, bool by_reference) {
    m.alpha = alpha.data();
    m.second = m.kind == MembraneKind::lif ? nullptr : decay.data();
    const bool synaptic = m.kind == MembraneKind::synaptic;
    const MembraneState state{u.data(), m.kind == MembraneKind::lif ? nullptr : second.data(),
                              alpha_too ? u_by_alpha.data() : nullptr, second_too ? second_by_decay.data() : nullptr,
                              second_too && synaptic ? u_by_kappa.data() : nullptr};
    constexpr std::uint32_t kFirst = 300, kStep = 40000, kBefore = 3, kSpikesBefore = 2;  // nothing begins at 0
    std::vector<std::uint32_t> places(kBefore + padded(n) + 16);
    Floats x(places.size()), alphas(alpha_too ? x.size() : 0), seconds(second_too ? x.size() : 0);
    Candidates all{places.data(), x.data(), alpha_too ? alphas.data() : nullptr,
                   second_too ? seconds.data() : nullptr, kBefore, kSpikesBefore};
    const std::uint32_t first = Candidates::place_of(kStep, kFirst);
    if (by_reference) {
      reference::membrane_step(m, state, current.data(), n, first, gradients, all);
    } else {
      membrane_step(m, state, current.data(), n, first, gradients, all);
    }
    const std::uint32_t found = all.count - kBefore, spikes = all.spikes - kSpikesBefore;
    const Candidates these{all.place + kBefore, all.x + kBefore, alpha_too ? all.by_alpha + kBefore : nullptr,
                           second_too ? all.by_second + kBefore : nullptr, found, spikes};
    for (int k : {0, 1}) {
      id[k].assign(found + 16, 0);
      step[k].assign(found + 16, 0);
      slope[k].assign(gradients ? found + 16 : 0, 0.0f);
      by_alpha[k].assign(gradients && alpha_too ? found + 16 : 0, 0.0f);
      by_second[k].assign(gradients && second_too ? found + 16 : 0, 0.0f);
    }
    const auto end = [&](int k) {
      const auto array = [](Floats& values) { return values.empty() ? nullptr : values.data(); };
      return ListEnd{id[k].data(), step[k].data(), array(slope[k]), array(by_alpha[k]), array(by_second[k])};
    };
    const ListEnd others = gradients ? end(1) : ListEnd{};
    if (by_reference) {
      reference::list_candidates(m, these, end(0), others);
    } else {
      list_candidates(m, these, end(0), others);
    }
    for (int k : {0, 1}) {
      const std::uint32_t count = k == 0 ? spikes : found - spikes;
      id[k].resize(count);
      step[k].resize(count);
      for (const std::uint16_t t : step[k]) EXPECT_EQ(t, kStep);
      for (std::uint16_t& i : id[k]) i = static_cast<std::uint16_t>(i - kFirst);
      if (!slope[k].empty()) slope[k].resize(count);
      if (!by_alpha[k].empty()) by_alpha[k].resize(count);
      if (!by_second[k].empty()) by_second[k].resize(count);
    }
  }
};

void compare_step(const Membrane& m, std::uint32_t n, bool alpha, bool second, bool gradients, std::uint32_t salt) {
  Neurons expected(n, salt);
  expected.avoid_edges(m);
  Neurons found = expected;
  expected.run(m, alpha, second, gradients, true);
  found.run(m, alpha, second, gradients, false);
  for (int k : {0, 1}) {
    ASSERT_EQ(found.id[k], expected.id[k]);
    expect_close(found.slope[k], expected.slope[k], 1e-5, "slope");
    expect_close(found.by_alpha[k], expected.by_alpha[k], 1e-5, "by_alpha");
    expect_close(found.by_second[k], expected.by_second[k], 1e-5, "by_second");
  }
  expect_close(found.u, expected.u, 1e-5, "u");
  expect_close(found.second, expected.second, 1e-5, "second");
  expect_close(found.u_by_alpha, expected.u_by_alpha, 1e-5, "u_by_alpha");
  expect_close(found.second_by_decay, expected.second_by_decay, 1e-5, "second_by_decay");
  expect_close(found.u_by_kappa, expected.u_by_kappa, 1e-5, "u_by_kappa");
  if (n >= 100) {
    EXPECT_GT(expected.id[0].size(), n / 10);  // else the case says little
  }
  if (gradients && std::isinf(m.second_threshold)) {
    EXPECT_EQ(found.id[0].size() + found.id[1].size(), n);
  }
}

TEST(MembraneStep, IsTheReferencesOnEveryTarget) {
  constexpr std::array kKinds = {MembraneKind::lif, MembraneKind::adaptive, MembraneKind::synaptic};
  constexpr std::array kSlopes = {SlopeKind::superspike, SlopeKind::arctan, SlopeKind::sigmoid, SlopeKind::triangular,
                                  SlopeKind::boxcar};
  std::uint32_t salt = 0;
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const MembraneKind kind : kKinds) {
      for (const SlopeKind slope : kSlopes) {
        for (int options = 0; options < 32; ++options) {
          Membrane m;
          m.kind = kind;
          m.slope = slope;
          m.steepness = 2.0f;
          m.threshold = 0.8f;
          m.adaptation = 0.4f;
          m.inverse_capacitance = 0.7f;
          m.reset_to_zero = (options & 1) != 0;
          m.second_threshold = (options & 2) != 0 ? kEverything : 0.3f;
          const bool gradients = (options & 4) != 0, alpha = gradients && (options & 8) != 0;
          const bool second = gradients && (options & 16) != 0 && kind != MembraneKind::lif;
          for (const std::uint32_t n : {1u, 5u, 16u, 17u, 63u, 128u, 200u}) {
            SCOPED_TRACE(target + " kind " + std::to_string(static_cast<int>(kind)) + " slope " +
                         std::to_string(static_cast<int>(slope)) + " options " + std::to_string(options) + " n " +
                         std::to_string(n));
            compare_step(m, n, alpha, second, gradients, ++salt);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

// A tile through all steps of a sample. The order of operations is the reference's, so the lists are the same.
TEST(TileRun, IsTheReferencesOnEveryTarget) {
  constexpr std::uint32_t kSources = 30, kSteps = 12;
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const MembraneKind kind : {MembraneKind::lif, MembraneKind::adaptive, MembraneKind::synaptic}) {
      for (int options = 0; options < 16; ++options) {
        const bool quiet = (options & 8) != 0;
        const bool gradients = (options & 1) != 0, biased = (options & 2) != 0, sensitive = gradients && (options & 4) != 0;
        for (const std::uint32_t n : {5u, 64u, 200u}) {
          const auto width = static_cast<std::uint32_t>(padded(n));
          Numbers numbers(n + static_cast<std::uint32_t>(options));
          const Floats weights = numbers.some(std::size_t{kSources} * width, -0.5f, 1.0f), bias = numbers.some(width, -0.1f, 0.3f);
          std::vector<std::uint32_t> first = {7};  // lists do not begin at 0
          for (std::uint32_t t = 0; t < kSteps; ++t) first.push_back(first.back() + t % 5);
          const auto ids = numbers.ids(first.back(), kSources);
          const Floats alpha = numbers.some(width, 0.5f, 0.9f), decay = numbers.some(width, 0.5f, 0.9f);
          Membrane m;
          m.kind = kind;
          m.alpha = alpha.data();
          m.second = kind == MembraneKind::lif ? nullptr : decay.data();
          m.adaptation = 0.25f;
          m.second_threshold = 0.5f;
          m.reset_to_zero = !quiet;
          m.drop = 1.2f;
          m.refractory = 3.0f;
          const bool second = sensitive && kind != MembraneKind::lif;
          struct Found {
            Floats state[6], values[3];
            std::vector<std::uint32_t> places;
            std::vector<StepCounts> counts;
            std::uint32_t spikes = 0;
          };
          const auto run = [&](bool by_reference) {
            Found f;
            for (Floats& s : f.state) s.assign(width, 0.0f);
            f.counts.resize(kSteps);
            const std::size_t room = kSteps * n + 16, before = 3;
            f.places.resize(room + before);
            for (Floats& v : f.values) v.assign(room + before, 0.0f);
            Floats current(width, 99.0f);
            TileRun r;
            r.membrane = &m;
            r.state = {f.state[0].data(), kind == MembraneKind::lif ? nullptr : f.state[1].data(),
                       sensitive ? f.state[2].data() : nullptr, second ? f.state[3].data() : nullptr,
                       second && kind == MembraneKind::synaptic ? f.state[4].data() : nullptr,
                       quiet ? f.state[5].data() : nullptr};
            r.neurons = n;
            r.first_id = 1000;
            r.width = width;
            r.first_step = 500;
            r.steps = kSteps;
            r.gradients = gradients;
            r.weights = weights.data();
            r.bias = biased ? bias.data() : nullptr;
            r.first = first.data();
            r.ids = ids.data();
            r.current = current.data();
            Candidates end{f.places.data(), f.values[0].data(), sensitive ? f.values[1].data() : nullptr,
                           second ? f.values[2].data() : nullptr, before, 1};
            if (by_reference) {
              reference::run_tile(r, end, f.counts.data());
            } else {
              run_tile(r, end, f.counts.data());
            }
            f.spikes = end.spikes - 1;
            f.places.resize(end.count);
            for (Floats& v : f.values) v.resize(end.count);
            for (Floats& state : f.state) state.resize(n);  // padding neurons are nobody
            return f;
          };
          const Found expected = run(true), found = run(false);
          const std::string what = target + " kind " + std::to_string(static_cast<int>(kind)) + " options " +
                                   std::to_string(options) + " n " + std::to_string(n);
          ASSERT_EQ(found.places, expected.places) << what;
          ASSERT_EQ(found.spikes, expected.spikes) << what;
          for (int v : {0, 1, 2}) expect_close(found.values[v], expected.values[v], 1e-5, what);
          for (int s = 0; s < 6; ++s) expect_close(found.state[s], expected.state[s], 1e-5, what);
          for (std::uint32_t t = 0; t < kSteps; ++t) {
            EXPECT_EQ(found.counts[t].spikes, expected.counts[t].spikes) << what;
            EXPECT_EQ(found.counts[t].others, expected.counts[t].others) << what;
          }
          EXPECT_GT(expected.spikes, n) << "else the case says little";
          if (quiet) {
            EXPECT_LE(expected.spikes, n * (kSteps + 2) / 3) << "every third step at most";
          }
          EXPECT_EQ(expected.places.size() == expected.spikes + 3, !gradients);
          std::uint32_t spikes = 0, others = 0, at = 3;
          for (std::uint32_t t = 0; t < kSteps; ++t) {
            const StepCounts counts = found.counts[t];
            spikes += counts.spikes;
            others += counts.others;
            for (const std::uint32_t end = at + counts.spikes + counts.others; at < end; ++at) {
              EXPECT_EQ(found.places[at] >> 16, 500 + t);
              EXPECT_GE(found.places[at] & 0xffff, 1000u);
            }
          }
          EXPECT_EQ(spikes, found.spikes);
          EXPECT_EQ(spikes + others, found.places.size() - 3);
        }
      }
    }
  }
}

// u = 0.5 * 1 + I / 2 with threshold 1: 1.5, 0.75 and 0.25 for I = 2, 0.5, -0.5; SuperSpike with beta 2.
TEST(MembraneStep, ByHand) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const bool to_zero : {true, false}) {
      Neurons neurons(3, 0);
      std::fill_n(neurons.alpha.begin(), 3, 0.5f);
      std::fill_n(neurons.u.begin(), 3, 1.0f);
      std::copy_n(Floats{2.0f, 0.5f, -0.5f}.begin(), 3, neurons.current.begin());
      std::fill_n(neurons.u_by_alpha.begin(), 3, 4.0f);
      Membrane m;
      m.reset_to_zero = to_zero;
      m.inverse_capacitance = 0.5f;
      m.steepness = 2.0f;
      m.second_threshold = 0.5f;
      neurons.run(m, true, false, true, false);
      EXPECT_EQ(neurons.id[0], (std::vector<std::uint16_t>{0})) << target;
      EXPECT_EQ(neurons.id[1], (std::vector<std::uint16_t>{1})) << target;
      EXPECT_FLOAT_EQ(neurons.slope[0][0], 1.0f / (2 * 2));              // (1 + 2 * 0.5)^-2
      EXPECT_FLOAT_EQ(neurons.slope[1][0], 1.0f / (1.5f * 1.5f));        // (1 + 2 * 0.25)^-2
      EXPECT_FLOAT_EQ(neurons.by_alpha[0][0], 3.0f);                     // 1 + 0.5 * 4
      EXPECT_FLOAT_EQ(neurons.u[0], to_zero ? 0.0f : 0.5f);
      EXPECT_FLOAT_EQ(neurons.u[1], 0.75f);
      EXPECT_FLOAT_EQ(neurons.u_by_alpha[0], to_zero ? 0.0f : 3.0f);
      EXPECT_FLOAT_EQ(neurons.u_by_alpha[2], 3.0f);
    }
  }
}

TEST(MembraneFlow, DecayOutputAndReadoutAreTheReferences) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const MembraneKind kind : {MembraneKind::lif, MembraneKind::adaptive, MembraneKind::synaptic}) {
      for (const std::uint32_t n : {16u, 48u, 160u}) {
        Numbers numbers(n);
        const Floats alpha = numbers.some(n, 0.5f, 1.0f), decay = numbers.some(n, 0.5f, 1.0f);
        Membrane m;
        m.kind = kind;
        m.alpha = alpha.data();
        m.second = kind == MembraneKind::lif ? nullptr : decay.data();
        m.inverse_capacitance = 0.3f;
        Floats gu1 = numbers.some(n, -1, 1), gi1 = numbers.some(n, -1, 1), out1(n);
        Floats gu2 = gu1, gi2 = gi1, out2(n);
        const bool extra = kind != MembraneKind::lif;
        reference::membrane_decay(m, n, gu1.data(), extra ? gi1.data() : nullptr);
        membrane_decay(m, n, gu2.data(), extra ? gi2.data() : nullptr);
        expect_close(gu2, gu1, 1e-6, "gu " + target);
        expect_close(gi2, gi1, 1e-6, "second " + target);
        reference::membrane_output(m, n, gu1.data(), extra ? gi1.data() : nullptr, out1.data());
        membrane_output(m, n, gu2.data(), extra ? gi2.data() : nullptr, out2.data());
        expect_close(gi2, gi1, 1e-6, "gi " + target);
        expect_close(out2, out1, 1e-6, "out " + target);
        EXPECT_FLOAT_EQ(out2[3], kind == MembraneKind::synaptic ? gi2[3] : gu2[3]);

        const Floats current = numbers.some(n, -1, 1);
        reference::readout_step(alpha.data(), 0.3f, current.data(), n, gu1.data(), out1.data());
        readout_step(alpha.data(), 0.3f, current.data(), n, gu2.data(), out2.data());
        expect_close(gu2, gu1, 1e-6, "u " + target);
        EXPECT_EQ(out2, gu2);
      }
    }
  }
}

TEST(MembraneFlow, BackwardsIsTheReferencesOnEveryTarget) {
  constexpr std::uint32_t kSteps = 5;
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::uint32_t n : {16u, 48u, 128u, 160u}) {
      Numbers numbers(n);
      const Floats alpha = numbers.some(n, 0.5f, 1.0f);
      const Floats rows = numbers.some((kSteps + 1) * n, -1, 1), sums = numbers.some(n, -1, 1);
      std::vector<std::uint8_t> resets(kSteps * n / 8 + 8);
      for (auto& bits : resets) bits = static_cast<std::uint8_t>(128.0f * (1.0f + numbers.next(-1, 1)));
      for (const bool reset : {true, false}) {
        for (const bool summed : {true, false}) {
          Floats rows1 = rows, rows2 = rows, sums1 = sums, sums2 = sums;
          reference::membrane_flow(alpha.data(), n, kSteps, reset ? resets.data() : nullptr, rows1.data(),
                                   summed ? sums1.data() : nullptr);
          membrane_flow(alpha.data(), n, kSteps, reset ? resets.data() : nullptr, rows2.data(),
                        summed ? sums2.data() : nullptr);
          EXPECT_EQ(rows2, rows1) << target << ' ' << n;
          EXPECT_EQ(sums2, sums1) << target << ' ' << n;
        }
      }
    }
  }
}

// rows = 1, 2, 4 with alpha = 1/2: g = 4, 2 + 2 = 4, 1 + 2 = 3; a spike in the middle step forgets the last.
TEST(MembraneFlow, BackwardsByHand) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    const Floats alpha(16, 0.5f);
    Floats rows(3 * 16, 0.0f), sum(16, 1.0f);
    for (const std::size_t j : {3u, 9u}) {
      rows[j] = 1.0f;
      rows[16 + j] = 2.0f;
      rows[32 + j] = 4.0f;
    }
    std::vector<std::uint8_t> resets(2 * 2 + 8);
    resets[2 + 1] = 1 << 1;  // step 1, neuron 9
    membrane_flow(alpha.data(), 16, 2, resets.data(), rows.data(), sum.data());
    EXPECT_EQ(rows[16 + 3], 4.0f) << target;
    EXPECT_EQ(rows[3], 3.0f) << target;
    EXPECT_EQ(rows[16 + 9], 2.0f) << target;
    EXPECT_EQ(rows[9], 2.0f) << target;
    EXPECT_EQ(sum[3], 1.0f + 4 + 3) << target;
    EXPECT_EQ(sum[9], 1.0f + 2 + 2) << target;
    EXPECT_EQ(sum[0], 1.0f) << target;
  }
}

constexpr std::array<std::size_t, 10> kSizes = {0, 1, 3, 7, 15, 16, 17, 31, 100, 1003};

TEST(CrossEntropy, IsTheReferencesOnEveryTarget) {
  constexpr std::size_t kRows = 9;
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::uint32_t classes : {1u, 2u, 10u, 16u, 20u, 35u, 300u}) {
      Numbers numbers(classes);
      const std::size_t stride = padded(classes);
      for (const float spread : {0.1f, 5.0f, 300.0f}) {
        const std::string what = target + " classes " + std::to_string(classes) + " spread " + std::to_string(spread);
        Floats x = numbers.some(kRows * stride, -spread, spread);
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (i % stride >= classes) x[i] = -INFINITY;
        }
        const LogitRows logits{x.data(), kRows, stride, classes};
        const std::uint32_t label = classes / 2;
        Floats d1(x.size(), 9.0f), d2 = d1;
        std::vector<std::uint32_t> votes1(classes, 1), votes2 = votes1;
        const double expected = reference::cross_entropy_rows(logits, label, 0.5f, d1.data(), votes1.data());
        EXPECT_NEAR(cross_entropy_rows(logits, label, 0.5f, d2.data(), votes2.data()), expected,
                    1e-6 * (kRows + std::abs(expected))) << what;
        EXPECT_EQ(votes2, votes1) << what;
        expect_close(d2, d1, 1e-6, what);
        EXPECT_NEAR(cross_entropy_rows(logits, label, 0.5f, nullptr, votes2.data()), expected,
                    1e-6 * (kRows + std::abs(expected))) << what;
      }
    }
  }
}

// Logits log 1, log 2, log 5: probabilities 1/8, 2/8, 5/8; of two equal ones the first is chosen.
TEST(CrossEntropy, ByHand) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    Floats x(32, -INFINITY), d(32, 7.0f);
    for (const std::size_t k : {0, 1, 2}) x[k] = std::log(k == 2 ? 5.0f : static_cast<float>(k + 1));
    for (const std::size_t k : {0, 1, 2}) x[16 + k] = k == 0 ? -3.0f : 100.0f;
    std::vector<std::uint32_t> votes(3, 0);
    const double loss = cross_entropy_rows({x.data(), 2, 16, 3}, 1, 2.0f, d.data(), votes.data());
    EXPECT_NEAR(loss, std::log(4.0) + std::log(2.0), 1e-6) << target;
    EXPECT_EQ(votes, (std::vector<std::uint32_t>{0, 1, 1})) << target;
    EXPECT_NEAR(d[0], 2.0 / 8.0, 1e-6);
    EXPECT_NEAR(d[1], 2.0 * (2.0 / 8.0 - 1.0), 1e-6);
    EXPECT_NEAR(d[2], 2.0 * 5.0 / 8.0, 1e-6);
    EXPECT_NEAR(d[17], -1.0, 1e-6);
    EXPECT_NEAR(d[18], 1.0, 1e-6);
    for (const std::size_t k : {3, 15, 19, 31}) EXPECT_EQ(d[k], 0.0f) << target;
    for (const float bad : {NAN, INFINITY}) {
      for (const std::size_t k : {0, 1, 17}) {
        Floats damaged = x;
        damaged[k] = bad;
        EXPECT_FALSE(std::isfinite(cross_entropy_rows({damaged.data(), 2, 16, 3}, 1, 2.0f, d.data(), votes.data())))
            << target << ' ' << bad << ' ' << k;
      }
    }
  }
}

TEST(Update, AdamwIsTheReferencesOnEveryTarget) {
  AdamwStep step;
  step.rate = 0.01f;
  step.decay = 0.1f;
  step.correction1 = 0.19f;
  step.correction2 = 0.002f;
  step.gradient_scale = 0.3f;
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::size_t n : kSizes) {
      Numbers numbers(static_cast<std::uint32_t>(n));
      const Floats g = numbers.some(n, -1, 1);
      Floats w1 = numbers.some(n, -1, 1), m1 = numbers.some(n, -1, 1), v1 = numbers.some(n, 0, 1);
      Floats w2 = w1, m2 = m1, v2 = v1;
      reference::adamw(step, n, w1.data(), g.data(), m1.data(), v1.data());
      adamw(step, n, w2.data(), g.data(), m2.data(), v2.data());
      expect_close(w2, w1, 1e-6, "w " + target);
      expect_close(m2, m1, 1e-6, "m " + target);
      expect_close(v2, v1, 1e-6, "v " + target);
    }
  }
}

TEST(Update, SgdIsTheReferencesOnEveryTarget) {
  const SgdStep step{0.05f, 0.1f, 0.9f, 0.3f};
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::size_t n : kSizes) {
      for (const bool momentum : {true, false}) {
        Numbers numbers(static_cast<std::uint32_t>(n));
        const Floats g = numbers.some(n, -1, 1);
        Floats w1 = numbers.some(n, -1, 1), v1 = numbers.some(n, -1, 1), w2 = w1, v2 = v1;
        reference::sgd(step, n, w1.data(), g.data(), momentum ? v1.data() : nullptr);
        sgd(step, n, w2.data(), g.data(), momentum ? v2.data() : nullptr);
        expect_close(w2, w1, 1e-6, "w " + target);
        expect_close(v2, v1, 1e-6, "v " + target);
      }
    }
  }
}

// The first step moves by rate * sign(g), whatever g is; the second with g = 1, then -1:
// m = 0.9 * 0.1 - 0.1 = -0.01, m / 0.19; v = 0.999 * 0.001 + 0.001 = 0.001999, v / 0.001999 = 1.
TEST(Update, AdamwFirstTwoStepsByHand) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    AdamwStep step;
    step.rate = 0.1f;
    step.decay = 0.5f;
    step.correction1 = 0.1f;
    step.correction2 = 0.001f;
    Floats w(17, 2.0f), m(17, 0.0f), v(17, 0.0f);
    Floats g(17, 1.0f);
    g[1] = -1e-4f;
    adamw(step, 17, w.data(), g.data(), m.data(), v.data());
    for (const std::size_t k : {0, 16}) {
      EXPECT_NEAR(w[k], 2.0 - 0.1 * 0.5 * 2.0 - 0.1, 1e-5) << target;  // 1.8
      EXPECT_NEAR(m[k], 0.1, 1e-7);
      EXPECT_NEAR(v[k], 0.001, 1e-7);  // 1 - beta2 in float32
    }
    EXPECT_NEAR(w[1], 1.9 + 0.1 * 1e-4 / (1e-4 + 1e-8), 1e-5) << target;
    step.correction1 = 0.19f;
    step.correction2 = 0.001999f;
    std::fill(g.begin(), g.end(), -1.0f);
    adamw(step, 17, w.data(), g.data(), m.data(), v.data());
    for (const std::size_t k : {0, 16}) {
      EXPECT_NEAR(w[k], 1.8 * 0.95 + 0.1 * 0.01 / 0.19, 1e-5) << target;
    }
  }
}

// v = 0.5 v + g, without decay: w = 1, then 1 - 0.1 * 2, then - 0.1 * (1 + 4), with L2 of 0.1 w in a third.
TEST(Update, SgdWithMomentumByHand) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    SgdStep step{0.1f, 0.0f, 0.5f, 1.0f};
    Floats w(18, 1.0f), v(18, 0.0f);
    const auto expect = [&](double weight, double velocity) {
      for (const std::size_t k : {0, 17}) {
        EXPECT_NEAR(w[k], weight, 1e-6) << target;
        EXPECT_NEAR(v[k], velocity, 1e-6) << target;
      }
    };
    sgd(step, 18, w.data(), Floats(18, 2.0f).data(), v.data());
    expect(0.8, 2.0);
    step.gradient_scale = 2.0f;
    sgd(step, 18, w.data(), Floats(18, 2.0f).data(), v.data());
    expect(0.3, 5.0);
    step.decay = 0.1f;
    step.gradient_scale = 0.0f;
    sgd(step, 18, w.data(), Floats(18, 9.0f).data(), v.data());
    expect(0.3 - 0.1 * 2.53, 2.53);
  }
}

}  // namespace
}  // namespace tessera::test
