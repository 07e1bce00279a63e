//! The command line.

/// The address to listen on, and the path below which the pages are.
pub(crate) struct Arguments {
    pub(crate) listen: String,
    pub(crate) prefix: String,
}

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self { listen: "127.0.0.1:5001".to_owned(), prefix: "/rs".to_owned() };
        while let Some(name) = arguments.next() {
            let target = match name.as_str() {
                "--listen" => &mut parsed.listen,
                "--prefix" => &mut parsed.prefix,
                _ => {
                    return Err(format!(
                        "there is no option {name}; use: --listen ADDRESS --prefix /PREFIX"
                    ));
                }
            };
            *target = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        }
        let prefix = parsed.prefix.trim_end_matches('/');
        if !prefix.is_empty() && !prefix.starts_with('/') {
            return Err("--prefix has to begin with a slash".to_owned());
        }
        parsed.prefix = prefix.to_owned();
        Ok(parsed)
    }
}
