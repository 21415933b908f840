# SPDX-License-Identifier: Apache-2.0
"""Pictures that tests need and that a few lines can write: every format, honest ones and ones that lie.

Small JPEG, WebP, AVIF and HEIF files come from the unit tests' samples, which were made once with libvips.
"""
import base64
import functools
import random
import re
import struct
import zlib

from harness import ROOT, png


@functools.cache
def sample(name):
    """A picture of test/unit/imaging/samples.hpp: jpeg (16 × 8), webp, avif, heif (8 × 6)."""
    text = (ROOT / "test" / "unit" / "imaging" / "samples.hpp").read_text()
    literals = re.search(rf"{name}_sample =((?:\s*\"[^\"]*\")+);", text).group(1)
    return base64.b64decode("".join(re.findall(r'"([^"]*)"', literals)))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width, height, size=0):
    """A PNG whose chunks are sound and whose header claims any size; filled up to @p size bytes."""
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = zlib.compress(bytes(4_000_000), 9)
    padding = chunk(b"tEXt", b"Comment\0" + b"x" * max(0, size - len(head) - len(rows) - 44))
    return head + padding + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def noisy_png(width, height):
    """RGB that hardly deflates, so that the rows are where the bytes are."""
    rows = b"".join(b"\0" + random.Random(y).randbytes(width * 3) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def gif(width, height, frames=1, shade=0):
    """Frames of one colour: a clear code, one pixel after the other, an end code, in codes of three bits."""
    out = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes([shade, 0, 0, 255, 255, 255])
    bits, count = 0, 0
    for i in range(width * height):
        for code in ([4, 0] if i % 2 == 0 else [0]):  # cleared often enough that codes keep their size
            bits |= code << count
            count += 3
    bits |= 5 << count
    data = bits.to_bytes((count + 3 + 7) // 8, "little")
    blocks = b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255))
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02" + blocks + b"\0"
    return out + frame * frames + b";"


def bmp(width, height, colour=(10, 20, 200), claim=None, size=0):
    """24 bits a pixel; @p claim is another size for its header, @p size the bytes to fill up to."""
    row = bytes(colour[::-1]) * width
    row += bytes(-len(row) % 4)
    pixels = row * height
    w, h = claim or (width, height)
    body = struct.pack("<IiiHHIIiiII", 40, w, h, 1, 24, 0, len(pixels), 2835, 2835, 0, 0) + pixels
    data = b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 54) + body
    return data + bytes(max(0, size - len(data)))


def tiff(width, height, orientation=1, claim=None, colour=(200, 90, 10)):
    """RGB in one strip, not compressed."""
    pixels = bytes(colour) * (width * height)
    w, h = claim or (width, height)
    tags = [(256, 4, 1, w), (257, 4, 1, h), (258, 3, 3, 8 + len(pixels)), (259, 3, 1, 1), (262, 3, 1, 2),
            (273, 4, 1, 8), (274, 3, 1, orientation), (277, 3, 1, 3), (278, 4, 1, h), (279, 4, 1, len(pixels))]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags) + bytes(4)
    bits = struct.pack("<HHH", 8, 8, 8)
    return b"II*\0" + struct.pack("<I", 8 + len(pixels) + len(bits)) + pixels + bits + directory


def ico(*sides, claim=None):
    """Entries are PNGs of these square sizes; @p claim is a width and height for the first entry's own header."""
    pictures = [png_claiming(*claim) if claim and i == 0 else png(s, s) for i, s in enumerate(sides)]
    out, at = struct.pack("<HHH", 0, 1, len(sides)), 6 + 16 * len(sides)
    for side, data in zip(sides, pictures):
        out += struct.pack("<BBBBHHII", side % 256, side % 256, 0, 0, 1, 32, len(data), at)
        at += len(data)
    return out + b"".join(pictures)


def jpeg(orientation=1):
    """16 × 8 pixels as stored; with an EXIF orientation where it is not 1."""
    data = sample("jpeg")
    if orientation == 1:
        return data
    exif = (b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 274, 3, 1, orientation, 0) + bytes(4))
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def jpeg_claiming(width, height):
    data = bytearray(sample("jpeg"))
    at = data.index(b"\xff\xc0")
    data[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_claiming(width, height):
    """An extended WebP whose canvas is claimed, around the sample's own picture."""
    inner = sample("webp")[12:]
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def avif_claiming(width, height):
    """The sample with another size in its only 'ispe' property."""
    data = sample("avif")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8:]


def svg(inside="", attributes='width="20" height="10"', prologue="", size=0):
    head = (f'{prologue}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'{attributes}>')
    padding = f"<desc>{'x' * max(0, size - len(head) - len(inside) - 19)}</desc>" if size else ""
    return f"{head}{padding}{inside}</svg>".encode()


def png_pixels(data):
    """(width, height, rows of tuples) of a PNG as previews are: 8 bits a channel, not interlaced."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colours, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    assert (depth, interlaced) == (8, 0)
    step = {0: 1, 2: 3, 4: 2, 6: 4}[colours]
    raw, stride, rows, above = zlib.decompress(packed), width * step, [], bytes(width * step)
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left, up = row[x - step] if x >= step else 0, above[x]
            corner = above[x - step] if x >= step else 0
            if kind == 4:
                guess = left + up - corner
                row[x] = row[x] + min((left, up, corner), key=lambda v: abs(guess - v)) & 255
            else:
                row[x] = row[x] + (0, left, up, (left + up) // 2)[kind] & 255
        above = bytes(row)
        rows.append([tuple(row[i:i + step]) for i in range(0, stride, step)])
    return width, height, rows
