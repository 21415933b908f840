# SPDX-License-Identifier: Apache-2.0
"""gallery-admin images export and import: folders, archives, single files; and archives that mean harm."""
import base64
import gzip
import io
import json
import os
import pathlib
import struct
import unittest
import zipfile

from admin_tool import NOT_FOUND, NOT_PERMITTED, OUTPUT, REFUSED, USAGE, Terminal, environment, run
from between import Between
from harness import CUSTOMER, export_document, png, quote, sha256
from test_admin_images import SVG, ImagesTest
from thingsboard import ThingsBoard

KEPT = ("etag", "title", "resourceKey", "fileName", "resourceSubType", "public", "publicResourceKey", "createdTime",
        "descriptor")


def patched(path, name, in_directory, in_front, value):
    """The archive with another number in the two headers of an entry."""
    data = bytearray(pathlib.Path(path).read_bytes())
    for signature, offset, start in ((b"PK\1\2", in_directory, 46), (b"PK\3\4", in_front, 30)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            length, = struct.unpack_from("<H", data, at + start - (18 if start == 46 else 4))
            if data[at + start:at + start + length] == name:
                struct.pack_into("<I", data, at + offset, value)
    return data


class ExportTest(ImagesTest):
    def setUp(self):
        super().setUp()
        self.target = self.folder / "exported"

    def fill(self):
        """Images of all kinds; what the server answers for each."""
        def put(document):
            self.assertStatus(200, self.client.put("/api/image/import", document))
        put(export_document("plain.png", png(text="plain")))
        put(export_document("pump ü (1).svg", SVG, subType="SCADA_SYMBOL", title="Pumpe \"Süd\"\u2028", fileName="x.svg",
                            tags=["hall 3", "pump"], createdTime=1600000000123, publicResourceKey="k" * 12
                            + sha256(self.who[0].encode())[:20], public=False))
        put(export_document(".hidden", png(text="hidden"), title="h"))
        put(export_document("x.json", png(text="json"), tags=["hall 3"]))
        put(export_document("100%:?.png", png(text="percent"), public=False))
        put(export_document("ä" * 255, png(text="long")))
        return self.state()

    def state(self, client=None):
        client = client or self.client
        out = {}
        for sub_type in ("IMAGE", "SCADA_SYMBOL"):
            for one in client.list(pageSize=1000, imageSubType=sub_type).json()["data"]:
                out[one["resourceKey"]] = {**{k: one[k] for k in KEPT}, "tags": one.get("tags"),
                                           "bytes": client.image(one["resourceKey"]).body}
        return out

    def empty(self):
        for key in self.state():
            self.assertStatus(200, self.client.delete("/api/images/tenant/" + quote(key)))

    def export(self, target=None, *options, who=None):
        return self.json("images", "export", str(target or self.target), *options, who=who or self.who)

    def export_(self, *options, code):
        done = run("images", "export", str(self.target), *options, "--json", env=self.env(self.who))
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def figures(self, names, *given):
        report = self.export(*given)
        return tuple(report[name] for name in names)

    def import_(self, *sources, code=0, options=(), **values):
        done = run("images", "import", *map(str, sources), *options, "--json", env={**self.env(self.who), **values})
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr.splitlines()[-1])

    def files(self, folder=None):
        return {p.name: p.read_bytes() for p in (folder or self.target).iterdir()}


