//! Typical mistakes in filter expressions and the whole message for each, in `filter_errors.txt`.
//!
//! An entry of that file is a line `> expression` (`\n` stands for a newline) and the message below it. After a
//! wanted change, `UPDATE_GOLDEN=1 cargo test -p flowcore --test filter_errors` writes the messages anew; the
//! diff is then reviewed.

use flowcore::Filter;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/filter_errors.txt");

#[test]
fn every_mistake_is_explained() {
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    let expressions: Vec<String> = golden
        .lines()
        .filter_map(|line| line.strip_prefix("> "))
        .map(|line| line.replace("\\n", "\n"))
        .collect();
    assert!(expressions.len() >= 100, "only {} entries", expressions.len());
    let actual: Vec<String> = expressions.iter().map(|expression| entry(expression)).collect();
    let actual = actual.join("\n");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &actual).unwrap();
    }
    for (expected, actual) in golden.split("\n\n").zip(actual.split("\n\n")) {
        assert_eq!(expected.trim_end(), actual.trim_end());
    }
    assert_eq!(golden.len(), actual.len());
}

fn entry(expression: &str) -> String {
    let Err(error) = Filter::parse(expression) else { panic!("{expression} is accepted") };
    assert_eq!(error.expression(), expression);
    let span = error.span();
    assert!(span.start <= span.end && expression.get(span).is_some(), "{expression}");
    let lines: Vec<String> = error.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    format!("> {}\n{}\n", expression.replace('\n', "\\n"), lines.join("\n"))
}
