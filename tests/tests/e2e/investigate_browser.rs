//! Reports in HTML, opened in a real Chromium: they ask nothing of the network, their script runs under the page's policy, and
//! what inputs are called stays text.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use flow_tests::harness::{TempDir, Tool, skipped, testdata, tool_available};
use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// A browser without a window, with one page, spoken to by the Chrome DevTools Protocol
/// (<https://chromedevtools.github.io/devtools-protocol/>).
struct Browser {
    process: Child,
    _profile: TempDir,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    session: String,
    calls: u64,
    /// What the page did: requests, exceptions, console and log entries.
    events: Vec<Value>,
}

impl Browser {
    /// `None` where there is no Chromium.
    fn start() -> Option<Self> {
        if !tool_available("chromium") {
            skipped("chromium is not installed");
            return None;
        }
        let profile = TempDir::new();
        let mut process = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut addresses = lines
            .map_while(Result::ok)
            .filter_map(|line| line.split_once("DevTools listening on ").map(|(_, url)| url.to_owned()));
        let url = addresses.next().expect("Chromium says where it listens");
        // Goes on reading, so that the browser never waits for us.
        std::thread::spawn(move || addresses.for_each(drop));
        let (socket, _) = tungstenite::connect(url.trim()).unwrap();
        let mut browser =
            Self { process, _profile: profile, socket, session: String::new(), calls: 0, events: Vec::new() };
        let page = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        browser.session =
            browser.call("Target.attachToTarget", &attach)["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Calls a method and waits for its result; events that come in between are kept.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let mut call = json!({ "id": self.calls, "method": method, "params": parameters });
        if !self.session.is_empty() {
            call["sessionId"] = self.session.as_str().into();
        }
        self.socket.send(Message::text(call.to_string())).unwrap();
        loop {
            let message = self.message();
            if message["id"] == self.calls {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn message(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                return serde_json::from_str(text.as_str()).unwrap();
            }
        }
    }

    /// Opens a file and waits until it is there.
    fn open(&mut self, file: &Path) {
        self.events.clear();
        self.call("Page.navigate", &json!({ "url": format!("file://{}", file.display()) }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.message();
            self.events.push(event);
        }
    }

    /// The value of an expression in the page.
    fn value(&mut self, expression: &str) -> Value {
        let call = json!({ "expression": expression, "returnByValue": true });
        let result = self.call("Runtime.evaluate", &call);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// What went wrong in the page.
    fn complaints(&self) -> Vec<&Value> {
        let is_one = |event: &&Value| {
            matches!(
                event["method"].as_str(),
                Some(
                    "Runtime.exceptionThrown"
                        | "Runtime.consoleAPICalled"
                        | "Log.entryAdded"
                        | "Network.loadingFailed"
                )
            )
        };
        self.events.iter().filter(is_one).collect()
    }

    /// Addresses that were asked for.
    fn requests(&self) -> Vec<&str> {
        let asked = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        asked.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A report about an input of this name, as a file.
fn page(folder: &TempDir, input: &str) -> std::path::PathBuf {
    let capture = folder.join(input);
    std::fs::copy(testdata("lab/attack.pcap"), &capture).unwrap();
    let words = ["investigate", "203.0.113.66", "-o", "html"];
    let run = Tool::flowdump().args(words).arg(&capture).arg(testdata("lab/logs")).run().success();
    folder.file("report.html", run.stdout)
}

#[test]
fn a_page_works_alone() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = TempDir::new();
    browser.open(&page(&folder, "attack.pcap"));
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
    let away = |url: &&str| !url.starts_with("file:") && !url.starts_with("data:");
    assert_eq!(browser.requests().into_iter().filter(away).collect::<Vec<_>>(), Vec::<&str>::new());
    assert_eq!(browser.value("document.querySelectorAll('svg .bar').length > 20"), true);
    assert_eq!(browser.value("document.querySelectorAll('svg .edge').length >= 2"), true);

    // The table of services by its column of bytes, upwards by a click and downwards by the keyboard.
    let column =
        "[...document.querySelectorAll('table')].find(one => one.tHead.innerText.includes('outcome'))";
    browser.value(&format!("{column}.querySelectorAll('th button')[6].click()"));
    let bytes = format!("[...{column}.tBodies[0].rows].map(row => Number(row.cells[6].textContent))");
    let sorted = |values: &Value| {
        let numbers: Vec<u64> = values.as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).collect();
        (numbers.is_sorted(), numbers.iter().rev().is_sorted(), numbers.len())
    };
    assert_eq!(sorted(&browser.value(&bytes)), (true, false, 7));
    browser.value(&format!("{column}.querySelectorAll('th button')[6].focus()"));
    for kind in ["keyDown", "keyUp"] {
        let key = json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r" });
        browser.call("Input.dispatchKeyEvent", &key);
    }
    assert_eq!(sorted(&browser.value(&bytes)), (false, true, 7));
    assert_eq!(browser.value(&format!("{column}.querySelectorAll('th')[6].ariaSort")), "descending");
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
}

#[test]
fn a_page_fits_a_phone_and_the_dark() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = TempDir::new();
    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", &phone);
    browser.open(&page(&folder, "attack.pcap"));
    assert_eq!(browser.value("document.documentElement.scrollWidth"), 390, "nothing sticks out of the page");
    let colours = "(style => [style.backgroundColor, style.color])(getComputedStyle(document.body))";
    let light = browser.value(colours);
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.call("Emulation.setEmulatedMedia", &dark);
    let dark = browser.value(colours);
    assert_eq!(light, json!(["rgb(255, 255, 255)", "rgb(28, 36, 48)"]));
    assert_eq!(dark, json!(["rgb(20, 24, 30)", "rgb(228, 233, 240)"]));
}

#[test]
fn names_that_look_like_markup_stay_text() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = TempDir::new();
    let name = "<img src=x onerror=alert(1)>\"'&lt;.pcap";
    browser.open(&page(&folder, name));
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
    assert_eq!(browser.value("document.querySelectorAll('img, script[src], iframe').length"), 0);
    let headings = browser.value("[...document.querySelectorAll('h2')].map(one => one.textContent)");
    let is_named = |heading: &Value| heading.as_str().unwrap().ends_with(name);
    assert!(headings.as_array().unwrap().iter().any(is_named), "{headings}");
}
