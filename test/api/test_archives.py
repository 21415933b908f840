# SPDX-License-Identifier: Apache-2.0
"""Archives: many images in one zip file, by token and by ticket."""
import contextlib
import http.client
import io
import json
import os
import pathlib
import tempfile
import unittest
import urllib.parse
import uuid
import zipfile

from accounts import AccountTest
from admin_tool import run
from harness import Client, Server, export_document, is_sanitized, png, quote, sha256
from test_admin_export import ExportTest

ZIP, TICKET, BY_TICKET = "/api/images/zip", "/api/images/zipTicket", "/api/images/zipDownload"
MIB = 1 << 20
LEFT_OUT = "not-included.txt"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def members(answer):
    """The content of each file of an archive, which is checked."""
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names)), names
        return {name: archive.read(name) for name in names}


class ArchiveTest(AccountTest):
    def zip(self, *keys, client=None, system=(), layout=None):
        wanted = {"tenant": list(keys), "system": list(system)}
        if layout:
            wanted["layout"] = layout
        return (client or self.tenant).post(ZIP, wanted)

    def put(self, key, data=None, client=None, **fields):
        data = data or png(text=uuid.uuid4().hex)
        document = export_document(key, data, **fields)
        self.assertStatus(200, (client or self.tenant).put("/api/image/import", document))
        return data

    def by_ticket(self, wanted, ticket, form=None):
        text = wanted if isinstance(wanted, str) else json.dumps(wanted)
        body = urllib.parse.urlencode({"images": text}) if form is None else form
        return self.anonymous.request("POST", f"{BY_TICKET}?ticket={quote(ticket)}", body.encode(), FORM)

    def ticket(self, wanted, client=None):
        return self.assertStatus(200, (client or self.tenant).post(TICKET, wanted)).json()["ticket"]


