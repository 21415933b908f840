# SPDX-License-Identifier: Apache-2.0
"""Decides whether a history of requests for one image is linearizable.

A history is what clients saw: when they sent each request, when they had the response, and what it said. It is
linearizable if each request can be given one moment between these two, so that in the order of these moments every
response is what a single image would answer.

The search (after Wing and Gong, with Lowe's memory of configurations visited) takes requests one by one. A request may
be next if none of the remaining ones had its response before this one was sent. The state is the value of the image
or None where there is none. A configuration is the set of requests taken and the state; it is examined once. Requests
that change nothing are taken as soon as they fit, so that only the order of writes is searched. The cost grows with the
number of writes that overlap, not with the length of the history.

A write whose response never came may have taken effect at any later moment, or never. It overlaps with everything after
it, so that a wrong history with many of these is expensive to refuse.
"""
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Request:
    """`kind` and `outcome`, and what they require and do:

    create   made     there is none                → value       taken    there is one
    replace  done     there is one                 → value       missing  there is none
    replace_if done   it is `expected`             → value       refused  it is not `expected`     missing
    delete   done     there is one                 → none        missing
    read     found    it is `value`                              missing
    read_if  found    it is `value`                              missing     unchanged   it is `expected`

    The outcome of a write is None where the client does not know it.
    """
    kind: str
    sent: float
    received: float
    outcome: str | None
    value: str | None = None
    expected: str | None = None
    client: str = ""

    @property
    def reads(self):
        return self.kind in ("read", "read_if")

    @property
    def changes(self):
        """Whether it changes the state, if it happened."""
        return self.kind in WRITES and self.outcome in (None, WRITES[self.kind])


WRITES = {"create": "made", "replace": "done", "replace_if": "done", "delete": "done"}


def applicable(request, state):
    """Whether a write would succeed on this state."""
    if request.kind == "create":
        return state is None
    if request.kind == "replace_if":
        return state is not None and state == request.expected
    return state is not None


def step(request, state):
    """The states after the request, if its response fits; none if it does not."""
    if request.kind in WRITES:
        success = request.outcome == WRITES[request.kind]
        if success or request.outcome is None:
            if applicable(request, state):
                return [None if request.kind == "delete" else request.value]
            return []
        if request.outcome == "taken":
            fits = state is not None
        elif request.outcome == "refused":
            fits = state != request.expected
        else:
            fits = request.outcome == "missing" and state is None
        return [state] if fits else []
    if request.outcome == "found":
        fits = state is not None and state == request.value
    elif request.outcome == "unchanged":
        fits = state is not None and state == request.expected
    else:
        fits = request.outcome == "missing" and state is None
    return [state] if fits else []


def relaxed(history, bound):
    """The history as it is where reads may answer what was true up to `bound` seconds before they were sent."""
    return [dataclasses.replace(r, sent=r.sent - bound) if r.reads else r for r in history]


def explain(history, initial=None):
    """None if the history is linearizable; otherwise the requests around the place where every order fails."""
    unknown_reads = [r for r in history if r.reads and r.outcome is None]
    requests = [dataclasses.replace(r, received=math.inf) if r.outcome is None else r
                for r in history if r not in unknown_reads]
    for request in requests:
        if not request.sent <= request.received:
            raise ValueError(f"a response before its request: {request}")
    # By the time of sending, so that the candidates are a prefix of what remains.
    requests.sort(key=lambda r: r.sent)
    known = sum(r.outcome is not None for r in requests)
    stack = [settle(requests, 0, initial, 0)]
    visited = {stack[0]}
    furthest, most = 0, -1
    while stack:
        taken, state, count = stack.pop()
        if count == known:
            return None
        if count > most:
            furthest, most = taken, count
        for index in candidates(requests, taken):
            request = requests[index]
            if not request.changes:
                continue
            for following in step(request, state):
                configuration = settle(requests, taken | 1 << index, following, count + (request.outcome is not None))
                if configuration not in visited:
                    visited.add(configuration)
                    stack.append(configuration)
    blocked = [requests[i] for i in candidates(requests, furthest)]
    before = [r for i, r in enumerate(requests) if furthest >> i & 1]
    begin = min((r.sent for r in requests), default=0.0)
    lines = [describe(r, begin) for r in sorted(before, key=lambda r: r.received)[-8:]]
    return ("after\n  " + "\n  ".join(lines or ["the beginning"]) + "\nno order explains\n  "
            + "\n  ".join(describe(r, begin) for r in blocked))


def settle(requests, taken, state, count):
    """Takes every request that may be next, fits the state and leaves it as it is. To take it now is never wrong: it
    constrains the others the less the earlier it is taken."""
    progress = True
    while progress:
        progress = False
        for index in candidates(requests, taken):
            if not requests[index].changes and step(requests[index], state):
                taken |= 1 << index
                count += 1
                progress = True
    return taken, state, count


def candidates(requests, taken):
    """Requests that may be next: not taken, and sent before the first response among the others."""
    found = []
    first_response = math.inf
    index = (~taken & (taken + 1)).bit_length() - 1  # the first that is not taken
    remaining = taken >> index
    while index < len(requests) and requests[index].sent <= first_response:
        if not remaining & 1:
            found.append(index)
            first_response = min(first_response, requests[index].received)
        index += 1
        remaining >>= 1
    return [index for index in found if requests[index].sent <= first_response]


def describe(request, begin=0.0):
    what = " ".join(str(part)[:10] for part in (request.kind, request.value, request.expected and f"if {request.expected}")
                    if part)
    return (f"{request.sent - begin:9.4f} to {request.received - begin:9.4f}  {request.client:10} {what} -> "
            f"{request.outcome or 'unknown'}")
