//! The interactive shell: lines in, answers out.

mod command;
mod helper;
mod pager;

use std::io::{ErrorKind, IsTerminal as _};
use std::path::PathBuf;

use outflow_query::{AnswerFormat, Library, TableLayout};
use outflow_udf::About;
use rustyline::config::Configurer as _;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Editor};

use super::answer;
use super::asked::Asked;
use super::library::OF_ENGINE;
use crate::clock;
use crate::exit::{self, Exit, Failure};
use crate::output;
use crate::session::Opened;
use crate::voice::Voice;
use command::Command;
use helper::Helper;
use pager::{Paged, Pager, Screen};

/// Lines that are remembered.
const HISTORY_LINES_MAX: usize = 2_000;

const GREETING: &str = "Type SQL, ended by `;`. \\? tells what else there is, \\q ends.";

/// A session with somebody at a terminal.
pub(super) struct Shell<'a> {
    opened: &'a Opened,
    library: &'a Library,
    voice: Voice,
    timing: bool,
    pager: Pager,
    /// Whether somebody types.
    is_watched: bool,
    /// How the first line that failed did.
    failed: Option<Exit>,
}

impl<'a> Shell<'a> {
    pub(super) fn new(opened: &'a Opened, library: &'a Library, voice: Voice) -> Self {
        Self {
            opened,
            library,
            voice,
            timing: true,
            pager: Pager::of_environment(),
            is_watched: std::io::stdin().is_terminal(),
            failed: None,
        }
    }

