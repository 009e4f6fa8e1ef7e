use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;

use super::judge::Needs;
use super::*;
use crate::policy::condition::Inputs;
use crate::policy::document;
use crate::request::{Canonical, Catalog, Gate, Live};
use crate::subject::Subject;

fn guardrail(spec: &str, binding: &str) -> Guardrail {
    let text = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{ name: p }}\nspec:\n\
         {spec}\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\n\
         metadata: {{ name: b }}\nspec:\n  policyName: p\n{binding}\n"
    );
    match document::load([("a.yaml", text.as_str())].into_iter()) {
        Ok((_, mut guardrails)) => guardrails.remove(0),
        Err(errors) => panic!("{errors}"),
    }
}

const DEPLOYMENTS: &str = "  matchConstraints:
    resourceRules:
    - { apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments] }
";

fn request(method: &str, target: &str, body: &str) -> Canonical {
    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let mut headers = HeaderMap::new();
    if !body.is_empty() {
        headers.insert("content-type", "application/json".parse().unwrap());
    }
    let target = gate.target(method, target.as_bytes()).unwrap();
    gate.head(target, &headers).unwrap().with_body(body.as_bytes()).unwrap()
}

fn create(replicas: u32) -> Canonical {
    let body = format!(
        r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"web","labels":{{"app":"web"}}}},"spec":{{"replicas":{replicas}}}}}"#
    );
    request("POST", "/apis/apps/v1/namespaces/team-a/deployments", &body)
}

fn namespace() -> Live {
    let text =
        br#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team-a","labels":{"environment":"prod"}}}"#;
    Live::Object(Arc::new(crate::json::Value::parse(text).unwrap()))
}

fn judge_with(
    guardrail: &Guardrail,
    request: &Canonical,
    live: Option<&Live>,
    namespace: Option<&Live>,
) -> GuardrailOutcome {
    let subject = Subject::new("agent-7");
    let object = request.json().filter(|_| request.method() != http::Method::DELETE);
    guardrail.judge(&Inputs::new(
        &subject,
        request,
        live,
        namespace,
        object,
        Timestamp::UNIX_EPOCH,
    ))
}

fn judge(guardrail: &Guardrail, request: &Canonical) -> GuardrailOutcome {
    judge_with(guardrail, request, None, Some(&namespace()))
}

fn messages(outcome: &GuardrailOutcome) -> Vec<&str> {
    outcome.denials.iter().map(|denial| denial.message.as_str()).collect()
}

