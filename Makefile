# The project's commands. Needs Python 3.10 or newer; another one: make PYTHON=python3.12 …
# What is set up once is not set up again until pyproject.toml changes: no network, no wait.

PYTHON ?= python3
VERSIONS ?= 3.10 3.11 3.12 3.13
ARGS ?=
# Tests wait for processes more than they compute: more of them at once than there are cores.
JOBS ?= 4

VENV := .venv
BIN := $(VENV)/bin
# Where there is no Go for the Go example's test, the extra "go" brings one.
GO_EXTRA = $(shell command -v go >/dev/null 2>&1 || echo ,go)
PIP_QUIET := --quiet --disable-pip-version-check
# What a person has set for their own Python is not for these commands.
unexport $(filter-out PYTHON,$(filter PYTHON%,$(.VARIABLES)))

.DEFAULT_GOAL := help
.PHONY: help run test test-containers test-browser test-dist test-docs docs screens check format test-all dist release
.PHONY: first-minutes bench bench-watch bench-warm bench-swap bench-proxy bench-feedback pictures faults
.PHONY: prove air soak chaos wait-check clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 24

run: $(VENV)/.ready ## live-reload examples/hello (more arguments: ARGS="--json")
	$(BIN)/reloader run $(ARGS)

test: $(VENV)/.ready-to-test ## run the tests, JOBS=4 at once (more arguments: ARGS="-k config -x")
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

test-containers: $(VENV)/.ready-to-dist ## run the examples in real containers (needs Docker)
	$(BIN)/python -m pytest -m containers tests/containers $(ARGS)

test-browser: $(VENV)/.ready-to-test ## run the tests with a real Chromium (installs one on Debian as root)
	@tests/browser/setup.sh
	$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

test-dist: $(VENV)/.ready-to-dist ## build a release, and start and reload with each part of it (1 minute)
	$(BIN)/python -m pytest -m dist tests/distribution $(ARGS)

check: $(VENV)/.ready-to-test ## lint, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready-to-test ## repair what lint and formatting can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-all: ## run the tests with each Python of VERSIONS that is found, on the PATH or by pyenv
	@$(foreach v,$(VERSIONS),$(if $(call python,$v),,echo "Python $v: not found, left out" >&2;)) \
	$(MAKE) --no-print-directory $(or $(foreach v,$(VERSIONS),$(if $(call python,$v),test-$v)),$(NONE))
NONE = $(error none of Python $(VERSIONS) is found)

test-%: .venv-%/.ready-to-test
	.venv-$*/bin/python -m pytest -n $(JOBS) $(ARGS)

bench: $(VENV)/.ready ## measure save to new process, beside other tools (benchmarks/README.md)
	$(BIN)/python -m benchmarks $(ARGS)

bench-watch: $(VENV)/.ready ## measure each way to save, and big trees, for docs/watching.md
	$(BIN)/python -m benchmarks.saves --peers --markdown $(ARGS)
	$(BIN)/python -m benchmarks.scale --markdown $(ARGS)

first-minutes: $(VENV)/.ready ## start, save, break and fix each shape of project, from an empty folder
	$(BIN)/python -m benchmarks.first_minutes $(ARGS)

bench-warm: $(VENV)/.ready ## measure save to first new answer of Python apps, cold, warm and by their own tools
	$(BIN)/python -m benchmarks.warm $(ARGS)

bench-swap: $(VENV)/.ready ## reload apps under load, beside other tools: what is lost, who waits
	$(BIN)/python -m benchmarks.swap $(ARGS)

bench-proxy: $(VENV)/.ready-to-test ## measure the proxy beside other tools' (5 minutes)
	$(BIN)/python -m benchmarks.proxies $(ARGS)

bench-feedback: $(VENV)/.ready-to-test ## play random builds, apps and saves over the rules against loops, old and new
	$(BIN)/python -m benchmarks.feedback $(ARGS)

pictures: $(VENV)/.ready-to-test ## make the pictures of docs/browser.md from a real run in a browser
	@tests/browser/setup.sh
	$(BIN)/python -m tests.browser.pictures

docs: $(VENV)/.ready-for-docs ## build the site of the docs: site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo site/index.html

