//! Every capture of the corpus is counted as the reference has it, but for listed exceptions, and `docs/accuracy.md` says
//! so. `UPDATE_GOLDEN=1` writes the document anew; the review of the change is the diff.

use flow_tests::accuracy::{judge, measure, report};
use flow_tests::harness::{assert_golden, corpus};

#[test]
fn packets_bytes_and_flows_are_those_of_the_reference() {
    let Some(corpus) = corpus() else { return };
    let rows = measure(&corpus.join("captures")).unwrap();
    assert!(rows.len() >= 186, "only {} captures", rows.len());
    let wrong = judge(&rows);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_golden("../docs/accuracy.md", &report(&rows));
}
