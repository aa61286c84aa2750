// Structural rules that are objects of Python, and what such a rule sees.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "catalogue.hpp"
#include "tessera/simulation.hpp"

namespace tessera::python {
namespace {

// The view that a rule has been given: it ends with the call.
struct ViewHandle {
  StructuralView* view = nullptr;
  [[nodiscard]] StructuralView& get() const {
    if (view == nullptr) throw std::runtime_error("A structural rule's view ends with the call of act().");
    return *view;
  }
};

struct Edge {
  std::uint32_t source, target;
  double weight;
};
static_assert(sizeof(Edge) == 16);  // the record type of tessera/structural.py

class ActingRule final : public StructuralRule {
 public:
  ActingRule(std::shared_ptr<const PythonRule> rule, std::shared_ptr<RuleFailures> failures)
      : rule_(std::move(rule)), failures_(std::move(failures)) {}
  NeuronSight sees_of_sources() const override { return rule_->sources; }
  NeuronSight sees_of_targets() const override { return rule_->targets; }
  void act(StructuralView& view) const override {
    if (failures_ == nullptr || failures_->any()) return;
    const nb::gil_scoped_acquire lock;
    const nb::object handle = nb::cast(new ViewHandle{&view}, nb::rv_policy::take_ownership);
    try {
      const nb::object rule = rule_->weak();
      if (rule.is_none()) throw nb::type_error("A structural rule is gone, but its simulation runs.");
      rule.attr("_act")(handle);
    } catch (nb::python_error& error) {
      failures_->keep(std::move(error));
    }
    nb::cast<ViewHandle&>(handle).view = nullptr;
  }

 private:
  std::shared_ptr<const PythonRule> rule_;
  std::shared_ptr<RuleFailures> failures_;
};

nb::ndarray<nb::numpy, const std::uint8_t, nb::ndim<1>> edges_of(const ViewHandle& handle) {
  auto list = std::make_shared<std::vector<Edge>>();
  handle.get().for_each([&](std::uint32_t source, std::uint32_t target, double weight) { list->push_back({source, target, weight}); });
  return bytes_of(list);
}

// All targets of the chunk, or all sources.
nb::ndarray<nb::numpy, double> values_of(const ViewHandle& handle, bool of_sources, std::size_t k) {
  const StructuralView& view = handle.get();
  std::vector<double> values(of_sources ? view.sources() : view.targets());
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    values[i] = of_sources ? view.source_value(k, i) : view.target_value(k, view.first_target() + i);
  }
  return array_of(std::move(values));
}

void reweight(const ViewHandle& handle, const Array<double>& weights) {
  std::size_t count = 0;
  handle.get().for_each([&count](std::uint32_t, std::uint32_t, double) { ++count; });
  if (weights.shape(0) != count) {
    throw InputError("weights: there are " + std::to_string(weights.shape(0)) + "; there must be one for each of the " + std::to_string(count) + " synapses.");
  }
  std::size_t next = 0;
  handle.get().reweight([&](std::uint32_t, std::uint32_t, double) { return weights.data()[next++]; });
}

}  // namespace

PythonRule::~PythonRule() {
  const nb::gil_scoped_acquire lock;
  weak.reset();
}

void RuleFailures::keep(nb::python_error&& error) {
  if (error_ == nullptr) error_ = std::make_unique<nb::python_error>(std::move(error));
  failed_ = true;
}

void RuleFailures::raise() {
  if (!failed_.exchange(false)) return;
  const std::unique_ptr<nb::python_error> error = std::move(error_);
  throw nb::python_error(std::move(*error));
}

NeuronCatalogue catalogue_of(const PythonNetwork& network, const std::shared_ptr<RuleFailures>& failures) {
  NeuronCatalogue models = catalogue();
  for (const auto& [name, rule] : network.rules) {
    StructuralModel model;
    model.name = name;
    model.summary = "A rule in Python.";
    model.make = [rule = rule, failures](const ParameterValues&) -> std::shared_ptr<const StructuralRule> {
      return std::make_shared<const ActingRule>(rule, failures);
    };
    models.add(std::move(model));
  }
  return models;
}

void bind_structural(nb::module_& m) {
  nb::class_<ViewHandle>(m, "StructuralView")
      .def("time", [](const ViewHandle& v) { return v.get().time_ms(); })
      .def("sources", [](const ViewHandle& v) { return v.get().sources(); })
      .def("first_target", [](const ViewHandle& v) { return v.get().first_target(); })
      .def("targets", [](const ViewHandle& v) { return v.get().targets(); })
      .def("is_recurrent", [](const ViewHandle& v) { return v.get().is_recurrent(); })
      .def("exists", [](const ViewHandle& v, std::uint32_t s, std::uint32_t t) { return v.get().exists(s, t); })
      .def("weight", [](const ViewHandle& v, std::uint32_t s, std::uint32_t t) { return v.get().weight(s, t); })
      .def("indegree", [](const ViewHandle& v, std::uint32_t t) { return v.get().indegree(t); })
      .def("outdegree", [](const ViewHandle& v, std::uint32_t s) { return v.get().outdegree(s); })
      .def("synapses", &edges_of)
      .def("values", &values_of)
      .def("distance", [](const ViewHandle& v, std::uint32_t s, std::uint32_t t) { return v.get().distance(s, t); })
      .def("source_near", [](const ViewHandle& v, std::uint32_t t, int columns, int rows) { return v.get().source_near(t, columns, rows); })
      .def("reweight", &reweight)
      .def("remove", [](const ViewHandle& v, std::uint32_t s, std::uint32_t t) { return v.get().remove(s, t); })
      .def("add", [](const ViewHandle& v, std::uint32_t s, std::uint32_t t, double weight) { return v.get().add(s, t, weight); })
      .def("uniform", [](const ViewHandle& v) { return v.get().uniform(); })
      .def("below", [](const ViewHandle& v, std::uint32_t n) { return v.get().below(n); });
}

}  // namespace tessera::python
