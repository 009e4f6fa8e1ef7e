//! Policy: an engine that does not work permits nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use countersign_core::audit::Outcome::{Allow, CallerLeft, Deny, Error};
use countersign_core::audit::Stage::{RequestReceived, ResponseComplete};
use countersign_core::digest::Digest;
use countersign_core::policy::{Denial, Evaluation, Facts, FiredRule, Need, Outcome, PolicyEngine, Verdict};
use countersign_core::request::{Canonical, Concern, Finding, Live};
use countersign_core::{Subject, Timestamp};

use crate::harness::{Answer, Broken, World, get_pod, pod, request, with_json};

/// An engine made of a function; the revision is what the second one says.
struct Scripted<E, R>(E, R);

impl<E, R> PolicyEngine for Scripted<E, R>
where
    E: Fn(&Facts) -> Evaluation + Send + Sync + 'static,
    R: Fn() -> u64 + Send + Sync + 'static,
{
    fn evaluate(&self, _: &Subject, _: &Canonical, facts: &Facts, _: Timestamp) -> Evaluation {
        self.0(facts)
    }

    fn revision(&self) -> Digest {
        Digest::of(&self.1().to_be_bytes())
    }
}

fn allow() -> Evaluation {
    Evaluation::Verdict(Verdict::new(Outcome::Allow))
}

fn needs_the_object(facts: &Facts) -> Evaluation {
    match facts.live_object {
        Some(_) => allow(),
        None => Evaluation::Needs(vec![Need::LiveObject]),
    }
}

fn engine(evaluate: impl Fn(&Facts) -> Evaluation + Send + Sync + 'static) -> World {
    World::with(|guard| guard.policy(Scripted(evaluate, || 1)))
}

async fn unavailable(world: World) {
    assert_eq!(world.ask(get_pod()).await.refusal(), (503, "unavailable"));
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, Error)]);
}

#[tokio::test]
async fn a_denial() {
    let world = World::new();
    let elsewhere = request("GET", "/api/v1/namespaces/team-b/pods/web", "");
    assert_eq!(world.ask(elsewhere).await.refusal(), (403, "policy"));
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}

#[tokio::test]
async fn an_engine_that_panics() {
    unavailable(engine(|_| panic!("the engine panics"))).await;
}

#[tokio::test]
async fn an_engine_whose_revision_panics() {
    let panics = Scripted(|_: &Facts| allow(), || panic!("the engine panics"));
    unavailable(World::with(|guard| guard.policy(panics))).await;
}

#[tokio::test]
async fn an_engine_that_panics_once_works_the_next_time() {
    let asked = AtomicU64::new(0);
    let world = engine(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => panic!("the engine panics"),
        _ => allow(),
    });
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.refusal(), (503, "unavailable"));
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    world.sent_once();
}

#[tokio::test]
async fn an_engine_that_is_replaced_while_it_judges() {
    let revision = AtomicU64::new(0);
    let replaced = Scripted(|_: &Facts| allow(), move || revision.fetch_add(1, Ordering::Relaxed));
    unavailable(World::with(|guard| guard.policy(replaced))).await;
}

#[tokio::test]
async fn an_engine_that_asks_for_nothing() {
    unavailable(engine(|_| Evaluation::Needs(Vec::new()))).await;
}

#[tokio::test]
async fn an_engine_that_asks_for_what_it_was_given() {
    let world = engine(|_| Evaluation::Needs(vec![Need::LiveObject]));
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.refusal(), (503, "unavailable"));
    assert_eq!(world.server.sent().len(), 1, "the object is read once");
    assert_eq!(world.record(), [(ResponseComplete, Error)]);
}

#[tokio::test]
async fn a_hold_that_nobody_could_end() {
    let world = engine(|_| Evaluation::Verdict(Verdict::new(Outcome::Hold(Vec::new()))));
    unavailable(world).await;
}

/// The read of a fact answers this; nothing of it comes out, and the request itself is not sent.
async fn unreadable_fact(answer: Answer) {
    let world = engine(needs_the_object);
    world.server.script([answer]);
    let answered = world.ask(get_pod()).await;
    assert_eq!(answered.refusal(), (502, "upstream"));
    assert!(!answered.body.contains("s3cret"));
    assert_eq!(world.server.sent().len(), 1, "the object is read, the request not sent");
    assert_eq!(world.probes(), ["/api/v1/namespaces/team-a/pods/web"]);
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}

