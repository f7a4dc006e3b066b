//! How deep a stack was used: debug mode begins with zeros, and looks for the lowest byte that is not zero any more.

use super::pages;

/// Bytes that are looked at together: few, since they are copied onto the stack of whoever asks.
const AT_ONCE: usize = 512;

/// The usable part of a stack, for looking at it only; it may outlive the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    low: usize,
    top: usize,
    /// Whether it lies on pages of our own, of which those below its deepest use were never touched.
    own_pages: bool,
}

impl Span {
    pub(super) fn new(low: usize, top: usize, own_pages: bool) -> Self {
        Span { low, top, own_pages }
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.top - self.low
    }

    /// How many bytes were used at most since it was all zeros; `None` where the system does not let us see. Pages
    /// that the system has swapped out do not count.
    pub fn used(&self) -> Option<usize> {
        let mut at = self.low;
        if self.own_pages {
            at = pages::first_touched(self.low, self.top).ok()?;
        }
        let mut bytes = [0; AT_ONCE];
        while at < self.top {
            let count = (self.top - at).min(AT_ONCE);
            if !pages::peek(at, &mut bytes[..count]) {
                // To the page, then, where we know that much.
                return self.own_pages.then_some(self.top - at);
            }
            if let Some(first) = bytes[..count].iter().position(|byte| *byte != 0) {
                return Some(self.top - at - first);
            }
            at += count;
        }
        Some(0)
    }
}
