//! Every example of `docs/filter.md` is a filter, and every error shown there is the error that is printed.

use flowcore::Filter;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/filter.md");

#[test]
fn the_examples_parse() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let examples = blocks(&document, "filter");
    assert!(examples.len() >= 30, "only {} examples", examples.len());
    for example in examples {
        let filter = Filter::parse(&example).unwrap_or_else(|error| panic!("{error}"));
        let again = Filter::parse(&filter.to_string()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.to_string(), filter.to_string());
    }
}

#[test]
fn the_examples_with_files_parse() {
    let folder = std::env::temp_dir().join(format!("flowcore-filter-docs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in
        [("bad.txt", "192.0.2.1 # one\n"), ("usual ports.txt", "80, 443"), ("internal.nf", "ip 10.0.0.0/8")]
    {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let examples = blocks(&document, "filter-with-files");
    assert!(!examples.is_empty());
    for example in examples {
        let filter = Filter::parse_with_files(&example, &folder).unwrap_or_else(|error| panic!("{error}"));
        let again =
            Filter::parse_with_files(&filter.to_string(), "").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.to_string(), filter.to_string());
        assert_eq!(Filter::parse(&example).unwrap_err().message(), "this filter may not read files");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_errors_are_what_is_printed() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let errors = blocks(&document, "text");
    assert!(!errors.is_empty());
    for shown in errors {
        let expression = shown.lines().nth(1).unwrap_or_default().trim();
        assert_eq!(Filter::parse(expression).unwrap_err().to_string(), shown.trim_end());
    }
}

/// The texts between fences with this mark.
fn blocks(document: &str, mark: &str) -> Vec<String> {
    let fence = format!("```{mark}");
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while lines.any(|line| line == fence) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}
