//! Text to tokens: words, quoted text and symbols, each with its place in the expression.
//!
//! White space, newlines and `#` comments separate. Keywords are words like any other here: whether `and` joins
//! two terms or is a value depends on where it stands, which only the grammar knows.

use std::ops::Range;

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_till, take_while1};
use nom::character::complete::{char, multispace1, satisfy};
use nom::combinator::{map, not, value, verify};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use super::FilterError;

/// A token and the bytes of the expression it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) span: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Keyword, number, address, time or plain text.
    Word(&'a str),
    /// Text between quotes, without them.
    Quoted(&'a str),
    /// `@name`: a file that holds values.
    File(&'a str),
    /// `@include`, which a file's name follows.
    Include,
    Compare(Cmp),
    And,
    Or,
    Not,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
}

/// A comparator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cmp {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
}

impl Cmp {
    /// The canonical spelling.
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Gt => ">",
            Self::Lt => "<",
            Self::Ge => ">=",
            Self::Le => "<=",
        }
    }

    /// The comparator that this word spells.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Cmp); 6] = [
            ("eq", Cmp::Eq),
            ("ne", Cmp::Ne),
            ("gt", Cmp::Gt),
            ("lt", Cmp::Lt),
            ("ge", Cmp::Ge),
            ("le", Cmp::Le),
        ];
        WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|entry| entry.1)
    }
}

/// Adds the tokens of a part of a text; their places are those in the whole text.
pub(super) fn tokens<'a>(
    text: &'a str,
    part: Range<usize>,
    tokens: &mut Vec<Token<'a>>,
) -> Result<(), FilterError> {
    let end = part.end;
    let mut rest = after_blank(text.get(part).unwrap_or_default());
    while !rest.is_empty() {
        let start = end - rest.len();
        let (after, kind) = token(rest).map_err(|_| bad_character(text, start))?;
        tokens.push(Token { kind, span: start..end - after.len() });
        rest = after_blank(after);
    }
    Ok(())
}

/// Whether a character can be part of a word that is not quoted.
pub(super) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || "_:.-/*?@+%~".contains(c)
}

fn after_blank(input: &str) -> &str {
    let comment = || preceded(char('#'), take_till(|c| c == '\n'));
    let blank: IResult<&str, usize> = many0_count(alt((multispace1, comment()))).parse(input);
    blank.map_or(input, |(rest, _)| rest)
}

fn token(input: &str) -> IResult<&str, Kind<'_>> {
    let word = verify(take_while1(is_word_char), |word: &str| word != "@");
    alt((include, file, map(word, Kind::Word), map(quoted, Kind::Quoted), symbol)).parse(input)
}

fn include(input: &str) -> IResult<&str, Kind<'_>> {
    value(Kind::Include, terminated(tag_no_case("@include"), not(satisfy(is_word_char)))).parse(input)
}

fn file(input: &str) -> IResult<&str, Kind<'_>> {
    map(preceded(char('@'), alt((take_while1(is_word_char), quoted))), Kind::File).parse(input)
}

fn quoted(input: &str) -> IResult<&str, &str> {
    let between = |quote| delimited(char(quote), take_till(move |c| c == quote), char(quote));
    alt((between('"'), between('\''))).parse(input)
}

fn symbol(input: &str) -> IResult<&str, Kind<'_>> {
    alt((
        value(Kind::Compare(Cmp::Ge), tag(">=")),
        value(Kind::Compare(Cmp::Le), tag("<=")),
        value(Kind::Compare(Cmp::Ne), tag("!=")),
        value(Kind::Compare(Cmp::Eq), alt((tag("=="), tag("=")))),
        value(Kind::Compare(Cmp::Gt), tag(">")),
        value(Kind::Compare(Cmp::Lt), tag("<")),
        value(Kind::And, tag("&&")),
        value(Kind::Or, tag("||")),
        value(Kind::Not, tag("!")),
        value(Kind::Open, tag("(")),
        value(Kind::Close, tag(")")),
        value(Kind::OpenList, tag("[")),
        value(Kind::CloseList, tag("]")),
        value(Kind::Comma, tag(",")),
    ))
    .parse(input)
}

fn bad_character(expression: &str, at: usize) -> FilterError {
    let c = expression[at..].chars().next().unwrap_or_default();
    let span = at..at + c.len_utf8();
    match c {
        '"' | '\'' => FilterError::new(expression, at..expression.len(), "the quote is never closed")
            .expected(format!("a closing {c}")),
        '@' => FilterError::new(expression, span, "the name of a file is missing after \"@\"")
            .expected("@FILE, or @\"FILE\" where the name has blanks"),
        '&' => FilterError::new(expression, span, "a single \"&\" has no meaning").suggest(Some("and")),
        '|' => FilterError::new(expression, span, "a single \"|\" has no meaning").suggest(Some("or")),
        _ => FilterError::new(expression, span, format!("{c:?} has no meaning here"))
            .expected("text with such a character in quotes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Result<Vec<Token<'_>>, FilterError> {
        let mut all = Vec::new();
        tokens(text, 0..text.len(), &mut all).map(|()| all)
    }

    fn kinds(expression: &str) -> Vec<Kind<'_>> {
        all(expression).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn words_need_no_blanks_around_comparators() {
        use Kind::{Compare, Word};
        let expected = vec![Word("port"), Compare(Cmp::Eq), Word("80")];
        for text in ["port=80", "port = 80", "port ==80", "port # not 81\n=80"] {
            assert_eq!(kinds(text), expected, "{text}");
        }
        assert_eq!(kinds("port!=80")[1], Compare(Cmp::Ne));
        assert_eq!(kinds("first>2023-09-28T17:22:35+02:00").len(), 3);
    }

    #[test]
    fn quotes_hold_anything_but_themselves() {
        assert_eq!(kinds("'a \"b\" #c' \"\""), [Kind::Quoted("a \"b\" #c"), Kind::Quoted("")]);
        assert!(all("ident 'a").is_err());
    }

    #[test]
    fn files_begin_with_an_at_sign() {
        use Kind::{File, Include, Quoted, Word};
        assert_eq!(
            kinds("@bad.txt @\"a b\" @'c' a@b"),
            [File("bad.txt"), File("a b"), File("c"), Word("a@b")]
        );
        assert_eq!(kinds("@INCLUDE 'x y' @included"), [Include, Quoted("x y"), File("included")]);
        assert!(all("ip in @ x").is_err() && all("@").is_err());
    }

    #[test]
    fn a_part_has_its_places_in_the_whole() {
        let mut part = Vec::new();
        tokens("tcp and udp", 4..8, &mut part).unwrap();
        assert_eq!(part, [Token { kind: Kind::Word("and"), span: 4..7 }]);
    }

    proptest! {
        #[test]
        fn every_character_is_in_a_token_or_between_two(text in "[a-z0-9 .=!<>&|@(),'\"#ü\n\\[\\]]{0,40}") {
            if let Ok(tokens) = all(&text) {
                let mut end = 0;
                for token in tokens {
                    let between = &text[end..token.span.start];
                    prop_assert!(between.trim().is_empty() || between.contains('#'));
                    prop_assert!(!text[token.span.clone()].is_empty());
                    end = token.span.end;
                }
            }
        }
    }
}
