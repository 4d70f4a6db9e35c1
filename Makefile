# One command per chore, the same for people and CI. The first use makes .venv; nothing else is needed
# than Python >= 3.11 with venv and pip.
.PHONY: demo test check docs networks bench clean
.DEFAULT_GOAL := demo

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# An environment that another tool made may come without pip.
HAVE_PIP = @$(PIP) --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
export HEARTSEG_DATA ?= $(abspath ../shared/data)

demo: .venv/core.done  ## a synthetic heart, measured beside true
	$(BIN)/heartseg demo -o demo-out

# A file's tests stay together, since they share what they trained.
test: .venv/dev.done  ## everything, on up to four processors; PYTEST="-n 0 -k geometry" chooses, in one process
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(PYTEST)

check: .venv/dev.done  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/dev.done  ## writes the generated pages, then runs the snippets
	$(BIN)/python docs/generate.py
	$(BIN)/python benchmarks/tables.py
	$(BIN)/python -m pytest -q tests/house/test_docs.py

networks: .venv/dev.done  ## every network at its real size; make test takes a few
	$(BIN)/python benchmarks/check_networks.py

bench: .venv/dev.done  ## adds rows of speed and size to benchmarks/results
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/size.py
	$(BIN)/python benchmarks/tables.py

clean:  ## what the other chores made, the environment included
	rm -rf .venv demo-out build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# A stamp is older than pyproject.toml when its installation may be: only then pip looks again.
.venv/core.done: pyproject.toml | .venv/bin/python
	$(HAVE_PIP)
	$(PIP) install --quiet -e .
	@touch $@

.venv/dev.done: pyproject.toml | .venv/bin/python
	$(HAVE_PIP)
	$(PIP) install --quiet -e '.[dev]'
	@touch .venv/core.done $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "heartseg needs Python >= 3.11 on the PATH, or PYTHON=/path/to/it" >&2; exit 1; }
	$(PYTHON) -m venv .venv
