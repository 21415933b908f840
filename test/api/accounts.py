# SPDX-License-Identifier: Apache-2.0
"""What tests of accounts share: making tenants, customers and users, and tokens as other programs make them."""
import base64
import hashlib
import hmac
import json
import uuid

from harness import ROOT, Client, ServerTest

THINGSBOARD = ROOT / "test" / "data" / "thingsboard" / "images.openapi.json"
NOBODY = "784f394c-42b6-435a-983c-b7beff2784f9"
SIGNING_KEY = bytes(range(64))


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(claims, key=SIGNING_KEY, header=None, digest=hashlib.sha512):
    """A token as another program makes it."""
    text = f'{encode(json.dumps(header or {"alg": "HS512"}).encode())}.{encode(json.dumps(claims).encode())}'
    return f"{text}.{encode(hmac.new(key, text.encode(), digest).digest())}"


class AccountTest(ServerTest):
    def with_token(self, token, scheme="Bearer"):
        client = Client(self.server)
        client.token, client.scheme = token, scheme
        return client

    def unique(self, prefix="user"):
        return f"{prefix}-{uuid.uuid4().hex[:12]}"

    def make_tenant(self, title=None):
        return self.assertStatus(200, self.admin.post("/api/tenant", {"title": title or self.unique("tenant")})).json()

    def make_customer(self, by=None, title=None):
        answer = (by or self.tenant).post("/api/customer", {"title": title or self.unique("customer")})
        return self.assertStatus(200, answer).json()

    def invite(self, by, authority, **fields):
        user = {"email": f"{self.unique()}@example.test", "authority": authority, **fields}
        return self.assertStatus(200, by.post("/api/user?sendActivationMail=false", user)).json()

    def activate(self, by, user, password="secret-1"):
        link = self.assertStatus(200, by.get(f"/api/user/{user['id']['id']}/activationLink")).body.decode()
        token = link.split("activateToken=")[1]
        pair = self.assertStatus(200, self.anonymous.post(
            "/api/noauth/activate", {"activateToken": token, "password": password})).json()
        client = self.with_token(pair["token"])
        client.refresh_token = pair["refreshToken"]
        return client

    def tenant_with_admin(self):
        tenant = self.make_tenant()
        user = self.invite(self.admin, "TENANT_ADMIN", tenantId=tenant["id"])
        return tenant, user, self.activate(self.admin, user)

    def customer_user(self, by):
        customer = self.make_customer(by)
        user = self.invite(by, "CUSTOMER_USER", customerId=customer["id"])
        return customer, user, self.activate(by, user)

    def me(self, client):
        return client.get("/api/auth/user")
