// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/training.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera::reference {

void add_rows(const float* weights, std::uint32_t width, const std::uint16_t* ids, std::size_t n,
              float* current) {
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t j = 0; j < width; ++j) current[j] += weights[std::size_t{ids[k]} * width + j];
  }
}

void row_gradients(const float* w, const float* g, std::uint32_t width, const RowVisits& visits,
                   Fresh fresh, float* dw, float* ds) {
  for (std::uint32_t k = 0; k < visits.rows; ++k, w += width, dw += width) {
    for (std::size_t j = 0; fresh.dw && j < width; ++j) dw[j] = 0.0f;
    for (std::size_t v = visits.first[k]; v < visits.first[k + 1]; ++v) {
      const float* row = g + std::size_t{visits.visit[v]} * width;
      const bool spike = v < visits.first[k] + visits.spikes[k];
      float dot = 0.0f;
      for (std::size_t j = 0; j < width; ++j) dot += w[j] * row[j];
      if (ds != nullptr) ds[v] = fresh.ds ? dot : ds[v] + dot;
      for (std::size_t j = 0; spike && j < width; ++j) dw[j] += row[j];
    }
  }
}

void back_project(const float* weights, std::uint32_t width, const std::uint16_t* ids,
                  std::size_t n, const float* g, float* ds) {
  for (std::size_t k = 0; k < n; ++k) {
    float dot = 0.0f;
    for (std::size_t j = 0; j < width; ++j) dot += weights[std::size_t{ids[k]} * width + j] * g[j];
    ds[k] += dot;
  }
}

void membrane_step(const Membrane& m, const MembraneState& s, const float* current,
                   std::uint32_t neurons, std::uint32_t first, bool gradients, Candidates& c) {
  for (std::uint32_t j = 0; j < neurons; ++j) {
    const float before = s.u[j];
    float input = current[j], level = m.threshold, by_alpha = 0.0f, by_second = 0.0f;
    if (s.u_by_alpha != nullptr) by_alpha = before + m.alpha[j] * s.u_by_alpha[j];
    if (m.kind == MembraneKind::synaptic) {
      if (s.second_by_decay != nullptr) {
        s.second_by_decay[j] = s.second[j] + m.second[j] * s.second_by_decay[j];
        by_second = m.alpha[j] * s.u_by_kappa[j] + s.second_by_decay[j] * m.inverse_capacitance;
      }
      input = s.second[j] = m.second[j] * s.second[j] + input;
    } else if (m.kind == MembraneKind::adaptive) {
      level = m.threshold + m.adaptation * s.second[j];
      if (s.second_by_decay != nullptr) by_second = s.second_by_decay[j];
    }
    const float u = m.alpha[j] * before + input * m.inverse_capacitance;
    float quiet = 0.0f;
    if (s.quiet != nullptr) {
      quiet = std::fmax(0.0f, s.quiet[j] - 1.0f);
      if (quiet > 0.0f) level = std::numeric_limits<float>::infinity();
    }
    const float x = u - level;
    const bool spiking = x > 0.0f;
    if (s.quiet != nullptr) s.quiet[j] = spiking ? m.refractory : quiet;
    if (spiking || (gradients && u > m.second_threshold * level)) {
      c.place[c.count] = first + j;
      c.x[c.count] = x;
      if (c.by_alpha != nullptr) c.by_alpha[c.count] = by_alpha;
      if (c.by_second != nullptr) c.by_second[c.count] = by_second;
      ++c.count;
      c.spikes += spiking ? 1 : 0;
    }
    const bool forgets = spiking && m.reset_to_zero;
    s.u[j] = forgets ? 0.0f : spiking ? u - m.drop : u;
    if (s.u_by_alpha != nullptr) s.u_by_alpha[j] = forgets ? 0.0f : by_alpha;
    if (m.kind == MembraneKind::synaptic && s.second_by_decay != nullptr) {
      s.u_by_kappa[j] = forgets ? 0.0f : by_second;
    }
    if (m.kind == MembraneKind::adaptive) {
      if (s.second_by_decay != nullptr) {
        s.second_by_decay[j] = s.second[j] + m.second[j] * s.second_by_decay[j];
      }
      s.second[j] = m.second[j] * s.second[j] + (spiking ? 1.0f : 0.0f);
    }
  }
}

void list_candidates(const Membrane& m, const Candidates& c, const ListEnd& spikes,
                     const ListEnd& others) {
  std::uint32_t counts[2] = {0, 0};
  for (std::uint32_t k = 0; k < c.count; ++k) {
    const bool spiking = c.x[k] > 0.0f;
    const ListEnd& end = spiking ? spikes : others;
    const std::uint32_t at = counts[spiking ? 0 : 1]++;
    end.id[at] = static_cast<std::uint16_t>(c.place[k] & 0xffff);
    end.step[at] = static_cast<std::uint16_t>(c.place[k] >> 16);
    if (end.slope != nullptr) end.slope[at] = m.height * slope_of(m, c.x[k]);
    if (end.by_alpha != nullptr) end.by_alpha[at] = c.by_alpha[k];
    if (end.by_second != nullptr) end.by_second[at] = c.by_second[k];
  }
}

