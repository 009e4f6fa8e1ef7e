//! What is wrong with a document, where, and what was probably meant.

use std::fmt;

use super::inside;
use super::yaml::Span;

/// Errors of one load are cut here: whoever mistook a file for a policy needs no thousand of them.
const LIMIT: usize = 32;
/// Characters of a source line that are shown.
const SHOWN: usize = 160;

/// One thing that is wrong with a policy document.
///
/// Shown as `agent.yaml:12:9: unknown field …`, followed by the line with the place marked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadError {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// The line, with the place marked below it.
    pub excerpt: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        show(f, &self.message, self.suggestion.as_deref(), &self.excerpt)
    }
}

impl std::error::Error for LoadError {}

/// Something in a policy document that is no error, but can't be what was meant.
///
/// Shown as `agent.yaml:12:9: warning: this rule can never fire …`, followed by the line with the place marked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadWarning {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is odd.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// The line, with the place marked below it.
    pub excerpt: String,
}

impl fmt::Display for LoadWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: warning: ", self.file, self.line, self.column)?;
        show(f, &self.message, self.suggestion.as_deref(), &self.excerpt)
    }
}

impl From<LoadError> for LoadWarning {
    fn from(noted: LoadError) -> Self {
        let LoadError {
            file,
            line,
            column,
            message,
            suggestion,
            excerpt,
        } = noted;
        Self {
            file,
            line,
            column,
            message,
            suggestion,
            excerpt,
        }
    }
}

/// What stands behind the place of an error or a warning.
fn show(f: &mut fmt::Formatter<'_>, message: &str, suggestion: Option<&str>, excerpt: &str) -> fmt::Result {
    f.write_str(message)?;
    if let Some(suggestion) = suggestion {
        write!(f, "; did you mean `{suggestion}`?")?;
    }
    if !excerpt.is_empty() {
        write!(f, "\n{excerpt}")?;
    }
    Ok(())
}

/// Everything that is wrong with the documents of one load; at least one error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadErrors(Vec<LoadError>);

impl LoadErrors {
    /// The errors, in the order of the files.
    #[must_use]
    pub fn errors(&self) -> &[LoadError] {
        &self.0
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadErrors {}

/// One file.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Source<'s> {
    pub(in crate::policy) name: &'s str,
    pub(in crate::policy) text: &'s str,
}

/// A place in one of the files of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Site {
    /// The file, by its number.
    pub(in crate::policy) file: usize,
    pub(in crate::policy) span: Span,
}

/// Collects what is wrong, so that one load tells all of it.
#[derive(Debug, Default)]
pub(in crate::policy) struct Problems<'s> {
    sources: Vec<Source<'s>>,
    /// With the number of the file.
    errors: Vec<(usize, LoadError)>,
    warnings: Vec<(usize, LoadWarning)>,
}

impl<'s> Problems<'s> {
    /// Turns to the next file.
    pub(in crate::policy) fn turn_to(&mut self, source: Source<'s>) {
        self.sources.push(source);
    }

    /// The number of the file that is read.
    pub(in crate::policy) fn file(&self) -> usize {
        self.sources.len().saturating_sub(1)
    }

    pub(in crate::policy) fn count(&self) -> usize {
        self.errors.len()
    }

    /// Whether no more is noted: what only tells more of what is wrong can be left out.
    pub(in crate::policy) fn is_full(&self) -> bool {
        self.errors.len() >= LIMIT
    }

