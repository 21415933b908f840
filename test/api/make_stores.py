#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps a store of each engine, as the server of this tree writes it, for the test of later versions.

usage: make_stores.py [ENGINE]...        (default: rocksdb filesystem postgresql)

Run it before the first version of a series is released. It writes to test/data/store-VERSION/ :
    ENGINE.tar.gz     the folder of a server that was killed (rocksdb, filesystem)
    postgresql.sql.gz the output of pg_dump
    ENGINE.json       what clients got from it: accounts and their secrets, and the answers to requests
test_released_stores.py opens each store with the server of its own tree and compares the answers.
"""
import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import pictures
from harness import CUSTOMER, ROOT, SYSADMIN, TENANT, Client, Server, png, quote, testdata

sys.path.insert(0, str(ROOT / "test" / "contract" / "postgresql"))
import scratch  # noqa: E402: after the path to it

ENGINES = ("rocksdb", "filesystem", "postgresql")
OWNER = ("owner@example.test", "owner-password-1")
ADMINISTRATORS = {"sysadmin": SYSADMIN, "tenant": TENANT, "customer": CUSTOMER, "owner": OWNER}
# Tokens of the store are valid for a hundred years, so that the test can use one.
CENTURY = str(100 * 365 * 24 * 3600)


def environment(folder):
    """Of a server that makes or opens such a store: one system image, no space reserved."""
    supplied = pathlib.Path(folder) / "system-images"
    if not supplied.exists():
        supplied.mkdir()
        (supplied / "dot.svg").write_bytes(pictures.svg('<circle cx="5" cy="5" r="4"/>'))
        (supplied / "index.json").write_text(json.dumps([
            {"file": "dot.svg", "title": "Dot", "subType": "IMAGE", "version": 1}]))
    return {"GALLERY_SYSTEM_IMAGES_DIR": str(supplied), "STORAGE_ROCKSDB_RESERVE_BYTES": "0",
            "JWT_REFRESH_TOKEN_EXPIRATION_TIME": CENTURY, "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED": "true"}


def done(answer):
    if answer.status != 200:
        raise SystemExit(f"make_stores.py: a request failed: {answer}")
    return answer


def add_accounts(server):
    """A second tenant with an administrator, a disabled user and API keys. Returns secrets that must stay valid."""
    admin, tenant = server.client(SYSADMIN), server.client(TENANT)
    made = done(admin.post("/api/tenant", {"title": "Second", "city": "Ulm"})).json()
    user = done(admin.post("/api/user?sendActivationMail=false", {
        "email": OWNER[0], "authority": "TENANT_ADMIN", "tenantId": made["id"]})).json()
    link = done(admin.get(f"/api/user/{user['id']['id']}/activationLink")).body.decode()
    done(Client(server).post("/api/noauth/activate", {
        "activateToken": link.split("activateToken=")[1], "password": OWNER[1]}))
    customer = done(tenant.post("/api/customer", {"title": "North plant"})).json()
    invited = done(tenant.post("/api/user?sendActivationMail=false", {
        "email": "invited@example.test", "authority": "CUSTOMER_USER", "customerId": customer["id"]})).json()
    waiting = done(tenant.get(f"/api/user/{invited['id']['id']}/activationLink")).body.decode()
    keys = [done(tenant.post("/api/apiKey", {"description": text})).json() for text in ("panel", "revoked")]
    done(tenant.put(f"/api/apiKey/{keys[1]['id']['id']}/enabled/false"))
    return {"api_key": keys[0]["value"], "disabled_key": keys[1]["value"],
            "activation": waiting.split("activateToken=")[1]}


def add_images(server):
    """Each format, renamed, replaced, erased, public and private images, titles beyond ASCII."""
    tenant, owner, admin = server.client(TENANT), server.client(OWNER), server.client(SYSADMIN)
    for path in testdata("png/basn4a08.png", "gif/mixed-disposal.gif", "webp/lossy_alpha.webp", "avif/white_1x1.avif"):
        done(tenant.upload(path.name, path.read_bytes()))
    done(tenant.upload("photo.jpg", pictures.jpeg(6), title="Ärger am Abend"))
    done(tenant.upload("pump.svg", pictures.svg('<rect width="9" height="9"/>'), sub_type="SCADA_SYMBOL"))
    done(tenant.upload("a b%2F€.png", png(text="name")))
    done(tenant.upload("replaced.png", png(text="before")))
    done(tenant.replace("replaced.png", "replaced.png", png(40, 30, text="after")))
    done(tenant.upload("renamed.png", png(text="renamed"), title="Before"))
    info = done(tenant.info("renamed.png")).json()
    done(tenant.put("/api/images/tenant/renamed.png/info", {**info, "title": "Renamed"}))
    done(tenant.upload("private.png", png(text="private")))
    done(tenant.put("/api/images/tenant/private.png/public/false"))
    done(tenant.upload("erased.png", png(text="erased")))
    done(tenant.delete("/api/images/tenant/erased.png"))
    done(owner.upload("only.png", png(300, 200, text="the other tenant's")))
    done(admin.upload("logo.png", png(text="system")))


def answers(server):
    """What each user gets: [user, path, status, ETag or None, hash of bytes or JSON]."""
    found = []
    for name, credentials in ADMINISTRATORS.items():
        client = server.client(credentials)
        paths = ["/api/auth/user", "/api/images?pageSize=100&page=0&sortProperty=title&sortOrder=ASC"]
        paths += {"sysadmin": ["/api/tenants?pageSize=100&page=0"], "customer": [],
                  "tenant": ["/api/customers?pageSize=100&page=0", "/api/users?pageSize=100&page=0"],
                  "owner": ["/api/users?pageSize=100&page=0"]}[name]
        # Customers' users have no list of images but see those of their tenant.
        lister = server.client(TENANT) if name == "customer" else client
        listed = done(lister.get(paths[1])).json()["data"]
        paths += [one["link"].removesuffix(one["resourceKey"]) + quote(one["resourceKey"]) + suffix
                  for one in listed for suffix in ("", "/preview", "/info")]
        paths += [one["publicLink"] for one in listed if one.get("publicLink")]
        if name == "tenant":
            paths.append("/api/images/tenant/erased.png")
        found += [[name, path, *answer(client, path)] for path in paths]
    return found


def answer(client, path):
    got = client.get(path)
    is_json = (got.header("Content-Type") or "").startswith("application/json")
    return [got.status, got.header("ETag"),
            json.loads(got.body) if is_json and got.status == 200 else hashlib.sha256(got.body).hexdigest()
            if got.status == 200 else None]


def fill(server):
    """Half of the contents before a stop, half before a kill."""
    server.start()
    secrets = add_accounts(server)
    server.terminate()
    server.start()
    add_images(server)
    secrets["refresh_token"] = server.client(OWNER).refresh_token
    kept = {"secrets": secrets, "answers": answers(server)}
    server.kill()
    return kept


def write_gzip(path, data):
    with open(path, "wb") as to, gzip.GzipFile("", "wb", 9, to, mtime=0) as packed:
        packed.write(data)


def pack(folder, path):
    """Without owners, and without the messages that RocksDB writes for people."""
    def cleaned(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return None if pathlib.Path(entry.name).name.startswith("LOG") else entry
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.add(folder, arcname=".", filter=cleaned)
    write_gzip(path, data.getvalue())


def make(engine, place):
    with tempfile.TemporaryDirectory(prefix="gallery-store-") as scratch_folder:
        if engine != "postgresql":
            server = Server(engine, environment=environment(scratch_folder), data=scratch_folder)
            kept = fill(server)
            pack(server.data / "data", place / f"{engine}.tar.gz")
        else:
            with scratch.cluster() as (database,):
                server = Server(engine, data=scratch_folder, environment={
                    **environment(scratch_folder), "STORAGE_POSTGRESQL_DSN": database.dsn()})
                kept = fill(server)
                text = subprocess.run([str(database.bin / "pg_dump"), "--schema=gallery", "--no-owner", "-d",
                                       database.dsn()], check=True, capture_output=True).stdout
                write_gzip(place / "postgresql.sql.gz", text)
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in kept["answers"])
    (place / f"{engine}.json").write_text(
        f'{{"secrets": {json.dumps(kept["secrets"])},\n"answers": [\n{lines}\n]}}\n')
    print(f"{place / engine}: {len(kept['answers'])} answers")


def main():
    place = ROOT / "test" / "data" / ("store-" + (ROOT / "VERSION").read_text().strip())
    place.mkdir(exist_ok=True)
    for engine in sys.argv[1:] or ENGINES:
        make(engine, place)


if __name__ == "__main__":
    main()
