// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/spike_lists.hpp"

#include <algorithm>
#include <cstring>

namespace tessera::training {
namespace {

// Entries are written and copied in whole chunks: arrays have room for one more.
constexpr std::size_t kChunk = 16;
constexpr std::uint32_t kMostOfAKind = 0xffff;

// Where n more entries go; arrays for them grow with the stream.
ListEnd end_of(Stream& s, std::size_t n, bool gradients, const Candidates& candidates) {
  const bool alpha = gradients && candidates.by_alpha != nullptr;
  const bool second = gradients && candidates.by_second != nullptr;
  if (s.size + n + kChunk > s.room) {
    s.room = s.size + s.size / 2 + n + 1024;
    s.id.resize(s.room);
    s.step.resize(s.room);
    if (gradients) s.slope.resize(s.room);
    if (alpha) s.by_alpha.resize(s.room);
    if (second) s.by_second.resize(s.room);
  }
  return {
      s.id.data() + s.size, s.step.data() + s.size, gradients ? s.slope.data() + s.size : nullptr,
      alpha ? s.by_alpha.data() + s.size : nullptr, second ? s.by_second.data() + s.size : nullptr};
}

}  // namespace

std::uint32_t Stream::at(std::uint32_t sample, std::uint32_t from) const {
  const auto begin = step.begin() + first[sample], end = step.begin() + first[sample + 1];
  return static_cast<std::uint32_t>(std::lower_bound(begin, end, from) - step.begin());
}

void Recording::clear(bool gradients) {
  for (Stream* s : {&spikes, &others}) {
    s->size = 0;
    s->first.clear();
    if (gradients == !s->slope.empty()) continue;
    for (std::vector<float>* values : {&s->slope, &s->by_alpha, &s->by_second}) values->clear();
    s->room = 0;
  }
  counts.clear();
  dropped = 0;
}

void Recording::begin_sample() {
  for (Stream* s : {&spikes, &others}) s->first.push_back(static_cast<std::uint32_t>(s->size));
}

void Recording::end_samples() { begin_sample(); }

void Recording::add_spike(std::uint16_t id, std::uint16_t step) {
  if (spikes.size + kChunk >= spikes.room) {
    spikes.room = spikes.size + spikes.size / 2 + 2 * kChunk;
    spikes.id.resize(spikes.room);
    spikes.step.resize(spikes.room);
  }
  spikes.id[spikes.size] = id;
  spikes.step[spikes.size++] = step;
  ++counts[step].spikes;
}

// Behind the entries that count; the streams do not grow yet.
void Recording::deal(const Membrane& membrane, const Candidates& candidates, bool gradients) {
  const std::uint32_t rest = candidates.count - candidates.spikes;
  const ListEnd spike_end = end_of(spikes, candidates.spikes, gradients, candidates);
  const ListEnd other_end = gradients ? end_of(others, rest, true, candidates) : ListEnd{};
  list_candidates(membrane, candidates, spike_end, other_end);
}

std::uint32_t Recording::append(const Membrane& membrane, const Candidates& candidates,
                                bool gradients) {
  deal(membrane, candidates, gradients);
  const std::uint32_t n = candidates.spikes, rest = candidates.count - n;
  const std::uint32_t kept = std::min(n, kMostOfAKind), kept_rest = std::min(rest, kMostOfAKind);
  dropped += n - kept + rest - kept_rest;
  counts.push_back({static_cast<std::uint16_t>(kept), static_cast<std::uint16_t>(kept_rest)});
  spikes.size += kept;
  others.size += kept_rest;
  return kept;
}

StepEntries StepEntries::behind(const Recording& r, std::uint32_t sample, std::uint32_t end) {
  const std::uint32_t spike = r.spikes.at(sample, end), other = r.others.at(sample, end);
  return {spike, spike, other, other};
}

void Recording::append_run(TileRun run, Candidates& candidates) {
  const std::uint32_t steps = run.steps;
  for (std::uint32_t t = 0; t < steps; t += run.steps) {
    run.steps = std::min(kRunSteps, steps - t);
    run.first_step = t;
    counts.resize(counts.size() + run.steps);
    candidates.clear();
    run_tile(run, candidates, counts.data() + counts.size() - run.steps);
    deal(*run.membrane, candidates, run.gradients);
    spikes.size += candidates.spikes;
    others.size += candidates.count - candidates.spikes;
    run.first += run.steps;
  }
}

void StepEntries::back_to(const Recording& r, std::uint32_t sample, std::uint32_t step) {
  spike1 = spike0;
  other1 = other0;
  while (spike0 > r.spikes.first[sample] && r.spikes.step[spike0 - 1] == step) --spike0;
  while (other0 > r.others.first[sample] && r.others.step[other0 - 1] == step) --other0;
}

void SpikeLists::resize(std::uint32_t new_sections, std::uint32_t new_parts) {
  sections = new_sections;
  parts = new_parts;
  recordings.resize(std::size_t{sections} * parts);
}

std::uint64_t SpikeLists::entries() const {
  std::uint64_t sum = 0;
  for (const Recording& r : recordings) sum += r.spikes.size + r.others.size;
  return sum;
}

std::uint64_t SpikeLists::bytes() const {
  std::uint64_t sum = lists() * sizeof(first[0]) + first[lists()] * sizeof(id[0]);
  for (const Recording& r : recordings) {
    sum += r.counts.size() * sizeof(StepCounts);
    for (const Stream* s : {&r.spikes, &r.others}) {
      std::size_t entry = sizeof(s->id[0]) + sizeof(s->step[0]);
      for (const std::vector<float>* values : {&s->slope, &s->by_alpha, &s->by_second})
        entry += values->empty() ? 0 : sizeof(float);
      sum += s->size * entry;
    }
  }
  return sum;
}

void assign_input(Worker& worker, const SpikeBatch& batch, bool recorded, SpikeLists& lists) {
  worker.once([&] {
    lists.samples = batch.samples;
    lists.steps = batch.steps;
    lists.section_width = 128;
    lists.resize((batch.channels + lists.section_width - 1) / lists.section_width,
                 std::min(batch.samples, 16u));
    grow(lists.first, lists.lists() + 1);
    grow(lists.id, batch.channel.size());
    std::uint32_t at = 0;
    for (std::uint32_t b = 0; b < batch.samples; ++b) {
      for (std::uint32_t t = 0; t < batch.steps; ++t) {
        const std::size_t from = std::size_t{t} * batch.samples + b;
        lists.first[std::size_t{b} * batch.steps + t] = at;
        at += batch.first[from + 1] - batch.first[from];
      }
    }
    lists.first[lists.lists()] = at;
  });
  worker.each(lists.parts, [&](std::size_t job) {
    const auto part = static_cast<std::uint32_t>(job);
    for (std::uint32_t s = 0; s < lists.sections; ++s) lists.recording(s, part).clear(false);
    for (std::uint32_t b = lists.part_begin(part); b < lists.part_begin(part + 1); ++b) {
      for (std::uint32_t s = 0; s < lists.sections; ++s) lists.recording(s, part).begin_sample();
      for (std::uint32_t t = 0; t < batch.steps; ++t) {
        const std::uint32_t* channels =
            batch.channel.data() + batch.first[std::size_t{t} * batch.samples + b];
        const std::size_t q = std::size_t{b} * batch.steps + t,
                          n = lists.first[q + 1] - lists.first[q];
        for (std::size_t k = 0; k < n; ++k) {
          lists.id[lists.first[q] + k] = static_cast<std::uint16_t>(channels[k]);
          if (!recorded) continue;
          Stream& s = lists.recording(channels[k] / lists.section_width, part).spikes;
          if (s.size == s.room) {
            s.room = 2 * s.size + 1024;
            s.id.resize(s.room);
            s.step.resize(s.room);
          }
          s.id[s.size] = static_cast<std::uint16_t>(channels[k]);
          s.step[s.size++] = static_cast<std::uint16_t>(t);
        }
      }
    }
    for (std::uint32_t s = 0; s < lists.sections; ++s) lists.recording(s, part).end_samples();
  });
}

// How many entries every list gets; what does not fit leaves the counts of the last sections.
void ListMerge::count_sample(std::uint32_t b, std::uint32_t capacity, SpikeLists& lists) {
  const std::uint32_t part = lists.part_of(b);
  const std::size_t local = std::size_t{b - lists.part_begin(part)} * lists.steps;
  std::uint32_t* sizes = lists.first.data() + std::size_t{b} * lists.steps + 1;
  std::vector<std::uint32_t> others(lists.steps, 0);
  std::fill_n(sizes, lists.steps, 0u);
  for (std::uint32_t s = 0; s < lists.sections; ++s) {
    const StepCounts* counts = lists.recording(s, part).counts.data() + local;
    for (std::uint32_t t = 0; t < lists.steps; ++t) {
      sizes[t] += counts[t].spikes;
      others[t] += counts[t].others;
    }
  }
  for (std::uint32_t t = 0; t < lists.steps; ++t) {
    if (sizes[t] + others[t] <= capacity) continue;
    const std::uint32_t kept = std::min(sizes[t], capacity);
    dropped_[b].spikes += sizes[t] - kept;
    dropped_[b].others += others[t] - std::min(others[t], capacity - kept);
    std::uint32_t spike_room = kept, other_room = capacity - kept;
    for (std::uint32_t s = 0; s < lists.sections; ++s) {
      StepCounts& c = lists.recording(s, part).counts[local + t];
      c.spikes = static_cast<std::uint16_t>(std::min<std::uint32_t>(c.spikes, spike_room));
      c.others = static_cast<std::uint16_t>(std::min<std::uint32_t>(c.others, other_room));
      spike_room -= c.spikes;
      other_room -= c.others;
    }
    sizes[t] = kept;
  }
}

namespace {

// Keeps the first kept(sample, step) entries of every step of a stream.
template <class Kept>
void cut_stream(Stream& s, std::uint32_t steps, const Kept& kept) {
  std::size_t to = 0, from = 0;
  for (std::size_t b = 0; b + 1 < s.first.size(); ++b) {
    const std::size_t end = s.first[b + 1];
    s.first[b] = static_cast<std::uint32_t>(to);
    for (std::uint32_t t = 0; t < steps; ++t) {
      const std::size_t most = to + kept(b, t);
      for (; from < end && s.step[from] == t; ++from) {
        if (to == most) continue;
        s.id[to] = s.id[from];
        s.step[to] = s.step[from];
        for (std::vector<float>* values : {&s.slope, &s.by_alpha, &s.by_second}) {
          if (!values->empty()) (*values)[to] = (*values)[from];
        }
        ++to;
      }
    }
  }
  s.first.back() = static_cast<std::uint32_t>(to);
  s.size = to;
}

}  // namespace

// Removes from the recordings of a part what the counts have lost.
void ListMerge::cut(std::uint32_t part, SpikeLists& lists) {
  const auto begin = dropped_.begin() + lists.part_begin(part);
  const auto end = dropped_.begin() + lists.part_begin(part + 1);
  if (std::all_of(begin, end, [](const Dropped& d) { return d.spikes + d.others == 0; })) return;
  for (std::uint32_t s = 0; s < lists.sections; ++s) {
    Recording& r = lists.recording(s, part);
    const auto count = [&](std::size_t b, std::uint32_t t) {
      return r.counts[b * lists.steps + t];
    };
    cut_stream(r.spikes, lists.steps,
               [&](std::size_t b, std::uint32_t t) { return count(b, t).spikes; });
    cut_stream(r.others, lists.steps,
               [&](std::size_t b, std::uint32_t t) { return count(b, t).others; });
  }
}

namespace {

// The spikes of all sections of one sample, step after step. Pieces are a few entries long and
// their lengths cannot be predicted: a whole chunk is copied at least, what is too much is
// overwritten by the next piece, or must not reach the next sample.
void write_sample(std::uint32_t b, SpikeLists& lists) {
  const std::uint32_t part = lists.part_of(b), local = b - lists.part_begin(part);
  const std::size_t q = std::size_t{b} * lists.steps, end = lists.first[q + lists.steps];
  std::vector<const std::uint16_t*> from(lists.sections);
  std::vector<const StepCounts*> counts(lists.sections);
  for (std::uint32_t s = 0; s < lists.sections; ++s) {
    const Recording& r = lists.recording(s, part);
    from[s] = r.spikes.id.data() + r.spikes.first[local];
    counts[s] = r.counts.data() + std::size_t{local} * lists.steps;
  }
  std::size_t to = lists.first[q];
  for (std::uint32_t t = 0; t < lists.steps; ++t) {
    for (std::uint32_t s = 0; s < lists.sections; ++s) {
      const std::size_t n = counts[s][t].spikes;
      if (to + n + kChunk <= end) {
        std::size_t k = 0;
        do {
          std::memcpy(lists.id.data() + to + k, from[s] + k, kChunk * sizeof(std::uint16_t));
          k += kChunk;
        } while (k < n);
      } else {
        std::copy_n(from[s], n, lists.id.data() + to);
      }
      from[s] += n;
      to += n;
    }
  }
}

}  // namespace

void ListMerge::run(Worker& worker, std::uint32_t capacity, std::uint32_t neurons,
                    SpikeLists& lists) {
  worker.once([&] {
    grow(lists.first, lists.lists() + 1);
    lists.first[0] = 0;
    dropped_.assign(lists.samples, {});
    counts_.resize(static_cast<std::size_t>(worker.workers()));
  });
  std::vector<std::uint32_t>& own = counts_[static_cast<std::size_t>(worker.id())];
  own.assign(neurons, 0);
  worker.each(lists.samples,
              [&](std::size_t b) { count_sample(static_cast<std::uint32_t>(b), capacity, lists); });
  worker.once([&] {
    for (std::size_t q = 0; q < lists.lists(); ++q) lists.first[q + 1] += lists.first[q];
    grow(lists.id, lists.first[lists.lists()]);
    beyond_counts_ = 0;
    for (const Recording& r : lists.recordings) beyond_counts_ += r.dropped;
  });
  worker.each(lists.parts, [&](std::size_t part) { cut(static_cast<std::uint32_t>(part), lists); });
  worker.each(lists.samples, [&](std::size_t b) {
    write_sample(static_cast<std::uint32_t>(b), lists);
    const std::size_t begin = lists.first[b * lists.steps],
                      end = lists.first[(b + 1) * lists.steps];
    for (std::size_t e = begin; e < end; ++e) ++own[lists.id[e]];
  });
}

Dropped ListMerge::total_dropped() const {
  Dropped total;
  total.others = beyond_counts_;
  for (const Dropped& d : dropped_) {
    total.spikes += d.spikes;
    total.others += d.others;
  }
  return total;
}

void ListMerge::sum_counts(std::vector<std::uint32_t>& into) const {
  std::fill(into.begin(), into.end(), 0u);
  for (const auto& own : counts_) {
    for (std::size_t j = 0; j < into.size(); ++j) into[j] += own[j];
  }
}

}  // namespace tessera::training
