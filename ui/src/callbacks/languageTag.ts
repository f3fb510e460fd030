// Charts on a computer that has no language: where `LANG` is `C`, WebKitGTK calls the language "C", which is no language tag.
// uPlot formats numbers by it as soon as it is loaded, and would not load. To be imported before uPlot.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en", configurable: true });
}

export {};
