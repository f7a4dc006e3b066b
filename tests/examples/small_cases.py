"""The timer, the posts, the dump, the echo server, and one client in several styles."""
import os
"""The timer, the posts, the workers, the echo server, and one client in three styles."""
import os
"""The small examples: timer, posts, dump, frames, echo server, and one client in several styles."""
"""The timer, the posts, the groups, the echo server, and one client in three styles."""
import re
import socket
import tempfile
import threading
import unittest

import support

CLIENTS = ["client_callbacks", "client_stepped", "client_step", "client_stackful",
           "cpp_client"]


class Timer(unittest.TestCase):
    def test_rearm_one_shot_and_cancel_come_in_order(self):
        result = support.run("timer")
        self.assertEqual(result.stdout.decode(),
                         "changed my mind: ROTA_ERR_CANCELLED\n"
                         "tick 1\n"
                         "one shot: ROTA_OK\n"
                         "tick 2\n"
                         "tick 3\n")
        self.assertEqual((result.returncode, result.stderr), (0, b""))


class Post(unittest.TestCase):
    def test_all_posts_arrive(self):
        result = support.run("post")
        self.assertEqual(result.stdout, b"3000 posts from 3 threads\n")
        self.assertEqual((result.returncode, result.stderr), (0, b""))


class Workers(unittest.TestCase):
    def test_all_are_counted_and_the_longest_comes_first(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for lines in range(30):
                paths.append(os.path.join(folder, f"{lines:02}"))
                with open(paths[-1], "w", encoding="ascii") as file:
                    file.write("x" * 5000 + "\n" + "\n" * (lines - 1) if lines else "no line")
            result = support.run("workers", *paths)
        expected = [f"{lines:8} {paths[lines]}" for lines in range(29, -1, -1)]
        self.assertEqual(result.stdout.decode().splitlines(),
                         [*expected, f"{sum(range(30)):8} in all"])
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_what_cannot_be_read_is_said_and_the_rest_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            path, missing = os.path.join(folder, "a"), os.path.join(folder, "b")
            with open(path, "w", encoding="ascii") as file:
                file.write("1\n2\n")
            result = support.run("workers", missing, path, path)
        self.assertEqual(result.stdout.decode(),
                         f"       2 {path}\n       2 {path}\n       4 in all\n")
        self.assertEqual(result.stderr.decode(), f"workers: {missing}: No such file or directory\n")
        self.assertEqual(result.returncode, 1)

    def test_nothing_to_do(self):
        result = support.run("workers")
        self.assertEqual((result.returncode, result.stdout), (0, b"       0 in all\n"))
class Stuck(unittest.TestCase):
    def test_the_dump_names_the_deadlock(self):
        result = support.run("stuck")
        lines = result.stdout.decode().splitlines()
        self.assertEqual(lines[0], "3 tasks: 0 run, 0 ready, 3 wait")
        self.assertIn("deadlock: transfer #1 waits for lock (audit #2), "
                      "audit #2 waits for lock (transfer #1)", lines)
        self.assertRegex("\n".join(lines), r"\nconsumer #3 waits \d+\.\d{3} s for queue get, 1 step\n")
        self.assertTrue(lines[-1].startswith("stuck: "), lines)
        self.assertEqual((result.returncode, result.stderr), (0, b""))


class Channel(unittest.TestCase):
    def test_workers_count_and_the_task_adds_up(self):
        with tempfile.TemporaryDirectory() as folder:
            names = [os.path.join(folder, f"file{number}") for number in range(50)]
            for number, name in enumerate(names):
                with open(name, "w", encoding="ascii") as file:
                    file.write("line\n" * number)
            result = support.run("channel", *names)
            lines = [f"{number:8} {5 * number:10} {name}" for number, name in enumerate(names)]
            self.assertEqual(result.stdout.decode().splitlines(),
                             lines + [f"{1225:8} {6125:10} in 50 files"])
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            gone = support.run("channel", names[1], os.path.join(folder, "none"))
            self.assertEqual(gone.returncode, 1)
            self.assertIn(b"cannot read", gone.stdout)
            self.assertIn(b"       1          5 in 1 files", gone.stdout)

    def test_usage(self):
        self.assertEqual(support.run("channel").returncode, 2)
class Drain(unittest.TestCase):
    def test_completions_are_fetched_frame_by_frame(self):
        result = support.run("drain")
        # Each frame has two real milliseconds: on a slow machine something may come a frame later.
        lines = [re.sub(r"^frame \d+: ", "", line) for line in result.stdout.decode().splitlines()]
        self.assertEqual(lines, ["the lamp blinks", "the trap will not come any more", "the lamp blinks",
                                 "the door opens", "the lamp blinks", "the castle: 4096 bytes"])
        self.assertEqual((result.returncode, result.stderr), (0, b""))
class Group(unittest.TestCase):
    def test_members_end_together(self):
        for name in ("group", "group_stepped"):
            result = support.run(name)
            self.assertEqual(result.stdout.decode(),
                             "in time:\n"
                             "  convert is done\n"
                             "  fetch is done\n"
                             "  all 2 succeeded\n"
                             "one fails:\n"
                             "  print fails\n"
                             "  fetch ends early: a member of the group failed\n"
                             "  the group failed\n"
                             "  error 0: of print, -1000001\n"
                             "too slow:\n"
                             "  fetch is done\n"
                             "  convert ends early: the deadline has passed\n"
                             "  the group came to ROTA_ERR_TIMEOUT\n")
            self.assertEqual((result.returncode, result.stderr), (0, b""))


class Echo(unittest.TestCase):
    program = "echo_server"

    def test_everything_comes_back(self):
        data = bytes(range(256)) * 4096
        with support.Server(self.program) as server, server.connect() as sock:
            received = []
            reader = threading.Thread(target=lambda: received.append(
                b"".join(iter(lambda: sock.recv(65536), b""))))
            reader.start()
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            reader.join(support.PATIENCE)
            self.assertEqual(received, [data])

    def test_ends_while_clients_are_connected(self):
        with support.Server(self.program) as server:
            socks = [server.connect() for _ in range(20)]
            for sock in socks:
                sock.sendall(b"ping")
                self.assertEqual(sock.recv(4), b"ping")
            server.signal()
            for sock in socks:
                try:
                    self.assertEqual(sock.recv(1), b"")
                except ConnectionResetError:
                    pass
                sock.close()
            server.wait()

    def test_listens_on_the_port_it_is_given(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            busy = support.run(self.program, "--port", port)
        self.assertEqual(busy.returncode, 1)
        self.assertIn(b"listen", busy.stderr)
        with support.Server(self.program, "--port", port) as server:
            self.assertEqual(server.port, port)


class CppEcho(Echo):
    program = "cpp_echo_server"


class CppGroup(unittest.TestCase):
    def test_its_tasks_end_together(self):
        result = support.run("cpp_group")
        self.assertEqual(result.stdout.decode(),
                         "  one: done\n"
                         "  two: done\n"
                         "together: 3\n"
                         "  patient: asked to end\n"
                         "failed: out of paper: a status of the host's\n"
                         "  quick: done\n"
                         "  slow: asked to end\n"
                         "over: ROTA_ERR_TIMEOUT\n")
        self.assertEqual((result.returncode, result.stderr), (0, b""))


class Clients(unittest.TestCase):
    def same(self, *arguments):
        """What all three say; they must say the same."""
        results = [support.run(name, *arguments) for name in CLIENTS]
        said = {(r.returncode, r.stdout.decode(), r.stderr.decode()) for r in results}
        self.assertEqual(len(said), 1, said)
        return said.pop()

    def test_the_line_comes_back(self):
        with support.Server("echo_server") as server:
            self.assertEqual(self.same(server.host, server.port, "hello"), (0, "hello\n", ""))
            self.assertEqual(self.same(server.host, server.port, "x" * 4000),
                             (0, "x" * 4000 + "\n", ""))

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        self.assertEqual(self.same("127.0.0.1", port, "hello"),
                         (1, "", "client: ROTA_ERR_REFUSED\n"))

    def test_no_answer_is_a_timeout(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            port = mute.getsockname()[1]
            self.assertEqual(self.same("127.0.0.1", port, "hello", 100),
                             (1, "", "client: ROTA_ERR_TIMEOUT\n"))

    def test_a_line_that_is_too_long(self):
        with support.Server("echo_server") as server:
            self.assertEqual(self.same(server.host, server.port, "x" * 5000),
                             (1, "", "client: ROTA_ERR_LIMIT\n"))

    def test_usage(self):
        for name in CLIENTS:
            self.assertEqual(support.run(name, "127.0.0.1").returncode, 2)


if __name__ == "__main__":
    unittest.main()
