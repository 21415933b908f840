# SPDX-License-Identifier: Apache-2.0
"""What real clients send that the standards or ThingsBoard allow: charsets of forms, file names with directories, keys
that are encoded twice, imports of other programs, compressed bodies, lists of everything."""
import base64
import codecs
import json
import socket
import unittest

from accounts import AccountTest
from harness import export_document, multipart, png, quote, sha256
from shapes import Shaped


class Forms(Shaped):
    def send(self, parts, change=lambda body: body):
        body, kind = multipart(parts)
        return self.tenant.request("POST", "/api/image", change(body), {"Content-Type": kind})

    def title(self, data, kind):
        answer = self.send([("file", "charset.png", None, png(text="c")), ("title", None, kind, data)])
        return self.assertStatus(200, answer).json()["title"]

    def test_a_text_part_is_in_the_charset_that_it_names(self):
        text = "Pumpe Süd – 5 €"
        self.assertEqual("Pumpe Süd", self.title("Pumpe Süd".encode("latin-1"), "text/plain; charset=ISO-8859-1"))
        self.assertEqual("Pumpe Süd", self.title("Pumpe Süd".encode("latin-1"), 'text/plain;charset="iso-8859-1"'))
        self.assertEqual("Pumpe Süd", self.title("Pumpe Süd".encode("latin-1"), "Text/Plain; Charset=latin1"))
        self.assertEqual(text, self.title(text.encode("cp1252"), "text/plain; charset=windows-1252"))
        self.assertEqual(text, self.title(text.encode(), "text/plain; charset=utf-8"))
        self.assertEqual(text, self.title(text.encode(), "text/plain; charset=UTF8"))
        self.assertEqual(text, self.title(text.encode(), None))
        self.assertEqual("plain", self.title(b"plain", "text/plain; charset=US-ASCII"))

    def test_a_form_can_name_the_charset_of_all_its_texts(self):
        for parts in ([("_charset_", None, None, b"iso-8859-1"), ("title", None, None, b"S\xfcd")],
                      [("title", None, None, b"S\xfcd"), ("_charset_", None, None, b"iso-8859-1")]):
            answer = self.send([("file", "form.png", None, png(text="f")), *parts])
            self.assertEqual("Süd", self.assertStatus(200, answer).json()["title"])

    def test_a_charset_that_is_unknown_or_wrong_is_refused(self):
        before = self.total()
        for data, kind, status, word in ((b"x", "text/plain; charset=KOI8-R", 415, "KOI8-R"),
                                         (b"S\xfcd", "text/plain; charset=utf-8", 400, "utf-8"),
                                         (b"S\xfcd", "text/plain; charset=us-ascii", 400, "us-ascii"),
                                         (b"a\x81b", "text/plain; charset=iso-8859-1", 400, "control")):
            answer = self.send([("file", "no.png", None, png()), ("title", None, kind, data)])
            self.assertError(status, 31, answer, word)
        self.assertEqual(before, self.total())

    def test_a_directory_in_front_of_a_file_name_is_cut_off(self):
        for n, sent in enumerate(("C:\\fakepath\\{}", "/var/pictures/{}", "..\\..\\{}", "../../{}", "a/b\\{}", "\\\\server\\share\\{}")):
            name = f"cut {n}.png"
            info = self.assertStatus(200, self.tenant.upload(sent.format(name), png(text=sent))).json()
            self.assertEqual((name, name, name), (info["fileName"], info["resourceKey"], info["title"]))
        after = self.assertStatus(200, self.tenant.replace(info["resourceKey"], "C:\\x\\new.png", png(text="n"))).json()
        self.assertEqual("new.png", after["fileName"])

    def test_file_names_in_other_encodings(self):
        for sent, name in ((b"k\xe4se.png", "käse.png"), (b"5 \x80.png", "5 €.png"),
                           ("käsé.png".encode(), "käsé.png"),
                           (b"=?UTF-8?B?" + base64.b64encode("grün.png".encode()) + b"?=", "grün.png"),
                           (b"=?iso-8859-1?Q?gr=FCn_2.png?=", "grün 2.png"),
                           (b"=?utf-8?q?a=C3=A4?= =?utf-8?b?LnBuZw==?=", "aä.png"),
                           (b"=?koi8-r?q?x?=.png", "=?koi8-r?q?x?=.png"), (b"=?utf-8?q?open.png", "=?utf-8?q?open.png")):
            with self.subTest(sent):
                info = self.assertStatus(200, self.send([("file", "NAME", None, png(text=name.encode().hex()))],
                                                        lambda body: body.replace(b"NAME", sent))).json()
                self.assertEqual(name, info["fileName"])
        for sent, name in ((b"UTF-8''b%C3%BC.png", "bü.png"), (b"iso-8859-1'de'b%FC%202.png", "bü 2.png")):
            info = self.assertStatus(200, self.send(
                [("file", "x.png", None, png(text=name))],
                lambda body: body.replace(b'filename="x.png"', b'filename="x.png"; filename*=' + sent))).json()
            self.assertEqual(name, info["fileName"])

    def test_of_repeated_parts_the_first_counts(self):
        first, second = png(text="first"), png(text="second")
        info = self.assertStatus(200, self.send([
            ("file", None, None, b"a field"), ("file", "first.png", None, first), ("title", None, None, b"one"),
            ("file", "second.png", None, second), ("title", None, None, b"two")])).json()
        self.assertEqual(("first.png", "one", sha256(first)), (info["fileName"], info["title"], info["etag"]))
        self.assertEqual(first, self.tenant.image("first.png").body)

    def test_a_dot_at_the_end_is_no_extension(self):
        for name, second in (("dot.", "dot_(1)"), ("a.b.", "a.b_(1)"), (".png", "_(1).png"), ("noext", "noext_(1)"),
                             ("x..", "x._(1)"), ("ü" * 254 + ".", "ü" * 251 + "_(1)"),
                             ("." + "y" * 254, "." + "y" * 250 + "_(1)")):
            keys = [self.assertStatus(200, self.tenant.upload(name, png(text=name + str(n)))).json()["resourceKey"]
                    for n in range(2)]
            self.assertEqual([name, second], keys)


