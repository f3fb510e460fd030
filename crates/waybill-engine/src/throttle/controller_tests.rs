//! The rule before a simulated line: it converges, does not collapse, does not swing, and everybody gets a share.

use std::collections::VecDeque;

use super::*;

const MIB: f64 = 1024.0 * 1024.0;
/// Seconds of one step of the simulation.
const STEP: f64 = 0.002;

/// A line and the server at its end.
#[derive(Clone, Copy)]
struct World {
    bytes_per_second: f64,
    latency: f64,
    /// One connection carries no more.
    of_one: f64,
    /// The server refuses what is beyond this.
    server_takes: usize,
    /// Of a thousand requests so many break.
    breaks: u64,
    /// The line swings by this share.
    swing: f64,
}

const FAST: World = World {
    bytes_per_second: 1000.0 * MIB,
    latency: 0.03,
    of_one: 1000.0 * MIB,
    server_takes: usize::MAX,
    breaks: 0,
    swing: 0.0,
};

/// An upload that asks for one request after the other; the line of those who wait is that of the pool.
struct Asking {
    bytes: f64,
    done: f64,
}

struct Flying {
    who: usize,
    wait: f64,
    left: f64,
    refused: bool,
}

struct Simulation {
    world: World,
    most: usize,
    state: State,
    uploads: Vec<Asking>,
    line: VecDeque<usize>,
    flying: Vec<Flying>,
    dice: u64,
    /// Targets at the end of each tick.
    targets: Vec<usize>,
}

impl Simulation {
    /// `small` uploads ask for requests of 16 KiB, `huge` ones for parts of 8 MiB, as many as they are granted.
    fn new(world: World, most: usize, small: usize, huge: usize) -> Simulation {
        let uploads = (0..small + huge)
            .map(|n| Asking { bytes: if n < small { 16_384.0 } else { 8.0 * MIB }, done: 0.0 })
            .collect();
        let line = (0..small + huge).collect();
        Simulation { world, most, state: State::new(most), uploads, line, flying: vec![], dice: 7, targets: vec![] }
    }

    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % 1000
    }

    /// Small uploads wait for their answer before the next; huge ones ask for the next part once one is granted.
    fn start_what_may_start(&mut self, sample: &mut Sample) {
        while self.flying.len() < self.state.target {
            let Some(who) = self.line.pop_front() else { return };
            let bytes = self.uploads[who].bytes;
            let refused = self.flying.len() >= self.world.server_takes;
            self.flying.push(Flying { who, wait: self.world.latency, left: bytes, refused });
            if bytes > MIB {
                self.line.push_back(who);
            }
        }
        sample.full |= !self.line.is_empty();
    }

    fn advance(&mut self, sample: &mut Sample) {
        self.start_what_may_start(sample);
        let sending = self.flying.iter().filter(|one| one.wait <= 0.0).count().max(1);
        let swing = 1.0 + self.world.swing * (self.roll() as f64 / 500.0 - 1.0);
        let share = (self.world.bytes_per_second * swing / sending as f64).min(self.world.of_one) * STEP;
        for one in &mut self.flying {
            if one.wait > 0.0 {
                one.wait -= STEP;
            } else if !one.refused {
                let sent = share.min(one.left);
                one.left -= sent;
                sample.bytes += sent as u64;
            }
        }
        let (over, flying): (Vec<Flying>, _) = std::mem::take(&mut self.flying)
            .into_iter()
            .partition(|one| one.wait <= 0.0 && (one.refused || one.left <= 0.0));
        self.flying = flying;
        for one in over {
            if one.refused || self.roll() < self.world.breaks {
                sample.trouble += 1;
            } else {
                sample.requests += 1;
                self.uploads[one.who].done += self.uploads[one.who].bytes;
            }
            if self.uploads[one.who].bytes < MIB {
                self.line.push_back(one.who);
            }
        }
    }

    /// One tick of 0.1 s; after a change what was under way is not measured.
    fn tick(&mut self) -> Sample {
        let steps = (0.1 / STEP) as usize;
        let mut sample = Sample { over: self.flying.len() > self.state.target, ..Sample::default() };
        for _ in 0..steps {
            self.advance(&mut sample);
        }
        sample.elapsed = Duration::from_millis(100);
        sample
    }

    fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            let before = self.state.target;
            let sample = self.tick();
            self.state = decide(self.state, &sample, self.most);
            self.targets.push(self.state.target);
            if self.state.target != before {
                self.tick();
            }
        }
    }

    /// Bytes a second from now on, over so many ticks.
    fn rate(&mut self, ticks: usize) -> f64 {
        let before: f64 = self.uploads.iter().map(|upload| upload.done).sum();
        self.run(ticks);
        let after: f64 = self.uploads.iter().map(|upload| upload.done).sum();
        // Ticks that were not measured took time as well: one for each change.
        let last = &self.targets[self.targets.len() - ticks..];
        let changes = last.windows(2).filter(|pair| pair[0] != pair[1]).count();
        (after - before) / (0.1 * (ticks + changes) as f64)
    }

    fn swing(&self, ticks: usize) -> (usize, usize) {
        let last = &self.targets[self.targets.len() - ticks..];
        (*last.iter().min().unwrap(), *last.iter().max().unwrap())
    }
}

#[test]
fn small_files_at_30_ms_have_64_in_flight_within_a_second_and_no_settings() {
    let mut line = Simulation::new(FAST, 128, 400, 0);
    line.run(4);
    assert!(line.state.target >= 64, "{:?}", line.targets);
    let files = line.rate(20) / 16_384.0;
    assert!(files > 64.0 / 0.035, "{files} files a second");
}