class Folders(ExportTest):
    def test_a_round_trip_is_exact(self):
        before = self.fill()
        report = self.export()
        self.assertEqual((6, 6, 0), tuple(report[k] for k in ("images", "written", "unchanged")))
        self.empty()
        self.assertEqual({}, self.state())
        report = self.import_(self.target)
        self.assertEqual(sorted(before), report["created"])
        self.assertEqual(([], [], []), (report["clashes"], report["failed"], report["differ"]))
        self.assertEqual(before, self.state())

    def test_files_are_named_by_keys_and_have_stable_text(self):
        self.fill()
        self.export()
        files = self.files()
        self.assertEqual(12, len(files))
        names = [n for n in files if n + ".json" in files]
        self.assertEqual({"plain.png", "pump ü (1).svg", "%2Ehidden", "x%2Ejson", "100%25%3A%3F.png"},
                         {n for n in names if "~" not in n})
        self.assertEqual(SVG, files["pump ü (1).svg"])
        text = files["pump ü (1).svg.json"].decode()
        info = self.info("pump ü (1).svg")
        self.assertEqual([
            "{", '  "type": "IMAGE",', '  "subType": "SCADA_SYMBOL",', '  "resourceKey": "pump ü (1).svg",',
            '  "title": "Pumpe \\"Süd\\"\u2028",', '  "fileName": "x.svg",', '  "mediaType": "image/svg+xml",',
            f'  "etag": "{sha256(SVG)}",', '  "public": false,',
            f'  "publicResourceKey": "{info["publicResourceKey"]}",', '  "tags": [', '    "hall 3",', '    "pump"',
            "  ],", '  "createdTime": 1600000000123', "}", ""], text.split("\n"))
        self.assertIn('  "tags": [],\n', files["plain.png.json"].decode())
        os.umask(mask := os.umask(0))
        self.assertEqual(0o666 & ~mask, (self.target / "plain.png").stat().st_mode & 0o777)

    def test_an_export_into_the_same_folder_writes_only_what_has_changed(self):
        self.fill()
        self.export()
        before = {p.name: p.stat().st_mtime_ns for p in self.target.iterdir()}
        self.assertEqual((0, 6), self.figures(("written", "unchanged")))
        self.assertEqual(before, {p.name: p.stat().st_mtime_ns for p in self.target.iterdir()})
        self.client.put("/api/images/tenant/plain.png/info", {"title": "New"})
        self.client.replace("x.json", "x.json", png(text="other"))
        (self.target / "%2Ehidden").unlink()
        self.assertEqual((3, 3), self.figures(("written", "unchanged")))
        files = self.files()
        self.assertEqual((png(text="hidden"), png(text="other")), (files["%2Ehidden"], files["x%2Ejson"]))
        self.assertEqual("New", json.loads(files["plain.png.json"])["title"])

    def test_files_that_no_export_has_written_are_replaced_only_on_demand(self):
        self.fill()
        self.export()
        changed = {"%2Ehidden": b"edited", "plain.png": b"a file of the same name", "x%2Ejson.json": b'{"name": "mine"}'}
        (self.target / "plain.png.json").unlink()
        for name, data in changed.items():
            (self.target / name).write_bytes(data)
        before = self.files()
        report = self.export_(code=REFUSED)
        self.assertEqual(sorted(str(self.target / n) for n in changed), [one["file"] for one in report["kept"]])
        self.assertEqual(before, self.files())
        report = self.export(None, "--overwrite")
        self.assertEqual((3, 3, []), tuple(report[k] for k in ("written", "unchanged", "kept")))
        self.assertEqual((png(text="hidden"), png(text="plain")),
                         tuple(self.files()[n] for n in ("%2Ehidden", "plain.png")))
        self.assertEqual(6, self.export()["unchanged"])

    def test_one_image_that_fails_does_not_stop_an_export(self):
        board = ThingsBoard("4")
        self.addCleanup(board.stop)
        for name in "abc":
            board.add(name, png(text=name))
        proxy = (413, "no JSON of ThingsBoard")
        board.answers["/api/images/tenant/b/export"] = [proxy]
        done = run("images", "export", str(self.target), "--json",
                   env=environment(GALLERY_URL=board.url, GALLERY_API_KEY="tb_key"))
        self.assertEqual(REFUSED, done.returncode, done.stderr)
        self.assertEqual(["b"], [one["key"] for one in json.loads(done.stdout)["failed"]])
        self.assertEqual({"a", "a.json", "c", "c.json"}, set(self.files()))
        # An archive is whole or not there.
        board.answers["/api/images/tenant/b/export"] = [proxy]
        done = run("images", "export", str(self.folder / "x.zip"), "--json",
                   env=environment(GALLERY_URL=board.url, GALLERY_API_KEY="tb_key"))
        self.assertEqual(REFUSED, done.returncode, done.stderr)
        self.assertFalse((self.folder / "x.zip").exists())

    def test_pruning_everything_must_be_confirmed_and_spares_changed_pictures(self):
        self.fill()
        self.export()
        self.empty()
        before = self.files()
        self.error(REFUSED, "images", "export", str(self.target), "--prune", who=self.who, words=["--yes"])
        self.error(REFUSED, "images", "export", str(self.target), "--prune", "--tag", "nowhere", who=self.who)
        self.assertEqual(before, self.files())
        (self.target / "plain.png").write_bytes(b"edited")
        (self.target / "%2Ehidden").unlink()
        report = self.export_("--prune", "--yes", code=REFUSED)
        self.assertEqual(([str(self.target / "plain.png")], 5), ([k["file"] for k in report["kept"]], report["removed"]))
        self.assertEqual({"plain.png", "plain.png.json"}, set(self.files()))

    def test_pruning_removes_images_that_are_gone_and_nothing_else(self):
        self.fill()
        self.export()
        for name in ("README.md", "package.json", "plain.png.json.json"):
            (self.target / name).write_text('{"resourceKey": "other"}')
        self.client.delete("/api/images/tenant/x.json")
        self.assertEqual(0, self.export()["removed"])
        self.assertIn("x%2Ejson", self.files())
        self.assertEqual(1, self.export(None, "--prune")["removed"])
        files = self.files()
        self.assertEqual(10 + 3, len(files))
        self.assertNotIn("x%2Ejson", files)
        self.assertIn("README.md", files)

    def test_a_selection_is_exported_and_imported(self):
        self.fill()
        self.export(None, "--tag", "hall 3")
        self.assertEqual({"pump ü (1).svg", "x%2Ejson"}, {n for n in self.files() if not n.endswith(".json")})
        symbols = self.folder / "symbols"
        self.export(symbols, "--sub-type", "SCADA_SYMBOL")
        self.assertEqual(2, len(self.files(symbols)))
        everything = self.folder / "everything"
        self.export(everything)
        self.empty()
        self.assertEqual(["x.json"], self.import_(everything, options=["--tag", "hall 3", "--public"])["created"])
        self.assertEqual(["pump ü (1).svg"], self.import_(everything, options=["--search", "SÜD"])["created"])

    def test_images_that_exist_are_changed_only_on_demand(self):
        before = self.fill()
        self.export()
        self.client.put("/api/images/tenant/plain.png/info", {"title": "Other"})
        self.client.put("/api/images/tenant/x.json/tags", {"tags": []})
        self.client.replace("x.json", "x.json", png(text="other"))
        report = self.import_(self.target, code=REFUSED)
        self.assertEqual([{"key": "plain.png", "members": ["title"]},
                          {"key": "x.json", "members": ["picture", "tags"]}], report["differ"])
        self.assertEqual(4, report["unchanged"])
        self.assertEqual("Other", self.info("plain.png")["title"])
        report = self.import_(self.target, options=["--overwrite", "--dry-run"])
        self.assertEqual(["plain.png", "x.json"], [one["key"] for one in report["replaced"]])
        self.assertEqual("Other", self.info("plain.png")["title"])
        report = self.import_(self.target, options=["--overwrite"])
        self.assertEqual(["plain.png", "x.json"], [one["key"] for one in report["replaced"]])
        self.assertEqual(before, self.state())
        self.assertEqual(6, self.import_(self.target)["unchanged"])

    def test_a_public_link_of_another_image_is_a_clash(self):
        self.fill()
        self.export()
        _, _, who = self.make_tenant()
        self.who, others = who, self.state()
        self.client = self.server.client(who)
        report = self.import_(self.target, code=REFUSED)
        self.assertEqual(sorted(others), [one["key"] for one in report["clashes"]])
        self.assertEqual({("publicResourceKey",)}, {tuple(one["members"]) for one in report["clashes"]})
        for key, one in self.state().items():
            self.assertEqual(others[key]["bytes"], one["bytes"])
            self.assertNotEqual(others[key]["publicResourceKey"], one["publicResourceKey"])

    def test_a_picture_that_is_not_the_described_one_is_refused(self):
        self.fill()
        self.export()
        self.empty()
        (self.target / "plain.png").write_bytes(png(text="edited"))
        report = self.import_(self.target, code=REFUSED)
        self.assertEqual(["plain.png"], [one["key"] for one in report["failed"]])
        self.assertIn("--accept-changes", report["failed"][0]["message"])
        self.assertEqual(5, len(self.state()))
        self.assertEqual(["plain.png"], self.import_(self.target, options=["--accept-changes"])["created"])
        self.assertEqual(png(text="edited"), self.client.image("plain.png").body)

    def test_a_picture_that_the_server_refuses_does_not_stop_the_others(self):
        self.fill()
        self.export()
        self.empty()
        (self.target / "plain.png").write_bytes(b"no picture")
        report = self.import_(self.target, code=REFUSED, options=["--accept-changes"])
        self.assertEqual((["plain.png"], 5), ([one["key"] for one in report["failed"]], len(report["created"])))

    def test_what_does_not_belong_to_an_image_is_named_and_left_alone(self):
        self.file("in/a.png", png(text="a"))
        self.file("in/a.png.json", json.dumps({"resourceKey": "a.png", "title": "A"}).encode())
        self.file("in/README.md", b"read me")
        self.file("in/package.json", b'{"name": "x"}')
        self.file("in/.gitattributes", b"*.svg -text")
        self.file("in/sub/b.png", png(text="b"))
        done = self.call("images", "import", str(self.folder / "in"), who=self.who)
        self.assertIn("created: 1,", done.stdout)
        for name in ("README.md", "package.json"):
            self.assertIn(f"ignored: '{name}'", done.stderr)
        self.assertNotIn("git", done.stderr)
        self.assertEqual(["a.png"], self.keys())

    def test_links_in_an_imported_folder_are_not_followed(self):
        outside = self.file("secret.png", png(text="secret"))
        self.file("in/a.png", png(text="a"))
        self.file("in/a.png.json", b'{"resourceKey": "a.png"}')
        self.file("in/b.png.json", b'{"resourceKey": "b.png"}')
        (self.folder / "in/b.png").symlink_to(outside)
        self.error(NOT_FOUND, "images", "import", str(self.folder / "in"), who=self.who, words=["'b.png'"])
        (self.folder / "in/b.png.json").unlink()
        self.assertEqual(["a.png"], self.import_(self.folder / "in")["created"])

    def test_large_json_is_not_parsed_unless_it_is_a_picture(self):
        long = json.dumps({"resourceKey": "a.png", "more": ["x"] * 20000}).encode()
        self.file("in/a.png", png(text="a"))
        self.file("in/a.png.json", long)
        self.error(REFUSED, "images", "import", str(self.folder / "in"), who=self.who, words=["64 KiB"])
        self.file("in/a.png.json", json.dumps({"resourceKey": "a.png", "title": "x" * 70000}).encode())
        self.error(REFUSED, "images", "import", str(self.folder / "in"), who=self.who, words=["64 KiB"])
        self.file("in/a.png.json", json.dumps({"resourceKey": "a.png", "title": "x" * 1025}).encode())
        self.error(REFUSED, "images", "import", str(self.folder / "in"), who=self.who, words=["title", "1024"])
        # Somebody's own, such as a dashboard.
        self.file("in/a.png.json", b'{"resourceKey": "a.png"}')
        self.file("in/dashboard.json", long)
        self.assertEqual(["a.png"], self.import_(self.folder / "in")["created"])
        path = self.file("large.json", json.dumps({"resourceKey": "large.png", "title": "a \"large\" \\",
                                                   "data": base64.b64encode(png(text="x" * 100000)).decode()}).encode())
        self.assertEqual(["large.png"], self.import_(path)["created"])

    def test_base64_with_line_breaks_is_imported(self):
        picture = png(text="lines")
        path = self.file("a.json", json.dumps({"resourceKey": "a.png", "data": base64.encodebytes(picture).decode()}
                                              ).encode())
        self.assertEqual(["a.png"], self.import_(path)["created"])
        self.assertEqual(picture, self.client.image("a.png").body)

    def test_filters_take_the_sub_type_of_json_without_one_as_image(self):
        path = self.file("a.json", json.dumps({"resourceKey": "a.png", "title": "A",
                                               "data": base64.b64encode(png()).decode()}).encode())
        self.error(NOT_FOUND, "images", "import", path, "--sub-type", "SCADA_SYMBOL", who=self.who)
        self.assertEqual(["a.png"], self.import_(path, options=["--search", "a"])["created"])

    def between(self):
        between = Between(self.server.port)
        self.addCleanup(between.stop)
        return between

    def document(self, name, data, **members):
        return self.file(name, json.dumps({**members, "data": base64.b64encode(data).decode()}).encode())

    def test_an_image_that_was_made_meanwhile_is_not_written_over(self):
        between = self.between()
        between.once("PUT", "/import", lambda: self.client.upload("a.png", png(text="1")))
        path = self.document("2.json", png(text="2"), resourceKey="a.png")
        report = self.import_(path, code=REFUSED, GALLERY_URL=between.url)
        self.assertEqual(([], ["a.png"]), (report["created"], [one["key"] for one in report["failed"]]))
        self.assertIn("meanwhile", report["failed"][0]["message"])
        self.assertEqual(png(text="1"), self.client.image("a.png").body)

    def test_what_somebody_else_changes_meanwhile_is_not_undone(self):
        path = "/api/images/tenant/a.png"
        changes = {"unpublished": lambda: self.client.put(path + "/public/false", {}),
                   "tagged": lambda: self.client.put(path + "/tags", {"tags": ["theirs"]}),
                   "renamed": lambda: self.client.put(path + "/info", {"title": "Theirs"}),
                   "replaced": lambda: self.client.replace("a.png", "a.png", png(text="theirs")),
                   "deleted": lambda: self.client.delete(path)}
        document = self.document("a.json", png(text="new"), resourceKey="a.png", title="Mine", public=True, tags=["mine"])
        for name, change in changes.items():
            # Before the image is looked at again, and after that.
            for request in (("GET", "/a.png/info"), ("PUT", "/import")):
                with self.subTest(name, request=request):
                    self.client.delete(path)
                    self.assertStatus(200, self.client.upload("a.png", png(text="old")))
                    between, left = self.between(), []

                    def meanwhile(change=change, left=left):
                        self.assertStatus(200, change())
                        left.append((self.client.info("a.png").body, self.client.image("a.png").body))
                    between.once(*request, meanwhile)
                    report = self.import_(document, code=REFUSED, options=["--overwrite"], GALLERY_URL=between.url)
                    self.assertEqual((["a.png"], [], []), ([one["key"] for one in report["failed"]], report["created"],
                                                           report["replaced"]))
                    after = (self.client.info("a.png").body, self.client.image("a.png").body)
                    if name != "deleted":
                        self.assertEqual(left, [after])
                    else:
                        self.assertEqual(404, self.client.info("a.png").status)

    def test_documents_without_a_key_are_imported_once(self):
        first = self.document("1.json", png(text="1"), fileName="a.png", title="One")
        second = self.document("2.json", png(text="2"), fileName="a.png")
        copy = self.document("3.json", png(text="2"), fileName="a.png")
        keyed = self.document("4.json", png(text="4"), resourceKey="a.png")
        report = self.import_(first, second, copy, keyed, options=["--jobs", "1"])
        self.assertEqual(["a.png", "a_(1).png", "a_(2).png", "a_(3).png"], report["created"])
        self.assertEqual(png(text="4"), self.client.image("a.png").body)
        before = self.state()
        for jobs in ("1", "4"):
            report = self.import_(first, second, copy, keyed, options=["--jobs", jobs])
            self.assertEqual(([], 4), (report["created"], report["unchanged"]))
        self.assertEqual(before, self.state())
        # The same bytes under another file name are another image, and another title is a difference.
        report = self.import_(self.document("5.json", png(text="2"), fileName="b.png"))
        self.assertEqual(["b.png"], report["created"])
        report = self.import_(self.document("6.json", png(text="2"), fileName="b.png", title="B"), code=REFUSED)
        self.assertEqual([{"key": "b.png", "members": ["title"]}], report["differ"])
        report = self.import_(self.document("7.json", png(text="7"), fileName="c/d.png"), code=REFUSED)
        self.assertEqual(["c/d.png"], [one["key"] for one in report["failed"]])

    def test_an_answer_that_is_lost_makes_no_second_image(self):
        between = self.between()
        paths = [self.document(f"{i}.json", png(text=str(i)), fileName="a.png") for i in range(3)]
        # The first request has a new connection, and would not be repeated.
        between.once("PUT", "/import", lambda: between.once(
            "PUT", "/import", lambda: between.lose.append(("PUT", "/api/image/import"))))
        report = self.import_(*paths, options=["--jobs", "1"], GALLERY_URL=between.url)
        self.assertEqual(3, len(report["created"]) + report["unchanged"])
        # One was repeated, and its key is taken only by itself.
        self.assertEqual(4, between.requests.count(("PUT", "/api/image/import")))
        self.assertEqual({png(text=str(i)) for i in range(3)}, {one["bytes"] for one in self.state().values()})
        self.assertEqual(3, len(self.state()))

    def test_a_compressed_drawing_is_equal_to_what_is_stored(self):
        for name, members in (("keyed", {"resourceKey": "pump.svgz", "fileName": "pump.svgz"}),
                              ("without a key", {"fileName": "valve.svg.gz"})):
            with self.subTest(name):
                path = self.document("pump.json", gzip.compress(SVG), etag=sha256(gzip.compress(SVG)), **members)
                report = self.import_(path)
                self.assertEqual((1, []), (len(report["created"]), report["clashes"]))
                self.assertEqual(SVG, self.client.image(report["created"][0]).body)
                self.assertEqual(1, self.import_(path)["unchanged"])
                self.assertEqual(1, self.import_(path, options=["--overwrite"])["unchanged"])

    def test_keys_that_some_file_systems_take_for_the_same_have_different_files(self):
        keys = ["Pump.png", "pump.png", "PUMP.png", "Ärger.png", "ärger.png", "A\u0308rger.png", "Other.png", "CON.png"]
        for i, key in enumerate(keys):
            self.assertStatus(200, self.client.put("/api/image/import", export_document(key, png(text=str(i)))))
        before = self.state()
        self.export()
        names = [name for name in self.files() if not name.endswith(".json")]
        self.assertEqual({"%50ump.png", "pump.png", "%50%55%4D%50.png", "%C3%84rger.png", "%C3%A4rger.png",
                          "%41%CC%88rger.png", "Other.png", "%43ON.png"}, set(names))
        archive = self.assertStatus(200, self.client.post("/api/images/zip", {"tenant": keys, "layout": "EXPORT"})).body
        with zipfile.ZipFile(io.BytesIO(archive)) as entries:
            self.assertEqual(set(self.files()), set(entries.namelist()))
        self.assertEqual((0, 8), self.figures(("written", "unchanged")))
        # Without the others it has its usual name, and the file with the other name belongs to it, too.
        for key in ("pump.png", "PUMP.png"):
            self.client.delete("/api/images/tenant/" + key)
        self.assertEqual((1, 5, 3), self.figures(("written", "unchanged", "removed"), None, "--prune"))
        self.assertIn("Pump.png", self.files())
        self.empty()
        self.import_(self.target)
        self.assertEqual({k: v for k, v in before.items() if k not in ("pump.png", "PUMP.png")}, self.state())

    def test_wrong_folders_are_refused_as_a_whole(self):
        picture = png(text="a")
        cases = {
            "missing": ({"a.png.json": b'{"resourceKey": "a.png"}'}, NOT_FOUND, ["a.png.json", "there is no 'a.png'"]),
            "syntax": ({"b.json": b"{"}, REFUSED, ["b.json", "not valid JSON"]),
            "kind": ({"a.png": picture, "a.png.json": b'{"resourceKey": "a.png", "title": 1}'}, REFUSED, ["title"]),
            "no key": ({"c.json": b'{"data": "AAAA"}'}, REFUSED, ["c.json", "resourceKey"]),
            "twice": ({"a": picture, "a.json": b'{"resourceKey": "k"}', "b": picture,
                       "b.json": b'{"resourceKey": "k"}'}, REFUSED, ["'k'", "a.json", "b.json"]),
            "empty": ({}, NOT_FOUND, ["no images"]),
        }
        for name, (files, code, words) in cases.items():
            with self.subTest(name):
                for file, data in {"good.png": picture, "good.png.json": b'{"resourceKey": "good.png"}',
                                   **files}.items() if files else ():
                    self.file(f"{name}/{file}", data)
                (self.folder / name).mkdir(exist_ok=True)
                self.error(code, "images", "import", str(self.folder / name), who=self.who, words=words)
        self.assertEqual([], self.keys())
        self.error(NOT_FOUND, "images", "import", str(self.folder / "nowhere.json"), who=self.who)
        self.error(USAGE, "images", "import", self.file("a.png", picture), who=self.who, words=["images upload"])

    def test_links_in_the_folder_are_replaced_not_followed(self):
        self.fill()
        outside = self.folder / "outside"
        outside.write_bytes(b"precious")
        self.target.mkdir()
        (self.target / "plain.png").symlink_to(outside)
        (self.target / "plain.png.json").symlink_to(outside)
        self.assertEqual(1, len(self.export_(code=REFUSED)["kept"]))
        self.assertTrue((self.target / "plain.png").is_symlink())
        self.export(None, "--overwrite")
        self.assertEqual(b"precious", outside.read_bytes())
        self.assertEqual(png(text="plain"), (self.target / "plain.png").read_bytes())
        self.assertFalse((self.target / "plain.png").is_symlink())

    def test_what_cannot_be_written_is_an_error(self):
        self.fill()
        self.error(OUTPUT, "images", "export", self.file("a file", b""), who=self.who, words=["a file"])
        self.error(OUTPUT, "images", "export", str(self.folder / "no/x.zip"), who=self.who, words=["x.zip"])
        self.error(USAGE, "images", "export", "x.zip", "--prune", who=self.who, words=["--prune"])
        self.error(USAGE, "images", "export", "x", "--jobs", "0", who=self.who, words=["--jobs"])
        self.error(NOT_PERMITTED, "images", "export", str(self.target), who=CUSTOMER)

    def test_single_files_of_other_programs_are_imported(self):
        self.client.upload("a.png", png(text="a"))
        exported = self.client.image("a.png", suffix="/export").body
        self.empty()
        paths = [self.file("a.json", exported),
                 # ThingsBoard before version 4.
                 self.file("old.json", json.dumps({
                     "mediaType": "image/png", "fileName": "b.png", "title": "B", "resourceKey": "b.png",
                     "public": False, "data": "data:image/png;base64," + base64.b64encode(png(text="b")).decode()
                 }).encode()),
                 self.file("new.json", json.dumps({"fileName": "a.png", "data": base64.b64encode(png(text="c")).decode()
                                                   }).encode())]
        self.assertEqual(["a.png", "a_(1).png", "b.png"], self.import_(*paths, options=["--jobs", "1"])["created"])
        self.assertEqual({"a.png", "b.png", "a_(1).png"}, set(self.state()))
        self.assertEqual(["B", False], [self.info("b.png")[k] for k in ("title", "public")])
        self.error(REFUSED, "images", "import", self.file("x.json", b"{}"), who=self.who, words=["not the JSON"])
        self.error(REFUSED, "images", "import", self.file("y.json", b"[]"), who=self.who, words=["not the JSON"])

    def test_a_terminal_has_a_progress_bar_and_a_program_has_none(self):
        self.fill()
        terminal = Terminal("images", "export", str(self.target), env=self.env(self.who))
        terminal.expect("exporting [")
        terminal.expect("6/6")
        code, output, _ = terminal.end()
        self.assertEqual((0, True), (code, output.startswith("exported 6 images to")))
        self.assertEqual("", self.call("images", "export", str(self.target), who=self.who).stderr)


