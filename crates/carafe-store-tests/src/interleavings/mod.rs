//! Requests of one session in every order in which their calls of the store can happen, against a
//! simple model of what a session is.
//!
//! Each call of the store waits at a gate, where one after the other is let through. Which one is a
//! choice, and all choices are tried. What the requests saw and were told, and what is there in the
//! end, has to be what some order of their parts gives in the model. On a store in memory, without
//! optimisation, all of it takes a minute.

mod check;
mod choices;
mod explain;
mod gate;
mod model;
#[cfg(test)]
mod mutants;
mod plan;
mod world;

use self::check::{Violation, crashes, failures, history, late, pairs, try_all, try_random};
use self::plan::Plan;
use self::world::World;
use crate::Fixture;

/// The number of random histories that are tried.
const HISTORIES: u64 = 600;

async fn world_of<F: Fixture>(fixture: &F) -> World<F::Store> {
    World::new([fixture.open().await, fixture.open().await])
}

fn report<T>(result: Result<T, Violation>) -> T {
    result.unwrap_or_else(|violation| panic!("{violation}"))
}

/// Tries every order of some plans. The expected number of runs shows that the gate works.
async fn try_at_least(runs: usize, fixture: &impl Fixture, plans: impl Iterator<Item = Plan>) {
    let tried = report(try_all(&world_of(fixture).await, plans).await);
    assert!(tried >= runs, "only {tried} orders were tried");
}

/// Every interleaving of two requests in one process.
pub async fn of_two_requests_in_one_process(fixture: impl Fixture) {
    try_at_least(1_500, &fixture, pairs(1)).await;
}

/// Every interleaving of two requests in two processes.
pub async fn of_two_requests_in_two_processes(fixture: impl Fixture) {
    try_at_least(2_500, &fixture, pairs(2)).await;
}

/// Every interleaving of a request with a renewal and the time after it.
pub async fn of_late_requests(fixture: impl Fixture) {
    try_at_least(1_500, &fixture, late()).await;
}

/// Every request while up to two calls of the store fail, with or without their effect.
pub async fn of_requests_and_failures(fixture: impl Fixture) {
    try_at_least(1_500, &fixture, failures()).await;
}

/// Every interleaving of two requests, one of which is in a process that is killed.
pub async fn of_requests_and_crashes(fixture: impl Fixture) {
    try_at_least(3_000, &fixture, crashes()).await;
}

/// Random histories of up to four clients, in one process or two, with crashes and failures.
pub async fn of_random_histories(fixture: impl Fixture) {
    report(try_random(&world_of(&fixture).await, HISTORIES, history).await);
}
