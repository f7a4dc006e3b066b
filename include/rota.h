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
//     that changed nothing; but ROTA_ERR_BUSY from closing means that the end
//     has begun. Out-parameters are written on success only.
//  3. An operation returns its future even when it cannot start: the future
//     has then failed already. Its outcome in short form is the value, at or
//     above zero, or the negative status. Where that is known at once, the
//     handle itself may carry it: a value, which belongs to no thread and
//     needs no closing.
//  4. Waiting is a claim. A future's handle ends when it is complete and its
//     last claim is answered; rota_future_keep holds it until it is closed.
//     A future that nobody waits for is yours to close. An object in a future
//     (a stream, say) belongs to it until it is taken.
//  5. If the call that takes a callback fails, the callback never comes. If it
//     succeeds, a one-shot callback comes exactly once, for success, failure
//     or cancellation, on the loop's thread, never inside that call. The
//     exceptions: rota_owner_cancel() drops callbacks instead, and those of a
//     loop that is abandoned or poisoned do not come.
//  6. In a callback or a task everything is allowed but running or closing
//     the same loop (ROTA_ERR_REENTRANT). In a hook (allocator, clock, log,
//     executor, tasks) nothing of rota is.
//  7. Inputs are read during the call and copied if kept. The exceptions,
//     read and write, borrow the buffer until their future has ended.
//  8. Cancelling is a request. It arrives as ROTA_ERR_CANCELLED where the task
//     waits; the task may clean up with further awaits, and may refuse. A
//     scope asks for a stretch of a task's work, a group for all its members.
//     The end of a task waits for the groups that it owns.
//  9. ROTA_OK from closing means: nothing of ours touches yours any more, and
//     no callback of it comes. Until then it is ROTA_ERR_BUSY: a future ends
//     by itself then, a loop is closed again.
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

/// The system's monotonic clock.
#define ROTA_CLOCK_SYSTEM 0

/// A clock that moves only by rota_loop_advance().
#define ROTA_CLOCK_VIRTUAL 1

/// As ROTA_CLOCK_VIRTUAL, and it jumps to the next deadline when nothing else
/// is ready.
#define ROTA_CLOCK_VIRTUAL_JUMP 2

/// The host's clock hook.
#define ROTA_CLOCK_HOST 3

/// Readiness: whatever mio uses on this system.
#define ROTA_DRIVER_SELECTOR 0

/// Levels of the log hook.
#define ROTA_LOG_ERROR 1

/// Something that ought to be looked at, and was survived.
#define ROTA_LOG_WARNING 2

/// Something worth knowing.
#define ROTA_LOG_INFO 3

/// Details, in debug mode only.
#define ROTA_LOG_DEBUG 4

/// What a stepped body returns in order to wait: what rota_task_wait() gave it.
#define ROTA_STEP_WAIT INT64_MIN

/// No deadline, no limit.
#define ROTA_FOREVER UINT64_MAX

/// The task was made.
#define ROTA_TASK_SPAWNED 1

/// Its body begins or goes on. An eager task is resumed inside its spawner.
#define ROTA_TASK_RESUMED 2

/// Its body waits, or was made to yield.
#define ROTA_TASK_PAUSED 3

/// Its body has returned.
#define ROTA_TASK_ENDED 4

/// It stands in the ready queue.
#define ROTA_TASK_STATE_QUEUED 1

/// Its body runs, or has something else run inside it.
#define ROTA_TASK_STATE_RUNNING 2

/// It waits for a future.
#define ROTA_TASK_STATE_WAITING 3

/// Its body has returned, and nobody has joined it yet.
#define ROTA_TASK_STATE_ENDED 4

/// Its body has returned, and it ends when the groups that it owns are empty.
#define ROTA_TASK_STATE_LEAVING 5

/// Debug mode: reports callbacks that ran too long, and says more in the log.
#define ROTA_LOOP_DEBUG 1

/// The loop makes no thread; what needs one answers ROTA_ERR_NO_THREADS, unless
/// the host brings an executor.
#define ROTA_LOOP_NO_THREADS 2

/// A gather cancels the others when one has failed, and is done when they have
/// ended.
#define ROTA_GATHER_CANCEL_REST 1

/// A gather waits for all, whatever they come to, and counts those that failed.
#define ROTA_GATHER_ALL 2

/// Wait until all are done.
#define ROTA_WAIT_ALL 0

/// Wait until one is done.
#define ROTA_WAIT_FIRST 1

/// Wait until one has failed, or all are done.
#define ROTA_WAIT_FIRST_ERROR 2

/// A race is won by the first that does well; if all fail, it fails as the
/// first that did.
#define ROTA_RACE_SUCCESS 1

/// Starts the body at once, inside the call that spawns it, up to its first
/// wait; the handle is written first. Its end is queued like any other. Eager
/// tasks that spawn eager tasks nest 16 deep, the next one starts in the next
/// turn.
#define ROTA_TASK_EAGER 1

/// A scope's shield: requests to end that are made to the task itself, or by
/// scopes further out, wait until this one is left. Its own arrive, and those
/// of scopes inside it.
#define ROTA_SCOPE_SHIELD 1

/// Once the scope has been cancelled or has timed out, every operation that
/// starts in it and every wait is answered ROTA_ERR_CANCELLED, until it is
/// left; those in a shield inside it are spared.
#define ROTA_SCOPE_PERSISTENT 2

/// The scope has not fired.
#define ROTA_SCOPE_OPEN 0

/// Its deadline has passed.
#define ROTA_SCOPE_TIMED_OUT 1

/// It was cancelled.
#define ROTA_SCOPE_CANCELLED 2

/// A member's failure cancels nobody: the others go on.
#define ROTA_GROUP_KEEP_GOING 1

/// No task owns the group, also if a task opens it.
#define ROTA_GROUP_FREE 2

/// Several listeners may share the port, and the system spreads connections
/// over them.
#define ROTA_LISTEN_REUSE_PORT 1

/// An IPv6 listener leaves IPv4 alone, also where it listens at every address.
#define ROTA_LISTEN_IPV6_ONLY 2

/// The value that a semaphore starts with is also the most it may have.
#define ROTA_SEMAPHORE_BOUNDED 1

/// Setting the event lets one waiter go and clears it again.
#define ROTA_EVENT_AUTO_RESET 1

/// The oldest item comes out first.
#define ROTA_QUEUE_FIFO 0

/// The newest item comes out first.
#define ROTA_QUEUE_LIFO 1

/// The item with the smallest priority comes out first, the oldest of equals.
#define ROTA_QUEUE_PRIORITY 2

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
    /// What was asked for is not there: no host or service of that name, no
    /// value under that key.
    ROTA_ERR_NOT_FOUND = -28,
    /// The name service failed; trying again may help.
    ROTA_ERR_RESOLVE = -29,
    /// The process or the system has no descriptors left.
    ROTA_ERR_DESCRIPTORS = -30,
    /// The system does not permit it.
    ROTA_ERR_ACCESS = -31,
    /// The socket is not connected.
    ROTA_ERR_NOT_CONNECTED = -32,
    /// The stream was shut down for writing, or the queue was shut down.
    ROTA_ERR_SHUT = -33,
    /// A task ended by an exception of its language (C++, say), which whoever
    /// joins it in that language gets.
    ROTA_ERR_EXCEPTION = -40,
} rota_status;

/// Hook: the time in nanoseconds since any fixed moment. It should not go back;
/// if it does, the loop goes on as if it stood still.
typedef uint64_t (*rota_clock_fn)(void *user_data);

/// Hook: a line for the host's log. `level` is one of ROTA_LOG_..., `message`
/// lives for the call.
typedef void (*rota_log_fn)(int32_t level, const char *message,
    void *user_data);

/// What a host's executor runs: call it once, with its `job`, on any thread but
/// the loop's.
typedef void (*rota_work_fn)(void *job);

/// Hook: the host's executor takes a job and returns 0, or a negative number to
/// refuse it. What it takes it must run: `work(job)`, once, on any other
/// thread.
typedef int32_t (*rota_executor_fn)(rota_work_fn work, void *job,
    void *user_data);

/// Hook: a new block of `size` bytes at a multiple of `align`, or NULL.
typedef void *(*rota_alloc_fn)(size_t size, size_t align, void *user_data);

/// Hook: `block` moved to a block of `new_size` bytes, or NULL and the old one
/// stays as it is.
typedef void *(*rota_realloc_fn)(void *block, size_t old_size, size_t new_size,
    size_t align, void *user_data);

/// Hook: takes back a block.
typedef void (*rota_dealloc_fn)(void *block, size_t size, size_t align,
    void *user_data);

/// The host's allocator, for everything that belongs to a loop. All of it zero
/// means the system's; otherwise all three functions are needed. They are
/// called on the loop's thread only.
typedef struct {
    /// Gives a block.
    rota_alloc_fn alloc;
    /// Resizes a block.
    rota_realloc_fn realloc;
    /// Takes a block back; named so because `free` is a macro to some hosts.
    rota_dealloc_fn dealloc;
    /// Handed to all three.
    void *user_data;
} rota_allocator;

/// A task: a coroutine that the loop drives.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_task;

/// Hook: something happened to a task. `event` is one of ROTA_TASK_SPAWNED,
/// ROTA_TASK_RESUMED, ROTA_TASK_PAUSED and ROTA_TASK_ENDED.
typedef void (*rota_task_hook_fn)(rota_task task, uint32_t event,
    void *user_data);

/// How to open a loop. Prepare it with rota_loop_options_init(); zero is every
/// default. The struct is copied; hooks and their data are in use until the
/// loop is closed.
typedef struct {
    /// The size of this struct, set by the init function.
    size_t size;
    /// ROTA_LOOP_... bits.
    uint32_t flags;
    /// ROTA_DRIVER_...
    uint32_t driver;
    /// ROTA_CLOCK_...
    uint32_t clock;
    /// Threads for blocking calls at most; 0 means 8, 1024 is the most.
    uint32_t max_threads;
    /// Hook: the host's clock, with ROTA_CLOCK_HOST.
    rota_clock_fn clock_hook;
    /// Handed to it.
    void *clock_data;
    /// Hook: the host's log.
    rota_log_fn log;
    /// Handed to it.
    void *log_data;
    /// Hook: the host's threads, used instead of the loop's own.
    rota_executor_fn executor;
    /// Handed to it.
    void *executor_data;
    /// Hooks: the host's allocator.
    rota_allocator allocator;
    /// The most bytes that the loop's own containers may take; 0 is no limit.
    uint64_t memory_limit;
    /// What debug mode calls too long; 0 means 100 ms.
    uint64_t slow_callback_ns;
    /// The stack of a task that names no size, in bytes of address space, of
    /// which only touched pages take memory; 0 means 256 KiB, and powers of two
    /// are given.
    size_t stack_size;
    /// Stacks kept for reuse; 0 means 1024. Those that nobody needs for a while
    /// keep 16 KiB of memory each.
    uint32_t stacks_kept;
    /// Zero.
    uint32_t reserved;
    /// Hook: is told when a task is spawned, resumed, paused and ended.
    rota_task_hook_fn task_hook;
    /// Handed to it.
    void *task_hook_data;
} rota_loop_options;

/// An event loop. It belongs to the thread that opened it.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_loop;

/// What an operation will come to.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_future;

/// What a turn did.
typedef struct {
    /// The size of this struct, set by you.
    size_t size;
    /// Callbacks and steps of tasks that ran.
    uint64_t callbacks;
    /// How many are ready and wait for the next turn.
    uint64_t left;
    /// How long the longest took; measured when a limit was given or in debug
    /// mode, else 0.
    uint64_t longest_ns;
    /// When a turn is needed at the latest, as rota_loop_get_next_deadline()
    /// says it.
    uint64_t next_deadline_ns;
    /// 1 if a limit cut the turn short: the next call resumes it.
    uint32_t cut;
    /// Zero.
    uint32_t reserved;
    /// How many stand in the queue of completions.
    uint64_t completions;
} rota_turn_figures;