class Keys(Shaped):
    names = ["100%.png", "a#b.png", "a?b.png", "a b&c.png", "50%25.png", "ü;x.png", "+.png"]

    def test_a_link_has_the_key_as_it_is_and_a_client_encodes_it(self):
        for name in self.names:
            with self.subTest(name):
                info = self.assertStatus(200, self.tenant.upload(name, png(text=name))).json()
                self.assertEqual("/api/images/tenant/" + name, info["link"])
                document = self.assertStatus(200, self.tenant.image(name, suffix="/export")).json()
                self.assertEqual(info["link"], document["link"])
                head, last = info["link"].rsplit("/", 1)
                self.assertEqual(png(text=name), self.tenant.get(head + "/" + quote(last)).body)

    def test_a_key_that_is_encoded_once_more_is_found_on_every_route(self):
        name = "twice %&ü.png"
        data = png(1000, 500, text="twice")
        info = self.assertStatus(200, self.tenant.upload(name, data)).json()
        path = "/api/images/tenant/" + quote(quote(name))
        got = self.assertStatus(200, self.tenant.get(path))
        self.assertEqual(data, got.body)
        self.assertEqual(304, self.tenant.get(path, headers={"If-None-Match": got.header("ETag")}).status)
        self.assertEqual(200, self.tenant.get(path + "/preview").status)
        self.assertEqual(info, self.tenant.get(path + "/info").json())
        self.assertEqual(name, self.tenant.get(path + "/export").json()["resourceKey"])
        self.assertEqual("Twice", self.assertStatus(200, self.tenant.put(path + "/info", {"title": "Twice"})).json()["title"])
        self.assertFalse(self.assertStatus(200, self.tenant.put(path + "/public/no")).json()["public"])
        replaced = self.assertStatus(200, self.tenant.multipart("PUT", path, [("file", "r.png", None, png(text="r"))]))
        self.assertEqual((name, info["id"]), (replaced.json()["resourceKey"], replaced.json()["id"]))
        self.assertEqual(png(text="r"), self.tenant.get(path).body)
        self.assertError(401, 10, self.anonymous.get(path))
        self.assertError(404, 32, self.tenant.get("/api/images/tenant/" + quote(quote(quote(name)))))
        self.assertStatus(200, self.tenant.delete(path))
        self.assertError(404, 32, self.tenant.get(path))

    def test_the_key_as_it_arrives_comes_first(self):
        plain, encoded = png(text="plain"), png(text="encoded")
        self.assertStatus(200, self.tenant.upload("exact 1.png", plain))
        self.assertEqual(plain, self.tenant.image("exact%201.png").body)
        self.assertStatus(200, self.tenant.upload("exact%201.png", encoded))
        self.assertEqual(encoded, self.tenant.image("exact%201.png").body)
        self.assertEqual(plain, self.tenant.image("exact 1.png").body)
        self.assertStatus(200, self.tenant.delete("/api/images/tenant/exact%25201.png"))
        self.assertEqual(plain, self.tenant.image("exact 1.png").body)


