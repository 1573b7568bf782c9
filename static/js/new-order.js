/* The new-order page: the form is a draft that is sent whole at every change, two comboboxes,
   and lines that come and go. Everything is found anew by id: a refused form is replaced. */
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const form = () => byId("order-form");
  let dirty = false;

  /* Keeping the draft ---------------------------------------------------------------------- */

  const changed = () => {
    dirty = true;
    say("Saving…");
    htmx.trigger(form(), "draft:changed");
  };

  const say = (text) => {
    const state = byId("save-state");
    if (state) state.textContent = text;
  };

  const isOurs = (detail) => detail.elt === form() || form()?.contains(detail.elt);
  const isSave = (detail) => detail.elt === form();

  document.addEventListener("input", (event) => {
    if (!form()?.contains(event.target)) return;
    if (event.target.id === "id_ship_elsewhere") toggleShipping();
    if (event.target.id !== "id_search") changed();
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, verb, parameters } = event.detail;
    if (verb !== "post" || !isOurs({ elt })) return;
    const { sequence } = form().elements;
    sequence.value = Number(sequence.value) + 1;
    parameters.sequence = sequence.value;
    // The header carries the token: the one in the form is old after a login elsewhere.
    delete parameters.csrfmiddlewaretoken;
    if (elt === form()) dirty = false;
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    // An answer to a form that has been replaced since is older than what is shown.
    if (event.detail.requestConfig.elt.id === "order-form" && !event.detail.requestConfig.elt.isConnected)
      event.detail.shouldSwap = false;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isSave(event.detail)) return;
    // The server answers only what differs from the last answer that arrived.
    if (event.detail.xhr.status === 200)
      form().elements.base.value = event.detail.requestConfig.parameters.sequence;
    if (!event.detail.successful && event.detail.xhr.status !== 422) {
      dirty = true;
      say("Not saved yet. What you typed stays here.");
    } else if (!dirty) {
      say("Saved");
      byId("removed").replaceChildren();
    }
  });

  // Nothing was sent, or nobody answered: try again until it works.
  const retry = () => {
    if (dirty && form()) htmx.trigger(form(), "draft:changed");
  };
  window.addEventListener("online", retry);
  window.addEventListener("focus", retry);
  document.addEventListener("htmx:sendError", (event) => {
    if (isSave(event.detail)) setTimeout(retry, 3000);
  });

  // Leaving within the moment before a change is sent: send it on the way out.
  window.addEventListener("pagehide", () => {
    if (!dirty || !form()) return;
    const { sequence } = form().elements;
    sequence.value = Number(sequence.value) + 1;
    navigator.sendBeacon(form().getAttribute("hx-post"), new FormData(form()));
    dirty = false;
  });

  // A refused order comes back as a new form: the cursor goes to the first field to look at.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.id !== "new-order") return;
    dirty = false;
    focusFirst();
  });

  const focusFirst = () => {
    byId(form()?.dataset.focus)?.focus();
  };

  /* Shipping address: in the page only while it is another one ------------------------------ */

  const toggleShipping = () => {
    const template = byId("shipping-template").content;
    const [from, to] = byId("id_ship_elsewhere").checked
      ? [template, byId("shipping")]
      : [byId("shipping"), template];
    to.append(...from.childNodes);
  };

  /* Comboboxes ------------------------------------------------------------------------------ */

  const listOf = (input) => byId(input.getAttribute("aria-controls"));
  const isCombobox = (element) => element?.getAttribute?.("role") === "combobox";
  const inputOf = (list) => document.querySelector(`[aria-controls="${list.id}"]`);
  const activeOption = (list) => list.querySelector('[aria-selected="true"]');

  const activate = (input, option) => {
    const list = listOf(input);
    activeOption(list)?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest", behavior: "instant" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  };

  const open = (input, shown) => {
    const list = listOf(input);
    list.hidden = !shown || !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (list.hidden) activate(input, null);
    else if (list.getBoundingClientRect().bottom > window.innerHeight)
      input.scrollIntoView({ block: "start", behavior: "instant" });
  };

  const move = (input, step) => {
    const options = [...listOf(input).children].filter((each) => !each.ariaDisabled);
    if (!options.length) return;
    open(input, true);
    const from = options.indexOf(activeOption(listOf(input)));
    const to = from < 0 && step < 0 ? options.length - 1 : from + step;
    activate(input, options[(to + options.length) % options.length]);
  };

  const count = (list, empty) => {
    const found = list.children.length;
    return found ? `${found} ${found === 1 ? "match" : "matches"}` : empty;
  };

  document.addEventListener("htmx:afterSwap", (event) => {
    const list = event.detail.target;
    if (list.getAttribute("role") !== "listbox") return;
    const input = inputOf(list);
    const text = String(event.detail.requestConfig.parameters[input.name] ?? "").trim();
    list.dataset.text = text;
    if (text !== input.value.trim()) open(input, false); // An answer to what stood there before.
    else if (list.id === "search-results") {
      byId("search-status").textContent = text && count(list, `Nothing matches “${text}”.`);
      open(input, text && document.activeElement === input);
      if (!list.hidden) activate(input, list.querySelector("[data-sku]"));
    } else {
      byId("customer-count").textContent = text && count(list, "");
      open(input, document.activeElement === input);
      // Part of a name means somebody known; a whole e-mail may be a new one that looks alike.
      if (!list.hidden && !text.includes("@")) activate(input, list.querySelector("[data-record]"));
    }
  });

  document.addEventListener("keydown", (event) => {
    const input = event.target;
    if (event.key === "Enter" && event.ctrlKey && form()?.contains(input)) {
      event.preventDefault();
      form().querySelector(".submit").click();
    } else if (isCombobox(input)) comboboxKey(event, input);
    else if (form()?.contains(input)) fieldKey(event, input);
  });

  const comboboxKey = (event, input) => {
    const list = listOf(input);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(input, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      open(input, false);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (event.repeat) return;
      if (input.id === "id_search") addTyped(input);
      else if (!list.hidden && activeOption(list)) choose(input, activeOption(list));
    }
  };

  const choose = (input, option) => {
    input.focus();
    if (option.dataset.sku) add({ sku: option.dataset.sku }, input);
    else if (option.dataset.record) fill(JSON.parse(option.dataset.record));
    open(input, false);
  };

  document.addEventListener("mousedown", (event) => {
    if (event.target.closest?.('[role="listbox"]')) event.preventDefault(); // The cursor stays.
  });

  document.addEventListener("click", (event) => {
    const option = event.target.closest?.('[role="option"]');
    if (option) choose(inputOf(option.parentElement), option);
    else if (event.target.closest?.("[data-remove]")) remove(event.target.closest(".line"));
    else if (event.target.closest?.("[data-forget-customer]")) {
      form().elements.customer_id.value = "";
      byId("id_customer-email").focus();
      changed();
    }
  });

  document.addEventListener("focusout", (event) => {
    if (isCombobox(event.target)) open(event.target, false);
  });

  /* The customer who is calling --------------------------------------------------------------- */

  /* Fills in a record that was chosen. An address that was typed already stays. */
  const fill = (record) => {
    const { elements } = form();
    const isEmpty = (prefix) =>
      [...elements].every((each) => !each.name.startsWith(prefix) || !each.value.trim());
    const keeps = { billing: !isEmpty("billing-"), shipping: !isEmpty("shipping-") };
    if (record.ship_elsewhere && !keeps.shipping && !elements.ship_elsewhere.checked) {
      elements.ship_elsewhere.checked = true;
      toggleShipping();
    }
    for (const [name, value] of Object.entries(record))
      if (elements[name] && name !== "ship_elsewhere" && !keeps[name.split("-")[0]])
        elements[name].value = value;
    changed();
    elements["customer-email"].focus();
  };

  /* Lines --------------------------------------------------------------------------------------- */

  let adding = Promise.resolve();
  let waiting = 0;

  /* Enter adds what is highlighted; if the search is still under way, what it will find. */
  const addTyped = (input) => {
    const text = input.value.trim();
    if (!text) return;
    const list = listOf(input);
    const option = !list.hidden && list.dataset.text === text && activeOption(list);
    add(option ? { sku: option.dataset.sku } : { q: text }, input);
  };

  /* One after the other, so that a scanner's lines stand in the order in which they came. */
  const add = (query, input) => {
    const text = input.value;
    input.value = "";
    listOf(input).replaceChildren();
    open(input, false);
    byId("search-status").textContent = "";
    say("Saving…");
    waiting += 1;
    adding = adding.then(async () => {
      const lines = byId("lines");
      const before = lines.children.length;
      const url = `${form().dataset.lineUrl}?${new URLSearchParams(query)}`;
      await htmx.ajax("get", url, { source: "#lines", target: "#lines", swap: "beforeend" });
      waiting -= 1;
      const next = byId("id_search").value || waiting;
      if (lines.children.length > before) {
        changed();
        // Who is already typing something else is not interrupted.
        if (!next && document.activeElement === byId("id_search")) select(lines.lastElementChild);
      } else {
        if (!dirty) say("Saved");
        if (!next) byId("id_search").value = text;
      }
    });
  };

  const select = (line) => line.querySelector('[name$="-quantity"]').select();

  const remove = (line) => {
    const next = line.nextElementSibling ?? line.previousElementSibling;
    const name = line.querySelector(".line-name strong").textContent;
    // A save that is under way still answers with the price of this line.
    byId("removed").append(line.querySelector(".line-price"));
    line.remove();
    byId("search-status").textContent = `${name} is removed.`;
    if (next) select(next);
    else byId("id_search").focus();
    changed();
  };

  document.addEventListener("focusin", ({ target }) => {
    if (isQuantity(target)) target.dataset.before = target.value;
  });

  const isQuantity = (field) => field.name?.endsWith("-quantity");

  /* A scanner types its SKU wherever the cursor is: what is no quantity was meant for the search. */
  const isScanned = (field) => isQuantity(field) && !/^\s*\d{0,5}\s*$/.test(field.value);

  /* Enter in a line leads back to the search; elsewhere it does nothing, it never submits. */
  const fieldKey = (event, field) => {
    const line = field.closest(".line");
    if (event.key === "Delete" && event.ctrlKey && line) {
      event.preventDefault();
      remove(line);
    } else if (event.key === "Enter" && field.matches("input, select")) {
      event.preventDefault();
      if (isScanned(field)) {
        const text = field.value.trim();
        field.value = field.dataset.before;
        changed();
        byId("id_search").focus();
        byId("id_search").value = text;
        addTyped(byId("id_search"));
      } else if (line) byId("id_search").focus();
    }
  };

  focusFirst();
})();
