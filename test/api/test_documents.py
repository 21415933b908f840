# SPDX-License-Identifier: Apache-2.0
"""Dashboards and other JSON documents: extracting their pictures, collecting and inlining their images."""
import base64
import concurrent.futures
import gzip
import json
import unittest
import uuid

from harness import Client, Server, ServerTest, free_port, png, scrape, sha256, testdata
from pictures import png_claiming
from shapes import validator

EXTRACT, COLLECT, INLINE = "/api/images/extract", "/api/images/collect", "/api/images/inline"
JSON = {"Content-Type": "application/json"}
TYPES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp", ".svg": "svg+xml",
         ".bmp": "bmp", ".ico": "x-icon", ".tif": "tiff", ".tiff": "tiff", ".avif": "avif"}


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def data_url(data, kind="png"):
    return f"data:image/{kind};base64,{b64(data)}"


def tb_image(key, title, data, kind="png", sub_type=None, etag=None):
    """As ThingsBoard writes it."""
    names = [b64(key), b64(title)] + ([b64(sub_type)] if sub_type else []) + ([etag] if etag else [])
    return f"tb-image:{':'.join(names)};{data_url(data, kind)}"


def unique_png(colour=(10, 20, 30)):
    return png(9, 7, colour, text=uuid.uuid4().hex)


class DocumentTest(ServerTest):
    def send(self, target, document, client=None, **kw):
        """A document as text, or a value that is written as JSON."""
        body = document if isinstance(document, (bytes, str)) else json.dumps(document)
        return (client or self.tenant).request("POST", target, body.encode() if isinstance(body, str) else body,
                                               JSON, **kw)

    def extract(self, document, client=None, target=EXTRACT):
        return self.assertStatus(200, self.send(target, document, client)).json()

    def count(self, client=None):
        return sum((client or self.tenant).list(imageSubType=kind).json()["totalElements"]
                   for kind in ("IMAGE", "SCADA_SYMBOL"))

    def bytes_of(self, link, client=None):
        """What a link in a document leads to."""
        self.assertTrue(link.startswith("tb-image;/api/images/"), link)
        _, _, _, kind, key = link.removeprefix("tb-image;").split("/")
        return self.assertStatus(200, (client or self.tenant).image(key, kind)).body


