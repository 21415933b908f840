#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real server with SIGKILL at random moments while clients write and the store is copied to a mirror, followed
by it and switched to it and back, again and again.

After each restart the server must serve from exactly one of the two stores: the one that active-store.json names. Each
image must be in one of the states that its client may expect (kill_cycles.py), and the mirror must go on by itself. From
time to time a server is started on a copy of the other store, which must refuse. About half of the kills come within
half a second of a request to switch. In about a quarter of the cycles the mirror is abandoned and begun in an empty
folder, and the kill comes while it is copied. At the end both stores are compared byte for byte, and checked.

usage: switch_kills.py [--cycles N] [--clients N] [--images N] [--seed N] [--keep]
exit code: 0 where everything held, 1 otherwise; says the seed, so that a run can be repeated as far as time allows.
"""
import http.client
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
from kill_cycles import Pictures, Violation, Writer, check, exit_code_of, listed, make_parser, verify, work_until  # noqa: E402

MIRROR = "/api/system/mirror"
LOAD_SECONDS = (0.02, 2.0)      # from when the clients begin until the kill
SWITCH_SECONDS = (0.0, 0.5)     # from the request to switch until the kill
COPY_SECONDS = (0.0, 0.4)       # from when the first copy begins until the kill
TARGETED = 0.5                  # share of the cycles whose kill follows a request to switch
ANEW = 0.25                     # share of the cycles that begin with another mirror, which is killed while copied
REFUSALS = 0.1                  # share of the cycles after which a server is started on the other store
ENDED = ("none", "stopped")     # states of a mirror that can be started
ROCKSDB, FILESYSTEM = "rocksdb", "filesystem"


def start_mirror(client, engine, path):
    answer = client.post(MIRROR + "/start", {"engine": engine, "path": path})
    if answer.status != 200:
        raise Violation(f"the mirror does not start: {answer}")


class Operator(threading.Thread):
    """Starts the mirror, and switches to it whenever that is possible, until the server is gone."""

    def __init__(self, server, token, engine, target):
        super().__init__()
        self.client = harness.Client(server, keep=True, timeout=60)
        self.client.token = token
        self.engine, self.target = engine, target
        self.copying = threading.Event()    # a first copy has begun
        self.switching = threading.Event()  # a request to switch is sent
        self.switches = 0
        self.refused = 0
        self.problem = None

    def run(self):
        try:
            while True:
                self.step()
        except (OSError, http.client.HTTPException):
            return  # killed
        except Exception as e:  # noqa: BLE001: a mistake of this program must not look like success
            self.problem = f"{type(e).__name__}: {e}"

    def step(self):
        now = self.state()
        if now["state"] in ENDED:
            start_mirror(self.client, self.engine, self.target)
            self.copying.set()
        elif now.get("canSwitch"):
            self.switching.set()
            answer = self.client.post(MIRROR + "/switch")
            if answer.status == 200:
                self.switches += 1
            elif answer.status == 400 and "nothing has changed" in answer.json()["message"]:
                self.refused += 1
            else:
                raise Violation(f"the switch: {answer}")
        time.sleep(0.02)

    def state(self):
        answer = self.client.get(MIRROR)
        if answer.status != 200:
            raise Violation(f"the state of the mirror: {answer}")
        return answer.json()


def check_one_store_is_active(server, client, stores):
    """Returns the engine of the store that the server does not serve from."""
    file = server.data / "data/active-store.json"
    expected = json.loads(file.read_text())["now"]["plugin"] if file.exists() else ROCKSDB
    state = client.get(MIRROR).json()
    if (state["active"]["engine"], state["active"]["path"]) != (expected, str(stores[expected])):
        raise Violation(f"the server serves from {state['active']}, and its file names {expected}")
    other = FILESYSTEM if expected == ROCKSDB else ROCKSDB
    if state["state"] != "none" and state["mirror"]["engine"] != other:
        raise Violation(f"the mirror is {state['mirror']} beside {state['active']}")
    return other


def check_refused(server, engine, folder):
    """A server with another data folder does not start on the store."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="gallery-other-"))
    try:
        (place / "data").mkdir(mode=0o700)
        shutil.copytree(folder, place / "data/storage")
        os.chmod(place / "data/storage", 0o700)
        other = harness.Server(plugin=engine, data=place)
        other.start(wait=False)
        if other.process.wait(120) == 0 or not ("not the current one" in other.log() or "incomplete copy" in other.log()):
            raise Violation(f"a server started on the other store, {engine}:\n{other.log()}")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def begin_anew(client, other, stores, number):
    """Abandons the mirror, if there is one, and lets the next one begin in an empty folder."""
    if client.get(MIRROR).json()["state"] not in ENDED:
        answer = client.post(MIRROR + "/stop", {"abandon": True})
        if answer.status != 200:
            raise Violation(f"the mirror is not abandoned: {answer}")
    shutil.rmtree(stores[other], ignore_errors=True)
    stores[other] = stores[other].parent / f"store-{number}"


