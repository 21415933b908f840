# SPDX-License-Identifier: Apache-2.0
"""What etc/container/Containerfile says of the image."""
import json
import re
import shlex


def read_containerfile(path):
    """The instructions by name: USER, WORKDIR, VOLUME and so on as text; ENV as a mapping; ENTRYPOINT, and HEALTHCHECK's
    command, as lists."""
    text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text()).replace("\\\n", " ")
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, rest = line.split(None, 1)
        if name == "ENV":
            rest = {**found.get(name, {}), **dict(pair.split("=", 1) for pair in shlex.split(rest))}
        elif name == "ENTRYPOINT":
            rest = json.loads(rest)
        elif name == "HEALTHCHECK":
            rest = json.loads(rest.split("CMD", 1)[1])
        elif name in found:
            raise AssertionError(f"{path}: {name} is repeated")
        found[name] = rest
    return found
