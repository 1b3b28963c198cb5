// Lets boxes that scroll sideways be reached by keyboard; not every browser does so by itself.

const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll("[data-scroll]")) observer.observe(box);
