// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/mpi.hpp"

#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <utility>

#include "base/process_limits.hpp"
#include "comm/gathered.hpp"
#include "comm/half_call.hpp"
#include "comm/mpi_parts.hpp"
#include "comm/mpi_watch.hpp"
#include "tessera/mpi_communicator.hpp"

namespace tessera {
namespace {

constexpr int kTagPieces = 1;
constexpr int kFirstExchangeTag = 16, kExchangeTags = 16384;  // every MPI has 32,767

MPI_Op operation(Reduction reduction) {
  switch (reduction) {
    case Reduction::sum: return MPI_SUM;
    case Reduction::least: return MPI_MIN;
    case Reduction::most: return MPI_MAX;
  }
  return MPI_SUM;
}

class Mpi final : public Communicator {
 public:
  explicit Mpi(const MpiOptions& options) : largest_(options.largest_count) {
    int began = 0;
    MPI_Initialized(&began);
    if (began == 0 && options.parent) throw InputError("A communicator of MPI was given, but MPI has not begun in this process.");
    if (began == 0) {
      check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level_), "start");
      ends_mpi_ = true;
    } else {
      check_mpi(MPI_Query_thread(&level_), "start");
    }
    const MPI_Comm parent = options.parent ? MPI_Comm_f2c(*options.parent) : MPI_COMM_WORLD;
    if (parent == MPI_COMM_NULL) throw InputError("The communicator of MPI that was given is none, or one that this process has no part in.");
    if (!options.parent) MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check_mpi(MPI_Comm_dup(parent, &comm_), "start");
    check_mpi(MPI_Comm_dup(parent, &leaving_comm_), "start");
    for (const MPI_Comm own : {comm_, leaving_comm_}) MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
    refuse_what_cannot_work(options);
    const int cores = process_limits().threads();
    machine_.open(comm_);
    spins_ = machine_.ranks_here() <= cores;
    MpiWatch::OnLoss on_loss;
    if (options.ranks.on_loss) {
      on_loss = [this, call = options.ranks.on_loss](const CommunicationError& error) { call(*this, error); };
    }
    watch_.emplace(comm_, mutex_, options.ranks.patience_seconds,
                   options.watch_thread && level_ >= MPI_THREAD_SERIALIZED, std::move(on_loss));
  }

  // Nobody may leave before all have come here: a launcher ends the run when a process is gone.
  ~Mpi() override {
    if (!watch_) return;  // nothing has begun
    if (std::uncaught_exceptions() > exceptions_at_birth_) {
      watch_->stop();
      return;
    }
    try {
      static_cast<void>(leave(std::numeric_limits<double>::infinity()));
      watch_.reset();
      machine_.close();
      MPI_Comm_free(&leaving_comm_);
      MPI_Comm_free(&comm_);
      if (ends_mpi_) MPI_Finalize();
    } catch (const std::exception& error) {
      abort(1, error.what());
    }
  }

  [[nodiscard]] int rank() const noexcept override { return rank_; }
  [[nodiscard]] int size() const noexcept override { return size_; }
  [[nodiscard]] std::string name() const override { return "mpi"; }
  [[nodiscard]] Traffic traffic() const noexcept override { return traffic_; }
  void enter(const char* phase, std::int64_t step) override { watch_->enter(phase, step); }

  void barrier() override {
    half_.require_none("barrier");
    count_to_all(0);
    MPI_Request request = MPI_REQUEST_NULL;
    call([&] { return MPI_Ibarrier(comm_, &request); });
    wait(request);
  }

  void all_gather(std::span<const std::byte> mine, Gathered& all) override {
    start_all_gather(mine);
    finish_all_gather(all);
  }

  void all_reduce(std::span<std::uint64_t> values, Reduction reduction) override {
    reduce(values.data(), values.size(), sizeof(std::uint64_t), MPI_UINT64_T, reduction);
  }
  void all_reduce(std::span<double> values, Reduction reduction) override {
    reduce(values.data(), values.size(), sizeof(double), MPI_DOUBLE, reduction);
  }

