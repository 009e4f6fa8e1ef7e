//! Where a value without quotes ends.

use std::ops::Range;

use super::bytes::{at, is_blank, part, rest, skip, skip_back, trimmed};

/// The value that begins at a position, in whatever is around it: at most up to the next space.
///
/// What joins assignments (`,`, `;`, `&`) ends a value only before another assignment or a space, since passwords have
/// such signs in them; brackets that it doesn't open itself end it.
pub(super) fn bare(line: &[u8], start: usize) -> Range<usize> {
    let mut position = start;
    let mut open = [0_u32; 3];
    while let Some(byte) = line.get(position).copied() {
        let end = match byte {
            0..=b' ' | b'"' | 0x7f => true,
            b'\'' | b'`' => position > start && ends_after(line, position + 1),
            b'\\' => {
                let mark = skip(line, position, |byte| byte == b'\\');
                if ends_with_escape(line, mark) {
                    true
                } else {
                    position = mark;
                    false
                }
            }
            b'<' => {
                matches!(at(line, position + 1), b'/' | b'b')
                    || position == start && placeholder_end(line, start).is_some()
            }
            b'&' | b',' | b';' => joins(line, position),
            b'%' => part(line, position..position + 3) == b"%26" && joins(line, position + 2),
            b'(' | b'[' | b'{' => {
                if let Some(count) = bracket(byte).and_then(|index| open.get_mut(index)) {
                    *count += 1;
                }
                false
            }
            b')' | b']' | b'}' => match bracket(byte).and_then(|index| open.get_mut(index)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => ends_after(line, position + 1),
            },
            _ => false,
        };
        if end {
            break;
        }
        position += 1;
    }
    if let Some(end) = placeholder_end(line, start) {
        return start..end;
    }
    let end = position.min(line.len());
    start..skip_back(line, end, start, |byte| matches!(byte, b'.' | b',' | b';' | b':'))
}

/// Where `<something>` or `{{ something }}` or `${something}` ends.
fn placeholder_end(line: &[u8], start: usize) -> Option<usize> {
    const MOST: usize = 96;
    let text = part(line, start..line.len().min(start + MOST));
    let (from, closing): (usize, &[u8]) = if text.starts_with(b"{{") {
        (2, b"}}")
    } else if text.starts_with(b"${{") {
        (3, b"}}")
    } else if text.starts_with(b"${") || text.starts_with(b"%{") || text.starts_with(b"#{") {
        (2, b"}")
    } else if text.starts_with(b"$(") {
        (2, b")")
    } else if text.starts_with(b"(sensitive") || text.starts_with(b"(known after") || text.starts_with(b"(hidden") {
        (1, b")")
    } else if text.starts_with(b"<") && at(text, 1).is_ascii_alphabetic() {
        (1, b">")
    } else {
        return None;
    };
    memchr::memmem::find(rest(text, from), closing).map(|found| start + from + found + closing.len())
}

fn bracket(byte: u8) -> Option<usize> {
    match byte {
        b'(' | b')' => Some(0),
        b'[' | b']' => Some(1),
        b'{' | b'}' => Some(2),
        _ => None,
    }
}

/// Whether backslashes before this make it an escape that is no part of a value: an end of line, a quote, `\u0026`.
fn ends_with_escape(line: &[u8], mark: usize) -> bool {
    match at(line, mark) {
        b'n' | b'r' | b't' | b'"' | b'\'' | b'`' | 0 => true,
        b'u' => matches!(
            part(line, mark + 1..mark + 5).to_ascii_lowercase().as_slice(),
            b"0026" | b"0022" | b"0027" | b"003c" | b"003e" | b"000a"
        ),
        _ => false,
    }
}

/// Whether what comes here can't be part of a value that goes on.
fn ends_after(line: &[u8], position: usize) -> bool {
    match at(line, position) {
        0..=b' ' | b',' | b';' | b'"' | b'\'' | b'`' | b'|' | b'<' => true,
        b':' | b'.' | b'&' => matches!(at(line, position + 1), 0..=b' ') || at(line, position) == b'&',
        b')' | b']' | b'}' | b'>' => {
            position < line.len() && ends_after(line, position + 1) || at(line, position + 1) == b')'
        }
        b'\\' => ends_with_escape(line, skip(line, position, |byte| byte == b'\\')),
        _ => false,
    }
}

/// Whether another assignment, or the end, follows a sign that may join two of them.
fn joins(line: &[u8], position: usize) -> bool {
    if part(line, position..position + 5) == b"&amp;" || part(line, position..position + 6) == b"&quot;" {
        return true;
    }
    let mut next = position + 1;
    match at(line, next) {
        0..=b' ' | b'"' | b'\'' | b'}' | b'{' => return true,
        b'\\' => return ends_with_escape(line, skip(line, next, |byte| byte == b'\\')),
        _ => {}
    }
    const MOST: usize = 64;
    // `User Id=` is a name in connection strings.
    let spaced = at(line, position) == b';';
    let name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || (spaced && byte == b' ');
    let stop = line.len().min(next + MOST);
    let text = part(line, 0..stop);
    let start = next;
    next = skip(text, next, name);
    let word = part(line, start..next);
    let named = !word.is_empty() && word.first().is_some_and(u8::is_ascii_alphabetic);
    let byte = at(line, next);
    let encoded = part(line, next..next + 3).eq_ignore_ascii_case(b"%3d");
    match at(line, position) {
        // Of a query, `&flag` too.
        b'&' => named && (matches!(byte, b'=' | b'&') || encoded),
        b'6' => named && encoded,
        _ => named && (byte == b'=' || (byte == b':' && !word.contains(&b' '))),
    }
}

/// The value to the end of the line, without a comment.
pub(super) fn to_line_end(line: &[u8], start: usize) -> Range<usize> {
    let mut end = line.len();
    for mark in [&b" #"[..], b"\t#", b" //"] {
        if let Some(found) = memchr::memmem::find(part(line, start..end), mark) {
            end = start + found;
        }
    }
    let range = trimmed(line, start..end);
    range.start..skip_back(line, range.end, range.start, |byte| byte == b',' || is_blank(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_end() {
        for (text, value) in [
            ("hunter2 user=bob", "hunter2"),
            ("hunter2, user: bob", "hunter2"),
            ("hunter2,user=bob", "hunter2"),
            ("hun,ter2 user=bob", "hun,ter2"),
            ("p@ss;w0rd;Server=x", "p@ss;w0rd"),
            ("a&b=c", "a"),
            ("a%26b%3Dc", "a"),
            ("hunter2}", "hunter2"),
            ("hunter2})", "hunter2"),
            ("hun}ter2 x", "hun}ter2"),
            ("f(x)y z", "f(x)y"),
            ("hunter2\" more", "hunter2"),
            (r"hunter2\nmore", "hunter2"),
            (r#"hunter2\",x"#, "hunter2"),
            (r"hunter2\u0026x=1", "hunter2"),
            (r"a\\b c", r"a\\b"),
            ("hunter2.", "hunter2"),
            ("hunter2' more", "hunter2"),
            ("hun'ter2 more", "hun'ter2"),
            ("<my password> x", "<my password>"),
            ("{{ .Values.x }} y", "{{ .Values.x }}"),
            ("hunter2</password>", "hunter2"),
        ] {
            assert_eq!(&text[bare(text.as_bytes(), 0)], value, "{text}");
        }
    }
}