/// A callback queued with rota_loop_call_soon() or rota_loop_post(). `status`
/// is ROTA_OK, or ROTA_ERR_CANCELLED when it was cancelled or the loop closes.
typedef void (*rota_call_fn)(rota_loop loop, rota_status status,
    void *user_data);

/// What a loop has done, has, and takes.
typedef struct {
    /// The size of this struct, set by you.
    size_t size;
    /// Turns since the loop was opened.
    uint64_t turns;
    /// Callbacks and steps of tasks.
    uint64_t callbacks;
    /// Times the system was asked.
    uint64_t polls;
    /// Times the system was asked and had something.
    uint64_t wakeups;
    /// Ready to run, now.
    uint64_t ready;
    /// Armed timers and sleeps, now.
    uint64_t timers;
    /// Futures with a slot, now.
    uint64_t futures;
    /// Tasks that have not ended or have not been joined, now.
    uint64_t tasks;
    /// Listeners, now.
    uint64_t listeners;
    /// Streams, now; also those that still send after they were closed.
    uint64_t streams;
    /// Blocking calls, now.
    uint64_t jobs;
    /// Bytes that the loop's containers take, now.
    uint64_t memory_bytes;
    /// Bytes that they took at most.
    uint64_t memory_peak_bytes;
    /// Stacks in use, now.
    uint64_t stacks;
    /// Stacks kept for reuse, now.
    uint64_t stacks_kept;
    /// Completions that you have not fetched, now.
    uint64_t completions;
    /// Address space mapped for stacks, now; memory is taken by touched pages
    /// only.
    uint64_t stacks_mapped_bytes;
    /// The most that a task that has ended used of its stack, as far as debug
    /// mode saw; otherwise 0.
    uint64_t stack_peak_bytes;
} rota_loop_stats;

/// A callback that stands in the queue of a loop.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_call;

/// An armed timer; it ends when its callback has come and returned.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_timer;

/// A timer's callback. `status` is ROTA_OK when it fired, ROTA_ERR_CANCELLED
/// when it was cancelled or the loop closes.
typedef void (*rota_timer_fn)(rota_timer timer, rota_status status,
    void *user_data);

/// Lets go of what a `user_data` or a result points to. Called exactly once.
typedef void (*rota_free_fn)(void *user_data);

/// A future's callback. `result` is the short form of the outcome: the value,
/// at or above zero, or the negative status. rota_future_get_outcome() has the
/// full one until the callback returns.
typedef void (*rota_future_fn)(rota_future future, int64_t result,
    void *user_data);

/// What an operation came to.
typedef struct {
    /// A rota_status, or one of the host's own at or below ROTA_STATUS_HOST.
    int32_t status;
    /// The system's error number (errno), or 0.
    int32_t os_error;
    /// The result: a count or a number at or above zero; 0 on failure.
    int64_t value;
    /// How many bytes moved, also when it failed or was cancelled.
    uint64_t moved_bytes;
    /// What went wrong in words, "" if there is nothing to add. Never NULL.
    /// It lives until the task's next await, until the callback returns, or
    /// until the future ends, whichever it was read in.
    const char *message;
} rota_outcome;

/// A connection: bytes both ways.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_stream;

/// An internet address and port. Plain data: copy it, compare it, keep it.
typedef struct {
    /// In network order; an IPv4 address in the first four, the rest zero.
    uint8_t bytes[16];
    /// The interface's number for an IPv6 address that is local to a link, else
    /// 0.
    uint32_t scope;
    /// In the machine's own order.
    uint16_t port;
    /// ROTA_FAMILY_IPV4 or ROTA_FAMILY_IPV6.
    uint8_t family;
    /// Zero.
    uint8_t reserved;
} rota_address;

/// What rota_future_map() makes of a future: the short form of what it came to
/// is `result`, what is returned is the short form of another outcome.
typedef int64_t (*rota_map_fn)(rota_future future, int64_t result,
    void *user_data);

/// What rota_future_chain() goes on with: `result` is what `future` came to, in
/// the short form, what is returned is waited for.
typedef rota_future (*rota_chain_fn)(rota_future future, int64_t result,
    void *user_data);

/// Futures that are handed out in the order in which they are done.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_set;

/// What rota_loop_next_completion() fetches.
typedef struct {
    /// The size of this struct, set by you.
    size_t size;
    /// The future that is done; null for a post. For a future that was a value
    /// when it was drained this is a new one.
    rota_future future;
    /// The short form of the outcome: the value, or the negative status.
    int64_t result;
    /// The whole of it.
    rota_outcome outcome;
    /// Your pointer.
    void *user_data;
} rota_completion;

/// What failed, and through which task it came.
typedef struct {
    /// The size of this struct, set by the caller.
    size_t size;
    /// What it came to. Its message lives as long as what it was read from:
    /// until the group or the future ends, or until the task's next await.
    rota_outcome outcome;
    /// The name of the task that failed, "" if it was none. Never NULL. It
    /// lives as long as the message.
    const char *name;
} rota_failure;

/// How to start a task. Prepare it with rota_task_options_init(); zero is every
/// default.
typedef struct {
    /// The size of this struct, set by the init function.
    size_t size;
    /// For logs: at most 255 bytes of UTF-8, copied. NULL means "task".
    const char *name;
    /// A stack of at least this size instead of the loop's usual one, in bytes:
    /// powers of two are given. With `stack`: its size.
    size_t stack_size;
    /// Called with `user_data` once, when the task has ended (after its body,
    /// and after the groups that it owns); also when spawning fails.
    rota_free_fn user_data_free;
    /// ROTA_TASK_... bits.
    uint32_t flags;
    /// Zero.
    uint32_t reserved;
    /// Memory of yours for the stack: `stack_size` bytes, 16384 at least, 1 GiB
    /// at most. It is borrowed until the task has ended (its join is done, or
    /// `user_data_free` is called), and overwritten. Nothing guards its end: a
    /// word at the low end is checked when the task ends, in debug mode also
    /// whenever it waits, and the log says as an error that it was overwritten.
    /// ROTA_ERR_BUSY: another task of the loop runs on some of it; that a task
    /// of another loop does is not seen. What a task runs on that
    /// rota_loop_abandon() left must not be used again.
    ///
    /// NULL: a stack of ours. The 64 KiB below it end the process when they are
    /// touched; a function with a larger frame may step over them, unless it
    /// was compiled with -fstack-clash-protection.
    void *stack;
} rota_task_options;

/// The body of a stackful task. What it returns is the task's outcome: a value
/// at or above zero, or a negative status.
typedef int64_t (*rota_task_fn)(rota_task task, void *user_data);

/// The body of a stepped task: called once to begin, with an empty outcome, and
/// again with the outcome of what it waited for. It returns what
/// rota_task_wait() returned in order to wait, and anything else to end.
typedef int64_t (*rota_step_fn)(rota_task task, const rota_outcome *outcome,
    void *user_data);

/// A stretch of a task's work that can be cancelled on its own, and given a
/// deadline.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_scope;

/// How to open a group. Prepare it with rota_group_options_init(); zero is
/// every default.
typedef struct {
    /// The size of this struct, set by the init function.
    size_t size;
    /// For logs: at most 255 bytes of UTF-8, copied. NULL means "group".
    const char *name;
    /// The time that its members have, from the opening on; 0 means no end.
    uint64_t timeout_ns;
    /// ROTA_GROUP_... bits.
    uint32_t flags;
    /// Zero.
    uint32_t reserved;
} rota_group_options;

/// Tasks and operations that end together.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_group;

/// A tag for all that one script or level of the host's starts.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_owner;

/// What is known about a task. Times are the loop's, of the turn in which a
/// thing began: at most some 100 us before it.
typedef struct {
    /// The size of this struct, set by you.
    size_t size;
    /// One of ROTA_TASK_STATE_...
    uint32_t state;
    /// Requests to end it that were not taken back.
    uint32_t cancelling;
    /// The task that was running when it was spawned, null if none was. It may
    /// have ended.
    rota_task parent;
    /// What it waits for, null unless it waits.
    rota_future waits_for;
    /// The task that has to go on first, null if none is known: the one whose
    /// end it waits for, or that holds the lock it waits for. Of several at
    /// once, the first.
    rota_task waits_for_task;
    /// What it waits for, in a word or two ("sleep", "task", "lock", "read"); a
    /// static text, "" unless it waits.
    const char *waits_for_what;
    /// Since when it is in its state.
    uint64_t since_ns;
    /// When it was spawned.
    uint64_t spawned_ns;
    /// How often its body was resumed; this stops at 4294967295.
    uint64_t steps;
    /// Where in your code it was spawned, in debug mode; else NULL.
    const void *started_at;
    /// 1 if it has a stack of its own, 0 if it is stepped.
    uint32_t stackful;
    /// Zero.
    uint32_t reserved;
    /// The bytes of its stack, all that can be used; 0 if it has none, or
    /// ended.
    size_t stack_size;
    /// The most it has used of them so far, as rota_task_get_stack_used() says;
    /// 0 where that does not know.
    size_t stack_used_bytes;
} rota_task_info;

/// A line of a dump, without a newline, which lives for the call. Called inside
/// the call that asked for the dump.
typedef void (*rota_dump_fn)(const char *line, void *user_data);

/// A blocking call, made on another thread. What it returns is the future's
/// outcome: a value at or above zero, or a negative status.
typedef int64_t (*rota_job_fn)(void *user_data);

/// How to resolve a name.
typedef struct {
    /// sizeof(rota_resolve_options), set by rota_resolve_options_init().
    size_t size;
    /// ROTA_FAMILY_...: only these addresses.
    uint32_t family;
    /// Zero: there are none yet.
    uint32_t flags;
} rota_resolve_options;

/// How to listen.
typedef struct {
    /// sizeof(rota_listen_options), set by rota_listen_options_init().
    size_t size;
    /// How many connections may wait to be accepted; 0 is 1024. The system may
    /// have a lower limit.
    uint32_t backlog;
    /// ROTA_LISTEN_... flags.
    uint32_t flags;
} rota_listen_options;

/// A socket that accepts connections.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_listener;

/// The body of a task that serves one connection. The stream is the body's to
/// close.
typedef int64_t (*rota_serve_fn)(rota_task task, rota_stream stream,
    void *user_data);

/// How to connect.
typedef struct {
    /// sizeof(rota_connect_options), set by rota_connect_options_init().
    size_t size;
    /// ROTA_FAMILY_...: only by these addresses.
    uint32_t family;
    /// Zero: there are none yet.
    uint32_t flags;
    /// How long to wait for one address before the next is tried as well; 0 is
    /// 250 ms (RFC 8305).
    uint64_t attempt_delay_ns;
} rota_connect_options;

/// Some bytes of yours to be written.
typedef struct {
    /// Where they begin.
    const void *data;
    /// How many there are.
    size_t size;
} rota_buffer;

/// A lock that one holds and others wait for in line.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_lock;

/// A place to wait, under a lock, for something to become true.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_condition;

/// A lock that many may hold to read, or one to write.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_rwlock;

/// So many places that tasks take and give back.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_semaphore;

/// Something that has happened or not, and those who wait for it.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_event;

/// A line of pointers from those who put to those who get.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_queue;

/// A place where so many meet before any of them goes on.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_barrier;

/// A value that is made once, by the first who needs it.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_once;

/// A bounded line of pointers from any thread or loop to one loop.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_channel;

/// A broadcast that something is to end: a shutdown, a level, a request.
typedef struct {
    /// Private: zero is null, equal ids name the same thing.
    uint64_t id;
} rota_token;

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

/// The system's error number (errno) of this thread's last call that answered
/// with a status because the system refused; 0 if there was none.
int32_t rota_os_error(void);

