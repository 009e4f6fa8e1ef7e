//! Kubernetes' own policies, loaded as guardrails, say of an object what the real API server says of it.
//!
//! `policies/guardrails/*.yaml` are policies, bindings and parameters as a cluster takes them; `cases/*.yaml` beside them are
//! the objects, each with what is told if it is denied. `NAMESPACE` stands for the namespace of the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::json;
use countersign_core::policy::{Facts, PolicySet, Ruling, decide};
use countersign_core::request::{Canonical, Catalog, Gate, Live};
use countersign_core::{Subject, Timestamp};
use countersign_tests::control_plane::{self, ControlPlane};
use http::HeaderMap;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use serde::Deserialize;
use serde_json::{Value, json};

/// Everything is allowed that a guardrail does not deny.
const POLICY: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: everything-here }
spec:
  subjects: [{ user: admin }]
  scopes: [{ namespaces: [NAMESPACE] }]
  approval: { approvers: [{ group: sre }] }
  insecure_permit: [external-ips, rbac]
  rules:
  - name: everything
    match: { effects: [write, destructive, escalation, credential] }
    allow: {}
"#;

/// One object, and what becomes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Made before, past the guard.
    before: Option<Value>,
    create: Option<Value>,
    update: Option<Value>,
    #[serde(default)]
    delete: bool,
    /// What is told; absent if it is allowed.
    denied: Option<String>,
}

impl Case {
    fn object(&self) -> &Value {
        let object = self.create.as_ref().or(self.update.as_ref()).or(self.before.as_ref());
        object.expect("a case creates, updates or deletes")
    }

    fn name(&self) -> &str {
        self.object()["metadata"]["name"].as_str().unwrap()
    }

    fn resource(&self) -> ApiResource {
        resource(self.object())
    }
}

fn resource(object: &Value) -> ApiResource {
    let (api_version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// One file of policies, with the cases beside it.
struct Example {
    name: String,
    policies: String,
    cases: Vec<Case>,
    namespace: Namespace,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/guardrails")
}

/// Only `true` and `false` are booleans, as to the API server's clients.
fn strict() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}

/// Every file, for a namespace of its own.
async fn examples(cp: &ControlPlane) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let namespace = cp.namespace("guardrails").await;
        let text = |path: &Path| fs::read_to_string(path).unwrap().replace("NAMESPACE", &namespace);
        let cases = text(&folder().join("cases").join(format!("{name}.yaml")));
        examples.push(Example {
            policies: text(&path),
            cases: serde_saphyr::from_str_with_options(&cases, strict())
                .unwrap_or_else(|error| panic!("{name}: {error}")),
            namespace: Api::all(cp.admin()).get(&namespace).await.unwrap(),
            name,
        });
    }
    examples
}

async fn install(cp: &ControlPlane, example: &Example) {
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(&example.policies, strict()).unwrap();
    for document in documents {
        let api: Api<DynamicObject> = match document["metadata"]["namespace"].as_str() {
            Some(namespace) => Api::namespaced_with(cp.admin(), namespace, &resource(&document)),
            None => Api::all_with(cp.admin(), &resource(&document)),
        };
        let name = document["metadata"]["name"].as_str().unwrap();
        let applied = api
            .patch(name, &PatchParams::apply("guardrails"), &Patch::Apply(&document))
            .await;
        applied.unwrap_or_else(|error| panic!("{}: {error}", example.name));
    }
}

/// What the API server says: nothing, or why not.
async fn ask_server(cp: &ControlPlane, namespace: &str, case: &Case) -> Option<String> {
    let api: Api<DynamicObject> = Api::namespaced_with(cp.admin(), namespace, &case.resource());
    let post = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let object = |value: &Value| serde_json::from_value::<DynamicObject>(value.clone()).unwrap();
    let answer = match case {
        Case {
            create: Some(created), ..
        } => api.create(&post, &object(created)).await.map(drop),
        Case {
            update: Some(updated), ..
        } => api.replace(case.name(), &post, &object(updated)).await.map(drop),
        _ => {
            assert!(case.delete, "{} says not what is done", case.name());
            let delete = DeleteParams {
                dry_run: true,
                ..DeleteParams::default()
            };
            api.delete(case.name(), &delete).await.map(drop)
        }
    };
    match answer {
        Ok(()) => None,
        Err(kube::Error::Api(status)) => match status.message.split_once("denied request: ") {
            Some((_, message)) => Some(message.to_owned()),
            None => panic!("{}: {status:?}", case.name()),
        },
        Err(error) => panic!("{}: {error}", case.name()),
    }
}

