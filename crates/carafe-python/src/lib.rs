//! The native part of the Python package `carafe-sessions`: signatures, Flask's tagged JSON, and sessions in
//! stores.
//!
//! It knows no web framework. The Python modules beside it have Flask's and ASGI's interfaces, and give it
//! cookies and JSON as bytes.
#![forbid(unsafe_code)]

mod baseline;
mod callback;
mod cookie;
mod engine;
mod error;
mod handle;
mod info;
mod json;
mod process;
mod sealed;
mod signed;
mod store;
mod text;

use pyo3::prelude::*;

/// The classes and functions that the Python modules of the package are built on.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::error::CoreError;
    #[pymodule_export]
    use crate::handle::Handle;
    #[pymodule_export]
    use crate::json::{Snapshot, tagged_dumps, tagged_loads};
    #[pymodule_export]
    use crate::sealed::SealedCodec;
    #[pymodule_export]
    use crate::signed::SignedCodec;
    #[pymodule_export]
    use crate::store::Store;
}
