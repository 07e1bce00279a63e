//! The checks of the groups.

pub(crate) mod artifacts;
pub(crate) mod bench;
pub(crate) mod cargo_tool;
pub(crate) mod conditions;
pub(crate) mod docsrs;
pub(crate) mod examples;
pub(crate) mod fuzz;
pub(crate) mod interop;
pub(crate) mod mutants;
pub(crate) mod packages;
pub(crate) mod portable;
pub(crate) mod python;
pub(crate) mod release;
pub(crate) mod rust;
pub(crate) mod servers;
pub(crate) mod stores;
pub(crate) mod words;
