//! The metadata of every kind: managed fields, JSON in annotations, and a Secret's values in its own metadata.

use std::cell::OnceCell;

use super::names::Names;
use super::part::Owner;
use super::secret::{self, Parts, Values};
use super::trail::Trail;
use super::{Kin, Page, Result, Scope, Walk};
use crate::mask::cursor::{Shape, Text};
use crate::mask::marker::MARKER;
use crate::policy::MaskObligation;

pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(super) const ANNOTATION: &str = "json-annotation";

/// What is known of the object whose metadata is masked.
pub(super) struct Frame<'f, 'a, 'p> {
    pub(super) kin: &'f Kin<'p>,
    pub(super) obligations: &'f [&'p MaskObligation],
    /// If it is a Secret, what of it is compared.
    pub(super) secret: Option<Box<Parts<'a>>>,
    /// A Secret's metadata without its data: its values can't be recognised.
    pub(super) nothing_to_compare: bool,
    /// The values of the Secret that it is, read when they are first needed.
    pub(super) values: OnceCell<Values>,
    pub(super) scope: Scope<'f>,
}

impl Frame<'_, '_, '_> {
    /// The values to be recognised in the metadata: the Secret's own, or those of the one that it is in.
    fn values(&self) -> Result<Option<&Values>> {
        let Some(secret) = &self.secret else {
            return Ok(self.scope.values);
        };
        if self.values.get().is_none() {
            let mut values = self.scope.values.cloned().unwrap_or_default();
            values.collect(secret)?;
            return Ok(Some(self.values.get_or_init(|| values)));
        }
        Ok(self.values.get())
    }

    fn scope(&self) -> Result<Scope<'_>> {
        Ok(Scope {
            values: self.values()?,
            ..self.scope
        })
    }
}

impl<'p> Walk<'p> {
    /// Masks the metadata of an object.
    pub(super) fn metadata(
        &mut self,
        page: &mut Page<'_>,
        mut trail: Trail<'p>,
        frame: &Frame<'_, '_, 'p>,
    ) -> Result<()> {
        if let Some(rule) = trail.obligation() {
            return self.whole(page, trail.place, MARKER, &rule);
        }
        if let Some(kind) = page.kind()? {
            // More than metadata: an object that is called so.
            let mut kin = Kin::default();
            kin.add(self.plan, &kind, None);
            trail.enter(&kin);
            trail.is_secret_data |= kin.is_secret;
        }
        let owner = Owner::ahead(&page.cursor);
        let mut members = page.cursor.object()?;
        while let Some(key) = page.cursor.member(&mut members, &mut page.edits)? {
            let key = key.decode();
            match &*key {
                // Not counted: nobody who reads an object looks for them.
                "managedFields" => {
                    page.cursor.remove_member(&mut members);
                    page.cursor.skip()?;
                }
                "annotations" | "labels" => {
                    if let Some(trail) = trail.member(&key) {
                        self.texts(page, &trail, &key == "annotations", frame)?;
                    }
                }
                "ownerReferences" | "finalizers" if !trail.is_obliged() && frame.scope.values.is_none() => {
                    page.cursor.skip()?;
                }
                _ => self.field(page, &owner, &key, &trail, None, frame.scope)?,
            }
        }
        Ok(())
    }

    /// Masks the metadata of a part, such as a pod template, that is no object with a kind itself.
    pub(super) fn metadata_of_part(
        &mut self,
        page: &mut Page<'_>,
        mut trail: Trail<'p>,
        scope: Scope<'_>,
    ) -> Result<()> {
        if trail.place == super::trail::Place::Inside {
            trail.place = super::trail::Place::Metadata;
        }
        let frame = Frame {
            kin: &Kin::default(),
            obligations: &[],
            secret: None,
            nothing_to_compare: false,
            values: OnceCell::new(),
            scope,
        };
        self.metadata(page, trail, &frame)
    }

    /// Masks annotations or labels.
    fn texts(
        &mut self,
        page: &mut Page<'_>,
        trail: &Trail<'p>,
        are_annotations: bool,
        frame: &Frame<'_, '_, 'p>,
    ) -> Result<()> {
        if let Some(rule) = trail.obligation() {
            return self.whole(page, trail.place, MARKER, &rule);
        }
        if page.cursor.shape()? != Shape::Object {
            return self.odd(page, trail, are_annotations, frame);
        }
        let mut members = page.cursor.object()?;
        while let Some(key) = page.cursor.member(&mut members, &mut page.edits)? {
            let key = key.decode();
            let Some(trail) = trail.member(&key) else {
                page.cursor.skip()?;
                continue;
            };
            if let Some(rule) = trail.obligation() {
                self.whole(page, trail.place, MARKER, &rule)?;
            } else if page.cursor.shape()? != Shape::String {
                self.odd(page, &trail, are_annotations, frame)?;
            } else if are_annotations {
                let text = page.cursor.string()?;
                self.annotation(page, &key, &text, &trail, frame)?;
            } else {
                let text = page.cursor.string()?;
                self.string(page, &text, false, self.names_of_text(&key), frame.scope()?)?;
            }
        }
        Ok(())
    }

