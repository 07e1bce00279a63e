//! `get_flashed_messages` in templates.

use minijinja::value::{Kwargs, Tuple};
use minijinja::{Error, Value};

use super::{refused, to_template};
use carafe::{Flash, Session};

/// Flask's `get_flashed_messages(with_categories=False, category_filter=())`.
pub(super) fn function(session: Session) -> Value {
    Value::from_function(
        move |with_categories: Option<Value>, filter: Option<Value>, named: Kwargs| {
            let with_categories = match named.get::<Option<Value>>("with_categories")? {
                Some(named) => Some(named),
                None => with_categories,
            };
            let filter = match named.get::<Option<Value>>("category_filter")? {
                Some(named) => Some(named),
                None => filter,
            };
            named.assert_all_used()?;
            let mut flashes = session.get_flashed_messages().map_err(refused)?;
            if let Some(filter) = filter.filter(Value::is_true) {
                let wanted = Filter::new(&filter)?;
                flashes.retain(|flash| wanted.accepts(flash));
            }
            let with_categories = with_categories.is_some_and(|value| value.is_true());
            let messages = flashes.into_iter().map(|flash| {
                let message = to_template(flash.message);
                if with_categories {
                    let category = to_template(carafe::value::Value::from(flash.category));
                    Value::from(Tuple::from([category, message]))
                } else {
                    message
                }
            });
            Ok::<_, Error>(Value::from(messages.collect::<Vec<_>>()))
        },
    )
}

/// The wanted categories. As in Python, a text instead of a list stands for all its parts.
enum Filter<'a> {
    PartsOf(&'a str),
    OneOf(Vec<Value>),
}

impl<'a> Filter<'a> {
    fn new(filter: &'a Value) -> Result<Self, Error> {
        match filter.as_str() {
            Some(text) => Ok(Self::PartsOf(text)),
            None => filter.try_iter().map(|items| Self::OneOf(items.collect())),
        }
    }

    fn accepts(&self, flash: &Flash) -> bool {
        flash.category.as_str().is_some_and(|category| match self {
            Self::PartsOf(text) => text.contains(category),
            Self::OneOf(categories) => {
                categories.iter().any(|wanted| wanted.as_str() == Some(category))
            }
        })
    }
}
