# SPDX-License-Identifier: Apache-2.0
"""Tenants and customers, and the shapes of all that is said about accounts."""
import copy
import json
import unittest

import jsonschema

from accounts import THINGSBOARD, NOBODY, AccountTest
from harness import TENANT, png


class Tenants(AccountTest):
    def test_a_tenant_is_made_changed_found_and_listed(self):
        title = self.unique("Ünïcode")
        made = self.admin.post("/api/tenant", {
            "title": title, "email": "office@example.test", "region": "Global", "country": "DE", "city": "Köln",
            "zip": "50667", "additionalInfo": {"description": "one"}}).json()
        self.assertEqual((title, title, "DE", {"description": "one"}, 1),
                         (made["title"], made["name"], made["country"], made["additionalInfo"], made["version"]))
        path = f"/api/tenant/{made['id']['id']}"
        self.assertEqual(made, self.admin.get(path).json())
        changed = self.assertStatus(200, self.admin.post("/api/tenant", {**made, "title": title + " 2"})).json()
        self.assertEqual((made["id"], made["createdTime"], title + " 2", 2),
                         (changed["id"], changed["createdTime"], changed["title"], changed["version"]))
        self.assertError(409, 35, self.admin.post("/api/tenant", {**made, "title": "late"}))
        page = self.admin.get(f"/api/tenants?pageSize=10&page=0&textSearch={title[-8:].upper()}").json()
        self.assertEqual(([changed], 1, 1, False),
                         (page["data"], page["totalElements"], page["totalPages"], page["hasNext"]))

    def test_pages_are_complete_and_sorted(self):
        prefix = self.unique("page")
        titles = [f"{prefix}-{i:02}" for i in (3, 1, 4, 0, 2)]
        for title in titles:
            self.make_tenant(title)
        got = []
        for number in range(3):
            page = self.admin.get(f"/api/tenants?pageSize=2&page={number}&textSearch={prefix}"
                                  "&sortProperty=title&sortOrder=DESC").json()
            self.assertEqual((5, 3, number < 2), (page["totalElements"], page["totalPages"], page["hasNext"]))
            got += [t["title"] for t in page["data"]]
        self.assertEqual(sorted(titles, reverse=True), got)
        beyond = self.admin.get(f"/api/tenants?pageSize=2&page=9&textSearch={prefix}").json()
        self.assertEqual(([], 5, False), (beyond["data"], beyond["totalElements"], beyond["hasNext"]))

    def test_bad_parameters_are_400_with_the_parameters_name(self):
        for query, word in [("", "pageSize"), ("pageSize=1", "page"), ("pageSize=0&page=0", "pageSize"),
                            ("pageSize=-1&page=0", "pageSize"), ("pageSize=x&page=0", "pageSize"),
                            ("pageSize=99999999999999999999&page=0", "pageSize"), ("pageSize=1&page=-1", "page"),
                            ("pageSize=1&page=0&sortProperty=secret", "sortProperty"),
                            ("pageSize=1&page=0&sortOrder=UP", "sortOrder"),
                            ("pageSize=1&page=0&textSearch=%ff", "textSearch")]:
            with self.subTest(query):
                self.assertError(400, 31, self.admin.get("/api/tenants?" + query), word)
        for body, word in [({}, "title"), ({"title": ""}, "title"), ({"title": 7}, "title"),
                           ({"title": "x" * 256}, "title"), ({"title": "a\u0000b"}, "title"),
                           ({"title": "t", "email": "no"}, "email"), ({"title": "t", "id": "x"}, "id"),
                           ({"title": "t", "id": {"entityType": "USER", "id": NOBODY}}, "id"),
                           ({"title": "t", "additionalInfo": {"x": "y" * 20000}}, "additionalInfo")]:
            with self.subTest(body=str(body)[:60]):
                self.assertError(400, 31, self.admin.post("/api/tenant", body), word)
        self.assertError(400, 31, self.admin.get("/api/tenant/x"), "tenantId")
        self.assertError(404, 32, self.admin.get(f"/api/tenant/{NOBODY}"), NOBODY)
        self.assertError(404, 32, self.admin.delete(f"/api/tenant/{NOBODY}"))
        self.assertError(404, 32, self.admin.post("/api/tenant", {
            "title": "t", "id": {"entityType": "TENANT", "id": NOBODY}}))

    def test_who_may(self):
        own = self.me(self.tenant).json()["tenantId"]["id"]
        other = self.make_tenant()["id"]["id"]
        self.assertStatus(200, self.tenant.get(f"/api/tenant/{own}"))
        for client in (self.tenant, self.customer):
            self.assertError(403, 20, client.get(f"/api/tenant/{other}"))
            self.assertError(403, 20, client.post("/api/tenant", {"title": "x"}))
            self.assertError(403, 20, client.delete(f"/api/tenant/{own}"))
            self.assertError(403, 20, client.get("/api/tenants?pageSize=1&page=0"))
            self.assertError(403, 20, client.get(f"/api/tenant/{own}/users?pageSize=1&page=0"))
        self.assertError(403, 20, self.customer.get(f"/api/tenant/{own}"))

    def test_what_a_tenant_contains_is_counted_before_it_is_deleted(self):
        tenant, user, client = self.tenant_with_admin()
        path = f"/api/tenant/{tenant['id']['id']}/contents"
        self.assertEqual({"images": 0, "users": 1, "customers": 0, "apiKeys": 0},
                         self.assertStatus(200, self.admin.get(path)).json())
        customer, member, member_client = self.customer_user(client)
        for holder, who in ((user, client), (user, client), (member, member_client)):
            self.assertStatus(200, who.post("/api/apiKey", {"userId": holder["id"], "description": "d"}))
        for name in ("a.png", "b.png", "c.png"):
            self.assertStatus(200, client.upload(name, png(text=self.unique())))
        self.assertStatus(200, client.upload("s.png", png(text=self.unique()), sub_type="SCADA_SYMBOL"))
        self.assertEqual({"images": 4, "users": 2, "customers": 1, "apiKeys": 3},
                         self.assertStatus(200, self.admin.get(path)).json())
        for other in (client, member_client):
            self.assertError(403, 20, other.get(path))
        self.assertError(401, 10, self.anonymous.get(path))
        self.assertError(404, 32, self.admin.get(f"/api/tenant/{NOBODY}/contents"))
        self.assertStatus(200, self.admin.delete(f"/api/tenant/{tenant['id']['id']}"))
        self.assertError(404, 32, self.admin.get(path))

    def test_deleting_a_tenant_deletes_its_users_keys_and_images(self):
        tenant, user, client = self.tenant_with_admin()
        customer, member, member_client = self.customer_user(client)
        key = client.post("/api/apiKey", {"userId": user["id"], "description": "d"}).json()
        image = self.assertStatus(200, client.upload("gone.png", png(text=self.unique()))).json()
        self.assertStatus(200, self.anonymous.get(image["publicLink"]))
        other = self.tenant.upload("stays.png", png(text=self.unique())).json()
        self.assertStatus(200, self.admin.delete(f"/api/tenant/{tenant['id']['id']}"))
        self.assertError(404, 32, self.admin.get(f"/api/tenant/{tenant['id']['id']}"))
        for gone in (client, member_client, self.with_token(key["value"], "ApiKey")):
            self.assertEqual(401, self.me(gone).status)
            self.assertEqual(401, gone.image("gone.png").status)
        self.assertError(404, 32, self.anonymous.get(image["publicLink"]))
        self.assertError(404, 32, self.admin.get(f"/api/user/{user['id']['id']}"))
        self.assertEqual(401, self.anonymous.post("/api/auth/login", {
            "username": user["email"], "password": "secret-1"}).status)
        self.assertStatus(200, self.anonymous.get(other["publicLink"]))
        # The address is free again.
        second = self.make_tenant()
        self.assertStatus(200, self.admin.post("/api/user", {
            "email": user["email"], "authority": "TENANT_ADMIN", "tenantId": second["id"]}))


