//! A subject of the measurements.

use std::fmt;
use std::hint::black_box;

/// A call that is measured, under a name.
pub struct Subject {
    /// The name in the tables.
    pub name: String,
    run: Box<dyn FnMut(u32)>,
}

impl Subject {
    /// A call whose result is dropped within the time that is measured, as a program has to.
    pub fn new<T>(name: impl Into<String>, mut call: impl FnMut() -> T + 'static) -> Self {
        let run = move |times| {
            for _ in 0..times {
                drop(black_box(call()));
            }
        };
        Self { name: name.into(), run: Box::new(run) }
    }

    /// Calls it so many times.
    pub fn run(&mut self, times: u32) {
        (self.run)(times);
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("name", &self.name).finish_non_exhaustive()
    }
}
