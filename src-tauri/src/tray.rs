//! The tray icon: open, pause all, resume all, quit. A desktop without a tray loses nothing but the icon.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tauri::async_runtime::spawn;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _, Wry};

use crate::language::Language;
use crate::shell::{Shell, show_window};

const ID: &str = "waybill";

/// Shows the icon where there is a tray; says in the log when there is none. Never an error.
pub(crate) fn start(app: &AppHandle) {
    if !desktop_shows_trays() {
        tracing::info!("this desktop shows no tray icons; closing the window quits");
        return;
    }
    // On Linux the tray's library is loaded on first use, and its loader panics when it is not installed.
    match catch_unwind(AssertUnwindSafe(|| build(app))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "cannot show the tray icon"),
        Err(_) => tracing::warn!("cannot show the tray icon: its system library is missing"),
    }
}

/// Whether the window can be hidden and found again.
pub(crate) fn exists(app: &AppHandle) -> bool {
    app.tray_by_id(ID).is_some()
}

/// Says its lines in this language from now on.
pub(crate) fn speak(app: &AppHandle, language: Language) {
    let Some(tray) = app.tray_by_id(ID) else { return };
    if let Err(error) = menu(app, language).and_then(|menu| tray.set_menu(Some(menu))) {
        tracing::warn!(%error, "cannot change the language of the tray's menu");
    }
}

fn menu(app: &AppHandle, language: Language) -> tauri::Result<Menu<Wry>> {
    let [open, pause_all, resume_all, quit] = language.tray();
    Menu::with_items(
        app,
        &[
            &MenuItem::with_id(app, "open", open, true, None::<&str>)?,
            &PredefinedMenuItem::separator(app)?,
            &MenuItem::with_id(app, "pause-all", pause_all, true, None::<&str>)?,
            &MenuItem::with_id(app, "resume-all", resume_all, true, None::<&str>)?,
            &PredefinedMenuItem::separator(app)?,
            &MenuItem::with_id(app, "quit", quit, true, None::<&str>)?,
        ],
    )
}

fn build(app: &AppHandle) -> tauri::Result<()> {
    let menu = menu(app, app.state::<Shell>().language())?;
    let mut tray = TrayIconBuilder::with_id(ID).tooltip("Waybill").menu(&menu).on_menu_event(on_menu_event);
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(())
}

fn on_menu_event(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        "open" => show_window(app),
        "pause-all" => set_paused(app, true),
        "resume-all" => set_paused(app, false),
        "quit" => app.exit(0),
        other => tracing::warn!(other, "the tray menu has no such line"),
    }
}

fn set_paused(app: &AppHandle, paused: bool) {
    let engine = app.state::<Shell>().engine.clone();
    spawn(async move {
        let done = if paused { engine.pause_all().await } else { engine.resume_all().await };
        if let Err(error) = done {
            tracing::warn!(%error, paused, "the tray's wish was refused");
        }
    });
}

/// An icon that nobody shows would take the hidden window with it, so we ask who shows icons first.
#[cfg(target_os = "linux")]
fn desktop_shows_trays() -> bool {
    let ask = || -> zbus::Result<bool> {
        let bus = zbus::blocking::Connection::session()?;
        let names = zbus::blocking::fdo::DBusProxy::new(&bus)?;
        Ok(names.name_has_owner("org.kde.StatusNotifierWatcher".try_into()?)?)
    };
    ask().unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
fn desktop_shows_trays() -> bool {
    true
}
