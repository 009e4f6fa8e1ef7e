//! Kubernetes' libraries: the examples of its documentation, and rows of its own tests.

use super::*;

#[test]
fn strings() {
    holds(&[
        "'foobar'.contains('bar') && 'foobar'.startsWith('foo') && 'foobar'.endsWith('bar')",
        "'hello'.charAt(4) == 'o' && 'hello'.charAt(5) == '' && 'é!'.charAt(1) == '!'",
        "'hello mellow'.indexOf('') == 0 && 'hello mellow'.indexOf('ello') == 1 && 'hello mellow'.indexOf('jello') == -1",
        "'hello mellow'.indexOf('', 2) == 2 && 'hello mellow'.indexOf('ello', 2) == 7 && 'hello mellow'.indexOf('ello', 20) == -1",
        "'hello mellow'.lastIndexOf('') == 12 && 'hello mellow'.lastIndexOf('ello') == 7",
        "'hello mellow'.lastIndexOf('jello') == -1 && 'hello mellow'.lastIndexOf('ello', 6) == 1",
        "'hello mellow'.lastIndexOf('ello', 7) == 7 && 'hello mellow'.lastIndexOf('ello', 20) == -1",
        "'é-é'.indexOf('é', 1) == 2 && 'é-é'.lastIndexOf('é') == 2 && 'é-é'.lastIndexOf('é', 1) == 0",
        "['hello', 'mellow'].join() == 'hellomellow' && ['hello', 'mellow'].join(' ') == 'hello mellow' && [].join('/') == ''",
        "'TacoCat'.lowerAscii() == 'tacocat' && 'TacoCÆt Xii'.lowerAscii() == 'tacocÆt xii'",
        "'TacoCat'.upperAscii() == 'TACOCAT' && '  \\ttrim\\n    '.trim() == 'trim'",
        "'hello hello'.replace('he', 'we') == 'wello wello' && 'hello hello'.replace('he', 'we', -1) == 'wello wello'",
        "'hello hello'.replace('he', 'we', 1) == 'wello hello' && 'hello hello'.replace('he', 'we', 0) == 'hello hello'",
        "'hello hello'.replace('', '_') == '_h_e_l_l_o_ _h_e_l_l_o_' && 'hello hello'.replace('h', '') == 'ello ello'",
        "'hello hello hello'.split(' ') == ['hello', 'hello', 'hello'] && 'hello hello hello'.split(' ', 0) == []",
        "'hello hello hello'.split(' ', 1) == ['hello hello hello']",
        "'hello hello hello'.split(' ', 2) == ['hello', 'hello hello'] && 'hello hello'.split(' ', -1) == ['hello', 'hello']",
        "'abc'.split('') == ['a', 'b', 'c'] && 'abc'.split('', 2) == ['a', 'bc'] && 'a,'.split(',') == ['a', '']",
        "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && 'ta©o©αT'.substring(2, 6) == '©o©α'",
        "strings.quote('a \"b\"\\n') == '\"a \\\\\"b\\\\\"\\\\n\"'",
        "'%s has %d of %s: %.2f'.format(['a', 2, [1, 'b'], 1.0]) == 'a has 2 of [1, \"b\"]: 1.00'",
        "'%x %X %b %o %%'.format([255, 'hi', true, 8]) == 'ff 6869 1 10 %'",
        "'%s %s'.format([{'b': 1, 'a': null}, now]) == '{\"a\":null, \"b\":1} 2026-01-31T12:00:00Z'",
        "'%f'.format([12345.678]) == '12,345.678000' && '%s'.format([duration('90s')]) == '90s'",
    ]);
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
        "'abc 123'.find('[0-9]*') == '' && 'abc 123'.find('[0-9]+') == '123' && 'abc'.find('x') == ''",
        "'123 abc 456'.findAll('[0-9]+') == ['123', '456'] && '123 abc 456'.findAll('[0-9]+', 1) == ['123']",
        "'123 abc 456'.findAll('[0-9]+', 0) == [] && '123 abc 456'.findAll('[0-9]+', -1) == ['123', '456']",
        "'abc'.findAll('x') == [] && 'foobar'.matches('^foo.*r$') && matches('foobar', 'oba') && !'a'.matches('^$')",
        // Where RE2 and Rust's engine differ.
        "!'٣'.matches('^\\\\d$') && '3'.matches(r'^\\d$') && !'é'.matches(r'^\\w+$') && 'é'.matches(r'^\\W$')",
        "'a[b'.matches(r'^a[[]b$') && 'a&&b'.matches('^a[&&]+b$') && ']'.matches(r'^[]]$') && 'a-b'.matches(r'^[\\w-]+$')",
        "'<a>'.matches(r'^\\<a\\>$') && 'a b'.matches(r'a\\sb') && 'ab'.matches(r'^[[:alpha:]]+$') && 'x'.matches('(?i)^X$')",
        "'a.b'.matches(r'\\bb\\b') && object.metadata.name.matches('^[a-z]' + '+$')",
        "'registry.internal/a:1'.matches(r'^registry\\.internal/[a-z0-9/._-]+(:[a-z0-9._-]+)?$')",
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
        "[1, 2, 3].isSorted() && ['a', 'b', 'b', 'c'].isSorted() && ![2.0, 1.0].isSorted() && [].isSorted() && [1].isSorted()",
        "[1, 3].sum() == 4 && [1.0, 3.0].sum() == 4.0 && [].sum() == 0 && [duration('1m'), duration('1s')].sum() == duration('61s')",
        "[1, 3].min() == 1 && [1, 3].max() == 3 && ['b', 'a'].min() == 'a' && [1.5, 2.5].max() == 2.5",
        "[1, 2, 2, 3].indexOf(2) == 1 && ['a', 'b', 'b', 'c'].lastIndexOf('b') == 2 && [1.0].indexOf(1.1) == -1 && [].indexOf('x') == -1",
        "[1, 2, 3, 4].slice(1, 3) == [2, 3] && [1, [2, [3, 4]]].flatten() == [1, 2, [3, 4]]",
        "[1, [2, [3, [4]]]].flatten(2) == [1, 2, 3, [4]] && [1, 2, 2, 3, 3].distinct() == [1, 2, 3]",
        "[5, 3, 1, 2].reverse() == [2, 1, 3, 5] && [3, 2, 1].sort() == [1, 2, 3] && ['b', 'a'].sort() == ['a', 'b']",
        "lists.range(3) == [0, 1, 2] && [1, 2].first() == optional.of(1) && [1, 2].last().value() == 2 && [].first() == optional.none()",
        "sets.contains([], []) && sets.contains([1], []) && sets.contains([1, 2, 3, 4], [2, 3]) && !sets.contains([], [1])",
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
    holds(&[
        "url('https://example.com:80/').getHost() == 'example.com:80' && url('https://example.com/').getHost() == 'example.com'",
        "url('https://[::1]:80/').getHost() == '[::1]:80' && url('https://[::1]:80/').getHostname() == '::1'",
        "url('/path').getHost() == '' && url('/path').getScheme() == '' && url('https://example.com').getScheme() == 'https'",
        "url('https://example.com:80/').getPort() == '80' && url('https://example.com/').getPort() == '' && url('/path').getPort() == ''",
        "url('https://example.com/path').getEscapedPath() == '/path'",
        "url('https://example.com/path with spaces/').getEscapedPath() == '/path%20with%20spaces/'",
        "url('/path').getEscapedPath() == '/path' && url('https://example.com').getEscapedPath() == ''",
        "url('https://example.com/path?k1=a&k2=b&k2=c').getQuery() == {'k1': ['a'], 'k2': ['b', 'c']}",
        "url('https://example.com/path?key with spaces=value with spaces').getQuery() == {'key with spaces': ['value with spaces']}",
        "url('https://example.com/path?').getQuery() == {} && url('/path').getQuery() == {}",
        "isURL('https://user:pass@example.com:80/path?query=val#fragment') && isURL('/absolute-path') && isURL('../relative-path') == false",
        "isURL('https://a:b:c/') == false && isURL('') == false && isURL('http://a b/') == false && isURL(':x') == false",
        "isURL('https://example.com/%zz') == false && isURL('http://[::1/') == false && isURL('mailto:a@b.c')",
        "url('https://user:pass@example.com:80/path').getHostname() == 'example.com' && url('HTTPS://a/').getScheme() == 'https'",
    ]);
    fails(&[
        "url(dyn('../relative-path')).getHost() == ''",
        "url(object.metadata.name).getHost() == ''",
    ]);
}

