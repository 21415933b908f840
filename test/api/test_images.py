# SPDX-License-Identifier: Apache-2.0
"""The image API as ThingsBoard's clients use it."""
import base64
import concurrent.futures
import json
import unittest
import uuid

from harness import (Client, CUSTOMER, SYSADMIN, SYSTEM_TENANT, TENANT, Server, ServerTest, export_document,
                     multipart, png, quote, sha256, testdata)
from shapes import Shaped


class Images(Shaped):
    def upload(self, name, data=None, client=None, **kw):
        return self.assertStatus(200, (client or self.tenant).upload(name, data or png(text=name), **kw)).json()

    # ---- upload --------------------------------------------------------------------------------

    def test_an_upload_answers_with_the_whole_resource_info(self):
        data = png(12, 7, text="whole info")
        info = self.upload("whole info.png", data)
        self.assertEqual({"id", "createdTime", "tenantId", "title", "resourceType", "resourceSubType", "resourceKey",
                          "public", "publicResourceKey", "etag", "fileName", "descriptor", "externalId", "name",
                          "link", "publicLink"}, set(info))
        self.assertEqual("TB_RESOURCE", info["id"]["entityType"])
        self.assertEqual("TENANT", info["tenantId"]["entityType"])
        for field in ("title", "name", "resourceKey", "fileName"):
            self.assertEqual("whole info.png", info[field])
        self.assertEqual(("IMAGE", "IMAGE", True, None),
                         (info["resourceType"], info["resourceSubType"], info["public"], info["externalId"]))
        self.assertEqual(sha256(data), info["etag"])
        self.assertRegex(info["publicResourceKey"], "^[0-9A-Za-z]{32}$")
        self.assertEqual("/api/images/public/" + info["publicResourceKey"], info["publicLink"])
        self.assertEqual("/api/images/tenant/whole info.png", info["link"])
        descriptor = info["descriptor"]
        preview = descriptor.pop("previewDescriptor")
        self.assertEqual({"mediaType": "image/png", "width": 12, "height": 7, "size": len(data),
                          "etag": sha256(data)}, descriptor)
        self.assertEqual(descriptor, preview)  # so small a PNG is its own preview

    def test_the_title_is_taken_from_the_form_and_the_file_name_stays(self):
        info = self.upload("titled.png", title="A title — with ünïcode")
        self.assertEqual("A title — with ünïcode", info["title"])
        self.assertEqual("titled.png", info["fileName"])
        self.assertEqual("titled.png", info["resourceKey"])

    def test_parts_come_in_any_order(self):
        answer = self.tenant.multipart("POST", "/api/image", [
            ("imageSubType", None, None, b"IMAGE"), ("title", None, "text/plain;charset=UTF-8", b"first"),
            ("file", "order.png", "image/png", png(text="order"))])
        self.assertEqual("first", self.assertStatus(200, answer).json()["title"])

    def test_a_chunked_upload_is_taken(self):
        body, content_type = multipart([("file", "chunked.png", "image/png", png(text="chunked"))])
        pieces = (body[i:i + 17] for i in range(0, len(body), 17))
        answer = self.tenant.request("POST", "/api/image", pieces, {"Content-Type": content_type})
        self.assertStatus(200, answer)

    def test_the_declared_type_is_only_a_hint(self):
        info = self.upload("lying.svg", png(text="lying"), media_type="image/svg+xml")
        self.assertEqual("image/png", info["descriptor"]["mediaType"])

    def test_a_taken_name_is_numbered(self):
        keys = [self.upload("numbered.tar.png", png(text=str(i)))["resourceKey"] for i in range(3)]
        self.assertEqual(["numbered.tar.png", "numbered.tar_(1).png", "numbered.tar_(2).png"], keys)
        infos = [self.tenant.info(key).json() for key in keys]
        self.assertEqual({"numbered.tar.png"}, {i["fileName"] for i in infos} | {i["title"] for i in infos})

    def test_simultaneous_uploads_of_one_name_get_keys_without_a_gap(self):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda i: self.tenant.upload("logo.png", png(text=f"logo {i}")), range(16)))
        keys = {self.assertStatus(200, a).json()["resourceKey"] for a in answers}
        self.assertEqual({"logo.png"} | {f"logo_({i}).png" for i in range(1, 16)}, keys)
        listed = {i["resourceKey"] for i in self.tenant.list(textSearch="logo.png").json()["data"]}
        self.assertEqual(keys, listed)

    def test_a_name_of_255_characters_is_a_key_and_is_shortened_when_numbered(self):
        name = "ü" * 251 + ".png"
        self.assertEqual(name, self.upload(name)["resourceKey"])
        second = self.upload(name, png(text="again"))
        self.assertEqual("ü" * 247 + "_(1).png", second["resourceKey"])
        self.assertEqual(name, second["fileName"])

    # ---- download, etag, replace, delete ---------------------------------------------------------

    def test_real_pictures_round_trip(self):
        for path in testdata():
            with self.subTest(path.name):
                data = path.read_bytes()
                info = self.upload(path.name, data)
                key = info["resourceKey"]
                got = self.assertStatus(200, self.tenant.image(key))
                self.assertEqual(data, got.body)
                self.assertEqual(f'"{sha256(data)}"', got.header("ETag"))
                self.assertEqual(info["descriptor"]["mediaType"], got.header("Content-Type"))
                again = self.tenant.image(key, headers={"If-None-Match": got.header("ETag")})
                self.assertEqual((304, b""), (again.status, again.body))
                self.assertEqual(200, self.tenant.image(key, headers={"If-None-Match": '"other"'}).status)
                found = self.tenant.list(textSearch=path.name.upper()).json()["data"]
                self.assertIn(key, {i["resourceKey"] for i in found})
                replaced = png(text="instead of " + path.name)
                after = self.assertStatus(200, self.tenant.replace(key, "new.png", replaced)).json()
                for field in ("id", "createdTime", "title", "resourceKey", "publicResourceKey", "link", "publicLink"):
                    self.assertEqual(info[field], after[field])
                self.assertEqual(("new.png", sha256(replaced)), (after["fileName"], after["etag"]))
                stale = self.tenant.image(key, headers={"If-None-Match": got.header("ETag")})
                self.assertEqual((200, replaced), (stale.status, stale.body))
                self.assertEqual({"success": True, "references": None}, self.tenant.delete(
                    "/api/images/tenant/" + quote(key), body=b"{}").json())
                self.assertError(404, 32, self.tenant.image(key))

    def test_a_corrupt_picture_is_refused_and_not_stored(self):
        before = self.total()
        for path in sorted(testdata("invalid")[0].iterdir()):
            with self.subTest(path.name):
                self.assertError(400, 31, self.tenant.upload(path.name, path.read_bytes()))
        self.assertEqual(before, self.total())

    def test_image_bytes_come_with_what_keeps_them_harmless(self):
        info = self.upload('quo"te, ünd.png', png(text="headers"))
        got = self.tenant.image(info["resourceKey"])
        self.assertEqual("nosniff", got.header("X-Content-Type-Options"))
        self.assertEqual("default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox",
                         got.header("Content-Security-Policy"))
        self.assertEqual("bytes", got.header("Accept-Ranges"))
        self.assertIn("private", got.header("Cache-Control"))
        self.assertIn("no-cache", got.header("Cache-Control"))
        self.assertTrue(got.header("Content-Disposition").startswith("attachment;"))
        self.assertIn("filename*=UTF-8''", got.header("Content-Disposition"))
        self.assertIsNotNone(got.header("Date"))
        public = self.anonymous.get(info["publicLink"])
        self.assertEqual(200, public.status)
        self.assertTrue(public.header("Content-Disposition").startswith("inline;"))
        self.assertIn("public", public.header("Cache-Control"))

    def test_head_says_what_get_would(self):
        key = self.upload("head.png")["resourceKey"]
        get = self.tenant.image(key)
        head = self.tenant.request("HEAD", "/api/images/tenant/" + key)
        self.assertEqual((200, b""), (head.status, head.body))
        self.assertEqual({k: v for k, v in get.headers if k != "Date"}, {k: v for k, v in head.headers if k != "Date"})

    def test_ranges(self):
        data = png(40, 40, text="x" * 500)
        key = self.upload("ranges.png", data)["resourceKey"]
        def get(value, **more):
            return self.tenant.image(key, headers={"Range": value, **more})
        first = get("bytes=0-9")
        self.assertEqual((206, data[:10], f"bytes 0-9/{len(data)}"),
                         (first.status, first.body, first.header("Content-Range")))
        self.assertEqual(data[-5:], get("bytes=-5").body)
        self.assertEqual(data[20:], get("bytes=20-").body)
        self.assertEqual((200, data), (get("bytes=0-1,4-5").status, get("bytes=0-1,4-5").body))
        beyond = get(f"bytes={len(data)}-")
        self.assertError(416, 31, beyond) if beyond.body else self.assertEqual(416, beyond.status)
        self.assertEqual(f"bytes */{len(data)}", beyond.header("Content-Range"))
        etag = f'"{sha256(data)}"'
        self.assertEqual(206, get("bytes=0-9", **{"If-Range": etag}).status)
        self.assertEqual(200, get("bytes=0-9", **{"If-Range": '"other"'}).status)

    def test_previews_fit_into_250_pixels(self):
        data = png(1000, 500, text="wide")
        info = self.upload("wide.png", data)
        preview = info["descriptor"]["previewDescriptor"]
        self.assertEqual(("image/png", 250, 125), (preview["mediaType"], preview["width"], preview["height"]))
        got = self.tenant.image(info["resourceKey"], suffix="/preview")
        self.assertEqual((preview["etag"], preview["size"]), (sha256(got.body), len(got.body)))
        self.assertEqual(f'"{preview["etag"]}"', got.header("ETag"))
        self.assertEqual(304, self.tenant.image(info["resourceKey"], suffix="/preview",
                                                headers={"If-None-Match": got.header("ETag")}).status)

    def test_svg_is_compressed_on_demand_with_an_etag_of_its_own(self):
        data = ('<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
                + '<rect width="10" height="10"/>' * 100 + "</svg>").encode()
        key = self.upload("coded.svg", data)["resourceKey"]
        plain = self.tenant.image(key)
        self.assertEqual((data, "Accept-Encoding", None),
                         (plain.body, plain.header("Vary"), plain.header("Content-Encoding")))
        etags = {plain.header("ETag")}
        for coding in ("gzip", "br"):
            coded = self.tenant.image(key, headers={"Accept-Encoding": coding})
            self.assertEqual(coding, coded.header("Content-Encoding"))
            self.assertEqual("Accept-Encoding", coded.header("Vary"))
            self.assertEqual(f'"{sha256(coded.body)}"', coded.header("ETag"))
            self.assertLess(len(coded.body), len(data))
            etags.add(coded.header("ETag"))
            self.assertEqual(304, self.tenant.image(key, headers={
                "Accept-Encoding": coding, "If-None-Match": coded.header("ETag")}).status)
            self.assertEqual(200, self.tenant.image(key, headers={"If-None-Match": coded.header("ETag")}).status)
        self.assertEqual(3, len(etags))
        refused = self.tenant.image(key, headers={"Accept-Encoding": "gzip;q=0, br;q=0"})
        self.assertIsNone(refused.header("Content-Encoding"))

    # ---- info, publish, import, export ------------------------------------------------------------

    def test_only_the_title_can_be_changed_in_the_info(self):
        info = self.upload("info.png")
        sent = {**info, "title": "Renamed", "resourceKey": "other", "public": False, "etag": "0"}
        after = self.assertStatus(200, self.tenant.put("/api/images/tenant/info.png/info", sent)).json()
        self.assertEqual({**info, "title": "Renamed", "name": "Renamed"}, after)
        self.assertEqual(after, self.tenant.info("info.png").json())
        for bad in ({}, {"title": None}, {"title": 5}, {"title": ""}, {"title": "x" * 256}, {"title": "a\u0000b"}, []):
            self.assertError(400, 31, self.tenant.put("/api/images/tenant/info.png/info", bad), "title")

    def test_publishing_and_unpublishing(self):
        info = self.upload("publish.png")
        path = "/api/images/tenant/publish.png/public/"
        for off in ("false", "False", "FALSE"):
            after = self.assertStatus(200, self.tenant.put(path + off)).json()
            self.assertEqual((False, None, info["publicResourceKey"]),
                             (after["public"], after["publicLink"], after["publicResourceKey"]))
            self.assertError(404, 32, self.anonymous.get(info["publicLink"]))
        after = self.assertStatus(200, self.tenant.request("PUT", path + "True", b"anything")).json()
        self.assertEqual(info["publicLink"], after["publicLink"])
        self.assertStatus(200, self.anonymous.get(info["publicLink"]))
        self.assertError(400, 31, self.tenant.put(path + "maybe"))

    def test_an_unpublished_image_is_never_not_modified(self):
        info = self.upload("hidden.png")
        headers = {"If-None-Match": f'"{info["etag"]}"'}
        for _ in range(2):
            self.assertEqual(304, self.anonymous.get(info["publicLink"], headers=headers).status)
        self.tenant.put("/api/images/tenant/hidden.png/public/false")
        self.assertError(404, 32, self.anonymous.get(info["publicLink"], headers=headers))

    def test_an_export_round_trips_to_another_server(self):
        data = png(30, 20, text="export")
        info = self.upload("export me.png", data, title="Exported")
        document = self.assertStatus(200, self.tenant.image("export me.png", suffix="/export")).json()
        self.assertEqual({"link": info["link"], "title": "Exported", "type": "IMAGE", "subType": "IMAGE",
                          "resourceKey": "export me.png", "fileName": "export me.png",
                          "publicResourceKey": info["publicResourceKey"], "public": True, "mediaType": "image/png",
                          "data": base64.b64encode(data).decode()}, document)
        with Server() as other:
            there = other.client()
            imported = self.assertStatus(200, there.put("/api/image/import", document)).json()
            self.assertEqual(info["publicLink"], imported["publicLink"])
            self.assertEqual(data, Client(other).get(imported["publicLink"]).body)
            self.assertEqual(document, there.image("export me.png", suffix="/export").json())

    def test_an_import_overwrites_the_same_key_and_keeps_id_and_public_key(self):
        info = self.upload("import.png")
        data = png(text="imported")
        after = self.assertStatus(200, self.tenant.put("/api/image/import", export_document(
            "import.png", data, title="T", publicResourceKey="Z" * 32))).json()
        self.assertEqual((info["id"], info["publicResourceKey"], info["createdTime"], "T", sha256(data)),
                         (after["id"], after["publicResourceKey"], after["createdTime"], after["title"], after["etag"]))

    def test_an_imported_public_key_that_is_taken_or_malformed_is_replaced(self):
        taken = self.upload("owner.png")["publicResourceKey"]
        for key in (taken, "short", "?" * 32, ""):
            info = self.assertStatus(200, self.tenant.put("/api/image/import", export_document(
                f"clash-{len(key)}-{key[:1] == '?'}.png", png(text=key[:1]), publicResourceKey=key))).json()
            self.assertNotEqual(key, info["publicResourceKey"])
            self.assertRegex(info["publicResourceKey"], "^[0-9A-Za-z]{32}$")

    # ---- list ----------------------------------------------------------------------------------------

    def test_lists_are_paged_sorted_and_searched(self):
        client = self.fresh_tenant()
        titles = ["Delta", "alpha", "Charlie", "bravo", "100%", "1000", "under_score", "underXscore"]
        for i, title in enumerate(titles):
            self.assertStatus(200, client.upload(f"{i}.png", png(4, 4, text=title + "." * 20 * i), title=title))
        def listed(**query):
            page = self.assertStatus(200, client.list(**query)).json()
            return [i["title"] for i in page["data"]]
        by_title = sorted(titles, key=str.lower)
        self.assertEqual(by_title, listed(sortProperty="title", sortOrder="ASC"))
        self.assertEqual(by_title[::-1], listed(sortProperty="title", sortOrder="DESC"))
        self.assertEqual(titles, listed(sortProperty="createdTime", sortOrder="ASC"))
        self.assertEqual(titles[::-1], listed(sortProperty="createdTime", sortOrder="DESC"))
        self.assertEqual(titles, listed(sortProperty="resourceKey"))
        self.assertEqual(titles, listed(sortProperty="size"))
        for sort in ("resourceType", "tenantId"):
            self.assertEqual(sorted(titles), sorted(listed(sortProperty=sort)))
        self.assertEqual(["100%"], listed(textSearch="%"))
        self.assertEqual(["under_score"], listed(textSearch="_"))
        self.assertEqual({"Delta", "alpha", "Charlie", "bravo"}, set(listed(textSearch="A")))
        self.assertEqual(["Delta"], listed(textSearch="ELT"))
        page = client.list(pageSize=3, page=2, sortProperty="title").json()
        self.assertEqual((by_title[6:], 3, 8, False),
                         ([i["title"] for i in page["data"]], page["totalPages"], page["totalElements"], page["hasNext"]))
        page = client.list(pageSize=3, page=9).json()
        self.assertEqual(([], 3, 8, False), (page["data"], page["totalPages"], page["totalElements"], page["hasNext"]))

    def fresh_tenant(self):
        """A tenant administrator without images."""
        name = "tenant-" + uuid.uuid4().hex
        tenant = self.assertStatus(200, self.admin.post("/api/tenant", {"title": name})).json()
        email = name + "@example.org"
        user = self.assertStatus(200, self.admin.post("/api/user?sendActivationMail=false", {
            "email": email, "authority": "TENANT_ADMIN", "tenantId": tenant["id"]})).json()
        link = self.assertStatus(200, self.admin.get(f"/api/user/{user['id']['id']}/activationLink")).body.decode()
        token = link.strip('"').split("activateToken=")[1]
        self.assertStatus(200, self.anonymous.post("/api/noauth/activate", {"activateToken": token,
                                                                             "password": "a-good-password-1"}))
        return self.server.client((email, "a-good-password-1"))

    def test_tags_are_set_shown_exported_and_listed_by(self):
        client = self.fresh_tenant()
        for name in ("a.png", "b.png", "c.svg"):
            svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9"/></svg>'
            self.assertStatus(200, client.upload(name, svg if name == "c.svg" else png(text=name)))
        self.assertNotIn("tags", client.image("a.png", suffix="/info").json())
        tags = "/api/images/tenant/{}/tags".format
        info = self.assertStatus(200, client.put(tags("a.png"), {"tags": ["pump", "hall, 3 ä", "pump"]})).json()
        self.assertEqual(["hall, 3 ä", "pump"], info["tags"])
        self.assertEqual(info, client.image("a.png", suffix="/info").json())
        self.assertEqual(info["tags"], client.image("a.png", suffix="/export").json()["tags"])
        self.assertStatus(200, client.put(tags("c.svg"), {"tags": ["pump"]}))
        self.assertStatus(200, client.put("/api/images/tenant/c.svg/public/false"))

        def listed(query):
            page = self.assertStatus(200, client.get("/api/images?pageSize=10&page=0&sortProperty=title" + query))
            return "".join(i["resourceKey"][0] for i in page.json()["data"])
        self.assertEqual("ac", listed("&tag=pump"))
        self.assertEqual("a", listed("&tag=pump&tag=" + quote("hall, 3 ä")))
        self.assertEqual("", listed("&tag=Pump"))
        self.assertEqual("abc", listed("&tag=&mediaType=&public="))
        self.assertEqual("c", listed("&mediaType=image/svg%2Bxml"))
        self.assertEqual("abc", listed("&mediaType=image/svg%2Bxml&mediaType=image/png"))
        self.assertEqual(("c", "ab"), (listed("&public=false"), listed("&public=true")))
        self.assertError(400, 31, client.get("/api/images?pageSize=10&page=0&public=x"), "public")
        # A replacement keeps them, and an empty list removes them.
        self.assertStatus(200, client.replace("a.png", "a.png", png(text="other")))
        self.assertEqual(info["tags"], client.image("a.png", suffix="/info").json()["tags"])
        self.assertNotIn("tags", client.put(tags("a.png"), {"tags": []}).json())
        for wrong in ({}, {"tags": "a"}, {"tags": [1]}, {"tags": None}, {"tags": [""]}, {"tags": ["x" * 65]},
                      {"tags": [str(i) for i in range(17)]}, []):
            self.assertStatus(400, client.put(tags("a.png"), wrong))
        self.assertError(404, 32, client.put(tags("no.png"), {"tags": []}))
        self.assertError(403, 20, self.customer.put(tags("a.png"), {"tags": []}))
        self.assertError(412, 35, client.put(tags("a.png"), {"tags": []}, headers={"If-Match": '"other"'}))

    def test_an_import_brings_tags_and_the_time_of_creation(self):
        client = self.fresh_tenant()
        document = export_document("old.png", png(text="old"), tags=["b", "a"], createdTime=1600000000123)
        made = self.assertStatus(200, client.put("/api/image/import", document)).json()
        self.assertEqual((["a", "b"], 1600000000123), (made["tags"], made["createdTime"]))
        again = self.assertStatus(200, client.put("/api/image/import",
                                                  export_document("old.png", png(text="new"), createdTime=1))).json()
        self.assertEqual((made["tags"], made["createdTime"]), (again["tags"], again["createdTime"]))
        for wrong in ({"createdTime": "1"}, {"createdTime": -1}, {"tags": "a"}, {"tags": [""]}):
            self.assertStatus(400, client.put("/api/image/import", export_document("old.png", png(), **wrong)))
        self.assertError(403, 20, self.customer.put("/api/image/import", document))

    def test_scada_symbols_are_listed_apart(self):
        svg = (b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:tb="https://thingsboard.io/svg" width="9" height="9">'
               b'<tb:metadata xmlns=""><![CDATA[{"title": "A pump of ours"}]]></tb:metadata><path d="M0 0h9"/></svg>')
        info = self.upload("pump.svg", svg, sub_type="SCADA_SYMBOL")
        self.assertEqual(("SCADA_SYMBOL", "A pump of ours"), (info["resourceSubType"], info["title"]))
        self.assertNotIn("pump.svg", [i["resourceKey"] for i in self.tenant.list().json()["data"]])
        found = self.tenant.list(imageSubType="SCADA_SYMBOL").json()["data"]
        self.assertEqual([info], [i for i in found if i["resourceKey"] == "pump.svg"])
        document = self.tenant.image("pump.svg", suffix="/export").json()
        self.assertEqual("SCADA_SYMBOL", document["subType"])

    def test_system_images_are_included_and_hidden_by_the_tenants_own(self):
        client = self.fresh_tenant()
        mine, theirs = png(text="mine"), png(text="theirs")
        self.assertStatus(200, self.admin.upload("shared-key.png", theirs))
        self.assertStatus(200, self.admin.upload("only-system.png", theirs))
        self.assertStatus(200, client.upload("shared-key.png", mine))
        self.assertEqual(1, self.total(client))
        everything = client.list(includeSystemImages="true", pageSize=1000).json()
        keys = [(i["resourceKey"], i["tenantId"]["id"] == SYSTEM_TENANT) for i in everything["data"]]
        self.assertIn(("only-system.png", True), keys)
        self.assertIn(("shared-key.png", False), keys)
        self.assertNotIn(("shared-key.png", True), keys)
        self.assertEqual(len(keys), everything["totalElements"])
        system = self.total(self.admin)
        self.assertEqual(system, everything["totalElements"])  # one hidden, one of its own
        self.assertEqual(system, self.total(self.admin, includeSystemImages="true"))

    # ---- who may do what ------------------------------------------------------------------------------

    def test_roles(self):
        own = self.upload("roles.png")
        self.assertStatus(200, self.admin.upload("system-roles.png", png(text="system")))
        other = self.fresh_tenant()
        everything = ("", "/preview", "/info", "/export")
        for suffix in everything:
            self.assertStatus(200, self.tenant.image("system-roles.png", "system", suffix))
            self.assertError(404, 32, other.image("roles.png", "tenant", suffix))
            self.assertError(404, 32, self.admin.image("roles.png", "tenant", suffix))
            self.assertStatus(200, self.admin.image("system-roles.png", "tenant", suffix))
            self.assertError(401, 10, self.anonymous.image("roles.png", "tenant", suffix))
        for kind, key in (("tenant", "roles.png"), ("system", "system-roles.png")):
            for suffix in ("", "/preview"):
                self.assertStatus(200, self.customer.image(key, kind, suffix))
            for suffix in ("/info", "/export"):
                self.assertError(403, 20, self.customer.image(key, kind, suffix))
        self.assertError(403, 20, self.customer.list())
        self.assertError(403, 20, self.customer.upload("no.png", png()))
        writes = [lambda c, t, k: c.replace(k, "x.png", png(), t), lambda c, t, k: c.put(f"/api/images/{t}/{k}/info", own),
                  lambda c, t, k: c.put(f"/api/images/{t}/{k}/public/false"),
                  lambda c, t, k: c.delete(f"/api/images/{t}/{k}")]
        for write in writes:
            self.assertError(403, 20, write(self.customer, "tenant", "roles.png"))
            self.assertError(403, 20, write(self.tenant, "system", "system-roles.png"))
            self.assertError(404, 32, write(other, "tenant", "roles.png"))
            self.assertError(401, 10, write(self.anonymous, "tenant", "roles.png"))
        self.assertEqual(own, self.tenant.info("roles.png").json())

    def test_permission_comes_before_not_modified(self):
        info = self.upload("order-of-checks.png")
        headers = {"If-None-Match": f'"{info["etag"]}"'}
        for _ in range(2):
            self.assertEqual(304, self.tenant.image("order-of-checks.png", headers=headers).status)
        self.assertError(401, 10, self.anonymous.image("order-of-checks.png", headers=headers))
        self.assertError(404, 32, self.fresh_tenant().image("order-of-checks.png", headers=headers))

    # ---- bad input ---------------------------------------------------------------------------------------

    def test_what_is_no_image_is_refused_with_what_was_found(self):
        before = self.total()
        cases = [(b"%PDF-1.7 something", "PDF"), (b"<!doctype html><html></html>", "HTML"), (b"just words", "text"),
                 (b"\0\1\2\3\4\5\6\7" * 9, ""), (png()[:40], ""), (b"GIF89a", ""), (b"<svg", "")]
        for data, word in cases:
            with self.subTest(data[:8]):
                self.assertError(400, 31, self.tenant.upload("bad.png", data), word)
        self.assertError(400, 31, self.tenant.upload("empty.png", b""), "empty")
        self.assertEqual(before, self.total())

    def test_a_broken_form_is_refused(self):
        before = self.total()
        body, content_type = multipart([("file", "x.png", "image/png", png())])
        def send(data, kind=content_type):
            return self.tenant.request("POST", "/api/image", data, {"Content-Type": kind})
        self.assertError(400, 31, send(body[:-12]))
        self.assertError(400, 31, send(body[:60]))
        self.assertError(400, 31, send(b""))
        self.assertError(400, 31, send(body, "multipart/form-data"), "boundary")
        self.assertError(415, 31, send(body, "image/png"))
        self.assertError(415, 31, send(body, "application/json"))
        self.assertError(400, 31, self.tenant.multipart("POST", "/api/image", [("title", None, None, b"x")]), "file")
        self.assertError(400, 31, self.tenant.multipart("POST", "/api/image", [("file", None, None, png())]), "file")
        bad_type = [("file", "x.png", None, png()), ("imageSubType", None, None, b"POSTER")]
        self.assertError(400, 31, self.tenant.multipart("POST", "/api/image", bad_type), "imageSubType")
        self.assertEqual(before, self.total())

    def test_names_that_are_none_are_refused(self):
        before = self.total()
        for name in ("../../etc/passwd", "a/b.png", "..", ".", "C:\\pictures\\x.png", "x" * 256, "a\x01b.png"):
            with self.subTest(name[:20]):
                self.assertError(400, 31, self.tenant.put("/api/image/import", export_document(name, png())))
        for name in ("..", ".", "a/..", "C:\\", "x" * 256, "a\x01b.png"):
            with self.subTest("upload " + name[:20]):
                self.assertError(400, 31, self.tenant.upload(name, png()))
        for key in ("..%2F..%2Fetc%2Fpasswd", "%2e%2e%2f", "a%00b", "%ff%fe", "a%0d%0ab"):
            with self.subTest(key):
                self.assertIn(self.tenant.get("/api/images/tenant/" + key).status, (400, 404))
                self.assertIn(self.tenant.put(f"/api/images/tenant/{key}/info", {"title": "x"}).status, (400, 404))
        self.assertEqual(before, self.total())

    def test_parameters_out_of_range_are_refused(self):
        for query in ("", "pageSize=10", "page=0", "pageSize=0&page=0", "pageSize=-1&page=0", "pageSize=x&page=0",
                      "pageSize=10&page=-1", "pageSize=99999999999999999999&page=0", "pageSize=10&page=1.5",
                      "pageSize=10&page=0&sortProperty=colour", "pageSize=10&page=0&sortOrder=UP",
                      "pageSize=10&page=0&includeSystemImages=perhaps", "pageSize=10&page=0&imageSubType=POSTER",
                      "pageSize=10&page=0&textSearch=%ff", "pageSize=10&page=0&textSearch=%zz"):
            with self.subTest(query):
                self.assertError(400, 31, self.tenant.get("/api/images?" + query))
        self.assertError(400, 31, self.tenant.image("x.png", "planet"))
        self.assertError(400, 31, self.tenant.delete("/api/images/tenant/x.png?force=perhaps"))

    def test_a_malformed_import_is_refused(self):
        before = self.total()
        good = export_document("bad-import.png", png())
        def send(value, kind="application/json"):
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            return self.tenant.request("PUT", "/api/image/import", data, {"Content-Type": kind})
        for bad in (b"", b"{", b"[]", b"null", b'{"data": "\xff"}', b'{} x', json.dumps(good).encode()[:-30]):
            with self.subTest(bad[:10]):
                self.assertError(400, 31, send(bad))
        for change in ({"data": "!!!!"}, {"data": good["data"][:-2] + "=A"}, {"data": None}, {"data": ""},
                       {"data": base64.b64encode(b"no image").decode()}, {"type": "LWM2M_MODEL"},
                       {"subType": "POSTER"}, {"resourceKey": "", "fileName": ""}, {"title": "x" * 256}):
            with self.subTest(change):
                self.assertError(400, 31, send({**good, **change}))
        self.assertError(415, 31, send(good, "text/plain"))
        self.assertEqual(before, self.total())

    def test_routes_and_methods_that_are_not_there(self):
        self.assertError(404, 32, self.tenant.get("/api/nothing/here"))
        wrong = self.tenant.request("PATCH", "/api/images/tenant/x.png")
        self.assertEqual(405, wrong.status)
        self.assertEqual({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}, set(wrong.header("Allow").split(", ")))

    def test_wrong_tokens(self):
        self.upload("tokens.png")
        for value in ("Bearer", "Bearer x", "Bearer a.b.c", "Basic dXNlcjpwdw==", "ApiKey tb_nothing", "garbage",
                      "Bearer " + self.tenant.token[:-4] + "AAAA", "Bearer " + self.tenant.refresh_token):
            with self.subTest(value[:20]):
                self.assertError(401, 10, self.anonymous.image("tokens.png", headers={"X-Authorization": value}))
        good = self.anonymous.image("tokens.png", headers={"Authorization": "Bearer " + self.tenant.token})
        self.assertStatus(200, good)

    def test_wire_facts_of_real_clients(self):
        key = self.upload("with space.png")["resourceKey"]
        got = self.tenant.get("/api/images/tenant/with%20space.png", headers={
            "If-None-Match": "", "Content-Type": "application/json", "Upgrade": "h2c",
            "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA"})
        self.assertStatus(200, got)
        self.assertStatus(200, self.tenant.delete("/api/images/tenant/" + quote(key), body=b"{}"))


