#!/bin/bash
# tests/fuzz.sh [SECONDS [TARGET]]: fuzzes each target for SECONDS (600). Inputs that crash stay in tests/fuzz/artifacts.
# Needs nightly, or any toolchain (RUSTC_BOOTSTRAP=1), and a C++ compiler; no cargo-fuzz.
set -eu
cd "$(dirname "$0")/fuzz"
secs=${1:-600}
only=${2:-}
host=$(rustc -vV | sed -n 's/^host: //p')
out=${FUZZ_TARGET_DIR:-$PWD/target}
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Cdebug-assertions -Coverflow-checks \
 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
 -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
${CARGO_CMD:-cargo} build -q --release --target "$host" --target-dir "$out"
mkdir -p artifacts
one() {
    local name=$1 corpus seeds log
    corpus=$out/corpus/$name
    seeds=corpus/$name
    mkdir -p "$corpus"
    [ -d "$seeds" ] || seeds=
    log=$out/$name.log
    # shellcheck disable=SC2086 # no seeds is no word
    if "$out/$host/release/$name" -max_total_time="$secs" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="artifacts/$name-" "$corpus" $seeds >"$log" 2>&1; then
        echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $secs s, no finding"
    else
        echo "fuzz: $name: FINDING"
        tail -n 40 "$log"
        return 1
    fi
}
# As many at a time as there are processors: each keeps one busy.
jobs=${FUZZ_JOBS:-$(nproc)}
running=()
failed=0
for source in fuzz_targets/*.rs; do
    name=$(basename "$source" .rs)
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    if [ ${#running[@]} -ge "$jobs" ]; then
        wait "${running[0]}" || failed=1
        running=("${running[@]:1}")
    fi
    one "$name" &
    running+=($!)
done
for pid in "${running[@]}"; do
    wait "$pid" || failed=1
done
exit $failed
