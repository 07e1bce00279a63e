//! The parts of a long list of sessions.

use carafe::SessionInfo;

/// The number of sessions that one part shows.
const LENGTH: usize = 50;

/// The field of the page's query that names the shown part.
const FIELD: &str = "part=";

/// Some of a user's sessions, and their place in the whole list.
pub(super) struct Part<'a> {
    pub(super) sessions: &'a [SessionInfo],
    /// Whether the user has other sessions than the one that asks.
    pub(super) has_others: bool,
    /// The number of the part before this one, counted from 1.
    pub(super) previous: Option<usize>,
    /// The number of the part after this one.
    pub(super) next: Option<usize>,
}

impl<'a> Part<'a> {
    /// Returns the part of this number, or the last one.
    pub(super) fn of(sessions: &'a [SessionInfo], number: usize) -> Self {
        let last = sessions.len().div_ceil(LENGTH).max(1);
        let number = number.clamp(1, last);
        let (start, end) = ((number - 1) * LENGTH, (number * LENGTH).min(sessions.len()));
        Self {
            sessions: &sessions[start..end],
            has_others: sessions.iter().any(|session| !session.current),
            previous: (number > 1).then(|| number - 1),
            next: (number < last).then(|| number + 1),
        }
    }
}

/// Returns the number of the part that a request's query asks for; 1 without one.
pub(super) fn asked_for(query: Option<&str>) -> usize {
    let mut pairs = query.unwrap_or_default().split('&');
    let number = pairs.find_map(|pair| pair.strip_prefix(FIELD)?.parse().ok());
    number.unwrap_or(1).max(1)
}

/// Returns the query of a part. The first part is the page itself.
pub(super) fn query(number: usize) -> String {
    if number == 1 { "?".to_owned() } else { format!("?{FIELD}{number}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_a_part() {
        for (text, number) in
            [("part=2", 2), ("a=b&part=3", 3), ("part=0", 1), ("part=x", 1), ("", 1), ("part", 1)]
        {
            assert_eq!(asked_for(Some(text)), number, "{text}");
        }
        assert_eq!(asked_for(None), 1);
        assert_eq!((query(1), query(7)), ("?".to_owned(), "?part=7".to_owned()));
    }
}
