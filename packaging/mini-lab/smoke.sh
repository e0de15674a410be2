#!/bin/bash
# Both BMCs of this folder on loopback and a daemon that manages them: found, given credentials, switched. Ends with "smoke: ok".
set -eu
cd "$(dirname "$0")"
export HALBOX=${HALBOX:-halbox}
ipmi_sim=127.83.0.1 halbox_sim=127.83.0.2 port=6230 redfish=8443
work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT

PATH=$PATH:/usr/sbin ./ipmi_sim.sh "$work/ipmi_sim" $ipmi_sim $port </dev/null >"$work/ipmi_sim.log" 2>&1 &
pids+=($!)
./halbox_sim.sh "$work/halbox_sim" $halbox_sim $port $redfish >"$work/halbox_sim.log" 2>&1 &
pids+=($!)
"$HALBOX" serve --state-dir "$work/halbox" --socket "$work/halbox.sock" --ipmi-port $port --redfish-port $redfish \
    --static 52:54:00:ab:cd:01=$ipmi_sim --static 52:54:00:ab:cd:02=$halbox_sim >"$work/serve.log" 2>&1 &
pids+=($!)

bmc() { "$HALBOX" bmc --server "unix://$work/halbox.sock" "$@"; }
# Every step is tried again for a minute: the daemon finds what starts after it.
until_done() {
    local tries=0
    until "$@" >"$work/out" 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 60 ] || { echo "smoke: failed: $*"; cat "$work/out" "$work"/*.log; exit 1; }
        sleep 1
    done
    cat "$work/out"
}
has_driver() { bmc describe "$1" | grep -q "$2"; }

until_done has_driver 52:54:00:ab:cd:01 IPMI
until_done has_driver 52:54:00:ab:cd:02 Redfish
echo ADMIN >"$work/password"
for mac in 52:54:00:ab:cd:01 52:54:00:ab:cd:02; do
    until_done bmc update $mac --ipmi-user ADMIN --ipmi-password-file "$work/password"
    until_done bmc power on $mac
done
# ipmi_sim tells its chassis program and then answers that the flags are not valid, which halbox reports as it is.
bmc boot pxe 52:54:00:ab:cd:01 --once --legacy 2>/dev/null || true
[ "$(cat "$work/ipmi_sim/boot")" = pxe ] || { echo "smoke: failed: ipmi_sim was not told to boot from the network"; exit 1; }
until_done bmc boot pxe 52:54:00:ab:cd:02
bmc ls
echo "smoke: ok"
