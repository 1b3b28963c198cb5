// The form's editor: does each act without loading the page anew, and lets questions be dragged or
// moved with the arrow keys. The server needs none of it: each act is a form of one button.
const editor = document.querySelector("[data-form-editor]");
if (editor) start();

function start() {
  let isBusy = false;
  addHandles();

  editor.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-editor-act]");
    if (!form) return;
    event.preventDefault();
    const question = form.closest("[data-question]");
    act(new FormData(form, event.submitter), question?.dataset.question, event.submitter);
  });

  editor.addEventListener("keydown", (event) => {
    const handle = event.target.closest("[data-handle]");
    const acts = { ArrowUp: "up", ArrowDown: "down" };
    if (!handle || !(event.key in acts)) return;
    event.preventDefault();
    const button = find(handle.closest("[data-question]"), acts[event.key]);
    if (button) act(new FormData(button.form, button), handle.dataset.handle, handle);
  });

  editor.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-handle]");
    if (handle && event.button === 0) drag(event, handle);
  });

  // Returns whether it was sent; what the server says of it is on the page then.
  async function act(fields, id, pressed) {
    if (isBusy) return false;
    isBusy = true;
    const page = await send(fields);
    isBusy = false;
    if (!page) {
      editor.querySelector("[data-said]").textContent = editor.dataset.notSent;
      return false;
    }
    if (!page.querySelector("[data-form-editor]")) location.reload();
    else showAndFocus(page, fields.get("act"), id, pressed);
    return true;
  }

  async function send(fields) {
    try {
      const body = new URLSearchParams(fields);
      const answer = await fetch(location.pathname, { method: "POST", body });
      return new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return null;
    }
  }

  function showAndFocus(page, name, id, pressed) {
    const known = listRows().map((row) => row.id);
    show(page);
    const added = listRows().find((row) => !known.includes(row.id));
    if (added && ["add", "duplicate"].includes(name)) added.querySelector("a").focus();
    else focusAgain(name, id, pressed);
  }

  function show(page) {
    // Part by part: what is read out stays in its place, and so does the preview.
    for (const part of editor.querySelectorAll("[data-editor-part]")) {
      const fresh = page.querySelector(`[data-editor-part="${part.dataset.editorPart}"]`);
      part.replaceChildren(...fresh.childNodes);
    }
    document.title = page.title;
    addHandles();
    editor.querySelector("[data-preview]").contentWindow.location.reload();
  }

  function focusAgain(name, id, pressed) {
    const question = id && document.getElementById(`question-${id}`);
    const wasHandle = pressed?.hasAttribute("data-handle") || name === "move";
    const target =
      (wasHandle && question?.querySelector("[data-handle]")) ||
      (question && (find(question, name) ?? find(question, name === "up" ? "down" : "up"))) ||
      editor.querySelector('[data-said] [data-editor-act="undo"] button') ||
      editor.querySelector("[data-heading]");
    target?.focus({ preventScroll: !question });
  }

  function drag(event, handle) {
    event.preventDefault();
    const row = handle.closest("[data-question]");
    const before = listRows();
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    row.classList.add("question--dragged");

    // The others make way: moved itself, the handle would lose the pointer.
    const move = ({ clientY }) => {
      for (let [above] = getNeighbours(row); isBelow(above, clientY); [above] = getNeighbours(row)) {
        row.after(above);
      }
      for (let [, below] = getNeighbours(row); isAbove(below, clientY); [, below] = getNeighbours(row)) {
        row.before(below);
      }
      row.scrollIntoView({ block: "nearest", behavior: "instant" });
    };
    const restore = () => row.parentElement?.append(...before);
    const end = async ({ type, key }) => {
      if (type === "keydown" && key !== "Escape") return;
      handle.removeEventListener("pointermove", move);
      for (const name of ends) handle.removeEventListener(name, end);
      row.classList.remove("question--dragged");
      const position = listRows().indexOf(row);
      if (type !== "pointerup") return restore();
      if (before.indexOf(row) === position) return;
      const fields = new FormData(row.querySelector('form[data-editor-act="remove"]'));
      fields.set("act", "move");
      fields.set("position", position);
      if (!(await act(fields, row.dataset.question, handle))) restore();
    };
    const ends = ["pointerup", "pointercancel", "keydown"];
    handle.addEventListener("pointermove", move);
    for (const name of ends) handle.addEventListener(name, end);
  }

  function getNeighbours(row) {
    const rows = listRows().filter((other) => other.dataset.group === row.dataset.group);
    const at = rows.indexOf(row);
    return [rows[at - 1], rows[at + 1]];
  }

  function listRows() {
    return [...editor.querySelectorAll("[data-question]")];
  }

  function addHandles() {
    for (const row of listRows()) {
      const handle = document.createElement("button");
      handle.type = "button";
      handle.className = "question__handle";
      handle.textContent = "⠿";
      handle.dataset.handle = row.dataset.question;
      handle.ariaLabel = row.dataset.move;
      row.prepend(handle);
    }
  }
}

function isBelow(row, y) {
  return row && y < getMiddle(row);
}

function isAbove(row, y) {
  return row && y > getMiddle(row);
}

function getMiddle(row) {
  const { top, height } = row.getBoundingClientRect();
  return top + height / 2;
}

function find(row, name) {
  return row?.querySelector(`form[data-editor-act="${name}"] button`);
}
