//! The pages of the manual: one for the command and one for each verb, made of the command's own help. `clap_mangen` writes the
//! options; the rest is written here, because a reader wants to see a usage that can be typed and examples line by line.

use clap::Command;
use std::fmt::Write;
use std::path::Path;

/// Writes all pages to a directory. `documentation` says where the documentation is that the help names.
pub fn write(command: Command, directory: &Path, documentation: &str) -> Result<(), String> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let verbs: Vec<Command> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect();
    for verb in verbs {
        write_page(verb, directory, documentation)?;
    }
    write_page(command, directory, documentation)
}

fn write_page(command: Command, directory: &Path, documentation: &str) -> Result<(), String> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let path = directory.join(format!("{name}.1"));
    let text = page(command, documentation).map_err(|error| format!("{}: {error}", path.display()))?;
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns a page. Its sections are in the order of man-pages(7).
fn page(mut command: Command, documentation: &str) -> std::io::Result<String> {
    let usage = command.render_usage().to_string();
    let help = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string).unwrap_or_default();
    let parts: Vec<Part<'_>> = help.split("\n\n").map(Part::of).collect();
    let is_verb = !command.has_subcommands();
    let version = command.get_version().unwrap_or_default().to_owned();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let manual = clap_mangen::Man::new(command);

    // `clap_mangen` writes an empty date as nothing, so that what follows would stand in its place
    let mut page = format!(".TH {} 1 \"\" \"super8 {version}\" \"super8\"\n", plain(&name)).into_bytes();
    manual.render_name_section(&mut page)?;
    let mut synopsis = String::new();
    _ = write!(synopsis, ".SH SYNOPSIS\n{}\n", marked(usage.trim_start_matches("Usage: ")));
    page.extend(synopsis.bytes());
    manual.render_description_section(&mut page)?;
    let mut text = String::new();
    parts.iter().filter(|part| part.section == Section::Description).for_each(|part| part.render(&mut text));
    page.extend(std::mem::take(&mut text).bytes());
    manual.render_options_section(&mut page)?;
    if !is_verb {
        let mut verbs = Vec::new();
        manual.render_subcommands_section(&mut verbs)?;
        // as the help calls them
        page.extend(String::from_utf8_lossy(&verbs).replacen("SUBCOMMANDS", "COMMANDS", 1).bytes());
    }
    for (section, title) in [(Section::ExitStatus, "EXIT STATUS"), (Section::Examples, "EXAMPLES")] {
        let mut own = parts.iter().filter(|part| part.section == section).peekable();
        if own.peek().is_some() {
            _ = writeln!(text, ".SH \"{title}\"");
            own.for_each(|part| part.render(&mut text));
        }
    }
    let others = if is_verb { ".BR super8 (1)\n.PP\n" } else { "" };
    _ = write!(
        text,
        ".SH \"SEE ALSO\"\n{others}The documentation, docs/ in this manual, is in \\%{}.\n",
        plain(documentation)
    );
    page.extend(text.bytes());
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Where a paragraph of the help stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Description,
    ExitStatus,
    Examples,
}

/// A paragraph of the text behind the options of a help.
struct Part<'h> {
    section: Section,
    /// The lines that are not set in.
    lead: Vec<&'h str>,
    /// The lines that are: examples, or a word and what it means.
    lines: Vec<&'h str>,
}

impl<'h> Part<'h> {
    fn of(text: &'h str) -> Part<'h> {
        let (lines, lead): (Vec<&str>, Vec<&str>) =
            text.trim_matches('\n').lines().partition(|line| line.starts_with("  "));
        let starts = |with: &str| lead.first().is_some_and(|line| line.starts_with(with));
        let section = match () {
            () if starts("Example") => Section::Examples,
            () if starts("Exit code") => Section::ExitStatus,
            () => Section::Description,
        };
        Part { section, lead, lines }
    }

    fn render(&self, page: &mut String) {
        let titled = matches!(self.lead[..], ["Example:" | "Examples:"]);
        if !titled && !self.lead.is_empty() {
            _ = writeln!(page, ".PP\n{}", self.lead.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n"));
        }
        if self.section == Section::Examples {
            // each is one line, which is not filled
            _ = writeln!(page, ".PP\n.nf");
            self.lines.iter().for_each(|line| _ = writeln!(page, "{}", plain(line.trim_start())));
            _ = writeln!(page, ".fi");
            return;
        }
        for line in &self.lines {
            let (word, meaning) = line.trim_start().split_once("  ").unwrap_or((line.trim_start(), ""));
            _ = writeln!(page, ".TP\n\\fB{}\\fR\n{}", plain(word), plain(meaning.trim_start()));
        }
    }
}

/// Escapes a line for roff.
fn plain(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\*(Aq");
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

/// Marks the words of a usage: what is typed is bold, what stands for something else is underlined.
fn marked(usage: &str) -> String {
    let mut marked = String::new();
    for word in usage.split_inclusive([' ', '\n']) {
        let bare = word.trim_end();
        let space = if bare.len() < word.len() { " " } else { "" };
        let (font, bare) = match bare.contains(['<', '[']) && !bare.starts_with("[--") {
            true => ("\\fI", bare.replace(['<', '>'], "")),
            false => ("\\fB", bare.to_owned()),
        };
        _ = write!(marked, "{font}{}\\fR{space}", plain(&bare));
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_usage_and_each_example_on_a_line() {
        let command = <super8_cli::Arguments as clap::CommandFactory>::command();
        let directory = std::env::temp_dir().join(format!("super8-manual-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        write(command, &directory, "/there").unwrap();
        let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
        let (all, replay, trim) = (read("super8.1"), read("super8-replay.1"), read("super8-trim.1"));
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(replay.contains(
            "\\fBsuper8\\fR \\fBreplay\\fR \\fI[OPTIONS]\\fR \\fICASSETTE\\fR \\fB\\-\\-\\fR \\fICOMMAND...\\fR\n"
        ));
        let examples = replay.split(".SH EXAMPLES").chain(replay.split(".SH \"EXAMPLES\"")).last().unwrap();
        assert!(
            examples.contains("\n.nf\nsuper8 replay cassettes/orders \\-\\- pytest tests/test_orders.py\n"),
            "{examples}"
        );
        assert!(replay.contains(".BR super8 (1)") && !replay.contains("EXTRA"), "{replay}");
        assert!(all.contains(".SH \"EXIT STATUS\"\n.PP\nExit codes:\n.TP\n\\fB0\\fR\ndone"), "{all}");
        assert!(all.contains(".SH COMMANDS") && all.contains("is in \\%/there.\n"), "{all}");
        assert!(trim.contains(".TP\n\\fBa/3\\fR\na statement\n"), "{trim}");
    }
}
