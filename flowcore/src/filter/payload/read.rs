//! Terms as written to conditions: flags behind regular expressions, and what values mean.

use std::ops::Range;

use super::Part;
use super::condition::{DnsTest, PayloadCondition, PayloadTest, Regex, TlsTest};
use crate::filter::FilterError;
use crate::filter::addrs::{AddrSet, Prefix};
use crate::filter::check::Checker;
use crate::filter::parse::{Operand, Parser, Relation, Term, is_connective};
use crate::filter::predicate::Condition;
use crate::filter::sets::TextSet;
use crate::filter::value::{self, Problem, Read, problem};
use crate::filter::vocabulary::{self, Subject};
use crate::payload::tls::Version;
use crate::record::Field;

impl Parser<'_> {
    /// Takes the flags behind a regular expression; they become a part of it.
    pub(in crate::filter) fn regex_flags(&mut self, term: &mut Term) -> Result<(), FilterError> {
        let is_regex = matches!(term.subject, Subject::Payload { part: Part::Regex, .. });
        if !is_regex || matches!(term.relation, Relation::In | Relation::NotIn) {
            return Ok(());
        }
        let Some(word) = self.peek_word().filter(|word| !is_connective(word)) else { return Ok(()) };
        if !word.chars().all(|letter| REGEX_FLAGS.contains(letter)) {
            let meant = vocabulary::begins_term(word).then(|| format!("and {word}"));
            let message = format!("\"{word}\" is no flag of a regular expression");
            return Err(self.error(self.span(), message).expected("flags (i, m, s), and, or").suggest(meant));
        }
        let flags: String = REGEX_FLAGS.chars().filter(|&letter| word.contains(letter)).collect();
        for pattern in &mut term.values {
            pattern.text.insert_str(0, &format!("(?{flags})"));
        }
        self.at += 1;
        Ok(())
    }
}

/// Ignore case; `^` and `$` at every line; `.` is a line feed too.
const REGEX_FLAGS: &str = "ims";

impl Checker<'_> {
    /// The condition of a term about payloads.
    pub(in crate::filter) fn payload(
        &self,
        part: Part,
        fields: &'static [Field],
    ) -> Result<Condition, FilterError> {
        let guard = Box::new(part.guard());
        let test = self.payload_test(part)?;
        Ok(Condition::Payload(PayloadCondition { fields, guard, test, negated: self.negated() }))
    }

    fn payload_test(&self, part: Part) -> Result<PayloadTest, FilterError> {
        if !matches!(part, Part::TlsVersion | Part::SslVersion) {
            self.refuse_order(part.plural())?;
        }
        let tls = |test| Ok(PayloadTest::Tls(Some(test)));
        match part {
            Part::Regex => Ok(PayloadTest::Regex(self.regexes()?)),
            Part::DnsDefined => Ok(PayloadTest::Dns(None)),
            Part::DnsName => Ok(PayloadTest::Dns(Some(DnsTest::Names(self.each(name_part)?)))),
            Part::DnsAddress => Ok(PayloadTest::Dns(Some(addrs(self.each(address)?)))),
            Part::TlsDefined => Ok(PayloadTest::Tls(None)),
            Part::TlsVersion => tls(TlsTest::Versions(self.numbers(tls_version)?)),
            Part::SslVersion => tls(TlsTest::Versions(self.numbers(ssl_version)?)),
            Part::Sni => tls(TlsTest::Servers(self.each(name_part)?)),
            Part::Ja3Defined => tls(TlsTest::Ja3(None)),
            Part::Ja3 => tls(TlsTest::Ja3(Some(texts(&self.each(ja3)?)))),
            Part::Ja4Defined => tls(TlsTest::Ja4(None)),
            Part::Ja4 => tls(TlsTest::Ja4(Some(texts(&self.each(ja4)?)))),
        }
    }

    fn regexes(&self) -> Result<Vec<Regex>, FilterError> {
        let mut all = Vec::new();
        for operand in &self.term.values {
            if operand.is_file {
                let read = |text: &str| {
                    all.push(regex(text).map_err(|wrong| problem(wrong.message))?);
                    Ok(())
                };
                self.list(operand)?.each(self.term.subject.expected(), read)?;
            } else {
                all.push(regex(&operand.text).map_err(|wrong| self.wrong_regex(operand, wrong))?);
            }
        }
        Ok(all)
    }

    fn wrong_regex(&self, operand: &Operand, wrong: WrongRegex) -> FilterError {
        let Some(place) = wrong.place else { return self.error(operand, wrong.message) };
        FilterError::new(self.script.text(), self.place_in_pattern(operand, &place), wrong.message)
    }

    /// Where in the expression a part of a pattern stands, whose quote is not in the pattern, and whose flags are
    /// not in the quotes.
    fn place_in_pattern(&self, operand: &Operand, span: &Range<usize>) -> Range<usize> {
        let written = self.script.text().get(operand.span.clone()).unwrap_or_default();
        let quotes = if written.starts_with(['"', '\'']) { 2 } else { 0 };
        let added = operand.text.len().saturating_sub(written.len().saturating_sub(quotes));
        let place = |offset: usize| operand.span.start + quotes / 2 + offset.saturating_sub(added);
        place(span.start)..place(span.end)
    }
}

