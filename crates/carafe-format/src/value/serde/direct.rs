//! Flask's JSON straight into a type that serde deserialises, without a [`Value`](crate::Value) in
//! between.
//!
//! This reader knows the parts of which most sessions consist: text, numbers, lists, tuples, structs
//! and maps. Where it meets anything else, it gives up, and the type is read from a `Value` instead:
//! tags other than a tuple's, keys in another order than Flask's, Carafe's own types, integers beyond
//! 64 bits, lone surrogates, and every error. The result is the same on both ways.

use std::borrow::Cow;
use std::cell::Cell;
use std::marker::PhantomData;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::super::json::{Lexer, Number, RawStr, pass_value};
use super::error::SerdeError;
use super::key::KeyDeserializer;
use super::{MAX_DEPTH, marked};

/// Reads JSON as a type; `None` where the type must be read from a [`Value`](crate::Value).
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let gave_up = Cell::new(false);
    let read = read_seed(json, &gave_up, PhantomData::<T>).ok()?;
    // A type may replace an error by a default, so that the result alone doesn't tell.
    (!gave_up.get()).then_some(read)
}

/// Reads JSON by a seed. Where `gave_up` is set then, the result doesn't count, also if there is one.
pub(super) fn read_seed<'de, S: DeserializeSeed<'de>>(
    json: &[u8],
    gave_up: &Cell<bool>,
    seed: S,
) -> Result<S::Value, SerdeError> {
    let mut reader = Reader { lexer: Lexer::new(json), depth: 0, gave_up };
    let read = seed.deserialize(&mut reader)?;
    reader.lexer.end().map_err(|_| reader.give_up())?;
    Ok(read)
}

struct Reader<'j, 'a> {
    lexer: Lexer<'j>,
    depth: usize,
    /// Set where the JSON holds something that this reader doesn't know.
    gave_up: &'a Cell<bool>,
}