/// Fills in the defaults. `size` is `sizeof *options`.
rota_status rota_loop_options_init(rota_loop_options *options, size_t size);

/// Opens a loop that belongs to the calling thread: all its callbacks and tasks
/// run there, inside the calls that drive it. `options` may be NULL. A process
/// may have 1024 loops at once (ROTA_ERR_LIMIT), a thread any number of them.
///
/// Close it with rota_loop_close() when you are done.
rota_status rota_loop_open(const rota_loop_options *options, rota_loop *out);

/// Closes a loop: asks every task to end and runs turns until they have, for at
/// most `limit_ns` (ROTA_FOREVER is allowed). Callbacks that are still pending
/// come in there with ROTA_ERR_CANCELLED. Null closes nothing and succeeds.
///
/// ROTA_OK: everything of the loop has ended, its handles are stale, no
/// callback comes any more. ROTA_ERR_BUSY: a task refused to end, a blocking
/// call has not returned, a peer has not taken what was given to
/// rota_stream_send(), or there are completions that you have not fetched
/// (rota_loop_next_completion()); the loop takes no new work
/// (ROTA_ERR_CLOSING), stays valid, and may be turned, closed again or
/// abandoned. Tasks are asked by the first call only, so that their cleanup is
/// left in peace. What is left stands in rota_loop_get_stats(), as tasks, jobs,
/// streams and completions. ROTA_ERR_REENTRANT: called from inside the loop.
rota_status rota_loop_close(rota_loop loop, uint64_t limit_ns);

/// Gives a loop up without waiting: its handles are stale and no callback
/// comes. Stacks of tasks that have not ended are leaked, with whatever lies on
/// them, and so is what a blocking call still uses; nothing is unwound. No
/// `user_data_free` or `result_free` is called, unsent data is dropped.
/// ROTA_ERR_REENTRANT: called from inside the loop.
rota_status rota_loop_abandon(rota_loop loop);

/// Runs the loop until rota_loop_stop(). ROTA_ERR_REENTRANT: it runs already.
rota_status rota_loop_run(rota_loop loop);

/// Runs the loop until `future` is done, and returns what it came to in the
/// short form: the value, or the negative status. It claims the future, which
/// thus ends. ROTA_ERR_STOPPED: the loop was stopped first; the future goes on.
int64_t rota_loop_run_until(rota_loop loop, rota_future future);

/// One turn: waits at most `wait_ns` if nothing is ready and no completion
/// stands to be fetched (0: not at all), then runs what is ready. Stops
/// starting callbacks after `budget_ns`, and after `max_callbacks` (0: no such
/// limit); at least one runs in any case. A turn that was cut short is resumed
/// by the next call, in the same order.
///
/// `figures` may be NULL; otherwise its `size` must be set.
rota_status rota_loop_turn(rota_loop loop, uint64_t wait_ns, uint64_t budget_ns,
    uint64_t max_callbacks, rota_turn_figures *figures);

/// Asks the loop to stop: the turn is finished, then the call that drives the
/// loop returns. If none does, the next one makes exactly one turn, without
/// waiting. Thread-safe.
rota_status rota_loop_stop(rota_loop loop);

/// Ends a wait of the loop. Thread-safe.
rota_status rota_loop_wake(rota_loop loop);

/// Queues a callback from any thread; it runs on the loop's thread, once. Posts
/// of one thread keep their order, and many of them wake the loop once.
/// Thread-safe.
rota_status rota_loop_post(rota_loop loop, rota_call_fn callback,
    void *user_data);

/// The time on the loop's clock, in nanoseconds.
rota_status rota_loop_get_now(rota_loop loop, uint64_t *out);

/// Moves a virtual clock forward. Timers that become due fire in the next turn,
/// by their deadlines. ROTA_ERR_UNSUPPORTED: the clock is not virtual.
rota_status rota_loop_advance(rota_loop loop, uint64_t delta_ns);

/// A descriptor of the system's that becomes readable when a turn has something
/// to do from outside, for nesting the loop in another one: watch it, and call
/// rota_loop_turn() when it is readable or the next deadline has come. It stays
/// the loop's; do not read from it or close it. ROTA_ERR_UNSUPPORTED: this
/// system has none.
rota_status rota_loop_get_descriptor(rota_loop loop, int64_t *out);

/// When a turn is needed at the latest, on the loop's clock: now if something
/// is ready, ROTA_FOREVER if there is nothing to wait for but the descriptor.
/// It may be earlier than the next timer, never later.
rota_status rota_loop_get_next_deadline(rota_loop loop, uint64_t *out);

/// Turns debug mode on or off.
rota_status rota_loop_set_debug(rota_loop loop, bool on);

/// Keeps a pointer of yours with the loop. The loop never touches it.
rota_status rota_loop_set_user_data(rota_loop loop, void *user_data);

/// The pointer that rota_loop_set_user_data() kept; NULL before.
rota_status rota_loop_get_user_data(rota_loop loop, void **out);

/// The loop whose callback or task is running on this thread, innermost.
/// ROTA_ERR_HANDLE: none is.
rota_status rota_loop_get_current(rota_loop *out);

/// What the loop has done, has, and takes. `out->size` must be set.
rota_status rota_loop_get_stats(rota_loop loop, rota_loop_stats *out);

/// Queues a callback for the next turn: once, first in first out, never inside
/// this call. `out` may be NULL if you will not cancel it.
rota_status rota_loop_call_soon(rota_loop loop, rota_call_fn callback,
    void *user_data, rota_call *out);

/// Cancels a queued callback: it comes in its place with ROTA_ERR_CANCELLED, so
/// that you can let go of its `user_data`. ROTA_ERR_HANDLE: it has come
/// already.
rota_status rota_call_cancel(rota_call call);

/// Calls `callback` once, `delay_ns` from now or a little later, never earlier.
/// Timers with equal deadlines fire in the order in which they were armed.
/// `out` may be NULL if you will not cancel or move it.
rota_status rota_loop_call_later(rota_loop loop, uint64_t delay_ns,
    rota_timer_fn callback, void *user_data, rota_timer *out);

/// As rota_loop_call_later(), at a moment of the loop's clock
/// (rota_loop_get_now()); one that has passed means the next turn.
rota_status rota_loop_call_at(rota_loop loop, uint64_t deadline_ns,
    rota_timer_fn callback, void *user_data, rota_timer *out);

/// Cancels a timer: its callback comes in the next turn with
/// ROTA_ERR_CANCELLED, so that you can let go of its `user_data`.
/// ROTA_ERR_DONE: its callback is running, or it was cancelled already;
/// ROTA_ERR_HANDLE: it has ended.
rota_status rota_timer_cancel(rota_timer timer);

/// Moves a timer to `delay_ns` from now, earlier or later than it was; it is
/// then as young as one that was armed now. Allowed inside its own callback,
/// which then comes again: so a timer repeats. ROTA_ERR_DONE: it was cancelled.
rota_status rota_timer_rearm(rota_timer timer, uint64_t delay_ns);

/// As rota_timer_rearm(), to a moment of the loop's clock.
rota_status rota_timer_rearm_at(rota_timer timer, uint64_t deadline_ns);

/// When a timer is due, on the loop's clock.
rota_status rota_timer_get_deadline(rota_timer timer, uint64_t *out);

/// A future that is done `delay_ns` from now, with the value 0.
rota_future rota_loop_sleep(rota_loop loop, uint64_t delay_ns);

/// A future that is done at a moment of the loop's clock, with the value 0.
rota_future rota_loop_sleep_until(rota_loop loop, uint64_t deadline_ns);

/// A future of your own, a promise: complete it with rota_future_complete() or
/// its sisters. It ends when it is done and those who waited have been
/// answered, or when you close it.
rota_future rota_future_open(rota_loop loop);

/// Completes a promise with a number at or above zero. Its callbacks are queued
/// in the order they were added, and never run inside this call.
/// ROTA_ERR_DONE: it is done already; ROTA_ERR_INVALID: the number is negative,
/// or the future stands for an operation.
rota_status rota_future_complete(rota_future future, int64_t value);

/// Completes a promise with a pointer, for rota_future_take_result(). If nobody
/// takes it, `result_free` (which may be NULL) is called with it once. If this
/// call fails, the pointer stays yours.
rota_status rota_future_complete_with(rota_future future, void *result,
    rota_free_fn result_free);

/// Fails a promise with a status of this library, or one of your own at or
/// below ROTA_STATUS_HOST. `message` is copied; it may be NULL.
rota_status rota_future_fail(rota_future future, int32_t status,
    const char *message);

/// Calls `callback` when the future is done, once, in a later turn, also if it
/// is done already. The callback is a claim: when the last one has been
/// answered, the future ends, unless it is kept or holds an object that nobody
/// took.
rota_status rota_future_then(rota_future future, rota_future_fn callback,
    void *user_data);

/// Takes back every callback of the future that is this one with this
/// `user_data`; it does not come. How many those were goes to `removed`, which
/// may be NULL. Callbacks that completing has queued already are not recalled.
rota_status rota_future_remove(rota_future future, rota_future_fn callback,
    void *user_data, size_t *removed);

/// Cancels what the future stands for, whoever waits for it: an operation is
/// withdrawn and says exactly how much it did, a promise ends cancelled, a
/// joined task is asked to end, a blocking call that has begun goes on to its
/// end. ROTA_ERR_DONE: it is done already.
rota_status rota_future_cancel(rota_future future);

/// Holds the future until rota_future_close(), however many have been answered.
rota_status rota_future_keep(rota_future future);

/// Withdraws the operation if it is pending, lets go of an object that nobody
/// took, and ends the future. Closing null, or a future that is a value,
/// succeeds and does nothing. A join, or a wait for a group or for the start of
/// a task, is taken back: the task or the group goes on.
///
/// ROTA_ERR_BUSY: it cannot end yet, because somebody waits for it (he is
/// answered in the next turn, ROTA_ERR_CANCELLED if it was pending) or because
/// a blocking call has not returned; it ends by itself then.
rota_status rota_future_close(rota_future future);

/// What the future came to. ROTA_ERR_PENDING: it is not done yet. The message
/// lives until the future ends.
rota_status rota_future_get_outcome(rota_future future, rota_outcome *out);

/// Takes the connection that an accept or a connect brought; it is yours to
/// close then. The future ends unless it is kept or somebody still waits.
/// ROTA_ERR_PENDING: it is not done; ROTA_ERR_INVALID: it holds no connection.
rota_status rota_future_take_stream(rota_future future, rota_stream *out);

/// Takes the pointer of rota_future_complete_with(); it is yours then. As
/// rota_future_take_stream() otherwise.
rota_status rota_future_take_result(rota_future future, void **out);

/// Takes the addresses that rota_loop_resolve() found, as many as `capacity`
/// allows, and drops the rest; how many there were in all goes to `count`,
/// which may be NULL. The future ends unless it is kept or somebody still
/// waits.
rota_status rota_future_take_addresses(rota_future future, rota_address *buffer,
    size_t capacity, size_t *count);

/// A future that is done as `future` is, with its outcome, its message and its
/// object, or with ROTA_ERR_TIMEOUT when `timeout_ns` have gone by. It is a
/// claim on `future`, which ends with it unless it is kept. At the end of the
/// time, or when it is cancelled itself, it cancels `future`, if its claim is
/// the only one, and is done when that has ended: with the bytes that moved in
/// `moved_bytes`, or with what `future` came to after all. If others wait too
/// it lets go of `future` and is done at once. A time of 0 is for what is done
/// already, ROTA_FOREVER is no end. A value comes back as it is.
///
/// If it cannot start it is a failed future, and `future` stays as it was,
/// yours to wait for or to close.
rota_future rota_future_wait_for(rota_future future, uint64_t timeout_ns);

/// A future that is done as `future` is, as rota_future_wait_for() without an
/// end; but cancelling or closing it leaves `future` alone: it is done at once
/// then, with ROTA_ERR_CANCELLED. `future` goes on, and when it is done ends
/// with what it holds, unless it is kept or others wait for it; an error that
/// nobody looked at reaches the log.
rota_future rota_future_shield(rota_future future);

