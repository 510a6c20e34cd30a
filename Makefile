PYTHON ?= python3
# The oldest supported one: some of the lowest versions have files for no newer one.
OLDEST_PYTHON ?= python3.11
VENV := .venv
WHEEL_VENV := .venv-wheels
BENCH_VENV := .venv-bench
HEAVY_VENV := .venv-bench-heavy
DOCS_VENV := .venv-docs
LOWEST_VENV := .venv-lowest
BIN := $(VENV)/bin
PACKAGES := $(sort $(wildcard packages/cascade-*))
PROJECTS := $(PACKAGES:%=%/pyproject.toml)
CODE := packages tests $(wildcard benchmarks examples)
MERGED := build/imports

# The stamps lie inside what they speak of, so that deleting a venv is enough to have it made anew.
READY := $(VENV)/.ready
WHEELS := dist/.built
WHEELS_READY := $(WHEEL_VENV)/.ready
BENCH_READY := $(BENCH_VENV)/.ready
HEAVY_READY := $(HEAVY_VENV)/.ready
DOCS_READY := $(DOCS_VENV)/.ready
LOWEST_READY := $(LOWEST_VENV)/.ready

# With extras in the names, since pip asks for a hash of each name as it is required.
PIN = $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-strip-extras \
    --custom-compile-command "make requirements"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install fireflies validate schema pages pictures services test coverage lint format types bench bench-quick bench-check bench-heavy docs wheels test-wheels sdists test-lowest ci changelog requirements clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## Make .venv with every package, editable

fireflies: $(READY) ## Watch 400 fireflies fall into step, and draw build/fireflies.png
	$(BIN)/cascade fireflies --side 20 --png build/fireflies.png

validate: $(READY) services ## Measure the published results again (some twenty minutes)
	$(BIN)/cascade validate --keep build/validation --output docs/validation.md
	$(BIN)/python -m benchmarks.swarm_over_mqtt

schema: $(READY) ## Write the JSON Schema of orders from the class that they are read with
	$(BIN)/python -c 'import json; from cascade.runtime.admission.constraints import constraint_schema as schema; \
	    print(json.dumps(schema(), indent=2))' > docs/constraint.schema.json

pages: $(READY) ## Write the pages that are made of the code, and llms.txt
	cd tests && $(CURDIR)/$(BIN)/python -m docs.generated

pictures: $(READY) services ## Make the pictures of docs/ of real runs, but for those of the fireflies
	cd tests && $(CURDIR)/$(BIN)/python -m docs.pictures

services: ## Install the browser, the broker, the database and Graphviz for the tests, where that may be done without asking
	.ci/install-if-missing chromium chromium-driver graphviz mosquitto postgresql

test: $(READY) services ## Run the tests on the source tree
	$(BIN)/python -m pytest -n 2

coverage: $(READY) services ## Run the same tests, and say which branches of the code none of them takes
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered

lint: $(READY) ## Check style, formatting, and which way imports go
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	rm -rf $(MERGED) && mkdir -p $(MERGED) && cp -r $(PACKAGES:%=%/src/.) $(MERGED)
	cd $(MERGED) && $(CURDIR)/$(BIN)/lint-imports --config $(CURDIR)/pyproject.toml --no-cache

format: $(READY) ## Put the code into the one format, and mend what can be mended
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

types: $(READY) ## Check the types of every package, strictly
	$(BIN)/mypy

bench: $(BENCH_READY) ## Run the benchmarks, peers included, and print what they measured
	$(BENCH_VENV)/bin/python -m benchmarks

bench-quick: $(BENCH_READY) ## Run them all with fewer repeats and operations
	$(BENCH_VENV)/bin/python -m benchmarks --quick

bench-check: $(READY) ## Say what is slower, beside its floor, than the baseline has it
	$(BIN)/python -m benchmarks.check

bench-heavy: $(HEAVY_READY) ## Compare with the peers that need an environment of their own
	$(HEAVY_VENV)/bin/python -m benchmarks peers_heavy cache

docs: $(DOCS_READY) ## Make the site of docs/ and the reference, in site/
	$(DOCS_VENV)/bin/zensical build --strict

wheels: $(WHEELS) ## Build all wheels into dist/

test-wheels: $(WHEELS_READY) services ## Run the same tests on the installed wheels
	$(WHEEL_VENV)/bin/python -m pytest -n 2

sdists: $(WHEELS) ## Build all source distributions, beside the wheels in dist/
	for package in $(PACKAGES); do \
	    (cd $$package && $(CURDIR)/$(BIN)/hatchling build -t sdist -d $(CURDIR)/dist) || exit; \
	done

test-lowest: $(LOWEST_READY) services ## Run the quick tests with the lowest versions of other people's libraries
	$(LOWEST_VENV)/bin/python -m pytest -n 2 -m "not slow"

ci: lint types coverage test-wheels ## Run everything that has to pass

changelog: $(READY) ## Make a section of CHANGELOG.md of the fragments in changelog.d/, for the version in VERSION
	$(BIN)/towncrier build --yes --version "$$(cat VERSION)"

requirements: $(READY) ## Make requirements/*.txt of the .in files, with hashes, and keep the pins that are there
	$(PIN) --universal requirements/dev.in --output-file requirements/dev.txt
	$(PIN) --universal requirements/bench.in --constraint requirements/dev.txt --output-file requirements/bench.txt
	$(PIN) --universal requirements/bench-heavy.in --output-file requirements/bench-heavy.txt
	$(PIN) --universal requirements/docs.in --output-file requirements/docs.txt
	$(PIN) requirements/lowest.in --output-file requirements/lowest.txt

clean: ## Remove what was built, the venvs too
	rm -rf $(VENV) $(WHEEL_VENV) $(BENCH_VENV) $(HEAVY_VENV) $(DOCS_VENV) $(LOWEST_VENV) build dist site .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

$(READY): requirements/dev.txt VERSION $(PROJECTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
	    $(PACKAGES:%=--editable %)
	touch $@

$(WHEELS): $(READY) $(PACKAGES:%=%/README.md) $(shell find packages -path '*/src/*' -type f -not -name '*.pyc')
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps \
	    --wheel-dir dist $(PACKAGES:%=./%)
	touch $@

# The wheels carry the same version from build to build, so they have to be forced in.
$(WHEELS_READY): $(WHEELS)
	test -x $(WHEEL_VENV)/bin/python || $(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index \
	    --force-reinstall dist/*.whl
	touch $@

$(BENCH_READY): requirements/bench.txt VERSION $(PROJECTS)
	test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
	    $(PACKAGES:%=--editable %)
	touch $@

$(HEAVY_READY): requirements/bench-heavy.txt VERSION $(PROJECTS)
	test -x $(HEAVY_VENV)/bin/python || $(PYTHON) -m venv $(HEAVY_VENV)
	$(HEAVY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/bench-heavy.txt
	$(HEAVY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
	    $(PACKAGES:%=--editable %)
	touch $@

$(DOCS_READY): requirements/docs.txt
	test -x $(DOCS_VENV)/bin/python || $(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/docs.txt
	touch $@

$(LOWEST_READY): requirements/lowest.txt VERSION $(PROJECTS)
	test -x $(LOWEST_VENV)/bin/python || $(OLDEST_PYTHON) -m venv $(LOWEST_VENV)
	$(LOWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/lowest.txt
	$(LOWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
	    $(PACKAGES:%=--editable %)
	touch $@
