//! One incident: who, where, why, when, and what to look at.

use std::io::{self, Write};

use super::bars::destinations;
use super::text::{capital, esc_lines, html_text as esc};
use super::{HTML_ROWS_MAX, more, timeline};
use crate::aws::known;
use crate::explanation::{databases_text, known_to, paths_text, stages_text};
use crate::{
    Destination, Evidence, Finding, Incident, Lane, Severity, Tested, attack, human_bytes,
    human_count, risk_text,
};

const UNKNOWN: &str = "unknown";

/// Addresses, names, groups and tags that a line of facts shows; what is beyond is counted behind them.
const LISTED_MAX: usize = 12;

pub(super) fn write(
    out: &mut dyn Write,
    rank: usize,
    incident: &Incident,
    members: &[&Finding],
) -> io::Result<()> {
    let body = &incident.body;
    let severity = body.severity.name();
    writeln!(
        out,
        "<article id=\"incident-{rank}\" class=\"{severity}\">\n<p class=\"kind\">{} <span>risk {}</span> \
         <span>{}</span> <span>{}</span>{}</p>\n<h2><span class=\"rank\">{rank}</span> {}</h2>",
        badge(body.severity),
        body.risk,
        body.family,
        esc(&body.id),
        match incident.lane {
            Some(Lane::Digest) => " <span>digest: beyond the budget</span>",
            Some(Lane::Alert) | None => "",
        },
        esc(&body.title)
    )?;
    if !body.why.is_empty() {
        writeln!(out, "<ul class=\"why\">")?;
        for why in &body.why {
            writeln!(out, "<li>{}</li>", esc(&why.sentence()))?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "<dl class=\"facts\">")?;
    for (name, value) in facts(body) {
        writeln!(out, "<dt>{name}</dt><dd>{value}</dd>")?;
    }
    writeln!(out, "</dl>")?;
    harmless(out, &body.harmless)?;
    timeline::write(out, members)?;
    destinations(out, members)?;
    ledger(out, incident, members)?;
    evidence(out, &body.evidence)?;
    writeln!(out, "</article>")
}

pub(super) fn badge(severity: Severity) -> String {
    let name = severity.name();
    format!("<span class=\"badge {name}\">{}</span>", capital(name))
}

pub(super) fn sender(finding: &Finding) -> &str {
    let names = [
        &finding.workload,
        &finding.interface_id,
        &finding.account_id,
    ];
    names.into_iter().find_map(known).unwrap_or(UNKNOWN)
}

/// What a destination is called, with the number of groups behind it.
pub(super) fn receiver(to: &Destination) -> String {
    let names = [&to.domain, &to.group, &to.service];
    let name = names.into_iter().find_map(known);
    let name = name
        .or(to.addresses.first().map(String::as_str))
        .unwrap_or(UNKNOWN);
    match to.groups_total.saturating_sub(1) {
        0 => name.to_owned(),
        others => format!("{name} +{others}"),
    }
}

/// Names, and what is known of each as markup.
type Facts = Vec<(&'static str, String)>;

fn put(facts: &mut Facts, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        facts.push((name, esc(value)));
    }
}

fn facts(body: &Finding) -> Facts {
    let mut facts = vec![("Who", esc(sender(body)))];
    put_sender(&mut facts, body);
    put_receiver(&mut facts, &body.destination);
    let [first, last] = [body.first_seen, body.last_seen].map(|at| at.map(|at| at.to_string()));
    put(&mut facts, "First packet", first.as_deref());
    put(&mut facts, "Last packet", last.as_deref());
    for (name, value) in [
        ("Path", paths_text(&body.paths)),
        ("Stages", stages_text(&body.stages)),
        ("Techniques", techniques(&body.attack)),
        ("Risk", risk(body)),
    ] {
        put(&mut facts, name, value.as_deref());
    }
    if let Some(own) = &body.history {
        let text = format!(
            "median {} a day, 99th percentile {}, over {} days before; {} on the greatest day of this",
            human_bytes(own.median),
            human_bytes(own.p99),
            human_count(own.days),
            human_bytes(own.observed)
        );
        put(&mut facts, "Sent before", Some(&text));
    }
    if let Some(coverage) = &body.coverage {
        let (share, expected) = (
            coverage.share * 100.0,
            human_count(coverage.minutes_expected),
        );
        facts.push(("Covered", format!("{share:.1} % of {expected} minutes")));
    }
    if let Some(own) = &body.parameters {
        let text = format!("Outflow {}, parameters {}", own.version, own.sha256);
        put(&mut facts, "Judged by", Some(&text));
    }
    if let Some(own) = &body.state {
        let (rows, objects) = (human_count(own.rows), human_count(own.objects));
        let text = format!("{rows} records of {objects} objects, state {}", own.sha256);
        put(&mut facts, "Judged from", Some(&text));
    }
    facts
}

/// What the risk is made of.
fn risk(body: &Finding) -> Option<String> {
    (!body.risk_parts.is_empty())
        .then(|| format!("{} = {}", body.risk, risk_text(&body.risk_parts)))
}

fn put_sender(facts: &mut Facts, body: &Finding) {
    let from = &body.sender;
    for (name, value) in [
        ("Account", &body.account_id),
        ("Region", &body.region),
        ("VPC", &body.vpc_id),
        ("Interface", &body.interface_id),
        ("Instance", &from.instance_id),
        ("Subnet", &from.subnet_id),
        ("Lineage", &from.lineage),
    ] {
        put(facts, name, known(value));
    }
    let groups = from
        .security_groups
        .iter()
        .map(|group| match known(&group.name) {
            Some(name) => format!("{} ({name})", group.id),
            None => group.id.clone(),
        });
    let groups = listed(groups, from.security_groups.len() as u64);
    put(facts, "Security groups", groups.as_deref());
    let tags = from
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    put(facts, "Tags", listed(tags, from.tags_total).as_deref());
}

fn put_receiver(facts: &mut Facts, to: &Destination) {
    put(facts, "Where", Some(&receiver(to)));
    let addresses = listed(to.addresses.iter().cloned(), to.addresses_total);
    put(facts, "Addresses", addresses.as_deref());
    let names = listed(to.domains.iter().cloned(), to.domains_total);
    put(facts, "Names", names.as_deref());
    let asn = to.asn.map(|asn| format!("AS{asn}"));
    let operator = asn
        .as_deref()
        .into_iter()
        .chain(known(&to.org))
        .chain(known(&to.country));
    let operator = operator.collect::<Vec<&str>>().join(" ");
    put(
        facts,
        "Network",
        Some(&*operator).filter(|text| !text.is_empty()),
    );
    let vendor = [&to.vendor, &to.product, &to.site, &to.category]
        .into_iter()
        .filter_map(known);
    let vendor = vendor.collect::<Vec<&str>>().join(", ");
    let vendor = Some(&*vendor).filter(|text| !text.is_empty());
    put(facts, "Service", known(&to.service).or(vendor));
    put(facts, "Prevalence", known_to(to).as_deref());
    put(facts, "Located by", databases_text(to).as_deref());
}

fn listed(all: impl Iterator<Item = String>, total: u64) -> Option<String> {
    let shown: Vec<String> = all.take(LISTED_MAX).collect();
    let left = total.saturating_sub(shown.len() as u64);
    match (shown.is_empty(), left) {
        (true, _) => None,
        (false, 0) => Some(shown.join(", ")),
        (false, left) => Some(format!(
            "{} and {} more",
            shown.join(", "),
            human_count(left)
        )),
    }
}

fn techniques(ids: &[String]) -> Option<String> {
    let named = ids.iter().map(|id| match attack::known(id) {
        Some(of) => format!("{id} {}", of.name),
        None => id.clone(),
    });
    listed(named, ids.len() as u64)
}

/// Which harmless explanations were tested, and how they came out.
fn harmless(out: &mut dyn Write, tested: &[Tested]) -> io::Result<()> {
    if tested.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h3>Harmless explanations</h3>\n<div class=\"wide\"><table>\n<thead><tr><th>Explanation</th><th>Outcome</th>\
         <th>By what</th></tr></thead>\n<tbody>"
    )?;
    for own in tested {
        let (name, outcome) = (own.explanation.name(), own.outcome.name());
        writeln!(
            out,
            "<tr><td class=\"name\">{name}</td><td class=\"name\">{outcome}</td><td>{}</td></tr>",
            esc(&own.text)
        )?;
    }
    writeln!(out, "</tbody>\n</table></div>")
}

