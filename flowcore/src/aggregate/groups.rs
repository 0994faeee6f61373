//! The groups of an aggregation, or of a part of it that has some of their [shares](Share).

use std::cmp::Ordering;

use super::coarse::Candidates;
use super::counters::{CounterColumns, Counters};
use super::direction::{Starts, turned_part};
use super::division::{Division, Hashed};
use super::first::Keep;
use super::group::{Keyed, MAX_ROWS};
use super::key::{Cell, Cells, Key, KeyShape, Packed, code_of, encode};
use super::share::{Share, Tabled};
use crate::batch::{Dictionary, FlowBatch, Mask};
use crate::record::{FieldSet, Value};

/// Groups by key.
#[derive(Debug)]
pub(super) struct Groups {
    shape: KeyShape,
    /// All parts of an aggregation are given the same records, and know the same texts.
    pub(super) texts: Dictionary,
    division: Division,
    shares: Vec<Share>,
    keep: Keep,
    max_groups: usize,
    /// If there are some, other groups are not counted.
    candidates: Option<Candidates>,
}

/// Where a group is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    row: u32,
    share: u16,
    is_packed: bool,
}

/// The records that are counted by one key.
pub(super) struct Records<'a> {
    pub(super) batch: &'a FlowBatch,
    pub(super) columns: &'a CounterColumns<'a>,
    pub(super) cells: &'a [Cells<'a>],
    pub(super) rows: &'a [u32],
    /// Rows whose key and counters are those of the other way.
    pub(super) turned: &'a Mask,
    /// Whether there are any.
    pub(super) any_turned: bool,
}

/// There would be more groups than may be held.
pub(super) struct Full;

impl Groups {
    pub(super) fn new(shape: KeyShape) -> Self {
        Self {
            texts: Dictionary::default(),
            division: Division::default(),
            shares: vec![Share::new(0, &shape)],
            keep: Keep::default(),
            max_groups: MAX_ROWS,
            candidates: None,
            shape,
        }
    }

    /// So many parts with a share each, all without groups.
    pub(super) fn split(&self, parts: u16) -> impl Iterator<Item = Self> {
        let division = self.division.among(parts.into());
        (0..u32::from(parts)).map(move |number| Self {
            shape: self.shape.clone(),
            texts: Dictionary::default(),
            division: division.clone(),
            shares: vec![Share::new(number, &self.shape)],
            candidates: self.candidates.clone(),
            ..*self
        })
    }

    /// The same, nothing counted.
    pub(super) fn without_groups(&self) -> Self {
        Self {
            shape: self.shape.clone(),
            texts: Dictionary::default(),
            division: self.division.clone(),
            shares: vec![Share::new(0, &self.shape)],
            candidates: self.candidates.clone(),
            ..*self
        }
    }

    /// Counts the groups of candidates only.
    pub(super) fn restrict(&mut self, candidates: &Candidates) {
        self.division = candidates.division().clone();
        self.candidates = Some(candidates.clone());
    }

    /// Takes the shares of another part.
    pub(super) fn join(&mut self, other: Self) {
        self.shares.extend(other.shares);
    }

    /// Says what to keep of first records, before there are any.
    pub(super) fn keep(&mut self, keep: Keep) {
        self.keep = keep;
    }

    pub(super) fn set_max(&mut self, groups: usize) {
        self.max_groups = groups.min(MAX_ROWS);
    }

    pub(super) fn max(&self) -> usize {
        self.max_groups
    }

    /// Whether there is a bound beside what can be numbered.
    pub(super) fn is_bounded(&self) -> bool {
        self.max_groups < MAX_ROWS
    }

    /// Whether only candidates are counted.
    pub(super) fn is_restricted(&self) -> bool {
        self.candidates.is_some()
    }

    pub(super) fn division(&self) -> &Division {
        &self.division
    }

    pub(super) fn len(&self) -> usize {
        self.shares.iter().map(|share| share.len(true) + share.len(false)).sum()
    }

    /// Bytes of memory, about.
    pub(super) fn memory(&self) -> usize {
        let texts = self.texts.bytes() + self.texts.texts().len() * BYTES_OF_A_TEXT;
        texts + self.shares.iter().map(Share::memory).sum::<usize>()
    }

    /// Counts records.
    ///
    /// # Errors
    /// When there are more groups than may be held. What was counted so far is a part of the rows.
    pub(super) fn add(&mut self, records: &Records<'_>) -> Result<(), Full> {
        match self.shape.bits() {
            0..=64 => self.add_by::<u64>(records),
            65..=128 => self.add_by::<u128>(records),
            _ => self.add_others(records, records.rows),
        }
    }

    fn add_by<K: Tabled>(&mut self, records: &Records<'_>) -> Result<(), Full> {
        let (keys, unpacked) = records.pack::<K>(&self.shape);
        for at in 0..self.shares.len() {
            let room = self.room_of(at, true);
            let Some(share) = self.shares.get_mut(at) else { break };
            let own = self.division.own(&keys, share.number(), self.candidates.as_ref());
            let mut fresh = Vec::new();
            let added = share.add_packed(records, &own, room, &mut fresh);
            share.packed_firsts.add(records.batch, &fresh, records.turned, self.keep);
            added?;
        }
        self.add_others(records, &unpacked)
    }

    /// Calls `take` with the hash of each record's key, and its row.
    pub(super) fn each_hash(&self, records: &Records<'_>, mut take: impl FnMut(u32, u32)) {
        let others = match self.shape.bits() {
            0..=64 => self.each_packed_hash::<u64>(records, &mut take),
            65..=128 => self.each_packed_hash::<u128>(records, &mut take),
            _ => records.rows.to_vec(),
        };
        let mut key = Vec::new();
        for row in others {
            encode(records.key(row), &mut key);
            take(self.division.hash(key.as_slice()).hash, row);
        }
    }

    /// [`each_hash`](Self::each_hash) of packed keys; the rows that have others.
    fn each_packed_hash<K: Packed>(
        &self,
        records: &Records<'_>,
        take: &mut impl FnMut(u32, u32),
    ) -> Vec<u32> {
        let (keys, others) = records.pack::<K>(&self.shape);
        keys.iter().for_each(|(key, row)| take(self.division.hash(key).hash, *row));
        others
    }

