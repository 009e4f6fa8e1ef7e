//! What the examples share: telling a story on a terminal, and printing an audit log.

use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use countersign_kube::core::audit::{Event, Table, verify};
use countersign_kube::core::request::Catalog;

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

/// Names and texts of YAML files: these, and those below these folders, in the order of their names.
///
/// # Errors
/// If one of them can't be read.
pub fn yaml_files(paths: &[PathBuf], wanted: impl Fn(&str) -> bool + Copy) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        let named = |error: std::io::Error| format!("{}: {error}", path.display());
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(named)?;
            let mut below = entries
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<Vec<_>>>()
                .map_err(named)?;
            below.sort();
            below.retain(|path| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                path.is_dir() || (name.ends_with(".yaml") || name.ends_with(".yml")) && wanted(name)
            });
            files.extend(yaml_files(&below, wanted)?);
        } else {
            files.push((
                path.display().to_string(),
                std::fs::read_to_string(path).map_err(named)?,
            ));
        }
    }
    Ok(files)
}

/// Whether a file holds tests of policies, by its name.
#[must_use]
pub fn is_test(name: &str) -> bool {
    name.ends_with(".test.yaml") || name.ends_with(".test.yml")
}

/// The resources of Kubernetes and these of others, each as `widgets.example.com=Widget`.
///
/// # Errors
/// If one of them is written in another way.
pub fn catalog(namespaced: &[String], cluster: &[String]) -> Result<Catalog> {
    let mut catalog = Catalog::kubernetes();
    for (names, namespaced) in [(namespaced, true), (cluster, false)] {
        for name in names {
            let parts = name
                .split_once('=')
                .and_then(|(resource, kind)| Some((resource.split_once('.')?, kind)));
            let Some(((resource, group), kind)) = parts else {
                return Err(format!("`{name}` is no custom resource: write `widgets.example.com=Widget`").into());
            };
            catalog = catalog.with_custom(group, resource, kind, namespaced);
        }
    }
    Ok(catalog)
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
