//! NormalizeDiacritics: letters without their accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;

/// Latin letters lose their marks (canonical decomposition), and the few that have no decomposition but a
/// documented replacement take it. Latin letters that are in neither (đ, þ, ð, ĸ) stay, and so do other
/// scripts: the documentation lists Latin letters only, and a mark can be half of what a letter says there.
pub(super) fn normalize_diacritics(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Null) };
    let mut plain = String::new();
    let mut after_latin = false;
    for letter in text.nfd() {
        if is_combining_mark(letter) && after_latin {
            continue;
        }
        let replaced = replacement(letter);
        after_latin = replaced.is_some() || letter.is_ascii_alphabetic();
        match replaced {
            Some(letters) => plain.push_str(letters),
            None => plain.push(letter),
        }
    }
    Ok(Value::One(plain.nfc().collect()))
}

fn replacement(letter: char) -> Option<&'static str> {
    Some(match letter {
        'æ' => "ae",
        'Æ' => "AE",
        'ø' | 'œ' => "oe",
        'Ø' | 'Œ' => "OE",
        'ß' => "ss",
        'ł' => "l",
        'Ł' => "L",
        'ı' => "i",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    #[test]
    fn accents_are_dropped_and_special_letters_replaced() {
        for (written, plain) in [
            ("Zoë", "Zoe"),
            ("Łukasz", "Lukasz"),
            ("Søren", "Soeren"),
            ("Straße", "Strasse"),
            ("Müller", "Muller"),
            ("ǽ Ǣ Œ", "ae AE OE"),
            ("İstanbul ırmak", "Istanbul irmak"),
            ("ế ṩ ű ļ ş ż", "e s u l s z"),
            ("e\u{301}", "e"),
            ("đ Þ ð", "đ Þ ð"),
            ("がっこう йод हिन्दी", "がっこう йод हिन्दी"),
        ] {
            check("NormalizeDiacritics([name])", &[("name", written)], plain);
        }
    }

    #[test]
    fn a_mail_address_is_composed_from_names() {
        let address = r#"ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [PreferredFirstName],[PreferredLastName]))), "contoso.com"))"#;
        check(
            address,
            &[("PreferredFirstName", "John"), ("PreferredLastName", "Smith")],
            "john.smith@contoso.com",
        );
        check(
            address,
            &[("PreferredFirstName", "Zoë"), ("PreferredLastName", "de la Müe")],
            "zoe.delamue@contoso.com",
        );
    }
}
