//! What targets were seen to do otherwise than their profiles say: one row a target and capability.

use rusqlite::params;

use super::Store;
use super::StoreError;
use crate::model::Learned;
use crate::model::Lesson;

impl Store {
    /// Everything that was learned of a target, by capability.
    pub async fn learned(&self, target: String) -> Result<Vec<Learned>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT capability, value, evidence, at FROM learned WHERE target = ?1 ORDER BY capability",
            )?;
            let learned = rows.query_map([target], |row| {
                let lesson = Lesson { capability: row.get(0)?, value: row.get(1)?, evidence: row.get(2)? };
                Ok(Learned { lesson, at_second: row.get(3)? })
            })?;
            learned.collect()
        })
        .await
    }

    /// Keeps lessons, each in place of what was known of its capability.
    pub async fn learn(&self, target: String, lessons: Vec<Lesson>, now: i64) -> Result<(), StoreError> {
        self.write(move |db| {
            let mut row = db.prepare_cached(
                "INSERT INTO learned (target, capability, value, evidence, at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (target, capability)
                 DO UPDATE SET value = excluded.value, evidence = excluded.evidence, at = excluded.at",
            )?;
            for Lesson { capability, value, evidence } in lessons {
                row.execute(params![target, capability, value, evidence, now])?;
            }
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(capability: &str, value: &str) -> Lesson {
        Lesson {
            capability: capability.to_owned(),
            value: value.to_owned(),
            evidence: "status 405".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_lesson_is_kept_by_target_and_the_newest_counts() {
        let store = Store::in_memory().unwrap();
        let learn = |target: &str, lesson, now| store.learn(target.to_owned(), vec![lesson], now);
        learn("https://a.example", lesson("patch.users", "no"), 5).await.unwrap();
        learn("https://a.example", lesson("patch.users", "yes"), 9).await.unwrap();
        learn("https://b.example", lesson("patch.users", "no"), 7).await.unwrap();
        assert_eq!(
            store.learned("https://a.example".to_owned()).await.unwrap(),
            [Learned { lesson: lesson("patch.users", "yes"), at_second: 9 }]
        );
        assert_eq!(store.learned("https://c.example".to_owned()).await.unwrap(), []);
    }
}
