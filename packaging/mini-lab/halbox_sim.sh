#!/bin/sh
# halbox's simulator as the BMC of a mini-lab machine, IPMI and Redfish: halbox_sim.sh DIR [ADDRESS [PORT [REDFISH-PORT]]]
#
# DIR keeps its state. ADDRESS is one that this host or container has (not 0.0.0.0). In the environment:
#   KCS_PORT  where QEMU's ipmi-bmc-extern connects (mini-lab: 9000); empty: no system interface
#   PROFILE   kind of BMC: generic, dell, supermicro, lenovo, hpe, ami, openbmc
#   HALBOX    the program (halbox)
set -eu
dir=$1 address=${2:-$(hostname -i | cut -d' ' -f1)} port=${3:-623} redfish=${4:-443}
mkdir -p "$dir/state"
[ -f "$dir/password" ] || (umask 077 && echo ADMIN >"$dir/password")
exec "${HALBOX:-halbox}" sim --listen "$address" --port "$port" --redfish-port "$redfish" \
    ${KCS_PORT:+--vm-listen "127.0.0.1:$KCS_PORT"} --profile "${PROFILE:-supermicro}" \
    --user ADMIN --password-file "$dir/password" --state "$dir/state" --control "$dir/control.sock"
