//! Expressions that are no filters, one a line in `filter_invalid.txt`: each is refused, and the error points into it.

use flowcore::Filter;

#[test]
fn every_one_is_refused_with_a_place_in_it() {
    let list = include_str!("filter_invalid.txt");
    assert!(list.lines().count() >= 150);
    let accepted: Vec<&str> = list.lines().filter(|expression| Filter::parse(expression).is_ok()).collect();
    assert_eq!(accepted, [""; 0]);
    for expression in list.lines() {
        let error = Filter::parse(expression).unwrap_err();
        let span = error.span();
        assert!(
            expression.get(span.clone()).is_some() && span.start <= expression.trim_end().len(),
            "{expression}"
        );
        let shown = error.to_string();
        let [message, line, caret] = shown.lines().collect::<Vec<_>>()[..] else {
            panic!("{expression}: not three lines\n{shown}")
        };
        assert!(
            message.starts_with("filter: ") && line.trim_end() == format!("    {}", expression.trim_end()),
            "{shown}"
        );
        assert_eq!(caret.find('^'), Some(4 + expression[..span.start].chars().count()), "{shown}");
    }
}
