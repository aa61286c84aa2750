// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "interchange/nir_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tessera::nir {
namespace {

constexpr std::uint64_t kMostWeights = std::uint64_t{1} << 27;
constexpr std::uint64_t kMostProducts = std::uint64_t{1} << 36;
constexpr std::uint32_t kMostNeurons = 65536;

[[noreturn]] void fail(const Graph& graph, const Node& node, std::string sentence) {
  throw InputError({graph.problem(node, std::move(sentence))});
}

// rows targets, columns sources, as in files.
struct Matrix {
  std::uint64_t rows = 0, columns = 0;
  std::vector<double> values;
};

Matrix identity(std::uint64_t size) {
  Matrix m{size, size, std::vector<double>(size * size, 0.0)};
  for (std::uint64_t i = 0; i < size; ++i) m.values[i * size + i] = 1.0;
  return m;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{a.rows, b.columns, std::vector<double>(a.rows * b.columns, 0.0)};
  for (std::uint64_t i = 0; i < a.rows; ++i) {
    for (std::uint64_t k = 0; k < a.columns; ++k) {
      const double factor = a.values[i * a.columns + k];
      for (std::uint64_t j = 0; j < b.columns; ++j) c.values[i * c.columns + j] += factor * b.values[k * b.columns + j];
    }
  }
  return c;
}

// Linear nodes one after the other: matrix and bias so far.
class Chain {
 public:
  Chain(const Graph& graph, const Dims& source)
      : graph_(graph), size_(count(source)), now_(size_), flat_(source.size() == 1) {}

  void add(const Node& node) {
    if (node.type == "Flatten") {
      flat_ = true;
      return;
    }
    if (node.type != "Affine" && node.type != "Linear" && node.type != "Scale")
      fail(graph_, node, "of type " + node.type + " has no place here in front of neurons.");
    if (!flat_) fail(graph_, node, "acts on an image; put a Flatten before it.");
    if (node.type == "Scale") return scale(node);
    const Array& weight = node.arrays.at("weight");
    if (weight.shape.size() != 2 || weight.shape[1] != now_ || weight.shape[0] == 0 || weight.shape[0] > kMostNeurons)
      fail(graph_, node, fmt::format("has a weight of shape {}, but {} inputs.", text_of(weight.shape), now_));
    multiply(node, {weight.shape[0], weight.shape[1], weight.values});
    if (node.type != "Affine") return;
    const std::vector<double> more = neuron_values(graph_, node, "bias", {static_cast<std::uint32_t>(now_)});
    for (std::uint64_t i = 0; i < now_; ++i) bias_[i] += more[i];
  }

  // In our order of sources, [sources, targets].
  Weights weights(const Dims& source, const Node& neurons) {
    if (matrix_.values.empty()) start(neurons);
    Weights w;
    w.target = matrix_.rows == size_ && !flat_ ? Dims(source) : Dims{static_cast<std::uint32_t>(matrix_.rows)};
    const std::vector<std::uint32_t> order = order_of(source), behind = order_of(w.target);
    w.values.resize(matrix_.values.size());
    w.bias.resize(matrix_.rows);
    for (std::uint64_t j = 0; j < matrix_.rows; ++j) {
      w.bias[j] = bias_[behind[j]];
      for (std::uint64_t i = 0; i < size_; ++i)
        w.values[i * matrix_.rows + j] = matrix_.values[behind[j] * size_ + order[i]];
    }
    return w;
  }

 private:
  void start(const Node& node) {
    if (size_ * size_ > kMostWeights)
      fail(graph_, node, fmt::format("would need {} weights, one for each pair of neurons.", size_ * size_));
    matrix_ = identity(size_);
    bias_.assign(size_, 0.0);
  }

