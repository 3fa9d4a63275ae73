//! Numbers and bytes: hexadecimal, Base64, bits.

use std::fmt::Write;

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;

/// Decimal digits with a sign, or `&H` and hexadecimal digits.
pub(in super::super) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.get(..2) {
        Some("&H" | "&h") => i64::from_str_radix(&text[2..], 16).ok(),
        _ => text.parse().ok(),
    }
}

/// Null where one of them is null.
pub(super) fn bit_and(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let (Some(left), Some(right)) = (arguments.integer(0)?, arguments.integer(1)?) else {
        return Ok(Value::Null);
    };
    Ok(Value::One((left & right).to_string()))
}

/// Upper-case hexadecimal digits of the UTF-8 bytes.
pub(super) fn convert_to_utf8_hex(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Null) };
    let mut digits = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        write!(digits, "{byte:02X}").expect("a String takes what is written to it");
    }
    Ok(Value::One(digits))
}

/// Base64 of the UTF-16 bytes, the lower byte first.
pub(super) fn convert_to_base64(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Null) };
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Ok(Value::One(base64(&bytes)))
}

/// RFC 4648 section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 0b11_1111;
            text.push(if place > chunk.len() { '=' } else { char::from(ALPHABET[sextet as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    #[test]
    fn bits_are_taken_from_decimal_and_hexadecimal_numbers() {
        check("BitAnd(&HF, &HF7)", &[], "7");
        check("BitAnd([flags], 2)", &[("flags", "514")], "2");
        check("BitAnd([flags], 2)", &[("flags", "&H202")], "2");
        check("BitAnd([flags], 2)", &[], "null");
        check("BitAnd([flags], 2)", &[("flags", "x")], "error: BitAnd: argument 1 is not a whole number");
    }

    #[test]
    fn text_becomes_bytes() {
        check(r#"ConvertToUTF8Hex("Hello world!")"#, &[], "48656C6C6F20776F726C6421");
        check(r#"ConvertToBase64("Hello world!")"#, &[], "SABlAGwAbABvACAAdwBvAHIAbABkACEA");
        check(r#"ConvertToBase64("a")"#, &[], "YQA=");
        check(r#"ConvertToBase64("ab")"#, &[], "YQBiAA==");
        check("ConvertToBase64([none])", &[], "null");
    }

    #[test]
    fn an_id_becomes_a_number() {
        let text = r#"Join("", 1000, Replace(ConvertToUTF8Hex([objectId]), , "[a-zA-Z_]*", , "", , ))"#;
        check(text, &[("objectId", "0-z")], "10003027");
    }
}
