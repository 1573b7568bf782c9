/* The form is a draft, sent whole at every change. */

const { on } = htmx;
const byId = (id) => document.getElementById(id);
const form = () => byId("order-form");
const search = () => byId("id_search");

let dirty; // Changed since it was sent.
let unsent; // By the form, or the button that submits.
let late; // Sent as the next page was read.

const say = (state) => {
  const shown = byId("save-state");
  if (shown) shown.textContent = shown.dataset[(form().dataset.state = state)];
};

const changed = () => {
  dirty = true;
  unsent = form();
  if (form().dataset.state !== "offline") say("saving");
  htmx.trigger(form(), "draft:changed");
};

const address = () => form().getAttribute("hx-post");

/* What has not arrived stays here. */
const keep = () => (localStorage[address()] = new URLSearchParams(new FormData(form())));
const forget = () => delete localStorage[address()];

const heal = (field) => {
  field.classList?.remove("is-invalid");
  field.ariaInvalid = null;
};

on("input", ({ target }) => {
  if (!form()?.contains(target)) return;
  heal(target);
  if (target.id === "id_ship_elsewhere") toggleShipping(target), target.focus();
  if (target === search()) tell("");
  else changed();
});

const sendsDraft = (elt) => elt.matches("#order-form, #order-form [type=submit]");

on("htmx:configRequest", (event) => {
  const { elt, parameters } = event.detail;
  if (!sendsDraft(elt)) return;
  if (elt !== form()) {
    const text = search().value.trim();
    if (waiting) setTimeout(() => elt.click(), 200);
    else if (text) open(search()), search().focus(), tell(`Add or clear “${text}” first.`);
    if (waiting || text) return event.preventDefault();
    elt.from = document.activeElement;
    form().inert = true; // Too late.
  }
  parameters.sequence = ++form().elements.sequence.value;
  dirty = false;
  // A submit outlives a save.
  if (!unsent || elt !== form()) unsent = elt;
});

on("htmx:beforeSwap", ({ detail }) => {
  // Its form or text is gone.
  const { elt, parameters } = detail.requestConfig;
  const input = elt.role === "listbox" && inputOf(elt);
  const isLate = input && input.value !== (parameters[input.name] ?? "");
  detail.shouldSwap &&= elt.isConnected && !isLate;
});

on("htmx:afterRequest", ({ detail }) => {
  const { elt, etc, requestConfig, successful, target, xhr: { status } } = detail;
  // No answer: asked again.
  const isDown = !status || status > 500;
  if (isDown && elt.role === "listbox") setTimeout(htmx.trigger, 2000, elt, "again");
  else if (isDown && elt.id === "lines") setTimeout(ask, 2000, etc.values, target);
  else if (elt.id === "lines" && status !== 401) added(successful);
  if (!sendsDraft(elt)) return;
  // Unknown of a redirect.
  if (successful ?? status) {
    // Answers tell what is new since.
    if (status === 200 && elt === form()) elt.elements.base.value = requestConfig.parameters.sequence;
    forget();
    if (!dirty && unsent === elt) say("saved"), (unsent = null);
  } else {
    dirty = true;
    keep();
    say("offline");
    form().inert = false;
    elt.from?.focus();
    if (isDown) setTimeout(retry, 2000);
  }
});

const retry = () => {
  if (!unsent?.isConnected) return;
  if (unsent === form()) htmx.trigger(unsent, "draft:changed");
  else unsent.click();
};

on(window, "offline", () => say("offline"));
on(window, "online", () => (unsent ? retry() : say("saved")));

on(window, "beforeunload", () => (late = unsent === form() && unsent));
on(window, "pagehide", () => {
  if (!(unsent ?? late)?.isConnected) return;
  ++form().elements.sequence.value;
  keep();
  navigator.sendBeacon(address(), new FormData(form()));
});