impl<'j> Reader<'j, '_> {
    #[cold]
    fn give_up(&self) -> SerdeError {
        self.gave_up.set(true);
        SerdeError::new("the value must be read in another way")
    }

    fn string(&mut self) -> Result<Cow<'j, str>, SerdeError> {
        let string = self.lexer.string().map_err(|_| self.give_up())?;
        self.text(string)
    }

    fn text(&self, string: RawStr<'j>) -> Result<Cow<'j, str>, SerdeError> {
        let text = match string.escaped() {
            false => std::str::from_utf8(string.body).ok().map(Cow::Borrowed),
            true => String::from_utf8(string.decode()).ok().map(Cow::Owned),
        };
        text.ok_or_else(|| self.give_up())
    }

    fn visit_string<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, SerdeError> {
        self.lexer.pass(1);
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn visit_number<'de, V: Visitor<'de>>(
        &mut self,
        visitor: V,
        as_float: bool,
    ) -> Result<V::Value, SerdeError> {
        let start = self.lexer.rest;
        let number = self.lexer.number().map_err(|_| self.give_up())?;
        let text = &start[..start.len() - self.lexer.rest.len()];
        let text = std::str::from_utf8(text).unwrap_or_default();
        if number == Number::Float {
            return visitor.visit_f64(text.parse().map_err(|_| self.give_up())?);
        }
        match (text.parse::<i64>(), text.parse()) {
            (Ok(small), _) if as_float => visitor.visit_f64(small as f64),
            (Ok(small), _) => visitor.visit_i64(small),
            (_, Ok(large)) if !as_float => visitor.visit_u64(large),
            _ => Err(self.give_up()),
        }
    }

    /// Passes a word such as `true`.
    fn word(&mut self, word: &[u8]) -> Result<(), SerdeError> {
        if self.lexer.word(word) { Ok(()) } else { Err(self.give_up()) }
    }

    fn go_deeper(&mut self) -> Result<(), SerdeError> {
        if self.depth == MAX_DEPTH {
            return Err(self.give_up());
        }
        self.depth += 1;
        Ok(())
    }

    /// Reads a list, after its bracket.
    fn visit_items<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, SerdeError> {
        self.go_deeper()?;
        let is_empty = self.lexer.eat(b']');
        let mut items = Items { reader: self, has_next: !is_empty };
        let read = visitor.visit_seq(&mut items);
        let has_next = items.has_next;
        self.leave(read, has_next)
    }

    /// Reads a dictionary, or the list of a tuple.
    fn visit_container<'de, V: Visitor<'de>>(
        &mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        self.lexer.pass(1);
        if self.lexer.rest.starts_with(b"\" t\":[") {
            self.lexer.pass(6);
            let value = self.visit_items(visitor)?;
            return if self.lexer.eat(b'}') { Ok(value) } else { Err(self.give_up()) };
        }
        // Keys come in their order, but an adjacently tagged enum needs its tag before its content. A
        // `Value` gives them in the order in which the type names them.
        if let [tag, content] = fields
            && content < tag
        {
            return Err(self.give_up());
        }
        self.go_deeper()?;
        let has_next = self.lexer.first_key().map_err(|_| self.give_up())?;
        let mut members = Members { reader: self, last: None, has_next };
        let read = visitor.visit_map(&mut members);
        let has_next = members.has_next;
        self.leave(read, has_next)
    }

    /// Leaves a container. Gives up if it wasn't read to its end: a type may replace the error by a
    /// default, and what follows would be read from the middle of the container.
    fn leave<T>(&mut self, read: Result<T, SerdeError>, has_next: bool) -> Result<T, SerdeError> {
        if read.is_err() || has_next {
            self.gave_up.set(true);
            return read.and(Err(SerdeError::new("the container has more in it")));
        }
        self.depth -= 1;
        read
    }
}

macro_rules! numbers {
    ($as_float:literal $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
            match self.lexer.peek_value() {
                b'-' | b'0'..=b'9' => self.visit_number(visitor, $as_float),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'_, '_> {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.lexer.peek_value() {
            b'"' => self.visit_string(visitor),
            b'{' => self.visit_container(&[], visitor),
            b'[' => {
                self.lexer.pass(1);
                self.visit_items(visitor)
            }
            b'0'..=b'9' => self.visit_number(visitor, false),
            b'-' if self.lexer.rest.get(1) != Some(&b'I') => self.visit_number(visitor, false),
            b't' => self.word(b"true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word(b"false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word(b"null").and_then(|()| visitor.visit_unit()),
            _ => Err(self.give_up()),
        }
    }

    numbers! { false
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }
    numbers! { true deserialize_f32 deserialize_f64 }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.lexer.peek_value() {
            b'n' => self.word(b"null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.lexer.peek_value() {
            b'[' => self.deserialize_any(visitor),
            _ => Err(self.give_up()),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        if marked::is_mark(name) {
            return Err(self.give_up());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        match self.lexer.peek_value() {
            b'"' => {
                self.lexer.pass(1);
                let variant = self.string()?;
                visitor.visit_enum(StrDeserializer::new(&variant))
            }
            _ => Err(self.give_up()),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        match self.lexer.peek_value() {
            b'{' => self.visit_container(fields, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        self.lexer.skip_space();
        pass_value(&mut self.lexer).map_err(|_| self.give_up())?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool char str string unit unit_struct seq tuple tuple_struct map identifier
    }
}

/// The items of a list.
struct Items<'r, 'j, 'a> {
    reader: &'r mut Reader<'j, 'a>,
    has_next: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, '_, '_> {
    type Error = SerdeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, SerdeError> {
        if !self.has_next {
            return Ok(None);
        }
        let item = seed.deserialize(&mut *self.reader)?;
        let comma = self.reader.lexer.comma_or(b']');
        self.has_next = comma.map_err(|_| self.reader.give_up())?;
        Ok(Some(item))
    }
}

/// The members of a dictionary. The quote before the next key is passed already.
struct Members<'r, 'j, 'a> {
    reader: &'r mut Reader<'j, 'a>,
    last: Option<&'j [u8]>,
    has_next: bool,
}

impl<'de> MapAccess<'de> for Members<'_, '_, '_> {
    type Error = SerdeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, SerdeError> {
        if !self.has_next {
            return Ok(None);
        }
        let reader = &mut *self.reader;
        let key = reader.lexer.string().map_err(|_| reader.give_up())?;
        reader.lexer.colon().map_err(|_| reader.give_up())?;
        // Flask's order, in which no key comes twice; and no tag.
        let is_next = self.last.is_none_or(|last| last < key.body);
        if key.escaped() || !is_next || key.body.first() == Some(&b' ') {
            return Err(reader.give_up());
        }
        self.last = Some(key.body);
        let key = std::str::from_utf8(key.body).map_err(|_| reader.give_up())?;
        seed.deserialize(KeyDeserializer(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, SerdeError> {
        let value = seed.deserialize(&mut *self.reader)?;
        let next = self.reader.lexer.next_key();
        self.has_next = next.map_err(|_| self.reader.give_up())?;
        Ok(value)
    }
}