/// A future that is done when all of `futures` are: with 0, or with the outcome
/// of the first that failed or was cancelled, as soon as that is known; the
/// others go on. `flags` is 0, ROTA_GATHER_CANCEL_REST or ROTA_GATHER_ALL. With
/// no futures it is done with 0 at once.
///
/// The gather is a claim on each, and answers it when that one is done: keep
/// (rota_future_keep()) those whose outcomes you want to read one by one, and
/// close them then. Objects stay in their own futures until you take them.
/// Cancelling the gather cancels those that nobody else waits for, lets go of
/// the others, and ends when the former have ended: with ROTA_ERR_CANCELLED, or
/// with the failure of one of them, as it does uncancelled. Failures behind the
/// first reach the log, unless `flags` say that they are counted.
///
/// ROTA_ERR_HANDLE: one of them is not of this loop, or has ended;
/// ROTA_ERR_LIMIT: more than 2^20. If it cannot start, all stay as they were.
rota_future rota_loop_gather(rota_loop loop, const rota_future *futures,
    size_t count, uint32_t flags);

/// A future that is done when enough of `futures` are, or when `timeout_ns`
/// have gone by (ROTA_FOREVER: no end); its value is how many of them are done
/// then. `until` is ROTA_WAIT_ALL, ROTA_WAIT_FIRST or ROTA_WAIT_FIRST_ERROR.
/// With no futures it is done with 0 at once.
///
/// It only watches: no future is cancelled, claimed or ended by it, so all of
/// them are yours afterwards as they were, to wait for, to read or to close;
/// keep those that somebody else's answer may end. Errors as
/// rota_loop_gather().
rota_future rota_loop_wait(rota_loop loop, const rota_future *futures,
    size_t count, uint32_t until, uint64_t timeout_ns);

/// A future whose value is the place (from 0) in `futures` of the first that is
/// done, however it is done. The others are cancelled where nobody else waits
/// for them, and the race is done when those have ended. `flags` is 0 or
/// ROTA_RACE_SUCCESS.
///
///     rota_future two[2] = {rota_stream_read(stream, buffer, size),
///                           rota_event_wait(give_up)};
///     int64_t first = rota_await(rota_loop_race(loop, two, 2, 0));
///     if (first == 0) n = rota_await(two[0]);
///     if (first >= 0) rota_future_close(two[first]);
///
/// It is a claim on each. The winner is yours: it is kept, for you to read and
/// to close, with the object it holds. The others end with what they brought
/// after all, unless you keep them or others wait for them too. Of those that
/// are done at the start, the first in the list wins; one that is done in spite
/// of being cancelled has won too. An error of a loser reaches the log, if
/// nobody looks at it; with ROTA_RACE_SUCCESS failures count as looked at.
///
/// Cancelling the race cancels those that nobody else waits for, lets go of the
/// others, and ends with ROTA_ERR_CANCELLED when the former have ended; not if
/// it is decided by then. ROTA_ERR_INVALID: no futures, or unknown flags; other
/// errors as rota_loop_gather().
rota_future rota_loop_race(rota_loop loop, const rota_future *futures,
    size_t count, uint32_t flags);

/// A future that is done with what `map` returns for what `future` came to: a
/// value at or above zero, or a negative status. Returning the failure that it
/// was given passes that on with its message.
///
/// `map` comes once, in a later turn, like a callback of `future`, which is to
/// be read in it likewise; also for a failure, and when the new future is
/// cancelled: `future` is cancelled then, or, if others wait for it too, let
/// go, and `map` is told ROTA_ERR_CANCELLED at once. What it returns counts all
/// the same. An object stays in `future` until it is taken.
///
/// If it cannot start it is a failed future, `map` never comes, and `future`
/// stays as it was.
rota_future rota_future_map(rota_future future, rota_map_fn map,
    void *user_data);

/// A future that goes on after `future` with the one that `next` returns: it is
/// done as that is, with its outcome, its message and its object. That one may
/// be `future` itself, to be done as it was, or a value.
///
/// `next` comes once, like `map` of rota_future_map(). What it returns is
/// claimed, as by rota_future_wait_for(). Cancelling the new future cancels
/// what it waits for now, if nobody else does; after `next` was told so, what
/// it returns is waited for (as a task may clean up), until it is cancelled
/// again.
///
/// ROTA_ERR_HANDLE: what `next` returned is null, has ended, or is of another
/// loop; ROTA_ERR_INVALID: it waits for the new future itself, so that nothing
/// would ever end it. If it cannot start it is a failed future, `next` never
/// comes, and `future` stays as it was.
rota_future rota_future_chain(rota_future future, rota_chain_fn next,
    void *user_data);

/// An empty set, for futures that are to be handed out one by one, in the order
/// in which they are done.
///
///     rota_loop_open_set(loop, &set);
///     for (i = 0; i < count; i++) rota_set_add(set, rota_..., i);
///     while ((tag = rota_await(rota_set_next(set))) >= 0) {
///         ... futures[tag] is done; more may be added
///         rota_future_close(futures[tag]);
///     }
///     rota_set_close(set);
rota_status rota_loop_open_set(rota_loop loop, rota_set *out);

/// Adds a future of the set's loop, done or not, with a number at or below
/// INT64_MAX by which you will know it: an index, or the future's own `id`,
/// which is never larger. The set is a claim on it until it is handed out. A
/// future may be added more than once.
///
/// ROTA_ERR_HANDLE: the set or the future has ended, or they are of two loops;
/// ROTA_ERR_INVALID: the tag is too large. If it fails, the future is as it
/// was.
rota_status rota_set_add(rota_set set, rota_future future, uint64_t tag);

/// A future whose value is the tag of the next that is done: of those that are
/// done already the first that was. That one is handed out with this: it is no
/// longer in the set, and kept for you to read and to close, with the object it
/// holds. (One that you closed yourself meanwhile has ended.) Several may ask;
/// they are answered in the order in which they came.
///
/// It fails with ROTA_ERR_DONE when nothing is left in the set. Cancelling it
/// takes nothing out of the set.
rota_future rota_set_next(rota_set set);

/// How many have not been handed out, whether they are done or not.
rota_status rota_set_get_count(rota_set set, size_t *out);

/// Ends the set with what was not handed out: pending futures are cancelled
/// where nobody else waits for them (a joined task is asked to end), others let
/// go; those that are done end with what they hold, unless they are kept, and
/// an error that nobody looked at reaches the log. Those who wait for the next
/// end with ROTA_ERR_CANCELLED. Closing the loop does the same. Closing null
/// succeeds and does nothing.
///
/// ROTA_ERR_BUSY: something of it needs time to end, and will end by itself;
/// the handle has ended.
rota_status rota_set_close(rota_set set);

/// As rota_future_then() without a callback: when the future is done, a
/// completion with `user_data` is put into the loop's queue of completions, in
/// the turn in which a callback would have come, for
/// rota_loop_next_completion() to fetch. For hosts that cannot be called, or
/// not there.
///
///     rota_completion done = {0};
///     done.size = sizeof done;
///     rota_loop_turn(loop, 0, budget_ns, 0, NULL);
///     while (rota_loop_next_completion(loop, &done) == ROTA_OK) handle(&done);
///
/// Whatever a callback can do has its drained form: a timer is a drained
/// rota_loop_sleep(), a post is rota_loop_post_completion(), which is also for
/// what is to come later on the loop's own thread.
rota_status rota_future_drain(rota_future future, void *user_data);

/// Takes back every drain of the future that has this `user_data`, as
/// rota_future_remove() does with callbacks. How many those were goes to
/// `removed`, which may be NULL.
rota_status rota_future_remove_drain(rota_future future, void *user_data,
    size_t *removed);

/// Fetches the next completion, in the order in which callbacks would have
/// come. `out->size` must be set. ROTA_ERR_PENDING: there is none now.
///
/// The future and the message of its outcome live until the next call of this,
/// whatever it answers, or until the loop is closed: take an object, or keep
/// the future, before. This may be called at any time on the loop's thread,
/// also in callbacks.
///
/// Nobody else empties the queue. While anything stands in it, rota_loop_turn()
/// does not wait, rota_loop_get_next_deadline() is now, and rota_loop_close()
/// answers ROTA_ERR_BUSY as soon as nothing else is left to end: fetch what
/// there is, and close again. (What was pending comes with ROTA_ERR_CANCELLED
/// then, and so do posts.) rota_loop_run() and rota_loop_run_until() do not
/// look at it, so drain in callbacks if you use them, or use rota_loop_turn().
/// rota_loop_abandon() drops it.
rota_status rota_loop_next_completion(rota_loop loop, rota_completion *out);

/// As rota_loop_post() without a callback: puts a completion with `user_data`
/// and a null future into the loop's queue of completions, and ends the loop's
/// wait. Posts of one thread keep their order, whichever kind they are.
/// Thread-safe.
rota_status rota_loop_post_completion(rota_loop loop, void *user_data);

/// The failure that is `depth` steps behind what the future came to: 0 is what
/// led to it, 1 what led to that. `out->size` must be set.
///
///     rota_outcome outcome;
///     rota_failure cause = {0};
///     size_t depth;
///     cause.size = sizeof cause;
///     rota_future_get_outcome(future, &outcome);
///     printf("%s: %s", rota_strerror(outcome.status), outcome.message);
///     for (depth = 0;
///          rota_future_get_cause(future, depth, &cause) == ROTA_OK; depth++) {
///         printf(", because %s %s: %s", cause.name,
///                rota_strerror(cause.outcome.status), cause.outcome.message);
///     }
///
/// A failure that came through the end of a task to which you gave a name comes
/// first in its own chain, with that name. Whatever passes a failure on
/// (rota_future_wait_for(), a gather, a race, ...) passes its chain on. Of more
/// than 16 the first, the root, and the latest are kept. The texts live until
/// the future ends.
///
/// ROTA_ERR_PENDING: it is not done yet; ROTA_ERR_NOT_FOUND: there is nothing
/// so far behind it, or it did not fail.
rota_status rota_future_get_cause(rota_future future, size_t depth,
    rota_failure *out);

/// As rota_future_get_cause(), of what the task's last await came to. The texts
/// live until its next await.
rota_status rota_task_get_cause(rota_task task, size_t depth,
    rota_failure *out);

/// As rota_future_fail(), and says what led to it: `cause`, a future that is
/// done and has failed, becomes the first in the chain, with its own chain
/// behind it. It is not consumed, and counts as looked at.
///
/// ROTA_ERR_PENDING: `cause` is not done; ROTA_ERR_INVALID: it did not fail.
rota_status rota_future_fail_because(rota_future future, int32_t status,
    const char *message, rota_future cause);

/// In a task's body, the last thing before it returns: says that the task fails
/// with `status`, in the words of `message` (copied, may be NULL), because of
/// what its last await came to, if that was a failure. Returns `status`:
///
///     if (rota_await(rota_stream_read_exactly(conn, header, 16)) < 0) {
///         return rota_task_fail(task, MY_ERR_PROTOCOL, "reading the header");
///     }
///
/// Where memory is short, what there is to tell gets lost, and the status is
/// the same. ROTA_ERR_INVALID: `status` is none that a task can fail with;
/// ROTA_ERR_LIMIT: the message is longer than 4095 bytes; ROTA_ERR_NO_TASK: the
/// task is not the one that runs. Nothing is changed then.
int64_t rota_task_fail(rota_task task, int32_t status, const char *message);

/// Fills in the defaults. `size` is `sizeof *options`.
rota_status rota_task_options_init(rota_task_options *options, size_t size);

