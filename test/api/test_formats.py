# SPDX-License-Identifier: Apache-2.0
"""Every format that is accepted: recognised by its bytes, with its dimensions, served as it came, with a preview as the
contract has it."""
import base64
import gzip
import struct
import unittest

import pictures
from harness import ServerTest, png, quote, sha256, testdata


class Formats(ServerTest):
    def upload(self, name, data):
        return self.assertStatus(200, self.tenant.upload(name, data)).json()

    def preview(self, info):
        """(media type, width, height, bytes), each held to the description."""
        got = self.assertStatus(200, self.tenant.image(info["resourceKey"], suffix="/preview"))
        described = info["descriptor"]["previewDescriptor"]
        self.assertEqual((described["mediaType"], described["size"], described["etag"]),
                         (got.header("Content-Type"), len(got.body), sha256(got.body)))
        return described["mediaType"], described["width"], described["height"], got.body

    def test_every_format_is_recognised_by_its_bytes_alone(self):
        cases = [(png(30, 20), "png", 30, 20), (pictures.jpeg(), "jpeg", 16, 8), (pictures.gif(7, 5), "gif", 7, 5),
                 (pictures.sample("webp"), "webp", 8, 6), (pictures.sample("avif"), "avif", 8, 6),
                 (pictures.sample("heif"), "heif", 8, 6), (pictures.tiff(9, 4), "tiff", 9, 4),
                 (pictures.bmp(6, 3), "bmp", 6, 3), (pictures.ico(16, 24), "x-icon", 24, 24),
                 (pictures.svg("<rect width='5' height='5'/>"), "svg+xml", 20, 10)]
        for data, kind, width, height in cases:
            with self.subTest(kind):
                info = self.upload("no-extension-" + kind.split("+")[0], data)
                described = info["descriptor"]
                self.assertEqual((f"image/{kind}", width, height, len(data), sha256(data)),
                                 tuple(described[f] for f in ("mediaType", "width", "height", "size", "etag")))
                got = self.tenant.image(info["resourceKey"])
                self.assertEqual((data, f"image/{kind}"), (got.body, got.header("Content-Type")))
                media, w, h, shown = self.preview(info)
                own = kind in ("png", "svg+xml")
                self.assertEqual((f"image/{kind}" if own else "image/png", width, height), (media, w, h))
                self.assertEqual(own, shown == data)
                if kind != "svg+xml":
                    self.assertEqual((width, height), pictures.png_pixels(shown)[:2])

    def test_previews_fit_into_250_and_are_never_larger_than_the_picture(self):
        cases = [(png(250, 250), 250, 250), (png(251, 250), 250, 249), (png(500, 251), 250, 126),
                 (png(1, 1000), 1, 250), (png(3000, 2), 250, 1), (pictures.bmp(300, 30), 250, 25),
                 (pictures.tiff(30, 300), 25, 250),
                 (pictures.gif(300, 30), 250, 25), (pictures.ico(256), 250, 250), (pictures.bmp(2, 1), 2, 1)]
        for number, (data, width, height) in enumerate(cases):
            with self.subTest(f"{number}: {width} x {height}"):
                media, w, h, shown = self.preview(self.upload(f"fit-{number}", data))
                self.assertEqual(("image/png", width, height), (media, w, h))
                self.assertEqual((width, height), pictures.png_pixels(shown)[:2])

    def test_a_preview_has_the_pictures_colours(self):
        for name, data, colour in (("png", png(400, 300, (200, 30, 30)), (200, 30, 30)),
                                   ("bmp", pictures.bmp(400, 300, (10, 20, 200)), (10, 20, 200)),
                                   ("tiff", pictures.tiff(400, 300, colour=(200, 90, 10)), (200, 90, 10))):
            _, w, h, shown = self.preview(self.upload("colour." + name, data))
            rows = pictures.png_pixels(shown)[2]
            for x, y in ((0, 0), (w - 1, 0), (w // 2, h // 2), (w - 1, h - 1)):
                self.assertEqual(colour, rows[y][x][:3])

    def test_orientation_is_applied(self):
        for orientation in range(1, 9):
            with self.subTest(orientation):
                turned = orientation >= 5
                info = self.upload(f"jpeg-{orientation}.jpg", pictures.jpeg(orientation))
                size = (8, 16) if turned else (16, 8)
                self.assertEqual(size, tuple(info["descriptor"][s] for s in ("width", "height")))
                self.assertEqual(("image/png", *size), self.preview(info)[:3])
        info = self.upload("tiff-6.tif", pictures.tiff(600, 300, orientation=6))
        self.assertEqual((300, 600), tuple(info["descriptor"][s] for s in ("width", "height")))
        self.assertEqual(("image/png", 125, 250), self.preview(info)[:3])

    def test_an_animation_previews_its_first_frame(self):
        first, second = pictures.gif(20, 10, shade=90), pictures.gif(20, 10)
        info = self.upload("animated.gif", first[:-1] + second[19:])
        self.assertEqual((20, 10), tuple(info["descriptor"][s] for s in ("width", "height")))
        _, w, h, shown = self.preview(info)
        self.assertEqual((20, 10, 90), (w, h, pictures.png_pixels(shown)[2][5][5][0]))

    def test_drawings_are_their_own_preview_while_small(self):
        shapes = "".join(f"<circle cx='{i * 37 % 100}' cy='{i * 53 % 100}' r='3'/>" for i in range(30))
        box = 'viewBox="0 0 100 50"'
        small = pictures.svg(shapes, box, size=10_239)
        self.assertEqual(10_239, len(small))
        self.assertEqual(("image/svg+xml", small), self.preview(self.upload("small.svg", small))[::3])
        for size, width, height in ((10_240, 250, 125), (102_400, 250, 125), (102_401, 512, 256)):
            with self.subTest(size):
                media, w, h, shown = self.preview(self.upload(f"{size}.svg", pictures.svg(shapes, box, size=size)))
                self.assertEqual(("image/png", width, height), (media, w, h))
                self.assertEqual((width, height), pictures.png_pixels(shown)[:2])
        # Metadata does not count as size.
        inside = f"<tb:metadata xmlns:tb='https://thingsboard.io/svg'>{'x' * 50_000}</tb:metadata>{shapes}"
        drawn = pictures.svg(inside, box)
        self.assertEqual(("image/svg+xml", drawn), self.preview(self.upload("metadata.svg", drawn))[::3])

    def test_a_compressed_drawing_is_stored_decompressed(self):
        drawn = pictures.svg("<rect width='9' height='9'/>")
        for name, stored in (("pump.svgz", "pump.svg"), ("tank.SVG.gz", "tank.SVG")):
            with self.subTest(name):
                info = self.upload(name, gzip.compress(drawn))
                self.assertEqual((stored, stored, sha256(drawn), len(drawn), "image/svg+xml"),
                                 (info["resourceKey"], info["fileName"], info["etag"], info["descriptor"]["size"],
                                  info["descriptor"]["mediaType"]))
                got = self.tenant.image(info["resourceKey"], headers={"Accept-Encoding": "identity"})
                self.assertEqual((drawn, f'"{sha256(drawn)}"'), (got.body, got.header("ETag")))

    def test_a_gif_is_as_large_as_its_screen_and_transparent_where_nothing_is_drawn(self):
        inner = pictures.gif(20, 10)
        # In the preview of the second, the first pixel is that of 12 x 13 1/3, of which the frame covers 10 rows.
        for width, height, opacity in ((640, 480, 255), (3000, 40, 191), (10, 5, 255)):
            with self.subTest(width):
                info = self.upload(f"screen-{width}.gif", inner[:6] + struct.pack("<HH", width, height) + inner[10:])
                self.assertEqual((width, height), tuple(info["descriptor"][s] for s in ("width", "height")))
                rows = pictures.png_pixels(self.preview(info)[3])[2]
                self.assertEqual((opacity,), rows[0][0][3:] or (255,))
                if width > 20:
                    self.assertEqual(0, rows[-1][-1][3])

    def test_what_lacks_only_its_end_is_accepted(self):
        for name, data in (("end.jpg", pictures.jpeg()[:-2]), ("end.png", pictures.noisy_png(300, 40)[:-12]),
                           ("end.gif", pictures.gif(9, 9)[:-1])):
            with self.subTest(name):
                info = self.upload(name, data)
                self.assertEqual(data, self.tenant.image(info["resourceKey"]).body)

    def test_symbols_of_a_thingsboard_are_imported_with_title_and_public_link(self):
        for number, path in enumerate(p for p in testdata() if p.name.startswith("scada-")):
            with self.subTest(path.name):
                data, public_key = path.read_bytes(), f"ThingsBoardPublicKey{number:012}"
                document = {"link": "/api/images/tenant/" + path.name, "title": "", "type": "IMAGE",
                            "subType": "SCADA_SYMBOL", "resourceKey": path.name, "fileName": path.name,
                            "publicResourceKey": public_key, "public": True, "mediaType": "image/svg+xml",
                            "data": base64.b64encode(data).decode()}
                info = self.assertStatus(200, self.tenant.put("/api/image/import", document)).json()
                self.assertEqual((public_key, f"/api/images/public/{public_key}", "SCADA_SYMBOL", sha256(data)),
                                 tuple(info[f] for f in ("publicResourceKey", "publicLink", "resourceSubType", "etag")))
                self.assertIn(f'"title": "{info["title"]}"'.encode(), data)
                self.assertEqual(data, self.anonymous.get(info["publicLink"]).body)
                exported = self.assertStatus(200, self.tenant.image(path.name, suffix="/export")).json()
                self.assertEqual({**document, "title": info["title"]}, exported)
                self.assertEqual(info["title"], self.tenant.info(quote(path.name)).json()["title"])


class SmallResources(ServerTest):
    options = {"environment": {"MAX_RESOURCE_SIZE": "2000"}}

    def test_a_compressed_drawing_is_as_large_as_it_is_decompressed(self):
        for size, status in ((2000, 200), (2001, 413)):
            with self.subTest(size):
                packed = gzip.compress(pictures.svg("<rect width='5' height='5'/>", size=size))
                self.assertLess(len(packed), 1000)
                answer = self.assertStatus(status, self.tenant.upload("large.svgz", packed))
                if status == 413:
                    self.assertIn("larger than 2000 bytes", answer.json()["message"])


if __name__ == "__main__":
    unittest.main()
