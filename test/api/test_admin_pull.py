# SPDX-License-Identifier: Apache-2.0
"""gallery-admin images pull: from this server, which has ThingsBoard's API, and from answers as ThingsBoard's versions
give them."""
import gzip
import json
import unittest

from admin_tool import CONFIGURATION, NOT_PERMITTED, REFUSED, UNREACHABLE, USAGE, Terminal, run, unique
from harness import SYSADMIN, SYSTEM_TENANT, Server, export_document, png, quote, sha256
from test_admin_images import SVG, ImagesTest
from thingsboard import ThingsBoard

class PullTest(ImagesTest):
    source_environment = {}

    def pull(self, url, *options, code=0, who=None, **source):
        env = self.env(who or self.who, **source)
        done = run("images", "pull", "--from", url, *options, "--json", env=env)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr.splitlines()[-1])

    @staticmethod
    def figures(report):
        return {name: len(value) if isinstance(value, list) else value for name, value in report.items()}


class FromThingsBoard(PullTest):
    LOGIN = {"THINGSBOARD_USER": "tenant@thingsboard.example", "THINGSBOARD_PASSWORD": "tenant"}

    def board(self, version):
        board = ThingsBoard(version)
        self.addCleanup(board.stop)
        tag = unique()
        board.add(f"{tag} a.png", png(text="a"), title="Ä \"title\"", fileName="other.png")
        board.add(f"{tag}-pump.svg", SVG, mediaType="image/svg+xml", public=False,
                  subType="IMAGE" if version == "3.6" else "SCADA_SYMBOL")
        board.add(f"{tag}-b.png", png(text="b"))
        return board

    def check(self, board):
        for one in board.images:
            info = self.info(one["key"])
            self.assertEqual(
                tuple(one[k] for k in ("title", "fileName", "public", "publicResourceKey", "createdTime", "subType")),
                tuple(info[k] for k in ("title", "fileName", "public", "publicResourceKey", "createdTime",
                                        "resourceSubType")))
            self.assertEqual(one["data"], self.client.image(one["key"]).body)

    def test_images_of_both_versions_are_pulled_as_they_are(self):
        for version in ("3.6", "4"):
            with self.subTest(version):
                board = self.board(version)
                report = self.pull(board.url, "--verify", **self.LOGIN)
                self.assertEqual(sorted(i["key"] for i in board.images), report["created"])
                self.assertEqual({"equal": 3, "different": [], "missing": []}, report["verified"])
                self.assertEqual([], report["clashes"])
                self.check(board)
                # Again: nothing is fetched.
                board.requests.clear()
                self.assertEqual(3, self.pull(board.url, **self.LOGIN)["unchanged"])
                self.assertEqual([], board.exported())

    def test_tokens_and_keys_are_credentials_too(self):
        board = self.board("4")
        self.pull(board.url, THINGSBOARD_TOKEN="token-1")
        self.assertEqual(3, self.pull(board.url, THINGSBOARD_API_KEY="tb_key")["unchanged"])
        self.assertNotIn(("POST", "/api/auth/login"), board.requests)
        for token, words in (("garbage", "Invalid username or password"), ("expired", "Token has expired"),
                             ("of another key", "Token has expired")):
            told = self.pull(board.url, code=NOT_PERMITTED, THINGSBOARD_TOKEN=token)
            self.assertIn(words, told["message"])
            self.assertIn("THINGSBOARD_TOKEN", told["message"])
        told = self.pull(board.url, code=NOT_PERMITTED, THINGSBOARD_API_KEY="wrong")
        self.assertIn("THINGSBOARD_API_KEY", told["message"])
        told = self.pull(board.url, code=NOT_PERMITTED, **{**self.LOGIN, "THINGSBOARD_PASSWORD": "wrong"})
        self.assertIn(self.LOGIN["THINGSBOARD_USER"], told["message"])
        self.assertNotIn("wrong", told["message"])
        for given in ({}, {"THINGSBOARD_USER": "x"}):
            self.assertIn("THINGSBOARD_", self.pull(board.url, code=CONFIGURATION, **given)["message"])

    def test_a_token_that_expires_meanwhile_is_renewed(self):
        board = self.board("4")

        def and_expire():
            board.expire()
            return board.refused_token()
        board.answers[f"/api/images/tenant/{board.images[0]['key']}/export"] = [and_expire]
        self.assertEqual(3, len(self.pull(board.url, "--jobs", "1", **self.LOGIN)["created"]))
        self.assertEqual(2, board.requests.count(("POST", "/api/auth/login")))

    def test_a_busy_server_is_asked_again(self):
        board = self.board("4")
        busy = (429, {"status": 429, "message": "Too many requests", "errorCode": 33, "timestamp": 1})
        board.answers[f"/api/images/tenant/{board.images[0]['key']}/export"] = [busy]
        self.assertEqual(3, len(self.pull(board.url, **self.LOGIN)["created"]))

    def test_images_that_differ_are_reported_and_changed_on_demand(self):
        board = self.board("4")
        self.pull(board.url, **self.LOGIN)
        first, pump, _ = (one["key"] for one in board.images)
        board.images[0].update(data=png(text="new"), title="New")
        board.images[1].update(public=True, publicResourceKey="x" * 32)
        report = self.pull(board.url, "--verify", code=REFUSED, **self.LOGIN)
        self.assertEqual([{"key": first, "members": ["picture", "title"]}, {"key": pump, "members": ["public"]}],
                         report["differ"])
        self.assertEqual([{"key": pump, "members": ["publicResourceKey"]}], report["clashes"])
        self.assertEqual({"equal": 2, "different": [first], "missing": []}, report["verified"])
        board.requests.clear()
        report = self.pull(board.url, "--overwrite", "--dry-run", **self.LOGIN)
        self.assertEqual([first, pump], [one["key"] for one in report["replaced"]])
        self.assertEqual([], board.exported())
        # A public link that has been given out stays, so the exit code says that not all is equal.
        report = self.pull(board.url, "--overwrite", "--verify", code=REFUSED, **self.LOGIN)
        self.assertEqual(([first, pump], [pump], 3), ([one["key"] for one in report["replaced"]],
                                                      [one["key"] for one in report["clashes"]],
                                                      report["verified"]["equal"]))
        self.assertEqual((sha256(png(text="new")), "New"), tuple(self.info(first)[k] for k in ("etag", "title")))
        self.assertTrue(self.info(pump)["public"])

    def test_what_others_make_and_change_meanwhile_is_left_alone(self):
        board = self.board("4")
        first, pump, third = board.images
        theirs = png(text="theirs")

        def and_meanwhile(one, change):
            def answer():
                self.assertStatus(200, change())
                return 200, board.export(one)
            board.answers[f"/api/images/tenant/{one['key']}/export"] = [answer]
        and_meanwhile(first, lambda: self.client.put("/api/image/import", export_document(first["key"], theirs)))
        report = self.pull(board.url, code=REFUSED, **self.LOGIN)
        self.assertEqual(([first["key"]], sorted([pump["key"], third["key"]])),
                         ([one["key"] for one in report["failed"]], report["created"]))
        self.assertIn("created meanwhile", report["failed"][0]["message"])
        self.assertEqual(theirs, self.client.image(first["key"]).body)
        third["data"] = png(text="new")
        and_meanwhile(third, lambda: self.client.replace(third["key"], "x.png", theirs))
        report = self.pull(board.url, "--overwrite", code=REFUSED, **self.LOGIN)
        self.assertEqual([third["key"]], [one["key"] for one in report["failed"]])
        self.assertIn("changed meanwhile", report["failed"][0]["message"])
        self.assertEqual(theirs, self.client.image(third["key"]).body)
        # Somebody else has made just what is wanted.
        self.client.delete(f"/api/images/tenant/{quote(third['key'])}")
        and_meanwhile(third, lambda: self.client.put("/api/image/import", board.export(third)))
        self.assertEqual((3, []), tuple(self.pull(board.url, "--overwrite", code=REFUSED, **self.LOGIN)[k]
                                        for k in ("unchanged", "failed")))

    def test_compressed_drawings_are_equal_to_what_is_stored(self):
        board = self.board("4")
        tag = unique()
        board.add(f"{tag}.svgz", gzip.compress(SVG), fileName="pump.svgz", mediaType="image/svg+xml")
        report = self.pull(board.url, "--verify", **self.LOGIN)
        self.assertEqual(([], 4), (report["clashes"], report["verified"]["equal"]))
        self.assertEqual(SVG, self.client.image(f"{tag}.svgz").body)
        self.assertEqual("pump.svg", self.info(f"{tag}.svgz")["fileName"])
        for options in ((), ("--overwrite",), ("--dry-run",)):
            report = self.pull(board.url, "--verify", *options, **self.LOGIN)
            self.assertEqual((4, 4), (report["unchanged"], report["verified"]["equal"]))
        board.images[-1]["data"] = gzip.compress(SVG.replace(b"h9", b"h8"))
        report = self.pull(board.url, "--verify", code=REFUSED, **self.LOGIN)
        self.assertEqual([{"key": f"{tag}.svgz", "members": ["picture"]}], report["differ"])
        self.assertEqual([f"{tag}.svgz"], report["verified"]["different"])

    def test_images_without_an_etag_are_fetched_and_compared(self):
        board = self.board("4")
        self.pull(board.url, **self.LOGIN)
        for one in board.images:
            one["etag"] = None
        self.assertEqual(3, self.pull(board.url, **self.LOGIN)["unchanged"])
        board.images[2]["data"] = png(text="new")
        report = self.pull(board.url, code=REFUSED, **self.LOGIN)
        self.assertEqual([{"key": board.images[2]["key"], "members": ["picture"]}], report["differ"])

    def test_a_failure_that_concerns_all_comes_after_the_report(self):
        board = self.board("4")
        # The symbol comes last.
        board.answers[f"/api/images/tenant/{board.images[1]['key']}/export"] = [
            (403, {"status": 403, "message": "You don't have permission", "errorCode": 20, "timestamp": 1})]
        done = run("images", "pull", "--from", board.url, "--jobs", "1", "--json", env=self.env(self.who, **self.LOGIN))
        self.assertEqual(NOT_PERMITTED, done.returncode, done.stderr)
        self.assertEqual(2, len(json.loads(done.stdout)["created"]))
        self.assertEqual(403, json.loads(done.stderr)["status"])

    def test_a_list_without_an_end_is_refused(self):
        board = self.board("4")
        board.answers["/api/images"] = [(200, {"data": [], "hasNext": True})]
        self.assertIn("does not end", self.pull(board.url, code=UNREACHABLE, **self.LOGIN)["message"])

    def test_a_dry_run_changes_nothing(self):
        board = self.board("4")
        report = self.pull(board.url, "--dry-run", **self.LOGIN)
        self.assertEqual(3, len(report["created"]))
        self.assertEqual([], self.keys())
        self.assertEqual([], board.exported())
        report = self.pull(board.url, "--dry-run", "--verify", code=REFUSED, **self.LOGIN)
        self.assertEqual(3, len(report["verified"]["missing"]))

    def test_one_bad_image_does_not_stop_the_others(self):
        board = self.board("4")
        bad = [board.images[0]["key"]]
        for name, answer in (("gone", (404, {"status": 404, "message": "Requested item wasn't found!", "errorCode": 32,
                                             "timestamp": 1})),
                             ("large", (413, "a proxy's text")),
                             ("fault", (500, {"status": 500, "message": "Broken", "errorCode": 2, "timestamp": 1})),
                             ("other", (200, {"mediaType": "image/png", "data": "AAAA", "title": "x"})),
                             ("no data", (200, {"title": "x"}))):
            board.add(name, png(text=name))
            board.answers[f"/api/images/tenant/{name}/export"] = [answer]
            bad.append(name)
        board.images[0]["data"] = b"no picture"
        report = self.pull(board.url, "--verify", code=REFUSED, **self.LOGIN)
        self.assertEqual(sorted(bad), [one["key"] for one in report["failed"]])
        self.assertEqual(2, len(report["created"]))
        self.assertEqual(sorted(bad), report["verified"]["missing"])
        # What was wrong for a while is pulled by the next run, and the rest is left alone.
        board.images[0]["data"] = png(text="mended")
        report = self.pull(board.url, "--verify", **self.LOGIN)
        self.assertEqual((sorted(bad), 2), (report["created"], report["unchanged"]))

    def test_many_pages_are_read_and_several_images_at_a_time(self):
        board = ThingsBoard("4")
        self.addCleanup(board.stop)
        for i in range(1003):
            board.add(f"{i}.png", png(text=str(i % 7)), publicResourceKey=sha256(f"{i}{self.who}".encode())[:32])
        self.assertEqual({"created": 1003, "failed": 0}, {k: v for k, v in self.figures(
            self.pull(board.url, "--jobs", "8", **self.LOGIN)).items() if k in ("created", "failed")})
        self.assertEqual(1003, len(self.keys()))
        # As after an interruption: only what is missing is fetched.
        for i in range(5):
            self.client.delete(f"/api/images/tenant/{i}.png")
        board.requests.clear()
        self.assertEqual(5, len(self.pull(board.url, **self.LOGIN)["created"]))
        self.assertEqual({f"{i}.png" for i in range(5)}, set(board.exported()))

    def test_the_system_is_pulled_by_system_administrators_only(self):
        board = self.board("4")
        board.authority = "SYS_ADMIN"
        for one in board.images:
            one["tenant"] = SYSTEM_TENANT
        self.assertIn("--system", self.pull(board.url, code=NOT_PERMITTED, **self.LOGIN)["message"])
        self.assertIn("SYS_ADMIN", self.pull(board.url, "--system", code=NOT_PERMITTED, **self.LOGIN)["message"])
        report = self.pull(board.url, "--system", who=SYSADMIN, **self.LOGIN)
        self.assertEqual(3, len(report["created"]))
        for one in board.images:
            self.assertEqual(one["createdTime"], self.admin.info(one["key"], "system").json()["createdTime"])
            self.json("images", "delete", one["key"], "--yes")
        board.authority = "TENANT_ADMIN"
        self.assertIn("source", self.pull(board.url, "--system", code=NOT_PERMITTED, who=SYSADMIN,
                                          **self.LOGIN)["message"])
        board.authority = "CUSTOMER_USER"
        self.pull(board.url, code=NOT_PERMITTED, **self.LOGIN)

    def test_wrong_addresses_are_said(self):
        board = self.board("4")
        self.error(USAGE, "images", "pull", who=self.who, words=["--from"])
        self.error(USAGE, "images", "pull", "--from", "ftp://x", who=self.who, words=["--from"])
        url = board.url
        board.answers["/api/auth/login"] = [(404, {"detail": "no such page"})]
        told = self.pull(url, code=UNREACHABLE, **self.LOGIN)
        self.assertIn("not a ThingsBoard server", told["message"])
        board.answers["/api/images"] = [(200, {"data": [{"title": 1}], "hasNext": False})]
        self.assertIn("not one of images", self.pull(url, code=UNREACHABLE, **self.LOGIN)["message"])
        board.stop()
        self.assertIn("--from", self.pull(url, code=UNREACHABLE, **self.LOGIN)["message"])

    def test_a_terminal_has_a_progress_bar_and_a_report(self):
        board = self.board("4")
        terminal = Terminal("images", "pull", "--from", board.url, env=self.env(self.who, **self.LOGIN))
        terminal.expect("pulling [")
        terminal.expect("3/3")
        code, output, _ = terminal.end()
        self.assertEqual((0, True), (code, output.startswith("created: 3, changed: 0, unchanged: 0,")))


