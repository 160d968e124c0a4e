//! Which harmless explanations there might be for a finding, and how each comes out by what is known of its sender and its
//! destination. None of them hides anything: what excuses bytes is asked by the judges, and this says of each in turn what it was
//! asked, also where it excuses nothing.

use outflow_finding::{
    Family, Harmless, Held, History, Prevalence, Tested, human_bytes, human_count,
};

use super::Judged;
use super::baseline::{Levels, SEASON_DAYS_MIN, season};
use super::history::Past;
use super::ledger::ALLOWED_UNIT;
use super::pairs::Census;
use crate::policy::Policy;
use crate::time::Day;
use crate::view::Group;

/// What is known of a finding when its explanations are tested.
pub(super) struct Known<'k> {
    pub(super) policy: &'k Policy,
    pub(super) census: &'k Census,
    /// What its workload sent before.
    pub(super) past: Option<Past<'k>>,
    /// Its figures.
    pub(super) history: Option<&'k History>,
    /// The group that most was sent to, of what hosts chose to send.
    pub(super) group: Option<Group>,
    /// The day of the first packet, and the one at whose end it is known.
    pub(super) days: (Day, Day),
}

impl Known<'_> {
    /// The explanations, in their order.
    pub(super) fn tested(&self, judged: &Judged) -> Vec<Tested> {
        let mut all = Vec::new();
        // Of what is shared, and of what is not summed by day, no past is asked.
        if judged.workload.is_some() {
            all.extend([self.own_history(), self.weekday()]);
        }
        all.extend(self.peers(judged));
        all.extend(self.rollout());
        all.extend(fetched(judged));
        all.extend(self.allowance(judged));
        all
    }

    fn own_history(&self) -> Tested {
        let tested = |outcome, text| Tested::new(Harmless::OwnHistory, outcome, text);
        let Some(own) = self.history else {
            let least = self.policy.baseline.active_days;
            let text = format!(
                "fewer than {least} days before it are known on which this workload chose to send anything"
            );
            return tested(Held::Unknown, text);
        };
        let charged = self.past.map_or(0, |past| past.charged);
        let (outcome, than) = match own.observed <= own.p99 {
            // What was charged before may be the same thing.
            true if charged > 0 => (Held::Partly, "no more than"),
            true => (Held::Holds, "no more than"),
            false => (Held::Rejected, "more than"),
        };
        let charged = match charged {
            0 => String::new(),
            days => format!(
                "; on {} of them the ledger charged something",
                human_count(days as u64)
            ),
        };
        let text = format!(
            "the workload sent {} outside on the greatest day, {than} {}, the 99th percentile of {} days before (median {}){charged}",
            human_bytes(own.observed),
            human_bytes(own.p99),
            human_count(own.days),
            human_bytes(own.median)
        );
        tested(outcome, text)
    }

    fn weekday(&self) -> Tested {
        let tested = |outcome, text| Tested::new(Harmless::Weekday, outcome, text);
        let of_weekday = |past: &Past<'_>| {
            let apart = past.before.iter().map(|(day, _)| past.greatest.0.0 - day.0);
            apart.filter(|days| days.is_multiple_of(7)).count()
        };
        let known = self.past.map(|past| (of_weekday(&past), past));
        let known = known.filter(|(count, _)| *count >= SEASON_DAYS_MIN);
        let Some((
            count,
            Past {
                before,
                greatest: (day, payload),
                ..
            },
        )) = known
        else {
            let text = format!(
                "fewer than {SEASON_DAYS_MIN} days of the same weekday before it are known"
            );
            return tested(Held::Unknown, text);
        };
        let mut levels = Levels::default();
        before.iter().for_each(|(_, payload)| levels.add(*payload));
        let usual = levels.raised();
        let seasonal = season(before, day, usual);
        let (sent, most) = (human_bytes(payload), human_bytes(seasonal));
        let text = |is: &str| {
            format!(
                "{sent} on the greatest day {is} what {count} days of the same weekday make of an allowance, {most}"
            )
        };
        match (payload <= seasonal, seasonal > usual) {
            (true, true) => tested(Held::Holds, text("is within")),
            (true, false) => {
                let text =
                    format!("the weekday has no more than other days, which would allow {most}");
                tested(Held::Rejected, text)
            }
            (false, _) => tested(Held::Rejected, text("is above")),
        }
    }

    fn peers(&self, judged: &Judged) -> Option<Tested> {
        // Of what is served, and of what has no destination of its own, nobody counts who else sends there.
        let Prevalence { workloads, of } = judged.finding.destination.prevalence?;
        let [few, all] = [workloads, of].map(|own| usize::try_from(own).unwrap_or(usize::MAX));
        let text = format!(
            "{} of {} workloads knew the destination by then, the sender included; up to {} are few",
            human_count(workloads),
            human_count(of),
            human_count(self.policy.rare_workloads(all) as u64)
        );
        let outcome = match self.policy.is_rare(few, all) {
            true => Held::Rejected,
            false => Held::Partly,
        };
        Some(Tested::new(Harmless::Peers, outcome, text))
    }

    fn rollout(&self) -> Option<Tested> {
        let group = self.group?;
        let Some((day, met)) = self.census.most_met(group, self.days) else {
            let text = "no workload sent to the destination for the first time in these days";
            return Some(Tested::new(
                Harmless::Rollout,
                Held::Rejected,
                text.to_owned(),
            ));
        };
        let all = self.census.workloads(day);
        let noun = if met == 1 { "workload" } else { "workloads" };
        let text = format!(
            "{} {noun} sent to the destination for the first time on {day}; up to {} are few",
            human_count(met as u64),
            human_count(self.policy.rare_workloads(all) as u64)
        );
        let outcome = match self.policy.is_rare(met, all) {
            true => Held::Rejected,
            false => Held::Partly,
        };
        Some(Tested::new(Harmless::Rollout, outcome, text))
    }

    fn allowance(&self, judged: &Judged) -> Option<Tested> {
        let finding = &judged.finding;
        if finding.family != Family::VolumeLedger {
            return None;
        }
        let rules = finding
            .why
            .iter()
            .filter(|own| own.unit == ALLOWED_UNIT)
            .count();
        let (outcome, text) = match rules {
            0 if self.policy.sanctioned.is_empty() => {
                (Held::Rejected, "policy.sanctioned allows nothing")
            }
            0 => (
                Held::Rejected,
                "no rule of policy.sanctioned allows a part of it",
            ),
            _ => (
                Held::Partly,
                "policy.sanctioned allows a part of it, and what is above was charged",
            ),
        };
        Some(Tested::new(Harmless::Allowance, outcome, text.to_owned()))
    }
}

fn fetched(judged: &Judged) -> Option<Tested> {
    // Of a beacon or a tunnel, that more came back is no excuse.
    let is_of_volume = matches!(
        judged.finding.family,
        Family::VolumeLedger | Family::VolumeShift | Family::VolumeTotal | Family::DestinationRare
    );
    let (up, down) = (judged.sides.up, judged.sides.down);
    if up.saturating_add(down) == 0 || !is_of_volume {
        return None;
    }
    let outcome = match up > down {
        true => Held::Rejected,
        false => Held::Holds,
    };
    let text = format!(
        "in all, {} went out, and {} came back",
        human_bytes(up),
        human_bytes(down)
    );
    Some(Tested::new(Harmless::Fetched, outcome, text))
}
