//! sonic-rs without a tree and without checks: finds the raw values, and copies what is around them.

use std::borrow::Cow;

use sonic_rs::{JsonValueTrait as _, LazyValue, get_unchecked, to_array_iter_unchecked, to_object_iter_unchecked};

use super::super::workload::{LAST_APPLIED, MARKER, MARKER_BASE64, Shape, Workload, is_secret_name};

/// A text and what changes in it, in order.
struct Changes<'b> {
    text: &'b str,
    spans: Vec<(usize, usize, Cow<'static, str>)>,
}

impl<'b> Changes<'b> {
    fn of(text: &'b str) -> Self {
        Self {
            text,
            spans: Vec::new(),
        }
    }

    /// Where a part of the text stands.
    fn place(&self, part: &str) -> (usize, usize) {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        (start, start + part.len())
    }

    fn replace(&mut self, value: &str, json: impl Into<Cow<'static, str>>) {
        let (start, end) = self.place(value);
        self.spans.push((start, end, json.into()));
    }

    fn write(mut self, out: &mut Vec<u8>) {
        self.spans.sort_by_key(|(start, ..)| *start);
        let mut from = 0;
        for (start, end, json) in self.spans {
            out.extend_from_slice(&self.text.as_bytes()[from..start]);
            out.extend_from_slice(json.as_bytes());
            from = end;
        }
        out.extend_from_slice(&self.text.as_bytes()[from..]);
    }
}

pub fn mask(workload: &Workload, out: &mut Vec<u8>) {
    let body = std::str::from_utf8(&workload.body).unwrap();
    if workload.shape == Shape::PodEvents {
        for line in body.split_inclusive('\n') {
            let mut changes = Changes::of(line);
            let pod = at(line, &["object"]).unwrap();
            object(&mut changes, pod, Shape::Pods);
            changes.write(out);
        }
        return;
    }
    let mut changes = Changes::of(body);
    for item in elements(at(body, &["items"]).unwrap()) {
        object(&mut changes, item, workload.shape);
    }
    changes.write(out);
}

fn at<'b>(json: &'b str, path: &[&str]) -> Option<&'b str> {
    // SAFETY: the bench made the JSON itself.
    let found = unsafe { get_unchecked(json, path) };
    found.ok().map(|value| raw(&value))
}

fn raw<'b>(value: &LazyValue<'b>) -> &'b str {
    match value.as_raw_cow() {
        Cow::Borrowed(raw) => raw,
        Cow::Owned(_) => unreachable!("the input is borrowed"),
    }
}

fn elements(json: &str) -> impl Iterator<Item = &str> {
    // SAFETY: the bench made the JSON itself.
    unsafe { to_array_iter_unchecked(json) }.map(|element| raw(&element.unwrap()))
}

fn object(changes: &mut Changes<'_>, object: &str, shape: Shape) {
    if let Some(managed) = at(object, &["metadata", "managedFields"]) {
        let (start, end) = changes.place(managed);
        let key = ",\"managedFields\":".len();
        changes.spans.push((start - key, end, Cow::Borrowed("")));
    }
    match shape {
        Shape::Secrets | Shape::ConfigMaps => {
            let Some(data) = at(object, &["data"]) else {
                return;
            };
            // SAFETY: the bench made the JSON itself.
            for member in unsafe { to_object_iter_unchecked(data) } {
                let (key, value) = member.unwrap();
                if shape == Shape::Secrets {
                    changes.replace(raw(&value), format!("\"{MARKER_BASE64}\""));
                } else if is_secret_name(&key) {
                    changes.replace(raw(&value), format!("\"{MARKER}\""));
                }
            }
        }
        Shape::Pods | Shape::PodEvents => {
            if let Some(copy) = at(object, &["metadata", "annotations", LAST_APPLIED]) {
                let inner: String = sonic_rs::from_str(copy).unwrap();
                let mut inside = Changes::of(&inner);
                pod(&mut inside, &inner);
                let mut masked = Vec::new();
                inside.write(&mut masked);
                let masked = std::str::from_utf8(&masked).unwrap();
                changes.replace(copy, sonic_rs::to_string(masked).unwrap());
            }
            pod(changes, object);
        }
    }
}

fn pod(changes: &mut Changes<'_>, pod: &str) {
    let Some(containers) = at(pod, &["spec", "containers"]) else {
        return;
    };
    for container in elements(containers) {
        let Some(env) = at(container, &["env"]) else {
            continue;
        };
        for variable in elements(env) {
            // SAFETY: the bench made the JSON itself.
            let name = unsafe { get_unchecked(variable, &["name"]) }.unwrap();
            if is_secret_name(name.as_str().unwrap_or_default())
                && let Some(value) = at(variable, &["value"])
            {
                changes.replace(value, format!("\"{MARKER}\""));
            }
        }
    }
}
