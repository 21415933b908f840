# SPDX-License-Identifier: Apache-2.0
"""gallery-admin images: list, show, upload, delete, publish, unpublish, tag."""
import json
import pathlib
import tempfile
import unittest

from admin_tool import NOT_FOUND, NOT_PERMITTED, REFUSED, USAGE, AdminTest, Terminal, run, unique
from between import Between
from harness import CUSTOMER, png, sha256

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9"/></svg>'


class ImagesTest(AdminTest):
    """Each test has a tenant of its own, and a folder."""

    def setUp(self):
        _, _, self.who = self.make_tenant()
        self.client = self.server.client(self.who)
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def file(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def keys(self, *options):
        return [one["resourceKey"] for one in self.json("images", "list", *options, who=self.who)]

    def info(self, key):
        return self.assertStatus(200, self.client.info(key)).json()


class Images(ImagesTest):
    def test_pictures_are_uploaded(self):
        data = png(12, 7, text="upload")
        paths = [self.file("a/pump ü.png", data), self.file("c.svg", SVG)]
        made = self.json("images", "upload", *paths, "--tag", "hall 3", "--tag", "new", who=self.who)
        self.assertEqual(["pump ü.png", "c.svg"], [i["resourceKey"] for i in made])
        self.assertEqual(made[0], self.info("pump ü.png"))
        self.assertEqual((sha256(data), True, ["hall 3", "new"]),
                         (made[0]["etag"], made[0]["public"], made[0]["tags"]))
        self.assertEqual(data, self.client.image("pump ü.png").body)
        again = self.json("images", "upload", paths[0], "--title", "A pump", "--private", who=self.who)
        self.assertEqual([("pump ü_(1).png", "A pump", False)],
                         [(i["resourceKey"], i["title"], i["public"]) for i in again])
        symbol = self.json("images", "upload", paths[-1], "--sub-type", "SCADA_SYMBOL", who=self.who)[0]
        self.assertEqual("SCADA_SYMBOL", symbol["resourceSubType"])
        self.error(USAGE, "images", "upload", *paths, "--title", "x", who=self.who, words=["--title"])
        self.error(USAGE, "images", "upload", who=self.who, words=["FILE"])
        self.error(NOT_PERMITTED, "images", "upload", paths[0], who=CUSTOMER, words=["permission"])

    def test_a_picture_is_replaced(self):
        before = self.json("images", "upload", self.file("a.png", png(text="1")), "--title", "Kept", who=self.who)[0]
        path = self.file("a.png", png(text="2"))
        after = self.json("images", "upload", path, self.file("new.png", png()), "--replace", who=self.who)
        self.assertEqual((before["id"], "Kept", sha256(png(text="2"))),
                         tuple(after[0][k] for k in ("id", "title", "etag")))
        self.assertEqual("new.png", after[1]["resourceKey"])
        self.json("images", "tag", "a.png", "--add", "old", who=self.who)
        self.assertEqual(["new", "old"], self.json("images", "upload", path, "--replace", "--tag", "new",
                                                   who=self.who)[0]["tags"])

    def test_tags_that_somebody_else_adds_meanwhile_stay(self):
        path = self.file("a.png", png(text="1"))
        self.json("images", "upload", path, "--tag", "first", who=self.who)
        between = Between(self.server.port)
        self.addCleanup(between.stop)
        for words in (("tag", "a.png", "--add", "second"), ("upload", path, "--replace", "--tag", "second")):
            with self.subTest(words[0]):
                self.client.put("/api/images/tenant/a.png/tags", {"tags": ["first"]})
                between.once("PUT", "/tags", lambda: self.assertStatus(200, self.client.put(
                    "/api/images/tenant/a.png/tags", {"tags": ["first", "theirs"]})))
                done = run("images", *words, "--json", env={**self.env(self.who), "GALLERY_URL": between.url})
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertEqual(["first", "second", "theirs"], self.info("a.png")["tags"])

    def test_wrong_tags_are_refused_before_the_upload(self):
        path = self.file("a.png", png())
        for tags in (["x" * 65], [""], [str(i) for i in range(17)]):
            options = [word for tag in tags for word in ("--tag", tag)]
            self.error(USAGE, "images", "upload", path, "--private", *options, who=self.who)
        self.assertEqual([], self.keys())
        made = self.json("images", "upload", path, "--private", "--tag", "ü" * 64, who=self.who)[0]
        self.assertEqual((False, ["ü" * 64]), (made["public"], made["tags"]))
        # A tag that only the server refuses.
        self.error(REFUSED, "images", "upload", self.file("b.png", png()), "--private", "--tag", "a\x01", who=self.who)
        self.assertFalse(self.info("b.png")["public"])

    def test_files_that_cannot_be_uploaded_do_not_stop_the_others(self):
        good, bad = self.file("a.png", png()), self.file("bad.png", b"no picture")
        missing = str(self.folder / "missing.png")
        done = run("images", "upload", bad, good, missing, "--json", env=self.env(self.who))
        self.assertEqual(REFUSED, done.returncode)
        self.assertEqual(["a.png"], [i["resourceKey"] for i in json.loads(done.stdout)])
        told = json.loads(done.stderr)
        self.assertEqual((400, REFUSED), (told["status"], told["exitCode"]))
        for word in (bad, "2 of 3 failed"):
            self.assertIn(word, told["message"])
        self.error(NOT_FOUND, "images", "upload", missing, who=self.who, words=["No such file"])
        self.error(REFUSED, "images", "upload", str(self.folder), who=self.who, words=["not a file"])

    def test_lists_are_filtered_sorted_and_complete(self):
        self.json("images", "upload", self.file("b.png", png(text="b" * 50)), "--tag", "x", "--title", "Zebra",
                  who=self.who)
        self.json("images", "upload", self.file("a.svg", SVG), "--tag", "x", "--tag", "y", "--private", who=self.who)
        self.json("images", "upload", self.file("s.svg", SVG), "--sub-type", "SCADA_SYMBOL", "--title", "Symbol",
                  who=self.who)
        self.assertEqual(["b.png", "a.svg", "s.svg"], self.keys())
        self.assertEqual(["a.svg", "b.png"], self.keys("--sub-type", "IMAGE", "--sort", "resourceKey"))
        self.assertEqual(["b.png", "a.svg"], self.keys("--sub-type", "IMAGE", "--sort", "size", "--descending"))
        self.assertEqual(["s.svg"], self.keys("--sub-type", "SCADA_SYMBOL"))
        self.assertEqual(["b.png", "a.svg"], self.keys("--tag", "x"))
        self.assertEqual(["a.svg"], self.keys("--tag", "x", "--tag=y"))
        self.assertEqual(["a.svg", "s.svg"], self.keys("--media-type", "image/svg+xml"))
        self.assertEqual(["b.png", "s.svg"], self.keys("--public"))
        self.assertEqual(["a.svg"], self.keys("--private"))
        self.assertEqual(["b.png"], self.keys("--search", "ZEB"))
        self.assertEqual([], self.keys("--search", "100%&tag=x"))
        lines = self.call("images", "list", who=self.who).stdout.splitlines()
        self.assertRegex(lines[0], r"^KEY +TITLE +SUB-TYPE +MEDIA-TYPE +BYTES +PIXELS +PUBLIC +TAGS +CREATED$")
        self.assertRegex(lines[2], r"^a.svg +a.svg +IMAGE +image/svg\+xml +\d+ +9x9 +no +x, y +\d{4}-")
        for wrong in (("--sort", "color"), ("--sub-type", "JS"), ("--public", "--private")):
            self.error(USAGE, "images", "list", *wrong, who=self.who, words=[wrong[0]])

    def test_system_images_are_listed_with_the_tenants(self):
        key = unique("system") + ".png"
        self.json("images", "upload", self.file(key, png(text=key)))
        self.assertNotIn(key, self.keys())
        self.assertIn(key, self.keys("--include-system"))
        self.assertIn(key, [i["resourceKey"] for i in self.json("images", "list")])
        self.error(NOT_FOUND, "images", "show", key, who=self.who)
        self.assertEqual(key, self.json("images", "show", key, "--system", who=self.who)["resourceKey"])
        self.error(NOT_FOUND, "images", "delete", key, "--yes", who=self.who)
        self.json("images", "delete", key, "--yes")

    def test_an_image_is_shown(self):
        made = self.json("images", "upload", self.file("100% #1?.png", png()), "--tag", "x", who=self.who)[0]
        self.assertEqual(made, self.json("images", "show", "100% #1?.png", who=self.who))
        shown = self.call("images", "show", "100% #1?.png", who=self.who).stdout
        for line in (r"key: +100% #1\?.png", "etag: +" + made["etag"], "tags: +x", "public: +yes",
                     "public-link: +" + made["publicLink"]):
            self.assertRegex(shown, "(?m)^" + line + "$")
        told = self.error(NOT_FOUND, "images", "show", "no.png", who=self.who, words=["no.png"])
        self.assertEqual((404, 32), (told["status"], told["errorCode"]))

    def test_images_are_published_and_unpublished(self):
        link = [self.json("images", "upload", self.file(f"{n}.png", png(text=n)), who=self.who)[0]["publicLink"]
                for n in "ab"][0]
        off = self.json("images", "unpublish", "a.png", "b.png", who=self.who)
        self.assertEqual([False, False], [i["public"] for i in off])
        self.assertStatus(404, self.anonymous.get(link))
        self.assertTrue(self.json("images", "publish", "a.png", who=self.who)[0]["public"])
        self.assertStatus(200, self.anonymous.get(link))
        self.error(NOT_FOUND, "images", "publish", "no.png", who=self.who)

    def test_tags_are_added_and_removed(self):
        for name in ("a.png", "b.png"):
            self.json("images", "upload", self.file(name, png(text=name)), "--tag", "old", who=self.who)
        done = self.json("images", "tag", "a.png", "b.png", "--add", "x", "--add", "y, z", who=self.who)
        self.assertEqual([["old", "x", "y, z"]] * 2, [i["tags"] for i in done])
        self.assertEqual([["x", "y, z"]],
                         [i["tags"] for i in self.json("images", "tag", "a.png", "--remove", "old", who=self.who)])
        self.assertEqual([["n"]], [i["tags"] for i in self.json("images", "tag", "a.png", "--clear", "--add", "n",
                                                                who=self.who)])
        self.assertNotIn("tags", self.json("images", "tag", "a.png", "--clear", who=self.who)[0])
        self.error(USAGE, "images", "tag", "a.png", who=self.who, words=["--add"])
        self.error(REFUSED, "images", "tag", "a.png", "--add", "x" * 65, who=self.who, words=["64"])

    def test_images_are_deleted_after_a_confirmation(self):
        for name in ("a.png", "b.png", "c.png"):
            self.json("images", "upload", self.file(name, png(text=name)), who=self.who)
        self.error(USAGE, "images", "delete", "a.png", who=self.who, words=["--yes"])
        terminal = Terminal("images", "delete", "a.png", env=self.env(self.who))
        terminal.expect("Delete the image 'a.png'")
        terminal.type("y")
        code, output, _ = terminal.end()
        self.assertEqual((0, "deleted image 'a.png'"), (code, output[:21]))
        # One that does not exist: nothing is deleted.
        self.error(NOT_FOUND, "images", "delete", "b.png", "no.png", "--yes", who=self.who)
        self.assertEqual(["b.png", "c.png"], self.keys())
        deleted = self.json("images", "delete", "b.png", "c.png", "--yes", who=self.who)
        self.assertEqual(["b.png", "c.png"], [i["resourceKey"] for i in deleted])
        self.assertEqual([], self.keys())


if __name__ == "__main__":
    unittest.main()
