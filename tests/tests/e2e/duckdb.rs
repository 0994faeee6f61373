//! DuckDB as referee: questions about a day of flow logs, asked of `flowdump` and in SQL of the same rows.
//!
//! DuckDB reads the text of the logs itself, so that nothing of ours is between them.

use std::path::Path;

use flow_tests::harness::{TempDir, Tool, corpus, peer, skipped, tool_available, try_peer};

/// A question: its SQL over the table `logs`, and the words of `flowdump` for it. Columns are separated by commas; rows are
/// compared in any order.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("select count(*) from flows", &["-A", "x", "fl"]),
    ("select sum(bytes) from flows", &["-A", "x", "byt"]),
    ("select sum(packets) from flows", &["-A", "x", "pkt"]),
    ("select action, count(*), sum(bytes) from flows group by 1", &["-A", "action", "{action},fl,byt"]),
    ("select protocol, count(*), sum(packets) from flows group by 1", &["-A", "proto", "pr,fl,pkt"]),
    ("select \"interface-id\", sum(bytes) from flows group by 1", &["-A", "interface", "{interface},byt"]),
    ("select \"flow-direction\", count(*) from flows group by 1", &["-A", "direction", "{direction},fl"]),
    ("select \"traffic-path\", sum(bytes) from flows group by 1", &["-A", "path", "{path},byt"]),
    ("select dstport, sum(bytes) from flows group by 1", &["-A", "dstport", "dp,byt"]),
    (
        "select srcport, count(*) from flows where protocol = 17 group by 1",
        &["-A", "srcport", "sp,fl", "udp"],
    ),
    ("select srcaddr, sum(bytes) from flows group by 1", &["-A", "srcip", "sa,byt"]),
    (
        "select srcaddr, dstaddr, count(*) from flows where action = 'REJECT' group by 1, 2",
        &["-A", "srcip,dstip", "sa,da,fl", "action reject"],
    ),
    (
        "select dstaddr, dstport, sum(packets) from flows where srcaddr = '20.106.124.93' group by 1, 2",
        &["-A", "dstip,dstport", "da,dp,pkt", "src ip 20.106.124.93"],
    ),
    (
        "select dstport, count(*) from flows where \"tcp-flags\" = 2 and protocol = 6 group by 1",
        &["-A", "dstport", "dp,fl", "tcp and flags = S"],
    ),
    (
        "select count(*), sum(bytes) from flows where start >= 1695934800 and start < 1695938400",
        &["-A", "x", "fl,byt", "first >= 2023-09-28T21:00:00Z and first < 2023-09-28T22:00:00Z"],
    ),
    (
        "select count(*) from flows where srcport between 8000 and 8999 or dstport between 8000 and 8999",
        &["-A", "x", "fl", "port in [8000-8999]"],
    ),
    (
        "select count(*), sum(packets) from flows where bytes > 1000000",
        &["-A", "x", "fl,pkt", "bytes > 1000000"],
    ),
    ("select type, count(*), sum(bytes) from flows group by 1", &["-A", "type", "{type},fl,byt"]),
    (
        "select \"instance-id\", count(*), sum(packets) from flows group by 1",
        &["-A", "instance", "{instance},fl,pkt"],
    ),
    (
        "select count(*), sum(bytes) from flows where starts_with(srcaddr, '10.130.') and not starts_with(dstaddr, '10.130.')",
        &["-A", "x", "fl,byt", "src net 10.130.0.0/16 and not dst net 10.130.0.0/16"],
    ),
];

/// The SQL that asks all questions: a line with the number of each, then its rows.
const PROGRAM: &str = "
import duckdb, sys
duckdb.sql('set enable_progress_bar = false')
table = '''create table flows as select * from read_csv('%s/*.log.gz', delim=' ', header=true, nullstr='-',
    types={'srcaddr': 'VARCHAR', 'dstaddr': 'VARCHAR', 'account-id': 'VARCHAR', 'traffic-path': 'BIGINT'})
    where \"log-status\" = 'OK' ''' % sys.argv[1]
duckdb.sql(table)
for number, question in enumerate(sys.argv[2:]):
    print('=', number)
    for row in duckdb.sql(question).fetchall():
        print(','.join('' if value is None else str(value) for value in row))
";

#[test]
fn duckdb_counts_the_same() {
    let Some(folder) = corpus() else { return };
    if !tool_available("python3") {
        return;
    }
    if try_peer("python3", ["-c", "import duckdb"]).is_err() {
        return skipped("Python has no module duckdb (pip install duckdb)");
    }
    let lab = TempDir::new();
    let script = folder.join("tools/make_vpc_lab.py");
    peer("python3", [script.as_os_str(), "--out".as_ref(), lab.path().as_os_str()]);
    let logs = lab.join("20230928");
    let (program, place) = (["-c", PROGRAM], logs.display().to_string());
    let questions = QUESTIONS.iter().map(|(sql, _)| *sql);
    let answers = peer("python3", program.into_iter().chain([place.as_str()]).chain(questions));
    let answers: Vec<&str> = answers.split("= ").skip(1).collect();
    assert_eq!(answers.len(), QUESTIONS.len());
    for (answer, (sql, words)) in answers.iter().zip(QUESTIONS) {
        let rows = answer.split_once('\n').map_or("", |(_, rows)| rows);
        assert_eq!(ours(&logs, words), sorted(rows.lines()), "{sql}");
    }
}

/// The rows of `flowdump`, which groups by all records where the key is `x`.
fn ours(logs: &Path, words: &[&str]) -> Vec<String> {
    let [_, key, columns, filter @ ..] = words else { panic!("{words:?}") };
    // Records have no VLAN in these logs, so that all are in one group.
    let key = if *key == "x" { "vlan" } else { key };
    let tags: Vec<String> = columns.split(',').map(|name| format!("%{name}")).collect();
    let format = format!("csv:{}", tags.join(","));
    let run =
        Tool::flowdump().arg(logs).args(["-q", "-N", "-A", key, "-o", &format]).args(filter).run().success();
    sorted(run.stdout.lines())
}

fn sorted<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}
