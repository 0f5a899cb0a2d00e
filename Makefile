# Every target does its own set-up: a virtual environment in .venv, into which the requirements go, again when they change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IS_NEW := import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")
export OMP_NUM_THREADS ?= 1

.PHONY: app test soak benchmark style quality tables screenshots clean

app: $(VENV)/app.stamp  ## the demo on the shipped checkpoint, at http://127.0.0.1:7860
	$(BIN)/python app.py

test: $(VENV)/dev.stamp  ## every test
	$(BIN)/python -m pytest -n 2 --dist loadfile

soak: $(VENV)/dev.stamp  ## commands killed at random moments, fifty visitors for two minutes; prints figures
	$(BIN)/python -m pytest -m slow -s

benchmark: $(VENV)/dev.stamp  ## speed of everything, beside its goals; on an idle machine, in a quarter of an hour
	$(BIN)/python -m benchmarks

style: $(VENV)/dev.stamp  ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

quality: $(VENV)/dev.stamp  ## what style would change, types, and which layer imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tables: $(VENV)/dev.stamp  ## result tables and pictures from results/*.json
	$(BIN)/python -m ser_model results --table

screenshots: $(VENV)/dev.stamp  ## pictures of every tab into docs/; needs chromium
	$(BIN)/python -m scripts.screenshots

$(VENV)/app.stamp: requirements.txt
	$(BIN)/python -c '$(IS_NEW)' 2>/dev/null || { $(PYTHON) -c '$(IS_NEW)' && $(PYTHON) -m venv --clear $(VENV); }
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements-onnx.txt $(VENV)/app.stamp
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	$(BIN)/python -m pip check
	touch $@

clean:
	rm -rf $(VENV)
