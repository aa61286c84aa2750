// A NIR file in memory: nodes with their arrays, and edges. Nothing here knows of networks to train.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tessera/errors.hpp"

namespace tessera::nir {

constexpr std::size_t kMostNodes = 4096, kMostEdges = 65536, kMostRank = 8;
constexpr std::uint64_t kMostValues = std::uint64_t{1} << 28;  // of all arrays of a file
constexpr std::size_t kLongestText = 256;

/// Numbers, the last index fastest; an empty shape is a single number.
struct Array {
  enum class Kind { real64, real32, whole };  ///< as they are written
  std::vector<std::uint64_t> shape;
  std::vector<double> values;
  Kind kind = Kind::real64;
};

struct Node {
  std::string name;
  std::string type;
  std::map<std::string, Array> arrays;
  std::vector<std::string> unknown;  ///< names of fields that NIR 1.0.8 does not have
};

struct Graph {
  std::string file;  ///< for messages
  std::vector<Node> nodes;
  std::vector<std::array<std::size_t, 2>> edges;  ///< numbers of nodes: from, to
  std::map<std::string, std::string> metadata;

  /// A problem of a node, or of the whole file.
  [[nodiscard]] Problem problem(const Node& node, std::string sentence) const {
    return {{file, 0, 0, "node '" + node.name + "'"}, std::move(sentence)};
  }
  [[nodiscard]] Problem problem(std::string sentence) const { return {{file, 0, 0, ""}, std::move(sentence)}; }
};

/// Fields of a primitive.
struct Primitive {
  const char* type;
  std::vector<std::string> needed, possible;
};
/// Those that have a counterpart here.
[[nodiscard]] const std::vector<Primitive>& primitives();
[[nodiscard]] const Primitive* find_primitive(const std::string& type);

/// Reads a file; nodes of other types come without arrays. Throws InputError with all problems: damage, links, sizes
/// beyond the limits above or beyond what the file can hold, edges to nodes that are not there.
[[nodiscard]] Graph read_graph(const std::filesystem::path& file);
/// Writes a file, whole or not at all. Throws RunError (disk).
void write_graph(const std::filesystem::path& file, const Graph& graph);

/// Adds what is wrong with single nodes: unknown types, missing fields, values that are not finite, shapes.
void check_nodes(const Graph& graph, std::vector<Problem>& problems);

}  // namespace tessera::nir
