// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/substrate_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/reference/training.hpp"
#include "train/layer_membrane.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kMostAtOnce = 0xffff;

// The ranges of a layer in every run that has any, with their circuits: neurons lie on a chip in the order of slices.
std::vector<PartRange> ranges_in(const PartitionRun& run, const Partition& partition, std::uint32_t layer) {
  std::vector<PartRange> ranges;
  std::uint64_t circuit = 0;
  for (const PartitionSlice& slice : run.slices) {
    const PartitionedPopulation& population = partition.populations[slice.population];
    const auto each = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, population.circuits));
    if (population.index == layer) {
      const std::uint32_t place = ranges.empty() ? 0 : ranges.back().place + ranges.back().end - ranges.back().begin;
      ranges.push_back({slice.first, slice.first + slice.count, place, static_cast<std::uint32_t>(circuit), each});
    }
    circuit += std::uint64_t{each} * slice.count;
  }
  return ranges;
}

// Room for n more; entries are copied in whole chunks, too.
void grow_stream(Stream& s, std::size_t n, bool gradients) {
  if (s.size + n + 16 < s.room) return;
  s.room = s.size + s.size / 2 + n + 1024;
  s.id.resize(s.room);
  s.step.resize(s.room);
  if (gradients) s.slope.resize(s.room);
}

}  // namespace

void ChipTraffic::clear(std::size_t runs, std::size_t lists, bool counts_in, bool counts_out) {
  in.resize(runs);
  out.resize(runs);
  for (auto& count : in) count.assign(counts_in ? lists : 0, 0);
  for (auto& count : out) count.assign(counts_out ? lists : 0, 0);
}

