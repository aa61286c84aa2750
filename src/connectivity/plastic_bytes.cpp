// What plastic rows will take, before they are made.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "connectivity/plastic_bundle.hpp"

namespace tessera {

namespace {

/// In exact precision every delay is a group.
double delay_groups_of(bool exact, const Wiring& wiring, const tessera::Bundle& described) {
  const auto [first, last] = wiring.delay_groups(described);
  if (!exact) return last - first + 1.0;
  const Projection& projection = wiring.projection(described);
  if (projection.rule.kind == ConnectivityRule::Kind::explicit_list || projection.delay_slope != 0.0) {
    return (last - first + 1.0) * wiring.ring_shape().steps();
  }
  const auto [shortest, longest] = DelayTable::range_of(projection.delay_ms, wiring.network().dt_ms);
  return longest - shortest + 1.0;
}

}  // namespace

template <class Real>
typename PlasticRows<Real>::ExpectedBytes PlasticRows<Real>::expected_bytes(const Wiring& wiring, const tessera::Bundle& described,
                                                                            const PlasticityVariant& rule) {
  const Projection& projection = wiring.projection(described);
  const Population& source = wiring.network().populations[described.source_population];
  const double synapses = wiring.expected_synapses_of(described), sources = source.size, targets = described.targets.size;
  const bool summed = takes_sums<Real>(projection, rule);
  // A source has no row where it has no synapse; with rewiring every source has one.
  const double places = sources * delay_groups_of(std::is_same_v<Real, double>, wiring, described);
  const double rows = projection.rewiring ? sources : -places * std::expm1(-synapses / places);
  double per_synapse = sizeof(Real);
  per_synapse += summed ? sizeof(std::uint16_t) + sizeof(float) : sizeof(std::uint32_t);
  if (rule.keeps_state) per_synapse += sizeof(Real);
  ExpectedBytes expected;
  expected.rows = synapses * per_synapse + rows * sizeof(Row) + sources * sizeof(std::uint32_t);
  if (projection.rewiring) expected.rows += targets * sizeof(std::uint32_t);
  if (summed) {
    expected.rows += PostSums::expected_bytes(targets, rule);
  } else {
    const double spikes = wiring.network().find(projection.target)->mean_rate_hz * 2.0 * kLongestWaitMs / 1000.0;
    expected.keeps_history = true;
    expected.history = PostHistory<Real>::expected_bytes(targets, spikes, rule.tau_minus_slow > 0.0);
  }
  return expected;
}

template PlasticRows<float>::ExpectedBytes PlasticRows<float>::expected_bytes(const Wiring&, const tessera::Bundle&, const PlasticityVariant&);
template PlasticRows<double>::ExpectedBytes PlasticRows<double>::expected_bytes(const Wiring&, const tessera::Bundle&, const PlasticityVariant&);

}  // namespace tessera
