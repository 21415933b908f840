# SPDX-License-Identifier: Apache-2.0
"""Pictures that lie, are broken, or attack whoever decodes them. Each is refused with a text that says why, or is drawn
without doing what it asks for; nothing else of the server notices."""
import os
import pathlib
import socket
import struct
import tempfile
import threading
import unittest
import zlib

import pictures
from harness import png, sha256
from unharmed import Unharmed


def gif_claiming(width, height, frames=1):
    data = pictures.gif(2, 2, frames)
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


class Lies(Unharmed):
    def refused(self, name, data, *words):
        return self.assertError(400, 31, self.tenant.upload(name, data), *words)

    def test_sizes_are_checked_before_pixels(self):
        small = pictures.png_claiming(64250, 64250, 5000)
        self.assertLessEqual(len(small), 5120)
        cases = [("png", small, "4,128,062,500 in all; at most 200,000,000 are accepted (IMAGE_MAX_PIXELS)"),
                 ("gif", gif_claiming(64250, 64250), "4,128,062,500"),
                 ("jpeg", pictures.jpeg_claiming(64250, 64250), "4,128,062,500"),
                 ("bmp", pictures.bmp(2, 2, claim=(64250, 64250)), "4,128,062,500"),
                 ("tiff", pictures.tiff(2, 2, claim=(64250, 64250)), "4,128,062,500"),
                 ("ico", pictures.ico(16, claim=(64250, 64250)), "4,128,062,500"),
                 ("webp", pictures.webp_claiming(16383, 16383), ""),
                 ("avif", pictures.avif_claiming(64250, 64250), ""),
                 ("bmp", pictures.bmp(2, 2, claim=(2**31 - 1, 2**31 - 1)), "at most 200,000,000"),
                 ("png", pictures.png_claiming(2**31, 1), "out of range"),
                 ("png", pictures.png_claiming(0, 5), "no pixels"),
                 ("png", pictures.png_claiming(200_000_001, 1), "200,000,001 in all")]
        for kind, data, words in cases:
            with self.subTest(f"{kind}: {words}"), self.nothing_is_stored():
                self.refused("large." + kind, data, kind, words)

    def test_two_hundred_megapixels_are_taken_and_one_more_row_is_not(self):
        # Flat grey deflates to nothing, as bombs do: 200 megapixels in 200 kB.
        def grey(width, height):
            deflate = zlib.compressobj(6)
            rows = b"".join([deflate.compress(bytes(width + 1)) for _ in range(height)] + [deflate.flush()])
            size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
            return (b"\x89PNG\r\n\x1a\n" + pictures.chunk(b"IHDR", size)
                    + pictures.chunk(b"IDAT", rows) + pictures.chunk(b"IEND", b""))
        with self.nothing_is_stored():
            self.refused("more.png", grey(20_000, 10_001), "200,020,000", "IMAGE_MAX_PIXELS")
        info = self.assertStatus(200, self.tenant.upload("most.png", grey(20_000, 10_000))).json()
        self.assertEqual((250, 125), tuple(info["descriptor"]["previewDescriptor"][s] for s in ("width", "height")))
        self.assert_healthy()

    def test_frames_of_an_animation_are_counted_before_pixels(self):
        with self.nothing_is_stored():
            self.refused("many.gif", pictures.gif(1, 1, 100_000), "100,000 frames", "5,000", "IMAGE_MAX_FRAMES")
            self.refused("area.gif", gif_claiming(10_000, 20_000, 6), "1,200,000,000", "IMAGE_MAX_TOTAL_PIXELS")
            self.refused("frame.gif", gif_claiming(20_000, 10_001, 2), "200,020,000", "IMAGE_MAX_PIXELS")
            animated = (b"\x89PNG\r\n\x1a\n" + pictures.chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))
                        + pictures.chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)) + png(9, 9)[33:])
            self.refused("many.png", animated, "4,294,967,295 frames")

    def test_the_bytes_decide_and_not_what_is_declared(self):
        drawing, picture = pictures.svg("<rect width='5' height='5'/>"), png(5, 5, text="declared")
        for name, data, declared, found in (("png.svg", picture, "image/svg+xml", "image/png"),
                                            ("svg.png", drawing, "image/png", "image/svg+xml"),
                                            ("html.png", picture, "text/html", "image/png"),
                                            ("gif.jpg", pictures.gif(3, 3), "image/jpeg", "image/gif")):
            with self.subTest(name):
                info = self.assertStatus(200, self.tenant.upload(name, data, media_type=declared)).json()
                self.assertEqual(found, info["descriptor"]["mediaType"])
                got = self.tenant.image(info["resourceKey"])
                self.assertEqual((found, data, "nosniff"),
                                 (got.header("Content-Type"), got.body, got.header("X-Content-Type-Options")))
        with self.nothing_is_stored():
            for name, data, word in (("x.png", b"<!doctype html><html><script>alert(1)</script></html>", "HTML"),
                                     ("x.svg", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "HTML"),
                                     ("x.gif", b"GIF89a<script>alert(1)</script>" + bytes(20), "GIF"),
                                     ("x.jpg", b"%PDF-1.7 and so on", "PDF"),
                                     ("x.png", b"MZ" + bytes(90), "Windows program"),
                                     ("x.svg", b"<?xml version='1.0'?><note/>", "other than SVG"),
                                     ("x.png", b"just words", "plain text"), ("x.png", b"\0", "binary")):
                with self.subTest(word):
                    self.assertError(400, 31, self.tenant.upload(name, data, media_type="image/png"), word)

    def test_truncated_files_of_every_format(self):
        whole = {"png": pictures.noisy_png(300, 40), "jpg": pictures.jpeg(), "gif": pictures.gif(40, 30),
                 "webp": pictures.sample("webp"), "avif": pictures.sample("avif"), "heif": pictures.sample("heif"),
                 "tif": pictures.tiff(40, 40), "bmp": pictures.bmp(40, 40), "ico": pictures.ico(20),
                 "svg": pictures.svg("<g>" * 9 + "</g>" * 9)}
        with self.nothing_is_stored():
            for kind, data in whole.items():
                for tenths in (1, 3, 5, 7, 9):
                    with self.subTest(f"{kind} {tenths}"):
                        error = self.refused("cut." + kind, data[:len(data) * tenths // 10])
                        self.assertGreater(len(error["message"]), 20)


class Bombs(Unharmed):
    environment = {"IMAGE_TIMEOUT": "2s", "IMAGE_WORKERS": "2"}

    def test_bombs_of_entities(self):
        laughs = '<!DOCTYPE svg [<!ENTITY a0 "lol">' + "".join(
            f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 30)) + "]>"
        quadratic = f'<!DOCTYPE svg [<!ENTITY a "{"x" * 100_000}">]>'
        loop = '<!DOCTYPE svg [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'
        parameter = '<!DOCTYPE svg [<!ENTITY % a "&#37;b;"><!ENTITY % b "&#37;a;"> %a;]>'
        cases = {"laughs": pictures.svg("<text>&a29;</text>", prologue=laughs),
                 "attribute": pictures.svg('<text x="&a29;">x</text>', prologue=laughs),
                 "quadratic": pictures.svg("<text>" + "&a;" * 100_000 + "</text>", prologue=quadratic),
                 "loop": pictures.svg("<text>&a;</text>", prologue=loop),
                 "parameter": pictures.svg("<text>x</text>", prologue=parameter)}
        for name, data in cases.items():
            with self.subTest(name):
                before, lost = self.contents(), self.lost_workers()
                answer = self.tenant.upload(name + ".svg", data)
                if answer.status == 200:  # the parser left the entities out; the document itself is harmless
                    self.assertLess(answer.json()["descriptor"]["previewDescriptor"]["size"], len(data) + 1)
                    self.assertStatus(200, self.tenant.delete(f"/api/images/tenant/{name}.svg"))
                else:  # refused by the parser; or the worker is lost at its deadline or at the end of its memory
                    error = self.assertError(400, 31, answer)
                    self.assertRegex(error["message"], "SVG image is damaged|SVG image cannot be decoded: ")
                self.assertEqual(before, self.contents())
                self.assertLessEqual(sum(self.lost_workers().values()), sum(lost.values()) + 1)
                self.assert_healthy()

    def test_bombs_of_uses_and_filters_end_at_a_limit(self):
        uses = "<g id='u0'><rect width='1' height='1'/></g>" + "".join(
            f"<g id='u{i}'>" + f"<use xlink:href='#u{i - 1}'/>" * 10 + "</g>" for i in range(1, 30))
        cases = {"uses": uses,
                 "patterns": "".join(f"<pattern id='p{i}' width='.01' height='.01'><rect width='9' height='9' "
                                     f"fill='url(#p{i - 1})'/></pattern>" for i in range(1, 40))
                             + "<rect width='99' height='99' fill='url(#p39)'/>",
                 "loop": "<g id='a'><use xlink:href='#b'/></g><g id='b'><use xlink:href='#a'/></g>",
                 "deep": "<g>" * 200_000 + "</g>" * 200_000,
                 "blur": "<filter id='f'><feGaussianBlur stdDeviation='1e9'/></filter>"
                         "<rect width='1e9' height='1e9' filter='url(#f)'/>"}
        lost = self.lost_workers()
        for name, inside in cases.items():
            with self.subTest(name):
                before = self.contents()
                answer = self.tenant.upload(name + ".svg", pictures.svg(inside))
                if answer.status == 200:
                    self.assertStatus(200, self.tenant.delete(f"/api/images/tenant/{name}.svg"))
                else:
                    self.assertError(400, 31, answer)
                self.assertEqual(before, self.contents())
                self.assert_healthy()
        after = self.lost_workers()
        self.assertEqual((lost["crashes"], lost["exhausted"]), (after["crashes"], after["exhausted"]))

    def test_a_drawing_that_is_too_large_is_refused_unread(self):
        with self.nothing_is_stored():
            self.assertError(400, 31, self.tenant.upload("large.svg", pictures.svg(size=10 * 1024 * 1024 + 1)),
                             "10,485,761 bytes", "10,485,760", "IMAGE_MAX_SVG_SIZE")


class Canary:
    """Somebody who listens, and counts who comes."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.callers = 0
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        return self

    def listen(self):
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.callers += 1
            caller.close()

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


class References(Unharmed):
    """A drawing may name other documents; whoever renders it here never fetches them."""

    # {0} is a URL of another document, {1} of another one of XML or text.
    inside = {
        "image": "<image width='20' height='10' href='{0}'/>",
        "xlink": "<image width='20' height='10' xlink:href='{0}'/>",
        "use": "<use href='{1}#x'/><use xlink:href='{1}#x'/>",
        "style attribute": "<rect width='20' height='10' style='fill: url({1}#x)'/>",
        "import": "<style>@import url('{1}'); @import '{1}';</style><rect width='20' height='10'/>",
        "font": "<style>@font-face {{ font-family: f; src: url('{0}'); }}</style><text font-family='f' y='9'>a</text>",
        "filter": "<filter id='f'><feImage href='{0}' xlink:href='{0}'/></filter>"
                  "<rect width='20' height='10' filter='url(#f)'/>",
        "xinclude": "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{1}' parse='text'/>",
        "foreign": "<foreignObject width='20' height='10'><iframe xmlns='http://www.w3.org/1999/xhtml' src='{0}'/>"
                   "</foreignObject>",
        "script": "<script href='{1}'/><script>fetch('{0}')</script>"
                  "<rect width='9' height='9' onload=\"fetch('{0}')\"/>",
    }
    prologues = {
        "stylesheet": "<?xml-stylesheet href='{1}' type='text/css'?>",
        "doctype": "<!DOCTYPE svg SYSTEM '{1}'>",
        "public doctype": "<!DOCTYPE svg PUBLIC '-//x//y' '{1}'>",
        "entity": "<!DOCTYPE svg [<!ENTITY x SYSTEM '{1}'>]>",
        "parameter entity": "<!DOCTYPE svg [<!ENTITY % p SYSTEM '{1}'> %p;]>",
    }

    def drawings(self, picture, text):
        for name, inside in self.inside.items():
            yield name, pictures.svg(inside.format(picture, text), size=12_000)
        for name, prologue in self.prologues.items():
            mention = "<text y='9'>&x;</text>" if name == "entity" else "<text y='9'>a</text>"
            yield name, pictures.svg(mention, prologue=prologue.format(picture, text), size=12_000)

    def outcome(self, data):
        """What is drawn, or why nothing is. What is beyond the worker is left to the browser as it came."""
        answer = self.tenant.upload("drawn.svg", data)
        if answer.status != 200:
            self.assertError(400, 31, answer)
            return answer.json()["message"]
        key = answer.json()["resourceKey"]
        self.assertEqual(data, self.tenant.image(key).body)
        preview = self.tenant.image(key, suffix="/preview")
        self.assertStatus(200, self.tenant.delete(f"/api/images/tenant/{key}"))
        return preview.header("Content-Type"), "as it came" if preview.body == data else sha256(preview.body)

    def test_nobody_is_called(self):
        with Canary() as canary, self.nothing_is_stored():
            for scheme in ("http", "https", "ftp"):
                there = f"{scheme}://127.0.0.1:{canary.port}/"
                for name, data in self.drawings(there + "x.png", there + "x.svg"):
                    with self.subTest(f"{name} {scheme}"):
                        self.outcome(data)
            self.assertEqual(0, canary.callers)
            # The canary hears who calls.
            socket.create_connection(("127.0.0.1", canary.port)).close()
            while canary.callers == 0:
                pass

    def test_a_file_that_is_there_is_drawn_no_differently_from_one_that_is_not(self):
        with tempfile.TemporaryDirectory() as folder, self.nothing_is_stored():
            os.chmod(folder, 0o755)
            there, missing = pathlib.Path(folder) / "a", pathlib.Path(folder) / "b"
            there.mkdir()
            (there / "x.png").write_bytes(png(40, 40, (250, 0, 0)))
            (there / "x.svg").write_bytes(pictures.svg("<rect id='x' width='20' height='10' fill='red'/>"))
            for path in there.iterdir():
                path.chmod(0o644)
            for scheme in ("file://", "", "file:"):
                pairs = zip(self.drawings(f"{scheme}{there}/x.png", f"{scheme}{there}/x.svg"),
                            self.drawings(f"{scheme}{missing}/x.png", f"{scheme}{missing}/x.svg"))
                for (name, real), (_, none) in pairs:
                    with self.subTest(f"{name} {scheme}"):
                        self.assertEqual(self.outcome(none), self.outcome(real))
            for name, data in self.drawings("file:///etc/passwd", "file:///etc/passwd"):
                outcome = self.outcome(data)
                self.assertNotIn("root:", str(outcome))

    def test_script_is_kept_and_never_run(self):
        data = pictures.svg("<script>alert(document.domain)</script><rect width='5' height='5' onclick='alert(1)'/>"
                            "<a xlink:href='javascript:alert(1)'><text>x</text></a>")
        info = self.assertStatus(200, self.tenant.upload("script.svg", data)).json()
        for target in ("/api/images/tenant/script.svg", "/api/images/tenant/script.svg/preview", info["publicLink"]):
            for headers in ({}, {"Accept-Encoding": "gzip"}, {"Range": "bytes=0-99"}):
                got = self.tenant.get(target, headers=headers)
                self.assertEqual("default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox",
                                 got.header("Content-Security-Policy"))
                self.assertEqual(("nosniff", "image/svg+xml"),
                                 (got.header("X-Content-Type-Options"), got.header("Content-Type")))
        self.assertEqual(data, self.anonymous.get(info["publicLink"]).body)
        refreshed = self.tenant.image("script.svg", headers={"If-None-Match": f'"{info["etag"]}"'})
        self.assertEqual(304, refreshed.status)


if __name__ == "__main__":
    unittest.main()