    /// Adds the groups of another aggregation by keys of the same shape, as far as they are of own shares.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(super) fn merge(&mut self, other: &Self) -> Result<(), Full> {
        let codes: Vec<u32> = other.texts.texts().iter().map(|text| code_of(text, &mut self.texts)).collect();
        for (theirs, is_packed) in other.tables() {
            let mut fresh = vec![Vec::new(); self.shares.len()];
            let mut places = other.places_of(theirs, is_packed);
            let added = places.try_for_each(|place| self.merge_group(other, place, &codes, &mut fresh));
            let Some(theirs) = other.shares.get(usize::from(theirs)) else { continue };
            for (own, fresh) in self.shares.iter_mut().zip(&fresh) {
                let firsts = if is_packed { &mut own.packed_firsts } else { &mut own.other_firsts };
                firsts.merge(theirs.firsts(is_packed), fresh, self.keep);
            }
            added?;
        }
        Ok(())
    }

    /// Adds a group of another aggregation; if there was none like it, it becomes known to its share's `fresh` ones.
    fn merge_group(
        &mut self,
        other: &Self,
        place: Place,
        codes: &[u32],
        fresh: &mut [Vec<u32>],
    ) -> Result<(), Full> {
        let mut cells: Vec<Cell> = other.shape.cells(other.key(place)).collect();
        self.shape.recode(&mut cells, codes);
        let cells = || cells.iter().copied();
        let before = self.len();
        let counters = &other.counters(place);
        let packed = match self.shape.bits() {
            0..=64 => self.shape.pack::<u64>(cells()).map(|key| self.add_sums(key, counters)),
            65..=128 => self.shape.pack::<u128>(cells()).map(|key| self.add_sums(key, counters)),
            _ => None,
        };
        let at = packed.unwrap_or_else(|| {
            let mut key = Vec::new();
            encode(cells(), &mut key);
            self.add_other_sums(&key, counters, other.starts(place))
        })?;
        if self.len() > before {
            at.and_then(|at| fresh.get_mut(at)).into_iter().for_each(|fresh| fresh.push(place.row));
        }
        Ok(())
    }

    /// Every group, share by share, those with packed keys first.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<'_> {
        self.tables().flat_map(|(share, is_packed)| self.places_of(share, is_packed))
    }

    /// The groups of a share.
    pub(super) fn places_in(&self, share: u16) -> impl Iterator<Item = Place> + use<> {
        self.places_of(share, true).chain(self.places_of(share, false))
    }

    /// The shares there are.
    pub(super) fn shares(&self) -> impl ExactSizeIterator<Item = u16> + use<> {
        0..u16::try_from(self.shares.len()).unwrap_or(u16::MAX)
    }

    pub(super) fn counters(&self, place: Place) -> Counters {
        self.share(place).map_or(Counters::NONE, |share| share.counters(place.row, place.is_packed))
    }

    pub(super) fn values(&self, place: Place) -> Vec<Value> {
        self.shape.values(self.key(place), &self.texts)
    }

    /// Whether the first record of a group went from the larger end to the smaller one.
    pub(super) fn is_turned(&self, place: Place) -> bool {
        self.share(place).is_some_and(|share| share.firsts(place.is_packed).is_turned(place.row))
    }

    /// When the two ways of a group began, that from the smaller end first. Known of groups with long keys, as those of
    /// cloud logs are.
    pub(super) fn starts(&self, place: Place) -> Option<Starts> {
        self.share(place).filter(|_| !place.is_packed)?.starts(place.row)
    }

    /// The batch and the row that have what is kept of the first record of a group.
    pub(super) fn first(&self, place: Place) -> Option<(&FlowBatch, usize)> {
        Some((self.share(place)?.firsts(place.is_packed).rows(), place.row as usize))
    }

    /// The fields that some first record has.
    pub(super) fn first_fields(&self) -> FieldSet {
        let firsts = self.shares.iter().flat_map(|share| [share.firsts(true), share.firsts(false)]);
        firsts.fold(FieldSet::EMPTY, |fields, firsts| fields.union(firsts.rows().fields()))
    }

    /// Groups in the order of their values.
    pub(super) fn compare(&self, a: Place, b: Place) -> Ordering {
        self.shape.compare(self.key(a), self.key(b), &self.texts)
    }

    fn tables(&self) -> impl Iterator<Item = (u16, bool)> + use<> {
        self.shares().flat_map(|share| [(share, true), (share, false)])
    }

    fn places_of(&self, share: u16, is_packed: bool) -> impl Iterator<Item = Place> + use<> {
        let len = self.shares.get(usize::from(share)).map_or(0, |share| share.len(is_packed));
        (0..u32::try_from(len).unwrap_or(u32::MAX)).map(move |row| Place { row, share, is_packed })
    }

    fn share(&self, place: Place) -> Option<&Share> {
        self.shares.get(usize::from(place.share))
    }

    /// Groups that one of the tables of a share may have.
    fn room_of(&self, share: usize, is_packed: bool) -> usize {
        let own = self.shares.get(share).map_or(0, |share| share.len(is_packed));
        self.max_groups.saturating_sub(self.len() - own)
    }

    fn add_others(&mut self, records: &Records<'_>, rows: &[u32]) -> Result<(), Full> {
        let mut fresh = vec![Vec::new(); self.shares.len()];
        let (mut key, mut rows) = (Vec::new(), rows.iter());
        let added = rows.try_for_each(|&row| self.add_other(records, row, &mut key, &mut fresh));
        for (share, fresh) in self.shares.iter_mut().zip(&fresh) {
            share.other_firsts.add(records.batch, fresh, records.turned, self.keep);
        }
        added
    }

    /// Counts a record by a key of bytes, for which `key` has room.
    fn add_other(
        &mut self,
        records: &Records<'_>,
        row: u32,
        key: &mut Vec<u8>,
        fresh: &mut [Vec<u32>],
    ) -> Result<(), Full> {
        encode(records.key(row), key);
        let Hashed { hash, share } = self.division.hash(key.as_slice());
        if self.candidates.as_ref().is_some_and(|candidates| !candidates.has(hash)) {
            return Ok(());
        }
        let Some(at) = self.shares.iter().position(|own| own.number() == share) else { return Ok(()) };
        let (room, counters) = (self.room_of(at, false), records.counters(row));
        let Some(share) = self.shares.get_mut(at) else { return Ok(()) };
        let before = share.len(false);
        let group = share.add_other(key, hash, room, &counters)?;
        if self.keep.turns {
            share.note_starts(group, Starts::of(counters.first(), records.turned.get(row as usize)));
        }
        if share.len(false) > before {
            fresh.get_mut(at).into_iter().for_each(|fresh| fresh.push(row));
        }
        Ok(())
    }

    /// Adds what was counted elsewhere; the share it belongs to, if that is an own one.
    fn add_sums<K: Tabled>(&mut self, key: K, counters: &Counters) -> Result<Option<usize>, Full> {
        let Hashed { hash, share } = self.division.hash(&key);
        let Some(at) = self.shares.iter().position(|own| own.number() == share) else { return Ok(None) };
        let room = self.room_of(at, true);
        self.shares.get_mut(at).map_or(Ok(()), |share| share.add_sums(key, hash, room, counters))?;
        Ok(Some(at))
    }

    /// [`add_sums`](Self::add_sums) by a key of bytes.
    fn add_other_sums(
        &mut self,
        key: &[u8],
        counters: &Counters,
        starts: Option<Starts>,
    ) -> Result<Option<usize>, Full> {
        let Hashed { hash, share } = self.division.hash(key);
        let Some(at) = self.shares.iter().position(|own| own.number() == share) else { return Ok(None) };
        let room = self.room_of(at, false);
        let Some(share) = self.shares.get_mut(at) else { return Ok(None) };
        let row = share.add_other(key, hash, room, counters)?;
        starts.into_iter().for_each(|starts| share.note_starts(row, starts));
        Ok(Some(at))
    }

    fn key(&self, place: Place) -> Key<'_> {
        self.share(place).map_or(Key::Bytes(&[]), |share| share.key(place.row, place.is_packed))
    }
}

