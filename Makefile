# Every target sets up what it needs in .venv; only Python 3.11+ and make have to be there.
#
#   make setup   the environment alone             make bench   every benchmark, one table each
#   make demo    the whole main job, small          make wheel   the wheel, tried in an empty environment
#   make test    the tests                          make lint    ruff, checks and format

VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
READY := $(VENV)/.ready

# The first Python that is new enough and can make environments. `make PYTHON=/path/to/python` names another.
CANDIDATES := $(PYTHON) python3 python3.13 python3.12 python3.11 python
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
FIND_PYTHON = for candidate in $(CANDIDATES); do \
	  "$$candidate" -c "$(FITS)" >/dev/null 2>&1 && { echo "$$candidate"; exit 0; }; \
	done; \
	echo "glyphline needs Python 3.11 or newer with its venv module; tried: $(CANDIDATES)." >&2; \
	echo "Install it (Debian, Ubuntu: apt install python3 python3-venv) or say: make PYTHON=/path/to/python" >&2; \
	exit 1

REPORT := import sys, importlib.metadata as m; \
	print('installed: Python', sys.version.split()[0], *(f'{n} {m.version(n)}' for n in ('torch', 'transformers')))

# Tests and benchmarks run beside one another: one thread each keeps them from fighting for the cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false

.PHONY: help setup demo test test-slow lint bench wheel clean

help:
	@sed -n 's/^#   //p' Makefile

setup: $(READY)
	@echo "ready: $(BIN)/glyphline --help"

$(MADE):
	@python=$$($(FIND_PYTHON)) && echo "making the environment $(VENV) with $$python" && "$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

# trdg's own pins cannot be installed beside anything current, hence --no-deps; the project repairs what it needs.
$(READY): pyproject.toml constraints.txt | $(MADE)
	@echo "installing glyphline and what it needs: some minutes and 2 GB the first time"
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps trdg==1.8.0
	@$(BIN)/python -c "$(REPORT)"
	@touch $@

demo: $(READY)
	@$(BIN)/python demo/run.py

test: $(READY)
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 $(ARGS)

test-slow: $(READY)
	$(ONE_THREAD) $(BIN)/python -m pytest -m slow $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(READY)
	@for script in benchmarks/*.py; do \
	  [ -e "$$script" ] || { echo "no benchmarks yet"; break; }; \
	  echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

# From `git archive`, so that a file that is not committed cannot hide in it.
wheel: $(READY)
	@rm -rf build/wheel && mkdir -p build/wheel/tree dist
	@git archive HEAD | tar -x -C build/wheel/tree
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist build/wheel/tree
	@ls dist/*.whl
	$(ONE_THREAD) $(BIN)/python -m pytest -m slow tests/test_wheel.py $(ARGS)

clean:
	rm -rf build dist runs .pytest_cache .ruff_cache .hypothesis
