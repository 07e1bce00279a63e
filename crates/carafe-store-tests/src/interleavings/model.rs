//! A model of sessions, by docs/consistency.md: a few lines of state without any store.
//!
//! The model knows nothing of records, versions, pointers and queues, so that it can't share a
//! mistake with the engine.

use std::collections::BTreeMap;

use super::plan::{Act, Content, GRACE, IDLE, NUMBER, Plan, RENEW_AFTER, Renewal, Token};
use crate::support::NOW;

/// A session. One that has ended stays so.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Session {
    content: Content,
    ended: bool,
    /// The time of the last write.
    used: u64,
    /// The time when the session got its present id.
    renewed: u64,
}

/// The session that a cookie leads to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Lead {
    session: usize,
    /// A former id leads to its session for a while, or no more; the present one has no limit.
    until: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Model {
    renews: bool,
    /// The times that it has been, the present one at the end.
    times: Vec<u64>,
    sessions: Vec<Session>,
    tokens: BTreeMap<Token, Lead>,
}

/// The knowledge that a request has of its session.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Opened {
    session: usize,
    /// The id that the session had then, also where a former one led to it.
    token: Token,
    /// The time when the session had got that id.
    renewed: u64,
    pub(super) content: Content,
}

/// The cookie in the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Told {
    Nothing,
    NewId,
    Remove,
}

/// The times that a change can have taken for the present one: when it looked for its session, and
/// when it wrote. Another one may have passed the clock between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) found: u64,
    pub(super) wrote: u64,
}

/// The session ended while the request was under way, or in strict mode what the request had read
/// was changed: the answer is 409.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

impl Model {
    pub(super) fn new(plan: &Plan) -> Self {
        let content = Content {
            user: plan.logged_in.then_some("ada"),
            numbers: BTreeMap::from([(NUMBER.to_owned(), 1)]),
        };
        let session = Session { content, ended: false, used: NOW.0, renewed: NOW.0 };
        let mut times = vec![NOW.0];
        times.extend((plan.renewal == Renewal::Due).then_some(NOW.0 + RENEW_AFTER));
        Self {
            renews: plan.renewal != Renewal::Never,
            times,
            sessions: vec![session],
            tokens: BTreeMap::from([(Token::Initial, Lead { session: 0, until: None })]),
        }
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.times.push(self.now() + seconds);
    }

    fn now(&self) -> u64 {
        self.times.last().copied().unwrap_or(NOW.0)
    }

    /// The times that something can have taken for the present one which began at a time: it looks
    /// at the clock, and is then under way.
    pub(super) fn clocks_since(&self, began: u64) -> Vec<Clock> {
        let times: Vec<u64> = self.times.iter().copied().filter(|time| *time >= began).collect();
        let pairs = times.iter().enumerate().flat_map(|(at, wrote)| {
            times[..=at].iter().map(|found| Clock { found: *found, wrote: *wrote })
        });
        pairs.collect()
    }

    fn is_alive(&self, session: usize, now: u64) -> bool {
        let session = &self.sessions[session];
        !session.ended && now.saturating_sub(session.used) < IDLE
    }

    /// The session that a cookie leads to.
    fn follow(&self, token: Token, now: u64) -> Option<usize> {
        let Lead { session, until } = *self.tokens.get(&token)?;
        let leads = until.is_none_or(|until| now < until) && self.is_alive(session, now);
        leads.then_some(session)
    }

    /// Returns the content in the end.
    pub(super) fn find(&self, token: Token) -> Content {
        let session = self.follow(token, self.now());
        session.map_or_else(Content::default, |session| self.sessions[session].content.clone())
    }

    /// Returns the number of a user's sessions in the end.
    pub(super) fn count(&self, user: &str) -> usize {
        let is_theirs = |session: &usize| {
            self.sessions[*session].content.user == Some(user)
                && self.is_alive(*session, self.now())
        };
        (0..self.sessions.len()).filter(is_theirs).count()
    }

    /// A request begins: it sees the session as it is.
    pub(super) fn open(&self, token: Option<Token>, now: u64) -> Option<Opened> {
        let session = self.follow(token?, now)?;
        let present = |(_, lead): &(&Token, &Lead)| lead.session == session && lead.until.is_none();
        let token = *self.tokens.iter().find(present)?.0;
        let Session { renewed, content, .. } = self.sessions[session].clone();
        Some(Opened { session, token, renewed, content })
    }

    /// Does the save of a request before its end, if it has one; returns the result of
    /// `update_now`.
    pub(super) fn act_at_once(
        &mut self,
        act: Act,
        number: usize,
        opened: &mut Option<Opened>,
        clock: Clock,
    ) -> Result<(Told, Option<u64>), Refused> {
        match act {
            Act::Update => {
                let (session, told) = self.written(number, opened.as_ref(), clock)?;
                let numbers = &mut self.sessions[session].content.numbers;
                let n = numbers.entry(NUMBER.to_owned()).or_default();
                *n += 1;
                let n = *n;
                let (&token, _) = self
                    .tokens
                    .iter()
                    .find(|(_, lead)| lead.session == session && lead.until.is_none())
                    .ok_or(Refused)?;
                let Session { renewed, content, .. } = self.sessions[session].clone();
                *opened = Some(Opened { session, token, renewed, content });
                Ok((told, Some(n)))
            }
            Act::LogoutEverywhere => {
                let user = opened.as_ref().and_then(|opened| opened.content.user);
                for session in &mut self.sessions {
                    session.ended |= user.is_some() && session.content.user == user;
                }
                Ok((Told::Nothing, None))
            }
            _ => Ok((Told::Nothing, None)),
        }
    }

