#!/bin/bash
# Regenerates man/ from the command line definition and docs/ from data. A test fails when they are not what this makes.
set -eu
cd "$(dirname "$0")/.."
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
${CARGO_CMD:-cargo} run -q -- man "$new"
mkdir -p man
rm -f man/*.1
cp "$new"/*.1 man/
${CARGO_CMD:-cargo} run -q -- vendors --verified --markdown > docs/machines.md
