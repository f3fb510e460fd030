// Entry: choose what stands behind the window, then draw it.
import { mount } from "svelte";

import App from "./App.svelte";
import "./app.css";
import type { Backend } from "./backend/types";
import { AppState } from "./state/app.svelte";

async function chooseBackend(): Promise<Backend> {
  if (import.meta.env.MODE === "mock") {
    const { MockBackend } = await import("./backend/mock");
    return new MockBackend({ live: true });
  }
  if (!("__TAURI_INTERNALS__" in window)) {
    throw new Error("This page is Waybill's window; open it with the app, or with `npm run dev:mock`.");
  }
  const { TauriBackend } = await import("./backend/tauri");
  return new TauriBackend();
}

// A file dropped where nobody listens must not replace the page; Ctrl+R is "retry" here, never "reload".
window.addEventListener("dragover", (event) => event.preventDefault());
window.addEventListener("drop", (event) => event.preventDefault());
window.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "r") event.preventDefault();
});

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
const app = new AppState(await chooseBackend());
mount(App, { target, props: { app } });