class Imports(Shaped):
    def send(self, data):
        return self.tenant.request("PUT", "/api/image/import", data, {"Content-Type": "application/json"})

    def test_an_import_without_a_key_makes_a_new_image(self):
        before = self.assertStatus(200, self.tenant.upload("logo.png", png(text="logo"))).json()
        for n, change in enumerate(({"resourceKey": None}, {"resourceKey": ""}, {})):
            document = {**export_document("logo.png", png(text=str(n)), public=False), **change}
            if not change:
                del document["resourceKey"]
            info = self.assertStatus(200, self.tenant.put("/api/image/import", document)).json()
            self.assertEqual((f"logo_({n + 1}).png", "logo.png"), (info["resourceKey"], info["fileName"]))
            self.assertEqual(before, self.tenant.info("logo.png").json())
            self.assertEqual(png(text="logo"), self.anonymous.get(before["publicLink"]).body)
        document = {"data": document["data"]}
        self.assertError(400, 31, self.tenant.put("/api/image/import", document), "file name")
        conditional = {"fileName": "logo.png", "data": document["data"]}
        self.assertError(412, 35, self.tenant.put("/api/image/import", conditional, headers={"If-Match": "*"}))

    def test_an_import_over_an_image_keeps_what_the_document_does_not_say(self):
        before = self.assertStatus(200, self.tenant.upload("kept.png", png(text="kept"), title="A title")).json()
        data = png(text="new")
        after = self.assertStatus(200, self.tenant.put("/api/image/import", {
            "resourceKey": "kept.png", "data": base64.b64encode(data).decode()})).json()
        self.assertEqual(sha256(data), after["etag"])
        for field in ("id", "title", "fileName", "public", "publicLink", "resourceSubType"):
            self.assertEqual(before[field], after[field])

    def test_the_encodings_of_other_programs(self):
        document = export_document("bom.png", png(text="bom"), title="Bömbe 🐘")
        text = json.dumps(document, ensure_ascii=False)
        for data in (codecs.BOM_UTF8 + text.encode(), codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
                     codecs.BOM_UTF16_BE + text.encode("utf-16-be")):
            self.assertEqual("Bömbe 🐘", self.assertStatus(200, self.send(data)).json()["title"])
        info = codecs.BOM_UTF8 + '{"title":"Ä"}'.encode()
        answer = self.tenant.request("PUT", "/api/images/tenant/bom.png/info", info, {"Content-Type": "application/json"})
        self.assertEqual("Ä", self.assertStatus(200, answer).json()["title"])

    def test_the_spellings_of_base64(self):
        picture = png(23, 11, text="base64 ?>~ÿ" * 9)
        plain = base64.b64encode(picture).decode()
        lines = base64.encodebytes(picture).decode()
        for data in (plain, plain.rstrip("="), lines, lines.replace("\n", "\r\n"),
                     base64.urlsafe_b64encode(picture).decode(), "data:image/png;base64," + plain,
                     "data:;base64," + lines, "DATA:image/png;charset=x;BASE64," + plain.rstrip("=")):
            with self.subTest(data[:30]):
                info = self.tenant.put("/api/image/import", {**export_document("b64.png", b""), "data": data})
                self.assertEqual(sha256(picture), self.assertStatus(200, info).json()["etag"])

    def test_public_may_be_a_text(self):
        for value, expected in (("true", True), ("false", False), ("True", True), ("0", False), (1, True)):
            document = export_document("flag.png", png(text="flag"), public=value)
            self.assertIs(expected, self.assertStatus(200, self.tenant.put("/api/image/import", document)).json()["public"])
        self.assertError(400, 31, self.tenant.put("/api/image/import", export_document("f.png", png(), public="maybe")),
                         "public")

    def test_an_import_of_nothing_says_that_data_is_missing(self):
        for data in (b"", b" \n", codecs.BOM_UTF8, b"{}", b'{"data":null}', b'{"data":""}', b'{"resourceKey":"x.png"}'):
            with self.subTest(data):
                self.assertError(400, 31, self.send(data), "'data' is missing")


