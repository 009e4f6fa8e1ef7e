use super::super::golang;
use super::super::query::{Query, segments};
use super::super::requests::{RecordedRequest, Requests};

#[test]
fn queries_are_read_as_go_reads_them() {
    let query = Query::parse("?&a=1&a=2&b=x+y%20z&c&d=%zz&e=1;f=2&g=False&h=0");
    assert_eq!(query.get("a"), Some("1"));
    assert_eq!(query.all("a").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(query.get("b"), Some("x y z"));
    assert_eq!(
        (query.get("c"), query.text("c"), query.flag("c")),
        (Some(""), None, Some(true))
    );
    assert_eq!((query.get("d"), query.get("e"), query.get("f")), (None, None, None));
    assert_eq!(
        (query.flag("g"), query.flag("h"), query.flag("nope")),
        (Some(false), Some(false), None)
    );
}

#[test]
fn paths_are_decoded_once() {
    assert_eq!(segments("/").unwrap(), Vec::<String>::new());
    assert_eq!(segments("/a/b/").unwrap(), ["a", "b"]);
    assert_eq!(segments("/a//b").unwrap(), ["a", "", "b"]);
    assert_eq!(segments("/%2561").unwrap(), ["%61"]);
    assert!(segments("/%6").is_none() && segments("/%ff").is_none());
}

#[test]
fn quoting_is_that_of_go() {
    assert_eq!(
        golang::quote("a\"b\\c\n\t\u{1}ü\u{85}"),
        "\"a\\\"b\\\\c\\n\\t\\x01ü\\u0085\""
    );
}

#[test]
fn the_request_log_is_bounded() {
    let mut requests = Requests::default();
    let request = |size: usize| RecordedRequest {
        method: http::Method::POST,
        uri: size.to_string(),
        headers: http::HeaderMap::new(),
        body: vec![0; size].into(),
    };
    for size in [40 << 20, 20 << 20, 30 << 20] {
        requests.add(request(size));
    }
    let kept: Vec<usize> = requests.all().iter().map(|request| request.body.len() >> 20).collect();
    assert_eq!(kept, [20, 30]);
    for _ in 0..10_001 {
        requests.add(request(0));
    }
    assert_eq!(requests.all().len(), 10_000);
}
