//! Several lines of a story at once, and the words that its lines are made of.

use rosterd::model::Reading;

use super::story::Stage;

/// Plays the lines, and gives what they print.
pub async fn play(stage: &mut Stage, lines: &[&str]) -> String {
    let mut output = String::new();
    for line in lines {
        output += &stage.command(line).await.unwrap_or_default();
    }
    output
}

/// One cycle that reads what changed.
pub async fn cycle(stage: &mut Stage) -> String {
    stage.cycle(Reading::Incremental).await
}

/// `g:sales` is a group, anything else a person.
pub fn principal(word: &str) -> String {
    match word.split_once(':') {
        Some(("g", id)) => format!("group:{id}"),
        _ => format!("user:{word}"),
    }
}