#[tokio::test]
async fn a_fact_whose_read_is_answered_with_500() {
    unreadable_fact(Answer::json(500, r#"{"message":"s3cret"}"#)).await;
}

#[tokio::test]
async fn a_fact_that_is_no_json() {
    unreadable_fact(Answer::json(200, "s3cret")).await;
}

#[tokio::test]
async fn a_fact_with_a_key_twice() {
    unreadable_fact(Answer::json(200, r#"{"metadata":{},"metadata":{"name":"s3cret"}}"#)).await;
}

#[tokio::test]
async fn a_fact_whose_body_breaks_off() {
    let (feed, body) = crate::harness::open_body();
    feed.send(Ok(Bytes::from("{\"kind\""))).unwrap();
    feed.send(Err(Broken("s3cret").into())).unwrap();
    unreadable_fact(Answer::streaming(200, "application/json", body)).await;
}

#[tokio::test]
async fn a_fact_whose_read_fails() {
    let world = engine(needs_the_object);
    world.server.script([Answer::Fail(Broken("reading"))]);
    let error = world.send(get_pod()).await.unwrap_err();
    assert_eq!(
        error.downcast_ref(),
        Some(&Broken("reading")),
        "the error comes out as it is"
    );
    assert_eq!(world.server.sent().len(), 1);
    assert_eq!(world.record(), [(ResponseComplete, Error)]);
}

#[tokio::test]
async fn a_fact_that_does_not_come_until_the_caller_leaves() {
    let world = engine(needs_the_object);
    world.server.script([Answer::hangs()]);
    let asked = world.spawn(get_pod());
    world.reached(1).await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert_eq!(world.server.sent().len(), 1);
    assert_eq!(world.record(), [(ResponseComplete, CallerLeft)]);
}

#[tokio::test]
async fn a_fact_that_may_not_be_read_is_a_fact() {
    for status in [403, 405] {
        let world = engine(|facts| match &facts.live_object {
            None => Evaluation::Needs(vec![Need::LiveObject]),
            Some(Live::Unreadable) => allow(),
            Some(_) => panic!("the object can't be read"),
        });
        world
            .server
            .script([Answer::json(status, "{}"), Answer::json(200, pod())]);
        assert_eq!(world.ask(get_pod()).await.status(), 200);
    }
}

#[tokio::test]
async fn an_engine_asks_for_one_fact_after_the_other() {
    let world = engine(|facts| match (&facts.live_object, &facts.namespace) {
        (None, _) => Evaluation::Needs(vec![Need::LiveObject, Need::LiveObject]),
        (Some(_), None) => Evaluation::Needs(vec![Need::Namespace]),
        (Some(Live::Object(_)), Some(Live::Object(namespace))) => {
            assert_eq!(namespace.at(&["metadata", "name"]).unwrap().as_str(), Some("team-a"));
            allow()
        }
        facts => panic!("{facts:?}"),
    });
    let namespace = r#"{"kind":"Namespace","metadata":{"name":"team-a"}}"#;
    let answers = [pod(), namespace, pod()].map(|body| Answer::json(200, body));
    world.server.script(answers);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    assert_eq!(
        world.last().annotation("countersign.dev/probes"),
        Some("/api/v1/namespaces/team-a/pods/web,/api/v1/namespaces/team-a")
    );
}

#[tokio::test]
async fn a_namespace_that_is_gone_unreadable_or_none() {
    for (status, expected) in [(404, Live::Absent), (403, Live::Unreadable), (405, Live::Unreadable)] {
        let world = engine(move |facts| match &facts.namespace {
            None => Evaluation::Needs(vec![Need::Namespace]),
            Some(found) => {
                assert_eq!(*found, expected);
                allow()
            }
        });
        world
            .server
            .script([Answer::json(status, "{}"), Answer::json(200, pod())]);
        assert_eq!(world.ask(get_pod()).await.status(), 200);
    }
    let world = engine(|facts| match &facts.namespace {
        None => Evaluation::Needs(vec![Need::Namespace]),
        Some(Live::Absent) => allow(),
        Some(_) => panic!("a node is in no namespace"),
    });
    let node = r#"{"kind":"Node","apiVersion":"v1","metadata":{"name":"a"}}"#;
    world.server.script([Answer::json(200, node)]);
    assert_eq!(world.ask(request("GET", "/api/v1/nodes/a", "")).await.status(), 200);
    assert_eq!(world.server.sent().len(), 1, "nothing was read for the engine");
}

#[tokio::test]
async fn a_namespace_whose_read_breaks_down() {
    let world = engine(|_| Evaluation::Needs(vec![Need::Namespace]));
    world.server.script([Answer::json(500, "s3cret")]);
    let answer = world.ask(get_pod()).await;
    assert_eq!(answer.refusal(), (502, "upstream"));
    assert!(!answer.body.contains("s3cret"));
    assert_eq!(world.probes(), ["/api/v1/namespaces/team-a"]);
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}

/// Warns, names what would have fired, and annotates.
fn talkative(outcome: Outcome) -> Evaluation {
    let mut verdict = Verdict::new(outcome);
    verdict.warnings = vec!["team/shadow would deny this\r\nSet-Cookie: a=b".into(), "x".repeat(900)];
    verdict.shadow.push(FiredRule {
        name: "team/shadow".into(),
        action: "deny",
    });
    verdict.annotations = vec![
        ("team/key".into(), "value\n".repeat(2_000)),
        ("countersign.dev/outcome".into(), "allow".into()),
    ];
    verdict.findings = [Finding {
        concern: Concern::Image,
        path: "/spec/containers/0/image".into(),
        value: Some("evil\u{1b}[2J".into()),
        assumed: false,
    }]
    .into_iter()
    .collect();
    Evaluation::Verdict(verdict)
}

#[tokio::test]
async fn what_a_policy_warns_of_and_notes() {
    let denied = Outcome::Deny(Denial::new("no"));
    for outcome in [Outcome::Allow, denied] {
        let world = engine(move |_| talkative(outcome.clone()));
        let answer = Answer::json(200, pod()).with_header("warning", r#"299 - "of the server""#);
        world.server.script([answer]);
        let answer = world.ask(get_pod()).await;
        let warnings = answer.response.headers().get_all("warning").iter();
        let warnings: Vec<_> = warnings.map(|warning| warning.to_str().unwrap()).collect();
        let escaped = r#"299 countersign "team/shadow would deny this\\r\\nSet-Cookie: a=b""#;
        assert_eq!(warnings[0], escaped);
        assert!(warnings[1].len() <= 256);
        let of_server = if answer.status() == 200 { 1 } else { 0 };
        assert_eq!(warnings.len(), 2 + of_server);

        let last = world.last();
        assert_eq!(last.annotation("countersign.dev/shadow"), Some("team/shadow=deny"));
        assert_eq!(
            last.annotation("countersign.dev/findings"),
            Some(r"image:/spec/containers/0/image=evil\u{1b}[2J")
        );
        let noted = last.annotation("countersign.dev/policy.team/key").unwrap();
        assert!(noted.len() <= 1_030 && noted.starts_with(r"value\nvalue"), "{noted}");
        let forged = last.annotation("countersign.dev/policy.countersign.dev/outcome");
        assert_eq!(forged, Some("allow"));
        assert_eq!(last.outcome(), Some(if answer.status() == 200 { Allow } else { Deny }));
    }
}

#[tokio::test]
async fn a_fact_that_does_not_exist_is_a_fact() {
    let world = engine(|facts| match &facts.live_object {
        None => Evaluation::Needs(vec![Need::LiveObject]),
        Some(Live::Absent) => allow(),
        Some(_) => panic!("there is no object"),
    });
    world.server.script([Answer::json(404, "{}"), Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    assert_eq!(world.record(), [(RequestReceived, Allow), (ResponseComplete, Allow)]);
}

const NOTE: &str =
    r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"note"},"data":{"key":"countersign.masked.value"}}"#;

#[tokio::test]
async fn a_masked_value_that_is_written_back() {
    let world = World::new();
    let put = with_json(
        "PUT",
        "/api/v1/namespaces/team-a/configmaps/note",
        "application/json",
        NOTE,
    );
    let answer = world.ask(put).await;
    assert_eq!(answer.refusal(), (422, "unsupported"));
    assert!(answer.body.contains("data.key"), "{}", answer.body);
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}