SubstrateLayer::SubstrateLayer(const Network& network, std::uint32_t number, const LayerTopology& topology,
                               const Substrate& substrate, SubstrateBatch& batch)
    : layer_(&network.layers[number]),
      topology_(&topology),
      substrate_(&substrate),
      batch_(&batch),
      below_(number == 0 ? "input" : network.layers[number - 1].name),
      step_us_(chip_step_us(network, substrate.machine)),
      steps_of_network_(network.steps),
      input_on_substrate_(number > 0 && network.layers[number - 1].on_substrate),
      limits_(substrate::links_of(substrate.machine.events, step_us_)) {
  MachineVariation jitter = substrate.machine.noise.spike_time_us;
  if (jitter.applies()) jitter.distribution = jitter.distribution.scaled(1.0 / step_us_);
  jitter_ = substrate::NoiseTable(jitter);
  const std::vector<PartitionRun>& runs = substrate.partition.runs;
  for (std::uint32_t r = 0; r < runs.size(); ++r) {
    std::vector<PartRange> ranges = ranges_in(runs[r], substrate.partition, number);
    if (ranges.empty()) continue;
    const auto part = static_cast<std::uint32_t>(parts_.size());
    for (const PartRange& range : ranges) pieces_.push_back({range.begin, range.end, part, range.place});
    parts_.emplace_back(*layer_, topology, runs[r], r, std::move(ranges), substrate, step_us_);
    Link link;
    if (input_on_substrate_) {
      if (!ranges_in(runs[r], substrate.partition, number - 1).empty()) link.inside.assign(topology.input.sources, false);
      for (const PartRange& range : ranges_in(runs[r], substrate.partition, number - 1))
        std::fill(link.inside.begin() + range.begin, link.inside.begin() + range.end, true);
    }
    links_.push_back(std::move(link));
  }
  std::sort(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
}

bool SubstrateLayer::links_matter() const {
  return !limits_.in.is_perfect() || (!jitter_.empty() && input_on_substrate_);
}

void SubstrateLayer::prepare(Worker& worker, const LayerRun& layer) {
  samples_ = layer.input.samples;
  steps_ = layer.input.steps;
  lanes_.resize(static_cast<std::size_t>(worker.workers()));
  for (Lane& lane : lanes_) {
    lane.state.resize(parts_.size());
    lane.in.assign(parts_.size(), {});
    lane.out.assign(parts_.size(), {});
  }
  for (Link& link : links_) link.in = link.out = {};
  records_.resize(layer_->neuron == NeuronKind::readout ? 0 : parts_.size() * samples_);
  if (topology_->recurrent) turn_memory_.resize(2 * parts_.size());
  for (std::size_t p = 0; p < parts_.size(); p = end_of_round(p)) {
    if (batch_->memory.size() < end_of_round(p) - p) batch_->memory.resize(end_of_round(p) - p);
  }
}

// The first part that is not on a chip of its own at the same time. Parts of one layer do not need each other.
std::size_t SubstrateLayer::end_of_round(std::size_t p) const {
  const auto run = [&](std::size_t part) -> const PartitionRun& { return substrate_->partition.runs[parts_[part].run()]; };
  std::size_t end = p + 1;
  while (end < parts_.size() && run(end).round == run(p).round && run(end).chip > run(end - 1).chip) ++end;
  return end;
}

void SubstrateLayer::load(std::size_t p, std::size_t chip, const LayerRun& layer) {
  AlignedArray<float>* memory = topology_->recurrent ? &turn_memory_[2 * p] : batch_->memory[chip].data();
  parts_[p].load(layer, batch_->run, weight_factor, input_map, recurrent_map, memory);
  prepare_link(p);
}

void SubstrateLayer::prepare_link(std::size_t p) {
  if (links_[p].prepared || !links_matter()) return;
  links_[p].reaches = parts_[p].weights().reached_by();
  if (std::find(links_[p].reaches.begin(), links_[p].reaches.end(), false) == links_[p].reaches.end())
    links_[p].reaches.clear();  // all of them
  links_[p].prepared = true;
}

// The spikes of the layer below as they arrive; null: as they are.
const substrate::EventTable* SubstrateLayer::played_back(std::size_t p, std::uint32_t b, const LayerRun& layer,
                                                         Lane& lane) {
  if (!links_matter()) return nullptr;
  const std::size_t q = std::size_t{b} * steps_;
  substrate::SentEvents sent{steps_, layer.input.first.data() + q, layer.input.id.data(), nullptr,
                             links_[p].reaches.empty() ? nullptr : &links_[p].reaches,
                             links_[p].inside.empty() ? nullptr : &links_[p].inside};
  std::vector<std::int32_t> shift;
  if (!jitter_.empty() && input_on_substrate_) {
    // A spike happens in the middle of its step. Its time is what it is for all who receive it: it is drawn for the
    // sample, not for the part.
    substrate::NoiseWords words(substrate_->seed, batch_->run, substrate::NoiseWords::Of::events, 0, b);
    for (std::uint32_t e = sent.first[0]; e < sent.first[steps_]; ++e)
      shift.push_back(static_cast<std::int32_t>(std::floor(0.5F + jitter_.of(words.next()))));
    sent.shift = shift.data();
  }
  std::vector<std::uint32_t>& taken = batch_->traffic.in[parts_[p].run()];
  std::vector<std::uint32_t> none(limits_.in.most == 0 ? steps_ : 0);
  std::uint32_t* const of_sample = none.empty() ? taken.data() + q : none.data();
  if (substrate::passes_whole(limits_.in, sent, of_sample, lane.in[p])) return nullptr;
  substrate::send(limits_.in, sent, of_sample, lane.arrived, lane.in[p]);
  return &lane.arrived;
}

// What leaves the chip in a tick has a limit, too: a spike too many is lost for all.
void SubstrateLayer::limit_output(std::size_t p, std::uint32_t b, std::uint32_t t, PartRecord& r, Lane& lane) {
  if (limits_.out.most == 0) return;
  const std::uint32_t tick = substrate::tick_at_or_after(t, limits_.out.period);
  const std::size_t last = std::min(tick, steps_ - 1);
  std::uint32_t& given = batch_->traffic.out[parts_[p].run()][std::size_t{b} * steps_ + last];
  if (given + r.last_spikes <= limits_.out.most) {  // as it nearly always is
    lane.out[p].events += r.last_spikes;
    given += r.last_spikes;
    return;
  }
  std::uint32_t to = r.first[t];
  for (std::uint32_t e = r.first[t]; e < r.first[t + 1]; ++e) {
    if (r.spiked[e] != 0) {
      ++lane.out[p].events;
      if (given >= limits_.out.most) {
        ++lane.out[p].dropped;
        continue;
      }
      ++given;
    }
    r.neuron[to] = r.neuron[e];
    r.x[to] = r.x[e];
    r.spiked[to++] = r.spiked[e];
  }
  r.first[t + 1] = to;
  r.size = to;
}

// The neurons of a part, with their input complete.
void SubstrateLayer::step(std::size_t p, std::uint32_t b, std::uint32_t t, const LayerRun& layer,
                          substrate::NoiseWords* noise, Lane& lane) {
  if (layer_->neuron == NeuronKind::readout) {
    float* row = layer.trace + (std::size_t{b} * steps_ + t) * layer.stride;
    return parts_[p].readout(layer.membrane, t, noise, *lane.state[p], row);
  }
  parts_[p].step(layer.membrane, t, layer.gradients, noise, *lane.state[p], record(p, b));
  limit_output(p, b, t, record(p, b), lane);
}

void SubstrateLayer::run_part(std::size_t p, std::uint32_t b, const LayerRun& layer, Lane& lane) {
  const SubstratePart& part = parts_[p];
  if (!lane.state[p]) lane.state[p].emplace(part.make_state());
  PartState& state = *lane.state[p];
  part.begin(state);
  if (layer_->neuron != NeuronKind::readout) record(p, b).clear();
  const substrate::EventTable* arrived = played_back(p, b, layer, lane);
  const std::uint32_t* first = arrived != nullptr ? arrived->first.data() : layer.input.first.data() + std::size_t{b} * steps_;
  const std::uint16_t* id = arrived != nullptr ? arrived->id.data() : layer.input.id.data();
  substrate::NoiseWords noise(substrate_->seed, batch_->run, substrate::NoiseWords::Of::membranes, part.run(), b);
  for (std::uint32_t t = 0; t < steps_; ++t) {
    part.add_input(id + first[t], first[t + 1] - first[t], t, state);
    step(p, b, t, layer, part.noisy() ? &noise : nullptr, lane);
  }
  expect_finite(*layer_, state.u.data(), part.neurons());
}

// In every step all parts, which get the spikes that all of them had in the step before.
void SubstrateLayer::run_in_turns(std::uint32_t b, const LayerRun& layer, Lane& lane) {
  std::vector<substrate::NoiseWords> noise;
  std::vector<substrate::EventTable> arrived(parts_.size());
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    if (!lane.state[p]) lane.state[p].emplace(parts_[p].make_state());
    parts_[p].begin(*lane.state[p]);
    record(p, b).clear();
    if (played_back(p, b, layer, lane) != nullptr) arrived[p] = lane.arrived;  // else it stays empty
    noise.emplace_back(substrate_->seed, batch_->run, substrate::NoiseWords::Of::membranes, parts_[p].run(), b);
  }
  lane.last.clear();
  for (std::uint32_t t = 0; t < steps_; ++t) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const bool copied = !arrived[p].first.empty();
      const std::uint32_t* first = copied ? arrived[p].first.data() : layer.input.first.data() + std::size_t{b} * steps_;
      const std::uint16_t* id = copied ? arrived[p].id.data() : layer.input.id.data();
      parts_[p].add_input(id + first[t], first[t + 1] - first[t], t, *lane.state[p]);
      parts_[p].add_recurrent(lane.last.data(), lane.last.size(), t, *lane.state[p]);
      step(p, b, t, layer, parts_[p].noisy() ? &noise[p] : nullptr, lane);
    }
    lane.last.clear();
    for (const Piece& piece : pieces_) {
      const PartRecord& r = record(piece.part, b);
      for (std::uint32_t e = r.first[t]; e < r.first[t + 1]; ++e) {
        const std::uint32_t end = piece.place + (piece.end - piece.begin);
        if (r.spiked[e] == 0 || r.neuron[e] < piece.place || r.neuron[e] >= end) continue;
        if (lane.last.size() < layer.capacity)  // as in the lists
          lane.last.push_back(static_cast<std::uint16_t>(piece.begin + r.neuron[e] - piece.place));
      }
    }
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) expect_finite(*layer_, lane.state[p]->u.data(), parts_[p].neurons());
}