    /// What an annotation or label says of its value.
    fn names_of_text<'k>(&self, key: &'k str) -> Names<'k> {
        Names::of(name_of(key).filter(|_| self.plan.detects()))
    }

    /// Masks what should be a text, and is not.
    fn odd(
        &mut self,
        page: &mut Page<'_>,
        trail: &Trail<'p>,
        is_annotation: bool,
        frame: &Frame<'_, '_, 'p>,
    ) -> Result<()> {
        if frame.kin.is_secret && is_annotation {
            return self.whole(page, trail.place, MARKER, ANNOTATION);
        }
        self.value(page, trail, Names::default(), frame.scope()?)
    }

    fn annotation(
        &mut self,
        page: &mut Page<'_>,
        key: &str,
        text: &Text<'_>,
        trail: &Trail<'p>,
        frame: &Frame<'_, '_, 'p>,
    ) -> Result<()> {
        let is_copy = key == LAST_APPLIED;
        if text.raw.is_empty() {
            return Ok(());
        }
        if frame.nothing_to_compare && !is_copy {
            if !is_harmless(key) {
                self.replace_whole(page, text, MARKER, secret::METADATA);
            }
            return Ok(());
        }
        if trail.is_masked() || is_snippet(key) {
            self.replace_whole(page, text, MARKER, super::part::FIELD);
            return Ok(());
        }
        let value = text.decode();
        if (is_copy || super::scalar::looks_like_json(&value))
            && self.unpack_annotation(page, text, &value, is_copy, frame)?
        {
            return Ok(());
        }
        self.string(page, text, false, self.names_of_text(key), frame.scope()?)
    }

    /// Masks JSON in an annotation, in its place, or all of it if it can't be read reliably. Whether it did.
    fn unpack_annotation(
        &mut self,
        page: &mut Page<'_>,
        text: &Text<'_>,
        value: &str,
        is_copy: bool,
        frame: &Frame<'_, '_, 'p>,
    ) -> Result<bool> {
        use super::policy::Policy;
        use super::unpack::Unpacked;

        let context = super::Context {
            kin: frame.kin.clone(),
            // Only the copy that kubectl keeps has the fields of the object it is in; other JSON is an object of its own.
            policy: if is_copy {
                Policy::Same(frame.obligations)
            } else {
                Policy::Part
            },
            scope: frame.scope()?,
        };
        self.hits.clear();
        if !is_copy {
            self.look_at(value, super::names::Names::default(), context.scope);
        }
        let found = std::mem::take(&mut self.hits);
        let unpacked = self.unpack(page, text, value, &found, &context)?;
        self.hits = found;
        match unpacked {
            Unpacked::Masked => Ok(true),
            Unpacked::No if !is_copy => Ok(false),
            Unpacked::No | Unpacked::Unreadable => {
                self.replace_whole(page, text, MARKER, ANNOTATION);
                Ok(true)
            }
        }
    }
}

/// Annotations of Secrets that say nothing about their values.
const HARMLESS: [&str; 14] = [
    "k8s.io/initial-events-end",
    "kubernetes.io/service-account.name",
    "kubernetes.io/service-account.uid",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
    "helm.sh/hook",
    "helm.sh/hook-weight",
    "helm.sh/hook-delete-policy",
    "helm.sh/resource-policy",
    "cert-manager.io/certificate-name",
    "cert-manager.io/issuer-group",
    "cert-manager.io/issuer-kind",
    "cert-manager.io/issuer-name",
    "argocd.argoproj.io/sync-wave",
];

/// Whether an annotation of a Secret says nothing about its values, whatever it is set to by those who own the key.
fn is_harmless(key: &str) -> bool {
    HARMLESS.contains(&key)
}

/// What an annotation or label says of its value; nothing where it is a digest of what it names.
fn name_of(key: &str) -> Option<&str> {
    (!key.contains("checksum") && !key.contains("hash")).then_some(key)
}

/// Whether an annotation of any kind is masked for its key.
pub(in crate::mask) fn is_annotation_masked(key: &str) -> bool {
    key == LAST_APPLIED || is_snippet(key) || is_secret_name(key)
}

/// Whether the key of an annotation or label may say that its value is secret.
pub(in crate::mask) fn is_secret_name(key: &str) -> bool {
    name_of(key).is_some_and(super::names::covers_what_is_below)
}

/// Whether an annotation is configuration of a server, or credentials for one.
fn is_snippet(key: &str) -> bool {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    let is_of_nginx = key
        .split('/')
        .next()
        .is_some_and(|prefix| prefix.ends_with("nginx.ingress.kubernetes.io"));
    name.ends_with("-snippet")
        || name.ends_with("-snippets")
        || is_of_nginx && name.starts_with("auth-")
        || matches!(
            name,
            "snippet" | "auth" | "basic-auth" | "auth-header" | "auth-credentials"
        )
}
