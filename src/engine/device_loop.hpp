// A simulation whose steps run on a device. Tiles are built on the host and handed over: the device then
// owns state, rings and rows.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_team.hpp"
#include "base/time_grid.hpp"
#include "engine/device_map.hpp"
#include "engine/device_samples.hpp"
#include "engine/device_sources.hpp"
#include "engine/step_loop.hpp"
#include "kernels/cuda/machine.hpp"

namespace tessera {

class DeviceRows;
class DeviceDraws;

class DeviceLoop {
 public:
  /// Tiles are fast ones with stored rows; their words are dropped once they are on the device. Throws
  /// InputError when the device has not enough memory.
  DeviceLoop(std::unique_ptr<gpu::Machine> machine, const TileContext& context,
             std::span<const std::unique_ptr<Tile>> tiles, std::span<const TileLayout> layouts, ThreadTeam& team);

  /// Advances from step `from` to `to`; spikes, digest and counts go where those of the host's tiles go. The
  /// next steps, up to `next`, are started before it returns, so that the device works while observers do. Returns
  /// the step that was reached: `to`, or beyond it what had been started.
  [[nodiscard]] std::int64_t advance(std::int64_t from, std::int64_t to, std::int64_t next, bool keep_spikes, StepLoop& loop);
  /// Whether steps were started that advance() has not handed out.
  [[nodiscard]] bool ahead() const { return started_to_ > 0; }
  /// Steps of a launch at most, after which observers should have their turn.
  [[nodiscard]] std::int64_t launch_steps() const { return launch_steps_; }
  /// Brings the state variables back into the tiles.
  void read_state();

  // Checkpoints (device_checkpoint.cpp), while no launch is under way.
  /// Own spikes of one of the last StepLoop::history_steps(), in ascending order.
  [[nodiscard]] std::vector<std::uint32_t> history(std::int64_t step) const;
  /// Brings all that a checkpoint of the step `now` keeps of chunks into the tiles.
  void write_tiles(Wiring& wiring, std::int64_t now);
  /// Goes on from tiles that a checkpoint was loaded into; `history`: the spikes of the steps before `now`, the last of
  /// step now - 1.
  void take_over(Wiring& wiring, std::int64_t now, std::span<const std::vector<std::uint32_t>> history);

  /// As of Tile.
  [[nodiscard]] Tile::NotFinite find_not_finite() const;
  [[nodiscard]] RowCounters counters() const;
  [[nodiscard]] std::uint64_t device_bytes() const { return device_bytes_; }
  /// Seconds on the device, of the mean block: deliver is exchange, waiting and addition, which overlap; update; exchange is
  /// the overflow of records.
  [[nodiscard]] PhaseSeconds phases() const;
  [[nodiscard]] const gpu::MachineInfo& machine() const { return info_; }

 private:
  struct Current {  ///< a stimulus that injects a current
    std::uint32_t population;
    StepWindow window;
    double amplitude;
    const std::vector<double>* values;
  };
  void require_room(std::uint64_t rows, std::uint64_t written = 0);
  void store_rows(ThreadTeam& team);
  void draw_rows(ThreadTeam& team);
  void allocate();
  /// `row` says where the row of a neuron begins and how many words it has.
  template <class Row>
  void make_images(const Row& row);
  void upload_images();
  void set_currents(std::int64_t step);
  /// Columns and refractoriness of the tiles into the images.
  void put_state();
  /// Nobody spiked in step now - 1, as far as records tell.
  void reset_records(std::int64_t now);
  void forget_time(std::int64_t now, std::span<const std::vector<std::uint32_t>> history);
  void send_source_rows(std::int64_t from, std::int64_t to);
  struct Raw {  ///< what a launch leaves
    std::vector<gpu::BlockTotals> totals;
    std::vector<Spike> log;
    std::vector<std::uint32_t> counts;
    std::uint32_t most = 0;  ///< spikes of a block in the log
    std::vector<Spike> of_sources;
    std::int64_t end = 0;
  };
  void start(std::int64_t from, std::int64_t to);
  void fetch(std::int64_t end);
  void take(bool keep_spikes, StepLoop& loop);
  template <class Visit>
  void each_column(const Visit& visit);

  std::unique_ptr<gpu::Machine> machine_;
  gpu::MachineInfo info_;
  const TileContext* context_;
  std::span<const std::unique_ptr<Tile>> tiles_;
  std::span<const TileLayout> layouts_;
  DeviceMap map_;
  DeviceSources sources_;
  DeviceSamples samples_;
  gpu::Network network_;
  std::int64_t launch_steps_ = 0;
  std::vector<std::uint32_t> source_rows_;    ///< [global id]: as blocks know a row; of sources only
  std::size_t source_room_ = 0;               ///< rows that the device's list has room for
  std::vector<Spike> of_sources_;             ///< of the launch that is under way
  std::vector<Spike> recent_;                 ///< spikes of as many steps as a checkpoint has (StepLoop::history_steps)
  std::vector<std::uint32_t> images_;  ///< as of the last upload or download
  std::vector<Current> currents_;
  std::int64_t next_current_change_ = -1;
  std::vector<gpu::BlockTotals> totals_;  ///< as of the last launch that was taken
  Raw raw_;
  std::int64_t started_to_ = 0;  ///< the end of the launch that is under way; 0: none
  std::uint64_t device_bytes_ = 0;
};

}  // namespace tessera
