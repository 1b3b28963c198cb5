// Tells the page around this frame, where it is a listed one, how high it is and what it shows; of a
// person it tells nothing. Takes from it what a link may fill in too.

const { parent: origin, view } = document.body.dataset;
if (origin && window.parent !== window) {
  const say = (type, value) => window.parent.postMessage({ type, value }, origin);

  new ResizeObserver(() => say("height", Math.ceil(document.body.scrollHeight))).observe(document.body);
  say("view", view);

  // The frame is as high as its page: it is the page around it that has to move.
  document.addEventListener("click", ({ target }) => {
    const id = target.closest("a[href^='#']")?.getAttribute("href").slice(1);
    const found = id && document.getElementById(id);
    if (!found) return;
    const part = found.closest(".field, .consent") ?? found;
    say("scroll", Math.floor(part.getBoundingClientRect().top));
  });

  addEventListener("message", ({ data, origin: from, source }) => {
    const form = document.querySelector("form[data-fillable]");
    if (from !== origin || source !== window.parent || data?.type !== "prefill" || !form) return;
    fillIn(form, listGiven(data));
  });
}

// Lists values by the names of fields in lower case, as names of attributes have no capitals.
function listGiven({ fields, attributes }) {
  const prefill = Object.entries(attributes ?? {}).filter(([name]) => name.startsWith("prefill"));
  const asked = prefill.map(([name, value]) => [name.slice("prefill".length), value]);
  const given = [...asked, ...Object.entries(fields ?? {})];
  const named = given.flatMap(([name, value]) => [[`question_${name}`, value], [name, value]]);
  return new Map(named.map(([name, value]) => [name.toLowerCase(), value]));
}

function fillIn(form, given) {
  const labels = JSON.parse(form.dataset.fillable)
    .filter(([name]) => fillField(form, name, given.get(name.toLowerCase())))
    .map(([, label]) => label);
  if (labels.length === 0) return;
  const note = form.parentElement.querySelector("[data-filled]");
  note.textContent = note.dataset.filled.replace("{labels}", labels.join(note.dataset.comma));
  note.hidden = false;
  form.dispatchEvent(new Event("change"));
}

// Fills in what is still empty, and tells whether it did.
function fillField(form, name, value) {
  const values = [value].flat().filter((one) => typeof one === "string");
  if (values.length === 0) return false;
  const controls = [...form.elements].filter((control) => control.name === name);
  if (controls.some((control) => (isChoice(control) ? control.checked : control.value))) return false;
  for (const control of controls) {
    if (isChoice(control)) control.checked = values.includes(control.value);
    else if (!control.options || [...control.options].some((option) => option.value === values[0])) {
      control.value = values[0].slice(0, 1_000);
    }
  }
  return controls.some((control) => (isChoice(control) ? control.checked : control.value));
}

function isChoice(control) {
  return ["checkbox", "radio"].includes(control.type);
}
