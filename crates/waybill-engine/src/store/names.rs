//! Names of uploads, a thousand (1,024) to a piece: whoever searches a million reads a thousand pieces, not a million rows.
//! Those that come one by one stand alone.
//!
//! A piece holds paths and keys in lower case (of ASCII, which is how LIKE compares) and finds who may be meant; the rows
//! decide.

use memchr::{memchr, memmem::Finder, memrchr};
use rusqlite::{Connection, Statement, params, params_from_iter};

use crate::view::{Cursor, Scope};

/// Numbers that share all but so many bits have their names in the same pieces.
const BITS: i64 = 10;
/// Begins a name, before its number's last bits and its path. Neither this byte nor the next is ever part of a text.
const NAME: u8 = 0xFE;
/// Between a path and a key that is no part of it.
const KEY: u8 = 0xFF;
/// Bits of a byte of a number; with the highest bit set, as within a character, so that no text begins there.
const HALF: i64 = 5;

/// Adds the names, path and key, of uploads whose numbers follow each other.
pub(crate) fn add<'a>(
    connection: &Connection,
    batch: i64,
    first_no: i64,
    names: impl Iterator<Item = (&'a str, &'a str)>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached("INSERT INTO names (batch, thousand, text) VALUES (?1, ?2, ?3)")?;
    let (mut piece, mut thousand) = (Vec::new(), first_no >> BITS);
    for (no, (path, key)) in (first_no..).zip(names) {
        if no >> BITS != thousand {
            insert.execute(params![batch, thousand, piece])?;
            piece.clear();
            thousand = no >> BITS;
        }
        write(&mut piece, no, path, key);
    }
    if !piece.is_empty() {
        insert.execute(params![batch, thousand, piece])?;
    }
    Ok(())
}

fn write(piece: &mut Vec<u8>, no: i64, path: &str, key: &str) {
    let half = |bits: i64| 0x80 | (bits & ((1 << HALF) - 1)) as u8;
    piece.extend([NAME, half(no >> HALF), half(no)]);
    let lower = |piece: &mut Vec<u8>, text: &str| piece.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
    lower(piece, path);
    if !path.contains(key) {
        piece.push(KEY);
        lower(piece, key);
    }
}

/// Hands out the numbers of uploads whose path or key may hold `text`, behind `after` and in the order of the list, some at
/// a time, until `enough` says so.
pub(crate) fn find(
    connection: &Connection,
    scope: Scope,
    after: Option<Cursor>,
    text: &str,
    mut enough: impl FnMut(&[i64]) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let (order, pieces): (_, Vec<(&str, Vec<i64>)>) = match (scope, after) {
        (Scope::Transfers, None) => ("batch DESC, thousand", vec![("1", vec![])]),
        (Scope::Transfers, Some(after)) => (
            "batch DESC, thousand",
            vec![
                ("batch = ? AND thousand >= ?", vec![after.batch, after.no >> BITS]),
                ("batch < ?", vec![after.batch]),
            ],
        ),
        (Scope::History, None) => ("thousand DESC", vec![("1", vec![])]),
        (Scope::History, Some(after)) => ("thousand DESC", vec![("thousand <= ?", vec![after.no >> BITS])]),
    };
    let is_behind = |batch: i64, no: i64| match (scope, after) {
        (_, None) => true,
        (Scope::Transfers, Some(after)) => batch < after.batch || no > after.no,
        (Scope::History, Some(after)) => no < after.no,
    };
    let needle = text.to_ascii_lowercase();
    let finder = Finder::new(&needle);
    for (piece, values) in pieces {
        let sql = format!("SELECT batch, thousand, text FROM names WHERE {piece} ORDER BY {order}");
        let mut statement = connection.prepare_cached(&sql)?;
        if find_in(&mut statement, values, scope, &finder, is_behind, &mut enough)? {
            break;
        }
    }
    Ok(())
}

/// True when there is enough.
fn find_in(
    statement: &mut Statement<'_>,
    values: Vec<i64>,
    scope: Scope,
    finder: &Finder<'_>,
    is_behind: impl Fn(i64, i64) -> bool,
    enough: &mut impl FnMut(&[i64]) -> rusqlite::Result<bool>,
) -> rusqlite::Result<bool> {
    let (mut found, mut place) = (Vec::new(), None);
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let (batch, thousand): (i64, i64) = (row.get(0)?, row.get(1)?);
        // All pieces of a place before any of the next: their numbers mix.
        let here = Some(if scope == Scope::Transfers { (batch, thousand) } else { (0, thousand) });
        if here != place && !found.is_empty() && handed_out(&mut found, scope, enough)? {
            return Ok(true);
        }
        place = here;
        let piece = row.get_ref(2)?.as_blob()?;
        found.extend(numbers(finder, piece, thousand).filter(|no| is_behind(batch, *no)));
    }
    Ok(!found.is_empty() && handed_out(&mut found, scope, enough)?)
}

