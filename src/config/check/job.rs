//! Jobs: schedule, mode, target, and what the other files check for them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Checker;
use crate::config::checked::JobConfig;
use crate::config::checked::SourceConfig;
use crate::config::problem::Key;
use crate::config::raw::RawJob;
use crate::config::raw::RawTarget;
use crate::daemon::Schedule;
use crate::daemon::parse_duration;
use crate::expr::nearest;
use crate::plan::Limits;
use crate::plan::read_span;

/// Design: a person's decision lasts 7 days by default (P9).
const EXEMPTION: &str = "7d";
/// What is held is announced again daily (P13).
const REMIND: &str = "24h";

impl Checker<'_> {
    pub(super) fn jobs(
        &mut self,
        raw: &BTreeMap<String, RawJob>,
        targets: &BTreeMap<String, RawTarget>,
    ) -> BTreeMap<String, JobConfig> {
        raw.iter().filter_map(|(name, job)| Some((name.clone(), self.job(name, job, targets)?))).collect()
    }

    fn job(&mut self, name: &str, raw: &RawJob, targets: &BTreeMap<String, RawTarget>) -> Option<JobConfig> {
        let table = Key::of(["jobs", name]);
        self.name(&table);
        let schedule = self.schedule(&table, raw);
        let verify = self.verify(&table.join("verify"), raw.verify.as_deref());
        let target = self.target_name(&table.join("target"), raw.target.as_deref(), targets);
        let source = self.source(&table.join("source"), &raw.source, &raw.scope);
        let protect = target.as_ref().and_then(|target| targets.get(target));
        let rules = self.rules(&table, raw, protect);
        if let (Some(SourceConfig::Graph(graph)), Some(rules)) = (&source, &rules) {
            self.graph_fits(&table, graph, rules);
        }
        let shared = target.as_ref().and_then(|name| self.target_limits(name, &targets.get(name)?.limits));
        let limits = self.limits(&table.join("limits"), &raw.limits).zip(shared);
        let exemption = self.lasting(&table.join("exemption"), raw.exemption.as_deref(), EXEMPTION);
        let remind = self.lasting(&table.join("remind"), raw.remind.as_deref(), REMIND);
        let drift = self.drift(&table.join("drift"), &raw.drift);
        Some(JobConfig {
            exemption: exemption?,
            remind: remind?,
            drift: drift?,
            allow_empty: raw.allow_empty.unwrap_or(false),
            name: name.to_owned(),
            schedule: schedule?,
            verify: verify?,
            mode: raw.mode?,
            target: target?,
            source: source?,
            rules: rules?,
            limits: limits.map(|(limits, target)| Limits { target, ..limits })?,
        })
    }

    fn schedule(&mut self, table: &Key, raw: &RawJob) -> Option<Schedule> {
        let jitter = self.jitter(&table.join("jitter"), raw.jitter.as_deref());
        let key = table.join("schedule");
        let text = self.text(&key, raw.schedule.as_deref(), "`every 40m` or a cron line")?;
        match Schedule::parse(&text, jitter?) {
            Ok(schedule) => Some(schedule),
            Err(error) => self.error_with_cure(&key, &error.to_string()),
        }
    }

    /// Outside: whether it can be read; inside: whether there is one.
    fn jitter(&mut self, key: &Key, raw: Option<&str>) -> Option<Option<Duration>> {
        match raw.map(parse_duration).transpose() {
            Ok(jitter) => Some(jitter),
            Err(error) => self.error_with_cure(key, &error.to_string()),
        }
    }

    /// A time of some length.
    fn lasting(&mut self, key: &Key, raw: Option<&str>, usual: &str) -> Option<Duration> {
        let text = raw.unwrap_or(usual);
        let seconds = read_span(text).and_then(|seconds| u64::try_from(seconds).ok());
        seconds
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs)
            .or_else(|| self.error(key, format!("`{text}` is no length of time"), "write one like 7d or 36h"))
    }

    /// Outside: whether it can be read; inside: how often, or `off`.
    fn verify(&mut self, key: &Key, raw: Option<&str>) -> Option<Option<Duration>> {
        match raw.unwrap_or("off") {
            "off" => Some(None),
            text => match parse_duration(text) {
                Ok(every) => Some(Some(every)),
                Err(error) => self.error_with_cure(key, &format!("{error}, or \"off\"")),
            },
        }
    }

    fn target_name(
        &mut self,
        key: &Key,
        raw: Option<&str>,
        targets: &BTreeMap<String, RawTarget>,
    ) -> Option<String> {
        let name = self.text(key, raw, "the name of one of [targets.…]")?;
        if targets.contains_key(&name) {
            return Some(name);
        }
        let cure = match nearest(&name, targets.keys().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("add [targets.{name}.scim] or [targets.{name}.workspace]"),
        };
        self.error(key, format!("there is no target `{name}`"), &cure)
    }

    /// Texts of other rooms are `what; cure`.
    pub(super) fn error_with_cure<T>(&mut self, key: &Key, text: &str) -> Option<T> {
        let (message, cure) = text.split_once("; ").unwrap_or((text, ""));
        self.error(key, message.to_owned(), cure)
    }
}