/// The findings, and what they come to.
fn ledger(out: &mut dyn Write, incident: &Incident, members: &[&Finding]) -> io::Result<()> {
    writeln!(
        out,
        "<h3>Ledger</h3>\n<div class=\"wide\"><table>\n<thead><tr><th>Finding</th><th>First, last packet</th><th>Where</th>\
         <th class=\"number\">Flows</th><th class=\"number\">Packets</th><th class=\"number\">Bytes</th>\
         <th class=\"number\">Payload</th></tr></thead>\n<tbody>"
    )?;
    for own in members.iter().take(HTML_ROWS_MAX) {
        let times = [own.first_seen, own.last_seen].into_iter().flatten();
        let times: Vec<String> = times.map(|at| at.to_string()).collect();
        let what = format!(
            "<span title=\"{}\">{}</span><br><span class=\"note\">{}</span>",
            esc(&own.title),
            own.family,
            esc(&own.id)
        );
        let when = times.join("<br>");
        figures(out, own, [what, when, esc(&receiver(&own.destination))])?;
    }
    writeln!(out, "</tbody>\n<tfoot>")?;
    let what = match members.len() {
        0 | 1 => "Incident",
        _ => "Incident, each byte of several families once",
    };
    figures(
        out,
        &incident.body,
        [what.to_owned(), String::new(), String::new()],
    )?;
    writeln!(out, "</tfoot>\n</table></div>")?;
    more(out, members.len(), HTML_ROWS_MAX, "findings")
}

