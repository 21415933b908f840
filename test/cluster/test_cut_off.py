# SPDX-License-Identifier: Apache-2.0
"""A node that is cut off from the database without a word: it answers from memory no longer than the bound, and
applies everything after healing."""
import http.client
import threading
import time
import unittest
import uuid

from dropping_proxy import DroppingProxy
from harness import TENANT, Client, png, sha256
from support import STALENESS, ClusterTest, report, wait_for

BOUND = 2 * STALENESS + 1
CUT_OFF = BOUND + 4


class Prober(threading.Thread):
    """Sends one request again and again, and records when which status arrived, and for a request sent when."""

    def __init__(self, request):
        super().__init__(daemon=True)
        self.request, self.answers, self.stopping = request, [], threading.Event()

    def run(self):
        while not self.stopping.is_set():
            sent = time.monotonic()
            try:
                status = self.request().status
            except (OSError, http.client.HTTPException):
                status = None
            self.answers.append((sent, time.monotonic(), status))
            time.sleep(0.01)

    def stop(self):
        self.stopping.set()
        self.join(60)

    def statuses(self, sent_after, received_before):
        return {status for sent, received, status in self.answers if sent >= sent_after and received <= received_before}


class CutOff(ClusterTest):
    def test_nothing_is_answered_from_memory_beyond_the_bound(self):
        with DroppingProxy(self.cluster.database_ports()) as proxy:
            server = self.cluster.server(ports=proxy.ports, CACHE_SPECS_IMAGE_ETAGS_MAX_SIZE="1000000")
            try:
                server.start()
                self.cut(proxy, server)
            finally:
                proxy.heal()
                server.stop()

    def new_user(self, tenant):
        customer = self.assertStatus(200, tenant.post("/api/customer", {"title": f"c {uuid.uuid4()}"})).json()
        email = f"u-{uuid.uuid4()}@example.com"
        user = self.assertStatus(200, tenant.post("/api/user?sendActivationMail=false", {
            "email": email, "authority": "CUSTOMER_USER", "customerId": customer["id"]})).json()
        link = self.assertStatus(200, tenant.get(f"/api/user/{user['id']['id']}/activationLink"))
        token = link.body.decode().rpartition("activateToken=")[2].strip('"')
        self.assertStatus(200, Client(self.nodes[0]).post("/api/noauth/activate",
                                                          {"activateToken": token, "password": "a-good-password-1"}))
        return user["id"]["id"], (email, "a-good-password-1")

    def cut(self, proxy, server):
        tenant = self.nodes[0].client(TENANT)
        names = {name: f"{name}-{uuid.uuid4()}.png" for name in ("stays", "replaced", "deleted", "private")}
        infos = {name: self.assertStatus(200, tenant.upload(key, png(text=key))).json() for name, key in names.items()}
        user, credentials = self.new_user(tenant)
        self.assertGreater(proxy.forwarded, 0)

        here = server.client(TENANT)
        theirs = server.client(credentials)
        etags = {name: f'"{info["etag"]}"' for name, info in infos.items()}

        def conditional(client, name):
            return lambda: client.image(names[name], headers={"If-None-Match": etags[name]})

        def public(name):
            return lambda: Client(server, timeout=30).get(infos[name]["publicLink"], headers={"If-None-Match": etags[name]})

        for name in names:
            for request in (conditional(here, name), public(name)):
                wait_for(lambda request=request: request().status == 304, "the node does not answer 304 before the cut")
        probers = {
            "304 for a tenant": Prober(conditional(here, "replaced")), "304 for a user": Prober(conditional(theirs, "stays")),
            "304 for a public link": Prober(public("private")),
            "account": Prober(lambda: theirs.get("/api/auth/user")),
            "wrong token": Prober(lambda: Client(server, timeout=30).get("/api/auth/user", headers={
                "X-Authorization": "Bearer " + theirs.token[:-4] + "AAAA"})),
            "ready": Prober(lambda: Client(server, timeout=30).get("/health/ready")),
        }
        for prober in probers.values():
            prober.start()
        wait_for(lambda: all(len(p.answers) > 3 for p in probers.values()), "requests are not answered before the cut")

        proxy.drop()
        dropped = time.monotonic()
        self.assertStatus(200, tenant.replace(names["replaced"], "x.png", png(text="another")))
        self.assertStatus(200, tenant.delete(f"/api/images/tenant/{names['deleted']}"))
        self.assertStatus(200, tenant.put(f"/api/images/tenant/{names['private']}/public/false"))
        self.assertStatus(200, tenant.post(f"/api/user/{user}/userCredentialsEnabled?userCredentialsEnabled=false"))
        time.sleep(max(0.0, dropped + CUT_OFF - time.monotonic()))
        healed = time.monotonic()
        proxy.heal()
        wait_for(lambda: Client(server, timeout=5).get("/health/ready").status == 200, "the node is not ready again")
        ready = time.monotonic()
        for prober in probers.values():
            prober.stop()

        for what, prober in probers.items():
            before = prober.statuses(0, dropped)
            late = prober.statuses(dropped + BOUND, healed)
            # A signature is wrong whatever the store says.
            allowed = {503, None, 401} if what == "wrong token" else {503, None}
            self.assertLessEqual(late, allowed, f"{what}: answers {BOUND} s after the cut")
            self.assertIn({"304": 304, "acc": 200, "rea": 200, "wro": 401}[what[:3]], before, f"{what}: before the cut")
        last = max(received for what, p in probers.items() if what[:3] == "304"
                   for _, received, status in p.answers if status == 304 and received < healed)
        not_ready = min((received for _, received, status in probers["ready"].answers if status == 503), default=None)
        self.assertIsNotNone(not_ready, "the node was always ready")
        report(f"cut off: the last 304 came {last - dropped:.2f} s after the cut, /health/ready was 503 after "
               f"{not_ready - dropped:.2f} s; ready again {ready - healed:.2f} s after healing")

        self.assertEqual(401, theirs.get("/api/auth/user").status)
        answer = conditional(here, "replaced")()
        self.assertEqual((200, sha256(png(text="another"))), (answer.status, sha256(answer.body)))
        self.assertEqual(404, conditional(here, "deleted")().status)
        self.assertEqual(404, public("private")().status)
        self.assertEqual(304, conditional(here, "stays")().status)
        self.assertStatus(200, here.upload(f"after-{uuid.uuid4()}.png", png()))


if __name__ == "__main__":
    unittest.main()
