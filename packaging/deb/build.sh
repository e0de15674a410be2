#!/bin/bash
# build.sh [BINARY [FOLDER]]: makes FOLDER/halbox_VERSION_ARCH.deb from the static binary (target/dist/halbox, tests/dist.sh).
# Needs dpkg-deb and gzip. The binary is run once, for its completions.
set -eu
cd "$(dirname "$0")/../.."
binary=${1:-target/dist/halbox}
out=${2:-target/dist}
[ -x "$binary" ] || { echo "deb: no $binary: tests/dist.sh makes it" >&2; exit 1; }
binary=$(realpath "$binary")
version=$("$binary" --version | cut -d' ' -f2)
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(dpkg --print-architecture) ;; esac
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"
put() { install -D -m "$1" "$2" "$root/$3"; }

put 0755 "$binary" usr/bin/halbox
for link in probe bmc serve sim inband-init; do ln -s halbox "$root/usr/bin/halbox-$link"; done
put 0644 packaging/systemd/halbox.service lib/systemd/system/halbox.service
put 0644 packaging/systemd/halbox.socket lib/systemd/system/halbox.socket
put 0644 packaging/sysusers.d/halbox.conf usr/lib/sysusers.d/halbox.conf
put 0644 packaging/tmpfiles.d/halbox.conf usr/lib/tmpfiles.d/halbox.conf
put 0640 packaging/halbox.yaml etc/halbox/halbox.yaml
for page in man/*.1; do
    put 0644 "$page" "usr/share/man/man1/$(basename "$page")"
done
gzip -9n "$root"/usr/share/man/man1/*.1
for doc in README.md CHANGELOG.md packaging/metal-hammer.md packaging/metal-bmc.md packaging/metrics.md; do
    put 0644 "$doc" "usr/share/doc/halbox/$(basename "$doc")"
done
put 0644 LICENSE usr/share/doc/halbox/copyright
"$binary" completions bash >"$root/completion" && put 0644 "$root/completion" usr/share/bash-completion/completions/halbox
"$binary" completions zsh >"$root/completion" && put 0644 "$root/completion" usr/share/zsh/vendor-completions/_halbox
"$binary" completions fish >"$root/completion" && put 0644 "$root/completion" usr/share/fish/vendor_completions.d/halbox.fish
rm "$root/completion"

mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: halbox
Version: $version
Architecture: $arch
Maintainer: the halbox team <halbox@localhost>
Installed-Size: $(du -sk "$root" | cut -f1)
Section: admin
Priority: optional
Recommends: systemd
Description: hardware abstraction layer of a bare-metal cloud
 Finds BMCs by their DHCP leases, drives them over IPMI and Redfish through one
 API, makes fresh servers manageable from inside, and simulates BMCs.
CONTROL
echo /etc/halbox/halbox.yaml >"$root/DEBIAN/conffiles"
# The user is made, the service is not started: its configuration has to name the lease files first.
cat >"$root/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = configure ] && [ -z "$DPKG_ROOT" ]; then
    if command -v systemd-sysusers >/dev/null; then systemd-sysusers halbox.conf; fi
    if command -v systemd-tmpfiles >/dev/null; then systemd-tmpfiles --create halbox.conf || true; fi
    if getent group halbox >/dev/null; then chgrp halbox /etc/halbox /etc/halbox/halbox.yaml; fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload || true
        systemctl try-restart halbox.service || true
    fi
fi
SCRIPT
cat >"$root/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl stop halbox.socket halbox.service || true
fi
SCRIPT
chmod 0755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm"
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/halbox_${version}_$arch.deb" >/dev/null
echo "deb: $out/halbox_${version}_$arch.deb, $(stat -c %s "$out/halbox_${version}_$arch.deb") bytes"
