//! A simulated directory on loopback that can be switched off and on again at the same address.

use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;
use rosterd::simulators::Flavour;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use rosterd::simulators::serve;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Far above what anything here takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Simulated {
    pub world: World,
    pub address: SocketAddr,
    pub stop: CancellationToken,
}

impl Simulated {
    pub async fn start(flavour: Flavour) -> Simulated {
        let size = Size { users: 20, groups: 4, memberships_per_user: 2 };
        let world = World::new(flavour, size, 1, Timestamp::now());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut directory = Simulated { world, address, stop: CancellationToken::new() };
        directory.serve(listener);
        directory
    }

    fn serve(&mut self, listener: TcpListener) {
        self.stop = CancellationToken::new();
        tokio::spawn(serve(self.world.clone(), listener, self.stop.clone()));
    }

    pub async fn back(&mut self) {
        let begun = Instant::now();
        let listener = loop {
            // The address is free as soon as the old listener has ended.
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
            }
            tokio::task::yield_now().await;
        };
        self.serve(listener);
    }
}
