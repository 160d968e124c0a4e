//! The report as people read it: a page in Markdown, and a few lines for a terminal.

use std::fmt::{self, Write};

use outflow_finding::{escape, human_bytes};

use crate::criterion::{Maturity, State};
use crate::finding::{Cost, PostureFinding};
use crate::metrics::{HighFindings, Metrics, Share};
use crate::report::{AccountReport, Report};

/// Characters of a text that is shown in one line.
const LINE_CHARS_MAX: usize = 300;

/// Findings that the summary for a terminal names; the page has all of them.
pub const SUMMARY_FINDINGS_MAX: usize = 20;

impl Report {
    /// The report as a page in Markdown. Texts from the account stand in it as text.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a text does not fail.
        let _ = self.markdown(&mut out);
        out
    }

    /// A few lines: for each account level and figures, and the gravest findings.
    pub fn to_summary(&self) -> String {
        let mut out = String::new();
        let _ = self.summary(&mut out);
        out
    }

    fn markdown(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "# Egress posture\n")?;
        writeln!(out, "As of {}. {}\n", self.at, self.traffic_said())?;
        for account in &self.accounts {
            account_page(out, account)?;
            self.history_page(out, account)?;
        }
        writeln!(out, "## Findings\n")?;
        if self.findings.is_empty() {
            writeln!(out, "None.\n")?;
        }
        for finding in &self.findings {
            finding_page(out, finding)?;
        }
        if !self.unknown.is_empty() {
            writeln!(out, "## What is unknown\n")?;
            for what in &self.unknown {
                writeln!(out, "- {}", md(what))?;
            }
        }
        Ok(())
    }

    /// The figures of an account and of each of its VPCs over time.
    fn history_page(&self, out: &mut String, account: &AccountReport) -> fmt::Result {
        if self.history.is_empty() {
            return Ok(());
        }
        let id = account.account_id.as_str();
        writeln!(out, "### Over time: account {}\n", md(named(id)))?;
        let of_vpcs = [
            "from",
            "level",
            "open groups",
            "effective flow logs",
            "services by endpoint",
        ];
        let with_high = [&of_vpcs[..], &["high findings"]].concat();
        table(out, &with_high)?;
        for period in &self.history {
            let Some(own) = period.account(id) else {
                writeln!(out, "| {} | not known |  |  |  |  |", period.name())?;
                continue;
            };
            let high = own
                .high()
                .map_or("unknown".to_owned(), |high| high.to_string());
            let figures = of_period(&own.metrics).join(" | ");
            let level = match own.level == own.level_at_most {
                true => own.level.to_string(),
                false => format!("{}, up to {}", own.level, own.level_at_most),
            };
            writeln!(out, "| {} | {level} | {figures} | {high} |", period.name())?;
        }
        writeln!(out)?;
        for vpc in &account.vpcs {
            writeln!(out, "VPC {}:\n", md(named(&vpc.vpc_id)))?;
            table(out, &of_vpcs)?;
            for period in &self.history {
                let vpcs = period.account(id).map_or(&[][..], |own| &own.vpcs);
                if let Some(own) = vpcs.iter().find(|own| own.vpc_id == vpc.vpc_id) {
                    let figures = of_period(&own.metrics).join(" | ");
                    writeln!(out, "| {} | {} | {figures} |", period.name(), own.level)?;
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn summary(&self, out: &mut String) -> fmt::Result {
        writeln!(
            out,
            "Egress posture as of {}. {}",
            self.at,
            self.traffic_said()
        )?;
        for account in &self.accounts {
            let (id, maturity) = (named(&account.account_id), &account.maturity);
            writeln!(out, "\nAccount {}: {}", escape(id, 64), level(maturity))?;
            for (what, share) in figures(&account.metrics) {
                writeln!(out, "  {what}: {}", said(share))?;
            }
            let high = high(account.metrics.guardduty_high.as_ref());
            writeln!(out, "  high findings of GuardDuty: {high}")?;
            self.history_lines(out, &account.account_id)?;
            for (state, word) in [(State::Fails, "fails"), (State::Unknown, "unknown")] {
                let own = maturity
                    .criteria
                    .iter()
                    .filter(|judged| judged.state == state);
                let names: Vec<&str> = own.map(|judged| judged.criterion.name()).collect();
                if !names.is_empty() {
                    writeln!(out, "  {word}: {}", names.join(", "))?;
                }
            }
        }
        let count = self.findings.len();
        writeln!(out, "\n{}", counted(count, "finding"))?;
        for finding in self.findings.iter().take(SUMMARY_FINDINGS_MAX) {
            let summary = escape(&finding.summary, LINE_CHARS_MAX);
            let cost = cost(finding.cost.as_ref());
            writeln!(
                out,
                "  {:<8} {}: {summary}{cost}",
                finding.severity,
                finding.check.name()
            )?;
        }
        let more = self.findings.len().saturating_sub(SUMMARY_FINDINGS_MAX);
        if more > 0 {
            writeln!(out, "  and {more} more")?;
        }
        for what in &self.unknown {
            writeln!(out, "unknown: {}", escape(what, LINE_CHARS_MAX))?;
        }
        Ok(())
    }

    fn history_lines(&self, out: &mut String, account_id: &str) -> fmt::Result {
        if self.history.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "  {:<10}  {:>5}  {:>12}  {:>12}  {:>12}  {:>5}",
            "from", "level", "open groups", "flow logs", "by endpoint", "high"
        )?;
        for period in &self.history {
            let Some(own) = period.account(account_id) else {
                writeln!(out, "  {:<10}  not known", period.name())?;
                continue;
            };
            let [open, logs, services] = of_period(&own.metrics);
            let high = own.high().map_or("?".to_owned(), |high| high.to_string());
            writeln!(
                out,
                "  {:<10}  {:>5}  {open:>12}  {logs:>12}  {services:>12}  {high:>5}",
                period.name(),
                own.level
            )?;
        }
        Ok(())
    }

    fn traffic_said(&self) -> String {
        match &self.traffic {
            Some(window) => format!("Traffic from {} to {}.", window.first, window.last),
            None => "There is no traffic to hold it against.".to_owned(),
        }
    }
}

fn account_page(out: &mut String, account: &AccountReport) -> fmt::Result {
    writeln!(out, "## Account {}\n", md(named(&account.account_id)))?;
    writeln!(out, "{}.\n", level(&account.maturity))?;
    writeln!(out, "| figure | value |\n|---|---|")?;
    for (what, share) in figures(&account.metrics) {
        writeln!(out, "| {what} | {} |", said(share))?;
    }
    let findings = high(account.metrics.guardduty_high.as_ref());
    writeln!(out, "| high findings of GuardDuty | {findings} |\n")?;
    criteria(out, &account.maturity)?;
    for vpc in &account.vpcs {
        let (id, region) = (md(named(&vpc.vpc_id)), md(named(&vpc.region)));
        writeln!(
            out,
            "### VPC {id} ({region})\n\n{}.\n",
            level(&vpc.maturity)
        )?;
        for (what, share) in figures(&vpc.metrics) {
            writeln!(out, "- {what}: {}", said(share))?;
        }
        writeln!(out)?;
        criteria(out, &vpc.maturity)?;
    }
    Ok(())
}

fn criteria(out: &mut String, maturity: &Maturity) -> fmt::Result {
    writeln!(
        out,
        "| level | criterion | state | evidence |\n|--:|---|---|---|"
    )?;
    for judged in &maturity.criteria {
        let state = match judged.state {
            State::Holds => "holds",
            State::Fails => "**fails**",
            State::Unknown => "unknown",
        };
        let evidence: Vec<String> = judged.evidence.iter().map(|text| md(text)).collect();
        let evidence = evidence.join("<br>");
        writeln!(
            out,
            "| {} | {} | {state} | {evidence} |",
            judged.level, judged.title
        )?;
    }
    writeln!(out)
}

fn finding_page(out: &mut String, finding: &PostureFinding) -> fmt::Result {
    writeln!(out, "### {}: {}\n", finding.severity, md(&finding.summary))?;
    writeln!(
        out,
        "- {} (`{}`)",
        finding.check.title(),
        finding.check.name()
    )?;
    let vpc = finding.vpc_id.as_deref().unwrap_or("-");
    let (account, region) = (named(&finding.account_id), named(&finding.region));
    writeln!(
        out,
        "- account {}, region {}, VPC {}",
        md(account),
        md(region),
        md(vpc)
    )?;
    if let Some(bytes) = finding.bytes {
        writeln!(
            out,
            "- about {}{}",
            human_bytes(bytes),
            cost(finding.cost.as_ref())
        )?;
    }
    for evidence in &finding.evidence {
        writeln!(out, "- {}", md(evidence))?;
    }
    writeln!(out, "- remedy: {}\n", finding.remedy)
}

pub(crate) fn figures(metrics: &Metrics) -> [(&'static str, Share); 3] {
    [
        (
            "security groups with open egress that nothing justifies",
            metrics.undocumented_open_groups,
        ),
        ("VPCs with effective flow logs", metrics.effective_flow_logs),
        (
            "AWS services in use that go through an endpoint",
            metrics.services_by_endpoint,
        ),
    ]
}

/// A number of things, of which one is one.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{end}")
}

/// The figures of a period, short enough for a table: what is not known to be all has a question mark.
pub(crate) fn of_period(metrics: &Metrics) -> [String; 3] {
    figures(metrics).map(|(_, share)| {
        let known = if share.is_known { "" } else { "?" };
        format!("{} of {}{known}", share.part, share.of)
    })
}

fn table(out: &mut String, columns: &[&str]) -> fmt::Result {
    writeln!(out, "| {} |", columns.join(" | "))?;
    writeln!(out, "|{}", "---|".repeat(columns.len()))
}

pub(crate) fn said(share: Share) -> String {
    let known = if share.is_known {
        ""
    } else {
        ", not all is known"
    };
    format!("{} of {}{known}", share.part, share.of)
}

pub(crate) fn high(high: Option<&HighFindings>) -> String {
    let Some(high) = high else {
        return "unknown".to_owned();
    };
    let last = high.months.iter().rev().take(6).rev();
    let months: Vec<String> = last
        .map(|month| format!("{} {}", month.month, month.high))
        .collect();
    let trend = match high.trend {
        crate::Trend::Rising => "rising",
        crate::Trend::Level => "level",
        crate::Trend::Falling => "falling",
        crate::Trend::Unknown => "trend unknown",
    };
    format!(
        "{} open; {trend}; by month: {}",
        high.open,
        months.join(", ")
    )
}

pub(crate) fn level(maturity: &Maturity) -> String {
    if maturity.level == maturity.level_at_most {
        format!("Maturity level {} of 5", maturity.level)
    } else {
        let most = maturity.level_at_most;
        format!(
            "Maturity level {} of 5 is shown; up to {most} if all that is unknown held",
            maturity.level
        )
    }
}

pub(crate) fn cost(cost: Option<&Cost>) -> String {
    let Some(cost) = cost else {
        return String::new();
    };
    let monthly = cost
        .monthly
        .map(|monthly| format!(", {monthly:.2} a month"));
    format!(
        " ({} {:.2}{})",
        escape(&cost.currency, 8),
        cost.amount,
        monthly.unwrap_or_default()
    )
}

pub(crate) fn named(id: &str) -> &str {
    if id.is_empty() { "unknown" } else { id }
}

/// A text of others as Markdown shows it: without a line break, and without meaning.
pub(crate) fn md(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escape(text, LINE_CHARS_MAX).chars() {
        if matches!(
            c,
            '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '\\' | '#' | '&' | '~' | '!'
        ) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}