class CompressedBodies(Shaped):
    def test_a_compressed_body_is_refused_on_every_route(self):
        self.assertStatus(200, self.tenant.upload("zip.png", png(text="zip")))
        before = self.total()
        form, kind = multipart([("file", "z.png", None, png())])
        json_kind = "application/json"
        for method, target, data, content_type, client in (
                ("POST", "/api/image", form, kind, self.tenant), ("PUT", "/api/images/tenant/zip.png", form, kind, self.tenant),
                ("PUT", "/api/image/import", b"{}", json_kind, self.tenant),
                ("PUT", "/api/images/tenant/zip.png/info", b"{}", json_kind, self.tenant),
                ("PUT", "/api/images/tenant/zip.png/public/true", b"{}", json_kind, self.tenant),
                ("DELETE", "/api/images/tenant/zip.png", b"{}", json_kind, self.tenant),
                ("POST", "/api/auth/login", b"{}", json_kind, self.anonymous),
                ("POST", "/api/tenant", b"{}", json_kind, self.admin), ("POST", "/api/user", b"{}", json_kind, self.tenant),
                ("POST", "/api/customer", b"{}", json_kind, self.tenant),
                ("POST", "/api/apiKey", b"{}", json_kind, self.tenant)):
            for coding in ("gzip", "br", "identity, deflate"):
                with self.subTest(f"{method} {target} {coding}"):
                    answer = client.request(method, target, data, {"Content-Type": content_type, "Content-Encoding": coding})
                    self.assertError(415, 31, answer, "Content-Encoding", coding.split(", ")[-1])
        self.assertEqual(before, self.total())
        answer = self.tenant.request("POST", "/api/image", form, {"Content-Type": kind, "Content-Encoding": "identity"})
        self.assertStatus(200, answer)
        self.assertStatus(200, self.tenant.get("/api/images/tenant/zip.png", headers={"Content-Encoding": "gzip"}))


