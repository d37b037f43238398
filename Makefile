# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

SWIFT ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local
SCRATCH ?= .build

PACKAGES := libcurl4-openssl-dev libssl-dev libyaml-dev libopenblas-dev libcmark-gfm-dev \
  libcmark-gfm-extensions-dev pkg-config make
FORMATTED := Sources Tests Demo Package.swift
VENV := .venv-interop

RELEASE := $(SWIFT) build --scratch-path $(SCRATCH) -c release
RELEASE_FOLDER = $$($(RELEASE) --show-bin-path)

.DEFAULT_GOAL := help
.PHONY: help setup build debug test demo lint format bench interop docs install clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## install the system's libraries that are missing
	@command -v $(SWIFT) >/dev/null || { \
	  echo "error: there is no $(SWIFT) here; hubmerge needs Swift 6.3, see https://swift.org/install" >&2; \
	  exit 69; }
	@if ! command -v dpkg-query >/dev/null; then \
	  echo "note: not a Debian system; needed are: $(PACKAGES), by whatever names they have here" >&2; \
	  exit 0; \
	fi; \
	missing=; \
	for package in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q '^install ok installed' \
	    || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	root=; \
	if [ "$$(id -u)" != 0 ]; then \
	  command -v sudo >/dev/null || { \
	    echo "error: missing$$missing; install them as root" >&2; exit 77; }; \
	  root=sudo; \
	fi; \
	echo "installing$$missing"; \
	$$root apt-get update -q && \
	  $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing

build: setup ## build in release mode
	$(RELEASE) --product hubmerge

debug: setup ## build in debug mode
	$(SWIFT) build --scratch-path $(SCRATCH)

test: setup ## build and run every test
	$(SWIFT) build --scratch-path $(SCRATCH) --build-tests
	$(SWIFT) test --scratch-path $(SCRATCH) --skip-build --disable-xctest --no-parallel

demo: build ## fetch, merge, card and push, offline, in ./demo
	$(RELEASE) --product DemoModels
	@Demo/demo.sh "$(RELEASE_FOLDER)"

lint: ## check the format of the sources
	$(SWIFT) format lint --strict --recursive --parallel $(FORMATTED)

format: ## format the sources
	$(SWIFT) format --in-place --recursive --parallel $(FORMATTED)

bench: build ## time merges against copying; MODELS=folder has the models base, left and right
	$(PYTHON) Benchmarks/merge.py "$(RELEASE_FOLDER)/hubmerge" $(or $(MODELS),$(error say MODELS=folder))

interop: build $(VENV)/installed ## check with huggingface_hub, transformers and real weights
	$(RELEASE) --product DemoModels
	$(VENV)/bin/python Interop/demo_roundtrip.py "$(RELEASE_FOLDER)"
	$(VENV)/bin/python Interop/serve_official.py "$(RELEASE_FOLDER)"
	$(VENV)/bin/python Interop/serve_pages.py "$(RELEASE_FOLDER)"
	$(VENV)/bin/python Interop/serve_kill.py "$(RELEASE_FOLDER)"
	$(VENV)/bin/python Interop/serve_fuzz.py "$(RELEASE_FOLDER)"
	$(VENV)/bin/python Interop/serve_crowd.py "$(RELEASE_FOLDER)"
	$(VENV)/bin/python Interop/minilm.py "$(RELEASE_FOLDER)"
	$(VENV)/bin/python Interop/arch_matrix.py "$(RELEASE_FOLDER)/hubmerge"
	$(VENV)/bin/python Interop/vocab_matrix.py "$(RELEASE_FOLDER)"
	$(VENV)/bin/python Interop/card_matrix.py "$(RELEASE_FOLDER)"

$(VENV)/installed: Interop/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement Interop/requirements.txt
	touch $@

docs: build ## write the manual page and the completions of the shells to ./.build/docs
	@mkdir -p $(SCRATCH)/docs
	$(SWIFT) package --scratch-path $(SCRATCH) --allow-writing-to-package-directory \
	  generate-manual --output-directory $(SCRATCH)/docs
	for shell in bash zsh fish; do \
	  "$(RELEASE_FOLDER)/hubmerge" --generate-completion-script $$shell \
	    > $(SCRATCH)/docs/hubmerge.$$shell; \
	done

install: build ## install to PREFIX, /usr/local unless told otherwise
	install -D -m 755 "$(RELEASE_FOLDER)/hubmerge" "$(DESTDIR)$(PREFIX)/bin/hubmerge"

clean: ## remove everything that was made
	rm -rf $(SCRATCH) $(VENV) demo
