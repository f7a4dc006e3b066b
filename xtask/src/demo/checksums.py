"""The SHA-256 of files: checksums.py FOLDER LIST

LIST holds URL paths, one a line, of files below FOLDER. Prints `checksum  size  path` for each
that is there.
"""
import hashlib
import sys
from urllib.parse import unquote


def main(folder, listed):
    with open(listed) as lines:
        paths = lines.read().splitlines()
    for path in paths:
        digest, size = hashlib.sha256(), 0
        try:
            with open(folder + unquote(path), "rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
                    size += len(block)
        except FileNotFoundError:
            continue
        print(digest.hexdigest(), size, path, sep="  ")


main(*sys.argv[1:])
