#!/bin/bash
# Starts three simulated BMCs on loopback, probes them, drives them, and ends them. Needs only Rust and a C compiler.
set -eu
cd "$(dirname "$0")/.."
[ -n "${HALBOX:-}" ] || ${CARGO_CMD:-cargo} build -q --release
halbox=${HALBOX:-${CARGO_TARGET_DIR:-target}/release/halbox}
work=$(mktemp -d)
sim=
trap '[ -z "$sim" ] || kill "$sim" 2>/dev/null; rm -rf "$work"' EXIT

first=127.77.0.1
port=6230
printf 'demo-password\n' >"$work/password"
mkfifo "$work/ready"
"$halbox" sim --count 3 --listen $first --port $port --user metal --password-file "$work/password" >"$work/ready" &
sim=$!
read -r ready <"$work/ready" # one line when all BMCs answer
echo "simulator: $ready"

run() {
    echo
    echo "\$ halbox $*"
    "$halbox" "$@"
}
login=(-U metal -f "$work/password")
all=(--address 127.77.0.1-3 --ipmi-port $port)
one=(--address $first:$port)

run probe --ipmi-port $port 127.77.0.1-3
run probe $first:$port
run bmc "${all[@]}" "${login[@]}" power status
run bmc "${one[@]}" "${login[@]}" info
run bmc "${one[@]}" "${login[@]}" sensors
run bmc "${one[@]}" "${login[@]}" power off
run bmc "${all[@]}" "${login[@]}" power status -o json
