"use strict";

// Swagger UI has dark looks of its own, and waits to be told.
const night = matchMedia("(prefers-color-scheme: dark)");
const dress = () => document.documentElement.classList.toggle("dark-mode", night.matches);
night.addEventListener("change", dress);
dress();

// Swagger UI draws its page piece by piece; each piece gets what it leaves out for a keyboard
// and a screen reader.
const missing = [
  [".opblock-summary-control a[href]", (link) => link.removeAttribute("href")],
  ["h3:not([aria-level])", (heading) => heading.setAttribute("aria-level", "2")],
  ["h4:not([aria-level])", (heading) => heading.setAttribute("aria-level", "3")],
  ["h5:not([aria-level])", (heading) => heading.setAttribute("aria-level", "4")],
  ["select:not([aria-label])", (select) => select.setAttribute("aria-label", "Choose")],
  [".microlight:not([tabindex])", (code) => code.setAttribute("tabindex", "0")],
];

function complete() {
  for (const [selector, amend] of missing) {
    document.querySelectorAll(`#swagger-ui ${selector}`).forEach(amend);
  }
}

new MutationObserver(complete).observe(document.getElementById("swagger-ui"), {
  childList: true,
  subtree: true,
});
