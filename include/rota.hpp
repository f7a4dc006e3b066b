// rota.hpp: rota for C++20, on top of rota.h. Header-only, needs the standard
// library alone; everything of rota.h may be used beside it.
//
//     #include <rota.hpp>
//
//     rota::task<void> echo(rota::stream conn) {
//         std::array<char, 4096> buf;
//         while (auto n = co_await conn.read(buf)) co_await conn.write(buf, n);
//     }
//
//     int main() {
//         rota::loop loop;
//         loop.run_until([&]() -> rota::task<void> {
//             rota::listener listener(loop, "127.0.0.1", 7777);
//             for (;;) rota::spawn(echo(co_await listener.accept())).detach();
//         });
//     }
//
// A coroutine rota::task<T> awaits *operations* (rota::future<T>), tasks that
// run (rota::join_handle<T>), and other coroutines, which then run inside the
// same task of the loop. It is a stepped task of rota.h: the same scheduler,
// the same rules of life and death, the same order of things.
//
//   error.hpp     statuses as std::error_code, as exceptions, as results
//   task.hpp      coroutines
//   future.hpp    operations, promises, what a coroutine may do with itself
//   spawn.hpp     tasks that run, and joining them
//   callback.hpp  where the lambda of a callback lives
//   loop.hpp      the loop
//   stream.hpp    connections, listeners, names
//   scope.hpp     timeouts, shields, groups
//   sync.hpp      locks, semaphores, events, conditions, queues, barriers
//   share.hpp     values made once, channels between threads, tokens
//   choose.hpp    races, and sets of operations
//   handle.hpp    handles that close themselves, buffers
//
// WHAT IS ALLOCATED: a coroutine's frame (by the compiler, with operator new);
// a root for each task that is spawned; a block for a callback whose lambda is
// more than a pointer; the text of an exception; the value of a once<T>. An
// await allocates nothing.
//
// CANCELLING arrives as the exception rota::cancelled where the coroutine
// waits. No co_await stands in a catch block or a destructor: where cleaning
// up has to wait, `co_await rota::as_result(...)` and look.

//
// g++ 12 destroys twice what is initialised like an aggregate inside a co_await
// expression and is more than plain data: above all a lambda that captures a
// string or a pointer that counts. Give such a lambda a name, or spawn it, in a
// statement before; capturing by reference is fine, and so are other compilers.

#ifndef ROTA_HPP
#define ROTA_HPP

#include "rota/choose.hpp"
#include "rota/error.hpp"
#include "rota/future.hpp"
#include "rota/handle.hpp"
#include "rota/loop.hpp"
#include "rota/scope.hpp"
#include "rota/share.hpp"
#include "rota/spawn.hpp"
#include "rota/stream.hpp"
#include "rota/sync.hpp"
#include "rota/task.hpp"

#endif  // ROTA_HPP
