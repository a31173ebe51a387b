//! `super8 show`: shows cassettes as timelines, in the terminal, as JSON or as pages.

use crate::cassette;
use crate::exit::{Exit, Failure, Outcome};
use crate::folder::{Cassettes, Member};
use crate::output;
use crate::runs::Run;
use crate::show::timeline::Timeline;
use crate::show::{html, index, json, text};
use clap::Args;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use super8_cassette::{Metadata, utc};

/// `super8 show CASSETTE`
#[derive(Args)]
#[command(after_help = "\
Examples:
  super8 show cassettes/orders
  super8 show tapes
  super8 show --all --rows 5 cassettes/orders | less
  super8 show --html orders.html cassettes/orders")]
pub struct Show {
    /// The cassette, or a folder of cassettes
    cassette: PathBuf,
    /// Show answers and housekeeping, too
    #[arg(short, long)]
    all: bool,
    /// Show the numbers of commands, which `super8 replay --fault` takes, instead of their lines
    #[arg(short, long, conflicts_with_all = ["html", "json"])]
    numbers: bool,
    /// Show the first N rows of each result [default: 0; 50 in a page]
    #[arg(short, long, value_name = "N")]
    rows: Option<usize>,
    /// Write one page that needs nothing else; of a folder, a page for each cassette and this one, which leads to them
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "all"])]
    html: Option<PathBuf>,
    /// Write JSON
    #[arg(long, conflicts_with = "all")]
    json: bool,
}

impl Show {
    /// Shows each cassette. In a folder, one that cannot be read does not stop the others.
    pub fn run(self) -> Outcome {
        let found = Cassettes::find(&self.cassette)?;
        match (&self.html, self.json) {
            (Some(file), _) if found.folder => self.write_pages(file, &found.members),
            (Some(file), _) => {
                found.members.iter().try_for_each(|member| pages(file, member, self.rows()).map(drop))?;
                Ok(Exit::Done)
            }
            (None, true) => self.write_json(&found),
            (None, false) => self.write_text(&found),
        }
    }

    fn rows(&self) -> usize {
        self.rows.unwrap_or(if self.html.is_some() { 50 } else { 0 })
    }

    fn write_json(&self, found: &Cassettes) -> Outcome {
        let mut out = output::bytes();
        let mut exit = Exit::Done;
        let several = found.folder || found.members.iter().any(|member| member.pieces.len() > 1);
        let mut comma = "";
        write!(out, "{}", if several { "[" } else { "" })?;
        for path in found.members.iter().flat_map(|member| &member.pieces) {
            write!(out, "{comma}")?;
            comma = ",";
            let name = path.display().to_string();
            let written = |out: &mut dyn Write| {
                let opened = cassette::open(path)?;
                json::write(out, &name, &opened.metadata, &Timeline::new(&opened, self.rows())?)
            };
            if !found.folder {
                written(&mut out)?;
                continue;
            }
            // each object is written as a whole, because half of one would make the document invalid
            let mut whole = Vec::new();
            match written(&mut whole) {
                Ok(()) => out.write_all(&whole)?,
                Err(failure) => {
                    exit = Exit::Failed;
                    writeln!(out, "{}", serde_json::json!({ "cassette": name, "error": failure.to_string() }))?;
                }
            }
        }
        write!(out, "{}", if several { "]\n" } else { "" })?;
        output::finish(out).map(|()| exit)
    }

    fn write_text(&self, found: &Cassettes) -> Outcome {
        let mut out = output::text();
        let (mut commands, mut failures, mut first) = (0, Vec::new(), true);
        for path in found.members.iter().flat_map(|member| &member.pieces) {
            if !std::mem::take(&mut first) {
                writeln!(out)?;
            }
            let shown = cassette::open(path).and_then(|opened| {
                let timeline = Timeline::new(&opened, self.rows())?;
                commands += timeline.counts().commands;
                self.write(&mut out, &path.display().to_string(), &opened.metadata, &timeline)
            });
            match shown {
                Err(failure) if found.folder => {
                    writeln!(out, "{}: not shown", path.display())?;
                    failures.push(failure);
                }
                shown => shown?,
            }
        }
        if found.folder {
            writeln!(out, "\n{}: {} cassettes, {commands} commands", self.cassette.display(), found.members.len())?;
        }
        output::finish(out)?;
        failures.iter().for_each(Failure::say);
        Ok(if failures.is_empty() { Exit::Done } else { Exit::Failed })
    }