fn canonical(namespace: &str, case: &Case) -> Canonical {
    let resource = case.resource();
    let prefix = match resource.group.as_str() {
        "" => format!("/api/{}", resource.version),
        group => format!("/apis/{group}/{}", resource.version),
    };
    let collection = format!("{prefix}/namespaces/{namespace}/{}", resource.plural);
    let one = format!("{collection}/{}", case.name());
    let (method, target, body) = match case {
        Case { create: Some(body), .. } => ("POST", collection, body.to_string()),
        Case { update: Some(body), .. } => ("PUT", one, body.to_string()),
        _ => ("DELETE", one, String::new()),
    };
    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let mut headers = HeaderMap::new();
    if !body.is_empty() {
        headers.insert("content-type", "application/json".parse().unwrap());
    }
    let target = gate.target(method, target.as_bytes()).unwrap();
    let request = gate.head(target, &headers).unwrap().with_body(body.as_bytes());
    request.unwrap_or_else(|refusal| panic!("{case:?}: {}", refusal.message()))
}

fn live(object: &impl serde::Serialize) -> Live {
    let bytes = serde_json::to_vec(object).unwrap();
    Live::Object(Arc::new(json::Value::parse(&bytes).unwrap()))
}

/// What the guard says: nothing, or why not.
fn ask_guard(policy: &PolicySet, namespace: &Namespace, before: Option<&DynamicObject>, case: &Case) -> Option<String> {
    let admin = Subject::new("admin")
        .with_group("system:masters")
        .with_group("system:authenticated");
    let namespace_name = namespace.metadata.name.as_deref().unwrap();
    let facts = Facts::default()
        .with_live_object(before.map_or(Live::Absent, live))
        .with_namespace(live(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace.metadata}),
        ));
    match decide(
        policy,
        &admin,
        canonical(namespace_name, case),
        &facts,
        Timestamp::UNIX_EPOCH,
    ) {
        Ruling::Granted(_) => None,
        Ruling::Denied { decision, refusal } => {
            let fired: Vec<String> = decision
                .iter()
                .flat_map(|decision| decision.fired().iter())
                .filter(|rule| rule.action == "deny")
                .map(|rule| rule.name.to_string())
                .collect();
            Some(format!("{} [{}]", refusal.message(), fired.join(", ")))
        }
        Ruling::Needs { needs, .. } => panic!("{case:?}: {needs:?}"),
    }
}

