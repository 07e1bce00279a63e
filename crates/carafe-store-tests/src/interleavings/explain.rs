//! Is there an order in which the requests can have happened?

use std::collections::HashSet;

use super::model::{Clock, Model, Opened, Refused, Told};
use super::plan::{Act, Mishap, Observed, Outcome, Plan, Reply};
use crate::app::SetCookie;

/// The progress of a request.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Progress {
    stage: Stage,
    opened: Option<Opened>,
    told: Option<Told>,
    /// Whether its save before its end has failed, and with it the handler.
    failed: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Stage {
    #[default]
    Waits,
    /// The request has seen its session.
    Open,
    /// The request has done its save before its end.
    Acted,
    Done,
}

/// A moment of an order.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Moment {
    model: Model,
    progress: Vec<Progress>,
}

/// Whether there is an order of what the requests did that agrees with everything that was observed.
///
/// A request does at most three things, each at one moment: it sees its session when it begins, it
/// may save something while it runs, and at its end its changes are applied to what is there then.
/// Between these others have their turn, as docs/consistency.md has it. But whatever was answered
/// before another request began came first, so that a stale answer is found out.
///
/// A refused request has had no effect at the end. Of a request whose outcome is unknown, since the
/// store failed or the process was killed, each effect may have happened or not.
pub(super) fn explains(plan: &Plan, outcome: &Outcome) -> bool {
    if !outcome.requests.iter().all(|request| is_allowed(plan, outcome, request)) {
        return false;
    }
    let first = Moment {
        model: Model::new(plan),
        progress: vec![Progress::default(); outcome.requests.len()],
    };
    let mut seen = HashSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some(moment) = open.pop() {
        if is_end(plan, outcome, &moment) {
            return true;
        }
        for number in 0..outcome.requests.len() {
            for next in moment.steps_of(number, outcome) {
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
    }
    false
}

/// Whether a status can occur at all.
fn is_allowed(plan: &Plan, outcome: &Outcome, request: &Observed) -> bool {
    match &request.answered {
        None => plan.is_killed(request.client),
        Some((_, Reply { status: 200 | 409, .. })) => true,
        Some((_, Reply { status: 503, cookie, .. })) => {
            !outcome.failures.is_empty() && *cookie != SetCookie::Remove
        }
        Some(_) => false,
    }
}

fn is_end(plan: &Plan, outcome: &Outcome, moment: &Moment) -> bool {
    let mut progress = outcome.requests.iter().zip(&moment.progress);
    if !progress
        .all(|(request, progress)| request.known().is_none() || progress.stage == Stage::Done)
    {
        return false;
    }
    let model = &moment.model;
    let found = outcome.found.iter().all(|(token, content)| model.find(*token) == *content);
    let records = outcome.records.iter().all(|(user, records)| {
        let expected = model.count(user);
        match plan.mishap {
            Mishap::Nothing => *records == expected,
            // Where minutes pass while a lost answer is looked for, the new record of a session
            // that may have moved there is deleted: no client has its id.
            Mishap::Failures { .. } if plan.time_passes() => true,
            // There may be a record whose id no client has.
            Mishap::Failures { .. } | Mishap::Crash { .. } => *records >= expected,
        }
    });
    found && records
}

impl Observed {
    /// The answer, if it says what happened.
    fn known(&self) -> Option<&Reply> {
        self.answered.as_ref().map(|(_, reply)| reply).filter(|reply| reply.status != 503)
    }

    /// Whether it was answered before another one began.
    fn precedes(&self, other: &Self) -> bool {
        self.answered.as_ref().is_some_and(|(answered, _)| *answered < other.began)
    }
}

impl Moment {
    /// Every next thing that a request can have done.
    fn steps_of(&self, number: usize, outcome: &Outcome) -> Vec<Self> {
        let request = &outcome.requests[number];
        let mut others = outcome.requests.iter().zip(&self.progress);
        let waits = self.progress[number].stage == Stage::Waits;
        if waits
            && others.any(|(other, progress)| {
                other.known().is_some() && progress.stage != Stage::Done && other.precedes(request)
            })
        {
            return Vec::new();
        }
        // A request that was answered with an unknown outcome does nothing after its answer.
        let is_late =
            request.known().is_none()
                && outcome.requests.iter().zip(&self.progress).any(|(other, progress)| {
                    progress.stage != Stage::Waits && request.precedes(other)
                });
        if is_late || self.progress[number].stage == Stage::Done {
            return Vec::new();
        }
        if let Some(seconds) = request.act.seconds() {
            let mut next = self.clone();
            next.model.pass(seconds);
            next.progress[number].stage = Stage::Done;
            return vec![next];
        }
        let clocks = self.model.clocks_since(request.clock);
        let mut next: Vec<Self> =
            clocks.into_iter().filter_map(|clock| self.step(number, request, clock)).collect();
        if request.known().is_none() && self.progress[number].stage == Stage::Open {
            let mut without = self.clone();
            (without.progress[number].stage, without.progress[number].failed) =
                (Stage::Acted, true);
            next.push(without);
        }
        let progress = &self.progress[number];
        let misses = progress.opened.as_ref().is_some_and(|opened| self.model.may_miss(opened));
        if progress.stage == Stage::Acted && misses && !next.is_empty() {
            let ends = matches!(request.act, Act::Logout | Act::LogoutEverywhere);
            next.extend(ends.then(|| Self { progress: next[0].progress.clone(), ..self.clone() }));
        }
        next
    }

    /// The next thing that a request did, by the clock as it saw it; nothing if that contradicts what
    /// was observed.
    fn step(&self, number: usize, request: &Observed, clock: Clock) -> Option<Self> {
        let mut next = self.clone();
        let Self { model, progress } = &mut next;
        let progress = &mut progress[number];
        let known = request.known();
        match progress.stage {
            Stage::Waits => {
                progress.opened = model.open(request.token, clock.found);
                progress.stage = Stage::Open;
                let content = progress.opened.as_ref().map(|opened| opened.content.clone());
                let agrees = |reply: &Reply| {
                    reply.seen.is_none() || reply.seen == Some(content.unwrap_or_default())
                };
                known.is_none_or(agrees).then_some(next)
            }
            Stage::Open => {
                match model.act_at_once(request.act, number, &mut progress.opened, clock) {
                    Ok((told, value)) => {
                        progress.told = (told != Told::Nothing).then_some(told);
                        progress.stage = Stage::Acted;
                        let agrees = |reply: &Reply| reply.updated == value;
                        known.is_none_or(agrees).then_some(next)
                    }
                    Err(Refused) => next.refuse(number, known),
                }
            }
            Stage::Acted => {
                let act = if progress.failed { Act::Read } else { request.act };
                match model.close(act, number, progress.opened.as_ref(), clock) {
                    Ok(told) => {
                        progress.stage = Stage::Done;
                        let told = progress.told.unwrap_or(told);
                        let agrees =
                            |reply: &Reply| reply.status == 200 && Told::of(&reply.cookie) == told;
                        known.is_none_or(agrees).then_some(next)
                    }
                    Err(Refused) => {
                        // Nothing of it was written.
                        next.model = self.model.clone();
                        next.refuse(number, known)
                    }
                }
            }
            Stage::Done => None,
        }
    }

    fn refuse(mut self, number: usize, known: Option<&Reply>) -> Option<Self> {
        self.progress[number].stage = Stage::Done;
        let agrees = |reply: &Reply| reply.status == 409 && reply.cookie == SetCookie::Keep;
        known.is_none_or(agrees).then_some(self)
    }
}

impl Told {
    fn of(cookie: &SetCookie) -> Self {
        match cookie {
            SetCookie::Keep => Self::Nothing,
            SetCookie::Set(_) => Self::NewId,
            SetCookie::Remove => Self::Remove,
        }
    }
}
