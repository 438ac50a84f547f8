SHELL := /bin/sh
.DEFAULT_GOAL := help
platform := .venv/bin/platform
contracts := contracts/*.yaml contracts/gold/*.yaml
# Two at a time, a file to a process; the files keep their order, so that the long end-to-end file begins at once.
pytest := .venv/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: help prerequisites setup up down rehearse clean doctor test soak cloud check contracts format parity bench wheel \
	lock

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

prerequisites: ## name what this machine lacks; INSTALL=yes installs it
	@sh cli/prerequisites.sh

setup: ## make the Python environment
	@sh cli/bootstrap.sh

up: prerequisites setup ## the whole platform on this machine; INSTALL=yes installs what is missing
	@$(platform) up

down: setup ## destroy the local stack and stop every service
	@$(platform) down

rehearse: prerequisites setup ## account, dev and prod, whole, on a local cloud of their own: deploy, change, destroy
	@$(platform) rehearse

clean: ## remove the state of the local platform (.local/) and what was built in the checkout
	@if [ -x $(platform) ]; then PLATFORM_HOME= $(platform) local stop; fi
	rm -rf .local workloads/dist

doctor: setup ## check what the platform needs on this machine
	@$(platform) doctor

test: prerequisites setup ## every kind of test, long ones sampled (about an hour on two cores)
	@$(platform) install
	$(pytest)

soak: prerequisites setup ## every test with its full counts
	@$(platform) install
	$(pytest) --soak

cloud: prerequisites setup ## the tests of the workloads with the Spark client and the packages of the cloud
	@$(platform) install
	@sh cli/cloud_tests.sh

check: setup ## lint, spelling, types and workflow files (a minute and 3 GB)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell
	.venv/bin/platform contract check
	.venv/bin/odcslint check --quiet $(contracts)
	.venv/bin/mypy infra policies cli local bench workloads/src/churn
	.venv/bin/zizmor --offline --quiet --min-severity medium .github

contracts: setup ## whether the standard's own command line accepts the contracts, in an environment of its own
	@for file in $(contracts); do .venv/bin/uv tool run --python .venv/bin/python --from datacontract-cli==1.2.8 \
		datacontract lint $$file || exit 1; done

format: setup ## format the sources
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

parity: setup ## renew docs/parity.md from the marks of tests and the sources
	.venv/bin/python -m tests.parity

bench: prerequisites setup ## the measurements of docs/benchmarks.md
	.venv/bin/python -m bench

wheel: setup ## build the wheel churn
	@$(platform) wheel

lock: setup ## resolve every lock file again from the two pyproject.toml
	@sh cli/lock.sh
