# Every target is one line; each command works without make too (Windows): python -m shinan_research COMMAND
PYTHON ?= python3
RUN = .venv/bin/python -m shinan_research
LOCK_DATE = 2026-11-23T00:00:00Z
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install lab reproduce verify test docs check archive bench lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

install: ## build .venv from the lock and register the kernel
	@$(PYTHON) -m shinan_research install

lab: install ## JupyterLab on a working copy (work/), so that sources and cited figures stay as they are
	@$(RUN) lab

reproduce: install ## rebuild what has changed: notebooks, figures, pages in build/html (STRICT=1: a difference is an error)
	@$(RUN) reproduce $(if $(STRICT),--strict)

verify: install ## rebuild every figure in a temporary folder and compare; writes nothing
	@$(RUN) verify

test: install ## unit tests, doctests, architecture
	@$(RUN) test

docs: install ## the docstrings as pages in build/html/api
	@$(RUN) docs

check: install ## lint, types, pages and JupyterLab in Chromium, coverage
	@$(RUN) check

archive: install ## one deterministic zip to deposit (dist/)
	@$(RUN) archive

bench: install ## speed beside what a user would pick instead: make bench CORPUS=FOLDER [REPORTS=750]
	@.venv/bin/python tests/benchmarks/bench_speed.py $(CORPUS) $(or $(REPORTS),750)

soak: install ## fuzzing, kills, full disk, Pythons and versions; more than an hour
	@.venv/bin/python tests/soak/fuzz.py
	@.venv/bin/python tests/soak/faults.py
	@.venv/bin/python tests/soak/versions.py

lock: install ## rebuild requirements.lock; move LOCK_DATE to update the pins
	@.venv/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --fork-strategy fewest --exclude-newer $(LOCK_DATE) --upgrade --generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock
