//! CBOR, converted to and from JSON values.
//!
//! <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use aws_smithy_cbor::{Decoder, Encoder};
use serde_json::{Map, Number, Value};

/// Decodes a document; an empty one is an empty map.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, DeserializeError> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    value(&mut Decoder::new(bytes))
}

fn value(from: &mut Decoder<'_>) -> Result<Value, DeserializeError> {
    Ok(match from.datatype()? {
        Type::Bool => Value::Bool(from.boolean()?),
        Type::F16 | Type::F32 | Type::F64 => Number::from_f64(from.double()?).map_or(Value::Null, Value::Number),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            Value::from(from.long()?)
        }
        Type::String | Type::StringIndef => Value::String(from.string()?),
        Type::Array | Type::ArrayIndef => {
            let (left, mut list) = (from.list()?, Vec::new());
            while more(from, left, list.len())? {
                list.push(value(from)?);
            }
            Value::Array(list)
        }
        Type::Map | Type::MapIndef => {
            let (left, mut map) = (from.map()?, Map::new());
            let mut count = 0;
            while more(from, left, count)? {
                map.insert(from.string()?, value(from)?);
                count += 1;
            }
            Value::Object(map)
        }
        _ => {
            from.skip()?;
            Value::Null
        }
    })
}

/// Whether more elements follow. Consumes the end marker of an indefinite list or map.
fn more(from: &mut Decoder<'_>, size: Option<u64>, count: usize) -> Result<bool, DeserializeError> {
    if let Some(size) = size {
        return Ok((count as u64) < size);
    }
    if from.datatype()? == Type::Break {
        from.skip()?;
        return Ok(false);
    }
    Ok(true)
}

/// Encodes a document.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut to = Encoder::new(Vec::new());
    put(&mut to, value);
    to.into_writer()
}

fn put(to: &mut Encoder, value: &Value) {
    match value {
        Value::Null => drop(to.null()),
        Value::Bool(value) => drop(to.boolean(*value)),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => drop(to.long(integer)),
            None => drop(to.double(number.as_f64().unwrap_or_default())),
        },
        Value::String(text) => drop(to.str(text)),
        Value::Array(list) => {
            to.array(list.len());
            for value in list {
                put(to, value);
            }
        }
        Value::Object(map) => {
            to.map(map.len());
            for (name, value) in map {
                to.str(name);
                put(to, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn encoded_values_are_decoded() {
        let value = json!({"a": [1, -5, 1.5, true, null], "b": {"c": "ü"}, "d": 1.0});
        assert_eq!(decode(&encode(&value)).unwrap(), value);
        assert_eq!(decode(b"").unwrap(), json!({}));
    }
}
