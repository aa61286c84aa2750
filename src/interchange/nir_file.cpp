// NIR files in HDF5.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "files/hdf5_file.hpp"
#include "files/hdf5_texts.hpp"
#include "interchange/nir_graph.hpp"

namespace tessera::nir {
namespace {

using namespace io::hdf5;

constexpr std::size_t kMostFields = 64;

// The names of what lies in a group, in ascending order. Fails where there are more than `most`.
std::vector<std::string> names_in(const InputFile& file, hid_t group, const std::string& where, std::size_t most) {
  struct Names {
    std::vector<std::string> list;
    std::size_t most;
  } names{{}, most};
  const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* into) -> herr_t {
    auto& found = *static_cast<Names*>(into);
    found.list.emplace_back(name);
    return found.list.size() > found.most ? 1 : 0;
  };
  if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names) < 0)
    file.fail("'" + where + "' is damaged.");
  if (names.list.size() > most) file.fail(fmt::format("'{}' holds more than {} parts.", where, most));
  return std::move(names.list);
}

class GraphReader {
 public:
  explicit GraphReader(const std::filesystem::path& path) : file_(path) { graph_.file = path.filename().string(); }

  Graph read() {
    const Handle root = file_.group(file_.id(), "node");
    if (text(root.id(), "type", "node/type") != "NIRGraph") file_.fail("'node' is not a NIRGraph.");
    const Handle nodes = file_.group(root.id(), "nodes");
    for (const std::string& name : names_in(file_, nodes.id(), "node/nodes", kMostNodes)) {
      Node node{name, "", {}, {}};
      try {
        read_node(nodes.id(), node);
      } catch (const InputError& error) {
        problems_.push_back(graph_.problem(node, error.problems()[0].message));
      }
      graph_.nodes.push_back(std::move(node));
    }
    read_edges(root.id());
    if (!problems_.empty()) throw InputError(problems_);
    return std::move(graph_);
  }

 private:
  std::string text(hid_t group, const char* key, const std::string& where) const {
    const Handle data = file_.data_set(group, key);
    return read_texts(file_, data.id(), where, 1, kLongestText).at(0);
  }

  void read_node(hid_t nodes, Node& node) {
    if (node.name.empty() || node.name.size() > kLongestText) file_.fail("a name of a node is empty or too long.");
    const Handle group = file_.group(nodes, node.name);
    const std::vector<std::string> fields = names_in(file_, group.id(), node.name, kMostFields);
    node.type = text(group.id(), "type", node.name + "/type");
    const Primitive* primitive = find_primitive(node.type);
    if (primitive == nullptr) return;
    for (const std::string& field : fields) {
      if (field == "type" || field == "metadata") continue;
      const auto has = [&](const std::vector<std::string>& of) {
        return std::find(of.begin(), of.end(), field) != of.end();
      };
      if (has(primitive->needed) || has(primitive->possible)) {
        node.arrays[field] = array(group.id(), field, node.name + "/" + field);
      } else {
        node.unknown.push_back(field);
      }
    }
  }

  Array array(hid_t group, const std::string& field, const std::string& where) {
    const Handle data = file_.data_set(group, field);
    const Handle type(H5Dget_type(data.id()), H5Tclose), space(H5Dget_space(data.id()), H5Sclose);
    const H5T_class_t kind = type.valid() ? H5Tget_class(type.id()) : H5T_NO_CLASS;
    if ((kind != H5T_FLOAT && kind != H5T_INTEGER) || H5Tget_size(type.id()) > 8)
      file_.fail("'" + where + "' does not hold numbers.");
    const int rank = space.valid() && H5Sget_simple_extent_type(space.id()) != H5S_NULL
                         ? H5Sget_simple_extent_ndims(space.id())
                         : -1;
    if (rank < 0 || rank > static_cast<int>(kMostRank))
      file_.fail("'" + where + "' is empty or has too many dimensions.");
    std::array<hsize_t, kMostRank> sizes{};
    H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr);
    Array result;
    result.shape.assign(sizes.begin(), sizes.begin() + rank);
    result.kind = kind == H5T_INTEGER ? Array::Kind::whole : Array::Kind::real64;
    const std::uint64_t most =
        std::min(left_, std::max<std::uint64_t>(1, file_.most_elements(data.id(), where, H5Tget_size(type.id()))));
    std::uint64_t count = 1;
    for (const std::uint64_t size : result.shape) {
      if (size > 0 && count > most / size) file_.fail("'" + where + "' announces more numbers than are possible.");
      count *= size;
    }
    left_ -= count;
    result.values = file_.read<double>(data.id(), where, H5T_NATIVE_DOUBLE, count);
    return result;
  }

  void read_edges(hid_t root) {
    const Handle data = file_.data_set(root, "edges");
    const Handle space(H5Dget_space(data.id()), H5Sclose);
    hsize_t shape[2] = {0, 0};
    if (!space.valid() || H5Sget_simple_extent_ndims(space.id()) != 2 ||
        H5Sget_simple_extent_dims(space.id(), shape, nullptr) < 0 || (shape[1] != 2 && shape[0] > 0)) {
      file_.fail("'node/edges' are not pairs of names.");
    }
    if (shape[0] == 0) return;
    const std::vector<std::string> ends = read_texts(file_, data.id(), "node/edges", 2 * kMostEdges, kLongestText);
    std::map<std::string, std::size_t> numbers;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) numbers[graph_.nodes[i].name] = i;
    for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
      std::array<std::size_t, 2> edge{};
      bool known = true;
      for (std::size_t end = 0; end < 2; ++end) {
        const auto found = numbers.find(ends[i + end]);
        if (found == numbers.end()) {
          problems_.push_back(graph_.problem("an edge names the node '" + ends[i + end] + "', which is not there."));
          known = false;
        } else {
          edge[end] = found->second;
        }
      }
      if (known) graph_.edges.push_back(edge);
    }
  }

  InputFile file_;
  Graph graph_;
  std::vector<Problem> problems_;
  std::uint64_t left_ = kMostValues;
};

