// What goes wrong on one rank of a training ends it on all of them: nobody waits for a rank that has left.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

#include "comm/agreement.hpp"

namespace tessera::training {

/// Returns when no rank has failed. Else all throw: the DivergedError of the lowest rank that has one, unless
/// a rank has met something else (see Agreement::settle_failures). Called by all ranks.
void settle(const Agreement& ranks, const std::exception_ptr& mine);

/// work(), then settle().
template <class Work>
void together(const Agreement& ranks, const Work& work) {
  std::exception_ptr failure;
  try {
    work();
  } catch (...) {
    failure = std::current_exception();
  }
  settle(ranks, failure);
}

}  // namespace tessera::training
