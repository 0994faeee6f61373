//! A list that grows by a piece at a time: what is there is never moved, and no more memory is taken than is needed.

use crate::large_pages;

/// Things by number.
#[derive(Debug)]
pub(super) struct Pieces<T> {
    /// All but the last are full.
    pieces: Vec<Vec<T>>,
}

/// Things of a piece, as a power of two.
const PIECE_BITS: u32 = 18;
const PIECE: usize = 1 << PIECE_BITS;

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { pieces: Vec::new() }
    }
}

impl<T> Pieces<T> {
    pub(super) fn len(&self) -> usize {
        let last = self.pieces.last().map_or(0, Vec::len);
        self.pieces.len().saturating_sub(1) * PIECE + last
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.pieces.get((number >> PIECE_BITS) as usize)?.get(number as usize % PIECE)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.pieces.get_mut((number >> PIECE_BITS) as usize)?.get_mut(number as usize % PIECE)
    }

    /// Adds a thing behind the others.
    #[inline]
    pub(super) fn push(&mut self, thing: T) {
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(thing),
            _ => self.push_piece(thing),
        }
    }

    /// Bytes of memory. The first piece grows as a vector does; of another one, what has not been used takes none.
    pub(super) fn memory(&self) -> usize {
        let first = self.pieces.first().map_or(0, Vec::capacity);
        let others: usize = self.pieces.iter().skip(1).map(Vec::len).sum();
        (first + others) * size_of::<T>()
    }

    #[cold]
    fn push_piece(&mut self, thing: T) {
        let mut piece = Vec::new();
        if !self.pieces.is_empty() {
            piece.reserve_exact(PIECE);
            large_pages::ask_for(piece.spare_capacity_mut());
        }
        piece.push(thing);
        self.pieces.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_keep_their_numbers() {
        let mut things = Pieces::default();
        assert_eq!((things.len(), things.memory(), things.get(0)), (0, 0, None));
        for n in 0..PIECE * 2 + 10 {
            things.push(n);
            assert_eq!(things.len(), n + 1);
        }
        assert!((0..things.len()).all(|n| things.get(n as u32) == Some(&n)));
        *things.get_mut(PIECE as u32).unwrap() = 7;
        assert_eq!((things.get(PIECE as u32), things.get(things.len() as u32)), (Some(&7), None));
        assert!(things.memory() < (things.len() + PIECE) * size_of::<usize>());
    }
}