impl Division {
    /// The keys that belong to a share, and to candidates if there are some.
    fn own<K: Tabled>(
        &self,
        keys: &[(K, u32)],
        number: u32,
        candidates: Option<&Candidates>,
    ) -> Vec<Keyed<K>> {
        let hashed = |&(key, row): &(K, u32)| {
            let Hashed { hash, share } = self.hash(&key);
            (share == number).then_some(Keyed { key, row, hash })
        };
        if let Some(candidates) = candidates {
            return keys.iter().filter_map(hashed).filter(|keyed| candidates.has(keyed.hash)).collect();
        }
        let mut own = Vec::with_capacity(keys.len());
        own.extend(keys.iter().filter_map(hashed));
        own
    }
}

impl Records<'_> {
    /// What the key of a row is made of.
    #[inline]
    fn key(&self, row: u32) -> impl Iterator<Item = Cell> {
        let row = row as usize;
        let is_turned = self.turned.get(row);
        (0..self.cells.len()).map(move |part| {
            let part = if is_turned { turned_part(part) } else { part };
            self.cells.get(part).map_or(Cell::Absent, |cells| cells.cell(row))
        })
    }

    /// The packed keys of rows, and the rows whose values cannot be packed.
    fn pack<K: Packed>(&self, shape: &KeyShape) -> (Vec<(K, u32)>, Vec<u32>) {
        if !self.any_turned {
            return shape.pack_rows::<K>(self.cells, self.rows);
        }
        let (mut keys, mut others) = (Vec::with_capacity(self.rows.len()), Vec::new());
        for &row in self.rows {
            match shape.pack::<K>(self.key(row)) {
                Some(key) => keys.push((key, row)),
                None => others.push(row),
            }
        }
        (keys, others)
    }

    /// What is to be added for each of these records.
    #[inline]
    pub(super) fn fill<K>(&self, block: &[Keyed<K>], sums: &mut [Counters]) {
        self.columns.fill(block.iter().map(|keyed| keyed.row), sums);
        if self.any_turned {
            for (keyed, sums) in block.iter().zip(sums) {
                *sums = if self.turned.get(keyed.row as usize) { sums.turned() } else { *sums };
            }
        }
    }

    #[inline]
    fn counters(&self, row: u32) -> Counters {
        let counters = self.columns.row(row as usize);
        if self.turned.get(row as usize) { counters.turned() } else { counters }
    }
}

/// What a text takes beside its bytes: counts of its users, its places in both parts of the dictionary, and the slack of these.
const BYTES_OF_A_TEXT: usize = 96;
