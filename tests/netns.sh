#!/bin/bash
# A BMC as it comes into a data centre: two network namespaces, dnsmasq leases an address to udhcpc, a simulated BMC answers
# there, halbox serve finds it by the lease file, an operator gives credentials and drives it. Needs root, dnsmasq, ip, busybox.
set -eu
halbox=${1:-halbox}
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
ip netns exec "$server" "$halbox" serve -v --state-dir "$dir/state" --socket "$dir/halbox.sock" \
    --lease-file "$dir/dnsmasq.leases" --network 192.0.2.0/24 2>"$dir/log.serve" & pids+=($!)
ip netns exec "$server" dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface="v$$s" --bind-interfaces \
    --dhcp-range=192.0.2.100,192.0.2.150,255.255.255.0,10m --dhcp-leasefile="$dir/dnsmasq.leases" --pid-file="$dir/dnsmasq.pid" \
    --user=root --no-ping 2>"$dir/log.dnsmasq" & pids+=($!)

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
ip netns exec "$bmc" "$halbox" sim --listen "$address" --port 623 --control "$dir/sim.sock" >"$dir/ready" 2>"$dir/log.sim" & pids+=($!)

# The row: the stream of changes says when it is there, and when it has what is wanted.
until_row() { # PATTERN of the JSON of the row's event
    coproc WATCH { exec timeout 60 "$halbox" bmc watch -o json 2>>"$dir/log.watch"; }
    local pid=$WATCH_PID line found=
    while read -r line <&"${WATCH[0]}"; do
        if [[ $line == *"\"mac\":\"$mac\""* && $line =~ $1 ]]; then found=1; break; fi
    done
    kill "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
    [ -n "$found" ] || failed "the row never had $1"
}
for _ in $(seq 100); do [ -S "$dir/halbox.sock" ] && break; read -rt 0.1 <> <(:) || :; done
until_row '"drivers":\["IPMI"\]'
"$halbox" bmc ls | grep -q "$mac   $address " || failed "not in the table"
"$halbox" bmc update "$mac" --ipmi-user admin >/dev/null || failed "update"
until_row '"powerstate":"ON"'
"$halbox" bmc describe "$mac" | grep -q "^address: $address" || failed "describe"
"$halbox" bmc power cycle "$mac" --no-headers | grep -q ON || failed "power cycle"
"$halbox" bmc boot pxe "$mac" --no-headers | grep -q "PXE.*UEFI.*PERSISTENT" || failed "boot pxe"
"$halbox" bmc led on "$address" --no-headers | grep -q ON || failed "led"
"$halbox" bmc create-ipmi-user "$mac" --ipmi-role privileged --ipmi-password Abc-12345678 >/dev/null 2>&1 || failed "create-ipmi-user"
"$halbox" bmc describe "$mac" | grep -q "user: metal" || failed "the new user is not in the row"
"$halbox" bmc power status "$mac" --no-headers | grep -q ON || failed "power status as metal"
echo "netns: all ok"
