#!/bin/bash
# Makes the static binary target/dist/halbox, prints its size, and fails when it is above 10 MiB or needs a shared library.
# musl where the target can be had (`rustup target add x86_64-unknown-linux-musl`), else static glibc.
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO_CMD:-cargo}
dir=$PWD/target/dist
limit=$((10 * 1024 * 1024))
libdir() { rustc --print target-libdir --target "$1" 2>/dev/null; }

arch=$(uname -m)
musl=$arch-unknown-linux-musl
if [ -d "$(libdir "$musl")" ] || { command -v rustup >/dev/null && rustup target add "$musl" >/dev/null 2>&1; }; then
    target=$musl
    var=CC_${musl//-/_}
    if command -v musl-gcc >/dev/null; then
        export "$var=musl-gcc"
    else
        # gcc with glibc's headers: SQLite must not ask for the 64-bit file calls that musl does not name.
        export "$var=gcc" LIBSQLITE3_FLAGS="-DSQLITE_DISABLE_LFS"
    fi
else
    target=$arch-unknown-linux-gnu
    export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
    echo "dist: no musl target, static glibc instead" >&2
fi

# No panic passes through the C parts (rusqlite catches it before): they need no tables for unwinding, 110 kB.
cflags=CFLAGS_${target//-/_}
export "$cflags=${!cflags:-} -fno-asynchronous-unwind-tables -fno-unwind-tables"

# What the tables do not use of SQLite.
flags=${LIBSQLITE3_FLAGS:-}
for part in FTS3 FTS3_PARENTHESIS FTS5 RTREE DBSTAT_VTAB STAT4 API_ARMOR COLUMN_METADATA LOAD_EXTENSION; do
    flags+=" -USQLITE_ENABLE_$part"
done
for part in LOAD_EXTENSION JSON DEPRECATED PROGRESS_CALLBACK AUTHORIZATION TRACE UTF16 COMPLETE SHARED_CACHE DESERIALIZE; do
    flags+=" -DSQLITE_OMIT_$part"
done
export LIBSQLITE3_FLAGS="$flags -USQLITE_SOUNDEX"
# Relative relocations packed (musl 1.2.4, binutils 2.38): some hundred kilobytes of a position-independent binary.
link=(-C link-arg=-Wl,-z,pack-relative-relocs)
# The toolchain's own linker folds functions that became the same code.
lld=$(rustc --print sysroot)/lib/rustlib/$arch-unknown-linux-gnu/bin/gcc-ld
[ ! -x "$lld/ld.lld" ] || link+=(-C "link-arg=-B$lld" -C link-arg=-fuse-ld=lld -C link-arg=-Wl,--icf=all)
$cargo rustc --release --locked --bin halbox --target "$target" --target-dir "$dir/build" -- "${link[@]}"
cp "$dir/build/$target/release/halbox" "$dir/halbox"

size=$(stat -c %s "$dir/halbox")
echo "dist: $dir/halbox, $target, $size bytes ($((size * 100 / limit)) % of the limit)"
[ "$size" -le "$limit" ] || { echo "dist: larger than $limit bytes" >&2; exit 1; }
if needed=$(readelf -d "$dir/halbox" | grep NEEDED); then
    echo "dist: it needs shared libraries: $needed" >&2
    exit 1
fi
echo "dist: needs no shared library"
"$dir/halbox" --version
