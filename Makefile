# Everything happens inside .venv/, which is made on demand. Needs Python 3.11 or newer, git and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: help setup demo show test screenshots lint attacks bench docs releases clean

help:
	@echo "make setup     install everything into .venv/"
	@echo "make demo      build the release, grade six submissions, print their reports"
	@echo "make show      a class of thirty repositories, from their pushes to the grades, each command killed once"
	@echo "make test      run every test of the framework"
	@echo "make screenshots  pictures of the pages for people, in out/screenshots"
	@echo "make lint      formatting, style and types"
	@echo "make attacks   run the attack suite and print its table"
	@echo "make bench     measure, beside the peers"
	@echo "make docs      build the pages of docs/ into site/"
	@echo "make releases  generate student/ anew"

setup: $(READY)

$(READY): requirements.lock pyproject.toml environment/setup.sh environment/install.py environment/torchvision_ops.py \
		environment/browser/package-lock.json
	PYTHON="$(PYTHON)" sh environment/setup.sh
	@touch $(READY)

demo: $(READY)
	$(BIN)/python -m tools.demo

show: $(READY)
	$(BIN)/python -m tests.class_of_thirty

test: $(READY)
	$(BIN)/python -m tools.make_release --all --check
	$(BIN)/python -m pytest -n auto --dist loadfile

screenshots: $(READY)
	GAPGRADE_SCREENSHOTS=out/screenshots $(BIN)/python -m pytest -q -k axe \
		tests/test_html.py tests/test_dashboard.py tests/test_review.py tests/test_site.py

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pycodestyle --max-line-length 120 solutions tests_public gapcheck student

attacks: $(READY)
	$(BIN)/python -m tests.attacks

bench: $(READY)
	$(BIN)/python -m benchmarks

docs: $(READY)
	$(BIN)/mkdocs build

releases: $(READY)
	$(BIN)/python -m tools.make_release --all

clean:
	rm -rf .venv build out site .mypy_cache .pytest_cache .ruff_cache .hypothesis