  void multiply(const Node& node, Matrix factor) {
    if (matrix_.values.empty()) {
      matrix_ = std::move(factor);
      bias_.assign(matrix_.rows, 0.0);
    } else {
      if (factor.rows * matrix_.columns > kMostWeights ||
          factor.rows * factor.columns * matrix_.columns > kMostProducts)
        fail(graph_, node, "is too large to be joined with what is in front of it.");
      bias_ = product(factor, {now_, 1, bias_}).values;
      matrix_ = product(factor, matrix_);
    }
    now_ = matrix_.rows;
  }

  void scale(const Node& node) {
    if (matrix_.values.empty()) start(node);
    const std::vector<double> factors = neuron_values(graph_, node, "scale", {static_cast<std::uint32_t>(now_)});
    for (std::uint64_t i = 0; i < now_; ++i) {
      bias_[i] *= factors[i];
      for (std::uint64_t j = 0; j < size_; ++j) matrix_.values[i * size_ + j] *= factors[i];
    }
  }

  const Graph& graph_;
  std::uint64_t size_, now_;
  bool flat_;
  Matrix matrix_;
  std::vector<double> bias_;
};

}  // namespace

std::uint64_t count(const Dims& dims) {
  std::uint64_t product = 1;
  for (const std::uint32_t size : dims) product *= size;
  return product;
}

