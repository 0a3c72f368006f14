//! How fast a task goes, and how long the rest of it takes.

use tokio::time::Instant;

use super::PACE;

/// What lies this long back counts a third (1/e) of what is now.
const MEMORY: f64 = 10.0;

/// The largest number that JSON carries everywhere: 2⁵³ − 1 ms are 285,000 years.
const MOST_MS: u64 = (1 << 53) - 1;

/// The rate of a task: a mean over time in which older time counts less.
///
/// It is a mean over time and not over samples, so who looks often weighs no more than who looks
/// seldom. But what is done between two looks counts as evenly done: a pause in between is not
/// seen.
pub(super) struct Estimate {
    since: Instant,
    at: Instant,
    position: u64,
    /// The mean, with nothing for the time before `since`.
    mean: f64,
    /// How much of that mean is of the time after `since`: from 0 to 1.
    weight: f64,
}

impl Estimate {
    pub(super) fn new(position: u64, now: Instant) -> Self {
        Self {
            since: now,
            at: now,
            position,
            mean: 0.0,
            weight: 0.0,
        }
    }

    pub(super) fn record(&mut self, position: u64, now: Instant) {
        let Some(steps) = position.checked_sub(self.position) else {
            // It was set back: what was done before says nothing about what is done again.
            *self = Self::new(position, now);
            return;
        };
        if steps == 0 && self.weight == 0.0 {
            // It waits for its turn, which says nothing about how fast it will go.
            *self = Self::new(position, now);
            return;
        }
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        if elapsed <= 0.0 {
            return;
        }
        let share = -(-elapsed / MEMORY).exp_m1();
        self.mean += (steps as f64 / elapsed - self.mean) * share;
        self.weight += (1.0 - self.weight) * share;
        self.position = position;
        self.at = now;
    }

    /// What is done per second; `None` until there is something to go by.
    pub(super) fn rate(&self) -> Option<f64> {
        (self.at.saturating_duration_since(self.since) >= PACE).then(|| self.mean / self.weight)
    }

    /// How long `rest` takes; `None` if nothing is being done.
    pub(super) fn eta_ms(&self, rest: u64) -> Option<u64> {
        if rest == 0 {
            return Some(0);
        }
        let rate = self.rate().filter(|rate| *rate > 0.0)?;
        // A cast of what is too large gives the largest.
        Some(((rest as f64 / rate * 1000.0).round() as u64).min(MOST_MS))
    }
}

/// The share that is done, from 0 to 100, rounded down to a tenth. Of nothing, all is done.
pub(super) fn percent(position: u64, length: u64) -> f64 {
    if position >= length {
        return 100.0;
    }
    let permille = u128::from(position) * 1000 / u128::from(length);
    permille as f64 / 10.0
}

/// A rate as it is sent: nobody reads more than three places.
pub(super) fn rounded(rate: f64) -> f64 {
    (rate * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// The rate and the time for `rest` after what was recorded: positions at seconds.
    #[track_caller]
    fn check(record: &[(f64, u64)], rest: u64, rate: Option<f64>, eta_ms: Option<u64>) {
        let start = Instant::now();
        let mut estimate = Estimate::new(0, start);
        for (at, position) in record {
            estimate.record(*position, start + secs(*at));
        }
        assert_eq!(estimate.rate().map(rounded), rate, "the rate of {record:?}");
        assert_eq!(estimate.eta_ms(rest), eta_ms, "the time after {record:?}");
    }

    #[test]
    fn a_steady_pace_is_its_own_rate_however_often_one_looks() {
        check(&[(1.0, 10)], 20, Some(10.0), Some(2000));
        check(
            &[(0.1, 1), (0.2, 2), (60.0, 600)],
            20,
            Some(10.0),
            Some(2000),
        );
        let often: Vec<_> = (1..=1000).map(|n| (n as f64 / 100.0, n)).collect();
        check(&often, 0, Some(100.0), Some(0));
    }

    #[test]
    fn nothing_is_said_before_there_is_something_to_go_by() {
        check(&[], 20, None, None);
        check(&[(0.0, 5)], 20, None, None);
        check(&[(0.000_001, 5)], 20, None, None);
        check(&[(0.0, 5), (0.1, 5)], 20, Some(50.0), Some(400));
    }

    #[test]
    fn the_time_before_the_first_step_is_not_counted() {
        check(&[(50.0, 0)], 20, None, None);
        check(&[(50.0, 0), (51.0, 10)], 20, Some(10.0), Some(2000));
    }

    #[test]
    fn a_task_that_stands_still_has_a_rate_that_falls() {
        check(&[(10.0, 100), (20.0, 100)], 20, Some(2.689), Some(7437));
        check(&[(10.0, 100), (1e5, 100)], 20, Some(0.0), None);
    }

    #[test]
    fn a_burst_is_worth_no_more_than_its_time() {
        check(&[(10.0, 100), (10.001, 200)], 0, Some(25.816), Some(0));
    }

    #[test]
    fn what_is_set_back_begins_anew() {
        check(&[(10.0, 1000), (11.0, 0)], 20, None, None);
        check(
            &[(10.0, 1000), (11.0, 0), (12.0, 5)],
            20,
            Some(5.0),
            Some(4000),
        );
    }

    #[test]
    fn no_number_is_too_large() {
        check(
            &[(0.1, u64::MAX)],
            u64::MAX,
            Some(u64::MAX as f64 * 10.0),
            Some(100),
        );
        check(&[(1e9, 1)], u64::MAX, Some(0.0), Some(MOST_MS));
    }

    #[test]
    fn all_of_nothing_and_more_than_all_are_all() {
        for (position, length, expected) in [
            (0, 0, 100.0),
            (7, 0, 100.0),
            (0, 3, 0.0),
            (1, 3, 33.3),
            (999_999, 1_000_000, 99.9),
            (4, 3, 100.0),
            (u64::MAX - 1, u64::MAX, 99.9),
            (u64::MAX, 1, 100.0),
        ] {
            assert_eq!(
                percent(position, length),
                expected,
                "{position} of {length}"
            );
        }
    }
}
