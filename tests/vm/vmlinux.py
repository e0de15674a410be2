#!/usr/bin/env python3
"""vmlinux.py BZIMAGE OUT: the ELF kernel inside a bzImage (xz or gzip), which QEMU starts by PVH in a third of the time."""
import lzma
import struct
import sys
import zlib

image = open(sys.argv[1], "rb").read()
sectors = image[0x1F1] or 4
offset, length = struct.unpack_from("<II", image, 0x248)
payload = image[(sectors + 1) * 512 + offset :][:length]
if payload[:6] == b"\xfd7zXZ\0":
    kernel = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(payload)
elif payload[:2] == b"\x1f\x8b":
    kernel = zlib.decompressobj(31).decompress(payload)
else:
    sys.exit("unknown compression: " + payload[:6].hex())
if kernel[:4] != b"\x7fELF":
    sys.exit("no ELF inside")
open(sys.argv[2], "wb").write(kernel)