class Extract(DocumentTest):
    def test_real_pictures_of_every_format(self):
        files = testdata()
        document = {"title": "Formats", "pictures": {f.name: data_url(f.read_bytes(), TYPES[f.suffix]) for f in files}}
        answer = self.extract(document)
        self.assertEqual([], answer["left"])
        self.assertEqual(len({f.read_bytes() for f in files}), len(answer["images"]))
        for file in files:
            with self.subTest(file.name):
                self.assertEqual(file.read_bytes(), self.bytes_of(answer["document"]["pictures"][file.name]))
        self.assertLess(len(json.dumps(answer["document"])), len(json.dumps(document)) / 20)

    def test_the_forms_and_names_of_thingsboard(self):
        key, title = f"{uuid.uuid4().hex}.png", "Küche \"1\""
        data = unique_png()
        answer = self.extract({"name": "Floor", "widgets": {"w": {"image": tb_image(key, title, data, sub_type="SCADA_SYMBOL"),
                                                                  "again": "tb-image;" + data_url(data)}}})
        link = f"tb-image;/api/images/tenant/{key}"
        self.assertEqual({"name": "Floor", "widgets": {"w": {"image": link, "again": link}}}, answer["document"])
        self.assertEqual([{"created": True, "link": link.removeprefix("tb-image;"), "title": title, "fileName": key,
                           "subType": "SCADA_SYMBOL", "mediaType": "image/png", "size": len(data), "count": 2}],
                         answer["images"])
        info = self.tenant.info(key).json()
        self.assertEqual((title, key, "SCADA_SYMBOL", True), (info["title"], info["fileName"], info["resourceSubType"],
                                                              info["public"]))

    def test_names_are_made_of_the_document(self):
        mark = uuid.uuid4().hex
        answer = self.extract({"title": f"Plant {mark}", "configuration": {"backgroundImageUrl": data_url(unique_png(), "jpeg")}})
        (made,) = answer["images"]
        self.assertEqual((f"Plant {mark} backgroundImageUrl", f"plant_{mark}_backgroundimageurl.png", "image/png"),
                         (made["title"], made["fileName"], made["mediaType"]))

    def test_the_text_of_the_document_stays_as_it_is(self):
        picture = data_url(unique_png()).replace("/", "\\/")
        text = ('{ "z" : 1.0,\t"a":1e+2 ,"big":123456789012345678901234567890, "z":-0.0,\r\n "u":"\\u00e9\\/",'
                f'"picture":"{picture}" ,"empty":{{}}, "n":null}}\n')
        answer = self.assertStatus(200, self.send(EXTRACT, text))
        link = answer.json()["document"]["picture"]
        document = answer.body.decode().split('"document":', 1)[1][:-1]
        self.assertEqual(text.replace(picture, link), document)

    def test_the_same_bytes_are_stored_once(self):
        data, before = unique_png(), self.count()
        for created in (True, False, False):
            answer = self.extract([data_url(data), tb_image("another.png", "x", data), data_url(data, "gif")])
            self.assertEqual([(created, 3)], [(i["created"], i["count"]) for i in answer["images"]])
            self.assertEqual(1, len(set(answer["document"])))
        self.assertEqual(before + 1, self.count())

    def test_an_image_of_the_system_is_used(self):
        data = unique_png()
        key = f"{uuid.uuid4().hex}.png"
        self.assertStatus(200, self.admin.upload(key, data))
        before = self.count()
        answer = self.extract([data_url(data)])
        self.assertEqual([f"tb-image;/api/images/system/{key}"], answer["document"])
        self.assertEqual(before, self.count())
        # Of an own and a system image with the same bytes the own one is used.
        self.assertStatus(200, self.tenant.upload(key, data))
        self.assertEqual([f"tb-image;/api/images/tenant/{key}"], self.extract([data_url(data)])["document"])

    def test_a_compressed_drawing_is_stored_once(self):
        drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><desc>{uuid.uuid4()}</desc></svg>'.encode()
        answer = self.extract([data_url(gzip.compress(drawing), "svg+xml"), data_url(drawing, "svg+xml")])
        self.assertEqual(1, len(set(answer["document"])))
        self.assertEqual(drawing, self.bytes_of(answer["document"][0]))
        self.assertFalse(self.extract([data_url(gzip.compress(drawing, 1), "svg+xml")])["images"][0]["created"])

    def test_a_drawing_of_a_small_document_is_decoded_once(self):
        metrics = free_port()
        with Server(plugin="memory", environment={"METRICS_BIND_PORT": str(metrics)}) as server:
            tenant = Client(server, ("tenant@gallery.local", "demo-password-1"))

            def decoded():
                return scrape(metrics)["gallery_imaging_pictures_total", ()]

            drawing = ('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><radialGradient id="g">'
                       '<stop stop-color="red"/><stop offset="1" stop-color="blue"/></radialGradient>'
                       f'<rect width="300" height="300" fill="url(#g)"/><desc>{"x" * 20_000}</desc></svg>').encode()
            document, before = json.dumps([data_url(gzip.compress(drawing), "svg+xml")]), decoded()
            self.assertLess(len(document), 1_000)
            self.extract(document, tenant)
            self.assertEqual(before + 1, decoded())

    def test_an_etag_without_bytes(self):
        data = unique_png()
        link = self.extract([data_url(data)])["document"][0]
        known = tb_image("k.png", "t", b"", sub_type="IMAGE", etag=sha256(data))
        unknown = tb_image("k.png", "t", b"", sub_type="IMAGE", etag=sha256(b"nobody has this"))
        answer = self.extract({"a": known, "b": unknown})
        self.assertEqual({"a": link, "b": unknown}, answer["document"])
        self.assertEqual([{"path": "/b", "reason": "UNKNOWN_ETAG"}], answer["left"])

    def test_pictures_inside_longer_texts_stay_and_are_reported(self):
        document = {"css": f"a {{ background: url({data_url(unique_png())}) }}", "list": ["data:image/svg+xml,%3Csvg/%3E"]}
        answer = self.extract(document)
        self.assertEqual(document, answer["document"])
        self.assertEqual([{"path": "/css", "reason": "IN_TEXT"}, {"path": "/list/0", "reason": "NOT_BASE64"}], answer["left"])
        self.assertEqual([], answer["images"])

    def test_the_first_100_pictures_that_stay_are_reported(self):
        document = ["data:image/svg+xml,%3Csvg/%3E"] * 60
        document += [tb_image("k.png", "t", b"", sub_type="IMAGE", etag=sha256(f"nobody {i}".encode())) for i in range(60)]
        answer = self.extract(document)
        self.assertEqual(document, answer["document"])
        self.assertEqual(["NOT_BASE64"] * 60 + ["UNKNOWN_ETAG"] * 40, [each["reason"] for each in answer["left"]])

    def test_a_dry_run_stores_nothing(self):
        data, there, before = unique_png(), unique_png(), self.count()
        link = self.extract([data_url(there)])["document"][0].removeprefix("tb-image;")
        for _ in range(2):
            answer = self.extract([data_url(data), data_url(there)], target=EXTRACT + "?dryRun=true")
            self.assertEqual([(True, None), (False, link)], [(i["created"], i["link"]) for i in answer["images"]])
            self.assertNotIn("document", answer)
        self.assertEqual(before + 1, self.count())
        self.assertError(400, 31, self.send(EXTRACT + "?dryRun=true", [data_url(b"no picture")]))
        self.assertError(400, 31, self.send(EXTRACT + "?dryRun=maybe", []))

    def test_requests_at_the_same_time_store_a_picture_once(self):
        pictures, before = [unique_png() for _ in range(3)], self.count()
        clients = 8
        with concurrent.futures.ThreadPoolExecutor(clients) as threads:
            answers = list(threads.map(
                lambda i: self.extract([data_url(p) for p in (pictures if i % 2 else reversed(pictures))]), range(clients)))
        self.assertEqual(before + 3, self.count())
        self.assertEqual(1, len({frozenset(a["document"]) for a in answers}))
        self.assertEqual(3, sum(i["created"] for a in answers for i in a["images"]))

    def test_answers_have_the_described_shapes(self):
        described = self.anonymous.get("/v3/api-docs").json()
        answer = self.extract({"a": data_url(unique_png()), "b": "url(data:image/png;base64,AAAA)"})
        validator(described, "ExtractedDocument").validate(answer)
        validator(described, "ExtractedDocument").validate(
            self.extract([data_url(unique_png())], target=EXTRACT + "?dryRun=1"))
        links = [answer["document"]["a"], "tb-image;/api/images/tenant/missing.png"]
        validator(described, "CollectedImages").validate(self.assertStatus(200, self.send(COLLECT, links)).json())
        validator(described, "InlinedDocument").validate(self.assertStatus(200, self.send(INLINE, links)).json())

    def test_documents_without_pictures(self):
        for document in ("{}", "[]", "null", "1.50", '"text"', " [ ] ", '{"a":{"b":[]}}'):
            answer = self.assertStatus(200, self.send(EXTRACT, document))
            self.assertEqual('{"images":[],"left":[],"document":' + document + "}", answer.body.decode())

    def test_a_byte_order_mark_and_utf16(self):
        picture = data_url(unique_png())
        text = f'["é","{picture}"]'
        for body in (("\ufeff" + text).encode(), text.encode("utf-16")):
            answer = self.extract(body)
            self.assertEqual("é", answer["document"][0])
            self.assertTrue(answer["document"][1].startswith("tb-image;/api/"))


