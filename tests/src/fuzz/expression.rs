//! Filters of any text over records of any bytes.

use flowcore::Filter;

use super::records;

/// A filter, and after a byte that is in no text records to ask: an error points inside the expression and can be
/// shown; a filter's canonical text is the same filter; rows and columns agree on what matches.
pub fn filter(data: &[u8]) {
    let (text, seed) = records::split(data);
    let Ok(text) = std::str::from_utf8(text) else { return };
    match Filter::parse(text) {
        Ok(filter) => agrees(&filter, seed),
        Err(error) => {
            assert_eq!(error.expression(), text);
            assert!(text.get(error.span()).is_some(), "the error's span is no part of the expression");
            let shown = error.to_string();
            assert!(shown.contains('^') && !error.message().is_empty());
            assert!(
                !shown.contains(|c: char| c.is_control() && c != '\n'),
                "a terminal would obey the message"
            );
        }
    }
}

fn agrees(filter: &Filter, seed: &[u8]) {
    let canonical = filter.to_string();
    let again =
        Filter::parse(&canonical).unwrap_or_else(|error| panic!("canonical text is a filter: {error}"));
    assert_eq!(again.to_string(), canonical);
    assert_eq!(again.fields(), filter.fields());
    let batch = records::batch(seed);
    let chosen = filter.select(&batch);
    assert_eq!(chosen.len(), batch.len());
    for row in 0..batch.len() {
        let flow = batch.flow(row);
        assert_eq!(chosen.get(row), filter.matches(&flow), "{canonical}: row {row}");
        assert_eq!(chosen.get(row), again.matches(&flow), "{canonical}: row {row}, read again");
    }
}
