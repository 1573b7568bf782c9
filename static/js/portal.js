/* What every page shares. Without JavaScript the pages still work. */

const { on } = htmx;
const { body } = document;
const loginDialog = document.getElementById("login-dialog");
const trouble = document.getElementById("trouble");
const refused = new Map(); // For want of a login: sent again after it.

/* A login, in another tab too, changes the token. */
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

addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

/* What is polled interrupts nobody. */
const isPolled = ({ elt }) => elt.matches('[hx-trigger*="every"]');

/* About such a status, 0 when nobody answered. */
const say = (status) => {
  // What lies behind an open dialog can be neither seen nor heard.
  (loginDialog?.open ? loginDialog : body).append(trouble);
  trouble.textContent = trouble.dataset[status] ?? trouble.dataset.other;
};

on("htmx:responseError", ({ detail }) => {
  const { elt, xhr } = detail;
  if (isPolled(detail)) return;
  if (xhr.status !== 401 || !loginDialog) return say(xhr.status);
  refused.set(elt, detail);
  if (!loginDialog.open) loginDialog.showModal();
});

on("htmx:sendError", ({ detail }) => isPolled(detail) || say(0));

on("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && !isPolled(detail)) say("ok");
});

on("loggedIn", ({ detail }) => {
  if (detail.user !== body.dataset.user) return location.reload();
  loginDialog.close();
  say("ok");
  loginDialog.querySelector("[type=password]").value = "";
  for (const [source, { etc, requestConfig, target }] of refused) {
    const context = { source, target, swap: etc.swapOverride, values: etc.values };
    if (source.isConnected) htmx.ajax(requestConfig.verb, requestConfig.path, context);
  }
  refused.clear();
});

/* Alt and a letter, or ? where no text is typed. */
on("keydown", (event) => {
  const { altKey, code, ctrlKey, key, metaKey, target } = event;
  const isTyped = /^(INPUT|TEXTAREA)$/.test(target.tagName) && target.value;
  let name = key === "?" && !isTyped && key;
  // Where Alt types other letters, the place of the key counts.
  if (altKey && !ctrlKey && !metaKey) name = (/^[a-z]$/i.test(key) ? key : code.replace("Key", "")).toLowerCase();
  const named = name && !loginDialog?.open && document.querySelector(`[data-key="${CSS.escape(name)}"]`);
  if (!named) return;
  event.preventDefault();
  if (named.matches("a, button, [type=checkbox]")) named.click();
  else named.focus();
});