fn handed_out(
    found: &mut Vec<i64>,
    scope: Scope,
    enough: &mut impl FnMut(&[i64]) -> rusqlite::Result<bool>,
) -> rusqlite::Result<bool> {
    found.sort_unstable();
    found.dedup();
    if scope == Scope::History {
        found.reverse();
    }
    let answer = enough(found);
    found.clear();
    answer
}

/// Numbers of those in a piece whose names hold what is looked for.
fn numbers(finder: &Finder<'_>, piece: &[u8], thousand: i64) -> impl Iterator<Item = i64> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let hit = at + finder.find(&piece[at..])?;
        let name = memrchr(NAME, &piece[..hit])?;
        at = memchr(NAME, &piece[hit..]).map_or(piece.len(), |next| hit + next);
        let half = |at: usize| i64::from(piece.get(at).copied().unwrap_or_default() & ((1 << HALF) - 1));
        Some((thousand << BITS) | (half(name + 1) << HALF) | half(name + 2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// Number, batch, path and key of uploads, as an earlier version left them.
    const EARLIER: [(i64, i64, &str, &str); 5] = [
        (1, 1, "/Shoot/A.MOV", "Shoot/A.MOV"),
        (2, 2, "/b/Ä中.txt", "elsewhere/Ä中.TXT"),
        (3, 1, "/Shoot/c", "d"),
        (1023, 1, "/e", "e"),
        (1024, 1, "/f", "f"),
    ];

    fn pieces(connection: &Connection) -> rusqlite::Result<Vec<(i64, i64, Vec<u8>)>> {
        connection
            .prepare("SELECT batch, thousand, text FROM names ORDER BY batch, thousand, text")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect()
    }

    #[test]
    fn names_of_an_earlier_version_become_the_same_pieces_as_new_ones() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (migrated, mut written) = store
            .write_blocking(|c| {
                c.execute_batch("PRAGMA defer_foreign_keys = ON; DROP TABLE names; DROP INDEX uploads_in_transfers")?;
                c.execute_batch("CREATE INDEX uploads_in_order ON uploads (batch DESC, no)")?;
                for (no, batch, path, key) in EARLIER {
                    c.execute(
                        "INSERT INTO uploads (no, batch, destination_id, path, bucket, key, size_bytes, modified_ns, \
                         file_id, phase, state_json, created_ms) VALUES (?1, ?2, 'd', ?3, 'b', ?4, 1, 0, 0, 5, '{}', 0)",
                        params![no, batch, path, key],
                    )?;
                }
                c.execute_batch(include_str!("0008_names.sql"))?;
                let migrated = pieces(c)?;
                c.execute_batch("DELETE FROM names")?;
                for (no, batch, path, key) in EARLIER {
                    add(c, batch, no, [(path, key)].into_iter())?;
                }
                let written = pieces(c)?;
                c.execute_batch("DELETE FROM uploads")?;
                Ok((migrated, written))
            })
            .unwrap();
        // One by one they are pieces of their own; those of one place stand together in the migrated ones.
        written.dedup_by(|next, before| {
            let same = (before.0, before.1) == (next.0, next.1);
            if same {
                before.2.append(&mut next.2);
            }
            same
        });
        assert_eq!(migrated, written);
    }

    #[test]
    fn a_name_is_found_by_path_or_key_in_any_case_and_never_across_two_names() {
        let mut piece = Vec::new();
        for (no, _, path, key) in EARLIER {
            write(&mut piece, no, path, key);
        }
        let found = |needle: &str| numbers(&Finder::new(needle), &piece, 0).collect::<Vec<_>>();
        assert_eq!(found("shoot/"), [1, 3]);
        assert_eq!(found("a.mov"), [1]);
        assert_eq!(found("elsewhere"), [2]);
        assert!(found("ä").is_empty(), "only letters of ASCII have two cases, as LIKE sees it");
        assert_eq!(found("Ä中"), [2]);
        assert!(found("cd").is_empty(), "a path and its key are two names");
        // The number's bytes are no text.
        assert_eq!(found("/e"), [1023]);
    }
}
