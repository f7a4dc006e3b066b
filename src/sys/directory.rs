//! What other threads find of a loop's objects, by the keys in their handles.
//!
//! The loop's own thread enters and removes; every thread looks. A key is one
//! life of a slot, as in a slab: what has been removed is not found again.

use crate::base::{rota_status, Key, Result};
use std::sync::{PoisonError, RwLock};

/// A table from keys to what threads share.
pub struct Directory<T> {
    rows: RwLock<Vec<Option<(u32, T)>>>,
}

impl<T> Default for Directory<T> {
    fn default() -> Self {
        Directory { rows: RwLock::new(Vec::new()) }
    }
}

impl<T> Directory<T> {
    /// Makes `value` known under `key`.
    pub fn enter(&self, key: Key, value: T) -> Result<()> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let slot = key.slot as usize;
        if slot >= rows.len() {
            let more = slot + 1 - rows.len();
            rows.try_reserve(more).map_err(|_| rota_status::ROTA_ERR_MEMORY)?;
            rows.resize_with(slot + 1, || None);
        }
        rows[slot] = Some((key.generation, value));
        Ok(())
    }

    /// Does something with what is known under a key.
    pub fn find<R>(&self, key: Key, call: impl FnOnce(&T) -> R) -> Option<R> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        match rows.get(key.slot as usize) {
            Some(Some((generation, value))) if *generation == key.generation => Some(call(value)),
            _ => None,
        }
    }

    /// From now on nobody finds it.
    pub fn remove(&self, key: Key) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(row @ Some(_)) = rows.get_mut(key.slot as usize) {
            row.take_if(|(generation, _)| *generation == key.generation);
        }
    }

    /// From now on nobody finds anything; what there was is given to `end`.
    pub fn clear(&self, mut end: impl FnMut(T)) {
        let rows = core::mem::take(&mut *self.rows.write().unwrap_or_else(PoisonError::into_inner));
        for (_, value) in rows.into_iter().flatten() {
            end(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_own_life_only() {
        let directory = Directory::default();
        let [early, late] = [1, 2].map(|generation| Key { slot: 3, generation });
        directory.enter(early, 'a').unwrap();
        assert_eq!((directory.find(early, |c| *c), directory.find(late, |c| *c)), (Some('a'), None));
        directory.remove(late);
        assert_eq!(directory.find(early, |c| *c), Some('a'));
        directory.enter(late, 'b').unwrap();
        directory.remove(early);
        assert_eq!((directory.find(early, |c| *c), directory.find(late, |c| *c)), (None, Some('b')));
        let mut left = Vec::new();
        directory.clear(|value| left.push(value));
        assert_eq!((left, directory.find(late, |c| *c)), (vec!['b'], None));
    }
}
