// Reads batches ahead: threads fill a ring of slots, next() swaps them out in order.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/batch_loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/process_limits.hpp"
#include "tessera/errors.hpp"

namespace tessera::training {
namespace {

constexpr std::size_t kReady = 2;  // slots beside those being filled: evens out slow samples

[[noreturn]] void refuse_sample(const SpikeDataset& dataset, std::size_t index,
                                const std::string& what) {
  throw InputError(fmt::format("sample {} of data set '{}' {}.", index, dataset.name(), what));
}

void check_label(const SpikeDataset& dataset, std::size_t index, std::int32_t label) {
  if (label >= 0 && static_cast<std::uint32_t>(label) < dataset.classes()) return;
  refuse_sample(dataset, index,
                fmt::format("has the label {}; labels are 0 to {}", label,
                            std::int64_t{dataset.classes()} - 1));
}

}  // namespace

void make_batch(const std::vector<SpikeSample>& samples, std::uint32_t channels,
                std::uint32_t steps, SpikeBatch& batch) {
  std::uint64_t spikes = 0;
  for (std::size_t b = 0; b < samples.size(); ++b) {
    const SpikeSample& sample = samples[b];
    if (sample.first.size() != std::size_t{steps} + 1 || sample.first.front() != 0 ||
        sample.first.back() != sample.channel.size() ||
        !std::is_sorted(sample.first.begin(), sample.first.end())) {
      throw InputError(fmt::format("sample {} of a batch does not have {} steps.", b, steps));
    }
    spikes += sample.channel.size();
  }
  if (spikes > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError("a batch has more than 2^32 spikes; use smaller batches.");
  }
  batch.samples = static_cast<std::uint32_t>(samples.size());
  batch.steps = steps;
  batch.channels = channels;
  batch.first.resize(std::size_t{steps} * samples.size() + 1);
  batch.channel.resize(spikes);
  batch.label.resize(samples.size());
  std::uint32_t at = 0;
  std::size_t list = 0;
  std::uint32_t largest = 0;
  for (std::uint32_t t = 0; t < steps; ++t) {
    for (const SpikeSample& sample : samples) {
      batch.first[list++] = at;
      for (std::uint32_t i = sample.first[t]; i < sample.first[t + 1]; ++i) {
        const std::uint32_t channel = sample.channel[i];
        largest = std::max(largest, channel);
        batch.channel[at++] = channel;
      }
    }
  }
  batch.first[list] = at;
  // The engine indexes with channels without looking again.
  if (spikes > 0 && largest >= channels) {
    throw InputError(fmt::format("a sample has a spike of channel {}; channels are 0 to {}.",
                                 largest, std::int64_t{channels} - 1));
  }
  batch.target.clear();
  for (std::size_t b = 0; b < samples.size(); ++b) {
    batch.label[b] = samples[b].label;
    if (samples[b].target.size() != samples.front().target.size())
      throw InputError("the samples of a batch have targets of different sizes.");
    batch.target.insert(batch.target.end(), samples[b].target.begin(), samples[b].target.end());
  }
}

// Slot i holds batch n with n % slots == i. Readers take the numbers in order, while number < taken
// + slots.
struct BatchLoader::State {
  struct Slot {
    SpikeBatch batch;
    std::exception_ptr error;
    std::size_t ready = 0;  // number of the batch it holds, plus 1
  };

  State(const SpikeDataset& data, std::vector<std::vector<std::uint32_t>> samples,
        std::uint64_t which, std::size_t readers)
      : dataset(data), order(std::move(samples)), draw(which), slots(readers + kReady) {}

  void read_all();
  void fill(std::size_t number, std::vector<SpikeSample>& samples, SpikeBatch& into) const;
  Slot& slot_of(std::size_t number) { return slots[number % slots.size()]; }