namespace {

// height * surrogate of n membranes.
void slopes_of(const Membrane& m, const float* x, std::size_t n, float* slope) {
  if (m.slope != SlopeKind::superspike) {
    for (std::size_t k = 0; k < n; ++k) slope[k] = m.height * reference::slope_of(m, x[k]);
    return;
  }
  Membrane known = m;  // so that the compiler takes several at once
  known.slope = SlopeKind::superspike;
  for (std::size_t k = 0; k < n; ++k) slope[k] = known.height * reference::slope_of(known, x[k]);
}

}  // namespace

// The entries of a piece's neurons in one step, behind those of the pieces before it.
void SubstrateLayer::deal(const PartRecord& from, const Piece& piece, std::uint32_t t, const LayerRun& layer,
                          Recording& to) const {
  const std::uint32_t place_end = piece.place + (piece.end - piece.begin), last = from.first[t + 1];
  std::uint32_t e = from.first[t];
  while (e < last && from.neuron[e] < piece.place) ++e;
  std::uint32_t n = last - e;
  while (n > 0 && from.neuron[e + n - 1] >= place_end) --n;
  grow_stream(to.spikes, n, layer.gradients);
  grow_stream(to.others, n, layer.gradients);
  // Each entry is written to both streams; which of them goes on tells whether it spiked.
  std::uint16_t *spike = to.spikes.id.data() + to.spikes.size, *other = to.others.id.data() + to.others.size;
  const std::uint16_t* const neuron = from.neuron.data() + e;
  const std::uint8_t* const spiked = from.spiked.data() + e;
  std::size_t spikes = 0, others = 0;
  for (std::uint32_t k = 0; k < n; ++k) {
    spike[spikes] = other[others] = static_cast<std::uint16_t>(piece.begin + (neuron[k] - piece.place));
    spikes += spiked[k];
    others += 1U - spiked[k];
  }
  std::fill_n(to.spikes.step.data() + to.spikes.size, spikes, static_cast<std::uint16_t>(t));
  std::fill_n(to.others.step.data() + to.others.size, others, static_cast<std::uint16_t>(t));
  if (layer.gradients) {
    float *spike_slope = to.spikes.slope.data() + to.spikes.size, *other_slope = to.others.slope.data() + to.others.size;
    constexpr std::uint32_t kPiece = 64;
    float slope[kPiece];
    for (std::uint32_t begin = 0; begin < n; begin += kPiece) {
      const std::uint32_t size = std::min(kPiece, n - begin);
      slopes_of(layer.membrane, from.x.data() + e + begin, size, slope);
      for (std::uint32_t k = 0; k < size; ++k) {
        *spike_slope = *other_slope = slope[k];
        spike_slope += spiked[begin + k];
        other_slope += 1U - spiked[begin + k];
      }
    }
  }
  to.spikes.size += spikes;
  to.others.size += others;
}