#[test]
fn addresses() {
    holds(&[
        "isIP('127.0.0.1') && isIP('::1') && !isIP('127.0.0.256') && !isIP('010.0.0.1') && !isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0')",
        "ip('127.0.0.1').family() == 4 && ip('2001:db8::abcd').family() == 6 && ip('10.0.0.1') == ip('10.0.0.1')",
        "ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified() && !ip('127.0.0.1').isUnspecified()",
        "ip('127.0.0.1').isLoopback() && ip('::1').isLoopback() && !ip('10.0.0.1').isLoopback()",
        "ip('224.0.0.1').isLinkLocalMulticast() && !ip('224.0.1.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast()",
        "!ip('fd00::1').isLinkLocalMulticast() && ip('169.254.169.254').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast()",
        "ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast() && ip('2001:db8::abcd').isGlobalUnicast()",
        "!ip('ff00::1').isGlobalUnicast() && ip.isCanonical('127.0.0.1') && ip.isCanonical('2001:db8::abcd')",
        "!ip.isCanonical('2001:DB8::ABCD') && !ip.isCanonical('2001:db8::0:0:0:abcd') && string(ip('::1')) == '::1'",
        "cidr('192.168.0.0/24').containsIP(ip('192.168.0.1')) && cidr('192.168.0.0/24').containsIP('192.168.0.1')",
        "!cidr('192.168.0.0/24').containsIP('192.168.1.1') && !cidr('0.0.0.0/0').containsIP('::1') && cidr('0.0.0.0/0').containsIP('1.2.3.4')",
        "cidr('192.168.0.0/16').containsCIDR(cidr('192.168.10.0/24')) && !cidr('192.168.1.0/24').containsCIDR('192.168.2.0/24')",
        "!cidr('192.168.10.0/24').containsCIDR('192.168.0.0/16') && cidr('192.168.0.1/24').ip() == ip('192.168.0.1')",
        "cidr('192.168.0.1/24').ip().family() == 4 && cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24')",
        "cidr('192.168.0.0/24') != cidr('192.168.0.1/24') && cidr('2001:db8::/32').prefixLength() == 32 && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
        "isCIDR('192.168.0.0/24') && !isCIDR('192.168.0.0/33') && !isCIDR('192.168.0.0') && !isCIDR('1.2.3.4/08') && !isCIDR('1.2.3.4/+8')",
        "cidr('::/0').masked() == cidr('::/0') && cidr('2001:db8::1/64').masked() == cidr('2001:db8::/64')",
    ]);
    fails(&[
        "ip(dyn('x')).isLoopback()",
        "cidr('10.0.0.0/8').containsIP(object.metadata.name)",
    ]);
}

