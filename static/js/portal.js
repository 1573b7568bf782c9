/* Behaviours that every page shares. Without JavaScript the pages still work; these help. */
"use strict";

(() => {
  const body = document.body;
  const loginDialog = document.getElementById("login-dialog");
  const trouble = document.getElementById("trouble");
  let unsent = null;

  /* Logging in, in this tab or another, changes the CSRF token: always send the latest. */
  const csrfToken = () => document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1];

  body.addEventListener("htmx:configRequest", (event) => {
    const token = csrfToken();
    if (token) event.detail.headers["X-CSRFToken"] = token;
    if (event.detail.verb !== "get") return;
    /* Addresses that people keep and share: without the filters that are empty. */
    for (const [name, value] of [...event.detail.formData]) {
      if (value === "") event.detail.formData.delete(name);
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault(); // A double click sends once.
      return;
    }
    form.dataset.sent = "yes";
    const input = form.querySelector("[name=csrfmiddlewaretoken]");
    const token = csrfToken();
    if (input && token) input.value = token;
  });

  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  /* An expired login asks for the password here, and then sends the change again. */
  const say = (text) => {
    if (!trouble) return;
    /* What lies behind an open dialog can be neither seen nor heard. */
    (loginDialog?.open ? loginDialog : body).append(trouble);
    trouble.textContent = text;
  };

  body.addEventListener("htmx:responseError", (event) => {
    const { xhr, elt, requestConfig } = event.detail;
    if (xhr.status === 401 && loginDialog) {
      unsent = { verb: requestConfig.verb, path: requestConfig.path, elt };
      if (!loginDialog.open) loginDialog.showModal();
    } else if (xhr.status === 429) {
      say("Too many attempts. Wait a few minutes, then try again.");
    } else if (xhr.status === 403) {
      say("You may not do this, or the page is out of date. Reload it and try again.");
    } else {
      say("Something went wrong on our side. Try again in a moment.");
    }
  });

  body.addEventListener("htmx:sendError", () => say("No connection. Check the network and try again."));

  body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) say("");
  });

  body.addEventListener("loggedIn", (event) => {
    if (event.detail.user !== body.dataset.user) {
      window.location.reload();
      return;
    }
    loginDialog.close();
    say("");
    loginDialog.querySelector("[type=password]").value = "";
    if (unsent?.elt.isConnected) htmx.ajax(unsent.verb, unsent.path, { source: unsent.elt });
    unsent = null;
  });

  /* Alt and a letter follows the link that names it; Escape and a click elsewhere close menus. */
  document.addEventListener("keydown", (event) => {
    if (event.altKey && !event.ctrlKey && !event.metaKey) {
      const link = document.querySelector(`a[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
      if (!link) return;
      event.preventDefault();
      link.click();
    } else if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open]");
      if (!menu) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
})();