  void gather(std::span<const std::byte> mine, int root, Gathered& all) override;
  void broadcast(std::vector<std::byte>& bytes, int root) override;
  void start_all_gather(std::span<const std::byte> mine) override;
  void finish_all_gather(Gathered& all) override;
  void start_exchange(std::span<const Parcel> parcels, std::span<const int> from) override;
  void finish_exchange(Gathered& received) override;
  [[nodiscard]] bool leave(double seconds) override;
  [[noreturn]] void abort(int exit_code, const std::string& message) override;

 private:
  void refuse_what_cannot_work(const MpiOptions& options);

  template <class Call>
  void call(const Call& function) {
    const std::lock_guard lock(mutex_);
    check_mpi(function(), watch_->phase());
  }
  void wait(MPI_Request& request) { wait_all({&request, 1}); }
  void wait_all(std::span<MPI_Request> requests);

  void reduce(void* values, std::size_t count, std::size_t bytes, MPI_Datatype type, Reduction reduction);
  void send_pieces(std::span<const std::byte> bytes, int target, int tag);
  void receive_pieces(std::span<std::byte> bytes, int source, int tag);
  void gather_rests(Gathered& all);
  void gather_rests_in_pieces(Gathered& all, std::size_t had);
  void adapt_block(std::size_t longest);
  bool probe(std::size_t i);
  void count_to_all(std::size_t bytes) { count(static_cast<std::uint64_t>(size_ - 1), bytes); }
  void count(std::uint64_t messages, std::size_t bytes) {
    traffic_.messages += messages;
    traffic_.bytes += messages * bytes;
  }

  MpiMutex mutex_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  MPI_Comm leaving_comm_ = MPI_COMM_NULL;  ///< for those who leave while others are still in a call
  MPI_Request leaving_ = MPI_REQUEST_NULL;
  bool left_ = false;
  int rank_ = 0, size_ = 1, level_ = 0;
  bool ends_mpi_ = false, spins_ = false;
  int exceptions_at_birth_ = std::uncaught_exceptions();
  std::size_t largest_;
  OneMachine machine_;
  std::optional<MpiWatch> watch_;
  HalfCall half_;
  Traffic traffic_;

  // all_gather: lists that fit a block travel with their lengths, in one call.
  std::size_t block_room_ = 64;  ///< of contents, the same on all ranks
  int rounds_with_small_lists_ = 0;
  std::span<const std::byte> mine_;
  std::vector<std::byte> block_, blocks_;
  MPI_Request gathering_ = MPI_REQUEST_NULL;

  // exchange
  int exchange_ = 0;
  std::vector<int> from_;
  std::vector<std::vector<std::byte>> parts_;
  std::vector<std::size_t> lengths_;  ///< of what has come of them
  std::vector<MPI_Request> pieces_;
};

void Mpi::refuse_what_cannot_work(const MpiOptions& options) {
  std::string refused;
  if (options.expected_size > 0 && options.expected_size != size_) {
    refused = options.launcher + " has started this process as one of " + std::to_string(options.expected_size) +
              ", but the MPI of this build (" + mpi_name() + ") sees " + std::to_string(size_) +
              (size_ == 1 ? " rank" : " ranks") +
              ": the launcher belongs to another MPI, and each rank would run alone. Use the mpirun of " + mpi_name() +
              " (with Slurm perhaps srun --mpi=pmix), or build Tessera with the MPI of the launcher.";
  } else if (level_ < MPI_THREAD_FUNNELED && size_ > 1) {
    refused = "This MPI (" + mpi_name() + ") gives MPI_THREAD_SINGLE; MPI_THREAD_FUNNELED is needed.";
  } else {
    return;
  }
  if (ends_mpi_) MPI_Finalize();
  throw InputError(refused);
}

void Mpi::wait_all(std::span<MPI_Request> requests) {
  Backoff backoff(spins_);
  for (;;) {
    int done = 0;
    call([&] { return MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE); });
    if (done != 0) return;
    watch_->while_waiting();
    backoff.pause();
  }
}

void Mpi::reduce(void* values, std::size_t count, std::size_t bytes, MPI_Datatype type, Reduction reduction) {
  half_.require_none("all_reduce");
  count_to_all(count * bytes);
  for (std::size_t begin = 0; begin < count; begin += largest_) {
    const std::size_t n = std::min(largest_, count - begin);
    MPI_Request request = MPI_REQUEST_NULL;
    call([&] {
      return MPI_Iallreduce(MPI_IN_PLACE, static_cast<std::byte*>(values) + begin * bytes, static_cast<int>(n), type,
                            operation(reduction), comm_, &request);
    });
    wait(request);
  }
}

