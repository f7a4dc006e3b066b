"""Runs the built examples as programs and checks what they do, from outside.

    python3 tests/examples.py --bin DIR [--wrap "valgrind -q"] [unittest's own arguments]

DIR holds the binaries that c_examples/CMakeLists.txt builds. Needs Python's standard library only;
what curl can check is skipped where there is no curl.
"""
import argparse
import os
import shlex
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "examples"))
sys.dont_write_bytecode = True

import support  # noqa: E402  (the folder above must be in the path first)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, help="the folder with the built examples")
    parser.add_argument("--wrap", default="", help="a command to run each example under")
    options, rest = parser.parse_known_args()
    support.configure(options.bin, shlex.split(options.wrap))

    modules = ["small_cases", "server_files_cases", "server_protocol_cases",
               "server_clients_cases", "fetch_cases"]
    program = unittest.main(module=None, argv=[sys.argv[0], *(rest or modules)], exit=False)
    sys.exit(count(program.result))


def count(result):
    """Says what came of it, in the words that `cargo xtask` counts by; the exit code."""
    for test, reason in result.skipped:
        print(f"SKIPPED {test.id()}: {reason}")
    # A test of several parts fails once, however many of them do.
    failed = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
    passed = result.testsRun - len(result.skipped) - len(failed)
    print(f"test result: {passed} passed, {len(failed)} failed")
    return 0 if result.wasSuccessful() and passed > 0 else 1


if __name__ == "__main__":
    main()
