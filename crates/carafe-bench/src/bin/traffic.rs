//! What a hundred million sessions ask of their store: a simulation of visits, of what they read and
//! write, and of how sessions end.
//!
//! `traffic FOLDER` prints a table and writes a plot for each policy to `FOLDER`. The same seed gives
//! the same numbers everywhere. One browser in a thousand is simulated.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// Browsers that are simulated, and how many each of them stands for.
const BROWSERS: u64 = 100_000;
const EACH: f64 = 1_000.0;

/// What is counted of the end of the simulated time, and how finely.
const SHOWN: f64 = 3.0 * DAY;
const STEP: f64 = 10.0 * MINUTE;
const STEPS: usize = (SHOWN / STEP) as usize;

/// Within the time that is shown, an hour in which an event makes some of the browsers come at once.
const EVENT: f64 = DAY + 20.0 * HOUR;
const EVENT_SHARE: f64 = 0.2;
const EVENT_LENGTH: f64 = 10.0 * MINUTE;

/// Of a visit.
const REQUESTS: f64 = 12.0;
const PAUSE: f64 = 40.0;
const CHANGES: f64 = 0.05;
const LOGOUTS: f64 = 0.03;

/// A use is written at most once in this share of the idle timeout: as Carafe does.
const TOUCH: f64 = 0.1;

/// The lifetimes of sessions.
struct Policy {
    name: &'static str,
    file: &'static str,
    idle: f64,
    absolute: f64,
    /// Visits of a browser in a day.
    visits: f64,
    /// Simulated before what is shown, until sessions end as often as they begin.
    before: f64,
}

const POLICIES: [Policy; 2] = [
    Policy {
        name: "Idle for 14 days, 90 days at most",
        file: "traffic-long.svg",
        idle: 14.0 * DAY,
        absolute: 90.0 * DAY,
        visits: 0.7,
        before: 200.0 * DAY,
    },
    Policy {
        name: "Idle for 30 minutes, 12 hours at most",
        file: "traffic-short.svg",
        idle: 30.0 * MINUTE,
        absolute: 12.0 * HOUR,
        visits: 6.0,
        before: 3.0 * DAY,
    },
];

/// The counters.
#[derive(Clone, Copy)]
enum Count {
    Read,
    Touch,
    Change,
    Create,
    Logout,
    Expire,
    /// A record that PostgreSQL's sweep looks at, and finds in use.
    Kept,
}

const COUNTS: [(Count, &str); 7] = [
    (Count::Read, "reads"),
    (Count::Touch, "touches"),
    (Count::Change, "other updates"),
    (Count::Create, "logins"),
    (Count::Logout, "logouts"),
    (Count::Expire, "expired"),
    (Count::Kept, "found in use by the sweep"),
];

/// The counts in each step of the time that is shown.
struct Tally {
    begin: f64,
    counts: Vec<[f64; COUNTS.len()]>,
    /// The number of sessions more than in the step before.
    live: Vec<f64>,
}

impl Tally {
    fn new(begin: f64) -> Self {
        Self { begin, counts: vec![[0.0; COUNTS.len()]; STEPS], live: vec![0.0; STEPS] }
    }

    fn add(&mut self, what: Count, time: f64) {
        let step = (time - self.begin) / STEP;
        if step >= 0.0
            && let Some(counts) = self.counts.get_mut(step as usize)
        {
            counts[what as usize] += EACH;
        }
    }

    fn lived(&mut self, from: f64, to: f64) {
        let step = |time: f64| ((time - self.begin) / STEP).ceil().max(0.0) as usize;
        let (from, to) = (step(from), step(to));
        if from < to {
            for (step, change) in [(from, EACH), (to, -EACH)] {
                if let Some(live) = self.live.get_mut(step) {
                    *live += change;
                }
            }
        }
    }

    /// Per second, in each step.
    fn rate(&self, what: Count) -> Vec<f64> {
        self.counts.iter().map(|counts| counts[what as usize] / STEP).collect()
    }

    fn sessions(&self) -> Vec<f64> {
        let add = |sum: &mut f64, change: &f64| {
            *sum += change;
            Some(*sum)
        };
        self.live.iter().scan(0.0, add).collect()
    }
}

/// A record, as the store has it.
struct Session {
    created: f64,
    written: f64,
    /// The time when PostgreSQL's sweep will look at it.
    sweep: f64,
}

impl Session {
    fn ends(&self, policy: &Policy) -> f64 {
        (self.written + policy.idle).min(self.created + policy.absolute)
    }

    /// The sweeps until then that found it in use.
    fn sweep_until(&mut self, time: f64, policy: &Policy, tally: &mut Tally) {
        while self.sweep < time && self.sweep < self.ends(policy) {
            tally.add(Count::Kept, self.sweep);
            self.sweep = self.ends(policy);
        }
    }
}

/// All that one browser does.
fn browse(policy: &Policy, random: &mut Random, tally: &mut Tally) {
    let end = policy.before + SHOWN;
    let event = policy.before + EVENT;
    let mut event_visit =
        (random.unit() < EVENT_SHARE).then(|| event + random.unit() * EVENT_LENGTH);
    let mut session: Option<Session> = None;
    let mut time = 0.0;
    loop {
        let mut next = next_visit(time, policy.visits, random);
        if let Some(visit) = event_visit.filter(|visit| *visit > time && *visit < next) {
            (next, event_visit) = (visit, None);
        }
        time = next;
        if time >= end {
            break;
        }
        loop {
            session = request(session, time, policy, random, tally);
            if random.unit() < 1.0 / REQUESTS {
                break;
            }
            time += random.exponential(PAUSE);
        }
        if random.unit() < LOGOUTS
            && let Some(mut ended) = session.take()
        {
            ended.sweep_until(time, policy, tally);
            tally.add(Count::Logout, time);
            tally.lived(ended.created, time);
        }
    }
    if let Some(session) = session {
        expire(session, policy, tally);
    }
}

