"""The fetcher, against our file server, Python's, and servers that misbehave."""
import functools
import hashlib
import http.server
import json
import os
import pty
import socket
import threading
import unittest
from urllib.parse import quote, unquote

import support


class Scripted:
    """A server that answers every request on a connection with the next of some texts; an empty
    one hangs up, None never answers."""

    def __init__(self, *answers):
        self.answers, self.connections, self.requests = answers, 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.held = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        answers = iter(self.answers)
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                self.serve(sock, answers)
            except ConnectionError:
                pass  # a client that has seen enough hangs up with our bytes unread
            if sock not in self.held:
                sock.close()

    def serve(self, sock, answers):
        with sock.makefile("rb") as file:
            while line := file.readline():
                self.requests.append(line.split()[1].decode())
                while file.readline() not in (b"\r\n", b""):
                    pass
                answer = next(answers)
                if answer is None:
                    self.held.append(sock)
                    return
                sock.sendall(answer)
                if b"\r\n\r\n" not in answer or b"onnection: close" in answer:
                    return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # The thread goes first: it would accept from the next listener, which may get this number.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(10)
        self.listener.close()
        for sock in self.held:
            sock.close()


def answer(body, *fields, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", *fields]
    if not any(field.startswith("Transfer-") for field in fields):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def sums(text):
    """What --sums has printed: path -> (checksum, size)."""
    rows = (line.split("  ", 2) for line in text.decode().splitlines())
    return {path: (digest, int(size)) for digest, size, path in rows}


class Fetch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tree = support.Tree()
        cls.addClassCleanup(cls.tree.remove)
        cls.names = [name for name in cls.tree.files if name != "indexed/index.html"]
        cls.expected = {"/" + quote(name): (hashlib.sha256(data).hexdigest(), len(data))
                        for name, data in cls.tree.files.items() if name in cls.names}

    def fetch(self, *arguments, code=0, **options):
        result = support.run("http_fetch", *arguments, **options)
        self.assertEqual(result.returncode, code, result.stderr.decode())
        return result

    def fetch_all(self, url, *arguments):
        urls = "# all of them\n\n" + "".join(f"{url}{path}\n" for path in self.expected)
        return self.fetch("--urls", "-", "--sums", *arguments, input=urls.encode())


class FromServers(Fetch):
    def test_ours(self):
        out, figures = (os.path.join(self.tree.top, name) for name in ("copy", "figures.json"))
        with support.Server("http_file_server", "--root", self.tree.root,
                            "--stats", "-") as server:
            result = self.fetch_all(server.url, "--jobs", 16, "--output", out, "--json", figures)
            stats = json.loads(server.stop())
        self.assertEqual(sums(result.stdout), self.expected)
        self.assertEqual(list(sums(result.stdout)), list(self.expected), "not in the order given")
        self.assertEqual(result.stderr, b"", "progress, and no terminal")
        for path in self.expected:
            with open(out + path, "rb") as file:
                self.assertEqual(file.read(), self.tree.files[unquote(path[1:])], path)
        left = [n for _, _, names in os.walk(out) for n in names if n.endswith(".part")]
        self.assertEqual(left, [])
        self.assertEqual(stats["tasks_peak"], 16, "connections are kept and not more than asked")
        with open(figures) as file:
            said = json.load(file)
        self.assertEqual((said["requests"], said["failures"]), (len(self.expected), 0))
        self.assertEqual(said["bytes"], sum(size for _, size in self.expected.values()))
        self.assertGreaterEqual(said["p99_us"], said["p50_us"])
        self.assertGreater(said["p50_us"], 0)

    def test_one_hundred_jobs(self):
        with support.Server("http_file_server", "--root", self.tree.root) as server:
            result = self.fetch_all(server.url, "--jobs", 100)
        self.assertEqual(sums(result.stdout), self.expected)

    def test_pythons(self):
        for version in ("HTTP/1.0", "HTTP/1.1"):
            handler = type("Handler", (http.server.SimpleHTTPRequestHandler,), {
                "protocol_version": version, "log_message": lambda *_: None})
            handler = functools.partial(handler, directory=self.tree.root)
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                result = self.fetch_all("http://127.0.0.1:%d" % server.server_port, "--jobs", 8)
                server.shutdown()
            self.assertEqual(sums(result.stdout), self.expected, version)

    def test_progress_on_a_terminal(self):
        with support.Server("http_file_server", "--root", self.tree.root) as server:
            ours, theirs = pty.openpty()
            with os.fdopen(ours, "rb", buffering=0) as terminal:
                result = support.subprocess.run(
                    support.command("http_fetch", server.url + "/hello.txt", server.url + "/x"),
                    stderr=theirs, stdout=support.subprocess.DEVNULL, timeout=support.PATIENCE)
                os.close(theirs)
                said = terminal.read(4096).decode()
        self.assertEqual(result.returncode, 1)
        self.assertIn("\r2/2  0.0 MB", said)
        self.assertIn("1 failed\033[K\r\n", said)


class Answers(Fetch):
    def one(self, *answers, code=0, count=1, jobs=1, options=()):
        with Scripted(*answers) as server:
            urls = [f"{server.url}/{i}" for i in range(count)]
            result = self.fetch("--jobs", jobs, "--sums", *options, *urls, code=code)
            return result, server

    def test_framing(self):
        body = b"0123456789" * 10000
        digest = (hashlib.sha256(body).hexdigest(), len(body))
        pieces = b"".join(b"%x;ext=1\r\n%s\r\n" % (n, body[i:i + n]) for i, n in
                          [(0, 1), (1, 70000), (70001, 29999)])
        chunked = answer(pieces + b"0\r\nTrailer: x\r\n\r\n", "Transfer-Encoding: chunked")
        to_end = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body
        interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        for text in [answer(body), chunked, to_end, interim + answer(body), interim + chunked]:
            result, _ = self.one(text)
            self.assertEqual(sums(result.stdout), {"/0": digest}, text[:60])

    def test_the_connection_is_kept(self):
        _, server = self.one(*[answer(b"x")] * 10, count=10)
        self.assertEqual((server.connections, len(server.requests)), (1, 10))
        _, server = self.one(*[answer(b"", status="404 Not Found")] * 5, count=5, code=1)
        self.assertEqual(server.connections, 1)

    def test_a_kept_connection_that_is_gone_is_opened_again(self):
        closing = answer(b"a"), b"", answer(b"b"), b"", answer(b"c")
        result, server = self.one(*closing, count=3)
        self.assertEqual(len(sums(result.stdout)), 3)
        self.assertEqual(server.connections, 3)

    def test_failures_say_why(self):
        cases = [
            (answer(b"gone", status="404 Not Found"), "HTTP 404 Not Found"),
            (answer(b"", status="500 Oh"), "HTTP 500 Oh"),
            (b"", "read: ROTA_ERR_EOF"),
            (b"nonsense\r\n", "not HTTP/1.1: no status line"),
            (answer(b"abc", "Content-Length: x"), "not HTTP/1.1: a length that is not a number"),
            (answer(b"abc", "Content-Length: -1"), "not HTTP/1.1: a length that is not a number"),
            (answer(b"abc", "no colon"), "not HTTP/1.1: a field without a colon"),
            (answer(b"xyz\r\n", "Transfer-Encoding: chunked"),
             "not HTTP/1.1: a chunk without a size"),
            (answer(b"1\r\nab\r\n", "Transfer-Encoding: chunked"),
             "not HTTP/1.1: a chunk longer than it said"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nshort",
             "read: ROTA_ERR_EOF"),
            (answer(b"", "A: " + "x" * 20000), "read: ROTA_ERR_LIMIT"),
        ]
        for text, why in cases:
            with self.subTest(why):
                result, _ = self.one(text, code=1)
                self.assertIn(f"/0: {why}", result.stderr.decode())
                self.assertEqual(result.stdout, b"")

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            url = "http://127.0.0.1:%d/" % unused.getsockname()[1]
        self.assertIn(f"{url}: connect: ROTA_ERR_REFUSED",
                      self.fetch(url, code=1).stderr.decode())

    def test_a_request_that_takes_too_long_leaves_the_others(self):
        result, server = self.one(answer(b"a"), None, answer(b"b"), count=3, code=1,
                                  options=["--each-timeout-ms", 300])
        self.assertEqual(list(sums(result.stdout)), ["/0", "/2"])
        self.assertIn("/1: ROTA_ERR_TIMEOUT: the request took too long", result.stderr.decode())

    def test_the_time_for_all(self):
        result, _ = self.one(*[None] * 5, count=5, jobs=2, code=1, options=["--timeout-ms", 300])
        said = result.stderr.decode()
        self.assertEqual(said.count("ROTA_ERR_TIMEOUT: the time for all is over"), 2)
        self.assertEqual(said.count("not begun before the time was over"), 3)


class Files(Fetch):
    def test_nothing_is_written_outside(self):
        out = os.path.join(self.tree.top, "inside")
        os.mkdir(out)
        os.symlink(self.tree.top, os.path.join(out, "link"))
        with Scripted(*[answer(b"evil")] * 4) as server:
            paths = ["/../evil", "/a/../../evil", "/link/evil", "/.."]
            result = self.fetch("--output", out, *(server.url + path for path in paths), code=1)
            self.assertEqual(server.requests, [])
        self.assertEqual(len(result.stderr.splitlines()), 4)
        self.assertNotIn("evil", os.listdir(self.tree.top))

    def test_a_failure_leaves_no_file(self):
        out = os.path.join(self.tree.top, "none")
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nshort"
        with Scripted(cut) as server:
            self.fetch("--output", out, server.url + "/a", code=1)
        self.assertEqual(os.listdir(out), [])

    def test_a_folder_becomes_its_index(self):
        out = os.path.join(self.tree.top, "index")
        with Scripted(answer(b"page")) as server:
            self.fetch("--output", out, server.url + "/x/")
        with open(os.path.join(out, "x", "index.html"), "rb") as file:
            self.assertEqual(file.read(), b"page")

    def test_bad_arguments(self):
        for arguments in [[], ["ftp://x/"], ["--jobs", "0", "http://x/"], ["http://a b/"],
                          ["--urls", "/nowhere/at/all"], ["http://[::1/"], ["http://h:1x/"],
                          ["--jobs"]]:
            self.assertEqual(support.run("http_fetch", *arguments).returncode, 2, arguments)
