//! From runs to figures: medians over the rounds, and how far the rounds lie apart.

use std::collections::BTreeMap;

use super::measure::Cost;
use super::workload::{Client, Unit, Workload};

const GIB: f64 = (1_u64 << 30) as f64;

/// One run that did what it should.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) cost: Cost,
    pub(crate) requests: BTreeMap<String, u64>,
    /// The most requests that the server had at once.
    pub(crate) busiest: u64,
}

/// The runs of one client.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) client: Client,
    pub(crate) samples: Vec<Sample>,
    /// What went wrong, by round.
    pub(crate) problems: Vec<String>,
}

/// All runs of one workload.
pub(crate) struct Table {
    pub(crate) workload: &'static Workload,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) rows: Vec<Row>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Wall,
    /// Seconds of processor per GiB, or microseconds per file.
    Cpu,
    /// MiB or files per second.
    Rate,
    /// MiB.
    Peak,
}

impl Table {
    pub(crate) fn row(&self, client: Client) -> Option<&Row> {
        self.rows.iter().find(|row| row.client == client && !row.samples.is_empty())
    }

    /// The median of a client's rounds.
    pub(crate) fn figure(&self, client: Client, figure: Figure) -> Option<f64> {
        self.row(client).map(|row| median(&self.values(row, figure)))
    }

    /// How far the rounds lie apart, as a part of the median.
    pub(crate) fn spread(&self, row: &Row, figure: Figure) -> f64 {
        let values = self.values(row, figure);
        let (least, most) =
            values.iter().fold((f64::MAX, 0_f64), |(least, most), value| (least.min(*value), most.max(*value)));
        match median(&values) {
            0.0 => 0.0,
            median => (most - least) / median,
        }
    }

    fn values(&self, row: &Row, figure: Figure) -> Vec<f64> {
        row.samples.iter().map(|sample| self.value(&sample.cost, figure)).collect()
    }

    fn value(&self, cost: &Cost, figure: Figure) -> f64 {
        let wall = cost.wall.as_secs_f64();
        match (figure, self.workload.unit) {
            (Figure::Wall, _) => wall,
            (Figure::Cpu, Unit::Gib) => cost.cpu.as_secs_f64() / (self.bytes as f64 / GIB),
            (Figure::Cpu, Unit::File) => cost.cpu.as_secs_f64() * 1e6 / self.files as f64,
            (Figure::Rate, Unit::Gib) => self.bytes as f64 / f64::from(1 << 20) / wall,
            (Figure::Rate, Unit::File) => self.files as f64 / wall,
            (Figure::Peak, _) => cost.peak_kib as f64 / 1024.0,
        }
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (len, middle) if len % 2 == 1 => sorted[middle],
        (_, middle) => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::super::workload::WORKLOADS;
    use super::*;

    /// A table of one workload whose clients took so many milliseconds of processor in each round, and as long.
    pub(crate) fn table(name: &str, clients: &[(Client, &[u64])]) -> Table {
        let workload = WORKLOADS.iter().find(|workload| workload.name == name).expect("a workload");
        let sample = |ms: &u64| Sample {
            cost: Cost { wall: Duration::from_millis(*ms), cpu: Duration::from_millis(*ms), peak_kib: 20 << 10 },
            requests: BTreeMap::new(),
            busiest: 1,
        };
        let row = |(client, ms): &(Client, &[u64])| Row {
            client: *client,
            samples: ms.iter().map(sample).collect(),
            problems: Vec::new(),
        };
        Table { workload, files: 10_000, bytes: 2 << 30, rows: clients.iter().map(row).collect() }
    }

    #[test]
    fn a_figure_is_the_median_and_the_spread_is_seen_against_it() {
        let table = table("small", &[(Client::Bare, &[600, 400, 500])]);
        let row = table.row(Client::Bare).expect("a row");
        assert_eq!(table.figure(Client::Bare, Figure::Cpu), Some(50.0), "microseconds a file");
        assert_eq!(table.figure(Client::Bare, Figure::Rate), Some(20_000.0));
        assert_eq!(table.figure(Client::Bare, Figure::Peak), Some(20.0));
        assert!((table.spread(row, Figure::Wall) - 0.4).abs() < 1e-9);
        assert_eq!(table.figure(Client::Waybill, Figure::Cpu), None);
        assert_eq!(median(&[1.0, 4.0, 2.0, 3.0]), 2.5);
    }
}