#[test]
fn messages_are_those_of_upstream() {
    let guardrail = guardrail(
        &format!(
            "{DEPLOYMENTS}  validations:
  - {{ expression: object.spec.replicas <= 1, message: ' one ', reason: Forbidden }}
  - {{ expression: 'object.spec.replicas <= 2' }}
  - {{ expression: object.spec.replicas <= 3, message: fixed, messageExpression: \"'now ' + string(object.spec.replicas)\" }}
  - {{ expression: object.spec.replicas <= 3, message: fixed, messageExpression: \"string(object.spec.missing)\" }}
  - {{ expression: object.spec.replicas <= 3, message: fixed, messageExpression: \"'two\\\\nlines'\" }}
  - {{ expression: object.spec.missing == 1, message: fixed }}"
        ),
        "  validationActions: [Deny]",
    );
    let outcome = judge(&guardrail, &create(5));
    assert_eq!(
        messages(&outcome),
        [
            "one",
            "failed expression: object.spec.replicas <= 2",
            "now 5",
            "fixed",
            "fixed",
            "expression 'object.spec.missing == 1' resulted in error: no such key: missing",
        ]
    );
    assert_eq!(
        (outcome.denials[0].reason, outcome.denials[1].reason),
        (Reason::Forbidden, Reason::Invalid)
    );
    assert_eq!((&*outcome.denials[0].rule, outcome.evaluated), ("p/b", true));
    // Other requests are not its matter.
    let other = request(
        "POST",
        "/api/v1/namespaces/team-a/configmaps",
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#,
    );
    assert_eq!(judge(&guardrail, &other), GuardrailOutcome::default());
    let read = request("GET", "/apis/apps/v1/namespaces/team-a/deployments/web", "");
    assert_eq!(judge(&guardrail, &read), GuardrailOutcome::default());
}

#[test]
fn actions_and_failure_policies() {
    let spec =
        format!("{DEPLOYMENTS}  validations:\n  - {{ expression: object.spec.replicas < 3, message: too many }}");
    let audit = judge(&guardrail(&spec, "  validationActions: [Audit, Warn]"), &create(5));
    assert!(audit.denials.is_empty() && audit.evaluated);
    assert_eq!(
        audit.warnings,
        ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': too many"]
    );
    let (key, value) = &audit.annotations[0];
    assert_eq!(key, "validation.policy.admission.k8s.io/validation_failure");
    assert!(
        value.contains(r#""validationActions":["Warn","Audit"]"#) && value.contains("too many"),
        "{value}"
    );

    let broken = format!("{DEPLOYMENTS}  validations:\n  - {{ expression: object.missing == 1 }}");
    assert_eq!(
        judge(&guardrail(&broken, "  validationActions: [Deny]"), &create(5))
            .denials
            .len(),
        1
    );
    let ignored = judge(
        &guardrail(
            &format!("  failurePolicy: Ignore\n{broken}"),
            "  validationActions: [Deny]",
        ),
        &create(5),
    );
    assert!(
        ignored.denials.is_empty() && ignored.warnings[0].contains("no such key"),
        "{ignored:?}"
    );
}

#[test]
fn match_conditions() {
    let with = |conditions: &str, more: &str| {
        let spec = format!(
            "{DEPLOYMENTS}{more}  matchConditions:\n{conditions}\n  validations:\n  - {{ expression: 'false', message: no }}"
        );
        judge(&guardrail(&spec, "  validationActions: [Deny]"), &create(1))
    };
    let right = "  - { name: a, expression: \"request.userInfo.username == 'agent-7'\" }";
    let wrong = "  - { name: b, expression: \"object.metadata.name == 'other'\" }";
    let broken = "  - { name: c, expression: \"object.missing == 1\" }";
    assert_eq!(messages(&with(right, "")), ["no"]);
    assert!(with(wrong, "").denials.is_empty());
    // One that does not hold decides, whatever the others are.
    assert!(with(&format!("{broken}\n{wrong}"), "").denials.is_empty());
    assert!(messages(&with(broken, ""))[0].contains("no such key: missing"));
    assert!(with(broken, "  failurePolicy: Ignore\n").denials.is_empty());
}

#[test]
fn constraints() {
    let denies = |constraints: &str, request: &Canonical, live: Option<&Live>, namespace: Option<&Live>| {
        let spec =
            format!("  matchConstraints:\n{constraints}\n  validations:\n  - {{ expression: 'false', message: no }}");
        let outcome = judge_with(
            &guardrail(&spec, "  validationActions: [Deny]"),
            request,
            live,
            namespace,
        );
        outcome.denials.into_iter().map(|denial| denial.message).next()
    };
    let rule = |rule: &str| format!("    resourceRules: [{{ apiGroups: ['*'], apiVersions: ['*'], {rule} }}]");
    let no = Some("no".to_owned());
    let all = rule("operations: ['*'], resources: ['*']");
    let request_of = |method, target, body| request(method, target, body);
    assert_eq!(denies(&all, &create(1), None, None), no);
    let scale = request_of(
        "PUT",
        "/apis/apps/v1/namespaces/team-a/deployments/web/scale",
        r#"{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web","namespace":"team-a"},"spec":{"replicas":1}}"#,
    );
    assert_eq!(denies(&all, &scale, None, None), None);
    assert_eq!(
        denies(&rule("operations: ['*'], resources: ['*/scale']"), &scale, None, None),
        no
    );
    assert_eq!(
        denies(&rule("operations: [CREATE], resources: ['*/*']"), &scale, None, None),
        None
    );
    assert_eq!(
        denies(
            &rule("operations: ['*'], resources: [deployments], resourceNames: [web]"),
            &create(1),
            None,
            None
        ),
        no
    );
    assert_eq!(
        denies(
            &rule("operations: ['*'], resources: [deployments], resourceNames: [db]"),
            &create(1),
            None,
            None
        ),
        None
    );
    assert_eq!(
        denies(
            &rule("operations: ['*'], resources: ['*'], scope: Cluster"),
            &create(1),
            None,
            None
        ),
        None
    );
    assert_eq!(
        denies(
            &rule("operations: ['*'], resources: ['*'], scope: Namespaced"),
            &create(1),
            None,
            None
        ),
        no
    );
    let excluded = format!(
        "{all}\n    excludeResourceRules: [{{ apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] }}]"
    );
    assert_eq!(denies(&excluded, &create(1), None, None), None);

    let prod = format!("{all}\n    namespaceSelector: {{ matchLabels: {{ environment: prod }} }}");
    assert_eq!(denies(&prod, &create(1), None, Some(&namespace())), no);
    let test = format!(
        "{all}\n    namespaceSelector: {{ matchExpressions: [{{ key: environment, operator: NotIn, values: [prod] }}] }}"
    );
    assert_eq!(denies(&test, &create(1), None, Some(&namespace())), None);
    assert!(
        denies(&test, &create(1), None, None)
            .unwrap()
            .contains("labels of the namespace")
    );
    let web = format!("{all}\n    objectSelector: {{ matchLabels: {{ app: web }} }}");
    assert_eq!(denies(&web, &create(1), None, None), no);
    let db = format!("{all}\n    objectSelector: {{ matchExpressions: [{{ key: app, operator: DoesNotExist }}] }}");
    assert_eq!(denies(&db, &create(1), None, None), None);
    let delete = request_of("DELETE", "/apis/apps/v1/namespaces/team-a/deployments/web", "");
    assert!(
        denies(&web, &delete, None, None)
            .unwrap()
            .contains("labels of the object")
    );
    let live = Live::Object(Arc::new(create(1).json().unwrap().clone()));
    assert_eq!(denies(&web, &delete, Some(&live), None), no);

    // Another version of the same.
    let beta = "    resourceRules: [{ apiGroups: [apps], apiVersions: [v1beta1], operations: ['*'], resources: [deployments] }]";
    assert!(
        denies(beta, &create(1), None, None)
            .unwrap()
            .contains("another version")
    );
    assert_eq!(
        denies(&format!("{beta}\n    matchPolicy: Exact"), &create(1), None, None),
        None
    );
}

#[test]
fn needs_are_few() {
    let needs = |spec: &str, request: &Canonical| guardrail(spec, "  validationActions: [Deny]").needs(request);
    let spec = |expression: &str| format!("{DEPLOYMENTS}  validations:\n  - {{ expression: \"{expression}\" }}");
    let put = request(
        "PUT",
        "/apis/apps/v1/namespaces/team-a/deployments/web",
        std::str::from_utf8(create(1).body()).unwrap(),
    );
    let (nothing, live) = (
        Needs::default(),
        Needs {
            live: true,
            ..Needs::default()
        },
    );
    assert_eq!(needs(&spec("object.spec.replicas < 3"), &create(1)), nothing);
    assert_eq!(needs(&spec("oldObject == null"), &put), live);
    assert_eq!(needs(&spec("true"), &put), nothing);
    let delete = request("DELETE", "/apis/apps/v1/namespaces/team-a/deployments/web", "");
    assert_eq!(needs(&spec("oldObject == null"), &delete), nothing);
    assert_eq!(
        needs(&spec("namespaceObject.metadata.name != ''"), &create(1)),
        Needs {
            namespace: true,
            ..Needs::default()
        }
    );
    let created_only = spec("true").replace("[CREATE, UPDATE]", "[CREATE]");
    assert_eq!(needs(&created_only, &put), live);
}

#[test]
fn bindings_and_parameters() {
    let params = "---
apiVersion: v1
kind: ConfigMap
metadata: { name: a, namespace: team-a, labels: { use: 'yes' } }
data: { max: '3' }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: b, namespace: team-b, labels: { use: 'yes' } }
data: { max: '9' }
";
    let spec = format!(
        "  paramKind: {{ apiVersion: v1, kind: ConfigMap }}\n{DEPLOYMENTS}  validations:\n  - {{ expression: 'object.spec.replicas <= int(params.data.max)', message: no }}"
    );
    let of = |reference: &str| {
        guardrail(
            &spec,
            &format!("  validationActions: [Deny]\n  paramRef: {reference}\n{params}"),
        )
    };
    // In the namespace of the request.
    let here = of("{ selector: { matchLabels: { use: 'yes' } }, parameterNotFoundAction: Deny }");
    assert_eq!(
        (messages(&judge(&here, &create(5))), messages(&judge(&here, &create(3)))),
        (vec!["no"], vec![])
    );
    let body = String::from_utf8(create(9).body().to_vec()).unwrap();
    let elsewhere = |namespace: &str| {
        request(
            "POST",
            &format!("/apis/apps/v1/namespaces/{namespace}/deployments"),
            &body,
        )
    };
    assert!(judge(&here, &elsewhere("team-b")).denials.is_empty());
    assert!(messages(&judge(&here, &elsewhere("team-c")))[0].contains("no params found"));
    let lax = of("{ selector: { matchLabels: { use: 'yes' } }, parameterNotFoundAction: Allow }");
    assert!(judge(&lax, &elsewhere("team-c")).denials.is_empty());
    let narrow = guardrail(
        &format!("{DEPLOYMENTS}  validations:\n  - {{ expression: 'false', message: no }}"),
        "  validationActions: [Deny]\n  matchResources: { namespaceSelector: { matchLabels: { environment: test } } }",
    );
    assert!(judge(&narrow, &create(1)).denials.is_empty());
}

#[test]
fn annotations() {
    let spec = format!(
        "{DEPLOYMENTS}  auditAnnotations:
  - {{ key: replicas, valueExpression: \"'has ' + string(object.spec.replicas)\" }}
  - {{ key: nothing, valueExpression: \"object.spec.replicas > 100 ? 'many' : null\" }}"
    );
    let outcome = judge(&guardrail(&spec, "  validationActions: [Deny]"), &create(5));
    assert_eq!(outcome.annotations, [("p/replicas".to_owned(), "has 5".to_owned())]);
    assert!(outcome.denials.is_empty() && outcome.warnings.is_empty());
}