void Mpi::send_pieces(std::span<const std::byte> bytes, int target, int tag) {
  for (std::size_t begin = 0; begin < bytes.size(); begin += largest_) {
    const std::size_t n = std::min(largest_, bytes.size() - begin);
    call([&] {
      return MPI_Isend(bytes.data() + begin, static_cast<int>(n), MPI_BYTE, target, tag, comm_,
                       &pieces_.emplace_back(MPI_REQUEST_NULL));
    });
  }
}

void Mpi::receive_pieces(std::span<std::byte> bytes, int source, int tag) {
  for (std::size_t begin = 0; begin < bytes.size(); begin += largest_) {
    const std::size_t n = std::min(largest_, bytes.size() - begin);
    call([&] {
      return MPI_Irecv(bytes.data() + begin, static_cast<int>(n), MPI_BYTE, source, tag, comm_,
                       &pieces_.emplace_back(MPI_REQUEST_NULL));
    });
  }
}

void Mpi::gather(std::span<const std::byte> mine, int root, Gathered& all) {
  half_.require_none("gather");
  const std::uint64_t own = mine.size();
  std::vector<std::uint64_t> lengths(rank_ == root ? static_cast<std::size_t>(size_) : 0);
  MPI_Request request = MPI_REQUEST_NULL;
  call([&] {
    return MPI_Igather(&own, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, root, comm_, &request);
  });
  wait(request);
  all.bytes.clear();
  all.begin.clear();
  pieces_.clear();
  if (rank_ != root) {
    count(1, mine.size());
    send_pieces(mine, root, kTagPieces);
  } else {
    all.begin.assign(1, 0);
    for (const std::uint64_t length : lengths) all.begin.push_back(all.begin.back() + length);
    all.bytes.resize(all.begin.back());
    for (int r = 0; r < size_; ++r) {
      const std::span<std::byte> part(all.bytes.data() + all.begin[static_cast<std::size_t>(r)],
                                      lengths[static_cast<std::size_t>(r)]);
      if (r != rank_) receive_pieces(part, r, kTagPieces);
      if (r == rank_) std::copy(mine.begin(), mine.end(), part.begin());
    }
  }
  wait_all(pieces_);
}

void Mpi::broadcast(std::vector<std::byte>& bytes, int root) {
  half_.require_none("broadcast");
  if (rank_ == root) count_to_all(bytes.size());
  std::uint64_t length = bytes.size();
  MPI_Request request = MPI_REQUEST_NULL;
  call([&] { return MPI_Ibcast(&length, 1, MPI_UINT64_T, root, comm_, &request); });
  wait(request);
  bytes.resize(length);
  for (std::size_t begin = 0; begin < bytes.size(); begin += largest_) {
    const std::size_t n = std::min(largest_, bytes.size() - begin);
    call([&] { return MPI_Ibcast(bytes.data() + begin, static_cast<int>(n), MPI_BYTE, root, comm_, &request); });
    wait(request);
  }
}

void Mpi::start_all_gather(std::span<const std::byte> mine) {
  half_.start(HalfCall::Kind::all_gather);
  count_to_all(mine.size());
  mine_ = mine;
  const std::uint64_t length = mine.size();
  const std::size_t size = sizeof length + block_room_;
  block_.resize(size);
  blocks_.resize(size * static_cast<std::size_t>(size_));
  std::memcpy(block_.data(), &length, sizeof length);
  std::copy_n(mine.begin(), std::min(mine.size(), block_room_), block_.begin() + sizeof length);
  const int n = static_cast<int>(size);
  call([&] {
    return MPI_Iallgather(block_.data(), n, MPI_BYTE, blocks_.data(), n, MPI_BYTE, comm_, &gathering_);
  });
}

