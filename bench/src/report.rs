//! The tables of a run in Markdown, and how they get into docs/performance.md, between marks, so that nobody has to copy
//! figures by hand. A table is empty if nothing was measured for it.

use crate::case::Way;
use crate::case::{Case, Unit};
use crate::fact::Database;
use crate::goals;
use crate::memory::Growth;
use crate::rounds::Series;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Adds a line to a text.
macro_rules! say {
    ($out:ident, $($words:tt)*) => {{
        $out.push_str(&format!($($words)*));
        $out.push('\n');
    }};
}

/// Returns the table of ratios to the bare driver and of peak memory, with a line per case.
pub fn times(database: Database, series: &[Series]) -> String {
    let mut out = String::new();
    let timed: Vec<&Series> = series.iter().filter(|series| !series.job.case.is_call()).collect();
    if timed.is_empty() {
        return out;
    }
    let rounds = timed.iter().filter_map(|s| s.samples(Way::Bare)).map(<[_]>::len).max().unwrap_or(0);
    say!(out, "Time over the bare driver's, {database}: wall / CPU, medians of {rounds} rounds\n");
    let ways = measured(timed.iter().flat_map(|series| series.ways.iter().map(|(way, _)| *way)));
    let names: Vec<String> = ways.iter().map(Way::to_string).collect();
    let peaks = format!("peak MB: bare, {}", names.join(", "));
    line(&mut out, &["case", "count", "bare, per unit"], &names, &[&peaks]);
    line(&mut out, &["---", "---:", "---:"], &vec!["---:".to_owned(); ways.len()], &["---:"]);
    for series in &timed {
        let ratio = |way| match series.ratio(way) {
            Some(pair) => {
                let goal = goals::ratio(database, series.job.case, way);
                format!("{} / {}{}", figure(pair.wall), figure(pair.cpu), goals::star(pair, goal))
            }
            None => String::new(),
        };
        let peak = |way: &Way| megabytes(series.peak(*way));
        let peaks: Vec<String> = [Way::Bare].iter().chain(&ways).map(peak).collect();
        let (case, count) = (series.job.case.to_string(), series.job.count.to_string());
        let ratios: Vec<String> = ways.iter().map(|way| ratio(*way)).collect();
        line(&mut out, &[&case, &count, &bare(series)], &ratios, &[&peaks.join(", ")]);
    }
    out
}

/// Returns the table that says which ratios reach their goals, and how far their medians can be trusted.
pub fn reached(database: Database, series: &[Series]) -> String {
    let mut out = String::new();
    let series: Vec<&Series> =
        series.iter().filter(|series| !series.job.case.is_call() && series.ways.len() > 1).collect();
    if series.is_empty() {
        return out;
    }
    say!(out, "Goals, {database}\n");
    say!(out, "| case | way | wall | CPU | CPU quartiles | goal | reached |");
    say!(out, "| --- | --- | ---: | ---: | ---: | ---: | --- |");
    for series in series {
        for way in Way::ALL {
            let goal = goals::ratio(database, series.job.case, way);
            if let (Some(pair), Some((low, high)), Some(goal)) = (series.ratio(way), series.cpu_quartiles(way), goal) {
                say!(
                    out,
                    "| {} | {way} | {} | {} | {} to {} | {goal} | {} |",
                    series.job.case,
                    figure(pair.wall),
                    figure(pair.cpu),
                    figure(low),
                    figure(high),
                    goals::mark(pair, goal)
                );
            }
        }
    }
    out
}

/// Returns the table of nanoseconds per forwarded call.
pub fn calls(series: &[Series]) -> String {
    let mut out = String::new();
    let calls: Vec<&Series> = series.iter().filter(|series| series.job.case.is_call()).collect();
    if calls.is_empty() {
        return out;
    }
    say!(out, "One call, CPU nanoseconds\n");
    say!(out, "| call | bare | off | added | goal | reached |");
    say!(out, "| --- | ---: | ---: | ---: | ---: | --- |");
    for series in calls {
        let Some(bare) = series.nanoseconds(Way::Bare) else { continue };
        let name = series.job.case.to_string();
        let name = name.trim_start_matches("call/");
        match series.nanoseconds(Way::Off) {
            Some(off) => {
                let added = off.cpu - bare.cpu;
                let (goal, mark) = (goals::FORWARDED_CALL, goals::mark_one(added, goals::FORWARDED_CALL));
                say!(out, "| {name} | {:.1} | {:.1} | {added:.1} | {goal} | {mark} |", bare.cpu, off.cpu);
            }
            None => say!(out, "| {name} | {:.1} | | | | |", bare.cpu),
        }
    }
    out
}

