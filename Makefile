# Two commands do everything on a fresh Debian or Ubuntu machine: make microcircuit, make test-all.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
.DEFAULT_GOAL := help
.PHONY: help packages test-packages build microcircuit test test-all bench install wheel docs clean

TESSERA := build/release/tessera
RESULT := results/microcircuit
PREFIX ?= /usr/local

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

packages: ## install the system packages that are missing (apt)
	@scripts/install_packages.sh

test-packages: # those, and what the tests of tessera-bench and of the Python package need
	@scripts/install_packages.sh test

build: packages ## build the executable build/release/tessera
	@scripts/build.sh

microcircuit: build ## simulate 10 s (after 0.5 s) of the cortical microcircuit, compare with the reference, plot
	$(TESSERA) run models/microcircuit/microcircuit.toml --time 10.5s --discard 500ms \
	  --connectivity procedural --record spikes --out $(RESULT) --force
	$(TESSERA) plot $(RESULT) raster -o $(RESULT)/raster.svg
	$(TESSERA) plot $(RESULT) rates -o $(RESULT)/rates.svg --reference models/microcircuit/reference
	@$(TESSERA) stats $(RESULT) --reference models/microcircuit/reference

test: test-packages ## build everything, all tests (minutes)
	@scripts/run_tests.sh release

test-all: test-packages ## the same, then the sanitizers and a short fuzzing session (half an hour or more)
	@scripts/run_tests.sh release asan tsan fuzz

bench: ## build and run the benchmarks (tens of minutes)
	@scripts/install_packages.sh bench
	@scripts/build.sh bench
	@scripts/run_benchmarks.sh
	@build/release/bench/bench_rules results/rules
	@scripts/run_training_benchmarks.sh

install: build ## install library, headers and command below PREFIX (default /usr/local)
	cmake --install build/release --prefix $(PREFIX)

wheel: test-packages ## build the wheel of the Python package into dist/
	@scripts/build_wheel.sh

docs: test-packages ## build the documentation site, with its notebooks executed: build/docs/html/index.html (minutes)
	@scripts/build_docs.sh

clean: ## remove what was built; results stay
	rm -rf build
