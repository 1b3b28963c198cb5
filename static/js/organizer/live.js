// Keeps a part of the page as it is now, while the page is looked at: [data-live] is where to ask,
// [data-live-ms] how often. An answer with [data-ready] in it means that the page has more to show.
const EVERY_MS = 5000;

for (const part of document.querySelectorAll("[data-live]")) {
  const ask = async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(part.dataset.live, { redirect: "error" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (fresh.querySelector("[data-ready]")) location.reload();
      // What was opened stays open.
      const opened = [...part.querySelectorAll("details")].map((details) => details.open);
      [...fresh.querySelectorAll("details")].forEach((details, at) => {
        details.open = opened[at] ?? false;
      });
      if (part.innerHTML !== fresh.body.innerHTML) part.replaceChildren(...fresh.body.childNodes);
    } catch {
      // No network: the page stays as it was, and asks again.
    }
  };
  setInterval(ask, Number(part.dataset.liveMs ?? EVERY_MS));
}
