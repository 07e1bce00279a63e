//! The effects of each method of a store, and of calls that race.

mod clocks;
mod create;
mod delete;
mod expiry;
mod instances;
mod limits;
mod notices;
mod races;
mod revocations;
mod runtimes;
mod update;
mod users;
mod values;

pub use self::clocks::*;
pub use self::create::*;
pub use self::delete::*;
pub use self::expiry::*;
pub use self::instances::*;
pub use self::limits::*;
pub use self::notices::*;
pub use self::races::*;
pub use self::revocations::*;
pub use self::runtimes::*;
pub use self::update::*;
pub use self::users::*;
pub use self::values::*;