class FromThisServer(PullTest):
    """Another server of this kind plays ThingsBoard."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = Server()
        cls.addClassCleanup(cls.other.stop)
        cls.other.start()

    def test_a_tenant_moves_with_links_tags_and_times(self):
        source = self.other.client()
        for i in range(20):
            self.assertStatus(200, source.put("/api/image/import", export_document(
                f"{i}.png", png(text=str(i)), tags=[f"t{i % 3}"], createdTime=1600000000000 + i, public=i % 2 == 0)))
        self.assertStatus(200, source.upload("pump.svg", SVG, sub_type="SCADA_SYMBOL"))
        url = f"http://127.0.0.1:{self.other.port}"
        login = {"THINGSBOARD_USER": "tenant@gallery.local", "THINGSBOARD_PASSWORD": "demo-password-1"}
        report = self.pull(url, "--verify", **login)
        self.assertEqual(([], [], [], []), tuple(report[k] for k in ("clashes", "failed", "differ", "replaced")))
        self.assertEqual(len(report["created"]), report["verified"]["equal"])

        def state(client):
            members = ("resourceKey", "title", "fileName", "etag", "public", "publicResourceKey", "createdTime",
                       "resourceSubType", "descriptor")
            return [{**{k: one[k] for k in members}, "tags": one.get("tags")}
                    for sub_type in ("IMAGE", "SCADA_SYMBOL")
                    for one in client.list(pageSize=1000, sortProperty="resourceKey", imageSubType=sub_type).json()["data"]]
        self.assertEqual(state(source), state(self.client))
        self.assertIn("pump.svg", report["created"])
        self.assertEqual(len(report["created"]), self.pull(url, **login)["unchanged"])


if __name__ == "__main__":
    unittest.main()