class Archives(ExportTest):
    def archive(self, entries, name="a.zip", method=zipfile.ZIP_DEFLATED):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", method) as out:
            for entry, content in entries:
                out.writestr(entry, content)
        return self.file(name, data.getvalue())

    def good(self, key="good.png"):
        return [(key, png(text=key)), (key + ".json", json.dumps({"resourceKey": key}))]

    def refused(self, path, *words, code=REFUSED):
        before = set(self.folder.rglob("*"))
        self.error(code, "images", "import", path, who=self.who, words=words)
        self.assertEqual([], self.keys())
        self.assertEqual(before, set(self.folder.rglob("*")))

    def test_a_round_trip_is_exact_and_an_archive_is_reproducible(self):
        before = self.fill()
        first, second = self.folder / "a.zip", self.folder / "b.zip"
        self.assertEqual(6, self.export(first)["images"])
        self.export(second)
        self.assertEqual(first.read_bytes(), second.read_bytes())
        self.export(self.target)
        with zipfile.ZipFile(first) as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual(self.files(), {n: archive.read(n) for n in archive.namelist()})
            self.assertEqual(sorted(archive.namelist()), archive.namelist())
        self.assertEqual(["a.zip", "b.zip", "exported"], sorted(p.name for p in self.folder.iterdir()))
        self.error(REFUSED, "images", "export", str(first), "--tag", "hall 3", who=self.who, words=["--overwrite"])
        self.assertEqual(second.read_bytes(), first.read_bytes())
        self.export(first, "--overwrite", "--tag", "hall 3")
        self.assertNotEqual(second.read_bytes(), first.read_bytes())
        self.export(first, "--overwrite")
        self.empty()
        self.import_(first)
        self.assertEqual(before, self.state())
        self.empty()
        self.error(NOT_FOUND, "images", "export", str(first), who=self.who, words=["no images"])
        self.assertTrue(first.exists())

    def test_folders_in_an_archive_and_what_others_add_are_taken_as_they_are(self):
        path = self.archive([("pictures/", b""), ("pictures/a.png", png(text="a")),
                             ("pictures/a.png.json", '{"resourceKey": "a.png"}'), ("__MACOSX/pictures/._a.png", b"x"),
                             ("pictures/.DS_Store", b"x"), ("pictures/notes.txt", b"x")])
        done = self.call("images", "import", path, who=self.who)
        self.assertEqual(["ignored: 'pictures/notes.txt' in '" + path + "' belongs to no JSON of an image"],
                         done.stderr.splitlines())
        self.assertEqual(["a.png"], self.keys())

    def test_names_that_lead_out_are_refused(self):
        for name in ("../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png", "C:/evil.png"):
            with self.subTest(name):
                self.refused(self.archive([*self.good(), (name, b"x")]), name.split("/")[-1], "is refused")

    def test_repeated_names_are_refused(self):
        with self.assertWarns(UserWarning):
            path = self.archive([*self.good(), self.good()[0]])
        self.refused(path, "two entries")
        self.refused(self.archive([("a", png()), ("a.json", '{"resourceKey": "k"}'), ("b/a", png()),
                                   ("b/a.json", '{"resourceKey": "k"}')]), "'k'")

    def test_archives_that_are_cut_off_or_damaged_are_refused(self):
        path = self.archive(self.good(), method=zipfile.ZIP_STORED)
        whole = pathlib.Path(path).read_bytes()
        for end in (0, 1, 30, len(whole) // 2, len(whole) - 30, len(whole) - 1):
            with self.subTest(end):
                self.refused(self.file("cut.zip", whole[:end]), "cut.zip")
        at = whole.index(b'{"resourceKey"')
        self.refused(self.file("rot.zip", whole[:at] + b"[" + whole[at + 1:]), "damaged")
        at = whole.index(b"IDAT")
        self.refused_picture(self.file("rot.zip", whole[:at] + b"i" + whole[at + 1:]), "damaged")
        self.refused(self.file("no.zip", b"not an archive"), "no.zip")
        self.error(NOT_FOUND, "images", "import", str(self.folder / "x.zip"), who=self.who)

    def refused_picture(self, path, *words):
        report = self.import_(path, code=REFUSED)
        self.assertEqual(["good.png"], [one["key"] for one in report["failed"]])
        for word in words:
            self.assertIn(word, report["failed"][0]["message"])
        self.assertEqual([], self.keys())

    def test_bombs_are_refused(self):
        # A gigabyte and more of zeros in a megabyte: its size is in the archive's directory.
        bomb = self.archive([*self.good(), ("b.png", bytes(1 << 20)), ("b.png.json", '{"resourceKey": "b.png"}')])
        data = patched(bomb, b"b.png", 24, 22, 0x7fffffff)
        self.refused(self.file("bomb.zip", bytes(data)), "b.png", "2147483647")
        # Less than that each, and too much together.
        self.archive([*self.good(), *((f"{n}.png", bytes(1 << 16)) for n in range(65))])
        for n in range(65):
            self.file("many.zip", bytes(patched(self.folder / ("many.zip" if n else "a.zip"), f"{n}.png".encode(), 24, 22,
                                                0x3fffffff)))
        self.refused(str(self.folder / "many.zip"), "64 GiB")
        # Many names for the same bytes.
        path = self.archive([(f"{n}.png", os.urandom(5000)) for n in range(20)], method=zipfile.ZIP_STORED)
        data = bytearray(pathlib.Path(path).read_bytes())
        at = first = data.index(b"PK\1\2")
        while (at := data.find(b"PK\1\2", at + 4)) >= 0:
            data[at + 42:at + 46] = data[first + 42:first + 46]
        self.refused(self.file("overlap.zip", bytes(data)), "overlap.zip")

    def test_an_entry_that_is_longer_than_stated_is_refused(self):
        path = self.archive([("a.png", png() + bytes(5000)), ("a.png.json", '{"resourceKey": "a.png"}')])
        data = patched(path, b"a.png", 24, 22, 100)
        done = run("images", "import", self.file("lie.zip", bytes(data)), env=self.env(self.who))
        self.assertEqual(REFUSED, done.returncode, done.stderr)
        self.assertEqual([], self.keys())

    def test_encrypted_archives_are_refused(self):
        path = self.archive(self.good(), method=zipfile.ZIP_STORED)
        data = bytearray(pathlib.Path(path).read_bytes())
        for signature, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
            at = -1
            while (at := data.find(signature, at + 1)) >= 0:
                data[at + offset] |= 1
        self.refused(self.file("secret.zip", bytes(data)), "encrypted")


if __name__ == "__main__":
    unittest.main()
