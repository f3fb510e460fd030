//! Lists, old and new: the same keys on any page size, with prefix and folders, whatever the keys hold.

use std::collections::BTreeSet;

use waybill_oss::{ListOptions, ListVersion, ListedObject};
use waybill_tests::content;

use crate::lab::{Lab, VERSIONS, put};

const LISTS: [ListVersion; 2] = [ListVersion::V1, ListVersion::V2];

/// In the order of their bytes once sorted; one pair of them differs only in normalisation.
const KEYS: [&str; 22] = [
    "a",
    "a+b",
    "a b",
    "a%2Bb",
    "a%20b",
    "a/../b",
    "a/./b",
    "a//",
    "a//b",
    "a/b/c",
    "a&<>\"'b",
    "control\u{1}\u{7f}",
    "dir/",
    "dir/a",
    "dir/sub/b",
    "é",
    "e\u{301}",
    "line\r\nfeed",
    "中文/文件",
    "中文/文件 2",
    "😀/\u{feff}",
    "~",
];

async fn filled() -> Lab {
    let lab = Lab::new().await;
    let client = lab.client(VERSIONS[0]);
    for (number, name) in KEYS.iter().enumerate() {
        put(&client, name, &content(number)).await.expect(name);
    }
    lab
}

fn sorted(names: impl IntoIterator<Item = &'static str>) -> Vec<&'static str> {
    names.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_is_listed_once_in_order_on_any_page_size() {
    let lab = filled().await;
    for (signature, version) in VERSIONS.into_iter().flat_map(|one| LISTS.map(|two| (one, two))) {
        let client = lab.client(signature);
        for page_size in [None, Some(1), Some(3), Some(KEYS.len() as u16)] {
            let asked = lab.asked();
            let options = ListOptions { page_size, version, ..ListOptions::default() };
            let all = client.list_objects(options).all().await.expect("a list");
            let names: Vec<&str> = all.iter().map(|object| object.key.as_str()).collect();
            assert_eq!(names, sorted(KEYS), "{signature:?} {version:?} {page_size:?}");
            let pages = page_size.map_or(1, |size| KEYS.len().div_ceil(size.into()));
            assert_eq!(lab.asked() - asked, pages);
            let size = |object: &ListedObject| KEYS.iter().position(|name| *name == object.key).expect("known") as u64;
            assert!(all.iter().all(|object| object.size == size(object) && object.etag.len() == 32), "{all:?}");
        }
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prefix_start_and_folders_choose_as_their_bytes_say() {
    let lab = filled().await;
    for (signature, version) in VERSIONS.into_iter().flat_map(|one| LISTS.map(|two| (one, two))) {
        let client = lab.client(signature);
        for (prefix, delimiter, after) in [
            ("", Some("/"), None),
            ("a", None, None),
            ("a", Some("/"), None),
            ("a/", Some("/"), None),
            ("a%2", None, None),
            ("a+", None, None),
            ("a ", None, None),
            ("control\u{1}", None, None),
            ("中文/", Some("文"), None),
            ("", None, Some("a+b")),
            ("", Some("/"), Some("dir/a")),
            ("line\r", Some("\n"), None),
            ("nothing", None, None),
        ] {
            let (mut objects, mut folders) = (Vec::new(), BTreeSet::new());
            for name in sorted(KEYS).into_iter().filter(|name| after.is_none_or(|after| *name > after)) {
                let Some(rest) = name.strip_prefix(prefix) else { continue };
                match delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len())) {
                    Some(end) => drop(folders.insert(name[..prefix.len() + end].to_owned())),
                    None => objects.push(name.to_owned()),
                }
            }
            for page_size in [None, Some(2)] {
                let options = ListOptions {
                    prefix: prefix.into(),
                    delimiter: delimiter.map(str::to_owned),
                    start_after: after.map(str::to_owned),
                    page_size,
                    version,
                };
                let mut pages = client.list_objects(options);
                let (mut names, mut prefixes) = (Vec::new(), BTreeSet::new());
                while let Some(page) = pages.next().await.expect("a page") {
                    names.extend(page.objects.into_iter().map(|object| object.key));
                    for folder in page.prefixes {
                        assert!(prefixes.insert(folder.clone()), "{folder:?} is listed twice");
                    }
                }
                let what = format!("{signature:?} {version:?} {prefix:?} {delimiter:?} {after:?} {page_size:?}");
                assert_eq!((&names, &prefixes), (&objects, &folders), "{what}");
            }
        }
    }
    lab.sandbox.stop().await;
}
