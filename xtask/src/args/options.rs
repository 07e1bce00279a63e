//! Options and their values.

/// Walks over `--name value` and `--name=value` alike.
pub(super) struct Options<'a> {
    rest: std::slice::Iter<'a, String>,
    attached: Option<&'a str>,
}

impl<'a> Options<'a> {
    pub(super) fn new(arguments: &'a [String]) -> Self {
        Self { rest: arguments.iter(), attached: None }
    }

    pub(super) fn next(&mut self) -> Option<&'a str> {
        let argument = self.rest.next()?;
        match argument.split_once('=') {
            Some((name, value)) => {
                self.attached = Some(value);
                Some(name)
            }
            None => Some(argument),
        }
    }

    pub(super) fn value(&mut self, option: &str) -> Result<String, String> {
        self.attached
            .take()
            .or_else(|| self.rest.next().map(String::as_str))
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| format!("`{option}` needs a value"))
    }

    pub(super) fn number(&mut self, option: &str) -> Result<u64, String> {
        let value = self.value(option)?;
        value.parse().map_err(|_| format!("`{option}` takes a whole number, not `{value}`"))
    }

    /// Refuses a value given to an option that takes none.
    pub(super) fn done(&mut self) -> Result<(), String> {
        match self.attached.take() {
            Some(value) => Err(format!("this option takes no value, but got `{value}`")),
            None => Ok(()),
        }
    }
}
