"""Random programs of tasks that share locks and their kin, and what asyncio makes of them.

    python3 tests/asyncio/sync_reference.py FIRST COUNT > programs.txt

As reference.py; tests/asyncio/sync_player.c plays these. A program is a line of words:

    program LOCKS SEMAPHORES VALUE... EVENTS QUEUES CAPACITY... PARTIES ACTORS ACTOR...

and an actor is the moment at which it is cancelled (0: never), the number of its steps, and for each
its word and two numbers: which lock or queue, and how long it is held or what is put. Each step
begins after a nap, so that actors ask one after the other: who is served first then is the same. One
thing is left out: asyncio wakes somebody else when a task that waits for a condition is cancelled.
"""

import asyncio
import random
import sys

from reference import LONG, VirtualLoop

# A program has the words of two of these, so that its actors meet.
THEMES = [
    ["lock"],
    ["semaphore", "semaphore", "release"],
    ["wait", "wait", "wait", "set", "clear"],
    ["put", "get"],
    ["meet"],
    ["condition", "condition", "notify"],
]


class Maker:
    """Makes one program."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.moments, self.items = set(), 0
        self.words = [word for theme in self.random.sample(THEMES, 2) for word in theme]

    def moment(self, limit):
        while True:
            coarse = self.random.randrange(1, limit)
            if coarse not in self.moments:
                self.moments.add(coarse)
                return 2000 * coarse + self.random.randrange(1000)

    def step(self, shared):
        word = self.random.choice(self.words)
        which = {"lock": shared["locks"], "semaphore": len(shared["values"]), "put": len(shared["capacities"])}
        which |= {"release": which["semaphore"], "get": which["put"]}
        which |= {"wait": shared["events"], "set": shared["events"], "clear": shared["events"]}
        number = 0
        if word in ("lock", "semaphore", "condition"):
            number = self.moment(100)
        elif word == "put":
            self.items += 1
            number = self.items
        elif word == "notify":
            number = self.random.randrange(1, 3)
        return [("nap", self.moment(200), 0), (word, self.random.randrange(which.get(word, 1)), number)]

    def actor(self, shared):
        steps = [step for _ in range(self.random.randrange(1, 6)) for step in self.step(shared)]
        waits = any(word == "condition" for word, _, _ in steps)
        cancelled = not waits and self.random.random() < 0.35
        return (self.moment(300) if cancelled else 0, steps)

    def program(self):
        shared = {
            "locks": self.random.randrange(1, 3),
            "values": [self.random.randrange(3) for _ in range(self.random.randrange(1, 3))],
            "events": 1,
            "capacities": [self.random.choice([0, 1, 2]) for _ in range(self.random.randrange(1, 3))],
            "parties": self.random.randrange(2, 4),
        }
        return shared, [self.actor(shared) for _ in range(self.random.randrange(2, 9))]


class Player:
    """Plays one program."""

    def __init__(self, loop, shared):
        self.loop, self.events = loop, []
        self.locks = [asyncio.Lock() for _ in range(shared["locks"])]
        self.semaphores = [asyncio.Semaphore(value) for value in shared["values"]]
        self.flags = [asyncio.Event() for _ in range(shared["events"])]
        self.queues = [asyncio.Queue(capacity) for capacity in shared["capacities"]]
        self.barrier, self.condition = asyncio.Barrier(shared["parties"]), asyncio.Condition()

    def note(self, number, place, outcome):
        self.events.append((round(self.loop.time()), number, place, outcome))

    async def hold(self, number, place, held, delay):
        async with held:
            self.note(number, place, 0)
            await asyncio.sleep(delay)

    async def wait_for_notice(self, number, place, delay):
        async with self.condition:
            self.note(number, place, "holds")
            await self.condition.wait()
            self.note(number, place, 0)
            await asyncio.sleep(delay)

    async def step(self, number, place, word, which, what):
        if word == "nap":
            await asyncio.sleep(which)
        elif word == "lock":
            await self.hold(number, place, self.locks[which], what)
        elif word == "semaphore":
            await self.hold(number, place, self.semaphores[which], what)
        elif word == "release":
            self.semaphores[which].release()
        elif word == "wait":
            await self.flags[which].wait()
        elif word == "set":
            self.flags[which].set()
        elif word == "clear":
            self.flags[which].clear()
        elif word == "put":
            await self.queues[which].put(what)
        elif word == "get":
            return await self.queues[which].get()
        elif word == "meet":
            await self.barrier.wait()
        elif word == "condition":
            await self.wait_for_notice(number, place, what)
        else:
            async with self.condition:
                self.condition.notify(what)
        return 0

    async def act(self, number, steps):
        for place, step in enumerate(steps):
            try:
                self.note(number, place, await self.step(number, place, *step))
            except asyncio.CancelledError:
                self.note(number, place, "cancelled")
                raise

    async def play(self, actors):
        tasks = []
        for number, (cancelled, steps) in enumerate(actors):
            tasks.append(asyncio.ensure_future(self.act(number, steps)))
            if cancelled:
                self.loop.call_later(cancelled, tasks[-1].cancel)
        await asyncio.sleep(LONG)
        seen = sorted(self.events, key=str)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return seen


async def play(loop, shared, actors):
    return await Player(loop, shared).play(actors)


def main(first, count):
    for seed in range(first, first + count):
        shared, actors = Maker(seed).program()
        words = ["program", shared["locks"], len(shared["values"]), *shared["values"], shared["events"]]
        words += [len(shared["capacities"]), *shared["capacities"], shared["parties"], len(actors)]
        for cancelled, steps in actors:
            words += [cancelled, len(steps), *(word for step in steps for word in step)]
        print(*words)
        loop = VirtualLoop()
        loop.set_exception_handler(lambda *_: None)
        for event in loop.run_until_complete(play(loop, shared, actors)):
            print("event", *event)
        loop.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