#[test]
fn a_full_line_is_not_crowded_with_more_than_it_needs() {
    // 100 MiB/s, which 16 fill already.
    let world = World { bytes_per_second: 100.0 * MIB, ..FAST };
    let mut line = Simulation::new(world, 128, 0, 40);
    line.run(300);
    let rate = line.rate(100);
    assert!(rate > 0.9 * world.bytes_per_second, "{} MiB/s", rate / MIB);
    let (low, high) = line.swing(100);
    assert!(low >= FEWEST_TRIED * 4 / 5 && high <= 24, "{low} to {high}");
}

#[test]
fn connections_that_are_slow_each_are_added_until_the_line_is_full() {
    // Each carries 2 MiB/s; the line would take 100 of them.
    let world = World { bytes_per_second: 200.0 * MIB, of_one: 2.0 * MIB, ..FAST };
    let mut line = Simulation::new(world, 128, 0, 200);
    line.run(200);
    let rate = line.rate(100);
    assert!(rate > 0.8 * world.bytes_per_second, "{} MiB/s at {:?}", rate / MIB, line.swing(100));
}

#[test]
fn a_server_that_takes_50_at_once_is_not_pressed_and_the_target_does_not_collapse() {
    let mut line = Simulation::new(World { server_takes: 50, ..FAST }, 128, 400, 0);
    line.run(300);
    let files = line.rate(300) / 16_384.0;
    let (low, high) = line.swing(300);
    assert!(low >= 25 && high <= 64, "{low} to {high}");
    assert!(files > 0.7 * 50.0 / 0.035, "{files} files a second, {low} to {high}");
}

#[test]
fn a_line_that_breaks_all_the_time_keeps_the_least_and_recovers_when_it_is_whole_again() {
    let mut line = Simulation::new(World { breaks: 300, ..FAST }, 128, 400, 0);
    line.run(200);
    assert!((LEAST..START).contains(&line.state.target), "{}", line.state.target);
    line.world.breaks = 0;
    line.run(80);
    assert!(line.state.target >= 64, "{:?}", line.swing(80));
}

#[test]
fn one_broken_request_among_many_changes_nothing() {
    let mut line = Simulation::new(World { breaks: 5, ..FAST }, 128, 400, 0);
    line.run(100);
    assert!(line.swing(50).0 >= 64, "{:?}", line.swing(50));
}

#[test]
fn a_swinging_line_makes_the_target_neither_collapse_nor_run_away() {
    let world = World { bytes_per_second: 50.0 * MIB, swing: 0.5, ..FAST };
    for small in [0, 400] {
        let mut line = Simulation::new(world, 128, small, 40 - small / 10);
        line.run(200);
        let rate = line.rate(400);
        assert!(rate > 0.6 * world.bytes_per_second, "{} MiB/s at {:?}", rate / MIB, line.swing(400));
        let (low, high) = line.swing(400);
        assert!(low >= LEAST && high <= 128, "{low} to {high}");
    }
}

#[test]
fn a_line_that_gains_room_is_climbed_into_and_one_that_loses_it_is_left_alone() {
    let narrow = World { bytes_per_second: 10.0 * MIB, of_one: 2.0 * MIB, ..FAST };
    let mut line = Simulation::new(narrow, 128, 0, 200);
    line.run(200);
    let before = line.state.target;
    assert!(before <= 32, "{before}");
    line.world.bytes_per_second = 200.0 * MIB;
    line.run(400);
    assert!(line.state.target >= 64, "{:?}", line.swing(100));
    line.world.bytes_per_second = 10.0 * MIB;
    // A hundred parts under way take 80 s now, and nobody breaks them off.
    line.run(4000);
    assert!(line.state.target <= 32, "{:?}", line.swing(100));
}

#[test]
fn small_files_and_huge_ones_both_get_their_share() {
    let world = World { bytes_per_second: 100.0 * MIB, ..FAST };
    let mut line = Simulation::new(world, 128, 40, 2);
    line.run(200);
    let small = |line: &Simulation| line.uploads[..40].iter().map(|one| one.done).sum::<f64>();
    let huge = |line: &Simulation| line.uploads[40..].iter().map(|one| one.done).sum::<f64>();
    let (s, h) = (small(&line), huge(&line));
    line.run(200);
    let (s, h) = ((small(&line) - s) / 16_384.0 / 20.0, (huge(&line) - h) / 20.0);
    assert!(s > 50.0, "{s} small files a second");
    assert!(h > 0.5 * world.bytes_per_second, "{} MiB/s", h / MIB);
}

#[test]
fn the_users_maximum_always_holds_and_without_demand_nothing_moves() {
    for most in [1, 3, 4, 8, 17] {
        let mut line = Simulation::new(FAST, most, 400, 0);
        line.run(200);
        let (low, high) = line.swing(200);
        assert_eq!(high, most);
        assert!(low >= most.min(FEWEST_TRIED), "{low} of {most}");
    }
    let mut line = Simulation::new(FAST, 128, 5, 0);
    line.run(50);
    assert_eq!(line.swing(50), (START, START));
}

#[test]
fn another_bound_holds_at_once_and_room_is_climbed_into() {
    let mut line = Simulation::new(FAST, 128, 400, 0);
    line.run(20);
    line.most = 6;
    line.run(1);
    assert_eq!(line.state.target, 6);
    line.run(20);
    line.most = 128;
    line.run(8);
    assert!(line.state.target >= 64, "{:?}", line.targets);
}
