# Works with GNU make 3.81 (macOS) and later. `make demo` needs git, make and python3 with venv; `make test` names what else it needs.

PYTHON ?= python3
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || \
  ls -d "/Applications/Chromium.app/Contents/MacOS/Chromium" "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" 2>/dev/null | head -1)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

DEMO := build/demo
PACKAGES := chromium poppler-utils fonts-noto-cjk libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 openssl openssh-client

# An environment that was copied, moved, or whose python3 is gone is made anew.
ifneq ($(shell test "`cat $(VENV)/.made 2>/dev/null`" = "$(CURDIR)" && $(BIN)/python -c '' && echo whole),whole)
$(shell rm -f $(VENV)/.made)
endif

.PHONY: help demo test lint format bench timeline validate system packages requirements clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo          examines the sample case and says where its report is'
	@echo 'make test          checks style, types, floors, and runs the tests'
	@echo 'make system        installs the system packages that the tests need (Debian, Ubuntu)'
	@echo 'make lint          checks style, types and floors alone'
	@echo 'make format        puts the code into shape'
	@echo 'make bench         measures speed'
	@echo 'make validate      examines 540 invented incidents and says how they were answered (half an hour)'
	@echo 'make timeline      builds the script of the report anew, from templates/timeline (needs node)'
	@echo 'make requirements  pins the requirements anew, from pyproject.toml'
	@echo 'make clean         removes what was made'

# ---------------------------------------------------------------- environment

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo 'There is no $(PYTHON) here. Install Python 3.11, 3.12 or 3.13, or name it: make PYTHON=/path/to/python3.'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
	  echo "This needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is `$(PYTHON) --version 2>&1`. Name another: make PYTHON=python3.12."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'The venv module of $(PYTHON) is missing. On Debian and Ubuntu: apt-get install python3-venv.'; exit 1; }
	@echo 'Making $(VENV) ...'
	@$(PYTHON) -m venv --clear $(VENV)
	@echo '$(CURDIR)' > $@

$(VENV)/.run: $(VENV)/.made requirements/build.txt requirements/run.txt pyproject.toml
	@echo 'Installing what it runs with ...'
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo 'Installing what it is tested with ...'
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# ---------------------------------------------------------------- use

# Exit code 3 means done, with some evidence unreadable: the report says which.
demo: $(VENV)/.run
	@mkdir -p build
	@$(BIN)/forensics investigate sample_cases/unstable-training --out $(DEMO) --force --examiner demo --time 2024-08-01T09:00:00Z \
	  || test $$? -eq 3
	@echo
	@echo 'The report: $(CURDIR)/$(DEMO)/report.html'

# ---------------------------------------------------------------- checks

test: lint packages
	@if test -f build/no-browser; then left_out='bench or browser'; else left_out=bench; fi; \
	PYTHONDONTWRITEBYTECODE= CHROMIUM="$(CHROMIUM)" PATH="$(CURDIR)/$(BIN):$$PATH" \
	  $(BIN)/python -m pytest -n 2 --dist worksteal -m "not ($$left_out)"

lint: $(VENV)/.dev
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --quiet --check
	$(BIN)/mypy --strict forensics
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev
	$(BIN)/ruff check --quiet --fix-only
	$(BIN)/ruff format --quiet

# pytest ends with 5 where nothing is marked `bench` yet.
bench: $(VENV)/.dev
	CHROMIUM="$(CHROMIUM)" PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n 0 -s -m bench --durations=0 || test $$? -eq 5

# Ends with 1 where an incident could not be made or examined. Commit what it writes: `make test` says when it was made by other code.
validate: $(VENV)/.dev
	$(BIN)/python -m tests.incidents.validate --count 540 --out tests/incidents/validation --workers 2

# What it builds is committed, so that nobody needs node to make a report; a test compares the two where node is there.
timeline:
	cd templates/timeline && npm ci --no-fund --no-audit --ignore-scripts && npm run --silent build

# Names what is missing. In CI that is an error; elsewhere the tests in a browser are left out, and that is said.
packages:
	@mkdir -p build; rm -f build/no-browser; missing=; \
	test -n "$(CHROMIUM)" || missing="$$missing chromium"; \
	command -v pdftotext >/dev/null || missing="$$missing poppler-utils"; \
	test "`uname`" = Darwin || { command -v fc-list >/dev/null && test -n "`fc-list :lang=zh-cn family`"; } || missing="$$missing fonts-noto-cjk"; \
	test "`uname`" = Darwin || PATH="$$PATH:/sbin" ldconfig -p 2>/dev/null | grep -q libpangoft2-1.0 || missing="$$missing libpangoft2-1.0-0"; \
	command -v openssl >/dev/null || missing="$$missing openssl"; \
	test -z "$$missing" || { \
	  echo "Missing on this system:$$missing."; \
	  if test "`uname`" = Darwin; \
	  then echo 'Install them with: brew install --cask google-chrome && brew install poppler pango openssl'; \
	  else echo "Install them with: make system (or: apt-get install$$missing)"; fi; \
	  test -z "$$CI" || exit 1; \
	  echo 'The tests in a browser are left out until then.'; touch build/no-browser; }

system:
	@command -v apt-get >/dev/null || { echo 'This installs with apt-get alone. Elsewhere, install these: $(PACKAGES).'; exit 1; }
	@if dpkg -s $(PACKAGES) fontconfig >/dev/null 2>&1; then exit 0; fi; \
	sudo=; test "`id -u`" = 0 || sudo=sudo; \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES) fontconfig >/dev/null

# ---------------------------------------------------------------- requirements

# One set for every Python and system that is promised. No index is written down: whoever installs has their own.
COMPILE := build/pins/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml

requirements:
	@$(PYTHON) -m venv --clear build/pins
	@build/pins/bin/python -m pip --disable-pip-version-check --quiet install uv
	@rm -f requirements/*.txt
	$(COMPILE) --extra dev --extra pdf --group build -o build/pins/all.txt
	$(COMPILE) --extra dev --extra pdf -c build/pins/all.txt -o requirements/dev.txt
	$(COMPILE) --extra code -c build/pins/all.txt -o requirements/run.txt
	$(subst pyproject.toml,,$(COMPILE)) --group build -c build/pins/all.txt -o requirements/build.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find forensics tests -name __pycache__ -type d -prune -exec rm -rf {} +
