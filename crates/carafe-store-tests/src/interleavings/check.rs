//! Runs of many plans, and what they find.

use std::fmt;

use carafe::store::SessionStore;

use super::choices::{Choices, Random};
use super::explain::explains;
use super::plan::{ACTS, Act, Mishap, Outcome, Plan, Renewal};
use super::world::World;

/// The number of smaller forms that are tried of a history without an explanation.
const TRIES: usize = 2_000;

/// A history that no order of its requests explains.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) plan: Plan,
    pub(super) choices: Vec<usize>,
    outcome: Outcome,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, choices, outcome } = self;
        write!(f, "no order of the requests explains this: {plan:?}, choices {choices:?}, ")?;
        write!(f, "{outcome:#?}")
    }
}

/// Runs a plan with some choices; what happened if nothing explains it.
async fn attempt<S: SessionStore>(
    world: &World<S>,
    plan: &Plan,
    choices: &mut Choices,
) -> Option<Violation> {
    let outcome = world.run(plan, choices).await;
    if explains(plan, &outcome) {
        return None;
    }
    Some(Violation { plan: plan.clone(), choices: choices.taken(), outcome })
}

/// Runs plans in every order in which what they do can happen. How many runs it were.
pub(super) async fn try_all<S: SessionStore>(
    world: &World<S>,
    plans: impl IntoIterator<Item = Plan>,
) -> Result<usize, Violation> {
    let mut runs = 0;
    for plan in plans {
        let mut choices = Choices::given(&[]);
        loop {
            runs += 1;
            if let Some(violation) = attempt(world, &plan, &mut choices).await {
                return Err(violation);
            }
            if !choices.next() {
                break;
            }
        }
    }
    Ok(runs)
}

/// Runs as many random plans in random orders, the same ones each time.
pub(super) async fn try_random<S: SessionStore>(
    world: &World<S>,
    runs: u64,
    plan_of: fn(&mut Random) -> Plan,
) -> Result<(), Violation> {
    for seed in 0..runs {
        let mut random = Random(seed);
        let plan = plan_of(&mut random);
        let mut choices = Choices::random(random.0);
        if let Some(violation) = attempt(world, &plan, &mut choices).await {
            return Err(shrink(world, violation).await);
        }
    }
    Ok(())
}

/// Makes the plan and the choices of a violation smaller, as long as it stays one.
async fn shrink<S: SessionStore>(world: &World<S>, mut violation: Violation) -> Violation {
    let mut tries = 0;
    'smaller: loop {
        for (plan, choices) in smaller_than(&violation) {
            tries += 1;
            if tries > TRIES {
                break;
            }
            if let Some(smaller) = attempt(world, &plan, &mut Choices::given(&choices)).await {
                violation = smaller;
                continue 'smaller;
            }
        }
        return violation;
    }
}

/// Smaller forms of a plan and its choices, the smallest at the beginning.
fn smaller_than(Violation { plan, choices, .. }: &Violation) -> Vec<(Plan, Vec<usize>)> {
    let mut smaller = Vec::new();
    let mut add = |plan: Plan| smaller.push((plan, choices.clone()));
    for client in 0..plan.clients.len() {
        let mut without = plan.clone();
        without.clients.remove(client);
        add(without);
    }
    for (client, acts) in plan.clients.iter().enumerate() {
        for (at, act) in acts.iter().enumerate() {
            let mut without = plan.clone();
            without.clients[client].remove(at);
            add(without);
            if *act != Act::Read {
                let mut simpler = plan.clone();
                simpler.clients[client][at] = Act::Read;
                add(simpler);
            }
        }
    }
    if plan.mishap != Mishap::Nothing {
        add(Plan { mishap: Mishap::Nothing, ..plan.clone() });
    }
    for length in [0, choices.len() / 2, choices.len().saturating_sub(1)] {
        if length < choices.len() {
            smaller.push((plan.clone(), choices[..length].to_vec()));
        }
    }
    for (at, choice) in choices.iter().enumerate() {
        if *choice != 0 {
            let mut simpler = choices.clone();
            simpler[at] = 0;
            smaller.push((plan.clone(), simpler));
        }
    }
    smaller
}

/// Whether a user is logged in at first, and when ids are renewed.
const SETTINGS: [(bool, Renewal); 3] =
    [(false, Renewal::Never), (true, Renewal::Later), (true, Renewal::Due)];

/// Every pair of acts, in one process or in two.
pub(super) fn pairs(processes: usize) -> impl Iterator<Item = Plan> {
    let pairs = (0..ACTS.len())
        .flat_map(|first| (first..ACTS.len()).map(move |second| (ACTS[first], ACTS[second])));
    pairs.flat_map(move |(first, second)| {
        SETTINGS.map(|(logged_in, renewal)| Plan {
            clients: vec![vec![first], vec![second]],
            processes,
            logged_in,
            renewal,
            mishap: Mishap::Nothing,
        })
    })
}

/// Acts beside a renewal, after which so much time passes that nothing leads from the old id to the
/// new one any more.
pub(super) fn late() -> impl Iterator<Item = Plan> {
    [Act::Write, Act::Login, Act::Logout].into_iter().map(|late| Plan {
        clients: vec![vec![late], vec![Act::Read, Act::Age]],
        processes: 2,
        logged_in: true,
        renewal: Renewal::Due,
        mishap: Mishap::Nothing,
    })
}

/// Every act by itself and twice in turn, while up to two calls of the store fail.
pub(super) fn failures() -> impl Iterator<Item = Plan> {
    let plans = ACTS.into_iter().flat_map(|act| [vec![act], vec![act, Act::Update]]);
    plans.flat_map(|acts| {
        SETTINGS.map(|(logged_in, renewal)| Plan {
            clients: vec![acts.clone()],
            processes: 1,
            logged_in,
            renewal,
            mishap: Mishap::Failures { most: 2 },
        })
    })
}

/// Every pair in two processes of which the second is killed before any of its calls.
pub(super) fn crashes() -> impl Iterator<Item = Plan> {
    pairs(2).filter(|plan| plan.renewal == Renewal::Due).flat_map(|plan| {
        (0..4).map(move |after| Plan { mishap: Mishap::Crash { after }, ..plan.clone() })
    })
}

/// Up to four clients, who do up to three things each.
pub(super) fn history(random: &mut Random) -> Plan {
    let clients = 2 + random.below(3);
    Plan {
        clients: (0..clients)
            .map(|_| (0..1 + random.below(3)).map(|_| ACTS[random.below(ACTS.len())]).collect())
            .collect(),
        processes: 1 + random.below(2),
        logged_in: random.below(2) == 1,
        renewal: [Renewal::Never, Renewal::Later, Renewal::Due][random.below(3)],
        mishap: match random.below(4) {
            0 => Mishap::Crash { after: random.below(8) },
            1 => Mishap::Failures { most: 1 + random.below(3) },
            _ => Mishap::Nothing,
        },
    }
}
