//! A list that grows by a piece at a time: what is there is never moved, and no more memory is taken than is needed.

/// Things by number.
#[derive(Debug)]
pub(super) struct Pieces<T> {
    /// All but the last are full.
    pieces: Vec<Vec<T>>,
}

/// Things of a piece, as a power of two.
const PIECE_BITS: u32 = 18;
const PIECE: usize = 1 << PIECE_BITS;
/// Things that the first piece has room for in the beginning, and at least for more each time it grows.
const SHORT: usize = 1024;

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
            Some(piece) if piece.len() < piece.capacity() => piece.push(thing),
            _ => self.push_beyond(thing),
        }
    }

    /// Bytes of memory. Of a piece behind the first, what has not been used takes none.
    pub(super) fn memory(&self) -> usize {
        let first = self.pieces.first().map_or(0, Vec::capacity);
        let others: usize = self.pieces.iter().skip(1).map(Vec::len).sum();
        (first + others) * size_of::<T>()
    }

    /// The first piece grows by an eighth at a time, since most lists are short; each further one is made as large as it gets.
    #[cold]
    fn push_beyond(&mut self, thing: T) {
        let is_first = self.pieces.len() < 2;
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => {
                let room = PIECE - piece.len();
                piece.reserve_exact(if is_first { (piece.len() / 8).max(SHORT).min(room) } else { room });
                piece.push(thing);
            }
            last => {
                let mut piece = Vec::with_capacity(if last.is_none() { SHORT } else { PIECE });
                piece.push(thing);
                self.pieces.push(piece);
            }
        }
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