  const SpikeDataset& dataset;
  const std::vector<std::vector<std::uint32_t>> order;  // of every batch
  const std::uint64_t draw;

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t begun = 0, taken = 0;
  bool stop = false;  // also after an error: what comes behind it is not wanted
  std::vector<Slot> slots;
  std::vector<std::thread> threads;
};

void BatchLoader::State::fill(std::size_t number, std::vector<SpikeSample>& samples,
                              SpikeBatch& into) const {
  samples.resize(order[number].size());
  for (std::size_t b = 0; b < samples.size(); ++b) {
    const std::uint32_t index = order[number][b];
    dataset.read(index, draw, samples[b]);
    check_label(dataset, index, samples[b].label);
  }
  make_batch(samples, static_cast<std::uint32_t>(dataset.shape().size()), dataset.steps(), into);
}

void BatchLoader::State::read_all() {
  std::vector<SpikeSample> samples;
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return stop || begun == order.size() || begun < taken + slots.size(); });
    if (stop || begun == order.size()) return;
    const std::size_t number = begun++;
    Slot& slot = slot_of(number);
    lock.unlock();
    std::exception_ptr met;
    try {
      fill(number, samples, slot.batch);
    } catch (...) {
      met = std::current_exception();
    }
    lock.lock();
    slot.error = met;
    slot.ready = number + 1;
    stop = stop || met;
    changed.notify_all();
  }
}

namespace {

std::vector<std::vector<std::uint32_t>> cut(const std::vector<std::uint32_t>& order, std::uint32_t batch) {
  if (batch == 0) throw InputError("a batch must hold at least one sample.");
  std::vector<std::vector<std::uint32_t>> batches;
  for (std::size_t begin = 0; begin < order.size(); begin += batch) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto n = static_cast<std::ptrdiff_t>(std::min<std::size_t>(batch, order.size() - begin));
    batches.emplace_back(first, first + n);
  }
  return batches;
}

}  // namespace

BatchLoader::BatchLoader(const SpikeDataset& dataset, std::vector<std::uint32_t> order,
                         std::uint32_t batch, std::uint64_t draw, std::size_t readers)
    : BatchLoader(dataset, draw, cut(order, batch), readers) {}

BatchLoader::BatchLoader(const SpikeDataset& dataset, std::uint64_t draw,
                         std::vector<std::vector<std::uint32_t>> batches, std::size_t readers)
    : state_(std::make_unique<State>(dataset, std::move(batches), draw, readers)) {
  if (dataset.shape().size() > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError(fmt::format("data set '{}' has more than 2^32 channels.", dataset.name()));
  }
  for (const std::vector<std::uint32_t>& samples : state_->order) {
    for (const std::uint32_t index : samples) {
      if (index < dataset.size()) continue;
      throw InputError(fmt::format("there is no sample {} in data set '{}', which has {} samples.",
                                   index, dataset.name(), dataset.size()));
    }
  }
  const std::size_t threads = std::min(std::max<std::size_t>(readers, 1), state_->order.size());
  for (std::size_t k = 0; k < threads; ++k) {
    try {
      state_->threads.emplace_back([state = state_.get()] { state->read_all(); });
    } catch (const std::system_error&) {
      if (k == 0) throw;  // fewer will do
      break;
    }
  }
}

// Encoding a sample takes about a tenth of the time that training takes for it.
std::size_t BatchLoader::readers_for(int workers) {
  return static_cast<std::size_t>(
      std::clamp((workers > 0 ? workers : process_limits().threads()) / 4, 1, 8));
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
    state_->changed.notify_all();
  }
  for (std::thread& thread : state_->threads) thread.join();
}

bool BatchLoader::next(SpikeBatch& batch) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.taken == state.order.size()) return false;
  State::Slot& slot = state.slot_of(state.taken);
  state.changed.wait(lock, [&] { return slot.ready == state.taken + 1; });
  if (slot.error) std::rethrow_exception(slot.error);
  std::swap(batch, slot.batch);  // the reader reuses the caller's old memory
  ++state.taken;
  state.changed.notify_all();
  return true;
}

std::size_t BatchLoader::batches() const noexcept { return state_->order.size(); }

}  // namespace tessera::training