void Mpi::finish_all_gather(Gathered& all) {
  half_.finish(HalfCall::Kind::all_gather);
  wait(gathering_);
  all.begin.assign(1, 0);
  std::size_t longest = 0;
  const std::size_t size = sizeof(std::uint64_t) + block_room_;
  for (std::size_t r = 0; r < static_cast<std::size_t>(size_); ++r) {
    std::uint64_t length = 0;
    std::memcpy(&length, blocks_.data() + r * size, sizeof length);
    all.begin.push_back(all.begin.back() + length);
    longest = std::max<std::size_t>(longest, length);
  }
  all.bytes.resize(all.begin.back());
  for (std::size_t r = 0; r < static_cast<std::size_t>(size_); ++r) {
    const std::size_t n = std::min(all.begin[r + 1] - all.begin[r], block_room_);
    std::copy_n(blocks_.begin() + static_cast<std::ptrdiff_t>(r * size + sizeof(std::uint64_t)), n,
                all.bytes.begin() + static_cast<std::ptrdiff_t>(all.begin[r]));
  }
  if (longest > block_room_) gather_rests(all);
  adapt_block(longest);
}

// What did not fit the blocks.
void Mpi::gather_rests(Gathered& all) {
  const std::size_t had = block_room_;
  if (all.bytes.size() > largest_) return gather_rests_in_pieces(all, had);
  std::vector<int> counts, begins;
  for (std::size_t r = 0; r < static_cast<std::size_t>(size_); ++r) {
    const std::size_t length = all.begin[r + 1] - all.begin[r], done = std::min(length, had);
    counts.push_back(static_cast<int>(length - done));
    begins.push_back(static_cast<int>(all.begin[r] + done));
  }
  const std::size_t done = std::min(mine_.size(), had);
  MPI_Request request = MPI_REQUEST_NULL;
  call([&] {
    return MPI_Iallgatherv(mine_.data() + done, static_cast<int>(mine_.size() - done), MPI_BYTE, all.bytes.data(),
                           counts.data(), begins.data(), MPI_BYTE, comm_, &request);
  });
  wait(request);
}

// Counts and places of MPI_Allgatherv have 31 bits.
void Mpi::gather_rests_in_pieces(Gathered& all, std::size_t had) {
  pieces_.clear();
  for (int distance = 0; distance < size_; ++distance) {
    const int source = (rank_ + size_ - distance) % size_, target = (rank_ + distance) % size_;
    const auto r = static_cast<std::size_t>(source);
    const std::size_t length = all.begin[r + 1] - all.begin[r], done = std::min(length, had);
    const std::span<std::byte> place(all.bytes.data() + all.begin[r] + done, length - done);
    const std::span<const std::byte> rest = mine_.subspan(std::min(mine_.size(), had));
    if (distance == 0) {
      std::copy(rest.begin(), rest.end(), place.begin());
    } else {
      receive_pieces(place, source, kTagPieces);
      send_pieces(rest, target, kTagPieces);
    }
  }
  wait_all(pieces_);
}

// Every rank knows all lengths, so all choose the same room. It grows at once and shrinks late, and never
// beyond what is as quick in two calls.
void Mpi::adapt_block(std::size_t longest) {
  constexpr std::size_t kMost = 16384, kAllBlocks = std::size_t{4} << 20;
  constexpr int kRoundsBeforeItShrinks = 200;
  const std::size_t most = std::clamp<std::size_t>(kAllBlocks / static_cast<std::size_t>(size_), 64, kMost);
  const std::size_t wanted = std::min(most, (longest + longest / 4 + 63) / 64 * 64);
  if (wanted > block_room_) {
    block_room_ = wanted;
    rounds_with_small_lists_ = 0;
  } else if (longest * 4 >= block_room_) {
    rounds_with_small_lists_ = 0;
  } else if (++rounds_with_small_lists_ == kRoundsBeforeItShrinks) {
    block_room_ = std::max<std::size_t>(64, block_room_ / 2);
    rounds_with_small_lists_ = 0;
  }
}

