# make run, make demo, make test: see README.md. Everything lives in .venv and .local; `make clean` removes both.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PORT ?= 3000
ZOOM_PORT ?= 3001
AWS_PORT ?= 4566
ARCHITECTURE ?= arm64
STAGE ?= dev
BIN := .venv/bin
export SAM_CLI_TELEMETRY = 0
export PYTHONPATH = layers/zoom_common:.

# A pyenv shim can exist and still fail, so each candidate is run.
FIND_PYTHON = for p in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python3.13 \
  "$$HOME"/.local/share/uv/python/cpython-3.13*/bin/python3.13 "$$HOME"/.local/share/mise/installs/python/3.13*/bin/python3.13 \
  /opt/homebrew/opt/python@3.13/bin/python3.13 python3 python; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1 && { echo "$$p"; break; }; done

# `set -f`: a star in ARGS, such as `--scopes *`, is not a pattern of file names.
# `make help` shows each target under the heading (##@) that stands above it; a heading may come again.
##@ Start here
.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^##@ / { group = substr($$0, 5); if (!(group in seen)) { seen[group] = 1; names[++count] = group } } \
	  /^[a-z-]+:.*## / { lines[group] = lines[group] sprintf("  %-16s %s\n", $$1, $$2) } \
	  END { for (i = 1; i <= count; i++) printf "%s%s\n%s", (i > 1 ? "\n" : ""), names[i], lines[names[i]] }' $(MAKEFILE_LIST)

.venv/installed: requirements-dev.txt layers/zoom_common/requirements.txt simulator/pyproject.toml
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
	  echo "Python 3.13 was not found. Install it (python.org, your package manager, or: pyenv install 3.13) and run this again."; exit 1; fi; \
	echo "Creating .venv with $$("$$python" --version) and the pinned tools (about a minute the first time) ..."; \
	"$$python" -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements-dev.txt)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable ./simulator
	@touch $@

.PHONY: install
install: .venv/installed ## the environment everything else uses

.PHONY: run
run: .venv/installed ## the whole gateway on this machine, until Ctrl-C
	@exec $(BIN)/python -m dev.run --port $(PORT) --zoom-port $(ZOOM_PORT) --aws-port $(AWS_PORT)

.PHONY: demo
demo: .venv/installed ## the whole story against the running gateway
	@exec $(BIN)/python -m dev.demo

.PHONY: events
events: .venv/installed ## print each event as the integration queue gets it
	@exec $(BIN)/python -m dev.events

.PHONY: console-data
console-data: .venv/installed ## fill the running gateway with made-up work, to see the operator's console by
	@exec $(BIN)/python -m dev.console_data

##@ Operate a stack, local or deployed
.PHONY: dlq
dlq: .venv/installed ## dead letters: make dlq ARGS="list"; show, redrive, discard
	@set -f; exec $(BIN)/python -m ops.dlq $(or $(ARGS),--help)

.PHONY: replay
replay: .venv/installed ## publish events again: make replay ARGS="TENANT --id evt_... --yes"
	@set -f; exec $(BIN)/python -m ops.replay $(or $(ARGS),--help)

.PHONY: unrouted
unrouted: .venv/installed ## events without a tenant: make unrouted ARGS="ZOOM_CLIENT_ID"
	@set -f; exec $(BIN)/python -m ops.unrouted $(or $(ARGS),--help)

.PHONY: subscriber
subscriber: .venv/installed ## a queue for one more consumer: make subscriber ARGS="add NAME --type meeting.ended"
	@set -f; exec $(BIN)/python -m ops.subscriber $(or $(ARGS),--help)

##@ Check more than the tests do
.PHONY: proof
proof: .venv/installed ## thousands of deliveries against the running gateway while workers are killed (five minutes)
	@set -f; exec $(BIN)/python -m dev.proof $(ARGS)

##@ Write generated files
.PHONY: event-schema
event-schema: .venv/installed ## write docs/api/asyncapi.json from the code
	@$(BIN)/python -m dev.event_schema

##@ Operate a stack, local or deployed
.PHONY: api-key
api-key: .venv/installed ## API keys: make api-key ARGS="create --name ci --scopes meetings:read"
	@set -f; exec $(BIN)/python -m ops.api_keys $(or $(ARGS),--help)

.PHONY: erase
erase: .venv/installed ## delete a person or a tenant: make erase ARGS="TENANT --zoom-user ID --yes"
	@set -f; exec $(BIN)/python -m ops.erase $(or $(ARGS),--help)