#[test]
fn quantities() {
    holds(&[
        "isQuantity('20') && isQuantity('20M') && isQuantity('20Mi') && isQuantity('1.3Gi') && isQuantity('1e6') && isQuantity('-1.5')",
        "!isQuantity('20Mo') && !isQuantity('10Mm') && !isQuantity('') && !isQuantity('1 ') && !isQuantity('1,345') && !isQuantity('200KB')",
        "!isQuantity('1.1.M') && !isQuantity('1+1.0M') && !isQuantity('0.1mi') && !isQuantity('aoeu') && !isQuantity('1i') && !isQuantity('-3.01e-')",
        "quantity('200M') == quantity('0.2G') && quantity('2000k') == quantity('2M') && quantity('200M') != quantity('0.3G')",
        "quantity('50M').isLessThan(quantity('50Mi')) && quantity('50M').isLessThan(quantity('100M'))",
        "!quantity('100M').isLessThan(quantity('50M')) && quantity('150Mi').isGreaterThan(quantity('100Mi'))",
        "quantity('200M').compareTo(quantity('0.2G')) == 0 && quantity('50M').compareTo(quantity('50Mi')) == -1",
        "quantity('50k').add(quantity('20')) == quantity('50.02k') && !quantity('50k').add(20).isLessThan(quantity('50020'))",
        "quantity('50k').sub(quantity('20')) == quantity('49.98k') && quantity('50k').sub(20) == quantity('49980')",
        "quantity('50k').add(20).sub(quantity('100k')).asInteger() == -49980",
        "quantity('50k').add(20).sub(quantity('100k')).sub(-50000).asInteger() == 20",
        "quantity('50k').asInteger() == 50000 && quantity('50').isInteger() && quantity('50.703k').asApproximateFloat() == 50703.0",
        "!quantity('9999999999999999999999999999999999999G').isInteger() && quantity('50703000').isInteger()",
        "sign(quantity('50k')) == 1 && quantity('-1').sign() == -1 && quantity('0').sign() == 0",
        "quantity('100m').add(quantity('0.9')) == quantity('1') && quantity('1n').isGreaterThan(quantity('0'))",
        "quantity('0.1n') == quantity('1n') && quantity('-0.1n') == quantity('-1n') && quantity('1Ei') == quantity('1152921504606846976')",
        "quantity('16Ei') == quantity('8Ei') && quantity('1.5Gi') == quantity('1610612736') && quantity('1e3') == quantity('1E3')",
        "quantity('1e3') == quantity('1k') && quantity('1E').isGreaterThan(quantity('1P')) && quantity('+5') == quantity('5.0')",
    ]);
    fails(&[
        "quantity('9999999999999999999999999999999999999G').asInteger() == 1",
        "quantity(dyn('x')).sign() == 1",
    ]);
}

