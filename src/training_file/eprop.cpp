// [eprop]: learning by e-prop instead of back-propagation.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "training_file/parts.hpp"

namespace tessera::io {

using namespace training;

void read_eprop(TrainingReader& t, Eprop& eprop) {
  constexpr Dimension kPerTime{-1, -1, 0, 0};
  eprop.convention = t.word<EpropConvention>(
      "convention", eprop.convention, {{"bellec2020", EpropConvention::bellec2020}, {"mlgenn", EpropConvention::mlgenn}});
  eprop.feedback = t.word<EpropFeedback>("feedback", eprop.feedback,
                                         {{"symmetric", EpropFeedback::symmetric}, {"random", EpropFeedback::random}});
  if (t.applies("feedback_gain", eprop.feedback == EpropFeedback::random, "only random feedback has weights of its own"))
    eprop.feedback_gain = t.number("feedback_gain", {}, eprop.feedback_gain);
  eprop.rate_strength = t.number("rate_strength", {}, eprop.rate_strength);
  const bool regularises = t.has("rate_strength");
  if (t.applies("rate_target", regularises, "there is no rate_strength"))
    eprop.rate_target_hz = t.number("rate_target", kPerTime, eprop.rate_target_hz);
  if (t.applies("rate_tau", regularises && eprop.convention == EpropConvention::mlgenn,
                "only mlgenn with a rate_strength has a running mean of spikes"))
    eprop.rate_tau_ms = t.number("rate_tau", kMs, eprop.rate_tau_ms);
  eprop.average = t.truth("average", eprop.average);
  t.done();
}

}  // namespace tessera::io
