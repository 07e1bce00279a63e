use std::borrow::Cow;
use std::collections::BTreeSet;

use super::changes::Changes;
use super::life::RESERVED;
use super::login::LoginState;
use super::operation::{Change, Operation, ViewChange};
use crate::Error;
use crate::value::Stored;
use crate::value::json::{self, Payload};
use crate::value::{Dict, Text, Value};

/// One request's view of its session: the opened content, with the request's changes.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The opened content. Values are built on demand.
    base: Payload,
    /// Whether the session had content when it was opened.
    came_with_content: bool,
    /// Whether the request has removed the whole opened content.
    cleared: bool,
    /// The request's changes.
    changes: Changes,
    modified: bool,
    /// A number that grows with every change.
    version: u64,
    /// The messages that this request took out, which it may ask for again.
    pub(crate) flashes: Option<Vec<Value>>,
    /// The record of the request's operations, if they may have to be applied to a newer record.
    record: Option<Box<Recording>>,
}

/// The operations of a request on a session in a store.
#[derive(Debug, Default)]
struct Recording {
    log: Vec<Operation>,
    /// Whether the session isn't in the store yet, and no commit of it is under way. No other
    /// request can change it then, so that the view's content can be saved as it is.
    new: bool,
    /// Whether a part of the log was taken, and may or may not have been saved. The view's content
    /// then holds more than the log.
    taken: bool,
    /// The login of the session.
    login: LoginState,
    /// The keys that the request has read and not written yet: the first keys of the opened content
    /// as bits, by their positions, and others by name.
    read_places: u64,
    read_names: BTreeSet<Text>,
    read_all: bool,
}

/// The changes for a commit.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// The request's operations. For a new session it holds only logins, logouts and the fact of a
    /// change.
    pub(crate) log: Vec<Operation>,
    /// The content after the changes, if no other request interferes; `None` if it isn't known, or
    /// if the session gets another record.
    pub(crate) made: Option<Result<Vec<u8>, Error>>,
}

impl Recorded {
    /// Returns one operation that has not been applied to the view.
    pub(crate) fn only(operation: Operation) -> Self {
        Self { log: vec![operation], made: None }
    }
}

impl Recording {
    fn note(&mut self, operation: Operation) {
        match (operation, self.log.last()) {
            (Operation::Touch, Some(Operation::Touch)) => {}
            (operation, last) => {
                if last.is_none() {
                    // Most requests perform one operation.
                    self.log.reserve_exact(1);
                }
                self.log.push(operation);
            }
        }
    }
}

/// The state of a view before some changes, to undo them.
pub(crate) struct Snapshot {
    cleared: bool,
    changes: Changes,
    modified: bool,
}

impl View {
    #[inline]
    pub(crate) fn new(base: Payload) -> Self {
        // All fields are named, so that nothing is built elsewhere and copied.
        Self {
            came_with_content: !base.is_empty(),
            base,
            cleared: false,
            changes: Changes::new(),
            modified: false,
            version: 0,
            flashes: None,
            record: None,
        }
    }

    /// Creates a view that records operations, for a session in a store.
    pub(crate) fn recording(base: Payload, login: LoginState) -> Self {
        let record = Recording { login, ..Recording::default() };
        Self { record: Some(Box::new(record)), ..Self::new(base) }
    }

    /// Creates the view of a new session that will be in a store.
    pub(crate) fn of_new_session() -> Self {
        let record = Recording { new: true, ..Recording::default() };
        Self { record: Some(Box::new(record)), ..Self::new(Payload::default()) }
    }

    /// Performs one operation, and records it if necessary.
    pub(crate) fn perform(&mut self, operation: Operation) -> Result<(), Error> {
        let Some(record) = &self.record else { return operation.apply(self) };
        let noted = match operation {
            Operation::Login(login) => {
                self.log_in(&login);
                Operation::Login(login)
            }
            Operation::Logout => {
                self.log_out();
                Operation::Logout
            }
            // These operations change the record outside of its content.
            operation @ (Operation::Reauthenticated(_)
            | Operation::Credential(_)
            | Operation::Series(_)) => {
                operation.clone().apply(self)?;
                operation
            }
            operation if record.new => {
                operation.apply(self)?;
                Operation::Touch
            }
            operation => {
                operation.clone().apply(self)?;
                operation
            }
        };
        self.note(noted);
        Ok(())
    }

