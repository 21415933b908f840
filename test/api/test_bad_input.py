# SPDX-License-Identifier: Apache-2.0
"""Requests that are malformed: JSON, base64, multipart, UTF-8, parameters, keys, lengths. Each has its status and a
text that says what is wrong, stores nothing, and leaves the server as well as it was."""
import base64
import json
import re
import socket
import unittest

from harness import SYSTEM_TENANT, export_document, multipart, png, quote
from unharmed import Unharmed, parse, read_all

MIB = 1024 * 1024
LIMIT = 50 * MIB


class MalformedDocuments(Unharmed):
    def send(self, method, target, data, kind="application/json", client=None):
        return (client or self.tenant).request(method, target, data, {"Content-Type": kind})

    def test_malformed_json(self):
        self.assertStatus(200, self.tenant.upload("json.png", png(text="json")))
        routes = [("PUT", "/api/image/import", self.tenant), ("PUT", "/api/images/tenant/json.png/info", self.tenant),
                  ("POST", "/api/auth/login", self.anonymous), ("POST", "/api/auth/token", self.anonymous),
                  ("PUT", "/api/image/import", self.admin)]
        bodies = [b"", b" ", b"{", b"}", b"[]", b"null", b"5", b'"text"', b"{]", b"{'data': 1}", b'{"a" 1}', b'{"a":}',
                  b'{"a":1,}', b'{"a":1}{', b'{"a":1} x', b'{"a":01}', b'{"a":1e}', b'{"a":nul}', b'{"a":"\n"}',
                  b'{"a":"\\x"}', b'{"a":"\\u12"}', b'{"a":"unended', b"\0", b"\xef\xbb\xbf{}", b'{"a":"\0"}',
                  b'{"a":' * 2000, b"[" * 60_000, b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}',
                  b'{"\xff":1}', '{"a":"x"}'.encode("utf-16")]
        with self.nothing_is_stored():
            for method, target, client in routes:
                for data in bodies:
                    with self.subTest(f"{method} {target} {data[:20]!r}"):
                        answer = self.send(method, target, data, client=client)
                        error = self.assertError(400, 31, answer)
                        self.assertRegex(error["message"], "JSON|field")

    def test_malformed_base64(self):
        good = base64.b64encode(png(text="base64")).decode()
        cases = [("", "empty"), ("!!!!", "base64"), (good[:-2] + "=A", "base64"), (good + "=", "base64"),
                 ("=" + good[1:], "base64"), (good[:40] + "é" + good[41:], "base64"),
                 (good[:40] + "\0" + good[41:], "base64"), (good[:41] + "==" + good[43:], "base64"),
                 ("data:image/png," + good, "base64"), ("data:image/png;base64" + good, "base64"),
                 (good + "data:,", "base64"), ("AAAA" * 30, "not an image")]
        with self.nothing_is_stored():
            for text, word in cases:
                with self.subTest(text[:30]):
                    document = {**export_document("base64.png", b""), "data": text}
                    self.assertError(400, 31, self.tenant.put("/api/image/import", document), word)
            for value in (None, 5, True, [good], {"data": good}):
                with self.subTest(str(value)[:20]):
                    document = {**export_document("base64.png", b""), "data": value}
                    self.assertError(400, 31, self.tenant.put("/api/image/import", document), "data")
            document = export_document("base64.png", b"")
            del document["data"]
            self.assertError(400, 31, self.tenant.put("/api/image/import", document), "data")

    def test_imports_with_fields_out_of_range(self):
        good = export_document("field.png", png(text="field"))
        cases = [({"title": "x" * 256}, "255"), ({"title": "a\u0000b"}, "control"), ({"title": "\u0085"}, "control"),
                 ({"resourceKey": "x" * 256}, "255"), ({"fileName": "y" * 256}, "255"), ({"title": "x" * 9000}, "8192"),
                 ({"resourceKey": "", "fileName": ""}, "empty"), ({"subType": "POSTER"}, "SCADA_SYMBOL"),
                 ({"subType": "image"}, "SCADA_SYMBOL"), ({"type": "LWM2M_MODEL"}, "IMAGE"),
                 ({"type": "image"}, "IMAGE"), ({"title": "\ud800"}, "JSON")]
        with self.nothing_is_stored():
            for change, word in cases:
                with self.subTest(str(change)[:40]):
                    self.assertError(400, 31, self.tenant.put("/api/image/import", {**good, **change}), word)
            for kind in ("text/plain", "multipart/form-data", "application/xml", "", "application/jsonp"):
                answer = self.send("PUT", "/api/image/import", json.dumps(good).encode(), kind)
                self.assertError(415, 31, answer, "json")

    def test_texts_that_are_no_utf_8(self):
        with self.nothing_is_stored():
            for bad in (b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"):
                with self.subTest(bad):
                    parts = [("file", "x.png", None, png()), ("title", None, None, b"title " + bad)]
                    self.assertError(400, 31, self.tenant.multipart("POST", "/api/image", parts), "UTF-8")
                    body, kind = multipart([("file", "x.png", None, png())])
                    body = body.replace(b'name="file"', b'name="file' + bad + b'"')
                    self.assertError(400, 31, self.send("POST", "/api/image", body, kind), "UTF-8")
                    key = "".join(f"%{b:02x}" for b in bad)
                    for answer in (self.tenant.get(f"/api/images/tenant/{key}"),
                                   self.tenant.delete(f"/api/images/tenant/{key}"),
                                   self.tenant.put(f"/api/images/tenant/{key}/info", {"title": "x"}),
                                   self.tenant.get(f"/api/images?pageSize=1&page=0&textSearch={key}")):
                        self.assertError(400, 31, answer, "UTF-8")


class MalformedForms(Unharmed):
    def form(self, parts, change=None, kind=None, method="POST", target="/api/image", client=None):
        body, own_kind = multipart(parts)
        boundary = own_kind.split("boundary=")[1].encode()
        if change:
            body = change(body, boundary)
        return (client or self.tenant).request(method, target, body, {"Content-Type": kind or own_kind})

    def test_malformed_multipart(self):
        parts = [("title", None, None, b"a title"), ("file", "form.png", "image/png", png(text="form"))]
        long_head = b"X-Long: " + b"y" * 70_000 + b"\r\n"
        field = b'\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
        cases = [
            (lambda b, d: b"", "boundary"), (lambda b, d: b"no form at all", "boundary"),
            (lambda b, d: b.replace(d, b"other"), "boundary"), (lambda b, d: b[:60], "closing boundary"),
            (lambda b, d: b[:-8], "closing boundary"), (lambda b, d: b[:-len(d) - 8], "closing boundary"),
            (lambda b, d: b.replace(b"--" + d + b"\r\n", b"--" + d + b"junk\r\n", 1), "boundary"),
            (lambda b, d: b.replace(b"form-data", b"attachment"), "Content-Disposition"),
            (lambda b, d: b.replace(b'; name="file"', b""), "name"),
            (lambda b, d: b.replace(b"Content-Disposition:", b"X-Disposition:"), "Content-Disposition"),
            (lambda b, d: b.replace(b"Content-Disposition:", b"Content-Disposition"), "name"),
            (lambda b, d: b.replace(b'name="file"', b'name="file'), "Content-Disposition"),
            (lambda b, d: b.replace(b"Content-Type: image/png\r\n", long_head), "bytes"),
            (lambda b, d: b.replace(b"Content-Type: image/png", b"Content-Transfer-Encoding: base64"), "binary"),
            (lambda b, d: b.replace(b"form.png", b"fo\x01rm.png"), "control"),
            (lambda b, d: (b"--" + d + field) * 3000 + b, "parts"),
            (lambda b, d: b.replace(b"\r\n", b"\n"), "boundary"),
        ]
        with self.nothing_is_stored():
            for number, (change, word) in enumerate(cases):
                with self.subTest(number):
                    self.assertError(400, 31, self.form(parts, change), word)

    def test_a_content_type_that_is_none_of_a_form(self):
        parts = [("file", "type.png", "image/png", png(text="type"))]
        with self.nothing_is_stored():
            for kind in ("image/png", "application/json", "application/x-www-form-urlencoded", "multipart/mixed",
                         "multipart/form-datas; boundary=x", "text/plain", "garbage", "multipart/;boundary=x"):
                with self.subTest(kind):
                    self.assertError(415, 31, self.form(parts, kind=kind), "multipart/form-data")
            body, _ = multipart(parts)
            self.assertError(415, 31, self.tenant.request("POST", "/api/image", body), "multipart/form-data")
            for kind in ("multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary=""',
                         "multipart/form-data; boundary=" + "x" * 71, 'multipart/form-data; boundary="a\\"b"'):
                with self.subTest(kind):
                    self.assertError(400, 31, self.form(parts, kind=kind), "boundary")

    def test_missing_and_repeated_parts(self):
        file, title = ("file", "parts.png", None, png(text="parts")), ("title", None, None, b"t")
        sub_type = ("imageSubType", None, None, b"IMAGE")
        self.assertStatus(200, self.tenant.upload("replaced.png", png(text="replaced")))
        cases = [([title], "file"), ([], ""), ([sub_type, title], "file"), ([("file", None, None, png())], "file"),
                 ([("File", "x.png", None, png())], "file"), ([("file", "", None, png())], "file"),
                 ([("file", "C:\\x\\", None, png())], "file"),
                 ([("file", "empty.png", None, b"")], "empty"), ([file, ("title", None, None, b"x" * 256)], "255"),
                 ([file, ("title", None, None, b"x" * 9000)], "title"),
                 ([file, ("imageSubType", None, None, b"POSTER")], "imageSubType"),
                 ([file, ("imageSubType", None, None, b"image")], "imageSubType"),
                 ([file, ("imageSubType", None, None, b"\xff")], "imageSubType")]
        with self.nothing_is_stored():
            for parts, word in cases:
                with self.subTest([p[0] for p in parts]):
                    self.assertError(400, 31, self.form(parts), word)
            empty = ("file", "e.png", None, b"")
            for parts, word in (([title], "file"), ([empty, file], "empty"), ([empty], "empty")):
                answer = self.form(parts, method="PUT", target="/api/images/tenant/replaced.png")
                self.assertError(400, 31, answer, word)


class ParametersAndKeys(Unharmed):
    def test_every_query_parameter_out_of_range(self):
        good = "pageSize=10&page=0"
        numbers = ("", "0.5", "x", "1e3", "0x10", "+1", "%201", "%2B1", "99999999999999999999",
                   "-99999999999999999999", "%00", "NaN", "1,0", "%D9%A1")
        cases = [("", "pageSize"), ("pageSize=10", "page"), ("page=0", "pageSize"), ("pageSize&page=0", "pageSize"),
                 ("pageSize=0&page=0", "pageSize"), ("pageSize=-1&page=0", "pageSize"),
                 ("pageSize=9223372036854775808&page=0", "pageSize"),
                 ("pageSize=10&page=-1", "page"), ("pageSize=10&page=2147483648", "page"),
                 ("PAGESIZE=10&page=0", "pageSize"),
                 (good + "&sortProperty=colour", "sortProperty"), (good + "&sortProperty=CREATEDTIME", "sortProperty"),
                 (good + "&sortProperty=id;drop", "sortProperty"), (good + "&sortOrder=UP", "sortOrder"),
                 (good + "&sortOrder=ASC%20DESC", "sortOrder"),
                 (good + "&includeSystemImages=perhaps", "true or false"),
                 (good + "&includeSystemImages=2", "true or false"), (good + "&imageSubType=POSTER", "imageSubType"),
                 (good + "&imageSubType=image", "imageSubType"), (good + "&textSearch=%zz", "textSearch"),
                 (good + "&textSearch=%", "textSearch"), (good + "&textSearch=%f", "textSearch")]
        cases += [(f"pageSize={n}&page=0", "pageSize") for n in numbers]
        cases += [(f"pageSize=10&page={n}", "page") for n in numbers]
        with self.nothing_is_stored():
            for query, word in cases:
                with self.subTest(query):
                    self.assertError(400, 31, self.tenant.get("/api/images?" + query), word)
            self.assertError(400, 31, self.tenant.delete("/api/images/tenant/x.png?force=perhaps"), "force")
            self.assertError(400, 31, self.tenant.post("/api/auth/logout?everywhere=perhaps"), "everywhere")

    def test_every_path_parameter_out_of_range(self):
        name = self.assertStatus(200, self.tenant.upload("path.png", png(text="path"))).json()["resourceKey"]
        with self.nothing_is_stored():
            for kind in ("planet", "TENANT", "Tenant", "tenant%20", "customer", "13814000-1dd2-11b2-8080-808080808080"):
                for suffix in ("", "/preview", "/info", "/export"):
                    self.assertError(400, 31, self.tenant.image(name, kind, suffix), "tenant", "system")
                for answer in (self.tenant.delete(f"/api/images/{kind}/{name}"),
                               self.tenant.replace(name, "x.png", png(), kind),
                               self.tenant.put(f"/api/images/{kind}/{name}/info", {"title": "x"}),
                               self.tenant.put(f"/api/images/{kind}/{name}/public/true")):
                    self.assertError(400, 31, answer, "tenant", "system")
            for value in ("maybe", "2", "truth", "%74rue%00", "null"):
                answer = self.tenant.put(f"/api/images/tenant/{name}/public/{value}")
                self.assertError(400, 31, answer, "true or", "false")
            for key in ("x", "a" * 31, "a" * 33, "a" * 31 + "-", "%2e%2e%2f" * 4, "ä" * 32, "a%00b", "a" * 5000):
                path = "/api/images/public/" + (key if "%" in key else quote(key))
                self.assertError(404, 32, self.anonymous.get(path))

    def test_keys_that_would_be_paths(self):
        canary = self.server.data / "data" / "canary.png"
        canary.write_bytes(png(text="canary"))
        names = ["../../etc/passwd", "..", ".", "/etc/passwd", "..\\..\\x", "C:\\x.png", "a/b.png", "a\\b", "a\0b",
                 "a\nb", "a\rb", "a\x1b[31mb", "a\x7fb", "\u0085", "x" * 256, "ü" * 256]
        raw = ["..%2F..%2Fetc%2Fpasswd", "%2e%2e%2f", "%2e%2e%2fcanary.png", "a%00b", "%2e%2e", "%2e", "a%0ab",
               "a%0d%0ab", "%2e%2e%5ccanary.png", "..%2Fcanary.png", "%252e%252e%252f",
               "%c0%ae%c0%ae%c0%af", "%2Fetc%2Fpasswd"]
        with self.nothing_is_stored():
            for name in names:
                with self.subTest(repr(name[:20])):
                    document = export_document("good.png", png())
                    for fields in (("resourceKey", "fileName"), ("resourceKey",), ("fileName",)):
                        bad = {**document, **dict.fromkeys(fields, name)}
                        self.assertError(400, 31, self.tenant.put("/api/image/import", bad))
                    last = re.split(r"[/\\]", name)[-1]
                    if last not in (name, "", ".", ".."):
                        continue  # the directory in front of a form's file name is cut off
                    self.assertError(400, 31, self.tenant.upload(name, png()))
                    if "\n" not in name and "\r" not in name and "\0" not in name:
                        self.assertError(400, 31, self.tenant.upload(name, png(), title="a good title"))
            for key in raw:
                with self.subTest(key):
                    path = "/api/images/tenant/" + key
                    for answer in (self.tenant.get(path), self.tenant.get(path + "/preview"),
                                   self.tenant.get(path + "/info"), self.tenant.get(path + "/export"),
                                   self.tenant.delete(path), self.tenant.put(path + "/info", {"title": "x"}),
                                   self.tenant.put(path + "/public/true"),
                                   self.tenant.multipart("PUT", path, [("file", "x.png", None, png())])):
                        self.assertIn(answer.status, (400, 404), answer)
                        self.assertError(answer.status, 31 if answer.status == 400 else 32, answer)
                        self.assertNotIn(b"root:", answer.body)
            for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd",
                         "/assets/..%2f..%2fx",
                         "/api/images/tenant/../../../etc/passwd", "//etc/passwd", "/index.html%00.png"):
                with self.subTest(path):
                    answer = self.anonymous.get(path)
                    self.assertNotIn(b"root:", answer.body)
                    self.assertIn(answer.status, (200, 400, 401, 404))  # 200: the console's own page
        self.assertEqual(png(text="canary"), canary.read_bytes())

    def test_an_import_with_another_tenants_public_key_reveals_nothing(self):
        theirs = self.assertStatus(200, self.admin.upload("theirs.png", png(text="theirs"))).json()
        hidden = self.assertStatus(200, self.admin.upload("hidden.png", png(text="hidden"))).json()
        self.assertStatus(200, self.admin.put("/api/images/system/hidden.png/public/false"))
        before = self.contents()["system", "IMAGE"]
        answers = []
        for i, key in enumerate((theirs["publicResourceKey"], hidden["publicResourceKey"], "Q" * 32)):
            mine = png(text=f"mine {i}")
            info = self.assertStatus(200, self.tenant.put("/api/image/import", export_document(
                f"clash-{i}.png", mine, publicResourceKey=key))).json()
            self.assertNotEqual(SYSTEM_TENANT, info["tenantId"]["id"])
            self.assertEqual(key == "Q" * 32, key == info["publicResourceKey"])
            self.assertRegex(info["publicResourceKey"], "^[0-9A-Za-z]{32}$")
            self.assertEqual(mine, self.anonymous.get(info["publicLink"]).body)
            answers.append(sorted(info))
        # Taken, taken and not public, free: the answers have the same shape, and the others' image stays theirs.
        self.assertEqual(1, len(set(map(tuple, answers))))
        self.assertEqual(png(text="theirs"), self.anonymous.get(theirs["publicLink"]).body)
        self.assertError(404, 32, self.anonymous.get(hidden["publicLink"]))
        self.assertEqual(before, self.contents()["system", "IMAGE"])
        self.assert_healthy()


