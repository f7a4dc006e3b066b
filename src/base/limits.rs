//! Every number of the library that is a choice, each with its reason.

/// A stackful task's stack where the host names no size: address space, of which only touched pages cost memory.
pub const STACK_SIZE: usize = 256 * 1024;
/// The least stack we give: printf and getaddrinfo of C libraries need tens of kilobytes.
pub const STACK_SIZE_MIN: usize = 16 * 1024;
/// The most: a mistyped size must not take the address space.
pub const STACK_SIZE_MAX: usize = 1 << 30;
/// Below every stack of ours, pages that nobody may touch: a frame that jumps over a single page is not rare (a path or
/// a line on the stack), one over sixteen is.
pub const STACK_GUARD: usize = 64 * 1024;
/// What a stack that waits for its next task keeps of its pages: what usual bodies touch again.
pub const STACK_KEEP: usize = 16 * 1024;
/// After so many tasks a stack gives its deeper pages back, whether they were used or not: that costs less than finding
/// out, and little where it is seldom.
pub const STACK_LIVES: u32 = 64;
/// Stacks that are trimmed before the loop waits: a few microseconds, which nobody needed.
pub const STACKS_TRIMMED: usize = 16;
/// Stacks in a loop's first arena, and address space that it takes at most; each further one doubles what there is.
pub const ARENA_FIRST_STACKS: usize = 16;
/// See there.
pub const ARENA_FIRST: usize = 64 * 1024 * 1024;
/// The address space of an arena at most: large enough for few mappings, small enough to be given back one by one.
pub const ARENA_MOST: usize = 1 << 30;
/// Debug mode warns of a task that used more than so many eighths of its stack.
pub const STACK_EIGHTHS: usize = 6;
/// Stacks kept for reuse where the host names no number.
pub const STACKS_KEPT: u32 = 1024;
/// Threads of the executor where the host names no number; blocking calls wait more than they compute.
pub const THREADS: u32 = 8;
/// The most threads a host may ask for.
pub const THREADS_MAX: u32 = 1024;
/// While callbacks keep the queue filled, the system is asked after every so many of them: asking costs about 170 ns, a
/// callback a few (DESIGN.md, section 3).
pub const CALLBACKS_PER_POLL: u64 = 256;
/// How long the system may be left alone at most.
pub const POLL_INTERVAL_NS: u64 = 100_000;
/// How often a task may go on without waiting before it is made to yield; tokio's figure is 128.
pub const TASK_BUDGET: u32 = 128;
/// How deep eager tasks may start each other: each level stands on the host's stack, which may be a small one.
pub const EAGER_NESTING: u32 = 16;
/// Debug mode reports a callback that ran longer; asyncio's figure.
pub const SLOW_CALLBACK_NS: u64 = 100_000_000;
/// Between two connection attempts: RFC 8305's recommendation.
pub const ATTEMPT_DELAY_NS: u64 = 250_000_000;
/// After an accept found no descriptor, how long to leave the listener alone; asyncio waits a second.
pub const ACCEPT_BACKOFF_NS: u64 = 100_000_000;
/// Connections accepted for one listener before others have their turn.
pub const ACCEPTS_PER_EVENT: u32 = 64;
/// The queue of connections not yet accepted, where the host names no length; the kernel cuts it to its own limit.
pub const BACKLOG: u32 = 1024;
/// Sent for one stream before others have their turn: more than any socket's buffer takes at once, so that only
/// a peer as fast as memory meets it.
pub const SEND_MAX: usize = 1024 * 1024;
/// Above this many bytes given to send, drain waits; asyncio's figure.
pub const HIGH_WATER: usize = 64 * 1024;
/// ... until no more than this are left.
pub const LOW_WATER: usize = HIGH_WATER / 4;
/// What a read with a delimiter fetches at a time.
pub const LOOKAHEAD: usize = 4096;
/// Buffers in one vectored write; the system's IOV_MAX is 1024.
pub const BUFFERS_MAX: usize = 1024;
/// The longest host or service name: RFC 1035 allows 253 characters, and a zone may follow.
pub const NAME_MAX: usize = 320;
/// The longest name of a task that is kept.
pub const TASK_NAME_MAX: usize = 255;
/// Events taken from the system at a time: more wait for the next turn.
pub const EVENTS_PER_WAIT: usize = 1024;
/// While a loop closes and has to wait for other threads, how long it waits before it looks at its limit again.
pub const CLOSE_STEP_NS: u64 = 10_000_000;
/// Turns that closing makes for what is ready, even where the host gives no time: enough for callbacks and for cleanup
/// that does not wait, and an end for tasks that only ever yield.
pub const CLOSE_TURNS: u32 = 64;
/// Futures combined at once: a mistyped count must not make us read all memory.
pub const COMBINED_MAX: usize = 1 << 20;
/// Failures that are remembered behind one: what comes by in a loop of retries must not take all memory.
pub const CAUSES_MAX: usize = 16;
/// The longest message that fails a promise.
pub const MESSAGE_MAX: usize = 4095;
/// Blocks set aside for posts from other threads; what exceeds them comes from the system's allocator.
pub const POSTS_SET_ASIDE: usize = 256;
