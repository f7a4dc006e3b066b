"""Fetches the same files with a client that is not ours: curl, or else Python's.

    other_client.py --name
    other_client.py --urls LIST --output FOLDER --json FILE [--jobs N] [--timeout-ms N]

Writes each file below FOLDER under the path of its URL, and figures as one JSON object. Exits with
1 if any URL failed.
"""
import argparse
import http.client
import json
import os
import platform
import queue
import re
import resource
import subprocess
import sys
import threading
import time
from urllib.parse import unquote, urlsplit


def curl_version():
    """The version of a curl that can fetch in parallel, or None."""
    try:
        said = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.match(r"curl (\d+)\.(\d+)\S*", said.stdout)
    return found[0] if found and (int(found[1]), int(found[2])) >= (7, 68) else None


def local_path(folder, url):
    return folder + unquote(urlsplit(url).path)


def quoted(text):
    """For curl's configuration."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def with_curl(urls, options):
    """The latencies in microseconds of what was fetched."""
    config = options.output + ".curl"
    with open(config, "w") as out:
        for url in urls:
            out.write(f"url = {quoted(url)}\noutput = {quoted(local_path(options.output, url))}\n")
    command = ["curl", "--disable", "--noproxy", "*", "--fail", "--parallel",
               "--parallel-immediate", "--parallel-max", str(options.jobs),
               "--max-time", str(options.timeout_ms // 1000), "--create-dirs",
               "--write-out", "%{http_code} %{time_total}\\n", "--config", config]
    if not sys.stderr.isatty():  # else it draws its own progress
        command += ["--silent", "--show-error", "--no-progress-meter"]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    os.remove(config)
    answers = (line.split() for line in said.stdout.splitlines())
    return [float(seconds) * 1e6 for code, seconds in answers if code == "200"]


def with_python(urls, options):
    """The same, by threads that each keep a connection."""
    waiting, latencies = queue.SimpleQueue(), []
    for url in urls:
        waiting.put(url)

    def fetch(connection, url):
        path = local_path(options.output, url)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        connection.request("GET", urlsplit(url).path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise http.client.HTTPException(f"status {answer.status}")
        with open(path, "wb") as file:
            while block := answer.read(1 << 17):
                file.write(block)

    def work():
        connection = http.client.HTTPConnection(urlsplit(urls[0]).netloc,
                                                timeout=options.timeout_ms / 1000)
        while True:
            try:
                url = waiting.get_nowait()
            except queue.Empty:
                break
            began = time.monotonic()
            try:
                fetch(connection, url)
                latencies.append((time.monotonic() - began) * 1e6)
            except (OSError, http.client.HTTPException) as error:
                print(f"{url}: {error}", file=sys.stderr)
                connection.close()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(options.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return latencies


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", action="store_true", help="print which client it is, and end")
    parser.add_argument("--urls")
    parser.add_argument("--output")
    parser.add_argument("--json")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--timeout-ms", type=int, default=300000)
    options = parser.parse_args()
    curl = curl_version()
    if options.name:
        print(curl or f"Python {platform.python_version()}")
        return 0
    with open(options.urls) as lines:
        urls = lines.read().splitlines()
    os.makedirs(options.output, exist_ok=True)

    began = time.monotonic()
    latencies = sorted((with_curl if curl else with_python)(urls, options))
    seconds = time.monotonic() - began
    whose = resource.RUSAGE_CHILDREN if curl else resource.RUSAGE_SELF
    unit = 1 if sys.platform == "darwin" else 1024
    sizes = [os.path.getsize(path) for path in (local_path(options.output, url) for url in urls)
             if os.path.exists(path)]
    figures = {"requests": len(urls), "failures": len(urls) - len(latencies), "bytes": sum(sizes),
               "seconds": seconds, "memory_peak_bytes": resource.getrusage(whose).ru_maxrss * unit}
    if latencies:
        figures["p50_us"] = latencies[(len(latencies) - 1) * 50 // 100]
        figures["p99_us"] = latencies[(len(latencies) - 1) * 99 // 100]
    with open(options.json, "w") as out:
        json.dump(figures, out)
    return 0 if len(latencies) == len(urls) else 1


if __name__ == "__main__":
    sys.exit(main())