/// Starts a task with a stack of its own: `body` runs in the next turn, and
/// waits with rota_await() wherever it likes. `options` may be NULL. With `out`
/// NULL the task is detached; otherwise join it or detach it, or it stays after
/// its end until the loop is closed.
rota_status rota_loop_spawn(rota_loop loop, rota_task_fn body, void *user_data,
    const rota_task_options *options, rota_task *out);

/// Starts a stepped task: `body` is called in the next turn, and again each
/// time what it waits for is done; it keeps its place in `user_data`. Otherwise
/// as rota_loop_spawn().
rota_status rota_loop_spawn_stepped(rota_loop loop, rota_step_fn body,
    void *user_data, const rota_task_options *options, rota_task *out);

/// Waits until the future is done and returns what it came to in the short
/// form: the value, or the negative status; the full outcome is in
/// rota_task_get_outcome() until the task's next await. The future ends with
/// this, if nobody else waits for it and it holds no object.
///
/// Only inside a stackful task, as the innermost thing that runs
/// (ROTA_ERR_NO_TASK otherwise, and nothing is consumed). Waiting for what is
/// done already does not give up the turn, but after 128 of those in one turn
/// the task is made to yield.
int64_t rota_await(rota_future future);

/// Gives up the turn; `task` must be the task that runs. Returns 0, or
/// ROTA_ERR_CANCELLED if the task was asked to end. A stepped body returns what
/// this returns, as with rota_task_wait(): it is called again in the next turn,
/// and its outcome says the same.
int64_t rota_task_yield(rota_task task);

/// For a stepped body: says what to wait for. Return what this returns; the
/// body is called again with the outcome when `future` is done.
int64_t rota_task_wait(rota_task task, rota_future future);

/// A future for the end of a task: its value is what the body returned, its
/// failure the body's. Cancelling it, where it is the only join and its claim
/// the last, asks the task to end. A task that has ended is let go by this.
/// ROTA_ERR_INVALID: the task would wait for itself.
rota_future rota_task_join(rota_task task);

/// Says that nobody will join the task: it is let go when it ends. An error
/// that nobody looked at goes to the log.
rota_status rota_task_detach(rota_task task);

/// Asks a task to end. Once per request, ROTA_ERR_CANCELLED arrives where the
/// task waits; it may clean up with further awaits, and may refuse. What it
/// waits for is withdrawn if nobody else does; a blocking call that runs goes
/// on, a joined task is asked in its turn, and the task waits for their answer.
/// An outcome that is ready, or that they answer, wins: the request then meets
/// the task at its next operation, which starts nothing. ROTA_ERR_DONE: it has
/// ended.
rota_status rota_task_cancel(rota_task task);

/// As rota_task_cancel(), and says why: `reason` is copied, and is the
/// outcome's message where the request arrives, and of the task's own outcome
/// if it ends with ROTA_ERR_CANCELLED. NULL is none. A later reason takes the
/// place of an earlier one.
rota_status rota_task_cancel_with(rota_task task, const char *reason);

/// Takes one request back that was made to the task itself, not those of its
/// scopes; how many are left, theirs included, goes to `left`, which may be
/// NULL. With the last one goes a request that was not delivered yet.
rota_status rota_task_uncancel(rota_task task, uint32_t *left);

/// How many requests to end the task has had that were not taken back, those of
/// its scopes included.
rota_status rota_task_get_cancelling(rota_task task, uint32_t *out);

/// Copies the task's name into `buffer`, cut to fit and NUL-terminated; its
/// full length goes to `length`, which may be NULL.
rota_status rota_task_get_name(rota_task task, char *buffer, size_t size,
    size_t *length);

/// How many bytes of its stack the task has used at most so far, also while it
/// runs. Only for a stackful task that was started in debug mode, which starts
/// it on a stack of zeros and finds the lowest byte that is not zero any more
/// (ROTA_ERR_UNSUPPORTED otherwise; where the system does not let the library
/// look, too). ROTA_ERR_DONE: it has ended; in debug mode the log warns then if
/// it used more than three quarters.
rota_status rota_task_get_stack_used(rota_task task, size_t *out);

/// The full outcome of the task's last await. The message lives until its next.
rota_status rota_task_get_outcome(rota_task task, rota_outcome *out);

/// The task that is running on this thread, innermost. ROTA_ERR_NO_TASK: none
/// is.
rota_status rota_task_get_current(rota_task *out);

/// Sets a value that the task carries along under `key`, which is the address
/// of anything of yours (never read, not NULL); it takes the place of what the
/// task saw there. Tasks that it spawns from now on begin with its values as
/// they are then, and share them: what parent or child set later the other does
/// not see. A task that is spawned elsewhere, or for a connection, begins with
/// none. It costs a step for each key that the task has.
///
/// `value_free` may be NULL; otherwise it is called with `value` once, when the
/// last task that sees it has ended or set another value there (of a task that
/// ends, what it set last goes first). On an error it is not called, and
/// `value` stays yours. ROTA_ERR_DONE: its body has returned.
rota_status rota_task_set_local(rota_task task, const void *key, void *value,
    rota_free_fn value_free);

/// What the task sees under `key`: set by itself, or had from its parent. It
/// stays valid while the task runs and sets no other value there.
/// ROTA_ERR_NOT_FOUND: nothing. ROTA_ERR_DONE: its body has returned.
rota_status rota_task_get_local(rota_task task, const void *key, void **out);

/// Begins a scope of the task's work, inside those that are open. When the
/// loop's clock (rota_loop_get_now()) reaches `deadline_ns`, the task is asked
/// to end what it does in the scope: ROTA_ERR_CANCELLED arrives where it waits,
/// once, as from rota_task_cancel(). ROTA_FOREVER: no deadline; one that has
/// passed asks in the next turn. `flags` are ROTA_SCOPE_... bits. Leave it with
/// rota_scope_leave(); a task that ends leaves its scopes.
///
/// Any code on the loop's thread may do this, for any task. ROTA_ERR_DONE: it
/// has ended.
rota_status rota_task_enter_scope(rota_task task, uint64_t deadline_ns,
    uint32_t flags, rota_scope *out);

/// As rota_task_enter_scope(), with a deadline `timeout_ns` from now and no
/// flags:
///
///     rota_scope scope;
///     rota_task_enter_timeout(task, 1000000000, &scope);
///     int64_t result = rota_await(rota_stream_read(stream, buffer, size));
///     result = rota_scope_leave(scope, result);
rota_status rota_task_enter_timeout(rota_task task, uint64_t timeout_ns,
    rota_scope *out);

/// Ends the scope, and what is still open inside it, from the innermost on.
/// Give it the result of the work in short form and go on with what it returns:
/// ROTA_ERR_TIMEOUT for ROTA_ERR_CANCELLED if the scope's deadline brought
/// that, `result` otherwise. Where others asked the task to end too, itself or
/// a scope further out, it stays ROTA_ERR_CANCELLED and is theirs.
///
/// The scope's own request is taken back, whether it has arrived or not. An
/// outcome that came in spite of it wins: rota_scope_get_state() tells before.
/// For null it returns `result`, for a scope that has ended ROTA_ERR_HANDLE,
/// for a group's ROTA_ERR_INVALID. A group that was opened inside it is
/// cancelled.
int64_t rota_scope_leave(rota_scope scope, int64_t result);

/// Asks the task to end what it does in the scope, as the deadline would; the
/// result stays ROTA_ERR_CANCELLED when the scope is left. `reason` is copied:
/// it is the outcome's message where the request arrives; it may be NULL.
/// ROTA_ERR_DONE: it has been cancelled or has timed out already.
rota_status rota_scope_cancel(rota_scope scope, const char *reason);

/// Moves the deadline, earlier or later; ROTA_FOREVER is none. ROTA_ERR_DONE:
/// the scope has been cancelled or has timed out.
rota_status rota_scope_set_deadline(rota_scope scope, uint64_t deadline_ns);

/// The scope's deadline on the loop's clock, ROTA_FOREVER if it has none.
rota_status rota_scope_get_deadline(rota_scope scope, uint64_t *out);

/// Whether the scope has asked its task to end, and why: ROTA_SCOPE_OPEN (it
/// has not), ROTA_SCOPE_TIMED_OUT or ROTA_SCOPE_CANCELLED (a group's also
/// because a member failed).
rota_status rota_scope_get_state(rota_scope scope, uint32_t *out);

/// When the task will be asked to end at the latest: the nearest deadline of
/// its scopes, where a shield hides those outside it. ROTA_FOREVER: never.
rota_status rota_task_get_deadline(rota_task task, uint64_t *out);

/// Fills in the defaults. `size` is `sizeof *options`.
rota_status rota_group_options_init(rota_group_options *options, size_t size);

/// Opens a group: spawn tasks into it, wait for all of them, close it. When a
/// member fails, all others are asked to end; so they are when its time is
/// over, or when it is cancelled. `options` may be NULL.
///
/// If a task opens it (and not with ROTA_GROUP_FREE), that task *owns* it. It
/// is asked to end too, by one request that waiting for the group or closing it
/// takes back; and its own end waits for the group: what has not ended when its
/// body returns is cancelled, and joins, and the user_data_free, come after. So
/// no task of the group outlives it. Any other group belongs to who has the
/// handle, until the loop is closed.
rota_status rota_loop_open_group(rota_loop loop,
    const rota_group_options *options, rota_group *out);

/// As rota_loop_spawn(), as a member of the group. Any code on the loop's
/// thread may do this. The task needs no join, and is let go when it ends: what
/// it fails with is the group's. `out` is NULL or gets its handle, to cancel
/// it, or to join it before it ends. A task that returns ROTA_ERR_CANCELLED has
/// failed unless somebody had asked it to end.
///
/// ROTA_ERR_CANCELLED: the group has been cancelled, its time is over, or a
/// member has failed; nothing is started.
rota_status rota_group_spawn(rota_group group, rota_task_fn body,
    void *user_data, const rota_task_options *options, rota_task *out);

/// As rota_group_spawn(), for a stepped body (rota_loop_spawn_stepped()).
rota_status rota_group_spawn_stepped(rota_group group, rota_step_fn body,
    void *user_data, const rota_task_options *options, rota_task *out);

/// As rota_group_spawn(), and returns a future that is done when the new task
/// calls rota_task_started(), with the value that it gives: a server that
/// listens, say, gives its port. If the task ends before, the future fails as
/// the task did (ROTA_ERR_INVALID if it did not), and that failure is not the
/// group's. Cancelling the future asks the task to end; closing it lets the
/// task go on.
rota_future rota_group_start(rota_group group, rota_task_fn body,
    void *user_data, const rota_task_options *options, rota_task *out);

/// As rota_group_start(), for a stepped body (rota_loop_spawn_stepped()).
rota_future rota_group_start_stepped(rota_group group, rota_step_fn body,
    void *user_data, const rota_task_options *options, rota_task *out);

/// Says that a task which rota_group_start() began is ready: the future that it
/// returned is done with `value`, at or above zero. ROTA_ERR_DONE: it has said
/// so already, or the future was closed; ROTA_ERR_INVALID: the task was not
/// started in this way, or `value` is negative.
rota_status rota_task_started(rota_task task, int64_t value);

/// Makes an operation a member of the group, a claim on `future`: its failure
/// is the group's, and the group's end cancels it, whoever else waits for it.
/// Where it was cancelled it has not failed. If this call fails, `future` stays
/// as it was. ROTA_ERR_CANCELLED as rota_group_spawn(); ROTA_ERR_INVALID: the
/// future stands for the end of this group, or of one that this group's owner
/// belongs to.
rota_status rota_group_add(rota_group group, rota_future future);

