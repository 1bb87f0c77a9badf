# murmur. `make demo` and `make test` do all their own set-up on a machine with Go and a C compiler.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

BIN := bin/murmur
DEMO := demo-data
TOOL := go tool -modfile=tools/go.mod
# Prints failures in full, every skipped test with its reason, and a closing line.
TESTSUM := $(TOOL) gotestsum --format pkgname --format-hide-empty-pkg --

.PHONY: help build release redactor demo test race fuzz bench bench-text train train-acts train-reader eval-text lint sbom attack plants arch generate verify shots eval-language eval-usefulness eval-digest axe test-faults test-cluster check-deploy setup models voice clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-20s %s\n", $$1, $$2}'

build: $(BIN) ## build bin/murmur

# A C compiler links DuckDB; everything else is Go.
$(BIN): $(shell git ls-files '*.go' go.mod go.sum 2>/dev/null || find . -name '*.go')
	@command -v go >/dev/null || { echo "error: Go is missing"; echo "hint: install Go (https://go.dev/dl), the version is in go.mod"; exit 1; }
	@command -v $${CC:-cc} >/dev/null || command -v g++ >/dev/null || { echo "error: a C compiler is missing"; echo "hint: on Debian: apt-get install g++"; exit 1; }
	go build -o $(BIN) ./cmd/murmur

release: ## build bin/murmur-release: stripped, the same on every machine
	go build -trimpath -ldflags '-s -w -extldflags "-Wl,--exclude-libs,ALL -Wl,--gc-sections"' -o bin/murmur-release ./cmd/murmur

redactor: ## build bin/murmur-redact: the redactor alone, static, for any machine
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/murmur-redact ./cmd/murmur-redact

demo: $(BIN) ## invent a business, send its events through the real path, show the figures
	@rm -rf $(DEMO)
	$(BIN) demo --data $(DEMO) --listen 127.0.0.1:0

setup: ## what the tests need beside Go: Chromium, sipp, baresip
	@scripts/setup

test: setup ## all tests
	@recognisers/faster-whisper/install --which
	go vet ./...
	$(TESTSUM) -shuffle=on -timeout 20m ./...

race: ## all tests under the race detector
	go test -race -shuffle=on -timeout 40m ./...

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

test-cluster: ## real Kafka servers and an S3 server, killed and failing over and over: what was lost, as a table, in ten minutes (LONG=1: 50 kills)
	@LONG="$(LONG)" MISSING_OK="$(MISSING_OK)" RUN="$(RUN)" scripts/cluster

check-deploy: ## lint and render the Helm chart, check the configuration of releases; builds Helm and GoReleaser, in minutes
	@scripts/check-deploy

test-faults: setup ## what faults do, as a table, in ten minutes (LONG=1: 50 kills, 30 power cuts, 10,000 operations)
	@LONG="$(LONG)" scripts/faults

bench: ## print the figures of docs/benchmarks.md
	@scripts/bench

bench-text: ## write docs/models/text-rules.md: what the rules mask and leak, every dial
	MURMUR_TABLES=1 go test -count=1 -run TestDialTable ./internal/redact/score

TAG := internal/redact/tag
DATA ?= ../shared/data
train: ## train the tagger again: the same data give the same model.bin (WITHOUT=names leaves sources out)
	go run ./$(TAG)/gen -data $(DATA) -out $(TAG)/model.bin -without "$(WITHOUT)"

ACT := internal/redact/act
train-acts: ## train the reader of dialogue acts again, from the hands that are not left out, and print how often it is right
	go run ./$(ACT)/gen -out $(ACT)/model.bin

train-reader: models ## train the second reader of context again (recognisers/reader/README.md; one to two hours)
	DATA="$(DATA)" recognisers/reader/train

eval-text: ## the redactor on words it was tuned on and on words left out, then on sources its tagger has not seen (QUICK=1: roughly; HANDS=1: the words alone; FOLDS=4: tuned hands, each by models that learned from others, LEAKS=FILE: with what leaks)
	go run ./internal/redact/eval -data $(DATA) $(if $(QUICK),-quick) $(if $(HANDS),-hands) $(if $(FOLDS),-unseen $(FOLDS)) $(if $(LEAKS),-leaks $(LEAKS))

lint: ## golangci-lint, staticcheck, govulncheck
	$(TOOL) golangci-lint run
	@scripts/vulnerabilities

sbom: $(BIN) ## write bin/murmur.cdx.json: every module in the binary, with its hash (CycloneDX)
	$(TOOL) cyclonedx-gomod bin -json -noserial -output $(BIN).cdx.json $(BIN)
	@echo "$(BIN).cdx.json"

plants: ## build the provable tier with each planted bug, and print the test that catches it (minutes)
	MURMUR_PLANTS=all go test -count=1 -timeout 60m -v -run TestEveryPlantIsCaught ./internal/crowd/provable

attack: setup ## carry out every attack of docs/threat-model.md that has a test: held or BROKEN
	@scripts/attack

arch: ## test the rules of the architecture
	go test -run . -count=1 ./internal/arch

generate: ## make generated files again
	go generate ./...

verify: generate ## fail when a generated file is not what its source makes
	@git diff --exit-code -- . || { echo "error: generated files differ"; echo "hint: commit what make generate made"; exit 1; }

voice: ## install the transcriber of recordings, 700 MB (docs/models/voice.md)
	@recognisers/faster-whisper/install

models: ## fetch and check the weights that the second reader is trained from (recognisers/reader/README.md)
	@scripts/models

eval-language: ## how often reasons for contact are told right on public sets: all examples, 20 of each, categories of one's own; topics without examples
	go test ./internal/crowd/internal/enrich/classify -count=1 -run 'TestPublicIntentSets|TestTwentyShots' -v
	MURMUR_EVAL=1 go test ./internal/crowd/internal/enrich -count=1 -run TestOwnCategories -v
	MURMUR_EVAL=1 go test ./internal/crowd/internal/enrich/cluster -count=1 -run TestPublicIntents -v

eval-usefulness: setup ## how often the right suggestion is on top, and its interval holds, on synthetic shops
	MURMUR_SHOPS=200 go test ./internal/insight -count=1 -run TestUsefulness -v

eval-digest: ## every statement of the letters of 200 synthetic shops, compared with what the generator made
	MURMUR_SHOPS=$${MURMUR_SHOPS:-200} go test ./internal/server -count=1 -run TestLettersAreTrue -v -timeout 2h

axe: setup ## every page, light and dark, wide and narrow, checked by axe-core's rules of accessibility
	@scripts/axe

shots: setup $(BIN) ## screenshots of every page, light, dark and narrow, into shots/
	@scripts/shots

clean: ## remove what was built
	rm -rf bin shots $(DEMO)
