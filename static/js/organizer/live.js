// Keeps a part of the page as it is now, while the page is looked at: [data-live] is where to ask,
// [data-live-ms] how often. An answer with [data-ready] in it means that the page has more to show,
// one with [data-rests] that nothing will change any more. Once it is not ours to see, the words
// before it, [data-live-over], say so: old numbers would look like new ones.
const EVERY_MS = 5000;

for (const part of document.querySelectorAll("[data-live]")) {
  if (!part.querySelector("[data-rests]")) keep(part);
}

function keep(part) {
  const timer = setInterval(ask, Number(part.dataset.liveMs ?? EVERY_MS));

  async function ask() {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(part.dataset.live, { redirect: "manual" });
      if (answer.type === "opaqueredirect" || [403, 404].includes(answer.status)) end();
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // No network: the page stays as it was, and asks again.
    }
  }

  function show(fresh) {
    if (fresh.querySelector("[data-ready]")) location.reload();
    if (fresh.querySelector("[data-rests]")) clearInterval(timer);
    // What was opened stays open.
    const opened = [...part.querySelectorAll("details")].map((details) => details.open);
    [...fresh.querySelectorAll("details")].forEach((details, at) => {
      details.open = opened[at] ?? false;
    });
    if (part.innerHTML !== fresh.body.innerHTML) part.replaceChildren(...fresh.body.childNodes);
  }

  function end() {
    clearInterval(timer);
    part.parentElement.querySelector("[data-live-over]").hidden = false;
  }
}
