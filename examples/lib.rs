//! What the examples share: telling a story on a terminal, and printing an audit log.

use std::path::Path;

use anstyle::{AnsiColor, Style};
use countersign_kube::core::audit::{Event, Table, verify};

/// Any error.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Tells what happens, in colour where that is a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Narrator {
    ansi: bool,
}

impl Narrator {
    /// A narrator; `ansi` colours the text.
    #[must_use]
    pub fn new(ansi: bool) -> Self {
        Self { ansi }
    }

    /// The next thing that happens.
    pub fn step(&self, text: &str) {
        let style = self.style(Style::new().bold());
        println!("\n{style}{text}{style:#}");
    }

    /// What came of it.
    pub fn fact(&self, text: &str) {
        println!("  {text}");
    }

    /// Tells of a refusal. A call that was not refused, or that failed otherwise, is an error of the example.
    ///
    /// # Errors
    /// If the call was not refused.
    pub fn refusal<T>(&self, answer: kube::Result<T>) -> Result<()> {
        let style = self.style(AnsiColor::Red.on_default());
        match answer {
            Ok(_) => Err("this request should have been refused".into()),
            Err(kube::Error::Api(status)) => {
                println!("  {style}{} {}{style:#}", status.code, status.reason);
                for line in wrapped(&status.message) {
                    println!("    {line}");
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn style(&self, style: Style) -> Style {
        if self.ansi { style } else { Style::new() }
    }
}

/// The lines of a text, broken between words where they would not fit on a terminal of 100 columns.
fn wrapped(text: &str) -> Vec<String> {
    const WIDTH: usize = 92;
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Verifies an audit log and prints it as a table.
///
/// # Errors
/// If the log can't be read, or was tampered with.
pub fn print_audit(path: &Path, ansi: bool) -> Result<()> {
    let log = std::fs::read(path)?;
    let events: Vec<Event> = log
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect::<serde_json::Result<_>>()?;
    let report = verify(&log);
    println!("\nThe audit log, {}:\n", path.display());
    print!("{}", Table::new().with_color(ansi).render(&events));
    println!("\n{report}");
    if report.is_intact() {
        Ok(())
    } else {
        Err("the audit log was tampered with".into())
    }
}
