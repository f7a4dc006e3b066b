//! Where a failure came from: a message that has more behind it.
//!
//! ```text
//!   Text::Because ──▶ Story { own: "the page",  name: "parent",  causes: [ root, ..., nearest ] }
//! ```
//!
//! A failure that has no cause is a plain `Text` and pays nothing. One that has
//! gets its story when it is made the failure of something else (`because`), or
//! comes through a task that has a name (`through`). Causes stand in one list and
//! not in one another, the nearest last, so that a further one is appended and no
//! chain is too long to be dropped. What `own`, `name` and the causes hold is
//! never a story itself.

use super::limits;
use super::list::List;
use super::status::Result;
use super::text::Text;
use allocator_api2::alloc::Allocator;
use allocator_api2::boxed::Box;

/// The numbers of a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Its status.
    pub status: i32,
    /// The system's number, or 0.
    pub os_error: i32,
    /// How many bytes had moved.
    pub moved: u64,
}

/// One failure that led to another.
pub struct Cause<A: Allocator> {
    /// What it was.
    pub numbers: Numbers,
    /// In words.
    pub text: Text<A>,
    /// The task that it came through.
    pub name: Text<A>,
}

/// What is behind a message.
pub struct Story<A: Allocator> {
    /// The message.
    pub own: Text<A>,
    /// The task that it came through last.
    pub name: Text<A>,
    causes: List<Cause<A>, A>,
}

impl<A: Allocator + Clone> Story<A> {
    fn new(memory: &A) -> Result<Box<Self, A>> {
        let empty = Story { own: Text::None, name: Text::None, causes: List::new(memory.clone()) };
        Box::try_new_in(empty, memory.clone()).map_err(|_| super::status::rota_status::ROTA_ERR_MEMORY.into())
    }

    /// One without a message yet, whose nearest cause is this.
    fn of(numbers: Numbers, cause: Text<A>, memory: &A) -> Result<Box<Self, A>> {
        let mut story = match cause {
            Text::Because(story) => story,
            plain => {
                let mut story = Story::new(memory)?;
                story.own = plain;
                story
            }
        };
        let (text, name) = (core::mem::take(&mut story.own), core::mem::take(&mut story.name));
        story.push(Cause { numbers, text, name })?;
        Ok(story)
    }

    /// The cause so far behind the nearest.
    pub fn cause(&self, depth: usize) -> Option<&Cause<A>> {
        let last = self.causes.len().checked_sub(1)?;
        self.causes.get(last.checked_sub(depth)?)
    }

    /// Adds a nearer cause. Of too many, the ones above the root go.
    fn push(&mut self, cause: Cause<A>) -> Result<()> {
        self.causes.reserve(1)?;
        if self.causes.len() >= limits::CAUSES_MAX {
            drop(self.causes.remove(1));
        }
        self.causes.push(cause)
    }

    fn duplicate(&self, memory: &A) -> Result<Box<Self, A>> {
        let mut copy = Story::new(memory)?;
        copy.own = self.own.duplicate(memory);
        copy.name = self.name.duplicate(memory);
        copy.causes.reserve_exact(self.causes.len())?;
        for cause in self.causes.iter() {
            let (text, name) = (cause.text.duplicate(memory), cause.name.duplicate(memory));
            copy.causes.push(Cause { numbers: cause.numbers, text, name })?;
        }
        Ok(copy)
    }
}

impl<A: Allocator + Clone> Text<A> {
    /// A copy with all that is behind it, as far as memory allows.
    pub fn duplicate(&self, memory: &A) -> Self {
        match self {
            Text::None => Text::None,
            Text::Static(text) => Text::Static(text),
            Text::Owned(_) => Text::copy(memory.clone(), self.as_bytes()).unwrap_or_default(),
            Text::Because(story) => match story.duplicate(memory) {
                Ok(copy) => Text::Because(copy),
                Err(_) => story.own.duplicate(memory),
            },
        }
    }

    /// The message of a failure that came of another one: of `cause`, with these numbers. Without memory it comes back
    /// as it was.
    pub fn because(self, numbers: Numbers, cause: Text<A>, memory: &A) -> core::result::Result<Self, Self> {
        match Story::of(numbers, cause, memory) {
            Ok(mut story) => {
                story.own = self;
                Ok(Text::Because(story))
            }
            Err(_) => Err(self),
        }
    }

    /// The message of a failure that came through a task of this name; without memory, as it was.
    pub fn through(self, numbers: Numbers, name: Text<A>, memory: &A) -> Self {
        match self {
            Text::Because(mut story) => {
                let before = core::mem::replace(&mut story.name, name);
                if !before.is_empty() {
                    let text = story.own.duplicate(memory);
                    // Without memory only that name is lost.
                    let _ = story.push(Cause { numbers, text, name: before });
                }
                Text::Because(story)
            }
            plain => match Story::new(memory) {
                Ok(mut story) => {
                    (story.own, story.name) = (plain, name);
                    Text::Because(story)
                }
                Err(_) => plain,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocator_api2::alloc::Global;

    fn numbers(status: i32) -> Numbers {
        Numbers { status, ..Numbers::default() }
    }

    fn told(text: &Text<Global>) -> Vec<(i32, String, String)> {
        let Text::Because(story) = text else { return Vec::new() };
        let all = (0..).map_while(|depth| story.cause(depth));
        all.map(|cause| (cause.numbers.status, cause.text.to_string(), cause.name.to_string())).collect()
    }

    fn text(text: &str) -> Text<Global> {
        Text::copy(Global, text.as_bytes()).unwrap()
    }

    #[test]
    fn the_nearest_is_first_and_a_copy_is_the_same() {
        let root = text("root").through(numbers(-1), text("reader"), &Global);
        let middle = text("middle").because(numbers(-1), root, &Global).unwrap_or_default();
        let top = text("top").because(numbers(-2), middle, &Global).unwrap_or_default();
        let all = [(-2, "middle".into(), String::new()), (-1, "root".into(), "reader".into())];
        assert_eq!(told(&top), all);
        assert_eq!(told(&top.duplicate(&Global)), all);
        assert_eq!(top.to_string(), "top");
    }

    #[test]
    fn each_task_on_the_way_is_named() {
        let mut top = text("lost");
        for name in ["a", "b", "c"] {
            top = top.through(numbers(-3), text(name), &Global);
        }
        let names: Vec<String> = told(&top).into_iter().map(|cause| cause.2).collect();
        assert_eq!(names, ["b", "a"]);
        let Text::Because(story) = &top else { panic!("a plain text") };
        assert_eq!(story.name.to_string(), "c");
    }

    #[test]
    fn of_too_many_the_root_and_the_nearest_stay() {
        let mut top = text("0");
        for n in 1..=100 {
            top = text(&n.to_string()).because(numbers(-n), top, &Global).unwrap_or_default();
        }
        let all = told(&top);
        assert_eq!(all.len(), limits::CAUSES_MAX);
        assert_eq!((all[0].1.as_str(), all[1].1.as_str(), all[all.len() - 1].1.as_str()), ("99", "98", "0"));
    }
}
