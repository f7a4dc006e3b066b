"""Writes a C program that gives bad input to every function that a header exports.

    python3 tests/bad_input.py include/rota.h > bad_input_generated.c

Each function is called with handles that are null, ended, forged or of another kind, from a wrong
thread, with NULL for each pointer, and with the extremes of each number, each flag and each text.
What is right in general is derived from the types; where a function has its own answer it stands in
a table below. A function that no rule covers, and a row of a table that fits no function, is an
error: so no function is forgotten. The program is built on tests/c/bad_input.h.
"""

import re
import sys

KINDS = {  # the type of a handle: its kind, and the fixture's member
    "rota_loop": ("LOOP", "loop"),
    "rota_call": ("CALL", "call"),
    "rota_timer": ("TIMER", "timer"),
    "rota_future": ("FUTURE", "future"),
    "rota_task": ("TASK", "task"),
    "rota_listener": ("LISTENER", "listener"),
    "rota_stream": ("STREAM", "stream"),
    "rota_lock": ("LOCK", "lock"),
    "rota_semaphore": ("SEMAPHORE", "semaphore"),
    "rota_event": ("EVENT", "event"),
    "rota_queue": ("QUEUE", "queue"),
    "rota_barrier": ("BARRIER", "barrier"),
    "rota_channel": ("CHANNEL", "channel"),
    "rota_token": ("TOKEN", "token"),
    "rota_condition": ("CONDITION", "condition"),
    "rota_rwlock": ("RWLOCK", "rwlock"),
    "rota_once": ("ONCE", "once"),
    "rota_owner": ("OWNER", "owner"),
    "rota_scope": ("SCOPE", "scope"),
    "rota_set": ("SET", "set"),
    "rota_group": ("GROUP", "group"),
}

CALLBACKS = {  # the type of a callback: one that does nothing
    "rota_call_fn": "no_call",
    "rota_timer_fn": "no_timer",
    "rota_future_fn": "no_future",
    "rota_free_fn": "no_free",
    "rota_job_fn": "no_job",
    "rota_task_fn": "no_task",
    "rota_step_fn": "no_step",
    "rota_serve_fn": "no_serve",
    "rota_dump_fn": "no_line",
    "rota_map_fn": "no_map",
    "rota_chain_fn": "no_chain",
}

INTEGERS = {  # the extremes of each type
    "uint64_t": ["0", "1", "UINT64_MAX", "UINT64_MAX - 1", "(uint64_t)INT64_MAX + 1"],
    "int64_t": ["0", "-1", "INT64_MIN", "INT64_MAX", "ROTA_STATUS_HOST"],
    "uint32_t": ["0", "UINT32_MAX"],
    "int32_t": ["0", "1", "-1", "INT32_MIN", "INT32_MAX", "-18", "-999999"],
    "uint16_t": ["0", "65535"],
    "size_t": ["0", "1", "SIZE_MAX", "SIZE_MAX / 2 + 1"],
}

# Good integers by the name of the parameter; 0 if it is not here.
GOOD_INTEGERS = {"size": "64", "capacity": "2", "count": "1", "delimiter_size": "2", "low": "1",
                 "high": "2", "value": "1", "status": "ROTA_ERR_TIMEOUT",
                 "parties": "2"}

TEXTS = {"host": '"127.0.0.1"', "service": '"9"', "text": '"127.0.0.1"', "message": '"message"',
         "reason": '"reason"'}
BAD_TEXTS = ['"\\xff\\xfe"', '"\\xc3"', '"\\xed\\xa0\\x80"', '""', "long_text"]

# Functions of which closing null "succeeds and does nothing".
NULL_SUCCEEDS = {
    "rota_loop_close", "rota_loop_abandon", "rota_future_close", "rota_listener_close",
    "rota_stream_close", "rota_stream_abort", "rota_lock_close", "rota_semaphore_close",
    "rota_event_close", "rota_queue_close", "rota_barrier_close", "rota_owner_close", "rota_condition_close",
    "rota_rwlock_close", "rota_once_close", "rota_scope_leave",
}
# Structs to be filled that say their size first.
SIZED = {"rota_loop_stats", "rota_turn_figures", "rota_completion", "rota_failure", "rota_task_info"}