/// Makes one request, and returns the session after it.
fn request(
    session: Option<Session>,
    time: f64,
    policy: &Policy,
    random: &mut Random,
    tally: &mut Tally,
) -> Option<Session> {
    tally.add(Count::Read, time);
    match session {
        Some(mut session) if time < session.ends(policy) => {
            session.sweep_until(time, policy, tally);
            if random.unit() < CHANGES {
                tally.add(Count::Change, time);
                session.written = time;
            } else if time - session.written >= policy.idle * TOUCH {
                tally.add(Count::Touch, time);
                session.written = time;
            }
            Some(session)
        }
        other => {
            if let Some(ended) = other {
                expire(ended, policy, tally);
            }
            tally.add(Count::Create, time);
            let mut new = Session { created: time, written: time, sweep: 0.0 };
            new.sweep = new.ends(policy);
            Some(new)
        }
    }
}

fn expire(mut session: Session, policy: &Policy, tally: &mut Tally) {
    let end = session.ends(policy);
    session.sweep_until(end, policy, tally);
    tally.add(Count::Expire, end);
    tally.lived(session.created, end);
}

/// Visits come at random, nearly twice as often in the afternoon as on average, seldom at night.
fn next_visit(mut time: f64, a_day: f64, random: &mut Random) -> f64 {
    const MOST: f64 = 2.0;
    loop {
        time += random.exponential(DAY / (a_day * MOST));
        let hour = time % DAY / HOUR;
        let busy = 1.0 - (std::f64::consts::TAU * (hour - 3.0) / 24.0).cos() * 0.9;
        if random.unit() * MOST < busy {
            return time;
        }
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((b ^ (b >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("usage: traffic FOLDER")?.into();
    for policy in &POLICIES {
        let mut tally = Tally::new(policy.before);
        for browser in 0..BROWSERS {
            browse(policy, &mut Random(browser << 20), &mut tally);
        }
        let sessions = tally.sessions();
        // The tables and plots are of a hundred million sessions on average.
        let scale = 100e6 / mean(&sessions);
        println!("{}, a second, per 100 million sessions:", policy.name);
        println!("{:28} {:>9} {:>9} {:>9}", "", "mean", "busiest", "event");
        let mut lines = Vec::new();
        for (count, name) in COUNTS {
            let rate: Vec<f64> = tally.rate(count).iter().map(|rate| rate * scale).collect();
            // The event is on the second day.
            let busiest = most(&rate[..STEPS / 3]);
            println!("{name:28} {:>9.0} {busiest:>9.0} {:>9.0}", mean(&rate), most(&rate));
            lines.push((name, rate));
        }
        let [busiest, event] = [&sessions[..STEPS / 3], &sessions].map(|s| most(s) * scale / 1e6);
        println!("{:28} {:>9.0} {busiest:>9.0} {event:>9.0}", "million sessions", 100.0);
        println!();
        std::fs::write(folder.join(policy.file), plot(policy.name, &lines))?;
    }
    Ok(())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// The powers of ten between which the vertical axis runs.
const POWERS: std::ops::RangeInclusive<i32> = 1..=7;
/// Okabe and Ito's colours, and black or white.
const COLOURS: [&str; COUNTS.len()] =
    ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888"];

/// A power of ten, briefly.
fn number(power: i32) -> String {
    let (power, unit) = match power {
        ..3 => (power, ""),
        3..6 => (power - 3, " k"),
        _ => (power - 6, " M"),
    };
    format!("{}{unit}", 10u32.pow(power.unsigned_abs()))
}

/// Rates over three days, on a logarithmic axis.
fn plot(title: &str, lines: &[(&str, Vec<f64>)]) -> String {
    let (low, high) = (f64::from(*POWERS.start()), f64::from(*POWERS.end()));
    let x = |step: f64| LEFT + (WIDTH - RIGHT - LEFT) * step / STEPS as f64;
    let y = |rate: f64| {
        let place = (rate.log10().clamp(low, high) - low) / (high - low);
        HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP)
    };
    let height = HEIGHT + 20.0 * lines.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\" \
         aria-label=\"{title}\">\n\
         <style>text {{ fill: #333 }} .grid {{ stroke: #8886 }} .line {{ fill: none; \
         stroke-width: 2 }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ccc }} }}\
         </style>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\" font-weight=\"600\">{title}: events a second</text>\n"
    );
    for power in POWERS {
        let (at, right) = (y(10f64.powi(power)), WIDTH - RIGHT);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/><text x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            at + 4.0,
            number(power)
        );
    }
    for hour in (0..=(SHOWN / HOUR) as u32).step_by(12) {
        let (at, bottom) = (x(f64::from(hour) * HOUR / STEP), HEIGHT - BOTTOM);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/><text x=\"{at:.1}\" y=\"{}\" \
             text-anchor=\"middle\">{hour} h</text>",
            bottom + 18.0
        );
    }
    for ((row, (name, rates)), colour) in lines.iter().enumerate().zip(COLOURS) {
        let path: String = rates
            .iter()
            .enumerate()
            .map(|(step, rate)| {
                let letter = if step == 0 { 'M' } else { 'L' };
                format!("{letter}{:.1} {:.1}", x(step as f64 + 0.5), y(*rate))
            })
            .collect();
        let at = HEIGHT + 20.0 * row as f64;
        let _ = writeln!(
            svg,
            "<path class=\"line\" stroke=\"{colour}\" d=\"{path}\"/><path class=\"line\" \
             stroke=\"{colour}\" d=\"M{LEFT} {at}h24\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            LEFT + 32.0,
            at + 4.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}