/* What was not sent before comes first. */
const catchUp = async () => {
  const body = new URLSearchParams(localStorage[address()] ?? "");
  if (!body.size) return focusFirst();
  form().inert = true;
  body.set("csrfmiddlewaretoken", form().elements.csrfmiddlewaretoken.value);
  const answer = await fetch(address(), { method: "POST", body, headers: { "HX-Request": "true" } })
    .catch(() => ({ status: 503 }));
  if (answer.status > 500) return say("offline"), setTimeout(catchUp, 2000);
  if (answer.ok || answer.status === 422) forget();
  if (answer.ok) return location.reload();
  form().inert = false;
  if (answer.status === 422) htmx.swap("#new-order", await answer.text(), { swapStyle: "outerHTML" });
  focusFirst();
};

on("htmx:afterSettle", ({ detail }) => {
  if (detail.elt.id === "new-order") focusFirst();
});

const focusFirst = () => byId(form()?.dataset.focus)?.focus();

/* Shipping is in the page only while it differs. */
const toggleShipping = ({ checked }) => {
  const places = [byId("shipping-template").content, byId("shipping")];
  const [from, to] = checked ? places : places.reverse();
  to.append(...from.childNodes);
};

/* Comboboxes: the cursor stays inside */

const inputOf = (list) => document.querySelector(`[aria-controls="${list.id}"]`);
const listOf = (input) => byId(input.getAttribute("aria-controls"));
const optionsOf = (list) => [...list.querySelectorAll('[role=option]:not([aria-disabled])')];
const active = (list) => list.querySelector('[aria-selected=true]');
const isAddress = (text) => /.@.+\../.test(text); // Maybe somebody new.

let wanted; // Entered before it was found.

const open = (input, shown, option) => {
  const list = listOf(input);
  list.hidden = !shown || !list.children.length;
  input.ariaExpanded = !list.hidden;
  if (list.hidden) wanted = "";
  for (const each of optionsOf(list)) each.ariaSelected = !list.hidden && each === option;
  option?.scrollIntoView({ block: "nearest", behavior: "instant" });
  input.setAttribute("aria-activedescendant", active(list)?.id ?? "");
};

on("htmx:afterSwap", ({ detail: { target: list } }) => {
  const news = list.querySelector(".news");
  if (news) byId("customer-news")?.replaceChildren(news);
  if (list.role !== "listbox") return;
  const input = inputOf(list);
  const text = input.value.trim();
  const [first] = isAddress(text) ? [] : optionsOf(list);
  list.dataset.text = text;
  const isWanted = wanted === text;
  open(input, text && document.activeElement === input, first);
  if (isWanted) first?.click();
});

const comboboxKey = (event, input) => {
  const list = listOf(input);
  const text = input.value.trim();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const options = optionsOf(list);
    const to = options.indexOf(active(list)) + step;
    open(input, true, options.at(Math.max(to, -1) % options.length));
    list.dataset.text = text;
  } else if (event.key === "Escape" && !list.hidden) open(input);
  else if (event.key !== "Enter") return;
  else if (input === search()) event.repeat || addTyped(text);
  else if (list.dataset.text === text) active(list)?.click();
  else wanted = text; // Not answered.
  event.preventDefault();
};

on("mousedown", (event) => {
  if (event.target.closest('[role=listbox]')) event.preventDefault();
});

on("focusout", ({ target }) => {
  if (target.role === "combobox") open(target);
});

let given = ""; // The street that came with a customer.

/* An option keeps a typed address. */
const fill = ({ dataset, role }) => {
  const { elements } = form();
  const street = elements["billing-street_address"];
  const kept = role && street.value !== given ? /^(billing|ship)/ : /^$/;
  for (const [name, value] of Object.entries(JSON.parse(dataset.record))) {
    const field = elements[name];
    if (kept.test(name) || !field) continue;
    if (value) heal(field);
    if (name === street.name) given = value;
    if (name !== "ship_elsewhere") field.value = value;
    else if (field.checked !== !!value) field.click();
  }
  changed();
  search().focus();
};

const lines = () => [...byId("lines").children];
const part = (line, name) => line?.querySelector(`[name$=-${name}]`);
const nameOf = (line) => line.querySelector("strong").textContent;
const tell = (text) => (byId("search-status").textContent = text);

let waiting = 0; // Lines asked for.
const count = /^\d{0,3}$/;

/* What is highlighted, or found. */
const addTyped = (text) => {
  const list = listOf(search());
  if (text && !(waiting && count.test(text)))
    add((list.dataset.text === text && active(list)?.dataset) || { q: text });
};