def fill(client, count):
    """Images that nobody changes, so that a copy takes its time."""
    for i in range(count):
        answer = client.upload(f"constant-{i}.png", harness.png(16, 16, text=f"{i} " + "x" * 20000))
        if answer.status != 200:
            raise Violation(f"filling: {answer}")


def wait_for(client, is_wanted, limit=300):
    deadline = time.monotonic() + limit
    while not is_wanted(now := client.get(MIRROR).json()):
        if time.monotonic() > deadline:
            raise Violation(f"the mirror does not go on: {now}")
        time.sleep(0.05)
    return now


def kill_at_a_moment(server, operator, chooser, is_anew):
    """Returns what the operator was doing, if that was waited for."""
    moment = None
    if is_anew and operator.copying.wait(20):
        moment = "copying"
        time.sleep(chooser.uniform(*COPY_SECONDS))
    elif chooser.random() < TARGETED and operator.switching.wait(20):
        moment = "switching"
        time.sleep(chooser.uniform(*SWITCH_SECONDS))
    else:
        time.sleep(chooser.uniform(*LOAD_SECONDS))
    server.kill()
    return moment


def run(options, server):
    chooser = random.Random(options.seed)
    pictures = Pictures(options.seed)
    server.start()
    administrator = server.client(harness.SYSADMIN)
    token = server.client().token
    fill(server.client(keep=True), options.images)
    samples = set(listed(server.client()))
    stores = {ROCKSDB: server.data / "data/storage", FILESYSTEM: server.data / "data/mirror"}
    writers = [Writer(n, server, token, pictures, chooser.random()) for n in range(options.clients)]
    begun = time.monotonic()
    switches = refused = targeted = copies = copying = images = 0
    other = FILESYSTEM
    active = {ROCKSDB: 0, FILESYSTEM: 0}
    for cycle in range(1, options.cycles + 1):
        is_anew = cycle > 1 and chooser.random() < ANEW
        if is_anew:
            begin_anew(administrator, other, stores, cycle)
        operator = Operator(server, administrator.token, other, stores[other].name)
        moments = []
        work_until(lambda: moments.append(kill_at_a_moment(server, operator, chooser, is_anew)), writers, cycle, [operator])
        copies += moments == ["copying"]
        targeted += moments == ["switching"]
        switches += operator.switches
        refused += operator.refused
        server.start()
        copying += is_anew and administrator.get(MIRROR).json()["state"] == "copying"
        try:
            images, _ = check(server, token, writers, samples)
            other = check_one_store_is_active(server, administrator, stores)
            active[FILESYSTEM if other == ROCKSDB else ROCKSDB] += 1
            if chooser.random() < REFUSALS and stores[other].exists() and cycle > 1:
                wait_for(administrator, lambda now: now["state"] in ("following", *ENDED))
                server.kill()
                check_refused(server, other, stores[other])
                server.start()
        except Violation as e:
            raise Violation(f"after cycle {cycle}: {e}") from e
        if cycle % 20 == 0:
            print(f"{cycle} cycles, {switches} switches, {sum(w.acknowledged for w in writers)} writes acknowledged, "
                  f"{images} images", flush=True)
    if administrator.get(MIRROR).json()["state"] in ENDED:
        start_mirror(administrator, other, stores[other].name)
    wait_for(administrator, lambda now: now["state"] == "following")
    if administrator.post(MIRROR + "/verify").status != 200:
        raise Violation("the verification does not begin")
    now = wait_for(administrator, lambda now: not now["verifying"] and "verified" in now)
    if not now["verified"]["same"] or now["verified"]["repaired"]:
        raise Violation(f"the stores differ: {now['verified']}")
    if server.terminate() != 0:
        raise Violation(f"a graceful stop ended with {server.process.returncode}")
    report = verify(server)
    acknowledged = sum(w.acknowledged for w in writers)
    print(f"{options.cycles} kills in {time.monotonic() - begun:.0f} s, {targeted} of them at a switch, "
          f"{copies} at a first copy, of which {copying} went on copying; {switches} switches, {refused} given up; after the kills the store was {active[ROCKSDB]} times rocksdb, {active[FILESYSTEM]} times "
          f"filesystem; {acknowledged} acknowledged writes all held; {images} images; verify: {report['images']} images, "
          "sound")
    if acknowledged == 0 or switches == 0:
        raise Violation("nothing was acknowledged or switched, so nothing was tested")


def main():
    parser = make_parser(__doc__, cycles=12, clients=4)
    parser.add_argument("--images", type=int, default=200, help="that nobody changes, so that a copy takes its time")
    options = parser.parse_args()
    return exit_code_of(run, options, harness.Server(plugin=ROCKSDB), f"--seed {options.seed}")


if __name__ == "__main__":
    sys.exit(main())