/// A future that is done when the group has no member left (at once if it has
/// none): with the first failure, also of a member that failed after it was
/// asked to end; or with ROTA_ERR_TIMEOUT if the group's time was over,
/// ROTA_ERR_CANCELLED if it was cancelled; or with how many members have
/// succeeded since it was opened. All failures are in rota_group_get_error().
///
/// Cancelling it, where it is the only one and its claim the last, cancels the
/// group, and it is done when all have ended; so does cancelling the owner
/// while it waits. If the group has been asked to end already, cancelling only
/// takes the wait back; the owner waits on. If the owner asks for this future
/// and has been asked to end since it opened the group, the group is cancelled
/// at once (rota_task_uncancel() before says that it is to go on). Several may
/// wait, and again; a group that was not asked to end takes new members after.
/// ROTA_ERR_INVALID: the task that asks for it, or waits for it, is a member of
/// the group.
rota_future rota_group_wait(rota_group group);

/// Asks all members to end, and the owner, if it does not wait for the group;
/// nothing more is spawned in it. `reason` is copied: it is the outcome's
/// message where the request arrives; it may be NULL. ROTA_ERR_DONE: a member
/// has failed already, the time is over, or it was cancelled before.
rota_status rota_group_cancel(rota_group group, const char *reason);

/// The group's scope: to move its deadline, or to ask whether and why the group
/// was asked to end. It ends with the group; it is not for leaving.
rota_status rota_group_get_scope(rota_group group, rota_scope *out);

/// How many members have not ended.
rota_status rota_group_get_count(rota_group group, size_t *out);

/// How many members have failed.
rota_status rota_group_get_error_count(rota_group group, size_t *out);

/// One of the failures, in the order in which they came, from 0. Its texts live
/// until the group ends. ROTA_ERR_NOT_FOUND: there are not so many. Failures of
/// a group that nobody waited for and nobody asked about reach the log.
rota_status rota_group_get_error(rota_group group, size_t index,
    rota_failure *out);

/// Ends a group without members; its request to its owner is taken back.
/// Closing null succeeds and does nothing. ROTA_ERR_BUSY: it has members; it is
/// cancelled, and ends by itself with the last of them.
rota_status rota_group_close(rota_group group);

/// Opens an owner: a tag for all that a script, a level or a plugin starts, so
/// that it can be cancelled together. What is started while the owner is set
/// (rota_loop_set_owner()) belongs to it, and runs with it set, so that what
/// that starts belongs to it too: queued callbacks, timers, callbacks of
/// futures, tasks, operations (their futures), and listeners that serve. Posts
/// belong to nobody; neither do streams, locks and the like, which are yours to
/// close.
///
/// `dropped` may be NULL; otherwise it is called with the `user_data` of each
/// callback that rota_owner_cancel() drops.
rota_status rota_loop_open_owner(rota_loop loop, rota_free_fn dropped,
    rota_owner *out);

/// From now on what is started belongs to `owner`; null: to nobody. The owner
/// that was set goes to `before`, null if none was; `before` may be NULL. This
/// holds until a callback returns, in a task also across its waits, and in your
/// own code outside the loop until you set another. A callback or task that is
/// nobody's begins with none set; what a destructor sets, ends with it. Setting
/// one does not change whose the running task is.
rota_status rota_loop_set_owner(rota_loop loop, rota_owner owner,
    rota_owner *before);

/// Cancels all that belongs to an owner. Its callbacks are dropped: they do not
/// come, `dropped` is called instead. Stepped tasks are dropped: they are not
/// called again, `user_data_free` is called, and who joined them is answered
/// ROTA_ERR_CANCELLED; one that runs, or whose turn has come, ends in that
/// turn. Stackful tasks are asked to end, as by rota_task_cancel(), by the
/// first call only. Nobody joins its tasks afterwards: their handles end with
/// them. Its operations are cancelled and their futures closed, also those that
/// others wait for or shield, and promises. What a stepped task held (a lock, a
/// place) stays held: release it in `user_data_free`. (So the function of a map
/// or a chain is called, and a completion comes to be fetched, if something was
/// still to come.) Listeners that serve for it are closed.
///
/// What has not ended goes to `left`, which may be NULL: as
/// rota_owner_get_count(). At 0 nothing of the owner's comes any more. Until
/// then turn the loop and look again; what its tasks started while they cleaned
/// up you may cancel by calling this again. Called from one of the destructors
/// that it calls, it only counts.
///
/// It looks through all that the loop has, and takes no memory.
rota_status rota_owner_cancel(rota_owner owner, size_t *left);

/// How much that belongs to the owner has not ended: callbacks that are to
/// come, tasks that have not ended, operations that are pending or whose
/// outcome is on its way, serving listeners. A callback that runs may count
/// until it returns. It looks through all that the loop has.
rota_status rota_owner_get_count(rota_owner owner, size_t *out);

/// Ends an owner. ROTA_ERR_BUSY: something of it has not ended, and the owner
/// stays. Null closes nothing and succeeds. Owners that are left when the loop
/// is closed end with it.
rota_status rota_owner_close(rota_owner owner);

/// What is known about a task. `out->size` must be set.
rota_status rota_task_get_info(rota_task task, rota_task_info *out);

/// The tasks that have not ended, in the order in which they were spawned: the
/// first `capacity` of them go to `buffer`, and how many there are to `count`.
/// It sorts them, in memory of the loop's (ROTA_ERR_MEMORY).
rota_status rota_loop_get_tasks(rota_loop loop, rota_task *buffer,
    size_t capacity, size_t *count);

/// Says where all tasks stand, in lines for people: a tree of who waits for
/// whom, since when, what for, and (in debug mode) started where; then each
/// deadlock with the tasks in it; those who wait longest; and whether anything
/// is under way that could wake them. The words may change between versions:
/// programs use rota_task_get_info().
///
/// `line` is called with each line before this returns, with nothing of the
/// loop's in use; it may call anything but what runs or closes the loop. To
/// dump from another thread, post a callback that does it:
///
///     static void print(const char *line, void *user_data) {
///         (void)user_data;
///         fprintf(stderr, "%s\n", line);
///     }
///     static void dump(rota_loop loop, rota_status status, void *user_data) {
///         if (status == ROTA_OK) rota_loop_dump_tasks(loop, print, user_data);
///     }
///     ...
///     rota_loop_post(loop, dump, NULL);
///
/// It takes memory for the lines (ROTA_ERR_MEMORY: none was said), and time in
/// proportion to the tasks.
rota_status rota_loop_dump_tasks(rota_loop loop, rota_dump_fn line,
    void *user_data);

/// Calls `job` on another thread: one of the loop's, made when they are needed
/// and at most `max_threads` of them, or the host's executor. The future's
/// outcome is what the job returns. Cancelling withdraws a job that has not
/// begun; one that has begun goes on, and its outcome is what it returns.
/// `user_data` is in use until the future is done.
///
/// ROTA_ERR_NO_THREADS: the loop was opened without threads, or the host's
/// executor refused.
rota_future rota_loop_call_blocking(rota_loop loop, rota_job_fn job,
    void *user_data);

/// As rota_future_complete(), from any thread: the loop completes the promise
/// in its next turn. ROTA_OK: it was handed over; if the promise has been
/// completed or has ended by then, nothing happens. What one thread posts,
/// callbacks included, is done in its order. Thread-safe.
rota_status rota_future_post_complete(rota_future future, int64_t value);

/// As rota_future_complete_with(), from any thread; otherwise as
/// rota_future_post_complete(). `result_free` (which may be NULL) is called on
/// the loop's thread if nobody takes the result, also when the promise was
/// completed or had ended before. If this call fails, the pointer stays yours;
/// if the loop is abandoned, it is leaked. Thread-safe.
rota_status rota_future_post_complete_with(rota_future future, void *result,
    rota_free_fn result_free);

/// As rota_future_fail() without a message, from any thread; otherwise as
/// rota_future_post_complete(). Thread-safe.
rota_status rota_future_post_fail(rota_future future, int32_t status);

/// As rota_task_cancel(), from any thread: the loop asks the task in its next
/// turn. ROTA_OK: it was handed over; if the task has ended by then, nothing
/// happens. Thread-safe.
rota_status rota_task_post_cancel(rota_task task);

/// As rota_scope_cancel() without a reason, from any thread; otherwise as
/// rota_task_post_cancel(). Thread-safe.
rota_status rota_scope_post_cancel(rota_scope scope);

/// As rota_group_cancel() without a reason, from any thread; otherwise as
/// rota_task_post_cancel(). Thread-safe.
rota_status rota_group_post_cancel(rota_group group);

/// Blocks the calling thread until the future is done, and returns what it came
/// to in short form: the value, or the negative status. It claims the future,
/// which thus ends unless something else holds it; an object in it stays there,
/// for the loop's thread to take. Thread-safe.
///
/// `timeout_ns` is of the system's clock, ROTA_FOREVER is no limit. The loop's
/// own thread has to turn it meanwhile; a timeout of 0 is too short for its
/// answer. `out` may be NULL; it is written when the future was done, with a
/// message only where that is the library's own, which lives for ever.
///
/// ROTA_ERR_TIMEOUT with `out` unwritten: the time is over, the claim is taken
/// back, the future goes on. ROTA_ERR_CANCELLED: it was cancelled, or its loop
/// was closed. ROTA_ERR_HANDLE: it had ended, or its loop was abandoned.
/// ROTA_ERR_CLOSING: its loop is closing. ROTA_ERR_REENTRANT: the calling
/// thread is the loop's own, or inside a callback or a task of another loop; it
/// would hold up what it waits for. A future that is a value is answered at
/// once, on any thread.
int64_t rota_future_wait_blocking(rota_future future, uint64_t timeout_ns,
    rota_outcome *out);

/// Reads a numeric address: "127.0.0.1", "::1", "fe80::1%2" (the interface as a
/// number). ROTA_ERR_ADDRESS: it is none. Thread-safe.
rota_status rota_address_parse(const char *text, uint16_t port,
    rota_address *out);

/// Writes an address as "127.0.0.1:80" or "[::1]:80", cut to fit in `size`
/// bytes with its NUL; the full length goes to `length`, which may be NULL. 64
/// bytes hold every address. Thread-safe.
rota_status rota_address_format(const rota_address *address, char *buffer,
    size_t size, size_t *length);

/// Fills in the defaults. `size` is `sizeof *options`.
rota_status rota_resolve_options_init(rota_resolve_options *options,
    size_t size);

/// Finds the addresses of `host`, a name or a number, with the port of
/// `service`, a name or a number too; NULL is port 0. The future's value is how
/// many there are; rota_future_take_addresses() hands them out, the preferred
/// one first. Names are asked on another thread. Cancelling ends the future at
/// once. `options` may be NULL.
///
/// ROTA_ERR_NOT_FOUND: there is no such host or service; ROTA_ERR_RESOLVE: the
/// name service failed; ROTA_ERR_NO_THREADS: it is a name, and the loop was
/// opened without threads.
rota_future rota_loop_resolve(rota_loop loop, const char *host,
    const char *service, const rota_resolve_options *options);

/// Fills in the defaults. `size` is `sizeof *options`.
rota_status rota_listen_options_init(rota_listen_options *options, size_t size);

/// Listens for connections. `host` is a numeric address of this machine,
/// "localhost" for its own programs only (127.0.0.1), or NULL for every address
/// of both families. Port 0 picks a free one, see rota_listener_get_address().
/// `options` may be NULL.
///
/// ROTA_ERR_ADDRESS: not an address, or not one of this machine;
/// ROTA_ERR_ADDRESS_IN_USE, ROTA_ERR_ACCESS, ROTA_ERR_DESCRIPTORS: the system
/// says so.
rota_status rota_loop_listen(rota_loop loop, const char *host, uint16_t port,
    const rota_listen_options *options, rota_listener *out);

/// The address at which it listens, with the port that was picked.
rota_status rota_listener_get_address(rota_listener listener,
    rota_address *out);

/// A future for the next connection; rota_future_take_stream() hands it out.
/// Several may wait, and are answered in order. A process without descriptors
/// does not fail them: the log is told, and they wait until there are some.
/// ROTA_ERR_BUSY: the listener serves.
rota_future rota_listener_accept(rota_listener listener);

