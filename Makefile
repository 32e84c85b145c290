# `make` lists the targets. Each one that runs Python first sees to .venv (tools/setup), which costs nothing once it is made.
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

PORT ?= 5000

READY := .venv/.ready
BIN := .venv/bin
# For what SAM starts in turn: its builds call uv.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/uv/bin:$(PATH)
export PYTHONPATH := layers/guardrails:.
export SAM_CLI_TELEMETRY := 0
# `sam validate` wants a Region, though it asks nobody.
export AWS_DEFAULT_REGION ?= us-east-1

COMPILE := uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header $(UPGRADE)

.PHONY: help test replay backfill redrive emulator deploy-local bench bench-guard lint format types security template generated docs e2e build lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements-dev.txt tools/uv-requirements.txt tools/setup .python-version
	@tools/setup
	@touch $@

# Tools that pin other versions of what we use have an environment each.
.tools/%/.ready: tools/%-requirements.txt tools/uv-requirements.txt tools/setup .python-version
	@tools/setup $*
	@touch $@

test: $(READY) ## run the tests that need no Docker (ARGS="-k name" for some of them)
	@$(BIN)/python -m pytest -n auto $(ARGS)

replay: $(READY) ## play events through the functions against an emulated AWS (EVENT=file WORLD=name FORMAT=json REPORT=folder)
	@$(BIN)/python -m replay $(if $(EVENT),--event "$(EVENT)") $(if $(WORLD),--world "$(WORLD)") $(if $(FORMAT),--format "$(FORMAT)") $(if $(REPORT),--report "$(REPORT)")

emulator: $(READY) ## serve the emulated AWS over HTTP (PORT=5000 HOST=127.0.0.1 WORLD=name)
	@$(BIN)/python -m emulator --port "$(PORT)" $(if $(HOST),--host "$(HOST)") $(if $(WORLD),--world "$(WORLD)")

deploy-local: $(READY) .tools/ministack/.ready ## deploy the stack on this machine, let a fault happen, show the alert (PORT=5000 AWS_PORT=4566 ONCE=1)
	@$(BIN)/python -m local_stack --port "$(PORT)" $(if $(AWS_PORT),--aws-port "$(AWS_PORT)") $(if $(ONCE),--once "$(ONCE)")

# Not in the Region that this file has for want of another: the account's own matters here.
backfill: $(READY) ## tag what was made before the stack with who made it (STACK=name APPLY=1 FRESH=1 FORMAT=json ARGS=--help)
	@$(if $(filter file,$(origin AWS_DEFAULT_REGION)),env -u AWS_DEFAULT_REGION) $(BIN)/python -m backfill $(if $(STACK),--stack "$(STACK)") $(if $(APPLY),--apply "$(APPLY)") $(if $(FRESH),--fresh "$(FRESH)") $(if $(FORMAT),--format "$(FORMAT)") $(ARGS)

redrive: $(READY) ## send what is in the dead-letter queues back to where it belongs (STACK=name QUEUE=name APPLY=1 MAX=n DELETE=id FORMAT=json ARGS=--help)
	@$(if $(filter file,$(origin AWS_DEFAULT_REGION)),env -u AWS_DEFAULT_REGION) $(BIN)/python -m redrive $(if $(STACK),--stack "$(STACK)") $(if $(QUEUE),--queue "$(QUEUE)") $(if $(APPLY),--apply "$(APPLY)") $(if $(MAX),--max "$(MAX)") $(if $(DELETE),--delete "$(DELETE)") $(if $(FORMAT),--format "$(FORMAT)") $(ARGS)

bench: $(READY) .tools/c7n/.ready ## measure what events, audits and syncs take, beside what else one would use (ARGS="--part events", ARGS=--write)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-guard: $(READY) ## has an event become dearer than recorded? Compares ratios, calls, sizes and memory with benchmarks/recorded.json
	@$(BIN)/python -m benchmarks.guard

lint: $(READY) ## check style, formatting and which module may import which
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/lint-imports --no-logo

format: $(READY) ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

types: $(READY) ## check the types
	@$(BIN)/python -m mypy

security: $(READY) ## look for weaknesses in the code with bandit
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive .

template: $(READY) .tools/checkov/.ready ## check the templates with cfn-lint, our own rules for it, SAM and checkov
	@$(BIN)/cfn-lint
	@$(BIN)/sam validate --lint
	@$(BIN)/python -m tools.checkov

generated: $(READY) ## check that docs/, events/ and the list of calls are what the code makes of them
	@$(BIN)/python -m tools.docs --check
	@$(BIN)/python -m tools.cost --check
	@$(BIN)/python -m tools.events --check
	@$(BIN)/python -m tools.operations --check

docs: $(READY) ## write the generated files of docs/ and events/, and the list of calls that the layer is built for
	@$(BIN)/python -m tools.docs
	@$(BIN)/python -m tools.cost
	@$(BIN)/python -m tools.events
	@$(BIN)/python -m tools.operations

build: $(READY) ## build the stack into .aws-sam/ for sam deploy and sam local
	@$(BIN)/sam build

e2e: $(READY) .tools/checkov/.ready .tools/ministack/.ready ## build the stack, run each function in the Lambda runtime (needs Docker), and deploy it all on this machine
	@$(BIN)/python -m pytest tests/e2e $(ARGS)

lock: $(READY) ## pin what the .in files admit, with hashes (UPGRADE=--upgrade moves what is pinned already)
	@for name in layers/guardrails/requirements requirements-dev $(basename $(wildcard tools/*-requirements.in)); do \
		$(COMPILE) -o $$name.txt $$name.in || exit; done

clean: ## remove what was built and installed here
	@rm -rf .venv .tools .aws-sam .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
