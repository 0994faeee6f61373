//! Who talks to whom, and when. The attacker looks around, guesses passwords of the web shop, then of SSH, gets in,
//! and has the server send its customer data to port 8889 of the attacker's host. Around it everyday traffic.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::talk::{Connection, End, SEGMENT, Step, knock, ping, question};
use super::world::{
    ATTACKER, BASTION, DATABASE, LOOKALIKE, OFFICE, RESOLVER, START, TIME_SERVER, VICTIM, VICTIM6,
};
use super::{Sent, payload};
use crate::packet::{Packet, Tcp, flags};
use crate::rng::Rng;

/// Every packet of the story, in no order.
pub(super) fn tell(rng: &Rng) -> Vec<Sent> {
    let acts: [(&str, Act); 12] = [
        ("look around", look_around),
        ("guess at the shop", guess_at_the_shop),
        ("guess at ssh", guess_at_ssh),
        ("get in", get_in),
        ("drain", drain),
        ("customers", customers),
        ("database", database),
        ("names", names),
        ("time", time),
        ("updates", updates),
        ("scanners", scanners),
        ("office", office),
    ];
    let mut stage = Stage { rng: rng.clone(), ports_used: 0, sent: Vec::new() };
    for (name, act) in acts {
        stage.rng = rng.fork(name);
        act(&mut stage);
    }
    stage.sent
}

/// A part of the story.
type Act = fn(&mut Stage);

/// What the acts have in common.
struct Stage {
    rng: Rng,
    ports_used: u32,
    sent: Vec<Sent>,
}

impl Stage {
    fn connect(&mut self, client: SocketAddr, server: SocketAddr, at: u64, steps: Vec<Step>, end: End) {
        let trip = self.rng.range(9_000, 140_000);
        let connection = Connection { client, server, at, trip, segment: SEGMENT, steps, end };
        self.sent.extend(connection.packets(&mut self.rng));
    }

    /// A socket with a port that no other connection uses.
    fn socket(&mut self, host: IpAddr) -> SocketAddr {
        self.ports_used += 1;
        SocketAddr::new(host, (32_768 + self.ports_used * 7919 % 28_231) as u16)
    }

    /// A moment between two minutes of the story.
    fn moment(&mut self, first: u64, last: u64) -> u64 {
        self.rng.range(minute(first), minute(last) - 1)
    }

    /// As many bytes, more or less.
    fn about(&mut self, bytes: u64) -> usize {
        self.rng.range(bytes - bytes / 3, bytes + bytes / 2) as usize
    }
}

/// The attacker's first packets: doors that the security group keeps shut.
fn look_around(stage: &mut Stage) {
    for (number, port) in [21, 23, 445, 1433, 3306, 3389, 5432, 6379].into_iter().enumerate() {
        let client = stage.socket(ATTACKER);
        let at = minute(22) + 35_000_000 + number as u64 * 1_380_000;
        stage.sent.extend(knock(&syn(client, SocketAddr::new(VICTIM, port)), at, 1));
    }
    for port in [8000, 8080, 8443, 8888] {
        let (client, at) = (stage.socket(ATTACKER), stage.moment(23, 24));
        stage.connect(client, SocketAddr::new(VICTIM, port), at, vec![], End::Refused);
    }
}

fn guess_at_the_shop(stage: &mut Stage) {
    for number in 0..56 {
        let at = minute(40) + number * 23_400_000 + stage.rng.range(0, 9_000_000);
        let mut steps = Vec::new();
        if number % 8 == 0 {
            steps.push(Step::Client(payload::http_request("GET", "/login", 0)));
            steps.push(Step::Server(payload::http_response("200 OK", 3900)));
        }
        for _ in 0..stage.rng.range(1, 2) {
            let (form, answer) = (stage.about(60), stage.about(700));
            steps.push(Step::Client(payload::http_request("POST", "/login", form)));
            steps.push(Step::Server(payload::http_response("401 Unauthorized", answer)));
        }
        let client = stage.socket(ATTACKER);
        let end = if stage.rng.chance(20) { End::ClientResets } else { End::ServerCloses };
        stage.connect(client, SocketAddr::new(VICTIM, 80), at, steps, end);
    }
}

