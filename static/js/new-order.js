/* The new-order page: the form is a draft, sent whole at every change; two comboboxes; lines that
   come, go and change their term. All is found anew each time: a refused form is replaced. */

const { on } = htmx;
const byId = (id) => document.getElementById(id);
const form = () => byId("order-form");
const search = () => byId("id_search");

/* Keeping the draft */

let dirty = false; // Changed since it was last sent.
let unsent = null; // What sends it: the form, or the button that submits.

const say = (state, text) => {
  form().dataset.state = state;
  byId("save-state").textContent = text;
};
const sayOffline = () => form() && say("offline", "Not sent yet. What you type is kept.");

const changed = () => {
  dirty = true;
  unsent = form();
  if (form().dataset.state !== "offline") say("saving", "Saving…");
  htmx.trigger(form(), "draft:changed");
};

const address = () => form().getAttribute("hx-post");
const count = () => (form().elements.sequence.value = Number(form().elements.sequence.value) + 1);

/* What has not arrived stays in this browser until it has. */
const keep = () => localStorage.setItem(address(), new URLSearchParams(new FormData(form())));
const forget = () => localStorage.removeItem(address());

on("input", ({ target }) => {
  if (!form()?.contains(target)) return;
  target.classList.remove("is-invalid");
  target.removeAttribute("aria-invalid");
  if (target.id === "id_ship_elsewhere") toggleShipping();
  if (target === search()) tell("");
  else changed();
});

const isOurs = (elt, { verb }) => verb === "post" && form()?.contains(elt);

on("htmx:configRequest", ({ detail }) => {
  const { elt, parameters } = detail;
  if (!isOurs(elt, detail)) return;
  parameters.sequence = count();
  // The header carries the token: the one in the form is old after a login elsewhere.
  delete parameters.csrfmiddlewaretoken;
  dirty = false;
  // A submit that has not arrived yet outlives the save of what was typed before it.
  if (!unsent || elt !== form()) unsent = elt;
});

on("htmx:beforeSwap", ({ detail }) => {
  // An answer to a form that has been replaced, or to what stood in a field before, is too late.
  const { elt, parameters } = detail.requestConfig;
  const input = elt.role === "listbox" && inputOf(elt);
  const isLate = input && input.value !== (parameters[input.name] ?? "");
  detail.shouldSwap &&= elt.isConnected && !isLate;
});

on("htmx:afterRequest", ({ detail }) => {
  const { elt, requestConfig, successful, target, xhr } = detail;
  // Nobody answered, or the server is just starting: again until somebody does.
  const isDown = !xhr.status || xhr.status > 500;
  if (isDown && elt.matches("#lines, [role=listbox]")) setTimeout(ask, 2000, requestConfig.path, elt, target);
  else if (elt.id === "lines") added();
  if (!isOurs(elt, requestConfig)) return;
  // The server answers only what differs from the last answer that arrived.
  if (xhr.status === 200 && elt === form())
    form().elements.base.value = requestConfig.parameters.sequence;
  if (successful || xhr.status === 422) {
    forget();
    if (dirty || unsent !== elt) return;
    unsent = null;
    say("saved", "Saved");
  } else {
    dirty = true;
    keep();
    sayOffline();
    if (isDown) setTimeout(retry, 2000);
  }
});

const ask = (path, source, target) => {
  const swap = target.matches(".line") ? "outerHTML" : undefined;
  htmx.ajax("get", path, { source, target, swap }).catch(() => {}); // It is asked again.
};

const retry = () => {
  if (!unsent?.isConnected) return;
  if (unsent === form()) htmx.trigger(unsent, "draft:changed");
  else unsent.click();
};

addEventListener("offline", sayOffline);
addEventListener("online", () => (unsent ? retry() : form() && say("saved", "Saved")));

// Leaving before the last change has arrived: send it on the way out.
addEventListener("pagehide", () => {
  if (!unsent?.isConnected) return;
  count();
  keep();
  navigator.sendBeacon(address(), new FormData(form()));
});

