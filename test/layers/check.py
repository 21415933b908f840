#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks rules of the architecture: which folder may include which, that every source states its licence, that
mutexes state what they guard, and that nothing in the repository depends on one machine. Compares the changelog with
the version, and the files that documents name with the repository. Prints each violation with file and line; exit code 1 if there is one.

usage: check.py REPOSITORY
"""
import pathlib
import re
import subprocess
import sys

# A folder of server/ and those whose headers it may include beside its own. Downwards only:
# main -> app -> api -> {images, accounts, mirror} -> {auth, imaging, cache, plugins} -> common. http and config know
# nothing of the gallery. mirror and scrub know only the storage contract. turns is what several of them need: whose turn it is.
SERVER = {
    "turns": set(),
    "coding": set(),
    "http": {"coding"},
    "config": set(),
    "cache": {"coding"},
    "imaging": {"turns"},
    "plugins": {"config"},
    "mirror": set(),
    "scrub": {"mirror"},
    "auth": {"turns"},
    "images": {"auth", "imaging", "cache", "coding", "turns"},
    "accounts": {"auth", "cache", "turns"},
    "api": {"images", "accounts", "auth", "cache", "turns", "http", "coding", "mirror", "scrub"},
    "app": {"api", "accounts", "images", "auth", "imaging", "cache", "turns", "plugins", "http", "config", "mirror",
            "scrub"},
    "load": {"admin", "http", "auth"},
    "admin": {"app", "http", "accounts", "images", "auth", "plugins", "config", "mirror"},
}
# Libraries that only some may use.
LIBRARIES = [
    (r"rocksdb/", {"storage_plugins/rocksdb"}),
    (r"libpq-fe\.h|libpq/", {"storage_plugins/postgresql"}),
    (r"spdlog/", {"server/app"}),
    (r"prometheus/", {"server/app"}),
    (r"yaml-cpp/", {"server/config", "server/load"}),
    (r"brotli/", {"server/coding"}),
    (r"vips/|librsvg/|seccomp\.h|linux/landlock\.h", {"server/imaging/worker"}),
    (r"boost/beast", {"server/http"}),
    (r"zip\.h", {"server/admin"}),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
SOURCES = {".cpp", ".hpp", ".h", ".cc"}

# Folders of a machine's users and of build machines; registries. What tests say about foreign paths is data.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|home/[a-z]|Users/[A-Z]|workspace|builds|mnt/[a-z])[/\w.-]*")
REGISTRY = re.compile(r"https?://(?:registry\.[\w.-]+|[\w.-]*artifactory[\w.-]*|[\w.-]*nexus[\w.-]*|npm\.[\w.-]+)", re.I)
# Locks without annotations, for the reasons that these files state.
OWN_LOCKS = ("common/include/gallery/mutex.hpp", "server/cache/spin_lock.hpp", "storage_plugins/rocksdb/name_locks.hpp",
             "storage_plugins/kit/src/catalog")
STANDARD_LOCK = re.compile(r"std::(shared_|recursive_|timed_)?mutex\b|std::(lock_guard|unique_lock|scoped_lock|shared_lock|"
                           r"condition_variable)\b")
MUTEX_MEMBER = re.compile(r"^\s*(?:mutable )?(?:gallery::)?(?:shared_)?mutex (\w+);(.*)$")
SOURCE_NAME = re.compile(r"`((?:server|storage_plugins|common|test|etc)/[\w./-]+\.(?:cpp|hpp|py|sh|yml|md|json))`")
SPDX = "SPDX-License-Identifier: Apache-2.0"
LICENSED = SOURCES | {".py", ".sh", ".cmake", ".ts", ".mjs", ".js", ".html", ".scss", ".yml", ".yaml", ".cfg", ".conf", ".in"}
TEXT = SOURCES | {".py", ".sh", ".cmake", ".txt", ".md", ".yml", ".yaml", ".json", ".ts", ".js", ".mjs", ".html", ".scss",
                  ".service", ".cfg", ".toml", ".npmrc", ""}


def files(root):
    """What is or would be in the repository."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"],
                            capture_output=True, check=False)
    if listed.returncode == 0:
        names = [n for n in listed.stdout.decode().split("\0") if n]
        return [root / n for n in names if (root / n).is_file()]
    skip = {"build", "node_modules", ".git", "data"}
    return [p for p in root.rglob("*") if p.is_file() and not skip & set(p.relative_to(root).parts)]


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def layer_problems(root, path):
    relative = path.relative_to(root)
    parts = relative.parts
    server = parts[0] == "server" and len(parts) > 2
    plugin = parts[0] == "storage_plugins" and len(parts) > 2
    common = parts[0] == "common"
    if not (server or plugin or common):
        return
    for number, name in includes(path):
        top = name.split("/")[0]
        where = f"{relative}:{number}"
        if top in SERVER and "/" in name and not name.startswith("gallery/"):
            if not server:
                yield f"{where}: {parts[0]} may not include the server's {name}"
            elif top != parts[1] and top not in SERVER.get(parts[1], set(SERVER)):
                yield f"{where}: server/{parts[1]} may not include {name}"
        if server and parts[1] != "app" and name.startswith("storage_plugins/"):
            yield f"{where}: the server may not include {name} of a plugin"
        for pattern, allowed in LIBRARIES:
            if re.match(pattern, name) and not any(str(relative).startswith(a + "/") for a in allowed):
                yield f"{where}: <{name}> may be included by {', '.join(sorted(allowed))} only"


