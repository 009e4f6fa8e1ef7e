use super::*;

/// What is masked is between guillemets.
fn check(detect: impl Fn(&[u8], &mut Hits), marked: &str) -> Option<String> {
    let text = marked.replace(['«', '»'], "");
    let mut hits = Hits::default();
    detect(text.as_bytes(), &mut hits);
    let mut shown = String::new();
    let mut from = 0;
    for hit in hits.merged() {
        shown += &text[from..hit.range.start];
        shown += &format!("«{}»", &text[hit.range.clone()]);
        from = hit.range.end;
    }
    shown += &text[from..];
    (shown != marked).then(|| format!("\n  want {marked:?}\n  got  {shown:?}"))
}

fn table(rows: &str) {
    let detectors = crate::detect::Detectors::of_contexts();
    let wrong: Vec<String> = rows
        .split('\n')
        .filter(|row| !row.is_empty())
        .map(|row| row.replace("⏎", "\n"))
        .filter_map(|row| check(|text, hits| detectors.detect(text, hits), &row))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:{}", wrong.len(), wrong.concat());
}

#[test]
fn assignments() {
    table(include_str!("samples/assignments.txt"));
}

#[test]
fn prose_and_look_alikes() {
    table(include_str!("samples/lookalikes.txt"));
}

#[test]
fn headers() {
    table(include_str!("samples/headers.txt"));
}

#[test]
fn commands() {
    table(include_str!("samples/commands.txt"));
}

#[test]
fn lines_of_files() {
    table(include_str!("samples/files.txt"));
}

#[test]
fn encodings() {
    table(include_str!("samples/encoded.txt"));
}
