//! What becomes of which request under each profile: `src/policy/profiles/<profile>.behaviour.txt`, for review.
//!
//! `UPDATE_BEHAVIOUR=1 cargo test -p countersign-core --test behaviour` writes the tables anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use countersign_core::Subject;
use countersign_core::json::Value;
use countersign_core::policy::{Decision, Facts, Need, Outcome, PolicySet, Ruling, decide};
use countersign_core::request::{Canonical, Catalog, Effect, Effects, Gate, Live, Target};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use requests::{Request, Where, requests};

const PROFILES: [&str; 3] = ["observe", "suggest", "operate"];

/// Namespaces of which every profile says that they are protected.
const PROTECTED: &str = "kube-system";
/// The guard's own.
const GUARD: &str = "countersign";

/// What stands at the top of each table.
const HEAD: &str = "\
# What becomes of which request under the profile `PROFILE`: written by `UPDATE_BEHAVIOUR=1 cargo test -p countersign-core
# --test behaviour`, and read by whoever changes the profile.
#
# Each subject has a document with nothing but subjects, scopes, approval, limits as said here, and this profile:
#   agent      scopes: team-a                                         no limits
#   bounded    scopes: team-a                                         images registry.example.com/*, replicas 1 to 5,
#                                                                     applyManagers agent
#   sweeping   scopes: all namespaces, and what is outside of them    no limits
#   stranger   no document
#
# A request is method and path (`{ns}` is the namespace), the type of a patch, and the body. Then, for subject and
# namespace, the outcome, what it does, and the rules that asked for the outcome, or why no rule permits it. What changes
# something is asked twice, the second time with dryRun=All. `countersign` is the guard's own namespace.
";

/// One subject in one place.
struct Asker {
    name: &'static str,
    place: &'static str,
}

/// What becomes of a request.
struct Row {
    outcome: &'static str,
    effects: Effects,
    /// Rules that asked for the outcome, or why there is none.
    why: String,
    fired: Vec<String>,
}

fn policy(profile: &str) -> PolicySet {
    let document = |subject: &str, scopes: &str, limits: &str| {
        format!(
            "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {subject} }}\nspec:\n  \
             subjects: [{{ user: {subject} }}]\n  profile: {profile}\n  scopes: [{scopes}]\n  {limits}\n  \
             approval: {{ approvers: [{{ group: sre }}] }}\n"
        )
    };
    let limits =
        "limits: { images: [\"registry.example.com/*\"], replicas: { min: 1, max: 5 }, applyManagers: [agent] }";
    let documents = [
        document("agent", "{ namespaces: [team-a] }", ""),
        document("bounded", "{ namespaces: [team-a] }", limits),
        document("sweeping", "{ namespaces: [\"*\"], clusterScoped: true }", ""),
    ];
    PolicySet::from_yaml(&documents.map(|text| ("behaviour.yaml", text))).unwrap_or_else(|errors| panic!("{errors}"))
}

fn gate() -> Gate {
    let catalog = Catalog::kubernetes()
        .with_custom("example.com", "widgets", "Widget", true)
        .with_custom("argoproj.io", "applications", "Application", true)
        .with_custom("countersign.dev", "countersignpolicies", "CountersignPolicy", true);
    Gate::new(Arc::new(catalog)).with_guard_namespace(GUARD)
}

/// Who asks for it, and where.
fn askers(place: Where) -> Vec<Asker> {
    let asker = |(name, place)| Asker { name, place };
    let namespaced = [
        ("agent", "team-a"),
        ("bounded", "team-a"),
        ("agent", "team-b"),
        ("sweeping", "team-b"),
        ("sweeping", PROTECTED),
        ("sweeping", GUARD),
        ("stranger", "team-a"),
    ];
    let elsewhere = [("agent", ""), ("bounded", ""), ("sweeping", ""), ("stranger", "")];
    match place {
        Where::Namespace => namespaced.map(asker).into(),
        Where::AllNamespaces | Where::Outside => elsewhere.map(asker).into(),
    }
}

