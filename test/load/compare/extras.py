# SPDX-License-Identifier: Apache-2.0
"""Cases that nginx has nothing to compare with, and those about memory and threads."""
import resource
import socket
import time

import pictures
import sides
import wrk

# Bodies of uploads: each its own name, so that none waits for another's key.
UPLOAD = """
local number, boundary = 0, "gallery-load-boundary"
local salt = tostring({{}}):gsub("[^%w]", "")
local file = io.open({file}, "rb"):read("*a")
wrk.headers["Content-Type"] = "multipart/form-data; boundary=" .. boundary
function request()
  number = number + 1
  local name = string.format("%s-%d.png", salt, number)
  return wrk.format(nil, nil, nil, "--" .. boundary .. '\\r\\nContent-Disposition: form-data; name="file"; filename="' ..
    name .. '"\\r\\nContent-Type: image/png\\r\\n\\r\\n' .. file .. "\\r\\n--" .. boundary .. "--\\r\\n")
end
"""

# What a page does: most is asked for again, some is new, now and then somebody opens the list; and between two
# requests of one connection a browser rests.
MIX = """
local etags, list, number = {etags}, {list}, 0
local fresh, again = {{}}, {{}}
function init(args)
  for path, etag in pairs(etags) do
    wrk.headers["If-None-Match"] = nil
    table.insert(fresh, wrk.format("GET", path))
    table.insert(fresh, wrk.format("GET", path .. "/preview"))
    wrk.headers["If-None-Match"] = etag
    table.insert(again, wrk.format("GET", path))
  end
  wrk.headers["If-None-Match"] = nil
  list = wrk.format("GET", list)
  math.randomseed(7)
end
function request()
  local dice = math.random(100)
  if dice <= 70 then return again[math.random(#again)] end
  if dice <= 98 then return fresh[math.random(#fresh)] end
  return list
end
function delay() return math.random(5, 50) end
"""


def fields_of(gallery):
    return {**wrk.BROWSER, "X-Authorization": "Bearer " + gallery.client.token}


def row(case, gallery, run, **more):
    return {"case": case, "variant": gallery.name,
            "figures": {"requests/s": run["rate"], "CPU us": run["cpu"], "p50 us": run["p50"], "p99 us": run["p99"],
                        "errors": run["errors"], **more}}


def uploads(options, gallery, core, one_run, tmp="/tmp"):
    import tempfile
    with tempfile.NamedTemporaryFile(dir=tmp) as file:
        file.write(pictures.png(10240, 99))
        file.flush()
        run = one_run(gallery, "/api/image", fields_of(gallery), options, core, workers=True, strict=(200,),
                      method="POST", script=UPLOAD.format(file=wrk.quoted(file.name)))
    return row("uploads of 10 KB", gallery, run)


def mix(options, gallery, shown, core, one_run):
    etags = {}
    for name in shown:
        path = gallery.path(name)
        etags[path] = gallery.client.get(path).header("ETag")
    table = "{" + ",".join(f"[{wrk.quoted(k)}]={wrk.quoted(v)}" for k, v in etags.items()) + "}"
    script = MIX.format(etags=table, list=wrk.quoted("/api/images?pageSize=30&page=0"))
    run = one_run(gallery, "/", fields_of(gallery), options, core, strict=(200, 304), script=script)
    return row("mix with think time", gallery, run, busy=run["busy"])


def settled(measure, rest, limit=12):
    """The value when it has stayed the same for @p rest seconds."""
    last, since = measure(), time.monotonic()
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and time.monotonic() - since < rest:
        time.sleep(0.25)
        now = measure()
        if now != last:
            last, since = now, time.monotonic()
    return last


def idle(side, path, fields, count, rest):
    """Resident bytes of each of @p count connections that have made a request and rest."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in fields.items())]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()

    def ask(client):
        client.sendall(request)
        if not client.recv(65536).startswith(b"HTTP/1.1 304"):
            raise AssertionError(f"{side.name}: no 304 for an idle connection's request")

    with socket.create_connection(("127.0.0.1", side.port)) as first:
        ask(first)
        before = settled(side.resident, rest)
        open_ones = []
        try:
            for _ in range(count):
                open_ones.append(socket.create_connection(("127.0.0.1", side.port)))
                ask(open_ones[-1])
            full = side.resident()
            rested = settled(side.resident, rest)
            ask(open_ones[0])
            ask(open_ones[-1])
        finally:
            for client in open_ones:
                client.close()
    return {"connections": count, "bytes each": (rested - before) / count, "at once": (full - before) / count}


def run(case, options, nginx, galleries, shown, cores, one_run):
    ours = [gallery for (_, cached), gallery in galleries.items() if cached]
    name = "picture-10k.png"
    for gallery in ours:
        if case == "uploads":
            yield uploads(options, gallery, cores[1], one_run)
        elif case == "previews":
            path = gallery.path("picture-1m.png") + "/preview"
            yield row("preview", gallery, one_run(gallery, path, fields_of(gallery), options, cores[1], strict=(200,)))
        elif case == "lists":
            path = "/api/images?pageSize=30&page=0&sortProperty=createdTime&sortOrder=DESC"
            yield row("list of 30", gallery, one_run(gallery, path, fields_of(gallery), options, cores[1],
                                                     strict=(200,)))
        elif case == "mix":
            yield mix(options, gallery, shown, cores[1], one_run)
    if case == "idle":
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        count, rest = (200, 0.5) if options.smoke else (min(10_000, limit - 200), 4)
        for side in [ours[0], nginx]:
            path = side.path(name)
            fields = {**fields_of(ours[0]), "If-None-Match": side.client.get(path).header("ETag")}
            yield {"case": "idle connections", "variant": side.name, "figures": idle(side, path, fields, count, rest)}
    if case == "threads":
        yield from two_threads(options, shown, one_run)


def two_threads(options, shown, one_run):
    """Two I/O threads against two workers, nobody pinned: client and server share the cores."""
    running = []
    try:
        for make in (lambda: sides.Gallery("gallery, 2 I/O threads", options.plugins[0], shown, threads=2,
                                           congestion=options.congestion),
                     lambda: sides.Nginx(shown, workers=2)):
            running.append(make())
        gallery = running[0]
        for name in ("picture-10k.png",) if options.smoke else ("picture-10k.png", "picture-100k.png"):
            for side in running:
                found = one_run(side, side.path(name), fields_of(gallery), options, None, threads=2, strict=(200,))
                yield row(f"two threads, {name[8:-4]}", side, found)
    finally:
        for side in running:
            side.stop()
