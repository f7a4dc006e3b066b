"""Starting the examples, talking to them over plain sockets, and a tree of files to serve."""
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile

PATIENCE = 60  # seconds until a wait for something that must happen is given up
_bin = None
_wrap = []


def configure(bin_dir, wrap):
    global _bin, _wrap
    _bin, _wrap = os.path.abspath(bin_dir), wrap


def command(name, *arguments):
    path = os.path.join(_bin, name)
    assert os.access(path, os.X_OK), f"{path} has not been built"
    return [*_wrap, path, *map(str, arguments)]


def run(name, *arguments, **options):
    """Runs an example to its end."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    return subprocess.run(command(name, *arguments), capture_output=True, timeout=PATIENCE,
                          **options)


class Server:
    """A server among the examples: its first line tells its address; it must end with 0."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen(command(name, *arguments), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"listening on (?:http://)?(\S+):(\d+)/?\n", self.line)
        if not found:
            self.process.kill()
            raise AssertionError(f"{name}: {self.line!r} {self.process.communicate()}")
        self.host, self.port = found[1].strip("[]"), int(found[2])
        self.url = f"http://{found[1]}:{self.port}"

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self):
        """Waits for the end; returns what was printed after the first line."""
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"did not end: {self.process.communicate()}")
        if self.process.returncode != 0 or err:
            raise AssertionError(f"ended with {self.process.returncode}: {err.decode()}")
        return out.decode()

    def stop(self):
        self.signal()
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None and self.process.poll() is None:
            self.stop()
        else:
            self.process.kill()
            self.process.communicate()

    def connect(self):
        return socket.create_connection((self.host, self.port), timeout=PATIENCE)


class Answer:
    """One HTTP answer, read from a file made of a socket."""

    def __init__(self, file, method="GET"):
        line = file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError(f"no answer, only {line!r}")
        self.version, status, self.reason = line.decode().rstrip("\r\n").split(" ", 2)
        self.status = int(status)
        self.headers = {}
        while (line := file.readline()) not in (b"\r\n", b""):
            name, value = line.decode().rstrip("\r\n").split(": ", 1)
            assert name.lower() not in self.headers, f"{name} twice"
            self.headers[name.lower()] = value
        length = int(self.headers.get("content-length", 0))
        has_body = method != "HEAD" and self.status not in (204, 304)
        self.body = file.read(length) if has_body else b""
        assert not has_body or len(self.body) == length, "the body is cut short"


def exchange(server, data, method="GET"):
    """Sends bytes on a connection of their own; returns the first answer."""
    with server.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(data)
        return Answer(file, method)


def get(server, target, *fields, method="GET", version="HTTP/1.1"):
    lines = [f"{method} {target} {version}", "Host: test", *fields, "", ""]
    return exchange(server, "\r\n".join(lines).encode("utf-8"), method)


def wait_for_hangup(sock):
    """Waits until the other side has reset or closed, without reading what it has sent."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    assert poll.poll(PATIENCE * 1000), "still connected"


class Tree:
    """Real files in a temporary folder, and secrets next to it that must not be reached."""

    SECRET = b"SECRET: nobody may read this\n"

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="rota-examples-")
        self.root = os.path.join(self.top, "root")
        noise = random.Random(7)
        self.files = {
            "hello.txt": b"hello, world\n",
            "empty.txt": b"",
            "one.bin": b"x",
            "big.bin": noise.randbytes(3 * 1024 * 1024 + 17),
            "chunk.bin": noise.randbytes(128 * 1024),
            "page.html": b"<p>page</p>",
            "style.css": b"p {}",
            "data.json": b"{}",
            "photo.PNG": b"\x89PNG",
            "plain": b"no suffix",
            ".hidden": b"dot",
            "with space & <b>\"'.txt": b"escaped",
            "100%.txt": b"percent",
            "%2e%2e": b"a strange name",
            "a+b;c=d,e.txt": b"punctuation",
            "\u00fcn\u00ef\u4e16.txt": b"not ASCII",
            "sub/inner.txt": b"inner",
            "sub/deep/er/file.bin": noise.randbytes(70000),
            "indexed/index.html": b"<h1>index</h1>",
            "indexed/other.txt": b"other",
        }
        self.files.update({f"many/{i:03}.bin": noise.randbytes(i * 97) for i in range(100)})
        for name, data in self.files.items():
            self.write(name, data)
        self.write("../secret.txt", self.SECRET)
        self.write("../root-but-not/secret.txt", self.SECRET)
        for name, target in [("link-inside", "hello.txt"), ("link-outside", "../secret.txt"),
                             ("link-absolute", os.path.join(self.top, "secret.txt")),
                             ("link-folder", ".."), ("sub/up", "../.."), ("link-etc", "/etc"),
                             ("link-loop", "link-loop")]:
            os.symlink(target, os.path.join(self.root, name))
        os.mkfifo(os.path.join(self.root, "fifo"))

    def write(self, name, data):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def remove(self):
        shutil.rmtree(self.top)
