//! The one case folding: how texts that are not case-exact are compared, and how unique names are keyed.

use unicode_normalization::UnicodeNormalization;

/// Folds case and composes (NFC), so that `ÄRGER` equals `ärger` however it was typed. Full-width letters count
/// as their plain ones (RFC 7644 section 5, PRECIS UsernameCaseMapped). `ß` is not `ss`: two people may differ by it.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().flat_map(narrow).flat_map(simple).nfc().collect()
}

fn narrow(letter: char) -> Vec<char> {
    match letter {
        '\u{ff00}'..='\u{ffef}' => letter.nfkc().collect(),
        _ => vec![letter],
    }
}

/// By way of the upper case, so that the two small sigmas and the long s meet; letters without a single
/// upper-case letter are only lowered.
fn simple(letter: char) -> Vec<char> {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => single.to_lowercase().collect(),
        _ => letter.to_lowercase().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_is_folded_in_every_script() {
        assert_eq!(fold("ÄRGER"), fold("ärger"));
        assert_eq!(fold("ΟΔΥΣΣΕΥΣ"), fold("οδυσσευς"));
        assert_eq!(fold("ИВАН"), fold("иван"));
        assert_eq!(fold("Bob@Example.COM"), "bob@example.com");
    }

    #[test]
    fn composed_and_decomposed_letters_are_equal() {
        assert_eq!(fold("e\u{301}lodie"), fold("É\u{6c}odie"));
        assert_eq!(fold("ＢＯＢ"), "bob");
    }

    #[test]
    fn a_sharp_s_is_not_two() {
        assert_ne!(fold("straße"), fold("strasse"));
        assert_eq!(fold("STRAẞE"), fold("straße"));
    }
}
