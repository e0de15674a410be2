#!/bin/bash
# netns.sh HALBOX dnsmasq|dhcpd|kea sim|redfish|ipmi_sim: a BMC as it comes into a data centre. Two network namespaces, a real DHCP
# server leases an address to udhcpc, a BMC answers there, halbox serve finds it by the lease file, an operator gives credentials
# and drives it. Needs root, ip, busybox. Exit 77: this machine cannot have namespaces.
set -eu
PATH=$PATH:/usr/sbin:/sbin
halbox=${1:-halbox} dhcp=${2:-dnsmasq} kind=${3:-sim}
fixtures=$(cd "$(dirname "$0")" && pwd)/fixtures/ipmi_sim
dir=$(mktemp -d)
server=hb$$s bmc=hb$$b
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || :; done
    wait 2>/dev/null || :
    ip netns del "$server" 2>/dev/null || :
    ip netns del "$bmc" 2>/dev/null || :
    rm -rf "$dir"
}
trap cleanup EXIT
failed() { echo "netns: $*" >&2; cat "$dir"/log* >&2 2>/dev/null; exit 1; }

ip netns add "$server" 2>"$dir/err" || { cat "$dir/err" >&2; exit 77; }
ip netns add "$bmc"
ip link add name "v$$s" netns "$server" type veth peer name "v$$b" netns "$bmc" 2>"$dir/err" || { cat "$dir/err" >&2; exit 77; }
ip -n "$server" addr add 192.0.2.1/24 dev "v$$s"
ip -n "$server" link set lo up
ip -n "$server" link set "v$$s" up
ip -n "$bmc" link set lo up
ip -n "$bmc" link set "v$$b" up
mac=$(ip netns exec "$bmc" cat "/sys/class/net/v$$b/address")

export HALBOX_SERVER=unix://$dir/halbox.sock HALBOX_PASSWORD=admin
leases=$dir/$dhcp.leases
: >"$leases"
ip netns exec "$server" "$halbox" serve -v --state-dir "$dir/state" --socket "$dir/halbox.sock" \
    --lease-file "$leases" --network 192.0.2.0/24 2>"$dir/log.serve" & pids+=($!)
case $dhcp in
dnsmasq)
    ip netns exec "$server" dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface="v$$s" --bind-interfaces \
        --dhcp-range=192.0.2.100,192.0.2.150,255.255.255.0,10m --dhcp-leasefile="$leases" --pid-file="$dir/dnsmasq.pid" \
        --user=root --no-ping 2>"$dir/log.dnsmasq" & pids+=($!)
    ;;
dhcpd)
    # A copy: the profile of AppArmor goes by the path and keeps it out of other folders than its own.
    cp "$(command -v dhcpd)" "$dir/dhcpd"
    cat >"$dir/dhcpd.conf" <<CONF
authoritative;
ping-check false;
default-lease-time 600;
subnet 192.0.2.0 netmask 255.255.255.0 { range 192.0.2.100 192.0.2.150; }
CONF
    ip netns exec "$server" "$dir/dhcpd" -4 -f -q -cf "$dir/dhcpd.conf" -lf "$leases" -pf "$dir/dhcpd.pid" --no-pid "v$$s" \
        2>"$dir/log.dhcpd" & pids+=($!)
    ;;
kea)
    cp "$(command -v kea-dhcp4)" "$dir/kea-dhcp4"
    cat >"$dir/kea.conf" <<CONF
{"Dhcp4": {
  "interfaces-config": {"interfaces": ["v$$s"], "dhcp-socket-type": "raw"},
  "lease-database": {"type": "memfile", "persist": true, "name": "$leases", "lfc-interval": 0},
  "valid-lifetime": 600,
  "subnet4": [{"id": 1, "subnet": "192.0.2.0/24", "pools": [{"pool": "192.0.2.100-192.0.2.150"}]}],
  "loggers": [{"name": "kea-dhcp4", "severity": "WARN", "output_options": [{"output": "stderr"}]}]
}}
CONF
    KEA_PIDFILE_DIR=$dir KEA_LOCKFILE_DIR=$dir ip netns exec "$server" "$dir/kea-dhcp4" -c "$dir/kea.conf" 2>"$dir/log.kea" & pids+=($!)
    ;;
esac

