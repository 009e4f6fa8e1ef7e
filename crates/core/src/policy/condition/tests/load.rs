//! What is found when a condition is loaded.

use super::*;

#[test]
fn unknown_names() {
    assert_eq!(
        refused("objekt.spec.replicas > 1"),
        "0: unknown name `objekt` (object?)"
    );
    assert_eq!(
        refused("1 == 1 && reqest.name == ''"),
        "10: unknown name `reqest` (request?)"
    );
    assert_eq!(refused("[1].all(item, itm > 0)"), "14: unknown name `itm` (item?)");
    assert!(refused("authorizer.group('').resource('pods').check('get').allowed()").contains("not supported"));
    assert!(refused("variables.x").contains("ValidatingAdmissionPolicy"));
    assert!(refused("params.x == 1").contains("paramKind"));
}

#[test]
fn unknown_functions() {
    assert_eq!(
        refused("object.metadata.name.startWith('a')"),
        "30: unknown method `startWith` (startsWith?)"
    );
    assert_eq!(refused("sise(object) > 1"), "4: unknown function `sise` (size?)");
    assert!(refused("startsWith('a', 'b')").contains("is a method"));
    assert!(refused("object.metadata.name.quantity()").contains("is no method"));
    assert!(refused("object.metadata.name.contains()").contains("does not take 0 arguments"));
    assert!(refused("cel.bind(x, 1, x == 1)").contains("unknown"));
    assert!(refused("[1].all(x)").contains("does not take these arguments"));
    assert!(refused("[1].all(x.y, true)").contains("simple name"));
    assert!(refused("has(object)").contains("takes a field"));
}

#[test]
fn syntax() {
    for text in [
        "",
        " ",
        "1 +",
        "object.",
        "object..x",
        "(1 == 1",
        "1 == 1)",
        "'a",
        "a ? b",
        "object.spec[",
        "{1}",
        "@x",
        "#",
        "object.`x`",
        "Object{a: 1}",
        "for == 1",
        "1 = 1",
        "a => b",
        "\0",
        "'\\q' == ''",
        "0x == 1",
        "99999999999999999999 == 1",
    ] {
        let error = refused(text);
        assert!(error.len() < 200 && !error.contains('\n'), "{text}: {error}");
    }
    assert_eq!(refused("true &&\n  object.spec. == 1").split(':').next(), Some("23"));
}

#[test]
fn types_that_can_never_fit() {
    for text in [
        "1",
        "'a'",
        "object.spec == 1 ? 'a' : 'b'",
        "1 + 'a' == 2",
        "1 + 1.0 == 2.0",
        "'a' == 1",
        "1 < 'a'",
        "!'a'",
        "'a' && true",
        "size(1) == 1",
        "'a'.contains(1)",
        "1.all(x, true)",
        "[1].all(x, x)",
        "['a'].exists(x, x > 1)",
        "'a'.size > 1",
        "now > 1",
        "effects.exists(e, e == 1)",
        "'a' in [1]",
        "quantity('1') > quantity('2')",
        "quantity('1') == '1'",
        "ip('10.0.0.1').isGreaterThan(ip('10.0.0.2'))",
        "request.operaton == 'CREATE'",
        "request.kind.name == ''",
        "subject.name == ''",
        "exec.command == []",
        "-'a' == 1",
        "optional.of(1) == 1",
    ] {
        refused(text);
    }
    assert_eq!(
        refused("request.operaton == 'CREATE'"),
        "7: request has no field `operaton` (operation?)"
    );
}

#[test]
fn literals_that_cannot_be_read() {
    for text in [
        "quantity('1x').isLessThan(quantity('1'))",
        "ip('10.0.0.256').isLoopback()",
        "cidr('10.0.0.0').containsIP('10.0.0.1')",
        "url('example').getHost() == ''",
        "semver('1.2').major() == 1",
        "duration('1 hour') > duration('1h')",
        "timestamp('yesterday') < now",
        "'a'.matches('(')",
        "int('x') == 1",
    ] {
        refused(text);
    }
}