    /// Records an operation that has been performed.
    fn note(&mut self, operation: Operation) {
        if let Some(record) = &mut self.record {
            record.note(operation);
        }
    }

    /// Records a function that has been called, if it may have to be called again.
    fn note_change(&mut self, operation: impl FnOnce() -> Operation) {
        if let Some(record) = &mut self.record {
            record.note(if record.new { Operation::Touch } else { operation() });
        }
    }

    /// Sets a key, without regard to earlier reads.
    pub(crate) fn set(&mut self, key: &str, value: Value) {
        let insert =
            || Operation::Insert { key: Text::from(key), value: value.clone(), seen: None };
        self.note_change(insert);
        self.insert(Text::from(key), value);
    }

    /// Removes a key, without regard to earlier reads.
    pub(crate) fn unset(&mut self, key: &str) {
        if self.contains(key.as_bytes()) {
            self.note_change(|| Operation::Remove { key: Text::from(key), seen: None });
            self.remove(key.as_bytes());
        }
    }

    /// Ends a session in a store, and begins a new one with some of its values.
    pub(crate) fn begin_with(&mut self, kept: Vec<(Text, Value)>) {
        self.log_out();
        self.note(Operation::Logout);
        for (key, value) in kept {
            let insert =
                || Operation::Insert { key: key.clone(), value: value.clone(), seen: None };
            self.note_change(insert);
            self.insert(key, value);
        }
    }

    /// Removes a key that is present.
    pub(crate) fn remove_seen(&mut self, key: &[u8]) -> Result<(), Error> {
        let seen = self.seen(key);
        self.perform(Operation::Remove { key: Text::from_wtf8(key), seen })
    }

    /// Writes the value that `change` returned, and records the function itself.
    pub(crate) fn update(&mut self, key: Text, new: Value, change: &Change) {
        self.note_change(|| Operation::Update { key: key.clone(), change: Change::clone(change) });
        self.insert(key, new);
    }

    /// Writes the fields that `change` returned, and records the function itself.
    pub(crate) fn update_fields(&mut self, fields: Vec<(Text, Option<Value>)>, change: ViewChange) {
        self.note_change(|| Operation::UpdateFields(change));
        self.write_fields(fields);
    }

    /// Inserts the keys with a value, and removes the keys without one.
    pub(crate) fn write_fields(&mut self, fields: Vec<(Text, Option<Value>)>) {
        for (key, value) in fields {
            match value {
                Some(value) => self.insert(key, value),
                None => self.remove(key.as_wtf8()),
            }
        }
    }

    /// Returns whether recorded operations have to be saved.
    pub(crate) fn has_log(&self) -> bool {
        self.record.as_ref().is_some_and(|record| !record.log.is_empty())
    }

    /// Takes the recorded operations out.
    pub(crate) fn take_recorded(&mut self) -> Recorded {
        let Some(record) = &mut self.record else { return Recorded::default() };
        let log = std::mem::take(&mut record.log);
        // From here on the session may be in the store.
        let is_new = std::mem::take(&mut record.new);
        let is_whole = !record.taken;
        record.taken |= !log.is_empty();
        let is_kept = || {
            log.iter().all(|operation| {
                !matches!(operation, Operation::Login(_) | Operation::Logout | Operation::Rotate(_))
            })
        };
        let is_asked_for = !log.is_empty() && is_whole && (is_new || is_kept());
        Recorded { made: is_asked_for.then(|| self.to_json()), log }
    }

    /// Continues from a committed state: `next` is the view of everything that `take_recorded`
    /// returned, and later operations are applied to it again.
    pub(crate) fn rebase(&mut self, next: Self) -> Result<(), Error> {
        let log = self.record.as_mut().map(|record| std::mem::take(&mut record.log));
        let flashes = self.flashes.take();
        *self = Self { flashes, version: self.version + 1, ..next };
        log.into_iter().flatten().try_for_each(|operation| self.perform(operation))
    }

    /// Records that the request has read a key.
    pub(crate) fn note_read(&mut self, key: &[u8]) {
        if let Some(record) = &mut self.record
            && !record.new
            && !record.read_all
            && !self.changes.contains_key(key)
        {
            match bit_of(&self.base, key) {
                Some(bit) => record.read_places |= bit,
                None if record.read_names.contains(key) => {}
                None => {
                    record.read_names.insert(Text::from_wtf8(key));
                }
            }
        }
    }

