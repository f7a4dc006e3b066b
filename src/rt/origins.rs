//! Debug mode: where each callback, timer, future, task and group was started.
//!
//! One word per slot, beside the slabs and not in them, so that a loop that is
//! not debugged pays nothing. Lack of memory only loses an origin.

use super::core::Core;
use crate::base::{Key, Kind};
use crate::sys::origin::Origin;
use crate::sys::{List, Memory};

/// The origins by kind and slot.
pub struct Origins {
    tables: [(Kind, List<Origin>); 5],
}

impl Origins {
    /// None yet.
    pub fn new(memory: &Memory) -> Self {
        let table = |kind| (kind, List::new(memory.clone()));
        let kinds = [Kind::Call, Kind::Timer, Kind::Future, Kind::Task, Kind::Group];
        Origins { tables: kinds.map(table) }
    }

    fn table(&mut self, kind: Kind) -> Option<&mut List<Origin>> {
        self.tables.iter_mut().find(|(of, _)| *of == kind).map(|(_, table)| table)
    }

    fn get(&self, kind: Kind, key: Key) -> Origin {
        let table = self.tables.iter().find(|(of, _)| *of == kind);
        table.and_then(|(_, table)| table.get(key.slot as usize)).copied().unwrap_or_default()
    }
}

impl Core {
    /// In debug mode, keeps where in the host's code this was started.
    #[inline]
    pub(super) fn note_origin(&mut self, kind: Kind, key: Key) {
        if self.debug {
            self.keep_origin(kind, key);
        }
    }

    #[cold]
    fn keep_origin(&mut self, kind: Kind, key: Key) {
        let origin = Origin::capture();
        let Some(table) = self.origins.table(kind) else { return };
        let slot = key.slot as usize;
        if table.len() <= slot && table.resize(slot + 1, Origin::default()).is_err() {
            return;
        }
        table[slot] = origin;
    }

    /// Where it was started, as far as debug mode saw it.
    pub(super) fn origin(&self, kind: Kind, key: Key) -> Origin {
        self.origins.get(kind, key)
    }
}
