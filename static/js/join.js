// Renews the page as soon as the state of the registration changes.

const SHORTEST_MS = 2_000;
const LONGEST_MS = 30_000;

const shown = document.querySelector("[data-poll]");
if (shown) askAgain(SHORTEST_MS);

function askAgain(waitMs) {
  setTimeout(async () => {
    if (!document.hidden && (await hasChanged())) location.reload();
    else askAgain(Math.min(waitMs * 1.5, LONGEST_MS));
  }, waitMs);
}

async function hasChanged() {
  try {
    const answer = await fetch(shown.dataset.poll, { cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const state = page.querySelector("[data-state]")?.dataset.state;
    return answer.ok && state !== undefined && state !== shown.dataset.state;
  } catch {
    return false; // the line is down: the next try may find it up
  }
}
