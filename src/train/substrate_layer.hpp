// A layer on a substrate: its parts run one after the other (those of a round, on several chips, at one time), each with the spikes of the layer below played back to
// it; what they recorded is put together as the layer itself would have recorded it. The parts of a recurrent layer
// need each other's last spikes: they take turns in every step, and all of them stay loaded.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "substrate/event_link.hpp"
#include "train/substrate_part.hpp"

namespace tessera::training {

/// What a chip has taken and given in every step of every sample, by run: all layers of a run share it.
struct ChipTraffic {
  std::vector<std::vector<std::uint32_t>> in, out;  ///< [run][sample * steps + step]
  void clear(std::size_t runs, std::size_t lists, bool counts_in, bool counts_out);
};

/// What all layers on a substrate share in a batch.
struct SubstrateBatch {
  substrate::RunNumber run;
  ChipTraffic traffic;
  std::uint64_t largest_part = 0, all_parts = 0;
  std::uint32_t parts = 0;
  std::vector<std::array<AlignedArray<float>, 2>> memory;  ///< of every chip: for the weights of the part that runs there
};

class SubstrateLayer final : public LayerRunner {
 public:
  /// `number`: of the layer. What is referred to must outlive the layer.
  SubstrateLayer(const Network& network, std::uint32_t number, const LayerTopology& topology,
                 const Substrate& substrate, SubstrateBatch& batch);

  void run(Worker& worker, const LayerRun& layer) override;
  /// How the weights are mapped; set before every run.
  substrate::WeightMap input_map, recurrent_map;
  float weight_factor = 1.0F;  ///< of the calibration

  [[nodiscard]] std::vector<LinkActivity> links() const;
  /// Measures how much smaller the chip's potentials are than the model's; see Trainer::calibrate().
  [[nodiscard]] double measure(const Membrane& constants);

 private:
  struct Link {
    std::vector<bool> reaches, inside;
    substrate::LinkCounts in, out;
    bool prepared = false;
  };
  struct Lane {  // of a worker
    std::vector<std::optional<PartState>> state;
    substrate::EventTable arrived;
    std::vector<std::uint16_t> last;
    std::vector<substrate::LinkCounts> in, out;
  };
  struct Piece {  // of the layer, ascending
    std::uint32_t begin, end, part, place;
  };

  [[nodiscard]] bool links_matter() const;
  void prepare(Worker& worker, const LayerRun& layer);
  [[nodiscard]] std::size_t end_of_round(std::size_t part) const;
  void load(std::size_t part, std::size_t chip, const LayerRun& layer);
  void prepare_link(std::size_t part);
  void run_part(std::size_t part, std::uint32_t sample, const LayerRun& layer, Lane& lane);
  void run_in_turns(std::uint32_t sample, const LayerRun& layer, Lane& lane);
  [[nodiscard]] const substrate::EventTable* played_back(std::size_t part, std::uint32_t sample,
                                                         const LayerRun& layer, Lane& lane);
  void step(std::size_t part, std::uint32_t sample, std::uint32_t t, const LayerRun& layer,
            substrate::NoiseWords* noise, Lane& lane);
  void limit_output(std::size_t part, std::uint32_t sample, std::uint32_t t, PartRecord& record, Lane& lane);
  void deal(const PartRecord& from, const Piece& piece, std::uint32_t t, const LayerRun& layer, Recording& to) const;
  void put_together(std::uint32_t section, std::uint32_t samples_part, const LayerRun& layer) const;
  [[nodiscard]] std::uint64_t bytes_of(std::size_t part) const;
  [[nodiscard]] PartRecord& record(std::size_t part, std::uint32_t sample) {
    return records_[part * samples_ + sample];
  }
  [[nodiscard]] const PartRecord& record(std::size_t part, std::uint32_t sample) const {
    return records_[part * samples_ + sample];
  }

  const Layer* layer_;
  const LayerTopology* topology_;
  const Substrate* substrate_;
  SubstrateBatch* batch_;
  std::string below_;
  double step_us_;
  std::uint32_t steps_of_network_;
  bool input_on_substrate_;
  substrate::EventLinks limits_;
  substrate::NoiseTable jitter_;  ///< in steps
  std::vector<SubstratePart> parts_;
  std::vector<Piece> pieces_;
  std::vector<Link> links_;
  std::vector<Lane> lanes_;
  std::vector<PartRecord> records_;  ///< [part][sample]
  std::vector<AlignedArray<float>> turn_memory_;  ///< recurrent: of all parts
  std::uint32_t samples_ = 0, steps_ = 0;
};

}  // namespace tessera::training
