# SPDX-License-Identifier: Apache-2.0
"""Clients that write and read through several nodes while parts of the cluster fail, and the check of what they were
told.

Each writer has images of its own and records, for each, the states that it may be in: the acknowledged one and,
while the outcome of a request is unknown, also the one that the request would make. A request fails if it has no
response, or one of 5xx. When that happened is recorded, so that it can be compared with when something was broken.
"""
import http.client
import random
import threading
import time

import harness

IMAGES_PER_WRITER = 8


class Failure:
    def __init__(self, when, until, where, what):
        self.when, self.until, self.where, self.what = when, until, where, what

    def __repr__(self):
        return f"{self.when:.3f} to {self.until:.3f} at {self.where}: {self.what}"


class Client:
    """Runs until it is told to stop; a failed request is noted and the next one is sent."""

    def __init__(self, load, number, address, where):
        self.load, self.number, self.address, self.where = load, number, address, where
        self.random = random.Random(load.seed * 1000 + number)
        self.problem = None
        self.failures = []
        self.successes = []  # when

    def run(self):
        client = harness.Client(self.address, keep=True, timeout=90)
        client.token = self.load.token
        try:
            while not self.load.stopping.is_set():
                self.step(client)
        except Exception as e:  # noqa: BLE001: a mistake of this program must not look like success
            self.problem = f"{self.where}: {type(e).__name__}: {e}"
            self.load.stopping.set()
        finally:
            if client.connection:
                client.connection.close()

    def send(self, request):
        """The response; None if the request failed."""
        began = time.monotonic()
        try:
            answer = request()
        except (OSError, http.client.HTTPException) as e:
            self.failures.append(Failure(began, time.monotonic(), self.where, f"{type(e).__name__}: {e}"))
            time.sleep(0.02)
            return None
        if answer.status >= 500:
            self.failures.append(Failure(began, time.monotonic(), self.where, answer))
            time.sleep(0.02)
            return None
        self.successes.append(time.monotonic())
        return answer


class Image:
    """States are (sha256, title), or None where there is no image. More than one: an outcome is unknown."""

    def __init__(self):
        self.states = [None]
        self.changing = threading.Lock()


class Writer(Client):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.images = {}
        self.serial = 0
        self.acknowledged = 0
        self.unknown = 0

    def step(self, client):
        present = [key for key, image in self.images.items() if len(image.states) == 1 and image.states[0]]
        choice = self.random.random()
        if not present or (choice < 0.3 and len(present) < IMAGES_PER_WRITER):
            self.upload(client)
        elif choice < 0.7:
            self.replace(client, self.random.choice(present))
        elif choice < 0.85:
            self.rename(client, self.random.choice(present))
        else:
            key = self.random.choice(present)
            self.write(self.images[key], None, lambda: client.delete(f"/api/images/tenant/{key}"))

    def picture(self):
        self.serial += 1
        size = self.random.choice((100, 2000, 2000, 20000, 300_000))
        return harness.png(text=f"writer {self.number} picture {self.serial} " + "x" * size)

    def write(self, image, new_state, request):
        old = image.states[0]
        image.states = [old, new_state]
        answer = self.send(request)
        if answer is None:
            self.unknown += 1
            return None
        if answer.status != 200:
            raise AssertionError(f"expected 200, found {answer}")
        image.states = [new_state]
        self.acknowledged += 1
        return answer

    def upload(self, client):
        data = self.picture()
        key = f"w{self.load.seed}-{self.number}-{self.serial}.png"
        image = self.images[key] = Image()
        answer = self.write(image, (harness.sha256(data), key), lambda: client.upload(key, data))
        if answer is not None and answer.json()["resourceKey"] != key:
            raise AssertionError(f"uploaded {key}, which was free, and it became {answer.json()['resourceKey']}")

    def replace(self, client, key):
        data = self.picture()
        image = self.images[key]
        self.write(image, (harness.sha256(data), image.states[0][1]), lambda: client.replace(key, "other.png", data))

    def rename(self, client, key):
        image = self.images[key]
        title = f"title {self.random.randrange(1 << 30)}"
        self.write(image, (image.states[0][0], title),
                   lambda: client.put(f"/api/images/tenant/{key}/info", {"title": title}))


