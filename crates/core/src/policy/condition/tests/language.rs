//! The language itself.

use super::*;

#[test]
fn operators() {
    holds(&[
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 / 2 == 3 && -7 % 3 == -1 && 1.5 * 2.0 == 3.0",
        "1u + 2u == 3u && 1 == 1u && 1 == 1.0 && 1 < 1.5 && 2u > 1 && 1.0 <= 1u",
        "9223372036854775807 > 9223372036854775806.0 || true",
        "'a' + 'b' == 'ab' && b'a' + b'b' == b'ab' && [1] + [2] == [1, 2]",
        "'a' < 'b' && !(true && false) && (false || true) && (1 > 2 ? false : true)",
        "1 in [1, 2] && !(3 in [1, 2]) && 'a' in {'a': 1} && !('b' in {'a': 1}) && 1.0 in [1]",
        "{'a': [1, {'b': null}]} == {'a': [1, {'b': null}]} && {'a': 1} != {'a': 2} && [1, 2] != [2, 1]",
        "{1: 'a', 2u: 'b', true: 'c'}[2] == 'b' && [1, 2][1] == 2 && [1, 2][1u] == 2 && [1, 2][1.0] == 2",
        "dyn(1) != dyn('a') && dyn(null) != dyn(1) && null == null && dyn([1]) != dyn({'a': 1})",
        "'\\u00e9'.size() == 1 && size('abc') == 3 && size([1, 2]) == 2 && size({'a': 1}) == 1 && b'\\xff'.size() == 1",
        "r'\\d' == '\\\\d' && '''a'b''' == \"a'b\"",
        "type(1) == int && type('a') == string && type([]) == list && type(now) == google.protobuf.Timestamp",
        "type(type(1)) == type && type(1.0) != int && type(null) == null_type",
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
        "[1, 2].exists(x, x / (x - 1) == 2)",
        "![1, 2].all(x, x / (x - 1) == 3)",
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
    holds(&[
        "[1, 2, 3].all(x, x > 0) && [1, 2, 3].exists(x, x > 2) && [1, 2, 3].exists_one(x, x > 2)",
        "![1, 2, 3].existsOne(x, x > 1) && [].all(x, false) && ![].exists(x, true)",
        "[1, 2, 3].map(x, x * 2) == [2, 4, 6] && [1, 2, 3].map(x, x > 1, x * 2) == [4, 6]",
        "[1, 2, 3].filter(x, x > 1) == [2, 3] && {'a': 1}.map(k, k) == ['a'] && {'a': 1}.filter(k, true) == ['a']",
        "[[1, 2], [3]].all(x, x.all(y, y > 0)) && [1, 2].map(x, [3, 4].map(y, x * y)) == [[3, 4], [6, 8]]",
        "[1, 2].map(object, object + 1) == [2, 3] && [1].all(x, [2].all(x, x == 2) && x == 1)",
        "[1, 2, 3].all(i, v, i < v) && !{'hello': 'world', 'taco': 'taco'}.all(k, v, k != v)",
        "{'h': ['hello', 'hi'], 'j': ['joke', 'jog']}.all(k, vals, vals.all(v, v.startsWith(k)))",
        "{'greeting': 'hello', 'farewell': 'goodbye'}.exists(k, v, k.startsWith('good') || v.endsWith('bye'))",
        "![1, 2, 4, 8, 16].exists(i, v, v == 1024 && i == 10)",
        "[1, 1, 2, 2, 3, 3].existsOne(i, v, i == 2 && v == 2) && ![1, 2, 1, 3, 1, 4].existsOne(i, v, i == 1 || v == 1)",
        "[1, 2, 3].transformList(i, v, (i * v) + v) == [1, 4, 9]",
        "[1, 2, 3].transformList(i, v, i % 2 == 0, (i * v) + v) == [1, 9]",
        "[1, 2, 3].transformMap(i, v, (i * v) + v) == {0: 1, 1: 4, 2: 9}",
        "{'greeting': 'hello'}.transformMap(k, v, v + '!') == {'greeting': 'hello!'}",
        "{'greeting': 'hello'}.transformMapEntry(k, v, {v: k}) == {'hello': 'greeting'}",
        "optional.of(1).optMap(x, x + 1) == optional.of(2) && optional.none().optMap(x, x) == optional.none()",
        "optional.of(1).optFlatMap(x, x > 1 ? optional.of(x) : optional.none()) == optional.none()",
        "[3, 1, 2].sortBy(x, -x) == [3, 2, 1] && ['bb', 'a'].sortBy(s, s.size()) == ['a', 'bb']",
    ]);
    fails(&["{'greeting': 'aloha', 'farewell': 'aloha'}.transformMapEntry(k, v, {v: k}) == {}"]);
}

#[test]
fn optionals() {
    holds(&[
        "optional.of(1).value() == 1 && optional.of(1).hasValue() && !optional.none().hasValue()",
        "optional.none().orValue(2) == 2 && optional.of(1).or(optional.of(2)).value() == 1",
        "optional.none().or(optional.of(2)).value() == 2",
        "optional.ofNonZeroValue('') == optional.none() && optional.ofNonZeroValue('a') == optional.of('a')",
        "[?optional.none(), ?optional.of(1), 2] == [1, 2] && {?'a': optional.none(), 'b': 1} == {'b': 1}",
        "{'a': {'b': 1}}.?a.b == optional.of(1) && {'a': {'b': 1}}.?a.c == optional.none()",
    ]);
    fails(&["optional.none().value() == 1"]);
}

#[test]
fn conversions() {
    holds(&[
        "int('12') == 12 && int(1.9) == 1 && int(-1.9) == -1 && int(3u) == 3 && uint(3) == 3u && double(2) == 2.0",
        "string(12) == '12' && string(1.5) == '1.5' && string(3.0) == '3' && string(true) == 'true'",
        "string(1e21) == '1e+21' && string(1e-5) == '1e-05' && string(123456789.0) == '123456789'",
        "string(b'abc') == 'abc' && bytes('abc') == b'abc' && bool('true') && !bool('F')",
        "duration('1h30m') == duration('90m') && string(duration('90m')) == '5400s' && string(duration('1.5s')) == '1.5s'",
        "duration('-1.5h').getMinutes() == -90 && duration('3730s').getHours() == 1 && duration('100ms') < duration('1s')",
        "timestamp('2024-02-29T23:59:59Z').getFullYear() == 2024 && timestamp('2024-02-29T00:00:00Z').getMonth() == 1",
        "timestamp('2024-02-29T00:00:00Z').getDate() == 29 && timestamp('2024-02-29T00:00:00Z').getDayOfMonth() == 28",
        "timestamp('2024-02-29T00:00:00Z').getDayOfWeek() == 4 && timestamp('2024-02-29T00:00:00Z').getDayOfYear() == 59",
        "timestamp('2024-02-29T23:30:00Z').getHours('+02:00') == 1 && timestamp('2024-01-01T00:00:00.5Z').getMilliseconds() == 500",
        "timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')",
        "timestamp('2024-01-01T00:00:00Z') + duration('1s') == timestamp('2024-01-01T00:00:01Z')",
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