.PHONY: try-again
try-again: .venv/installed ## tokens of connections that were given up: make try-again ARGS="TENANT --connection con_... --yes"
	@set -f; exec $(BIN)/python -m ops.try_again $(or $(ARGS),--help)

.PHONY: restore
restore: .venv/installed ## copy back what a table has lost: make restore ARGS="connections --from TABLE --yes"
	@set -f; exec $(BIN)/python -m ops.restore $(or $(ARGS),--help)

##@ Check more than the tests do
.PHONY: drill
drill: .venv/installed ## run every procedure of docs/runbook.md against the running gateway (some minutes)
	@set -f; exec $(BIN)/python -m dev.drill $(ARGS)

##@ Check more than the tests do
.PHONY: sam-env
sam-env: .venv/installed ## point functions under sam local at the running emulator
	@exec $(BIN)/python -m dev.sam_local

##@ Build and deploy
.PHONY: build
build: .venv/installed ## sam build for ARCHITECTURE (default: arm64)
	PATH="$(CURDIR)/$(BIN):$$PATH" ARCHITECTURE=$(ARCHITECTURE) $(BIN)/sam build --parameter-overrides Architecture=$(ARCHITECTURE)

.PHONY: deploy
deploy: .venv/installed ## sam deploy for one stage, with .env.<stage>: make deploy STAGE=dev
	@set -f; exec $(BIN)/python -m ops.deploy $(STAGE) $(ARGS)

.PHONY: deploy-policy
deploy-policy: .venv/installed ## write the least that whoever deploys a stage needs, as IAM policies: make deploy-policy STAGE=dev
	@exec $(BIN)/python -m ops.deploy_policy $(STAGE) $(ARGS)

.PHONY: check
check: .venv/installed ## look at a deployed stack from outside and inside: make check STAGE=dev; STAGE=local for the one of make run
	@exec $(BIN)/python -m ops.check $(STAGE) $(ARGS)

##@ Test
.PHONY: test
test: .venv/installed ## lint, types, template checks, then every test
	$(MAKE) -j 2 lint types check-template
	$(BIN)/pytest -n 3

.PHONY: test-failed
test-failed: .venv/installed ## what failed in the last make test, once more; names what passes now
	$(BIN)/pytest --last-failed --last-failed-no-failures none $(ARGS)

.PHONY: soak
soak: .venv/installed ## the tests with twenty times the examples, and the long proof while workers are killed (hours)
	SOAK=1 $(BIN)/pytest -n 2 $(ARGS)

.PHONY: search
search: .venv/installed ## every order of two actors over the vault, creates with a key and the inbox; writes docs/search.md (an hour)
	@set -f; exec $(BIN)/python -m tests.search $(ARGS)

# The others run our code in other processes, which are not measured.
COVERED_TESTS = tests/unit tests/search tests/stores tests/aws tests/contract tests/wire
.PHONY: coverage
coverage: .venv/installed ## the tests that run in one process, with branch coverage; lists what they do not reach
	$(BIN)/pytest -n 2 --cov --cov-report=term $(COVERED_TESTS) $(ARGS)

.PHONY: mutants
mutants: .venv/installed ## change sampled lines one at a time, and list the changes that no test notices (an hour)
	@set -f; exec $(BIN)/python -m dev.mutants $(ARGS)

.PHONY: counts
counts: .venv/installed ## write the budgets of tests/counts again, from what is counted now
	UPDATE_COUNTS=1 $(BIN)/pytest tests/counts/test_bytecode.py

.PHONY: lint
lint: .venv/installed ## ruff and the arrows between rooms
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

.PHONY: types
types: .venv/installed ## mypy, strict
	$(BIN)/mypy

.PHONY: check-template
check-template: .venv/installed ## the template as written; tests/template lints what it becomes
	$(BIN)/sam validate --lint
	$(BIN)/cfn-lint web/template.yaml

CHECKOV = checkov==3.3.30
PARLIAMENT = parliament==1.6.4
ZIZMOR = zizmor==1.32.0
.PHONY: security
security: .venv/installed ## ruff's security rules, checkov and parliament on the transformed templates, zizmor on the workflows, known vulnerabilities of what is shipped
	$(BIN)/ruff check --select S layers functions
	$(BIN)/uv tool run --python 3.13 --from $(CHECKOV) checkov --config-file .checkov.yaml -f web/template.yaml
	$(BIN)/python -m dev.for_checks .local/checks
	$(BIN)/uv tool run --python 3.13 --from $(CHECKOV) checkov --config-file .checkov.yaml -f .local/checks/template.json
	$(BIN)/uv tool run --python 3.13 --from $(PARLIAMENT) --with "setuptools<81" python -W ignore dev/lint_policies.py .local/checks/policies
	$(BIN)/uv tool run --python 3.13 --from $(ZIZMOR) zizmor --offline --quiet .github/workflows
	$(BIN)/python -m dev.audit

