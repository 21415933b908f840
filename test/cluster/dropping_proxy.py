# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback that can behave like a network that loses everything: between drop() and heal() it forwards no
byte, opens no connection and closes none. What was sent meanwhile arrives after heal(), as it does after TCP's
retransmission."""
import asyncio
import contextlib
import threading


class DroppingProxy:
    """One listening port for each target port; `ports` are in the order of the targets."""

    def __init__(self, targets):
        self.targets = list(targets)
        self.ports = []
        self.loop = asyncio.new_event_loop()
        self.forwarded = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self):
        self._thread.start()
        if not self._ready.wait(20) or len(self.ports) != len(self.targets):
            raise AssertionError("the proxy does not listen")
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(20)

    def drop(self):
        self._do(self._passing.clear)

    def heal(self):
        self._do(self._passing.set)

    def _do(self, change):
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (change(), done.set()))
        if not done.wait(20):
            raise AssertionError("the proxy does not react")

    def _run(self):
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._main())
        finally:
            self.loop.close()

    async def _main(self):
        self._passing, self._stopping = asyncio.Event(), asyncio.Event()
        self._passing.set()
        servers = []
        for target in self.targets:
            server = await asyncio.start_server(lambda r, w, t=target: self._accepted(t, r, w), "127.0.0.1", 0)
            servers.append(server)
            self.ports.append(server.sockets[0].getsockname()[1])
        self._ready.set()
        await self._stopping.wait()
        for server in servers:
            server.close()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accepted(self, target, reader, writer):
        with contextlib.closing(writer):
            await self._passing.wait()
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
            except OSError:
                return
            with contextlib.closing(far_writer):
                await asyncio.gather(self._forward(reader, far_writer), self._forward(far_reader, writer))

    async def _forward(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                self.forwarded += len(data)
                writer.write(data)
                await writer.drain()
        await self._passing.wait()
        writer.close()
