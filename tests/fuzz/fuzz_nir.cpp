// libFuzzer target: graphs of NIR nodes with any fields, shapes and edges, written into a whole HDF5 file and read from
// it. The HDF5 library itself is not fuzzed here: it is not safe for hostile files (see docs/data.md). Its texts are:
// our own code reads them (files/hdf5_texts.hpp), and some bytes of the file's heap are changed. Copyright 2026 The
// Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "files/file.hpp"
#include "interchange/nir_matrix.hpp"
#include "memory_file.hpp"

namespace {

using namespace tessera;

struct Folder {
  Folder() : path("/dev/shm/tessera_fuzz_nir_" + std::to_string(getpid())) {
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

class Bytes {
 public:
  Bytes(const unsigned char* data, std::size_t size) : data_(data), size_(size) {}
  unsigned next() { return at_ < size_ ? data_[at_++] : 0; }

 private:
  const unsigned char* data_;
  std::size_t size_, at_ = 0;
};

nir::Array array(Bytes& bytes) {
  nir::Array a;
  const unsigned rank = bytes.next() % 5;
  std::uint64_t count = 1;
  for (unsigned i = 0; i < rank; ++i) {
    a.shape.push_back(bytes.next() % 5);
    count *= a.shape.back();
  }
  a.kind = static_cast<nir::Array::Kind>(bytes.next() % 3);
  const unsigned fill = bytes.next();
  for (std::uint64_t i = 0; i < count; ++i) {
    const unsigned byte = fill % 4 == 0 ? bytes.next() : fill;
    a.values.push_back(byte == 255   ? NAN
                       : byte == 254 ? 1e300
                       : byte < 128  ? static_cast<int>(byte) - 20
                                     : 1e-3 * (static_cast<int>(byte) - 128));
  }
  return a;
}

nir::Graph graph_from(Bytes& bytes) {
  nir::Graph graph;
  const auto& types = nir::primitives();
  const unsigned nodes = bytes.next() % 9;
  for (unsigned i = 0; i < nodes; ++i) {
    const unsigned type = bytes.next() % (types.size() + 1);
    nir::Node node{std::string(1, static_cast<char>('a' + i)), type == types.size() ? "Odd" : types[type].type, {}, {}};
    if (type < types.size()) {
      for (const auto* fields : {&types[type].needed, &types[type].possible}) {
        for (const std::string& field : *fields) {
          if (bytes.next() % 8 != 7) node.arrays[field] = array(bytes);
        }
      }
    }
    graph.nodes.push_back(std::move(node));
  }
  const unsigned edges = nodes == 0 ? 0 : bytes.next() % 10;
  for (unsigned i = 0; i < edges; ++i) graph.edges.push_back({bytes.next() % nodes, bytes.next() % nodes});
  return graph;
}

// Some bytes behind the mark of the first heap of texts.
void damage(const std::filesystem::path& file, Bytes& bytes) {
  const unsigned changes = bytes.next() % 4;
  std::string all = io::read_file(file, 1 << 24);
  const std::size_t heap = all.find("GCOL");
  if (changes == 0 || heap == std::string::npos) return;
  for (unsigned i = 0; i < changes; ++i) {
    const std::size_t at = heap + bytes.next() + 256 * (bytes.next() % 2);
    if (at < all.size()) all[at] = static_cast<char>(bytes.next());
  }
  std::ofstream(file, std::ios::binary) << all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const Folder folder;
  Bytes bytes(data, size);
  const nir::Graph graph = graph_from(bytes);
  training::NirOptions options;
  options.steps = 1 + bytes.next();
  options.exponential = bytes.next() % 2 == 1;
  options.reset = static_cast<training::Reset>(bytes.next() % 3);
  try {
    nir::write_graph(folder.path / "g.nir", graph);
    damage(folder.path / "g.nir", bytes);
    const training::NirNetwork made = training::import_nir(folder.path / "g.nir", options);
    (void)nir::graph_of(made.network, made.weights);  // what was read can be said
  } catch (const InputError&) {
  }
  return 0;
}
