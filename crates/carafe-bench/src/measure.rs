//! Measuring many things in turns.

use std::time::{Duration, Instant};

use crate::subject::Subject;

/// The approximate time of one sample of one subject.
const SAMPLE: Duration = Duration::from_micros(60);

/// The times of one subject, one for each round.
#[derive(Clone, Debug)]
pub struct Times {
    /// Nanoseconds of one call, in the order of the rounds.
    rounds: Vec<f64>,
}

impl Times {
    /// The median, in nanoseconds.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// How often the other subject's time this is: the median of the rounds' ratios, in which
    /// whatever slowed down a whole round plays no part.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(a, b)| a / b).collect())
    }
}

/// Measures each subject of each group once a round, and gives the groups back with the times.
#[must_use]
pub fn measure(groups: Vec<Vec<Subject>>, rounds: usize) -> Vec<Vec<(String, Times)>> {
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let mut subjects: Vec<Subject> = groups.into_iter().flatten().collect();
    let times = in_turns(&mut subjects, rounds);
    let mut named = subjects.into_iter().map(|subject| subject.name).zip(times);
    sizes.into_iter().map(|size| named.by_ref().take(size).collect()).collect()
}

fn in_turns(subjects: &mut [Subject], rounds: usize) -> Vec<Times> {
    let calls: Vec<u32> = subjects.iter_mut().map(calls_of_a_sample).collect();
    let mut times = vec![Times { rounds: Vec::with_capacity(rounds) }; subjects.len()];
    for round in 0..rounds {
        for turn in 0..subjects.len() {
            // Each round begins elsewhere, so that no subject always follows the same one.
            let at = (turn + round * 7) % subjects.len();
            let start = Instant::now();
            subjects[at].run(calls[at]);
            times[at].rounds.push(start.elapsed().as_nanos() as f64 / f64::from(calls[at]));
        }
    }
    times
}

fn calls_of_a_sample(subject: &mut Subject) -> u32 {
    // The first call of all sets up what is set up once.
    subject.run(1);
    let mut calls = 1;
    loop {
        let start = Instant::now();
        subject.run(calls);
        if start.elapsed() >= SAMPLE || calls >= 1 << 20 {
            return calls;
        }
        calls *= 2;
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_one_round_each() {
        let a = Times { rounds: vec![10.0, 100.0, 30.0] };
        let b = Times { rounds: vec![5.0, 50.0, 10.0] };
        assert_eq!(a.median(), 30.0);
        assert_eq!(a.ratio(&b), 2.0);
    }
}