    /// The known word that was probably meant, while it would be told.
    pub(in crate::policy) fn nearest(
        &self,
        word: &str,
        known: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Option<String> {
        if self.is_full() { None } else { nearest(word, known) }
    }

    pub(in crate::policy) fn add(&mut self, span: Span, message: impl Into<String>) {
        self.add_with(span, message, None);
    }

    pub(in crate::policy) fn add_with(&mut self, span: Span, message: impl Into<String>, suggestion: Option<String>) {
        let file = self.file();
        self.add_at(Site { file, span }, message, suggestion);
    }

    /// Notes a problem in a file that was read before.
    pub(in crate::policy) fn add_at(&mut self, site: Site, message: impl Into<String>, suggestion: Option<String>) {
        if self.errors.len() < LIMIT {
            let error = self.noted(site, message, suggestion);
            self.errors.push((site.file, error));
        }
    }

    /// Notes what is no error, but odd.
    pub(in crate::policy) fn warn_at(&mut self, site: Site, message: impl Into<String>, suggestion: Option<String>) {
        if self.warnings.len() < LIMIT {
            let warning = self.noted(site, message, suggestion).into();
            self.warnings.push((site.file, warning));
        }
    }

    fn noted(&self, site: Site, message: impl Into<String>, suggestion: Option<String>) -> LoadError {
        let source = self.source(site.file);
        LoadError {
            file: source.name.to_owned(),
            line: site.span.line,
            column: site.span.column,
            message: message.into(),
            suggestion,
            excerpt: excerpt(source.text, site.span),
        }
    }

    /// `agent.yaml:12:9`
    pub(in crate::policy) fn place(&self, site: Site) -> String {
        format!(
            "{}:{}:{}",
            self.source(site.file).name,
            site.span.line,
            site.span.column
        )
    }

    /// Notes a problem at a character of a text whose scalar begins at the span.
    pub(in crate::policy) fn add_inside(
        &mut self,
        span: Span,
        text: &str,
        offset: usize,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) {
        // The place is searched for from the top of the file.
        if !self.is_full() {
            let place = self.span_inside(self.file(), span, text, offset);
            self.add_with(place, message, suggestion);
        }
    }

    /// The place of a character of a text whose scalar begins at the span; that of the scalar where it can't be told.
    pub(in crate::policy) fn span_inside(&self, file: usize, span: Span, text: &str, offset: usize) -> Span {
        inside::find(self.source(file).text, span, text, offset).unwrap_or(span)
    }

    fn source(&self, file: usize) -> Source<'s> {
        let nothing = Source { name: "", text: "" };
        self.sources.get(file).copied().unwrap_or(nothing)
    }

    /// What is odd, or what is wrong. What is checked together is found late; people read from the top.
    pub(in crate::policy) fn finish(mut self) -> Result<Vec<LoadWarning>, LoadErrors> {
        if self.errors.is_empty() {
            let warnings = &mut self.warnings;
            warnings.sort_by_key(|(file, warning)| (*file, warning.line, warning.column));
            return Ok(self.warnings.into_iter().map(|(_, warning)| warning).collect());
        }
        self.errors
            .sort_by_key(|(file, error)| (*file, error.line, error.column));
        Err(LoadErrors(self.errors.into_iter().map(|(_, error)| error).collect()))
    }
}

/// The line with the place marked, as rustc shows it.
fn excerpt(text: &str, span: Span) -> String {
    let Some(line) = span.line.checked_sub(1).and_then(|line| text.lines().nth(line)) else {
        return String::new();
    };
    // A window around the place; control characters must not reach a terminal.
    let before = span.column.saturating_sub(1);
    let skipped = if before + SHOWN / 4 > SHOWN {
        before.saturating_sub(SHOWN / 2)
    } else {
        0
    };
    let shown: String = line
        .chars()
        .skip(skipped)
        .take(SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let shown = shown.trim_end();
    let indent = before - skipped;
    let width = span.width.clamp(1, shown.chars().count().saturating_sub(indent).max(1));
    let number = span.line.to_string();
    let gutter = " ".repeat(number.len());
    let (indent, carets) = (" ".repeat(indent), "^".repeat(width));
    format!("{gutter} |\n{number} | {shown}\n{gutter} | {indent}{carets}")
}

/// The known word that was probably meant.
pub(in crate::policy) fn nearest(word: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    // A distance takes time in the product of the lengths; no known word is that long.
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&lower, &known.as_ref().to_lowercase()),
                known,
            )
        })
        .filter(|(distance, known)| *distance <= length.max(known.as_ref().len()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.as_ref().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_not_worked_out() {
        let mut problems = Problems::default();
        problems.turn_to(Source { name: "a", text: "x" });
        for _ in 0..LIMIT {
            assert_eq!(problems.nearest("podz", ["pods"]).as_deref(), Some("pods"));
            problems.add(Span::START, "wrong");
        }
        let never = std::iter::from_fn(|| -> Option<&str> { panic!("nobody is told") });
        assert_eq!(problems.nearest("podz", never), None);
        problems.add(Span::START, "wrong");
        assert_eq!(problems.finish().unwrap_err().errors().len(), LIMIT);
    }
}
