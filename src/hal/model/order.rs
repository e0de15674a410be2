//! Sorting, made once for all types.
//!
//! The sort of the standard library is made anew for each type, 3 kB each, for lists of a dozen entries. Here the places
//! are sorted, by one function, and then the entries go there.

use std::cmp::Ordering;

/// Stable sorting of slices.
pub trait Order<T> {
    /// Sorts by `compare`.
    fn order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering);

    /// Sorts by what `key` gives.
    fn order_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K);
}

impl<T> Order<T> for [T] {
    fn order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering) {
        let items = &*self;
        let mut places = places(items.len(), &|a, b| match (items.get(a), items.get(b)) {
            (Some(a), Some(b)) => compare(a, b),
            _ => Ordering::Equal,
        });
        for at in 0..places.len() {
            while let Some(&to) = places.get(at)
                && to != at
            {
                self.swap(at, to);
                places.swap(at, to);
            }
        }
    }

    fn order_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        self.order_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// Where each of `count` entries belongs.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..count).collect();
    sorted.sort_by(|a, b| compare(*a, *b));
    let mut places = vec![0; count];
    for (to, from) in sorted.into_iter().enumerate() {
        if let Some(place) = places.get_mut(from) {
            *place = to;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_like_the_standard_library(list: Vec<(u8, u16)>) {
            let (mut ours, mut theirs) = (list.clone(), list);
            ours.order_by_key(|(key, _)| *key % 8);
            theirs.sort_by_key(|(key, _)| *key % 8);
            prop_assert_eq!(&ours, &theirs);
            ours.order_by(Ord::cmp);
            theirs.sort_unstable();
            prop_assert_eq!(ours, theirs);
        }
    }
}
