// Copies the personal link and says so in a live region.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue; // absent without HTTPS: the link stays there to be selected
  button.hidden = false;
  button.addEventListener("click", async () => {
    const area = button.closest("section");
    const link = area.querySelector("[data-copy-source]");
    try {
      await navigator.clipboard.writeText(link.textContent);
      area.querySelector("[data-copy-result]").textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(link); // the browser refuses: a person can still copy it
    }
  });
}