fn ask(policy: &PolicySet, gate: &Gate, asker: &Asker, request: &Request, dry_run: bool) -> (Row, Option<Canonical>) {
    let target = request.target(asker.place, dry_run);
    let understood = || {
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers() {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let target: Target = gate.target(request.method, target.as_bytes())?;
        gate.head(target, &headers)?
            .with_body(request.body_in(asker.place).as_bytes())
    };
    let mut understood = match understood() {
        Ok(understood) => understood,
        Err(refusal) => {
            let row = Row {
                outcome: "deny",
                effects: Effects::NONE,
                why: format!("the gate, {}: {}", refusal.status().as_u16(), refusal.message()),
                fired: Vec::new(),
            };
            return (row, None);
        }
    };
    let subject = Subject::new(asker.name);
    let mut facts = Facts::default();
    let sent = understood.clone();
    for _ in 0..3 {
        match decide(policy, &subject, understood, &facts, Timestamp::UNIX_EPOCH) {
            Ruling::Granted(decided) => {
                let outcome = decided.decision().outcome().as_str();
                return (row(decided.decision(), outcome, None), Some(sent));
            }
            Ruling::Denied { decision, refusal } => {
                let Some(decision) = decision else {
                    panic!("{target}: {refusal:?}");
                };
                let unruled = matches!(decision.outcome(), Outcome::Deny(_)).then(|| refusal.message().to_owned());
                return (row(&decision, "deny", unruled), Some(sent));
            }
            Ruling::Needs { request: back, needs } => {
                understood = back;
                for need in needs {
                    facts = match need {
                        Need::LiveObject => facts.with_live_object(request.live(asker.place)),
                        _ => facts.with_namespace(Live::Absent),
                    };
                }
            }
        }
    }
    panic!("{target} is never decided");
}

fn row(decision: &Decision, outcome: &'static str, message: Option<String>) -> Row {
    let asked: Vec<&str> = decision
        .fired()
        .iter()
        .filter(|rule| rule.action == outcome)
        .map(|rule| &*rule.name)
        .collect();
    let message = message.unwrap_or_default();
    Row {
        outcome,
        effects: decision.effects(),
        why: match asked.as_slice() {
            [] => message
                .rsplit_once(": ")
                .map_or(message.as_str(), |(_, why)| why)
                .to_owned(),
            asked => asked.join(" + "),
        },
        fired: decision.fired().iter().map(|rule| rule.name.to_string()).collect(),
    }
}

/// Every request of everybody everywhere, handed to `each` with what became of it.
fn run(profile: &str, mut each: impl FnMut(&Request, bool, &Asker, &Row, Option<&Canonical>)) {
    let (policy, gate) = (policy(profile), gate());
    for request in requests() {
        for dry_run in [false, true] {
            if dry_run && !request.changes() {
                continue;
            }
            for asker in askers(request.place) {
                let (row, sent) = ask(&policy, &gate, &asker, &request, dry_run);
                each(&request, dry_run, &asker, &row, sent.as_ref());
            }
        }
    }
}

/// Outcome, effects, and why.
type Key = (&'static str, String, String);

/// Equal rows of one request, with those who asked.
#[derive(Default)]
struct Block {
    rows: Vec<(Key, Vec<String>)>,
}

impl Block {
    fn add(&mut self, asker: &Asker, row: &Row) {
        let asker = match asker.place {
            "" => asker.name.to_owned(),
            place => format!("{} in {place}", asker.name),
        };
        let key = (row.outcome, row.effects.to_string(), row.why.clone());
        match self.rows.iter_mut().find(|(known, _)| *known == key) {
            Some((_, askers)) => askers.push(asker),
            None => self.rows.push((key, vec![asker])),
        }
    }

    fn write(&mut self, text: &mut String) {
        for ((outcome, effects, why), askers) in self.rows.drain(..) {
            let _ = writeln!(text, "  {outcome:<5} {}  [{effects}]  {why}", askers.join(", "));
        }
    }
}

fn table(profile: &str) -> String {
    let mut text = HEAD.replace("PROFILE", profile);
    let (mut heading, mut before, mut block) = ("", None, Block::default());
    run(profile, |request, dry_run, asker, row, _| {
        let now = (request.written(), dry_run);
        if before.as_ref() != Some(&now) {
            block.write(&mut text);
            if heading != request.heading {
                let _ = write!(text, "\n\n## {}\n", request.heading);
                heading = request.heading;
            }
            let _ = match dry_run {
                false => writeln!(text, "\n{}\n{}", request.what, now.0),
                true => writeln!(text, " as a dry run"),
            };
            before = Some(now);
        }
        block.add(asker, row);
    });
    block.write(&mut text);
    text
}

fn file(profile: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/policy/profiles");
    PathBuf::from(folder).join(format!("{profile}.behaviour.txt"))
}

#[test]
fn the_tables_are_what_happens() {
    for profile in PROFILES {
        let (file, table) = (file(profile), table(profile));
        if std::env::var_os("UPDATE_BEHAVIOUR").is_some() {
            std::fs::write(file, table).unwrap();
            continue;
        }
        let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
        let differs = reviewed.lines().zip(table.lines()).position(|(a, b)| a != b);
        if let Some(at) = differs {
            let (was, is) = (reviewed.lines().nth(at).unwrap(), table.lines().nth(at).unwrap());
            panic!("{}:{}\n  was {was}\n  is  {is}", file.display(), at + 1);
        }
        assert_eq!(reviewed.lines().count(), table.lines().count(), "{}", file.display());
    }
}

/// Names of the rules of a profile and of those that it builds on, as they are in decisions.
fn rules(profile: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file(profile).with_file_name(format!("{profile}.yaml"))).unwrap();
    let mut rules: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- name: "))
        .map(|name| format!("{profile}/{name}"))
        .collect();
    if let Some(base) = text.lines().find_map(|line| line.trim().strip_prefix("profile: ")) {
        rules.extend(self::rules(base));
    }
    rules
}

#[test]
fn every_effect_and_every_rule_is_in_the_tables() {
    for profile in PROFILES {
        let (mut effects, mut fired) = (Effects::NONE, BTreeSet::new());
        let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
        run(profile, |_, _, _, row, _| {
            effects = effects.union(row.effects);
            fired.extend(row.fired.iter().cloned());
            *outcomes.entry(row.outcome).or_default() += 1;
        });
        let missing: Vec<_> = Effect::ALL
            .into_iter()
            .filter(|effect| !effects.contains(*effect))
            .collect();
        assert_eq!(missing, [], "{profile}");
        let never: Vec<_> = rules(profile).difference(&fired).cloned().collect();
        assert_eq!(never, [""; 0], "{profile}: rules that no request makes fire");
        assert!(
            outcomes["allow"] > 50 && outcomes["deny"] > 50,
            "{profile}: {outcomes:?}"
        );
    }
}

/// A table can be signed by mistake; this can't.
#[test]
fn what_no_profile_ever_does() {
    let changes: Effects = [Effect::Write, Effect::Destructive].into_iter().collect();
    let never: Effects = [Effect::Connect, Effect::Credential, Effect::Escalation, Effect::Guard]
        .into_iter()
        .collect();
    for profile in PROFILES {
        run(profile, |request, _, asker, row, sent| {
            if row.outcome == "deny" {
                return;
            }
            let told = format!(
                "{profile}: {} {} for {} in {}",
                row.outcome,
                request.written(),
                asker.name,
                asker.place
            );
            let dry_run = sent.is_some_and(Canonical::is_dry_run);
            assert_ne!(asker.name, "stranger", "{told}");
            assert!(!row.effects.intersects(never), "{told}");
            assert!(asker.name != "agent" || asker.place != "team-b", "{told}");
            if row.effects.intersects(changes) {
                assert_ne!(asker.place, PROTECTED, "{told}");
                assert_ne!(asker.place, GUARD, "{told}");
                match profile {
                    "observe" => panic!("{told}"),
                    "suggest" => assert!(dry_run, "{told}"),
                    _ => assert!(
                        !row.effects.contains(Effect::Destructive) || row.outcome == "hold",
                        "{told}"
                    ),
                }
            }
            if row.effects.contains(Effect::Log) {
                assert_ne!(asker.place, PROTECTED, "{told}");
            }
        });
    }
}

/// An object as the server has it.
fn live(text: &str) -> Live {
    Live::Object(Arc::new(Value::parse(text.as_bytes()).expect(text)))
}
