"""Random programs of tasks, and what asyncio makes of them.

    python3 tests/asyncio/reference.py FIRST COUNT > programs.txt

For each seed a line "program ..." is written, and a line "event ..." for everything that its tasks
saw: when (on a virtual clock), which task, at which wait, with what outcome. tests/asyncio/player.c
plays the same programs with rota, tests/asyncio.rs compares.

A program is a tree of awaitables in prefix notation, behind its promises and what happens to them:

    sleep NS | promise I | within NS X | shield X | gather N X... | all N X...
    task ID MANNER CLEANUP SCOPES NS... MEMBERS TASK... X     (MEMBERS is -1 for no group)

A task waits for X within its scopes and its group. MANNER is what it does when it is cancelled: give
up, clean up first, answer with its number, fail, or clean up and answer. All moments of a program
differ, so that what happens at once need not happen in the same order. Left out are programs in
which a task is asked twice before it was told once: asyncio merges such requests, rota delivers both.
"""

import asyncio
import random
import selectors
import sys

GIVES_UP, CLEANS_UP, ANSWERS, FAILS, CLEANS_UP_AND_ANSWERS = range(5)
LONG = 10_000_000  # after this all is over


class Failure(Exception):
    """The failure of a promise, or of a task that answers a request so."""


# ---- a virtual clock


class Jump(selectors.SelectSelector):
    """Waits for nothing: the clock jumps to the next timer."""

    def select(self, timeout=None):
        if timeout is None or timeout > 0:
            self.loop.moment = self.loop.next_timer()
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while nothing is ready."""

    def __init__(self):
        self.moment = 0
        selector = Jump()
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = 1e-3
        self.set_task_factory(lambda loop, body, **more: Counted(body, loop=loop, **more))

    def time(self):
        return self.moment

    def next_timer(self):
        return self._scheduled[0]._when


class Counted(asyncio.Task):
    """Knows whether it was asked to end again before it was told."""

    asked = 0
    twice = False

    def cancel(self, msg=None):
        if not super().cancel(msg):
            return False
        self.asked += 1
        Counted.twice |= self.asked > 1
        return True

    def uncancel(self):
        self.asked = max(self.asked - 1, 0)
        return super().uncancel()


# ---- rota's combinations, on asyncio's futures


class Gather(asyncio.Future):
    """As asyncio.gather(); but cancelled it waits for all, and the first failure among them wins."""

    def __init__(self, inner, counts):
        super().__init__()
        self.inner = [asyncio.ensure_future(one) for one in inner]
        self.counts, self.left, self.failures = counts, len(self.inner), []
        self.is_asked = False
        for one in self.inner:
            one.add_done_callback(self.one_is_done)

    def cancel(self, msg=None):
        if self.done():
            return False
        passed_on = [one.cancel() for one in self.inner]
        self.is_asked |= any(passed_on)
        return any(passed_on)

    def one_is_done(self, one):
        self.left -= 1
        if one.cancelled():
            self.failures.append(None)
        elif one.exception() is not None:
            self.failures.append(one.exception())
        early = bool(self.failures) and not self.counts and not self.is_asked
        if not self.done() and (self.left == 0 or early):
            self.end()

    def end(self):
        errors = [failure for failure in self.failures if failure is not None]
        if self.counts and not self.is_asked:
            self.set_result(len(self.failures))
        elif self.counts or self.is_asked and not errors:
            super().cancel()
        elif self.failures:
            first = errors[0] if self.is_asked else self.failures[0]
            self.set_exception(first or asyncio.CancelledError())
        else:
            self.set_result(0)


async def sleep(delay):
    await asyncio.sleep(delay)
    return 0


async def within(timeout, inner):
    async with asyncio.timeout(timeout):
        return await inner


# ---- playing


class Player:
    """Plays one program."""

    def __init__(self, loop):
        self.loop, self.promises, self.events = loop, [], []

    def note(self, number, where, outcome):
        self.events.append((round(self.loop.time()), number, where, outcome))
        task = asyncio.current_task()
        if task is not None:
            task.asked = 0

    def build(self, tree):
        kind, *rest = tree
        if kind == "sleep":
            return sleep(rest[0])
        if kind == "promise":
            return self.promises[rest[0]]
        if kind == "task":
            return asyncio.ensure_future(self.task(*rest))
        if kind == "within":
            return within(rest[0], asyncio.ensure_future(self.build(rest[1])))
        if kind == "shield":
            return asyncio.shield(self.build(rest[0]))
        return Gather([self.build(one) for one in rest[0]], kind == "all")

    async def work(self, scopes, members, tree):
        if scopes:
            async with asyncio.timeout(scopes[0]):
                return await self.work(scopes[1:], members, tree)
        if members is None:
            return await self.build(tree)
        async with asyncio.TaskGroup() as group:
            for member in members:
                group.create_task(self.task(*member[1:]))
            return await self.build(tree)

    async def task(self, number, manner, cleanup, scopes, members, tree):
        try:
            result = await self.work(scopes, members, tree)
            self.note(number, "await", result)
            return result
        except asyncio.CancelledError:
            self.note(number, "await", "cancelled")
        except BaseException as error:
            self.note(number, "await", name_of(error))
            raise
        if manner in (CLEANS_UP, CLEANS_UP_AND_ANSWERS):
            try:
                await asyncio.sleep(cleanup)
                self.note(number, "cleanup", 0)
            except asyncio.CancelledError:
                self.note(number, "cleanup", "cancelled")
        if manner == FAILS:
            raise Failure
        if manner in (ANSWERS, CLEANS_UP_AND_ANSWERS):
            return number
        raise asyncio.CancelledError

    def happen(self, what, index):
        if what == "cancel":
            self.root.cancel()
        elif not self.promises[index].done() and what == "complete":
            self.promises[index].set_result(7)
        elif not self.promises[index].done():
            self.promises[index].set_exception(Failure())

    async def play(self, promises, happenings, tree):
        self.promises = [self.loop.create_future() for _ in range(promises)]
        for what, index, moment in happenings:
            self.loop.call_later(moment, self.happen, what, index)
        self.root = asyncio.ensure_future(self.task(0, GIVES_UP, 0, [], None, tree))
        await asyncio.sleep(LONG)


def name_of(error):
    if isinstance(error, Failure):
        return "failed"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, BaseExceptionGroup):
        return "group"
    return repr(error)


def play(program):
    """What the tasks of a program saw; None if it is one of those that are left out."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda *_: None)
    Counted.twice = False
    player = Player(loop)
    loop.run_until_complete(player.play(*program))
    loop.close()
    return None if Counted.twice else sorted(player.events, key=str)


