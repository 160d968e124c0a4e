//! Long answers, a screen at a time.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::clock;

/// What shows long texts where the system's `PAGER` names nothing else.
const PAGER: &str = "less";

/// How `less` shows tables where `LESS` says nothing else: lines are cut, not broken; what fits the screen is only printed; colours
/// stay; and so does what was shown, when it ends.
const LESS: &str = "SFRX";

/// What a shell says that does not find a command, or may not run it.
const NOT_RUN: [i32; 2] = [126, 127];

/// Who ends a pager has looked at the text as long as this, at least. One that ends sooner, and says that something went wrong, has
/// shown nothing.
const LOOK: Duration = Duration::from_secs(1);

/// What shows texts that do not fit the screen, and whether it does now.
#[derive(Debug)]
pub(super) struct Pager {
    /// A command line, as `PAGER` has it. None, if there is nothing to show texts with.
    command: Option<OsString>,
    is_on: bool,
}

/// What became of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Paged {
    /// The pager has shown it.
    Seen,
    /// It is to be shown without.
    Not,
    /// Likewise, as the pager did not do what it should.
    Failed(String),
}

/// Characters of a line, and lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Screen {
    fn fits(self, text: &str) -> bool {
        // The last line is that of the prompt.
        let is_short = text.lines().count() < self.height;
        is_short && text.lines().all(|line| line.chars().count() <= self.width)
    }
}

impl Pager {
    /// The one that the environment names. Without a terminal at both ends there is nobody who could turn pages.
    pub(super) fn of_environment() -> Self {
        let is_watched = io::stdout().is_terminal() && io::stdin().is_terminal();
        Self::new(std::env::var_os("PAGER"), is_watched)
    }

    fn new(named: Option<OsString>, is_watched: bool) -> Self {
        let command = named.unwrap_or_else(|| PAGER.into());
        // As elsewhere, an empty name is that of none.
        let command = Some(command).filter(|command| !command.to_string_lossy().trim().is_empty());
        Self {
            is_on: is_watched && command.is_some(),
            command,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Turns it on or off; to the other without saying which.
    ///
    /// # Errors
    /// Why it cannot be turned on.
    pub(super) fn turn(&mut self, on: Option<bool>) -> Result<(), &'static str> {
        let on = on.unwrap_or(!self.is_on);
        if on && self.command.is_none() {
            return Err("PAGER is set to nothing, so there is no pager to turn on");
        }
        self.is_on = on;
        Ok(())
    }

    /// Shows a text, if it does not fit the screen; says what became of it.
    ///
    /// # Errors
    /// If it does not tell how it ended.
    pub(super) fn show(&self, text: &str, screen: Screen) -> io::Result<Paged> {
        let Some(command) = self.command.as_ref().filter(|_| self.is_on) else {
            return Ok(Paged::Not);
        };
        if screen.fits(text) {
            return Ok(Paged::Not);
        }
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            shell.env("LESS", LESS);
        }
        let began = clock::now();
        let mut shell = match shell.spawn() {
            Ok(shell) => shell,
            Err(error) => return Ok(Paged::Failed(format!("could not be started ({error})"))),
        };
        if let Some(mut stdin) = shell.stdin.take() {
            // Who has seen enough closes it.
            let _ = stdin.write_all(text.as_bytes());
        }
        // A signal is somebody's who has seen enough, too.
        let ended = shell.wait()?;
        Ok(match ended.code() {
            None | Some(0) => Paged::Seen,
            Some(code) if NOT_RUN.contains(&code) => {
                Paged::Failed("was not found, or may not be run".to_owned())
            }
            Some(code) if began.elapsed() < LOOK => {
                Paged::Failed(format!("ended at once with exit code {code}"))
            }
            Some(_) => Paged::Seen,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Screen = Screen {
        width: 20,
        height: 4,
    };

    const LONG: &str = "one\ntwo\nthree\nfour\n";

    fn pager(command: &str) -> Pager {
        Pager::new(Some(command.into()), true)
    }

    #[test]
    fn what_fits_the_screen_is_not_paged() {
        assert!(SCREEN.fits("one\ntwo\nthree"));
        assert!(!SCREEN.fits(LONG));
        assert!(SCREEN.fits("a line of 20 letters"));
        assert!(!SCREEN.fits("a line of 21 letters."));
        let shown = pager("false").show("one\ntwo\n", SCREEN).unwrap();
        assert_eq!(shown, Paged::Not);
    }

    #[test]
    fn what_does_not_is_given_to_the_pager_whole() {
        let folder = tempfile::tempdir().unwrap();
        let shown = folder.path().join("it's shown");
        let command = format!("sort > \"{}\"", shown.display());
        assert_eq!(pager(&command).show(LONG, SCREEN).unwrap(), Paged::Seen);
        assert_eq!(
            std::fs::read_to_string(&shown).unwrap(),
            "four\none\nthree\ntwo\n"
        );
    }

    #[test]
    fn a_pager_that_shows_nothing_leaves_the_text_to_be_printed() {
        let shown = |command: &str| pager(command).show(LONG, SCREEN).unwrap();
        for command in ["no-such-pager-here 2>&-", "/nonexistent 2>&-"] {
            let Paged::Failed(why) = shown(command) else {
                panic!("`{command}` shows nothing");
            };
            assert!(why.contains("was not found"), "{why}");
        }
        let Paged::Failed(why) = shown("exit 1") else {
            panic!("it shows nothing");
        };
        assert!(why.contains("exit code 1"), "{why}");
        // Who ends it later, or by a signal, has seen the text.
        assert_eq!(shown("cat > /dev/null; sleep 1.1; exit 1"), Paged::Seen);
        assert_eq!(shown("kill -INT $$"), Paged::Seen);
        assert_eq!(shown("exit 0"), Paged::Seen);
    }

    #[test]
    fn an_empty_name_is_no_pager() {
        let mut none = pager(" ");
        assert!(!none.is_on());
        assert!(none.turn(Some(true)).is_err());
        assert!(none.turn(Some(false)).is_ok());
        assert!(Pager::new(None, true).is_on());
    }

    #[test]
    fn without_a_terminal_it_is_off_until_it_is_turned_on() {
        let mut pager = Pager::new(Some("exit 0".into()), false);
        assert_eq!(pager.show(LONG, SCREEN).unwrap(), Paged::Not);
        pager.turn(None).unwrap();
        assert_eq!(pager.show(LONG, SCREEN).unwrap(), Paged::Seen);
        pager.turn(Some(false)).unwrap();
        assert_eq!(pager.show(LONG, SCREEN).unwrap(), Paged::Not);
    }
}
