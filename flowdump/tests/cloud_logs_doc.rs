//! The commands of `docs/cloud-logs.md` run, and the investigation finds what is there to be found.

use std::process::Command;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Standard output and standard error of a command of the document.
fn run(command: &str) -> (String, String) {
    let script = command.replacen("flowdump", env!("CARGO_BIN_EXE_flowdump"), 1);
    let output = Command::new("sh").arg("-c").arg(&script).current_dir(WORKSPACE).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, errors) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{command}: {errors}");
    (out, errors)
}

fn commands() -> Vec<String> {
    let document = std::fs::read_to_string(format!("{WORKSPACE}/docs/cloud-logs.md")).unwrap();
    let blocks = document.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[test]
fn every_command_runs_and_shows_something() {
    let commands = commands();
    assert!(commands.len() >= 13, "{}", commands.len());
    for command in commands {
        let (out, errors) = run(&command);
        let shows = |text: &str| !text.trim().is_empty() && !text.contains("No matching flows");
        assert!(shows(&out) || (command.contains("-o null") && shows(&errors)), "{command}: {out}{errors}");
    }
}

/// The output of the only command with all of these words.
fn found(words: &[&str]) -> String {
    let commands = commands();
    let fitting: Vec<&String> =
        commands.iter().filter(|command| words.iter().all(|word| command.contains(word))).collect();
    assert_eq!(fitting.len(), 1, "{words:?}");
    run(&format!("{} -q -N", fitting[0])).0
}

#[test]
fn the_investigation_finds_what_happened() {
    // The server connected to port 8889, eight times: the largest is first, and all were answered.
    let out = found(&["-P 'src ip 10.77.4.20 and connstate accepted'"]);
    let drain: Vec<&str> = out.lines().filter(|line| line.contains("203.0.113.66:8889")).collect();
    assert_eq!(drain.len(), 8, "{out}");
    assert!(drain.iter().all(|line| line.contains("10.77.4.20:") && line.contains("accepted")), "{out}");
    // The longest session over SSH came from the attacker.
    let out = found(&["-O duration", "port 22"]);
    let longest = out.lines().next().unwrap();
    assert!(longest.contains("203.0.113.66:") && longest.contains("10.77.4.20:22"), "{out}");
    // Nothing else left the server in such amounts.
    let out = found(&["--dedup -A dstip,dstport"]);
    assert!(out.lines().next().unwrap().contains("203.0.113.66"), "{out}");
    // It went on to one machine inside, and the list shows nothing but machines inside.
    let out = found(&["dst net 10.77.0.0/16"]);
    assert!(out.contains("10.77.5.31:3306"), "{out}");
    let ends = out.lines().filter_map(|line| line.split("->").nth(1));
    assert!(ends.clone().count() > 0 && ends.clone().all(|end| end.trim().starts_with("10.77.")), "{out}");
    // One interface lost records.
    assert_eq!(found(&["status skipdata"]).lines().count(), 1);
}
