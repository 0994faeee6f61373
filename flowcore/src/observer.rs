//! Who wrote a row of a cloud log: the interface that was watched, or what stands for one. Two observers write the same
//! traffic twice; one does not.

use std::sync::LazyLock;

use crate::batch::{FlowBatch, TextColumn};
use crate::record::{Field, FieldSet, Text};

/// What can stand for the interface, the first one that a row has: regional NAT gateways and transit gateways have none.
const OBSERVERS: [Field; 3] = [Field::Interface, Field::Resource, Field::TgwAttachment];

/// The fields that name observers.
pub(crate) fn fields() -> FieldSet {
    names().union(FieldSet::from([Field::SrcAddr, Field::SrcPort, Field::DstAddr, Field::DstPort]))
}

/// The fields of which a row has one if it has an observer.
pub(crate) fn names() -> FieldSet {
    OBSERVERS.into_iter().chain([Field::Reporter]).collect()
}

/// The observers of the rows of a batch.
pub(crate) struct Observers<'a> {
    batch: &'a FlowBatch,
    columns: Vec<&'a TextColumn>,
    /// GCP's reporter: which end of the flow wrote it.
    reporters: Option<&'a TextColumn>,
}

impl<'a> Observers<'a> {
    pub(crate) fn of(batch: &'a FlowBatch) -> Self {
        let columns = OBSERVERS.iter().filter_map(|&field| batch.texts(field)).collect();
        Self { batch, columns, reporters: batch.texts(Field::Reporter) }
    }

    /// Whether no row has one.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.reporters.is_none()
    }

    /// That of a row.
    pub(crate) fn get(&self, row: usize) -> Option<&'a Text> {
        let interface = self.columns.iter().find_map(|column| column.get(row));
        interface.or_else(|| self.end(row, self.reporters?.get(row)?))
    }

    /// The end that reported a row, named as if the flow went from the smaller end to the larger one: a machine is the
    /// source of one direction and the destination of the other.
    fn end(&self, row: usize, reporter: &'a Text) -> Option<&'a Text> {
        let end = |addr, port| (self.batch.addr(addr, row), self.batch.number(port, row));
        let is_turned = end(Field::SrcAddr, Field::SrcPort) > end(Field::DstAddr, Field::DstPort);
        let turned = ENDS.iter().find(|(from, _)| is_turned && **from == **reporter);
        Some(turned.map_or(reporter, |(_, to)| to))
    }
}

/// Reporters, and their names for the other direction.
static ENDS: LazyLock<[(Text, Text); 4]> = LazyLock::new(|| {
    [("SRC", "DEST"), ("DEST", "SRC"), ("SRC_GATEWAY", "DEST_GATEWAY"), ("DEST_GATEWAY", "SRC_GATEWAY")]
        .map(|(from, to)| (from.into(), to.into()))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_there_is_tells_the_observer() {
        type Said<'a> = &'a [(Field, &'a str)];
        let rows: [(Said<'_>, Option<&str>); 6] = [
            (&[(Field::Interface, "eni-1"), (Field::Direction, "egress")], Some("eni-1")),
            (&[(Field::Resource, "nat-1")], Some("nat-1")),
            (&[(Field::TgwAttachment, "tgw-attach-1"), (Field::Direction, "ingress")], Some("tgw-attach-1")),
            (&[(Field::Reporter, "SRC"), (Field::Direction, "egress")], Some("SRC")),
            (&[(Field::Direction, "ingress")], None),
            (&[], None),
        ];
        let mut batch = FlowBatch::new();
        for (texts, _) in &rows {
            texts.iter().for_each(|(field, text)| batch.set_text(*field, text));
            batch.end_row();
        }
        let observers = Observers::of(&batch);
        for (row, (_, expected)) in rows.iter().enumerate() {
            assert_eq!(observers.get(row).map(|text| &**text), *expected, "row {row}");
        }
        assert!(Observers::of(&FlowBatch::new()).is_empty() && !observers.is_empty());
    }

    #[test]
    fn one_machine_reports_both_directions() {
        let mut batch = FlowBatch::new();
        let (one, other) = ("10.0.0.1", "10.0.0.2");
        for (src, dst, reporter) in [
            (one, other, "SRC"),
            (other, one, "DEST"),
            (other, one, "SRC"),
            (one, other, "DEST"),
            (other, one, "DEST_GATEWAY"),
            (other, one, "OTHER"),
        ] {
            batch.set_addr(Field::SrcAddr, src.parse().unwrap());
            batch.set_addr(Field::DstAddr, dst.parse().unwrap());
            batch.set_text(Field::Reporter, reporter);
            batch.end_row();
        }
        let observers = Observers::of(&batch);
        let names: Vec<&str> =
            (0..batch.len()).filter_map(|row| observers.get(row)).map(|text| &**text).collect();
        assert_eq!(names, ["SRC", "SRC", "DEST", "DEST", "SRC_GATEWAY", "OTHER"]);
    }
}
