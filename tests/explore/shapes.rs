//! The programs that are explored: who spawns whom, who waits for what, and how each takes being asked to end.

/// One thing that a body does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Enters a scope: whether it shields, and its time, 0 for none.
    Enter(bool, u64),
    /// Leaves the innermost.
    Leave,
    /// Opens a group: its time, 0 for none.
    Open(u64),
    /// Spawns a task into the newest group of its own.
    Spawn(usize),
    /// Waits for its promise.
    Promise,
    /// Waits for the end of a task.
    Join(usize),
    /// Waits for its newest group.
    Group,
}

/// What a body does when ROTA_ERR_CANCELLED arrives where it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// It leaves its scopes and returns what that makes of it.
    Ends,
    /// It waits for one more promise before.
    Cleans,
    /// The first time it takes a request back and does again what it did; then it ends.
    Swallows,
    /// It returns a status of its own, and leaves nothing.
    Fails,
    /// It takes nothing back, and does what comes next in its list.
    GoesOn,
}

const HABITS: [Habit; 5] = [Habit::Ends, Habit::Cleans, Habit::Swallows, Habit::Fails, Habit::GoesOn];

/// Of plans with so many tasks, from 0 on, one in so many combinations of habits is played where not all are. The steps
/// are such that each task still has each habit, and not always together with the same of another.
const SPARSE: [usize; 5] = [1, 1, 4, 21, 109];

#[derive(Clone, Debug)]
pub struct Body {
    pub stepped: bool,
    pub habit: Habit,
    pub ops: Vec<Op>,
}

/// A program. Task 0 is the root; all others are members of groups.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Its plan, and its combination of habits.
    pub number: (usize, usize),
    pub name: &'static str,
    pub bodies: Vec<Body>,
}

/// The programs, without habits: one list of things to do for each task.
fn plans() -> Vec<(&'static str, Vec<Vec<Op>>)> {
    use Op::*;
    vec![
        ("a promise in a timeout in a timeout", vec![vec![Enter(false, 20), Enter(false, 10), Promise, Leave, Leave]]),
        ("a shield in a timeout", vec![vec![Enter(false, 10), Enter(true, 0), Promise, Leave, Promise, Leave]]),
        ("a timeout in a shield", vec![vec![Enter(true, 0), Enter(false, 10), Promise, Leave, Leave, Promise]]),
        ("a group", vec![vec![Open(0), Spawn(1), Spawn(2), Group], vec![Promise], vec![Promise]]),
        ("a group with a deadline", vec![vec![Open(10), Spawn(1), Spawn(2), Group], vec![Promise], vec![Promise]]),
        ("an owner that works", vec![vec![Open(10), Spawn(1), Promise, Group], vec![Promise]]),
        ("an owner that forgets its group", vec![vec![Open(10), Spawn(1), Promise], vec![Promise]]),
        (
            "a group in a timeout that is left",
            vec![vec![Enter(false, 10), Open(0), Spawn(1), Promise, Leave, Group], vec![Promise]],
        ),
        (
            "an owner of two groups",
            vec![vec![Open(10), Spawn(1), Open(20), Spawn(2), Group], vec![Promise], vec![Enter(true, 5), Promise]],
        ),
        (
            "a member that joins another",
            vec![vec![Open(10), Spawn(1), Spawn(2), Group], vec![Join(2)], vec![Enter(false, 20), Promise, Leave]],
        ),
        (
            "a joined member with a shield",
            vec![vec![Open(10), Spawn(1), Spawn(2), Group], vec![Join(2)], vec![Enter(true, 0), Promise, Leave]],
        ),
        (
            "two members that join a third",
            vec![vec![Open(10), Spawn(1), Spawn(2), Spawn(3), Group], vec![Join(3)], vec![Join(3)], vec![Promise]],
        ),
        (
            "a group in a group",
            vec![
                vec![Open(20), Spawn(1), Group],
                vec![Open(10), Spawn(2), Spawn(3), Group],
                vec![Promise],
                vec![Promise],
            ],
        ),
        (
            "a group in a shield in a group",
            vec![
                vec![Open(10), Spawn(1), Spawn(3), Group],
                vec![Enter(true, 0), Open(20), Spawn(2), Group, Leave],
                vec![Promise],
                vec![Promise],
            ],
        ),
        (
            "a group in a timeout, and one who joins its owner",
            vec![
                vec![Open(0), Spawn(1), Spawn(3), Group],
                vec![Enter(false, 10), Open(20), Spawn(2), Group, Leave],
                vec![Promise],
                vec![Join(1)],
            ],
        ),
    ]
}

/// A plan whose bodies have the habits of a combination, in both kinds of bodies in turn.
pub fn one(number: (usize, usize)) -> Shape {
    let (name, plan) = plans().swap_remove(number.0);
    let habit = |at: usize| HABITS[number.1 / HABITS.len().pow(at as u32) % HABITS.len()];
    let mixed = number.1.count_ones() as usize;
    let body = |(at, ops): (usize, Vec<Op>)| Body { stepped: (at + mixed).is_multiple_of(2), habit: habit(at), ops };
    Shape { number, name, bodies: plan.into_iter().enumerate().map(body).collect() }
}

/// All combinations of all plans; of plans with more than `most` tasks only some.
pub fn all(most: usize) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (at, (_, plan)) in plans().iter().enumerate() {
        let combinations = 0..HABITS.len().pow(plan.len() as u32);
        let played = combinations.filter(|number| plan.len() <= most || number.is_multiple_of(SPARSE[plan.len()]));
        shapes.extend(played.map(|number| one((at, number))));
    }
    shapes
}
