//! The members of a place in the tables, found by a number made of their keys.

use super::Node;
use crate::mask::keys;

/// Members by their keys. There is always a free slot.
#[derive(Debug, Default, Clone)]
pub(super) struct Children {
    list: Vec<(Box<str>, Node)>,
    /// The number of a key, and one more than its place in the list; 0 where there is none. As many as a power of two.
    slots: Vec<(u32, u32)>,
}

impl Children {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.get_tagged(keys::tag(key.as_bytes()), key)
    }

    /// The same for a key whose tag is known.
    #[inline]
    pub(super) fn get_tagged(&self, tag: u32, key: &str) -> Option<&Node> {
        let at = self.find(tag, key)?;
        self.list.get(at).map(|(_, child)| child)
    }

    /// Changes the child of a key, which is made if there is none.
    pub(super) fn change(&mut self, key: &str, new: impl FnOnce() -> Node, change: impl FnOnce(&mut Node)) {
        let tag = keys::tag(key.as_bytes());
        match self.find(tag, key).and_then(|at| self.list.get_mut(at)) {
            Some((_, child)) => change(child),
            None => {
                let mut child = new();
                change(&mut child);
                self.list.push((key.into(), child));
                self.fill_slots();
            }
        }
    }

    #[inline]
    fn find(&self, tag: u32, key: &str) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = first_slot(tag);
        loop {
            let (known, place) = *self.slots.get(at & mask)?;
            let place = (place as usize).checked_sub(1)?;
            if known == tag && self.list.get(place).is_some_and(|(name, _)| **name == *key) {
                return Some(place);
            }
            at += 1;
        }
    }

    /// Finds slots for all of them.
    fn fill_slots(&mut self) {
        let count = (self.list.len() * 2).next_power_of_two().max(4);
        self.slots = vec![(0, 0); count];
        for (place, (key, _)) in self.list.iter().enumerate() {
            let tag = keys::tag(key.as_bytes());
            let free = (0..count)
                .map(|step| (first_slot(tag) + step) % count)
                .find(|at| self.slots.get(*at).is_some_and(|(_, place)| *place == 0));
            if let Some(slot) = free.and_then(|at| self.slots.get_mut(at)) {
                *slot = (tag, place as u32 + 1);
            }
        }
    }
}

/// Where a key is looked for first. The lowest bit of a tag is always set.
fn first_slot(tag: u32) -> usize {
    tag as usize >> 1
}
