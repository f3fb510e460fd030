//! What the names in a callback's addresses resolve to, as seen from here.
//!
//! Every name that is asked for can be read by whoever runs the network's DNS, so half-typed ones are not asked for, and no
//! one twice.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Names that take longer to look up are not looked at.
const RESOLVING: Duration = Duration::from_secs(1);

/// The names that were looked up since the start. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    known: Arc<Mutex<HashMap<String, Vec<IpAddr>>>>,
}

impl Names {
    /// What the names in these addresses resolve to, as far as that is known or, with `ask`, quickly told.
    pub(crate) async fn of(&self, urls: &[String], ask: bool) -> Vec<(String, Vec<IpAddr>)> {
        if ask {
            self.learn(urls, look_up).await;
        }
        let known = self.known();
        hosts(urls).filter_map(|host| Some((host.to_owned(), known.get(host)?.clone()))).collect()
    }

    async fn learn(&self, urls: &[String], look_up: impl AsyncFn(&str) -> Option<Vec<IpAddr>>) {
        let looking = async {
            for host in hosts(urls) {
                let new = !self.known().contains_key(host);
                if new && let Some(addresses) = look_up(host).await {
                    self.known().insert(host.to_owned(), addresses);
                }
            }
        };
        // What is not known yet is not linted.
        let _ = tokio::time::timeout(RESOLVING, looking).await;
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Vec<IpAddr>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    async fn a_name_is_asked_for_on_demand_and_not_again_once_it_is_known() {
        let (names, asked) = (Names::default(), AtomicUsize::new(0));
        let urls = ["https://api.example.com/cb".to_owned(), "https://gone.example.com".to_owned()];
        let ask = async |host: &str| {
            asked.fetch_add(1, SeqCst);
            host.starts_with("api.").then(|| vec![IpAddr::from([10, 0, 0, 1])])
        };
        assert_eq!(names.of(&urls, false).await, []);
        names.learn(&urls, ask).await;
        let known = [("api.example.com".to_owned(), vec![IpAddr::from([10, 0, 0, 1])])];
        assert_eq!((names.of(&urls, false).await, asked.load(SeqCst)), (known.into(), 2));
        // One that was not found may be found later on.
        names.learn(&urls, ask).await;
        assert_eq!(asked.load(SeqCst), 3);
    }
}
