//! The distinct texts of a column, found by their code and by their text.
//!
//! Batches cut from one block of a file share one dictionary; a column that adds a text to a shared one gets its
//! own copy first.

use hashbrown::HashMap;

use crate::record::Text;

/// Distinct texts with codes from 1 up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dictionary {
    texts: Vec<Text>,
    codes: HashMap<Text, u32, foldhash::fast::FixedState>,
    /// Length of all texts together.
    bytes: usize,
}

impl Dictionary {
    /// The texts in the order of their codes.
    pub(crate) fn texts(&self) -> &[Text] {
        &self.texts
    }

    /// The code of a text that is there.
    pub(crate) fn code(&self, text: &str) -> Option<u32> {
        self.codes.get(text).copied()
    }

    /// Length of all texts together, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of memory that the texts take, about: each with its counts, its place and its entry in the table.
    pub(crate) fn memory(&self) -> usize {
        const COUNTS: usize = 2 * size_of::<usize>();
        let entry = size_of::<(Text, u32)>() + 1;
        self.bytes
            + self.texts.len() * COUNTS
            + self.texts.capacity() * size_of::<Text>()
            + self.codes.capacity() * entry * 8 / 7
    }

    /// Adds a text that is not there yet, and returns its code.
    pub(crate) fn add(&mut self, text: Text) -> u32 {
        self.bytes += text.len();
        self.texts.push(Text::clone(&text));
        let code = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.codes.insert(text, code);
        code
    }

    /// Forgets all texts; memory is kept for the next ones.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.codes.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use crate::batch::TextColumn;

    #[test]
    fn a_shared_dictionary_does_not_change_under_its_other_users() {
        let mut one = TextColumn::default();
        one.push(Some("accept"));
        let mut other = one.clone();
        other.push(Some("reject"));
        assert_eq!(one.dictionary().len(), 1);
        assert_eq!((other.dictionary().len(), other.get(1).map(|text| &**text)), (2, Some("reject")));
        assert_eq!(other.code("accept"), 1);
    }
}