# Functions of which closing null "succeeds and does nothing".
NULL_SUCCEEDS = {
    "rota_loop_close", "rota_loop_abandon", "rota_future_close", "rota_listener_close",
    "rota_stream_close", "rota_stream_abort", "rota_lock_close", "rota_semaphore_close",
    "rota_event_close", "rota_queue_close", "rota_barrier_close", "rota_condition_close",
    "rota_rwlock_close", "rota_once_close", "rota_scope_leave",
    "rota_set_close",
}
SIZED = {"rota_loop_stats", "rota_turn_figures", "rota_completion", "rota_task_info",
         "rota_failure"}

# Functions that succeed with null and do nothing, besides all that are named rota_..._close.
NULL_SUCCEEDS = {"rota_loop_abandon", "rota_stream_abort", "rota_scope_leave"}
SIZED = {"rota_loop_stats", "rota_turn_figures", "rota_completion", "rota_task_info",
         "rota_failure"}

# Functions that succeed with null and do nothing, besides all that are named rota_..._close.
NULL_SUCCEEDS = {"rota_loop_abandon", "rota_stream_abort", "rota_scope_leave"}

# Handles that may be null: it stands for none.
NULL_HANDLES = {("rota_loop_open_token", "parent"), ("rota_loop_set_owner", "owner")}

# What else a bad handle may be answered with, besides ROTA_ERR_HANDLE: no task runs here.
BAD_HANDLE_TOO = {"rota_await": ["ROTA_ERR_NO_TASK"],
                  "rota_task_yield": ["ROTA_ERR_NO_TASK"],
                  "rota_task_wait": ["ROTA_ERR_NO_TASK"],
                  "rota_task_fail": ["ROTA_ERR_NO_TASK"],
                  # Handed over: whether it names anything is seen in the loop's next turn.
                  "rota_future_post_complete": ["ROTA_OK"],
                  "rota_future_post_complete_with": ["ROTA_OK"],
                  "rota_future_post_fail": ["ROTA_OK"],
                  "rota_task_post_cancel": ["ROTA_OK"],
                  "rota_scope_post_cancel": ["ROTA_OK"],
                  "rota_group_post_cancel": ["ROTA_OK"],
                  # The calling thread is the loop's own.
                  "rota_future_wait_blocking": ["ROTA_ERR_REENTRANT"]}

# Pointers that may be NULL, by function and parameter; user_data and options always may.
NULLABLE = {
    ("rota_address_format", "length"), ("rota_loop_call_soon", "out"),
    ("rota_loop_call_later", "out"), ("rota_loop_call_at", "out"), ("rota_loop_turn", "figures"),
    ("rota_future_complete_with", "result"), ("rota_future_complete_with", "result_free"),
    ("rota_future_post_complete_with", "result"),
    ("rota_future_post_complete_with", "result_free"), ("rota_future_wait_blocking", "out"),
    ("rota_future_fail", "message"), ("rota_future_remove", "removed"),
    ("rota_future_remove_drain", "removed"),
    ("rota_future_fail_because", "message"), ("rota_task_fail", "message"),
    ("rota_future_take_addresses", "count"), ("rota_loop_listen", "host"),
    ("rota_loop_resolve", "service"), ("rota_loop_connect", "service"),
    ("rota_loop_spawn", "out"), ("rota_loop_spawn_stepped", "out"),
    ("rota_queue_put", "item"), ("rota_queue_try_put", "item"),
    ("rota_loop_open_owner", "dropped"), ("rota_loop_set_owner", "before"),
    ("rota_owner_cancel", "left"),
    ("rota_token_cancel", "reason"), ("rota_token_get_reason", "length"),
    ("rota_channel_send", "item"), ("rota_loop_send", "item"),
    ("rota_task_set_local", "value"), ("rota_task_set_local", "value_free"),
    ("rota_queue_put_priority", "item"), ("rota_queue_try_put_priority", "item"),
    ("rota_once_set", "value"), ("rota_once_set", "value_free"),
    ("rota_task_uncancel", "left"), ("rota_task_get_name", "length"),
    ("rota_task_cancel_with", "reason"), ("rota_scope_cancel", "reason"),
    ("rota_group_cancel", "reason"), ("rota_group_spawn", "out"), ("rota_group_spawn_stepped", "out"),
    ("rota_group_start", "out"), ("rota_group_start_stepped", "out"),
}

