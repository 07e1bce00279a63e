//! The runtime that the stores need, one in each process.
//!
//! A process that is forked inherits the memory of its parent's runtime and none of its threads, so that
//! waiting for it would never end. The runtime is therefore kept with the number of the process that made
//! it; one of another process is left alone, and never dropped, since dropping it would wait for its threads.

use std::future::Future;
use std::process;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use carafe::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::error::raise;

static CURRENT: ArcSwapOption<OfProcess> = ArcSwapOption::const_empty();

struct OfProcess {
    process: u32,
    runtime: Runtime,
}

/// This process' runtime.
fn current() -> PyResult<Arc<OfProcess>> {
    let process = process::id();
    if let Some(current) = CURRENT.load_full().filter(|current| current.process == process) {
        return Ok(current);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("carafe-sessions")
        .enable_all()
        .build()
        .map_err(|error| {
            PyRuntimeError::new_err(format!("the thread of the sessions can't be started: {error}"))
        })?;
    let made = Arc::new(OfProcess { process, runtime });
    // Kept for ever, so that no other process drops it.
    std::mem::forget(Arc::clone(&made));
    CURRENT.store(Some(Arc::clone(&made)));
    Ok(made)
}

/// Waits for a future without holding the interpreter.
pub(crate) fn wait<F>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F: Future<Output: Send> + Send,
{
    let current = current()?;
    Ok(py.detach(|| current.runtime.block_on(future)))
}

/// Waits for a future, and returns its value. With a function `settle` it runs the future in the
/// background instead, and calls the function with the value and `None`, or with `None` and the
/// exception.
///
/// The function is called in the runtime's thread: it has to hand over to the thread that waits.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    settle: Option<Py<PyAny>>,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
    convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Py<PyAny>> {
    let finish = |py: Python<'_>, done: Result<T, Error>| match done {
        Ok(value) => convert(py, value),
        Err(error) => Err(raise(py, &error)),
    };
    let Some(settle) = settle else {
        let done = wait(py, future)?;
        return finish(py, done);
    };
    current()?.runtime.spawn(async move {
        let done = future.await;
        Python::attach(|py| {
            let settled = match finish(py, done) {
                Ok(value) => settle.call1(py, (value, py.None())),
                Err(error) => settle.call1(py, (py.None(), error)),
            };
            // This happens where the event loop has been closed, and no caller waits any more.
            if let Err(error) = settled {
                error.write_unraisable(py, None);
            }
        });
    });
    Ok(py.None())
}

/// A value of one process. In a forked child it is never dropped, since it would end connections
/// and threads of the parent.
pub(crate) struct Owned<T> {
    process: u32,
    value: Option<T>,
}

impl<T> Owned<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { process: process::id(), value: Some(value) }
    }

    /// Returns the value; an error in another process than the one that made it.
    pub(crate) fn get(&self) -> PyResult<&T> {
        self.value.as_ref().filter(|_| self.process == process::id()).ok_or_else(|| {
            PyRuntimeError::new_err(
                "this belongs to another process: after a fork, sessions have to be opened anew",
            )
        })
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.process != process::id() {
            std::mem::forget(self.value.take());
        }
    }
}
