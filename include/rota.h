// rota: asyncio for C.
//
// Generated from src/ffi by `cargo xtask header`: do not edit.
//
// THE MODEL
//
// A *loop* belongs to the thread that opened it and runs callbacks and tasks
// there, one at a time. Everything that takes time is a function that returns
// a *future*. A *task* is a function that may wait for futures: on a stack of
// its own (rota_loop_spawn, rota_await), or as steps that are called again
// (rota_loop_spawn_stepped, rota_task_wait). A callback waits for the same
// futures (rota_future_then).
//
// One turn of the loop: it waits for the system, until the next timer at most
// and not at all if something is ready; queues what became ready; queues the
// timers that are due, by deadline and then by age; and runs the callbacks
// that stood in the queue at that moment. What they schedule runs in the next
// turn.
//
// RULES OF LIFE AND DEATH
//
//  1. Handles are numbers in a struct, passed by value. All zero is null;
//     closing null succeeds and does nothing. A handle of something that has
//     ended is answered with ROTA_ERR_HANDLE: nothing can dangle. A language
//     that cannot pass structs may declare a handle parameter as uint64_t.
//  2. A function that returns a rota_status returns 0, or a negative value
//     that changed nothing. Out-parameters are written on success only.
//  3. An operation returns its future even when it cannot start: the future
//     has then failed already. Its outcome in short form is the value, at or
//     above zero, or the negative status.
//  4. Waiting is a claim. A future's handle ends when it is complete and its
//     last claim is answered; rota_future_keep holds it until it is closed.
//     An object in a future (a stream, say) belongs to it until it is taken.
//  5. If the call that takes a callback fails, the callback never comes. If it
//     succeeds, a one-shot callback comes exactly once, for success, failure
//     or cancellation, on the loop's thread, never inside that call.
//  6. In a callback or a task everything is allowed but running or closing
//     the same loop (ROTA_ERR_REENTRANT). In a hook (allocator, clock, log)
//     nothing of rota is.
//  7. Inputs are read during the call and copied if kept. The exceptions,
//     read and write, borrow the buffer until their future has ended.
//  8. Cancelling is a request. It arrives as ROTA_ERR_CANCELLED where the task
//     waits; the task may clean up with further awaits, and may refuse.
//  9. ROTA_OK from closing means: nothing of ours touches yours any more, and
//     no callback of it comes. Until then it is ROTA_ERR_BUSY: ask again.
// 10. Calls belong to the loop's thread and answer ROTA_ERR_THREAD elsewhere,
//     but for those marked *Thread-safe*.
// 11. A panic inside the library is ROTA_ERR_PANIC, and poisons that loop
//     alone.
// 12. Options are structs that begin with their size, prepared by their init
//     function. Zero is every default, NULL means all defaults.
//
// What each status means stands at its name in rota_status; rota_strerror
// says it at run time, and rota_os_error has the system's number.
//
// A PROGRAM
//
//     #include <rota.h>
//     #include <stdio.h>
//
//     static int64_t greet(rota_task task, void *loop) {
//         (void)task;
//         rota_await(rota_loop_sleep(*(rota_loop *)loop, 1000000));
//         return printf("hello, a millisecond later\n");
//     }
//
//     int main(void) {
//         rota_loop loop;
//         rota_task task;
//         if (rota_loop_open(NULL, &loop) < 0) return 1;
//         rota_loop_spawn(loop, greet, &loop, NULL, &task);
//         int64_t result = rota_loop_run_until(loop, rota_task_join(task));
//         return rota_loop_close(loop, ROTA_FOREVER) < 0 || result < 0;
//     }

#ifndef ROTA_H
#define ROTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The version of this header as 0x00MMmmpp; rota_version() is the library's.
#define ROTA_VERSION 0x00000100
#define ROTA_VERSION_MAJOR 0
#define ROTA_VERSION_MINOR 1
#define ROTA_VERSION_PATCH 0

/// Either family.
#define ROTA_FAMILY_ANY 0

/// IPv4.
#define ROTA_FAMILY_IPV4 4