fn guess_at_ssh(stage: &mut Stage) {
    for number in 0..10 {
        let at = minute(64) + number * 41_000_000 + stage.rng.range(0, 5_000_000);
        let mut steps = ssh_opening(stage);
        steps.push(Step::Client(payload::encrypted(&mut stage.rng, 148)));
        steps.push(Step::Pause(2_000_000));
        steps.push(Step::Server(payload::encrypted(&mut stage.rng, 84)));
        let client = stage.socket(ATTACKER);
        stage.connect(client, SocketAddr::new(VICTIM, 22), at, steps, End::ServerCloses);
    }
}

/// Two sessions: one before the data leaves, one after it, to clean up.
fn get_in(stage: &mut Stage) {
    for (at, commands) in [(minute(73) + 10_400_000, 34), (minute(122) + 2_900_000, 18)] {
        let mut steps = ssh_opening(stage);
        for _ in 0..commands {
            let answer = stage.about(400);
            steps.push(Step::Client(payload::encrypted(&mut stage.rng, 52)));
            steps.push(Step::Server(payload::encrypted(&mut stage.rng, answer)));
            steps.push(Step::Pause(stage.rng.range(2_000_000, 9_500_000)));
        }
        let client = stage.socket(ATTACKER);
        stage.connect(client, SocketAddr::new(VICTIM, 22), at, steps, End::ClientCloses);
    }
}

/// The server connects out; a first connection only tries the way. The capture shows what the server hands to its
/// network card, which cuts it to packets later (segmentation offload).
fn drain(stage: &mut Stage) {
    for number in 0..8 {
        let at = minute(79) + number * 298_000_000 + stage.rng.range(0, 20_000_000);
        let mut steps = Vec::new();
        for _ in 0..if number == 0 { 1 } else { 7 } {
            let bytes = if number == 0 { 64 } else { stage.about(88_000) };
            steps.push(Step::Client(payload::archive(bytes)));
            steps.push(Step::Pause(stage.rng.range(9_000_000, 27_000_000)));
        }
        let client = stage.socket(VICTIM);
        let server = SocketAddr::new(ATTACKER, 8889);
        let connection = Connection {
            client,
            server,
            at,
            trip: 88_000,
            segment: 12 * SEGMENT,
            steps,
            end: End::ClientCloses,
        };
        stage.sent.extend(connection.packets(&mut stage.rng));
    }
}

fn customers(stage: &mut Stage) {
    for number in 0..58 {
        let (at, six) = (stage.moment(0, 147), number % 5 == 4);
        let host = if number % 9 == 0 { LOOKALIKE } else { customer(&mut stage.rng, six) };
        let (client, server) = (stage.socket(host), if host.is_ipv6() { VICTIM6 } else { VICTIM });
        let (ask, answer) = (stage.about(420), stage.about(2600));
        let plain = stage.rng.chance(40);
        let (ask, answer) = if plain {
            (payload::http_request("GET", "/", 0), payload::http_response("200 OK", answer))
        } else {
            (payload::tls(&mut stage.rng, ask), payload::tls(&mut stage.rng, answer))
        };
        let server = SocketAddr::new(server, if plain { 80 } else { 443 });
        let steps = vec![Step::Client(ask), Step::Server(answer), Step::Pause(stage.rng.range(0, 5_000_000))];
        stage.connect(client, server, at, steps, End::ClientCloses);
    }
}

fn database(stage: &mut Stage) {
    for number in 0..46 {
        let host = if number % 2 == 0 { VICTIM } else { OFFICE };
        let (client, at) = (stage.socket(host), stage.moment(0, 147));
        let (ask, answer) = (stage.about(160), stage.about(1500));
        let [ask, answer] = payload::sql(ask, answer);
        let steps = vec![Step::Client(ask), Step::Server(answer)];
        stage.connect(client, SocketAddr::new(DATABASE, 3306), at, steps, End::ClientCloses);
    }
}

fn names(stage: &mut Stage) {
    for number in 0..60 {
        let host = if number % 2 == 0 { VICTIM } else { OFFICE };
        let (client, at) = (stage.socket(host), stage.moment(0, 148));
        let name =
            *stage.rng.pick(&["updates.example", "pay.example", "mail.shop.example", "api.cards.example"]);
        let payloads = payload::dns(&mut stage.rng, name);
        stage.sent.extend(question(client, SocketAddr::new(RESOLVER, 53), at, 1_700, payloads));
    }
}

fn time(stage: &mut Stage) {
    for number in 0..16 {
        let host = if number % 2 == 0 { VICTIM } else { OFFICE };
        let (client, at) = (stage.socket(host), minute(3) + number * 512_000_000);
        let server = SocketAddr::new(TIME_SERVER, 123);
        stage.sent.extend(question(client, server, at, 13_000, payload::ntp(at)));
    }
}

