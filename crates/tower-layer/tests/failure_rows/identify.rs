//! Identify: who asks comes from the program alone.

use countersign_core::Subject;
use countersign_core::audit::Outcome::{Allow, Deny};
use countersign_core::audit::Stage::{RequestReceived, ResponseComplete};
use countersign_core::audit::annotation;
use countersign_core::subject::Claims;
use countersign_tower::identify::Identify;
use countersign_tower::{with_claims, with_reason};

use crate::harness::{Answer, World, agent, get_pod, pod};

#[tokio::test]
async fn nobody_said_who_asks() {
    let (identify, _capability) = Identify::per_request();
    let world = World::with(|guard| guard.identify(identify));
    assert_eq!(world.ask(get_pod()).await.refusal(), (403, "identity"));
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
    assert_eq!(world.last().user.username, "");
}

#[tokio::test]
async fn a_capability_of_another_guard_is_refused() {
    let (_, foreign) = Identify::fixed(Subject::new("other")).with_override();
    let world = World::new();
    let mut request = get_pod();
    foreign.attach(&mut request, agent());
    assert_eq!(world.ask(request).await.refusal(), (403, "identity"));
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}

#[tokio::test]
async fn the_capability_of_this_guard_overrides_one_request() {
    let (identify, capability) = Identify::fixed(Subject::new("nobody")).with_override();
    let world = World::with(|guard| guard.identify(identify));
    world.server.script([Answer::json(200, pod())]);
    let mut request = get_pod();
    capability.attach(&mut request, agent());
    assert_eq!(world.ask(request).await.status(), 200);
    assert_eq!(world.last().user.username, "agent");
    assert_eq!(world.ask(get_pod()).await.refusal(), (403, "policy"));
    assert_eq!(world.last().user.username, "nobody");
    world.sent_once();
}

#[tokio::test]
async fn a_header_never_says_who_asks() {
    for name in ["impersonate-user", "x-remote-user", "authorization"] {
        let world = World::new();
        let mut request = get_pod();
        request.headers_mut().insert(name, "root".parse().unwrap());
        let answer = world.ask(request).await;
        assert_eq!(answer.refusal(), (403, "identity"), "{name}");
        world.nothing_sent();
        assert_eq!(world.record(), [(ResponseComplete, Deny)]);
        assert_eq!(world.last().user.username, "agent", "{name}");
    }
}

#[tokio::test]
async fn a_stated_reason_is_recorded_and_gives_no_right() {
    let world = World::answering([Answer::json(200, pod())]);
    let claims = Claims::default().with_acting_human("root");
    let asked = with_reason("the rollout\nhangs", world.ask(get_pod()));
    assert_eq!(with_claims(claims, asked).await.status(), 200);
    assert_eq!(world.record(), [(RequestReceived, Allow), (ResponseComplete, Allow)]);
    let event = world.last();
    assert_eq!(event.user.username, "agent");
    assert_eq!(event.annotation(annotation::CLAIMED_HUMAN), Some("root"));
    let reason = event.annotation(annotation::CLAIMED_REASON).unwrap();
    assert!(reason.starts_with("the rollout") && !reason.contains('\n'), "{reason}");
    let sent = world.sent_once();
    let told = sent
        .headers
        .values()
        .any(|value| value.to_str().unwrap().contains("root"));
    assert!(!told, "a claim reached the server: {sent:?}");
}