/// Accepts from now on, and runs `body` as a stackful task for each connection.
/// The stream is the body's to close; `user_data` is yours, and in use until
/// the listener is closed and these tasks have ended. Without descriptors or
/// memory it tells the log, rests, and goes on. ROTA_ERR_BUSY: the listener
/// serves already, or an accept is pending.
rota_status rota_listener_serve(rota_listener listener, rota_serve_fn body,
    void *user_data);

/// Listens no more: pending accepts end with ROTA_ERR_CANCELLED, connections
/// and the tasks that serve them go on. Closing null succeeds and does nothing.
rota_status rota_listener_close(rota_listener listener);

/// Fills in the defaults. `size` is `sizeof *options`.
rota_status rota_connect_options_init(rota_connect_options *options,
    size_t size);

/// Connects to `host` at `service`, names or numbers;
/// rota_future_take_stream() hands the connection out. Where the name has
/// several addresses, of both families say, they are tried one after the other,
/// each a little after the one before or as soon as that has failed, and the
/// first connection that stands is taken (RFC 8305). If none does, the status
/// is of the attempt that tells most, and the outcome's message says what came
/// of each. `options` may be NULL.
///
/// ROTA_ERR_NO_THREADS: the host is a name, and the loop was opened without
/// threads.
rota_future rota_loop_connect(rota_loop loop, const char *host,
    const char *service, const rota_connect_options *options);

/// Reads what there is, at least a byte and at most `size`; the value is how
/// many, 0 at the end of the stream (or if `size` is 0). The buffer is borrowed
/// until the future has ended. One read at a time: ROTA_ERR_BUSY. Cancelling
/// loses nothing.
rota_future rota_stream_read(rota_stream stream, void *buffer, size_t size);

/// Reads `size` bytes. ROTA_ERR_EOF: the stream ended before. What has come by
/// then, or before an error or a cancellation, is in the buffer, and the
/// outcome's `moved_bytes` says how much. As rota_stream_read() otherwise.
rota_future rota_stream_read_exactly(rota_stream stream, void *buffer,
    size_t size);

/// Reads up to and with a delimiter, which is copied; the value is how many
/// bytes that is. ROTA_ERR_LIMIT: the delimiter is not in the next `size`
/// bytes, all of which are still in the stream. ROTA_ERR_EOF: the stream ended
/// before it came; what was left is in the buffer, `moved_bytes` says how much.
/// ROTA_ERR_INVALID: the delimiter is empty or longer than `size`. As
/// rota_stream_read() otherwise.
rota_future rota_stream_read_until(rota_stream stream, void *buffer,
    size_t size, const void *delimiter, size_t delimiter_size);

/// Reads a line with its newline. The last line of a stream may lack it, and
/// comes without; after it the value is 0. ROTA_ERR_LIMIT as in
/// rota_stream_read_until(). As rota_stream_read() otherwise.
rota_future rota_stream_read_line(rota_stream stream, void *buffer,
    size_t size);

/// Writes all of `data`, which is borrowed until the future has ended; the
/// value is `size`. Several may be under way: they go in order. Failed or
/// cancelled, `moved_bytes` says exactly how much went; when one fails, those
/// behind it fail with it. ROTA_ERR_SHUT: the stream was shut down.
rota_future rota_stream_write(rota_stream stream, const void *data,
    size_t size);

/// Writes several buffers, in order, as if they were one. The array is read
/// during the call, what it points to is borrowed until the future has ended.
/// As rota_stream_write() otherwise.
rota_future rota_stream_write_vectored(rota_stream stream,
    const rota_buffer *buffers, size_t count);

/// Sends a copy of `data` in the background, in order with the writes. See
/// rota_stream_drain() for how not to fill the memory. If it cannot be sent in
/// the end, the next write, send or drain says why.
rota_status rota_stream_send(rota_stream stream, const void *data, size_t size);

/// A future that is done at once while no more than the high mark is buffered;
/// above it, when what is buffered has come down to the low mark. If it cannot
/// be sent, the future fails with the reason.
rota_future rota_stream_drain(rota_stream stream);

/// Sets the marks for rota_stream_drain(), in bytes; at first they are 16 and
/// 64 KiB. ROTA_ERR_INVALID: `low` is above `high`.
rota_status rota_stream_set_watermarks(rota_stream stream, size_t low,
    size_t high);

/// How many bytes given to rota_stream_send() have not been sent.
rota_status rota_stream_get_buffered(rota_stream stream, size_t *out);

/// Sends what is queued and then the end of the stream; reading goes on. The
/// future is done when that has gone. Later writes fail with ROTA_ERR_SHUT, a
/// second shutdown with ROTA_ERR_DONE.
rota_future rota_stream_shutdown(rota_stream stream);

/// Closes the connection and ends the handle. Pending operations end with
/// ROTA_ERR_CANCELLED and their exact counts; data given to rota_stream_send()
/// still goes out in the background. Closing null succeeds and does nothing.
rota_status rota_stream_close(rota_stream stream);

/// Resets the connection, drops everything that was to be sent, and ends the
/// handle. As rota_stream_close() otherwise.
rota_status rota_stream_abort(rota_stream stream);

/// The address on this side.
rota_status rota_stream_get_local_address(rota_stream stream,
    rota_address *out);

/// The address on the other side. ROTA_ERR_NOT_CONNECTED: it is gone.
rota_status rota_stream_get_peer_address(rota_stream stream, rota_address *out);

/// Whether small writes go out at once (they do unless this says otherwise), or
/// wait for the peer's answer to the ones before.
rota_status rota_stream_set_no_delay(rota_stream stream, bool on);

/// Whether a silent peer is probed, and after how long; 0 is the system's
/// choice, which counts in seconds anyway.
rota_status rota_stream_set_keep_alive(rota_stream stream, bool on,
    uint64_t idle_ns);

/// A lock among tasks and callbacks of one loop, which nobody holds yet. It
/// belongs to no task: whoever has the handle may release it.
rota_status rota_loop_open_lock(rota_loop loop, rota_lock *out);

/// A future for the lock: once it is complete, with 0, the lock is held. A lock
/// that is free is held at once; else the first to ask is the first to get it.
/// Cancelling the future, or the task that awaits it, leaves the line; one that
/// is complete holds the lock all the same, and has to release it.
rota_future rota_lock_acquire(rota_lock lock);

/// Hands the lock to the first who waits for it, or frees it. ROTA_ERR_INVALID:
/// nobody holds it.
rota_status rota_lock_release(rota_lock lock);

/// Whether somebody holds the lock.
rota_status rota_lock_is_locked(rota_lock lock, bool *out);

/// Ends the lock, held or not: those who wait for it end with
/// ROTA_ERR_CANCELLED. Closing its loop does the same. Closing null succeeds
/// and does nothing.
rota_status rota_lock_close(rota_lock lock);

/// A condition under a lock of the same loop: tasks and callbacks that hold the
/// lock wait here for something to become true. A lock may have many.
/// ROTA_ERR_HANDLE: the lock has ended, or is another loop's.
rota_status rota_loop_open_condition(rota_loop loop, rota_lock lock,
    rota_condition *out);

/// Lets go of the lock, which has to be held, and waits to be notified. The
/// future is complete, with 0, when this wait was notified and holds the lock
/// again; the first to wait is the first to be notified. What was waited for
/// may have changed until then: look again, and wait again if need be.
///
/// Cancelling the future, or the task that awaits it, makes it end with
/// ROTA_ERR_CANCELLED, and that only once the lock is held again: so after 0
/// and ROTA_ERR_CANCELLED alike the lock has to be released. A wait that was
/// notified before ends with 0 all the same. Only closing the future while
/// nobody waits for it gives the lock up; a notification that it had goes to
/// the next.
///
/// ROTA_ERR_SHUT: the lock, the condition or the loop was closed; the lock is
/// not held. ROTA_ERR_INVALID: nobody holds the lock. A wait that cannot begin
/// leaves the lock as it was.
rota_future rota_condition_wait(rota_condition condition);

/// Notifies the first `count` of those who wait, or as many as there are: each
/// goes on in its turn, once it has the lock. The lock may be held, which is
/// usual, or not. Nobody is notified later for want of somebody now.
rota_status rota_condition_notify(rota_condition condition, size_t count);

/// Notifies everybody who waits.
rota_status rota_condition_notify_all(rota_condition condition);

/// Ends the condition: those who wait for it end with ROTA_ERR_SHUT, and do not
/// hold the lock; those who were notified get it in their turn. Closing its
/// loop does the same. Closing null succeeds and does nothing.
rota_status rota_condition_close(rota_condition condition);

/// A lock among tasks and callbacks of one loop that many may hold to read, or
/// one to write. It belongs to no task: whoever has the handle may release it.
///
/// First come, first served: a writer who waits stops the readers that come
/// after him, and readers next to each other go together. So a reader must not
/// take it again while it holds it: a writer may wait in between.
rota_status rota_loop_open_rwlock(rota_loop loop, rota_rwlock *out);

/// A future for the lock, to read: once it is complete, with 0, it is held.
/// Cancelling it, or the task that awaits it, leaves the line; one that is
/// complete holds the lock all the same, and has to release it.
rota_future rota_rwlock_acquire_read(rota_rwlock rwlock);

/// As rota_rwlock_acquire_read(), to write.
rota_future rota_rwlock_acquire_write(rota_rwlock rwlock);

/// One reader lets go of the lock. ROTA_ERR_INVALID: nobody reads.
rota_status rota_rwlock_release_read(rota_rwlock rwlock);

/// The writer lets go of the lock. ROTA_ERR_INVALID: nobody writes.
rota_status rota_rwlock_release_write(rota_rwlock rwlock);

/// How many hold the lock to read.
rota_status rota_rwlock_get_readers(rota_rwlock rwlock, uint32_t *out);

/// Whether somebody holds the lock to write.
rota_status rota_rwlock_is_writing(rota_rwlock rwlock, bool *out);

/// Ends the lock, held or not: those who wait for it end with
/// ROTA_ERR_CANCELLED. Closing its loop does the same. Closing null succeeds
/// and does nothing.
rota_status rota_rwlock_close(rota_rwlock rwlock);

/// A semaphore with `value` places for tasks and callbacks of one loop. `flags`
/// is 0 or ROTA_SEMAPHORE_BOUNDED.
rota_status rota_loop_open_semaphore(rota_loop loop, uint64_t value,
    uint32_t flags, rota_semaphore *out);

/// A future for a place: once it is complete, with 0, the place is taken. A
/// free one is taken at once; else the first to ask is the first to get one.
/// Cancelling is as for rota_lock_acquire().
rota_future rota_semaphore_acquire(rota_semaphore semaphore);

/// Gives a place to the first who waits for one, or back. ROTA_ERR_LIMIT: it
/// has as many as it may have.
rota_status rota_semaphore_release(rota_semaphore semaphore);

/// How many places are free; if somebody waits, it is 0.
rota_status rota_semaphore_get_value(rota_semaphore semaphore, uint64_t *out);

/// Ends the semaphore: those who wait for a place end with ROTA_ERR_CANCELLED.
/// Closing its loop does the same. Closing null succeeds and does nothing.
rota_status rota_semaphore_close(rota_semaphore semaphore);

/// An event for tasks and callbacks of one loop, which is not set yet. `flags`
/// is 0 or ROTA_EVENT_AUTO_RESET.
rota_status rota_loop_open_event(rota_loop loop, uint32_t flags,
    rota_event *out);

/// Sets the event: everybody who waits for it is woken, in order, also if it is
/// cleared before he runs. Setting it again changes nothing. With
/// ROTA_EVENT_AUTO_RESET only the first who waits is woken, and the event stays
/// clear; if nobody waits it is set, once, for the next who comes.
rota_status rota_event_set(rota_event event);

/// Clears the event: who waits from now on waits until it is set again.
rota_status rota_event_clear(rota_event event);

