//! The expression language by its cases: text files, each case under the section of the reference that it comes from.

use std::fs;
use std::path::Path;

use rosterd::expr::Environment;
use rosterd::expr::Expression;
use rosterd::expr::Value;

use super::support::sections;

/// Every function of the reference, section 7.2, with those of Graph's function schema. Two have no result that could be
/// stated; tests beside their code hold what must be true of them.
const FUNCTIONS: &str = "Append AppRoleAssignments AppRoleAssignmentsComplex AssertiveAppRoleAssignmentsComplex BitAnd \
    CBool CDate Coalesce ConvertToBase64 ConvertToUTF8Hex Count CStr DateAdd DateDiff DateFromNum DefaultDomain \
    FormatDateTime IgnoreFlowIfNullOrEmpty IIF InStr IsNothing IsNull IsNullOrEmpty IsPresent IsString Item Join Left Mid \
    NormalizeDiacritics Not Now NumFromDate PCase Prepend Redact RemoveDuplicates Replace SelectUniqueValue \
    SingleAppRoleAssignment Split StripSpaces Switch ToLower ToUpper Word";

#[test]
fn every_case_gives_its_result() {
    let (mut played, mut wrong) = (0, Vec::new());
    for (name, text) in files() {
        play(&name, &text, &mut played, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played > 150, "only {played} cases were played");
}

#[test]
fn every_function_has_cases() {
    let all: String = files().into_iter().map(|(_, text)| text).collect();
    let calls = |name: &str| all.contains(&format!("{name}(")) && all.contains(name);
    let without: Vec<&str> = FUNCTIONS.split_whitespace().filter(|name| !calls(name)).collect();
    assert!(without.is_empty(), "no case of {without:?}");
}

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/expressions");
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a text"))
        })
        .collect();
    files.sort();
    files
}

/// Plays one file. `##` names the section; a line of blanks and `name = value` gives an attribute; `=>` states the result
/// of the expression above with the attributes since the last one.
fn play(file: &str, text: &str, played: &mut usize, wrong: &mut Vec<String>) {
    let (mut section, mut expression) = (None, "");
    let mut attributes: Vec<(&str, &str)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(heading) = line.strip_prefix("## ") {
            sections::check(&format!("{file}:{number}"), &format!("Entra {heading}"));
            section = Some(heading);
        } else if line.is_empty() || line.starts_with('#') {
        } else if let Some(expected) = line.strip_prefix("=> ") {
            assert!(
                section.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit())),
                "{file}:{number}"
            );
            let result = evaluated(expression, &attributes);
            if result != expected {
                wrong
                    .push(format!("{file}:{number}: {expression}\n  gives   {result}\n  and not {expected}"));
            }
            attributes.clear();
            *played += 1;
        } else if line.starts_with(' ') {
            let (name, value) = line.trim().split_once('=').expect("name = value");
            attributes.push((name.trim(), value.trim()));
        } else {
            expression = line;
        }
    }
}

fn evaluated(text: &str, attributes: &[(&str, &str)]) -> String {
    let expression = match Expression::parse(text) {
        Ok(expression) => expression,
        Err(error) => return format!("refused: {error}"),
    };
    let environment = Environment {
        now: "2021-07-02T15:33:38Z".parse().expect("a time"),
        default_domain: Some("contoso.com".to_owned()),
        ..Environment::default()
    };
    let lookup = |name: &str| match attributes.iter().find(|(known, _)| *known == name) {
        None => Value::Null,
        Some((_, list)) if list.contains('|') => Value::list(list.split('|').map(str::to_owned)),
        Some((_, text)) => Value::One((*text).to_owned()),
    };
    match expression.evaluate(&lookup, &environment) {
        Ok(Value::Null) => "null".to_owned(),
        Ok(Value::One(text)) if text.is_empty() => "\"\"".to_owned(),
        Ok(Value::One(text)) => text,
        Ok(Value::Many(list)) => format!("[{}]", list.join("|")),
        Err(error) => format!("error: {error}"),
    }
}
