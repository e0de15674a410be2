#!/bin/bash
# run.sh KCS_PORT SCRIPT BINARY: boots a VM whose /dev/ipmi0 is the BMC behind tcp 127.0.0.1:KCS_PORT (VM codec, as ipmi_sim
# speaks it), runs SCRIPT in it (sh, busybox only; the program is /halbox), and prints what it prints. KCS_PORT 0: no BMC.
#   exit status: the script's; 125 = the test bed itself failed
#   UUID, VENDOR: what SMBIOS tells; SMBIOS: a file with one more structure; HOSTPORT='7000 7001=127.0.0.2:80': in the VM, tcp
#   10.0.2.100:7000 is the host's 127.0.0.1:7000, and 10.0.2.100:7001 its 127.0.0.2:80 (nothing
#   else is reachable); APPEND: more words for the kernel command line; TIMEOUT: seconds; CONSOLE: a file for the kernel's console;
#   SERIAL: QEMU's word for the first serial port, instead of that file;
#   UNTIL_OFF=1: the script is to end with the machine switched off (status 0)
set -u
here=$(cd "$(dirname "$0")" && pwd)
die() { echo "run.sh: $*" >&2; exit 125; }
[ $# = 3 ] || die "run.sh KCS_PORT SCRIPT BINARY"
kcs=$1 script=$2 binary=$3
cache=$("$here/kernel.sh") || die "no kernel"
out=$(mktemp -d) || die "no temporary directory"
qemu=
trap '[ -n "$qemu" ] && kill $qemu 2>/dev/null; rm -rf "$out"' EXIT
trap 'exit 125' TERM INT
mkdir "$out/r"
cp "$binary" "$out/r/halbox" && cp "$script" "$out/r/script" && cp "$here/init" "$out/r/init" || die "cannot copy"
chmod 755 "$out/r/halbox" "$out/r/init"
# A build for development may need shared libraries; the shipped binary does not.
for lib in $(ldd "$binary" 2>/dev/null | grep -o '/[^ ]*'); do
    mkdir -p "$out/r$(dirname "$lib")" && cp -L "$lib" "$out/r$lib" || die "cannot copy $lib"
done
strip "$out/r/halbox" 2>/dev/null
(cd "$out/r" && find . -mindepth 1 | cpio -o -H newc --quiet) >"$out/own.cpio" || die "cpio"
cat "$cache/base.cpio" "$out/own.cpio" >"$out/initrd"
words="console=ttyS0 quiet panic=-1 8250.nr_uarts=4 ${APPEND:-}"
devices=()
if [ "$kcs" = 0 ]; then
    words="$words hb.nobmc"
else
    devices+=(-chardev "socket,id=ipmi0,host=127.0.0.1,port=$kcs,reconnect=1" -device ipmi-bmc-extern,id=bmc0,chardev=ipmi0
        -device isa-ipmi-kcs,bmc=bmc0)
fi
[ -z "${SMBIOS:-}" ] || devices+=(-smbios "file=$SMBIOS")
if [ -n "${HOSTPORT:-}" ]; then
    words="$words hb.net"
    forwards=
    for port in $HOSTPORT; do
        to=${port#*=}
        [ "$to" != "$port" ] || to=127.0.0.1:$port
        forwards="$forwards,guestfwd=tcp:10.0.2.100:${port%%=*}-cmd:socat STDIO TCP:$to"
    done
    devices+=(-device virtio-net-pci,netdev=n0,romfile= -netdev "user,id=n0,restrict=on$forwards")
fi
# A loaded host makes some kernels panic before init (timer calibration): those boots count for nothing.
for boot in 1 2 3; do
    rm -f "$out/control"; : >"$out/console"
    timeout -k 2 "${TIMEOUT:-60}" qemu-system-x86_64 -M pc -accel tcg -cpu qemu64 -m 192 -nodefaults -no-reboot -display none \
        -kernel "$cache/vmlinux" -initrd "$out/initrd" -append "$words" \
        -serial "${SERIAL:-file:$out/console}" -serial "file:$out/stdout" -serial "file:$out/stderr" -serial "file:$out/control" \
        -uuid "${UUID:-37c43c25-69fe-4f88-b69d-4e71dc4070d0}" \
        -smbios "type=1,manufacturer=${VENDOR:-Supermicro},product=SYS-2029BT-HNR,serial=E262335X2304003C" \
        "${devices[@]}" -device isa-debug-exit,iobase=0x501,iosize=1 </dev/null 2>"$out/qemu" &
    qemu=$!
    wait $qemu
    status=$?
    qemu=
    grep -q '^init ' "$out/control" 2>/dev/null && break
    echo "run.sh: boot $boot did not reach init" >&2
    tail -n 3 "$out/console" >&2
done
[ -z "${CONSOLE:-}" ] || cp "$out/console" "$CONSOLE"
cat "$out/stdout"
cat "$out/stderr" >&2
code=$(sed -n 's/^exit \([0-9]*\) .*/\1/p' "$out/control")
echo "run.sh: $(tr '\n' ';' <"$out/control")" >&2
# QEMU ends with 0 when its BMC switches it off.
[ -n "${UNTIL_OFF:-}" ] && [ $status = 0 ] && exit 0
[ $status = 85 ] && [ -n "$code" ] || { tail -n 5 "$out/console" "$out/qemu" >&2; die "QEMU ended with $status"; }
exit "$code"
