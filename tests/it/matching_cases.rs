//! Matching by its cases: text files, each case under the section that it comes from.

use rosterd::model::Seen;
use rosterd::model::Standing;
use rosterd::model::Vocabulary;
use rosterd::plan;
use rosterd::plan::Adoption;
use rosterd::plan::Answer;
use rosterd::plan::Hit;
use rosterd::plan::Identity;
use rosterd::plan::Match;
use rosterd::plan::Ours;
use rosterd::plan::Owner;
use rosterd::plan::Policy;
use rosterd::plan::TeamNames;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;

use super::support::sections;
use super::support::wording::parsed;

/// Plays one file: a heading names the section, and each line is a case in columns.
#[track_caller]
fn play<const N: usize>(name: &str, text: &str, case: impl Fn([&str; N]) -> String) -> usize {
    let (mut section, mut played, mut wrong) = ("", 0, Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        let place = format!("{name}:{number}");
        if let Some(heading) = line.strip_prefix("## ") {
            sections::check(&place, heading);
            section = heading;
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            assert!(!section.is_empty(), "{place}: under no section");
            let (given, expected) = line.split_once("=>").unwrap_or_else(|| panic!("{place}: no =>"));
            let columns: Vec<&str> = given.split(';').map(str::trim).collect();
            let columns = <[&str; N]>::try_from(columns).unwrap_or_else(|_| panic!("{place}: {N} columns"));
            let made = case(columns);
            if made != expected.trim() {
                wrong.push(format!("{place}: gives   {made}\n  and not {}", expected.trim()));
            }
            played += 1;
        }
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
    played
}

/// The value behind `name=`.
fn said<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// `userName: r1 name=ann inactive, r2; emails: none`, one answer a bar.
fn answers(text: &str) -> Vec<Answer> {
    let answer = |text: &str| {
        let (path, hits) = text.split_once(": ").expect("an answer");
        let hits = match hits.trim() {
            "silence" => None,
            "nobody" => Some(Vec::new()),
            some => Some(some.split(',').map(hit).collect()),
        };
        Answer { path: path.trim().to_owned(), hits }
    };
    if text.is_empty() { Vec::new() } else { text.split('|').map(answer).collect() }
}

fn hit(text: &str) -> Hit {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = |name: &str| said(&words, name).map(str::to_owned);
    Hit {
        resource: ResourceId(words[0].to_owned()),
        active: !words.contains(&"inactive"),
        external_id: text("ext"),
        name: text("name"),
        employee: text("employee"),
        protected: words.contains(&"protected"),
        bars: words.contains(&"pushed").then(|| "which a push tenant owns".to_owned()),
        owner: match said(&words, "of") {
            _ if words.contains(&"ours") => Owner::ThisJob,
            Some(job) => Owner::OtherJob(job.to_owned()),
            None => Owner::Nobody,
        },
    }
}

fn verdict(found: Match) -> String {
    match found {
        Match::Create => "create".to_owned(),
        Match::Adopt { resource, by } => format!("adopt {resource} by {by}"),
        Match::AdoptWhenApproved { resource, by, cause, .. } => {
            format!("ask for {resource} by {by}, {:?}", cause.kind).to_lowercase()
        }
        Match::Hold(hold) => format!("hold: {}", hold.text),
    }
}

fn matched([ours, there, policy]: [&str; 3]) -> String {
    let words: Vec<&str> = ours.split_whitespace().collect();
    let ours = Ours {
        kind: if words.contains(&"team") { Kind::Group } else { Kind::User },
        external_id: said(&words, "ext"),
        name: said(&words, "name"),
        employee: said(&words, "employee"),
        verified_mail: words.contains(&"verified"),
        link: said(&words, "link"),
    };
    let policies: Vec<&str> = policy.split_whitespace().collect();
    let adopt: Adoption = policies.first().map_or_else(Adoption::default, |word| parsed(word));
    let names = said(&policies, "names").map_or_else(TeamNames::default, parsed);
    verdict(plan::find_match(ours, &answers(there), Policy { adopt, names }))
}

#[test]
fn every_match_is_decided_as_its_case_says() {
    let played = play("verdicts.txt", include_str!("../cases/matching/verdicts.txt"), matched);
    assert!(played > 40, "{played}");
}

fn seen(text: &str) -> Seen {
    let attributes = serde_json::from_str(text).expect("an object");
    Seen { standing: Standing::Enabled, attributes }
}

#[test]
fn every_newcomer_is_told_from_who_left_as_the_case_says() {
    let same = |[newcomer, leaver, left]: [&str; 3]| {
        let left = (!left.is_empty()).then(|| left.parse::<jiff::Timestamp>().expect("a time").as_second());
        let identity = |text| Identity::of(&seen(text));
        match plan::other_person(&identity(newcomer), &identity(leaver), left) {
            Some(why) => format!("another person: {why}"),
            None => "nobody can say".to_owned(),
        }
    };
    assert!(play("newcomers.txt", include_str!("../cases/matching/newcomers.txt"), same) > 10);
}

#[test]
fn every_source_vouches_for_a_mail_as_the_case_says() {
    let vouched = |[source, person, mail]: [&str; 3]| {
        let vocabulary = match source {
            "graph" => Vocabulary::Graph,
            "okta" => Vocabulary::Okta,
            _ => Vocabulary::File,
        };
        let vouched = plan::mail_is_verified(vocabulary, &seen(person).attributes, mail);
        if vouched { "vouched for".to_owned() } else { "not".to_owned() }
    };
    assert!(play("mail.txt", include_str!("../cases/matching/mail.txt"), vouched) > 10);
}
