# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs, once.
#
#   make demo    a hedging day and a bank day, reconciled with the sandboxes' books (PRICES=FILE)
#   make test    lint, types, import rules, tests
#   make lint    the same without the tests
#   make up      the embedded Kafka and the schema registry; make down stops them
#   make clean   forget the set-up (.venv and caches); the data of .weir stay

PYTHON ?= python3
VENV := .venv
JARS := $(VENV)/share/kafka
INSTALLED := $(VENV)/.installed
FETCHED := $(if $(WEIR_KAFKA_JARS),,$(JARS)/.fetched)
COPY_JARS := org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies
ARGS ?=

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint up down clean preflight

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

setup: preflight
	@$(MAKE) --no-print-directory --silent -j2 $(INSTALLED) $(FETCHED)

demo: setup
	@exec $(VENV)/bin/weir demo $(if $(PRICES),--prices '$(PRICES)') $(ARGS)

test: lint
	@exec $(VENV)/bin/pytest --numprocesses 2 --dist loadfile --max-worker-restart 0 $(ARGS)

lint: setup
	@$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/ruff format --quiet --check .
	$(VENV)/bin/mypy --no-error-summary
	$(VENV)/bin/lint-imports --no-logo >$(VENV)/lint-imports.log || {
	    cat $(VENV)/lint-imports.log
	    exit 1
	}

up: setup
	@exec $(VENV)/bin/weir up

down: setup
	@exec $(VENV)/bin/weir down

clean:
	@[ ! -x $(VENV)/bin/weir ] || $(VENV)/bin/weir down
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# Say all that the machine lacks, each with its remedy, before anything is fetched.
preflight:
	@lacks() { echo "weir: $$1" >&2; missing=1; }
	has() { command -v "$$1" >/dev/null 2>&1; }
	missing=
	if [ ! -e $(INSTALLED) ]; then
	    if ! has $(PYTHON) || ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
	        lacks "$(PYTHON) is missing or older than 3.11; on Debian 12: apt-get install python3"
	    elif ! has uv && ! $(PYTHON) -c 'import ensurepip' 2>/dev/null; then
	        lacks "Python cannot make virtual environments; on Debian: apt-get install python3-venv"
	    fi
	fi
	java="$${JAVA_HOME:+$$JAVA_HOME/bin/}java"
	if ! has "$$java"; then
	    lacks "$$java is missing, Kafka needs 17 or newer; on Debian: apt-get install openjdk-17-jre-headless"
	else
	    version=$$("$$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
	    [ "$${version:-0}" -ge 17 ] ||
	        lacks "$$java is version $${version:-unknown}, Kafka needs 17 or newer; on Debian: apt-get install openjdk-17-jre-headless"
	fi
	if [ -n "$(FETCHED)" ] && [ ! -e "$(FETCHED)" ] && ! has mvn; then
	    lacks "Maven is missing, it fetches Kafka; on Debian: apt-get install maven (or set WEIR_KAFKA_JARS to an unpacked Kafka)"
	fi
	[ -z "$$missing" ]

# The path file makes the repository's packages importable and needs no build tool.
$(INSTALLED): requirements.lock
	@echo "weir: setting up $(VENV)" >&2
	if command -v uv >/dev/null 2>&1; then
	    $(PYTHON) -m venv --without-pip $(VENV)
	    uv pip install --quiet --python $(VENV)/bin/python --require-hashes -r $<
	else
	    $(PYTHON) -m venv $(VENV)
	    $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	        --require-hashes --only-binary :all: -r $<
	fi
	pwd > "$$($(VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])')/weir.pth"
	printf '#!%s\nfrom weir.cli import main\n\nmain()\n' "$$(pwd)/$(VENV)/bin/python" >$(VENV)/bin/weir
	chmod +x $(VENV)/bin/weir
	touch $@

$(JARS)/.fetched: weir/kafka/pom.xml weir/kafka/jars.sha256
	@echo "weir: fetching Kafka's jars" >&2
	rm -rf $(JARS)
	mkdir -p $(JARS)
	mvn -q -B -f $< $(COPY_JARS) -DoutputDirectory="$$(pwd)/$(JARS)" >$(VENV)/maven.log 2>&1 || {
	    cat $(VENV)/maven.log >&2
	    exit 1
	}
	(cd $(JARS) && sha256sum --quiet --strict -c "$(CURDIR)/weir/kafka/jars.sha256")
	touch $@
