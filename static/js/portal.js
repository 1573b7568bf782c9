/* Behaviours that every page shares. Without JavaScript the pages still work; these help. */

const { on } = htmx;
const { body } = document;
const loginDialog = document.getElementById("login-dialog");
const trouble = document.getElementById("trouble");
let unsent = null;

/* Logging in, in this tab or another, changes the CSRF token: always send the latest. */
const csrfToken = () => document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1];

on("htmx:configRequest", ({ detail }) => {
  const token = csrfToken();
  if (token) detail.headers["X-CSRFToken"] = token;
  if (detail.verb !== "get") return;
  /* Addresses that people keep and share: without the filters that are empty. */
  for (const [name, value] of [...detail.formData]) if (!value) detail.formData.delete(name);
});

on("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault(); // A double click sends once.
  form.dataset.sent = "yes";
  const input = form.elements.csrfmiddlewaretoken;
  if (input) input.value = csrfToken() ?? input.value;
});

addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

/* What is polled neither answers what the user did, nor interrupts them when it fails. */
for (const name of ["afterRequest", "responseError", "sendError"])
  addEventListener(`htmx:${name}`, (event) => event.target.matches?.('[hx-trigger*="every"]') && event.stopPropagation(), true);

const say = (text) => {
  if (!trouble) return;
  /* What lies behind an open dialog can be neither seen nor heard. */
  (loginDialog?.open ? loginDialog : body).append(trouble);
  trouble.textContent = text;
};

const REASONS = {
  403: "You may not do this, or the page is out of date. Reload it and try again.",
  429: "Too many attempts. Wait a few minutes, then try again.",
};

on("htmx:responseError", ({ detail }) => {
  const { xhr, elt, requestConfig } = detail;
  if (xhr.status !== 401 || !loginDialog)
    return say(REASONS[xhr.status] ?? "Something went wrong on our side. Try again in a moment.");
  unsent = { ...requestConfig, elt };
  if (!loginDialog.open) loginDialog.showModal();
});

on("htmx:sendError", () => say("No connection. Check the network and try again."));

on("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) say("");
});

/* An expired login asked for the password on the page; then the change is sent again. */
on("loggedIn", ({ detail }) => {
  if (detail.user !== body.dataset.user) return location.reload();
  loginDialog.close();
  say("");
  loginDialog.querySelector("[type=password]").value = "";
  if (unsent?.elt.isConnected) htmx.ajax(unsent.verb, unsent.path, { source: unsent.elt });
  unsent = null;
});

/* Alt and a letter, or ? where no text is typed: goes to the field, link or button that names it. */
on("keydown", (event) => {
  const { altKey, code, ctrlKey, key, metaKey, target } = event;
  const isTyped = /^(INPUT|TEXTAREA)$/.test(target.tagName) && target.value;
  let name = key === "?" && !isTyped && key;
  // Where Alt types other letters, the place of the key counts.
  if (altKey && !ctrlKey && !metaKey) name = (/^[a-z]$/i.test(key) ? key : code.replace("Key", "")).toLowerCase();
  const named = name && !loginDialog?.open && document.querySelector(`[data-key="${CSS.escape(name)}"]`);
  if (!named) return;
  event.preventDefault();
  if (named.matches("input:not([type=checkbox]), select, textarea")) named.focus();
  else named.click();
});

on("click", ({ target }) => {
  if (target.closest("[data-print]")) print();
});
