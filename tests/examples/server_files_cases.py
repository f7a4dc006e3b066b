"""The file server as a shelf of files: bytes, ranges, listings, and no way out of the root."""
import email.utils
import html
import os
import re
import shutil
import subprocess
import unittest
from http.client import HTTPConnection
from urllib.parse import quote, unquote

import support


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tree = support.Tree()
        cls.addClassCleanup(cls.tree.remove)
        cls.server = support.Server("http_file_server", "--root", cls.tree.root)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def get(self, target, *fields, **options):
        return support.get(self.server, target, *fields, **options)


class Files(Served):
    def test_get_and_head_are_exact_on_one_connection(self):
        http = HTTPConnection(self.server.host, self.server.port, timeout=support.PATIENCE)
        http.connect()
        sock = http.sock
        for name, data in self.tree.files.items():
            for method in ("GET", "HEAD"):
                with self.subTest(name=name, method=method):
                    http.request(method, "/" + quote(name))
                    answer = http.getresponse()
                    self.assertEqual(answer.status, 200)
                    self.assertEqual(answer.read(), data if method == "GET" else b"")
                    self.assertEqual(int(answer.headers["Content-Length"]), len(data))
                    self.assertEqual(answer.headers["Accept-Ranges"], "bytes")
        self.assertIs(http.sock, sock, "the connection was not kept")
        http.close()

    def test_content_types(self):
        for name, kind in [("page.html", "text/html; charset=utf-8"),
                           ("data.json", "application/json"), ("photo.PNG", "image/png"),
                           ("style.css", "text/css; charset=utf-8"),
                           ("hello.txt", "text/plain; charset=utf-8"),
                           ("plain", "application/octet-stream"),
                           (".hidden", "application/octet-stream")]:
            self.assertEqual(self.get("/" + name).headers["content-type"], kind, name)

    def test_a_query_is_not_part_of_the_name(self):
        self.assertEqual(self.get("/hello.txt?a=../b").body, b"hello, world\n")

    def test_names_are_normalised(self):
        for target in ["//hello.txt", "/./hello.txt", "/%68ello%2etxt", "/sub//inner.txt",
                       "/sub/./inner.txt"]:
            self.assertEqual(self.get(target).status, 200, target)
        for target in ["/nothing", "/hello.txt/", "/hello.txt/x", "/sub/nothing", "/" + "x" * 300,
                       "/hello.txt%20", "/HELLO.TXT"]:
            self.assertEqual(self.get(target).status, 404, target)

    def test_not_modified(self):
        answer = self.get("/hello.txt")
        modified = answer.headers["last-modified"]
        path = os.path.join(self.tree.root, "hello.txt")
        self.assertEqual(email.utils.parsedate_to_datetime(modified).timestamp(),
                         int(os.stat(path).st_mtime))
        same = self.get("/hello.txt", f"If-Modified-Since: {modified}")
        self.assertEqual((same.status, same.body), (304, b""))
        for since, status in [("Thu, 01 Jan 1970 00:00:00 GMT", 200), ("yesterday", 200),
                              ("Fri, 01 Jan 2100 00:00:00 GMT", 304)]:
            self.assertEqual(self.get("/hello.txt", f"If-Modified-Since: {since}").status, status)

    def test_every_answer_has_a_date(self):
        for target in ["/", "/hello.txt", "/nothing", "/sub"]:
            date = self.get(target).headers["date"]
            self.assertRegex(date, r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")

    def test_a_pipe_is_refused(self):
        self.assertEqual(self.get("/fifo").status, 403)


class Ranges(Served):
    CASES = [  # what is asked of 13 bytes, the status, the part
        ("bytes=0-4", 206, slice(0, 5)), ("bytes=5-", 206, slice(5, 13)),
        ("bytes=-3", 206, slice(10, 13)), ("bytes=0-0", 206, slice(0, 1)),
        ("bytes=12-12", 206, slice(12, 13)), ("bytes=12-", 206, slice(12, 13)),
        ("bytes=3-100", 206, slice(3, 13)), ("bytes=-13", 206, slice(0, 13)),
        ("bytes=-100", 206, slice(0, 13)), ("bytes=0-", 206, slice(0, 13)),
        ("BYTES=1-2", 206, slice(1, 3)),
        ("bytes=4-99999999999999999999999999", 206, slice(4, 13)),
        ("bytes=-99999999999999999999999999", 206, slice(0, 13)),
        ("bytes=13-", 416, None), ("bytes=100-200", 416, None), ("bytes=-0", 416, None),
        ("bytes=18446744073709551616-", 416, None),
        ("bytes=0-1,3-4", 200, None), ("bytes=5-2", 200, None), ("bytes=-", 200, None),
        ("bytes=a-b", 200, None), ("bytes=1", 200, None), ("bytes=1-2x", 200, None),
        ("bytes=--1", 200, None), ("bytes=0x1-2", 200, None), ("lines=0-4", 200, None),
        ("bytes", 200, None), ("bytes=", 200, None),
    ]

    def test_ranges(self):
        data = self.tree.files["hello.txt"]
        for text, status, part in self.CASES:
            with self.subTest(text):
                answer = self.get("/hello.txt", f"Range: {text}")
                self.assertEqual(answer.status, status)
                if status == 206:
                    first, last, _ = part.indices(len(data))
                    self.assertEqual(answer.body, data[part])
                    self.assertEqual(answer.headers["content-range"],
                                     f"bytes {first}-{last - 1}/{len(data)}")
                elif status == 416:
                    self.assertEqual(answer.headers["content-range"], f"bytes */{len(data)}")
                else:
                    self.assertEqual(answer.body, data)
                    self.assertNotIn("content-range", answer.headers)

    def test_ranges_across_chunks(self):
        data = self.tree.files["big.bin"]
        size = len(data)
        for first, last in [(0, size - 1), (131071, 131072), (131072, 393215), (1, size - 2),
                            (size - 1, size - 1), (262143, 2 * 1024 * 1024)]:
            answer = self.get("/big.bin", f"Range: bytes={first}-{last}")
            self.assertEqual(answer.status, 206)
            self.assertEqual(answer.body, data[first:last + 1])

    def test_an_empty_file_has_no_ranges(self):
        for text in ["bytes=0-", "bytes=0-0", "bytes=-1"]:
            answer = self.get("/empty.txt", f"Range: {text}")
            self.assertEqual((answer.status, answer.headers["content-range"]), (416, "bytes */0"))

    def test_if_range(self):
        modified = self.get("/hello.txt").headers["last-modified"]
        for validator, status in [(modified, 206), ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
                                  ('"a-tag"', 200)]:
            answer = self.get("/hello.txt", "Range: bytes=0-1", f"If-Range: {validator}")
            self.assertEqual(answer.status, status)

    def test_only_get_has_ranges(self):
        answer = self.get("/hello.txt", "Range: bytes=0-1", method="HEAD")
        self.assertEqual((answer.status, answer.headers["content-length"]), (200, "13"))


class Listings(Served):
    ROW = re.compile(r'<tr><td><a href="([^"]*)">([^<]*)</a></td><td[^>]*>(\d*)</td></tr>')

    def test_shows_what_is_there(self):
        answer = self.get("/")
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        rows = self.ROW.findall(answer.body.decode())
        names = sorted((n for n in self.tree.files if "/" not in n), key=os.fsencode)
        expected = [(f + "/", "") for f in ["indexed", "many", "sub"]]
        expected += [(n, str(len(self.tree.files[n]))) for n in names]
        self.assertEqual([(html.unescape(name), size) for _, name, size in rows], expected)
        for href, name, _ in rows:
            self.assertEqual(unquote(href), html.unescape(name))
            self.assertEqual(self.get("/" + href).status, 200, href)

    def test_nothing_is_left_unescaped(self):
        text = self.get("/").body.decode()
        self.assertNotIn("<b>", text)
        self.assertIn("with space &amp; &lt;b&gt;&quot;&#39;.txt", text)

    def test_a_folder_within(self):
        text = self.get("/sub/").body.decode()
        self.assertIn("<title>/sub</title>", text)
        self.assertEqual([name for _, name, _ in self.ROW.findall(text)],
                         ["../", "deep/", "inner.txt"])

    def test_head_tells_the_length(self):
        answer = self.get("/many/", method="HEAD")
        self.assertEqual(int(answer.headers["content-length"]), len(self.get("/many/").body))

    def test_a_folder_needs_its_slash(self):
        for target, location in [("/sub", "sub/"), ("/sub/deep", "deep/"), ("//sub", "sub/"),
                                 ("/sub?query", "sub/")]:
            answer = self.get(target)
            self.assertEqual((answer.status, answer.headers["location"]), (301, location))

    def test_an_index_is_the_page_of_its_folder(self):
        answer = self.get("/indexed/")
        self.assertEqual(answer.body, self.tree.files["indexed/index.html"])
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")


class NoWayOut(Served):
    CLIMBS = [
        "/../secret.txt", "/sub/../../secret.txt", "/./../secret.txt", "//../secret.txt",
        "/%2e%2e/secret.txt", "/%2E%2E/secret.txt", "/.%2e/secret.txt", "/%2e./secret.txt",
        "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/sub%2f..%2f..%2fsecret.txt",
        "/%252e%252e/secret.txt", "/..%252fsecret.txt", "/..%5csecret.txt", "/..\\secret.txt",
        "/%c0%ae%c0%ae/secret.txt", "/..%c0%afsecret.txt", "/..;/secret.txt", "/.../secret.txt",
        "/%00/../secret.txt", "/hello.txt%00/../../secret.txt", "/..%00/secret.txt",
        "/../root-but-not/secret.txt", "/%2fetc/passwd", "//etc/passwd", "/%2e%2e",
        "/../../../../../../../../etc/passwd", "http://test/../secret.txt", "/sub/..",
        "/%uff0e%uff0e/secret.txt", "/..%ff/secret.txt", "/%", "/%2", "/%zz", "/%2e%2e%",
    ]

    def refused(self, target):
        answer = self.get(target)
        self.assertIn(answer.status, (400, 403, 404), target)
        self.assertNotIn(b"SECRET", answer.body)
        self.assertNotIn(b"root:", answer.body)

    def test_encoded_climbs(self):
        for target in self.CLIMBS:
            with self.subTest(target):
                self.refused(target)
                self.refused("/sub/deep" + target)

    def test_links_are_not_followed(self):
        for target in ["/link-outside", "/link-absolute", "/link-folder/", "/link-folder",
                       "/link-folder/secret.txt", "/sub/up/secret.txt", "/sub/up/",
                       "/link-etc/passwd", "/link-loop", "/link-inside",
                       "/link-folder/root/hello.txt"]:
            with self.subTest(target):
                self.refused(target)

    @unittest.skipUnless(shutil.which("curl"), "no curl here")
    def test_curl_as_it_is(self):
        for target in ["/../secret.txt", "/sub/../../secret.txt", "/%2e%2e/secret.txt"]:
            said = subprocess.run(["curl", "-s", "--path-as-is", "-w", "%{http_code}", "-o", "-",
                                   self.server.url + target], capture_output=True, check=True)
            self.assertIn(said.stdout[-3:], (b"400", b"403", b"404"))
            self.assertNotIn(b"SECRET", said.stdout)


@unittest.skipUnless(shutil.which("curl"), "no curl here")
class Curl(Served):
    def curl(self, *arguments):
        return subprocess.run(["curl", "-sS", *arguments], capture_output=True, check=True,
                              timeout=support.PATIENCE).stdout

    def test_files_ranges_heads_and_listings(self):
        url, big = self.server.url, self.tree.files["big.bin"]
        self.assertEqual(self.curl(url + "/big.bin"), big)
        self.assertEqual(self.curl("-r", "100-199999", url + "/big.bin"), big[100:200000])
        self.assertEqual(self.curl("-r", "-500", url + "/big.bin"), big[-500:])
        self.assertEqual(self.curl("-r", "3000000-", url + "/big.bin"), big[3000000:])
        head = self.curl("-I", url + "/big.bin").decode()
        self.assertTrue(head.startswith("HTTP/1.1 200 OK\r\n"), head)
        self.assertIn(f"Content-Length: {len(big)}\r\n", head)
        self.assertIn(b"inner.txt", self.curl("-L", url + "/sub"))
        self.assertEqual(self.curl("-0", url + "/hello.txt"), b"hello, world\n")

    def test_many_on_one_connection(self):
        urls = [f"{self.server.url}/many/{i:03}.bin" for i in range(100)]
        whole = b"".join(self.tree.files[f"many/{i:03}.bin"] for i in range(100))
        self.assertEqual(self.curl(*urls), whole)
