//! The report as one HTML page, in the style of the report of incidents: it needs nothing else, and prints.

use std::collections::BTreeMap;
use std::io::{self, Write};

use outflow_finding::{
    HtmlBar, HtmlPage, HtmlPart, Severity, html_text, human_bytes, human_count, write_html_bars,
    write_html_stack,
};

use crate::criterion::{Judged, Maturity, State};
use crate::finding::{Check, PostureFinding};
use crate::history::AccountPeriod;
use crate::mapping::{CLAUSES, Framework};
use crate::metrics::{HighFindings, Metrics};
use crate::render::{cost, figures, high, level, named, of_period, said};
use crate::report::{AccountReport, Report};

/// Findings that are told with their evidence, so that a browser opens the page: the gravest. The JSON has all of them.
pub const HTML_FINDINGS_MAX: usize = 500;

/// Findings that have a bar of their bytes.
const BYTES_BARS_MAX: usize = 12;

/// Months of which high findings have a bar.
const MONTHS_MAX: usize = 12;

/// Characters of the name of a bar.
const BAR_CHARS_MAX: usize = 90;

impl Report {
    /// Writes the report as an HTML page with charts. Texts from the account stand in it as text.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_html<W: Write>(&self, out: &mut W) -> io::Result<()> {
        let page = HtmlPage {
            title: "egress posture",
            style: ".id { white-space: nowrap }\n",
        };
        page.write(out, |out| {
            self.header(out)?;
            for account in &self.accounts {
                account_section(out, account)?;
                self.history_section(out, account)?;
            }
            self.charts(out)?;
            let findings = self.findings.iter().take(HTML_FINDINGS_MAX);
            for finding in findings {
                finding_article(out, finding)?;
            }
            let more = self.findings.len().saturating_sub(HTML_FINDINGS_MAX);
            if more > 0 {
                let more = human_count(more as u64);
                writeln!(
                    out,
                    "<p class=\"note\">{more} more findings are in the JSON.</p>"
                )?;
            }
            self.mapping_section(out)?;
            self.unknown_section(out)
        })
    }

    fn header(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "<header>\n<p class=\"brand\">Outflow</p>\n<h1>Egress posture</h1>"
        )?;
        match &self.traffic {
            Some(window) => writeln!(
                out,
                "<p class=\"span\">As of {}. Held against traffic of {} to {}</p>",
                self.at, window.first, window.last
            )?,
            None => writeln!(
                out,
                "<p class=\"span\">As of {}. There is no traffic to hold it against</p>",
                self.at
            )?,
        }
        writeln!(out, "<dl class=\"tiles\">")?;
        let levels = self.accounts.iter().map(|account| account.maturity.level);
        let lowest = levels
            .min()
            .map_or("none".to_owned(), |level| format!("{level} of 5"));
        tile(out, "", "Lowest level shown", &lowest)?;
        for severity in Severity::ALL.into_iter().rev() {
            let own = self.findings.iter().filter(|of| of.severity == severity);
            let count = own.count();
            if count > 0 {
                let name = severity.name();
                let title = format!("Findings, {name}");
                tile(out, &format!(" {name}"), &title, &human_count(count as u64))?;
            }
        }
        let vpcs: usize = self.accounts.iter().map(|account| account.vpcs.len()).sum();
        tile(
            out,
            "",
            "Accounts",
            &human_count(self.accounts.len() as u64),
        )?;
        tile(out, "", "VPCs", &human_count(vpcs as u64))?;
        writeln!(out, "</dl>\n</header>")
    }

    /// The figures of an account and of each of its VPCs over time.
    fn history_section(&self, out: &mut dyn Write, account: &AccountReport) -> io::Result<()> {
        if self.history.is_empty() {
            return Ok(());
        }
        let id = account.account_id.as_str();
        writeln!(
            out,
            "<section>\n<h2>Account {} over time</h2>\n<p>Each period as it ended, held against its own traffic. What is not \
             known to be all has a question mark.</p>",
            html_text(named(id))
        )?;
        history_table(out, "<th class=\"number\">High findings</th>")?;
        for period in &self.history {
            let own = period.account(id);
            let level = own.map_or("not known".to_owned(), |own| {
                match own.level == own.level_at_most {
                    true => own.level.to_string(),
                    false => format!("{}, up to {}", own.level, own.level_at_most),
                }
            });
            let high = own.and_then(AccountPeriod::high);
            let high = high.map_or("?".to_owned(), |high| high.to_string());
            let cells = own.map_or_else(String::new, |own| cells(&own.metrics));
            let last = own.map_or_else(String::new, |_| number(&high));
            writeln!(
                out,
                "<tr><td>{}</td>{}{cells}{last}</tr>",
                period.name(),
                number(&level)
            )?;
        }
        writeln!(out, "</tbody>\n</table></div>")?;
        for vpc in &account.vpcs {
            writeln!(out, "<h3>VPC {}</h3>", html_text(named(&vpc.vpc_id)))?;
            history_table(out, "")?;
            for period in &self.history {
                let vpcs = period.account(id).map_or(&[][..], |own| &own.vpcs);
                if let Some(own) = vpcs.iter().find(|own| own.vpc_id == vpc.vpc_id) {
                    let level = number(&own.level.to_string());
                    let cells = cells(&own.metrics);
                    writeln!(out, "<tr><td>{}</td>{level}{cells}</tr>", period.name())?;
                }
            }
            writeln!(out, "</tbody>\n</table></div>")?;
        }
        writeln!(out, "</section>")
    }

    /// What the findings are about, by check and by bytes.
    fn charts(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "<section>\n<h2>Findings</h2>")?;
        if self.findings.is_empty() {
            return writeln!(out, "<p>None: see below what is unknown.</p>\n</section>");
        }
        let mut counts: BTreeMap<Check, u64> = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.check).or_default() += 1;
        }
        let mut bars: Vec<HtmlBar> = counts
            .into_iter()
            .map(|(check, count)| HtmlBar {
                name: check.title().to_owned(),
                value: count,
                shown: human_count(count),
            })
            .collect();
        bars.sort_by(|a, b| b.value.cmp(&a.value).then_with(|| a.name.cmp(&b.name)));
        write_html_bars(out, "Findings by what was checked", &bars)?;
        let sums = self.findings.iter();
        let mut sums: Vec<(u64, &PostureFinding)> = sums
            .filter_map(|of| Some((of.bytes.filter(|bytes| *bytes > 0)?, of)))
            .collect();
        sums.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.id.cmp(&other.id)));
        sums.truncate(BYTES_BARS_MAX);
        let bars: Vec<HtmlBar> = sums
            .into_iter()
            .map(|(bytes, finding)| HtmlBar {
                name: cut(&format!("{}: {}", finding.check.name(), finding.resource)),
                value: bytes,
                shown: format!(
                    "{}{}",
                    human_bytes(bytes),
                    html_text(&cost(finding.cost.as_ref()))
                ),
            })
            .collect();
        if !bars.is_empty() {
            write_html_bars(out, "Bytes that findings are about, the most", &bars)?;
        }
        writeln!(out, "</section>")
    }

    fn mapping_section(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "<section>\n<h2>Control mapping</h2>\n<p>Which evidence serves which clause. Evidence that serves a clause does not \
             fulfil it.</p>"
        )?;
        for framework in Framework::ALL {
            writeln!(
                out,
                "<h3>{}</h3>\n<p>{}</p>\n<div class=\"wide\"><table>\n<thead><tr><th>Clause</th><th>About</th><th>Criteria</th>\
                 <th>The evidence shows</th><th>It does not claim</th></tr></thead>\n<tbody>",
                framework.name(),
                framework.addresses()
            )?;
            for clause in CLAUSES
                .iter()
                .filter(|clause| clause.framework == framework)
            {
                let tally = self.tally(clause);
                writeln!(
                    out,
                    "<tr><td>{}</td><td>{}</td><td>{} hold, {} fail, {} unknown</td><td>{}</td><td>{}</td></tr>",
                    clause.id,
                    clause.about,
                    tally.holds,
                    tally.fails,
                    tally.unknown,
                    clause.shows,
                    clause.silent_on
                )?;
            }
            writeln!(out, "</tbody>\n</table></div>")?;
        }
        writeln!(out, "</section>")
    }

    fn unknown_section(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.unknown.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "<section>\n<h2>What is unknown</h2>\n<ul class=\"why\">"
        )?;
        for what in &self.unknown {
            writeln!(out, "<li>{}</li>", html_text(what))?;
        }
        writeln!(out, "</ul>\n</section>")
    }
}

