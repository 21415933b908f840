# SPDX-License-Identifier: Apache-2.0
"""Pictures of an exact size: noise, so that no layer can make them smaller."""
import random
import struct
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(size, seed):
    """A valid PNG of exactly @p size bytes (at least 300): pixels, and an ancillary chunk for the rest."""
    noise = random.Random(seed)
    frame = 8 + 25 + 12 + 12 + 64
    side = 4
    while (side + 1) * (3 * side + 4) + (side + 1) * 5 + frame + 12 < size and side < 1000:
        side += 1
    rows = b"".join(b"\0" + noise.randbytes(3 * side) for _ in range(side))
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
             chunk(b"IDAT", zlib.compress(rows, 0)), chunk(b"IEND", b"")]
    rest = size - sum(map(len, parts)) - 12
    if rest < 0:
        raise ValueError(f"no picture of {size} bytes")
    parts.insert(2, chunk(b"noIs", noise.randbytes(rest)))
    return b"".join(parts)
