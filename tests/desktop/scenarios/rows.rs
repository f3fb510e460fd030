//! Rows of the list, as the page shows them.

use serde_json::{Value, json};
use waybill_desktop_tests::{App, until_ok};

/// Waits until the row of the file called `name` is in this phase; its `data-no`.
pub(crate) fn wait_for_row(app: &App<'_>, name: &str, phase: &str) -> String {
    until_ok(&format!("{name} {phase}"), || {
        let rows = rows(app);
        let row = rows.as_array().into_iter().flatten().find(|row| row["name"] == json!(name));
        match row {
            Some(row) if row["phase"] == json!(phase) => Ok(row["no"].as_str().unwrap_or_default().to_owned()),
            _ => Err(rows.to_string()),
        }
    })
}

/// The selector of one row.
pub(crate) fn row(no: &str) -> String {
    format!("[data-testid=upload-row][data-no=\"{no}\"]")
}

/// Opens the inspector on a row and one of its tabs.
pub(crate) fn inspect(app: &App<'_>, no: &str, tab: &str) {
    app.page.click(&row(no));
    app.page.wait_for(&format!("[data-testid=inspector][data-no=\"{no}\"]"));
    app.page.click(&format!("[data-testid=tab-{tab}]"));
}

fn rows(app: &App<'_>) -> Value {
    app.page.script(
        "return [...document.querySelectorAll('[data-testid=upload-row]')].map((row) => ({
            no: row.dataset.no, phase: row.dataset.phase, callback: row.dataset.callback,
            name: row.querySelector('.name div').textContent, shown: row.textContent }))",
        &[],
    )
}
