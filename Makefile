# The two commands of the quick start are `make compare` and `make test`. `make help` lists the rest.
# Needs Python 3.10 to 3.13 with venv, make and git; everything else is installed into .venv/ from hash-locked files.

SHELL := /bin/sh
VENV := .venv
RUN := $(VENV)/bin/python -m
# make compare BASE_IMAGE=NAME (and bench): build the Docker images on another base than the one that is pinned by digest.
MARKERS ?=
BASE_IMAGE ?=
# make test DEBIAN_MIRROR=URL: where libraries come from that no wheel has; Debian's own mirror if it is empty.
DEBIAN_MIRROR ?=
# make test COVERAGE=1: measure which lines and branches of runner/ the tests pass through, and print it.
COVERAGE ?=

# Packages are installed without byte-code and keep what their first use compiles: compiling pandas or TensorFlow anew in
# every process would take longer than most tests.
unexport PYTHONDONTWRITEBYTECODE

# A pyenv shim answers `command -v` for versions that it then refuses to run, so each candidate has to prove itself.
FIND_PYTHON := for python in python3 python3.13 python3.12 python3.11 python3.10 python; do \
  "$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
  && { echo "$$python"; exit 0; }; done; exit 1
PIP_FLAGS := --quiet --no-compile --disable-pip-version-check --no-input --require-hashes --no-deps

.PHONY: help compare test lint bench bench-stats locks clean
.DEFAULT_GOAL := help

help:  ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

compare: $(VENV)/compare.stamp  ## the main job: train stock and Intel TensorFlow (preset quick) and write the report
	@$(RUN) runner compare --preset quick $(if $(BASE_IMAGE),--base-image $(BASE_IMAGE))

test: $(VENV)/test.stamp  ## run every test that can run here; MARKERS=tensorflow,docker turns a skip of those into a failure
	@$(RUN) pytest --numprocesses=2 --dist=loadgroup --no-loadscope-reorder $(if $(MARKERS),--require=$(MARKERS)) $(if $(BASE_IMAGE),--base-image=$(BASE_IMAGE)) \
	  $(if $(DEBIAN_MIRROR),--debian-mirror=$(DEBIAN_MIRROR)) $(if $(COVERAGE),--cov --cov-report=term:skip-covered)

lint: $(VENV)/test.stamp  ## ruff, mypy and the import contracts
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(VENV)/bin/lint-imports --no-cache

bench: $(VENV)/compare.stamp  ## images/s of every topology and variant, as ratios and as a share of the GEMM peak (a quarter of an hour); the goals
	@$(RUN) runner bench --by-hand $(if $(BASE_IMAGE),--base-image $(BASE_IMAGE))
	@$(RUN) maintenance.goals

bench-stats: $(VENV)/compare.stamp  ## how often the intervals hold the truth, over simulated runs (some minutes); writes results/coverage.md
	@$(RUN) maintenance.bench_stats --write

locks: $(VENV)/test.stamp  ## write all hash-locked dependency files anew (needs a package index)
	@$(RUN) maintenance.lock_dependencies

clean:  ## remove the runner's own environment; runs and the cache of TensorFlow environments stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

$(VENV)/compare.stamp: runner/locks/compare.txt
	@python=$$($(FIND_PYTHON)) || { echo "error: no Python 3.10 to 3.13 with the modules venv and ensurepip was found" \
	  "as python3 or python3.X on PATH. Install one (Debian, Ubuntu: apt-get install python3 python3-venv)," \
	  "then run make again." >&2; exit 3; }; \
	echo "setting up $(VENV) with $$($$python --version)"; \
	$$python -m venv $(VENV) || { echo "error: $$python could not make an environment in $(VENV); it says why above." \
	  "Look whether this folder may be written and has room, and on Debian and Ubuntu run apt-get install python3-venv." >&2; \
	  exit 3; }
	@$(call install,compare)
	@touch $@

$(VENV)/test.stamp: $(VENV)/compare.stamp runner/locks/test.txt
	@$(call install,test)
	@touch $@

# Behind a proxy that intercepts TLS, pip needs the system's CA bundle by a name of its own.
install = PIP_CERT="$${PIP_CERT:-$${REQUESTS_CA_BUNDLE:-$${SSL_CERT_FILE:-$${CURL_CA_BUNDLE:-}}}}" \
	$(VENV)/bin/python -m pip install $(PIP_FLAGS) -r runner/locks/$(1).txt || { \
	echo "error: the packages in runner/locks/$(1).txt could not be installed; pip says why above. Without a network," \
	"set PIP_INDEX_URL to a reachable index; behind an intercepting proxy, set SSL_CERT_FILE to its CA bundle." >&2; exit 3; }
