//! The evidence of removals as fields: what was read, what the witness said, and by which ids the service knows it.

use rosterd::model::By;
use rosterd::model::Shown;
use rosterd::plan::Class;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::store::LogFilter;
use rosterd::store::LogRow;

use super::both;
use super::site::Site;
use super::site::acme;
use super::site::login;

async fn rows(site: &Site, cycle: i64) -> Vec<LogRow> {
    let filter = LogFilter { cycle: Some(cycle), limit: 10, ..LogFilter::default() };
    site.store.log(filter).await.expect("a log")
}

both! {
    /// Di is missing from the list of assignments, and the witness is asked.
    async fn a_removal_names_what_was_read_the_question_its_answer_and_the_request(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let di = site.id(&login("Di"));
        site.change(Change::Unassign { principal: login("Di") });
        let cycle = site.cycle().await;
        let rows = rows(&site, cycle.cycle).await;
        let row = rows.iter().find(|row| row.class == Class::Deactivate.word()).expect("Di is deactivated");
        let proofs = row.proofs.as_ref().expect("fields");
        let [Shown { collection, by }] = proofs.coverage.as_slice() else { panic!("{:?}", proofs.coverage) };
        assert!(collection.starts_with("assignments of "), "{collection}");
        assert_eq!(*by, By::Full);
        let [told] = proofs.witness.as_slice() else { panic!("{:?}", proofs.witness) };
        assert!(told.question.starts_with(&format!("is user {di} still assigned to ")), "{}", told.question);
        assert_eq!(Some(told.answer.as_str()), row.evidence.as_deref(), "the sentence says the same");
        let (least, looks) = match flavour {
            Flavour::Graph => (1, "00000000-0000-4000-8000-"),
            Flavour::Okta => (1, "simulated"),
        };
        assert!(told.request_ids.len() >= least, "{told:?}");
        assert!(told.request_ids.iter().all(|id| id.starts_with(looks)), "{told:?}");
    }

    /// What nobody was asked for has no witness: a creation has no evidence at all.
    async fn what_removes_nothing_has_no_evidence(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        let cycle = site.cycle().await;
        let rows = rows(&site, cycle.cycle).await;
        assert!(!rows.is_empty() && rows.iter().all(|row| row.proofs.is_none()));
    }
}
