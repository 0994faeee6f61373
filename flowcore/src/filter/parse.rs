//! Tokens to a tree of terms, by recursive descent.
//!
//! ```text
//! or      = and { ( "or" | "||" ) and }
//! and     = not { ( "and" | "&&" ) not }
//! not     = { "not" | "!" } ( "(" or ")" | term )
//! term    = phrase [ compare value | [ "not" ] "in" ( file | "[" item { [ "," ] item } "]" ) ]
//! item    = value | file
//! ```
//!
//! What a phrase is says the vocabulary; what a value means is for the check. Here a value is text with a place.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::FilterError;
use super::expr::Expr;
use super::lex::{self, Cmp, Kind, Token};
use super::script::Script;
use super::vocabulary::{self, Subject};
use crate::record::FieldKind;

/// A term as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// The phrase in its canonical spelling.
    pub(super) name: String,
    pub(super) subject: Subject,
    pub(super) relation: Relation,
    /// Where the comparator stands, or where it would.
    pub(super) relation_span: Range<usize>,
    /// One value for a comparator, at least one for a list, none for a term without values.
    pub(super) values: Vec<Operand>,
}

/// How a term relates its subject to its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// No comparator written: equal, or for TCP flags "has all of these".
    Plain,
    Compare(Cmp),
    In,
    NotIn,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operand {
    /// The value, or the name of the file.
    pub(super) text: String,
    pub(super) span: Range<usize>,
    /// The values are in a file.
    pub(super) is_file: bool,
}

/// Parses an expression; nothing but white space is `any`.
pub(super) fn parse(script: &Script) -> Result<Expr<Term>, FilterError> {
    let tokens = script.tokens()?;
    let mut parser =
        Parser { expression: script.text(), end: script.end(), tokens: &tokens, at: 0, depth: 0 };
    if tokens.is_empty() {
        return Ok(Expr::Term(Term::without_values("any".to_owned(), Subject::Any)));
    }
    let tree = parser.or()?;
    match parser.peek() {
        None => Ok(tree),
        Some(token) => Err(parser.misplaced(token)),
    }
}

/// Parentheses within parentheses that are followed.
const MAX_DEPTH: usize = 200;

impl Term {
    fn without_values(name: String, subject: Subject) -> Self {
        Self { name, subject, relation: Relation::Plain, relation_span: 0..0, values: Vec::new() }
    }
}

/// A place in the tokens of an expression.
pub(super) struct Parser<'a> {
    pub(super) expression: &'a str,
    /// Where the expression ends.
    end: usize,
    pub(super) tokens: &'a [Token<'a>],
    /// The next token.
    pub(super) at: usize,
    /// Parentheses that are open.
    depth: usize,
}

type Parsed<T> = Result<T, FilterError>;

/// [`Expr::and`] or [`Expr::or`].
type Join = fn(Vec<Expr<Term>>) -> Expr<Term>;

impl<'a> Parser<'a> {
    fn or(&mut self) -> Parsed<Expr<Term>> {
        let mut parts = vec![self.and()?];
        while self.eat(Kind::Or) || self.eat_word("or") {
            parts.push(self.and()?);
        }
        Ok(Expr::or(parts))
    }

    fn and(&mut self) -> Parsed<Expr<Term>> {
        let mut parts = vec![self.not()?];
        while self.eat(Kind::And) || self.eat_word("and") {
            parts.push(self.not()?);
        }
        Ok(Expr::and(parts))
    }

    fn not(&mut self) -> Parsed<Expr<Term>> {
        let mut negated = false;
        while self.eat(Kind::Not) || self.eat_word("not") {
            negated = !negated;
        }
        let inner = if self.peek_kind() == Some(Kind::Open) { self.group()? } else { self.terms()? };
        Ok(if negated { inner.negate() } else { inner })
    }