    /// Records that the request has read all keys.
    pub(crate) fn note_read_all(&mut self) {
        if let Some(record) = &mut self.record {
            record.read_all = true;
        }
    }

    /// Returns the request's knowledge of a key that it is about to write for the first time.
    pub(crate) fn seen(&mut self, key: &[u8]) -> Option<Option<Value>> {
        let record = self.record.as_mut()?;
        let read = record.read_all
            || match bit_of(&self.base, key) {
                Some(bit) => {
                    let read = record.read_places & bit != 0;
                    record.read_places &= !bit;
                    read
                }
                None => record.read_names.remove(key),
            };
        let written = self.cleared || self.changes.contains_key(key);
        (read && !written).then(|| self.base_value(key))
    }

    /// Returns a state to restore if the following changes fail.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot { cleared: self.cleared, changes: self.changes.clone(), modified: self.modified }
    }

    /// Undoes the changes since the snapshot.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) {
        let Snapshot { cleared, changes, modified } = snapshot;
        self.cleared = cleared;
        self.changes = changes;
        self.modified = modified;
        self.version += 1;
    }

    /// Returns whether the session was changed, or marked as changed.
    pub(crate) fn modified(&self) -> bool {
        self.modified
    }

    pub(crate) fn mark_modified(&mut self) {
        self.modified = true;
        self.version += 1;
    }

    /// Returns whether the session had no content when it was opened.
    pub(crate) fn is_new(&self) -> bool {
        !self.came_with_content
    }

    /// Returns whether the request wrote a key.
    pub(crate) fn wrote(&self, key: &[u8]) -> bool {
        self.changes.get(key).is_some_and(Option::is_some)
    }

    /// Returns a number that grows with every change, to notice a change by another handle.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Returns the value of a key, borrowed if the request wrote it itself.
    #[inline]
    pub(crate) fn get(&self, key: &[u8]) -> Option<Cow<'_, Value>> {
        match self.changes.get(key) {
            Some(changed) => changed.as_ref().map(Cow::Borrowed),
            None if self.cleared => None,
            None => self.base_value(key).map(Cow::Owned),
        }
    }

    /// Returns the value of a key, before it is parsed.
    pub(crate) fn stored(&self, key: &[u8]) -> Option<Stored<'_>> {
        match self.changes.get(key) {
            Some(changed) => changed.as_ref().map(|value| Stored::Value(Cow::Borrowed(value))),
            None if self.cleared => None,
            None => self.base.stored(key),
        }
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        match self.changes.get(key) {
            Some(changed) => changed.is_some(),
            None => !self.cleared && self.base.contains(key),
        }
    }

    pub(crate) fn len(&self) -> usize {
        let untouched = if self.cleared { 0 } else { self.base.len() };
        self.changes.iter().fold(untouched, |len, (key, changed)| {
            let before = !self.cleared && self.base.contains(key.as_wtf8());
            len + usize::from(changed.is_some()) - usize::from(before)
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.changes.iter().any(|(_, changed)| changed.is_some()) && self.len() == 0
    }

    pub(crate) fn insert(&mut self, key: Text, value: Value) {
        self.changes.insert(key, Some(value));
        self.mark_modified();
    }

    /// Changes a value, in place if this request wrote it. Returns whether the key is present. An
    /// error leaves the view unchanged if `change` leaves the value unchanged.
    pub(super) fn edit(
        &mut self,
        key: &Text,
        change: impl FnOnce(&mut Value) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        if let Some(value) = self.changes.get_mut(key.as_wtf8()) {
            change(value)?;
            self.mark_modified();
            return Ok(true);
        }
        let Some(mut value) = self.get(key.as_wtf8()).map(Cow::into_owned) else {
            return Ok(false);
        };
        change(&mut value)?;
        self.insert(key.clone(), value);
        Ok(true)
    }

    /// Removes a key. Only a key that was present makes the session modified, as in Flask.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        if self.contains(key) {
            self.changes.insert(Text::from_wtf8(key), None);
            self.mark_modified();
        }
    }

    /// Returns whether the session is in a store.
    pub(crate) fn is_in_store(&self) -> bool {
        self.record.is_some()
    }

    /// Returns whether this request ended a session in a store.
    pub(crate) fn is_ended(&self) -> bool {
        let is_logout = |operation: &Operation| matches!(operation, Operation::Logout);
        self.record.as_ref().is_some_and(|record| record.log.iter().any(is_logout))
    }

    /// Sets the login, if the session is in a store.
    pub(super) fn set_login(&mut self, login: LoginState) {
        if let Some(record) = &mut self.record {
            record.login = login;
        }
    }

    /// Returns the login of a session in a store.
    pub(super) fn stored_login(&self) -> Option<&LoginState> {
        self.record.as_ref().map(|record| &record.login)
    }

    pub(super) fn stored_login_mut(&mut self) -> Option<&mut LoginState> {
        self.record.as_mut().map(|record| &mut record.login)
    }

    pub(crate) fn clear(&mut self) {
        self.cleared = true;
        self.changes.clear();
        self.mark_modified();
    }

    /// Replaces the whole content, except for the reserved keys.
    pub(crate) fn replace(&mut self, content: Payload) {
        let is_own = |key: &&[u8]| key.starts_with(RESERVED);
        let new: Vec<Text> = content.keys().filter(is_own).map(Text::from_wtf8).collect();
        let old = self.keys().into_iter().filter(|key| is_own(&key.as_wtf8()));
        let own: Vec<_> = old
            .chain(new)
            .map(|key| {
                let value = self.get(key.as_wtf8()).map(Cow::into_owned);
                (key, value)
            })
            .collect();
        self.base = content;
        self.cleared = false;
        self.changes.clear();
        if let Some(record) = &mut self.record {
            // The bits stood for keys of the old content.
            record.read_places = 0;
        }
        own.into_iter().for_each(|(key, value)| self.changes.insert(key, value));
        self.mark_modified();
    }

    /// Returns the keys in code point order.
    pub(crate) fn keys(&self) -> Vec<Text> {
        self.sources().into_iter().map(|(key, _)| Text::from_wtf8(key)).collect()
    }

    pub(crate) fn to_dict(&self) -> Dict {
        let mut dict = Dict::new();
        for (key, changed) in self.sources() {
            let value = changed.cloned().or_else(|| self.base_value(key));
            if let Some(value) = value {
                dict.insert(Text::from_wtf8(key), value);
            }
        }
        dict
    }

    /// Returns the session as Flask would write it.
    ///
    /// Untouched values are copied unchanged, if they came in Flask's spelling.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(512);
        if self.cleared || self.base.is_empty() {
            json::write_session(&mut out, self.written())?;
            return Ok(out);
        }
        let mut entries = Vec::with_capacity(self.base.len() + self.changes.len());
        for (key, changed) in self.sources() {
            match changed {
                Some(value) => entries.push((key, json::Entry::Value(value))),
                None => entries.extend(self.base.entry(key)?.map(|entry| (key, entry))),
            }
        }
        json::write_session(&mut out, entries)?;
        Ok(out)
    }

    /// Returns the keys that this request wrote, in code point order.
    fn written(&self) -> impl Iterator<Item = (&[u8], json::Entry<'_>)> {
        let written = |(key, changed)| {
            Some((Text::as_wtf8(key), json::Entry::Value(Option::as_ref(changed)?)))
        };
        self.changes.iter().filter_map(written)
    }

    /// Returns every key in code point order, with its value if this request wrote it.
    fn sources(&self) -> Vec<(&[u8], Option<&Value>)> {
        let mut sources = Vec::with_capacity(self.base.len() + self.changes.len());
        if !self.cleared {
            let untouched = |key: &&[u8]| !self.changes.contains_key(key);
            sources.extend(self.base.keys().filter(untouched).map(|key| (key, None)));
        }
        for (key, changed) in self.changes.iter() {
            if let Some(value) = changed {
                sources.push((key.as_wtf8(), Some(value)));
            }
        }
        sources.sort_unstable_by_key(|(key, _)| *key);
        sources
    }

    /// Returns a value of the opened content, which was validated when it was opened.
    #[inline]
    fn base_value(&self, key: &[u8]) -> Option<Value> {
        self.base.get(key).unwrap_or_default()
    }
}

/// Returns the bit that stands for one of the first keys of a session.
fn bit_of(base: &Payload, key: &[u8]) -> Option<u64> {
    1_u64.checked_shl(u32::try_from(base.position(key)?).ok()?)
}
