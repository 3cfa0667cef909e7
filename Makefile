# Everything runs in .venv; `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= out/demo

.DEFAULT_GOAL := help
.PHONY: help setup example setup-formal setup-riscv setup-fuzz setup-browser docs demo test \
	test-slow test-frameworks test-riscv lint format sim sim-verilator mutants formal soak fuzz accuracy \
	bench-hw bench-hw-clock bench-lnp bench-peers study study-page study-quick clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/.ready ## install every command and the tests into .venv (idempotent)

.venv/.ready: pyproject.toml constraints.txt tools/setup.sh
	PYTHON=$(PYTHON) sh tools/setup.sh
	@touch $@

.venv/.formal: .venv/.ready
	$(BIN)/pip install -q -c constraints.txt -e '.[formal]'
	@touch $@

setup-formal: .venv/.formal ## add the tools for proofs (SymbiYosys, Yices)

.venv/.riscv: .venv/.ready
	$(BIN)/pip install -q -c constraints.txt -e '.[riscv]'
	@touch $@

setup-riscv: .venv/.riscv ## add a RISC-V processor in Verilog and a C compiler for it (400 MB)

.venv/.fuzz: .venv/.ready
	$(BIN)/pip install -q -c constraints.txt -e '.[fuzz]'
	@touch $@

setup-fuzz: .venv/.fuzz ## add the fuzzer (atheris)

.venv/.docs: .venv/.ready
	$(BIN)/pip install -q -c constraints.txt -e '.[docs]'
	@touch $@

.venv/.frameworks: .venv/.ready tests/frameworks/requirements.txt
	$(BIN)/pip install -q --no-deps --upgrade --target .venv/frameworks \
		-r tests/frameworks/requirements.txt
	@touch $@

setup-browser: ## add headless Chromium, for the test of pages
	sh tools/need.sh chromium

docs: .venv/.docs ## build the documentation site into out/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

example: setup ## rebuild the trained image and the samples of examples/
	$(BIN)/python tools/make_example.py

demo: setup ## run everything on JapaneseVowels; ends in out/demo/index.html
	$(BIN)/triodia demo -o $(OUT)

test: setup ## all fast tests
	$(BIN)/pytest -n 2 --dist worksteal

test-slow: setup setup-browser setup-riscv ## the long checks: Verilator, place-and-route, pages
	$(BIN)/pytest -n 2 -m slow

test-frameworks: .venv/.frameworks ## networks of norse, Rockpool, sinabs, SpikingJelly, spyx, run by themselves
	PYTHONPATH=.venv/frameworks $(BIN)/pytest -q -s -m frameworks tests/frameworks

test-riscv: setup-riscv ## the C driver on a PicoRV32 beside the exported Verilog (2 CPU minutes)
	$(BIN)/pytest -m slow -s tests/hw/test_riscv.py

lint: setup ## ruff check and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## apply ruff's formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

sim: setup ## co-simulation on Icarus: random and trained networks, injected faults
	$(BIN)/pytest -n 2 tests/sim/test_cosim.py tests/sim/test_faults.py

sim-verilator: setup ## co-simulation on Verilator
	$(BIN)/pytest -m slow tests/sim/test_cosim.py

mutants: setup ## generic mutants: 400 of the machine, 320 of link and buses; goes on where it stopped
	$(BIN)/python -m tests.sim.mutants --count 400 --seed 1 -o out/mutants
	$(BIN)/python -m tests.sim.mutants_around --seed 1 -o out/mutants

formal: setup-formal ## proofs of queues, merging, bus, sums, the end of a step and the bus slaves
	$(BIN)/pytest -m formal tests/sim/test_formal.py

soak: setup ## ten million time steps on a virtual board that is disturbed and unplugged (hours)
	$(BIN)/python -m tests.sw.host.soak --steps 10000000

fuzz: setup-fuzz ## hostile files to every reader, SECONDS (60) for each of 13 kinds, from SEED (1)
	$(BIN)/python -m tests.support.hostile.run --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1)

accuracy: setup ## accuracy on JapaneseVowels over 5 seeds, float and integer
	$(BIN)/triodia-studies accuracy --seeds 5

bench-hw: setup ## cycles, placement and storage against their limits, into docs/performance.md
	$(BIN)/triodia-studies bench-hw

bench-hw-clock: setup ## clock and area over 5 placements each (hours)
	$(BIN)/triodia-studies bench-hw clock --seeds 5

bench-lnp: setup ## seconds and memory of each step of LNP, into docs/lnp-speed.json
	OMP_NUM_THREADS=1 $(BIN)/triodia-studies bench-lnp

bench-peers: setup ## tinyODIN, Catalyst N1 and ours on one network: PEERS=folder, or TINYODIN= and N1=
	$(BIN)/triodia-studies bench-peers $(if $(PEERS),--peers "$(PEERS)") \
		$(if $(TINYODIN),--tinyodin "$(TINYODIN)") $(if $(N1),--n1 "$(N1)")

study: setup ## LNP against its controls, 5 seeds (hours; continues where it stopped)
	$(BIN)/triodia-studies study lnp --seeds 5

study-page: setup ## docs/lnp-study.md and out/study-lnp/index.html from the published results
	$(BIN)/triodia-studies study lnp --seeds 5 --pages-only --results docs/lnp-study.json.gz --page docs/lnp-study.md

study-quick: setup ## the same on small tasks and networks, minutes
	$(BIN)/triodia-studies study lnp --quick --seeds 3 --results out/study-quick/results.json.gz \
		--page out/study-quick/study.md --html out/study-quick/index.html

clean: ## remove .venv, caches and results
	rm -rf .venv out build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