/// A row of figures behind cells of markup.
fn figures(out: &mut dyn Write, of: &Finding, cells: [String; 3]) -> io::Result<()> {
    let [what, when, to] = cells;
    writeln!(
        out,
        "<tr><td class=\"name\">{what}</td><td class=\"name\">{when}</td><td>{to}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
         <td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
        human_count(of.flows),
        human_count(of.packets),
        human_bytes(of.bytes),
        human_bytes(of.payload_bytes)
    )
}

/// The objects with their hashes, and the query that returns the records.
fn evidence(out: &mut dyn Write, evidence: &Evidence) -> io::Result<()> {
    if evidence.objects.is_empty() && evidence.sql.is_none() {
        return Ok(());
    }
    writeln!(out, "<h3>Evidence</h3>")?;
    if !evidence.objects.is_empty() {
        writeln!(
            out,
            "<table class=\"objects\">\n<thead><tr><th>Object, and its SHA-256</th><th class=\"number\">Rows</th></tr></thead>\n\
             <tbody>"
        )?;
        for object in &evidence.objects {
            writeln!(
                out,
                "<tr><td>{}<br><span class=\"note\">{}</span></td><td class=\"number\">{}</td></tr>",
                esc(&object.uri),
                esc(object.sha256.as_deref().unwrap_or("not read to its end")),
                human_count(object.rows)
            )?;
        }
        writeln!(out, "</tbody>\n</table>")?;
        let left = evidence
            .objects_total
            .saturating_sub(evidence.objects.len() as u64);
        if left > 0 {
            let left = human_count(left);
            writeln!(
                out,
                "<p class=\"note\">{left} more objects hold rows of its interfaces, from about that time.</p>"
            )?;
        }
    }
    match known(&evidence.sql) {
        Some(sql) => writeln!(out, "<pre><code>{}</code></pre>", esc_lines(sql)),
        None => Ok(()),
    }
}
