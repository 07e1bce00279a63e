//! The commands that clients send to Redis.

/// The first command that is there as a whole, in words, and how many bytes it takes.
pub(crate) fn command(sent: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let mut rest = sent;
    let count = number(&mut rest, b'*')?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = number(&mut rest, b'$')?;
        words.push(rest.get(..length)?.to_vec());
        rest = rest.get(length + 2..)?;
    }
    Some((words, sent.len() - rest.len()))
}

/// The names of commands.
pub(crate) fn names(mut sent: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    while let Some((words, length)) = command(sent) {
        names.push(String::from_utf8_lossy(&words[0]).into_owned());
        sent = &sent[length..];
    }
    assert!(sent.is_empty(), "half a command");
    names
}

/// Takes off a line that has this sign and a number.
fn number(rest: &mut &[u8], sign: u8) -> Option<usize> {
    let end = rest.windows(2).position(|bytes| bytes == b"\r\n")?;
    let (line, after) = rest.split_at(end);
    *rest = &after[2..];
    let digits = line.strip_prefix(&[sign]).expect("a command");
    std::str::from_utf8(digits).unwrap().parse().ok()
}
