//! Which ids have come lately. No I/O.

use std::collections::HashSet;
use std::mem;

use uuid::Uuid;

/// Ids after which the older half is forgotten: a megabyte for each half at the most.
const HALF: usize = 32_768;

/// Remembers at least the last [`HALF`] ids, and at the most twice as many.
#[derive(Debug, Default)]
pub(super) struct Window {
    newer: HashSet<Uuid>,
    older: HashSet<Uuid>,
}

impl Window {
    /// Whether it does not remember `id`; from now on it does.
    pub(super) fn is_new(&mut self, id: Uuid) -> bool {
        if self.older.contains(&id) || !self.newer.insert(id) {
            return false;
        }
        if self.newer.len() >= HALF {
            self.older = mem::take(&mut self.newer);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_remembered_for_as_many_others_as_the_contract_says() {
        let mut window = Window::default();
        let id = |number: usize| Uuid::from_u128(number as u128);
        assert!((0..=HALF).all(|number| window.is_new(id(number))));
        assert!(!window.is_new(id(1)), "forgotten too soon");
        assert!((HALF + 1..3 * HALF).all(|number| window.is_new(id(number))));
        assert!(window.newer.len() + window.older.len() <= 2 * HALF);
        assert!(window.is_new(id(1)), "remembered for ever");
    }
}
