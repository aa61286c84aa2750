// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/mpi_watch.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace tessera {
namespace {

constexpr int kTag = 1;
constexpr auto kLongestPause = std::chrono::milliseconds(100);
constexpr double kBeatsPerPatience = 20.0, kSignsPerPatience = 10.0;

// The machine as a number: which boot of which kernel, and which processes are visible.
std::uint64_t machine_of_this_process() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  struct stat visible = {};
  if (boot.empty() || ::stat("/proc/self/ns/pid", &visible) != 0) return 0;
  std::uint64_t hash = 14695981039346656037ull ^ visible.st_ino;
  for (const char c : boot) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

std::string place(const char* phase, std::int64_t step) {
  std::string text = std::string("in '") + phase + "'";
  if (step >= 0) text += ", step " + std::to_string(step);
  return text;
}

}  // namespace

void check_mpi(int code, const char* phase) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw CommunicationError(std::string("MPI reports in '") + phase + "': " +
                               std::string(text.data(), static_cast<std::size_t>(length)) + ".",
                           phase, -1);
}

MpiWatch::MpiWatch(MPI_Comm world, MpiMutex& mutex, double patience_seconds, bool threaded, OnLoss on_loss)
    : mutex_(mutex),
      patience_(patience_seconds),
      pause_(std::min<std::chrono::duration<double>>(patience_ / kBeatsPerPatience, kLongestPause)),
      on_loss_(std::move(on_loss)),
      silence_(pause_) {
  check_mpi(MPI_Comm_dup(world, &comm_), "start");
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
  before_ = (rank_ + size_ - 1) % size_;
  next_ = (rank_ + 1) % size_;
  if (size_ == 1) return;
  const Process self{machine_of_this_process(), getpid()};
  Process next;
  check_mpi(MPI_Sendrecv(&self, sizeof self, MPI_BYTE, before_, kTag, &next, sizeof next, MPI_BYTE, next_, kTag,
                         comm_, MPI_STATUS_IGNORE),
            "start");
  if (self.machine != 0 && next.machine == self.machine) next_process_ = static_cast<pid_t>(next.id);
  std::snprintf(last_heard_.phase.data(), last_heard_.phase.size(), "start");
  check_mpi(MPI_Barrier(comm_), "start");  // nobody is silent before all can speak
  last_beat_ = Clock::now();
  silence_ = RunningTime(pause_);
  if (threaded) thread_ = std::thread([this] { loop(); });
}

MpiWatch::~MpiWatch() { stop(); }

void MpiWatch::stop() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(stop_mutex_);
      stop_ = true;
    }
    stop_asked_.notify_one();
    thread_.join();
  }
  const std::lock_guard lock(mutex_);
  for (MPI_Request* const request : {&hearing_, &sending_}) {
    if (*request == MPI_REQUEST_NULL) continue;
    MPI_Cancel(request);
    MPI_Request_free(request);
  }
}

// Signals are for the thread that began the program.
void MpiWatch::loop() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(stop_mutex_);
  while (!stop_asked_.wait_for(lock, pause_, [this] { return stop_; })) {
    lock.unlock();
    if (!lost_) beat();
    lock.lock();
  }
}

void MpiWatch::while_waiting() {
  if (!thread_.joinable() && size_ > 1 && !lost_ && Clock::now() - last_beat_ >= pause_) beat();
  if (!lost_) return;
  const std::lock_guard lock(loss_mutex_);
  throw CommunicationError(*loss_);
}

// A beat that comes late counts as one that was in time: on a crowded machine the next rank comes late, too.
void MpiWatch::beat() {
  silence_.pass();
  last_beat_ = Clock::now();
  try {
    exchange_signs();
  } catch (const CommunicationError& error) {
    return lose(std::string("cannot be asked: ") + error.what());
  }
  if (next_is_gone()) {
    lose("is gone: it was killed, or left without a word");
  } else if (silence_.passed() >= patience_) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3g", patience_.count());
    lose(std::string("has not been heard of for ") + seconds + " s: it hangs, or its machine is lost");
  }
}

void MpiWatch::exchange_signs() {
  const std::lock_guard lock(mutex_);
  int done = 0;
  if (hearing_ != MPI_REQUEST_NULL) {
    check_mpi(MPI_Test(&hearing_, &done, MPI_STATUS_IGNORE), "signs of life");
    if (done != 0) {
      last_heard_ = heard_;
      last_heard_.phase.back() = '\0';
      silence_.restart();
    }
  }
  if (hearing_ == MPI_REQUEST_NULL) {
    check_mpi(MPI_Irecv(&heard_, sizeof heard_, MPI_BYTE, next_, kTag, comm_, &hearing_), "signs of life");
  }
  if (sending_ != MPI_REQUEST_NULL) check_mpi(MPI_Test(&sending_, &done, MPI_STATUS_IGNORE), "signs of life");
  if (sending_ != MPI_REQUEST_NULL || last_beat_ - last_sign_ < patience_ / kSignsPerPatience) return;
  sent_.step = step();
  std::snprintf(sent_.phase.data(), sent_.phase.size(), "%s", phase());
  check_mpi(MPI_Isend(&sent_, sizeof sent_, MPI_BYTE, before_, kTag, comm_, &sending_), "signs of life");
  last_sign_ = last_beat_;
}

bool MpiWatch::next_is_gone() const {
  return next_process_ && !leaving_ && ::kill(*next_process_, 0) != 0 && errno == ESRCH;
}

void MpiWatch::lose(const std::string& what) {
  const std::string next = "rank " + std::to_string(next_);
  const CommunicationError error(next + " of " + std::to_string(size_) + " " + what + ". Rank " +
                                     std::to_string(rank_) + " is " + place(phase(), step()) + "; the last sign of " +
                                     next + " came " + place(last_heard_.phase.data(), last_heard_.step) + ".",
                                 phase(), next_);
  if (on_loss_) on_loss_(error);  // before the thread that waits meets the loss and ends the run in its own way
  const std::lock_guard lock(loss_mutex_);
  loss_ = error;
  lost_ = true;
}

}  // namespace tessera
