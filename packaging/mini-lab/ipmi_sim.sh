#!/bin/sh
# OpenIPMI's ipmi_sim as the BMC of a mini-lab machine: ipmi_sim.sh DIR [ADDRESS [PORT]]
#
# DIR keeps its state. ADDRESS (0.0.0.0) and PORT (623) are where it answers IPMI. In the environment:
#   KCS_PORT     where QEMU's ipmi-bmc-extern connects (mini-lab: 9000); empty: no system interface
#   SERIAL_PORT  where QEMU's serial port listens (mini-lab: 9001), which SOL shows; empty: no console
#   FRU_FILE     the FRU's 1024 bytes; empty: the FRU stays empty
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 address=${2:-0.0.0.0} port=${3:-623}
mkdir -p "$dir/state"
dir=$(cd "$dir" && pwd)

more=
[ -z "${KCS_PORT:-}" ] || more="  serial kcs 127.0.0.1 $KCS_PORT codec VM ipmb 0x20\n"
[ -z "${SERIAL_PORT:-}" ] || more="$more  sol \"tcp:127.0.0.1:$SERIAL_PORT\" 115200\n"
sed -e "s|@ADDRESS@|$address|g; s|@PORT@|$port|g; s|@FIXTURES@|$here|g; s|@DIR@|$dir|g" \
    -e "s|^  startnow false|$more&|" "$here/minilab.conf" >"$dir/lan.conf"

fru=$dir/fru0.bin
if [ -n "${FRU_FILE:-}" ]; then cp "$FRU_FILE" "$fru"; else [ -f "$fru" ] || head -c 1024 /dev/zero >"$fru"; fi
cat >"$dir/bmc.emu" <<EOF
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x2a7c 0x0910 persist_sdr
sel_enable 0x20 1000 0x0a
mc_add_fru_data 0x20 0 1024 file 0 "$fru"
mc_enable 0x20
EOF
exec ipmi_sim -n -c "$dir/lan.conf" -f "$dir/bmc.emu" -s "$dir/state"
