//! A second, independent model of how kube-apiserver reads a request line, taken over from Go step by step: decode the
//! path as a whole, trim, split, classify; drop query pairs that do not parse. It refuses next to nothing, as upstream.

use std::collections::BTreeMap;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestInfo {
    pub(crate) is_resource_request: bool,
    pub(crate) verb: String,
    pub(crate) api_prefix: String,
    pub(crate) api_group: String,
    pub(crate) api_version: String,
    pub(crate) namespace: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) name: String,
    pub(crate) parts: Vec<String>,
    pub(crate) field_selector: String,
    pub(crate) label_selector: String,
    pub(crate) path: String,
}

impl RequestInfo {
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "isResourceRequest": self.is_resource_request, "verb": self.verb, "apiPrefix": self.api_prefix,
            "apiGroup": self.api_group, "apiVersion": self.api_version, "namespace": self.namespace,
            "resource": self.resource, "subresource": self.subresource, "name": self.name, "parts": self.parts,
            "fieldSelector": self.field_selector, "labelSelector": self.label_selector, "path": self.path,
        })
    }
}

/// `RequestInfoFactory.NewRequestInfo`; the flag is whether it returned an error.
pub(crate) fn request_info(method: &str, url: &str) -> Result<(RequestInfo, bool), &'static str> {
    let (raw_path, raw_query) = url.split_once('?').unwrap_or((url, ""));
    let path = unescape(raw_path.as_bytes(), false).ok_or("invalid URL escape")?;
    let path = String::from_utf8_lossy(&path).into_owned();
    let query = parse_query(raw_query);
    let mut info = RequestInfo {
        path: path.clone(),
        verb: method.to_lowercase(),
        ..RequestInfo::default()
    };

    let trimmed = path.trim_matches('/');
    let mut current: Vec<&str> = if trimmed.is_empty() {
        vec![]
    } else {
        trimmed.split('/').collect()
    };
    if current.len() < 3 || !["api", "apis"].contains(&current[0]) {
        return Ok((info, false));
    }
    info.api_prefix = current.remove(0).into();
    if info.api_prefix == "apis" {
        if current.len() < 3 {
            return Ok((info, false));
        }
        info.api_group = current.remove(0).into();
    }
    info.is_resource_request = true;
    info.api_version = current.remove(0).into();
    let mut via_prefix = false;
    if ["watch", "proxy"].contains(&current[0]) {
        if current.len() < 2 {
            info.verb = method.to_lowercase();
            return Ok((info, true));
        }
        info.verb = current.remove(0).into();
        via_prefix = true;
    } else {
        info.verb = match method {
            "POST" => "create",
            "GET" | "HEAD" => "get",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => "delete",
            _ => "",
        }
        .into();
    }
    if current[0] == "namespaces" && current.len() > 1 {
        info.namespace = current[1].into();
        if current.len() > 2 && !["status", "finalize"].contains(&current[2]) {
            current.drain(..2);
        }
    }
    info.parts = current.iter().map(|part| (*part).to_owned()).collect();
    if current.len() >= 3 && info.verb != "proxy" {
        info.subresource = current[2].into();
    }
    if current.len() >= 2 {
        info.name = current[1].into();
    }
    info.resource = current[0].into();

    if info.name.is_empty() && info.verb == "get" {
        let (watch, name) = list_options(&query).unwrap_or_else(|| (first(&query, "watch").is_some_and(is_true), None));
        info.verb = if watch { "watch" } else { "list" }.into();
        info.name = name.unwrap_or_default();
    }
    if info.name.is_empty() && info.verb == "delete" {
        info.verb = "deletecollection".into();
    }
    if !via_prefix && ["list", "watch", "deletecollection"].contains(&info.verb.as_str()) {
        info.field_selector = first(&query, "fieldSelector").unwrap_or_default().into();
        info.label_selector = first(&query, "labelSelector").unwrap_or_default().into();
    }
    Ok((info, false))
}

/// Go's `url.unescape`.
fn unescape(text: &[u8], query: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut index = 0;
    while index < text.len() {
        match text[index] {
            b'%' => {
                let digits = std::str::from_utf8(text.get(index + 1..index + 3)?).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                out.push(u8::from_str_radix(digits, 16).ok()?);
                index += 3;
                continue;
            }
            b'+' if query => out.push(b' '),
            byte => out.push(byte),
        }
        index += 1;
    }
    Some(out)
}

/// Go's `url.ParseQuery`: pairs with a semicolon or a bad escape vanish.
fn parse_query(raw: &str) -> BTreeMap<String, Vec<String>> {
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(key), Some(value)) = (unescape(key.as_bytes(), true), unescape(value.as_bytes(), true)) else {
            continue;
        };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        query.entry(text(key)).or_default().push(text(value));
    }
    query
}

fn first<'a>(query: &'a BTreeMap<String, Vec<String>>, key: &str) -> Option<&'a str> {
    query.get(key).map(|values| values[0].as_str())
}

fn is_true(value: &str) -> bool {
    !["false", "0"].contains(&value.to_lowercase().as_str())
}

/// Decodes list options: whether to watch, and the name that the field selector requires.
fn list_options(query: &BTreeMap<String, Vec<String>>) -> Option<(bool, Option<String>)> {
    for key in ["limit", "timeoutSeconds"] {
        if let Some(value) = first(query, key) {
            value.parse::<i64>().ok()?;
        }
    }
    let mut name = None;
    if let Some(selector) = first(query, "fieldSelector") {
        let mut terms = split_terms(selector);
        terms.sort();
        for term in terms.iter().filter(|term| !term.is_empty()) {
            let (field, operator, value) = split_term(term)?;
            let value = unescape_value(value)?;
            if name.is_none() && operator != "!=" && field == "metadata.name" {
                name = Some(value);
            }
        }
    }
    let name = name.filter(|name| name != "." && name != ".." && !name.contains('/') && !name.contains('%'));
    Some((first(query, "watch").is_some_and(is_true), name))
}

fn split_terms(selector: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut escaped = false;
    for character in selector.chars() {
        match character {
            ',' if !escaped => {
                terms.push(String::new());
                continue;
            }
            '\\' if !escaped => escaped = true,
            _ => escaped = false,
        }
        terms.last_mut().unwrap().push(character);
    }
    terms
}

fn split_term(term: &str) -> Option<(&str, &str, &str)> {
    for (index, _) in term.char_indices() {
        for operator in ["!=", "==", "="] {
            if let Some(value) = term[index..].strip_prefix(operator) {
                return Some((&term[..index], operator, value));
            }
        }
    }
    None
}

fn unescape_value(value: &str) -> Option<String> {
    let mut out = String::new();
    let mut escaped = false;
    for character in value.chars() {
        match (escaped, character) {
            (true, '\\' | ',' | '=') => out.push(character),
            (true, _) | (false, ',' | '=') => return None,
            (false, '\\') => {
                escaped = true;
                continue;
            }
            (false, other) => out.push(other),
        }
        escaped = false;
    }
    (!escaped).then_some(out)
}
