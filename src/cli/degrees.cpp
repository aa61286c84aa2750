// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/degrees.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/text.hpp"
#include "files/csv.hpp"
#include "files/npy.hpp"

namespace tessera::cli {
namespace {

constexpr std::uint32_t kMostBins = 20;
constexpr std::uint64_t kLongestBar = 40;

std::vector<std::string> summary(const char* name, const std::vector<std::uint32_t>& degrees) {
  const auto [least, most] = std::minmax_element(degrees.begin(), degrees.end());
  const double n = static_cast<double>(degrees.size());
  double sum = 0.0, squares = 0.0;
  for (const std::uint32_t degree : degrees) sum += degree;
  for (const std::uint32_t degree : degrees) squares += (degree - sum / n) * (degree - sum / n);
  return {name,
          grouped(degrees.size()),
          grouped(*least),
          number_text(sum / n, 2),
          number_text(std::sqrt(squares / n), 2),
          grouped(*most)};
}

// Bins of equal width, as few as needed.
std::string histogram(const char* degree, const char* neurons,
                      const std::vector<std::uint32_t>& degrees) {
  const auto [least, most] = std::minmax_element(degrees.begin(), degrees.end());
  const std::uint32_t low = *least, width = (*most - low) / kMostBins + 1;
  std::vector<std::uint64_t> counts((*most - low) / width + 1, 0);
  for (const std::uint32_t d : degrees) ++counts[(d - low) / width];
  const std::uint64_t largest = *std::max_element(counts.begin(), counts.end());
  Table table({degree, neurons, ""}, 1);
  for (std::uint32_t bin = 0; bin < counts.size(); ++bin) {
    const std::uint32_t from = low + bin * width;
    std::string bar((counts[bin] * kLongestBar + largest - 1) / largest, '*');
    bar.resize(kLongestBar, ' ');
    table.row({width == 1 ? grouped(from) : grouped(from) + " - " + grouped(from + width - 1),
               grouped(counts[bin]), std::move(bar)});
  }
  return table.text();
}

}  // namespace

void Degrees::add(std::span<const ConnectivityRule::Synapse> synapses) {
  for (const ConnectivityRule::Synapse& s : synapses) {
    ++out_[s.source];
    ++in_[s.target];
  }
}

std::string Degrees::text() const {
  Table table({"", "neurons", "least", "mean", "sd", "most"}, 1);
  table.row(summary("out-degree of sources", out_));
  table.row(summary("in-degree of targets", in_));
  return table.text() + "\n" + histogram("out-degree", "sources", out_) + "\n" +
         histogram("in-degree", "targets", in_);
}

void Degrees::write(const std::filesystem::path& file) const {
  const std::uint32_t most = std::max(*std::max_element(out_.begin(), out_.end()),
                                      *std::max_element(in_.begin(), in_.end()));
  std::vector<std::int64_t> rows(3 * (std::size_t{most} + 1), 0);
  for (std::size_t degree = 0; degree <= most; ++degree) {
    rows[3 * degree] = static_cast<std::int64_t>(degree);
  }
  for (const std::uint32_t degree : out_) ++rows[3 * std::size_t{degree} + 1];
  for (const std::uint32_t degree : in_) ++rows[3 * std::size_t{degree} + 2];
  if (file.extension() == ".npy") return io::write_npy(file, rows, 3);
  io::CsvWriter csv(file, {"degree", "sources", "targets"});
  for (std::size_t i = 0; i < rows.size(); i += 3) {
    csv.row({static_cast<double>(rows[i]), static_cast<double>(rows[i + 1]),
             static_cast<double>(rows[i + 2])});
  }
  csv.commit();
}

}  // namespace tessera::cli