# udhcpc says its address to a script.
cat >"$dir/bound" <<SCRIPT
#!/bin/sh
[ "\$1" = bound ] || exit 0
ip addr add \$ip/24 dev \$interface
echo \$ip >$dir/address
SCRIPT
chmod +x "$dir/bound"
ip netns exec "$bmc" busybox udhcpc -i "v$$b" -n -q -t 20 -T 1 -s "$dir/bound" 2>"$dir/log.udhcpc" || failed "no lease"
address=$(cat "$dir/address")
case $kind in
sim) options=() user=admin drivers='"drivers":["IPMI"]' by=ipmi ;;
redfish) options=(--redfish-port 443) user=admin drivers='"drivers":["IPMI","Redfish"]' by=redfish ;;
ipmi_sim) user=ipmiusr drivers='"drivers":["IPMI"]' HALBOX_PASSWORD=test ;;
esac
if [ "$kind" = ipmi_sim ]; then
    sed -e "s|@ADDRESS@|$address|; s|@PORT@|623|; s|@FIXTURES@|$fixtures|g; s|@DIR@|$dir|g" \
        -e "s|lan_config_program .*|lan_config_program \"$fixtures/lancontrol $dir $address\"|" "$fixtures/testbed.conf" >"$dir/lan.conf"
    mkdir -p "$dir/sim"
    printf '%s\n' 'mc_setbmc 0x20' 'mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x2a7c 0x0910 persist_sdr' 'sel_enable 0x20 1000 0x0a' \
        'mc_enable 0x20' >"$dir/bmc.emu"
    ip netns exec "$bmc" ipmi_sim -n -c "$dir/lan.conf" -f "$dir/bmc.emu" -s "$dir/sim" </dev/null >"$dir/log.sim" 2>&1 & pids+=($!)
else
    ip netns exec "$bmc" "$halbox" sim --listen "$address" --port 623 "${options[@]}" --control "$dir/sim.sock" >"$dir/ready" 2>"$dir/log.sim" & pids+=($!)
fi

# The row: the stream of changes says when it is there, and when it has what is wanted.
until_row() { # PATTERN of the JSON of the row's event
    coproc WATCH { exec timeout 60 "$halbox" bmc watch -o json 2>>"$dir/log.watch"; }
    local pid=$WATCH_PID line found=
    while read -r line <&"${WATCH[0]}"; do
        if [[ $line == *"\"mac\":\"$mac\""* && $line == *"$1"* ]]; then found=1; break; fi
    done
    kill "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
    [ -n "$found" ] || failed "the row never had $1"
}
for _ in $(seq 100); do [ -S "$dir/halbox.sock" ] && break; read -rt 0.1 <> <(:) || :; done
until_row "$drivers"
"$halbox" bmc ls | grep -q "$mac   $address " || failed "not in the table"
case $kind in
redfish)
    echo admin >"$dir/password"
    "$halbox" bmc update "$mac" --redfish-user admin --redfish-password-file "$dir/password" --ipmi-user admin >/dev/null || failed "update"
    ;;
*) "$halbox" bmc update "$mac" --ipmi-user "$user" >/dev/null || failed "update" ;;
esac
if [ "$kind" = ipmi_sim ]; then
    # It is off at first, and forgets what a boot order says of persistence and EFI: halbox reads back and says so.
    until_row '"powerstate":"OFF"'
    "$halbox" bmc power on "$mac" --no-headers | grep -q ON || failed "power on"
    "$halbox" bmc power cycle "$mac" --no-headers | grep -q ON || failed "power cycle"
    grep -q '^power 1' "$dir/log" || failed "the chassis program was not told of the power"
    if "$halbox" bmc boot pxe "$mac" 2>"$dir/log.boot" >/dev/null; then failed "a boot order that was forgotten is no success"; fi
    grep -q "accepted 'PXE UEFI PERSISTENT' but has 'PXE LEGACY ONCE" "$dir/log.boot" || failed "boot pxe does not say what was read back"
    grep -q '^boot pxe' "$dir/log" || failed "the chassis program was not told of the boot device"
    "$halbox" bmc led on "$mac" >/dev/null 2>"$dir/log.led" || failed "led"
    grep -q '^identify ' "$dir/log" || failed "the chassis program was not told of the LED"
else
    until_row '"powerstate":"ON"'
    "$halbox" bmc power cycle "$mac" --no-headers | grep -q ON || failed "power cycle"
    "$halbox" bmc boot pxe "$mac" --no-headers | grep -q "PXE.*UEFI.*PERSISTENT" || failed "boot pxe"
    "$halbox" bmc led on "$address" --no-headers | grep -q ON || failed "led"
    "$halbox" bmc power status "$mac" -o json | grep -q "\"$by\"" || failed "not by $by"
fi
"$halbox" bmc describe "$mac" | grep -q "^address: $address" || failed "describe"
"$halbox" bmc create-ipmi-user "$mac" --ipmi-role privileged --ipmi-password Abc-12345678 >/dev/null 2>"$dir/log.user" || failed "create-ipmi-user"
"$halbox" bmc describe "$mac" | grep -q "user: metal" || failed "the new user is not in the row"
"$halbox" bmc power status "$mac" --no-headers | grep -q ON || failed "power status as metal"
echo "netns: all ok"
