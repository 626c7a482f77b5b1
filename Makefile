# Two commands on a fresh machine with Python 3.10+: `make demo` and `make test`.  `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOENIX := .venv-phoenix
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test check integration conformance phoenix bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.done ## an unmodified agent, recorded: no key, no server, nothing leaves the machine
	@$(BIN)/python examples/demo.py $(DEMO)

test: $(VENV)/.done ## the tests
	$(BIN)/python -m pytest $(TESTS)

check: $(VENV)/.lint ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

integration: $(VENV)/.done ## against a real Phoenix in an environment of its own
	@$(MAKE) --no-print-directory $(PHOENIX)/.done || echo "make integration: SKIPPING Phoenix: it can't be installed here" >&2
	INTEGRATION=1 $(BIN)/python -m pytest tests/integration

conformance: $(VENV)/.done ## every recorded call of a kit of recordings: make conformance KIT=folder
	@test -n "$(KIT)" || { echo "make conformance KIT=folder" >&2; exit 2; }
	$(BIN)/python tests/conformance/run.py --kit $(KIT)

phoenix: $(VENV)/.done $(PHOENIX)/.done ## the demo in a Phoenix on loopback, until Ctrl-C (PHOENIX_ONCE=1: just once)
	@$(BIN)/python examples/with_phoenix.py

bench: $(VENV)/.done ## what watching costs, against others: see benchmarks/
	$(BIN)/python benchmarks/run.py $(BENCH)

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