class Lists(AccountTest):
    """Of everything, in the order of Unicode's root collation where the accounts are sorted."""

    def test_a_page_of_any_size_is_all_images(self):
        for n in range(3):
            self.assertStatus(200, self.tenant.upload(f"list {n}.png", png(text=str(n))))
        everything = self.tenant.list(pageSize=100).json()
        for size in (1001, 2147483647, 2147483648, 9223372036854775807):
            page = self.assertStatus(200, self.tenant.list(pageSize=size)).json()
            self.assertEqual((everything["data"], 1, everything["totalElements"], False),
                             (page["data"], page["totalPages"], page["totalElements"], page["hasNext"]))
            page = self.assertStatus(200, self.tenant.list(pageSize=size, page=1)).json()
            self.assertEqual(([], everything["totalElements"], False), (page["data"], page["totalElements"], page["hasNext"]))

    def test_a_long_list_of_images_is_streamed_and_whole(self):
        count = 1005
        _, _, admin = self.tenant_with_admin()
        admin.keep = True
        keys = [f"many {n:04}.png" for n in range(count)]
        for key in keys:
            self.assertStatus(200, admin.upload(key, png(text="many")))
        target = "/api/images?page=0&sortProperty=resourceKey&pageSize=2147483647"
        answer = self.assertStatus(200, admin.get(target, headers={"Origin": "https://elsewhere.example"}))
        page = answer.json()
        self.assertEqual(keys, [image["resourceKey"] for image in page["data"]])
        self.assertEqual((1, count, False), (page["totalPages"], page["totalElements"], page["hasNext"]))
        self.assertEqual("chunked", answer.header("Transfer-Encoding"))
        self.assertEqual("*", answer.header("Access-Control-Allow-Origin"))
        self.assertEqual(admin.info(keys[-1]).json(), page["data"][-1])
        error = self.anonymous.get(target)
        self.assertError(401, 10, error)
        self.assertTrue(error.header("X-Request-ID"))

    def test_other_sub_types_have_no_images(self):
        for sub_type in ("EXTENSION", "MODULE"):
            page = self.assertStatus(200, self.tenant.list(imageSubType=sub_type)).json()
            self.assertEqual({"data": [], "totalPages": 0, "totalElements": 0, "hasNext": False}, page)
            self.assertError(403, 20, self.customer.list(imageSubType=sub_type))
            self.assertError(400, 31, self.tenant.list(imageSubType=sub_type, pageSize=0))
            self.assertError(400, 31, self.tenant.upload("x.png", png(), sub_type=sub_type))

    def test_booleans_as_spring_takes_them(self):
        for value in ("1", "yes", "on", "YES", "TRUE", ""):
            self.assertStatus(200, self.tenant.list(includeSystemImages=value))
        with_system = self.tenant.list(pageSize=1, includeSystemImages="true").json()["totalElements"]
        for value, expected in (("On", with_system), ("off", self.total()), ("no", self.total()), ("0", self.total())):
            self.assertEqual(expected, self.tenant.list(pageSize=1, includeSystemImages=value).json()["totalElements"])

    def test_a_long_list_of_accounts_is_streamed_and_whole(self):
        count = 1203
        _, _, admin = self.tenant_with_admin()
        for n in range(count):
            self.assertStatus(200, admin.post("/api/customer", {"title": f"c {n:04}"}))
        titles = [f"c {n:04}" for n in range(count)]
        target = "/api/customers?page=0&sortProperty=title&pageSize="
        answer = self.assertStatus(200, admin.get(target + "2147483647"))
        page = answer.json()
        self.assertEqual(titles, [c["title"] for c in page["data"]])
        self.assertEqual((1, count, False), (page["totalPages"], page["totalElements"], page["hasNext"]))
        self.assertEqual("chunked", answer.header("Transfer-Encoding"))
        self.assertIsNone(answer.header("Content-Length"))
        head = admin.request("HEAD", target + "2147483647")
        self.assertEqual((200, b""), (head.status, head.body))
        part = admin.get("/api/customers?page=1&sortProperty=title&pageSize=1100").json()
        self.assertEqual((titles[1100:], 2, False), ([c["title"] for c in part["data"]], part["totalPages"], part["hasNext"]))
        # To a client of HTTP/1.0 the end of the connection is the end of the list.
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as client:
            client.sendall(f"GET {target}5000 HTTP/1.0\r\nX-Authorization: Bearer {admin.token}\r\n\r\n".encode())
            received = b""
            while data := client.recv(1 << 16):
                received += data
        head, body = received.split(b"\r\n\r\n", 1)
        self.assertNotIn(b"Transfer-Encoding", head)
        self.assertEqual(page, json.loads(body))

    def test_accounts_are_sorted_by_the_root_collation(self):
        _, _, admin = self.tenant_with_admin()
        titles = ["Zebra", "\u00c4pfel", "apfel", "Apfel", "_x", "banane", "10", "7"]
        for title in titles:
            self.assertStatus(200, admin.post("/api/customer", {"title": title}))
        got = admin.get("/api/customers?page=0&pageSize=20&sortProperty=title").json()
        self.assertEqual(["_x", "10", "7", "apfel", "Apfel", "\u00c4pfel", "banane", "Zebra"],
                         [c["title"] for c in got["data"]])


if __name__ == "__main__":
    unittest.main()