/// Returns the table of peak memory and CPU time at N and at ten times N.
pub fn memory(growths: &[Growth]) -> String {
    let mut out = String::new();
    if growths.is_empty() {
        return out;
    }
    say!(out, "Peak memory and CPU time against size, the driver's own streaming switched on\n");
    say!(out, "| case | way | N | CPU ns each at N, 10 N | MB at N, 10 N | grows by KB | goal | reached |");
    say!(out, "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |");
    for growth in growths {
        let [small, large] = growth.samples;
        let grown = large.peak as f64 - small.peak as f64;
        // A driver's own cache may still be filling at N, so the bare client's growth is not super8's.
        let inherited = match growth.way {
            Way::Replay(_) => 0.0,
            _ => (growth.bare[1].peak as f64 - growth.bare[0].peak as f64).max(0.0),
        };
        let grows = goals::mark_one(grown - inherited, goals::MEMORY_GROWTH);
        let peak = large.peak as f64;
        let (goal, size) = match growth.way {
            Way::Record(_) => ("bare + 4 MB", goals::mark_one(peak - growth.bare[1].peak as f64, goals::RECORD_MEMORY)),
            Way::Replay(_) => ("8 MB", goals::mark_one(peak, goals::REPLAY_MEMORY)),
            Way::Bare | Way::Off => ("", "yes"),
        };
        let mark = match (growth.way, grows, size) {
            (Way::Bare, ..) => "",
            (_, "yes", "yes") => "yes",
            (_, "yes", _) => "**no** (size)",
            _ => "**no** (growth)",
        };
        say!(
            out,
            "| {} | {} | {} | {:.0}, {:.0} | {:.1}, {:.1} | {grown:.0} | {goal} | {mark} |",
            growth.case,
            growth.way,
            growth.count,
            small.cpu as f64 / growth.count as f64,
            large.cpu as f64 / (growth.count * 10) as f64,
            small.peak as f64 / 1024.0,
            peak / 1024.0,
        );
    }
    out
}

/// Returns the table of exact instruction counts per unit.
pub fn instructions(database: Database, rows: &[(Case, Vec<(Way, f64)>)]) -> String {
    let mut out = String::new();
    if rows.is_empty() {
        return out;
    }
    say!(
        out,
        "User-space instructions per unit, {database} (callgrind, two sizes, difference divided), ratios, goals reached\n"
    );
    let ways = measured(rows.iter().flat_map(|(_, counts)| counts.iter().map(|(way, _)| *way)));
    let each = |cell: &dyn Fn(Way) -> String| ways.iter().map(|way| cell(*way)).collect::<Vec<_>>();
    let header = [each(&|way| way.to_string()), each(&|way| format!("{way} x"))].concat();
    line(&mut out, &["case", "bare"], &header, &[]);
    line(&mut out, &["---", "---:"], &vec!["---:".to_owned(); header.len()], &[]);
    for (case, counts) in rows {
        let count = |way| counts.iter().find(|(known, _)| *known == way).map(|(_, count)| *count);
        let shown = |way| count(way).map_or(String::new(), |count| format!("{count:.0}"));
        let ratio = |way| match (count(way), count(Way::Bare)) {
            (Some(own), Some(bare)) => match goals::ratio(database, *case, way) {
                Some(goal) => format!("{:.3} {}", own / bare, goals::mark_one(own / bare, goal)),
                None => format!("{:.3}", own / bare),
            },
            _ => String::new(),
        };
        let cells = [each(&shown), each(&ratio)].concat();
        line(&mut out, &[&case.to_string(), &shown(Way::Bare)], &cells, &[]);
    }
    out
}

/// Returns the ways through super8 that were measured, each once and in order.
fn measured(found: impl Iterator<Item = Way>) -> Vec<Way> {
    let found: Vec<Way> = found.collect();
    Way::ALL.into_iter().filter(|way| *way != Way::Bare && found.contains(way)).collect()
}

