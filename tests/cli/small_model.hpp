// A network of 200 neurons that fires by its constant input: every command can run on it in no
// time.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tessera::test {

// The current is a third above threshold (C_m / tau_m * 15 mV = 375 pA), so E fires regularly.
inline constexpr const char* kSmallModel = R"(name = "small"
dt = "0.1 ms"
time = "200 ms"
discard = "50 ms"
seed = 7

[parameters]
amplitude = "500 pA"

[populations.E]
size = 160
model = "iaf_psc_exp"
mean_rate = "30 Hz"

[populations.E.initial.V_m]
distribution = "uniform"
from = "-65 mV"
to = "-50 mV"

[populations.I]
size = 40
inhibitory = true
model = "iaf_psc_exp"
mean_rate = "30 Hz"

[projections.to_I]
source = "E"
target = "I"
rule = "fixed_indegree"
number = 20
weight = "300 pA"
delay = "1.5 ms"

[projections.to_E]
source = "I"
target = "E"
rule = "pairwise_bernoulli"
probability = 0.2
weight = "-90 pA"
delay = "0.8 ms"

[stimuli.drive]
kind = "current"
target = "E"
amplitude = "$amplitude"
)";

}  // namespace tessera::test
