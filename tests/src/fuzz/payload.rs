//! Payloads of any bytes.

use std::sync::LazyLock;

use flowcore::payload::dns::Message;
use flowcore::payload::tls::Hello;
use flowcore::{Field, Filter, Flow, FlowBatch, Protocol, payload_text};

/// A payload as TLS, as DNS, and asked by filters: what is cut of it says less and nothing else; fingerprints have
/// their form; rows and columns agree.
pub fn payload(data: &[u8]) {
    hellos(data);
    messages(data);
    filters(data);
}

fn hellos(data: &[u8]) {
    let Some(whole) = Hello::find(data) else { return };
    if let Some(ja3) = whole.ja3() {
        assert!(ja3.len() == 32 && ja3.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    if let Hello::Client(client) = &whole {
        assert_eq!(client.ja4().is_some(), client.is_complete());
        assert_eq!(client.ja4().map(|ja4| ja4.len()), client.is_complete().then_some(36));
        assert_eq!(
            client.ja4().map(|ja4| ja4[..11].to_owned()),
            client.ja4_raw().map(|raw| raw[..11].to_owned())
        );
    }
    for len in cuts(data) {
        match (Hello::find(&data[..len]), &whole) {
            (Some(Hello::Client(cut)), Hello::Client(whole)) => {
                assert!(whole.ciphers().starts_with(cut.ciphers()));
                assert!(whole.extensions().starts_with(cut.extensions()));
                assert!(!cut.is_complete() || cut == *whole);
            }
            (Some(Hello::Server(cut)), Hello::Server(whole)) => {
                assert!(whole.extensions().starts_with(cut.extensions()));
                assert!(cut.cipher().is_none() || cut.cipher() == whole.cipher());
                assert!(!cut.is_complete() || cut == *whole);
            }
            (found, _) => assert!(found.is_none(), "a part of a hello is another one"),
        }
    }
}

fn messages(data: &[u8]) {
    let Some(whole) = Message::parse(data) else { return };
    assert!(whole.questions.len() * 5 + whole.records.len() * 11 <= data.len());
    assert!(whole.names().all(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())));
    for len in cuts(data) {
        let Some(cut) = Message::parse(&data[..len]) else { continue };
        assert_eq!(cut.questions, whole.questions);
        assert!(whole.records.starts_with(&cut.records));
    }
    if whole.is_complete {
        assert_eq!(
            Message::parse(&[data, &[0; 20]].concat()).as_ref(),
            Some(&whole),
            "bytes after it matter"
        );
    }
}

/// Where to cut: everywhere in a short payload.
fn cuts(data: &[u8]) -> impl Iterator<Item = usize> {
    (0..data.len()).step_by(data.len() / 64 + 1)
}

fn filters(data: &[u8]) {
    let mut batch = FlowBatch::new();
    let text = payload_text(data);
    for (protocol, port) in [(6, 443), (17, 53), (6, 53), (17, 9)] {
        for field in [Field::InPayload, Field::OutPayload] {
            let mut flow = Flow::default();
            (flow.key.protocol, flow.key.src_port) = (Some(Protocol(protocol)), Some(port));
            flow.set(field, text.as_str().into());
            batch.push(&flow);
        }
    }
    for filter in FILTERS.iter() {
        let chosen = filter.select(&batch);
        for row in 0..batch.len() {
            assert_eq!(chosen.get(row), filter.matches(&batch.flow(row)), "{filter}: row {row}");
        }
    }
}

/// Filters about payloads of every kind.
static FILTERS: LazyLock<Vec<Filter>> = LazyLock::new(|| {
    EXPRESSIONS.iter().map(|expression| Filter::parse(expression).expect("a filter")).collect()
});

const EXPRESSIONS: [&str; 9] = [
    "payload regex '^[^a]+?(GET|\\x16\\x03|\\d{2,5}\\s*$)' ims",
    "in payload regex != '.'",
    "payload dns defined",
    "payload dns name a or payload dns address != 10.0.0.0/8",
    "out payload dns address 1.",
    "payload tls version >= 1.2",
    "payload ssl sni != a",
    "payload ja3 != 00000000000000000000000000000000",
    "in payload ja4 t1*",
];
