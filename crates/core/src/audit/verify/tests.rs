use super::*;
use crate::audit::{Chain, Encoded, Event, LossCause, Losses, Stage as EventStage};

fn now() -> jiff::Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn intent(id: &str) -> Event {
    Event::new(id, EventStage::RequestReceived, now(), now())
}

fn outcome(id: &str, outcome: Outcome) -> Event {
    Event::new(id, EventStage::ResponseComplete, now(), now()).with_outcome(outcome)
}

fn lines(events: &[Event]) -> Vec<Vec<u8>> {
    let mut chain = Chain::new("log-1");
    events
        .iter()
        .map(|event| {
            let mut line = Vec::new();
            chain.append(&Encoded::new(event).unwrap(), &mut line);
            line
        })
        .collect()
}

fn requests(n: usize) -> Vec<Vec<u8>> {
    let events: Vec<_> = (0..n)
        .flat_map(|n| [intent(&format!("r{n}")), outcome(&format!("r{n}"), Outcome::Allow)])
        .collect();
    lines(&events)
}

fn problems(findings: &Findings) -> Vec<(u64, Problem)> {
    findings
        .first()
        .iter()
        .map(|found| (found.line, found.problem.clone()))
        .collect()
}

#[test]
fn a_sound_log() {
    let report = verify(&requests(3).concat());
    assert!(report.is_intact() && report.is_complete(), "{report}");
    assert_eq!(report.log_id.as_deref(), Some("log-1"));
    assert_eq!((report.records, report.last.unwrap().0), (6, 5));
    assert!(verify(b"").is_intact());
}

#[test]
fn a_changed_line_is_named_once() {
    let mut log = requests(3);
    let text = String::from_utf8(log[2].clone()).unwrap();
    log[2] = text.replace("r1", "r9").into_bytes();
    let report = verify(&log.concat());
    assert_eq!(problems(&report.integrity), [(3, Problem::Changed)]);
}

#[test]
fn a_line_changed_with_its_hash_breaks_the_link_after_it() {
    let mut log = requests(3);
    let mut other = Chain::resume(&log[1]).unwrap();
    log[2].clear();
    other.append(&Encoded::new(&intent("forged")).unwrap(), &mut log[2]);
    let report = verify(&log.concat());
    assert_eq!(problems(&report.integrity), [(4, Problem::Unlinked)]);
}

#[test]
fn lines_taken_out_repeated_or_swapped() {
    let mut log = requests(3);
    log.drain(2..4);
    let report = verify(&log.concat());
    assert_eq!(problems(&report.integrity), [(3, Problem::Unlinked)]);
    assert_eq!(
        problems(&report.completeness),
        [(3, Problem::Missing { from: 2, to: 3 })]
    );

    let mut log = requests(2);
    log.insert(2, log[1].clone());
    let report = verify(&log.concat());
    assert!(
        problems(&report.integrity).contains(&(3, Problem::Repeated { seq: 1 })),
        "{report}"
    );

    let mut log = requests(2);
    log.swap(1, 2);
    assert!(!verify(&log.concat()).is_intact());
}

#[test]
fn a_log_without_its_beginning() {
    let report = verify(&requests(3)[2..].concat());
    assert!(report.is_intact(), "{report}");
    assert_eq!(
        problems(&report.completeness),
        [(1, Problem::Missing { from: 0, to: 1 })]
    );
}

#[test]
fn a_first_record_of_another_log() {
    let text = String::from_utf8(requests(1).concat()).unwrap();
    let renamed = text.replace("log-1", "log-2");
    assert_eq!(
        problems(&verify(renamed.as_bytes()).integrity)[0],
        (1, Problem::Changed)
    );
}

/// A line with another text in it, hashed anew, as someone does who knows how.
fn forge(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(line.to_vec()).unwrap().replace(from, to);
    let (hashed, _) = text.split_once(",\"countersign.dev/hash\"").unwrap();
    let hash = Digest::of(hashed.as_bytes());
    format!("{hashed},\"countersign.dev/hash\":\"{hash}\"}}}}\n").into_bytes()
}

#[test]
fn a_first_record_that_is_not_tied_to_its_log() {
    let log = requests(1);
    let forged = forge(&log[0], "log-1", "log-2");
    assert_eq!(problems(&verify(&forged).integrity), [(1, Problem::NoLogId)]);
}

