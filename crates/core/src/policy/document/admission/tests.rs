use crate::policy::LoadErrors;
use crate::policy::admission::Guardrail;
use crate::policy::document;

fn load(text: &str) -> Result<Vec<Guardrail>, LoadErrors> {
    document::load([("a.yaml", text)].into_iter()).map(|(_, guardrails)| guardrails)
}

const GOOD: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: replicas
spec:
  paramKind: { apiVersion: v1, kind: ConfigMap }
  matchConstraints:
    resourceRules:
    - { apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments] }
  variables:
  - name: max
    expression: int(params.data.max)
  validations:
  - expression: |
      object.spec.replicas <=
        variables.max
    messageExpression: "'at most ' + string(variables.max)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: everywhere }
spec:
  policyName: replicas
  validationActions: [Deny]
  paramRef: { name: limits, namespace: default, parameterNotFoundAction: Deny }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: limits, namespace: default }
data: { max: "3" }
"#;

#[track_caller]
fn error(text: &str) -> String {
    let errors = load(text).err().map(|errors| errors.to_string());
    let errors = errors.unwrap_or_else(|| panic!("accepted:\n{text}"));
    errors.lines().next().unwrap().to_owned()
}

#[track_caller]
fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    error(&GOOD.replace(from, to))
}

#[test]
fn what_belongs_together_is_put_together() {
    let guardrails = load(GOOD).unwrap();
    assert_eq!(guardrails.len(), 1);
    assert_eq!(&*guardrails[0].name, "replicas/everywhere");
    // The digest is over all three of them.
    let digest = |text: &str| load(text).unwrap()[0].digest;
    assert_eq!(
        digest(GOOD),
        digest(&GOOD.replace("[CREATE, UPDATE]", "[ CREATE,  UPDATE ]"))
    );
    for (from, to) in [("\"3\"", "\"4\""), ("'at most '", "'not over '"), ("[Deny]", "[Audit]")] {
        assert_ne!(digest(GOOD), digest(&GOOD.replace(from, to)), "{from}");
    }
}

#[test]
fn mistakes_have_their_place() {
    assert_eq!(
        changed("        variables.max", "        variables.maxx"),
        "a.yaml:17:18: there is no variable `maxx` before this place; did you mean `max`?"
    );
    assert_eq!(
        changed("int(params.data.max)", "int(parms.data.max)"),
        "a.yaml:13:21: unknown name `parms`; did you mean `params`?"
    );
    assert_eq!(
        changed("'at most ' + string(variables.max)", "variables.max == 1"),
        "a.yaml:18:39: it has to give text, and gives a bool"
    );
    assert!(
        changed("object.spec.replicas <=", "authorizer.requestResource ==").contains("`authorizer` is not supported")
    );
    assert_eq!(
        changed("policyName: replicas", "policyName: replica"),
        "a.yaml:5:9: no ValidatingAdmissionPolicyBinding in these files names `replicas`: it would do nothing"
    );
    assert!(
        changed(
            "name: limits, namespace: default, p",
            "name: limit, namespace: default, p"
        )
        .contains("does not read parameters from")
    );
    assert!(changed("  paramKind: { apiVersion: v1, kind: ConfigMap }\n", "").contains("`params` is known only where"));
    assert!(changed("[CREATE, UPDATE]", "[CREATE, UPSERT]").contains("unknown operation `UPSERT`"));
    assert!(
        load(&GOOD.replace("validations:", "validation:"))
            .unwrap_err()
            .to_string()
            .contains("did you mean `validations`?")
    );
    assert!(changed("[Deny]", "[Deny, Warn]").contains("exclude each other"));
    assert!(changed("[Deny]", "[Denny]").contains("did you mean `Deny`?"));
    assert!(
        changed(
            "admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\n",
            "admissionregistration.k8s.io/v2\nkind: ValidatingAdmissionPolicy\n"
        )
        .contains("unknown version")
    );
    assert!(
        changed(
            "kind: ValidatingAdmissionPolicyBinding",
            "kind: ValidatingAdmissionPolicyBind"
        )
        .contains("is not supported")
    );
    assert!(
        changed("kind: ConfigMap\nmetadata", "kind: Configmap\nmetadata").contains("does not read parameters from")
    );
    assert!(changed("  resourceRules:", "  resourceRule:").contains("did you mean `resourceRules`?"));
    let other =
        format!("{GOOD}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: other, namespace: default }}\n");
    assert!(error(&other).contains("no binding in these files names it"));
    let number = load(&GOOD.replace("---\napiVersion: v1\n", "---\napiVersion: v1\nnumber: .nan\n"));
    assert!(number.is_err());
}