# What NULL may be answered with where it is not allowed, besides ROTA_ERR_INVALID.
NULL_TOO = {"rota_future_take_stream": ["ROTA_ERR_PENDING"],
            "rota_future_take_result": ["ROTA_ERR_PENDING"],
            "rota_future_take_addresses": ["ROTA_ERR_PENDING"],
            "rota_future_get_outcome": ["ROTA_ERR_PENDING"],
            "rota_loop_get_current": ["ROTA_ERR_HANDLE"],
            "rota_task_get_current": ["ROTA_ERR_NO_TASK"]}

# Numbers that must be refused, with what.
REFUSED_NUMBERS = {
    ("rota_future_complete", "value"): {
        "-1": ["ROTA_ERR_INVALID"], "INT64_MIN": ["ROTA_ERR_INVALID"],
        "ROTA_STATUS_HOST": ["ROTA_ERR_INVALID"]},
    ("rota_future_fail", "status"): {
        number: ["ROTA_ERR_INVALID"] for number in ["0", "1", "INT32_MAX", "-18", "-999999"]},
    ("rota_future_post_complete", "value"): {
        "-1": ["ROTA_ERR_INVALID"], "INT64_MIN": ["ROTA_ERR_INVALID"],
        "ROTA_STATUS_HOST": ["ROTA_ERR_INVALID"]},
    ("rota_future_post_fail", "status"): {
        number: ["ROTA_ERR_INVALID"] for number in ["0", "1", "INT32_MAX", "-18", "-999999"]},
    ("rota_loop_open_semaphore", "flags"): {"UINT32_MAX": ["ROTA_ERR_INVALID"]},
    ("rota_set_add", "tag"): {number: ["ROTA_ERR_INVALID"] for number in [
        "UINT64_MAX", "UINT64_MAX - 1", "(uint64_t)INT64_MAX + 1"]},
    ("rota_loop_race", "count"): {"0": ["ROTA_ERR_INVALID"]},
    ("rota_loop_race", "flags"): {"UINT32_MAX": ["ROTA_ERR_INVALID"]},
    ("rota_loop_open_event", "flags"): {"UINT32_MAX": ["ROTA_ERR_INVALID"]},
    ("rota_loop_open_queue", "order"): {"UINT32_MAX": ["ROTA_ERR_INVALID"]},
    ("rota_loop_open_barrier", "parties"): {"0": ["ROTA_ERR_INVALID"]},
    ("rota_loop_open_channel", "capacity"): {
        "0": ["ROTA_ERR_INVALID"], "SIZE_MAX": ["ROTA_ERR_MEMORY"],
        "SIZE_MAX / 2 + 1": ["ROTA_ERR_MEMORY"]},
    ("rota_task_enter_scope", "flags"): {"UINT32_MAX": ["ROTA_ERR_INVALID"]},
    ("rota_task_started", "value"): {
        number: ["ROTA_ERR_INVALID"] for number in ["-1", "INT64_MIN", "ROTA_STATUS_HOST"]},
    ("rota_stream_set_watermarks", "low"): {"SIZE_MAX": ["ROTA_ERR_INVALID"]},
}
# Sizes of memory that no machine has: nothing there may be touched.
TOO_LARGE = ["SIZE_MAX", "SIZE_MAX / 2 + 1"]
LARGE_REFUSED = {
    ("rota_stream_read", "size"), ("rota_stream_read_exactly", "size"),
    ("rota_stream_read_until", "size"), ("rota_stream_read_until", "delimiter_size"),
    ("rota_stream_read_line", "size"), ("rota_stream_write", "size"),
    ("rota_stream_write_vectored", "count"), ("rota_stream_send", "size"),
    ("rota_loop_gather", "count"), ("rota_loop_wait", "count"), ("rota_loop_race", "count"),
}