/// Whether the event is set.
rota_status rota_event_is_set(rota_event event, bool *out);

/// A future that is complete, with 0, once the event is set; at once if it is,
/// which clears one with ROTA_EVENT_AUTO_RESET. Cancelling it ends this one
/// wait.
rota_future rota_event_wait(rota_event event);

/// Ends the event: those who wait for it end with ROTA_ERR_CANCELLED. Closing
/// its loop does the same. Closing null succeeds and does nothing.
rota_status rota_event_close(rota_event event);

/// A queue of pointers between tasks and callbacks of one loop. It holds at
/// most `capacity` of them; 0 is any number. `order` is ROTA_QUEUE_FIFO,
/// ROTA_QUEUE_LIFO or ROTA_QUEUE_PRIORITY. What the pointers point to stays
/// yours: nothing here reads it or lets go of it, and NULL is an item like
/// others.
rota_status rota_loop_open_queue(rota_loop loop, size_t capacity,
    uint32_t order, rota_queue *out);

/// A future that is complete, with 0, once the item is in the queue: at once if
/// there is room, else in the order in which they were put. Cancelled or
/// failed, it has put nothing. Where the order is by priority, this one is 0.
/// ROTA_ERR_SHUT: the queue was shut down.
rota_future rota_queue_put(rota_queue queue, void *item);

/// As rota_queue_put(), with a priority: the smallest comes out first, and
/// equals in the order in which they were put. Those who wait for room get it
/// in the order in which they came, whatever they put. ROTA_ERR_INVALID: the
/// queue has another order.
rota_future rota_queue_put_priority(rota_queue queue, void *item,
    int64_t priority);

/// A future for the next item; rota_future_take_result() hands it out. The
/// first to ask is the first to get one. Cancelling it while it is pending
/// leaves the line; once it is complete it holds the item until that is taken,
/// also if the task that awaits it is cancelled then. Closing it drops the
/// item. ROTA_ERR_SHUT: the queue was shut down, and is empty; or it was shut
/// down now.
rota_future rota_queue_get(rota_queue queue);

/// Puts an item if there is room now. ROTA_ERR_LIMIT: it is full;
/// ROTA_ERR_SHUT: it was shut down.
rota_status rota_queue_try_put(rota_queue queue, void *item);

/// As rota_queue_try_put(), with a priority as in rota_queue_put_priority().
rota_status rota_queue_try_put_priority(rota_queue queue, void *item,
    int64_t priority);

/// Takes the next item if there is one now. ROTA_ERR_PENDING: it is empty;
/// ROTA_ERR_SHUT: it is empty, and was shut down.
rota_status rota_queue_try_get(rota_queue queue, void **out);

/// How many items are in the queue.
rota_status rota_queue_get_size(rota_queue queue, size_t *out);

/// Says that an item which came out of the queue is done with, for
/// rota_queue_join(). ROTA_ERR_INVALID: as many were done as were put.
rota_status rota_queue_task_done(rota_queue queue);

/// A future that is complete, with 0, once every item that was put is done
/// with: see rota_queue_task_done().
rota_future rota_queue_join(rota_queue queue);

/// Nothing is put from now on: who waits to put, or tries, gets ROTA_ERR_SHUT.
/// Items that are in it come out as before; once it is empty, who waits to get,
/// or tries, gets ROTA_ERR_SHUT. Shutting it again changes nothing.
rota_status rota_queue_shutdown(rota_queue queue);

/// As rota_queue_shutdown(), and nothing is got from now on either: who waits
/// to get, or begins to, has ROTA_ERR_SHUT, also while items are left. No item
/// is dropped: those that are in the queue stay there for rota_queue_try_get(),
/// with which whoever shuts it down takes them, to let go of them. They count
/// as done with: rota_queue_join() waits for those only that had come out
/// before. Shutting it again changes nothing.
rota_status rota_queue_shutdown_now(rota_queue queue);

/// Ends the queue: who waits for it ends with ROTA_ERR_CANCELLED, and items
/// that are in it are forgotten; take them first if they have to be let go.
/// Closing its loop does the same. Closing null succeeds and does nothing.
rota_status rota_queue_close(rota_queue queue);

/// A barrier that `parties` tasks or callbacks of one loop pass together, again
/// and again. ROTA_ERR_INVALID: `parties` is 0.
rota_status rota_loop_open_barrier(rota_loop loop, uint32_t parties,
    rota_barrier *out);

/// A future that is complete once as many wait as there are parties: the last
/// one lets all of them go. Its value says as which one this wait came, from 0.
/// Cancelling it leaves the barrier: another has to come instead.
rota_future rota_barrier_wait(rota_barrier barrier);

/// How many wait at the barrier.
rota_status rota_barrier_get_waiting(rota_barrier barrier, uint32_t *out);

/// Empties the barrier: those who wait at it end with ROTA_ERR_CANCELLED, and
/// it begins again.
rota_status rota_barrier_reset(rota_barrier barrier);

/// Ends the barrier: those who wait at it end with ROTA_ERR_CANCELLED. Closing
/// its loop does the same. Closing null succeeds and does nothing.
rota_status rota_barrier_close(rota_barrier barrier);

/// A cell for a value that tasks or callbacks of one loop need, and that is
/// made once, by the first of them.
rota_status rota_loop_open_once(rota_loop loop, rota_once *out);

/// A future that is complete with 0 once the value is there, for
/// rota_once_get(); or with 1 for the one who is to make it, the first to ask:
/// that one has to call rota_once_set(), or rota_once_give_up() if it fails or
/// is cancelled on the way. All others wait until then. Cancelling ends this
/// one wait; a future that is complete with 1 is to make the value all the
/// same. If he who was told cannot any more (his owner was cancelled, the
/// future closed unread), any other may give up for him; until then the others
/// wait.
rota_future rota_once_begin(rota_once once);

/// Puts the value in the cell and lets everybody go who waits for it. When the
/// cell or its loop is closed, `value_free` (which may be NULL) is called with
/// it once. If this call fails the value stays yours: ROTA_ERR_INVALID: nobody
/// was told to make it; ROTA_ERR_DONE: it is there already.
rota_status rota_once_set(rota_once once, void *value, rota_free_fn value_free);

/// The value could not be made: the first who waits is told to make it, or else
/// the next who asks. Errors as rota_once_set().
rota_status rota_once_give_up(rota_once once);

/// The value, which stays the cell's. ROTA_ERR_PENDING: it is not there.
rota_status rota_once_get(rota_once once, void **out);

/// Ends the cell: its value is let go, inside this call, and those who wait end
/// with ROTA_ERR_CANCELLED. Closing its loop does the same, the values last.
/// Closing null succeeds and does nothing.
rota_status rota_once_close(rota_once once);

/// A channel: pointers from any thread and any loop to this loop, which
/// receives. It holds at most `capacity` of them, at least 1, and takes the
/// room for them now, from the system. What they point to stays yours: nothing
/// here reads it or lets go of it, and NULL is an item like others.
rota_status rota_loop_open_channel(rota_loop loop, size_t capacity,
    rota_channel *out);

/// Sends an item, from any thread: ROTA_OK, it is in, behind all that were sent
/// before. While there is no room it blocks the calling thread, for
/// `timeout_ns` of the system's clock at most (ROTA_FOREVER: no limit); those
/// who wait for room, threads and loops alike, get it in the order in which
/// they came. With any other answer the item is not in, and stays yours.
/// Thread-safe.
///
/// ROTA_ERR_LIMIT: there is no room, and `timeout_ns` is 0. ROTA_ERR_TIMEOUT:
/// the time is over. ROTA_ERR_SHUT: the channel was shut down.
/// ROTA_ERR_CANCELLED: it was closed meanwhile. ROTA_ERR_HANDLE: it was closed
/// before, or its loop was abandoned. ROTA_ERR_REENTRANT: there is no room, and
/// the thread may not block: it is the receiving loop's own, or inside a
/// callback or a task; use rota_loop_send() there.
rota_status rota_channel_send(rota_channel channel, void *item,
    uint64_t timeout_ns);

/// A future of this loop's that is complete, with 0, once the item is in the
/// channel, which may be of any loop and thread: at once if there is room, else
/// in the order in which they came, as with rota_channel_send(). Cancelled or
/// failed, it has put nothing in; a cancel that comes too late to take the item
/// back completes it with 0. Its failures are those of rota_channel_send().
rota_future rota_loop_send(rota_loop loop, rota_channel channel, void *item);

/// A future for the oldest item; rota_future_take_result() hands it out. The
/// first to ask is the first to get one. Cancelling it while it is pending
/// leaves the line; once it is complete it holds the item until that is taken.
/// Closing it drops the item. ROTA_ERR_SHUT: the channel was shut down, and is
/// empty.
rota_future rota_channel_receive(rota_channel channel);

/// Takes the oldest item if there is one now. ROTA_ERR_PENDING: it is empty, or
/// others wait for its items; ROTA_ERR_SHUT: it is empty, and was shut down.
rota_status rota_channel_try_receive(rota_channel channel, void **out);

/// Nothing is sent from now on: who waits for room, or tries, gets
/// ROTA_ERR_SHUT. Items that are in it come out as before; once it is empty,
/// who waits to receive, or tries, gets ROTA_ERR_SHUT. Shutting it again
/// changes nothing. Thread-safe.
rota_status rota_channel_shutdown(rota_channel channel);

/// How many items are in the channel. Thread-safe.
rota_status rota_channel_get_size(rota_channel channel, size_t *out);

/// How many senders, threads and loops, wait for room. Thread-safe.
rota_status rota_channel_get_waiting(rota_channel channel, size_t *out);

/// Ends the channel: who waits on either side ends with ROTA_ERR_CANCELLED, and
/// items that are in it are forgotten; shut it down and take them first if they
/// have to be let go. Closing its loop does the same. Closing null succeeds and
/// does nothing.
rota_status rota_channel_close(rota_channel channel);

/// A token: one call cancels it, and whoever looks, waits or is attached learns
/// that something is to end. A token below a `parent` of the same loop is
/// cancelled with it, at once if it is cancelled already; a null `parent` is
/// none.
rota_status rota_loop_open_token(rota_loop loop, rota_token parent,
    rota_token *out);

/// Cancels a token and all below it: those who wait for it go on, and the tasks
/// that are attached are asked to end, in the next turn, as by
/// rota_task_cancel_with(). `reason` is copied; NULL is none. A token that is
/// cancelled stays as it is, with its first reason.
rota_status rota_token_cancel(rota_token token, const char *reason);

/// As rota_token_cancel() without a reason, from any thread: from now on
/// rota_token_is_cancelled() says so of this token; all else, tokens below it
/// included, follows in the loop's next turn. Thread-safe.
rota_status rota_token_post_cancel(rota_token token);

/// Whether a token is cancelled, for those who look now and then. Thread-safe.
rota_status rota_token_is_cancelled(rota_token token, bool *out);

/// Why a token was cancelled, cut to fit and with a NUL; "" if it was not, or
/// without a reason. Its whole length goes to `length`, which may be NULL.
rota_status rota_token_get_reason(rota_token token, char *buffer, size_t size,
    size_t *length);

/// A future that is complete, with 0, once the token is cancelled. If the token
/// is closed before, it ends with ROTA_ERR_CANCELLED.
rota_future rota_token_wait(rota_token token);

/// A task of the same loop is asked to end when the token is cancelled, once;
/// in the next turn if it is cancelled already. It is let go when it ends, so
/// that a token may outlive any number of tasks; attaching it again changes
/// nothing before it is asked. ROTA_ERR_DONE: it has ended.
rota_status rota_token_attach(rota_token token, rota_task task);

/// Ends the token: who waits for it ends with ROTA_ERR_CANCELLED; tasks that
/// are attached go on, and tokens below it stand on their own. Closing its loop
/// does the same. Closing null succeeds and does nothing.
rota_status rota_token_close(rota_token token);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ROTA_H */