/// Adds a line to a table: the first cells, a cell for each way, and the last cells.
fn line(out: &mut String, first: &[&str], ways: &[String], last: &[&str]) {
    let ways = ways.iter().map(String::as_str);
    let cells: Vec<&str> = first.iter().copied().chain(ways).chain(last.iter().copied()).collect();
    say!(out, "| {} |", cells.join(" | "));
}

fn bare(series: &Series) -> String {
    let Some(pair) = series.nanoseconds(Way::Bare) else { return String::new() };
    let unit = match series.job.case.unit() {
        Unit::Connection => "connection",
        Unit::Statement => "statement",
        Unit::Row => "row",
        Unit::Call => "call",
    };
    format!("{:.0} / {:.0} ns a {unit}", pair.wall, pair.cpu)
}

/// Returns a ratio as text.
pub fn figure(ratio: f64) -> String {
    if ratio < 0.1 { format!("{ratio:.3}") } else { format!("{ratio:.2}") }
}

fn megabytes(kib: Option<f64>) -> String {
    kib.map_or("-".to_owned(), |kib| format!("{:.1}", kib / 1024.0))
}

/// Returns the path of docs/performance.md.
pub fn page() -> PathBuf {
    documentation("performance.md")
}

/// Returns the path of a file of the documentation.
pub fn documentation(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// Puts a table in its place in the page, with a line that says how it was measured.
///
/// # Errors
/// The page has no such place, or cannot be written.
pub fn write(name: &str, table: &str, database: Database) -> Result<(), String> {
    let page = page();
    let failed = |error: std::io::Error| format!("{}: {error}", page.display());
    let text = fs::read_to_string(&page).map_err(failed)?;
    let contents = format!("{table}\n{}", circumstances(database));
    let text = replaced(&text, name, &contents)
        .ok_or_else(|| format!("{}: there is no place for this table: {} and {END}", page.display(), begin(name)))?;
    fs::write(&page, text).map_err(failed)?;
    println!("wrote {name} into {}", page.display());
    Ok(())
}

const END: &str = "<!-- end -->";

fn begin(name: &str) -> String {
    format!("<!-- bench: {name} -->")
}

fn replaced(page: &str, name: &str, contents: &str) -> Option<String> {
    let begin = begin(name);
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{begin}\n\n{}\n\n{END}{after}", contents.trim()))
}

/// Returns the line below a table: when and with what it was measured. The table itself says how often.
fn circumstances(database: Database) -> String {
    let run = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let git = |words: &[&str]| run("git", &[&["-C", env!("CARGO_MANIFEST_DIR")], words].concat());
    let changed =
        if git(&["status", "--porcelain", "--", "../shim", "../cassette"]).is_empty() { "" } else { " and changes" };
    let version = |package: &str| run("dpkg-query", &["-W", "-f", "${Version}", package]);
    let driver = match database {
        Database::Sqlite => format!("libsqliteodbc {}", version("libsqliteodbc")),
        Database::Postgres => format!("psqlodbc {}", version("odbc-postgresql")),
    };
    format!(
        "Measured on {} at {}{changed}; {driver}, unixODBC {}, {}; load of the machine {}.\n",
        run("date", &["+%Y-%m-%d"]),
        git(&["rev-parse", "--short=12", "HEAD"]),
        version("unixodbc"),
        run("rustc", &["-V"]),
        // the machine's load: on a busy machine only instructions and memory can be trusted
        fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_last_one() {
        let page = "a\n<!-- bench: times -->\nold\n<!-- end -->\nb\n<!-- bench: calls -->\n<!-- end -->\n";
        let expected = "a\n<!-- bench: times -->\n\nnew\n\n<!-- end -->\nb\n<!-- bench: calls -->\n<!-- end -->\n";
        assert_eq!(replaced(page, "times", "\nnew\n").as_deref(), Some(expected));
        assert_eq!(replaced(page, "memory", "new"), None);
    }

    #[test]
    fn the_page_has_a_place_for_every_table() -> Result<(), String> {
        let text = fs::read_to_string(page()).map_err(|error| error.to_string())?;
        for name in crate::TABLES {
            assert!(replaced(&text, name, "").is_some(), "{name}");
        }
        Ok(())
    }
}