# Functions that end the loop when they succeed.
ENDS_LOOP = {"rota_loop_close", "rota_loop_abandon"}

# What must be let go after a call that succeeded.
CLEANUP = {"rota_loop_open": "if (result == ROTA_OK) (void)rota_loop_close(out_rota_loop, SECOND);"}

# Functions that take nothing, so that nothing bad can be given to them.
TAKES_NOTHING = {"rota_version", "rota_version_text", "rota_os_error"}

# What a function of the wrong thread is answered with besides ROTA_ERR_THREAD.
WRONG_THREAD_TOO = {"rota_await": ["ROTA_ERR_NO_TASK"], "rota_task_yield": ["ROTA_ERR_NO_TASK"],
                    "rota_task_wait": ["ROTA_ERR_NO_TASK"]}


class Problem(Exception):
    """The header has something that no rule covers."""


class Parameter:
    """One parameter: its type without spaces around stars, and its name."""

    def __init__(self, text):
        match = re.fullmatch(r"(.*?[\s*])(\w+)", text.strip())
        if not match:
            raise Problem(f"a parameter without a name: {text!r}")
        self.type = re.sub(r"\s*\*\s*", "*", match[1].strip()).replace("**", "**")
        self.name = match[2]
        self.c_type = match[1].strip()

    @property
    def is_handle(self):
        return self.type in KINDS

    @property
    def is_pointer(self):
        return "*" in self.type or self.type in CALLBACKS

    @property
    def is_options(self):
        return self.type.startswith("const ") and self.type.endswith("_options*")

    def good(self, function):
        """A C expression for a value that is right."""
        plain = self.type.replace("const ", "").rstrip("*")
        if self.is_handle:
            return f"fx->{KINDS[self.type][1]}"
        if self.type in CALLBACKS:
            return CALLBACKS[self.type]
        if self.type in INTEGERS:
            if function.name.endswith("_options_init"):
                return f"sizeof(*args.{function.parameters[0].name})"
            return GOOD_INTEGERS.get(self.name, "0")
        if self.type == "bool":
            return "true"
        if self.type == "const char*":
            if self.name not in TEXTS:
                raise Problem(f"{function.name}: no good text for {self.name}")
            return TEXTS[self.name]
        if self.type in ("void*", "const void*", "char*"):
            return "memory"
        if self.type.startswith("const ") and plain in KINDS:
            return f"&fx->{KINDS[plain][1]}"
        if self.type == "void**":
            return "&out_pointer"
        if self.is_pointer:
            return f"&out_{plain}" if plain in (*INTEGERS, "bool") else f"prepared_{plain}()"
        raise Problem(f"{function.name}: no good value for {self.c_type} {self.name}")


class Function:
    """An exported function, with the comment before it."""

    def __init__(self, comment, returns, name, parameters):
        self.name = name
        self.returns = re.sub(r"\s*\*\s*", "*", returns.strip())
        self.thread_safe = "Thread-safe." in comment
        inner = parameters.strip()
        self.parameters = [] if inner == "void" else [Parameter(p) for p in inner.split(",")]

    @property
    def handles(self):
        return [p for p in self.parameters if p.is_handle]