#[test]
fn versions() {
    holds(&[
        "isSemver('1.0.0') && isSemver('1.0.0-alpha.1+build.5') && !isSemver('1.0') && !isSemver('v1.0.0') && !isSemver('01.0.0') && !isSemver('hello')",
        "isSemver('v1.0', true) && isSemver('1', true) && isSemver('01.02.03', true) && !isSemver('1.0-alpha', true)",
        "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3",
        "semver('1.2.3').isLessThan(semver('1.2.4')) && semver('1.2.3').isGreaterThan(semver('1.2.3-rc.1'))",
        "semver('1.2.3').compareTo(semver('1.2.3')) == 0 && semver('1.2.3').compareTo(semver('2.0.0')) == -1",
        "semver('v1.02', true) == semver('1.2.0') && semver('1.2.3+a') == semver('1.2.3+b') && semver('1.10.0').isGreaterThan(semver('1.9.0'))",
    ]);
}

#[test]
fn formats() {
    holds(&[
        "!format.dns1123Label().validate('my-label-name').hasValue() && format.dns1123Label().validate('My').hasValue()",
        "format.dns1123Label().validate('a.b').value() == ['must not contain dots']",
        "format.dns1123Subdomain().validate('example.com') == optional.none() && format.dns1123Subdomain().validate('ex_ample').hasValue()",
        "format.dns1035Label().validate('1a').hasValue() && !format.dns1035Label().validate('a1').hasValue()",
        "!format.qualifiedName().validate('example.com/MyName').hasValue() && format.qualifiedName().validate('/a').value()[0] == 'prefix part must be non-empty'",
        "!format.dns1123LabelPrefix().validate('my-label-').hasValue() && format.dns1123Label().validate('my-label-').hasValue()",
        "!format.labelValue().validate('').hasValue() && format.labelValue().validate('-').hasValue()",
        "!format.uri().validate('http://example.com').hasValue() && format.uri().validate('x').hasValue()",
        "!format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue() && format.uuid().validate('x').hasValue()",
        "!format.byte().validate('aGVsbG8=').hasValue() && format.byte().validate('hello').hasValue()",
        "!format.date().validate('2021-01-01').hasValue() && format.date().validate('2021-13-01').hasValue()",
        "!format.datetime().validate('2021-01-01T00:00:00Z').hasValue() && format.datetime().validate('2021-01-01').hasValue()",
        "format.named('dns1123Label').value() == format.dns1123Label() && format.named('unknown') == optional.none()",
    ]);
    let message = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \\'-\\', and must \
                   start and end with an alphanumeric character (e.g. \\'my-name\\',  or \\'123-abc\\', regex used for \
                   validation is \\'[a-z0-9]([-a-z0-9]*[a-z0-9])?\\')";
    holds(&[&format!("format.dns1123Label().validate('A').value() == ['{message}']")]);
}