class Archives(ArchiveTest):
    def test_pictures_are_under_their_file_names(self):
        one, two = self.put("one.png", fileName="Pümpe №1.png", createdTime=1_600_000_000_000), self.put("two.png")
        answer = self.assertStatus(200, self.zip("one.png", "two.png"))
        self.assertEqual({"Pümpe №1.png": one, "two.png": two}, members(answer))
        self.assertEqual(("application/zip", "no-store", 'attachment; filename="images.zip"'),
                         tuple(answer.header(n) for n in ("Content-Type", "Cache-Control", "Content-Disposition")))
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            self.assertEqual((2020, 9, 13, 12, 26, 40), archive.getinfo("Pümpe №1.png").date_time)

    def test_equal_file_names_get_numbers(self):
        names = {"a": "same.png", "b": "SAME.png", "c": "same (2).png", "d": "same.png", "e": "same.png",
                 "f": "no ending", "g": "no ending"}
        data = {key: self.put(key, fileName=name) for key, name in names.items()}
        found = members(self.assertStatus(200, self.zip(*names)))
        self.assertEqual(sorted(data.values()), sorted(found.values()))
        self.assertEqual(data["a"], found["same.png"])
        self.assertEqual(len(found), len({name.casefold() for name in found}), found.keys())
        self.assertIn("no ending (2)", found)

    def test_an_image_that_is_asked_for_twice_is_in_it_once(self):
        data = self.put("twice.png")
        self.assertEqual({"twice.png": data}, members(self.zip("twice.png", "twice.png")))

    def test_what_does_not_exist_is_named(self):
        data = self.put("there.png")
        found = members(self.assertStatus(200, self.zip("gone.png", "there.png", "ü\n.png", system=["nor this"])))
        self.assertEqual({"there.png", LEFT_OUT}, set(found))
        self.assertEqual(data, found["there.png"])
        text = found[LEFT_OUT].decode()
        for line in ("tenant/gone.png: there is no such image", "tenant/ü?.png:", "system/nor this:"):
            self.assertIn(line, text.splitlines() if line.endswith("image") else text)
        self.assertNotIn("there.png", text)
        # The text does not take a picture's name.
        other = self.put("text", fileName=LEFT_OUT)
        found = members(self.assertStatus(200, self.zip("text", "gone.png")))
        self.assertEqual((other, b"These images"), (found[LEFT_OUT], found["not-included (2).txt"][:12]))

    def test_where_there_is_none_the_answer_is_an_error(self):
        self.assertError(404, 32, self.zip("gone.png"), "no such image")
        self.assertError(404, 32, self.zip("gone.png", "gone too.png"), "none of these images")

    def test_who_may_see_an_image_may_have_it(self):
        data = self.put("shared.png")
        self.assertEqual({"shared.png": data}, members(self.zip("shared.png", client=self.customer)))
        self.assertError(403, 20, self.zip("shared.png", client=self.customer, layout="EXPORT"), "permission")
        self.assertError(401, 10, self.zip("shared.png", client=self.anonymous))
        of_system = self.put("of-system.png", client=self.admin)
        for client in (self.tenant, self.customer, self.admin):
            self.assertEqual({"of-system.png": of_system}, members(self.zip(client=client, system=["of-system.png"])))
        # The own images of a system administrator are the system's.
        self.assertEqual({"of-system.png": of_system}, members(self.zip("of-system.png", client=self.admin)))

    def test_another_tenants_image_is_not_there(self):
        _, _, stranger = self.tenant_with_admin()
        self.put("secret.png")
        own = self.put("own.png", client=stranger)
        for layout in ("PICTURES", "EXPORT"):
            self.assertError(404, 32, self.zip("secret.png", client=stranger, layout=layout))
        found = members(self.zip("secret.png", "own.png", client=stranger))
        self.assertEqual({"own.png", LEFT_OUT}, set(found))
        self.assertEqual(own, found["own.png"])
        # A key that both have is one's own.
        mine = self.put("secret.png", client=stranger)
        self.assertEqual({"secret.png": mine}, members(self.zip("secret.png", client=stranger)))

    def test_an_api_key_may_do_it(self):
        key = self.assertStatus(200, self.tenant.post("/api/apiKey", {"description": "zip"})).json()["value"]
        data = self.put("by-key.png")
        client = self.with_token(key, "ApiKey")
        self.assertEqual({"by-key.png": data}, members(self.zip("by-key.png", client=client)))
        wanted = {"tenant": ["by-key.png"]}
        self.assertEqual({"by-key.png": data}, members(self.by_ticket(wanted, self.ticket(wanted, client))))

    def test_requests_that_make_no_sense(self):
        bad = [({}, "no images"), ({"tenant": []}, "no images"), ({"tenant": "x.png"}, "list of keys"),
               ({"tenant": [1]}, "list of keys"), ({"tenant": [""]}, "list of keys"),
               ({"tenant": ["x" * 1021]}, "list of keys"), ({"system": {"a": 1}}, "list of keys"),
               ({"tenant": ["x"], "layout": "TAR"}, "PICTURES or EXPORT"),
               ({"tenant": ["x"], "layout": 1}, "PICTURES or EXPORT"), ([], "not a JSON object"), ("x", "not a JSON object")]
        for target in (ZIP, TICKET):
            for wanted, words in bad:
                with self.subTest(f"{target} {str(wanted)[:40]}"):
                    self.assertError(400, 31, self.tenant.post(target, wanted), words)
            self.assertError(400, 31, self.tenant.request("POST", target, b"{", {"Content-Type": "application/json"}))
            self.assertError(415, 31, self.tenant.request("POST", target, b"{}", {"Content-Type": "text/plain"}))
            self.assertError(413, 31, self.tenant.post(target, {"tenant": [str(i) for i in range(50_001)]}), "50001 images")
            self.assertError(413, 31, self.tenant.post(target, {"tenant": ["x" * 255] * 20_000}))

    def test_as_many_as_are_permitted(self):
        data = self.put("last.png")
        found = members(self.zip(*(f"none-{i}" for i in range(49_999)), "last.png"))
        self.assertEqual({"last.png", LEFT_OUT}, set(found))
        self.assertEqual((data, 49_999), (found["last.png"], found[LEFT_OUT].count(b"none-")))


