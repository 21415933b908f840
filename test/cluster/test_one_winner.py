# SPDX-License-Identifier: Apache-2.0
"""What only one request may get, asked of three nodes at the same moment; and rights that are taken away on one node."""
import threading
import time
import unittest
import uuid

import support
from harness import SYSADMIN, TENANT, Client, export_document, png, sha256
from support import LIMIT, STALENESS, ClusterTest, report, wait_for

REFRESH_GRACE = 30  # seconds
ROUNDS = 40 if support.LONG else 8


def patiently(action):
    """The answer of a node that is not behind: on a busy machine one may be, and it refuses for a moment, as it says with
    Retry-After. A 503 without it, where the outcome is not known, is an answer."""
    deadline = time.monotonic() + 60
    while True:
        answer = action()
        if answer.status != 503 or not answer.header("Retry-After") or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)


def at_once(actions):
    """The results of the actions, which begin at the same moment."""
    barrier = threading.Barrier(len(actions))
    results = [None] * len(actions)

    def run(index, action):
        barrier.wait()
        results[index] = patiently(action)
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class OneWinner(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tenants = [node.client(TENANT) for node in cls.nodes]
        cls.admins = [node.client(SYSADMIN) for node in cls.nodes]

    def assertOneWins(self, answers, lost):
        statuses = sorted(a.status for a in answers)
        self.assertEqual(sorted([200] + lost), statuses, answers)

    def test_an_email_address(self):
        for number in range(ROUNDS):
            email = f"Someone-{uuid.uuid4()}@example.com"
            spellings = (email, email.lower(), email.upper())
            title = f"t {number} {uuid.uuid4()}"
            made = [patiently(lambda a=a, i=i: a.post("/api/tenant", {"title": f"{title} {i}"}))
                    for i, a in enumerate(self.admins)]
            tenants = [self.assertStatus(200, answer).json()["id"] for answer in made]
            answers = at_once([
                lambda a=a, e=e, t=t: a.post("/api/user?sendActivationMail=false",
                                             {"email": e, "authority": "TENANT_ADMIN", "tenantId": t})
                for a, e, t in zip(self.admins, spellings, tenants)])
            self.assertOneWins(answers, [400, 400])

    def test_a_customer_title(self):
        for _ in range(ROUNDS):
            title = f"customer {uuid.uuid4()}"
            answers = at_once([lambda c=c: c.post("/api/customer", {"title": title}) for c in self.tenants])
            self.assertOneWins(answers, [400, 400])

    def test_an_image_key(self):
        for number in range(ROUNDS):
            name = f"same-{uuid.uuid4()}.png"
            stem = name[:-len(".png")]
            answers = at_once([lambda c=c, i=i: c.upload(name, png(text=f"{number} {i}"))
                               for i, c in enumerate(self.tenants)])
            keys = sorted(self.assertStatus(200, a).json()["resourceKey"] for a in answers)
            self.assertEqual(sorted([name, f"{stem}_(1).png", f"{stem}_(2).png"]), keys)

    def test_a_public_key(self):
        for number in range(ROUNDS):
            public_key = uuid.uuid4().hex
            pictures = [png(text=f"public {number} {i}") for i in range(3)]
            answers = at_once([
                lambda c=c, p=p: c.put("/api/image/import",
                                       export_document(f"p-{uuid.uuid4()}.png", p, publicResourceKey=public_key))
                for c, p in zip(self.tenants, pictures)])
            keys = [self.assertStatus(200, a).json()["publicResourceKey"] for a in answers]
            self.assertEqual(3, len(set(keys)))
            self.assertEqual(1, keys.count(public_key), keys)
            winner = pictures[keys.index(public_key)]
            for node in self.nodes:
                answer = Client(node).get(f"/api/images/public/{public_key}")
                self.assertEqual((200, sha256(winner)), (answer.status, sha256(answer.body)))

    def test_a_replacement_under_if_match(self):
        key = f"match-{uuid.uuid4()}.png"
        self.assertStatus(200, self.tenants[0].upload(key, png(text="first")))
        for number in range(ROUNDS):
            etag = self.tenants[0].image(key).header("ETag")
            answers = at_once([
                lambda c=c, i=i: c.replace(key, "x.png", png(text=f"match {number} {i}"), headers={"If-Match": etag})
                for i, c in enumerate(self.tenants)])
            self.assertOneWins(answers, [412, 412])

    def test_a_refresh_token_is_spent_once(self):
        """A repetition within the grace period is a client's retry; after it, it is theft and ends the session."""
        spent = []
        for index in range(3):
            token = self.nodes[0].client(TENANT).refresh_token
            answers = [Client(self.nodes[(index + step) % 3]).post("/api/auth/token", {"refreshToken": token})
                       for step in range(2)]
            session = Client(self.nodes[index])
            session.token = self.assertStatus(200, answers[0]).json()["token"]
            self.assertStatus(200, answers[1])
            spent.append((token, self.copies(session)))
        time.sleep(REFRESH_GRACE + 1)
        for index, (token, copies) in enumerate(spent):
            answer = Client(self.nodes[(index + 2) % 3]).post("/api/auth/token", {"refreshToken": token})
            self.assertStatus(401, answer)
            self.assertRefusedEverywhere("the end of a session", copies)

    # Rights

    def assertRefusedEverywhere(self, what, clients):
        """The nodes on which the change was not made follow: a request that is sent after the bound is not accepted. How
        long the answer takes depends on the machine."""
        began = time.monotonic()
        waiting = list(clients)
        while waiting:
            sent = time.monotonic() - began
            answer = waiting[0].get("/api/auth/user")
            if answer.status == 401:
                waiting.pop(0)
                continue
            self.assertIn(answer.status, (200, 503), answer)
            if answer.status == 200:
                self.assertLess(sent, 2 * STALENESS, f"{what} is not known after {sent:.2f} s")
            self.assertLess(sent, LIMIT, f"{what}: {answer}")
            time.sleep(0.001)
        return time.monotonic() - began

    def copies(self, client):
        """The same session on each node."""
        found = []
        for node in self.nodes:
            copy = Client(node)
            copy.token, copy.scheme = client.token, client.scheme
            found.append(copy)
            wait_for(lambda copy=copy: copy.get("/api/auth/user").status == 200, "a session is not accepted everywhere")
        return found

    def new_user(self):
        """A customer's user with a password: (id, client on the first node)."""
        customer = self.assertStatus(200, self.tenants[0].post("/api/customer", {"title": f"c {uuid.uuid4()}"})).json()
        email = f"u-{uuid.uuid4()}@example.com"
        user = self.assertStatus(200, self.tenants[0].post("/api/user?sendActivationMail=false", {
            "email": email, "authority": "CUSTOMER_USER", "customerId": customer["id"]})).json()
        link = self.assertStatus(200, self.tenants[0].get(f"/api/user/{user['id']['id']}/activationLink"))
        token = link.body.decode().rpartition("activateToken=")[2].strip('"')
        self.assertStatus(200, Client(self.nodes[0]).post("/api/noauth/activate",
                                                          {"activateToken": token, "password": "a-good-password-1"}))
        return user["id"]["id"], self.nodes[0].client((email, "a-good-password-1"))

    def measure(self, what, change):
        times = []
        for _ in range(ROUNDS):
            clients = change()
            times.append(self.assertRefusedEverywhere(what, clients))
        times.sort()
        report(f"{what} known on all nodes: median {times[len(times) // 2] * 1000:.0f} ms, "
               f"longest {times[-1] * 1000:.0f} ms after the acknowledgement")

    def test_a_logout_is_known_everywhere(self):
        def change():
            session = self.nodes[0].client(TENANT)
            clients = self.copies(session)
            self.assertStatus(200, session.post("/api/auth/logout"))
            return clients
        self.measure("a logout", change)

    def test_a_disabled_user_is_out_everywhere(self):
        def change():
            user, session = self.new_user()
            clients = self.copies(session)
            self.assertStatus(200, self.tenants[1].post(f"/api/user/{user}/userCredentialsEnabled?userCredentialsEnabled=false"))
            return clients
        self.measure("a disabled user", change)

    def test_a_revoked_key_is_out_everywhere(self):
        def change():
            key = self.assertStatus(200, self.tenants[2].post("/api/apiKey", {"description": "one"})).json()
            session = Client(self.nodes[2])
            session.token, session.scheme = key["value"], "ApiKey"
            clients = self.copies(session)
            self.assertStatus(200, self.tenants[2].delete(f"/api/apiKey/{key['id']['id']}"))
            return clients
        self.measure("a revoked API key", change)


if __name__ == "__main__":
    unittest.main()
