// Reads a chosen CSV file into the field beside it, where its names can be checked before sending.
for (const part of document.querySelectorAll("[data-table-file]")) {
  part.hidden = false;
  const said = part.querySelector("[role=status]");
  part.querySelector("input").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    const bytes = await file.arrayBuffer();
    const field = document.querySelector("#table");
    try {
      field.value = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      said.textContent = said.dataset.utf;
    } catch {
      field.value = new TextDecoder("shift_jis").decode(bytes);
      said.textContent = said.dataset.sjis;
    }
  });
}
