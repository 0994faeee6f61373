//! What can stand behind an option, for completion: names out of the tables that the options are read by, or what kind of
//! file is named. Options go by their clap ids, which are the names of their members in [`Flags`](crate::args::Flags).

use clap::ValueHint;
use flowcore::FIELDS;
use flowcore::aggregate::{Element, Order, Statistic};
use flowcore::format::{COMPRESSIONS, Format};

use super::generate;
use crate::args::OutputFormat;

/// The words that an option takes, or the first part of them; none for options that take no names.
pub(super) fn of(option: &str) -> Vec<&'static str> {
    let fields = || FIELDS.iter().map(|info| info.name);
    match option {
        "format" => Format::ALL.iter().map(|format| format.name()).collect(),
        "aggregate_by" => {
            sorted(Element::names().chain(fields().filter(|name| Element::parse_list(name).is_ok())))
        }
        "stat" => sorted(statistics().map(|(name, _)| name).chain(fields())),
        "order" => Order::names().collect(),
        "output" => {
            OutputFormat::names().map(|(name, _)| name.strip_suffix("TAGS").unwrap_or(name)).collect()
        }
        "compress" => COMPRESSIONS.to_vec(),
        "generate" => generate::names().collect(),
        "stats" => vec!["table", "json"],
        "columns" => FIELDS.iter().map(|info| info.aws).filter(|name| !name.is_empty()).collect(),
        _ => Vec::new(),
    }
}

/// Names of `-s` with their headings, and every field's own name is one too.
pub(super) fn statistics() -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::once(("record", "Whole flows")).chain(Statistic::names())
}

/// What is named by an option that takes a path, where it is more than any path, or no path at all.
pub(super) fn hint(option: &str) -> Option<ValueHint> {
    match option {
        "read" | "filter_file" | "write" | "verify" => Some(ValueHint::FilePath),
        "read_folders" => Some(ValueHint::DirPath),
        "words" | "read_range" => Some(ValueHint::AnyPath),
        "filter_words" | "filter" | "post_filter" | "vpc_fields" | "timeout" | "time" | "limit"
        | "memory" | "top" | "every" | "stitch" => Some(ValueHint::Other),
        _ => None,
    }
}

/// In order, and each once.
fn sorted(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Flags;

    #[test]
    fn every_option_that_takes_a_value_has_names_or_a_hint() {
        let command = Flags::command();
        let args =
            command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_action().takes_values());
        for arg in args {
            let id = arg.get_id().as_str();
            let has_own = !arg.get_possible_values().is_empty();
            assert!(has_own || !of(id).is_empty() || hint(id).is_some(), "{id}");
        }
    }

    #[test]
    fn names_are_read_by_their_options() {
        type Reads = fn(&str) -> bool;
        let read: [(&str, Reads); 4] = [
            ("stat", |name| name == "record" || name.parse::<Statistic>().is_ok()),
            ("aggregate_by", |name| Element::parse_list(name).is_ok()),
            ("order", |name| name.parse::<Order>().is_ok()),
            ("output", |name| name.ends_with(':') || name.parse::<OutputFormat>().is_ok()),
        ];
        for (option, reads) in read {
            let names = of(option);
            assert!(names.len() > 10 && names.iter().all(|name| reads(name)), "{option}");
        }
    }
}