def functions_of(text):
    """Every function that is declared, in the order of the header."""
    pattern = re.compile(r"((?:^///.*\n)*)^([a-z_][\w ]*?[ *]+)(rota_\w+)\(([^()]*)\);", re.M)
    found = [Function(*match.groups()) for match in pattern.finditer(text)]
    code = re.sub(r"//.*", "", text)
    code = re.sub(r"^typedef[^;{]*;", "", code, flags=re.M)
    named = set(re.findall(r"\b(rota_\w+)\s*\(", code))
    missed = named - {function.name for function in found}
    if missed:
        raise Problem(f"not understood: {', '.join(sorted(missed))}")
    return found


def check_tables(functions):
    """Every row of a table names something that there is."""
    known = {f.name for f in functions}
    pairs = {(f.name, p.name) for f in functions for p in f.parameters}
    names = (NULL_SUCCEEDS | set(BAD_HANDLE_TOO) | set(NULL_TOO) | ENDS_LOOP | set(CLEANUP)
             | TAKES_NOTHING | set(WRONG_THREAD_TOO))
    stray = sorted(names - known)
    stray += sorted(map(str, (NULLABLE | NULL_HANDLES | set(REFUSED_NUMBERS) | LARGE_REFUSED) - pairs))
    if stray:
        raise Problem(f"in a table, but not in the header: {', '.join(stray)}")


