// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/sonata_edges.hpp"

#include <algorithm>

#include "files/hdf5_file.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

using namespace hdf5;

constexpr std::uint64_t kMostEdges = std::uint64_t{1} << 31;

class EdgeReader {
 public:
  EdgeReader(const std::filesystem::path& path, const std::string& wanted)
      : file_(path), root_(file_.group(file_.id(), "edges")) {
    std::vector<std::string> names = names_in(root_.id());
    std::string name = encoded_name(wanted);
    if (wanted.empty() && names.size() == 1) name = names[0];
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      std::string all;
      for (const std::string& one : names) all += (all.empty() ? "" : ", ") + one;
      file_.fail(wanted.empty() ? "it has several populations of edges (" + all + "); name one as 'population'."
                                : "it has no population of edges '" + wanted + "'; it has " + all + "." +
                                      did_you_mean(wanted, names));
    }
    where_ = "edges/" + name + "/";
    group_ = file_.group(root_.id(), name);
  }

  SonataEdges read() {
    SonataEdges edges;
    edges.source = numbers<std::uint64_t>(group_.id(), "source_node_id", H5T_INTEGER, H5T_NATIVE_UINT64);
    edges.target = numbers<std::uint64_t>(group_.id(), "target_node_id", H5T_INTEGER, H5T_NATIVE_UINT64);
    if (edges.source.size() != edges.target.size())
      file_.fail("'" + where_ + "' has another number of sources than targets.");
    if (file_.has(group_.id(), "1"))
      file_.fail("'" + where_ + "' has several groups of attributes; one ('0') can be read.");
    if (!file_.has(group_.id(), "0")) return edges;
    const Handle attributes = file_.group(group_.id(), "0");
    edges.weight = ordered(attributes.id(), "syn_weight", edges.source.size());
    edges.delay_ms = ordered(attributes.id(), "delay", edges.source.size());
    return edges;
  }

 private:
  [[nodiscard]] std::vector<std::string> names_in(hid_t group) const {
    constexpr std::size_t kMostPopulations = 100'000;
    std::vector<std::string> names;
    const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* into) -> herr_t {
      auto& found = *static_cast<std::vector<std::string>*>(into);
      found.emplace_back(name);
      return found.size() == kMostPopulations ? 1 : 0;
    };
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names) < 0) file_.fail("'edges' is damaged.");
    return names;
  }

  template <class T>
  std::vector<T> numbers(hid_t group, const std::string& name, H5T_class_t kind, hid_t memory) const {
    const Handle data = file_.data_set(group, name);
    const auto count = file_.checked_shape(data.id(), where_ + name, 1, kind, kMostEdges)[0];
    return file_.read<T>(data.id(), where_ + name, memory, count);
  }

  // Values of a group, in the order of the edges; empty where the group has none.
  std::vector<double> ordered(hid_t attributes, const std::string& name, std::size_t edges) const {
    if (!file_.has(attributes, name)) return {};
    const std::vector<double> values = numbers<double>(attributes, name, H5T_FLOAT, H5T_NATIVE_DOUBLE);
    if (!file_.has(group_.id(), "edge_group_index")) {
      if (values.size() != edges)
        file_.fail("'" + where_ + "0/" + name + "' has another number of values than there are edges.");
      return values;
    }
    const auto index = numbers<std::uint64_t>(group_.id(), "edge_group_index", H5T_INTEGER, H5T_NATIVE_UINT64);
    if (index.size() != edges)
      file_.fail("'" + where_ + "edge_group_index' has another number of values than there are edges.");
    std::vector<double> sorted(edges);
    for (std::size_t i = 0; i < edges; ++i) {
      if (index[i] >= values.size()) file_.fail("'" + where_ + "edge_group_index' points beyond the group.");
      sorted[i] = values[index[i]];
    }
    return sorted;
  }

  InputFile file_;
  Handle root_, group_;
  std::string where_;
};

}  // namespace

SonataEdges read_sonata_edges(const std::filesystem::path& file, const std::string& population) {
  const QuietErrors quiet;
  return EdgeReader(file, population).read();
}

}  // namespace tessera::io
