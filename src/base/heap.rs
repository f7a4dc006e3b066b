//! A queue by priority: the smallest number first, equals in the order in which they came.
//!
//! A binary heap in an array: the entry at `at` goes before those at `2 at + 1`
//! and `2 at + 2`. Each entry carries the number of its arrival, so that no two
//! are equal and the order is always one and the same.

use super::list::List;
use super::status::Result;
use allocator_api2::alloc::Allocator;

struct Entry<T> {
    priority: i64,
    arrival: u64,
    value: T,
}

impl<T> Entry<T> {
    fn goes_before(&self, other: &Self) -> bool {
        (self.priority, self.arrival) < (other.priority, other.arrival)
    }
}

/// The queue.
pub struct Heap<T, A: Allocator> {
    entries: List<Entry<T>, A>,
    arrivals: u64,
}

impl<T, A: Allocator> Heap<T, A> {
    /// An empty one, which allocates nothing yet.
    pub fn new(memory: A) -> Self {
        Heap { entries: List::new(memory), arrivals: 0 }
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts `value` behind all that have the same priority.
    pub fn push(&mut self, priority: i64, value: T) -> Result<()> {
        self.entries.push(Entry { priority, arrival: self.arrivals, value })?;
        self.arrivals += 1;
        let mut at = self.entries.len() - 1;
        while at > 0 && self.entries[at].goes_before(&self.entries[(at - 1) / 2]) {
            self.entries.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
        Ok(())
    }

    /// Takes the first. The memory stays, so that as many as were in it can be put without asking for more.
    pub fn pop(&mut self) -> Option<T> {
        if self.entries.is_empty() {
            return None;
        }
        let first = self.entries.swap_remove(0);
        let mut at = 0;
        while let Some(child) = self.first_child(at).filter(|child| self.entries[*child].goes_before(&self.entries[at]))
        {
            self.entries.swap(at, child);
            at = child;
        }
        Some(first.value)
    }

    fn first_child(&self, at: usize) -> Option<usize> {
        let (left, right) = (2 * at + 1, 2 * at + 2);
        match (self.entries.get(left), self.entries.get(right)) {
            (Some(one), Some(other)) if other.goes_before(one) => Some(right),
            (Some(_), _) => Some(left),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocator_api2::alloc::Global;

    /// Random pushes and pops beside a vector that is sorted each time; a stable sort keeps equals in order.
    #[test]
    fn it_gives_what_a_sorted_vector_gives() {
        for seed in 1..200u64 {
            let mut state = seed.wrapping_mul(0x9e3779b97f4a7c15) | 1;
            let mut random = move |below: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % below
            };
            let (mut heap, mut model) = (Heap::new(Global), Vec::new());
            let spread = 1 + random(9);
            for value in 0..400u64 {
                if random(5) < 3 {
                    let priority = random(spread) as i64 - 4;
                    heap.push(priority, value).unwrap();
                    model.push((priority, value));
                    model.sort_by_key(|(priority, _)| *priority);
                } else {
                    let expected = (!model.is_empty()).then(|| model.remove(0).1);
                    assert_eq!(heap.pop(), expected);
                }
                assert_eq!((heap.len(), heap.is_empty()), (model.len(), model.is_empty()));
            }
            for (_, value) in model {
                assert_eq!(heap.pop(), Some(value));
            }
            assert_eq!(heap.pop(), None);
        }
    }

    #[test]
    fn the_extremes_are_in_order_too() {
        let mut heap = Heap::new(Global);
        for priority in [0, i64::MAX, -1, i64::MIN, 1] {
            heap.push(priority, priority).unwrap();
        }
        let order: Vec<i64> = std::iter::from_fn(|| heap.pop()).collect();
        assert_eq!(order, [i64::MIN, -1, 0, 1, i64::MAX]);
    }
}
