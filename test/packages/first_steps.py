# SPDX-License-Identifier: Apache-2.0
"""The commands of etc/doc/first_steps.md are run as they stand there, in their order, in one shell of a bare Debian 12.
The machine has a network of its own, so that the page's ports are free in it."""
import html.parser
import pathlib
import re
import shutil
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "etc/doc/first_steps.md"
PLACE = "/root/first-steps"
LIMIT = 180  # seconds from the first command to the image in the dashboard, as the page promises


def sections():
    """The blocks of commands by heading, and in their order."""
    parts = re.split(r"^## (.*)\n", PAGE.read_text(), flags=re.M)
    blocks = {heading: re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) for heading, text in zip(parts[1::2], parts[2::2])}
    return {heading: found for heading, found in blocks.items() if found}


def check(condition, text):
    if not condition:
        raise AssertionError(f"{PAGE.name}: {text}")


class FirstSteps:
    """A method for each section: runs its blocks and checks what they lead to."""

    def __init__(self, machine, shell, upgrade):
        """@p upgrade: the later package."""
        self.machine, self.shell, self.upgrade = machine, shell, upgrade
        self.begin = time.monotonic()
        self.logo = None

    def take(self, say):
        steps = {"Install the server": self.install, "Create a tenant": self.create_tenant,
                 "Show an image in a dashboard": self.show_image, "Watch it in Prometheus": self.watch,
                 "Limit a tenant": self.limit, "Change a setting": self.change_setting, "Upgrade": self.upgrade_server,
                 "When something is wrong": self.find_remedy}
        found = sections()
        check(list(found) == list(steps), f"the sections with commands are {list(found)}")
        for heading, step in steps.items():
            step(found[heading])
            say(f"first steps: {heading}")

    def run_all(self, blocks):
        return "".join(self.shell.run(block) for block in blocks)

    def password(self):
        return re.search(r"^GALLERY_SYSADMIN_PASSWORD=(\S+)$", self.machine.path("/etc/gallery/gallery.env").read_text(), re.M)[1]

    def install(self, blocks):
        said = self.run_all(blocks)
        check(re.search(r"open http://\S+:8080/ ", said), f"the installation does not print the URL:\n{said}")
        check(self.password() in said, f"the password is not shown:\n{said}")

    def create_tenant(self, blocks):
        said = self.run_all(blocks)
        check("Acme Water" in said and "admin@acme.example" in said, f"no tenant or no user was created:\n{said}")

    def show_image(self, blocks):
        self.run_all(blocks)
        sources = []
        parser = html.parser.HTMLParser()
        parser.handle_starttag = lambda tag, attributes: sources.extend(v for k, v in attributes if (tag, k) == ("img", "src"))
        parser.feed(self.machine.path(f"{PLACE}/dashboard.html").read_text())
        check(len(sources) == 1, f"the dashboard contains the images {sources}")
        took = time.monotonic() - self.begin
        self.logo = sources[0]
        self.check_image()
        check(took < LIMIT, f"it took {took:.0f} s to the image in the dashboard")

    def check_image(self):
        """As a browser requests it, without a login."""
        answer = self.machine.run("curl", "-sS", "--fail", self.logo).stdout
        check(answer == self.machine.path(f"{PLACE}/logo.svg").read_text(), f"the dashboard shows:\n{answer}")

    def watch(self, blocks):
        *setup, query = blocks
        self.run_all(setup)
        deadline = time.monotonic() + 120
        while True:
            # Prometheus does not listen at once, either.
            said = self.shell.run(f"(\n{query}) || true")
            # Both jobs: the server's own metrics, and its readiness as the blackbox exporter sees it.
            up = [float(value) for value in re.findall(r"^up\{.*\} => (\S+) @", said, re.M)]
            ready = re.search(r"^probe_success\{.*\} => (\S+) @", said, re.M)
            requests = re.search(r"^\{\} => (\S+) @", said, re.M)
            if up == [1, 1] and ready and float(ready[1]) == 1 and requests and float(requests[1]) > 0:
                return
            check(time.monotonic() < deadline, f"Prometheus sees nothing of the server:\n{said}")
            time.sleep(1)

    def limit(self, blocks):
        said = self.run_all(blocks)
        check(said.rstrip().endswith("refused") and "100000" in said, f"the image beyond the limit is not refused:\n{said}")
        # The administrator of the tenant is logged in.
        status = self.shell.run("""
TENANT_TOKEN=$(jq -n '{username: env.GALLERY_USER, password: env.GALLERY_PASSWORD}' |
    curl -sS --fail http://127.0.0.1:8080/api/auth/login -H 'Content-Type: application/json' -d @- | jq -r .token)
curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:8080/api/image -H "X-Authorization: Bearer $TENANT_TOKEN" -F file=@large.png
curl -s http://127.0.0.1:8080/api/images/usage -H "X-Authorization: Bearer $TENANT_TOKEN" | jq .maxResourcesInBytes""").split()
        check(status == ["413", "1000000"], f"an image beyond the limit is answered with, and the limit of all images is, {status}")

    def change_setting(self, blocks):
        process = self.process()
        said = self.run_all(blocks)
        check(re.search(r"max_resource_size +now +.*5000000", said), f"the reload does not name the setting:\n{said}")
        check(self.process() == process, "the reload restarts the server")

    def process(self):
        return self.machine.run("systemctl", "show", "-P", "MainPID", "gallery").stdout

    def upgrade_server(self, blocks):
        place = self.machine.path(PLACE)
        for old in place.glob("gallery-server_*.deb"):
            old.unlink()
        shutil.copy(self.upgrade, place)
        process, settings = self.process(), self.machine.path("/etc/gallery/gallery.yml").read_text()
        self.run_all(blocks)
        version = self.machine.run("dpkg-query", "-W", "-f", "${Version}", "gallery-server").stdout
        check(f"_{version}_" in self.upgrade.name, f"version {version} is installed, and not {self.upgrade.name}")
        check(self.process() != process, "the old server still runs")
        check(self.machine.path("/etc/gallery/gallery.yml").read_text() == settings, "the changed settings were replaced")
        self.check_image()

    def find_remedy(self, blocks):
        said = self.run_all(blocks)
        anchor = re.search(r"^operations\.md#(\w+)$", said, re.M)
        check(anchor, f"Prometheus has no alert for a full disk, or it names no section:\n{said}")
        headings = re.findall(r"^#+ (\w+)$", (ROOT / "etc/doc/operations.md").read_text(), re.M)
        check(anchor[1] in map(str.lower, headings), f"operations.md has no section {anchor[1]}")
        for remedy in ("#### GalleryDiskFull", "**What to do.** Delete images or free space", "refused with 507", "Filesystem"):
            check(remedy in said, f"{remedy!r} is not shown:\n{said}")


def prepare(machine, package):
    """Downloads what the page installs, and puts the package @p package, a file of this computer, into the folder."""
    place = machine.path(PLACE)
    place.mkdir(parents=True)
    shutil.copy(package, place)
    machine.download(f"{PLACE}/{package.name}", "curl", "jq", "prometheus", "prometheus-blackbox-exporter")


def take_first_steps(machine, upgrade, say):
    """In a machine that has been prepared and booted. @p upgrade: a later package, a file of this computer."""
    with machine.shell(PLACE) as shell:
        FirstSteps(machine, shell, upgrade).take(say)
