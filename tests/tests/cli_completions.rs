//! `super8 completions`: what the shells themselves make of it, asked as a person asks who presses TAB.

use std::process::Command;
use super8_tests::desk::Desk;
use super8_tests::outcome::Outcome;
use super8_tests::packages;

/// What `shell` says, once `words` have read the completions from the file `super8.SHELL`.
fn ask(shell: &str, words: &[&str]) -> String {
    let desk = Desk::new(&format!("cli_completions_{shell}"));
    let script = desk.run(&["completions", shell]);
    assert_eq!(script.status, "exit status: 0", "{}", script.errors());
    desk.scratch.write(&format!("work/super8.{shell}"), script.text());
    let mut command = Command::new(packages::program(shell, shell));
    command.args(words);
    desk.at(&mut command);
    let said = Outcome::of(&command, b"");
    assert!(said.succeeded(), "{shell}: {}{}", said.text(), said.errors());
    assert_eq!(said.errors(), "", "{shell}");
    said.text()
}

#[track_caller]
fn offered(said: &str, words: &[&str], not: &str) {
    let first: Vec<&str> = said.lines().filter_map(|line| line.split([' ', '\t', ':']).next()).collect();
    words.iter().for_each(|word| assert!(first.contains(word), "{word} is not offered: {said}"));
    assert!(!first.contains(&not), "{not} is offered: {said}");
}

#[test]
fn in_bash() {
    let ask_for = |words: &str| {
        let count = words.split(' ').count() - 1;
        let script = format!(
            "source super8.bash && COMP_WORDS=({words}) COMP_CWORD={count} \
             && $(complete -p super8 | sed 's/.*-F \\([^ ]*\\).*/\\1/') super8 \"${{COMP_WORDS[$COMP_CWORD]}}\" \"${{COMP_WORDS[$COMP_CWORD-1]}}\" \
             && printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        ask("bash", &["--norc", "-c", &script])
    };
    offered(&ask_for("super8 re"), &["record", "replay", "recover"], "show");
    offered(&ask_for("super8 replay --re"), &["--report"], "--order");
    offered(&ask_for("super8 replay --order ''"), &["global", "any"], "--order");
    // the shell itself completes files where nothing is offered
    offered(&ask_for("super8 replay ''"), &[""], "--order");
    offered(&ask_for("super8 completions ''"), &["bash", "fish"], "--help");
    // behind the dashes stands a command, with the options that it has itself
    offered(&ask_for("super8 replay cassettes/orders -- prin"), &["printf"], "record");
    offered(&ask_for("super8 replay cassettes/orders -- pytest --re"), &[""], "--report");
}

#[test]
fn in_zsh() {
    // -n: it parses; then it is loaded, and its function is the one that completes super8
    ask("zsh", &["-f", "-n", "super8.zsh"]);
    let script = "autoload -U compinit && compinit -u -D && source ./super8.zsh && print ${_comps[super8]} && \
                  _describe() { print -l ${(P)@[-1]} ${(P)4} } 2>/dev/null; \
                  whence -w _super8 _super8_commands && _super8_commands";
    let said = ask("zsh", &["-f", "-c", script]);
    assert!(said.starts_with("_super8\n") && said.contains("_super8: function"), "{said}");
    offered(&said, &["record", "replay", "recover", "show", "completions"], "rewind");
    // behind the dashes stands a command, in each verb that runs one
    let behind = ask("zsh", &["-f", "-c", "grep -c \"'\\*:::command -- .*:_normal'\" super8.zsh"]);
    assert_eq!(behind, "5\n");
}

#[test]
fn in_fish() {
    let ask_for =
        |words: &str| ask("fish", &["--no-config", "-c", &format!("source super8.fish; complete -C '{words}'")]);
    offered(&ask_for("super8 re"), &["record", "replay", "recover"], "show");
    offered(&ask_for("super8 replay --re"), &["--report"], "--order");
    offered(&ask_for("super8 replay --report j"), &["json", "junit"], "text");
    offered(&ask_for("super8 replay cassettes/orders -- unam"), &["uname"], "record");
}
