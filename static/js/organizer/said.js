// Says what a page came with to say: readers of screens tell what changes in a place that they know,
// not what stands there from the beginning.
const KNOWN_MS = 500;

for (const words of document.querySelectorAll("[role=status] > .panel--top")) {
  setTimeout(() => words.replaceWith(words.cloneNode(true)), KNOWN_MS);
}
