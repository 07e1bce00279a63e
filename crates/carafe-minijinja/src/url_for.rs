//! `url_for` in templates.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use super::objects::BytesObject;
use super::python;
use carafe::format::percent;

/// The characters that Werkzeug leaves as they are in a path, a query and a fragment.
const PATH: &str = "!$&'()*+,/:;=@";
const QUERY: &str = "!$'()*,/:;?@";
const FRAGMENT: &str = "%!#$&'()*+,/:;=?@";

/// Adds Flask's `url_for` to an environment.
///
/// `pattern` returns the path of an endpoint, with its parameters in braces, as axum writes routes;
/// it returns `None` for an unknown endpoint. Values for which the path has no parameter go into
/// the query, in alphabetical order, and `_anchor` goes to the end.
///
/// ```
/// use minijinja::{Environment, context};
///
/// let mut env = Environment::new();
/// carafe_minijinja::add_to_environment(&mut env);
/// carafe_minijinja::add_url_for(&mut env, |endpoint| match endpoint {
///     "profile" => Some("/user/{name}"),
///     "static" => Some("/static/{*filename}"),
///     _ => None,
/// });
/// let template = "{{ url_for('profile', name='Zoë', tab='a b', _anchor='top') }}";
/// assert_eq!(env.render_str(template, context! {})?, "/user/Zo%C3%AB?tab=a+b#top");
/// # Ok::<(), minijinja::Error>(())
/// ```
///
/// Templates get an error where Flask's would: for an endpoint that isn't there, and for a
/// parameter that wasn't passed. `_method` is ignored; `_external` and `_scheme` are errors, since
/// a template engine doesn't know the host.
pub fn add_url_for<F, P>(env: &mut Environment<'_>, pattern: F)
where
    F: Fn(&str) -> Option<P> + Send + Sync + 'static,
    P: AsRef<str>,
{
    env.add_function("url_for", move |endpoint: &str, values: Kwargs| {
        let pattern = pattern(endpoint)
            .ok_or_else(|| invalid(format!("url_for: there is no endpoint {endpoint:?}")))?;
        build(pattern.as_ref(), &values)
    });
}

fn build(pattern: &str, values: &Kwargs) -> Result<String, Error> {
    for name in ["_external", "_scheme"] {
        if values.get::<Option<Value>>(name)?.is_some_and(|value| value.is_true()) {
            return Err(invalid(format!("url_for: {name} is not supported")));
        }
    }
    let anchor = values.get::<Option<Value>>("_anchor")?;
    let mut url = String::new();
    let mut used = vec!["_anchor", "_external", "_method", "_scheme"];
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let (literal, from_brace) = rest.split_at(at);
        url.push_str(literal);
        if from_brace.starts_with("{{") || from_brace.starts_with("}}") {
            url.push_str(&from_brace[..1]);
            rest = &from_brace[2..];
            continue;
        }
        let parameter = from_brace.strip_prefix('{').and_then(|text| text.split_once('}'));
        let (name, after) = parameter
            .ok_or_else(|| invalid("url_for: the braces of the endpoint's path don't match"))?;
        let name = name.trim_start_matches('*');
        let value = if values.has(name) { values.get(name)? } else { Value::from(()) };
        if value.is_none() {
            return Err(invalid(format!(
                "url_for: the endpoint's path needs a value for {name:?}"
            )));
        }
        percent::encode(&mut url, python::to_str(&value).as_bytes(), PATH);
        used.push(name);
        rest = after;
    }
    url.push_str(rest);
    let mut separator = '?';
    for name in values.args().filter(|name| !used.contains(name)) {
        let value: Value = values.get(name)?;
        for item in items(&value) {
            url.push(separator);
            separator = '&';
            percent::encode_form(&mut url, name.as_bytes(), QUERY);
            url.push('=');
            match item.downcast_object_ref::<BytesObject>() {
                Some(bytes) => percent::encode_form(&mut url, bytes.as_slice(), QUERY),
                None => percent::encode_form(&mut url, python::to_str(&item).as_bytes(), QUERY),
            }
        }
    }
    if let Some(anchor) = anchor {
        url.push('#');
        percent::encode(&mut url, python::to_str(&anchor).as_bytes(), FRAGMENT);
    }
    Ok(url)
}

/// A list or tuple stands for several values, `None` for no value.
fn items(value: &Value) -> Vec<Value> {
    match value.kind() {
        ValueKind::None => Vec::new(),
        ValueKind::Seq if value.downcast_object_ref::<BytesObject>().is_none() => {
            match value.try_iter() {
                Ok(items) => items.filter(|item| !item.is_none()).collect(),
                Err(_) => vec![value.clone()],
            }
        }
        _ => vec![value.clone()],
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(pattern: &'static str, arguments: &str) -> Result<String, Error> {
        let mut env = Environment::new();
        add_url_for(&mut env, move |endpoint| (endpoint == "page").then_some(pattern));
        let template = format!("{{{{ url_for({arguments})|safe }}}}");
        env.render_str(&template, Value::from(()))
    }

    #[test]
    fn parameters_fill_the_path_and_the_rest_is_the_query() {
        for (pattern, arguments, expected) in [
            ("/", "'page'", "/"),
            ("/user/{name}", "'page', name='a/b c?d%'", "/user/a/b%20c%3Fd%25"),
            ("/files/{*path}", "'page', path='a/é.txt'", "/files/a/%C3%A9.txt"),
            ("/{a}/{b}", "'page', b=2, a=true", "/True/2"),
            ("/{{x}}", "'page'", "/{x}"),
            ("/", "'page', q='a&b=c d', p=none, l=[1, 2]", "/?l=1&l=2&q=a%26b%3Dc+d"),
            ("/", "'page', _anchor='a b', _method='POST'", "/#a%20b"),
            ("/", "'page', _external=false", "/"),
        ] {
            assert_eq!(url(pattern, arguments).unwrap(), expected, "{arguments}");
        }
    }

    #[test]
    fn what_cannot_be_built_is_an_error() {
        for (pattern, arguments) in [
            ("/", "'other'"),
            ("/{name}", "'page'"),
            ("/{name", "'page', name=1"),
            ("/", "'page', _external=true"),
            ("/", "'page', _scheme='https'"),
        ] {
            assert!(url(pattern, arguments).is_err(), "{arguments}");
        }
    }
}
