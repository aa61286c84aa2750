// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/sliced_training.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <string>

namespace tessera::training {
namespace {

// Appends and reads back plain values.
template <class T>
void put(std::vector<std::byte>& bytes, const T* values, std::size_t n) {
  const auto more = std::as_bytes(std::span(values, n));
  bytes.insert(bytes.end(), more.begin(), more.end());
}
template <class T>
void take(std::span<const std::byte>& bytes, T* values, std::size_t n) {
  if (bytes.size() < n * sizeof(T)) throw RunError("The result of a rank arrived cut off.");
  if (n > 0) std::memcpy(values, bytes.data(), n * sizeof(T));
  bytes = bytes.subspan(n * sizeof(T));
}

// The share of its samples that a slice has in the gradient of a batch.
float weight_of(std::uint32_t slice, std::uint32_t slices, std::uint32_t samples) {
  const std::uint32_t own = first_sample(samples, slice + 1, slices) - first_sample(samples, slice, slices);
  return static_cast<float>(static_cast<double>(own) / samples);
}

constexpr std::size_t kSumFloats = 2048;  // floats that stay in the first-level cache

struct Weighted {
  const float* values;
  float weight;
};

// `sum` may be one of the two: it is written chunk by chunk, so that the loop is vectors all the same.
void add(Weighted left, Weighted right, std::size_t n, float* sum) {
  float chunk[kSumFloats];
  for (std::size_t begin = 0; begin < n; begin += kSumFloats) {
    const std::size_t length = std::min(kSumFloats, n - begin);
    const float *const l = left.values + begin, *const r = right.values + begin;
    for (std::size_t i = 0; i < length; ++i) chunk[i] = left.weight * l[i] + right.weight * r[i];
    std::copy_n(chunk, length, sum + begin);
  }
}

// The numbers of a layer that add up.
constexpr std::uint64_t LayerActivity::* kCounts[] = {
    &LayerActivity::spikes, &LayerActivity::listed, &LayerActivity::dropped_spikes,
    &LayerActivity::dropped_gradients, &LayerActivity::neuron_steps};

void add_counts(BatchResult& sum, const BatchResult& more) {
  for (std::size_t k = 0; k < sum.layers.size(); ++k) {
    for (const auto count : kCounts) sum.layers[k].*count += more.layers[k].*count;
    for (std::size_t j = 0; j < sum.neuron_spikes[k].size(); ++j)
      sum.neuron_spikes[k][j] += more.neuron_spikes[k][j];
  }
}

}  // namespace

// Losses and predictions slice by slice, counts of all of them together.
struct SlicedTraining::Part {
  struct Slice {
    double loss = 0.0;  ///< mean
    std::uint32_t samples = 0, correct = 0;
  };
  std::vector<Slice> slices;
  std::vector<std::int32_t> prediction;
  BatchResult counts;  ///< layers and neuron_spikes
  std::string diverged, layer;  ///< what a DivergedError of this rank says; empty: none

  void add(const BatchResult& result) {
    slices.push_back({result.loss, result.samples, result.correct});
    prediction.insert(prediction.end(), result.prediction.begin(), result.prediction.end());
    if (counts.layers.empty()) {
      counts.layers = result.layers;
      counts.neuron_spikes = result.neuron_spikes;
    } else {
      add_counts(counts, result);
    }
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::vector<std::byte> all;
    const std::uint64_t n = slices.size(), samples = prediction.size(), layers = counts.layers.size();
    for (const std::uint64_t size : {n, samples, layers, std::uint64_t{diverged.size()}, std::uint64_t{layer.size()}})
      put(all, &size, 1);
    put(all, diverged.data(), diverged.size());
    put(all, layer.data(), layer.size());
    put(all, slices.data(), n);
    put(all, prediction.data(), samples);
    for (std::size_t k = 0; k < layers; ++k) {
      for (const auto count : kCounts) put(all, &(counts.layers[k].*count), 1);
      put(all, counts.neuron_spikes[k].data(), counts.neuron_spikes[k].size());
    }
    return all;
  }