std::string text_of(const std::vector<std::uint64_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

training::Shape our_shape(const Dims& dims) {
  return dims.size() == 1 ? training::Shape{1, 1, dims[0]} : training::Shape{dims[1], dims[2], dims[0]};
}

Dims their_shape(const training::Shape& s) {
  if (s.height == 1 && s.width == 1) return {s.channels};
  return {s.channels, s.height, s.width};
}

std::vector<std::uint32_t> order_of(const Dims& dims) {
  std::vector<std::uint32_t> order(count(dims));
  const std::uint32_t channels = dims[0], places = static_cast<std::uint32_t>(order.size()) / channels;
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i % channels * places + i / channels;
  return order;
}

std::vector<double> neuron_values(const Graph& graph, const Node& node, const std::string& field, const Dims& dims) {
  const Array& array = node.arrays.at(field);
  const std::vector<std::uint64_t> wanted(dims.begin(), dims.end());
  if (array.values.size() == 1) return std::vector<double>(count(dims), array.values[0]);
  if (array.shape != wanted)
    fail(graph, node, fmt::format("{} has the shape {}, not {}.", field, text_of(array.shape), text_of(wanted)));
  std::vector<double> values(array.values.size());
  const std::vector<std::uint32_t> order = order_of(dims);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = array.values[order[i]];
  return values;
}

std::array<std::int64_t, 2> pair_of(const Graph& graph, const Node& node, const std::string& field) {
  const std::vector<double>& values = node.arrays.at(field).values;
  const auto whole = [](double x) { return x == std::floor(x) && x >= -1.0 && x <= 65536.0; };
  if (values.empty() || values.size() > 2 || !std::all_of(values.begin(), values.end(), whole))
    fail(graph, node, field + " must be one or two whole numbers.");
  return {static_cast<std::int64_t>(values.front()), static_cast<std::int64_t>(values.back())};
}

Dims shape_of(const Graph& graph, const Node& node) {
  const Array& array = node.arrays.at("shape");
  Dims dims;
  double all = 1.0;
  for (const double size : array.values) {
    all *= size;
    if (size >= 1.0 && size <= kMostNeurons && size == std::floor(size))
      dims.push_back(static_cast<std::uint32_t>(size));
  }
  const bool good =
      array.shape.size() == 1 && dims.size() == array.values.size() && (dims.size() == 1 || dims.size() == 3);
  if (!good || all > kMostNeurons)
    fail(graph, node,
         fmt::format("has the shape ({}); one size, or channels, height and width, are possible, at most {} in all.",
                     fmt::join(array.values.begin(),
                               array.values.begin() +
                                   static_cast<std::ptrdiff_t>(std::min<std::size_t>(array.values.size(), 8)),
                               ", "),
                     kMostNeurons));
  return dims;
}

Weights dense_weights(const Graph& graph, const std::vector<const Node*>& nodes, const Dims& source,
                      const Node& neurons) {
  Chain chain(graph, source);
  for (const Node* node : nodes) chain.add(*node);
  return chain.weights(source, neurons);
}

Weights convolution_weights(const Graph& graph, const Node& node, const Dims& source,
                            training::Connection& connection) {
  const Array& weight = node.arrays.at("weight");
  const std::vector<std::uint64_t>& s = weight.shape;
  const auto stride = pair_of(graph, node, "stride"), padding = pair_of(graph, node, "padding"),
             one = std::array<std::int64_t, 2>{1, 1};
  const bool plain = pair_of(graph, node, "dilation") == one && pair_of(graph, node, "groups") == one;
  const bool square = s.size() == 4 && s[2] == s[3] && s[2] > 0 && stride[0] == stride[1] && padding[0] == padding[1];
  if (!plain || !square || source.size() != 3 || s[1] != source[0] || stride[0] < 1 || padding[0] < 0 || s[0] == 0 ||
      s[0] > kMostNeurons || s[2] > 65536)
    fail(graph, node, "only square kernels over all channels, without dilation and groups, are possible.");
  const auto kernel = static_cast<std::uint32_t>(s[2]);
  Weights w;
  w.convolution = true;
  w.target = {static_cast<std::uint32_t>(s[0])};
  for (const std::uint32_t n : {source[1], source[2]}) {
    const std::int64_t room = n + 2 * padding[0] - kernel;
    if (room < 0) fail(graph, node, "the kernel is larger than its input.");
    w.target.push_back(static_cast<std::uint32_t>(room / stride[0] + 1));
  }
  if (static_cast<double>(s[0]) * w.target[1] * w.target[2] > kMostNeurons)
    fail(graph, node, fmt::format("gives more than {} neurons.", kMostNeurons));
  connection.kind = training::ConnectionKind::convolution;
  connection.filters = w.target[0];
  connection.kernel = kernel;
  connection.stride = static_cast<std::uint32_t>(stride[0]);
  connection.padding = static_cast<std::uint32_t>(padding[0]);
  const std::uint64_t filters = s[0], taps = s[1] * s[2] * s[3];
  w.values.resize(weight.values.size());
  for (std::uint64_t f = 0; f < filters; ++f) {
    for (std::uint64_t t = 0; t < taps; ++t) w.values[t * filters + f] = weight.values[f * taps + t];
  }
  w.bias.assign(count(w.target), 0.0);
  if (!node.arrays.contains("bias")) return w;
  const Array& bias = node.arrays.at("bias");
  if (bias.values.size() != filters) fail(graph, node, "the bias must have one value per filter.");
  for (std::uint64_t i = 0; i < w.bias.size(); ++i) w.bias[i] = bias.values[i % filters];
  return w;
}

Dims pooled(const Graph& graph, const Node& node, const Dims& source, training::Connection& connection) {
  const auto size = pair_of(graph, node, "kernel_size"), none = std::array<std::int64_t, 2>{0, 0};
  if (source.size() != 3 || size != pair_of(graph, node, "stride") || size[0] != size[1] ||
      pair_of(graph, node, "padding") != none)
    fail(graph, node, "only square windows that do not overlap, without padding, are possible.");
  if (size[0] < 1 || source[1] % size[0] != 0 || source[2] % size[0] != 0)
    fail(graph, node, fmt::format("windows of {} do not divide {} x {}.", size[0], source[1], source[2]));
  connection.pool = static_cast<std::uint32_t>(size[0]);
  connection.pooling = node.type == "AvgPool2d" ? training::Pooling::average : training::Pooling::sum;
  return {source[0], source[1] / connection.pool, source[2] / connection.pool};
}

}  // namespace tessera::nir