class Tickets(ArchiveTest):
    @contextlib.contextmanager
    def awaited_list(self, client, length):
        """A connection on which the server waits for a list: it asks for it once it has admitted the user."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)) as connection:
            connection.putrequest("POST", TICKET)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", str(length)),
                                ("X-Authorization", f"Bearer {client.token}"), ("Expect", "100-continue")):
                connection.putheader(name, value)
            connection.endheaders()
            self.assertIn(b"100 Continue", connection.sock.recv(100))
            yield connection

    def test_a_form_with_a_ticket_gets_the_archive(self):
        names = ["ticket &+%=ü\".png", "b.png"]
        data = [self.put(name) for name in names]
        wanted = {"tenant": names, "layout": "PICTURES"}
        answer = self.assertStatus(200, self.by_ticket(wanted, self.ticket(wanted)))
        self.assertEqual(dict(zip([names[0].replace('"', "_"), names[1]], data)), members(answer))

    def test_a_ticket_is_for_its_images_only(self):
        self.put("mine.png"), self.put("other.png")
        ticket = self.ticket({"tenant": ["mine.png"]})
        self.assertError(401, 10, self.by_ticket({"tenant": ["other.png"]}, ticket), "other images")
        self.assertError(401, 10, self.by_ticket({"tenant": ["mine.png"], "layout": "EXPORT"}, ticket), "other images")
        self.assertError(401, 10, self.by_ticket({"tenant": ["mine.png"]}, ticket[:-2] + "AA"), "not valid")
        self.assertError(401, 10, self.by_ticket({"tenant": ["mine.png"]}, ""), "not valid")
        self.assertError(401, 10, self.by_ticket({"tenant": ["mine.png"]}, self.tenant.token), "not valid")
        self.assertError(400, 31, self.anonymous.request("POST", BY_TICKET, b"images=x", FORM), "ticket")
        self.assertError(400, 31, self.by_ticket({}, ticket, form="x=y"), "images")
        self.assertError(415, 31, self.anonymous.post(f"{BY_TICKET}?ticket={ticket}", {"tenant": ["mine.png"]}))
        # It is no token, either.
        self.assertError(401, 10, self.zip("mine.png", client=self.with_token(ticket)))

    def test_the_body_is_not_read_without_a_ticket(self):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)) as connection:
            connection.putrequest("POST", f"{BY_TICKET}?ticket=x.y")
            connection.putheader("Content-Type", FORM["Content-Type"])
            connection.putheader("Content-Length", str(10 * MIB))
            connection.endheaders()
            self.assertEqual(401, connection.getresponse().status)

    def test_what_a_ticket_would_be_refused_for_is_said_before(self):
        self.put("shared.png")
        wanted = {"tenant": ["shared.png"], "layout": "EXPORT"}
        self.assertError(403, 20, self.customer.post(TICKET, wanted), "permission")
        self.assertError(401, 10, self.anonymous.post(TICKET, wanted))

    def test_no_ticket_for_who_loses_the_account_while_the_list_arrives(self):
        _, user, client = self.customer_user(self.tenant)
        self.put("slow.png")
        body = json.dumps({"tenant": ["slow.png"]}).encode()
        with self.awaited_list(client, len(body)) as connection:
            self.assertStatus(200, self.tenant.post(
                f"/api/user/{user['id']['id']}/userCredentialsEnabled?userCredentialsEnabled=false"))
            connection.send(body)
            self.assertEqual(401, connection.getresponse().status)

    def test_a_slow_list_takes_no_memory_of_uploads(self):
        with contextlib.ExitStack() as open_ones:
            for _ in range(8):
                open_ones.enter_context(self.awaited_list(self.customer, 4 * MIB))
            self.assertStatus(200, self.tenant.upload("beside slow lists.png", png(text="x" * MIB)))

    def test_a_ticket_of_somebody_who_was_disabled_is_refused(self):
        self.put("shared.png")
        _, user, client = self.customer_user(self.tenant)
        wanted = {"tenant": ["shared.png"]}
        ticket = self.ticket(wanted, client)
        self.assertStatus(200, self.by_ticket(wanted, ticket))
        self.assertStatus(200, self.tenant.post(
            f"/api/user/{user['id']['id']}/userCredentialsEnabled?userCredentialsEnabled=false"))
        self.assertError(401, 10, self.by_ticket(wanted, ticket))


class RoundTrip(ExportTest):
    """What the console exports, and what gallery-admin does with it."""

    def export_zip(self, keys):
        answer = self.assertStatus(200, self.client.post(ZIP, {"tenant": keys, "layout": "EXPORT"}))
        self.assertEqual('attachment; filename="exported-images.zip"', answer.header("Content-Disposition"))
        path = self.folder / "console.zip"
        path.write_bytes(answer.body)
        return path, members(answer)

    def test_the_files_are_those_of_gallery_admin(self):
        self.fill()
        self.export()
        _, found = self.export_zip(list(self.state()))
        self.assertEqual(self.files(), found)

    def test_gallery_admin_imports_it_exactly(self):
        before = self.fill()
        path, _ = self.export_zip(list(before))
        self.empty()
        report = self.import_(path)
        self.assertEqual((sorted(before), [], []), tuple(report[k] for k in ("created", "clashes", "failed")))
        self.assertEqual(before, self.state())

    def test_gallery_admin_ignores_the_text_about_what_is_missing(self):
        before = self.fill()
        path, found = self.export_zip([*before, "gone.png"])
        self.assertIn(LEFT_OUT, found)
        self.empty()
        self.assertEqual(sorted(before), self.import_(path)["created"])
        self.assertEqual(before, self.state())


class LargeTest(ArchiveTest):
    """Pictures of which a connection's buffers hold none as a whole, which the storage has to read."""
    count, size = 10, 20 * MIB

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = [f"large-{i}.png" for i in range(cls.count)]
        for i, key in enumerate(cls.keys):
            answer = cls.tenant.upload(key, png(text=str(i) * cls.size))
            assert answer.status == 200, answer

    def memory(self, what):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split(what + ":")[1].split()[0]) * 1024

    @contextlib.contextmanager
    def begun(self, keys, client=None):
        """The answer to a request for an archive, of which nothing was read."""
        client = client or self.tenant
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)) as connection:
            connection.request("POST", ZIP, json.dumps({"tenant": keys}).encode(),
                               {"Content-Type": "application/json", "X-Authorization": f"Bearer {client.token}"})
            answer = connection.getresponse()
            self.assertEqual(200, answer.status)
            yield answer

    def archive_is_not_kept_in_memory(self):
        with self.begun(self.keys) as answer, tempfile.TemporaryFile() as file:
            before = self.memory("VmRSS")
            pathlib.Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")  # the peak begins here
            while piece := answer.read(MIB):
                file.write(piece)
            grown = self.memory("VmHWM") - before
            self.assertGreater(file.tell(), self.count * self.size)
            with zipfile.ZipFile(file) as archive:
                self.assertEqual(self.keys, archive.namelist())
                self.assertIsNone(archive.testzip())
        # A picture at a time, and what the storage needs to read it. A sanitizer keeps what is freed for a while.
        self.assertLess(grown, (8 if is_sanitized() else 4) * self.size)


