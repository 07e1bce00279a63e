//! What a session held when it was opened, to find changes within its values.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

/// The JSON of a session as it came, and the dicts and lists that were made of it, with what was in them.
///
/// Where these hold the same objects still, nothing was changed, and no JSON has to be written to know it.
#[pyclass(frozen, module = "carafe_sessions._core")]
#[derive(Debug)]
pub(crate) struct Snapshot {
    json: Vec<u8>,
    containers: Vec<Container>,
    items: Vec<Py<PyAny>>,
}

/// A dict or a list; its items are the next ones in `items`, for a dict each key and its value.
#[derive(Debug)]
struct Container {
    object: Py<PyAny>,
    len: usize,
}

#[pymethods]
impl Snapshot {
    /// The JSON as it came.
    #[getter]
    fn json<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.json)
    }

    /// Whether all dicts and lists hold what they held. If not, they may still hold equal values.
    fn is_untouched(&self, py: Python<'_>) -> bool {
        let mut rest = self.items.as_slice();
        self.containers.iter().all(|container| {
            let (items, after) = rest.split_at(container.len.min(rest.len()));
            rest = after;
            container.holds(py, items)
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.containers.iter().try_for_each(|container| visit.call(&container.object))?;
        self.items.iter().try_for_each(|item| visit.call(item))
    }
}

impl Container {
    fn holds(&self, py: Python<'_>, items: &[Py<PyAny>]) -> bool {
        let object = self.object.bind(py);
        if let Ok(dict) = object.cast_exact::<PyDict>() {
            let mut pairs = items.chunks_exact(2);
            return dict.len() * 2 == items.len()
                && dict.iter().all(|(key, value)| {
                    pairs.next().is_some_and(|pair| key.is(&pair[0]) && value.is(&pair[1]))
                });
        }
        let Ok(list) = object.cast_exact::<PyList>() else { return false };
        list.len() == items.len() && list.iter().zip(items).all(|(item, old)| item.is(old))
    }
}

impl Snapshot {
    /// The snapshot of a session that was just made of its JSON.
    pub(super) fn of(session: &Bound<'_, PyDict>, json: Vec<u8>) -> Self {
        let (containers, items) = (Vec::with_capacity(8), Vec::with_capacity(32));
        let mut snapshot = Self { json, containers, items };
        let mut found = Vec::with_capacity(8);
        session.iter().for_each(|(_, value)| push_container(&mut found, value));
        while let Some(container) = found.pop() {
            snapshot.add(&container, &mut found);
        }
        snapshot
    }

    fn add<'py>(&mut self, container: &Bound<'py, PyAny>, found: &mut Vec<Bound<'py, PyAny>>) {
        let before = self.items.len();
        if let Ok(dict) = container.cast_exact::<PyDict>() {
            for (key, value) in dict {
                self.items.extend([key.unbind(), value.clone().unbind().into_any()]);
                push_container(found, value);
            }
        } else if let Ok(list) = container.cast_exact::<PyList>() {
            for item in list {
                self.items.push(item.clone().unbind());
                push_container(found, item);
            }
        } else if let Ok(tuple) = container.cast_exact::<PyTuple>() {
            // It can't change itself.
            tuple.iter().for_each(|item| push_container(found, item));
            return;
        }
        let len = self.items.len() - before;
        self.containers.push(Container { object: container.clone().unbind(), len });
    }
}

fn push_container<'py>(found: &mut Vec<Bound<'py, PyAny>>, value: Bound<'py, PyAny>) {
    let is_container = value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyTuple>();
    if is_container {
        found.push(value);
    }
}
