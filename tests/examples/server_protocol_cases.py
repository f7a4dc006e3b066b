"""The file server as a speaker of HTTP/1.1: errors, connections that are kept, odd requests."""
import socket
import unittest

import support
from server_files_cases import Served

HELLO = b"hello, world\n"


class Errors(Served):
    CASES = [  # a request, and what it is refused with
        (b"\x16\x03\x01\x00\r\n\r\n", 400), (b"GET\r\n\r\n", 400), (b"GET /hello.txt\r\n\r\n", 400),
        (b"GET /hello.txt HTTP\r\n\r\n", 400), (b"GET /hello.txt HTTP/1.1 x\r\n\r\n", 400),
        (b"GET  /hello.txt HTTP/1.1\r\nHost: t\r\n\r\n", 400),
        (b"GET hello.txt HTTP/1.1\r\nHost: t\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: t\r\n\r\n", 400),
        (b"GET /\x01 HTTP/1.1\r\nHost: t\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: t\r\n\r\n", 400),
        (b"GET /#x HTTP/1.1\r\nHost: t\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : t\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nA: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\n: nameless\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nA: \x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nA: b\rC: d\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1,1\r\n\r\n", 400),
        (b"G@T / HTTP/1.1\r\nHost: t\r\n\r\n", 400), (b"GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\n\r\n", 505), (b"BREW / HTTP/1.1\r\nHost: t\r\n\r\n", 501),
        (b"get / HTTP/1.1\r\nHost: t\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: t\r\n\r\n", 405),
        (b"DELETE /x HTTP/1.1\r\nHost: t\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n", 405),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: t\r\n\r\n", 405),
        (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: t\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: t\r\nA: " + b"x" * 20000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: t\r\n" + b"A: b\r\n" * 4000 + b"\r\n", 431),
    ]

    def test_errors(self):
        for request, status in self.CASES:
            with self.subTest(request[:60]):
                answer = support.exchange(self.server, request)
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.version, "HTTP/1.1")
                self.assertTrue(answer.body.startswith(str(status).encode()))
                if status == 405:
                    self.assertEqual(answer.headers["allow"], "GET, HEAD")

    def test_an_error_has_no_body_for_head(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(b"HEAD /nothing HTTP/1.1\r\nHost: t\r\n\r\nGET /one.bin HTTP/1.1\r\n"
                         b"Host: t\r\n\r\n")
            self.assertEqual(support.Answer(file, "HEAD").status, 404)
            self.assertEqual(support.Answer(file).body, b"x")

    def test_a_missing_file_keeps_the_connection(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            for target, status in [("nothing", 404), ("../x", 403), ("%", 400), ("hello.txt", 200)]:
                sock.sendall(f"GET /{target} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
                answer = support.Answer(file)
                self.assertEqual((answer.status, answer.headers["connection"]),
                                 (status, "keep-alive"))

    def test_the_body_of_a_refused_request_does_not_cost_the_answer(self):
        body = b"b" * 200_000
        for framing in (b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked"):
            with self.server.connect() as sock, sock.makefile("rb") as file:
                sock.sendall(b"POST / HTTP/1.1\r\nHost: t\r\n" + framing + b"\r\n\r\n" + body)
                sock.shutdown(socket.SHUT_WR)
                answer = support.Answer(file)
                self.assertEqual((answer.status, answer.headers["connection"]), (405, "close"))
                self.assertEqual(file.read(), b"", "the body was taken for a request")


class Connections(Served):
    def talk(self, request, count=1):
        """Sends all, reads `count` answers; tells whether the server then hung up."""
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(request)
            answers = [support.Answer(file) for _ in range(count)]
            if answers[-1].headers["connection"] == "close":
                self.assertEqual(file.read(), b"")
                return answers, True
            sock.sendall(b"GET /one.bin HTTP/1.1\r\nHost: t\r\n\r\n")
            self.assertEqual(support.Answer(file).body, b"x", "the connection is not usable")
            return answers, False

    def test_who_keeps_the_connection(self):
        for version, field, closes in [("1.1", "", False), ("1.0", "", True),
                                       ("1.1", "Connection: close\r\n", True),
                                       ("1.1", "Connection: keep-alive\r\n", False),
                                       ("1.1", "connection: foo, CLOSE\r\n", True),
                                       ("1.0", "Connection: Keep-Alive\r\n", False),
                                       ("1.0", "Connection: closed\r\n", True)]:
            with self.subTest(version=version, field=field):
                request = f"GET /hello.txt HTTP/{version}\r\nHost: t\r\n{field}\r\n".encode()
                answers, closed = self.talk(request)
                self.assertEqual((answers[0].body, closed), (HELLO, closes))

    def test_http_1_0_needs_no_host(self):
        answer = support.exchange(self.server, b"GET /hello.txt HTTP/1.0\r\n\r\n")
        self.assertEqual(answer.body, HELLO)

    def test_a_later_minor_version_is_understood(self):
        self.assertEqual(support.get(self.server, "/hello.txt", version="HTTP/1.9").body, HELLO)

    def test_many_requests_one_after_the_other(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            for i in range(300):
                name = f"many/{i % 100:03}.bin"
                sock.sendall(f"GET /{name} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
                self.assertEqual(support.Answer(file).body, self.tree.files[name])

    def test_pipelined_requests_are_answered_in_order(self):
        names = [f"many/{i:03}.bin" for i in range(100)] * 3
        requests = "".join(f"GET /{name} HTTP/1.1\r\nHost: t\r\n\r\n" for name in names)
        answers, _ = self.talk(requests.encode(), len(names))
        for name, answer in zip(names, answers):
            self.assertEqual(answer.body, self.tree.files[name])

    def test_what_follows_a_close_is_not_answered(self):
        request = b"GET /hello.txt HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n" * 3
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(request)
            self.assertEqual(support.Answer(file).body, HELLO)
            try:
                self.assertEqual(file.read(), b"")
            except ConnectionResetError:
                pass

    def test_the_absolute_form(self):
        for target in ["http://test/hello.txt", "HTTP://test:80/hello.txt?x"]:
            self.assertEqual(support.get(self.server, target).body, HELLO)
        for target in ["http://test", "http://test?x"]:
            self.assertEqual(support.get(self.server, target).body,
                             support.get(self.server, "/").body)

    def test_lenient_line_ends(self):
        for request in [b"GET /hello.txt HTTP/1.1\nHost: t\n\n",
                        b"\r\n\r\nGET /hello.txt HTTP/1.1\r\nHost: t\r\n\r\n",
                        b"GET /hello.txt HTTP/1.1\r\nhOST:t\r\nX:\r\n\r\n"]:
            self.assertEqual(support.exchange(self.server, request).body, HELLO)

    def test_a_head_in_single_bytes(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"GET /hello.txt HTTP/1.1\r\nHost: t\r\n\r\n":
                sock.sendall(bytes([byte]))
            self.assertEqual(support.Answer(file).body, HELLO)

    def test_a_client_that_has_said_all_is_still_answered(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(b"GET /big.bin HTTP/1.1\r\nHost: t\r\n\r\n")
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(support.Answer(file).body, self.tree.files["big.bin"])
            self.assertEqual(file.read(), b"")


class Options(unittest.TestCase):
    def test_bad_options(self):
        for arguments in [["--port"], ["--port", "65536"], ["--what", "x"], ["--timeout-ms", "0"]]:
            result = support.run("http_file_server", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, b""), arguments)
            self.assertIn(b"usage:", result.stderr)

    def test_what_cannot_be_served(self):
        result = support.run("http_file_server", "--root", "/nowhere/at/all")
        self.assertEqual(result.returncode, 1)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            result = support.run("http_file_server", "--port", taken.getsockname()[1])
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, b"")

    def test_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        with support.Server("http_file_server", "--host", "::1") as server:
            self.assertIn("[::1]", server.line)
            self.assertEqual(support.get(server, "/").status, 200)