#[tokio::test]
async fn guardrails_say_what_the_api_server_says() {
    let Some(cp) = control_plane::or_skip("guardrails_say_what_the_api_server_says").await else {
        return;
    };
    let examples = examples(cp).await;
    assert!(examples.len() >= 12, "{} examples", examples.len());

    // What is there before the policies, so that they have no say in it.
    let mut before: BTreeMap<(usize, usize), DynamicObject> = BTreeMap::new();
    for (index, example) in examples.iter().enumerate() {
        let namespace = example.namespace.metadata.name.as_deref().unwrap();
        for (number, case) in example.cases.iter().enumerate() {
            if let Some(object) = &case.before {
                let api: Api<DynamicObject> = Api::namespaced_with(cp.admin(), namespace, &resource(object));
                let object = serde_json::from_value(object.clone()).unwrap();
                before.insert(
                    (index, number),
                    api.create(&PostParams::default(), &object).await.unwrap(),
                );
            }
        }
        install(cp, example).await;
    }

    let (mut allowed, mut denied, mut different) = (0, 0, Vec::new());
    for (index, example) in examples.iter().enumerate() {
        let namespace = example.namespace.metadata.name.as_deref().unwrap();
        let sources = [
            ("policy.yaml", POLICY.replace("NAMESPACE", namespace)),
            (example.name.as_str(), example.policies.clone()),
        ];
        let policy = PolicySet::from_yaml(&sources).unwrap_or_else(|errors| panic!("{errors}"));
        // A policy takes a while to be in force: until it denies what it is to deny, it is not.
        let start = Instant::now();
        if let Some(case) = example.cases.iter().find(|case| case.denied.is_some()) {
            while ask_server(cp, namespace, case).await.is_none() && start.elapsed() < Duration::from_secs(60) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        for (number, case) in example.cases.iter().enumerate() {
            let server = ask_server(cp, namespace, case).await;
            let guard = ask_guard(&policy, &example.namespace, before.get(&(index, number)), case);
            let agree = match (&server, &guard, &case.denied) {
                (None, None, None) => {
                    allowed += 1;
                    true
                }
                (Some(server), Some(guard), Some(wanted)) => {
                    denied += 1;
                    // In a guard more than one rule may deny; that of the policy is among them.
                    server.contains(wanted.as_str())
                        && (guard.contains(server.as_str()) || guard.contains(".example.com/"))
                }
                _ => false,
            };
            if !agree {
                different.push(format!(
                    "{} {}: server {server:?}, guard {guard:?}, wanted {:?}",
                    example.name,
                    case.name(),
                    case.denied
                ));
            }
        }
    }
    println!(
        "{} files of policies, {allowed} objects allowed, {denied} denied",
        examples.len()
    );
    assert!(different.is_empty(), "\n{}", different.join("\n"));
}

/// True in core's own tests.
const EXPRESSIONS: &str = include_str!("../../crates/core/src/policy/condition/tests/upstream.txt");

#[tokio::test]
async fn expressions_mean_what_they_mean_to_the_api_server() {
    let Some(cp) = control_plane::or_skip("expressions_mean_what_they_mean_to_the_api_server").await else {
        return;
    };
    let namespace = cp.namespace("expressions").await;
    let expressions = EXPRESSIONS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let expressions: Vec<&str> = expressions.collect();
    let policies = expressions.chunks(16).enumerate();
    let mut wanted = Vec::new();
    for (index, chunk) in policies {
        let name = format!("expressions-{index}.example.com");
        let rule =
            json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]});
        // The last one fails on purpose: its warning tells that the policy is in force.
        let validations = chunk.iter().map(|text| json!({"expression": text}));
        let validations: Vec<Value> = validations
            .chain([json!({"expression": "false", "message": "in force"})])
            .collect();
        let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
        let documents = [
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
                "spec": {"matchConstraints": {"resourceRules": [rule]}, "validations": validations},
            }),
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": name},
                "spec": {"policyName": name, "validationActions": ["Warn"], "matchResources": {"namespaceSelector": selector}},
            }),
        ];
        for document in documents {
            let api: Api<DynamicObject> = Api::all_with(cp.admin(), &resource(&document));
            let made = api
                .create(&PostParams::default(), &serde_json::from_value(document).unwrap())
                .await;
            made.unwrap_or_else(|error| panic!("{error}"));
        }
        wanted.push(format!(
            "299 - \"Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{name}': in force\""
        ));
    }
    wanted.sort();
    let start = Instant::now();
    loop {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        let request = http::Request::post(format!("/api/v1/namespaces/{namespace}/configmaps?dryRun=All"))
            .header("content-type", "application/json")
            .body(kube::client::Body::from(serde_json::to_vec(&map).unwrap()))
            .unwrap();
        let answer = cp.admin().send(request).await.unwrap();
        assert_eq!(answer.status(), 201);
        let warnings = answer.headers().get_all("warning").iter();
        let mut warnings: Vec<String> = warnings.map(|value| value.to_str().unwrap().to_owned()).collect();
        warnings.sort();
        if warnings == wanted {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{}", warnings.join("\n"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{} expressions are true on the API server", expressions.len());
}
