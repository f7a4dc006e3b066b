//! Short messages that C can read: NUL-terminated, owned or static.

use super::cause::Story;
use super::list::List;
use super::status::{rota_status, Result};
use allocator_api2::alloc::Allocator;
use allocator_api2::boxed::Box;
use core::ffi::{c_char, CStr};
use core::fmt;

/// A message that goes with an outcome.
#[derive(Default)]
pub enum Text<A: Allocator> {
    /// There is nothing to say.
    #[default]
    None,
    /// A phrase of the library's.
    Static(&'static CStr),
    /// Made for this occasion; ends with a NUL. In a box, because most slots have room for a text and few have one.
    Owned(Box<List<u8, A>, A>),
    /// One that has more behind it.
    Because(Box<Story<A>, A>),
}

impl<A: Allocator + Clone> Text<A> {
    /// A copy of `bytes`, cut at the first NUL.
    pub fn copy(memory: A, bytes: &[u8]) -> Result<Self> {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let mut list = List::new(memory.clone());
        list.reserve_exact(end + 1)?;
        list.extend_from_slice(&bytes[..end])?;
        list.push(0)?;
        let owned = Box::try_new_in(list, memory).map_err(|_| rota_status::ROTA_ERR_MEMORY)?;
        Ok(Text::Owned(owned))
    }

    /// What `arguments` say; nothing where there is no memory to say it in.
    pub fn format(memory: A, arguments: fmt::Arguments<'_>) -> Self {
        let mut writer = Writer(List::new(memory.clone()));
        if fmt::write(&mut writer, arguments).is_err() || writer.0.push(0).is_err() {
            return Text::None;
        }
        Box::try_new_in(writer.0, memory).map_or(Text::None, Text::Owned)
    }
}

impl<A: Allocator> Text<A> {
    /// The text without its NUL.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Text::None => b"",
            Text::Static(text) => text.to_bytes(),
            Text::Owned(list) => &list[..list.len() - 1],
            Text::Because(story) => story.own.as_bytes(),
        }
    }

    /// The text for C, never NULL; it lives as long as `self` does, unmoved.
    pub fn as_ptr(&self) -> *const c_char {
        match self {
            Text::None => c"".as_ptr(),
            Text::Static(text) => text.as_ptr(),
            Text::Owned(list) => list.as_ptr().cast(),
            Text::Because(story) => story.own.as_ptr(),
        }
    }

    /// Whether there is nothing to say.
    #[inline]
    pub fn is_empty(&self) -> bool {
        matches!(self, Text::None) || self.as_bytes().is_empty()
    }

    /// Takes the place of what was there. Mostly that is nothing, and then it is not let go of by a call.
    #[inline]
    pub fn set(&mut self, text: Self) {
        let before = core::mem::replace(self, text);
        match before {
            Text::None => core::mem::forget(before),
            _ => drop(before),
        }
    }

    /// What is behind it.
    pub fn story(&self) -> Option<&Story<A>> {
        match self {
            Text::Because(story) => Some(story),
            _ => None,
        }
    }

    /// The message, if it is a phrase of the library's; else nothing.
    pub fn as_static(&self) -> &'static CStr {
        match self {
            Text::Static(text) => text,
            Text::Because(story) => story.own.as_static(),
            Text::None | Text::Owned(_) => c"",
        }
    }
}

impl<A: Allocator> fmt::Display for Text<A> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.as_bytes().utf8_chunks() {
            out.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                out.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

struct Writer<A: Allocator>(List<u8, A>);

impl<A: Allocator> fmt::Write for Writer<A> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let clean = text.as_bytes().iter().position(|byte| *byte == 0).unwrap_or(text.len());
        self.0.extend_from_slice(&text.as_bytes()[..clean]).map_err(|_| fmt::Error)
    }
}
