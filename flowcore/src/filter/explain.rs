//! What is wrong where the grammar cannot go on, in words that help.

use std::ops::Range;

use super::FilterError;
use super::lex::{Kind, Token};
use super::parse::{Operand, Parser, Relation, Takes, Term, is_connective};
use super::suggest::nearest;
use super::value::Problem;
use super::{dialect, payload, value, vocabulary};
use crate::record::FieldKind;

impl Parser<'_> {
    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> FilterError {
        FilterError::new(self.expression, span, message)
    }

    pub(super) fn never_closed(&self, open: Range<usize>) -> FilterError {
        let (open_text, close) = if self.text(open.clone()) == "(" { ("(", ")") } else { ("[", "]") };
        self.error(open, format!("this \"{open_text}\" is never closed"))
            .expected(format!("a \"{close}\" after it"))
    }

    fn text(&self, span: Range<usize>) -> &str {
        self.expression.get(span).unwrap_or_default()
    }

    /// A term should begin here; `known` words do begin one, the next one does not go with them.
    pub(super) fn no_term(&self, known: usize, next: &[&'static str]) -> FilterError {
        let Some(token) = self.tokens.get(self.at + known) else {
            return self.unfinished(known, next);
        };
        if known > 0 {
            return match token.kind {
                Kind::Word(word) if !is_connective(word) => self.wrong_word(word, known, next),
                _ => self.unfinished(known, next),
            };
        }
        let text = self.text(token.span.clone());
        match token.kind {
            Kind::Word(word) if !is_connective(word) => self.unknown_word(word, next),
            Kind::Quoted(text) => self
                .error(token.span.clone(), format!("the text \"{text}\" stands without a field"))
                .expected(TERM_EXPECTED),
            Kind::Compare(_) => self
                .error(token.span.clone(), format!("a field is missing before \"{text}\""))
                .expected("a field, as in bytes > 1M"),
            _ => self.missing_term(Some(text)),
        }
    }

    /// What follows `src and dst` is no phrase of one side; it may be one that has none.
    pub(super) fn no_sides(&self, next: &[&'static str]) -> FilterError {
        let Ok(found) = vocabulary::find(&self.words()) else { return self.no_term(0, next) };
        let last = self.tokens.get(self.at + found.words - 1).map_or(0..0, |token| token.span.clone());
        let span = self.span().start..last.end;
        let message = format!("\"{}\" has no source and destination", self.text(span.clone()));
        self.error(span, message).expected(listed(next))
    }

    /// Nothing where a term should be, before this text or at the end.
    fn missing_term(&self, before: Option<&str>) -> FilterError {
        let after = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let message = match (before, after) {
            (Some(before), None) => format!("a term is missing before \"{before}\""),
            (_, Some(after)) => format!("a term is missing after \"{}\"", self.text(after.span.clone())),
            (None, None) => "a term is missing".to_owned(),
        };
        self.error(self.span(), message).expected(TERM_EXPECTED)
    }

    /// A phrase has begun and breaks off.
    fn unfinished(&self, known: usize, next: &[&'static str]) -> FilterError {
        let last = known.checked_sub(1).and_then(|back| self.tokens.get(self.at + back));
        let Some(last) = last else { return self.missing_term(None) };
        let message = format!("\"{}\" is incomplete", self.text(last.span.clone()));
        self.error(last.span.clone(), message).expected(format!("{} after it", listed(next)))
    }

    /// `src proto`, `dst prot`.
    fn wrong_word(&self, word: &str, known: usize, next: &[&'static str]) -> FilterError {
        let span = self.tokens.get(self.at + known).map_or(0..0, |token| token.span.clone());
        let before = self.tokens.get(self.at + known - 1).map_or(0..0, |token| token.span.clone());
        if let Some(missing) = self.missing(known + 1) {
            return self.error(span, missing);
        }
        let begun = self.text(self.span().start..before.end);
        let value_of = if value::prefix(word).is_ok() { "ip" } else { "port" };
        if next.contains(&value_of) && (value_of == "ip" || word.parse::<u16>().is_ok()) {
            let message = format!("\"{word}\" does not say what it is");
            let meant = format!("{begun} {value_of} {word}");
            return self.error(span, message).expected(listed(next)).suggest(Some(meant));
        }
        let message = match vocabulary::find(&[word]) {
            Ok(_) => format!("\"{word}\" does not go with \"{begun}\""),
            Err(_) => format!("unknown field \"{word}\""),
        };
        self.error(span, message).expected(listed(next)).suggest(nearest(word, next.iter().copied()))
    }

    /// That the next words, this many of them, or the last of these alone, are nfdump's and not supported, and why.
    fn missing(&self, count: usize) -> Option<String> {
        let words = self.words();
        let begun = words.get(..count)?;
        let alone = begun.get(count.checked_sub(1)?..)?;
        let why = |words: &[&str]| {
            let why = payload::why_not(words).or_else(|| vocabulary::why_missing(words))?;
            Some(format!("\"{}\" is not supported: {why}", words.join(" ")))
        };
        why(begun).or_else(|| why(alone))
    }

    /// A word that begins no term.
    fn unknown_word(&self, word: &str, known: &[&'static str]) -> FilterError {
        let alone = |keyword: &str| {
            self.error(self.span(), format!("\"{word}\" stands without a field"))
                .expected(TERM_EXPECTED)
                .suggest(Some(format!("{keyword} {word}")))
        };
        match value::prefix(word) {
            Ok(_) => return alone("ip"),
            // An address and a port.
            Err(Problem { message, suggestion: Some(meant) }) if meant.starts_with("ip ") => {
                return self.error(self.span(), message).expected(TERM_EXPECTED).suggest(Some(meant));
            }
            Err(_) => {}
        }
        if word.parse::<u16>().is_ok() {
            return alone("port");
        }
        if let Some(missing) = self.missing(1) {
            return self.error(self.span(), missing);
        }
        if let Some(port) = dialect::port_of(word) {
            return alone_service(self.error(self.span(), format!("\"{word}\" is no protocol of IP")), port);
        }
        let meant = dialect::meant(word).or_else(|| vocabulary::our_name(word));
        let meant = meant.or_else(|| nearest(word, known.iter().copied()));
        self.error(self.span(), format!("unknown field \"{word}\"")).expected(TERM_EXPECTED).suggest(meant)
    }

    /// A value should stand here.
    pub(super) fn no_value(&self, takes: &Takes) -> FilterError {
        let phrase = self.text(takes.phrase.clone());
        let error = match self.peek() {
            Some(token) if token.kind == Kind::OpenList => {
                let meant = format!("{phrase} in [...]");
                return self.error(token.span.clone(), "a list stands after \"in\"").suggest(Some(meant));
            }
            Some(token) if matches!(token.kind, Kind::File(_)) => {
                let meant = format!("{phrase} in {}", self.text(token.span.clone()));
                return self
                    .error(token.span.clone(), "a file holds a list, which stands after \"in\"")
                    .suggest(Some(meant));
            }
            Some(token) if matches!(token.kind, Kind::Open | Kind::Comma | Kind::Compare(_)) => {
                let text = self.text(token.span.clone());
                self.error(token.span.clone(), format!("\"{text}\" is not a value of \"{phrase}\""))
            }
            _ => {
                // tcpdump's word for all of IPv4.
                let meant = phrase.eq_ignore_ascii_case("ip").then_some("ipv4");
                self.error(self.span(), format!("\"{phrase}\" needs a value")).suggest(meant)
            }
        };
        error.expected(takes.expected)
    }

    /// What is wrong with the value before a word that joins nothing: its unit follows, or it is none.
    pub(super) fn loose_word(&self, term: &Term) -> Option<FilterError> {
        let next = self.peek_word().filter(|word| !is_connective(word))?;
        let ([value], Relation::Plain | Relation::Compare(_)) = (term.values.as_slice(), term.relation)
        else {
            return None;
        };
        if self.text(value.span.clone()).starts_with(['"', '\'']) {
            return None;
        }
        self.loose_unit(term, value, next).or_else(|| self.wrong_value(term, value, next))
    }

    /// `1 M`
    fn loose_unit(&self, term: &Term, value: &Operand, next: &str) -> Option<FilterError> {
        let kind = term.subject.kind()?;
        let has_units = matches!(
            kind,
            FieldKind::Count | FieldKind::Rate | FieldKind::Duration | FieldKind::Latency | FieldKind::Time
        );
        let whole = format!("{}{next}", value.text);
        let is_unit = has_units && next.bytes().all(|b| b.is_ascii_alphabetic());
        if !is_unit || term.subject.problem(&whole).is_some() {
            return None;
        }
        let span = value.span.start..self.span().end;
        Some(self.error(span, "a number and its unit are one word").suggest(Some(whole)))
    }

    /// `is 80`, where a comparator or a value should stand.
    fn wrong_value(&self, term: &Term, value: &Operand, next: &str) -> Option<FilterError> {
        let (is_plain, expected) = (term.relation == Relation::Plain, term.subject.expected());
        let Some(meant) = dialect::comparator(&value.text).filter(|_| is_plain) else {
            let Problem { message, suggestion } = term.subject.problem(&value.text)?;
            let lead = if is_plain { "a comparator or " } else { "" };
            let error = self.error(value.span.clone(), message);
            return Some(error.expected(format!("{lead}{expected}")).suggest(suggestion));
        };
        let is_in_two = ["than", "to"].iter().any(|word| next.eq_ignore_ascii_case(word));
        let span = value.span.start..if is_in_two { self.span().end } else { value.span.end };
        let message = format!("\"{}\" is not a comparator", self.text(span.clone()));
        let error = self.error(span, message).expected(format!("a comparator or {expected}"));
        Some(error.suggest(Some(meant)))
    }

    /// A token that cannot follow a whole term.
    pub(super) fn misplaced(&self, token: &Token<'_>) -> FilterError {
        let text = self.text(token.span.clone());
        let error = |message: String| self.error(token.span.clone(), message);
        match token.kind {
            Kind::Close => error("this \")\" closes nothing".to_owned()),
            Kind::CloseList => error("this \"]\" closes nothing".to_owned()),
            Kind::Compare(_) => {
                error("a comparator cannot stand here: the term before it is complete".to_owned())
                    .expected("and, or")
            }
            Kind::Comma | Kind::OpenList => error(format!("\"{text}\" outside of a list"))
                .expected("lists written as in port in [80 443]"),
            _ => error(format!("\"and\" or \"or\" is missing before \"{text}\""))
                .suggest(self.connective(text)),
        }
    }

    /// What a word between two terms was meant to be.
    fn connective(&self, word: &str) -> Option<String> {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at))?;
        let begun = self.text(before.span.clone());
        let continued = nearest(word, vocabulary::next_words(&[begun], 1));
        let joined = vocabulary::begins_term(word).then(|| format!("and {word}"));
        nearest(word, ["and", "or"]).or(continued).map(str::to_owned).or(joined)
    }
}

fn alone_service(error: FilterError, port: u16) -> FilterError {
    error.expected(TERM_EXPECTED).suggest(Some(format!("port {port}")))
}

/// The words with commas between; a series such as `label0`, `label1` by its ends.
fn listed(words: &[&str]) -> String {
    let stem = |word: &str| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let series = words.chunk_by(|a, b| a.len() > stem(a).len() && stem(a) == stem(b));
    let shown = series.map(|words| match words {
        [first, .., last] => format!("{first} to {last}"),
        _ => words.concat(),
    });
    let shown: Vec<String> = shown.collect();
    match shown.get(..MAX_LISTED) {
        Some(first) if shown.len() > MAX_LISTED => format!("{}, ...", first.join(", ")),
        _ => shown.join(", "),
    }
}

/// Words that are listed of those that could stand somewhere.
const MAX_LISTED: usize = 12;

const TERM_EXPECTED: &str = "a term such as port 443, ip 10.0.0.0/8 or bytes > 1M";
