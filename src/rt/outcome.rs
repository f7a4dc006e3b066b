//! What an operation came to, as the runtime passes it on.

use crate::base::status::is_failure;
use crate::base::{rota_outcome, rota_status, Error, Numbers};
use crate::sys::Text;

/// The numbers of an outcome; its message travels beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// 0, a `rota_status`, or one of the host's own.
    pub status: i32,
    /// errno, or 0.
    pub os_error: i32,
    /// At or above zero; 0 on failure.
    pub value: i64,
    /// Exact, in any case.
    pub moved: u64,
}

impl Outcome {
    /// It worked, and this is the answer.
    pub fn value(value: i64) -> Self {
        Outcome { value, ..Outcome::default() }
    }

    /// It worked: so many bytes.
    pub fn count(count: usize) -> Self {
        Outcome { value: count as i64, moved: count as u64, ..Outcome::default() }
    }

    /// It failed, after so many bytes.
    pub fn failed(error: Error, moved: usize) -> Self {
        Outcome { status: error.status as i32, os_error: error.os_error, value: 0, moved: moved as u64 }
    }

    /// It was cancelled before anything moved.
    pub fn cancelled() -> Self {
        Outcome::failed(rota_status::ROTA_ERR_CANCELLED.into(), 0)
    }

    /// From the short form: a value, or a status that a future may have.
    pub fn from_short(short: i64) -> Option<Self> {
        match short {
            0.. => Some(Outcome::value(short)),
            _ if is_failure(short) => Some(Outcome { status: short as i32, ..Outcome::default() }),
            _ => None,
        }
    }

    /// What a future that is a value carries.
    pub fn carried(short: i64) -> crate::base::Result<Self> {
        let outcome = Outcome::from_short(short).ok_or(rota_status::ROTA_ERR_HANDLE)?;
        Ok(Outcome { moved: short.max(0) as u64, ..outcome })
    }

    /// The short form: the value, or the negative status.
    pub fn short(&self) -> i64 {
        if self.status < 0 {
            self.status as i64
        } else {
            self.value
        }
    }

    /// Whether it is a failure that somebody ought to look at; being cancelled is none.
    pub fn is_error(&self) -> bool {
        self.status < 0 && self.status != rota_status::ROTA_ERR_CANCELLED as i32
    }

    /// Its numbers, as a cause has them.
    pub fn numbers(&self) -> Numbers {
        Numbers { status: self.status, os_error: self.os_error, moved: self.moved }
    }

    /// As C sees it; the message lives as long as `text`, unmoved.
    pub fn to_host(self, text: &Text) -> rota_outcome {
        rota_outcome {
            status: self.status,
            os_error: self.os_error,
            value: self.value,
            moved_bytes: self.moved,
            message: text.as_ptr(),
        }
    }
}