/// Begins a table of figures over time.
fn history_table(out: &mut dyn Write, more: &str) -> io::Result<()> {
    writeln!(
        out,
        "<div class=\"wide\"><table>\n<thead><tr><th>From</th><th class=\"number\">Level</th>{FIGURES}{more}</tr></thead>\n<tbody>"
    )
}

/// Headings of the figures that a VPC has.
const FIGURES: &str = "<th class=\"number\">Open groups</th><th class=\"number\">Effective flow logs</th>\
                       <th class=\"number\">Services by endpoint</th>";

/// The figures that a VPC has, as cells.
fn cells(metrics: &Metrics) -> String {
    of_period(metrics).map(|figure| number(&figure)).concat()
}

fn number(text: &str) -> String {
    format!("<td class=\"number\">{text}</td>")
}

/// The VPCs of an account, each with its level and figures.
fn vpc_table(out: &mut dyn Write, account: &AccountReport) -> io::Result<()> {
    writeln!(
        out,
        "<h3>VPCs</h3>\n<div class=\"wide\"><table>\n<thead><tr><th>VPC</th><th>Region</th><th class=\"number\">Level</th>{FIGURES}\
         <th>Fails</th></tr></thead>\n<tbody>"
    )?;
    for vpc in &account.vpcs {
        let fails = vpc.maturity.criteria.iter();
        let fails = fails.filter(|judged| judged.state == State::Fails);
        let fails: Vec<&str> = fails.map(|judged| judged.criterion.name()).collect();
        writeln!(
            out,
            "<tr><td class=\"id\">{}</td><td class=\"id\">{}</td>{}{}<td>{}</td></tr>",
            html_text(named(&vpc.vpc_id)),
            html_text(named(&vpc.region)),
            number(&vpc.maturity.level.to_string()),
            cells(&vpc.metrics),
            fails.join(", ")
        )?;
    }
    writeln!(out, "</tbody>\n</table></div>")
}

