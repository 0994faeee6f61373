//! The name of a recording: nfdump files have one for all their flows.

use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::record::{Field, Text};

/// Most bytes of a name: nfdump 1.7 does not read a longer one.
pub(super) const MAX_IDENT: usize = 121;

/// What the file says where there is no name.
pub(super) const NO_IDENT: &str = "none";

/// Finds the name that a file gets: the one that was asked for, or the one that all flows have.
#[derive(Debug)]
pub(super) enum FileIdent {
    /// The file has this name.
    Given(Text),
    /// No flow was seen yet.
    Open,
    /// All flows seen have this name, or all have none.
    Common(Option<Text>),
    /// The flows have different names.
    Mixed,
}

impl FileIdent {
    /// The name of the options; an empty one leaves it to the flows.
    ///
    /// # Errors
    /// When the name cannot be written.
    pub(super) fn new(ident: &str) -> Result<Self> {
        match ident {
            "" => Ok(Self::Open),
            _ if is_writable(ident) => Ok(Self::Given(ident.into())),
            _ => Err(Error::argument(format!(
                "the ident has {} bytes; nfdump files take {MAX_IDENT} at most, and none of zero",
                ident.len()
            ))),
        }
    }

    /// The name in the file.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Given(name) | Self::Common(Some(name)) => name,
            _ => NO_IDENT,
        }
    }

    /// Looks at the flows of a batch; `false` if the name of some flow is not that of the file.
    pub(super) fn add(&mut self, batch: &FlowBatch) -> bool {
        let column = batch.texts(Field::Ident);
        let code = |row: usize| column.and_then(|column| column.codes().get(row).copied()).unwrap_or(0);
        let (mut kept, mut before) = (true, None);
        for code in (0..batch.len()).map(code) {
            if before.replace(code) != Some(code) {
                kept &= self.add_name(column.and_then(|column| column.text(code)));
            }
        }
        kept
    }

    fn add_name(&mut self, name: Option<&Text>) -> bool {
        match self {
            Self::Given(given) => name.is_none_or(|name| name == given),
            Self::Common(common) if common.as_ref() == name => true,
            Self::Open if name.is_none_or(|name| is_writable(name) && **name != *NO_IDENT) => {
                *self = Self::Common(name.cloned());
                true
            }
            Self::Open | Self::Common(_) => {
                *self = Self::Mixed;
                false
            }
            Self::Mixed => name.is_none(),
        }
    }
}

fn is_writable(name: &str) -> bool {
    (1..=MAX_IDENT).contains(&name.len()) && !name.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(names: &[&str]) -> FlowBatch {
        let mut batch = FlowBatch::new();
        for name in names {
            if !name.is_empty() {
                batch.set_text(Field::Ident, name);
            }
            batch.end_row();
        }
        batch
    }

    /// The file's name, and whether each batch kept its names.
    fn found(given: &str, batches: &[&[&str]]) -> (String, Vec<bool>) {
        let mut ident = FileIdent::new(given).unwrap();
        let kept = batches.iter().map(|names| ident.add(&batch(names))).collect();
        (ident.name().to_owned(), kept)
    }

    #[test]
    fn a_name_that_all_flows_have_is_the_files() {
        assert_eq!(found("", &[]), ("none".into(), vec![]));
        assert_eq!(found("", &[&[], &["a", "a"], &["a"]]), ("a".into(), vec![true; 3]));
        assert_eq!(found("", &[&["", ""], &[]]), ("none".into(), vec![true; 2]));
        assert_eq!(found("", &[&["a"], &["a", "b"], &[""]]), ("none".into(), vec![true, false, true]));
        assert_eq!(found("", &[&["a"], &[""], &["a"]]), ("none".into(), vec![true, false, false]));
        assert_eq!(found("", &[&[""], &["a"]]), ("none".into(), vec![true, false]));
    }

    #[test]
    fn a_name_that_was_asked_for_stays() {
        assert_eq!(found("x", &[&["", "x"], &["a"]]), ("x".into(), vec![true, false]));
        assert_eq!(found("none", &[&["a"]]), ("none".into(), vec![false]));
    }

    #[test]
    fn a_name_that_cannot_be_written_is_refused() {
        let long = "x".repeat(MAX_IDENT + 1);
        for name in [long.as_str(), "a\0b"] {
            assert!(FileIdent::new(name).is_err());
            assert_eq!(found("", &[&[name]]), ("none".into(), vec![false]));
        }
        assert_eq!(found(&long[1..], &[]).0, long[1..]);
        assert_eq!(found("", &[&["none"]]), ("none".into(), vec![false]));
    }
}
