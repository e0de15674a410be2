#!/bin/bash
# Fetches the stock Debian kernel and makes what the test VM boots: vmlinux and base.cpio (busybox and modules) in the cache.
# Only downloads and unpacks, installs nothing. Does nothing when it is all there. Prints the cache directory.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cache=${HALBOX_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/halbox-vm}
die() { echo "kernel.sh: $*" >&2; exit 125; }
mkdir -p "$cache" || die "no cache $cache"
exec 9>"$cache/lock"
flock 9
if [ ! -s "$cache/vmlinux" ] || [ ! -s "$cache/base.cpio" ]; then
    t=$(mktemp -d) && chmod 755 "$t" || die "no temporary directory"
    trap 'rm -rf "$t"' EXIT
    # linux-image-cloud-amd64 would be smaller and has no IPMI drivers.
    pkg=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
    [ -n "$pkg" ] || die "linux-image-amd64 is not known to apt (apt-get update?)"
    (cd "$t" && apt-get download -q "$pkg" >/dev/null 2>&1 && dpkg-deb -x "$pkg"_*.deb x) || die "cannot download $pkg"
    python3 "$here/vmlinux.py" "$t"/x/boot/vmlinuz-* "$t/vmlinux" || die "cannot unpack the kernel"
    mkdir -p "$t/r/bin" "$t/r/m"
    cp /bin/busybox "$t/r/bin/" || die "no /bin/busybox (busybox-static)"
    for m in ipmi_msghandler ipmi_si ipmi_devintf virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci \
        failover net_failover virtio_net; do
        cp "$(find "$t/x/lib/modules" -name $m.ko)" "$t/r/m/" || die "no module $m"
    done
    (cd "$t/r" && find . | cpio -o -H newc --quiet) >"$t/base.cpio" || die "cpio"
    mv "$t/vmlinux" "$t/base.cpio" "$cache/" || die "cannot write $cache"
fi
echo "$cache"