# ---- making programs


class Maker:
    """Makes one program."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tasks, self.promises, self.moments = 0, 0, set()
        self.with_groups = self.random.random() < 0.5
        # In a group's body a request that was answered with a value is still due at its end.
        answers = [] if self.with_groups else [ANSWERS, CLEANS_UP_AND_ANSWERS]
        self.manners = [GIVES_UP, GIVES_UP, CLEANS_UP, FAILS] + answers

    def moment(self, limit):
        while True:
            coarse = self.random.randrange(1, limit)
            if coarse not in self.moments:
                self.moments.add(coarse)
                return 2000 * coarse + self.random.randrange(1000)

    def task(self, depth):
        self.tasks += 1
        number, depth = self.tasks, max(depth, 0)
        scopes = [self.moment(300) for _ in range(self.random.choice([0, 0, 0, 1, 1, 2]))]
        members = None
        if self.with_groups and depth > 0 and self.random.random() < 0.5:
            members = [self.task(depth - 1) for _ in range(self.random.randrange(1, 4))]
        manner, cleanup = self.random.choice(self.manners), self.moment(120)
        return ("task", number, manner, cleanup, scopes, members, self.tree(depth - 1))

    def tree(self, depth):
        kinds = ["sleep", "promise"]
        if depth > 0:
            kinds += ["task"] * 4 + ["within"] * 3 + ["shield", "gather", "all"] * 2
        kind = self.random.choice(kinds)
        if kind == "sleep":
            return (kind, self.moment(400))
        if kind == "promise":
            self.promises += 1
            return (kind, self.promises - 1)
        if kind == "task":
            return self.task(depth - 1)
        if kind == "within":
            return (kind, self.moment(300), self.tree(depth - 1))
        if kind == "shield":
            return (kind, self.tree(depth - 1))
        return (kind, [self.tree(depth - 1) for _ in range(self.random.randrange(1, 4))])

    def program(self):
        tree = self.tree(self.random.randrange(2, 6))
        happenings = [("cancel", 0, self.moment(300)) for _ in range(self.random.choice([0, 1, 1]))]
        for index in range(self.promises):
            what = self.random.choice(["complete", "complete", "fail"])
            happenings.append((what, index, self.moment(500)))
        return self.promises, happenings, tree


def words(tree):
    """A tree in prefix notation."""
    if isinstance(tree, (list, tuple)) and tree and isinstance(tree[0], str):
        if tree[0] == "task":
            _, number, manner, cleanup, scopes, members, inner = tree
            yield from ("task", number, manner, cleanup, len(scopes), *scopes)
            yield -1 if members is None else len(members)
            for member in members or []:
                yield from words(member)
            yield from words(inner)
            return
        for part in tree:
            yield from words(part)
    elif isinstance(tree, list):
        yield len(tree)
        for part in tree:
            yield from words(part)
    else:
        yield tree


def main(first, count):
    for seed in range(first, first + count):
        program = Maker(seed).program()
        events = play(program)
        if events is None:
            continue
        promises, happenings, tree = program
        happened = " ".join(" ".join(map(str, each)) for each in happenings)
        line = f"program {promises} {len(happenings)} {happened} {' '.join(map(str, words(tree)))}"
        print(" ".join(line.split()))
        for event in events:
            print("event", *event)


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit("asyncio has groups and timeouts from Python 3.11 on")
    main(int(sys.argv[1]), int(sys.argv[2]))