screens: $(VENV)/.ready-for-docs ## make the pictures of terminals in docs/images from real runs (needs Go)
	$(BIN)/python -m distribution.screens $(ARGS)

test-docs: $(VENV)/.ready-to-dist ## run the commands of each page for users (installs FastAPI, Flask, Django)
	$(BIN)/python -m pytest -m docs tests/docs $(ARGS)

dist: $(VENV)/.ready-to-dist ## build wheel, sdist, zipapp, a directory without Python, an image: dist/
	$(BIN)/python -m distribution $(ARGS)

release: $(VENV)/.ready-to-dist ## all that a release needs, but the upload (distribution/release.py)
	$(BIN)/python -m distribution.release $(ARGS)

faults: $(VENV)/.ready-to-test ## every fault, and that a naive reloader does not survive it (9 minutes)
	$(BIN)/python -m pytest -m faults tests/faults $(ARGS)

prove: $(VENV)/.ready-to-test ## search every sequence of events in the state machine (10 minutes)
	$(BIN)/python -m tests.prove $(ARGS)

air: $(VENV)/.ready-to-test ## run each of the real Air files, with stand-ins for go and the like (2 minutes)
	$(BIN)/python -m pytest -m air tests/air $(ARGS)

soak: $(VENV)/.ready-to-test ## 1,000 restarts and a storm of signals: nothing may grow (5 minutes)
	$(BIN)/python -m tests.faults.soak $(ARGS)

chaos: $(VENV)/.ready-to-test ## random sessions against the real system (20 minutes; ARGS="--minutes 1 --seed 7")
	$(BIN)/python -m tests.chaos $(ARGS)

wait-check: $(VENV)/.ready-to-test ## random saves, each with a checked wait (15 minutes; ARGS="--count 200")
	$(BIN)/python -m tests.waits $(ARGS)

clean: ## delete what these commands made
	rm -rf $(VENV) $(VERSIONS:%=.venv-%) build dist site tmp examples/*/tmp
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# --- set-up ---------------------------------------------------------------------------------------

# $(call python,3.12): that interpreter; nothing where there is none.
PYENV_ROOT ?= $(HOME)/.pyenv
python = $(firstword $(shell for it in python$(1) $(PYENV_ROOT)/versions/$(1).*/bin/python; do \
	$$it -c 'import sys; print(sys.executable)' 2>/dev/null; done))

# $(call new_venv,PYTHON,FOLDER): a fresh virtual environment, or what is missing, in one line.
# uv makes environments and installs in a tenth of the time; it is used where it is there.
UV := $(shell command -v uv 2>/dev/null)
define new_venv
@$(1) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo 'Python 3.10 or newer is needed, "$(1)" is not. Try: make PYTHON=python3.12' >&2; exit 1; }
@echo "setting up $(2): an environment of its own$(if $(UV), (uv)), once" >&2
@rm -rf $(2); $(if $(UV),$(UV) venv --quiet --seed --python $(1),$(1) -m venv) $(2) || \
	{ rm -rf $(2); echo 'On Debian and Ubuntu this helps: apt-get install python3-venv' >&2; exit 1; }
endef

# $(call install,FOLDER,WHAT,FOR): installs the checkout with its packages into an environment.
define install
@echo "setting up $(1): installing $(3)" >&2
@$(if $(UV),$(UV) pip install --quiet --python $(1)/bin/python,$(1)/bin/python -m pip install \
	$(PIP_QUIET)) --editable "$(2)"
@touch $@
endef

$(BIN)/python:
	$(call new_venv,$(PYTHON),$(VENV))

.venv-%/bin/python:
	$(call new_venv,$(or $(call python,$*),python$*),.venv-$*)

%/.ready: pyproject.toml | %/bin/python
	$(call install,$*,.,reloader and its packages)

%/.ready-to-test: %/.ready
	$(call install,$*,.[test$(GO_EXTRA)],what the tests need)

%/.ready-for-docs: %/.ready
	$(call install,$*,.[docs],what the docs need)

%/.ready-to-dist: %/.ready-to-test
	$(call install,$*,.[dist],what builds a release)

.PRECIOUS: .venv-%/bin/python %/.ready %/.ready-to-test %/.ready-to-dist %/.ready-for-docs
