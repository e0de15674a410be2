#!/bin/bash
# Installs what the tests can use on Debian 12: the BMC software that halbox is compared with, and a musl compiler.
# Needs root and the Debian mirror; what is there already is left alone. Run it again at any time.
set -u

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

packages=()
have ipmi_sim    || packages+=(openipmi)
have ipmitool    || packages+=(ipmitool)
have ipmipower   || packages+=(freeipmi-tools)
have musl-gcc    || packages+=(musl-tools)
have gcc         || packages+=(gcc libc6-dev)
have g++         || packages+=(g++)
have dnsmasq     || packages+=(dnsmasq-base)
have dhcpd       || packages+=(isc-dhcp-server)
have kea-dhcp4   || packages+=(kea-dhcp4-server)
have ip          || packages+=(iproute2)
have busybox     || packages+=(busybox)
have readelf     || packages+=(binutils)
have python3     || packages+=(python3)
have xz          || packages+=(xz-utils)
have openssl     || packages+=(openssl)
have qemu-system-x86_64 || packages+=(qemu-system-x86)
[ -x /bin/busybox ] || packages+=(busybox-static)
have cpio        || packages+=(cpio)
have socat       || packages+=(socat)
have tmux        || packages+=(tmux)
have systemd-analyze || packages+=(systemd)
have sshd        || packages+=(openssh-server)
have ssh-keygen  || packages+=(openssh-client)
have fish        || packages+=(fish)
have zsh         || packages+=(zsh)
have pip3        || packages+=(python3-pip)

if [ ${#packages[@]} -gt 0 ]; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    export DEBIAN_FRONTEND=noninteractive
    # DHCP servers are for tests that start them themselves: none may start here by itself.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null && $as_root chmod 755 $policy
        trap '$as_root rm -f $policy' EXIT
    fi
    $as_root apt-get -q update </dev/null || echo "setup: apt-get update failed, trying with the lists that are there" >&2
    if ! $as_root apt-get -q install -y --no-install-recommends "${packages[@]}" </dev/null; then
        for package in "${packages[@]}"; do # one missing package must not keep the others away
            $as_root apt-get -q install -y --no-install-recommends "$package" </dev/null || echo "setup: no $package" >&2
        done
    fi
fi

if command -v rustup >/dev/null 2>&1; then
    rustup target add x86_64-unknown-linux-musl </dev/null >/dev/null 2>&1 ||
        echo "setup: no musl target, tests/dist.sh makes the static binary with glibc" >&2
fi

# The kernel of the test VM: only downloaded and unpacked.
"$(dirname "$0")/vm/kernel.sh" >/dev/null || echo "setup: no kernel for the test VM" >&2

python3 -c "import grpc_reflection" 2>/dev/null || pip3 install -q grpcio grpcio-reflection </dev/null 2>/dev/null ||
    pip3 install -q --break-system-packages grpcio grpcio-reflection </dev/null 2>/dev/null ||
    echo "setup: no grpcio: the API is not tested with a foreign client" >&2

have just || pip3 install -q rust-just </dev/null 2>/dev/null ||
    pip3 install -q --break-system-packages rust-just </dev/null 2>/dev/null ||
    echo "setup: no just; every recipe of the Justfile is one command that works without it" >&2

have sushy-emulator || pip3 install -q sushy-tools </dev/null 2>/dev/null ||
    pip3 install -q --break-system-packages sushy-tools </dev/null 2>/dev/null ||
    echo "setup: no sushy-emulator; the test against it is left out" >&2

# Name of the program or module, then of the package.
for pair in rf_protocol_validator:redfish-protocol-validator redfishtool:redfishtool sushy:sushy; do
    have "${pair%%:*}" || python3 -c "import ${pair%%:*}" 2>/dev/null || pip3 install -q "${pair#*:}" </dev/null 2>/dev/null ||
        pip3 install -q --break-system-packages "${pair#*:}" </dev/null 2>/dev/null ||
        echo "setup: no ${pair#*:}; the test of the simulator against it is left out" >&2
done

missing=()
for tool in ipmi_sim ipmitool ipmipower qemu-system-x86_64; do have $tool || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
    echo "setup: still missing: ${missing[*]}" >&2
    exit 1
fi
echo "setup: ok"