/// Software updates and payments: servers call out over HTTPS.
fn updates(stage: &mut Stage) {
    for number in 0..24 {
        let host = if number % 3 == 0 { VICTIM } else { OFFICE };
        let (client, at) = (stage.socket(host), stage.moment(0, 146));
        let server = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 18, 7, number as u8 + 10)), 443);
        let (ask, answer) = (stage.about(900), stage.about(6000));
        let ask = payload::tls(&mut stage.rng, ask);
        let steps = vec![Step::Client(ask), Step::Server(payload::tls(&mut stage.rng, answer))];
        stage.connect(client, server, at, steps, End::ClientCloses);
    }
}

/// Most are stopped by the security group; ports 8000 to 8999 are open, but nobody listens; pings are let in.
fn scanners(stage: &mut Stage) {
    for _ in 0..1150 {
        let (client, at) = (scanner(stage), stage.moment(0, 148));
        let host = *stage.rng.pick(&[VICTIM, VICTIM, OFFICE, BASTION]);
        let port = *stage
            .rng
            .pick(&[23, 25, 81, 110, 139, 445, 1433, 2222, 2323, 3389, 5060, 5900, 6379, 9200, 37_215]);
        let server = SocketAddr::new(host, port);
        let packet = if port == 5060 {
            Packet::udp(client, server, b"OPTIONS sip:100@10.77.4.20 SIP/2.0\r\n\r\n".to_vec())
        } else {
            syn(client, server)
        };
        let again = if stage.rng.chance(15) { 2 } else { 0 };
        stage.sent.extend(knock(&packet, at, again));
    }
    for _ in 0..18 {
        let (client, at) = (scanner(stage), stage.moment(0, 148));
        let port = *stage.rng.pick(&[8000, 8081, 8443, 8888, 8889]);
        stage.connect(client, SocketAddr::new(VICTIM, port), at, vec![], End::Refused);
    }
    for number in 0..6 {
        let (client, at) = (scanner(stage), stage.moment(0, 148));
        stage.sent.extend(ping(client.ip(), VICTIM, at, 0x3100 + number * 257, 1 + number % 3));
    }
}

/// The other server's own visitors; the capture knows nothing of them.
fn office(stage: &mut Stage) {
    for _ in 0..240 {
        let (host, at) = (customer(&mut stage.rng, false), stage.moment(0, 147));
        let client = stage.socket(host);
        let (ask, answer) = (stage.about(700), stage.about(9000));
        let ask = payload::tls(&mut stage.rng, ask);
        let steps = vec![Step::Client(ask), Step::Server(payload::tls(&mut stage.rng, answer))];
        stage.connect(client, SocketAddr::new(OFFICE, 443), at, steps, End::ClientCloses);
    }
}

/// Greetings, key exchange and new keys of SSH, as far as their sizes go.
fn ssh_opening(stage: &mut Stage) -> Vec<Step> {
    let rng = &mut stage.rng;
    vec![
        Step::Client(payload::ssh_greeting("libssh_0.9.6")),
        Step::Server(payload::ssh_greeting("OpenSSH_8.9p1")),
        Step::Client(payload::encrypted(rng, 976)),
        Step::Server(payload::encrypted(rng, 1304)),
    ]
}

fn syn(client: SocketAddr, server: SocketAddr) -> Packet {
    let seq = u32::from(client.port()) * 65_537;
    Packet::tcp(
        client,
        server,
        Tcp { seq, flags: flags::SYN, options: vec![2, 4, 5, 0xb4], ..Tcp::default() },
    )
}

fn customer(rng: &mut Rng, six: bool) -> IpAddr {
    if six {
        return Ipv6Addr::new(0x2001, 0xdb8, 0xcafe, rng.range(1, 40) as u16, 0, 0, 0, 0x51).into();
    }
    // Neighbours of the attacker are among them.
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, *rng.pick(&[6, 16, 60, 61, 65, 67, 68, 88, 99, 116, 166, 201])))
}

fn scanner(stage: &mut Stage) -> SocketAddr {
    let net = *stage.rng.pick(&[[198, 51, 100], [192, 0, 2]]);
    let host = Ipv4Addr::new(net[0], net[1], net[2], stage.rng.range(1, 254) as u8);
    stage.socket(IpAddr::V4(host))
}

/// Microseconds since 1970 at this minute of the story.
fn minute(number: u64) -> u64 {
    (START + 60 * number) * 1_000_000
}