/// IPv6.
#define ROTA_FAMILY_IPV6 6

/// Where statuses of the host's own start; they go down from here.
#define ROTA_STATUS_HOST (-1000000)

/// The outcome of a call: ROTA_OK, or what went wrong. Values never change.
typedef enum {
    /// It worked.
    ROTA_OK = 0,
    /// An argument is NULL, out of its range, or has unknown bits.
    ROTA_ERR_INVALID = -1,
    /// The handle is null, forged, of another kind, or what it named has ended.
    ROTA_ERR_HANDLE = -2,
    /// Called from a thread that is not the loop's.
    ROTA_ERR_THREAD = -3,
    /// Cancelled before it was complete.
    ROTA_ERR_CANCELLED = -4,
    /// Not allowed here: running or closing a loop from inside itself, or
    /// anything at all inside a hook.
    ROTA_ERR_REENTRANT = -5,
    /// Not ended yet, or in use; it will end by itself, and may be asked again.
    ROTA_ERR_BUSY = -6,
    /// There is no memory, or the loop's memory limit is reached.
    ROTA_ERR_MEMORY = -7,
    /// The library failed inside this loop, which is poisoned: only closing it
    /// or abandoning it works.
    ROTA_ERR_PANIC = -8,
    /// The outcome is not there yet.
    ROTA_ERR_PENDING = -9,
    /// It is complete already.
    ROTA_ERR_DONE = -10,
    /// Only a task may do this, and no such task is the innermost thing
    /// running.
    ROTA_ERR_NO_TASK = -11,
    /// The loop was stopped before what was waited for was complete.
    ROTA_ERR_STOPPED = -12,
    /// The time given for it ran out.
    ROTA_ERR_TIMEOUT = -13,
    /// A limit was reached: of objects, of loops, or the size given.
    ROTA_ERR_LIMIT = -14,
    /// Not possible with these options, or on this system.
    ROTA_ERR_UNSUPPORTED = -15,
    /// It needs a thread, and the host forbade threads.
    ROTA_ERR_NO_THREADS = -16,
    /// The loop is closing and takes no new work.
    ROTA_ERR_CLOSING = -17,
    /// Another error of the system; the outcome or rota_os_error() has its
    /// number.
    ROTA_ERR_OS = -20,
    /// The peer ended the stream before all that was asked for had come.
    ROTA_ERR_EOF = -21,
    /// The peer reset the connection.
    ROTA_ERR_RESET = -22,
    /// The peer no longer reads.
    ROTA_ERR_BROKEN_PIPE = -23,
    /// Nobody listens at that address.
    ROTA_ERR_REFUSED = -24,
    /// No way leads to that address.
    ROTA_ERR_UNREACHABLE = -25,
    /// The address is in use already.
    ROTA_ERR_ADDRESS_IN_USE = -26,
    /// Not an address, or not one of this machine.
    ROTA_ERR_ADDRESS = -27,
    /// No host or service of that name exists.
    ROTA_ERR_NOT_FOUND = -28,
    /// The name service failed; trying again may help.
    ROTA_ERR_RESOLVE = -29,
    /// The process or the system has no descriptors left.
    ROTA_ERR_DESCRIPTORS = -30,
    /// The system does not permit it.
    ROTA_ERR_ACCESS = -31,
    /// The socket is not connected.
    ROTA_ERR_NOT_CONNECTED = -32,
    /// The stream was shut down for writing.
    ROTA_ERR_SHUT = -33,
} rota_status;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/// The library's version as 0x00MMmmpp: major, minor, patch. Thread-safe.
uint32_t rota_version(void);

/// The library's version as text, "1.2.3". Static. Thread-safe.
const char *rota_version_text(void);

/// A short English phrase for a status. Static, never NULL. Thread-safe.
const char *rota_strerror(int32_t status);

/// The name of a status, such as "ROTA_ERR_EOF"; "?" for a number that is
/// none. Static, never NULL. Thread-safe.
const char *rota_status_name(int32_t status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ROTA_H */