/// Why a pattern is none.
struct WrongRegex {
    message: String,
    /// Where in the pattern, if not as a whole.
    place: Option<Range<usize>>,
}

fn regex(text: &str) -> Result<Regex, WrongRegex> {
    let mut syntax =
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).nest_limit(MAX_DEPTH).build();
    syntax.parse(text).map_err(|error| WrongRegex::of_syntax(&error))?;
    let mut builder = regex::bytes::RegexBuilder::new(text);
    builder.unicode(false).nest_limit(MAX_DEPTH).size_limit(MAX_SIZE).dfa_size_limit(MAX_SIZE);
    builder.build().map(Regex).map_err(|_| WrongRegex {
        message: format!("the regular expression takes more than {} KiB", MAX_SIZE >> 10),
        place: None,
    })
}

impl WrongRegex {
    fn of_syntax(error: &regex_syntax::Error) -> Self {
        let (span, why) = match error {
            regex_syntax::Error::Parse(error) => (*error.span(), error.kind().to_string()),
            regex_syntax::Error::Translate(error) => (*error.span(), translated(error.kind())),
            _ => return Self { message: "no regular expression".to_owned(), place: None },
        };
        let message = format!("the regular expression is wrong: {why}");
        Self { message, place: Some(span.start.offset..span.end.offset) }
    }
}

/// What a pattern over bytes cannot say, in words that help.
fn translated(kind: &regex_syntax::hir::ErrorKind) -> String {
    match kind {
        regex_syntax::hir::ErrorKind::UnicodeNotAllowed => {
            "it is about bytes; write a letter beyond ASCII as its bytes, such as \\xc3\\xbc".to_owned()
        }
        other => other.to_string(),
    }
}

/// Groups within groups that are followed.
const MAX_DEPTH: u32 = 100;

/// Bytes that a compiled pattern may take, and as many that it may take in use.
const MAX_SIZE: usize = 1 << 20;

fn name_part(text: &str) -> Read<String> {
    Ok(text.to_ascii_lowercase())
}

/// An address as a prefix, or a part of one as it is written.
enum Address {
    Whole(Prefix),
    Part(String),
}

fn address(text: &str) -> Read<Address> {
    match value::prefix(text) {
        Ok(prefix) => Ok(Address::Whole(prefix)),
        Err(_) if is_part_of_address(text) => Ok(Address::Part(text.to_ascii_lowercase())),
        Err(problem) => Err(problem),
    }
}

/// `192.168.`, `.168.1`, `db8::`: what nfdump takes for an address, which it compares as text.
fn is_part_of_address(text: &str) -> bool {
    let octets: Vec<&str> = text.split('.').collect();
    let whole = octets.len() == 4 && octets.iter().all(|octet| !octet.is_empty());
    let v4 = octets.len() <= 4 && octets.iter().all(|octet| octet.is_empty() || octet.parse::<u8>().is_ok());
    let hex = |group: &str| group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let v6 = text.contains(':') && text.split(':').count() <= 8 && text.split(':').all(hex);
    !text.is_empty() && ((v4 && !whole) || v6)
}

fn addrs(all: Vec<Address>) -> DnsTest {
    let (mut prefixes, mut parts) = (Vec::new(), Vec::new());
    for address in all {
        match address {
            Address::Whole(prefix) => prefixes.push(prefix),
            Address::Part(part) => parts.push(part),
        }
    }
    DnsTest::Addrs(AddrSet::new(&prefixes), parts)
}

fn tls_version(text: &str) -> Read<(u64, u64)> {
    let version = match text {
        "1.0" => Version::TLS_1_0,
        "1.1" => Version::TLS_1_1,
        "1.2" => Version::TLS_1_2,
        "1.3" => Version::TLS_1_3,
        _ => return Err(no_version(text, "TLS", ["2.0", "3.0"], "payload ssl version")),
    };
    Ok((version.0.into(), version.0.into()))
}

fn ssl_version(text: &str) -> Read<(u64, u64)> {
    let version = match text {
        // Never released, but nfdump knows it.
        "1.0" => Version(0x0001),
        "2.0" => Version::SSL_2_0,
        "3.0" => Version::SSL_3_0,
        _ => return Err(no_version(text, "SSL", ["1.1", "1.2", "1.3"], "payload tls version")),
    };
    Ok((version.0.into(), version.0.into()))
}

fn no_version<const N: usize>(text: &str, name: &str, others: [&str; N], meant: &str) -> Problem {
    let suggestion = others.contains(&text).then(|| format!("{meant} {text}"));
    Problem { message: format!("\"{text}\" is no version of {name}"), suggestion }
}

fn ja3(text: &str) -> Read<String> {
    let is_md5 = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_md5 || is_pattern(text) {
        Ok(text.to_owned())
    } else {
        Err(problem(format!("\"{text}\" is no JA3")))
    }
}

fn ja4(text: &str) -> Read<String> {
    let lens: Vec<usize> = text.split('_').map(str::len).collect();
    let is_ja4 = lens == [10, 12, 12];
    if is_ja4 || is_pattern(text) {
        Ok(text.to_owned())
    } else {
        Err(problem(format!("\"{text}\" is no JA4")))
    }
}

/// Whether a text has wildcards, as all texts can.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn texts(all: &[String]) -> TextSet {
    TextSet::new(all.iter().map(String::as_str))
}
