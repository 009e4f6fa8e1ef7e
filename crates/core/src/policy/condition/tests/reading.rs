//! What a condition reads, and what it is given.

use std::sync::Arc;

use super::*;
use crate::request::Effect;

fn reads(text: &str) -> Vec<Root> {
    Condition::compile(text).unwrap().reads().iter().collect()
}

#[test]
fn only_what_is_read_is_told() {
    assert_eq!(reads("object.spec.replicas > 20"), [Root::Object]);
    assert_eq!(reads("[1].all(object, object == 1)"), []);
    assert_eq!(
        reads("exec.shell || effects.exists(e, e == 'connect') || subject.user == '' || now > now"),
        [Root::Subject, Root::Effects, Root::Exec, Root::Now]
    );
    assert_eq!(
        reads("oldObject != null && request.dryRun && namespaceObject == null"),
        [Root::OldObject, Root::Request, Root::NamespaceObject]
    );
    let variables = [
        ("a".to_owned(), Reads::NONE.with(Root::Object)),
        ("b".to_owned(), Reads::NONE),
    ];
    let place = Place::ADMISSION.with_variables(&variables).with_params();
    let read = |text: &str| {
        Condition::compile_in(text, place)
            .unwrap()
            .reads()
            .iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(read("variables.a == 1 && params.b == 2"), [Root::Object, Root::Params]);
    assert_eq!(read("variables.b == 1"), []);
    let wrong = Condition::compile_in("variables.aa == 1", place).unwrap_err();
    assert_eq!((wrong.offset, wrong.suggestion.as_deref()), (9, Some("a")));
    assert!(Condition::compile_in("subject.user == ''", place).is_err());
}

#[test]
fn fields_of_known_kinds() {
    let deployment = KindRef {
        group: "apps",
        kind: "Deployment",
    };
    let check = |text: &str| {
        let error = Condition::compile(text).unwrap().check_fields(deployment).err()?;
        Some((error.message, error.offset, error.suggestion))
    };
    for right in [
        "object.spec.replicas > 20",
        "object.spec.template.spec.containers.all(c, c.image.startsWith('a') && c.?securityContext.?privileged.orValue(false))",
        "object.metadata.labels['a'] == 'b' && object.metadata.annotations.?x.hasValue()",
        "object.spec.template.spec.containers.all(c, quantity(c.resources.limits.cpu).isLessThan(quantity('1')))",
        "object.spec.strategy.rollingUpdate.maxSurge == 1 || object.spec.strategy.rollingUpdate.maxSurge == '25%'",
        "object.spec.template.spec.volumes.exists(v, has(v.hostPath)) && oldObject.status.replicas == 1",
        "object['spec']['anything'] == 1",
        "object.metadata.managedFields.all(f, f.fieldsV1.whatever == 1)",
    ] {
        assert_eq!(check(right), None, "{right}");
    }
    assert_eq!(
        check("object.spec.replica > 20"),
        Some((
            "DeploymentSpec has no field `replica`".to_owned(),
            11,
            Some("replicas".to_owned())
        ))
    );
    for wrong in [
        "has(object.spec.replica)",
        "oldObject.spec.replica == 1",
        "object.spec.template.spec.containers.all(c, c.imag == '')",
        "object.spec.template.spec.?container.hasValue()",
        "object.spec.replicas == '3'",
        "object.spec.replicas.size() == 1",
        "object.spec.template.spec.containers.image == ''",
        "object.metadata.name > 1",
        "object.spec.paused + 1 == 2",
        "object.metadata.creationTimestamp > now",
    ] {
        assert!(check(wrong).is_some(), "{wrong}");
    }
    // What is not Kubernetes' own is not known.
    let widget = KindRef {
        group: "example.com",
        kind: "Deployment",
    };
    assert_eq!(
        Condition::compile("object.spec.replica > 20")
            .unwrap()
            .check_fields(widget),
        Ok(())
    );
    // What one version has is right.
    let hpa = KindRef {
        group: "autoscaling",
        kind: "HorizontalPodAutoscaler",
    };
    let check = |text: &str| Condition::compile(text).unwrap().check_fields(hpa).is_ok();
    assert!(check("object.spec.metrics.size() > 0") && check("object.spec.targetCPUUtilizationPercentage > 1"));
    assert!(!check("object.spec.metric.size() > 0"));
}

fn holds_on(request: &Canonical, live: Option<&Live>, object: Option<&json::Value>, text: &str) -> bool {
    let subject = Subject::new("agent-7").on_behalf_of("ada").with_session("s-1");
    let inputs = Inputs::new(&subject, request, live, None, object, now())
        .with_effects(request.effects().with(Effect::Destructive));
    let condition = Condition::compile(text).unwrap();
    let answer = condition.holds(&mut Evaluation::new(&inputs));
    answer.unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn operations() {
    let live = Live::Object(Arc::new(
        json::Value::parse(br#"{"metadata":{"name":"a"},"data":{"x":"1"}}"#).unwrap(),
    ));
    let body = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"2"}}"#;
    let target = "/api/v1/namespaces/team-a/configmaps/a";
    let put = request("PUT", target, body);
    let update = "request.operation == 'UPDATE' && object.data.x != oldObject.data.x && request.name == 'a'";
    assert!(holds_on(&put, Some(&live), put.json(), update));
    assert!(holds_on(
        &put,
        Some(&Live::Absent),
        put.json(),
        "request.operation == 'CREATE' && oldObject == null"
    ));
    let delete = request("DELETE", target, "");
    let deletion =
        "request.operation == 'DELETE' && object == null && oldObject.data.x == '1' && 'destructive' in effects";
    assert!(holds_on(&delete, Some(&live), None, deletion));
    let get = request("GET", target, "");
    assert!(holds_on(
        &get,
        None,
        None,
        "request.operation == '' && object == null && subject.onBehalfOf == 'ada'"
    ));
    let patch = request_of_type(
        "PATCH",
        &format!("{target}?fieldManager=m&force=true"),
        "application/apply-patch+yaml",
        body,
    );
    assert!(holds_on(
        &patch,
        Some(&Live::Absent),
        patch.json(),
        "request.operation == 'CREATE'"
    ));
    let options =
        "request.options.kind == 'PatchOptions' && request.options.force && request.options.fieldManager == 'm'";
    assert!(holds_on(&patch, Some(&live), patch.json(), options));
    // Nobody knows.
    let inputs = |live| {
        let subject = Subject::new("agent-7");
        let condition = Condition::compile("oldObject == null").unwrap();
        let inputs = Inputs::new(&subject, &put, live, None, put.json(), now());
        condition.holds(&mut Evaluation::new(&inputs))
    };
    for live in [None, Some(&Live::Unreadable)] {
        assert!(
            inputs(live)
                .unwrap_err()
                .to_string()
                .contains("`oldObject` is not known")
        );
    }
}

#[test]
fn execs() {
    let exec = request(
        "GET",
        "/api/v1/namespaces/team-a/pods/web/exec?command=sh&command=-c&command=curl%20x&container=app&stdin=true&stderr=false",
        "",
    );
    for text in [
        "exec.argv == ['sh', '-c', 'curl x'] && exec.shell && exec.container == 'app'",
        "exec.stdin && exec.stdout && !exec.stderr && !exec.tty",
        "request.operation == 'CONNECT' && request.subResource == 'exec' && request.kind.kind == 'PodExecOptions'",
        "object.command[0] == 'sh' && object.container == 'app' && object.stdin && !has(object.tty) && oldObject == null",
        "exec.argv.exists(a, a.contains('curl'))",
    ] {
        assert!(holds_on(&exec, None, None, text), "{text}");
    }
}

#[test]
fn variables_are_evaluated_when_they_are_read_and_once() {
    let (subject, request) = (Subject::new("a"), pod());
    let inputs = Inputs::new(&subject, &request, None, None, request.json(), now());
    let place = Place::ADMISSION.giving(Gives::Anything);
    let mut known: Vec<(String, Reads)> = Vec::new();
    let mut variables = Vec::new();
    for (name, text) in [
        ("containers", "object.spec.containers"),
        ("broken", "object.missing"),
        ("images", "variables.containers.map(c, c.image)"),
    ] {
        let condition = Condition::compile_in(text, place.with_variables(&known)).unwrap();
        known.push((name.to_owned(), condition.reads()));
        variables.push(condition);
    }
    let compile = |text: &str| Condition::compile_in(text, Place::ADMISSION.with_variables(&known)).unwrap();
    let mut evaluation = Evaluation::with_variables(&inputs, &variables);
    let right = compile("variables.images.exists(i, i == 'b' && variables.containers.exists(i, i.image == 'b'))");
    assert_eq!(right.holds(&mut evaluation), Ok(true));
    let broken = compile("variables.broken == 1");
    let missing = Err(EvaluationError::Missing("missing".to_owned()));
    assert_eq!(
        (broken.holds(&mut evaluation), broken.holds(&mut evaluation)),
        (missing.clone(), missing)
    );
    assert_eq!(right.holds(&mut evaluation), Ok(true));
}
