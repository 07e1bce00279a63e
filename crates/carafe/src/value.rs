//! The values that a session can hold, and Flask's tagged JSON.
//!
//! [`Value`] is any of them. `Session::get` and `Session::insert` convert from and to Rust's types,
//! so that most applications need no type of this module.
//!
//! ```
//! use carafe::value::Value;
//!
//! let value = Value::from_tagged_json(br#"{"cart": {" t": [1, 2]}}"#)?;
//! let cart = value.as_dict().and_then(|session| session.get("cart"));
//! assert_eq!(cart, Some(&Value::Tuple(vec![1.into(), 2.into()])));
//! # Ok::<(), carafe::Error>(())
//! ```

pub use carafe_format::value::*;

pub use crate::content::Step;