fn tile(out: &mut dyn Write, class: &str, name: &str, figure: &str) -> io::Result<()> {
    writeln!(
        out,
        "<div class=\"tile{class}\"><dt>{name}</dt><dd>{figure}</dd></div>"
    )
}

fn account_section(out: &mut dyn Write, account: &AccountReport) -> io::Result<()> {
    writeln!(
        out,
        "<section>\n<h2>Account {}</h2>\n<p>{}.</p>",
        html_text(named(&account.account_id)),
        level(&account.maturity)
    )?;
    by_level(out, &account.maturity)?;
    let shares = figures(&account.metrics);
    writeln!(out, "<h3>Figures</h3>\n<dl class=\"facts long\">")?;
    for (what, share) in shares {
        writeln!(out, "<dt>{what}</dt><dd>{}</dd>", said(share))?;
    }
    let findings = account.metrics.guardduty_high.as_ref();
    writeln!(
        out,
        "<dt>high findings of GuardDuty</dt><dd>{}</dd>\n</dl>",
        high(findings)
    )?;
    if let Some(high) = findings {
        months(out, high)?;
    }
    criteria(out, &account.maturity)?;
    if !account.vpcs.is_empty() {
        vpc_table(out, account)?;
    }
    writeln!(out, "</section>")
}