class Limits(ServerTest):
    options = {"environment": {"HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION": "/api/image*/**=65536;/api/**=65536"}}

    def picture(self, size):
        base = png(4, 4, text="")
        return png(4, 4, text="x" * (size - len(base)))

    def test_a_picture_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(self):
        self.assertStatus(200, self.tenant.upload("limit.png", self.picture(65536)))
        before = self.total()
        self.assertError(413, 31, self.tenant.upload("over.png", self.picture(65537)), "65536")
        self.assertError(413, 31, self.tenant.upload("far-over.png", self.picture(400000)), "65536")
        self.assertError(413, 31, self.tenant.put("/api/image/import", export_document("o.png", self.picture(65537))))
        self.assertEqual(before, self.total())


class LimitsByPath(ServerTest):
    """Each path has its own; the first pattern that matches decides."""
    options = {"environment": {"HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION":
               "/api/image/import=1000;/api/images/*/*/info=100;/api/images/**=2000;/api/image=3000;"
               "/api/user/**=10;/api/tenant=0;/api/**=16777216"}}

    def picture(self, size):
        base = png(4, 4, text="")
        return png(4, 4, text="x" * (size - len(base)))

    def test_uploads_replacements_and_imports_have_their_own_limits(self):
        before = self.total()
        self.assertStatus(200, self.tenant.upload("up.png", self.picture(3000)))
        self.assertError(413, 31, self.tenant.upload("over.png", self.picture(3001)), "3000")
        self.assertStatus(200, self.tenant.replace("up.png", "new.png", self.picture(2000)))
        for size in (2001, 200_000):
            self.assertError(413, 31, self.tenant.replace("up.png", "new.png", self.picture(size)), "2000")
        self.assertStatus(200, self.tenant.put("/api/image/import", export_document("in.png", self.picture(1000))))
        for size in (1001, 200_000):
            document = export_document("over.png", self.picture(size))
            self.assertError(413, 31, self.tenant.put("/api/image/import", document), "1000")
        self.assertEqual(before + 2, self.total())
        self.assertEqual(3000, self.tenant.get("/api/system/params").json()["maxUploadSize"])

    def test_so_have_all_other_bodies(self):
        self.assertStatus(200, self.tenant.upload("named.png", self.picture(500)))
        self.assertStatus(200, self.tenant.put("/api/images/tenant/named.png/info", {"title": "x" * 50}))
        self.assertError(413, 31, self.tenant.put("/api/images/tenant/named.png/info", {"title": "x" * 100}), "100")
        self.assertError(413, 31, self.admin.post("/api/user", {"email": "x@example.test"}))
        self.assertError(413, 31, self.admin.post("/api/tenant", {"title": "x"}))
        self.assertStatus(200, self.tenant.post("/api/customer", {"title": "x" * 200}))


