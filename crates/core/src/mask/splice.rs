//! Writes a changed tree in the form of the text that it was read from: what did not change stays byte for byte.

use crate::json::{Object, Value};

/// The text of `new` in the form of `source`, which is the text of `old`.
///
/// Members that are gone are left out; where more than that is different in an object's keys or an array's length, that
/// object or array is written compactly.
pub(super) fn splice(source: &str, old: &Value, new: &Value) -> String {
    let mut splicer = Splicer {
        source,
        at: 0,
        out: String::with_capacity(source.len()),
    };
    splicer.space();
    splicer.value(old, new);
    splicer.space();
    splicer.out
}

/// Reads `source`, which was parsed before and is valid JSON.
struct Splicer<'a> {
    source: &'a str,
    at: usize,
    out: String,
}

impl Splicer<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn copy_from(&mut self, start: usize) {
        self.out.push_str(self.source.get(start..self.at).unwrap_or_default());
    }

    fn space(&mut self) {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.copy_from(start);
    }

    /// Copies one character of punctuation.
    fn punctuation(&mut self) {
        let start = self.at;
        self.at += 1;
        self.copy_from(start);
    }

    fn value(&mut self, old: &Value, new: &Value) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) if only_removals(old, new) => self.object(old, new),
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => self.array(old, new),
            (Value::Object(_) | Value::Array(_), _) => {
                self.skip();
                new.write(&mut self.out);
            }
            _ => {
                let start = self.at;
                self.skip();
                if old == new {
                    self.copy_from(start);
                } else {
                    new.write(&mut self.out);
                }
            }
        }
    }

    fn array(&mut self, old: &[Value], new: &[Value]) {
        self.punctuation();
        self.space();
        for (old, new) in old.iter().zip(new) {
            self.value(old, new);
            self.space();
            // The comma behind it, or the bracket that ends the array.
            self.punctuation();
            self.space_unless_last();
        }
        if old.is_empty() {
            self.punctuation();
        }
    }

    fn space_unless_last(&mut self) {
        if self.out.ends_with(',') {
            self.space();
        }
    }

    fn object(&mut self, old: &Object, new: &Object) {
        self.punctuation();
        if old.is_empty() {
            self.space();
            self.punctuation();
            return;
        }
        let mut kept = new.iter().peekable();
        let mut written = false;
        for (key, old) in old.iter() {
            let before = self.out.len();
            if written {
                self.out.push(',');
            }
            self.space();
            let start = self.at;
            self.skip();
            self.copy_from(start);
            self.space();
            self.punctuation();
            self.space();
            if let Some((_, new)) = kept.next_if(|(name, _)| *name == key) {
                self.value(old, new);
                self.space();
                written = true;
            } else {
                self.skip();
                self.out.truncate(before);
                self.space();
                // The space before the brace is the object's, any other the member's.
                if self.peek() == Some(b',') {
                    self.out.truncate(before);
                }
            }
            // The comma behind it, or the brace that ends the object.
            self.at += 1;
        }
        self.out.push('}');
    }

    /// Passes over one value.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => self.skip_string(),
                Some(b'{' | b'[') => {
                    self.at += 1;
                    depth += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    self.at += 1;
                    depth -= 1;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                Some(byte) if depth > 0 && byte.is_ascii_whitespace() => {
                    self.at += 1;
                    continue;
                }
                Some(_) => {
                    self.at += 1;
                    while self
                        .peek()
                        .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
                    {
                        self.at += 1;
                    }
                }
                None => return,
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'\\') => self.at += 2,
                Some(b'"') => {
                    self.at += 1;
                    return;
                }
                Some(_) => self.at += 1,
                None => return,
            }
        }
    }
}

/// Whether the keys of `new` are those of `old`, in their order, some perhaps missing.
fn only_removals(old: &Object, new: &Object) -> bool {
    let mut old = old.iter().map(|(key, _)| key);
    new.iter().all(|(key, _)| old.any(|name| name == key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spliced(source: &str, change: impl FnOnce(&mut Value)) -> String {
        let old = Value::parse(source.as_bytes()).unwrap();
        let mut new = old.clone();
        change(&mut new);
        let text = splice(source, &old, &new);
        assert_eq!(Value::parse(text.as_bytes()).unwrap(), new, "{source} became {text}");
        text
    }

    #[test]
    fn keeps_the_form() {
        let source = " { \"a\" : [ 1 ,2.50, { } ,[ ]] ,\n\t\"b\\u0063\":\"\\u003c\\/\" , \"z\":null } \n";
        assert_eq!(spliced(source, |_| {}), source);
        assert_eq!(
            spliced(source, |value| value.as_object_mut().unwrap().insert("z", "x")),
            source.replace("null", "\"x\"")
        );
        let cut = spliced(source, |value| {
            value.as_object_mut().unwrap().remove("a");
        });
        assert_eq!(cut, " {\n\t\"b\\u0063\":\"\\u003c\\/\" , \"z\":null } \n");
        let cut = spliced(source, |value| {
            value.as_object_mut().unwrap().remove("z");
        });
        assert_eq!(
            cut,
            " { \"a\" : [ 1 ,2.50, { } ,[ ]] ,\n\t\"b\\u0063\":\"\\u003c\\/\"  } \n"
        );
        assert_eq!(
            spliced("{\"a\":1}", |value| {
                value.as_object_mut().unwrap().remove("a");
            }),
            "{}"
        );
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|n| Value::Number(n.to_string())),
            "[a-c\"\\\\{}\\[\\],: é\n]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec(("[a-d\"]{0,2}", inner), 0..4).prop_map(|members| {
                    let mut object = Object::new();
                    for (key, value) in members {
                        object.insert(&key, value);
                    }
                    Value::Object(object)
                }),
            ]
        })
    }

    /// Changes a tree somehow, by the bits of `dice`.
    fn shake(value: &mut Value, dice: &mut u64) {
        *dice = dice.rotate_right(3) ^ 0x9e37_79b9;
        match value {
            Value::Object(object) => {
                let keys: Vec<String> = object.iter().map(|(key, _)| key.to_owned()).collect();
                for key in keys {
                    *dice = dice.rotate_right(5).wrapping_mul(31);
                    if dice.is_multiple_of(4) {
                        object.remove(&key);
                    }
                }
                object.iter_mut().for_each(|(_, member)| shake(member, dice));
            }
            Value::Array(elements) => {
                if dice.is_multiple_of(5) {
                    elements.pop();
                }
                elements.iter_mut().for_each(|element| shake(element, dice));
            }
            scalar if dice.is_multiple_of(2) => *scalar = Value::from("x\"y"),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn reads_back_as_the_new_tree(value in any_value(), mut dice: u64) {
            let source = String::from_utf8(value.to_bytes().to_vec()).unwrap();
            spliced(&source, |new| shake(new, &mut dice));
        }
    }
}