class Customers(AccountTest):
    def test_a_customer_is_made_changed_found_listed_and_deleted(self):
        title = self.unique("shop")
        made = self.make_customer(title=title)
        self.assertEqual(self.me(self.tenant).json()["tenantId"], made["tenantId"])
        path = f"/api/customer/{made['id']['id']}"
        self.assertEqual(made, self.tenant.get(path).json())
        changed = self.tenant.post("/api/customer", {**made, "city": "Ulm"}).json()
        self.assertEqual("Ulm", changed["city"])
        page = self.tenant.get(f"/api/customers?pageSize=5&page=0&textSearch={title}").json()
        self.assertEqual([changed], page["data"])
        user = self.invite(self.tenant, "CUSTOMER_USER", customerId=made["id"])
        client = self.activate(self.tenant, user)
        self.assertStatus(200, client.get(path))
        self.assertStatus(200, self.tenant.delete(path))
        self.assertError(404, 32, self.tenant.get(path))
        self.assertEqual(401, self.me(client).status)

    def test_a_taken_title_fails_or_is_made_unique(self):
        title = self.unique("twice")
        self.make_customer(title=title)
        self.assertError(400, 31, self.tenant.post("/api/customer", {"title": title}), "already exists")
        first = self.tenant.post("/api/customer?nameConflictPolicy=UNIQUIFY&uniquifyStrategy=INCREMENTAL",
                                 {"title": title}).json()
        self.assertEqual(title + "_1", first["title"])
        second = self.tenant.post("/api/customer?nameConflictPolicy=UNIQUIFY&uniquifySeparator=-",
                                  {"title": title}).json()
        self.assertTrue(second["title"].startswith(title + "-"))
        self.assertError(400, 31, self.tenant.post("/api/customer?nameConflictPolicy=MAYBE", {"title": "x"}),
                         "nameConflictPolicy")

    def test_who_may(self):
        _, _, stranger = self.tenant_with_admin()
        foreign = self.make_customer(stranger)
        path = f"/api/customer/{foreign['id']['id']}"
        for client in (self.tenant, self.customer, self.admin):
            self.assertError(403, 20, client.get(path))
            self.assertError(403, 20, client.delete(path))
        self.assertError(403, 20, self.tenant.post("/api/customer", {**foreign, "title": "mine"}))
        for client in (self.customer, self.admin):
            self.assertError(403, 20, client.post("/api/customer", {"title": "x"}))
            self.assertError(403, 20, client.get("/api/customers?pageSize=1&page=0"))
        own = self.me(self.customer).json()["customerId"]["id"]
        self.assertStatus(200, self.customer.get(f"/api/customer/{own}"))
        self.assertError(404, 32, self.tenant.get(f"/api/customer/{NOBODY}"))
        self.assertError(400, 31, self.tenant.get("/api/customer/x"), "customerId")
        self.assertError(400, 31, self.tenant.post("/api/customer", {}), "title")


