//! Libraries that build a tree: parse, change, print.

use simd_json::prelude::{ValueAsMutArray as _, ValueAsMutObject as _, ValueAsScalar as _, Writable as _};
use sonic_rs::{JsonValueMutTrait as _, JsonValueTrait as _};

use super::super::workload::{LAST_APPLIED, MARKER, MARKER_BASE64, Shape, Workload, is_secret_name};

/// A library.
pub trait Library {
    type Tree<'b>: Tree;

    fn parse(bytes: &mut [u8]) -> Self::Tree<'_>;
}

/// A value in its tree.
pub trait Tree {
    fn print(&self, out: &mut Vec<u8>);
    fn at(&mut self, key: &str) -> Option<&mut Self>;
    fn elements(&mut self, each: impl FnMut(&mut Self));
    fn members(&mut self, each: impl FnMut(&str, &mut Self));
    fn remove(&mut self, key: &str);
    fn text(&self) -> Option<&str>;
    fn set(&mut self, text: &str);
}

pub fn mask<L: Library>(workload: &Workload, out: &mut Vec<u8>) {
    if workload.shape == Shape::PodEvents {
        for line in workload.body.split_inclusive(|byte| *byte == b'\n') {
            let mut line = line.to_vec();
            let mut event = L::parse(&mut line);
            event
                .at("object")
                .into_iter()
                .for_each(|pod| object::<L>(pod, Shape::Pods));
            event.print(out);
            out.push(b'\n');
        }
        return;
    }
    let mut body = workload.body.clone();
    let mut list = L::parse(&mut body);
    if let Some(items) = list.at("items") {
        items.elements(|item| object::<L>(item, workload.shape));
    }
    list.print(out);
    out.push(b'\n');
}

fn object<L: Library>(object: &mut L::Tree<'_>, shape: Shape) {
    if let Some(metadata) = object.at("metadata") {
        metadata.remove("managedFields");
        if let Some(copy) = metadata.at("annotations").and_then(|all| all.at(LAST_APPLIED)) {
            let mut text = copy.text().unwrap_or_default().to_owned().into_bytes();
            let mut inner = L::parse(&mut text);
            pod(&mut inner);
            let mut out = Vec::new();
            inner.print(&mut out);
            copy.set(std::str::from_utf8(&out).unwrap());
        }
    }
    match shape {
        Shape::Secrets => {
            if let Some(data) = object.at("data") {
                data.members(|_, value| value.set(MARKER_BASE64));
            }
        }
        Shape::ConfigMaps => {
            if let Some(data) = object.at("data") {
                data.members(|key, value| {
                    if is_secret_name(key) {
                        value.set(MARKER);
                    }
                });
            }
        }
        Shape::Pods | Shape::PodEvents => pod(object),
    }
}

fn pod(pod: &mut impl Tree) {
    let Some(containers) = pod.at("spec").and_then(|spec| spec.at("containers")) else {
        return;
    };
    containers.elements(|container| {
        let Some(env) = container.at("env") else {
            return;
        };
        env.elements(|variable| {
            let is_secret = variable.at("name").and_then(|name| name.text().map(is_secret_name));
            if is_secret == Some(true)
                && let Some(value) = variable.at("value")
            {
                value.set(MARKER);
            }
        });
    });
}

pub struct SerdeJson;

impl Library for SerdeJson {
    type Tree<'b> = serde_json::Value;

    fn parse(bytes: &mut [u8]) -> serde_json::Value {
        serde_json::from_slice(bytes).unwrap()
    }
}

impl Tree for serde_json::Value {
    fn print(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).unwrap();
    }

    fn at(&mut self, key: &str) -> Option<&mut Self> {
        self.get_mut(key)
    }

    fn elements(&mut self, each: impl FnMut(&mut Self)) {
        self.as_array_mut().into_iter().flatten().for_each(each);
    }

    fn members(&mut self, mut each: impl FnMut(&str, &mut Self)) {
        self.as_object_mut()
            .into_iter()
            .flatten()
            .for_each(|(key, value)| each(key, value));
    }

    fn remove(&mut self, key: &str) {
        self.as_object_mut().and_then(|object| object.remove(key));
    }

    fn text(&self) -> Option<&str> {
        self.as_str()
    }

    fn set(&mut self, text: &str) {
        *self = text.into();
    }
}

pub struct SimdJson;

impl Library for SimdJson {
    type Tree<'b> = simd_json::BorrowedValue<'b>;

    fn parse(bytes: &mut [u8]) -> simd_json::BorrowedValue<'_> {
        simd_json::to_borrowed_value(bytes).unwrap()
    }
}

impl Tree for simd_json::BorrowedValue<'_> {
    fn print(&self, out: &mut Vec<u8>) {
        self.write(out).unwrap();
    }

    fn at(&mut self, key: &str) -> Option<&mut Self> {
        self.as_object_mut()?.get_mut(key)
    }

    fn elements(&mut self, each: impl FnMut(&mut Self)) {
        self.as_array_mut()
            .into_iter()
            .flat_map(|array| array.iter_mut())
            .for_each(each);
    }

    fn members(&mut self, mut each: impl FnMut(&str, &mut Self)) {
        let members = self.as_object_mut().into_iter().flat_map(|object| object.iter_mut());
        members.for_each(|(key, value)| each(key, value));
    }

    fn remove(&mut self, key: &str) {
        self.as_object_mut().and_then(|object| object.remove(key));
    }

    fn text(&self) -> Option<&str> {
        self.as_str()
    }

    fn set(&mut self, text: &str) {
        *self = simd_json::BorrowedValue::from(text.to_owned());
    }
}

pub struct Sonic;

impl Library for Sonic {
    type Tree<'b> = sonic_rs::Value;

    fn parse(bytes: &mut [u8]) -> sonic_rs::Value {
        sonic_rs::from_slice(bytes).unwrap()
    }
}

impl Tree for sonic_rs::Value {
    fn print(&self, out: &mut Vec<u8>) {
        sonic_rs::to_writer(out, self).unwrap();
    }

    fn at(&mut self, key: &str) -> Option<&mut Self> {
        self.get_mut(key)
    }

    fn elements(&mut self, each: impl FnMut(&mut Self)) {
        self.as_array_mut()
            .into_iter()
            .flat_map(|array| array.iter_mut())
            .for_each(each);
    }

    fn members(&mut self, mut each: impl FnMut(&str, &mut Self)) {
        let members = self.as_object_mut().into_iter().flat_map(|object| object.iter_mut());
        members.for_each(|(key, value)| each(key, value));
    }

    fn remove(&mut self, key: &str) {
        self.as_object_mut().and_then(|object| object.remove(&key));
    }

    fn text(&self) -> Option<&str> {
        self.as_str()
    }

    fn set(&mut self, text: &str) {
        *self = text.into();
    }
}