##@ Check more than the tests do
.PHONY: test-sam-local
test-sam-local: .venv/installed ## every file in events/ through sam local invoke, where there is Docker; needs a running make run
	@set -f; $(BIN)/python -m dev.sam_local_check $(ARGS)

##@ Operate a stack, local or deployed
.PHONY: cost
cost: .venv/installed ## what it costs a month: make cost ARGS="--calls 5 --webhooks 10 --connections 20"
	@set -f; $(BIN)/python -m ops.cost $(ARGS)

##@ Test
.PHONY: format
format: .venv/installed ## put the code in shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

##@ Write generated files
.PHONY: openapi
openapi: .venv/installed ## write openapi.json and docs/api/operations.md again
	$(BIN)/python -m dev.openapi

.PHONY: contract-facts
contract-facts: .venv/installed ## distil Zoom's contracts again: make contract-facts ARGS="FOLDER"
	@set -f; $(BIN)/python -m dev.contract_facts $(ARGS)

##@ Check more than the tests do
.PHONY: examples
examples: .venv/installed ## the programs in examples/ that need npm or large packages; needs a running make run
	@exec $(BIN)/python -m dev.examples

.PHONY: clients
clients: .venv/installed ## zoomus, pyzoom, zoom-python-client and Rivet against the running gateway
	$(BIN)/python -m dev.clients

.PHONY: fuzz
fuzz: .venv/installed ## Schemathesis against the running gateway
	$(BIN)/python -m dev.fuzz

.PHONY: bench
bench: .venv/installed ## the benchmarks, against what people would use instead (ten minutes): make bench ARGS="webhook calls" for some
	@set -f; exec $(BIN)/python -m benchmarks $(ARGS)

.PHONY: load
load: .venv/installed ## twenty workers against Zoom's limits, and the same with other clients (a quarter of an hour; best as root)
	$(BIN)/python -m benchmarks.load --plan business $(ARGS)
	$(BIN)/python -m benchmarks.load --plan pro $(ARGS)
	$(BIN)/python -m benchmarks.load --plan business --label Medium $(ARGS) ours
	$(BIN)/python -m benchmarks.load --plan pro --label Medium --page docs/load.md $(ARGS) ours

##@ Write generated files
.PHONY: lock
lock: .venv/installed ## pin again after a change of an .in file
	cd layers/zoom_common && ../../$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --generate-hashes --python-version 3.13 --universal requirements.in -o requirements.txt
	cd dev && ../$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --generate-hashes --python-version 3.13 emulator-requirements.in -o emulator-requirements.txt
	$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --generate-hashes --python-version 3.13 requirements-dev.in -o requirements-dev.txt

web/node_modules/installed: web/package-lock.json
	@command -v npm >/dev/null || { echo "The web client needs Node.js 20 or newer with npm (nodejs.org); the gateway runs without."; exit 1; }
	cd web && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

##@ The web client
.PHONY: web
web: web/node_modules/installed ## build the web client; a running gateway serves it at /app/ at once
	cd web && npm run build

.PHONY: test-web
test-web: .venv/installed web ## the web client's tests, in Chromium (/usr/bin/chromium, or CHROMIUM=...)
	cd web && npm test

.PHONY: test-web-failed
test-web-failed: .venv/installed web ## what failed in the last make test-web, once more
	cd web && npm test -- --last-failed

.PHONY: web-screenshots
web-screenshots: .venv/installed web ## take the pictures in docs/images/web
	cd web && npm run screenshots

.PHONY: web-deploy
web-deploy: .venv/installed ## the web client's hosting, a stack of its own: make web-deploy ARGS="--stack-name zoom-gateway"
	@set -f; exec $(BIN)/python -m ops.web_deploy $(or $(ARGS),--help)

.PHONY: web-upload
web-upload: .venv/installed web ## the web client to its hosting: make web-upload ARGS="--stack-name zoom-gateway"
	@set -f; exec $(BIN)/python -m ops.web_upload $(or $(ARGS),--help)

##@ Clean up
.PHONY: clean-local
clean-local: ## forget what the local gateway has stored
	rm -rf .local/emulator-state .local/emulator-tmp .local/build .local/build-cache .local/*.json

.PHONY: clean
clean: ## remove everything that was made here
	rm -rf .venv .local .aws-sam web/node_modules web/dist web/test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
