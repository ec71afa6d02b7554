// Runs before the first paint: a reader who chose a theme never sees the other one flash by. It is no module and so guards
// the storage, which the browser may forbid, by itself.
try {
  const theme = localStorage.getItem("workbook.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {}