/* What an earlier visit could not send comes first; nothing can be typed until it has arrived. */
const catchUp = async () => {
  const body = new URLSearchParams(localStorage.getItem(address()) ?? "");
  if (!body.size) return focusFirst();
  form().inert = true;
  body.set("csrfmiddlewaretoken", form().elements.csrfmiddlewaretoken.value);
  const sent = { method: "POST", body, headers: { "HX-Request": "true" } };
  const answer = await fetch(address(), sent).catch(() => ({ status: 503 }));
  if (answer.status > 500) {
    sayOffline();
    return setTimeout(catchUp, 2000);
  }
  if (answer.ok || answer.status === 422) forget();
  if (answer.ok) return location.reload();
  form().inert = false;
  if (answer.status === 422)
    htmx.swap("#new-order", await answer.text(), { swapStyle: "outerHTML" });
  focusFirst();
};

// A refused order comes back as a new form: the cursor goes to the first field to look at.
on("htmx:afterSettle", ({ detail }) => {
  if (detail.elt.id !== "new-order") return;
  dirty = false;
  focusFirst();
});

const focusFirst = () => byId(form()?.dataset.focus)?.focus();

/* The shipping address is in the page only while it is another one. */
const toggleShipping = () => {
  const places = [byId("shipping-template").content, byId("shipping")];
  const [from, to] = byId("id_ship_elsewhere").checked ? places : places.reverse();
  to.append(...from.childNodes);
};

/* Comboboxes, as the ARIA practices describe them: the cursor stays in the input */

const inputOf = (list) => document.querySelector(`[aria-controls="${list.id}"]`);
const listOf = (input) => byId(input.getAttribute("aria-controls"));
const optionsOf = (list) => [...list.querySelectorAll('[role="option"]:not([aria-disabled])')];
const active = (list) => !list.hidden && list.querySelector('[aria-selected="true"]');

const activate = (input, option) => {
  for (const each of optionsOf(listOf(input))) each.setAttribute("aria-selected", each === option);
  option?.scrollIntoView({ block: "nearest", behavior: "instant" });
  input.setAttribute("aria-activedescendant", option?.id ?? "");
};

const open = (input, shown) => {
  const list = listOf(input);
  list.hidden = !shown || !list.children.length;
  input.setAttribute("aria-expanded", !list.hidden);
  if (list.hidden) activate(input);
};

on("htmx:afterSwap", ({ detail }) => {
  const list = detail.target;
  if (list.role !== "listbox") return;
  const input = inputOf(list);
  const text = input.value.trim();
  list.dataset.text = text;
  open(input, text && document.activeElement === input);
  // Part of a name means somebody known; a whole e-mail may be a new one that looks alike.
  if (!list.hidden && !text.includes("@")) activate(input, optionsOf(list)[0]);
  if (list.dataset.wanted === text && active(list)) active(list).click();
});

const comboboxKey = (event, input) => {
  const list = listOf(input);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const options = optionsOf(list);
    open(input, true);
    const to = options.indexOf(active(list)) + step;
    activate(input, options.at(Math.max(to, -1) % options.length));
  } else if (event.key === "Escape" && !list.hidden) open(input, false);
  else if (event.key !== "Enter") return;
  else if (input === search()) event.repeat || addTyped();
  else if (active(list)) active(list).click();
  else list.dataset.wanted = input.value.trim(); // The search is still under way.
  event.preventDefault();
};

on("mousedown", (event) => {
  if (event.target.closest('[role="listbox"]')) event.preventDefault(); // The cursor stays.
});

on("focusout", ({ target }) => {
  if (target.role === "combobox") open(target, false);
});

/* Fills in a customer. An option of the list leaves addresses alone once one is typed. */
const fill = ({ dataset, role }) => {
  const { elements } = form();
  const record = JSON.parse(dataset.record);
  const kept = role && elements["billing-street_address"].value ? /^(billing|ship)/ : /^$/;
  for (const name of Object.keys(record).filter((name) => !kept.test(name))) {
    if (name === "ship_elsewhere" && !elements[name].checked) elements[name].click();
    else if (elements[name]) elements[name].value = record[name];
  }
  byId("customer-matches").dataset.wanted = "";
  changed();
  search().focus();
};

/* Lines */