    /// Writes the pages of a folder's cassettes into the directory `NAME.pages`, and beside it `NAME.html`, which links
    /// to them.
    fn write_pages(&self, file: &Path, members: &[Member]) -> Outcome {
        let beside = with_ending(Path::new(file.file_stem().unwrap_or_default()), ".pages");
        let runs = Run::kept();
        let (mut rows, mut failures) = (Vec::new(), Vec::new());
        for member in members {
            let page = with_ending(&file.with_file_name(&beside).join(&member.name), ".html");
            let directory = page.parent().unwrap_or(Path::new(""));
            std::fs::create_dir_all(directory)
                .map_err(|error| Failure::new(format_args!("cannot write {}: {error}", directory.display())))?;
            let mut row = |name: &Path, page: Result<index::Page, String>| {
                let name = name.display().to_string();
                rows.push(index::Row { name, page, last: last_use(&runs, member) });
            };
            match pages(&page, member, self.rows()) {
                Ok(written) => written.into_iter().zip(&member.pieces).for_each(|(page, path)| row(path, Ok(page))),
                Err(failure) => {
                    row(&member.path, Err(failure.to_string()));
                    failures.push(failure);
                }
            }
        }
        let written = std::fs::File::create(file).and_then(|created| {
            let mut out = BufWriter::new(created);
            index::write(&mut out, &self.cassette.display().to_string(), file, &rows)?;
            out.flush()
        });
        written.map_err(|error| Failure::new(format_args!("cannot write {}: {error}", file.display())))?;
        failures.iter().for_each(Failure::say);
        Ok(if failures.is_empty() { Exit::Done } else { Exit::Failed })
    }

    fn write(
        &self,
        out: &mut impl Write,
        name: &str,
        metadata: &Metadata,
        timeline: &Timeline<'_>,
    ) -> Result<(), Failure> {
        let terminal = std::io::stdout().is_terminal();
        let columns = terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
        let look = text::TextStyle { all: self.all, numbers: self.numbers, columns };
        text::head(out, name, metadata, timeline)?;
        let width = timeline.width();
        let bar = output::beside_text(output::bar("showing", timeline.counts().entries as u64));
        timeline.steps(&mut |step| {
            bar.inc(1);
            text::step(out, step, look, width)
        })?;
        bar.finish_and_clear();
        Ok(())
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Writes the page of a cassette, and those of its parts under the page's name and the part's, such as
/// `orders-isql-2.html`.
fn pages(file: &Path, member: &Member, rows: usize) -> Result<Vec<index::Page>, Failure> {
    let mut written = Vec::new();
    for (number, path) in member.pieces.iter().enumerate() {
        let part = path.file_name().unwrap_or_default().to_string_lossy();
        let (stem, end) = (file.file_stem().unwrap_or_default(), file.extension().unwrap_or_default());
        let of_part = format!("{}-{part}.{}", stem.to_string_lossy(), end.to_string_lossy());
        let of_part = || file.with_file_name(of_part.trim_end_matches('.'));
        let page = if number == 0 { file.to_owned() } else { of_part() };
        written.push(write_page(&page, path, rows, None)?);
    }
    Ok(written)
}

/// Returns how a cassette was last used.
fn last_use(runs: &[Run], member: &Member) -> Option<index::LastUse> {
    let (run, opened) = Run::last_use(runs, &member.pieces)?;
    let when = run.ended.and_then(|ended| ended.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs());
    let words: Vec<String> = run.command.iter().map(|word| super8_cassette::shell(word)).collect();
    let of_run = run.not_whole().filter(|_| matches!(opened.verdict.as_str(), "passed" | "recorded"));
    Some(index::LastUse {
        when: utc(when),
        run: format!("{}: {}", run.verb, words.join(" ")),
        verdict: opened.verdict.replace('_', " "),
        is_well: matches!(opened.verdict.as_str(), "passed" | "recorded" | ""),
        why: of_run.unwrap_or_else(|| opened.why.clone()),
    })
}

/// Writes the page of a cassette, with the findings of a sweep.
pub(super) fn write_page(
    file: &Path,
    path: &Path,
    rows: usize,
    swept: Option<Vec<html::Swept>>,
) -> Result<index::Page, Failure> {
    let cannot = |error: std::io::Error| Failure::new(format_args!("cannot write {}: {error}", file.display()));
    let opened = cassette::open(path)?;
    let timeline = Timeline::new(&opened, rows)?;
    let counts = timeline.counts();
    let bar = output::bar("writing", counts.entries as u64);
    let mut out = BufWriter::new(std::fs::File::create(file).map_err(cannot)?);
    let overview = html::Overview::of(&timeline)?;
    html::head(&mut out, &path.display().to_string(), &opened.metadata, &overview, swept.as_deref()).map_err(cannot)?;
    let mut data = html::Data::with(swept.unwrap_or_default());
    timeline.steps(&mut |step| {
        bar.inc(1);
        data.step(&mut out, step).map_err(cannot)
    })?;
    data.end(&mut out).and_then(|()| html::foot(&mut out)).and_then(|()| out.flush()).map_err(cannot)?;
    bar.finish_and_clear();
    let recorded_on = opened.metadata.recorded_on.clone();
    Ok(index::Page { file: file.to_owned(), commands: counts.commands, recorded_on })
}
