//! What the counts come to: one finding each, in the order of what is looked at.

use super::Lint;
use super::Standing;
use super::counted;
use super::tally;
use crate::model::Finding;
use crate::model::Grade;

/// What was said so far.
#[derive(Default)]
struct Said(Vec<Finding>);

impl Said {
    /// A warning where there is a cure, else a fact worth knowing.
    fn warn(&mut self, subject: &str, text: String, cure: &str) {
        let grade = if cure.is_empty() { Grade::Ok } else { Grade::Warning };
        self.0.push(Finding { grade, subject: subject.to_owned(), text, cure: cure.to_owned() });
    }
}

impl Lint {
    /// What is to be said, warnings first; each once, with some of whom it is true.
    pub fn findings(self, standing: Standing, circles: &[Vec<String>]) -> Vec<Finding> {
        let mut said = Said::default();
        self.say_shared(&mut said);
        self.say_values(&mut said);
        self.say_shapes(&mut said, circles);
        self.say_seats(&mut said, standing);
        self.say_mail(&mut said);
        said.0.sort_by_key(|finding| std::cmp::Reverse(finding.grade));
        said.0
    }

    fn say_shared(&self, said: &mut Said) {
        if let Some(shared) = self.addresses.told("address", "people") {
            said.warn(
                "addresses",
                shared,
                "give each person an address of their own in the source, or leave one out of scope",
            );
        }
        if let Some(shared) = self.names.told("team name", "groups") {
            said.warn(
                "team names",
                shared,
                "name one differently: [jobs.NAME.teams.\"id:…\"] name = \"…\", or set team_names = \"suffix\"",
            );
        }
    }

    fn say_values(&self, said: &mut Said) {
        for (path, missing) in self.required.iter().zip(&self.missing) {
            if let Some(whom) = missing.told("person", "people") {
                let text = format!("the target wants `{path}`, and {whom} would have none");
                said.warn("required", text, "fill it in the source, or give the mapping row a default");
            }
        }
        if let Some(whom) = self.odd_mail.told("value that is no address", "values that are no addresses") {
            said.warn("e-mail", whom, "correct it in the source, or map another attribute");
        }
        if let Some(whom) = self.odd_letters.told("value", "values") {
            let text = format!("{whom} begins or ends with a blank, or has an unprintable character");
            said.warn(
                "values",
                text,
                "correct it in the source, or map it through an expression such as StripSpaces",
            );
        }
        if let Some(whom) = self.unequal.told("person", "people") {
            let text =
                format!("the target wants userName and work e-mail to be equal; they differ for {whom}");
            said.warn("user names", text, "map both from one attribute");
        }
        if let Some(whom) = self.several.told("list", "lists") {
            said.warn(
                "lists",
                format!("the target keeps one value of {whom} with more"),
                "map one value only",
            );
        }
    }

    /// Of teams, groups and memberships.
    fn say_shapes(&self, said: &mut Said, circles: &[Vec<String>]) {
        if let (Some(whom), Some(most)) = (self.large.told("team", "teams"), self.demands.team_members_max) {
            let text = format!("the target takes at most {most} members a team, and {whom} would have more");
            said.warn("team size", text, "divide the group, or leave it out of scope.teams");
        }
        for circle in circles {
            let text = format!("groups contain each other in a circle: {}", circle.join(" → "));
            said.warn(
                "circles",
                text,
                "take one of them out of the other in the source; who is in scope is right all the same",
            );
        }
        if let Some(whom) = self.guests.told("guest", "guests") {
            let cure = "if guests should have no account: [jobs.NAME.scope.users] guests = false";
            said.warn("guests", format!("{whom} would be active in the target"), cure);
        }
        if let Some(whom) = self.in_no_team.told("person", "people").filter(|_| self.demands.access_by_team) {
            let text = format!("access hangs on teams there, and {whom} would be in none");
            said.warn("teams", text, "add the groups that give access to scope.teams");
        }
    }

    fn say_seats(&self, said: &mut Said, standing: Standing) {
        let after = (standing.active + self.made + self.back).saturating_sub(standing.leaving);
        if self.made + self.back > 0 || self.demands.seats.is_some_and(|seats| after > seats) {
            let text = format!(
                "{} active now, {} new, {} active again, {} leaving: {after} in all",
                standing.active, self.made, self.back, standing.leaving
            );
            match self.demands.seats {
                Some(seats) if after > seats => said.warn(
                    "seats",
                    format!("{text}, of {seats} seats"),
                    "buy more, or narrow scope.users; the number is [targets.NAME.scim] seats",
                ),
                Some(seats) => said.warn("seats", format!("{text}, of {seats} seats"), ""),
                None => said.warn("seats", text, ""),
            }
        }
    }

    /// Who gets a mail, and from which domains people would come.
    fn say_mail(&self, said: &mut Said) {
        if self.made > 0 && self.demands.invites {
            said.warn(
                "invitations",
                format!("{} will get an invitation by mail", counted(self.made, "person", "people")),
                "",
            );
        }
        let unknown: Vec<&String> = self.new_domains.difference(&self.known_domains).collect();
        let telling = self.demands.verified_domains || !self.known_domains.is_empty();
        if telling && !unknown.is_empty() {
            let text = format!("not seen in the target yet: {}", tally::some(&unknown, unknown.len() as u64));
            let cure = if self.demands.verified_domains {
                "verify them in the service, else their people are created and cannot sign in"
            } else {
                ""
            };
            said.warn("mail domains", text, cure);
        }
    }
}