const lines = () => [...byId("lines").children];
const part = (line, name) => line.querySelector(`[name$="-${name}"]`);
const nameOf = (line) => line.querySelector("strong").textContent;
const tell = (text) => (byId("search-status").textContent = text);

let waiting = 0; // Lines that are asked for, answered in the order in which they were.

/* Enter adds what is highlighted; if the search is still under way, what it will find. */
const addTyped = (text = search().value.trim()) => {
  const list = listOf(search());
  if (text) add((list.dataset.text === text && active(list)?.dataset) || { q: text });
};

const add = ({ sku, quantity, length, q }, instead) => {
  const asked = Object.entries({ sku, quantity, length, q }).filter(([, value]) => value);
  if (!instead) search().value = "";
  listOf(search()).replaceChildren();
  open(search(), false);
  waiting += 1;
  const list = byId("lines");
  ask(`${form().dataset.lineUrl}?${new URLSearchParams(asked)}`, list, instead ?? list);
};

const added = () => {
  waiting -= 1;
  const [line, another] = byId("lines").querySelectorAll(":scope > .htmx-added");
  if (line) changed();
  // Who is already typing something else is not interrupted.
  const isBusy = document.activeElement.matches(":is(input, select, textarea):not(#id_search)");
  if (!line || waiting || isBusy || search().value) return;
  const quantity = part(line, "quantity");
  const choice = byId("lines").querySelector("[data-choose]");
  if (choice) choice.focus();
  else if (another || quantity.value !== "1") search().focus();
  else quantity.select();
};

on("unfound", ({ detail }) => (search().value ||= detail.text));

on("paste", (event) => {
  const q = event.clipboardData.getData("text").trim();
  if (event.target !== search() || !/[\n\t]/.test(q)) return;
  event.preventDefault();
  add({ q }); // Rows of a spreadsheet.
});

const remove = (line) => {
  const next = line.nextElementSibling ?? line.previousElementSibling;
  // A save that is under way still answers with the price of this line.
  byId("removed").append(line.querySelector(".line-price"));
  tell(`${nameOf(line)} is removed.`);
  line.remove();
  (next?.querySelector('[name$="-quantity"]:not([type="hidden"]), button') ?? search()).focus();
  changed();
};

/* Moves lines to a contract length in months; one that is not offered for it stays. */
const setTerm = (moved, months) => {
  const stay = moved.filter((line) => {
    const option = part(line, "length")?.querySelector(`[value="${months}"]`);
    if (option) option.selected = true;
    return !option;
  });
  tell(stay.length ? `Not offered for ${months} months: ${stay.map(nameOf).join(", ")}.` : "");
  changed();
};

/* A step along the terms of the line with the cursor, or of the first line. */
const moveTerm = ({ key, shiftKey }, line) => {
  const select = part(line ?? lines()[0], "length");
  const next = select?.options[select.selectedIndex + (key === "PageDown" ? 1 : -1)];
  if (select) setTerm(shiftKey ? lines() : [line], (next ?? select).value);
};

on("focusin", ({ target }) => {
  target.dataset.before = target.value;
});

/* A scanner types its SKU wherever the cursor is: what is no quantity was meant for the search. */
const isScanned = ({ name, value }) => name.endsWith("-quantity") && !/^\s*\d{0,5}\s*$/.test(value);

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
  else if (/^Page/.test(key) && (line || event.shiftKey) && lines().length) moveTerm(event, line);
  else if (target.role === "combobox") return comboboxKey(event, target);
  else if (key === "Delete" && event.ctrlKey && line) remove(line);
  else if (key !== "Enter" || !target.matches("input, select")) return;
  else if (isScanned(target)) scan(target);
  // Back to the search; elsewhere Enter does nothing, it never submits.
  else if (line) search().focus();
  event.preventDefault();
});

on("click", ({ shiftKey, target }) => {
  const hit = target.closest('[role="option"], button');
  if (!form()?.contains(hit)) return;
  const { dataset } = hit;
  const line = hit.closest(".line");
  if (dataset.sku) add(dataset, "choose" in dataset ? line : null);
  else if (dataset.record) fill(hit);
  else if (dataset.term) setTerm(shiftKey ? lines() : [line], dataset.term);
  else if ("remove" in dataset) remove(line);
});

catchUp();
