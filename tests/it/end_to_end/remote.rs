//! The same through the remote SCIM client: the job writes to our own service over HTTP.

use std::sync::Arc;

use rosterd::client::Secret;
use rosterd::scim::Dialect;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use rosterd::simulators::demo_day;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;

use super::account::differences;
use super::both;
use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::site::login;
use super::site::long_ago;
use crate::server::Served;

/// The site's job writes to this service instead of the workspace beside it.
pub(super) async fn towards(site: &mut Site, served: &Served) {
    let url = format!("{}/scim/v2", served.root).parse().expect("a URL");
    let settings = RemoteSettings::new(url, vec![Secret::new(served.token.clone())]);
    site.target = Arc::new(RemoteTarget::new(settings).expect("a client"));
}

both! {
    async fn the_service_equals_the_directory_after_every_cycle(flavour) {
        let size = Size { users: 60, groups: 9, memberships_per_user: 2 };
        let world = World::new(flavour, size, 4, long_ago());
        let mut site = Site::with_pages(world, Pages::Small).await;
        let served = Served::start(Dialect::Strict).await;
        towards(&mut site, &served).await;
        let record = site.cycle().await;
        assert_eq!(differences(&site.world, &served.store).await, [] as [&str; 0]);
        assert!(record.target_requests > 0);
        assert_eq!(site.cycle().await.written(), 0);
        for (told, change) in demo_day(&site.world) {
            assert!(site.world.change(change).is_ok(), "{told}");
        }
        site.cycle().await;
        let left = site.left().await;
        let [held] = &left[..] else { panic!("one change is left: {left:#?}") };
        let address = held.split(' ').next().expect("an address");
        assert!(held.starts_with(&format!("{address} create (held: Retire: ")), "{held}");
        let lacks = format!("{address} has no account");
        assert_eq!(differences(&site.world, &served.store).await, [lacks]);
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn people_swap_names_leave_and_come_back_over_http(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        let served = Served::start(Dialect::Tolerant).await;
        towards(&mut site, &served).await;
        site.cycle().await;
        let ann = site.id(&login("Ann"));
        for change in [
            vec![Change::SwapLogins { one: login("Bo"), other: login("Cy") }],
            vec![Change::SoftDelete { who: ann.clone() }, Change::Unassign { principal: login("Di") }],
            vec![Change::Restore { who: ann }, Change::Assign { principal: login("Di"), role: None }],
            vec![Change::Unassign { principal: "Sales".to_owned() }],
        ] {
            change.into_iter().for_each(|change| site.change(change));
            let record = site.cycle().await;
            assert_eq!((record.failures(), record.held), (0, 0), "{:#?}", site.left().await);
            assert_eq!(differences(&site.world, &served.store).await, [] as [&str; 0]);
        }
    }
}