/// Of each level, which of its criteria fail, are unknown and hold.
fn by_level(out: &mut dyn Write, maturity: &Maturity) -> io::Result<()> {
    for at in 2..=5 {
        let count = |state: State| {
            let own = maturity.criteria.iter();
            own.filter(|judged| judged.level == at && judged.state == state)
                .count() as u64
        };
        let part = |name, state| HtmlPart {
            name,
            value: count(state),
            shown: human_count(count(state)),
        };
        let reached = match (maturity.level >= at, maturity.level_at_most >= at) {
            (true, _) => "reached",
            (false, true) => "not shown",
            (false, false) => "not reached",
        };
        writeln!(out, "<h3>Level {at}: {reached}</h3>")?;
        // The first colours are those of a warning.
        let parts = [
            part("fail", State::Fails),
            part("unknown", State::Unknown),
            part("hold", State::Holds),
        ];
        write_html_stack(out, &parts)?;
    }
    Ok(())
}

fn months(out: &mut dyn Write, high: &HighFindings) -> io::Result<()> {
    let last = high.months.len().saturating_sub(MONTHS_MAX);
    let bars: Vec<HtmlBar> = high.months[last..]
        .iter()
        .map(|month| HtmlBar {
            name: month.month.clone(),
            value: month.high,
            shown: human_count(month.high),
        })
        .collect();
    write_html_bars(out, "High findings of GuardDuty by month", &bars)
}

fn criteria(out: &mut dyn Write, maturity: &Maturity) -> io::Result<()> {
    writeln!(
        out,
        "<h3>Criteria</h3>\n<div class=\"wide\"><table>\n<thead><tr><th class=\"number\">Level</th><th>Criterion</th><th>State</th>\
         <th>Evidence</th></tr></thead>\n<tbody>"
    )?;
    for judged in &maturity.criteria {
        let evidence: Vec<String> = judged.evidence.iter().map(|text| html_text(text)).collect();
        writeln!(
            out,
            "<tr><td class=\"number\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            judged.level,
            judged.title,
            state(judged),
            evidence.join("<br>")
        )?;
    }
    writeln!(out, "</tbody>\n</table></div>")
}

fn state(judged: &Judged) -> &'static str {
    match judged.state {
        State::Holds => "<span class=\"badge low\">holds</span>",
        State::Fails => "<span class=\"badge high\">fails</span>",
        State::Unknown => "<span class=\"badge\">unknown</span>",
    }
}

fn finding_article(out: &mut dyn Write, finding: &PostureFinding) -> io::Result<()> {
    let severity = finding.severity.name();
    writeln!(
        out,
        "<article class=\"{severity}\">\n<p class=\"kind\"><span class=\"badge {severity}\">{severity}</span> <span>{}</span> \
         <span>{}</span></p>\n<h2>{}</h2>\n<dl class=\"facts\">",
        finding.check.title(),
        finding.check.name(),
        html_text(&finding.summary)
    )?;
    let vpc = finding.vpc_id.as_deref().unwrap_or("-");
    for (name, value) in [
        ("Account", named(&finding.account_id)),
        ("Region", named(&finding.region)),
        ("VPC", vpc),
        ("Resource", &finding.resource),
    ] {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", html_text(value))?;
    }
    if let Some(bytes) = finding.bytes {
        let cost = html_text(&cost(finding.cost.as_ref()));
        writeln!(out, "<dt>Bytes</dt><dd>{}{cost}</dd>", human_bytes(bytes))?;
    }
    writeln!(out, "</dl>\n<h3>Evidence</h3>\n<ul class=\"why\">")?;
    for evidence in &finding.evidence {
        writeln!(out, "<li>{}</li>", html_text(evidence))?;
    }
    writeln!(
        out,
        "</ul>\n<p><b>Remedy</b> {}</p>\n</article>",
        finding.remedy
    )
}

fn cut(text: &str) -> String {
    outflow_finding::escape(text, BAR_CHARS_MAX)
}