class Writer:
    """The program as it grows."""

    def __init__(self, functions):
        self.functions = functions
        self.lines = []

    def put(self, text):
        self.lines.append(text)

    def prepared(self):
        """For each struct that is handed in or out: one that is prepared."""
        types = {}
        for function in self.functions:
            for parameter in function.parameters:
                plain = parameter.type.replace("const ", "").rstrip("*")
                if parameter.type.startswith("const ") and plain in KINDS:
                    continue  # a list of handles: the fixture's own
                if parameter.type.endswith("*") and plain.startswith("rota_"):
                    types[plain] = None
        inits = {f.name for f in self.functions}
        for plain in types:
            self.put(f"static {plain} out_{plain};")
            self.put(f"static {plain} *prepared_{plain}(void) {{")
            self.put(f"    memset(&out_{plain}, 0, sizeof out_{plain});")
            if f"{plain}_init" in inits:
                self.put(f"    CHECK_STATUS({plain}_init(&out_{plain}, sizeof out_{plain}), 0);")
            elif plain in SIZED:
                self.put(f"    out_{plain}.size = sizeof out_{plain};")
            elif plain == "rota_address":
                self.put(f'    CHECK_STATUS(rota_address_parse("::1", 1, &out_{plain}), 0);')
            elif plain == "rota_buffer":
                self.put(f"    out_{plain}.data = memory;")
                self.put(f"    out_{plain}.size = sizeof memory;")
            self.put(f"    return &out_{plain};")
            self.put("}\n")

    def call(self, function):
        """A struct of arguments, good ones, and the call."""
        name, parameters = function.name, function.parameters
        members = "".join(f"    {p.c_type} {p.name};\n" for p in parameters)
        self.put(f"typedef struct {{\n{members}    int64_t answer;\n}} {name}_args;\n")
        self.put(f"static {name}_args {name}_good(fixture *fx) {{")
        self.put(f"    {name}_args args;")
        self.put("    (void)fx;")
        self.put("    memset(&args, 0, sizeof args);")
        for p in parameters:
            self.put(f"    args.{p.name} = {p.good(function)};")
        self.put("    return args;\n}\n")
        call = f"{name}({', '.join('args->' + p.name for p in parameters)})"
        if function.returns == "rota_future":
            call = f"came_to({call})"
        elif function.returns.endswith("*"):
            call = f"{call} != NULL ? 0 : ROTA_ERR_PANIC"
        self.put(f"static void *{name}_call(void *argument) {{")
        self.put(f"    {name}_args *args = argument;")
        self.put(f"    args->answer = {call};")
        self.put("    return NULL;\n}\n")

    def expected(self, codes):
        return "(const int64_t[]){" + ", ".join(codes + ["END"]) + "}"

    def handles(self, function):
        """Null, ended, forged and of other kinds, for each handle in turn."""
        name = function.name
        for p in function.handles:
            kind = KINDS[p.type][0]
            codes = ["ROTA_ERR_HANDLE"] + BAD_HANDLE_TOO.get(name, [])
            first = p is function.handles[0]
            closes = name in NULL_SUCCEEDS or name.endswith("_close")
            may_be = (name, p.name) in NULL_HANDLES
            null = ["ROTA_OK"] if first and closes or may_be else codes
            closes = first and (name in NULL_SUCCEEDS or name.endswith("_close"))
            null = ["ROTA_OK"] if closes or (name, p.name) in NULL_HANDLES else codes
            self.put(f"    count = bad_handles(fx, {kind}, bad);")
            self.put("    for (i = 0; i <= count; i++) {")
            self.put(f"        {name}_args args = {name}_good(fx);")
            self.put(f"        args.{p.name}.id = i == count ? 0 : bad[i];")
            self.put(f"        {name}_call(&args);")
            self.put(f'        expect("{name}, {p.name}", args.{p.name}.id, args.answer,')
            self.put(f"               i == count ? {self.expected(null)}")
            self.put(f"                          : {self.expected(codes)});")
            self.put("    }")

    def thread(self, function):
        """From a thread that is not the loop's."""
        name = function.name
        self.put("    {")
        self.put(f"        {name}_args args = {name}_good(fx);")
        self.put(f"        CHECK_EQ(pthread_create(&thread, NULL, {name}_call, &args), 0);")
        self.put("        CHECK_EQ(pthread_join(thread, NULL), 0);")
        if function.thread_safe:
            self.put(f'        expect_sane("{name} elsewhere", 0, args.answer);')
        else:
            codes = ["ROTA_ERR_THREAD"] + WRONG_THREAD_TOO.get(name, [])
            self.put(f'        expect("{name} elsewhere", 0, args.answer, {self.expected(codes)});')
        self.put("    }")

    def case(self, function, changes, what, codes):
        """One call with something changed, on a fixture of its own."""
        name = function.name
        ends = "true" if name in ENDS_LOOP else "false"
        self.put("    {")
        self.put("        fixture *fx = &one;")
        self.put(f"        {name}_args args;")
        self.put("        int64_t result;")
        self.put("        open_fixture(fx);")
        self.put(f"        args = {name}_good(fx);")
        for change in changes:
            self.put(f"        {change}")
        self.put(f"        {name}_call(&args);")
        self.put("        result = args.answer;")
        what = what.replace("\\", "\\\\").replace('"', "'")
        if codes:
            self.put(f'        expect("{name}, {what}", 0, result, {self.expected(codes)});')
        else:
            self.put(f'        expect_sane("{name}, {what}", 0, result);')
        self.put(f"        {CLEANUP.get(name, '(void)result;')}")
        self.put(f"        close_fixture(fx, {ends});")
        self.put("    }")

    def pointers(self, function):
        for p in function.parameters:
            if not p.is_pointer:
                continue
            free = (function.name, p.name) in NULLABLE or p.is_options or p.name == "user_data"
            codes = None if free else ["ROTA_ERR_INVALID"] + NULL_TOO.get(function.name, [])
            self.case(function, [f"args.{p.name} = NULL;"], f"{p.name} NULL", codes)

    def numbers(self, function):
        init = function.name.endswith("_options_init")
        for p in function.parameters:
            for number in INTEGERS.get(p.type, []):
                codes = REFUSED_NUMBERS.get((function.name, p.name), {}).get(number)
                if init or (number in TOO_LARGE and (function.name, p.name) in LARGE_REFUSED):
                    codes = ["ROTA_ERR_INVALID"] + ([] if init else ["ROTA_ERR_LIMIT"])
                self.case(function, [f"args.{p.name} = {number};"], f"{p.name} {number}", codes)

    def texts(self, function):
        for p in function.parameters:
            if p.type != "const char*":
                continue
            for text in BAD_TEXTS:
                must_fail = p.name in ("host", "text") or (p.name == "service" and text != '""')
                self.case(function, [f"args.{p.name} = {text};"], f"{p.name} {text}",
                          ["ROTA_ERR_INVALID", "ROTA_ERR_ADDRESS", "ROTA_ERR_NOT_FOUND",
                           "ROTA_ERR_LIMIT"] + self.pending(function) if must_fail else None)

    def pending(self, function):
        """What is asked on another thread is not known at once."""
        return ["ROTA_ERR_PENDING"] if function.name in ("rota_loop_resolve",
                                                         "rota_loop_connect") else []

    def options(self, function):
        for p in function.parameters:
            if not p.is_options and not p.name == "figures" and "stats" not in p.type \
                    and "failure" not in p.type:
                continue
            plain = p.type.replace("const ", "").rstrip("*")
            if not p.is_options and plain not in SIZED:
                continue
            changes = [f"out_{plain}.size = {size};" for size in ("0", "1", "SIZE_MAX")]
            if p.is_options:
                changes += [f"out_{plain}.flags = UINT32_MAX;", f"out_{plain}.flags = 1u << 31;"]
            for change in changes:
                # A struct to be filled may be larger than what this library knows.
                codes = None if "SIZE_MAX" in change and not p.is_options else ["ROTA_ERR_INVALID"]
                self.case(function, [change], change.rstrip(";"), codes)

    def test(self, function):
        name = function.name
        if name in TAKES_NOTHING:
            self.put(f"static void test_{name}(void) {{ (void){name}(); }}\n")
            return
        self.call(function)
        self.put(f"static void test_{name}(void) {{")
        self.put("    static fixture one;")
        self.put("    (void)one;")
        before = len(self.lines)
        if function.handles:
            self.put("    fixture *fx = &one;")
            self.put("    uint64_t bad[BAD_MOST];")
            self.put("    size_t count, i;")
            self.put("    pthread_t thread;")
            self.put("    open_fixture(fx);")
            self.handles(function)
            self.put("    check_unharmed(fx);")
            self.thread(function)
            self.put("    close_fixture(fx, false);")
        self.pointers(function)
        self.numbers(function)
        self.texts(function)
        self.options(function)
        if len(self.lines) == before:
            raise Problem(f"{name}: no rule covers it, and it is not on a list with a reason")
        self.put("}\n")

    def program(self):
        self.put("/* Written by tests/bad_input.py from the header. */")
        self.put('#include "bad_input.h"\n')
        self.put("static char memory[64], long_text[100001];")
        self.put("static void *out_pointer;")
        for integer in INTEGERS:
            self.put(f"static {integer} out_{integer};")
        self.put("static bool out_bool;")
        self.prepared()
        for function in self.functions:
            self.test(function)
        self.put("int main(int argc, char **argv) {")
        self.put("    test_begin(argc, argv);")
        self.put("    memset(long_text, 'a', sizeof long_text - 1);")
        self.put("    (void)out_pointer;")
        self.put("    (void)out_bool;")
        for integer in INTEGERS:
            self.put(f"    (void)out_{integer};")
        for function in self.functions:
            self.put(f"    RUN(test_{function.name});")
        self.put("    return test_end();\n}")
        return "\n".join(self.lines) + "\n"


def main(arguments):
    if len(arguments) != 2:
        return "usage: bad_input.py HEADER"
    with open(arguments[1], encoding="utf-8") as file:
        text = file.read()
    try:
        functions = functions_of(text)
        if len(functions) < 10:
            raise Problem("this is not the header: it declares next to nothing")
        check_tables(functions)
        sys.stdout.write(Writer(functions).program())
    except Problem as problem:
        return f"bad_input.py: {problem}"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
