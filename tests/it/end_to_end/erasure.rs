//! A leaver who asks for it is erased: from the workspace, from what the source showed, from what was written.

use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::store::Erased;
use rosterd::store::Erasure;
use rosterd::store::LogFilter;
use rosterd::store::NotErased;

use super::both;
use super::site::Site;
use super::site::WORKSPACE;
use super::site::acme;
use super::site::login;

async fn erase(site: &Site, who: &str) -> Result<Erased, NotErased> {
    let wish = Erasure {
        workspace: WORKSPACE.to_owned(),
        who: who.to_owned(),
        by: "root".to_owned(),
        reason: "asked for on paper".to_owned(),
        now: site.now,
    };
    site.store.erase_person(wish).await.expect("the store works")
}

fn traces(site: &Site, text: &str) -> usize {
    let path = site.state_file();
    let file = |ending: &str| std::fs::read(format!("{}{ending}", path.display())).unwrap_or_default();
    let find = |bytes: Vec<u8>| bytes.windows(text.len()).filter(|part| *part == text.as_bytes()).count();
    ["", "-wal"].map(|ending| find(file(ending))).iter().sum()
}

both! {
    async fn a_leaver_leaves_no_value_behind_and_the_chain_holds(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let source = site.id(&login("Ann"));
        let refused = erase(&site, &login("Ann")).await;
        assert_eq!(refused, Err(NotErased::InScope { job: "acme".to_owned(), source_id: source.clone() }));
        site.change(Change::Purge { who: login("Ann") });
        site.cycle().await;
        assert!(traces(&site, &login("Ann")) > 0);

        let erased = erase(&site, &login("Ann")).await.expect("it is done");
        assert_eq!(erased.sources, [source.as_str()]);
        assert_eq!(traces(&site, &login("Ann")), 0, "{:?}", erased.removed);
        let chain = site.store.verify_chain().await.expect("a walk");
        assert_eq!(chain.broken, None);
        let filter = LogFilter { who: Some(source.clone()), limit: 100, ..LogFilter::default() };
        let rows = site.store.log(filter).await.expect("a log");
        let deactivated = rows.iter().find(|row| row.class == "deactivate").expect("it was recorded");
        assert_eq!((deactivated.name.as_str(), deactivated.edits.len()), (source.as_str(), 0));
        assert!(deactivated.cause.is_some() && deactivated.outcome.as_deref() == Some("done"));

        assert_eq!(site.cycle().await.written(), 0, "nothing comes back");
        assert_eq!(site.full_cycle().await.written(), 0);
        assert_eq!(traces(&site, &login("Ann")), 0);
        assert_eq!(erase(&site, &login("Ann")).await, Err(NotErased::Nobody));
    }
}
