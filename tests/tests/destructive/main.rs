//! Whatever an object loses by a request was found in the request beforehand.
//!
//! Random objects and random changes in all forms go to a real API server. Before each, the change is judged by its body
//! and the live object, afterwards both states of the object are compared by a rule of the test's own.

mod changes;
mod features;
mod lost;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::json::Value as Tree;
use countersign_core::request::{self, Catalog, Concern, Gate, Live, Weight};
use countersign_tests::control_plane;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request};
use kube::Client;
use serde_json::{Value, json};

use features::{KINDS, Manifest, Rng};
use lost::{lost, overwritten, reset, unstated};

/// Another can be given in `COUNTERSIGN_TEST_SEED`.
const SEED: u64 = 20_361;
const CHANGES_OF_ONE: usize = 4;
const WANTED: usize = 1_800;
const AT_MOST: Duration = Duration::from_secs(50);

#[derive(Default)]
struct Count {
    carried_out: usize,
    refused: usize,
    taking: usize,
    harmless: usize,
    flagged: usize,
    /// Harmless, but a guess at a value of a Secret: whether it was right is not told.
    guesses: usize,
}

#[tokio::test]
async fn what_vanishes_was_found_beforehand() {
    let Some(cp) = control_plane::or_skip("what_vanishes_was_found_beforehand").await else {
        return;
    };
    let client = cp.admin();
    define_gadgets(&client).await;
    let namespace = cp.namespace("destructive").await;
    let catalog = Catalog::kubernetes().with_custom("destructive.example.com", "gadgets", "Gadget", true);
    let gate = Gate::new(Arc::new(catalog));
    let seed = std::env::var("COUNTERSIGN_TEST_SEED").map_or(SEED, |seed| seed.parse().expect("a number"));
    println!("seed {seed}");

    let mut rng = Rng::new(seed);
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut missed = Vec::new();
    let mut flagged = Vec::new();
    let begun = Instant::now();
    let mut done = 0;
    let mut objects = 0;
    while done < WANTED && begun.elapsed() < AT_MOST {
        let kind = &KINDS[objects % KINDS.len()];
        let name = format!("object-{objects}");
        objects += 1;
        let mut manifest = Manifest::random(kind, &mut rng);
        let collection = kind.path.replace("NAMESPACE", &namespace);
        let path = format!("{collection}/{name}");
        let body = manifest.object(kind, &name);
        let made = if rng.one_in(2) {
            let applied = format!("{path}?fieldManager=agent-7");
            send(&client, "PATCH", &applied, "application/apply-patch+yaml", &body).await
        } else {
            let created = format!("{collection}?fieldManager=creator");
            send(&client, "POST", &created, "application/json", &body).await
        };
        made.unwrap_or_else(|error| panic!("{body}: {error}"));
        for _ in 0..CHANGES_OF_ONE {
            let before = read(&client, &path).await;
            let edited = if rng.one_in(6) {
                Manifest::random(kind, &mut rng)
            } else {
                manifest.edited(kind, &mut rng)
            };
            let (old, new) = (manifest.object(kind, &name), edited.object(kind, &name));
            let change = changes::random(kind, &before, &old, &new, &mut rng);
            let url = format!("{path}{}", change.suffix);
            let Ok(canonical) = understood(&gate, change.method, &url, change.content_type, &change.body) else {
                panic!("the gate refuses {change:?}");
            };
            let live = Live::Object(Arc::new(Tree::parse(before.to_string().as_bytes()).unwrap()));
            let judged = request::Change::of(&canonical, Some(&live));
            let sent = serde_json::from_slice(canonical.body()).unwrap();
            let count = counts.entry(change.form.to_owned()).or_default();
            if send(&client, change.method, canonical.target(), change.content_type, &sent)
                .await
                .is_err()
            {
                count.refused += 1;
                continue;
            }
            manifest = edited;
            done += 1;
            count.carried_out += 1;
            let after = read(&client, &path).await;
            let gone = unstated(lost(&before, &after), &new);
            let mut other = overwritten(&before, &after);
            if !matches!(change.form, "scale" | "json, random") {
                other.extend(reset(&before, &after, &old, &new));
            }
            let is_found = is_destructive(&judged);
            if gone.is_empty() && other.is_empty() {
                if kind.kind == "Secret" && guesses(&judged) {
                    count.guesses += 1;
                    continue;
                }
                count.harmless += 1;
                if let Some(why) = takes(&judged) {
                    count.flagged += 1;
                    flagged.push(format!("{} {} {why}: {sent}", kind.kind, change.form));
                }
            } else {
                count.taking += 1;
                if !is_found {
                    missed.push(format!(
                        "{} {}: {sent}: {gone:?} {other:?}\n  before {before}",
                        kind.kind, change.form
                    ));
                }
                // The body of a patch of a built-in kind tells by itself, but for what its manager applied before, and
                // for what changes inside an element that nothing identifies.
                let alone = request::Change::of(&canonical, Some(&Live::Unreadable));
                let is_told = other.len() + gone.iter().filter(|place| !place.contains('{')).count() > 0;
                if is_told && kind.built_in && !change.form.starts_with("apply") && !is_destructive(&alone) {
                    missed.push(format!(
                        "{} {} by its body: {sent}: {gone:?} {other:?}",
                        kind.kind, change.form
                    ));
                }
            }
        }
    }

    report(&counts, begun.elapsed());
    flagged
        .iter()
        .take(8)
        .for_each(|line| println!("harmless, but found: {line:.300}"));
    assert!(
        missed.is_empty(),
        "{} missed:\n{}",
        missed.len(),
        missed[..missed.len().min(8)].join("\n")
    );
    assert!(done >= 300, "only {done} changes were carried out");
    let (harmless, false_alarms) = counts.values().fold((0, 0), |(all, found), count| {
        (all + count.harmless, found + count.flagged)
    });
    assert!(
        false_alarms * 20 < harmless,
        "{false_alarms} of {harmless} harmless changes were taken for destructive"
    );
}

