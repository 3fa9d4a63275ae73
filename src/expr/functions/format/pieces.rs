//! Cuts a .NET date format into its pieces.

/// One piece of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Stands for itself.
    Sign(char),
    /// A specifier, so many letters long: `yyyy`.
    Run(char, usize),
}

const SPECIFIERS: &str = "dfFgHhKMmstyz";

/// The pieces of a custom format, or of the custom format that a single letter stands for.
pub(super) fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut letters = format.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_alphabetic() => custom(standard(letter)?),
        _ => custom(format),
    }
}

fn custom(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => loop {
                match letters.next() {
                    Some(end) if end == letter => break,
                    Some('\\') => pieces.extend(letters.next().map(Piece::Sign)),
                    Some(sign) => pieces.push(Piece::Sign(sign)),
                    None => return Err("a quoted part of the format has no end".to_owned()),
                }
            },
            '\\' => pieces.extend(letters.next().map(Piece::Sign)),
            // Says only that the letter behind it is a custom format.
            '%' => {}
            letter if SPECIFIERS.contains(letter) => {
                let mut count = 1;
                while letters.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                if matches!(letter, 'f' | 'F') && count > 7 {
                    return Err("a second has seven digits behind its dot at most (fffffff)".to_owned());
                }
                pieces.push(Piece::Run(letter, count));
            }
            sign => pieces.push(Piece::Sign(sign)),
        }
    }
    Ok(pieces)
}

/// The invariant culture's standard formats.
fn standard(letter: char) -> Result<&'static str, String> {
    Ok(match letter {
        'd' => "MM/dd/yyyy",
        'D' => "dddd, dd MMMM yyyy",
        'f' => "dddd, dd MMMM yyyy HH:mm",
        'F' | 'U' => "dddd, dd MMMM yyyy HH:mm:ss",
        'g' => "MM/dd/yyyy HH:mm",
        'G' => "MM/dd/yyyy HH:mm:ss",
        'M' | 'm' => "MMMM dd",
        'O' | 'o' => "yyyy-MM-ddTHH:mm:ss.fffffffK",
        'R' | 'r' => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        's' => "yyyy-MM-ddTHH:mm:ss",
        't' => "HH:mm",
        'T' => "HH:mm:ss",
        'u' => "yyyy-MM-dd HH:mm:ss'Z'",
        'Y' | 'y' => "yyyy MMMM",
        _ => {
            return Err(format!(
                "there is no standard format `{letter}`; one letter of a custom format is written %{letter}"
            ));
        }
    })
}