    /// Reads lines until there are no more.
    pub(super) fn run(mut self) -> Result<Exit, Failure> {
        let unusable = |error: ReadlineError| {
            Failure::unfinished(error, "give the query as an argument, or with --file")
        };
        let mut editor: Editor<Helper, FileHistory> = Editor::new().map_err(unusable)?;
        editor.set_completion_type(CompletionType::List);
        editor.set_helper(Some(Helper::new(&self.opened.session, self.library)));
        editor
            .set_max_history_size(HISTORY_LINES_MAX)
            .map_err(unusable)?;
        let history = history();
        if let Some(path) = &history {
            // There is none before the first time.
            let _ = editor.load_history(path);
        }
        self.voice.note(GREETING);
        let mut pending = String::new();
        loop {
            let prompt = if pending.is_empty() {
                "outflow> "
            } else {
                "      -> "
            };
            match editor.readline(prompt) {
                Ok(line) => {
                    if pending.is_empty() && line.trim().is_empty() {
                        continue;
                    }
                    if !pending.is_empty() {
                        pending.push('\n');
                    }
                    pending.push_str(&line);
                    if !is_whole(&pending) {
                        continue;
                    }
                    let whole = std::mem::take(&mut pending);
                    // A line that cannot be remembered is no reason to stop.
                    let _ = editor.add_history_entry(whole.as_str());
                    if self.take(whole.trim()) == Next::End {
                        break;
                    }
                }
                Err(ReadlineError::Interrupted) => pending.clear(),
                Err(ReadlineError::Eof) => {
                    // From a pipe, the last query may have no end of its own.
                    if !self.is_watched && !pending.trim().is_empty() {
                        self.take(pending.trim());
                    }
                    break;
                }
                // Its reader goes on behind the line.
                Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    pending.clear();
                    self.fail(&Failure::usage(
                        anyhow::anyhow!("a line is not UTF-8, and nothing was asked"),
                        "write it, with what belongs to it, in UTF-8",
                    ));
                }
                Err(error) => return Err(unusable(error)),
            }
        }
        if let Some(path) = &history
            && let Err(error) = save(&mut editor, path)
        {
            tracing::warn!(%error, "the history of queries is not kept");
        }
        // Somebody at a terminal has seen what failed; a script is to know it.
        Ok(match self.failed {
            Some(failed) if !self.is_watched => failed,
            _ => self.opened.exit,
        })
    }

    fn take(&mut self, line: &str) -> Next {
        let done = match Command::parse(line) {
            Ok(Command::Quit) => return Next::End,
            Ok(Command::Sql(sql)) => self.ask(&Asked::plain(sql)),
            Ok(Command::Saved { name, given }) => {
                let asked = Asked::saved(self.library, &name, &given);
                asked.and_then(|asked| self.ask(&asked))
            }
            Ok(Command::Timing) => {
                self.timing = !self.timing;
                self.say(if self.timing {
                    "timing is on"
                } else {
                    "timing is off"
                })
            }
            Ok(Command::Pager(on)) => self.turn_pager(on),
            Ok(Command::Help) => self.say(command::HELP),
            Ok(Command::Queries) => {
                let names = self.library.iter();
                let lines: Vec<String> = names
                    .map(|query| format!("{:24} {}", query.name, query.question))
                    .collect();
                self.page(&lines.join("\n"))
            }
            Ok(Command::Functions) => {
                let own = outflow_udf::functions(outflow_udf::Known::default()).about;
                let mut lines: Vec<String> = own.iter().map(|about| about.call()).collect();
                lines.push(format!("\n{OF_ENGINE}"));
                lines.extend(outflow_udf::of_engine().map(About::call));
                self.page(&lines.join("\n"))
            }
            Err(wrong) => Err(Failure::usage(
                anyhow::anyhow!(wrong),
                "\\? tells what there is",
            )),
        };
        if let Err(failure) = done {
            self.fail(&failure);
        }
        Next::Line
    }

    /// Tells what failed, and goes on.
    fn fail(&mut self, failure: &Failure) {
        let failed = exit::report(failure, self.voice);
        self.failed = self.failed.or((failed != Exit::Done).then_some(failed));
    }

    fn ask(&self, asked: &Asked) -> Result<(), Failure> {
        let began = clock::now();
        let mut shown = Vec::new();
        let width = output::table_options(None).width;
        let layout = TableLayout {
            // A pager scrolls to the right.
            width: width.filter(|_| !self.pager.is_on()),
        };
        let format = AnswerFormat::Table(layout);
        let rows = answer::begin(self.opened, asked)
            .and_then(|mut rows| answer::write(self.opened, &mut rows, format, &mut shown))
            .map_err(|stop| stop.failure(&asked.sql))?;
        // How long somebody reads is not how long it took.
        let took = began.elapsed();
        self.page(&String::from_utf8_lossy(&shown))?;
        if self.timing {
            let count = outflow_finding::human_count(rows);
            let unit = if rows == 1 { "row" } else { "rows" };
            let seconds = took.as_secs_f64();
            self.say(&format!("{count} {unit} in {seconds:.3} s"))?;
        }
        Ok(())
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        output::to_stdout(format!("{}\n", text.trim_end()).as_bytes()).map_err(output::lost)
    }

    /// Shows a text, by the pager if it does not fit the screen.
    fn page(&self, text: &str) -> Result<(), Failure> {
        let (height, width) = console::Term::stdout().size();
        let screen = Screen {
            width: width.into(),
            height: height.into(),
        };
        match self.pager.show(text, screen).map_err(output::lost)? {
            Paged::Seen => Ok(()),
            Paged::Not => self.say(text),
            Paged::Failed(why) => {
                self.say(text)?;
                self.voice.note(&format!(
                    "the pager {why}, so that this was written without it; \\pager off leaves it out, and PAGER=less names one that is there"
                ));
                Ok(())
            }
        }
    }

    fn turn_pager(&mut self, on: Option<bool>) -> Result<(), Failure> {
        let turned = self.pager.turn(on);
        turned.map_err(|why| {
            Failure::usage(
                anyhow::anyhow!(why),
                "start the shell with PAGER=less, or without PAGER",
            )
        })?;
        self.say(match self.pager.is_on() {
            true => "the pager is on",
            false => "the pager is off",
        })
    }
}

#[derive(PartialEq, Eq)]
enum Next {
    Line,
    End,
}

/// Whether what was typed is a whole: a command, or SQL that is ended.
fn is_whole(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('\\') || text == "exit" || text == "quit" || outflow_query::is_whole(text)
}

/// Where lines are remembered; nowhere without a home.
fn history() -> Option<PathBuf> {
    let of = |name: &str| {
        let value = std::env::var_os(name);
        value.filter(|value| !value.is_empty()).map(PathBuf::from)
    };
    let state = of("XDG_STATE_HOME").or_else(|| Some(of("HOME")?.join(".local/state")))?;
    Some(state.join("outflow/queries"))
}

fn save(
    editor: &mut Editor<Helper, FileHistory>,
    path: &std::path::Path,
) -> Result<(), ReadlineError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    editor.save_history(path)
}
