//! What becomes of sessions, through layers on top of a store.
//!
//! Where two processes matter, there are two layers, each with a store of its own on one place.

mod counting;
mod ending;
mod faults;
mod ids;
mod leaving;
mod life;
mod limits;
mod login;
mod merging;
mod renewal;
mod settings;
mod users;
mod waiting;

use std::future::Future;

use tokio::task::JoinHandle;

pub use self::counting::*;
pub use self::ending::*;
pub use self::faults::*;
pub use self::ids::*;
pub use self::leaving::*;
pub use self::life::*;
pub use self::limits::*;
pub use self::login::*;
pub use self::merging::*;
pub use self::renewal::*;
pub use self::settings::*;
pub use self::users::*;
pub use self::waiting::*;
use crate::Fixture;
use crate::app::{App, Site};

/// The work of a handler with its session.
type Work = fn(&carafe::Session) -> Result<(), carafe::Error>;

/// Two processes on one place.
async fn two_apps<F: Fixture>(fixture: &F, site: &Site) -> [App; 2] {
    [site.app(fixture.open().await), site.app(fixture.open().await)]
}

/// Runs a task for each of some numbers at the same time.
async fn at_once<R, Fut>(tasks: usize, task: impl Fn(usize) -> Fut) -> Vec<R>
where
    Fut: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let running: Vec<JoinHandle<R>> = (0..tasks).map(|number| tokio::spawn(task(number))).collect();
    let mut results = Vec::new();
    for one in running {
        results.push(one.await.unwrap());
    }
    results
}
