// Reading recorded weights back.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "results/report_reader.hpp"
#include "results/weight_sinks.hpp"
#include "tessera/errors.hpp"

namespace tessera {

using What = WeightRecording::What;

WeightRecord::Synapses WeightRecord::at(std::size_t time) const {
  if (!info.rewired) {
    const std::size_t n = sources.size();
    return {sources, targets, std::span(weights).subspan(time * n, n)};
  }
  const auto first = static_cast<std::size_t>(begin[time]), n = static_cast<std::size_t>(begin[time + 1]) - first;
  return {std::span(sources).subspan(first, n), std::span(targets).subspan(first, n), std::span(weights).subspan(first, n)};
}

std::vector<WeightRecord> load_weight_records(const std::filesystem::path& folder) {
  const Report report = read_report(folder);
  std::vector<WeightRecord> records;
  if (report.weights.empty()) return records;
  if (holds(report, "weights.h5")) {
    records = io::read_weights_hdf5(verified(report, "weights.h5"), report.weights, kMostElements);
  } else {
    records = io::read_weights_npy([&report](const std::string& name) { return verified(report, name); }, report.weights);
  }
  // Times are whole steps; a file says them with first + k * interval.
  for (WeightRecord& record : records) {
    for (const auto& [ids, population] : {std::pair(&record.sources, &record.info.source), std::pair(&record.targets, &record.info.target)}) {
      const ResultPopulation* known = report.result.find(*population);
      const auto highest = std::max_element(ids->begin(), ids->end());
      if (highest == ids->end() || (known != nullptr && *highest < known->size)) continue;
      throw InputError("cannot read the weights of " + folder.string() + ": neuron " + std::to_string(*highest) + " of '" + *population +
                       "' is not in the report.");
    }
  }
  return records;
}

namespace io {

void require_consistent(const WeightRecord& record, const std::string& file) {
  const auto require = [&](bool fits, const char* what) {
    if (!fits) {
      throw InputError("cannot read " + file + ": the weights of '" + record.info.recording.projection + "' contradict themselves (" + what + ").");
    }
  };
  const std::size_t times = record.times_ms.size();
  require(std::is_sorted(record.times_ms.begin(), record.times_ms.end()), "times");
  if (record.info.recording.what == What::histogram) {
    require(record.edges.size() >= 2 && std::is_sorted(record.edges.begin(), record.edges.end()), "edges of bins");
    require(record.below.size() == times && record.above.size() == times, "number of times");
    require(record.counts.size() == times * (record.edges.size() - 1), "number of bins");
    return;
  }
  require(record.sources.size() == record.targets.size(), "numbers of sources and targets");
  if (!record.info.rewired) {
    require(record.delays_ms.size() == record.sources.size(), "number of delays");
    require(record.weights.size() == times * record.sources.size(), "number of weights");
    return;
  }
  require(record.begin.size() == times + 1 && record.formed.size() == times && record.eliminated.size() == times, "number of times");
  require(record.begin.front() == 0 && record.begin.back() == record.sources.size() &&
              std::is_sorted(record.begin.begin(), record.begin.end()), "where times begin");
  require(record.weights.size() == record.sources.size(), "number of weights");
}

}  // namespace io
}  // namespace tessera
