//! `super8 show`: a cassette as a timeline, in the terminal or as a page.

use crate::cassette;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::show::timeline::Timeline;
use crate::show::{html, json, text};
use clap::Args;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use super8_cassette::{Metadata, with_parts_or_alone};

/// `super8 show CASSETTE`
#[derive(Args)]
#[command(after_help = "\
Examples:
  super8 show cassettes/orders
  super8 show --all --rows 5 cassettes/orders | less
  super8 show --html orders.html cassettes/orders")]
pub struct Show {
    /// The cassette
    cassette: PathBuf,
    /// Show answers and housekeeping, too
    #[arg(short, long)]
    all: bool,
    /// Show the first N rows of each result [default: 0; 50 in a page]
    #[arg(short, long, value_name = "N")]
    rows: Option<usize>,
    /// Write one page that needs nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "all"])]
    html: Option<PathBuf>,
    /// Write JSON
    #[arg(long, conflicts_with = "all")]
    json: bool,
}

impl Show {
    /// Shows it.
    pub fn run(self) -> Outcome {
        let rows = self.rows.unwrap_or(if self.html.is_some() { 50 } else { 0 });
        let cassettes = with_parts_or_alone(&self.cassette);
        if let Some(file) = &self.html {
            return cassettes
                .iter()
                .enumerate()
                .try_for_each(|(number, path)| page(number, file, path, rows))
                .map(|()| Exit::Done);
        }
        if self.json {
            let mut out = output::bytes();
            let several = cassettes.len() > 1;
            write!(out, "{}", if several { "[" } else { "" })?;
            for (number, path) in cassettes.iter().enumerate() {
                write!(out, "{}", if number > 0 { "," } else { "" })?;
                let opened = cassette::open(path)?;
                let name = path.display().to_string();
                json::write(&mut out, &name, &opened.metadata, &mut Timeline::new(&opened, rows)?)?;
            }
            write!(out, "{}", if several { "]\n" } else { "" })?;
            return output::finish(out).map(|()| Exit::Done);
        }
        let mut out = output::text();
        for (number, path) in cassettes.iter().enumerate() {
            let opened = cassette::open(path)?;
            if number > 0 {
                writeln!(out)?;
            }
            self.write(&mut out, &path.display().to_string(), &opened.metadata, &mut Timeline::new(&opened, rows)?)?;
        }
        output::finish(out).map(|()| Exit::Done)
    }

    fn write(
        &self,
        out: &mut impl Write,
        name: &str,
        metadata: &Metadata,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), Failure> {
        let terminal = std::io::stdout().is_terminal();
        let columns = terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
        let look = text::Look { all: self.all, columns };
        text::head(out, name, metadata, timeline)?;
        let width = timeline.width();
        while let Some(step) = timeline.step()? {
            text::step(out, &step, look, width)?;
        }
        Ok(())
    }
}

/// Writes a page, of a part under the page's name with that of the part: `orders-isql-2.html`.
fn page(number: usize, file: &Path, path: &Path, rows: usize) -> Result<(), Failure> {
    let part = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, end) = (file.file_stem().unwrap_or_default(), file.extension().unwrap_or_default());
    let of_part = format!("{}-{part}.{}", stem.to_string_lossy(), end.to_string_lossy());
    let file = if number == 0 { file.to_owned() } else { file.with_file_name(of_part.trim_end_matches('.')) };
    let cannot = |error: std::io::Error| Failure::new(format_args!("cannot write {}: {error}", file.display()));
    let opened = cassette::open(path)?;
    let mut timeline = Timeline::new(&opened, rows)?;
    let bar = output::bar("writing", timeline.counts().entries as u64);
    let mut out = BufWriter::new(std::fs::File::create(&file).map_err(cannot)?);
    html::head(&mut out, &path.display().to_string(), &opened.metadata, &timeline).map_err(cannot)?;
    let mut data = html::Data::default();
    while let Some(step) = timeline.step()? {
        data.step(&mut out, &step).map_err(cannot)?;
        bar.inc(1);
    }
    data.end(&mut out).and_then(|()| html::foot(&mut out)).and_then(|()| out.flush()).map_err(cannot)?;
    bar.finish_and_clear();
    Ok(())
}
