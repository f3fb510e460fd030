//! What the names in a callback's addresses resolve to, as seen from here.
//!
//! Every name that is asked for can be read by whoever runs the network's DNS, so half-typed ones are not asked for, and no
//! one twice in a minute.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

/// Names that take longer to look up are not looked at.
const RESOLVING: Duration = Duration::from_secs(1);

/// What was told is asked for again after so long: who has mended a record wants to see it.
const FRESH: Duration = Duration::from_secs(60);

/// What is known of the names in some addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) addresses: Vec<(String, Vec<IpAddr>)>,
    /// One of them has not been told lately, so it is worth asking.
    pub(crate) unresolved: bool,
}

/// The names that were looked up since the start. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// With when they were asked for.
    known: Arc<Mutex<Known>>,
}

type Known = HashMap<String, (Instant, Vec<IpAddr>)>;

impl Names {
    /// What the names in these addresses resolve to, as far as that is known or, with `ask`, quickly told.
    pub(crate) async fn of(&self, urls: &[String], ask: bool) -> Resolved {
        if ask {
            self.learn(urls, Instant::now(), look_up).await;
        }
        self.told(urls, Instant::now())
    }

    /// What has been told so far. An old answer counts until there is a new one.
    fn told(&self, urls: &[String], now: Instant) -> Resolved {
        let known = self.known();
        let addresses = hosts(urls).filter_map(|host| Some((host.to_owned(), known.get(host)?.1.clone()))).collect();
        Resolved { addresses, unresolved: hosts(urls).any(|host| !is_fresh(&known, host, now)) }
    }

    async fn learn(&self, urls: &[String], now: Instant, look_up: impl AsyncFn(&str) -> Option<Vec<IpAddr>>) {
        let mut wanted: BTreeSet<&str> = hosts(urls).collect();
        wanted.retain(|host| !is_fresh(&self.known(), host, now));
        // All at once: one that is slow keeps no other from being told in time.
        let looking = join_all(wanted.into_iter().map(async |host| {
            if let Some(addresses) = look_up(host).await {
                self.known().insert(host.to_owned(), (now, addresses));
            }
        }));
        // What is not known yet is not linted.
        let _ = tokio::time::timeout(RESOLVING, looking).await;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(known: &Known, host: &str, now: Instant) -> bool {
    known.get(host).is_some_and(|(asked, _)| now.duration_since(*asked) < FRESH)
}

async fn look_up(host: &str) -> Option<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((host, 80)).await.ok()?;
    Some(found.map(|address| address.ip()).collect())
}

fn hosts(urls: &[String]) -> impl Iterator<Item = &str> {
    urls.iter().filter_map(|url| host_of(url)).filter(|host| is_whole(host))
}

/// The host of an address, its port left out.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.trim().split_once("://").map_or(url.trim(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit('@').next()?.split(':').next()
}

/// Whether it can be a name that OSS finds: with a domain, and letters at its end, which no address has.
fn is_whole(host: &str) -> bool {
    let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let is_label =
        |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric());
    let top = labels.last().copied().unwrap_or_default();
    labels.len() > 1
        && labels.iter().all(is_label)
        && top.len() > 1
        && top.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[test]
    fn only_whole_names_are_asked_for() {
        let urls: Vec<String> = [
            "https://api.example.com:8080/cb",
            "a.example.cn?x",
            "https://api.",
            "https://api",
            "https://api.e",
            "https://api..com",
            "http://10.0.0.1/cb",
            "http://[::1]/cb",
            "https://x y.com",
            "${x}.com",
            "",
        ]
        .map(str::to_owned)
        .into();
        assert_eq!(hosts(&urls).collect::<Vec<_>>(), ["api.example.com", "a.example.cn"]);
    }

    #[tokio::test]
    async fn a_name_is_asked_for_on_demand_and_not_again_until_a_minute_after_it_was_told() {
        let (names, asked, now) = (Names::default(), AtomicUsize::new(0), Instant::now());
        let urls = ["https://api.example.com/cb".to_owned(), "https://gone.example.com".to_owned()];
        let ask = async |host: &str| {
            asked.fetch_add(1, SeqCst);
            host.starts_with("api.").then(|| vec![IpAddr::from([10, 0, 0, 1])])
        };
        assert_eq!(names.of(&urls, false).await, Resolved { addresses: Vec::new(), unresolved: true });
        names.learn(&urls, now, ask).await;
        let addresses = vec![("api.example.com".to_owned(), vec![IpAddr::from([10, 0, 0, 1])])];
        let known = Resolved { addresses, unresolved: true };
        assert_eq!((names.told(&urls, now), asked.load(SeqCst)), (known.clone(), 2));
        assert!(!names.told(&urls[..1], now).unresolved);
        // One that was not found may be found later on.
        names.learn(&urls, now, ask).await;
        assert_eq!(asked.load(SeqCst), 3);
        let later = now + FRESH;
        assert!(names.told(&urls[..1], later).unresolved);
        assert_eq!(names.told(&urls, later), known);
        names.learn(&urls, later, async |_: &str| Some(vec![IpAddr::from([8, 8, 8, 8])])).await;
        let told = names.told(&urls, later);
        assert!(!told.unresolved && told.addresses.iter().all(|(_, found)| *found == [IpAddr::from([8, 8, 8, 8])]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_takes_long_keeps_no_other_from_being_told() {
        let (names, now) = (Names::default(), Instant::now());
        let urls = ["https://slow.example.com".to_owned(), "https://well.example.com".to_owned()];
        let ask = async |host: &str| match host {
            "slow.example.com" => std::future::pending().await,
            _ => Some(vec![IpAddr::from([10, 0, 0, 1])]),
        };
        names.learn(&urls, now, ask).await;
        let told = names.told(&urls, now);
        assert!(told.unresolved && told.addresses[0].0 == "well.example.com", "{told:?}");
    }
}