class Lengths(Unharmed):
    environment = {"HTTP_BODY_TIMEOUT": "2s"}

    def upload_bytes(self, name="lengths.png", data=None):
        return multipart([("file", name, "image/png", data or png(text="lengths"))])

    def test_a_length_that_lies(self):
        body, kind = self.upload_bytes()
        with self.nothing_is_stored():
            shorter = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body) - 20}")
            self.assertRawError(400, 31, self.raw(shorter + body), "closing boundary")
            longer = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body) + 20}")
            self.assertRawError(400, 31, self.raw(longer + body), "closed before the end")
            self.assertRawError(408, 31, self.raw(longer + body, end=False), "in time")
            for value in ("-1", "x", "", "1e3", "0x10", "+5", "99999999999999999999", "5, 6", " "):
                with self.subTest(value):
                    head = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {value}")
                    self.assertRawError(400, 31, self.raw(head + body), "Content-Length")
            twice = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
                              f"Content-Length: {len(body)}")
            self.assertRawError(400, 31, self.raw(twice + body), "Content-Length")
            both = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
                             "Transfer-Encoding: chunked")
            self.assertRawError(400, 31, self.raw(both + body), "Transfer-Encoding")

    def test_broken_chunks(self):
        body, kind = self.upload_bytes()
        head = self.head("POST", "/api/image", f"Content-Type: {kind}", "Transfer-Encoding: chunked")
        whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        with self.nothing_is_stored():
            for sent in (b"zz\r\n" + body, b"-5\r\n" + body, b"%x\r\n%bXX0\r\n\r\n" % (len(body), body),
                         b"fffffffffffffffff\r\n" + body, b"\r\n" + whole, b"%x;%b\r\n" % (len(body), b"y" * 70_000)):
                with self.subTest(sent[:12]):
                    self.assertRawError(400, 31, self.raw(head + sent), "chunked")
            for cut in (1, 4, len(whole) // 2, len(whole) - 8, len(whole) - 1):
                with self.subTest(cut):
                    self.assertRawError(400, 31, self.raw(head + whole[:cut]), "closed before the end")
            self.assertRawError(400, 31, self.raw(head + b"0\r\n\r\n"), "boundary")
            for coding in ("gzip, chunked", "chunked, gzip", "identity", "chunked, chunked", "x"):
                with self.subTest(coding):
                    other = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Transfer-Encoding: {coding}")
                    answer = parse(self.raw(other + whole))
                    self.assertError(501 if coding == "gzip, chunked" else 400, 31, answer, "chunked")

    def test_one_byte_more_than_may_be_is_refused_before_it_is_read(self):
        over = LIMIT + 1
        with self.nothing_is_stored():
            for expect in ((), ("Expect: 100-continue",)):
                for method, target in (("POST", "/api/image"), ("PUT", "/api/image/import"),
                                       ("PUT", "/api/images/tenant/x.png")):
                    is_import = target.endswith("import")
                    length = over // 3 * 4 + 100_000 if is_import else over + 100_000
                    kind = "application/json" if is_import else "multipart/form-data; boundary=x"
                    if target.endswith("x.png"):
                        self.tenant.upload("x.png", png(text="x"))
                    head = self.head(method, target, f"Content-Type: {kind}", f"Content-Length: {length}", *expect)
                    with self.subTest(f"{target} {expect}"):
                        answer = self.raw(head, end=False)  # not one byte of the body is sent
                        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:100])
                        self.assertRawError(413, 31, answer, str(LIMIT))
                    if target.endswith("x.png"):
                        self.tenant.delete("/api/images/tenant/x.png")

    def test_a_picture_of_one_byte_more_is_refused_and_of_the_limit_taken(self):
        base = len(png(text=""))
        over = png(text="x" * (LIMIT + 1 - base))
        self.assertEqual(LIMIT + 1, len(over))
        with self.nothing_is_stored():
            self.assertError(413, 31, self.tenant.upload("over.png", over), str(LIMIT))
            imported = self.tenant.put("/api/image/import", export_document("over.png", over))
            self.assertError(413, 31, imported, str(LIMIT))
            body, kind = self.upload_bytes("over.png", over)
            pieces = (body[i:i + MIB] for i in range(0, len(body), MIB))
            chunked = self.tenant.request("POST", "/api/image", pieces, {"Content-Type": kind})
            self.assertError(413, 31, chunked, str(LIMIT))
        self.assertStatus(200, self.tenant.upload("limit.png", png(text="x" * (LIMIT - base))))
        self.assertStatus(200, self.tenant.delete("/api/images/tenant/limit.png"))

    def test_what_may_not_be_uploaded_is_refused_before_the_client_is_asked_for_it(self):
        body, kind = self.upload_bytes()
        length, asks = f"Content-Length: {len(body)}", "Expect: 100-continue"
        with self.nothing_is_stored():
            head = self.head("POST", "/api/image", f"Content-Type: {kind}", length, asks, client=self.customer)
            self.assertRawError(403, 20, self.raw(head, end=False))
            head = self.head("POST", "/api/image", "Content-Type: image/png", length, asks)
            self.assertRawError(415, 31, self.raw(head, end=False))
            head = self.head("PUT", "/api/images/tenant/nobody.png", f"Content-Type: {kind}", length, asks)
            self.assertRawError(404, 32, self.raw(head, end=False))
            head = self.head("POST", "/api/image", f"Content-Type: {kind}", length, "Expect: the-moon")
            self.assertRawError(417, 31, self.raw(head, end=False))

    def test_a_client_that_waits_to_be_asked_is_asked(self):
        body, kind = self.upload_bytes("asked.png")
        head = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
                         "Expect: 100-continue", "Connection: close")
        with self.connected() as s:
            s.sendall(head)
            self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", s.recv(1000))
            s.sendall(body)
            self.assertEqual("asked.png", parse(read_all(s)).json()["resourceKey"])

    def test_slow_and_aborted_uploads_store_nothing(self):
        body, kind = self.upload_bytes()
        head = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body)}")
        with self.nothing_is_stored():
            for part in (0, 1, len(body) // 2, len(body) - 1):
                with self.connected() as s:  # gone in the middle
                    s.sendall(head + body[:part])
                with self.connected() as s:  # gone with a reset
                    s.sendall(head + body[:part])
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.assertRawError(408, 31, self.raw(head + body[:-1], end=False), "in time")
            # What aborted uploads held of the memory for uploads is given back.
            self.wait_until(lambda: self.measures("gallery_upload")["_bytes"] == 0)

    def wait_until(self, holds):
        for _ in range(100_000):
            if holds():
                return
        self.fail("it does not come to hold")


if __name__ == "__main__":
    unittest.main()