// The recording of one section and some samples, from the records of the parts that have neurons there.
void SubstrateLayer::put_together(std::uint32_t section, std::uint32_t samples_part, const LayerRun& layer) const {
  const std::uint32_t begin = section * layer.lists.section_width, end = begin + layer.lists.section_width;
  std::vector<Piece> here;
  for (Piece piece : pieces_) {
    if (piece.end <= begin || piece.begin >= end) continue;
    const std::uint32_t from = std::max(piece.begin, begin);
    here.push_back({from, std::min(piece.end, end), piece.part, piece.place + (from - piece.begin)});
  }
  Recording& r = layer.lists.recording(section, samples_part);
  r.clear(layer.gradients);
  for (std::uint32_t b = layer.lists.part_begin(samples_part); b < layer.lists.part_begin(samples_part + 1); ++b) {
    r.begin_sample();
    for (std::uint32_t t = 0; layer_->neuron != NeuronKind::readout && t < steps_; ++t) {
      const std::size_t spikes = r.spikes.size, others = r.others.size;
      for (const Piece& piece : here) deal(record(piece.part, b), piece, t, layer, r);
      const auto kept = [&](Stream& s, std::size_t before) {
        const std::size_t n = s.size - before, most = std::min<std::size_t>(n, kMostAtOnce);
        r.dropped += n - most;
        s.size = before + most;
        return static_cast<std::uint16_t>(most);
      };
      const std::uint16_t spiking = kept(r.spikes, spikes), rest = kept(r.others, others);
      r.counts.push_back({spiking, rest});
    }
  }
  r.end_samples();
}