class GraphWriter {
 public:
  explicit GraphWriter(const std::filesystem::path& path) : file_(path), text_(H5Tcopy(H5T_C_S1), H5Tclose) {
    H5Tset_size(text_.id(), H5T_VARIABLE);
    H5Tset_cset(text_.id(), H5T_CSET_UTF8);
  }

  void write(const Graph& graph) {
    write_text(file_.id(), "version", "1.0.8");
    const Handle root = file_.group(file_.id(), "node");
    write_text(root.id(), "type", "NIRGraph");
    write_edges(root.id(), graph);
    const Handle metadata = file_.group(root.id(), "metadata");
    for (const auto& [key, said] : graph.metadata) write_text(metadata.id(), key, said);
    const Handle nodes = file_.group(root.id(), "nodes");
    for (const Node& node : graph.nodes) {
      const Handle group = file_.group(nodes.id(), node.name);
      write_text(group.id(), "type", node.type);
      for (const auto& [field, array] : node.arrays) write_array(group.id(), field, array);
    }
  }

  void commit() { file_.commit(); }
  void abandon() { file_.abandon(); }

 private:
  void write_data(hid_t parent, const std::string& name, hid_t type, hid_t memory, const Handle& space,
                  const void* values) const {
    const Handle creation = timeless(H5P_DATASET_CREATE);
    const Handle made(H5Dcreate2(parent, name.c_str(), type, space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
                      H5Dclose);
    file_.require(made.valid());
    file_.require(H5Sget_simple_extent_npoints(space.id()) == 0 ||
                  H5Dwrite(made.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  }

  void write_text(hid_t parent, const std::string& name, const std::string& said) const {
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const char* text = said.c_str();
    write_data(parent, name, text_.id(), text_.id(), space, &text);
  }

  void write_edges(hid_t root, const Graph& graph) const {
    std::vector<const char*> ends;
    for (const auto& [from, to] : graph.edges) {
      ends.push_back(graph.nodes[from].name.c_str());
      ends.push_back(graph.nodes[to].name.c_str());
    }
    const hsize_t shape[2] = {graph.edges.size(), 2};
    const Handle space(H5Screate_simple(2, shape, nullptr), H5Sclose);
    write_data(root, "edges", text_.id(), text_.id(), space, ends.data());
  }

  void write_array(hid_t group, const std::string& field, const Array& array) const {
    const std::vector<hsize_t> shape(array.shape.begin(), array.shape.end());
    const Handle space(
        shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
        H5Sclose);
    const hid_t type = array.kind == Array::Kind::whole    ? H5T_STD_I64LE
                       : array.kind == Array::Kind::real32 ? H5T_IEEE_F32LE
                                                           : H5T_IEEE_F64LE;
    write_data(group, field, type, H5T_NATIVE_DOUBLE, space, array.values.data());
  }

  OutputFile file_;
  Handle text_;
};

}  // namespace

Graph read_graph(const std::filesystem::path& path) {
  const QuietErrors quiet;
  return GraphReader(path).read();
}

void write_graph(const std::filesystem::path& path, const Graph& graph) {
  const QuietErrors quiet;
  GraphWriter writer(path);
  writer.write(graph);
  writer.commit();
}

}  // namespace tessera::nir
