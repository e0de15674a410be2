#!/bin/bash
# Side by side with ipmitool and FreeIPMI, where installed; prints medians and ratios, asserts nothing.
# tests/bench.sh [ROUNDS]   builds the release binary and measures it against `halbox sim` on loopback.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
exec python3 tests/bench.py "${CARGO_TARGET_DIR:-target}/release/halbox" "${1:-15}"