#[test]
fn foreign_lines() {
    let mut log = requests(2);
    log.insert(2, b"{\"kind\":\"Event\"}\n".to_vec());
    let report = verify(&log.concat());
    assert_eq!(problems(&report.integrity), [(3, Problem::NoRecord)]);
    assert!(report.is_complete(), "{report}");
    for garbage in [&b"\n"[..], b"\xff\xfe\n", b"\0\0\0\n", b"{}\n"] {
        assert!(!verify(garbage).is_intact());
    }
}

#[test]
fn a_record_that_parsers_read_differently() {
    let mut chain = Chain::new("log-1");
    let mut line = Vec::new();
    chain.append(&Encoded::new(&intent("a")).unwrap(), &mut line);
    let forged = forge(&line, "\"stage\":", "\"auditID\":\"b\",\"stage\":");
    assert_eq!(
        problems(&verify(&forged).integrity).last(),
        Some(&(1, Problem::NoEvent))
    );
}

#[test]
fn cut_at_the_end() {
    let log = requests(2).concat();
    let report = verify(&log[..log.len() - 1]);
    assert!(report.is_intact());
    assert_eq!(
        problems(&report.completeness),
        [(3, Problem::NoOutcome), (4, Problem::CutLine)]
    );

    let whole = requests(2);
    let last = verify(&whole.concat()).last.unwrap();
    let cut = whole[..2].concat();
    assert!(verify(&cut).is_complete(), "a chain alone can't know");
    let report = verify_reader(&cut[..], Verifier::new().with_checkpoint(last.0, last.1)).unwrap();
    assert_eq!(problems(&report.completeness), [(2, Problem::EndsBefore { seq: 3 })]);
    let report = verify_reader(&whole.concat()[..], Verifier::new().with_checkpoint(2, last.1)).unwrap();
    assert_eq!(problems(&report.integrity), [(3, Problem::NotAsNoted)]);
}

#[test]
fn intents_and_outcomes_belong_together() {
    let report = verify(
        &lines(&[
            intent("a"),
            outcome("b", Outcome::Deny),
            outcome("c", Outcome::Unknown),
            outcome("a", Outcome::HoldApproved),
            intent("d"),
        ])
        .concat(),
    );
    assert!(report.is_intact());
    assert_eq!(
        problems(&report.completeness),
        [(3, Problem::NoIntent), (5, Problem::NoOutcome)]
    );
}

#[test]
fn recorded_gaps_are_told() {
    let mut losses = Losses::default();
    losses.add(LossCause::Full, now());
    losses.add(LossCause::Write, now());
    let report = verify(&lines(&[losses.to_event(now())]).concat());
    assert!(report.is_intact() && !report.is_complete());
    let text = report.to_string();
    assert!(
        text.contains("the sink lost records: 2 from 2026-11-22T10:00:00.000000Z to 2026-11-22T10:00:00.000000Z: full,write-failed"),
        "{text}"
    );
}

#[test]
fn hostile_logs_cost_little() {
    let report = verify(&b"\n".repeat(50_000));
    assert_eq!(report.integrity.count(), 50_000);
    assert_eq!(report.integrity.first().len(), Findings::MAX);
    let mut log = vec![b'x'; MAX_LINE * 3];
    log.push(b'\n');
    log.extend(requests(1).concat());
    let report = verify_reader(&log[..], Verifier::new()).unwrap();
    assert_eq!(problems(&report.integrity), [(1, Problem::NoRecord)]);
    assert_eq!(report.records, 2);
}

proptest::proptest! {
    /// Whatever is done to a log shows, unless it is cut after a whole record.
    #[test]
    fn nothing_is_changed_unseen(at in 0_usize..10_000, kind in 0..4, byte: u8, len in 1_usize..700) {
        let original = requests(4).concat();
        let mut log = original.clone();
        let at = at % log.len();
        let end = (at + len).min(log.len());
        match kind {
            0 => log[at] = byte,
            1 => log.insert(at, byte),
            2 => drop(log.drain(at..end)),
            _ => {
                let again = log[at..end].to_vec();
                log.splice(at..at, again);
            }
        }
        let report = verify(&log);
        let is_prefix = original.starts_with(&log) && (log.is_empty() || log.ends_with(b"\n"));
        proptest::prop_assert!(
            log == original || is_prefix || !report.is_intact() || !report.is_complete(),
            "{report}"
        );
    }
}
