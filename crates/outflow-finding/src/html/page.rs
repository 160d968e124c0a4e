//! What every page has around its body.

use std::io::{self, Write};

use super::text::html_text as esc;

const STYLE: &str = include_str!("style.css");

/// Nothing is fetched and nothing is run, also if a text were taken for markup.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page that needs nothing else: no script, no font, no picture from anywhere. It is light or dark as the reader's system
/// is, and light on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HtmlPage<'a> {
    /// What a browser calls it, behind the name of the program; any text.
    pub title: &'a str,
    /// Style beyond that of all pages, as CSS; what is our own.
    pub style: &'a str,
}

impl HtmlPage<'_> {
    /// Writes the page around what `body` writes. Whatever comes from a log must go through [`super::html_text`] there.
    ///
    /// # Errors
    /// Those of `out` and of `body`.
    pub fn write(
        &self,
        out: &mut dyn Write,
        body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"generator\" content=\"Outflow {version}\">\n\
             <title>Outflow: {title}</title>\n<style>\n{STYLE}{style}</style>\n</head>\n<body>\n<main>\n",
            version = env!("CARGO_PKG_VERSION"),
            title = esc(self.title),
            style = self.style,
        )?;
        body(out)?;
        write!(
            out,
            "<footer>Written by Outflow {}. Times are UTC; a megabyte has a million bytes.</footer>\n\
             </main>\n</body>\n</html>\n",
            env!("CARGO_PKG_VERSION")
        )
    }
}
