# SPDX-License-Identifier: Apache-2.0
"""Runs wrk with the heads that browsers send, and reads what it found."""
import json
import pathlib
import resource
import subprocess
import tempfile

from sides import pinned

# What a browser sends along with an <img>. With the token of a signed-in user a head has some 850 bytes.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0",
    "Accept": "image/avif,image/webp,*/*",
    "Accept-Encoding": "gzip, deflate, br",
}

REPORT = """
function setup(thread) all = all or {}; table.insert(all, thread) end
function done(summary, latency, requests)
  local bad = 0
  for _, thread in ipairs(all) do bad = bad + (tonumber(thread:get("bad")) or 0) end
  local e = summary.errors
  io.write(string.format('\\n@{"requests":%d,"microseconds":%d,"bytes":%d,"p50":%.1f,"p99":%.1f,' ..
    '"bad":%d,"socket":%d,"status":%d}\\n', summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), bad, e.connect + e.read + e.write + e.timeout, e.status))
end
"""

# Looks at every answer, which costs wrk some of its speed: for the smoke run.
STRICT = "bad = 0\nfunction response(status) if not ({ok})[status] then bad = bad + 1 end end\n"


def quoted(text):
    # With a space, so that it may stand in an index.
    return " [==[" + text + "]==] "


def head(fields):
    return "".join(f"wrk.headers[{quoted(name)}] = {quoted(value)}\n" for name, value in fields.items())


def head_bytes(method, path, fields, port):
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{k}: {v}" for k, v in fields.items())]
    return sum(len(line) + 2 for line in lines) + 2


def run(port, path, fields, seconds, connections=64, threads=1, core=None, script="", strict=(), method="GET"):
    """One run; the figures of wrk and the CPU time that wrk itself took, in seconds."""
    lua = f"wrk.method = {quoted(method)}\n" + head(fields) + script + REPORT
    if strict:
        lua += STRICT.replace("{ok}", "{" + ",".join(f"[{status}]=true" for status in strict) + "}")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(lua)
        file.flush()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run(
            pinned(["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
                    "-s", file.name, f"http://127.0.0.1:{port}{path}"], core),
            capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = next((each for each in out.stdout.splitlines() if each.startswith("@")), None)
    if out.returncode != 0 or line is None:
        raise AssertionError(f"wrk failed ({out.returncode}): {out.stdout}{out.stderr}\n{pathlib.Path(file.name)}")
    figures = json.loads(line[1:])
    figures["wrk_cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return figures
