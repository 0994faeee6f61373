//! The filter language: nfdump's, widened.
//!
//! An expression goes through these stages, each a file:
//!
//! ```text
//! text -> script (lex) -> tokens -> parse (vocabulary) -> terms -> check (value) -> predicates -> eval    one flow
//!         included files                                           files of values             -> kernel  one batch
//!                                                                                               -> prune   block summary
//! ```
//!
//! The language is described for users in `docs/filter.md`.

mod addrs;
mod check;
mod columns;
mod dialect;
mod error;
mod eval;
mod explain;
mod expr;
mod kernel;
mod lex;
mod list;
mod names;
mod parse;
mod parser;
mod parts;
mod payload;
mod phrases;
mod plain;
mod predicate;
mod prune;
mod script;
mod sets;
mod suggest;
mod terms;
mod tree;
mod value;
mod vocabulary;
pub mod zones;

#[cfg(test)]
mod tests;

pub use error::FilterError;
pub use names::value_name;
pub use parser::FilterParser;
pub(crate) use parts::Parts;
pub use phrases::{Phrase, phrases};
pub use suggest::nearest;

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use self::expr::Expr;
use self::predicate::{Condition, Predicate};
use self::zones::Zones;
use crate::batch::{FlowBatch, Mask};
use crate::record::{Field, FieldSet, Flow};

/// A question that every flow answers with yes or no.
///
/// A term about a field that the flow does not have is false, whatever its comparator; the term's negation is
/// therefore true. No name is ever looked up in the DNS.
///
/// The [`Display`](fmt::Display) form is the expression in one canonical spelling, relative times turned into points in
/// time; it reads back as the same filter. Cloning is cheap.
///
/// ```
/// use flowcore::{Field, Filter, Flow};
/// let filter = Filter::parse("dst port 443 and ip 10.0.0.0/8")?;
/// let mut flow = Flow::default();
/// flow.key.src = "10.1.2.3".parse().unwrap();
/// assert!(!filter.matches(&flow));
/// flow.key.dst_port = Some(443);
/// assert!(filter.matches(&flow));
/// assert!(filter.fields().contains(Field::SrcAddr));
/// assert_eq!(Filter::parse("HOST = 1.2.3.4 && ( TCP )")?.to_string(), "host = 1.2.3.4 and tcp");
/// # Ok::<(), flowcore::FilterError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Filter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    expression: String,
    tree: Expr<Predicate>,
    fields: FieldSet,
    unknown_columns: bool,
}

impl Filter {
    /// Parses an expression; one of nothing but white space and comments is `any`. No file is read. Times like `-2h`
    /// are before the time of the machine's clock.
    ///
    /// # Errors
    /// When the expression is wrong; the error points at the place, says what was expected there and, if there
    /// is one, which word was perhaps meant. An expression that names a file is wrong.
    pub fn parse(expression: &str) -> Result<Self, FilterError> {
        FilterParser::new().parse(expression)
    }

    /// Parses an expression that may name files (`@include common.nf`, `ip in @bad.txt`), which are looked up in this
    /// folder; the empty path is the working directory. More ways are in [`FilterParser`].
    ///
    /// # Errors
    /// As [`parse`](Self::parse); also when a file cannot be read or something in it is wrong, in which case the error
    /// shows the line of the file.
    ///
    /// ```
    /// # use flowcore::Filter;
    /// let error = Filter::parse_with_files("ip in @missing.txt", "").unwrap_err();
    /// assert!(error.message().starts_with("cannot read missing.txt"));
    /// ```
    pub fn parse_with_files(expression: &str, folder: impl AsRef<Path>) -> Result<Self, FilterError> {
        FilterParser::new().files_in(folder).parse(expression)
    }

    /// The filter that every flow matches.
    pub fn any() -> Self {
        Self::new("any", Expr::Term(Predicate { text: "any".to_owned(), condition: Condition::Any }))
    }

    /// The flows that match this filter and another one.
    ///
    /// ```
    /// # use flowcore::Filter;
    /// let both = Filter::parse("tcp or udp")?.and(&Filter::parse("port 53")?);
    /// assert_eq!(both.expression(), "(tcp or udp) and port 53");
    /// # Ok::<(), flowcore::FilterError>(())
    /// ```
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let tree = Expr::and(vec![self.0.tree.clone(), other.0.tree.clone()]);
        Self::new(&tree.to_string(), tree)
    }

    fn new(expression: &str, tree: Expr<Predicate>) -> Self {
        let mut unknown_columns = false;
        tree.each_term(&mut |term| unknown_columns |= matches!(term.condition, Condition::Column { .. }));
        let (expression, fields) = (expression.to_owned(), fields_of(&tree));
        Self(Arc::new(Inner { expression, tree, fields, unknown_columns }))
    }

    /// The expression as it was given.
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// The stored fields that the filter looks at; of a computed field, those it is computed from.
    pub fn fields(&self) -> FieldSet {
        self.0.fields
    }

    /// Whether the filter looks at a column of the source that has no field.
    pub fn unknown_columns(&self) -> bool {
        self.0.unknown_columns
    }

    /// Whether the filter asks for the log status, so that NODATA and SKIPDATA rows have to be read as rows.
    pub fn wants_status_rows(&self) -> bool {
        self.0.fields.contains(Field::LogStatus)
    }

    /// Whether one flow matches.
    pub fn matches(&self, flow: &Flow) -> bool {
        eval::matches(&self.0.tree, flow)
    }

    /// The rows of a batch that match: what [`matches`](Self::matches) says of each row, a column at a time.
    pub fn select(&self, batch: &FlowBatch) -> Mask {
        kernel::select(&self.0.tree, batch)
    }

    /// Whether any row of a block with this summary could match; `false` is certain.
    pub fn may_match(&self, zones: &dyn Zones) -> bool {
        prune::may_match(&self.0.tree, zones)
    }
}

/// The stored fields that an expression looks at.
fn fields_of(tree: &Expr<Predicate>) -> FieldSet {
    let mut fields = FieldSet::EMPTY;
    tree.each_term(&mut |term| fields = fields.union(term.condition.fields().into_iter().collect()));
    fields.stored()
}

impl Default for Filter {
    /// [`Filter::any`].
    fn default() -> Self {
        Self::any()
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(expression: &str) -> Result<Self, FilterError> {
        Self::parse(expression)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.tree.fmt(f)
    }
}