const add = (values, replaced) => {
  if (!replaced) search().value = "";
  listOf(search()).replaceChildren();
  open(search());
  waiting += 1;
  tell("Adding…");
  ask({ ...values }, replaced ?? byId("lines"));
};

const ask = (values, target) => {
  const swap = target.id ? "beforeend" : "outerHTML";
  const context = { source: byId("lines"), target, swap, values };
  htmx.ajax("post", form().dataset.lineUrl, context).catch(() => {});
};

const added = (successful) => {
  waiting -= 1;
  successful || tell(byId("trouble").textContent);
  const [line, another] = byId("lines").querySelectorAll(":scope > .htmx-added");
  if (line) changed();
  // Typing is not interrupted.
  const text = search().value;
  const isBusy = document.activeElement.matches("input:not(#id_search), select, textarea");
  if (!line || waiting || isBusy || !count.test(text)) return;
  const quantity = part(line, "quantity");
  const choice = form().querySelector("[data-choose]");
  if (choice) choice.focus();
  else if (another || quantity.value !== "1") search().focus();
  else quantity.select(), (quantity.value = text || 1), (search().value = "");
};

/* By the server, unless typed over. */
on("filled", ({ detail }) => {
  const field = form()?.elements[detail.name];
  if (field?.value === detail.was) field.value = detail.value;
});

on("paste", (event) => {
  const q = event.clipboardData.getData("text").trim();
  if (event.target !== search() || !/[\n\t]|.{999}/.test(q)) return;
  event.preventDefault();
  add({ q }); // Rows of a spreadsheet.
});

const remove = (line) => {
  const next = line.nextElementSibling ?? line.previousElementSibling;
  // A save may still answer.
  byId("removed").append(line.querySelector(".line-price"));
  tell(`${nameOf(line)} is removed.`);
  line.remove();
  (next?.querySelector('[name$=-quantity]:not([type=hidden]), button') ?? search()).focus();
  changed();
};

const setTerm = ({ shiftKey }, line, months) => {
  const stay = (shiftKey ? lines() : [line]).filter((each) => {
    const option = part(each, "length")?.querySelector(`[value="${months}"]`);
    if (!option) return true;
    option.selected = true;
    htmx.trigger(option.parentNode, "input");
  });
  tell(stay.length ? `Not offered for ${months} months: ${stay.map(nameOf).join(", ")}.` : "");
};

const moveTerm = (event, line) => {
  const select = part(line ?? lines()[0], "length");
  const next = select?.options?.[select.selectedIndex + (event.key === "PageDown" ? 1 : -1)];
  if (select) setTerm(event, line, (next ?? select).value);
};

on("focusin", ({ target }) => (target.dataset.before = target.value));

/* A scanner types where the cursor is. */
const scan = (field) => {
  const text = field.value.trim();
  field.value = field.dataset.before;
  changed();
  search().focus();
  addTyped(text);
};

on("keydown", (event) => {
  const { key, target } = event;
  if (!form()?.contains(target)) return;
  const line = target.closest(".line");
  if (key === "Enter" && event.ctrlKey) form().querySelector(".submit").click();
  else if (/^Page/.test(key) && (line || event.shiftKey)) moveTerm(event, line);
  else if (target.role === "combobox") return comboboxKey(event, target);
  else if (key === "Delete" && event.ctrlKey && line) remove(line);
  else if (key !== "Enter" || !line || !target.matches("input, select")) return;
  else if (target.validity.patternMismatch) scan(target);
  else search().focus();
  event.preventDefault();
});

on("click", (event) => {
  const hit = event.target.closest('[role=option], button');
  if (!form()?.contains(hit)) return;
  const { dataset } = hit;
  const line = hit.closest(".line");
  if (dataset.sku ?? dataset.q) add(dataset, line);
  // Maybe about who was before.
  else if (dataset.record && unsent && !hit.role) setTimeout(() => hit.click(), 99);
  else if (dataset.record) fill(hit);
  else if (dataset.term) setTerm(event, line, dataset.term);
  else if ("remove" in dataset) remove(line);
});

if (form()) catchUp();