void run_tile(const TileRun& r, Candidates& c, StepCounts* counts) {
  for (std::uint32_t t = 0; t < r.steps; ++t) {
    for (std::uint32_t j = 0; j < r.width; ++j) r.current[j] = r.bias != nullptr ? r.bias[j] : 0.0f;
    reference::add_rows(r.weights, r.width, r.ids + r.first[t], r.first[t + 1] - r.first[t],
                        r.current);
    const Candidates before = c;
    reference::membrane_step(*r.membrane, r.state, r.current, r.neurons,
                             Candidates::place_of(r.first_step + t, r.first_id), r.gradients, c);
    counts[t] = StepCounts::between(before, c);
  }
}

void membrane_flow(const float* alpha, std::uint32_t neurons, std::uint32_t steps,
                   const std::uint8_t* resets, float* rows, float* sum) {
  for (std::size_t t = steps; t-- > 0;) {
    float* row = rows + t * neurons;
    for (std::size_t j = 0; j < neurons; ++j) {
      const bool reset = resets != nullptr && (resets[t * neurons / 8 + j / 8] >> j % 8 & 1) != 0;
      if (!reset) row[j] = alpha[j] * row[neurons + j] + row[j];
      if (sum != nullptr) sum[j] += row[j];
    }
  }
}

void membrane_decay(const Membrane& m, std::uint32_t neurons, float* gu, float* second) {
  for (std::uint32_t j = 0; j < neurons; ++j) {
    gu[j] *= m.alpha[j];
    if (m.kind == MembraneKind::adaptive) second[j] *= m.second[j];
  }
}

void membrane_output(const Membrane& m, std::uint32_t neurons, const float* gu, float* gi,
                     float* out) {
  for (std::uint32_t j = 0; j < neurons; ++j) {
    if (m.kind == MembraneKind::synaptic)
      gi[j] = m.second[j] * gi[j] + gu[j] * m.inverse_capacitance;
    out[j] = m.kind == MembraneKind::synaptic ? gi[j] : gu[j];
  }
}

void readout_step(const float* alpha, float inverse_capacitance, const float* current,
                  std::uint32_t neurons, float* u, float* trace) {
  for (std::uint32_t j = 0; j < neurons; ++j) {
    trace[j] = u[j] = alpha[j] * u[j] + current[j] * inverse_capacitance;
  }
}

double cross_entropy_rows(const LogitRows& logits, std::uint32_t label, float scale, float* d,
                          std::uint32_t* votes) {
  double loss = 0.0;
  for (std::size_t row = 0; row < logits.rows; ++row) {
    const float* x = logits.x + row * logits.stride;
    const float* end = x + logits.classes;
    const float* top = std::max_element(x, end);
    double sum = 0.0;
    for (const float* k = x; k < end; ++k) sum += std::exp(double{*k} - *top);
    loss += std::log(sum) - (double{x[label]} - *top);
    ++votes[top - x];
    for (std::size_t k = 0; d != nullptr && k < logits.stride; ++k) {
      const double p = k < logits.classes ? std::exp(double{x[k]} - *top) / sum : 0.0;
      d[row * logits.stride + k] = static_cast<float>(scale * (p - (k == label ? 1.0 : 0.0)));
    }
  }
  return loss;
}

void add_windows(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
                 float scale, float* current) {
  for (std::size_t k = 0; k < n; ++k) {
    for (std::uint32_t f = 0; f < filters; ++f) {
      current[windows[k].target + f] += scale * weights[windows[k].row + f];
    }
  }
}

float window_dots(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
                  const float* g) {
  float sum = 0.0f;
  for (std::size_t k = 0; k < n; ++k) {
    for (std::uint32_t f = 0; f < filters; ++f) {
      sum += weights[windows[k].row + f] * g[windows[k].target + f];
    }
  }
  return sum;
}

void window_gradients(float* gradient, std::uint32_t filters, const Window* windows, std::size_t n,
                      float scale, const float* g) {
  for (std::size_t k = 0; k < n; ++k) {
    for (std::uint32_t f = 0; f < filters; ++f) {
      gradient[windows[k].row + f] += scale * g[windows[k].target + f];
    }
  }
}

void adamw(const AdamwStep& s, std::size_t n, float* w, const float* gradient, float* first,
           float* second) {
  const float root = std::sqrt(s.correction2);
  for (std::size_t k = 0; k < n; ++k) {
    const float g = gradient[k] * s.gradient_scale;
    first[k] = s.beta1 * first[k] + (1.0f - s.beta1) * g;
    second[k] = s.beta2 * second[k] + (1.0f - s.beta2) * g * g;
    const float step =
        s.rate * root / s.correction1 * first[k] / (std::sqrt(second[k]) + s.epsilon * root);
    w[k] = (1.0f - s.rate * s.decay) * w[k] - step;
  }
}

void sgd(const SgdStep& s, std::size_t n, float* w, const float* gradient, float* velocity) {
  for (std::size_t k = 0; k < n; ++k) {
    float change = gradient[k] * s.gradient_scale + s.decay * w[k];
    if (velocity != nullptr) change = velocity[k] = s.momentum * velocity[k] + change;
    w[k] -= s.rate * change;
  }
}

}  // namespace tessera::reference
