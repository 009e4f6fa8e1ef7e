//! The language itself.

use super::*;

#[test]
fn operators() {
    holds(&[
        "1u + 2u == 3u && 1 == 1u && 1 == 1.0 && 1 < 1.5 && 2u > 1 && 1.0 <= 1u",
        "1 in [1, 2] && !(3 in [1, 2]) && 'a' in {'a': 1} && !('b' in {'a': 1}) && 1.0 in [1]",
        "{'a': [1, {'b': null}]} == {'a': [1, {'b': null}]} && {'a': 1} != {'a': 2} && [1, 2] != [2, 1]",
        "{1: 'a', 2u: 'b', true: 'c'}[2] == 'b' && [1, 2][1] == 2 && [1, 2][1u] == 2 && [1, 2][1.0] == 2",
        "type(1) == int && type('a') == string && type([]) == list && type(now) == google.protobuf.Timestamp",
    ]);
    fails(&[
        "1 / dyn(0) == 1",
        "9223372036854775807 + dyn(1) > 0",
        "dyn(1) + 'a' == 'a'",
        "dyn(1) < 'a'",
        "!dyn(1)",
        "dyn('a') && true",
        "[1][dyn(3)] == 1",
        "{'a': 1}[dyn('b')] == 1",
        "{'a': 1, dyn('a'): 2} == {}",
        "dyn(1).all(x, true)",
        "-dyn('a') == 1",
    ]);
}

#[test]
fn one_operand_may_decide_whatever_the_other_is() {
    holds(&[
        "object.missing == 1 || true",
        "true || object.missing == 1",
        "!(object.missing == 1 && false)",
        "[1, 2].exists(x, x == 2 || object.missing == 1)",
        "!has(object.missing) || object.missing == 1",
    ]);
    fails(&[
        "object.missing == 1 || false",
        "object.missing == 1 && true",
        "[1, 2].all(x, x / (x - 1) == 2)",
        "[1, 2].exists_one(x, x / (x - 1) == 2)",
    ]);
}

#[test]
fn fields() {
    holds(&[
        "object.metadata.name == 'web' && object['metadata']['name'] == 'web'",
        "has(object.metadata.labels) && !has(object.metadata.annotations) && has(object.spec.nothing)",
        "object.spec.priority + 1 == 11 && object.spec.ratio == 1.5 && type(object.spec.priority) == int",
        "type(object.spec.big) == double && object.spec.big > 1.0e19",
        "'app' in object.metadata.labels && object.metadata.labels.all(k, size(k) > 0)",
        "object.spec.containers.all(c, c.image.size() > 0) && object.spec.containers[0].ports[0].containerPort == 80",
        "object.?metadata.?annotations.orValue({}) == {} && object.?spec.priority.orValue(0) == 10",
        "object.metadata.labels[?'app'].orValue('') == 'web' && !object.metadata.labels[?'x'].hasValue()",
        "object.?spec.?missing.?deeper.hasValue() == false && object.spec.containers[?5] == optional.none()",
        "object == object && object.spec != object.metadata",
    ]);
    assert_eq!(
        evaluate("object.spec.missing.deeper == 1"),
        Err(EvaluationError::Missing("missing".to_owned()))
    );
    // No values of the object in a message.
    let error = evaluate("object.metadata[object.metadata.name] == 1")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "no such key");
}

#[test]
fn macros() {
    holds(&["[1, 2].map(object, object + 1) == [2, 3] && [1].all(x, [2].all(x, x == 2) && x == 1)"]);
    fails(&["{'greeting': 'aloha', 'farewell': 'aloha'}.transformMapEntry(k, v, {v: k}) == {}"]);
}

#[test]
fn optionals() {
    fails(&["optional.none().value() == 1"]);
}

#[test]
fn conversions() {
    holds(&[
        "now - duration('24h') < now && string(now) == '2026-01-31T12:00:00Z' && int(timestamp('1970-01-01T00:01:00Z')) == 60",
        "now.getHours() >= 9 && now.getHours() < 17",
    ]);
    fails(&[
        "int(dyn('a')) == 1",
        "int(1e30) == 1",
        "uint(-1) == 1u",
        "bool('x')",
        "timestamp(dyn('2024-01-01')) == now",
        "now.getHours('Europe/Zurich') == 1",
    ]);
}

#[test]
fn names() {
    holds(&[
        "subject.user == 'agent-7' && subject.groups == ['agents'] && subject.onBehalfOf == null",
        "'write' in effects && !('connect' in effects)",
        "exec.argv == [] && !exec.shell && !exec.tty",
        "request.operation == 'CREATE' && request.kind == {'group': '', 'version': 'v1', 'kind': 'Pod'}",
        "request.resource.resource == 'pods' && request.namespace == 'team-a' && request.name == 'web'",
        "request.userInfo.username == 'agent-7' && 'agents' in request.userInfo.groups && !request.dryRun",
        "oldObject == null && !has(request.subResource) && request.options.kind == 'CreateOptions'",
    ]);
    // Nobody fetched it.
    fails(&["namespaceObject.metadata.name == 'team-a'"]);
}