class Large(LargeTest):
    options = {"environment": {"STORAGE_ROCKSDB_CACHE_BYTES": "0"}}

    def test_no_archive_is_kept_in_memory(self):
        self.archive_is_not_kept_in_memory()

    def test_an_image_that_is_deleted_meanwhile_is_left_out(self):
        key = self.put("deleted.png") and "deleted.png"
        with self.begun([self.keys[0], key, self.keys[1]]) as answer:
            self.assertStatus(200, self.tenant.delete("/api/images/tenant/" + key))
            with zipfile.ZipFile(io.BytesIO(answer.read())) as archive:
                self.assertIsNone(archive.testzip())
                self.assertEqual([self.keys[0], self.keys[1], LEFT_OUT], archive.namelist())
                self.assertIn(b"tenant/deleted.png: there is no such image", archive.read(LEFT_OUT))

    def test_who_is_disabled_meanwhile_does_not_get_the_rest(self):
        _, user, client = self.customer_user(self.tenant)
        with self.begun(self.keys[:2], client) as answer:
            self.assertStatus(200, self.tenant.post(
                f"/api/user/{user['id']['id']}/userCredentialsEnabled?userCredentialsEnabled=false"))
            with self.assertRaises(http.client.IncompleteRead):
                answer.read()

    def test_a_user_and_a_tenant_have_a_number_of_archives_at_a_time(self):
        _, _, other = self.customer_user(self.tenant)
        with contextlib.ExitStack() as open_ones:
            for _ in range(4):
                open_ones.enter_context(self.begun(self.keys[:1], other))
            self.assertError(429, 33, self.zip(self.keys[0], client=other), "too many archives")
            for _ in range(4):
                open_ones.enter_context(self.begun(self.keys[:1]))
            _, _, third = self.customer_user(self.tenant)
            self.assertError(429, 33, self.zip(self.keys[0], client=third), "too many archives")
            # Others have theirs.
            data = self.put("of-system.png", client=self.admin)
            self.assertEqual({"of-system.png": data}, members(self.zip("of-system.png", client=self.admin)))
        # Broken off, all of them.
        while (answer := self.zip(self.keys[0])).status == 429:
            pass
        self.assertStatus(200, answer)


class DamagedFiles(ArchiveTest):
    options = {"plugin": "filesystem"}

    def damage(self, key):
        """Changes the bytes of a picture where they are stored."""
        found = [path for path in pathlib.Path(self.server.data).rglob("*.png") if key in str(path.parent)]
        self.assertEqual(1, len(found), found)
        found[0].chmod(0o600)
        found[0].write_bytes(b"x" * found[0].stat().st_size)

    def test_an_image_that_is_damaged_is_named(self):
        self.put("damaged.png")
        data = self.put("whole.png")
        self.damage("damaged.png")
        found = members(self.assertStatus(200, self.zip("damaged.png", "whole.png")))
        self.assertEqual((data, {"whole.png", LEFT_OUT}), (found["whole.png"], set(found)))
        self.assertIn(b"tenant/damaged.png: it cannot be read", found[LEFT_OUT])

    def test_where_none_can_be_read_the_answer_is_not_that_there_is_none(self):
        self.put("unreadable.png")
        self.damage("unreadable.png")
        self.assertStatus(500, self.zip("unreadable.png"))

    def test_many_in_a_row_that_cannot_be_read_end_the_answer(self):
        keys = [f"row-{i:02}.png" for i in range(16)]
        for key in keys:
            self.put(key)
            self.damage(key)
        self.put("after.png")
        self.assertStatus(500, self.zip(*keys, "after.png"))
        self.assertStatus(200, self.zip(*keys[1:], "after.png"))


class LargeFiles(LargeTest):
    options = {"plugin": "filesystem"}

    def test_no_archive_is_kept_in_memory(self):
        self.archive_is_not_kept_in_memory()


if __name__ == "__main__":
    unittest.main()
