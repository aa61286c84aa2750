// Several ranks inside one process, for tests: every rank has a thread, and a seed decides who runs when and
// in which order messages arrive.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "tessera/communicator.hpp"

namespace tessera {

/// One message of all_gather() or exchange treated wrongly on purpose, for tests that have to notice it.
struct LoopbackFault {
  enum class Kind {
    none,
    lost,      ///< never arrives: who waits for it gets a CommunicationError
    repeated,  ///< arrives twice: the second one is a CommunicationError
    emptied,   ///< arrives without its bytes: only what is done with them can notice
    doubled    ///< arrives with its bytes twice, one after the other
  };
  Kind kind = Kind::none;
  std::uint64_t message = 0;  ///< which one, counted from 0 in the order of sending
};

struct LoopbackSummary {
  std::uint64_t messages = 0;  ///< of all_gather() and exchange: those that a fault can pick
};

/// Calls work(communicator) once for every rank and returns when all have returned. Only one rank runs at
/// a time (with whatever threads it starts itself); it goes on until it waits, or the scheduler lets another
/// one go first. So the same seed is the same course of events, nothing is timed, and ranks that wait for
/// what will never come are found at once. The first exception of a rank is rethrown; the other ranks get a
/// CommunicationError as soon as they wait for what that rank did not send. Throws std::logic_error when the fault has not happened.
LoopbackSummary run_loopback(int ranks, std::uint64_t seed,
                             const std::function<void(const std::shared_ptr<Communicator>&)>& work,
                             LoopbackFault fault = {});

}  // namespace tessera
