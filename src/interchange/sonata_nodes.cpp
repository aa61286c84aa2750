// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "interchange/sonata_nodes.hpp"

#include <numeric>
#include <vector>

#include "files/hdf5_file.hpp"

namespace tessera::sonata {
namespace {

using namespace io::hdf5;

class NodesFile : public PendingNodes {
 public:
  explicit NodesFile(const std::filesystem::path& file) : file_(file) {}
  ~NodesFile() override {
    const QuietErrors quiet;
    file_.abandon();
  }

  void write(const Network& network) {
    io::hdf5::mark_as_sonata(file_);
    const Handle root = file_.group(file_.id(), "nodes");
    for (std::size_t i = 0; i < network.populations.size(); ++i) {
      const Population& p = network.populations[i];
      const Handle group = file_.group(root.id(), io::encoded_name(p.name));
      numbers(group.id(), "node_type_id", std::vector<std::uint64_t>(p.size, i));
      numbers(group.id(), "node_group_id", std::vector<std::uint64_t>(p.size, 0));
      std::vector<std::uint64_t> index(p.size);
      std::iota(index.begin(), index.end(), std::uint64_t{0});
      numbers(group.id(), "node_group_index", index);
      const Handle attributes = file_.group(group.id(), "0");
      if (p.grid_columns > 0) positions(attributes.id(), p);
    }
  }

  void commit() override {
    const QuietErrors quiet;
    file_.commit();
  }

 private:
  void numbers(hid_t group, const char* name, const std::vector<std::uint64_t>& values) const {
    (void)file_.array(group, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, values.size(), values.data());
  }

  // The middle of every cell; all grids have the same centre, which is the origin.
  void positions(hid_t attributes, const Population& p) const {
    const double columns = p.grid_columns, rows = p.size / p.grid_columns;
    const bool lengths = p.extent_mm[0] > 0.0;
    const double width = lengths ? 1000.0 * p.extent_mm[0] / columns : 1.0,
                 height = lengths ? 1000.0 * p.extent_mm[1] / rows : 1.0;
    std::vector<double> x(p.size), y(p.size);
    for (std::uint32_t i = 0; i < p.size; ++i) {
      x[i] = (i % p.grid_columns + 0.5 - 0.5 * columns) * width;
      y[i] = (i / p.grid_columns + 0.5 - 0.5 * rows) * height;
    }
    for (const auto& [name, values] : {std::pair("x", &x), std::pair("y", &y)}) {
      const Handle set =
          file_.array(attributes, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values->size(), values->data());
      file_.text_attribute(set.id(), "units", lengths ? "um" : "grid distances");
    }
  }

  OutputFile file_;
};

}  // namespace

std::unique_ptr<PendingNodes> write_nodes(const std::filesystem::path& file, const Network& network) {
  const QuietErrors quiet;
  auto nodes = std::make_unique<NodesFile>(file);
  nodes->write(network);
  return nodes;
}

}  // namespace tessera::sonata
