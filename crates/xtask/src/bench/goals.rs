//! What Waybill is to reach, as ratios within one run, and whether it does.

use super::figures::{Figure, Table};
use super::workload::{Client, Unit};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtMost,
    AtLeast,
}

/// A figure of Waybill against one of another client, or against a number.
struct Goal {
    workloads: &'static [&'static str],
    figure: Figure,
    bound: Bound,
    limit: f64,
    than: Option<Client>,
}

const fn than(workloads: &'static [&'static str], figure: Figure, bound: Bound, limit: f64, than: Client) -> Goal {
    Goal { workloads, figure, bound, limit, than: Some(than) }
}

const LARGE: &[&str] = &["big", "mid"];
const SMALL: &[&str] = &["small", "tiny"];
const EVERY: &[&str] = &["big", "mid", "small", "tiny", "small-30ms", "few-30ms", "big-tls"];

const GOALS: [Goal; 9] = [
    than(LARGE, Figure::Cpu, Bound::AtMost, 1.3, Client::Bare),
    than(LARGE, Figure::Cpu, Bound::AtMost, 0.8, Client::OpenDal),
    than(LARGE, Figure::Cpu, Bound::AtMost, 0.1, Client::Rclone),
    than(SMALL, Figure::Cpu, Bound::AtMost, 1.5, Client::Bare),
    than(SMALL, Figure::Rate, Bound::AtLeast, 0.7, Client::Bare),
    than(SMALL, Figure::Rate, Bound::AtLeast, 5.0, Client::Rclone),
    // 64 files in each round trip of 30 ms, less a tenth.
    Goal {
        workloads: &["small-30ms"],
        figure: Figure::Rate,
        bound: Bound::AtLeast,
        limit: 0.9 * 64.0 / 0.030,
        than: None,
    },
    than(&["big-tls"], Figure::Cpu, Bound::AtMost, 1.25, Client::Bare),
    Goal { workloads: EVERY, figure: Figure::Peak, bound: Bound::AtMost, limit: 30.0, than: None },
];

/// A goal, what was reached, and whether that is enough.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) words: String,
    pub(crate) wanted: String,
    pub(crate) reached: String,
    pub(crate) is_reached: bool,
}

/// The goals of a table, of which those against a client that did not run are left out.
pub(crate) fn verdicts(table: &Table) -> Vec<Verdict> {
    let of_table = GOALS.iter().filter(|goal| goal.workloads.contains(&table.workload.name));
    let mut verdicts: Vec<Verdict> = of_table.filter_map(|goal| verdict(goal, table)).collect();
    if let Some(waybill) = table.rows.iter().find(|row| row.client == Client::Waybill) {
        let is_reached = waybill.problems.is_empty() && !waybill.samples.is_empty();
        verdicts.push(Verdict {
            words: format!("{}: every file once and whole, no request too many", table.workload.name),
            wanted: "in every round".to_owned(),
            reached: if is_reached { "so it was".to_owned() } else { waybill.problems.join("; ") },
            is_reached,
        });
    }
    verdicts
}

fn verdict(goal: &Goal, table: &Table) -> Option<Verdict> {
    let ours = table.figure(Client::Waybill, goal.figure)?;
    let theirs = goal.than.map(|client| Some((client, table.figure(client, goal.figure)?)));
    let (value, unit) = match theirs {
        Some(compared) => {
            let (client, theirs) = compared?;
            (ours / theirs, format!(" × {}", client.name()))
        }
        None => (ours, unit(goal.figure, table.workload.unit).to_owned()),
    };
    let (word, is_reached) = match goal.bound {
        Bound::AtMost => ("at most", value <= goal.limit),
        Bound::AtLeast => ("at least", value >= goal.limit),
    };
    Some(Verdict {
        words: format!("{}: {}", table.workload.name, name(goal.figure, table.workload.unit)),
        wanted: format!("{word} {}{unit}", number(goal.limit)),
        reached: format!("{}{unit}", number(value)),
        is_reached,
    })
}

pub(crate) fn name(figure: Figure, unit: Unit) -> &'static str {
    match (figure, unit) {
        (Figure::Wall, _) => "seconds",
        (Figure::Cpu, Unit::Gib) => "CPU seconds per GiB",
        (Figure::Cpu, Unit::File) => "CPU per file",
        (Figure::Rate, Unit::Gib) => "MiB/s",
        (Figure::Rate, Unit::File) => "files/s",
        (Figure::Peak, _) => "peak memory",
    }
}

fn unit(figure: Figure, unit: Unit) -> &'static str {
    match (figure, unit) {
        (Figure::Wall, _) => " s",
        (Figure::Cpu, Unit::Gib) => " s/GiB",
        (Figure::Cpu, Unit::File) => " µs",
        (Figure::Rate, Unit::Gib) => " MiB/s",
        (Figure::Rate, Unit::File) => "/s",
        (Figure::Peak, _) => " MiB",
    }
}

/// Three digits that count.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::table;
    use super::*;

    fn reached(table: &Table, words: &str) -> Vec<bool> {
        let found = verdicts(table)
            .into_iter()
            .filter(|verdict| format!("{} {}", verdict.words, verdict.wanted).contains(words));
        found.map(|verdict| verdict.is_reached).collect()
    }

    #[test]
    fn a_ratio_is_held_against_its_goal_on_the_right_side() {
        let good = table("small", &[(Client::Waybill, &[700]), (Client::Bare, &[500])]);
        assert_eq!(reached(&good, "1.50 × bare"), [true]);
        assert_eq!(reached(&good, "0.700 × bare"), [true]);
        let slow = table("small", &[(Client::Waybill, &[760]), (Client::Bare, &[500])]);
        assert_eq!(reached(&slow, "1.50 × bare"), [false]);
        assert_eq!(reached(&slow, "0.700 × bare"), [false]);
        assert_eq!(reached(&good, "rclone"), [false; 0], "who did not run is not compared with");
    }

    #[test]
    fn a_number_is_held_against_its_goal_and_a_round_that_failed_fails() {
        let far = |ms| table("small-30ms", &[(Client::Waybill, &[ms])]);
        assert_eq!(reached(&far(5_200), "1920/s"), [true]);
        assert_eq!(reached(&far(5_300), "1920/s"), [false]);
        let mut lost = far(5_200);
        assert_eq!(reached(&lost, "every file once"), [true]);
        lost.rows[0].problems.push("round 2: small/0 did not arrive".to_owned());
        assert_eq!(reached(&lost, "every file once"), [false]);
    }
}
