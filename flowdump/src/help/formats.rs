//! `--help-formats`: what `-o` prints, the columns of `fmt:`, and what `-s` and `-A` count and sort by.

use flowcore::aggregate::{Element, Order};

use super::values::statistics;
use super::{table, wrap};
use crate::args::OutputFormat;
use crate::print::{tag_infos, tag_lists};

/// The page.
pub(super) fn page() -> String {
    let mut page = "Output formats (-o):\n".to_owned();
    OutputFormat::names().for_each(|(name, about)| page.push_str(&format!("  {name:<9} {about}\n")));
    page.push_str(
        "\nColumns of -o 'fmt:%ts %sap -> %dap %byt %{vlan}': %{NAME} is any field of --help-fields, %n a\n",
    );
    page.push_str("line end, %% a percent sign, and\n");
    let headed = tags().map(|(name, heading)| format!("%{name:<9} {heading}").trim_end().to_owned());
    table(&headed.collect::<Vec<_>>(), 2, &mut page);
    page.push_str("\nStatistics (-s NAME[:p][/ORDER...]): any field of --help-fields, and\n");
    let names = statistics().map(|(name, heading)| format!("{name:<12} {heading}"));
    table(&names.collect::<Vec<_>>(), 2, &mut page);
    page.push_str(
        "\nElements of -A, those of addresses also with a prefix (srcip4/24, srcip6/64): any field, and\n",
    );
    wrap(Element::names(), 2, &mut page);
    page.push_str(
        "\nOrders (behind / in -s, and -O); ':a' behind one is smallest first, ':d' largest first:\n",
    );
    wrap(Order::names(), 2, &mut page);
    page.push_str("\ndocs/output.md has a sample of each.\n");
    page
}

/// Tags with their headings; a list of tags has none.
fn tags() -> impl Iterator<Item = (&'static str, &'static str)> {
    tag_infos().map(|tag| (tag.name, tag.heading)).chain(tag_lists().map(|(name, _)| (name, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_on_the_page() {
        let page = page();
        let words: Vec<&str> = page.split_whitespace().collect();
        let names = OutputFormat::names()
            .map(|(name, _)| name)
            .chain(Order::names())
            .chain(Element::names())
            .chain(statistics().map(|(name, _)| name))
            .chain(["record", "srctos"]);
        for name in names {
            assert!(words.contains(&name), "{name}");
        }
        for (name, _) in tags() {
            assert!(words.contains(&format!("%{name}").as_str()), "%{name}");
        }
    }
}
