# SPDX-License-Identifier: Apache-2.0
"""What may and what may not be in the root file system of the image."""
import stat
import tarfile

USER = 900
DATA = "./var/lib/gallery"


def check_contents(file, engine_version):
    """@p engine_version: of the package gallery-engine-postgresql, which must be in it."""
    wrong = []
    with tarfile.open(file) as tar:
        members = {m.name.rstrip("/"): m for m in tar.getmembers()}

        def text(name):
            return tar.extractfile(members[name]).read().decode()

        wrong += [f"{m.name} gives its caller the rights of another user" for m in members.values()
                  if m.isreg() and m.mode & (stat.S_ISUID | stat.S_ISGID)]
        wrong += [f"{name} is in the image, and would be the same in every installation"
                  for name in ("./etc/gallery/gallery.env", "./etc/machine-id.d", "./etc/ssh") if name in members]
        data = members[DATA]
        if (data.uid, data.gid, data.mode) != (USER, USER, 0o700):
            wrong.append(f"{DATA} belongs to {data.uid}:{data.gid} and has the mode {data.mode:o}")
        wrong += [f"{m.name} is in the data folder" for m in members.values() if m.name.startswith(DATA + "/")]
        others = [m.name for m in members.values() if m.uid == USER and m.name != DATA]
        wrong += [f"the server's user can change {name}" for name in others]
        wrong += [f"everybody can change {m.name}" for m in members.values()
                  if m.mode & stat.S_IWOTH and not m.issym() and not m.mode & stat.S_ISVTX and not m.isdev()]
        account = next(line for line in text("./etc/passwd").splitlines() if line.startswith("gallery:"))
        if account.split(":")[2:4] != [str(USER), str(USER)] or not account.endswith("/nologin"):
            wrong.append(f"the account is {account}")
        status = text("./var/lib/dpkg/status")
        if f"Package: gallery-engine-postgresql\n" not in status or f"\nVersion: {engine_version}\n" not in status:
            wrong.append(f"there is no gallery-engine-postgresql {engine_version}")
    return wrong
