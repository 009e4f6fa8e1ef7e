//! Kubernetes' libraries: the examples of its documentation, and rows of its own tests.

use super::*;

/// A test of the workspace sends them to a real API server too.
const UPSTREAM: &str = include_str!("upstream.txt");

#[test]
fn what_is_true_upstream_is_true_here() {
    let expressions = UPSTREAM
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let expressions: Vec<&str> = expressions.collect();
    assert!(expressions.len() > 140, "{}", expressions.len());
    holds(&expressions);
}

#[test]
fn strings() {
    holds(&["'%s %s'.format([{'b': 1, 'a': null}, now]) == '{\"a\":null, \"b\":1} 2026-01-31T12:00:00Z'"]);
    fails(&[
        "'tacocat'.substring(40) == 'cat'",
        "'tacocat'.substring(-1) == 'cat'",
        "'tacocat'.substring(3, 2) == 'cat'",
        "'tacocat'.charAt(8) == ''",
        "'tacocat'.indexOf('a', -1) == 1",
        "[dyn(1)].join() == '1'",
        "'%d'.format(['a']) == ''",
        "'%s'.format([]) == ''",
        "'%'.format([1]) == ''",
    ]);
}

#[test]
fn regular_expressions() {
    holds(&[
        // Where RE2 and Rust's engine differ.
        "'a.b'.matches(r'\\bb\\b') && object.metadata.name.matches('^[a-z]' + '+$')",
    ]);
    fails(&["'a'.matches(dyn('('))", "'a'.matches('(' + '?<x')"]);
    for pattern in [
        "(",
        r"\q",
        "(?x)a",
        "[a",
        "a{1001,2000}{1001,2000}",
        r"\1",
        r"(?=a)",
        "(?P<a",
    ] {
        refused(&format!("'a'.matches(r'{pattern}')"));
    }
}

#[test]
fn lists() {
    holds(&[
        "[1, 2, 3, 4].slice(1, 3) == [2, 3] && [1, [2, [3, 4]]].flatten() == [1, 2, [3, 4]]",
        "[1, [2, [3, [4]]]].flatten(2) == [1, 2, 3, [4]] && [1, 2, 2, 3, 3].distinct() == [1, 2, 3]",
        "sets.contains([1, 2.0, 3u], [1.0, 2u, 3]) && !sets.contains(dyn(['1', 2.0]), [dyn(1)])",
        "sets.equivalent([], []) && sets.equivalent([1], [1, 1]) && sets.equivalent([1], [1u, 1.0]) && !sets.equivalent([1], [2])",
        "sets.intersects([1], [1, 2]) && !sets.intersects([1], []) && sets.intersects([[1], [2, 3]], [[1, 2], [2, 3.0]])",
    ]);
    fails(&[
        "[].min() == 1",
        "[1, dyn('a')].max() == 1",
        "[dyn('a'), 1].sum() == 1",
        "[1, 2].slice(1, 3) == []",
        "[[1]].sort() == []",
        "[1, dyn('b')].sort() == []",
        "[1].flatten(-1) == [1]",
    ]);
}

#[test]
fn urls() {
    fails(&[
        "url(dyn('../relative-path')).getHost() == ''",
        "url(object.metadata.name).getHost() == ''",
    ]);
}

#[test]
fn addresses() {
    fails(&[
        "ip(dyn('x')).isLoopback()",
        "cidr('10.0.0.0/8').containsIP(object.metadata.name)",
    ]);
}

#[test]
fn quantities() {
    fails(&[
        "quantity('9999999999999999999999999999999999999G').asInteger() == 1",
        "sign(quantity(dyn('x'))) == 1",
    ]);
}

#[test]
fn formats() {
    let message = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \\'-\\', and must \
                   start and end with an alphanumeric character (e.g. \\'my-name\\',  or \\'123-abc\\', regex used for \
                   validation is \\'[a-z0-9]([-a-z0-9]*[a-z0-9])?\\')";
    holds(&[&format!("format.dns1123Label().validate('A').value() == ['{message}']")]);
}