    /// The end of a request: its changes are applied to what is there now.
    pub(super) fn close(
        &mut self,
        act: Act,
        number: usize,
        opened: Option<&Opened>,
        clock: Clock,
    ) -> Result<Told, Refused> {
        let Clock { found, wrote: now } = clock;
        match act {
            // A read-only request, or one that has saved already, is served even if the session has
            // ended.
            Act::Read | Act::Update => {
                Ok(opened.map_or(Told::Nothing, |opened| self.renew(number, opened, now)))
            }
            Act::Write | Act::Set | Act::ReadAndSet => {
                let (session, told) = self.written(number, opened, clock)?;
                let content = &mut self.sessions[session].content;
                match act {
                    Act::Write => content.numbers.insert(format!("key {number}"), 1),
                    Act::Set => content.numbers.insert(NUMBER.to_owned(), 100 * number as u64),
                    _ => {
                        let seen = opened.and_then(|opened| opened.content.numbers.get(NUMBER));
                        if content.numbers.get(NUMBER) != seen {
                            // All of these layers are strict.
                            return Err(Refused);
                        }
                        let next = seen.copied().unwrap_or(0) + 1;
                        content.numbers.insert(NUMBER.to_owned(), next)
                    }
                };
                let renewed = opened.map_or(Told::Nothing, |one| self.renew(number, one, now));
                Ok(if told == Told::Nothing { renewed } else { told })
            }
            Act::Rotate => {
                // There is nothing to rotate where there is no session.
                let Some(opened) = opened else { return Ok(Told::Nothing) };
                let session = self.follow(opened.token, found).ok_or(Refused)?;
                self.end_tokens(session);
                self.give_id(session, number, now);
                Ok(Told::NewId)
            }
            Act::Login => {
                if let Some(opened) = opened {
                    let before = self.follow(opened.token, found).ok_or(Refused)?;
                    // Nothing of the session remains, and no request that still runs in it takes
                    // part in this.
                    self.sessions[before].ended = true;
                }
                let session = self.begin(number, now);
                self.sessions[session].content.user = Some(user_of(number));
                Ok(Told::NewId)
            }
            Act::Logout | Act::LogoutEverywhere => {
                if let Some(opened) = opened {
                    self.sessions[opened.session].ended = true;
                }
                Ok(Told::Remove)
            }
            Act::Age | Act::Expire => Ok(Told::Nothing),
        }
    }

    /// Whether a logout may not find its session: that of an anonymous visitor which has had another
    /// id for so long that nothing leads there any more. A user's is found by its public id.
    pub(super) fn may_miss(&self, opened: &Opened) -> bool {
        let former = self.tokens.get(&opened.token).and_then(|lead| lead.until);
        opened.content.user.is_none() && former.is_some_and(|until| until < self.now())
    }

    /// The session that a request writes into: the one that it opened, if that is still there under
    /// the id that it had, or under the one to which that leads; a new one if it opened none.
    fn written(
        &mut self,
        number: usize,
        opened: Option<&Opened>,
        clock: Clock,
    ) -> Result<(usize, Told), Refused> {
        let Clock { found, wrote: now } = clock;
        let Some(opened) = opened else { return Ok((self.begin(number, now), Told::NewId)) };
        let session = self.follow(opened.token, found).ok_or(Refused)?;
        self.sessions[session].used = now;
        Ok((session, Told::Nothing))
    }

    /// A new session.
    fn begin(&mut self, number: usize, now: u64) -> usize {
        let content = Content::default();
        self.sessions.push(Session { content, ended: false, used: now, renewed: now });
        self.give_id(self.sessions.len() - 1, number, now);
        self.sessions.len() - 1
    }

    /// Renews an id that is due, unless another request has done it, or the session has ended.
    fn renew(&mut self, number: usize, opened: &Opened, now: u64) -> Told {
        let is_due = self.renews && now.saturating_sub(opened.renewed) >= RENEW_AFTER;
        let Some(lead) = self.tokens.get_mut(&opened.token) else { return Told::Nothing };
        let session = lead.session;
        if !is_due || lead.until.is_some() {
            return Told::Nothing;
        }
        let until = Some(now + GRACE);
        if !self.is_alive(session, now) {
            return Told::Nothing;
        }
        self.tokens.insert(opened.token, Lead { session, until });
        self.give_id(session, number, now);
        Told::NewId
    }

    fn give_id(&mut self, session: usize, number: usize, now: u64) {
        self.tokens.insert(Token::Of(number), Lead { session, until: None });
        let session = &mut self.sessions[session];
        (session.renewed, session.used) = (now, now);
    }

    /// The ids of a session are dead at once.
    fn end_tokens(&mut self, session: usize) {
        for lead in self.tokens.values_mut().filter(|lead| lead.session == session) {
            lead.until = Some(0);
        }
    }
}

/// Returns the user who logs in by a request.
pub(super) fn user_of(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "ada" } else { "bob" }
}
