//! Compares text with what was found right before. `UPDATE_GOLDEN=1` writes the files anew; the review of the
//! change is the diff.

use std::fmt::Write;

use super::testdata;

/// Fails unless the text is the content of this file of `testdata`.
pub fn assert_golden(file: &str, text: &str) {
    let path = testdata(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let right = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display()));
    assert_same_text(&format!("testdata/{file} (UPDATE_GOLDEN=1 accepts the change)"), &right, text);
}

/// Fails with the first lines that differ, unless both texts are the same.
pub fn assert_same_text(name: &str, right: &str, text: &str) {
    if let Some(difference) = first_difference(right, text) {
        panic!("{name} differs\n{difference}");
    }
}

/// The first lines that differ, with a line before them, `-` marking the expected and `+` the actual ones.
fn first_difference(right: &str, text: &str) -> Option<String> {
    if right == text {
        return None;
    }
    let (right, text): (Vec<&str>, Vec<&str>) =
        (right.split_inclusive('\n').collect(), text.split_inclusive('\n').collect());
    let same = right.iter().zip(&text).take_while(|(a, b)| a == b).count();
    let mut shown = format!("line {} of {} (now {}):\n", same + 1, right.len(), text.len());
    let mut show = |mark: char, line: &str| {
        // Writing into a text cannot fail.
        let _ = writeln!(shown, "{mark} {}", line.escape_debug());
    };
    right[..same].iter().rev().take(1).for_each(|line| show(' ', line));
    right[same..].iter().take(SHOWN).for_each(|line| show('-', line));
    text[same..].iter().take(SHOWN).for_each(|line| show('+', line));
    Some(shown)
}

const SHOWN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_shown_with_the_line_before() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        let shown = first_difference("a\nb\nc\n", "a\nx\nc\n").unwrap();
        assert_eq!(shown, "line 2 of 3 (now 3):\n  a\\n\n- b\\n\n- c\\n\n+ x\\n\n+ c\\n\n");
        let shown = first_difference("a\n", "a").unwrap();
        assert_eq!(shown, "line 1 of 1 (now 1):\n- a\\n\n+ a\n");
    }
}