std::uint64_t SubstrateLayer::bytes_of(std::size_t p) const {
  std::uint64_t bytes = (parts_[p].weights().values() + (topology_->recurrent ? parts_[p].recurrent().values() : 0)) * sizeof(float);
  bytes += std::uint64_t{padded(parts_[p].neurons())} * 4 * sizeof(float);
  for (std::uint32_t b = 0; !records_.empty() && b < samples_; ++b) bytes += record(p, b).bytes();
  return bytes;
}

void SubstrateLayer::run(Worker& worker, const LayerRun& layer) {
  worker.once([&] { prepare(worker, layer); });
  Lane& lane = lanes_[static_cast<std::size_t>(worker.id())];
  if (topology_->recurrent) {
    worker.each(parts_.size(), [&](std::size_t p) { load(p, 0, layer); });
    worker.each(samples_, [&](std::size_t b) { run_in_turns(static_cast<std::uint32_t>(b), layer, lane); });
  } else {
    for (std::size_t begin = 0, end = 0; begin < parts_.size(); begin = end) {
      end = end_of_round(begin);
      worker.each(end - begin, [&](std::size_t k) { load(begin + k, k, layer); });
      worker.each((end - begin) * samples_, [&](std::size_t job) {
        run_part(begin + job / samples_, static_cast<std::uint32_t>(job % samples_), layer, lane);
      });
    }
  }
  worker.once([&] {
    std::uint64_t together = 0, largest = 0;  // what is loaded at one time
    std::size_t round_end = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      for (const Lane& l : lanes_) {
        links_[p].in.add(l.in[p]);
        links_[p].out.add(l.out[p]);
      }
      const std::uint64_t bytes = bytes_of(p);
      if (p == round_end && !topology_->recurrent) together = 0;
      if (p == round_end) round_end = end_of_round(p);
      together += bytes;
      largest = std::max(largest, together);
      batch_->all_parts += bytes;
    }
    batch_->largest_part = std::max(batch_->largest_part, largest);
    batch_->parts += static_cast<std::uint32_t>(parts_.size());
  });
  worker.each(std::size_t{layer.lists.sections} * layer.lists.parts, [&](std::size_t job) {
    put_together(static_cast<std::uint32_t>(job / layer.lists.parts), static_cast<std::uint32_t>(job % layer.lists.parts), layer);
  });
}

std::vector<LinkActivity> SubstrateLayer::links() const {
  std::vector<LinkActivity> all;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const substrate::LinkCounts &in = links_[p].in, &out = links_[p].out;
    if (links_matter()) all.push_back({fmt::format("{} -> {}", below_, parts_[p].name()), in.events, in.dropped, in.late});
    if (limits_.out.most > 0) all.push_back({fmt::format("{} ->", parts_[p].name()), out.events, out.dropped, out.late});
  }
  return all;
}

}  // namespace tessera::training
