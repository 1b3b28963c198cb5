// Forms: hides questions whose condition isn't met, sends once, keeps Enter for the input method,
// and moves the focus to what a person must see first. The server needs none of it.

// Where `autofocus` was ignored, as it is in frames of other sites; it acts before the first frame.
requestAnimationFrame(() => {
  const target = document.querySelector("[data-focus]");
  if (target && target !== document.activeElement) target.focus();
});

for (const form of document.querySelectorAll("form[data-form]")) {
  // For whom a question is need not be said where nobody else sees it.
  for (const note of form.querySelectorAll("[data-when-note]")) note.remove();
  showWhatApplies(form);
  form.addEventListener("change", () => showWhatApplies(form));
  keepEnterForInputMethod(form);
  sendOnce(form);
}

function showWhatApplies(form) {
  // In page order, so that a hidden question hides those that depend on it.
  for (const element of form.querySelectorAll("[data-when]")) {
    const wanted = JSON.parse(element.dataset.values);
    element.hidden = !listChosen(form, element.dataset.when).some((value) => wanted.includes(value));
  }
  for (const element of form.querySelectorAll("[data-other]")) {
    element.hidden = !listChosen(form, element.dataset.other).includes("other");
  }
}

function listChosen(form, name) {
  return [...form.elements]
    .filter((control) => control.name === name && !control.closest("[data-when][hidden]"))
    .filter((control) => control.checked || !["radio", "checkbox"].includes(control.type))
    .map((control) => control.value);
}

function sendOnce(form) {
  const buttons = form.querySelectorAll("button[data-sending]");
  let sentAt = -Infinity;

  form.addEventListener("submit", (event) => {
    // The browser would leave for a page of its own, from where what was typed may not come back.
    if (!navigator.onLine && !isReached) {
      event.preventDefault();
      sendIfReached(form, event.submitter);
      return;
    }
    // A person who stopped the page, or whose line broke, may press again after a while.
    if (performance.now() - sentAt < 10_000) {
      event.preventDefault();
      return;
    }
    sentAt = performance.now();
    for (const button of buttons) button.ariaDisabled = "true";
    if (event.submitter?.dataset.sending) say(event.submitter, event.submitter.dataset.sending);
  });

  const offerAgain = () => {
    sentAt = -Infinity;
    for (const button of buttons) {
      button.ariaDisabled = null;
      if (button.dataset.label) button.textContent = button.dataset.label;
    }
  };
  // Who comes back to the page: from the next one, or from an app that took over instead of one.
  addEventListener("pageshow", (event) => event.persisted && offerAgain());
  document.addEventListener("visibilitychange", () => document.hidden || offerAgain());
}

// A site on the same machine answers without a network, too.
let isReached = false;
const offline = document.createElement("p");
Object.assign(offline, { className: "panel panel--warning section__start", role: "alert" });
addEventListener("online", () => offline.remove());

async function sendIfReached(form, submitter) {
  try {
    await fetch(location.href, { method: "HEAD", cache: "no-store" });
    isReached = true;
    // A field may be called `requestSubmit`.
    HTMLFormElement.prototype.requestSubmit.call(form, submitter);
  } catch {
    const button = submitter ?? form.querySelector("button");
    offline.textContent = document.body.dataset.offline;
    (button.closest("p, .button-row") ?? button).before(offline);
  }
}

function say(button, words) {
  button.dataset.label ??= button.textContent;
  button.textContent = words;
}

// Enter that confirms a Japanese conversion must not send the form.
function keepEnterForInputMethod(form) {
  let isComposing = false;
  form.addEventListener("compositionstart", () => (isComposing = true));
  form.addEventListener("compositionend", () => setTimeout(() => (isComposing = false)));
  form.addEventListener("submit", (event) => {
    if (!isComposing) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
}
