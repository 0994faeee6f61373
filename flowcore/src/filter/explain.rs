//! What is wrong where the grammar cannot go on, in words that help.

use std::ops::Range;

use super::FilterError;
use super::lex::{Kind, Token};
use super::parse::{Parser, Takes, is_connective};
use super::suggest::nearest;
use super::{value, vocabulary};

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
            return self.error(span, missing).expected(listed(next));
        }
        let begun = self.text(self.span().start..before.end);
        let message = match vocabulary::find(&[word]) {
            Ok(_) => format!("\"{word}\" does not go with \"{begun}\""),
            Err(_) => format!("unknown field \"{word}\""),
        };
        self.error(span, message).expected(listed(next)).suggest(nearest(word, next.iter().copied()))
    }

    /// That the next words, this many of them, or the last of these alone, are nfdump's and not supported.
    fn missing(&self, count: usize) -> Option<String> {
        let words = self.words();
        let begun = words.get(..count)?;
        let alone = begun.get(count.checked_sub(1)?..)?;
        let missing = [begun, alone].into_iter().find(|words| vocabulary::is_missing(words))?;
        Some(format!("\"{}\" is known to nfdump but not supported here yet", missing.join(" ")))
    }

    /// A word that begins no term.
    fn unknown_word(&self, word: &str, known: &[&'static str]) -> FilterError {
        let alone = |keyword: &str| {
            self.error(self.span(), format!("\"{word}\" stands without a field"))
                .expected(TERM_EXPECTED)
                .suggest(Some(format!("{keyword} {word}")))
        };
        if value::prefix(word).is_ok() {
            return alone("ip");
        }
        if word.parse::<u16>().is_ok() {
            return alone("port");
        }
        if let Some(missing) = self.missing(1) {
            return self.error(self.span(), missing);
        }
        let meant = vocabulary::our_name(word).or_else(|| nearest(word, known.iter().copied()));
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
            Some(token) if matches!(token.kind, Kind::Open | Kind::Comma | Kind::Compare(_)) => {
                let text = self.text(token.span.clone());
                self.error(token.span.clone(), format!("\"{text}\" is not a value of \"{phrase}\""))
            }
            _ => self.error(self.span(), format!("\"{phrase}\" needs a value")),
        };
        error.expected(takes.expected)
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

/// The words with commas between; a series such as `label0`, `label1` by its ends.
fn listed(words: &[&str]) -> String {
    let stem = |word: &str| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let series = words.chunk_by(|a, b| a.len() > stem(a).len() && stem(a) == stem(b));
    let shown = series.map(|words| match words {
        [first, .., last] => format!("{first} to {last}"),
        _ => words.concat(),
    });
    shown.collect::<Vec<_>>().join(", ")
}

const TERM_EXPECTED: &str = "a term such as port 443, ip 10.0.0.0/8 or bytes > 1M";