class Refusals(DocumentTest):
    def assertNothingStored(self, status, code, document, *words):
        before = self.count()
        self.assertError(status, code, self.send(EXTRACT, document), *words)
        self.assertEqual(before, self.count())

    def test_what_is_not_json(self):
        deep = "[" * 1000 + "]" * 1000
        for document in ("", " ", "{", "[1,]", '["data:image/png;base64,', '"\\x"', b'"\xff"', "[1] 2", deep, "[" * 1_000_000,
                         '{"a":' * 300 + "1" + "}" * 300):
            with self.subTest(document[:30]):
                for target in (EXTRACT, COLLECT, INLINE):
                    self.assertError(400, 31, self.send(target, document), "near byte")

    def test_nesting_up_to_the_limit(self):
        picture = unique_png()
        answer = self.extract("[" * 256 + f'"{data_url(picture)}"' + "]" * 256)
        self.assertEqual(1, len(answer["images"]))

    def test_one_refused_picture_refuses_the_document(self):
        good = data_url(unique_png())
        png_bytes = unique_png()
        for bad, word in ((data_url(b"%PDF-1.4 not a picture"), "PDF"), (data_url(png_bytes[:40]), "damaged"),
                          (data_url(png_claiming(100_000, 100_000)), "pixels"), ("data:image/png;base64,!!!!", "Base64"),
                          ("data:image/png;base64,iVBO", "image"), ("data:image/png;base64,", "empty")):
            with self.subTest(bad[:60]):
                self.assertNothingStored(400, 31, {"a": good, "b": {"c/d": ["x", bad]}}, "'/b/c~1d/1'", word)

    def test_a_lying_media_type_does_not_matter(self):
        data = unique_png()
        (made,) = self.extract([data_url(data, "svg+xml")])["images"]
        self.assertEqual("image/png", made["mediaType"])
        self.assertTrue(made["fileName"].endswith(".png"))

    def test_too_many_pictures(self):
        many = [data_url(b"%d" % i) for i in range(1001)]
        self.assertNothingStored(413, 31, many, "1000")
        self.assertNothingStored(413, 31, [data_url(unique_png())] * 10_001, "10000")
        links = [f"tb-image;/api/images/tenant/{i}.png" for i in range(1001)]
        for target in (COLLECT, INLINE):
            self.assertError(413, 31, self.send(target, links), "1000")
            self.assertError(413, 31, self.send(target, links[:1] * 10_001), "10000")

    def test_names_that_are_no_keys_are_not_used(self):
        for key in ("../../etc/passwd", "a/b.png", "x" * 300, "a\x00b", ".."):
            answer = self.extract({"title": "Names", "logo": tb_image(key, "t\n", unique_png())})
            self.assertTrue(answer["images"][0]["fileName"].startswith("names_logo"), answer)

    def test_roles(self):
        document = [data_url(unique_png())]
        for target in (EXTRACT, COLLECT, INLINE):
            self.assertError(403, 20, self.send(target, document, self.customer))
            self.assertError(401, 10, self.send(target, document, self.anonymous))
        own = self.extract(document)["document"][0]
        self.assertTrue(own.startswith("tb-image;/api/images/tenant/"))
        of_system = self.extract([data_url(unique_png())], self.admin)["document"][0]
        self.assertTrue(of_system.startswith("tb-image;/api/images/system/"))
        # A system administrator's "tenant" is the system, so that the tenant's image is none of its.
        self.assertEqual([own.removeprefix("tb-image;")],
                         self.assertStatus(200, self.send(COLLECT, [own], self.admin)).json()["missing"])

    def test_other_media_types_and_methods(self):
        self.assertError(415, 31, self.tenant.request("POST", EXTRACT, b"{}", {"Content-Type": "text/plain"}))
        for target in (EXTRACT, COLLECT, INLINE):
            answer = self.tenant.get(target)
            self.assertError(405, 31, answer)
            self.assertIn("POST", answer.header("Allow"))


