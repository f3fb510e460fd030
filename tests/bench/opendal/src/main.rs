//! OpenDAL as a client of the bench: ENDPOINT BUCKET REGION FOLDER FILES_AT_ONCE PARTS_AT_ONCE PART_SIZE, the keys in the
//! environment.

use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};

use futures::{StreamExt, TryStreamExt, stream};
use opendal::{Operator, services::Oss};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, bucket, region, folder, files_at_once, parts_at_once, part_size] = arguments.as_slice() else {
        return Err("ENDPOINT BUCKET REGION FOLDER FILES_AT_ONCE PARTS_AT_ONCE PART_SIZE".into());
    };
    // By hand, since we leave out the constructor that runs before main.
    opendal::install_default();
    let oss = Oss::default()
        .endpoint(endpoint)
        .bucket(bucket)
        .addressing_style("path")
        .access_key_id(&std::env::var("OSS_ACCESS_KEY_ID")?)
        .access_key_secret(&std::env::var("OSS_ACCESS_KEY_SECRET")?);
    // Its signature is version 1, which names no region.
    let _ = region;
    let operator = Operator::new(oss)?;
    let folder = Path::new(folder);
    let above = folder.parent().ok_or("a folder")?;
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let (at_once, parts, size) = (files_at_once.parse()?, parts_at_once.parse()?, part_size.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(
        stream::iter(files)
            .map(|path| {
                let (operator, above) = (operator.clone(), above.to_owned());
                async move { tokio::spawn(put(operator, above, path, parts, size)).await? }
            })
            .buffer_unordered(at_once)
            .try_collect(),
    )
}

async fn put(operator: Operator, above: PathBuf, path: PathBuf, parts: usize, part_size: usize) -> Outcome<()> {
    let key = path.strip_prefix(&above)?.to_string_lossy().into_owned();
    let mut file = std::fs::File::open(&path)?;
    let len = file.metadata()?.len() as usize;
    if len <= part_size {
        operator.write(&key, std::fs::read(&path)?).await?;
        return Ok(());
    }
    let mut writer = operator.writer_with(&key).chunk(part_size).concurrent(parts).await?;
    let mut left = len;
    while left > 0 {
        let mut part = vec![0; left.min(part_size)];
        file.read_exact(&mut part)?;
        left -= part.len();
        writer.write(part).await?;
    }
    writer.close().await?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
