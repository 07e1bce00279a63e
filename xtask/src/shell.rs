//! Words of command lines that another program splits.

/// The programs split what starts a server into words as a shell does.
pub(crate) fn shell_word(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=".contains(&byte);
    if !path.is_empty() && path.bytes().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word() {
        assert_eq!(shell_word("/home/ann/target/debug/twin"), "/home/ann/target/debug/twin");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("/home/my code/twin"), "'/home/my code/twin'");
        assert_eq!(shell_word("/home/ann's/twin"), r"'/home/ann'\''s/twin'");
    }
}
