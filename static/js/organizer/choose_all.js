// A box that ticks all the others of its form.

for (const label of document.querySelectorAll("[data-choose-all]")) {
  const all = label.querySelector("input");
  const others = [...label.closest("form").querySelectorAll("input[type=checkbox]")].filter((box) => box !== all);
  const show = () => {
    const chosen = others.filter((box) => box.checked).length;
    all.checked = chosen === others.length;
    all.indeterminate = chosen > 0 && !all.checked;
  };
  all.addEventListener("change", () => others.forEach((box) => (box.checked = all.checked)));
  others.forEach((box) => box.addEventListener("change", show));
  show(); // a browser that comes back to a page has its ticks still
  label.hidden = false;
}
