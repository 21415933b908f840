# SPDX-License-Identifier: Apache-2.0
"""Answers of the image API against both descriptions of it: the server's own, and ThingsBoard's."""
import copy
import json

import jsonschema

from harness import ROOT, Client, ServerTest

THINGSBOARD = ROOT / "test" / "data" / "thingsboard" / "images.openapi.json"


def accept_nulls(document):
    """ThingsBoard writes nulls that its own description does not mention."""
    document = copy.deepcopy(document)
    for schema in document["components"]["schemas"].values():
        for part in [schema, *schema.get("allOf", [])]:
            for name, value in part.get("properties", {}).items():
                part["properties"][name] = {"anyOf": [value, {"type": "null"}]}
    return document


def validator(document, name):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema)


def names_of(value):
    """What an answer of the image API is called in ThingsBoard's description and in ours; None for others."""
    if not isinstance(value, dict):
        return None
    fields = set(value)
    if {"resourceKey", "descriptor"} <= fields:
        return "TbResourceInfo", "ResourceInfo"
    if {"resourceKey", "data"} <= fields:
        return "ResourceExportData", "ResourceExport"
    if {"data", "totalElements"} <= fields and value["data"] and "descriptor" in value["data"][0]:
        return "PageDataTbResourceInfo", "PageOfImages"
    if fields == {"success", "references"}:
        return "TbImageDeleteResult", "DeleteResult"
    if {"errorCode", "message"} <= fields:
        return "ThingsboardErrorResponse", "Error"
    return None


class Shaped(ServerTest):
    """Every JSON answer that a test's client gets from the image API is held to its schemas."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        documents = [(1, cls.anonymous.get("/v3/api-docs").json())]
        documents.append((0, accept_nulls(json.loads(THINGSBOARD.read_text()))))
        known = {}

        def check(target, answer):
            if not target.startswith("/api/image") or answer.header("Content-Type") != "application/json":
                return
            names = names_of(answer.json())
            for which, document in documents if names else ():
                if (which, names[which]) not in known:
                    known[which, names[which]] = validator(document, names[which])
                known[which, names[which]].validate(answer.json())

        plain = Client.request

        def request(self, method, target, *given, **kw):
            answer = plain(self, method, target, *given, **kw)
            check(target, answer)
            return answer

        Client.request = request
        cls.addClassCleanup(setattr, Client, "request", plain)
