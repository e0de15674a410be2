#!/bin/bash
# bench-inband.sh [BINARY]: what a run of inband-init costs in the test VM (QEMU without KVM, one processor, 192 MB), its BMC being
# `halbox sim --vm-listen`. Prints the binary's size, and peak memory and times of a first run, a second one, and --show.
set -eu
cd "$(dirname "$0")/.."
binary=${1:-target/dist/halbox}
# HALBOX_SIM: another build for the simulator.
simulator=${HALBOX_SIM:-$binary}
[ -x "$binary" ] || { echo "bench-inband: no $binary (tests/dist.sh makes it)" >&2; exit 1; }
dir=$(mktemp -d)
trap 'kill "$sim" 2>/dev/null || true; rm -rf "$dir"' EXIT
"$simulator" sim --listen 127.88.99.1 --port 0 --vm-listen 127.0.0.1:0 --control "$dir/control" >"$dir/ready" 2>/dev/null &
sim=$!
until [ -s "$dir/ready" ]; do kill -0 "$sim" || exit 1; read -rt 0.05 <> <(:) || true; done
port=$(sed -n 's/.*"vm_ports":\[\([0-9]*\).*/\1/p' "$dir/ready")
cat >"$dir/script" <<'END'
for run in "" "" "--show"; do
    time -v /halbox inband-init $run >/tmp/out 2>/tmp/log || exit 1
    echo "inband-init $run: $(sed -n 's/.*Maximum resident set size (kbytes): /peak kB /p; s/.*Elapsed.*: 0m /wall /p; s/.*User time (seconds): /user s /p; s/.*System time (seconds): /system s /p' /tmp/log | tr '\n' ',' | sed 's/,$//; s/,/, /g')"
done
END
echo "binary: $(stat -c %s "$binary") bytes"
tests/vm/run.sh "$port" "$dir/script" "$binary" 2>/dev/null
"$simulator" sim --control "$dir/control" total | sed -n 's/.*"commands": *\([0-9]*\).*/commands of all three runs and the driver: \1/p'
