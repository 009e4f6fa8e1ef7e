//! Files of templates: text with gaps.
//!
//! `=== context ×5` begins a context whose templates are each filled five times; a line of `%%` ends a template. A gap is
//! `«value:encoding…»`, with `#n` behind the name where the same value comes again. Spaces and line ends around a
//! template are no part of it.

use std::collections::BTreeMap;

use super::marked::{self, Alphabet};
use super::rng::Rng;
use super::values;

/// A template and where it is from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    pub(crate) context: &'static str,
    pub(crate) number: usize,
    pub(crate) times: usize,
    pub(crate) text: &'static str,
}

/// The templates of a file.
pub(crate) fn templates(file: &'static str) -> Vec<Template> {
    let mut all = Vec::new();
    for section in file.split("\n=== ").skip(1) {
        let (head, body) = section.split_once('\n').expect("a context has templates");
        let (context, times) = head.split_once(" ×").expect("a context says how often");
        let times = times.trim().parse().expect("how often is a number");
        let texts = body.split("\n%%\n").map(|text| text.trim_matches('\n'));
        all.extend(
            texts
                .filter(|text| !text.is_empty())
                .enumerate()
                .map(|(number, text)| Template {
                    context,
                    number,
                    times,
                    text,
                }),
        );
    }
    all
}

/// Fills the gaps.
pub(crate) fn fill(template: &str, rng: &mut Rng) -> String {
    let (mut out, mut rest, mut again) = (String::new(), template, BTreeMap::new());
    while let Some((before, gap)) = rest.split_once('«') {
        let (gap, after) = gap
            .split_once('»')
            .unwrap_or_else(|| panic!("a gap that does not end: {template}"));
        out.push_str(before);
        let mut parts = gap.split(':');
        let key = parts.next().expect("a first part");
        let name = key.split('#').next().expect("a first part");
        let mut value = if key == name {
            values::value(name, rng)
        } else {
            again.entry(key).or_insert_with(|| values::value(name, rng)).clone()
        };
        for encoding in parts {
            value = encode(&value, encoding);
        }
        out.push_str(&value);
        rest = after;
    }
    out + rest
}

fn encode(value: &str, encoding: &str) -> String {
    match encoding {
        "json" => marked::json(value),
        "json-html" => marked::json_html(value),
        "url" => marked::url(value),
        "form" => marked::form(value),
        "hex" => marked::hex(value),
        "b64" => marked::base64(value, Alphabet::Standard),
        "b64u" => marked::base64(value, Alphabet::Url),
        "gzip" => marked::gzip(value),
        "in2" => marked::indent(value, 2),
        "in4" => marked::indent(value, 4),
        "in6" => marked::indent(value, 6),
        other => panic!("no such encoding: {other}"),
    }
}
