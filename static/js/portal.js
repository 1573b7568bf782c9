/* What every page shares. */

const { on } = htmx;
const loginDialog = document.getElementById("login-dialog");
const trouble = document.getElementById("trouble");
const refused = new Map(); // Sent after a login.

/* A login changes the token. */
const csrfToken = () => document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1];

on("htmx:configRequest", ({ detail }) => {
  detail.headers["X-CSRFToken"] = csrfToken();
});

on("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault(); // A double click sends once.
  form.dataset.sent = "yes";
  const input = form.elements.csrfmiddlewaretoken;
  if (input) input.value = csrfToken();
});

on(window, "pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

/* What is polled interrupts nobody. */
const isPolled = ({ elt }) => elt.matches('[hx-trigger*=every]');

/* 0 when nobody answered. */
const say = (status) => {
  // Behind a dialog nobody sees it.
  (loginDialog?.open ? loginDialog : document.body).append(trouble);
  trouble.textContent = trouble.dataset[status] ?? trouble.dataset.other;
};

on("htmx:responseError", ({ detail }) => {
  const { elt, etc, xhr } = detail;
  if (isPolled(detail)) return;
  if (xhr.status !== 401 || !loginDialog) return say(xhr.status);
  refused.set(etc.values ?? elt, detail);
  if (!loginDialog.open) loginDialog.showModal();
});

on("htmx:sendError", ({ detail }) => isPolled(detail) || say(0));

on("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && !isPolled(detail)) say("ok");
});

on("loggedIn", ({ detail }) => {
  if (detail.user !== document.body.dataset.user) return location.reload();
  loginDialog.close();
  say("ok");
  loginDialog.querySelector("form").reset();
  for (const { elt: source, etc, requestConfig: { path, verb }, target } of refused.values()) {
    const context = { ...etc, source, target, swap: etc.swapOverride };
    if (source.isConnected) htmx.ajax(verb, path, context);
  }
  refused.clear();
});

/* Alt and a letter, or ? where no text is typed. */
on("keydown", (event) => {
  const { altKey, code, ctrlKey, key, metaKey, target } = event;
  let name = key === "?" && !(target.matches("input, textarea") && target.value) && key;
  // A Mac types other letters.
  if (altKey && !ctrlKey && !metaKey) name = (/^[a-z]$/i.test(key) ? key : code.replace("Key", "")).toLowerCase();
  const named = name && !loginDialog?.open && document.querySelector(`[data-key=${CSS.escape(name)}]`);
  if (!named) return;
  event.preventDefault();
  if (named.matches("a, button, [type=checkbox]")) named.click();
  else named.focus();
});
