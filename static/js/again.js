// Where too many came at once: sends what a person sent, or opens the page, again after a while.

const again = document.querySelector("[data-again]");
if (again) countDown(again);

function countDown(part) {
  const line = part.querySelector("[data-again-words]");
  const stop = part.querySelector("[data-again-stop]");
  // Not all in the same second.
  const due = performance.now() + (Number(part.dataset.again) + Math.random()) * 1_000;
  const timer = setInterval(tick, 250);
  const end = () => {
    clearInterval(timer);
    line.hidden = stop.hidden = true;
  };
  stop.addEventListener("click", () => {
    end();
    part.querySelector(".button").focus(); // who uses a keyboard stays where they were
  });
  part.addEventListener("submit", end);
  line.hidden = stop.hidden = false;
  tick();

  function tick() {
    const left = Math.ceil((due - performance.now()) / 1_000);
    line.textContent = line.dataset.againWords.replace("{seconds}", Math.max(left, 0));
    if (left > 0) return;
    end();
    // A field may be called `requestSubmit`.
    if (part.matches("form")) HTMLFormElement.prototype.requestSubmit.call(part);
    else location.reload();
  }
}
