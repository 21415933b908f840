# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of the server that lets tests do something between two requests of a client, or lose an answer."""
import http.client
import http.server
import threading
import urllib.parse


class Between:
    """Forwards every request. Its hooks are called with (method, path) before a request is forwarded; the path is
    decoded. `lose` holds (method, path) pairs: the next such request is forwarded, and its connection is closed
    without an answer."""

    def __init__(self, port):
        self.hooks = []
        self.lose = []
        self.requests = []
        self.lock = threading.Lock()
        between = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                between.forward(self, port)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def once(self, method, path, action):
        """Calls @p action before the next request with this method whose path ends so."""
        def hook(its_method, its_path):
            if its_method == method and its_path.endswith(path):
                self.hooks.remove(hook)
                action()
        self.hooks.append(hook)

    def forward(self, handler, port):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        path = urllib.parse.unquote(urllib.parse.urlsplit(handler.path).path)
        asked = (handler.command, path)
        with self.lock:
            self.requests.append(asked)
            for hook in list(self.hooks):
                hook(*asked)
            is_lost = asked in self.lose
            if is_lost:
                self.lose.remove(asked)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {k: v for k, v in handler.headers.items() if k.lower() != "connection"}
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if is_lost:
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
