//! What a command is told of its uploads: each once, and what its row says.

use std::path::Path;

use tokio::sync::mpsc;
use waybill_engine::view::{Phase, Scope, UploadDetails};
use waybill_engine::{Asked, Callback, KeyRule, Place, Told};
use waybill_sandbox::Operation::PutObject;
use waybill_tests::{TestBed, content};

fn asked(destination: &str, path: &Path) -> Asked {
    Asked {
        to: Place::Named(destination.to_owned()),
        paths: vec![path.to_owned()],
        key_rule: Some(KeyRule::Prefix(String::new())),
        callback: Callback::Given(None),
        overwrite: None,
        progress: false,
    }
}

#[tokio::test]
async fn each_small_file_is_told_of_once_and_as_its_row_says_it_even_one_that_changed_while_it_waited() {
    const FILES: usize = 40;
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    for n in 0..FILES {
        bed.file(&format!("shoot/{n:02}.jpg"), 10 + n);
    }
    let folder = bed.dir.path().join("files/shoot");
    let destination = bed.engine().destinations().await.unwrap().remove(0).name;
    bed.hold(PutObject);
    let (told, mut words) = mpsc::channel(8);
    let follow = bed.engine().follow(asked(&destination, &folder), None, told);
    let change = async {
        bed.met(1).await;
        bed.look_for("all are queued", async || (bed.list(Scope::Transfers).await.len() == FILES).then_some(())).await;
        std::fs::write(folder.join("39.jpg"), content(5000)).unwrap();
        bed.release();
    };
    let hear = async {
        let mut heard: Vec<UploadDetails> = Vec::new();
        while let Some(word) = words.recv().await {
            if let Told::Upload(details) = word {
                heard.push(*details);
            }
        }
        heard
    };
    let (ended, (), mut heard) = tokio::join!(follow, change, hear);
    ended.unwrap();
    heard.sort_by(|a, b| a.row.key.cmp(&b.row.key));
    assert_eq!(heard.len(), FILES);
    for told in &heard {
        let row = bed.details(told.row.no).await;
        let in_short = UploadDetails { parts: Vec::new(), attempts: Vec::new(), log: Vec::new(), ..row };
        assert_eq!(told, &in_short);
        assert_eq!(told.row.phase, Phase::Done);
    }
    assert_eq!((heard[39].row.name.as_str(), heard[39].row.size_bytes), ("39.jpg", 5000));
    bed.stop().await;
}
