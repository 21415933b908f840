#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The --damage-command of the contract suite: changes one byte behind each occurrence of a text in the bodies of a
store, or changes it back, and prints how many.

usage: damage.py FOLDER STORE TEXT, with GALLERY_TEST_DSN in the environment; the schema is named after the store.
"""
import os
import subprocess
import sys

from scratch import programs

BEHIND = 3  # bytes behind the text, as where the suite changes files


def main():
    _, store, text = sys.argv[1:4]
    schema = '"' + store.replace('"', '""') + '"'
    statement = f"""
        set search_path to {schema};
        with found as (
            select id, part, seq, position('{text}'::bytea in data) + octet_length('{text}'::bytea) - 1 + {BEHIND} as at
            from body where position('{text}'::bytea in data) > 0),
        changed as (
            update body b set data = set_byte(b.data, f.at, get_byte(b.data, f.at) # 16) from found f
            where b.id = f.id and b.part = f.part and b.seq = f.seq and f.at < octet_length(b.data) returning 1)
        select count(*) from changed"""
    done = subprocess.run([str(programs() / "psql"), "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d",
                           os.environ["GALLERY_TEST_DSN"], "-c", statement], capture_output=True, text=True, check=False)
    sys.stderr.write(done.stderr)
    print(done.stdout.strip())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