class NoLogin(unittest.TestCase):
    def test_a_login_has_the_limit_of_its_path(self):
        limit = "/api/auth/**=10;/api/**=16777216"
        with Server(environment={"HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION": limit}) as server:
            answer = Client(server).post("/api/auth/login", {"username": SYSADMIN[0], "password": SYSADMIN[1]})
            self.assertEqual(413, answer.status, answer)


class Restart(unittest.TestCase):
    def test_what_was_acknowledged_is_there_after_a_restart(self):
        server = Server()
        try:
            server.start()
            client = server.client()
            data = {f"r{i}.png": png(i + 1, 3, text=str(i)) for i in range(20)}
            for name, content in data.items():
                self.assertEqual(200, client.upload(name, content).status)
            client.replace("r3.png", "n.png", png(text="replaced"))
            data["r3.png"] = png(text="replaced")
            client.delete("/api/images/tenant/r4.png")
            del data["r4.png"]
            infos = {name: client.info(name).json() for name in data}
            self.assertEqual(0, server.terminate())
            server.start()
            client = server.client()
            for name, content in data.items():
                self.assertEqual(content, client.image(name).body)
                self.assertEqual(infos[name], client.info(name).json())
            self.assertEqual(404, client.image("r4.png").status)
        finally:
            server.stop()


if __name__ == "__main__":
    unittest.main()