class Shapes(AccountTest):
    def test_answers_have_thingsboards_shapes(self):
        document = json.loads(THINGSBOARD.read_text())
        customer, member, client = self.customer_user(self.tenant)
        tenant, _, _ = self.tenant_with_admin()
        key = self.tenant.post("/api/apiKey", {"description": "d"}).json()
        me = self.me(self.tenant).json()
        page = "pageSize=10&page=0"
        for name, value in [
                ("User", me), ("User", member), ("User", self.me(self.admin).json()), ("Tenant", tenant),
                ("Customer", customer), ("ApiKey", key),
                ("ApiKeyInfo", self.tenant.put(f"/api/apiKey/{key['id']['id']}/enabled/true").json()),
                ("LoginResponse", self.anonymous.post("/api/auth/login", dict(zip(("username", "password"), TENANT))).json()),
                ("PageDataUser", self.tenant.get(f"/api/users?{page}").json()),
                ("PageDataTenant", self.admin.get(f"/api/tenants?{page}").json()),
                ("PageDataCustomer", self.tenant.get(f"/api/customers?{page}").json()),
                ("PageDataApiKeyInfo", self.tenant.get(f"/api/apiKeys/{me['id']['id']}?{page}").json()),
                ("ThingsboardErrorResponse", self.me(self.anonymous).json())]:
            with self.subTest(name):
                schema = {"$ref": f"#/components/schemas/{name}", "components": copy.deepcopy(document["components"])}
                jsonschema.Draft202012Validator(schema).validate(value)


if __name__ == "__main__":
    unittest.main()
