//! struson: a reader and a writer, token by token.

use std::io::{Read, Write};

use struson::reader::{JsonReader, JsonStreamReader, ReaderSettings, ValueType};
use struson::writer::{JsonStreamWriter, JsonWriter, WriterSettings};

use super::super::workload::{LAST_APPLIED, MARKER, MARKER_BASE64, Shape, Workload, is_secret_name};

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    List,
    Items,
    Event,
    Object,
    Metadata,
    Annotations,
    SecretData,
    ConfigData,
    Spec,
    Containers,
    Container,
    Env,
    Variable,
}

pub fn mask(workload: &Workload, out: &mut Vec<u8>) {
    let settings = ReaderSettings {
        allow_multiple_top_level: true,
        max_nesting_depth: Some(64),
        ..ReaderSettings::default()
    };
    let mut reader = JsonStreamReader::new_custom(workload.body.as_slice(), settings);
    let settings = WriterSettings {
        multi_top_level_value_separator: Some("\n".to_owned()),
        ..WriterSettings::default()
    };
    let mut writer = JsonStreamWriter::new_custom(&mut *out, settings);
    let place = if workload.shape == Shape::PodEvents {
        Place::Event
    } else {
        Place::List
    };
    loop {
        copy(&mut reader, &mut writer, place, workload.shape);
        if !reader.has_next().unwrap() {
            break;
        }
    }
    writer.finish_document().unwrap();
    out.push(b'\n');
}

fn copy<R: Read, W: Write>(
    reader: &mut JsonStreamReader<R>,
    writer: &mut JsonStreamWriter<W>,
    place: Place,
    shape: Shape,
) {
    match reader.peek().unwrap() {
        ValueType::Object => {
            reader.begin_object().unwrap();
            writer.begin_object().unwrap();
            // The name of a variable comes before its value.
            let mut is_secret = false;
            while reader.has_next().unwrap() {
                let name = reader.next_name_owned().unwrap();
                if (place, name.as_str()) == (Place::Metadata, "managedFields") {
                    reader.skip_value().unwrap();
                    continue;
                }
                writer.name(&name).unwrap();
                let inner = match (place, name.as_str()) {
                    (Place::List, "items") => Place::Items,
                    (Place::Event, "object") => Place::Object,
                    (Place::Object, "metadata") => Place::Metadata,
                    (Place::Object, "spec") => Place::Spec,
                    (Place::Object, "data") if shape == Shape::Secrets => Place::SecretData,
                    (Place::Object, "data") => Place::ConfigData,
                    (Place::Metadata, "annotations") => Place::Annotations,
                    (Place::Spec, "containers") => Place::Containers,
                    (Place::Container, "env") => Place::Env,
                    (Place::Annotations, LAST_APPLIED) => {
                        let inner = inside(&reader.next_string().unwrap());
                        writer.string_value(&inner).unwrap();
                        continue;
                    }
                    (Place::Variable, "name") => {
                        let text = reader.next_string().unwrap();
                        is_secret = is_secret_name(&text);
                        writer.string_value(&text).unwrap();
                        continue;
                    }
                    (Place::Variable, "value") if is_secret => {
                        reader.skip_value().unwrap();
                        writer.string_value(MARKER).unwrap();
                        continue;
                    }
                    (Place::SecretData, _) => {
                        reader.skip_value().unwrap();
                        writer.string_value(MARKER_BASE64).unwrap();
                        continue;
                    }
                    (Place::ConfigData, key) if is_secret_name(key) => {
                        reader.skip_value().unwrap();
                        writer.string_value(MARKER).unwrap();
                        continue;
                    }
                    _ => {
                        reader.transfer_to(writer).unwrap();
                        continue;
                    }
                };
                copy(reader, writer, inner, shape);
            }
            reader.end_object().unwrap();
            writer.end_object().unwrap();
        }
        ValueType::Array => {
            let inner = match place {
                Place::Items => Place::Object,
                Place::Containers => Place::Container,
                Place::Env => Place::Variable,
                _ => return reader.transfer_to(writer).unwrap(),
            };
            reader.begin_array().unwrap();
            writer.begin_array().unwrap();
            while reader.has_next().unwrap() {
                copy(reader, writer, inner, shape);
            }
            reader.end_array().unwrap();
            writer.end_array().unwrap();
        }
        _ => reader.transfer_to(writer).unwrap(),
    }
}

/// The masked text of an object in a string.
fn inside(text: &str) -> String {
    let mut reader = JsonStreamReader::new(text.as_bytes());
    let mut out = Vec::new();
    let mut writer = JsonStreamWriter::new(&mut out);
    copy(&mut reader, &mut writer, Place::Object, Shape::Pods);
    reader.consume_trailing_whitespace().unwrap();
    writer.finish_document().unwrap();
    String::from_utf8(out).unwrap()
}
