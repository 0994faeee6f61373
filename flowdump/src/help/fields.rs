//! `--help-fields`: every field of a record with its names and its meaning.

use flowcore::FIELDS;

use super::wrap;

/// The page.
pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(&format!("\n{:<20} {:<11} {:<24} {}\n", "name", "kind", "key", "tag"));
    for info in FIELDS {
        let tag = if info.nfdump.is_empty() { String::new() } else { format!("%{}", info.nfdump) };
        let line = format!("{:<20} {:<11} {:<24} {tag}", info.name, info.kind.name(), info.key);
        page.push_str(line.trim_end());
        page.push('\n');
        wrap(info.doc.split(' '), 4, &mut page);
        if info.field.is_derived() {
            page.push_str("    Computed from others.\n");
        }
    }
    page
}

const HEAD: &str = "\
Every field of a record. name is what filters ('field NAME = value', or NAME
alone), -s and -o 'fmt:%{NAME}' call it; key is the heading in CSV and the key in
JSON, where those of addresses also say the family (src4_addr, src6_addr); tag is
nfdump's column for -o fmt:. Columns of cloud logs that are not here are filtered
by the names that they have ('field NAME = value', NAME alone does not do), and
-o json, ndjson and raw print them; -s, -A and fmt: do not take them.
docs/fields.md has the names elsewhere: IPFIX, AWS, GCP and Azure.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_on_the_page() {
        let page = page();
        for info in FIELDS {
            let line = page.lines().find(|line| line.split(' ').next() == Some(info.name));
            let line = line.unwrap_or_else(|| panic!("{}", info.name));
            let tag = if info.nfdump.is_empty() { info.key.to_owned() } else { format!("%{}", info.nfdump) };
            assert!(line.contains(info.key) && line.ends_with(&tag), "{line}");
        }
    }
}