    fn group(&mut self) -> Parsed<Expr<Term>> {
        let open = self.span();
        if self.depth == MAX_DEPTH {
            let message = format!("parentheses are nested more than {MAX_DEPTH} deep");
            return Err(self.error(open, message));
        }
        self.at += 1;
        self.depth += 1;
        let inner = self.or()?;
        self.depth -= 1;
        match self.peek() {
            Some(token) if token.kind == Kind::Close => {
                self.at += 1;
                Ok(inner)
            }
            Some(token) => Err(self.misplaced(token)),
            None => Err(self.never_closed(open)),
        }
    }

    /// A term; `src and dst port 53` is two of them, each for its side.
    fn terms(&mut self) -> Parsed<Expr<Term>> {
        let Some((sides, join)) = self.sides() else { return Ok(Expr::Term(self.term(None)?)) };
        self.at += 3;
        let start = self.at;
        let first = self.term(Some(sides[0]))?;
        self.at = start;
        let second = self.term(Some(sides[1]))?;
        Ok(join(vec![Expr::Term(first), Expr::Term(second)]))
    }

    /// Both sides, joined.
    fn sides(&self) -> Option<([&'a str; 2], Join)> {
        let words = self.words();
        let is = |at: usize, word| words.get(at).is_some_and(|typed: &&str| typed.eq_ignore_ascii_case(word));
        let sides = match [is(0, "src") && is(2, "dst"), is(0, "dst") && is(2, "src")] {
            [true, _] => ["src", "dst"],
            [_, true] => ["dst", "src"],
            _ => return None,
        };
        match (is(1, "and"), is(1, "or")) {
            (true, _) => Some((sides, Expr::and)),
            (_, true) => Some((sides, Expr::or)),
            _ => None,
        }
    }

    /// One term, whose phrase begins with the word for its side where that stands further ahead.
    fn term(&mut self, side: Option<&'a str>) -> Parsed<Term> {
        let words: Vec<&str> = side.into_iter().chain(self.words()).collect();
        let ahead = usize::from(side.is_some());
        let found = match vocabulary::find(&words) {
            Ok(found) if found.words > ahead => found,
            Ok(_) => return Err(self.no_term(0, &[])),
            Err(unknown) if side.is_some() && unknown.known <= ahead => {
                return Err(self.no_sides(&unknown.next));
            }
            Err(unknown) => return Err(self.no_term(unknown.known.saturating_sub(ahead), &unknown.next)),
        };
        let start = self.span().start;
        let takes_mask = words.get(found.words - 1).is_some_and(|word| word.eq_ignore_ascii_case("net"));
        self.at += found.words - ahead;
        let (name, subject) = match found.subject {
            Some(subject) => (found.name, subject),
            None => self.named_field()?,
        };
        match subject.kind() {
            None => Ok(Term::without_values(name, subject)),
            Some(kind) => {
                let phrase = start..self.last_span().end;
                let takes = Takes { kind, expected: subject.expected(), phrase, mask: takes_mask };
                let mut term = self.comparison(name, subject, takes)?;
                self.regex_flags(&mut term)?;
                match self.loose_word(&term) {
                    Some(error) => Err(error),
                    None => Ok(term),
                }
            }
        }
    }

    /// The name after `field`.
    fn named_field(&mut self) -> Parsed<(String, Subject)> {
        let name = match self.peek_kind() {
            Some(Kind::Word(name)) if !is_connective(name) => name,
            Some(Kind::Quoted(name)) => name,
            _ => {
                return Err(self
                    .error(self.span(), "\"field\" needs a name")
                    .expected("the name of a field"));
            }
        };
        self.at += 1;
        Ok((format!("field {}", quote(&name.to_ascii_lowercase())), Subject::named(name)))
    }

    /// Comparator and value, or a list.
    fn comparison(&mut self, name: String, subject: Subject, takes: Takes) -> Parsed<Term> {
        let start = self.span();
        let negated_list = self.word_at(0, "not") && self.word_at(1, "in");
        self.at += usize::from(negated_list);
        let is_list = self.word_at(0, "in") && (self.list_at(1) || !subject.has_value("in"));
        let (relation, values) = if is_list {
            self.at += 1;
            let relation = if negated_list { Relation::NotIn } else { Relation::In };
            (relation, self.list(&takes)?)
        } else {
            let relation = self.comparator()?.map_or(Relation::Plain, Relation::Compare);
            (relation, vec![self.operand(&takes)?])
        };
        Ok(Term { name, subject, relation, relation_span: start, values })
    }

    fn comparator(&mut self) -> Parsed<Option<Cmp>> {
        let Some(first) = self.eat_comparator() else { return Ok(None) };
        let place = self.last_span();
        let Some(second) = self.eat_comparator() else { return Ok(Some(first)) };
        let meant = match (first, second) {
            (Cmp::Eq, Cmp::Gt) => Some(">="),
            (Cmp::Eq, Cmp::Lt) => Some("<="),
            (Cmp::Lt, Cmp::Gt) => Some("!="),
            (Cmp::Eq, Cmp::Eq) => Some("="),
            _ => None,
        };
        let span = place.start..self.last_span().end;
        Err(self.error(span, "two comparators in a row").suggest(meant))
    }

    fn list(&mut self, takes: &Takes) -> Parsed<Vec<Operand>> {
        let open = self.span();
        if let Some(file) = self.file() {
            return Ok(vec![file]);
        }
        if !self.eat(Kind::OpenList) {
            return Err(self
                .error(open, "a list stands in brackets")
                .expected("\"[\", as in port in [80 443]"));
        }
        let mut values = Vec::new();
        loop {
            match self.peek_kind() {
                Some(Kind::CloseList) => break,
                None | Some(Kind::And | Kind::Or | Kind::Not | Kind::Close) => {
                    return Err(self.never_closed(open));
                }
                Some(Kind::Word(word)) if is_connective(word) => return Err(self.never_closed(open)),
                Some(_) => values.push(match self.file() {
                    Some(file) => file,
                    None => self.operand(&Takes { mask: false, ..takes.clone() })?,
                }),
            }
            self.eat(Kind::Comma);
        }
        self.at += 1;
        if values.is_empty() {
            let span = open.start..self.last_span().end;
            return Err(self.error(span, "the list is empty").expected(takes.expected));
        }
        Ok(values)
    }

    /// A file of values.
    fn file(&mut self) -> Option<Operand> {
        let Some(Kind::File(name)) = self.peek_kind() else { return None };
        let file = Operand { text: name.to_owned(), span: self.span(), is_file: true };
        self.at += 1;
        Some(file)
    }

    /// One value; some are written in several words.
    fn operand(&mut self, takes: &Takes) -> Parsed<Operand> {
        let (mut text, quoted) = match self.peek_kind() {
            Some(Kind::Quoted(text)) => (text.to_owned(), true),
            Some(Kind::Word(word)) if !is_connective(word) => (word.to_owned(), false),
            _ => return Err(self.no_value(takes)),
        };
        let start = self.span().start;
        self.at += 1;
        match takes.kind {
            FieldKind::Addr if !quoted => self.rest_of_prefix(&mut text, takes.mask),
            FieldKind::Time if !quoted => self.time_of_day(&mut text),
            _ => {}
        }
        Ok(Operand { text, span: start..self.last_span().end, is_file: false })
    }

    /// `10.0.0.0 / 8` and `10.0.0.0 255.0.0.0` become one word.
    fn rest_of_prefix(&mut self, text: &mut String, mask: bool) {
        while let Some(word) = self.peek_word()
            && (text.ends_with('/') || (word.starts_with('/') && !text.contains('/')))
        {
            text.push_str(word);
            self.at += 1;
        }
        if let Some(word) = self.peek_word()
            && mask
            && text.starts_with(|c: char| c.is_ascii_digit())
            && !text.contains('/')
            && word.parse::<Ipv4Addr>().is_ok()
        {
            text.push('/');
            text.push_str(word);
            self.at += 1;
        }
    }

    /// `2023-09-28 17:22` and `now - 2h` become one word.
    fn time_of_day(&mut self, text: &mut String) {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_date = text.contains(['-', '/']) && text.split(['-', '/']).all(digits);
        if let Some(word) = self.peek_word()
            && is_date
            && word.split_once(':').is_some_and(|(hour, _)| hour.len() <= 2 && digits(hour))
        {
            text.push('T');
            text.push_str(word);
            self.at += 1;
        }
        while let Some(word) = self.peek_word()
            && (text.eq_ignore_ascii_case("now") && word.starts_with(['-', '+'])
                || text.ends_with(['-', '+']))
            && !is_connective(word)
        {
            text.push_str(word);
            self.at += 1;
        }
    }
}

/// What values a term takes.
#[derive(Clone)]
pub(super) struct Takes {
    kind: FieldKind,
    /// What such a value looks like.
    pub(super) expected: &'static str,
    /// Where the phrase stands.
    pub(super) phrase: Range<usize>,
    /// An address can be followed by a mask.
    mask: bool,
}

/// Moving through the tokens.
impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    fn peek_kind(&self) -> Option<Kind<'a>> {
        self.peek().map(|token| token.kind)
    }

    pub(super) fn peek_word(&self) -> Option<&'a str> {
        match self.peek_kind() {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Where the next token stands; empty at the end of the expression.
    pub(super) fn span(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |token| token.span.clone())
    }

    /// Where the last token stands that was taken.
    fn last_span(&self) -> Range<usize> {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(0..0, |token| token.span.clone())
    }

    fn eat(&mut self, kind: Kind<'_>) -> bool {
        let eaten = self.peek_kind() == Some(kind);
        self.at += usize::from(eaten);
        eaten
    }

    fn word_at(&self, ahead: usize, keyword: &str) -> bool {
        match self.tokens.get(self.at + ahead) {
            Some(Token { kind: Kind::Word(word), .. }) => word.eq_ignore_ascii_case(keyword),
            _ => false,
        }
    }

    /// Whether a list begins at this token.
    fn list_at(&self, ahead: usize) -> bool {
        let token = self.tokens.get(self.at + ahead);
        token.is_some_and(|token| matches!(token.kind, Kind::OpenList | Kind::File(_)))
    }

    fn eat_word(&mut self, keyword: &str) -> bool {
        let eaten = self.word_at(0, keyword);
        self.at += usize::from(eaten);
        eaten
    }

    fn eat_comparator(&mut self) -> Option<Cmp> {
        let cmp = match self.peek_kind()? {
            Kind::Compare(cmp) => cmp,
            Kind::Word(word) => Cmp::from_word(word)?,
            _ => return None,
        };
        self.at += 1;
        Some(cmp)
    }

    /// The words from here on that could belong to a phrase.
    pub(super) fn words(&self) -> Vec<&'a str> {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let words = rest.iter().map_while(|token| match token.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        });
        words.take(MAX_PHRASE).collect()
    }
}

