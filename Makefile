# The two commands: `make run` and `make test`. `make help` lists all.

PORT ?= 8000
WORKERS ?= 2
JOBS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
MANAGE := $(PY) manage.py
FIND_PYTHON := for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done

.DEFAULT_GOAL := help
.PHONY: help run serve test lint bench bench-quick soak clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(PY):
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed, and not found on the PATH." >&2; exit 1; fi; \
	echo "Making $(VENV) with $$($$python --version) …"; \
	$$python -m venv $(VENV) || { rm -rf $(VENV); \
	echo "Python cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/base: requirements/base.txt | $(PY)
	@echo "Installing what the portal runs with …"
	@$(call install,requirements/base.txt)
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/base | $(PY)
	@echo "Installing what the tests need …"
	@$(call install,requirements/dev.txt)
	@touch $@

# The lists are complete: pip has nothing to resolve. Left to it, a package that is wanted with an
# extra is looked up anew, and a release later than the pinned one stops the installation.
define install
if command -v uv >/dev/null 2>&1; then \
	uv pip install --quiet --python $(PY) --no-deps --require-hashes -r $(1); \
else \
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(1); \
fi || { echo "The installation failed; see above. It needs a package index." >&2; exit 1; }
endef

# Serves with $(1), the worker beside it, until either a signal or the server's end stops both.
define with_worker
$(MANAGE) worker & worker=$$!; \
$(1) & server=$$!; \
trap 'trap "" HUP INT TERM; kill $$server $$worker 2>/dev/null; wait; \
	$(PY) -c "from portal.localdb import server; server.stop_unused()"' EXIT; \
trap 'exit 130' HUP INT TERM; \
wait $$server
endef

# Begins a session of its own, and becomes what follows: granian hangs more often than not when the
# terminal's SIGINT reaches it beside the SIGTERM above. On that alone it does at times, hence the
# limit to stop in.
APART := $(PY) -c 'import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])'

# A port that is taken is said before anything else happens.
CHECK_PORT = $(PY) -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' 2>/dev/null || { \
	echo "Port $(PORT) is taken. Another one: make $@ PORT=8001" >&2; exit 1; }

run: $(VENV)/base ## Serve the portal with demo data (PORT=8000)
	@$(CHECK_PORT)
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) seed_demo
	@echo; \
	echo "  Portal   http://127.0.0.1:$(PORT)/           log in as rep, manager or admin, password demo"; \
	echo "  Review   http://127.0.0.1:$(PORT)/admin/     as manager or admin"; \
	echo "  API      http://127.0.0.1:$(PORT)/v1/docs    a key: $(MANAGE) create_api_key --tenant demo --name NAME"; \
	echo; \
	$(call with_worker,$(MANAGE) runserver 127.0.0.1:$(PORT))

serve: $(VENV)/base ## Serve for production (PUBLIC_URL, SECRET_KEY, DATABASE_URL, WORKERS=2; see docs/operating.md)
	@if [ -z "$$PUBLIC_URL" ]; then \
	echo "Set PUBLIC_URL to the address that users type, such as https://portal.example.com" >&2; exit 1; fi
	@$(CHECK_PORT)
	@$(MANAGE) check --deploy --fail-level ERROR
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@echo "Serving $$PUBLIC_URL on port $(PORT)"; \
	$(call with_worker,$(APART) $(VENV)/bin/granian --interface wsgi --host 127.0.0.1 --port $(PORT) \
	--workers $(WORKERS) --blocking-threads 4 --workers-kill-timeout 5 --log-level warning portal.wsgi:application)

test: $(VENV)/dev ## Run all tests, in a browser too
	@$(PY) -m tests.browser.chromium
	@$(PY) -m pytest -n $(JOBS) --cov --cov-report=term:skip-covered

lint: $(VENV)/dev ## Check style, types, templates, migrations and settings
	$(PY) -m pip check
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/djlint --check --lint templates
	$(MANAGE) makemigrations --check --dry-run
	PUBLIC_URL=https://portal.example.com ALLOW_EMBEDDED=1 \
	SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))') \
	$(MANAGE) check --deploy --fail-level WARNING

bench: $(VENV)/dev ## Measure against the floor, at a million rows (some 25 minutes)
	@$(PY) -m tests.browser.chromium
	@$(PY) -m bench

bench-quick: $(VENV)/dev ## The same at 10,000 rows, without a browser
	@$(PY) -m bench --variants 10000 --customers 10000 --orders 10000 \
	--rounds 20 --calls 0 --questions 200 --requests 1500

soak: $(VENV)/dev ## Long races and fuzzing
	@$(PY) -m pytest -m soak

clean: ## Remove the environment, the embedded database and all that was generated
	@if [ -x $(PY) ]; then $(PY) -c 'from portal.localdb import server; server.remove()' || true; fi
	@rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
