#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What many large uploads at once cost in memory: 100 pictures of 50 MiB in parallel, all of which succeed.

    test/load/upload_bench.py [--uploads 100] [--mebibytes 50] [--plugin rocksdb] [--wait 300s] [--folder /tmp]

The pictures are uncompressed BMPs of 50 MiB, so that looking at them is cheap; each differs. Sent over as many
connections at the same time, they wait for their share of HTTP_UPLOAD_MEMORY, which has its default here. The wait
(HTTP_UPLOAD_WAIT) is set by --wait: with 30 s, uploads are refused with 503 and Retry-After where the
disk does not take all that is sent within that time. Prints the server's largest resident memory (VmHWM of the
process, without its imaging workers) and holds it to HTTP_UPLOAD_MEMORY + 256 MiB. Takes 5 GiB in the folder, which
are removed again, and a minute or two.
"""
import argparse
import concurrent.futures
import http.client
import pathlib
import shutil
import struct
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
from harness import Server  # noqa: E402

MIB = 1024 * 1024
BUDGET_MIB = 256
MARGIN_MIB = 256
BOUNDARY = "gallery-upload-bench"


def resident(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no {field} of process {pid}")


def picture(size, pixels, number):
    """The pieces of a form with a BMP of exactly @p size bytes; the pixels are shared by all."""
    width = 4096
    height = (size - 54) // (width * 3)
    head = (b"BM" + struct.pack("<IHHI", size, 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, width * height * 3, number, number, 0, 0))
    part = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="large-{number}.bmp"\r\n'
            "Content-Type: image/bmp\r\n\r\n").encode()
    return [part, head, pixels[:size - len(head)], f"\r\n--{BOUNDARY}--\r\n".encode()]


def upload(server, token, pieces):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=1800)
    connection.putrequest("POST", "/api/image")
    connection.putheader("X-Authorization", f"Bearer {token}")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(sum(map(len, pieces))))
    connection.endheaders()
    for piece in pieces:
        connection.send(piece)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body[:200]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--uploads", type=int, default=100)
    options.add_argument("--mebibytes", type=int, default=50)
    options.add_argument("--plugin", default="rocksdb")
    options.add_argument("--wait", default="300s")
    options.add_argument("--folder", default=tempfile.gettempdir())
    given = options.parse_args()
    size = given.mebibytes * MIB
    needed = given.uploads * size * 2
    if shutil.disk_usage(given.folder).free < needed:
        raise SystemExit(f"{given.folder} has not the {needed // MIB} MiB free that this may take for a while")

    pixels = memoryview(bytes(i * 7 & 255 for i in range(MIB)) * given.mebibytes)
    with tempfile.TemporaryDirectory(prefix="gallery-uploads-", dir=given.folder) as data:
        server = Server(given.plugin, data=data,
                        environment={"HTTP_UPLOAD_WAIT": given.wait, "HTTP_UPLOAD_MEMORY": f"{BUDGET_MIB}MiB"})
        try:
            server.start()
            client = server.client()
            before = resident(server.process.pid, "VmRSS")
            gate = threading.Barrier(given.uploads)

            def one(number):
                pieces = picture(size, pixels, number)
                gate.wait()
                return upload(server, client.token, pieces)

            began = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(given.uploads) as pool:
                answers = list(pool.map(one, range(given.uploads)))
            took = time.monotonic() - began
            peak = resident(server.process.pid, "VmHWM")
            stored = client.list(textSearch="large-", pageSize=1).json()["totalElements"]
        finally:
            server.stop()

    failed = [a for a in answers if a[0] != 200]
    bound = BUDGET_MIB + MARGIN_MIB
    good = not failed and stored == given.uploads and peak < bound
    print(f"{given.plugin}: {given.uploads} uploads of {given.mebibytes} MiB in {took:.1f} s, {len(failed)} refused, "
          f"{stored} stored; resident before {before:.0f} MiB, at most {peak:.0f} MiB, wanted < {bound} MiB"
          f"{'' if good else '  MISSED'}")
    for status, body in failed[:3]:
        print(f"  {status} {body!r}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
