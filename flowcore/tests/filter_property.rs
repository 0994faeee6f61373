//! Random filters over random records: what a filter selects by row and by batch is what a naive evaluation of the
//! tree it was written from selects, block summaries never rule out a match, and the canonical text is the same filter.
//!
//! The tree, its text and its meaning are written down here once more, with nothing of the filter's own code, so the
//! parser is tested too.

mod filters;

use filters::block::Block;
use filters::record::flow;
use filters::tree::{Tree, term, tree};
use flowcore::{Filter, Flow, FlowBatch};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn rows_batches_and_the_naive_evaluation_agree(
        tree in tree(), flows in vec(flow(), 0..70), known in any::<u64>(),
    ) {
        let text = tree.to_string();
        let filter = parsed(&text)?;
        let expected: Vec<usize> = (0..flows.len()).filter(|&row| tree.holds(&flows[row])).collect();
        prop_assert_eq!(by_row(&filter, &flows), &expected[..], "rows of {}", text);
        prop_assert_eq!(by_batch(&filter, &flows), &expected[..], "batch of {}", text);
        for size in [1, 4, flows.len().max(1)] {
            for (at, part) in flows.chunks(size).enumerate() {
                let found = expected.iter().any(|row| row / size == at);
                prop_assert!(!found || filter.may_match(&Block::of(part, known)), "{} skips a block", text);
            }
        }
    }

    #[test]
    fn the_canonical_text_is_the_same_filter(tree in tree(), flows in vec(flow(), 0..20)) {
        let filter = parsed(&tree.to_string())?;
        let canonical = filter.to_string();
        let again = parsed(&canonical)?;
        prop_assert_eq!(again.to_string(), &canonical[..]);
        prop_assert_eq!(again.fields(), filter.fields());
        prop_assert_eq!(by_row(&again, &flows), by_row(&filter, &flows), "{}", canonical);
    }
}

/// Otherwise the properties above would hold for nothing.
#[test]
fn every_kind_of_term_is_true_and_false_at_times() {
    let mut runner = TestRunner::deterministic();
    let flows: Vec<Flow> = (0..400).map(|_| flow().new_tree(&mut runner).unwrap().current()).collect();
    let mut seen = std::collections::BTreeMap::<&str, [bool; 2]>::new();
    for _ in 0..4_000 {
        let term = term().new_tree(&mut runner).unwrap().current();
        let hits = flows.iter().filter(|flow| term.holds(flow)).count();
        let [yes, no] = seen.entry(term.kind()).or_default();
        *yes |= hits > 0;
        *no |= hits < flows.len();
    }
    seen.remove("any");
    assert!(seen.len() >= 20, "{seen:?}");
    assert!(seen.values().all(|answers| *answers == [true, true]), "{seen:?}");
    let not = Tree::Not(Box::new(Tree::Term(term().new_tree(&mut runner).unwrap().current())));
    assert!(not.to_string().starts_with(['n', '!']));
}

fn parsed(text: &str) -> Result<Filter, TestCaseError> {
    Filter::parse(text).map_err(|error| TestCaseError::fail(error.to_string()))
}

fn by_row(filter: &Filter, flows: &[Flow]) -> Vec<usize> {
    (0..flows.len()).filter(|&row| filter.matches(&flows[row])).collect()
}

fn by_batch(filter: &Filter, flows: &[Flow]) -> Vec<usize> {
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    filter.select(&batch).rows().collect()
}
