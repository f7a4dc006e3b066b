// rota_step.h: stepped tasks without the bookkeeping.
//
// A stepped task (rota_loop_spawn_stepped) is a function that is called again
// for each step and has to find its place by itself. With these macros it is
// written from top to bottom; what it remembers stands in a struct of yours,
// its *frame*, which has a member `rota_step step`:
//
//     struct echo {
//         rota_step step;
//         rota_stream conn;
//         char buf[4096];
//     };
//
//     static int64_t serve(rota_task task, const rota_outcome *outcome,
//                          void *user_data) {
//         struct echo *self = (struct echo *)user_data;
//         int64_t n;
//         ROTA_STEP_BEGIN(self, task, outcome);
//         ROTA_STEP_WHILE(n, rota_stream_read(self->conn, self->buf,
//                                             sizeof self->buf), n > 0) {
//             ROTA_STEP_AWAIT(n, rota_stream_write(self->conn, self->buf,
//                                                  (size_t)n));
//             if (n < 0) break;
//         }
//         rota_stream_close(self->conn);
//         ROTA_STEP_END(n);
//     }
//
// A frame is all zero before its function is called for the first time; one
// whose function has ended may be used again. It stays where it is, and yours,
// until then.
//
// THE LIMITS
//
//  1. The function returns at each await, and comes back. What must survive
//     that stands in the frame. A local variable that is declared before
//     ROTA_STEP_BEGIN may be used between two awaits, as `n` above; after an
//     await it is worth nothing until it is assigned again. C++ refuses one
//     that is initialised after ROTA_STEP_BEGIN in a block with an await; C
//     does not (gcc warns of it with -Wjump-misses-init).
//  2. The function's body is a switch: no await, yield or call inside a switch
//     of your own (it ends the function with ROTA_ERR_INVALID, or does not
//     compile), and none in a try block of C++. `case` and `default` between
//     BEGIN and END need a switch of their own.
//  3. One await, yield or call in a line, because its place is __LINE__. A
//     macro of yours that has two of them does not compile; under MSVC /ZI
//     (edit and continue) none does.
//  4. Between BEGIN and END leave with ROTA_STEP_RETURN or at the END, so that
//     the frame may be used again.
//  5. They are statements, not expressions. `result` is where the short form
//     goes, and is evaluated when the wait is over; ROTA_STEP_IGNORE drops it.
//     `future` is evaluated once, when the wait begins; the arguments of
//     ROTA_STEP_CALL each time that the task goes on.
//
// It is C99 and C++11, needs rota.h alone, and links with nothing.

#ifndef ROTA_STEP_H
#define ROTA_STEP_H

#include "rota.h"

/// The place in a function: a member of its frame, with the name `step`.
typedef struct {
    /// Private: 0 is the beginning.
    int32_t line;
} rota_step;

/// For a result that nobody wants.
#define ROTA_STEP_IGNORE rota_step_ignored

/// Begins the function's body: goes to where it left. `task` and `outcome` are
/// what the function was called with. After an await `outcome` is the full
/// outcome, until the next; after a call it is that of the last await in there.
#define ROTA_STEP_BEGIN(frame, task, outcome)                                  \
    rota_step *const rota_step_here = &(frame)->step;                          \
    const rota_task rota_step_task = (task);                                   \
    const rota_outcome *const rota_step_outcome = (outcome);                   \
    int64_t rota_step_ignored = 0;                                             \
    int32_t rota_step_back = 0;                                                \
    int64_t rota_step_result = rota_step_outcome->status < 0                   \
                                   ? (int64_t)rota_step_outcome->status        \
                                   : rota_step_outcome->value;                 \
    (void)rota_step_ignored;                                                   \
    (void)rota_step_back;                                                      \
    (void)rota_step_result;                                                    \
    (void)rota_step_task;                                                      \
    switch (rota_step_here->line) {                                            \
    case 0:

/// Ends the function's body, and the function: `value` is what it returns, as
/// with ROTA_STEP_RETURN.
#define ROTA_STEP_END(value)                                                   \
        ROTA_STEP_RETURN(value);                                               \
    default:                                                                   \
        break;                                                                 \
    }                                                                          \
    rota_step_here->line = 0;                                                  \
    return (int64_t)ROTA_ERR_INVALID

/// Ends the function with a value at or above zero, or a negative status. The
/// frame may be used again.
#define ROTA_STEP_RETURN(value)                                                \
    do {                                                                       \
        rota_step_here->line = 0;                                              \
        return (value);                                                        \
    } while (0)

/// Waits for `future`; `result` is what it came to in the short form: the
/// value, or the negative status. A future that nobody can wait for (a stale
/// handle) gives its status at once; `outcome` is then the one before.
#define ROTA_STEP_AWAIT(result, future)                                        \
    do {                                                                       \
        ROTA_STEP_LEAVE_(rota_task_wait(rota_step_task, (future)));            \
        (result) = rota_step_result;                                           \
    } while (0)

/// Gives up the turn; `result` is 0, or ROTA_ERR_CANCELLED if the task was
/// asked to end.
#define ROTA_STEP_YIELD(result)                                                \
    do {                                                                       \
        ROTA_STEP_LEAVE_(rota_task_yield(rota_step_task));                     \
        (result) = rota_step_result;                                           \
    } while (0)

/// A loop around an await: `while ((result = await future), condition)`. A
/// block follows. In it `break` ends the loop, `continue` is the next await,
/// and there may be further awaits. `future` is evaluated for each round.
#define ROTA_STEP_WHILE(result, future, condition)                             \
    for (rota_step_here->line = __LINE__,                                      \
         rota_step_result = rota_task_wait(rota_step_task, (future));          \
         rota_step_result == ROTA_STEP_WAIT                                    \
             || ((result) = rota_step_result, (condition));                    \
         rota_step_result = rota_step_back                                     \
             ? (rota_step_back = 0, rota_step_result)                          \
             : (rota_step_here->line = __LINE__,                               \
                rota_task_wait(rota_step_task, (future))))                     \
        if (rota_step_result == ROTA_STEP_WAIT) {                              \
            return ROTA_STEP_WAIT;                                             \
    case __LINE__:                                                             \
            rota_step_back = 1; /* to the loop's condition, without a wait */  \
        } else

/// Calls another function of this kind, which waits on behalf of this one;
/// `result` is what it returns in the end. `frame` points to its frame, most
/// simply a member of this one; a function that calls itself needs a new one
/// for each depth. It starts at its beginning. Its third parameter may be of
/// the frame's type. Each step goes down through all calls that are open.
#define ROTA_STEP_CALL(result, function, frame)                                \
    do {                                                                       \
        rota_step_here->line = __LINE__;                                       \
        (frame)->step.line = 0;                                                \
        if (0) {                                                               \
    case __LINE__:;                                                            \
        }                                                                      \
        rota_step_result =                                                     \
            (function)(rota_step_task, rota_step_outcome, (frame));            \
        if (rota_step_result == ROTA_STEP_WAIT) return ROTA_STEP_WAIT;         \
        (result) = rota_step_result;                                           \
    } while (0)

// Remembers the place and returns to wait; comes back with the result.
#define ROTA_STEP_LEAVE_(wait)                                                 \
    rota_step_here->line = __LINE__;                                           \
    rota_step_result = (wait);                                                 \
    if (rota_step_result == ROTA_STEP_WAIT) return ROTA_STEP_WAIT;             \
    if (0) {                                                                   \
    case __LINE__:;                                                            \
    }

#endif  // ROTA_STEP_H
