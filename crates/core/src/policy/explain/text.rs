//! An explanation as text for a terminal.

use std::fmt;

use super::{ExplainedDocument, ExplainedFinding, ExplainedRule, Explanation, Standing};
use crate::escape::escape_clip;
use crate::policy::engine::{Approver, Need};

/// What has to be known, in words.
pub(super) fn need(need: Need) -> &'static str {
    match need {
        Need::LiveObject => "the live object",
        Need::Namespace => "the Namespace object",
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", escape_clip(&self.target, 1024))?;
        let user = escape_clip(&self.subject.user, 256);
        write!(f, "{user} asks to {}", escape_clip(&self.request, 512))?;
        if !self.effects.is_empty() {
            write!(f, ": {}", self.effects)?;
        }
        writeln!(f)?;
        match self.outcome {
            "needs" => writeln!(
                f,
                "=> not decided yet, {} has to be read first",
                self.needs.join(" and ")
            )?,
            outcome => writeln!(f, "=> {outcome}")?,
        }
        if let Some(message) = &self.message {
            writeln!(f, "   {}", escape_clip(message, 2048))?;
        }
        if let Some(remedy) = &self.remedy {
            writeln!(f, "   {}", escape_clip(remedy, 2048))?;
        }
        for terms in &self.holds {
            let approvers = terms.approvers.iter().map(|approver| match approver {
                Approver::User(name) => escape_clip(name, 128),
                Approver::Group(name) => format!("group {}", escape_clip(name, 128)),
            });
            let approvers = approvers.collect::<Vec<_>>().join(", ");
            let (rule, quorum, seconds) = (&terms.rule, terms.quorum, terms.timeout.as_secs());
            writeln!(f, "   {rule}: {quorum} of {approvers}, within {seconds} s")?;
        }
        for said in &self.masking {
            writeln!(f, "   masking: {}", escape_clip(said, 512))?;
        }
        for rule in &self.others {
            writeln!(f, "   by a rule of no document: {rule}")?;
        }
        let (about, others): (Vec<_>, Vec<_>) = self.documents.iter().partition(|document| document.about_subject);
        for document in about {
            write!(f, "\n{document}")?;
        }
        if !others.is_empty() {
            let names: Vec<&str> = others.iter().map(|document| document.name.as_str()).collect();
            writeln!(f, "\nnot about {user}: {}", names.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for ExplainedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shadow = if self.shadow { ", in shadow: not enforced" } else { "" };
        let scope = if self.in_scope { "in scope" } else { "out of scope" };
        writeln!(f, "{}: {scope}{shadow}", self.name)?;
        if !self.in_scope {
            for scope in &self.scopes {
                writeln!(f, "    scope {}", scope.scope)?;
                for miss in &scope.misses {
                    writeln!(f, "          {miss}")?;
                }
            }
        }
        for finding in &self.findings {
            writeln!(f, "    {finding}")?;
        }
        for rule in &self.rules {
            rule.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for ExplainedFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finding = &self.finding;
        write!(f, "{}", finding.concern)?;
        if let Some(value) = &finding.value {
            write!(f, " {}", escape_clip(value, 128))?;
        }
        if !finding.path.is_empty() {
            write!(f, " at {}", escape_clip(&finding.path, 256))?;
        }
        f.write_str(match self.standing {
            Standing::Inside => ": inside of the limits",
            Standing::Destructive => ": may take something away",
            Standing::Approval => ": needs a human",
            Standing::Forbidden => ": on the hard deny list",
        })?;
        if finding.assumed {
            f.write_str(", unless the live object shows otherwise")?;
        }
        Ok(())
    }
}

impl fmt::Display for ExplainedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.fired { "*" } else { "-" };
        let shadow = if self.shadow { " (in shadow)" } else { "" };
        writeln!(f, "  {mark} {:<7} {}{shadow}", self.action, self.name)?;
        if let Some(failed) = &self.failed {
            writeln!(
                f,
                "            it can't be evaluated, and denies: {}",
                escape_clip(failed, 512)
            )?;
        }
        for miss in &self.misses {
            let permits = if self.fired { "permits nothing here; " } else { "" };
            writeln!(f, "            {permits}{miss}")?;
        }
        Ok(())
    }
}
