//! What came of running cases, and how it is shown.

use std::fmt;

use serde::Serialize;

use crate::escape::escape_clip;

/// What came of running cases. Shown as a test runner does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TestReport {
    /// All cases, in their order.
    pub cases: Vec<CaseReport>,
    /// Rules of the policy's own documents that no case made fire.
    pub never_fired: Vec<String>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CaseReport {
    /// `file:line:column`
    pub place: String,
    /// The document.
    pub suite: String,
    /// The case.
    pub name: String,
    /// What is not as expected; empty if it passed.
    pub differences: Vec<Difference>,
    /// Of a case that failed, what is said of the rules that matter.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The field of `expect`.
    pub what: &'static str,
    /// What it says.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

impl TestReport {
    /// Number of cases that passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|case| case.passed()).count()
    }

    /// Number of cases that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.cases.len() - self.passed()
    }
}

impl CaseReport {
    /// Whether everything is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut suite = "";
        for case in &self.cases {
            if case.suite != suite {
                suite = &case.suite;
                writeln!(f, "{suite}")?;
            }
            case.fmt(f)?;
        }
        writeln!(f, "\n{} passed, {} failed", self.passed(), self.failed())?;
        if !self.never_fired.is_empty() {
            writeln!(f, "rules that no case made fire: {}", self.never_fired.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = escape_clip(&self.name, 256);
        if self.passed() {
            return writeln!(f, "  ok    {name}");
        }
        writeln!(f, "  FAIL  {name}  ({})", self.place)?;
        for difference in &self.differences {
            let Difference { what, expected, actual } = difference;
            writeln!(f, "        {what:<9} expected {}", escape_clip(expected, 1024))?;
            writeln!(f, "        {:<9} actual   {}", "", escape_clip(actual, 1024))?;
        }
        for line in self.why.lines() {
            writeln!(f, "      {line}")?;
        }
        Ok(())
    }
}