class Reader(Client):
    """Reads images of the writers. Which state it may see is the subject of the histories; here the bytes must be those
    of the etag."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.etags = {}

    def step(self, client):
        writer = self.random.choice(self.load.writers)
        keys = list(writer.images)
        if not keys:
            time.sleep(0.01)
            return
        key = self.random.choice(keys)
        headers = {"If-None-Match": self.etags[key]} if key in self.etags else {}
        answer = self.send(lambda: client.image(key, headers=headers))
        if answer is None or answer.status == 404:
            return
        if answer.status == 304:
            return
        etag = answer.header("ETag")
        if answer.status != 200 or etag.strip('"') != harness.sha256(answer.body):
            raise AssertionError(f"{key}: {answer.status}, {etag}, the bytes have the hash {harness.sha256(answer.body)}")
        self.etags[key] = etag


class Load:
    """`with Load(cluster) as load:` runs the clients; half of them through the load balancer."""

    def __init__(self, cluster, writers=16, readers=6, seed=None):
        self.cluster = cluster
        self.seed = seed if seed is not None else random.SystemRandom().randrange(1 << 20)
        self.stopping = threading.Event()
        self.token = cluster.url.client().token
        places = [(cluster.url, "load balancer"), (cluster.nodes[0], "node 1"), (cluster.url, "load balancer"),
                  (cluster.nodes[1], "node 2"), (cluster.url, "load balancer"), (cluster.nodes[2], "node 3")]
        self.writers = [Writer(self, n, *places[n % len(places)]) for n in range(writers)]
        self.readers = [Reader(self, 100 + n, *places[n % len(places)]) for n in range(readers)]
        self.threads = []

    @property
    def clients(self):
        return [*self.writers, *self.readers]

    def __enter__(self):
        self.threads = [threading.Thread(target=c.run, daemon=True) for c in self.clients]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(120)

    def check_problems(self):
        problems = [c.problem for c in self.clients if c.problem]
        if problems:
            raise AssertionError(f"seed {self.seed}: {problems}")

    def acknowledged(self):
        return sum(w.acknowledged for w in self.writers)

    def failures(self, where=None):
        return sorted((f for c in self.clients for f in c.failures if where in (None, f.where)), key=lambda f: f.when)

    @staticmethod
    def ask(request, limit=30):
        """The first response that is not a 503."""
        deadline = time.monotonic() + limit
        while True:
            answer = request()
            if answer.status != 503 or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)

    def check(self, address):
        """Compares everything that this node has with what may be there. Returns the number of images."""
        client = address.client(keep=True)
        listed = {}
        page = 0
        while True:
            answer = self.ask(lambda page=page: client.list(pageSize=200, page=page))
            if answer.status != 200:
                raise AssertionError(f"list: {answer}")
            document = answer.json()
            listed.update((info["resourceKey"], info) for info in document["data"])
            if not document["hasNext"]:
                break
            page += 1
        if len(listed) != document["totalElements"]:
            raise AssertionError(f"the list counts {document['totalElements']} images and has {len(listed)}")
        images = 0
        for writer in self.writers:
            for key, image in writer.images.items():
                info = listed.get(key)
                answer = self.ask(lambda key=key: client.image(key))
                state = None
                if info is not None:
                    if answer.status != 200 or harness.sha256(answer.body) != info["etag"]:
                        raise AssertionError(f"{key} is listed with {info['etag']}, but reading it gives {answer}")
                    state = (info["etag"], info["title"])
                    images += 1
                elif answer.status != 404:
                    raise AssertionError(f"{key} is not listed, but reading it gives {answer}")
                if state not in image.states:
                    raise AssertionError(f"seed {self.seed}: {key} is {state}, but only {image.states} are possible")
        return images