class CollectAndInline(DocumentTest):
    def test_collected_images_can_be_imported_elsewhere(self):
        data = unique_png()
        key = f"{uuid.uuid4().hex}.png"
        self.tenant.upload(key, data, title="A title")
        link = f"tb-image;/api/images/tenant/{key}"
        answer = self.assertStatus(200, self.send(COLLECT, {"a": link, "b": [link, link + "/preview"], "c": f"/api/images/tenant/{key}",
                                                            "d": "tb-image;/api/images/system/none.png"})).json()
        self.assertEqual(["/api/images/system/none.png"], answer["missing"])
        self.assertEqual([self.tenant.image(key, suffix="/export").json()], answer["resources"])

    def test_inlining_is_the_reverse_of_extracting(self):
        files = [f for f in testdata() if f.stat().st_size < 200_000]
        document = {"title": "Round trip", "number": 1.50,
                    "pictures": [tb_image(f"{uuid.uuid4().hex}-{f.name}", f.stem, f.read_bytes(), TYPES[f.suffix], "IMAGE")
                                 for f in files]}
        # Other tests may have stored the same bytes under other keys: a tenant of its own.
        tenant = self.new_tenant()
        small = self.extract(document, tenant)
        back = self.assertStatus(200, self.send(INLINE, small["document"], tenant)).json()
        self.assertEqual([], back["missing"])
        for mine, theirs in zip(document["pictures"], back["document"]["pictures"]):
            self.assertEqual(mine.split(";")[0], theirs.split(";")[0])
            self.assertEqual(mine.split(",")[1], theirs.split(",")[1])
        self.assertEqual(document["number"], back["document"]["number"])
        again = self.extract(back["document"], tenant)
        self.assertEqual(small["document"], again["document"])
        self.assertFalse(any(i["created"] for i in again["images"]))

    def new_tenant(self):
        mark = uuid.uuid4().hex
        tenant = self.assertStatus(200, self.admin.post("/api/tenant", {"title": mark})).json()
        email = f"{mark}@example.com"
        user = self.assertStatus(200, self.admin.post("/api/user?sendActivationMail=false", {
            "email": email, "authority": "TENANT_ADMIN", "tenantId": tenant["id"]})).json()
        link = self.assertStatus(200, self.admin.get(f"/api/user/{user['id']['id']}/activationLink")).body.decode()
        token = link.strip().strip('"').split("activateToken=")[1]
        self.assertStatus(200, self.anonymous.post("/api/noauth/activate", {"activateToken": token, "password": "password-1-x"}))
        return self.server.client((email, "password-1-x"))

    def test_previews_and_missing_images(self):
        key = f"{uuid.uuid4().hex}.png"
        self.tenant.upload(key, png(600, 400, text=key))
        link = f"tb-image;/api/images/tenant/{key}/preview"
        answer = self.assertStatus(200, self.send(INLINE, [link, "tb-image;/api/images/tenant/missing.png"])).json()
        self.assertEqual(self.tenant.image(key, suffix="/preview").body, base64.b64decode(answer["document"][0].split(",")[1]))
        self.assertEqual("tb-image;/api/images/tenant/missing.png", answer["document"][1])
        self.assertEqual(["/api/images/tenant/missing.png"], answer["missing"])
        # Back again, while pictures with other names stay pictures of their own.
        (again,) = self.extract(answer["document"][:1])["images"]
        self.assertEqual((False, link.removeprefix("tb-image;")), (again["created"], again["link"]))
        (other,) = self.extract([answer["document"][0].split(";", 1)[1]])["images"]
        self.assertTrue(other["created"])

    def test_the_image_under_the_key_is_linked_to_again(self):
        data = unique_png()
        links = []
        for client, kind in ((self.tenant, "tenant"), (self.admin, "system"), (self.tenant, "tenant")):
            links.append(f"tb-image;/api/images/{kind}/{uuid.uuid4().hex}.png")
            self.assertStatus(200, client.upload(links[-1].split("/")[-1], data))
        for link in links:
            answer = self.assertStatus(200, self.send(INLINE, [link])).json()
            self.assertEqual([link], self.extract(answer["document"])["document"])

    def test_keys_that_need_care(self):
        data = unique_png()
        for key in ("a 'quoted' key.png", "100% Übergröße.png", "%2F.png"):
            with self.subTest(key):
                name = f"{uuid.uuid4().hex} {key}"
                self.assertStatus(200, self.tenant.upload(name, data))
                answer = self.assertStatus(200, self.send(INLINE, [f"tb-image;/api/images/tenant/{name}"])).json()
                self.assertEqual(data, base64.b64decode(answer["document"][0].split(",")[1]))
        # In a document the key may have been encoded once, as in a request.
        self.assertStatus(200, self.tenant.upload("with space.png", data))
        answer = self.assertStatus(200, self.send(INLINE, ["tb-image;/api/images/tenant/with%20space.png"])).json()
        self.assertEqual([], answer["missing"])

    def test_an_answer_over_the_limit_is_refused(self):
        with Server(plugin="memory", environment={
                "HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION": "/api/images/*=20000;/api/image*/**=1000000"}) as server:
            tenant = Client(server, ("tenant@gallery.local", "demo-password-1"))
            data = png(64, 64, text="x" * 7_000)
            tenant.upload("large.png", data)
            link = "tb-image;/api/images/tenant/large.png"
            self.assertStatus(200, self.send(INLINE, [link], tenant))
            self.assertError(413, 31, self.send(INLINE, [link] * 3, tenant), "20000")
            self.assertStatus(200, self.send(COLLECT, [link] * 3, tenant))
            # An export is in the answer once, whatever the words of the links, and the document is not in it.
            in_other_words = [link, link + "/preview", link.replace(".png", "%2Epng")]
            answer = self.assertStatus(200, self.send(COLLECT, [*in_other_words, "x" * 19_000], tenant)).json()
            self.assertEqual((1, []), (len(answer["resources"]), answer["missing"]))
            self.assertError(413, 31, self.send(EXTRACT, '"' + "x" * 20_000 + '"', tenant), "20000")
            self.assertStatus(200, self.send(EXTRACT, [data_url(data)], tenant))

    def test_an_answer_needs_more_than_a_tenants_part_of_the_memory(self):
        with Server(plugin="memory", environment={"HTTP_UPLOAD_MEMORY": "1MiB", "HTTP_UPLOAD_WAIT": "60s"}) as server:
            tenant = Client(server, ("tenant@gallery.local", "demo-password-1"))
            data = png(64, 64, text="x" * 250_000)
            self.assertStatus(200, tenant.upload("large.png", data))
            document = ["tb-image;/api/images/tenant/large.png", "y" * 350_000]
            answer = self.assertStatus(200, self.send(INLINE, document, tenant)).json()
            self.assertEqual(data, base64.b64decode(answer["document"][0].split(",")[1]))

    def test_pictures_have_the_limit_of_uploads(self):
        with Server(plugin="memory", environment={"MAX_RESOURCE_SIZE": "5000"}) as server:
            tenant = Client(server, ("tenant@gallery.local", "demo-password-1"))
            document = {"a": data_url(png(8, 8, text="y" * 4_000)), "b": data_url(png(8, 8, text="x" * 5_000))}
            before = self.count(tenant)
            self.assertError(413, 31, self.send(EXTRACT, document, tenant), "'/b'", "5000")
            self.assertEqual(before, self.count(tenant))


if __name__ == "__main__":
    unittest.main()
