# Two commands on a fresh machine with Python 3.10+: `make demo` and `make test`.  `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOENIX := .venv-phoenix
CLAUDE := .venv-claude
SERVICES := .cache/services
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test check integration conformance phoenix services matrix bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.done ## an unmodified agent, recorded: no key, no server, nothing leaves the machine
	@$(BIN)/python examples/demo.py $(DEMO)

test: $(VENV)/.done ## the tests, and how much of the code they reach
	@rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest $(TESTS)
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report --skip-covered --format=total $(if $(TESTS),--fail-under=0) | sed 's/^/covered, percent: /'

check: $(VENV)/.lint ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

integration: $(VENV)/.done ## against a real Phoenix, Claude Code, collector, Jaeger and Prometheus, as far as they are to be had
	@$(MAKE) --no-print-directory $(PHOENIX)/.done || echo "make integration: SKIPPING Phoenix: it can't be installed here" >&2
	@$(MAKE) --no-print-directory $(CLAUDE)/.done || echo "make integration: SKIPPING Claude Code: it can't be installed here" >&2
	@$(MAKE) --no-print-directory $(SERVICES)/otelcol || echo "make integration: SKIPPING the collector: it can't be built here" >&2
	@$(MAKE) --no-print-directory $(SERVICES)/jaeger || echo "make integration: SKIPPING Jaeger: it can't be built here" >&2
	@command -v prometheus >/dev/null || echo "make integration: SKIPPING Prometheus: no such program here" >&2
	@echo "make integration: SKIPPING Tempo: there is no version of it that Go's modules could bring" >&2
	@$(BIN)/python -m pip install --quiet --editable '.[grpc]'
	INTEGRATION=1 $(BIN)/python -m pytest tests/integration
	@test ! -e $(CLAUDE)/.done || $(CLAUDE)/bin/python -m pytest -rs tests/frameworks/test_claude_code.py

conformance: $(VENV)/.done ## every recorded call of a kit of recordings: make conformance KIT=folder
	@test -n "$(KIT)" || { echo "make conformance KIT=folder" >&2; exit 2; }
	$(BIN)/python tests/conformance/run.py --kit $(KIT)

phoenix: $(VENV)/.done $(PHOENIX)/.done ## the demo in a Phoenix on loopback, until Ctrl-C (PHOENIX_ONCE=1: just once)
	@$(BIN)/python examples/with_phoenix.py

# what does not install together: generations of clients and frameworks, other instrumentations, the oldest of everything
LANES := $(patsubst tests/lanes/%.txt,lane-%,$(wildcard tests/lanes/*.txt))
.PHONY: $(LANES)
.SECONDARY: $(patsubst lane-%,.venv-lane-%/.done,$(LANES))

matrix: ## every lane of tests/lanes in an environment of its own; one of them alone: make lane-old
	@$(MAKE) --no-print-directory --keep-going test $(LANES)

# what a lane runs stands in its file, a run of pytest a line
$(LANES): lane-%: .venv-lane-%/.done
	@echo "=== lane $*"
	@sed -n 's/^# run: //p' tests/lanes/$*.txt | { failed=0; \
	  while read -r run; do .venv-lane-$*/bin/python -m pytest $$run </dev/null || failed=1; done; exit $$failed; }

.venv-lane-%/.done: tests/lanes/%.txt pyproject.toml
	@echo "installing lane $*"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(@D)/bin/python -m pip install --quiet --editable . --group pytest -r $<
	@touch $@

bench: $(VENV)/.done ## what watching costs, against others: see benchmarks/
	$(BIN)/python benchmarks/run.py $(BENCH)

services: $(SERVICES)/otelcol $(SERVICES)/jaeger ## the collector of collector-config/ and a Jaeger, built with Go

$(SERVICES)/otelcol: collector-config/builder.yaml
	@echo "building the collector into $(SERVICES), once: some minutes"
	@mkdir -p $(@D)/collector
	@cd $(@D)/collector && go run go.opentelemetry.io/collector/cmd/builder@v0.155.0 --config=$(CURDIR)/$< >build.log 2>&1 \
	  || { tail -n 5 build.log >&2; exit 1; }
	@mv $(@D)/collector/otelcol $@

$(SERVICES)/jaeger: tests/integration/jaeger/go.mod tests/integration/jaeger/go.sum
	@echo "building Jaeger into $(SERVICES), once: some minutes"
	@mkdir -p $(@D)
	@cd tests/integration/jaeger && go build -o $(CURDIR)/$@ github.com/jaegertracing/jaeger/cmd/jaeger >$(CURDIR)/$@.log 2>&1 \
	  || { tail -n 5 $(CURDIR)/$@.log >&2; exit 1; }

# the wheel holds the program
$(CLAUDE)/.done: tests/integration/claude-code.txt pyproject.toml
	@echo "installing Claude Code into $(CLAUDE), once: about 600 MB"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(@D)/bin/python -m pip install --quiet --editable . --group pytest -r $<
	@touch $@

clean: ## environments, caches, the demo's journal
	rm -rf $(VENV) $(PHOENIX) .venv-* .cache .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# pip learned --group in 25.1, hence the upgrade
$(VENV)/.done: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed: make PYTHON=/path/to/python3" >&2; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { echo "no venv: on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 2; }
	@echo "installing into $(VENV), once"
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --editable . --group test
	@touch $@

$(VENV)/.lint: $(VENV)/.done
	@$(BIN)/python -m pip install --quiet --group lint
	@touch $@

$(PHOENIX)/.done:
	@test -x $(PHOENIX)/bin/pip || $(PYTHON) -m venv --clear $(PHOENIX)
	@echo "installing Phoenix into $(PHOENIX), once: some minutes, about 900 MB"
	@$(PHOENIX)/bin/python -m pip install --quiet --upgrade arize-phoenix
	@touch $@
