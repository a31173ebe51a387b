//! `super8 completions`: prints the script with which a shell completes the command's words. `clap` makes the script from the
//! options of the verbs. For bash and fish it does not know that a command stands behind `--`; that is added here.

use crate::exit::{Exit, Outcome};
use crate::output;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

/// What follows the script for bash: behind `--` a command and its arguments are completed, options only where a dash is typed, and
/// whatever nothing is known about is a file.
const BASH: &str = r#"
_super8_words() {
    local i
    for (( i = 1; i < COMP_CWORD; i++ )); do
        [[ ${COMP_WORDS[i]} == -- ]] || continue
        COMPREPLY=()
        if declare -F _command_offset >/dev/null; then
            _command_offset $(( i + 1 ))
        elif (( i + 1 == COMP_CWORD )); then
            mapfile -t COMPREPLY < <(compgen -c -- "$2" | sort -u)
        fi
        return
    done
    _super8 "$@"
    [[ $2 == -* ]] && return
    local word words=("${COMPREPLY[@]}")
    COMPREPLY=()
    for word in "${words[@]}"; do
        [[ $word == -* ]] || COMPREPLY+=("$word")
    done
}
complete -F _super8_words -o nosort -o bashdefault -o default super8
"#;

/// What follows the script for fish, which offers options only where a dash is typed anyway.
const FISH: &str = r#"
complete -c super8 -n 'contains -- -- (commandline -opc)' -x -a '(complete -C (string replace -r -- "^.*? -- " "" (commandline -cp)))'
"#;

/// For zsh the command is declared, but with two colons, which stand for all words of the verb, so that nothing is completed behind a
/// cassette. Three colons stand for the words behind `--`, which are completed as a command line of their own.
fn of_zsh(script: &str) -> String {
    script.replace("'*::command -- ", "'*:::command -- ").replace(":_cmdambivalent'", ":_normal'")
}

/// `super8 completions SHELL`
#[derive(Args)]
#[command(after_help = "\
Example:
  super8 completions bash > ~/.local/share/bash-completion/completions/super8")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::Arguments::command(), "super8", &mut script);
        match self.shell {
            Shell::Bash => script.extend(BASH.bytes()),
            Shell::Fish => script.extend(FISH.bytes()),
            Shell::Zsh => script = of_zsh(&String::from_utf8_lossy(&script)).into_bytes(),
            _ => {}
        }
        let mut out = output::bytes();
        out.write_all(&script)?;
        output::finish(out)?;
        Ok(Exit::Done)
    }
}
