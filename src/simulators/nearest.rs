//! The known word that somebody who wrote an unknown one most likely meant.

/// The nearest of the known words, unless all are too far away to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let measured = known.map(|name| (distance(&word, name), name));
    let (distance, name) = measured.min()?;
    // A third of the letters may be wrong; what merely contains the word is meant too.
    (distance <= name.len().max(word.len()) / 3 + 1 || name.contains(&word)).then_some(name)
}

/// Levenshtein: letters put in, taken out or exchanged.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, &facing) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != facing);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let known = ["page_size", "shuffled_order", "index_lag_seconds"];
        assert_eq!(nearest("pagesize", known.into_iter()), Some("page_size"));
        assert_eq!(nearest("Shuffled-ordre", known.into_iter()), Some("shuffled_order"));
        assert_eq!(nearest("index_lag", known.into_iter()), Some("index_lag_seconds"));
        assert_eq!(nearest("tea", known.into_iter()), None);
    }
}