fn report(counts: &BTreeMap<String, Count>, taken: Duration) {
    println!(
        "{:<16}{:>8}{:>10}{:>10}{:>10}{:>10}",
        "form", "sent", "refused", "taking", "harmless", "flagged"
    );
    let mut all = Count::default();
    for (form, count) in counts {
        print_row(form, count);
        all.carried_out += count.carried_out;
        all.refused += count.refused;
        all.taking += count.taking;
        all.harmless += count.harmless;
        all.flagged += count.flagged;
        all.guesses += count.guesses;
    }
    print_row("all", &all);
    let share = 100.0 * all.flagged as f64 / all.harmless.max(1) as f64;
    println!("{share:.1} % of the harmless changes were taken for destructive; {taken:.1?}");
}

fn print_row(form: &str, count: &Count) {
    println!(
        "{form:<16}{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}",
        count.carried_out, count.refused, count.taking, count.harmless, count.flagged, count.guesses
    );
}

/// Whether a policy that lists the manager and lets replicas be 1 to 20 takes it for destructive.
fn is_destructive(change: &request::Change) -> bool {
    change.findings().iter().any(|finding| {
        let value = finding.value.as_deref();
        match finding.concern {
            Concern::ApplyManager => value != Some("agent-7"),
            Concern::Replicas => !value.is_some_and(|value| matches!(value.parse(), Ok(1..=20))),
            concern => concern.weight() == Weight::Destructive,
        }
    })
}

/// Whether it gives a value to a key of a Secret that has one, and takes nothing away.
fn guesses(change: &request::Change) -> bool {
    let of = |concern| {
        change
            .findings()
            .iter()
            .filter(move |finding| finding.concern == concern)
    };
    let is_of_secret =
        |finding: &request::Finding| finding.path.starts_with("/data/") || finding.path.starts_with("/stringData/");
    of(Concern::RemovesField).next().is_none() && of(Concern::OverwritesData).any(is_of_secret)
}

/// What is said to be taken away, if anything is.
fn takes(change: &request::Change) -> Option<String> {
    let mut findings = change.findings().iter();
    let finding =
        findings.find(|finding| matches!(finding.concern, Concern::RemovesField | Concern::OverwritesData))?;
    Some(format!("{} {}", finding.concern, finding.path))
}

fn understood(
    gate: &Gate,
    method: &str,
    url: &str,
    content_type: &'static str,
    body: &Value,
) -> Result<request::Canonical, countersign_core::Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let head = gate.head(gate.target(method, url.as_bytes())?, &headers)?;
    head.with_body(body.to_string().as_bytes())
}

async fn send(client: &Client, method: &str, url: &str, content_type: &str, body: &Value) -> kube::Result<Value> {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header(CONTENT_TYPE, content_type)
        .body(body.to_string().into_bytes())
        .expect("a request");
    client.request(request).await
}

async fn read(client: &Client, path: &str) -> Value {
    let request = Request::get(path).body(Vec::new()).expect("a request");
    client.request(request).await.expect("the object is there")
}

/// A custom resource whose lists and maps merge in every way that there is.
async fn define_gadgets(client: &Client) {
    let text = json!({"type": "string"});
    let item = json!({"type": "object", "required": ["id"], "properties": {"id": text, "value": text}});
    let any = json!({"x-kubernetes-preserve-unknown-fields": true});
    let texts = |kind: &str| json!({"type": "array", "items": text, "x-kubernetes-list-type": kind});
    let spec = json!({
        "size": {"type": "integer"}, "colour": text, "extra": any,
        "nested": {"type": "object", "additionalProperties": text},
        "items": {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]},
        "tags": texts("set"), "atomicList": texts("atomic"),
        "atomicMap": {"type": "object", "additionalProperties": text, "x-kubernetes-map-type": "atomic"},
    });
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": spec},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.destructive.example.com"},
        "spec": {
            "group": "destructive.example.com", "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema}}],
        },
    });
    let url = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    send(client, "POST", url, "application/json", &definition)
        .await
        .expect("a definition");
    let list = "/apis/destructive.example.com/v1/gadgets";
    while client
        .request::<Value>(Request::get(list).body(Vec::new()).expect("a request"))
        .await
        .is_err()
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
