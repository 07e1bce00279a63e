//! The conversion of any type that serde serialises into values.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::super::{Dict, Int, Text, Value, float};
use super::error::SerdeError;
use super::{MAX_DEPTH, marked, whole};

#[derive(Clone, Copy)]
pub(super) struct ValueSerializer {
    pub(super) depth: usize,
}

impl ValueSerializer {
    fn deeper(self) -> Result<Self, SerdeError> {
        if self.depth == MAX_DEPTH {
            return Err(SerdeError::too_deep());
        }
        Ok(Self { depth: self.depth + 1 })
    }

    fn items(self, tuple: bool, variant: Option<&'static str>) -> Result<Items, SerdeError> {
        Ok(Items { items: Vec::new(), tuple, variant, inner: self.deeper()? })
    }

    fn members(self, variant: Option<&'static str>) -> Result<Members, SerdeError> {
        Ok(Members { members: Vec::new(), key: Text::new(), variant, inner: self.deeper()? })
    }
}

/// The form of an enum's variant that has contents.
fn in_variant(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::Dict(Dict::from([(variant, value)])),
        None => value,
    }
}

macro_rules! scalars {
    ($($method:ident: $type:ty;)*) => {$(
        fn $method(self, value: $type) -> Result<Value, SerdeError> {
            Ok(Value::from(value))
        }
    )*};
}

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = SerdeError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Members;

    scalars! {
        serialize_bool: bool;
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_i128: i128;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
        serialize_u128: u128;
        serialize_f32: f32;
        serialize_f64: f64;
        serialize_char: char;
        serialize_str: &str;
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, SerdeError> {
        Ok(Value::bytes(bytes))
    }

    fn serialize_none(self) -> Result<Value, SerdeError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, SerdeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, SerdeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, SerdeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, SerdeError> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, SerdeError> {
        match name {
            marked::VALUE => whole::serialized(|| value.serialize(self)),
            _ => marked::restore(name, value.serialize(self)?),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, SerdeError> {
        Ok(in_variant(Some(variant), value.serialize(self.deeper()?)?))
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Items, SerdeError> {
        self.items(false, None)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Items, SerdeError> {
        self.items(true, None)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Items, SerdeError> {
        self.items(true, None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Items, SerdeError> {
        self.items(true, Some(variant))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Members, SerdeError> {
        self.members(None)
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Members, SerdeError> {
        self.members(None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Members, SerdeError> {
        self.members(Some(variant))
    }
}

/// A list or tuple that is being made.
pub(super) struct Items {
    items: Vec<Value>,
    tuple: bool,
    variant: Option<&'static str>,
    inner: ValueSerializer,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), SerdeError> {
        self.items.push(item.serialize(self.inner)?);
        Ok(())
    }

    fn finish(self) -> Value {
        let list = if self.tuple { Value::Tuple } else { Value::List };
        in_variant(self.variant, list(self.items))
    }
}

macro_rules! serialize_items {
    ($($trait:ident $method:ident)*) => {$(
        impl $trait for Items {
            type Ok = Value;
            type Error = SerdeError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), SerdeError> {
                self.push(item)
            }

            fn end(self) -> Result<Value, SerdeError> {
                Ok(self.finish())
            }
        }
    )*};
}
serialize_items! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

/// A dictionary that is being made.
pub(super) struct Members {
    members: Vec<(Text, Value)>,
    key: Text,
    variant: Option<&'static str>,
    inner: ValueSerializer,
}

impl SerializeMap for Members {
    type Ok = Value;
    type Error = SerdeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerdeError> {
        self.key = match key.serialize(self.inner)? {
            Value::Text(text) | Value::Markup(text) => text,
            Value::Uuid(uuid) => Text::from(uuid.to_string()),
            Value::DateTime(time) => Text::from(time.to_rfc3339()),
            Value::Int(int) => Text::from(Int::to_string(&int)),
            Value::Bool(bool) => Text::from(bool.to_string()),
            Value::Float(float) => {
                let mut repr = Vec::new();
                float::write_float(&mut repr, float);
                Text::from_wtf8_vec(repr)
            }
            _ => {
                return Err(SerdeError::new("a key of a map is neither text nor a number"));
            }
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
        self.members.push((std::mem::take(&mut self.key), value.serialize(self.inner)?));
        Ok(())
    }

    fn end(self) -> Result<Value, SerdeError> {
        Ok(in_variant(self.variant, Value::Dict(self.members.into_iter().collect())))
    }
}

macro_rules! serialize_fields {
    ($($trait:ident)*) => {$(
        impl $trait for Members {
            type Ok = Value;
            type Error = SerdeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), SerdeError> {
                self.members.push((Text::from(name), value.serialize(self.inner)?));
                Ok(())
            }

            fn end(self) -> Result<Value, SerdeError> {
                SerializeMap::end(self)
            }
        }
    )*};
}
serialize_fields! { SerializeStruct SerializeStructVariant }
