# SPDX-License-Identifier: Apache-2.0
"""If-Match and If-None-Match on what changes an image (RFC 9110, 13.1): a write whose condition fails changes nothing."""
import contextlib
import socket
import unittest

from harness import export_document, png, quote, sha256
from shapes import Shaped
from unharmed import parse, read_all

SVG = ('<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
       + '<rect width="10" height="10"/>' * 100 + "</svg>").encode()


def quoted(data):
    return f'"{sha256(data)}"'


class WriteConditions(Shaped):
    def upload(self, name, data):
        return self.assertStatus(200, self.tenant.upload(name, data)).json()["resourceKey"]

    def writes(self, key, new):
        """All that changes the image with this key, by name; each takes the request's conditions."""
        path = "/api/images/tenant/" + quote(key)
        document = export_document(key, new)
        return {
            "replace": lambda headers: self.tenant.replace(key, key, new, headers=headers),
            "rename": lambda headers: self.tenant.json_body("PUT", path + "/info", {"title": "new"}, headers=headers),
            "publish": lambda headers: self.tenant.request("PUT", path + "/public/false", headers=headers),
            "tag": lambda headers: self.tenant.json_body("PUT", path + "/tags", {"tags": ["new"]}, headers=headers),
            "import": lambda headers: self.tenant.json_body("PUT", "/api/image/import", document, headers=headers),
            "delete": lambda headers: self.tenant.delete(path, headers=headers),
        }

    @contextlib.contextmanager
    def unchanged(self, key):
        before = (self.tenant.info(key).json(), self.tenant.image(key).body)
        yield
        self.assertEqual(before, (self.tenant.info(key).json(), self.tenant.image(key).body))

    def test_a_condition_that_fails_refuses_every_write(self):
        data = png(text="guarded")
        key = self.upload("guarded.png", data)
        other = '"' + "0" * 64 + '"'
        for headers in ({"If-Match": other}, {"If-Match": "garbage"}, {"If-Match": "W/" + quoted(data)},
                        {"If-None-Match": "*"}, {"If-None-Match": quoted(data)},
                        {"If-None-Match": other + ", W/" + quoted(data)},
                        {"If-Match": quoted(data), "If-None-Match": quoted(data)}):
            for name, write in self.writes(key, png(text="new")).items():
                with self.subTest(name, headers=headers), self.unchanged(key):
                    self.assertError(412, 35, write(headers), key)

    def test_a_condition_that_holds_lets_every_write_through(self):
        data = png(text="free")
        other = '"' + "0" * 64 + '"'
        for headers in ({"If-Match": quoted(data)}, {"If-Match": "*"}, {"If-Match": other + "," + quoted(data)},
                        {"If-None-Match": other}, {"If-Match": ""}):
            for name in self.writes("", data):
                key = self.upload("free.png", data)
                with self.subTest(name, headers=headers):
                    self.assertStatus(200, self.writes(key, data)[name](headers))
                if name != "delete":
                    self.assertStatus(200, self.tenant.delete("/api/images/tenant/" + quote(key)))

    def test_of_two_who_saw_the_same_image_the_second_is_refused(self):
        first, second = png(text="first"), png(text="second")
        key = self.upload("match.png", first)
        seen = {"If-Match": quoted(first)}
        self.assertStatus(200, self.tenant.replace(key, "match.png", second, headers=seen))
        self.assertError(412, 35, self.tenant.delete("/api/images/tenant/" + key, headers=seen))
        self.assertEqual(second, self.tenant.image(key).body)

    def test_an_empty_line_does_not_hide_those_behind_it(self):
        key = self.upload("lines.png", png(text="lines"))
        with self.unchanged(key), socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as s:
            s.sendall(f"DELETE /api/images/tenant/{key} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                      f"X-Authorization: Bearer {self.tenant.token}\r\n"
                      'If-Match:\r\nIf-Match: "0"\r\n\r\n'.encode())
            self.assertEqual(412, parse(read_all(s)).status)

    def test_the_etag_of_a_compressed_svg_names_the_image(self):
        for coding in ("gzip", "br"):
            for name in self.writes("", SVG):
                key = self.upload("coded.svg", SVG)
                etag = self.tenant.image(key, headers={"Accept-Encoding": coding}).header("ETag")
                self.assertNotEqual(quoted(SVG), etag)
                with self.subTest(name, coding=coding):
                    with self.unchanged(key):
                        self.assertError(412, 35, self.writes(key, SVG)[name]({"If-None-Match": etag}))
                    self.assertStatus(200, self.writes(key, SVG)[name]({"If-Match": etag}))
                if name != "delete":
                    self.assertStatus(200, self.tenant.delete("/api/images/tenant/" + quote(key)))

    def info_etag(self, key, client=None):
        return self.assertStatus(200, (client or self.tenant).info(key)).header("ETag")

    def test_every_change_of_an_image_changes_the_etag_of_its_info(self):
        key = self.upload("info.png", png(text="info"))
        seen = [self.info_etag(key)]
        self.assertEqual(seen[0], self.info_etag(key))
        self.assertRegex(seen[0], '^"[0-9a-f]{64}"$')
        self.assertNotIn(self.tenant.info(key).json()["etag"], seen[0])
        path = "/api/images/tenant/" + quote(key)
        for change in (lambda: self.tenant.put(path + "/info", {"title": "other"}),
                       lambda: self.tenant.put(path + "/tags", {"tags": ["a", "b"]}),
                       lambda: self.tenant.put(path + "/tags", {"tags": ["a b"]}),
                       lambda: self.tenant.put(path + "/public/false", {}),
                       lambda: self.tenant.replace(key, key, png(text="other")),
                       lambda: self.tenant.replace(key, "other name.png", png(text="other"))):
            self.assertStatus(200, change())
            self.assertNotIn(self.info_etag(key), seen)
            seen.append(self.info_etag(key))
        unchanged = self.tenant.get(path + "/info", headers={"If-None-Match": seen[-1]})
        self.assertEqual((304, b"", seen[-1]), (unchanged.status, unchanged.body, unchanged.header("ETag")))
        self.assertEqual(200, self.tenant.get(path + "/info", headers={"If-None-Match": seen[-2]}).status)
        # What was changed back is as it was.
        self.tenant.put(path + "/public/true", {})
        before = self.info_etag(key)
        self.tenant.put(path + "/public/false", {})
        self.assertEqual(seen[-1], self.info_etag(key))
        self.assertNotEqual(seen[-1], before)
        renamed = self.tenant.put(path + "/info", {"title": "third"})
        self.assertEqual(self.info_etag(key), renamed.header("ETag"))
        # Of another image with the same bytes it is another one.
        self.assertNotEqual(self.info_etag(key), self.info_etag(self.upload("info.png", png(text="other"))))

    def test_the_etag_of_the_info_excludes_what_that_of_the_bytes_permits(self):
        for data in (png(text="meanwhile"), SVG):
            for name in self.writes("", data):
                with self.subTest(name):
                    key = self.upload("meanwhile.svg", data)
                    seen = self.info_etag(key)
                    path = "/api/images/tenant/" + quote(key)
                    self.assertStatus(200, self.tenant.put(path + "/public/false", {}))
                    with self.unchanged(key):
                        self.assertError(412, 35, self.writes(key, data)[name]({"If-Match": seen}), key)
                        self.assertError(412, 35, self.writes(key, data)[name]({"If-None-Match": self.info_etag(key)}))
                    self.assertStatus(200, self.tenant.put(path + "/public/true", {}))
                    self.assertStatus(200, self.writes(key, data)[name]({"If-Match": seen}))
                    if name != "delete":
                        self.assertStatus(200, self.tenant.delete(path))

    def test_an_import_may_ask_that_the_image_is_there_or_is_not(self):
        document = export_document("asked.png", png(text="asked"))
        send = lambda **headers: self.tenant.json_body("PUT", "/api/image/import", document, headers=headers)
        self.assertError(412, 35, send(**{"If-Match": "*"}))
        self.assertEqual(404, self.tenant.info("asked.png").status)
        self.assertStatus(200, send(**{"If-None-Match": "*"}))
        self.assertError(412, 35, send(**{"If-None-Match": "*"}))
        self.assertStatus(200, send(**{"If-Match": "*"}))


if __name__ == "__main__":
    unittest.main()
