#!/bin/bash
# Kills the daemon (kill -9) KILLS times while it finds BMCs, refreshes them, gets rows and switches power, with ROWS rows in
# its table; says what was lost, what was done twice, and how long a restart takes. usage: tests/torture.sh [KILLS [ROWS]]
set -eu
cd "$(dirname "$0")/.."
export HALBOX_KILLS=${1:-1000} HALBOX_ROWS=${2:-10000}
exec nice -n 10 cargo test --release --locked --test it serve::torture::many_times -- --ignored --nocapture --exact
