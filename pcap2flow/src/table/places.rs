//! Places for things, numbered from 0. What is there stays there: room is added in pieces, so that nothing is moved, and
//! no more memory is taken than is needed.

use super::prefetch::prefetch;

/// Things by place.
#[derive(Debug)]
pub(super) struct Places<T> {
    pieces: Vec<Vec<Option<T>>>,
    len: usize,
    /// Places that were given up, the next one to be used last.
    free: Vec<u32>,
}

/// Places of a piece, as a power of two.
const PIECE_BITS: usize = 13;
const PIECE: usize = 1 << PIECE_BITS;

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), len: 0, free: Vec::new() }
    }
}

impl<T> Places<T> {
    /// Things held.
    pub(super) fn len(&self) -> usize {
        self.len - self.free.len()
    }

    #[inline]
    fn slot(&self, at: u32) -> Option<&Option<T>> {
        let at = at as usize;
        self.pieces.get(at >> PIECE_BITS)?.get(at % PIECE)
    }

    /// Asks for the memory of a place.
    #[inline]
    pub(super) fn prefetch(&self, at: u32) {
        prefetch(self.slot(at));
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.slot(at)?.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let at = at as usize;
        self.pieces.get_mut(at >> PIECE_BITS)?.get_mut(at % PIECE)?.as_mut()
    }

    /// Things and their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.pieces.iter().flatten()).filter_map(|(at, thing)| Some((at, thing.as_ref()?)))
    }

    /// Puts something at a free place; fewer than 2^32 things are held.
    pub(super) fn put(&mut self, thing: T) -> u32 {
        if let Some(at) = self.free.pop() {
            let slot = at as usize;
            if let Some(slot) = self.pieces.get_mut(slot >> PIECE_BITS).and_then(|p| p.get_mut(slot % PIECE))
            {
                *slot = Some(thing);
            }
            return at;
        }
        if self.len.is_multiple_of(PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(Some(thing));
        }
        self.len += 1;
        u32::try_from(self.len - 1).unwrap_or(u32::MAX)
    }

    /// Takes out what is at a place.
    pub(super) fn take(&mut self, at: u32) -> Option<T> {
        let slot = at as usize;
        let thing = self.pieces.get_mut(slot >> PIECE_BITS)?.get_mut(slot % PIECE)?.take()?;
        self.free.push(at);
        Some(thing)
    }

    /// Places that were needed at the same time, and places free now.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.len, self.free.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_stay_where_they_are_and_places_are_used_again() {
        let mut places = Places::default();
        assert!((0..3000_u32).all(|n| places.put(n) == n));
        assert!((0..3000).filter(|n| n % 3 == 0).all(|n| places.take(n) == Some(n)));
        assert_eq!((places.take(0), places.get(0), places.get(3000)), (None, None, None));
        assert_eq!((places.len(), places.counts()), (2000, (3000, 1000)));
        assert_eq!(places.put(7), 2997, "the place that was given up last");
        assert_eq!(places.get_mut(2997), Some(&mut 7));
        assert_eq!(places.iter().count(), 2001);
        assert!(places.iter().all(|(at, &n)| n == at || at == 2997));
    }
}
