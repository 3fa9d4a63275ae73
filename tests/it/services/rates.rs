//! How many writes a strict service takes. Its clock is its own: whoever is told to wait finds a minute gone.

use rosterd::scim::Kind;

use super::refusal::Done;
use super::refusal::Refusal;
use super::row::Rate;

pub struct Rates(Vec<(Rate, u32)>);

impl Rates {
    pub fn new(rates: &[Rate]) -> Rates {
        Rates(rates.iter().map(|rate| (*rate, rate.burst)).collect())
    }

    pub fn take(&mut self, kind: Kind, method: &str) -> Done<()> {
        let meant = |rate: &Rate| kind.endpoint().ends_with(rate.resource) && rate.methods.contains(&method);
        for (rate, left) in self.0.iter_mut().filter(|(rate, _)| meant(rate)) {
            match left.checked_sub(1) {
                Some(next) => *left = next,
                None => {
                    *left = rate.per_minute;
                    let refusal = Refusal::new(429, "too many writes", "slow down");
                    return Err(Refusal { headers: vec![("retry-after", "1".to_owned())], ..refusal });
                }
            }
        }
        Ok(())
    }
}