/// A value or name as a word, in quotes if it would not be read as one.
pub(super) fn quote(text: &str) -> String {
    let reserved = is_connective(text)
        || text.starts_with('@')
        || text.eq_ignore_ascii_case("in")
        || Cmp::from_word(text).is_some();
    if !text.is_empty() && !reserved && text.chars().all(lex::is_word_char) {
        return text.to_owned();
    }
    in_quotes(text)
}

/// The name of a file of values as it is written.
pub(super) fn quote_file(name: &str) -> String {
    if !name.is_empty() && name.chars().all(lex::is_word_char) {
        return format!("@{name}");
    }
    format!("@{}", in_quotes(name))
}

fn in_quotes(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

/// Whether a word joins or turns round terms, and so is no value unless it is quoted.
pub(super) fn is_connective(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// Words of the longest phrase, and one more.
const MAX_PHRASE: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(expression: &str) -> Parsed<Expr<Term>> {
        super::parse(&Script::new(expression, None, None)?)
    }

    fn terms(expression: &str) -> Vec<(String, Relation, Vec<String>)> {
        let mut terms = Vec::new();
        parse(expression).unwrap().each_term(&mut |term| {
            let values = term.values.iter().map(|value| value.text.clone()).collect();
            terms.push((term.name.clone(), term.relation, values));
        });
        terms
    }

    fn one(expression: &str) -> (String, Relation, String) {
        let (name, relation, values) = terms(expression).remove(0);
        (name, relation, values.join(" "))
    }

    #[test]
    fn a_value_of_several_words_is_one_value() {
        for text in ["net 10.0.0.0/8", "net 10.0.0.0 / 8", "net 10.0.0.0 /8", "NET 10.0.0.0/ 8"] {
            assert_eq!(one(text), ("ip".into(), Relation::Plain, "10.0.0.0/8".into()), "{text}");
        }
        assert_eq!(one("src net 10.0.0.0 255.0.0.0").2, "10.0.0.0/255.0.0.0");
        assert_eq!(one("first seen >= 2023-09-28 17:22").2, "2023-09-28T17:22");
        assert_eq!(
            terms("first in [2023-09-28 2023-09-29T17:22 2023/09/30 7:00]")[0].2,
            ["2023-09-28", "2023-09-29T17:22", "2023/09/30T7:00"]
        );
        assert!(parse("ip 10.0.0.0 255.0.0.0").is_err());
        assert_eq!(terms("first > now - 2h and last < now -5m")[1].2, ["now-5m"]);
        assert_eq!(terms("first > now - 2h and last < now")[0].2, ["now-2h"]);
    }

    #[test]
    fn both_sides_can_be_named_at_once() {
        let both = |text: &str| parse(text).unwrap().try_map(&mut |t| Ok::<_, ()>(t.name.clone())).unwrap();
        assert_eq!(both("src and dst port 53").to_string(), "src port and dst port");
        assert_eq!(
            both("tcp and DST OR SRC ip in [10.0.0.0/8 1.2.3.4]").to_string(),
            "tcp and (dst ip or src ip)"
        );
        assert_eq!(
            both("not src and dst port > 1023 and udp").to_string(),
            "not (src port and dst port) and udp"
        );
        assert_eq!(terms("src and dst port 53")[1].2, ["53"]);
        for text in [
            "src and dst",
            "src and dst and tcp",
            "src and src port 5",
            "src or dst prot 5",
            "src and dst tcp",
            "src and dst bytes 5",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_take_commas_or_blanks() {
        let values = vec!["80".to_owned(), "443".to_owned(), "8000-8100".to_owned()];
        assert_eq!(terms("port in [80,443 , 8000-8100]")[0], ("port".into(), Relation::In, values.clone()));
        assert_eq!(terms("port not in [80 443 8000-8100]")[0], ("port".into(), Relation::NotIn, values));
    }

    #[test]
    fn a_list_can_be_in_a_file() {
        let list = |text: &str| match parse(text).unwrap() {
            Expr::Term(term) => term.values.into_iter().map(|v| (v.text, v.is_file)).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(list("ip in @bad.txt"), [("bad.txt".into(), true)]);
        assert_eq!(
            list("ip not in [1.2.3.4, @'a b' '@c']"),
            [("1.2.3.4".into(), false), ("a b".into(), true), ("@c".into(), false)]
        );
    }

    #[test]
    fn binding_and_nesting() {
        let shape = |text: &str| parse(text).unwrap().try_map(&mut |t| Ok::<_, ()>(t.name.clone())).unwrap();
        assert_eq!(shape("not tcp and udp or any && !(gre || !!esp)").to_string(), {
            "not tcp and udp or any and not (gre or esp)"
        });
        assert_eq!(shape("tcp or udp and any"), shape("tcp or (udp and any)"));
        assert_eq!(shape(" # nothing\n").to_string(), "any");
        let deep = |n: usize| format!("{}any{}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&deep(MAX_DEPTH)).is_ok());
        for n in [MAX_DEPTH + 1, 100_000] {
            assert!(parse(&deep(n)).unwrap_err().message().contains("nested"), "{n}");
        }
        assert!(parse(&"not ".repeat(100_001)).is_err());
        assert!(parse(&format!("{}any", "!".repeat(100_001))).is_ok());
    }

    #[test]
    fn words_that_would_be_misread_are_quoted() {
        for (text, quoted) in
            [("a-b", "a-b"), ("and", "\"and\""), ("a b", "\"a b\""), ("", "\"\""), ("a\"", "'a\"'")]
        {
            assert_eq!(quote(text), quoted);
        }
    }
}
