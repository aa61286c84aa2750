// What ranks say to each other. A rank is a process (or, in tests, a thread that plays one) that owns whole
// tiles; only compressed spike lists travel between ranks while a network runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tessera/errors.hpp"

namespace tessera {

/// Something between the ranks went wrong: a rank left, hangs, or the library below reports an error.
/// The message names the phase and, where it is known, the rank.
class CommunicationError : public RunError {
 public:
  CommunicationError(const std::string& message, std::string in_phase, int which_rank)
      : RunError(message), phase(std::move(in_phase)), rank(which_rank) {}
  std::string phase;  ///< what the ranks were doing, in the words of Communicator::enter()
  int rank;           ///< who is missing; -1: not known
};

/// Communicator::abort() where all ranks live in this process.
class RunAborted : public RunError {
 public:
  RunAborted(const std::string& message, int code) : RunError(message), exit_code(code) {}
  int exit_code;
};

/// Bytes of several ranks, one after the other.
struct Gathered {
  std::vector<std::byte> bytes;
  std::vector<std::size_t> begin;  ///< size() + 1 entries: rank r sent [begin[r], begin[r + 1])
  [[nodiscard]] std::span<const std::byte> of(int rank) const {
    const auto r = static_cast<std::size_t>(rank);
    return std::span(bytes).subspan(begin[r], begin[r + 1] - begin[r]);
  }
};

/// Bytes for one rank, or from one.
struct Parcel {
  int rank = 0;
  std::span<const std::byte> bytes;
};

enum class Reduction { sum, least, most };

/// Counted since the communicator was made, on this rank. Bytes that stay on the rank do not count.
struct Traffic {
  std::uint64_t messages = 0;  ///< sent by this rank; a collective call counts one for every other rank
  std::uint64_t bytes = 0;     ///< of their contents
};

/// The ranks of one run. All calls but rank(), size(), name() and traffic() are made by every rank in the
/// same order, on one thread at a time (MPI_THREAD_FUNNELED is enough: the thread that made it).
/// Every call that waits throws CommunicationError instead of waiting for ever.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int rank() const noexcept = 0;  ///< 0 .. size() - 1
  [[nodiscard]] virtual int size() const noexcept = 0;
  [[nodiscard]] virtual std::string name() const = 0;  ///< "local", "mpi", "loopback" or "dry run"

  /// Names what follows, for error messages: "construction", "exchange", "checkpoint", ... `phase` is kept
  /// as a pointer (give a literal); `step` is the model's, -1 where there is none. Two stores; no message.
  virtual void enter(const char* phase, std::int64_t step = -1) = 0;

  virtual void barrier() = 0;
  /// Everybody gets what everybody gives, of any lengths. `mine` may be empty.
  virtual void all_gather(std::span<const std::byte> mine, Gathered& all) = 0;
  /// Combines values element by element; equal lengths on all ranks. Sums of integers wrap around modulo
  /// 2^64; sums of doubles are rounded in an order that may depend on the number of ranks.
  virtual void all_reduce(std::span<std::uint64_t> values, Reduction reduction) = 0;
  virtual void all_reduce(std::span<double> values, Reduction reduction) = 0;
  /// Rank `root` gets what everybody gives; the others get nothing (`all` becomes empty).
  virtual void gather(std::span<const std::byte> mine, int root, Gathered& all) = 0;
  /// Everybody gets the bytes of `root`.
  virtual void broadcast(std::vector<std::byte>& bytes, int root) = 0;

  /// The same as all_gather() in two halves: what a rank does between them overlaps with the messages.
  /// `mine` must stay unchanged until the second half has returned. Between the two halves of this or of
  /// an exchange nothing else may be called but enter(), rank(), size(), name(), traffic() and abort().
  virtual void start_all_gather(std::span<const std::byte> mine) = 0;
  virtual void finish_all_gather(Gathered& all) = 0;

  /// Point to point: this rank sends one parcel to each rank it names (parcels may be empty but are sent),
  /// and gets exactly one from every rank of `from`, which must have named this one. Neither names itself.
  /// The parcels' bytes must stay unchanged until finish_exchange() has returned.
  virtual void start_exchange(std::span<const Parcel> parcels, std::span<const int> from) = 0;
  /// What came, in the order of `from`; begin has from.size() + 1 entries.
  virtual void finish_exchange(Gathered& received) = 0;

  /// This rank makes no more calls but abort(). Waits for all others to say the same, and returns whether they
  /// did within `seconds`: a rank that has failed finds out whether it is the only one.
  [[nodiscard]] virtual bool leave(double seconds) = 0;
  /// Ends every rank of the run at once with this exit code: for a failure that the other ranks cannot know
  /// of. Ranks in other processes are ended by the launcher, after `message` was written to standard error
  /// as a line of its own, once where several ranks abort. Where all ranks live in this process it throws RunAborted.
  [[noreturn]] virtual void abort(int exit_code, const std::string& message) = 0;

  [[nodiscard]] virtual Traffic traffic() const noexcept = 0;
};

/// One rank alone: every call returns at once.
[[nodiscard]] std::shared_ptr<Communicator> local_communicator();
/// Rank `rank` of `size`, of which the others do not exist. Their parts are empty, reductions give the own
/// values, no message is sent, and traffic() counts what would have been sent. For costing machines that are
/// not here. Throws InputError where `rank` is not below `size`.
[[nodiscard]] std::shared_ptr<Communicator> dry_run_communicator(int rank, int size);

/// What started this process as one of several, as the environment says.
struct Launcher {
  std::string name;  ///< for messages: "mpirun of Open MPI"
  int rank = 0;
  int size = 0;  ///< 0: the launcher does not tell
};
/// Nothing where this process was started alone, by whatever launcher.
[[nodiscard]] std::optional<Launcher> launcher();

struct RankOptions {
  /// A rank that is not heard of for so long is lost. Every rank sends a sign of life a few times in this
  /// time, also while it computes. What counts is time in which the listener itself was running.
  double patience_seconds = 30.0;
  /// Called at most once, on a thread of its own, when a rank is lost; abort() may be called from it. Where
  /// it is empty or returns, the next call that waits throws what it was given. Of all ranks, one finds out.
  std::function<void(Communicator&, const CommunicationError&)> on_loss;
};
/// The ranks that the launcher has started; local_communicator() where there is none. Only then MPI is
/// initialised (unless the program did), and finalised by the destructor, which waits for the other ranks;
/// not while an exception passes: then the launcher ends the others. Throws InputError where this build has
/// no MPI, or another one than the launcher (each rank would be alone).
[[nodiscard]] std::shared_ptr<Communicator> launched_communicator(const RankOptions& options = {});

/// The MPI of this build, "Open MPI 4.1.4"; empty: none.
[[nodiscard]] std::string mpi_name();

}  // namespace tessera