def handler_problems(root, path):
    """Handlers of requests get their permissions from a check: not from the server's own, and not around it."""
    relative = path.relative_to(root)
    if relative.parts[:2] != ("server", "api"):
        return
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        for word in ("permit_of_the_server", '"accounts/directory.hpp"', '"accounts/user_credentials.hpp"'):
            if word in line:
                yield f"{relative}:{number}: a handler may not use {word}"


def lock_problems(root, path):
    """Locks are those of gallery/mutex.hpp, and every mutex states what it guards, so that clang can check it."""
    relative = path.relative_to(root)
    if relative.parts[0] not in ("common", "server", "storage_plugins") or str(relative).startswith(OWN_LOCKS):
        return
    text = path.read_text(errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if found := STANDARD_LOCK.search(line.split("//")[0]):
            yield f"{relative}:{number}: {found.group(0)} carries no annotations; use <gallery/mutex.hpp>"
        if not (found := MUTEX_MEMBER.match(line)):
            continue
        name, comment = found.groups()
        annotated = re.search(rf"GALLERY_(GUARDED_BY|REQUIRES)\((\w+(\.|->))?{name}\)", text)
        if not annotated and "//" not in comment:
            yield (f"{relative}:{number}: {name} does not state what it guards: annotate the members with "
                   f"GALLERY_GUARDED_BY({name}), or describe it in a comment on its line")


def document_problems(root, path):
    """Sources that a document refers to exist."""
    relative = path.relative_to(root)
    if path.suffix != ".md" or relative.name == "CHANGELOG.md":
        return
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        for name in SOURCE_NAME.findall(line):
            if not (root / name).is_file():
                yield f"{relative}:{number}: there is no {name}"


def licence_problems(root, path):
    """Every source file names its licence in its first lines, in a form that tools read (https://spdx.dev)."""
    if path.suffix not in LICENSED and path.name != "CMakeLists.txt":
        return
    if SPDX not in "\n".join(path.read_text(errors="replace").splitlines()[:2]):
        yield f"{path.relative_to(root)}:1: the line '{SPDX}' is missing"


def machine_problems(root, path):
    relative = path.relative_to(root)
    if path.suffix not in TEXT or path.stat().st_size > 1 << 20 or relative == pathlib.Path("test/layers/check.py"):
        return
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in ((MACHINE_PATH, "a path of one machine"), (REGISTRY, "the address of a package registry")):
            found = pattern.search(line)
            if found:
                yield f"{relative}:{number}: {what}: {found.group(0)}"


def version_problems(root):
    """The changelog begins with the version that is built."""
    version = (root / "VERSION").read_text()
    if not re.fullmatch(r"\d+\.\d+\.\d+\n", version):
        yield f"VERSION:1: '{version.strip()}' is not MAJOR.MINOR.PATCH on one line"
    newest = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text(), re.M)
    if not newest or newest.group(1) != version.strip():
        yield f"CHANGELOG.md: the first section is not that of version {version.strip()}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    problems = list(version_problems(root))
    checked = 0
    for path in files(root):
        if path.suffix in SOURCES:
            problems += layer_problems(root, path)
            problems += handler_problems(root, path)
            problems += lock_problems(root, path)
            checked += 1
        problems += machine_problems(root, path)
        problems += licence_problems(root, path)
        problems += document_problems(root, path)
    for problem in problems:
        print(problem)
    print(f"{checked} source files, {len(problems)} violations")
    if checked == 0:
        print("found no sources, so nothing was checked")
        return 1
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
