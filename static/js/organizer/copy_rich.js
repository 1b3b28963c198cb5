// Copies a part of the page with its links, and as plain text for where links cannot be.

for (const button of document.querySelectorAll("[data-copy-rich]")) {
  if (!navigator.clipboard?.write) continue; // absent without HTTPS: it stays there to be selected
  button.hidden = false;
  button.addEventListener("click", async () => {
    const area = button.closest("section");
    const source = area.querySelector("[data-copy-source]");
    const asPart = (type, text) => new Blob([text], { type });
    try {
      await navigator.clipboard.write([
        new ClipboardItem({
          "text/html": asPart("text/html", source.innerHTML),
          "text/plain": asPart("text/plain", source.innerText),
        }),
      ]);
      area.querySelector("[data-copy-result]").textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(source); // the browser refuses: a person can still copy it
    }
  });
}
