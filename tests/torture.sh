#!/bin/bash
# Kills the daemon (kill -9) KILLS times while it finds BMCs, refreshes them, gets rows and switches power, with ROWS rows in
# its table; says what was lost, what was done twice, and how long a restart takes. usage: tests/torture.sh [KILLS [ROWS]]
set -eu
cd "$(dirname "$0")/.."
export HALBOX_KILLS=${1:-1000} HALBOX_ROWS=${2:-10000}
# The daemon as it is shipped, unless another one is named.
if [ -z "${HALBOX_BINARY:-}" ]; then
    nice -n 10 cargo build --release --locked --bin halbox
    export HALBOX_BINARY=$PWD/target/release/halbox
fi
exec nice -n 10 cargo test --locked --test it serve::torture::many_times -- --ignored --nocapture --exact