// A parcel is pieces of exactly `largest_` bytes and a shorter one (perhaps empty) that is its end; pieces of
// the same pair and tag do not overtake each other.
void Mpi::start_exchange(std::span<const Parcel> parcels, std::span<const int> from) {
  half_.start(HalfCall::Kind::exchange);
  exchange_ = (exchange_ + 1) % kExchangeTags;
  from_.assign(from.begin(), from.end());
  pieces_.clear();
  for (const Parcel& parcel : parcels) {
    count(1, parcel.bytes.size());
    std::size_t begin = 0, n = 0;
    do {
      n = std::min(largest_, parcel.bytes.size() - begin);
      call([&] {
        return MPI_Isend(parcel.bytes.data() + begin, static_cast<int>(n), MPI_BYTE, parcel.rank,
                         kFirstExchangeTag + exchange_, comm_, &pieces_.emplace_back(MPI_REQUEST_NULL));
      });
      begin += n;
    } while (n == largest_);
  }
}

// Takes what has come from source number i; true: it was the end of its parcel.
bool Mpi::probe(std::size_t i) {
  int found = 0, n = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  call([&] { return MPI_Improbe(from_[i], kFirstExchangeTag + exchange_, comm_, &found, &message, &status); });
  if (found == 0) return false;
  call([&] { return MPI_Get_count(&status, MPI_BYTE, &n); });
  std::vector<std::byte>& part = parts_[i];
  const std::size_t had = lengths_[i];
  lengths_[i] += static_cast<std::size_t>(n);
  if (part.size() < lengths_[i]) part.resize(lengths_[i]);  // what is there is not cleared again
  MPI_Request request = MPI_REQUEST_NULL;
  call([&] { return MPI_Imrecv(part.data() + had, n, MPI_BYTE, &message, &request); });
  wait(request);
  return static_cast<std::size_t>(n) < largest_;
}

void Mpi::finish_exchange(Gathered& received) {
  half_.finish(HalfCall::Kind::exchange);
  if (parts_.size() < from_.size()) parts_.resize(from_.size());
  std::vector<std::size_t> missing;
  lengths_.assign(from_.size(), 0);
  for (std::size_t i = 0; i < from_.size(); ++i) missing.push_back(i);
  Backoff backoff(spins_);
  while (!missing.empty()) {
    if (std::erase_if(missing, [this](std::size_t i) { return probe(i); }) > 0) continue;
    watch_->while_waiting();
    backoff.pause();
  }
  wait_all(pieces_);
  for (std::size_t i = 0; i < from_.size(); ++i) parts_[i].resize(lengths_[i]);
  if (from_.size() == 1) {  // megabytes between two ranks need not be copied
    std::swap(received.bytes, parts_[0]);
    received.begin = {0, received.bytes.size()};
    return;
  }
  start(received);
  for (std::size_t i = 0; i < from_.size(); ++i) add(received, parts_[i]);
}

bool Mpi::leave(double seconds) {
  if (left_) return true;
  enter("end", -1);
  watch_->expect_leaving();
  if (leaving_ == MPI_REQUEST_NULL) call([&] { return MPI_Ibarrier(leaving_comm_, &leaving_); });
  RunningTime waited(std::chrono::milliseconds(20));
  Backoff backoff(spins_);
  while (!left_) {
    int done = 0;
    call([&] { return MPI_Test(&leaving_, &done, MPI_STATUS_IGNORE); });
    left_ = done != 0;
    if (left_) break;
    waited.pass();
    if (waited.passed().count() >= seconds) break;
    watch_->while_waiting();
    backoff.pause();
  }
  return left_;
}

// MPI may be busy in another thread, and will not become free when it hangs.
void Mpi::abort(int exit_code, const std::string& message) {
  machine_.speak_or_wait([&] {
    const std::string line = message + "\n";
    static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  });
  std::unique_lock lock(mutex_, std::defer_lock);
  static_cast<void>(lock.try_lock_for(std::chrono::seconds(1)));
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  _exit(exit_code);
}

}  // namespace

std::shared_ptr<Communicator> mpi_communicator(const MpiOptions& options) { return std::make_shared<Mpi>(options); }

std::shared_ptr<Communicator> communicator_of_mpi(int fortran_handle, const RankOptions& ranks) {
  MpiOptions options;
  options.ranks = ranks;
  options.parent = fortran_handle;
  return mpi_communicator(options);
}

std::string mpi_name() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  std::string name(text.data(), static_cast<std::size_t>(length));
  name = name.substr(0, name.find_first_of(",\n"));
  if (const std::size_t v = name.find(" v"); v != std::string::npos) name.erase(v + 1, 1);
  return name;
}

}  // namespace tessera
