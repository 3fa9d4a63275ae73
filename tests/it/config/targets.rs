//! `[targets.NAME.scim]`: profiles, and what the operator lays over one.

use rosterd::config::TargetKind;
use rosterd::scim::profiles::MediaType;
use rosterd::scim::profiles::Profile;
use rosterd::scim::profiles::Support;

use super::Settings;

fn settings(capabilities: &str) -> Settings {
    Settings::new(&format!(
        "[targets.acme.scim]\nurl = \"https://scim.example/v2\"\ntoken = \"env:TOKEN\"\nprofile = \"cerby\"\n\
         {capabilities}"
    ))
}

fn profile(settings: &Settings) -> Profile {
    let config = settings.config();
    let TargetKind::Scim(scim) = &config.targets["acme"].kind else { panic!("not a SCIM target") };
    scim.profile.clone()
}

#[test]
fn a_target_without_capabilities_is_what_its_profile_says() {
    assert_eq!(profile(&settings("")), Profile::named("cerby").unwrap());
}

#[test]
fn the_operator_knows_better_key_by_key() {
    let told = settings(
        "seats = 40\n[targets.acme.scim.capabilities]\npage_size = 50\nmedia_type = \"application/json\"\n\
         multi_value_max = { emails = 1 }\nrate = { rps = 2, burst = 4 }\nmax_page = 60\n\
         [targets.acme.scim.capabilities.patch]\nusers = \"no\"\n\
         [targets.acme.scim.capabilities.filter]\nuser_attrs = [\"userName\"]\n",
    );
    let (told, cerby) = (profile(&told), Profile::named("cerby").unwrap());
    assert_eq!((told.page_size, told.max_page, told.media_type), (50, Some(60), MediaType::Json));
    assert_eq!((told.patch.users, told.patch.groups), (Support::No, cerby.patch.groups));
    assert_eq!(told.multi_value_max["emails"], 1);
    assert_eq!((told.rate.rps, told.rate.burst), (Some(2.0), Some(4)));
    assert_eq!(told.demands().seats, Some(40));
    assert_eq!(told.filter.group_attrs, cerby.filter.group_attrs);
    assert_ne!(told.filter.user_attrs, cerby.filter.user_attrs);
    assert_eq!(told.name, "cerby");
}

#[test]
fn a_variable_reaches_a_capability() {
    let told =
        settings("").variable("ROSTERD_TARGETS__ACME__SCIM__CAPABILITIES__MEMBERS__MAX_PER_PATCH", "7");
    assert_eq!(profile(&told).members.max_per_patch, 7);
}

#[test]
fn every_capability_that_does_not_fit_is_told_with_its_place_and_cure() {
    let text = settings(
        "[targets.acme.scim.capabilities]\npage_siz = 50\n\
         patch = { users = \"perhaps\" }\nmembers = { max_per_patch = \"many\" }\n",
    )
    .problems();
    for told in [
        "error: unknown key for `targets.acme.scim.capabilities.page_siz`\n  --> DIR/rosterd.toml:6:1\n  cure: did you mean `page_size`?",
        "error: `perhaps` is not one of the possible values for `targets.acme.scim.capabilities.patch.users`\n  --> DIR/rosterd.toml:7:11\n  cure: possible here: yes, no, unknown",
        "error: a text where a whole number, not negative, is needed for `targets.acme.scim.capabilities.members.max_per_patch`\n  --> DIR/rosterd.toml:8:13",
        "3 problems in the settings",
    ] {
        assert!(text.contains(told), "{told}\n---\n{text}");
    }
}

#[test]
fn what_the_operator_set_is_shown_with_its_origin() {
    let shown = settings("[targets.acme.scim.capabilities]\npatch = { users = \"no\" }\n").merged();
    let shown = shown.map(|merged| merged.show()).unwrap();
    assert!(shown.contains("targets.acme.scim.capabilities.patch.users = \"no\"  # "), "{shown}");
}
