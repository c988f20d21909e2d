# SPDX-License-Identifier: PostgreSQL
# The short names for everything. CMake and Ninja do the work; `make help` lists the targets.
BUILD  ?= build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)

configure = cmake -S . -B $(1) -G Ninja $(2) >$(1).log 2>&1 || { cat $(1).log; rm -f $(1).log; exit 1; }; rm -f $(1).log

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: deps
deps: ## install the packages bascule needs (Debian; sudo only when not root)
	@tools/install-deps

.PHONY: build
build: ## build/bascule, optimised
	@command -v cmake >/dev/null && command -v ninja >/dev/null || { echo "cmake or ninja is missing: run 'make deps' first"; exit 1; }
	@$(call configure,$(BUILD),-DCMAKE_BUILD_TYPE=Release -DBASCULE_TESTS=OFF)
	@cmake --build $(BUILD) -j $(JOBS) --target bascule

.PHONY: demo
demo: deps build ## crash the leader of a three-node cluster and tell the recovery time
	@$(BUILD)/bascule run scenarios/leader-crash.yaml

.PHONY: check
check: deps ## every test; the last line is "N passed, N failed, N skipped"
	@$(call configure,build-check,-DCMAKE_BUILD_TYPE=Release -DBASCULE_WERROR=ON)
	@cmake --build build-check -j $(JOBS)
	@tests/run --build build-check $(TESTS)

.PHONY: check-long
check-long: ## the stories that make check leaves out: a quarter of an hour
	@$(MAKE) --no-print-directory check TESTS=--long

.PHONY: scenarios
scenarios: deps build ## every shipped scenario on this host and on the image debian-13, five labs at a time
	@tools/scenarios $(BUILD) $(SCENARIOS)

.PHONY: bench
bench: build ## start-up ratios against a naive script, and what an idle lab costs
	@tools/bench $(BUILD)

.PHONY: asan
asan: ## unit, engine, fuzz and screen tests under the address and undefined-behaviour sanitizers
	@$(call configure,build-asan,-DCMAKE_BUILD_TYPE=Debug -DBASCULE_ASAN=ON -DBASCULE_WERROR=ON)
	@cmake --build build-asan -j $(JOBS)
	@tests/run --build build-asan --label unit --label engine --label fuzz --label screen $(TESTS)

.PHONY: asan-all
asan-all: ## every test under the sanitizers, labs and stories too: 20 minutes
	@$(MAKE) --no-print-directory asan TESTS='--label sandbox --label e2e'

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZ_SECONDS (default 60) each, two at a time
	@tools/fuzz

.PHONY: lint
lint: ## clang-format, clang-tidy, shellcheck, codespell: those that are installed
	@tools/lint

.PHONY: format
format: ## clang-format every C file in place
	@git ls-files '*.c' '*.h' | xargs clang-format -i

.PHONY: install
install: build ## the program, scenarios, documents, manual pages and completion below PREFIX (default /usr/local)
	@tools/install $(BUILD) "$(DESTDIR)$(PREFIX)"

.PHONY: deb
deb: ## build-deb/bascule_VERSION_ARCH.deb (debhelper), looked at by lintian where that is installed
	@tools/deb build-deb

.PHONY: clean
clean: ## remove what was built
	rm -rf build build-*
