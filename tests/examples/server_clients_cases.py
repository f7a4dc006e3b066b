"""The file server and clients that are slow, dead, rude or many; and how it ends."""
import json
import os
import select
import signal
import socket
import struct
import unittest

import support
from server_files_cases import Served

LARGE = 64 * 1024 * 1024  # more than all socket buffers between the two can hold


def request(name):
    return f"GET /{name} HTTP/1.1\r\nHost: t\r\n\r\n".encode()


class Slow(unittest.TestCase):
    """With a short time limit. What is waited for is the server's doing, never a clock of ours."""

    @classmethod
    def setUpClass(cls):
        cls.tree = support.Tree()
        cls.addClassCleanup(cls.tree.remove)
        cls.tree.write("large.bin", b"")
        os.truncate(os.path.join(cls.tree.root, "large.bin"), LARGE)
        cls.server = support.Server("http_file_server", "--root", cls.tree.root,
                                    "--timeout-ms", 300)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_half_a_head_is_answered_with_408(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(b"GET / HTTP/1.1\r\nHost:")
            answer = support.Answer(file)
            self.assertEqual((answer.status, answer.headers["connection"]), (408, "close"))
            self.assertEqual(file.read(), b"")

    def test_half_a_second_head_too(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(request("hello.txt") + b"GET")
            self.assertEqual(support.Answer(file).status, 200)
            self.assertEqual(support.Answer(file).status, 408)

    def test_a_head_that_trickles_in_gains_no_time(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: t\r\n")
            poll = select.poll()
            poll.register(sock, select.POLLIN)
            for _ in range(1000):
                if poll.poll(20):
                    break
                sock.sendall(b"a")
            else:
                self.fail("still waiting for the rest of the head")
            self.assertEqual(support.Answer(file).status, 408)

    def test_silence_ends_without_a_word(self):
        with self.server.connect() as sock:
            self.assertEqual(sock.recv(1), b"")
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(request("hello.txt"))
            self.assertEqual(support.Answer(file).status, 200)
            self.assertEqual(file.read(), b"")

    def test_who_does_not_read_is_cut_off(self):
        with self.server.connect() as sock:
            sock.sendall(request("large.bin"))
            support.wait_for_hangup(sock)

    def test_who_sends_a_body_without_end_is_cut_off(self):
        with self.server.connect() as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n")
            poll = select.poll()
            poll.register(sock, 0)
            with self.assertRaises(ConnectionError):
                for _ in range(support.PATIENCE * 50):
                    sock.sendall(b"b")
                    poll.poll(20)

    def test_who_goes_on_reading_is_not(self):
        with self.server.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(request("large.bin"))
            self.assertEqual(len(support.Answer(file).body), LARGE)


class Rude(Served):
    def test_resets_in_the_middle_of_answers(self):
        for i in range(50):
            sock = self.server.connect()
            sock.sendall(request("big.bin") * (1 + i % 3))
            if i % 2:
                sock.recv(1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        self.assertEqual(self.get("/hello.txt").status, 200)

    def test_hanging_up_at_every_byte_of_a_head(self):
        head = request("hello.txt")
        for size in range(len(head)):
            with self.server.connect() as sock:
                sock.sendall(head[:size])
        self.assertEqual(self.get("/hello.txt").status, 200)


class Many(unittest.TestCase):
    COUNT = 200

    def setUp(self):
        self.tree = support.Tree()
        self.addCleanup(self.tree.remove)

    def test_two_hundred_at_once(self):
        data = self.tree.files["sub/deep/er/file.bin"]
        with support.Server("http_file_server", "--root", self.tree.root,
                            "--stats", "-") as server:
            socks = [server.connect() for _ in range(self.COUNT)]
            files = [sock.makefile("rb") for sock in socks]
            for _ in range(3):
                for sock in socks:
                    sock.sendall(request("sub/deep/er/file.bin"))
                for file in files:
                    self.assertEqual(support.Answer(file).body, data)
            for sock, file in zip(socks, files):
                file.close()
                sock.close()
            server.signal(signal.SIGINT)
            stats = json.loads(server.wait())
        self.assertEqual(stats["requests"], 3 * self.COUNT)
        self.assertEqual(stats["tasks_peak"], self.COUNT)
        self.assertGreater(stats["bytes"], 3 * self.COUNT * len(data))
        for name in ("turns", "wakeups", "memory_peak_bytes", "loop_memory_peak_bytes"):
            self.assertGreater(stats[name], 0, name)

    def test_more_than_there_are_descriptors(self):
        """Out of descriptors the server waits with accepting, and goes on when some are free."""
        limited = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"]
        # In place of the wrapper: valgrind closes connections it finds no descriptor for.
        wrap, support._wrap = support._wrap, limited
        self.addCleanup(setattr, support, "_wrap", wrap)
        with support.Server("http_file_server", "--root", self.tree.root) as server:
            socks = [server.connect() for _ in range(100)]
            for sock in socks:
                sock.sendall(b"GET /one.bin HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            for sock in socks:
                with sock, sock.makefile("rb") as file:
                    answer = support.Answer(file)
                    self.assertIn(answer.status, (200, 503))


class Ending(unittest.TestCase):
    def setUp(self):
        self.tree = support.Tree()
        self.addCleanup(self.tree.remove)
        self.tree.write("large.bin", b"")
        os.truncate(os.path.join(self.tree.root, "large.bin"), LARGE)

    def test_answers_under_way_are_finished(self):
        with support.Server("http_file_server", "--root", self.tree.root) as server:
            busy, idle = server.connect(), server.connect()
            with busy, idle, busy.makefile("rb") as file, idle.makefile("rb") as idle_file:
                idle.sendall(request("hello.txt"))
                self.assertEqual(support.Answer(idle_file).status, 200)
                busy.sendall(request("large.bin") * 2)
                busy.recv(1, socket.MSG_PEEK)
                server.signal()
                self.assertEqual(idle_file.read(), b"", "the idle one is not let go")
                with self.assertRaises(ConnectionRefusedError):
                    server.connect()
                self.assertEqual(len(support.Answer(file).body), LARGE)
                try:
                    self.assertEqual(file.read(), b"", "the second request was begun")
                except ConnectionResetError:
                    pass
            server.wait()

    def test_who_does_not_read_cannot_hold_the_end_up(self):
        with support.Server("http_file_server", "--root", self.tree.root,
                            "--timeout-ms", 300) as server:
            with server.connect() as sock:
                sock.sendall(request("large.bin"))
                sock.recv(1, socket.MSG_PEEK)
                server.signal()
                server.wait()

    def test_figures_in_a_file(self):
        path = os.path.join(self.tree.top, "stats.json")
        with support.Server("http_file_server", "--root", self.tree.root,
                            "--stats", path) as server:
            support.get(server, "/hello.txt")
            server.stop()
        with open(path) as file:
            self.assertEqual(json.load(file)["requests"], 1)
