# One command each: `make demo`, `make test`, `make lint`, `make bench`. Each sets up .venv first where it has to.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# Test processes. Each may hold both frameworks (about 1 GB), so this does not follow the number of cores.
WORKERS ?= 2
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Tests start hundreds of processes: whatever the environment says, they do not compile our files anew each time.
test slow: export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test slow harden audit lint format exact workers bench worth copying docs docs-serve wheel clean

help:
	@echo "make demo    train the same model in TensorFlow and in PyTorch and compare them (minutes)"
	@echo "make test    run the tests, but for the slow ones"
	@echo "make slow    run the slow ones"
	@echo "make harden  try to lose something, or to get in: hours, resumable (docs/reliability.md)"
	@echo "make audit   ask the package index for known vulnerabilities of what is pinned (needs a network)"
	@echo "make lint    check style, types, the import rule and what is tracked"
	@echo "make format  put the code into the style that lint asks for"
	@echo "make exact   train a small config under all circumstances: is it equal to the last bit? (docs/exactness.md)"
	@echo "make workers train with 1 to 4 processes, and kill some of them: are the weights the same? (docs/distributed.md)"
	@echo "make bench   measure training and decoding speed beside other toolkits (see benchmarks/)"
	@echo "make worth   measure what starting from a model, features, copying and embeddings are worth (an hour, resumable)"
	@echo "make copying only copying, in both frameworks: names that nobody has seen (minutes, resumable)"
	@echo "make docs    build the site in English and Korean into site/; it runs the tutorial (minutes the first time)"
	@echo "make docs-serve  build it and serve it on http://127.0.0.1:8000"
	@echo "make wheel   build wheel and sdist into dist/, install the wheel in a fresh environment and try it there"
	@echo "make setup   only make .venv and install everything into it"
	@echo "make clean   remove .venv and every cache; runs/ stays"

setup: $(READY)

# The stamp is written last, so that a set-up that was interrupted is taken up again. A .venv whose Python does not
# start, or lacks pip, is made anew. Torch comes first and pinned: a CPU build that is already there, or that the
# package index prefers, is then kept by everything that follows.
$(READY): pyproject.toml constraints.txt
	@rm -f $@
	@command -v $(PYTHON) >/dev/null || { \
	    echo "error: no '$(PYTHON)' found. Install Python 3.11 or newer, or name one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; \
	    exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "error: Python 3.11 or newer is needed, '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
	         "Name a newer one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; \
	    exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo "error: '$(PYTHON)' cannot make virtual environments: its modules venv and ensurepip are missing." \
	         "On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	    exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || { echo "Making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	$(PIP) install --constraint constraints.txt torch==2.13.0
	$(PIP) install --constraint constraints.txt --editable '.[all,dev]'
	@touch $@

demo: setup
	@echo "This takes some ten minutes on two cores; a first look in about one: $(BIN)/diptych compare --quick"
	$(BIN)/diptych compare --run runs/demo --overwrite

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow"

slow: setup
	$(PIP) install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m slow

harden: setup
	$(BIN)/python tests/hardening/harden.py

audit: setup
	$(PIP) install --quiet pip-audit
	$(BIN)/pip-audit --disable-pip --require-hashes --requirement requirements.lock

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/check_files.py

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

exact: setup
	$(BIN)/python benchmarks/exactness.py

workers: setup
	$(BIN)/python benchmarks/workers.py

bench: setup
	$(BIN)/python benchmarks/bench.py

worth: setup
	$(BIN)/python benchmarks/worth.py

copying: setup
	$(BIN)/python benchmarks/worth.py copying --backend pytorch --threads 2
	$(BIN)/python benchmarks/worth.py copying --backend tensorflow --threads 2

docs: setup
	$(PIP) install --quiet --constraint constraints.txt --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --config-file mkdocs.yml
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --config-file mkdocs.ko.yml
	$(BIN)/python scripts/site/check_links.py site

docs-serve: docs
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory site 8000

wheel:
	bash scripts/try_wheel.sh $(PYTHON)

clean:
	rm -rf $(VENV) build dist site .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests examples benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
