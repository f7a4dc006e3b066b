//! What a sequence knows: its dice, its handles, what it expects.
//!
//! The world is a thread-local that is never borrowed across a call of the
//! library, because callbacks come back into it.

use crate::combine::Made;
use crate::handles::Handles;
use crate::ledger::Ledger;
use crate::loops::Loops;
use crate::wire::Wire;
use rota::base::rota_status;
use std::cell::RefCell;

/// Dice: splitmix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

pub struct World {
    pub seed: u64,
    pub loud: bool,
    pub dice: Dice,
    pub loops: Loops,
    pub handles: Handles,
    pub ledger: Ledger,
    pub made: Made,
    pub wire: Wire,
    /// How many calls deep callbacks and bodies are nested.
    pub depth: u32,
    /// Random calls that may still be made.
    pub steps: u32,
    /// Whether loops are abandoned now and then, which leaks by intent: `ROTA_FUZZ_LEAKLESS` says no.
    pub may_leak: bool,
}

impl World {
    pub fn new(seed: u64, loud: bool) -> Self {
        World {
            seed,
            loud,
            dice: Dice(seed),
            loops: Loops::default(),
            handles: Handles::default(),
            ledger: Ledger::default(),
            made: Made::default(),
            wire: Wire::default(),
            depth: 0,
            steps: 0,
            may_leak: std::env::var_os("ROTA_FUZZ_LEAKLESS").is_none(),
        }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new(0, false));
}

/// Opens the world for a moment.
pub fn with<R>(look: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| look(&mut world.borrow_mut()))
}

/// A number below `sides`.
pub fn roll(sides: u64) -> u64 {
    with(|world| world.dice.next() % sides.max(1))
}

/// True once in so many times.
pub fn once_in(times: u64) -> bool {
    roll(times) == 0
}

/// Ends the process, because a panic cannot leave a callback of the library's.
pub fn die(seed: u64, what: &str) -> ! {
    let line = format!(
        "sequence {seed} failed: {what}\nreplay: ROTA_SEED={seed} cargo test --test sequences -- --nocapture\n"
    );
    // Past the capture of the test harness, which would be lost with the process.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    std::process::abort()
}

/// Fails the sequence.
pub fn fail(what: &str) -> ! {
    die(with(|world| world.seed), what)
}

/// Fails the sequence unless something holds.
#[track_caller]
pub fn ensure(holds: bool, what: impl FnOnce() -> String) {
    if !holds {
        let at = std::panic::Location::caller();
        fail(&format!("{} ({at})", what()));
    }
}

/// Says what is done, when asked to.
pub fn tell(what: impl FnOnce() -> String) {
    let (loud, depth) = with(|world| (world.loud, world.depth));
    if loud {
        eprintln!("{:indent$}{}", "", what(), indent = depth as usize * 2);
    }
}

/// Whether a number is a status of the header's, or a value.
pub fn is_documented(short: i64) -> bool {
    let named =
        i32::try_from(short).is_ok_and(|status| rota::base::status::TABLE.iter().any(|row| row.0 as i32 == status));
    short >= 0 || short <= -1_000_000 || named
}

/// Checks an answer in the short form: a documented one, and never a panic.
#[track_caller]
pub fn answered(name: &str, short: i64) -> i64 {
    let at = std::panic::Location::caller();
    tell(|| format!("{name} = {short}"));
    if !is_documented(short) || short == rota_status::ROTA_ERR_PANIC as i64 {
        fail(&format!("{name} answered {short} ({at})"));
    }
    short
}

/// As `answered`, for a status.
#[track_caller]
pub fn status(name: &str, status: rota_status) -> rota_status {
    answered(name, status as i64);
    status
}
