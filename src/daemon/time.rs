//! The one clock as a cycle sees it.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::client::Clock;
use crate::cycle::Time;

impl Time for Clock {
    fn now(&self) -> Timestamp {
        Clock::now(self)
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Clock::sleep(self, wait).boxed()
    }
}
