// Gives the text of command-line values a meaning; collects problems instead of stopping at the
// first.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "tessera/errors.hpp"
#include "tessera/model_file.hpp"
#include "tessera/network.hpp"
#include "tessera/simulation.hpp"
#include "tessera/weight_recording.hpp"

namespace tessera::cli {

/// Everything that is wrong with a command line.
class Problems {
 public:
  void add(const std::string& option, const std::string& sentence);
  void add(const std::vector<Problem>& problems);
  /// The same for a network that is right, but larger than Tessera can hold.
  void add(const TooLargeError& error);
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  /// Whether there are some, and nothing is wrong but that the network is beyond what Tessera
  /// holds.
  [[nodiscard]] bool only_too_large() const {
    return too_large_ > 0 && too_large_ == problems_.size();
  }
  [[nodiscard]] const std::vector<Problem>& list() const { return problems_; }
  /// Throws InputError with all of them when there are any.
  void raise() const;

 private:
  std::vector<Problem> problems_;
  std::size_t too_large_ = 0;
};

/// "10s", "500 ms", "0.1ms", "2 min": milliseconds, or nothing (and a problem).
[[nodiscard]] std::optional<double> parse_time_ms(const std::string& text,
                                                  const std::string& option, Problems& problems);

/// A whole number in [lowest, highest].
[[nodiscard]] std::optional<std::uint64_t> parse_whole(const std::string& text,
                                                       std::uint64_t lowest, std::uint64_t highest,
                                                       const std::string& option,
                                                       Problems& problems);

/// One of `choices`: its index.
[[nodiscard]] std::optional<std::size_t> parse_choice(const std::string& text,
                                                      const std::vector<std::string>& choices,
                                                      const std::string& option,
                                                      Problems& problems);

/// Reports a value that had to be given.
void require_given(const Text& value, const std::string& name, const std::string& example,
                   Problems& problems);

/// Reports a time that is not a multiple of dt.
void require_multiple_of_dt(double time_ms, double dt_ms, const std::string& option,
                            Problems& problems);

/// The options of a simulation; `seed` is the model's unless one was given.
[[nodiscard]] SimulationOptions simulation_options(const ModelArguments& arguments,
                                                   Problems& problems);

/// Named parameters of the model: "scale=0.1" as name and value.
[[nodiscard]] std::vector<ParameterOverride> parse_overrides(const std::vector<std::string>& set,
                                                             Problems& problems);

/// Loads the model with its overrides for so many ranks; its problems join the others.
[[nodiscard]] std::optional<Network> load_network(const ModelArguments& arguments,
                                                  const NeuronCatalogue& models,
                                                  Problems& problems, int ranks = 1);

/// V_m:POPULATION:COUNT:INTERVAL as a recorder (whether it fits the network is validated with it).
[[nodiscard]] std::optional<StateRecorder> parse_recorder(const std::string& text,
                                                          Problems& problems);

/// Whether something to record is spikes of some populations, "spikes:...".
[[nodiscard]] bool is_spike_selection(const std::string& text);
/// spikes:POPULATION[:COUNT], where POPULATION may be an area or a pattern; the same.
[[nodiscard]] std::optional<SpikeSelection> parse_spike_selection(const std::string& text, Problems& problems);

/// The same recordings, where one that names an area or a pattern ("V1", "V1.*") has become one of each of its populations.
/// A text that stands for none is a problem of its option.
[[nodiscard]] std::vector<StateRecorder> one_of_each(const std::vector<StateRecorder>& recorders, const Network& network,
                                                     Problems& problems);
[[nodiscard]] std::vector<SpikeSelection> one_of_each(const std::vector<SpikeSelection>& selections, const Network& network,
                                                      Problems& problems);

/// Whether something to record is weights over time, "weights:...".
[[nodiscard]] bool is_weight_recording(const std::string& text);
/// weights:PROJECTION:all|COUNT|histogram[=BINS]:INTERVAL; the same.
[[nodiscard]] std::optional<WeightRecording> parse_weight_recording(const std::string& text, Problems& problems);

}  // namespace tessera::cli