  /// `like`: names of the layers, numbers of neurons.
  static Part of(std::span<const std::byte> bytes, const BatchResult& like) {
    Part part;
    std::uint64_t size[5] = {};
    take(bytes, size, 5);
    for (const std::uint64_t n : size) {
      if (n > bytes.size()) throw RunError("The result of a rank arrived damaged.");
    }
    if (size[2] > like.layers.size()) throw RunError("The result of a rank arrived damaged.");
    part.diverged.resize(size[3]);
    part.layer.resize(size[4]);
    take(bytes, part.diverged.data(), size[3]);
    take(bytes, part.layer.data(), size[4]);
    part.slices.resize(size[0]);
    part.prediction.resize(size[1]);
    take(bytes, part.slices.data(), size[0]);
    take(bytes, part.prediction.data(), size[1]);
    if (size[2] > 0) {
      part.counts.layers = like.layers;
      part.counts.neuron_spikes = like.neuron_spikes;
    }
    for (std::size_t k = 0; k < size[2]; ++k) {
      for (const auto count : kCounts) take(bytes, &(part.counts.layers[k].*count), 1);
      take(bytes, part.counts.neuron_spikes[k].data(), part.counts.neuron_spikes[k].size());
    }
    if (!bytes.empty()) throw RunError("The result of a rank arrived with more than it has.");
    return part;
  }
};

void SlicedTraining::prepare(const Pieces& pieces) {
  if (place_.size() == pieces.size() + 1 && !resized_) return;
  resized_ = false;
  place_.assign(1, 0);
  array_.clear();
  for (std::size_t k = 0; k < pieces.size(); ++k) {
    place_.push_back(place_.back() + pieces[k].end - pieces[k].begin);
    if (k == 0 || pieces[k].array != pieces[k - 1].array) array_.push_back(k);
  }
  array_.push_back(pieces.size());
}

SampleRange SlicedTraining::share(std::uint32_t samples) const {
  const std::uint32_t slices = std::min(slices_, samples);
  if (slices == 0) return {};
  const SliceRange own = slices_of_rank(slices, ranks_.rank(), ranks_.size());
  return {first_sample(samples, own.begin, slices), first_sample(samples, own.end, slices)};
}

BatchResult SlicedTraining::train(Engine& engine, Crew& crew, Updater& updater, const SpikeBatch& batch,
                                  std::uint32_t samples, double theta_grad, double rate_factor) {
  if (ranks_.alone()) {
    return train_all(engine, crew, updater, batch, theta_grad,
                     [&](Worker& worker) { updater.update(worker, engine.arrays(), rate_factor); });
  }
  prepare(updater.pieces());
  Part part;
  std::exception_ptr failure;
  try {
    const SliceRange own = slices_of_rank(std::min(slices_, samples), ranks_.rank(), ranks_.size());
    run_slices(engine, crew, updater, batch, samples, own, theta_grad, {}, part);
  } catch (const DivergedError& error) {
    part.diverged = error.what();
    part.layer = error.layer;
  } catch (...) {
    failure = std::current_exception();
  }
  BatchResult result = combine(parts_of_ranks(part, failure), samples);
  add_up(crew, updater, samples);
  update(crew, updater, rate_factor);
  return result;
}

BatchResult SlicedTraining::train_all(Engine& engine, Crew& crew, Updater& updater, const SpikeBatch& batch,
                                      double theta_grad, const std::function<void(Worker&)>& update) {
  prepare(updater.pieces());
  Part part;
  run_slices(engine, crew, updater, batch, batch.samples, {0, std::min(slices_, batch.samples)}, theta_grad, update, part);
  std::vector<Part> only;
  only.push_back(std::move(part));
  return combine(only, batch.samples);
}

void SlicedTraining::run_slices(Engine& engine, Crew& crew, Updater& updater, const SpikeBatch& batch,
                                std::uint32_t samples, SliceRange own, double theta_grad,
                                const std::function<void(Worker&)>& update, Part& part) {
  const std::uint32_t slices = std::min(slices_, samples);
  const std::uint32_t offset = batch.samples == samples ? 0 : share(samples).begin;
  std::vector<SliceRange> open;
  for (std::uint32_t s = own.begin; s < own.end; ++s) {
    open.push_back({s, s + 1});
    std::size_t merges = 0;
    for (; open.size() > 1 && are_halves(open[open.size() - 2], open.back(), slices); ++merges) {
      open[open.size() - 2].end = open.back().end;
      open.pop_back();
    }
    const std::size_t slot = open.size() - 1;
    const bool root = update && open[slot] == SliceRange{0, slices};
    // The last slice of a rank that completes no sum stays where it is, in the gradients.
    const bool stays = !update && s + 1 == own.end && merges == 0;
    if (!root && !stays && node_.size() <= slot) node_.emplace_back();
    if (!root && !stays) node_[slot].resize(place_.back());
    cut_samples(batch, first_sample(samples, s, slices) - offset, first_sample(samples, s + 1, slices) - offset,
                slice_);
    const float weight = weight_of(s, slices, samples);
    part.add(engine.run(crew, slice_, theta_grad, true, [&](Worker& worker) {
      if (stays) return;
      keep(worker, updater.pieces(), weight, slot, merges, root);
      if (root) update(worker);
    }));
  }
}

// The gradient of a slice, with its share of the samples, is added to the nodes that it completes: from the
// last of them down to `slot`, which keeps the sum. The whole sum of a rank alone is a gradient again.
void SlicedTraining::keep(Worker& worker, const Pieces& pieces, float weight, std::size_t slot, std::size_t merges,
                          bool root) {
  worker.each(pieces.size(), [&](std::size_t k) {
    float* const gradient = pieces[k].array->gradient.data() + pieces[k].begin;
    const std::size_t n = pieces[k].end - pieces[k].begin;
    float sum[kSumFloats];
    for (std::size_t begin = 0; begin < n; begin += kSumFloats) {
      const std::size_t length = std::min(kSumFloats, n - begin);
      for (std::size_t i = 0; i < length; ++i) sum[i] = weight * gradient[begin + i];
      for (std::size_t m = merges; m-- > 0;) {
        const float* const left = node_[slot + m].data() + place_[k] + begin;
        for (std::size_t i = 0; i < length; ++i) sum[i] = left[i] + sum[i];
      }
      std::copy_n(sum, length, root ? gradient + begin : node_[slot].data() + place_[k] + begin);
    }
  });
}

std::vector<SlicedTraining::Part> SlicedTraining::parts_of_ranks(const Part& own, const std::exception_ptr& failure) {
  ranks_.enter("training: results of a batch");
  ranks_.settle_failures(failure);
  std::vector<Part> parts;
  ranks_.communicator()->all_gather(own.bytes(), gathered_);
  for (int r = 0; r < ranks_.size(); ++r) parts.push_back(Part::of(gathered_.of(r), like_));
  for (const Part& part : parts) {
    if (!part.diverged.empty()) throw DivergedError(part.diverged, part.layer);
  }
  return parts;
}

BatchResult SlicedTraining::combine(const std::vector<Part>& parts, std::uint32_t samples) {
  BatchResult result;
  result.samples = samples;
  for (const Part& part : parts) {
    for (const Part::Slice& slice : part.slices) {
      result.loss += slice.loss * slice.samples / samples;
      result.correct += slice.correct;
    }
    result.prediction.insert(result.prediction.end(), part.prediction.begin(), part.prediction.end());
    if (part.counts.layers.empty()) continue;
    if (result.layers.empty()) {
      result.layers = part.counts.layers;
      result.neuron_spikes = part.counts.neuron_spikes;
    } else {
      add_counts(result, part.counts);
    }
  }
  for (std::size_t k = 0; k < result.layers.size(); ++k) {
    const std::vector<std::uint32_t>& spikes = result.neuron_spikes[k];
    result.layers[k].silent_neurons = static_cast<std::uint32_t>(std::count(spikes.begin(), spikes.end(), 0u));
  }
  return result;
}

// A node of the tree: the sum of the slices of `range`, computed by `rank`, of which it is node number `number`.
struct SlicedTraining::Node {
  int rank = 0;
  std::size_t number = 0;
  SliceRange range;
  /// It is one slice, without its weight, and lies in the gradients of its rank.
  bool stays = false;
  float weight = 1.0F;  ///< what its numbers are still to be multiplied by
};

// Where the numbers of a node are that belong to the own share of an array.
struct SlicedTraining::Place {
  float* data = nullptr;
  std::size_t first = 0;  ///< the place (place_) of data[0]
};

// In the order of the slices. All ranks know those of all.
std::vector<SlicedTraining::Node> SlicedTraining::nodes(std::uint32_t samples) const {
  const std::uint32_t slices = std::min(slices_, samples);
  std::vector<Node> all;
  for (int r = 0; r < ranks_.size(); ++r) {
    const std::vector<SliceRange> own = nodes_of_rank(slices, r, ranks_.size());
    for (std::size_t k = 0; k < own.size(); ++k) {
      const bool stays = k + 1 == own.size() && own[k].end - own[k].begin == 1;
      all.push_back({r, k, own[k], stays, stays ? weight_of(own[k].begin, slices, samples) : 1.0F});
    }
  }
  return all;
}

// Every rank sends the others their shares of its nodes, array by array, straight from where they are.
void SlicedTraining::exchange_nodes(const Pieces& pieces, const std::vector<Node>& nodes) {
  ranks_.enter("training: gradients");
  std::size_t rounds = 0;
  for (const Node& node : nodes) rounds = std::max(rounds, node.number + 1);
  const std::size_t arrays = array_.size() - 1;
  received_.resize(rounds * arrays);
  const auto is_own = [this](const Node& node) { return node.rank == ranks_.rank(); };
  for (std::size_t k = 0; k < rounds; ++k) {
    for (std::size_t a = 0; a < arrays; ++a) {
      std::vector<Parcel> parcels;
      std::vector<int> from;
      for (const Node& node : nodes) {
        if (node.number != k) continue;
        if (!is_own(node)) {
          if (!share_of(ranks_.rank(), a).empty()) from.push_back(node.rank);
          continue;
        }
        for (int r = 0; r < ranks_.size(); ++r) {
          const PieceRange share = share_of(r, a);
          if (r == ranks_.rank() || share.empty()) continue;
          const Updater::Piece& first = pieces[share.begin];
          const float* const values =
              node.stays ? first.array->gradient.data() + first.begin : node_[k].data() + place_[share.begin];
          parcels.push_back({r, std::as_bytes(std::span(values, place_[share.end] - place_[share.begin]))});
        }
      }
      ranks_.communicator()->start_exchange(parcels, from);
      ranks_.communicator()->finish_exchange(received_[k * arrays + a]);
    }
  }
}

// Of every array (in order) and node.
std::vector<SlicedTraining::Place> SlicedTraining::places(const Pieces& pieces, const std::vector<Node>& nodes) {
  const std::size_t arrays = array_.size() - 1;
  std::vector<Place> all;
  for (std::size_t a = 0; a < arrays; ++a) {
    const PieceRange share = share_of(ranks_.rank(), a);
    std::vector<int> heard(received_.size() / std::max<std::size_t>(arrays, 1), 0);  // of every round
    for (const Node& node : nodes) {
      Place& place = all.emplace_back();
      if (share.empty()) continue;
      place.first = place_[share.begin];
      const Updater::Piece& first = pieces[share.begin];
      if (node.rank == ranks_.rank()) {
        place.data = node.stays ? first.array->gradient.data() + first.begin : node_[node.number].data() + place.first;
        continue;
      }
      Gathered& received = received_[node.number * arrays + a];
      const int number = heard[node.number]++;
      if (received.of(number).size() != (place_[share.end] - place.first) * sizeof(float))
        throw CommunicationError("The gradients of rank " + std::to_string(node.rank) + " have another size than expected.",
                                 "training: gradients", node.rank);
      place.data = reinterpret_cast<float*>(received.bytes.data() + received.begin[static_cast<std::size_t>(number)]);
    }
  }
  return all;
}

// The own share of all nodes, in the order of the slices, becomes the gradient.
void SlicedTraining::add_up(Crew& crew, Updater& updater, std::uint32_t samples) {
  const std::vector<Node> all = nodes(samples);
  exchange_nodes(updater.pieces(), all);
  const std::vector<Place> place = places(updater.pieces(), all);
  std::vector<SliceRange> ranges;
  std::vector<float> weights;
  for (const Node& node : all) {
    ranges.push_back(node.range);
    weights.push_back(node.weight);
  }
  const auto merges = merges_of(ranges, std::min(slices_, samples));
  const std::size_t first = share_begin(ranks_.rank()), last = share_begin(ranks_.rank() + 1);
  crew.run([&](Worker& worker) {
    std::vector<float> weight;
    worker.each(last - first, [&](std::size_t job) {
      const std::size_t k = first + job;
      const Updater::Piece& piece = updater.pieces()[k];
      const auto a = static_cast<std::size_t>(std::upper_bound(array_.begin(), array_.end(), k) - array_.begin()) - 1;
      const std::size_t n = piece.end - piece.begin;
      const auto at = [&](std::size_t node) {
        const Place& from = place[a * all.size() + node];
        return from.data + (place_[k] - from.first);
      };
      weight = weights;  // a sum has them in it
      float* const gradient = piece.array->gradient.data() + piece.begin;
      for (std::size_t m = 0; m < merges.size(); ++m) {
        const auto [one, other] = merges[m];
        float* const sum = m + 1 == merges.size() ? gradient : at(one);  // the last of them makes the root
        add({at(one), weight[one]}, {at(other), weight[other]}, n, sum);
        weight[one] = 1.0F;
      }
      if (merges.empty()) {
        const float* const only = at(0);
        for (std::size_t i = 0; i < n; ++i) gradient[i] = weight[0] * only[i];
      }
      updater.penalise(k);
      if (updater.clips()) updater.measure(k);
    });
  });
}

void SlicedTraining::update(Crew& crew, Updater& updater, double rate_factor) {
  if (updater.clips()) gather_squares(updater);
  updater.begin_step();
  const std::size_t first = share_begin(ranks_.rank()), last = share_begin(ranks_.rank() + 1);
  crew.run([&](Worker& worker) {
    worker.each(last - first, [&](std::size_t job) { updater.update_piece(first + job, rate_factor); });
  });
  ranks_.enter("training: new parameters");
  gather_floats(updater.pieces(), &ParameterArray::value);
}

void SlicedTraining::gather_squares(Updater& updater) {
  const std::size_t first = share_begin(ranks_.rank()), last = share_begin(ranks_.rank() + 1);
  std::vector<double>& squares = updater.squares();
  ranks_.communicator()->all_gather(std::as_bytes(std::span(squares).subspan(first, last - first)), gathered_);
  if (gathered_.bytes.size() != squares.size() * sizeof(double))
    throw RunError("The ranks do not train the same network.");
  std::memcpy(squares.data(), gathered_.bytes.data(), gathered_.bytes.size());
}

void SlicedTraining::gather_floats(const Pieces& pieces, AlignedArray<float> ParameterArray::* which) {
  for (std::size_t begin = 0; begin < pieces.size();) {
    std::size_t end = begin;
    while (end < pieces.size() && pieces[end].array == pieces[begin].array) ++end;
    gather_array(pieces, begin, end, which);
    begin = end;
  }
}

// Every rank sends what it has of an array (pieces begin .. end) to all others, straight from the array: shares
// follow each other in the order of the ranks, so what comes is what lies before the own share and behind it.
void SlicedTraining::gather_array(const Pieces& pieces, std::size_t begin, std::size_t end,
                                  AlignedArray<float> ParameterArray::* which) {
  float* const values = (pieces[begin].array->*which).data();
  const std::size_t size = pieces[end - 1].end;
  const auto bound = [&](int rank) {
    const std::size_t piece = std::clamp(share_begin(rank), begin, end);
    return piece == end ? size : pieces[piece].begin;
  };
  const std::size_t first = bound(ranks_.rank()), last = bound(ranks_.rank() + 1);
  std::vector<Parcel> parcels;
  std::vector<int> others;
  for (int r = 0; r < ranks_.size(); ++r) {
    if (r == ranks_.rank()) continue;
    parcels.push_back({r, std::as_bytes(std::span(values + first, last - first))});
    others.push_back(r);
  }
  ranks_.communicator()->start_exchange(parcels, others);
  ranks_.communicator()->finish_exchange(gathered_);
  if (gathered_.bytes.size() != (size - (last - first)) * sizeof(float))
    throw RunError("The ranks do not train the same network.");
  if (first > 0) std::memcpy(values, gathered_.bytes.data(), first * sizeof(float));
  if (last < size)
    std::memcpy(values + last, gathered_.bytes.data() + first * sizeof(float), (size - last) * sizeof(float));
}

void SlicedTraining::gather_gradients(const Updater& updater) {
  if (ranks_.alone()) return;
  ranks_.enter("training: gradients for rewiring");
  gather_floats(updater.pieces(), &ParameterArray::gradient);
}

void SlicedTraining::gather_state(const Updater& updater) {
  if (ranks_.alone() || place_.empty() || updater.pieces().empty()) return;
  ranks_.enter("training: optimiser state");
  const ParameterArray& any = *updater.pieces().front().array;
  if (any.first.size() > 0) gather_floats(updater.pieces(), &ParameterArray::first);
  if (any.second.size() > 0) gather_floats(updater.pieces(), &ParameterArray::second);
}

}  // namespace tessera::training
