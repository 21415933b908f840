# SPDX-License-Identifier: Apache-2.0
"""The server's description of its API against what it does, and against ThingsBoard's where that is at hand."""
import json
import unittest

from harness import ServerTest, png
from shapes import THINGSBOARD, accept_nulls, validator


class OpenApi(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.document = cls.anonymous.get("/v3/api-docs").json()

    def validate(self, document, name, value):
        validator(document, name).validate(value)

    def test_every_path_has_exactly_the_described_methods(self):
        for path, operations in self.document["paths"].items():
            with self.subTest(path):
                concrete = path
                for parameter in ("tenantId", "tenantProfileId", "customerId", "userId", "id"):
                    concrete = concrete.replace("{" + parameter + "}", "784f394c-42b6-435a-983c-b7beff2784f9")
                concrete = concrete.replace("{type}", "tenant").replace("{isPublic}", "true")
                concrete = concrete.replace("{enabledValue}", "true").replace("{key}", "x.png")
                concrete = concrete.replace("{publicResourceKey}", "A" * 32)
                allowed = self.anonymous.request("OPTIONS", concrete).header("Allow")
                self.assertIsNotNone(allowed)
                described = {verb.upper() for verb in operations}
                if path == "/api/images/public/{publicResourceKey}":
                    described |= {"PUT", "DELETE"}  # of /api/images/{type}/{key}, which then refuse the type
                self.assertEqual(described, set(allowed.split(", ")) - {"HEAD", "OPTIONS"})

    def test_every_reference_resolves_and_every_operation_is_complete(self):
        def walk(value):
            if isinstance(value, dict):
                if "$ref" in value:
                    target = self.document
                    for step in value["$ref"].removeprefix("#/").split("/"):
                        target = target[step]
                for each in value.values():
                    walk(each)
            elif isinstance(value, list):
                for each in value:
                    walk(each)
        walk(self.document)
        ids = [o["operationId"] for p in self.document["paths"].values() for o in p.values()]
        self.assertEqual(len(ids), len(set(ids)))
        for path, operations in self.document["paths"].items():
            for operation in operations.values():
                in_path = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
                self.assertEqual({s[1:-1] for s in path.split("/") if s.startswith("{")}, in_path)

    def test_what_is_not_described_as_open_asks_for_credentials(self):
        for path, operations in self.document["paths"].items():
            for verb, operation in operations.items():
                if operation.get("security") == []:
                    continue
                with self.subTest(f"{verb} {path}"):
                    concrete = path.replace("{type}", "tenant").replace("{isPublic}", "true")
                    concrete = concrete.replace("{", "").replace("}", "")
                    answer = self.anonymous.request(verb.upper(), concrete, b"{}" if verb != "get" else None,
                                                    {"Content-Type": "application/json"})
                    self.assertError(401, 10, answer)

    def answers(self):
        """A real answer for each shape."""
        data = png(300, 200, text="openapi")
        info = self.assertStatus(200, self.tenant.upload("openapi.png", data)).json()
        yield "TbResourceInfo", "ResourceInfo", info
        yield "TbResourceInfo", "ResourceInfo", self.tenant.info("openapi.png").json()
        yield "PageDataTbResourceInfo", "PageOfImages", self.tenant.list().json()
        yield "ResourceExportData", "ResourceExport", self.tenant.image("openapi.png", suffix="/export").json()
        yield "TbImageDeleteResult", "DeleteResult", self.tenant.delete("/api/images/tenant/openapi.png").json()
        yield "ThingsboardErrorResponse", "Error", self.tenant.info("openapi.png").json()
        yield "User", "User", self.tenant.get("/api/auth/user").json()
        yield "LoginResponse", "TokenPair", self.anonymous.post("/api/auth/login", {
            "username": "tenant@gallery.local", "password": "demo-password-1"}).json()
        yield "PageDataTenant", "PageOfTenants", self.admin.get("/api/tenants?pageSize=10&page=0").json()
        yield "PageDataUser", "PageOfUsers", self.tenant.get("/api/users?pageSize=10&page=0").json()
        yield "PageDataCustomer", "PageOfCustomers", self.tenant.get("/api/customers?pageSize=10&page=0").json()

    def test_answers_have_the_described_shapes(self):
        for _, ours, value in self.answers():
            with self.subTest(ours):
                self.validate(self.document, ours, value)

    def test_answers_have_thingsboards_shapes(self):
        theirs = json.loads(THINGSBOARD.read_text())
        for name, _, value in self.answers():
            with self.subTest(name):
                self.validate(accept_nulls(theirs), name, value)

    def test_the_page_is_there_and_runs_nothing(self):
        page = self.anonymous.get("/swagger-ui")
        self.assertEqual((200, "text/html; charset=utf-8"), (page.status, page.header("Content-Type")))
        self.assertNotIn(b"<script", page.body)
        for path in self.document["paths"]:
            self.assertIn(path.encode(), page.body)


if __name__ == "__main__":
    unittest.main()
